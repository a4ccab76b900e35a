//! Which rules of a list may hold for an interaction, by one look for each fact instead of one for each rule. A rule is
//! found by its guard: a fact that is always there and must be one of some values for the condition to hold.
//!
//! **Invariant**: a rule that is left out is one whose condition is false, not one that fails: a false part of a
//! conjunction makes it false wherever the others fail.

use super::guard::{Guard, MayBe, Named, guards};
use super::names;
use super::spans::Spans;
use super::tree::Ask;
use super::{Condition, Failure};
use crate::rules::facts::{Grounds, Kind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The index of a list of conditions, which are named by their numbers in it.
#[derive(Clone, Debug, Default)]
pub struct Index {
    by_fact: Vec<(Ask, Found)>,
    /// Those without a guard.
    others: Vec<u16>,
    /// By number: the parts of a condition that hold if its guard does, as [`Guard::settles`] says.
    settled: Vec<u64>,
}

/// The rules of one fact, by its value.
#[derive(Clone, Debug)]
enum Found {
    /// In order.
    ByText(Vec<(Arc<str>, Vec<u16>)>),
    ByNumber(Spans),
}

/// The rules of one fact, as they are collected.
#[derive(Default)]
struct Collected {
    texts: BTreeMap<Arc<str>, Vec<u16>>,
    spans: Vec<((i64, i64), u16)>,
}

impl Index {
    /// Of conditions in the order of their rules, 65,536 at most: a rule set has fewer.
    pub fn new<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Index {
        let guards: Vec<Vec<Guard>> = conditions.into_iter().map(guards).collect();
        let named = Named::of(guards.iter().flatten());
        let (mut index, mut by_fact) = (Index::default(), Vec::new());
        for (number, guards) in guards.into_iter().enumerate() {
            let number = u16::try_from(number).expect("a rule set has fewer rules than 65,536");
            let guard = guards.into_iter().min_by_key(|guard| named.likely_ppm(guard));
            index.settled.push(guard.as_ref().map_or(0, |guard| guard.settles));
            match guard {
                Some(guard) => collect(&mut by_fact, number, guard),
                None => index.others.push(number),
            }
        }
        index.by_fact = by_fact.into_iter().map(|(ask, collected)| (ask, collected.sorted())).collect();
        index
    }

    /// The numbers of the rules that may hold, in order; what was in `candidates` is forgotten. Every other one does not
    /// hold and does not fail.
    pub fn candidates(&self, grounds: &Grounds, candidates: &mut Vec<u16>) {
        candidates.clear();
        candidates.extend(&self.others);
        for (ask, found) in &self.by_fact {
            found.on(ask, grounds, candidates);
        }
        candidates.sort_unstable();
    }

    /// Whether a candidate holds, or why that cannot be told. What its guard has settled is not asked again.
    pub fn holds(&self, number: u16, condition: &Condition, grounds: &Grounds) -> Result<bool, Failure> {
        condition.holds_beyond(self.settled[usize::from(number)], grounds)
    }
}

fn collect(by_fact: &mut Vec<(Ask, Collected)>, number: u16, guard: Guard) {
    let at = match by_fact.iter().position(|(ask, _)| *ask == guard.ask) {
        Some(at) => at,
        None => {
            by_fact.push((guard.ask, Collected::default()));
            by_fact.len() - 1
        }
    };
    let collected = &mut by_fact[at].1;
    match guard.may_be {
        MayBe::Texts(texts) => {
            texts.into_iter().for_each(|text| collected.texts.entry(text).or_default().push(number));
        }
        MayBe::Numbers(spans) => collected.spans.extend(spans.into_iter().map(|span| (span, number))),
    }
}

impl Collected {
    /// A fact is a text or a number, never both.
    fn sorted(self) -> Found {
        if self.spans.is_empty() {
            Found::ByText(self.texts.into_iter().collect())
        } else {
            Found::ByNumber(Spans::new(self.spans))
        }
    }
}

impl Found {
    fn on(&self, ask: &Ask, grounds: &Grounds, candidates: &mut Vec<u16>) {
        match self {
            Found::ByText(texts) => {
                let Ok(text) = grounds.text(ask) else { return };
                if let Ok(at) = texts.binary_search_by(|(known, _)| (**known).cmp(text)) {
                    candidates.extend(&texts[at].1);
                }
            }
            Found::ByNumber(spans) => {
                let number = match names::kind(ask) {
                    Kind::Truth => grounds.truth(ask).map(i64::from),
                    _ => grounds.number(ask),
                };
                if let Ok(number) = number {
                    spans.holding(number, candidates);
                }
            }
        }
    }
}
