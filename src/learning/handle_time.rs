//! How long an agent takes for a class: what was seen of the pair, drawn towards what is known of the agent and of the
//! class.
//!
//! Handle times are lognormal, so means and variances are of their logarithms. What is kept of a pair is three numbers that
//! fade; estimates are made of all pairs together, when somebody wants them.

use super::forgetting::HalfLife;
use super::shrinkage::{Between, Few, Shrunk};
use crate::engine::ids::{AgentKey, QueueKey};
use crate::engine::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Variance of a logarithm around its pair's mean before it is known: the bank's log has 0.85 to 1.2 for its root
/// (ALGORITHM.md, 5).
const WITHIN_USUAL: f64 = 1.0;
/// So many calls the usual variance weighs, and what was expected of a class.
const STRENGTH: f64 = 10.0;
/// An estimate is this many times the class's mean at most, and one over it at least: beyond, a pair of a few odd calls
/// would bend every price.
const FACTOR_MAX: f64 = 4.0;

/// Handle times of everybody, by queue, which is the class here, and agent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct HandleTimes {
    half_life: HalfLife,
    pairs: BTreeMap<(QueueKey, AgentKey), Logs>,
}

/// Logarithms of one pair's handle times.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Logs {
    count: f64,
    mean: f64,
    /// Sum of the squares around the mean.
    squares: f64,
    seen: Time,
}

impl HandleTimes {
    /// Nothing seen yet.
    pub fn new(half_life: HalfLife) -> HandleTimes {
        HandleTimes { half_life, pairs: BTreeMap::new() }
    }

    /// An agent has finished, wrap-up included, after so long; 0 ms counts as 1.
    pub fn record(&mut self, now: Time, agent: AgentKey, class: QueueKey, handle_ms: u64) {
        let logs = self.pairs.entry((class, agent)).or_default();
        logs.fade(self.half_life.left(logs.seen, now));
        logs.seen = logs.seen.max(now);
        logs.add((handle_ms.max(1) as f64).ln());
    }

    /// What is known by now. Takes time in proportion to the pairs seen.
    pub fn known(&self, now: Time) -> Known {
        let mut pairs = self.pairs.clone();
        pairs.values_mut().for_each(|logs| logs.fade(self.half_life.left(logs.seen, now)));
        let classes = classes(&pairs);
        let agents = agents(&pairs, &classes);
        let own = own(&pairs, &classes, &agents);
        Known { classes, agents, own }
    }
}

impl Logs {
    fn fade(&mut self, left: f64) {
        self.count *= left;
        self.squares *= left;
    }

    /// By Welford's way, which loses no digits where the mean is far from 0.
    fn add(&mut self, log: f64) {
        self.count += 1.0;
        let beside = log - self.mean;
        self.mean += beside / self.count;
        self.squares += beside * (log - self.mean);
    }

    fn few(&self, within: f64) -> Few {
        Few { count: self.count, mean: self.mean, within }
    }
}

/// What is known of a class.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Class {
    mean: f64,
    /// Variance of a logarithm around its pair's mean.
    within: f64,
    count: f64,
}

/// Estimates at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Known {
    classes: BTreeMap<QueueKey, Class>,
    /// How much longer each agent takes than others for the same, as a logarithm.
    agents: BTreeMap<AgentKey, Shrunk>,
    /// How much longer each pair takes than its agent and its class say, as a logarithm.
    own: BTreeMap<(QueueKey, AgentKey), Shrunk>,
}

impl Known {
    /// Mean handle time of an agent for a class, ms: exp(mu + sigma^2 / 2), a quarter of the class's mean to four times it.
    /// `expected_ms`, above 0, is what the rules say of the class; it weighs ten calls.
    ///
    /// mu is the class's mean + what is known of the agent + what is known of the pair, the last two drawn towards 0 by
    /// DerSimonian and Laird (see [`Between`]).
    pub fn handle_ms(&self, agent: AgentKey, class: QueueKey, expected_ms: f64) -> f64 {
        let mean = |shrunk: &Shrunk| shrunk.mean;
        let beside =
            self.agents.get(&agent).map_or(0.0, mean) + self.own.get(&(class, agent)).map_or(0.0, mean);
        self.class_ms(class, expected_ms) * beside.exp().clamp(1.0 / FACTOR_MAX, FACTOR_MAX)
    }

