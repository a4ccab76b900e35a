//! A condition as it is evaluated: a small tree with a type for each kind of value, so that no evaluation meets one of
//! another kind. Constants are folded and facts resolved by the checker; durations are numbers of milliseconds here.

use crate::rules::facts::{AttributeKind, Fact};
use std::sync::Arc;

/// A fact that a condition asks for.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    /// As it is said: `queues["loans"].waiting`. Two that are said alike are one.
    pub name: Arc<str>,
    pub of: Of,
}

/// Whose fact it is.
#[derive(Clone, Debug)]
pub(crate) enum Of {
    /// A row of the table, not of a queue.
    Row(&'static Fact),
    /// Of the queue it is meant for.
    Queue(&'static Fact),
    /// Of a queue by name.
    Queues(Arc<str>, &'static Fact),
    /// Opening hours by name.
    Hours(Arc<str>),
    Attribute(Arc<str>, AttributeKind),
}

impl PartialEq for Ask {
    fn eq(&self, other: &Ask) -> bool {
        self.name == other.name
    }
}

impl Eq for Ask {}

impl Ask {
    /// Its row of the table.
    pub fn row(&self) -> Option<&'static Fact> {
        match &self.of {
            Of::Row(fact) | Of::Queue(fact) | Of::Queues(_, fact) => Some(fact),
            Of::Hours(_) | Of::Attribute(..) => None,
        }
    }

    /// Nobody may have told it. What is asked of a name that the floor does not have fails too, and a check against the
    /// floor says so.
    pub fn may_be_missing(&self) -> bool {
        match &self.of {
            Of::Row(fact) | Of::Queue(fact) => fact.may_be_missing,
            // Only what is missing also where there is a queue.
            Of::Queues(_, fact) => fact.field() == "estimated_wait",
            Of::Hours(_) => false,
            Of::Attribute(..) => true,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Same,
    Other,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sum {
    Plus,
    Minus,
    Times,
    Over,
    Rest,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holds {
    Begins,
    Ends,
    Contains,
}

/// What is true or false.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Truth {
    Known(bool),
    Ask(Ask),
    /// The fact is there.
    Has(Ask),
    Not(Box<Truth>),
    All(Box<[Truth]>),
    Any(Box<[Truth]>),
    If(Box<(Truth, Truth, Truth)>),
    Alike(Box<(Truth, Truth)>),
    Numbers(Order, Box<(Number, Number)>),
    Texts(Order, Box<(Text, Text)>),
    NumberIn(Box<Number>, Box<[Number]>),
    TextIn(Box<Text>, Box<[Text]>),
    /// Is one of the texts that a fact is.
    TextAmong(Box<Text>, Ask),
    Text(Holds, Box<(Text, Text)>),
}

/// A whole number, or a duration in milliseconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Number {
    Known(i64),
    Ask(Ask),
    Turned(Box<Number>),
    Sum(Sum, Box<(Number, Number)>),
    If(Box<(Truth, Number, Number)>),
    /// Characters of a text.
    Characters(Box<Text>),
    /// Texts of a list.
    Count(Ask),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Text {
    Known(Arc<str>),
    Ask(Ask),
    If(Box<(Truth, Text, Text)>),
}
