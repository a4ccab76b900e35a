//! How often a matter is solved, or a sale made: shares that are drawn towards those of a wider group.

use super::forgetting::HalfLife;
use crate::engine::time::Time;
use serde::{Deserialize, Serialize};

/// So many cases the wider group's share counts for (ALGORITHM.md, 5).
const STRENGTH: f64 = 40.0;

/// Cases of one agent in one class, or of all agents in it. Beta-binomial: the share before anything was seen has the
/// weight of 40 cases.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Resolution {
    half_life: HalfLife,
    solved: f64,
    cases: f64,
    seen: Time,
}

impl Resolution {
    /// The share of who knows nothing, not even of the class.
    pub const PRIOR: f64 = 0.75;

    /// Nothing seen yet.
    pub fn new(half_life: HalfLife) -> Resolution {
        Resolution { half_life, solved: 0.0, cases: 0.0, seen: Time(0) }
    }

    /// A case has been solved, wholly.
    pub fn solved(&mut self, now: Time) {
        self.count(now);
        self.solved += 1.0;
    }

    /// A case ended without being solved.
    pub fn unsolved(&mut self, now: Time) {
        self.count(now);
    }

    /// The share solved, 0 to 1: (solved + 40 x prior) / (cases + 40). `prior` is the share of the wider group, 0 to 1.
    pub fn share(&self, now: Time, prior: f64) -> f64 {
        let left = self.half_life.left(self.seen, now);
        (self.solved * left + STRENGTH * prior.clamp(0.0, 1.0)) / (self.cases * left + STRENGTH)
    }

    /// The variance of that share as a belief: share x (1 - share) / (cases + 41), that of a beta distribution.
    pub fn variance(&self, now: Time, prior: f64) -> f64 {
        let share = self.share(now, prior);
        share * (1.0 - share) / (self.cases * self.half_life.left(self.seen, now) + STRENGTH + 1.0)
    }

    fn count(&mut self, now: Time) {
        let left = self.half_life.left(self.seen, now);
        self.solved *= left;
        self.cases = self.cases * left + 1.0;
        self.seen = self.seen.max(now);
    }
}
