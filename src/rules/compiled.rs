//! Ordered rules, compiled: conditions parsed and checked, what each does as a section says it, and which rules can match
//! at all found by an index. Judging is pure: equal grounds and equal tickets give an equal verdict.

use super::condition::{Condition, Failure, Index, Uses};
use super::document::{Document, Section};
use super::facts::{Declarations, Grounds};
use super::ordered::{Rule, Then};
use crate::engine::hours::time_zone;
use crate::engine::ids::Text;
use jiff::tz::TimeZone;

/// Most rules of a document.
pub const RULES_MAX: usize = 10_000;
/// Most shares of a split.
pub const ARMS_MAX: usize = 8;
/// A share of 100%, in parts per million.
const WHOLE_PPM: u64 = 1_000_000;

/// A rule that matched, and which of its shares.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Applied {
    /// Its place in the document, the first being 0.
    pub rule: u16,
    /// Its share; 0 where it has none.
    pub arm: u8,
}

/// What the rules say of one interaction.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verdict {
    /// The rules that matched, from the top.
    pub applied: Vec<Applied>,
    /// Those whose condition failed, and why: skipped.
    pub failed: Vec<(u16, Failure)>,
    /// Numbers that were drawn for splits, by the name of the rule; to be recorded.
    pub drawn: Vec<(Text, u32)>,
}

/// The rules of a document.
#[derive(Debug)]
pub(super) struct Compiled {
    rules: Vec<One>,
    index: Index,
    uses: Uses,
    zone: TimeZone,
}

#[derive(Debug)]
struct One {
    name: Box<str>,
    condition: Condition,
    arms: Vec<Arm>,
}

#[derive(Debug)]
struct Arm {
    /// Draws below this and not below the arm before are this arm's, in parts per million.
    below_ppm: u64,
    then: Then,
    section: Section,
}

impl Compiled {
    /// Of a document that is valid.
    pub fn of(document: &Document) -> Compiled {
        let declared = &document.facts;
        let rules: Vec<One> = document.rules.iter().map(|rule| One::of(rule, declared)).collect();
        let index = Index::new(rules.iter().map(|rule| &rule.condition));
        let mut uses = Uses::default();
        rules.iter().for_each(|rule| uses.join(rule.condition.uses()));
        let zone = document.time_zone.as_deref().and_then(time_zone).unwrap_or(TimeZone::UTC);
        Compiled { rules, index, uses, zone }
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What conditions read beyond what is always there.
    pub fn uses(&self) -> &Uses {
        &self.uses
    }

    /// Where the clock on the wall is read.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    pub fn name(&self, rule: u16) -> &str {
        self.rules.get(usize::from(rule)).map_or("", |rule| &rule.name)
    }

    pub fn count(&self) -> u16 {
        u16::try_from(self.rules.len()).expect("a document has at most RULES_MAX rules")
    }

    pub fn condition(&self, rule: u16) -> &Condition {
        &self.rules[usize::from(rule)].condition
    }

    /// By which of its shares a rule applies, the first being 1. `None`: it has no shares.
    pub fn share(&self, rule: u16, ticket: &mut dyn FnMut(&str) -> u32) -> Option<u8> {
        let rule = &self.rules[usize::from(rule)];
        (rule.arms.len() > 1).then(|| rule.arm(ticket) + 1)
    }

    /// Whether no rule below is looked at when it applies by that share.
    pub fn stops(&self, rule: u16, share: Option<u8>) -> bool {
        let arm = share.map_or(0, |share| share - 1);
        self.arm(Applied { rule, arm }).is_some_and(|(then, _)| then.stop)
    }

    /// What a rule does, as it says it and as a section does.
    pub fn arm(&self, applied: Applied) -> Option<(&Then, &Section)> {
        let arm = self.rules.get(usize::from(applied.rule))?.arms.get(usize::from(applied.arm))?;
        Some((&arm.then, &arm.section))
    }

    /// Which rules apply. `ticket` gives the next number of a split, by the name of its rule.
    pub fn judge(&self, grounds: &Grounds, ticket: &mut dyn FnMut(&str) -> u32) -> Verdict {
        let mut verdict = Verdict::default();
        if self.rules.is_empty() {
            return verdict;
        }
        let mut candidates = Vec::new();
        self.index.candidates(grounds, &mut candidates);
        for number in candidates {
            let rule = &self.rules[usize::from(number)];
            match self.index.holds(number, &rule.condition, grounds) {
                Ok(false) => {}
                Err(failure) => verdict.failed.push((number, failure)),
                Ok(true) => {
                    let arm = rule.arm(ticket);
                    verdict.applied.push(Applied { rule: number, arm });
                    if rule.arms[usize::from(arm)].then.stop {
                        break;
                    }
                }
            }
        }
        verdict
    }
}

impl One {
    fn of(rule: &Rule, declared: &Declarations) -> One {
        let condition = rule.when.as_deref().map_or_else(Condition::always, |when| {
            Condition::compile(when, declared).expect("conditions were checked with the document")
        });
        let mut below_ppm = 0;
        let mut arms: Vec<Arm> = Vec::new();
        let mut add = |share_ppm: u64, then: &Then| {
            below_ppm += share_ppm;
            arms.push(Arm { below_ppm, then: then.clone(), section: then.section() });
        };
        rule.then.iter().for_each(|then| add(WHOLE_PPM, then));
        rule.split.iter().flatten().for_each(|arm| add(arm.share.0.into(), &arm.then));
        One { name: rule.name.as_str().into(), condition, arms }
    }

    /// By a sequence that is spread evenly whatever the shares are (Weyl's, with the golden ratio): after a hundred of
    /// them a share is off by less than two.
    fn arm(&self, ticket: &mut dyn FnMut(&str) -> u32) -> u8 {
        if self.arms.len() < 2 {
            return 0;
        }
        let spread = ticket(&self.name).wrapping_mul(0x9E37_79B9);
        let drawn_ppm = (u64::from(spread) * WHOLE_PPM) >> 32;
        let arm = self.arms.iter().position(|arm| drawn_ppm < arm.below_ppm).unwrap_or(self.arms.len() - 1);
        u8::try_from(arm).expect("a split has at most ARMS_MAX shares")
    }
}
