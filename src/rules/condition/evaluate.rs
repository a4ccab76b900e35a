//! What a condition is on given grounds. Each node is visited once at most and nothing is kept, so an evaluation is bounded
//! by the size of the condition; it allocates nothing.
//!
//! As CEL has it, `&&` and `||` do not fail where one side decides: `false && failure` and `failure && false` are false.

use super::tree::{Ask, Holds, Number, Of, Order, Sum, Text, Truth};
use crate::rules::facts::{Attribute, Fact, Figures, Grounds, Kind, Read};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// Why a condition cannot be told. Its rule is skipped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Failure {
    /// Nobody told that fact.
    Missing(Arc<str>),
    /// The attribute does not read as what the document declares.
    WrongType {
        name: Arc<str>,
        want: Kind,
    },
    /// The floor has no opening hours of that name.
    UnknownHours(Arc<str>),
    /// The floor has no queue of that name.
    UnknownQueue(Arc<str>),
    /// A number beyond 64 bits.
    Overflow,
    DivisionByZero,
}

impl Failure {
    /// For counting: one word for each kind.
    pub fn reason(&self) -> &'static str {
        match self {
            Failure::Missing(_) => "missing_fact",
            Failure::WrongType { .. } => "wrong_type",
            Failure::UnknownHours(_) => "unknown_hours",
            Failure::UnknownQueue(_) => "unknown_queue",
            Failure::Overflow => "overflow",
            Failure::DivisionByZero => "division_by_zero",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Missing(name) => write!(f, "{name} is missing"),
            Failure::WrongType { name, want } => write!(f, "{name} came as something else than {want}"),
            Failure::UnknownHours(name) => write!(f, "the floor has no opening hours {name:?}"),
            Failure::UnknownQueue(name) => write!(f, "the floor has no queue {name:?}"),
            Failure::Overflow => f.write_str("a number is beyond 64 bits"),
            Failure::DivisionByZero => f.write_str("a number is divided by zero"),
        }
    }
}

impl std::error::Error for Failure {}

impl Truth {
    pub(crate) fn on(&self, grounds: &Grounds) -> Result<bool, Failure> {
        match self {
            Truth::Known(known) => Ok(*known),
            Truth::Ask(ask) => grounds.truth(ask),
            Truth::Has(ask) => grounds.has(ask),
            Truth::Not(truth) => truth.on(grounds).map(|truth| !truth),
            Truth::All(all) => decided(all.iter(), Decides::NotHolding, grounds),
            Truth::Any(any) => decided(any.iter(), Decides::Holding, grounds),
            Truth::If(parts) if parts.0.on(grounds)? => parts.1.on(grounds),
            Truth::If(parts) => parts.2.on(grounds),
            Truth::Alike(two) => Ok(two.0.on(grounds)? == two.1.on(grounds)?),
            Truth::Numbers(order, two) => Ok(order.holds(two.0.on(grounds)?.cmp(&two.1.on(grounds)?))),
            Truth::Texts(order, two) => Ok(order.holds(two.0.on(grounds)?.cmp(two.1.on(grounds)?))),
            Truth::NumberIn(number, list) => {
                let number = number.on(grounds)?;
                among(list.iter().map(|element| Ok(element.on(grounds)? == number)))
            }
            Truth::TextIn(text, list) => {
                let text = text.on(grounds)?;
                among(list.iter().map(|element| Ok(element.on(grounds)? == text)))
            }
            Truth::TextAmong(text, ask) => Ok(grounds.texts(ask)?.contains(&text.on(grounds)?)),
            Truth::Text(holds, two) => Ok(holds.of(two.0.on(grounds)?, two.1.on(grounds)?)),
        }
    }
}

/// Which part of several settles them all.
#[derive(Clone, Copy)]
pub(super) enum Decides {
    /// Of `||`.
    Holding,
    /// Of `&&`.
    NotHolding,
}

