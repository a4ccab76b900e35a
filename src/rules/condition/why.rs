//! Why a condition holds or not, for a trace: the part that does not hold, as it is written, and what its facts were.

use super::evaluate::{Decides, Failure, decided};
use super::names;
use super::tree::{Ask, Of};
use super::{Condition, Part};
use crate::rules::facts::{Attribute, Grounds, Kind};
use std::fmt;

/// What came of a condition, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    Matched,
    /// The first part that does not hold.
    NotMatched {
        /// As it is written.
        part: String,
        /// The facts it asks for, by name and in words, in the order of the text, each once.
        facts: Vec<(String, String)>,
    },
    /// It cannot be told.
    Skipped(Failure),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (part, facts) = match self {
            Why::Matched => return f.write_str("matched"),
            Why::Skipped(failure) => return write!(f, "skipped: {failure}"),
            Why::NotMatched { part, facts } => (part, facts),
        };
        write!(f, "not matched: {part}")?;
        for (number, (name, value)) in facts.iter().enumerate() {
            write!(f, "{}{name} is {value}", if number == 0 { "; " } else { ", " })?;
        }
        Ok(())
    }
}

pub(super) fn why(condition: &Condition, grounds: &Grounds) -> Why {
    let parts = condition.parts.iter().map(|part| &part.truth);
    match decided(parts, Decides::NotHolding, grounds) {
        Ok(true) => Why::Matched,
        Err(failure) => Why::Skipped(failure),
        Ok(false) => {
            let part = condition.parts.iter().find(|part| part.truth.on(grounds) == Ok(false));
            let part = part.expect("a conjunction that is false has a part that is");
            Why::NotMatched { part: one_line(&part.said), facts: facts(part, grounds) }
        }
    }
}

fn one_line(said: &str) -> String {
    said.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

fn facts(part: &Part, grounds: &Grounds) -> Vec<(String, String)> {
    let mut facts: Vec<(String, String)> = Vec::new();
    part.truth.asks(&mut |ask| {
        if !facts.iter().any(|(name, _)| **name == *ask.name) {
            facts.push((ask.name.to_string(), words(ask, grounds)));
        }
    });
    facts
}

/// What a fact is, for people.
fn words(ask: &Ask, grounds: &Grounds) -> String {
    let said = match names::kind(ask) {
        Kind::Truth => grounds.truth(ask).map(|truth| truth.to_string()),
        Kind::Number => grounds.number(ask).map(|number| number.to_string()),
        Kind::Duration => grounds.number(ask).map(duration),
        Kind::Text => grounds.text(ask).map(|text| format!("{text:?}")),
        Kind::Texts => grounds.texts(ask).map(|texts| format!("{texts:?}")),
    };
    match (said, &ask.of) {
        (Ok(said), _) => said,
        (Err(Failure::Missing(_)), _) => "missing".to_owned(),
        (Err(Failure::WrongType { .. }), Of::Attribute(name, kind)) => {
            let came = grounds.attributes.iter().find(|(attribute, _)| *attribute == &**name);
            let came = came.map_or_else(String::new, |(_, came)| as_it_came(*came));
            format!("{came}, not {}", Kind::from(*kind))
        }
        (Err(failure), _) => failure.to_string(),
    }
}

fn as_it_came(attribute: Attribute) -> String {
    match attribute {
        Attribute::Text(text) => format!("{text:?}"),
        Attribute::Number(number) => number.to_string(),
        Attribute::Truth(truth) => truth.to_string(),
    }
}

/// As it is written in a condition: 1h30m.
pub(super) fn duration(ms: i64) -> String {
    const UNITS: [(&str, u64); 5] =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let mut rest = ms.unsigned_abs();
    let mut said = String::from(if ms < 0 { "-" } else { "" });
    for (unit, length) in UNITS {
        if rest >= length {
            said += &format!("{}{unit}", rest / length);
            rest %= length;
        }
    }
    if ms == 0 { "0s".to_owned() } else { said }
}
