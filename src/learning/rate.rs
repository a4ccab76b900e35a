//! An amount for each millisecond of lately: an exponentially weighted mean over the time that was watched.

use serde::{Deserialize, Serialize};

/// Time watched counts as this share of the time constant at least, so that the first amount is no flood.
const WATCHED_MIN: f64 = 0.1;

/// What came, and how long was watched, both fading by the same clock: their quotient is right from the beginning,
/// where a mean that begins at 0 would be too low for two time constants.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rate {
    time_constant_ms: f64,
    amount: f64,
    watched_ms: f64,
}

impl Rate {
    /// Nothing watched yet. What was seen `time_constant_ms` ago counts 1/e; 0 counts as 1.
    pub fn new(time_constant_ms: u64) -> Rate {
        Rate { time_constant_ms: time_constant_ms.max(1) as f64, amount: 0.0, watched_ms: 0.0 }
    }

    /// So long, ms, was watched, and nothing came.
    pub fn pass(&mut self, ms: u64) {
        let left = (-(ms as f64) / self.time_constant_ms).exp();
        self.amount *= left;
        // The integral of what is left over the time that passed.
        self.watched_ms = self.watched_ms * left + self.time_constant_ms * (1.0 - left);
    }

    /// So much came, now.
    pub fn add(&mut self, amount: f64) {
        self.amount += amount;
    }

    /// The amount for each ms: sum a e^(-age/T) / integral e^(-age/T), not negative. Of time not watched yet, a tenth of
    /// the time constant is taken for empty.
    pub fn per_ms(&self) -> f64 {
        self.amount / self.watched_ms.max(self.time_constant_ms * WATCHED_MIN)
    }

    /// How much the amount, if it came as single events of 1 in Poisson's way, may be off: the variance of the rate over
    /// its square. 1 over the events that count, which are (sum w)^2 / sum w^2 = 2 x amount / (2 - watched / T).
    pub fn doubt(&self) -> f64 {
        (2.0 - self.watched_ms / self.time_constant_ms) / (2.0 * self.amount)
    }

    /// The same as if, beside what came, so much had come at this rate, above 0: where little was seen, the other rate holds.
    pub fn beside(mut self, per_ms: f64, amount: f64) -> Beside {
        let doubt_of_own = 2.0 - self.watched_ms / self.time_constant_ms;
        self.amount += amount;
        self.watched_ms += amount / per_ms;
        Beside { per_ms: self.amount / self.watched_ms, doubt: doubt_of_own / (2.0 * self.amount) }
    }
}

/// A rate drawn towards another one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Beside {
    pub per_ms: f64,
    /// Variance over the square, as [`Rate::doubt`].
    pub doubt: f64,
}
