//! Forgetting: what was seen counts less the longer ago it was.

use crate::engine::time::Time;
use serde::{Deserialize, Serialize};

/// After so long, what was seen counts half.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct HalfLife {
    ms: f64,
}

impl HalfLife {
    /// Twenty working days, which are four weeks (ALGORITHM.md, 5).
    pub const USUAL: HalfLife = HalfLife { ms: 28.0 * 86_400_000.0 };

    /// A half-life in ms; 0 counts as 1.
    pub fn of_ms(ms: u64) -> HalfLife {
        HalfLife { ms: ms.max(1) as f64 }
    }

    /// What is left at `now` of what counted 1 at `then`: 2^(-elapsed / half-life), above 0 to 1. Who is told of the past
    /// late is told as of now: time does not run backwards.
    pub fn left(self, then: Time, now: Time) -> f64 {
        (-(now.since(then) as f64) / self.ms).exp2()
    }
}

impl Default for HalfLife {
    fn default() -> HalfLife {
        HalfLife::USUAL
    }
}
