//! The figures of trials under way: every contact of a pool on which another policy is tried, by its block.

use super::seen::Costs;
use super::switchback::{Lift, Switchback};
use crate::engine::floor::Floor;
use crate::engine::ids::{InteractionId, PoolKey, QueueKey};
use crate::engine::policy::{Arm, Trial};
use crate::engine::time::Time;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is compared.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Measures {
    cost: Switchback,
    in_time: Switchback,
    abandoned: Switchback,
    wait_s: Switchback,
    solved: Switchback,
}

/// What is known of a trial by now. A figure is `None` before two pairs of blocks had contacts under both policies.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Lifts {
    /// Waiting, hang-ups and late answers of a contact, in units of the currency.
    pub cost: Option<Lift>,
    /// Share of the contacts answered in time, 0 to 1.
    pub in_time: Option<Lift>,
    /// Share whose customer hung up.
    pub abandoned: Option<Lift>,
    /// Of those who were answered, s.
    pub wait_s: Option<Lift>,
    /// Share solved, of those of whom it is known.
    pub solved: Option<Lift>,
}

impl Measures {
    fn lifts(&self) -> Lifts {
        Lifts {
            cost: self.cost.lift(),
            in_time: self.in_time.lift(),
            abandoned: self.abandoned.lift(),
            wait_s: self.wait_s.lift(),
            solved: self.solved.lift(),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Running {
    trial: Trial,
    all: Measures,
    by_queue: BTreeMap<QueueKey, Measures>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Contact {
    pool: PoolKey,
    queue: QueueKey,
    pair: u64,
    arm: Arm,
    costs: Costs,
}

/// All trials of a floor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Trials {
    running: BTreeMap<PoolKey, Running>,
    contacts: HashMap<InteractionId, Contact>,
}

impl Trials {
    /// A contact has come to a queue.
    pub fn came(
        &mut self,
        now: Time,
        interaction: InteractionId,
        queue: QueueKey,
        costs: Costs,
        floor: &Floor,
    ) {
        let pool = floor.pool_of(queue);
        let trial = floor.pools.live(u32::from(pool.0)).and_then(|entry| entry.spec.trial);
        let Some(trial) = trial else {
            self.running.remove(&pool);
            return;
        };
        // With other figures it is another trial.
        if self.running.get(&pool).is_none_or(|running| running.trial != trial) {
            self.running.insert(pool, Running { trial, all: Measures::default(), by_queue: BTreeMap::new() });
        }
        if !trial.is_washed_out(now) {
            let block = trial.block(now);
            let (pair, arm) = (Trial::pair(block), trial.arm(block));
            self.contacts.insert(interaction, Contact { pool, queue, pair, arm, costs });
        }
    }

    /// Its wait is over.
    pub fn waited(&mut self, interaction: InteractionId, wait_ms: u64, abandoned: bool) {
        self.record(interaction, |measures, contact| {
            let Contact { pair, arm, costs, .. } = *contact;
            let late = wait_ms > costs.within_ms;
            let lost = if abandoned { costs.abandon } else { 0.0 };
            let cost = costs.of_minutes(wait_ms) + lost + if late { costs.late } else { 0.0 };
            measures.cost.record(pair, arm, cost);
            measures.in_time.record(pair, arm, f64::from(u8::from(!abandoned && !late)));
            measures.abandoned.record(pair, arm, f64::from(u8::from(abandoned)));
            if !abandoned {
                measures.wait_s.record(pair, arm, wait_ms as f64 / 1_000.0);
            }
        });
    }

    /// Whether its matter is solved.
    pub fn ended(&mut self, interaction: InteractionId, solved: bool) {
        self.record(interaction, |measures, contact| {
            measures.solved.record(contact.pair, contact.arm, f64::from(u8::from(solved)));
        });
    }

    /// No more will be heard of it.
    pub fn over(&mut self, interaction: InteractionId) {
        self.contacts.remove(&interaction);
    }

    fn record(&mut self, interaction: InteractionId, record: impl Fn(&mut Measures, &Contact)) {
        let Some(contact) = self.contacts.get(&interaction) else { return };
        let Some(running) = self.running.get_mut(&contact.pool) else { return };
        record(&mut running.all, contact);
        record(running.by_queue.entry(contact.queue).or_default(), contact);
    }

    /// What a trial has come to, in all and by queue. `None` if none is under way, or nobody has come since it began.
    pub fn lifts(&self, pool: PoolKey) -> Option<(Lifts, Vec<(QueueKey, Lifts)>)> {
        let running = self.running.get(&pool)?;
        let by_queue = running.by_queue.iter().map(|(queue, measures)| (*queue, measures.lifts()));
        Some((running.all.lifts(), by_queue.collect()))
    }
}
