//! Conditions of rules: an expression in CEL over declared facts, from its text to what it says of one interaction. Pure,
//! without floats, bounded in size, depth and steps.
//!
//! In reading order: `tokens` and `shape` refuse what conditions do not have before the foreign parser of `parse` sees it;
//! `check` (with `names`, `operators`, `fold`) makes the typed `tree`, which `evaluate` reads. `uses` says what must be
//! gathered, `why` explains, `analysis` says what is certain of all interactions, `index` leaves out rules by one look
//! (by the `guard` of each, numbers by their `spans`).

mod analysis;
mod check;
mod doubts;
mod evaluate;
mod fold;
mod guard;
mod index;
mod names;
mod operators;
mod parse;
mod shape;
mod spans;
#[cfg(test)]
pub(super) mod tests;
mod tokens;
mod tree;
mod uses;
mod values;
mod why;
mod wrong;

pub use doubts::Doubt;
pub use evaluate::Failure;
pub use index::Index;
pub use tokens::{BYTES_MAX, DEPTH_MAX, LIST_MAX, NODES_MAX, TEXT_MAX};
pub use uses::{Named, Uses};
pub use why::Why;
pub use wrong::Wrong;

use super::facts::{Declarations, Grounds};
use check::Checker;
use evaluate::Decides;
use std::sync::Arc;
use tree::Truth;

/// A condition that has been checked. Two of the same text, over the same declarations, are equal.
#[derive(Clone, Debug)]
pub struct Condition {
    text: Arc<str>,
    parts: Arc<[Part]>,
    uses: Uses,
}

/// One of those that must all hold.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    truth: Truth,
    /// As it stands in the text.
    said: String,
    /// Where it stands there.
    line: u32,
    column: u32,
}

impl PartialEq for Condition {
    fn eq(&self, other: &Condition) -> bool {
        self.text == other.text && self.parts == other.parts
    }
}

impl Eq for Condition {}

impl Condition {
    /// Reads and checks a condition. What cannot be read ends it at once; of what can, everything that is wrong is told, in
    /// the order of the text.
    pub fn compile(text: &str, declared: &Declarations) -> Result<Condition, Vec<Wrong>> {
        let parsed = parse::parse(text)?;
        let mut checker = Checker { parsed: &parsed, declared, wrong: Vec::new(), named: Uses::default() };
        let mut parts = Vec::new();
        for node in check::conjuncts(&parsed.tree) {
            let Some(truth) = checker.truth(node) else { continue };
            let (line, column) = tokens::place(&parsed.chars, parsed.span(node).0);
            parts.push(Part { truth, said: parsed.said(node), line, column });
        }
        if checker.wrong.is_empty() {
            let mut uses = Uses::of(parts.iter().map(|part| &part.truth));
            uses.join(&checker.named);
            return Ok(Condition { text: text.into(), parts: parts.into(), uses });
        }
        checker.wrong.sort();
        Err(checker.wrong)
    }

    /// The condition of a rule that has none: it always holds.
    pub fn always() -> Condition {
        Condition { text: "true".into(), parts: Arc::from([]), uses: Uses::default() }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds for an interaction, or why that cannot be told: then its rule is skipped.
    pub fn holds(&self, grounds: &Grounds) -> Result<bool, Failure> {
        evaluate::decided(self.parts.iter().map(|part| &part.truth), Decides::NotHolding, grounds)
    }

    /// The same where some of its parts, a bit for each of the first 64, are known to hold.
    fn holds_beyond(&self, settled: u64, grounds: &Grounds) -> Result<bool, Failure> {
        let open = |at: usize| at >= 64 || (settled >> at) & 1 == 0;
        let parts = self.parts.iter().enumerate().filter(|(at, _)| open(*at));
        evaluate::decided(parts.map(|(_, part)| &part.truth), Decides::NotHolding, grounds)
    }

    /// What it asks for: what must be gathered before it is judged, and recorded with the plan.
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Why it holds or does not, for the trace of a plan. Judges again: for whoever asks, not for every interaction.
    pub fn why(&self, grounds: &Grounds) -> Why {
        why::why(self, grounds)
    }

    /// True only if it is certain that it holds for nobody, whatever the facts.
    pub fn never_holds(&self) -> bool {
        analysis::never(self.parts.iter().map(|part| &part.truth))
    }

    /// True only if it is certain that it holds for everybody for whom it does not fail.
    pub fn always_holds(&self) -> bool {
        self.parts.iter().all(|part| analysis::always(&part.truth))
    }

    /// True only if it is certain that `other` holds wherever this holds.
    pub fn implies(&self, other: &Condition) -> bool {
        analysis::implies(
            self.parts.iter().map(|part| &part.truth),
            other.parts.iter().map(|part| &part.truth),
        )
    }

    /// What is right but is hardly meant: what never or always holds, and facts that may be missing without `has()`.
    pub fn doubts(&self) -> Vec<Doubt> {
        doubts::doubts(&self.parts)
    }
}
