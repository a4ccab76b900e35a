//! Why the rules said what they said: each rule again, on what was recorded of an interaction. Asked when somebody asks;
//! judging keeps no trace, since it would come out the same.

use super::compiled::Compiled;
use super::condition::Why;
use super::facts::Grounds;

/// What became of one rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Traced {
    /// Its name.
    pub rule: String,
    pub outcome: Outcome,
}

/// What became of a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It applies; with a split, by which of its shares, the first being 1.
    Matched { share: Option<u8> },
    /// Because of which part of its condition, and what that part was told.
    NotMatched { because: String },
    /// Its condition failed.
    Skipped { why: String },
    /// A rule above said to stop.
    NotReached,
}

/// As `customer.tier == "gold"; customer.tier is "silver"`.
fn because(part: &str, facts: &[(String, String)]) -> String {
    let told: Vec<String> = facts.iter().map(|(name, value)| format!("{name} is {value}")).collect();
    if told.is_empty() { part.to_owned() } else { format!("{part}; {}", told.join(", ")) }
}

impl Compiled {
    /// All rules, from the top.
    pub fn trace(&self, grounds: &Grounds, ticket: &mut dyn FnMut(&str) -> u32) -> Vec<Traced> {
        let mut stopped = false;
        let one = |rule: u16| {
            let outcome = if stopped { Outcome::NotReached } else { self.outcome(rule, grounds, ticket) };
            stopped |= matches!(outcome, Outcome::Matched { share } if self.stops(rule, share));
            Traced { rule: self.name(rule).to_owned(), outcome }
        };
        (0..self.count()).map(one).collect()
    }

    fn outcome(&self, rule: u16, grounds: &Grounds, ticket: &mut dyn FnMut(&str) -> u32) -> Outcome {
        match self.condition(rule).why(grounds) {
            Why::Matched => Outcome::Matched { share: self.share(rule, ticket) },
            Why::NotMatched { part, facts } => Outcome::NotMatched { because: because(&part, &facts) },
            Why::Skipped(failure) => Outcome::Skipped { why: failure.to_string() },
        }
    }
}
