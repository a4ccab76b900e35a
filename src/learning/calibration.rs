//! Whether waits come out as they were told, beside two simpler ways to tell them.

use serde::{Deserialize, Serialize};

/// What a customer was told, or would have been, about one wait; ms.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Told {
    /// Ours.
    pub mean_ms: f64,
    /// One in ten waits less.
    pub p10_ms: f64,
    /// One in ten waits more.
    pub p90_ms: f64,
    /// Position x mean handle time / agents.
    pub by_position_ms: f64,
    /// The wait of the last one who was taken before.
    pub by_last_ms: f64,
}

/// How well waits were told so far.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Accuracy {
    pub waits: u64,
    /// Share of waits from p10 to p90, both counting as within, 0 to 1; 0.8 is meant.
    pub within: f64,
    /// Square root of the mean squared error, ms.
    pub rms_error_ms: f64,
    pub by_position_rms_error_ms: f64,
    pub by_last_rms_error_ms: f64,
}

/// The books. Only waits that ended with an agent belong in: how long somebody who hung up would have waited is not known,
/// and what is left out makes waits look a little shorter than they were.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Calibration {
    waits: u64,
    within: u64,
    squares: f64,
    by_position_squares: f64,
    by_last_squares: f64,
}

impl Calibration {
    /// Somebody who was told this has waited so long for an agent, ms.
    pub fn record(&mut self, told: &Told, waited_ms: u64) {
        let waited_ms = waited_ms as f64;
        let square = |told_ms: f64| (told_ms - waited_ms).powi(2);
        self.waits += 1;
        self.within += u64::from((told.p10_ms..=told.p90_ms).contains(&waited_ms));
        self.squares += square(told.mean_ms);
        self.by_position_squares += square(told.by_position_ms);
        self.by_last_squares += square(told.by_last_ms);
    }

    /// How well. `None`: nobody was told anything yet.
    pub fn accuracy(&self) -> Option<Accuracy> {
        let mean = |sum: f64| sum / self.waits as f64;
        (self.waits > 0).then(|| Accuracy {
            waits: self.waits,
            within: mean(self.within as f64),
            rms_error_ms: mean(self.squares).sqrt(),
            by_position_rms_error_ms: mean(self.by_position_squares).sqrt(),
            by_last_rms_error_ms: mean(self.by_last_squares).sqrt(),
        })
    }
}
