//! The facts that conditions of rules may ask for, in one place: `table` has a row for each, with its accessor, so that
//! no fact is without a meaning; `grounds` is what the accessors read; `manual` prints the table for supervisors.
//!
//! Beside the rows a document declares facts of its own (`declared`), which come as attributes of the interaction.
//! **Invariant**: a name of a fact, its kind and whether it may be missing never change within a version of the table.

mod declared;
mod grounds;
mod manual;
mod table;

pub(super) use declared::RESERVED;
pub use declared::{AttributeKind, Declarations, DeclaredFact, FACTS_MAX, NAME_MAX};
pub use grounds::{Attribute, Figures, Grounds, Incoming, Local};
pub use manual::Manual;
pub use table::FACTS;

use std::fmt;

/// What a fact or an expression is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    Truth,
    Number,
    Text,
    Duration,
    Texts,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Truth => "true or false",
            Kind::Number => "a whole number",
            Kind::Text => "a text",
            Kind::Duration => "a duration",
            Kind::Texts => "a list of texts",
        })
    }
}

/// Which texts a fact can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Words {
    Any,
    /// One of these and no other.
    Of(&'static [&'static str]),
    /// A date as 2026-12-24.
    Date,
}

/// The accessor of a fact. A number or duration that is `None` is missing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Read {
    Truth(fn(&Grounds) -> bool),
    Number(fn(&Grounds) -> Option<i64>),
    Text(for<'g> fn(&'g Grounds) -> &'g str),
    Texts(for<'g> fn(&'g Grounds) -> &'g [&'g str]),
    /// Of the queue it is meant for, or of the one that is named.
    QueueTruth(fn(&Figures) -> bool),
    QueueNumber(fn(&Figures) -> Option<i64>),
}

/// One row of the table.
pub struct Fact {
    /// As it stands in a condition: `interaction.channel`. Those of a queue are also asked of any:
    /// `queues["loans"].waiting`.
    pub name: &'static str,
    pub kind: Kind,
    /// Empty where it has none.
    pub unit: &'static str,
    /// For a supervisor: a sentence without a full stop.
    pub meaning: &'static str,
    /// Who tells it.
    pub source: &'static str,
    /// Nobody may have told it: asking for it then is a failure, and the rule is skipped.
    pub may_be_missing: bool,
    /// A condition that asks for it.
    pub example: &'static str,
    /// Which texts it can be.
    pub words: Words,
    /// A number or duration (ms) is no less than the first and no more than the second.
    pub range: (i64, i64),
    pub(super) read: Read,
}

impl fmt::Debug for Fact {
    /// The rest is in the table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Fact {
    /// True for facts of a queue.
    pub fn is_of_a_queue(&self) -> bool {
        matches!(self.read, Read::QueueTruth(_) | Read::QueueNumber(_))
    }

    /// The name behind the dot: `waiting` of `queue.waiting`.
    pub fn field(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, field)| field)
    }
}

/// The row of that name.
pub fn fact(name: &str) -> Option<&'static Fact> {
    FACTS.iter().find(|fact| fact.name == name)
}
