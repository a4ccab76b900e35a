//! Which rules of a list may hold for an interaction, by one look for each fact instead of one for each rule. A rule is
//! found by its guard: a fact that is always there and must be one of a few values for the condition to hold.
//!
//! **Invariant**: a rule that is left out is one whose condition is false, not one that fails: a false part of a
//! conjunction makes it false wherever the others fail.

use super::Condition;
use super::analysis::certain;
use super::names;
use super::tree::{Ask, Of};
use super::values::Values;
use crate::rules::facts::{Fact, Grounds, Kind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A guard of more values is none.
const VALUES_MAX: i64 = 64;

/// The index of a list of conditions, which are named by their numbers in it.
#[derive(Clone, Debug, Default)]
pub struct Index {
    by_fact: Vec<(Ask, Buckets)>,
    /// Those without a guard.
    others: Vec<u16>,
}

/// The rules of one fact, by its value, in order.
#[derive(Clone, Debug, Default)]
struct Buckets {
    texts: Vec<(Arc<str>, Vec<u16>)>,
    /// Truth is 0 and 1.
    numbers: Vec<(i64, Vec<u16>)>,
}

/// A value of a guard.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    Number(i64),
    Text(Arc<str>),
}

struct Guard {
    ask: Ask,
    values: Vec<Value>,
}

impl Index {
    /// Of conditions in the order of their rules, 65,536 at most: a rule set has fewer.
    pub fn new<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Index {
        let guards: Vec<Vec<Guard>> = conditions.into_iter().map(guards).collect();
        let mut popular: BTreeMap<(Arc<str>, Value), usize> = BTreeMap::new();
        for guard in guards.iter().flatten() {
            for value in &guard.values {
                *popular.entry((Arc::clone(&guard.ask.name), value.clone())).or_default() += 1;
            }
        }
        // The fewer rules share its values, the more a guard leaves out.
        let shared = |guard: &Guard| -> usize {
            guard.values.iter().map(|value| popular[&(Arc::clone(&guard.ask.name), value.clone())]).sum()
        };
        let mut index = Index::default();
        for (number, guards) in guards.into_iter().enumerate() {
            let number = u16::try_from(number).expect("a rule set has fewer rules than 65,536");
            match guards.into_iter().min_by_key(shared) {
                Some(guard) => index.add(number, guard),
                None => index.others.push(number),
            }
        }
        index
    }

    fn add(&mut self, number: u16, guard: Guard) {
        let at = match self.by_fact.iter().position(|(ask, _)| *ask == guard.ask) {
            Some(at) => at,
            None => {
                self.by_fact.push((guard.ask, Buckets::default()));
                self.by_fact.len() - 1
            }
        };
        let buckets = &mut self.by_fact[at].1;
        for value in guard.values {
            match value {
                Value::Number(value) => put(&mut buckets.numbers, value, number),
                Value::Text(value) => put(&mut buckets.texts, value, number),
            }
        }
    }

    /// The numbers of the rules that may hold, in order; what was in `candidates` is forgotten. Every other one does not
    /// hold and does not fail.
    pub fn candidates(&self, grounds: &Grounds, candidates: &mut Vec<u16>) {
        candidates.clear();
        candidates.extend(&self.others);
        for (ask, buckets) in &self.by_fact {
            candidates.extend(buckets.of(ask, grounds));
        }
        candidates.sort_unstable();
    }
}

fn put<V: Ord>(buckets: &mut Vec<(V, Vec<u16>)>, value: V, number: u16) {
    match buckets.binary_search_by(|(known, _)| known.cmp(&value)) {
        Ok(at) => buckets[at].1.push(number),
        Err(at) => buckets.insert(at, (value, vec![number])),
    }
}

impl Buckets {
    fn of(&self, ask: &Ask, grounds: &Grounds) -> &[u16] {
        let found = match names::kind(ask) {
            Kind::Text => grounds.text(ask).ok().and_then(|text| {
                let at = self.texts.binary_search_by(|(known, _)| (**known).cmp(text)).ok()?;
                Some(&self.texts[at].1)
            }),
            Kind::Truth => grounds.truth(ask).ok().and_then(|truth| self.number(i64::from(truth))),
            _ => grounds.number(ask).ok().and_then(|number| self.number(number)),
        };
        found.map_or(&[], Vec::as_slice)
    }

    fn number(&self, number: i64) -> Option<&Vec<u16>> {
        let at = self.numbers.binary_search_by_key(&number, |(known, _)| *known).ok()?;
        Some(&self.numbers[at].1)
    }
}

fn guards(condition: &Condition) -> Vec<Guard> {
    let certain = certain(condition.parts.iter().map(|part| &part.truth));
    let guards = certain.always_there().filter(|(ask, _)| is_cheap(ask));
    guards.filter_map(|(ask, values)| Some(Guard { ask: ask.clone(), values: few(values)? })).collect()
}

/// A list of texts is no value; everything else of the table is read in one step.
fn is_cheap(ask: &Ask) -> bool {
    matches!(ask.of, Of::Row(Fact { kind: Kind::Text | Kind::Number | Kind::Truth, .. }))
}

/// The values one by one, if they are few. A condition that holds for none of them is never a candidate.
fn few(values: &Values) -> Option<Vec<Value>> {
    match values {
        Values::Among(words) => Some(words.iter().map(|word| Value::Text((*word).into())).collect()),
        Values::Outside(_) => None,
        Values::Numbers(spans) => {
            spans.iter().try_fold(0_i64, |count, (from, to)| {
                to.checked_sub(*from)?.checked_add(1)?.checked_add(count).filter(|count| *count <= VALUES_MAX)
            })?;
            Some(spans.iter().flat_map(|(from, to)| *from..=*to).map(Value::Number).collect())
        }
    }
}