/// One that decides, wherever it stands; else the first failure; else none does.
pub(super) fn decided<'t>(
    parts: impl Iterator<Item = &'t Truth>,
    decides: Decides,
    grounds: &Grounds,
) -> Result<bool, Failure> {
    let decides = matches!(decides, Decides::Holding);
    let mut failure = None;
    for part in parts {
        match part.on(grounds) {
            Ok(truth) if truth == decides => return Ok(decides),
            Ok(_) => {}
            Err(failed) => failure = failure.or(Some(failed)),
        }
    }
    failure.map_or(Ok(!decides), Err)
}

/// A list is made before it is searched: an element that fails fails it all.
fn among(elements: impl Iterator<Item = Result<bool, Failure>>) -> Result<bool, Failure> {
    let mut is_among = false;
    for element in elements {
        is_among |= element?;
    }
    Ok(is_among)
}

impl Order {
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Order::Same => ordering.is_eq(),
            Order::Other => ordering.is_ne(),
            Order::Less => ordering.is_lt(),
            Order::AtMost => ordering.is_le(),
            Order::More => ordering.is_gt(),
            Order::AtLeast => ordering.is_ge(),
        }
    }
}

impl Holds {
    pub(super) fn of(self, text: &str, part: &str) -> bool {
        match self {
            Holds::Begins => text.starts_with(part),
            Holds::Ends => text.ends_with(part),
            Holds::Contains => text.contains(part),
        }
    }
}

impl Sum {
    pub(super) fn of(self, one: i64, other: i64) -> Result<i64, Failure> {
        if other == 0 && matches!(self, Sum::Over | Sum::Rest) {
            return Err(Failure::DivisionByZero);
        }
        let sum = match self {
            Sum::Plus => one.checked_add(other),
            Sum::Minus => one.checked_sub(other),
            Sum::Times => one.checked_mul(other),
            Sum::Over => one.checked_div(other),
            Sum::Rest => one.checked_rem(other),
        };
        sum.ok_or(Failure::Overflow)
    }
}

impl Number {
    pub(crate) fn on(&self, grounds: &Grounds) -> Result<i64, Failure> {
        match self {
            Number::Known(known) => Ok(*known),
            Number::Ask(ask) => grounds.number(ask),
            Number::Turned(number) => number.on(grounds)?.checked_neg().ok_or(Failure::Overflow),
            Number::Sum(sum, two) => sum.of(two.0.on(grounds)?, two.1.on(grounds)?),
            Number::If(parts) if parts.0.on(grounds)? => parts.1.on(grounds),
            Number::If(parts) => parts.2.on(grounds),
            Number::Characters(text) => Ok(size(text.on(grounds)?.chars().count())),
            Number::Count(ask) => Ok(size(grounds.texts(ask)?.len())),
        }
    }
}

pub(super) fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl Text {
    pub(crate) fn on<'g>(&'g self, grounds: &'g Grounds) -> Result<&'g str, Failure> {
        match self {
            Text::Known(known) => Ok(known),
            Text::Ask(ask) => grounds.text(ask),
            Text::If(parts) if parts.0.on(grounds)? => parts.1.on(grounds),
            Text::If(parts) => parts.2.on(grounds),
        }
    }
}

fn missing(ask: &Ask) -> Failure {
    Failure::Missing(Arc::clone(&ask.name))
}

fn wrong(ask: &Ask, want: Kind) -> Failure {
    Failure::WrongType { name: Arc::clone(&ask.name), want }
}

