//! Guards of conditions: a fact that is always there and must be one of some values for the condition to hold. How likely
//! that is, is guessed from the table of facts and from what the other conditions ask for; a wrong guess costs time alone.

use super::Condition;
use super::analysis::{asked_alone, certain};
use super::tree::{Ask, Of};
use super::values::Values;
use crate::rules::facts::{Fact, Kind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Certainty, in parts per million.
const CERTAIN_PPM: u64 = 1_000_000;
/// A number of no more values than this is as likely one as another: hours, weekdays, minutes of a day. Of counts the small
/// ones are.
const EVEN_MAX: u64 = 1_440;
/// Texts that a fact is beside those that conditions name, unless it is of a few words.
const OTHER_TEXTS: u64 = 16;

pub(super) struct Guard {
    pub ask: Ask,
    pub may_be: MayBe,
    /// The parts of the condition that ask for nothing else, and hold where the guard does; a bit for each of the first 64.
    pub settles: u64,
}

/// For which values the condition may hold.
pub(super) enum MayBe {
    Texts(Vec<Arc<str>>),
    /// Spans with both ends, apart from each other. Truth is 0 and 1.
    Numbers(Vec<(i64, i64)>),
}

/// The guards of a condition. One that holds for none of the values of a guard never holds.
pub(super) fn guards(condition: &Condition) -> Vec<Guard> {
    let certain = certain(condition.parts.iter().map(|part| &part.truth));
    let guards = certain.always_there().filter(|(ask, _)| is_cheap(ask));
    let guard = |(ask, values): (&Ask, &Values)| {
        let may_be = match values {
            Values::Among(words) => MayBe::Texts(words.iter().map(|word| (*word).into()).collect()),
            Values::Numbers(spans) => MayBe::Numbers(spans.clone()),
            Values::Outside(_) => return None,
        };
        Some(Guard { ask: ask.clone(), may_be, settles: settled(condition, ask) })
    };
    guards.filter_map(guard).collect()
}

/// A list of texts is no value; everything else of the table is read in one step.
fn is_cheap(ask: &Ask) -> bool {
    matches!(ask.of, Of::Row(Fact { kind: Kind::Text | Kind::Number | Kind::Truth, .. }))
}

fn settled(condition: &Condition, ask: &Ask) -> u64 {
    let alone = condition.parts.iter().map(|part| asked_alone(&part.truth) == Some(ask));
    alone.take(64).enumerate().fold(0, |all, (at, alone)| all | (u64::from(alone) << at))
}

/// How often conditions ask for each text of a fact.
#[derive(Default)]
pub(super) struct Named {
    texts: BTreeMap<(Arc<str>, Arc<str>), u64>,
    by_fact: BTreeMap<Arc<str>, u64>,
}

impl Named {
    pub fn of<'g>(guards: impl Iterator<Item = &'g Guard>) -> Named {
        let mut named = Named::default();
        for guard in guards {
            let MayBe::Texts(texts) = &guard.may_be else { continue };
            for text in texts {
                *named.texts.entry((guard.ask.name.clone(), text.clone())).or_default() += 1;
                *named.by_fact.entry(guard.ask.name.clone()).or_default() += 1;
            }
        }
        named
    }

    /// How likely a guard holds, parts per million. The less likely, the more it leaves out.
    pub fn likely_ppm(&self, guard: &Guard) -> u64 {
        match (&guard.may_be, Values::all(&guard.ask)) {
            (MayBe::Texts(texts), Values::Among(words)) => share(texts.len() as u64, words.len() as u64),
            (MayBe::Texts(texts), _) => {
                let asked = |text: &Arc<str>| self.texts[&(guard.ask.name.clone(), text.clone())];
                let all = self.by_fact.get(&guard.ask.name).copied().unwrap_or_default();
                share(texts.iter().map(asked).sum(), all + OTHER_TEXTS)
            }
            (MayBe::Numbers(spans), all) => match all {
                Values::Numbers(all) if width(&all) <= EVEN_MAX => share(width(spans), width(&all)),
                _ => spans.iter().map(|span| share(1, from_zero(*span).saturating_add(1))).max().unwrap_or(0),
            },
        }
    }
}

fn share(some: u64, all: u64) -> u64 {
    some.saturating_mul(CERTAIN_PPM) / all.max(1)
}

/// How many numbers there are in them.
fn width(spans: &[(i64, i64)]) -> u64 {
    spans.iter().fold(0, |all, (from, to)| all.saturating_add(from.abs_diff(*to).saturating_add(1)))
}

/// How far the nearest is from 0.
fn from_zero((from, to): (i64, i64)) -> u64 {
    if (from..=to).contains(&0) { 0 } else { from.unsigned_abs().min(to.unsigned_abs()) }
}
