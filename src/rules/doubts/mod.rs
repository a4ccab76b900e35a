//! What is right but is hardly meant: rules that never apply, rules nobody gets to, queues that send in circles, and what
//! no agent can meet, ever or on some shift. Told when a draft is validated; none of it keeps one from being published.

mod conditions;
mod loops;
mod staff;
mod week;

use super::RuleSet;
use super::Told;
use super::error::{Field, place};
use super::parse::Lines;
use crate::engine::floor::Floor;
use std::fmt;

/// One of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doubt {
    /// The line of the document, if it has lines.
    pub line: Option<u64>,
    /// In a condition: the line of it and the column, both from 1.
    pub column: Option<(u64, u64)>,
    pub field: Field,
    pub said: String,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        place(f, self.line, self.column)?;
        write!(f, "{}: {}", self.field, self.said)
    }
}

impl Doubt {
    fn of(field: Field, said: String) -> Doubt {
        Doubt { line: None, column: None, field, said }
    }
}

impl RuleSet {
    /// What is hardly meant, in the order of the document; with a floor, also what nobody on it can meet.
    pub fn doubts(&self, floor: Option<&Floor>) -> Vec<Doubt> {
        let mut doubts = conditions::doubts(&self.document, &self.compiled);
        doubts.extend(loops::doubts(&self.document));
        if let Some(floor) = floor {
            doubts.extend(conditions::strangers(&self.compiled, floor));
            doubts.extend(staff::doubts(self, floor));
        }
        let lines = Lines::of(&self.text);
        for doubt in &mut doubts {
            doubt.line = lines.line(&doubt.field);
        }
        doubts.sort_by_key(|doubt| doubt.line);
        doubts
    }

    /// The names of the rules that match none of these interactions, as each was told when it was planned. Shares do not
    /// matter, rules that stop others do; those that ask for what may not have been recorded are passed over.
    pub fn unmatched<'t>(&self, floor: &Floor, recorded: impl Iterator<Item = Told<'t>>) -> Vec<&str> {
        let mut matched = vec![false; usize::from(self.compiled.count())];
        for told in recorded {
            let verdict = self.judge(floor, &told, &mut |_| 0);
            verdict.applied.iter().for_each(|applied| matched[usize::from(applied.rule)] = true);
        }
        // What was not recorded because no rule asked for it is no reason to doubt a rule that does.
        let recorded = |rule: u16| {
            let uses = self.compiled.condition(rule).uses();
            uses.attributes.is_empty() && uses.queues.is_empty() && uses.hours.is_empty() && !uses.own_queue
        };
        let unmatched = (0..).zip(matched).filter(|(rule, matched)| !matched && recorded(*rule));
        unmatched.map(|(rule, _)| self.rule_name(rule)).collect()
    }
}