/// The accessors by kind. The checker asks each fact for its own kind; what came as another is a failure, never more.
impl Grounds<'_> {
    fn figures(&self, ask: &Ask) -> Result<(&Figures, &'static Fact), Failure> {
        match &ask.of {
            Of::Queue(fact) => {
                self.queue.as_ref().map(|figures| (figures, *fact)).ok_or_else(|| missing(ask))
            }
            Of::Queues(name, fact) => {
                let found = self.queues.iter().find(|(queue, _)| *queue == &**name);
                found
                    .map(|(_, figures)| (figures, *fact))
                    .ok_or_else(|| Failure::UnknownQueue(Arc::clone(name)))
            }
            Of::Row(_) | Of::Hours(_) | Of::Attribute(..) => Err(missing(ask)),
        }
    }

    fn attribute(&self, name: &str, ask: &Ask) -> Result<Attribute<'_>, Failure> {
        let found = self.attributes.iter().find(|(attribute, _)| *attribute == name);
        found.map(|(_, attribute)| *attribute).ok_or_else(|| missing(ask))
    }

    pub(super) fn truth(&self, ask: &Ask) -> Result<bool, Failure> {
        match &ask.of {
            Of::Row(Fact { read: Read::Truth(read), .. }) => Ok(read(self)),
            Of::Queue(_) | Of::Queues(..) => match self.figures(ask)? {
                (figures, Fact { read: Read::QueueTruth(read), .. }) => Ok(read(figures)),
                _ => Err(wrong(ask, Kind::Truth)),
            },
            Of::Hours(name) => {
                let found = self.hours.iter().find(|(hours, _)| *hours == &**name);
                found.map(|(_, is_open)| *is_open).ok_or_else(|| Failure::UnknownHours(Arc::clone(name)))
            }
            Of::Attribute(name, _) => match self.attribute(name, ask)? {
                Attribute::Truth(truth) => Ok(truth),
                _ => Err(wrong(ask, Kind::Truth)),
            },
            Of::Row(_) => Err(wrong(ask, Kind::Truth)),
        }
    }

    pub(super) fn number(&self, ask: &Ask) -> Result<i64, Failure> {
        match &ask.of {
            Of::Row(Fact { read: Read::Number(read), .. }) => read(self).ok_or_else(|| missing(ask)),
            Of::Queue(_) | Of::Queues(..) => match self.figures(ask)? {
                (figures, Fact { read: Read::QueueNumber(read), .. }) => {
                    read(figures).ok_or_else(|| missing(ask))
                }
                _ => Err(wrong(ask, Kind::Number)),
            },
            Of::Attribute(name, _) => match self.attribute(name, ask)? {
                Attribute::Number(number) => Ok(number),
                _ => Err(wrong(ask, Kind::Number)),
            },
            Of::Row(_) | Of::Hours(_) => Err(wrong(ask, Kind::Number)),
        }
    }

    pub(super) fn text(&self, ask: &Ask) -> Result<&str, Failure> {
        match &ask.of {
            Of::Row(Fact { read: Read::Text(read), .. }) => Ok(read(self)),
            Of::Attribute(name, _) => match self.attribute(name, ask)? {
                Attribute::Text(text) => Ok(text),
                _ => Err(wrong(ask, Kind::Text)),
            },
            _ => Err(wrong(ask, Kind::Text)),
        }
    }

    pub(super) fn texts(&self, ask: &Ask) -> Result<&[&str], Failure> {
        match &ask.of {
            Of::Row(Fact { read: Read::Texts(read), .. }) => Ok(read(self)),
            _ => Err(wrong(ask, Kind::Texts)),
        }
    }

    /// The fact is there, whatever it is. A queue or hours by a name that the floor does not have are a failure here too.
    pub(super) fn has(&self, ask: &Ask) -> Result<bool, Failure> {
        let asked = match ask.row().map(|fact| fact.read) {
            Some(Read::Number(_) | Read::QueueNumber(_)) => self.number(ask).map(|_| ()),
            Some(Read::QueueTruth(_)) => self.truth(ask).map(|_| ()),
            Some(Read::Truth(_) | Read::Text(_) | Read::Texts(_)) => Ok(()),
            None => match &ask.of {
                Of::Attribute(name, _) => self.attribute(name, ask).map(|_| ()),
                _ => self.truth(ask).map(|_| ()),
            },
        };
        match asked {
            Ok(()) => Ok(true),
            Err(Failure::Missing(_)) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}
