//! Load: how much of its agents' time a floor is brought.

use super::rate::Rate;
use crate::engine::time::Time;
use serde::{Deserialize, Serialize};

/// What was brought ten minutes ago counts 1/e (ALGORITHM.md, 5).
const TIME_CONSTANT_MS: u64 = 600_000;

/// The work that comes to a pool, exponentially weighted.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Load {
    work: Rate,
    seen: Time,
}

impl Load {
    /// Nothing has come; watched from `now` on.
    pub fn new(now: Time) -> Load {
        Load { work: Rate::new(TIME_CONSTANT_MS), seen: now }
    }

    /// Work of so many ms of an agent's time comes.
    pub fn arrive(&mut self, now: Time, work_ms: u64) {
        self.watch(now);
        self.work.add(work_ms as f64);
    }

    /// Work that comes in a ms over agents on duty, 0 to 1: 1 is all their time or more. With nobody on duty, 1 if
    /// anything came.
    pub fn share(&self, now: Time, agents: u32) -> f64 {
        let mut until_now = *self;
        until_now.watch(now);
        let work = until_now.work.per_ms();
        if work <= 0.0 { 0.0 } else { (work / f64::from(agents)).min(1.0) }
    }

    fn watch(&mut self, now: Time) {
        self.work.pass(now.since(self.seen));
        self.seen = self.seen.max(now);
    }
}