    /// Mean handle time of a class, ms: of an agent of whom nothing is known.
    pub fn class_ms(&self, class: QueueKey, expected_ms: f64) -> f64 {
        let Some(class) = self.classes.get(&class) else { return expected_ms };
        let expected = expected_ms.ln() - class.within / 2.0;
        let mean = (class.count * class.mean + STRENGTH * expected) / (class.count + STRENGTH);
        (mean + class.within / 2.0).exp()
    }
}

fn classes(pairs: &BTreeMap<(QueueKey, AgentKey), Logs>) -> BTreeMap<QueueKey, Class> {
    let mut by_class: BTreeMap<QueueKey, Vec<Logs>> = BTreeMap::new();
    for ((class, _), logs) in pairs {
        by_class.entry(*class).or_default().push(*logs);
    }
    let known = |(class, all): (QueueKey, Vec<Logs>)| {
        let within = within(&all);
        let few: Vec<Few> = all.iter().map(|logs| logs.few(within)).collect();
        let mean = Between::of(&few)?.mean;
        Some((class, Class { mean, within, count: all.iter().map(|logs| logs.count).sum() }))
    };
    by_class.into_iter().filter_map(known).collect()
}

/// Pooled over the pairs of a class, with the usual one for so many calls.
fn within(all: &[Logs]) -> f64 {
    let squares: f64 = all.iter().map(|logs| logs.squares).sum();
    let free: f64 = all.iter().map(|logs| (logs.count - 1.0).max(0.0)).sum();
    (squares + STRENGTH * WITHIN_USUAL) / (free + STRENGTH)
}

fn agents(
    pairs: &BTreeMap<(QueueKey, AgentKey), Logs>,
    classes: &BTreeMap<QueueKey, Class>,
) -> BTreeMap<AgentKey, Shrunk> {
    // Over the classes of an agent: each deviation by its precision, whose sum is then the precision of their mean.
    let mut by_agent: BTreeMap<AgentKey, Few> = BTreeMap::new();
    for ((class, agent), logs) in pairs {
        let Some(class) = classes.get(class) else { continue };
        let precision = logs.count / class.within;
        let few = by_agent.entry(*agent).or_insert(Few { count: 0.0, mean: 0.0, within: 1.0 });
        few.count += precision;
        if few.count > 0.0 {
            few.mean += (logs.mean - class.mean - few.mean) * precision / few.count;
        }
    }
    shrunk(by_agent)
}

fn own(
    pairs: &BTreeMap<(QueueKey, AgentKey), Logs>,
    classes: &BTreeMap<QueueKey, Class>,
    agents: &BTreeMap<AgentKey, Shrunk>,
) -> BTreeMap<(QueueKey, AgentKey), Shrunk> {
    let mut by_class: BTreeMap<QueueKey, BTreeMap<(QueueKey, AgentKey), Few>> = BTreeMap::new();
    for (pair, logs) in pairs {
        let (Some(class), Some(agent)) = (classes.get(&pair.0), agents.get(&pair.1)) else { continue };
        let mean = logs.mean - class.mean - agent.mean;
        by_class.entry(pair.0).or_default().insert(*pair, Few { mean, ..logs.few(class.within) });
    }
    by_class.into_values().flat_map(shrunk).collect()
}

/// Each drawn towards 0: what all have in common is in what they are measured against.
fn shrunk<K: Ord>(groups: BTreeMap<K, Few>) -> BTreeMap<K, Shrunk> {
    let few: Vec<Few> = groups.values().copied().collect();
    let Some(between) = Between::of(&few) else { return BTreeMap::new() };
    let between = Between { mean: 0.0, ..between };
    groups.into_iter().map(|(key, few)| (key, between.shrink(&few))).collect()
}
