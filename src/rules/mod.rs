//! Rules decide what an interaction is worth, who may serve it, how that loosens with waiting, and where it goes in
//! the end. Pure: a document, a floor and facts in, a complete plan out.
//!
//! In reading order: `document` is what people write, `values` the durations and money in it, `parse` and `validate`
//! say what is wrong with it and where, `names` what it speaks of that a floor does not have, `section` which section
//! holds for a queue, `planning`, `repeats` and `needs` make the plan; `diff` says what changes from one to another.
//!
//! Deliberately absent, for now: ordered rules with conditions over facts. They will stand beside
//! the sections, and a plan names the version that made it already.

pub mod diff;
pub mod document;
mod error;
mod names;
mod needs;
pub(crate) mod parse;
mod planning;
mod repeats;
mod section;
#[cfg(test)]
mod tests;
mod validate;
mod validate_relaxation;
mod validate_repeats;
pub(crate) mod values;

pub use error::{DocumentError, DocumentErrors, Field};
pub use names::{Skipped, Why};
pub use parse::DOCUMENT_MAX;
pub use planning::{Asked, Served};
pub use validate::{OVERFLOW_MAX, SECTIONS_MAX};
pub use validate_repeats::{CONTACTS, WITHIN_MAX_MS};

use crate::customers::Words;
use crate::engine::floor::Floor;
use crate::engine::ids::QueueKey;
use crate::engine::plan::Plan;
use document::{Document, SignalWords};
use names::Names;
use parse::Lines;
use std::sync::{Arc, LazyLock};

/// The version of the default rule set.
pub const DEFAULT_VERSION: u32 = 1;

/// The default document as it is shipped.
pub const DEFAULT: &str = include_str!("default.yaml");

static BUILT_IN: LazyLock<Document> =
    LazyLock::new(|| parse::read(DEFAULT).expect("the default document is checked by a test"));

/// What holds where a document says nothing.
fn built_in() -> &'static Document {
    &BUILT_IN
}

/// A rule set: a document that has been read and is valid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleSet {
    document: Arc<Document>,
    /// As it came, to name lines.
    text: Arc<str>,
}

impl Default for RuleSet {
    /// What is assumed of a business that has said nothing.
    fn default() -> RuleSet {
        RuleSet { document: Arc::new(built_in().clone()), text: DEFAULT.into() }
    }
}

impl RuleSet {
    /// Reads a document in YAML or JSON. What cannot be read ends it at once; of what can, everything that is wrong is
    /// told.
    pub fn read(text: &str) -> Result<RuleSet, DocumentErrors> {
        let document: Document = parse::read(text).map_err(|error| DocumentErrors(vec![error]))?;
        let mut wrong = validate::validate(&document);
        if wrong.is_empty() {
            return Ok(RuleSet { document: Arc::new(document), text: text.into() });
        }
        let lines = Lines::of(text);
        for error in &mut wrong {
            error.line = lines.line(&error.field);
        }
        wrong.sort_by_key(|error| error.line);
        Err(DocumentErrors(wrong))
    }

    /// Names it; every plan says which one made it.
    pub fn version(&self) -> u32 {
        self.document.version
    }

    /// The same rules under the number they are published with.
    #[must_use]
    pub fn numbered(mut self, version: u32) -> RuleSet {
        Arc::make_mut(&mut self.document).version = version;
        self
    }

    /// As it came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its name, for people.
    pub fn name(&self) -> &str {
        &self.document.name
    }

    /// What it says.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What in customers' words announces something.
    pub fn words(&self) -> Words {
        let said = |own: fn(&SignalWords) -> &Option<Vec<String>>| {
            let words = own(&self.document.signals).as_deref().or(own(&built_in().signals).as_deref());
            words.unwrap_or_default().iter().map(String::as_str).collect::<Vec<_>>()
        };
        Words::new(&said(|all| &all.complaint), &said(|all| &all.competitor), &said(|all| &all.cancel))
    }

    /// What is left out on this floor because the floor does not have it, in the order of the document.
    pub fn skipped(&self, floor: &Floor) -> Vec<Skipped> {
        let mut skipped = names::skipped(Names { document: &self.document, floor });
        if !skipped.is_empty() {
            let lines = Lines::of(&self.text);
            for part in &mut skipped {
                part.line = lines.line(&part.field);
            }
            skipped.sort_by_key(|part| part.line);
        }
        skipped
    }

    /// True if the plan depends on who served the customer last: then it is worth asking who that is.
    pub fn asks_for_last_agent(&self, floor: &Floor, asked: &Asked) -> bool {
        planning::asks_for_last_agent(Names { document: &self.document, floor }, asked)
    }

    /// So far back contacts about the same matter are counted for a queue, ms. `None`: nothing depends on that.
    pub fn repeats_within(&self, floor: &Floor, queue: QueueKey) -> Option<u64> {
        let names = Names { document: &self.document, floor };
        repeats::repeats(names, queue).map(|repeats| repeats.within.0)
    }

    /// The contact of the step of repeat contacts that applies: what else is asked alike is planned alike.
    pub fn repeat_step(&self, floor: &Floor, asked: &Asked) -> Option<u16> {
        repeats::step(Names { document: &self.document, floor }, asked).map(|step| step.contact)
    }

    /// The plan for one interaction. The queue it is meant for must be in use on the floor.
    pub fn plan(&self, floor: &Floor, asked: &Asked) -> Plan {
        planning::plan(Names { document: &self.document, floor }, asked)
    }
}
