//! Patience as one number: how long customers of a class wait in the mean before they hang up.

use super::forgetting::HalfLife;
use crate::engine::time::Time;
use serde::{Deserialize, Serialize};

/// How a wait ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The customer hung up.
    Abandoned,
    /// Answered, or taken out of line by us: the customer would have waited longer, nobody knows how long.
    Answered,
}

/// What is believed before anything is seen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Prior {
    /// Mean patience, ms: of the wider group, or the usual.
    pub mean_ms: f64,
    /// So many abandons that belief weighs.
    pub abandons: f64,
}

impl Default for Prior {
    /// Five minutes, the 1/300 s of ALGORITHM.md, 5, with the weight of ten abandons: about as many as it takes to be
    /// sure of a mean within a third.
    fn default() -> Prior {
        Prior { mean_ms: 300_000.0, abandons: 10.0 }
    }
}

impl Prior {
    /// The same weight, drawn towards a wider group.
    pub fn towards(self, wider: &Patience, now: Time) -> Prior {
        Prior { mean_ms: wider.mean_ms(now, self), ..self }
    }
}

/// Waits of a class as two sums that fade: with constant hazard nothing else of them says anything about patience.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Patience {
    half_life: HalfLife,
    waited_ms: f64,
    abandons: f64,
    seen: Time,
}

impl Patience {
    /// Nothing seen yet.
    pub fn new(half_life: HalfLife) -> Patience {
        Patience { half_life, waited_ms: 0.0, abandons: 0.0, seen: Time(0) }
    }

    /// A wait of so long has ended.
    pub fn record(&mut self, now: Time, wait_ms: u64, ending: Ending) {
        let left = self.half_life.left(self.seen, now);
        self.waited_ms = self.waited_ms * left + wait_ms as f64;
        self.abandons = self.abandons * left + f64::from(u8::from(ending == Ending::Abandoned));
        self.seen = self.seen.max(now);
    }

    /// Mean patience, ms: (waited + weight x prior) / (abandons + weight). Whoever was answered adds to the wait and not
    /// to the abandons. Without any weight and without any abandon it has no end.
    pub fn mean_ms(&self, now: Time, prior: Prior) -> f64 {
        let left = self.half_life.left(self.seen, now);
        let waited_ms = self.waited_ms * left + prior.abandons * prior.mean_ms;
        waited_ms / (self.abandons * left + prior.abandons)
    }

    /// Hang-ups for each ms of waiting: one over the mean.
    pub fn hazard_per_ms(&self, now: Time, prior: Prior) -> f64 {
        1.0 / self.mean_ms(now, prior)
    }
}
