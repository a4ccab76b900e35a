//! Rules decide what an interaction is worth, who may serve it, how that loosens with waiting, and where it goes in
//! the end. Pure: a document, a floor and facts in, a complete plan out.
//!
//! In reading order: `document` is what people write, `ordered` its rules, `values` the durations and money in it,
//! `parse` and `validate` say what is wrong with it and where, `names` what it speaks of that a floor does not have.
//! `facts` is what conditions may ask, `condition` one of them, `compiled` all rules at work: which apply. `overlay` lays
//! these over what `section` says holds for a queue; `planning`, `repeats` and `needs` make the plan; `doubts` says what is hardly
//! meant, `diff` what changes from one document to another.

mod compiled;
pub mod condition;
pub mod diff;
pub mod document;
mod doubts;
mod error;
pub mod facts;
mod names;
mod needs;
pub mod ordered;
mod overlay;
pub(crate) mod parse;
mod planning;
mod repeats;
mod section;
#[cfg(test)]
mod tests;
mod told;
mod trace;
mod validate;
mod validate_relaxation;
mod validate_repeats;
mod validate_rules;
pub(crate) mod values;

pub use compiled::{Applied, Verdict};
pub use doubts::Doubt;
pub use error::{DocumentError, DocumentErrors, Field};
pub use names::{Skipped, Why};
pub use parse::DOCUMENT_MAX;
pub use planning::{Asked, Served};
pub use told::Told;
pub use trace::{Outcome, Traced};
pub use validate::{OVERFLOW_MAX, SECTIONS_MAX};
pub use validate_repeats::{CONTACTS, WITHIN_MAX_MS};

use crate::customers::Words;
use crate::engine::floor::Floor;
use crate::engine::ids::QueueKey;
use crate::engine::plan::Plan;
use compiled::Compiled;
use condition::Uses;
use document::{Document, SignalWords};
use names::{Names, Ruled};
use overlay::Overlay;
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
#[derive(Clone, Debug)]
pub struct RuleSet {
    document: Arc<Document>,
    /// As it came, to name lines.
    text: Arc<str>,
    /// Its ordered rules.
    compiled: Arc<Compiled>,
}

impl PartialEq for RuleSet {
    fn eq(&self, other: &RuleSet) -> bool {
        self.document == other.document && self.text == other.text
    }
}

impl Eq for RuleSet {}

impl Default for RuleSet {
    /// What is assumed of a business that has said nothing.
    fn default() -> RuleSet {
        RuleSet::of(built_in().clone(), DEFAULT)
    }
}

impl RuleSet {
    /// Reads a document in YAML or JSON. What cannot be read ends it at once; of what can, everything that is wrong is
    /// told.
    pub fn read(text: &str) -> Result<RuleSet, DocumentErrors> {
        let document: Document = parse::read(text).map_err(|error| DocumentErrors(vec![error]))?;
        let mut wrong = validate::validate(&document);
        if wrong.is_empty() {
            return Ok(RuleSet::of(document, text));
        }
        let lines = Lines::of(text);
        for error in &mut wrong {
            error.line = lines.line(&error.field);
        }
        wrong.sort_by_key(|error| error.line);
        Err(DocumentErrors(wrong))
    }

    fn of(document: Document, text: &str) -> RuleSet {
        let compiled = Compiled::of(&document).into();
        RuleSet { document: document.into(), text: text.into(), compiled }
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
        let mut skipped = names::skipped(Names::plain(&self.document, floor));
        if !skipped.is_empty() {
            let lines = Lines::of(&self.text);
            for part in &mut skipped {
                part.line = lines.line(&part.field);
            }
            skipped.sort_by_key(|part| part.line);
        }
        skipped
    }

    /// What the ordered rules read of the world, beyond what is known of an interaction anyway.
    pub fn uses(&self) -> &Uses {
        self.compiled.uses()
    }

