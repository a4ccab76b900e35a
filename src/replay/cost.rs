//! What one customer's wait cost, in the currency of the goals: the minutes of waiting, an answer or a leaving later than
//! the target, and leaving unanswered.

use crate::engine::fixed::Part;
use crate::engine::plan::Goals;

/// The terms.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cost {
    pub waiting: f64,
    pub abandoned: f64,
    pub late: f64,
}

impl Cost {
    /// Of a wait of so long, which ended with an answer or not, under goals that weigh so much.
    pub fn of(goals: &Goals, weight: Part, wait_ms: u64, unanswered: bool) -> Cost {
        let weight = f64::from(weight.0) / f64::from(Part::ONE.0);
        let units = |millionths: i64| millionths as f64 / 1_000_000.0 * weight;
        Cost {
            waiting: units(goals.waiting_per_minute.0) * wait_ms as f64 / 60_000.0,
            abandoned: if unanswered { units(goals.abandon.0) } else { 0.0 },
            late: if wait_ms > goals.answer_within_ms { units(goals.late.0) } else { 0.0 },
        }
    }

    /// Together.
    pub fn all(self) -> f64 {
        self.waiting + self.abandoned + self.late
    }
}
