//! The interactions whose fate the draft changed most, by money, each with both explanations.

use super::again::{Again, Worth};
use super::fates::{Ending, Fate};
use super::figures::{cost, seconds};
use super::moment;
use super::recorded::Recorded;
use crate::engine::floor::Floor;
use serde::Serialize;

/// What became of an interaction in one telling.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    pub ending: Ending,
    pub wait_s: f64,
    /// Who answered.
    pub agent: Option<String>,
    /// By the goals of the published rules.
    pub cost: f64,
    /// The decision in one sentence; with the terms of the score where money decided.
    pub why: Option<String>,
}

/// One interaction that the draft treats another way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    /// Its number in the record.
    pub interaction: u64,
    /// What its source calls it. Empty: nothing.
    pub external_id: String,
    /// When it came.
    pub came: String,
    pub queue: String,
    pub segment: String,
    /// Draft less published, by the goals of the published rules.
    pub cost: f64,
    pub recorded: Told,
    pub published: Told,
    pub draft: Told,
}

/// Those that changed most, at most so many, and how many changed at all.
pub(super) fn most(
    recorded: &Recorded,
    record: &[Option<Fate>],
    published: &Again,
    draft: &Again,
    max: usize,
) -> (u64, Vec<Changed>) {
    let price =
        |number: usize, fate: &Fate| published.worth[number].as_ref().map_or(0.0, |worth| cost(worth, fate));
    let mut changed: Vec<(f64, usize)> = Vec::new();
    for number in 0..recorded.lives.len() {
        let (Some(one), Some(other)) = (&draft.fates[number], &published.fates[number]) else { continue };
        if !one.is_as(other) {
            changed.push((price(number, one) - price(number, other), number));
        }
    }
    let count = changed.len() as u64;
    changed.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()).then(a.1.cmp(&b.1)));
    changed.truncate(max);
    let show = |(cost, number): (f64, usize)| {
        let life = &recorded.lives[number];
        let tell = |fates: &[Option<Fate>], floor: &Floor| {
            told(fates[number].as_ref(), published.worth[number].as_ref(), floor)
        };
        let floor = recorded.record.projection.shard().floor();
        Changed {
            interaction: life.id.0,
            external_id: life.contact.external_id.to_string(),
            came: moment(life.came),
            queue: queue_name(floor, life.contact.queue),
            segment: life.contact.segment(),
            cost,
            recorded: tell(record, floor),
            published: tell(&published.fates, published.column.projection.shard().floor()),
            draft: tell(&draft.fates, draft.column.projection.shard().floor()),
        }
    };
    (count, changed.into_iter().map(show).collect())
}

fn told(fate: Option<&Fate>, worth: Option<&Worth>, floor: &Floor) -> Told {
    let fate = fate.cloned().unwrap_or_default();
    let name =
        |key: crate::engine::ids::AgentKey| floor.agents.get(key.0).map(|entry| entry.name.to_string());
    Told {
        ending: fate.ending,
        wait_s: seconds(fate.wait_ms),
        agent: fate.agent.and_then(name),
        cost: worth.map_or(0.0, |worth| cost(worth, &fate)),
        why: fate.sentence(floor),
    }
}

/// The name of a queue, also of one that was removed.
pub(super) fn queue_name(floor: &Floor, queue: crate::engine::ids::QueueKey) -> String {
    floor.queues.get(u32::from(queue.0)).map_or_else(|| queue.to_string(), |entry| entry.name.to_string())
}
