//! Patience without a form: the share of customers who would still wait, by Kaplan and Meier, and the hazard so far, by
//! Nelson and Aalen.

use super::patience::Ending;

/// One length of wait at which somebody's wait ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Step {
    pub wait_ms: u64,
    /// So many hung up after exactly this wait.
    pub abandoned: u64,
    /// So many were answered after exactly this wait; how long they would have waited is not known.
    pub answered: u64,
    /// So many waited this long, those who end here among them.
    pub at_risk: u64,
    /// The share who would wait longer, 0 to 1: product of 1 - abandoned / at risk.
    pub survival: f64,
    /// The hazard up to here: sum of abandoned / at risk.
    pub cumulative_hazard: f64,
}

/// The steps, by length of wait.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve {
    pub steps: Vec<Step>,
}

impl Curve {
    /// Of waits, in any order, with how they ended. Who is answered in the same millisecond in which somebody hangs up
    /// was still at risk then: hanging up comes first, as is usual.
    pub fn of(waits: &[(u64, Ending)]) -> Curve {
        let mut sorted = waits.to_vec();
        sorted.sort_unstable_by_key(|(wait_ms, _)| *wait_ms);
        let mut at_risk = sorted.len() as u64;
        let (mut survival, mut cumulative_hazard) = (1.0, 0.0);
        let mut steps = Vec::new();
        for tied in sorted.chunk_by(|one, next| one.0 == next.0) {
            let all = tied.len() as u64;
            let abandoned = tied.iter().filter(|(_, ending)| *ending == Ending::Abandoned).count() as u64;
            let leave = abandoned as f64 / at_risk as f64;
            survival *= 1.0 - leave;
            cumulative_hazard += leave;
            let (wait_ms, answered) = (tied[0].0, all - abandoned);
            steps.push(Step { wait_ms, abandoned, answered, at_risk, survival, cumulative_hazard });
            at_risk -= all;
        }
        Curve { steps }
    }

    /// The share who would wait longer than this, 0 to 1. Beyond the longest wait seen it stays what it was there.
    pub fn survival(&self, wait_ms: u64) -> f64 {
        let until = self.steps.partition_point(|step| step.wait_ms <= wait_ms);
        self.steps[..until].last().map_or(1.0, |step| step.survival)
    }

    /// The wait, ms, after which half or fewer would still be there. `None`: more than half outwaited all that was seen.
    pub fn median_ms(&self) -> Option<u64> {
        self.steps.iter().find(|step| step.survival <= 0.5).map(|step| step.wait_ms)
    }
}