    /// Which rules apply to an interaction, asked in these circumstances. Numbers of splits that the circumstances have hold;
    /// `next` gives others, by the name of the rule, and the verdict says which: the same numbers, the same verdict.
    pub fn judge(&self, floor: &Floor, told: &Told, next: &mut dyn FnMut(&str) -> u32) -> Verdict {
        if self.compiled.is_empty() {
            return Verdict::default();
        }
        let mut drawn = Vec::new();
        let mut ticket = |rule: &str| {
            told.circumstances.ticket(rule).unwrap_or_else(|| {
                let ticket = next(rule);
                drawn.push((rule.into(), ticket));
                ticket
            })
        };
        let judged =
            told.look(floor, self.compiled.zone(), |grounds| self.compiled.judge(grounds, &mut ticket));
        Verdict { drawn, ..judged }
    }

    /// Each rule again, as of when the plan was made, with what came of it.
    pub fn trace(&self, floor: &Floor, told: &Told) -> Vec<Traced> {
        let mut ticket = |rule: &str| told.circumstances.ticket(rule).unwrap_or(0);
        told.look(floor, self.compiled.zone(), |grounds| self.compiled.trace(grounds, &mut ticket))
    }

    /// The queue of whatever names none, if the document has one and the floor has it.
    pub fn fallback(&self, floor: &Floor) -> Option<QueueKey> {
        let fallback = self.document.fallback.as_ref()?;
        Names::plain(&self.document, floor).queue(&fallback.queue)
    }

    /// True if it has ordered rules.
    pub fn has_rules(&self) -> bool {
        !self.compiled.is_empty()
    }

    /// The name of a rule, by its place.
    pub fn rule_name(&self, rule: u16) -> &str {
        self.compiled.name(rule)
    }

    /// True if the plan depends on who served the customer last: then it is worth asking who that is.
    pub fn asks_for_last_agent(&self, floor: &Floor, asked: &Asked) -> bool {
        self.under_rules(floor, asked, planning::asks_for_last_agent)
    }

    /// So far back contacts about the same matter are counted for a queue, ms. `None`: nothing depends on that.
    pub fn repeats_within(&self, floor: &Floor, queue: QueueKey) -> Option<u64> {
        repeats::repeats(Names::plain(&self.document, floor), queue).map(|repeats| repeats.within.0)
    }

    /// The contact of the step of repeat contacts that applies: what else is asked alike is planned alike.
    pub fn repeat_step(&self, floor: &Floor, asked: &Asked) -> Option<u16> {
        self.under_rules(floor, asked, |names, asked| repeats::step(names, asked).map(|step| step.contact))
    }

    /// The plan for one interaction. The queue it is meant for must be in use on the floor.
    pub fn plan(&self, floor: &Floor, asked: &Asked) -> Plan {
        let mut plan = self.under_rules(floor, asked, |names, ruled| {
            let mut plan = planning::plan(names, ruled);
            if ruled.queue != asked.queue {
                planning::keep_a_way_back(names, &Asked { queue: asked.queue, ..*ruled }, &mut plan);
            }
            plan
        });
        if !asked.applied.is_empty() {
            Overlay::of(&self.compiled, asked.applied).raise(&mut plan);
        }
        plan
    }

    /// With what the rules that apply say laid over the sections.
    fn under_rules<T>(&self, floor: &Floor, asked: &Asked, then: impl FnOnce(Names, &Asked) -> T) -> T {
        let names = Names::plain(&self.document, floor);
        if asked.applied.is_empty() {
            return then(names.entering(asked.queue), asked);
        }
        let overlay = Overlay::of(&self.compiled, asked.applied);
        let queue = if asked.queue_is_final { None } else { overlay.queue(names) }.unwrap_or(asked.queue);
        let requirements = overlay.requirements(names, asked.requirements);
        let preferred = overlay.preferred(names, asked);
        let ruled = Ruled { sections: overlay.sections(), entry: Some(queue), preferred };
        then(Names { ruled, ..names }, &Asked { queue, requirements: &requirements, ..*asked })
    }
}
