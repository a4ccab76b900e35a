//! What leaving a customer waiting costs: relief, the first term of every decision (ALGORITHM.md 1.3). Interactions of
//! a lane have the same stakes, so those who have waited longer have more to lose, and only heads are looked at.

use super::fixed::{Part, falling_by};
use super::money::Money;
use super::plan::{Goals, Plan};
use serde::{Deserialize, Serialize};

/// Least and greatest weight of an interaction against another: 1/4 and 8.
pub const WEIGHT_MIN: Part = Part(1 << 14);
pub const WEIGHT_MAX: Part = Part(8 << 16);

/// The dial of the service level makes of a missed target between an eighth and eight times what it costs.
const DIAL_MIN: Part = Part(1 << 13);
const DIAL_MAX: Part = Part(8 << 16);

/// Most that a wait costs: as much as the greatest amount there is in rules.
const COSTS_MAX: i64 = 1_000_000_000_000_000;

/// Most that a layer of relief counts, in millionths of the currency: 72 thousand million units. Sums of such amounts,
/// with every weight there is, stay within 64 bits.
const LAYER_MAX: i64 = 1 << 56;

/// What one interaction stands for, in millionths of the currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Stakes {
    waiting_per_minute: i64,
    abandon: i64,
    late: i64,
    unresolved: i64,
    target_ms: u64,
    patience_ms: u64,
    hold_max_ms: u64,
    dial: u8,
    goal_ppm: u32,
    weight: Part,
    by_due: bool,
}

/// The three layers of relief, in millionths of the currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Relief {
    /// What another horizon of waiting costs.
    pub waiting: i64,
    /// What the risk costs that the customer hangs up meanwhile.
    pub hang_up: i64,
    /// What it costs to miss the target, if it ends soon.
    pub target: i64,
}

impl Relief {
    /// All of it.
    pub fn sum(self) -> i64 {
        self.waiting + self.hang_up + self.target
    }

    /// So much of it.
    pub(super) fn times(self, factor: Part) -> Relief {
        let of = |amount| factor.of(amount);
        Relief { waiting: of(self.waiting), hang_up: of(self.hang_up), target: of(self.target) }
    }
}

/// What relief depends on beside the interaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Horizon {
    /// If this agent goes to somebody else, another comes after so long, ms.
    pub ms: u64,
    /// A target counts when it ends within so long, ms.
    pub target_ms: u64,
    /// What the dial of the service level makes of a missed target.
    pub dial: Part,
    /// Customers wait so long in the mean, ms.
    pub patience_ms: u64,
}

impl Stakes {
    /// Of everything a plan sends to one of its queues.
    pub(super) fn of(plan: &Plan) -> Stakes {
        let Goals {
            answer_within_ms,
            service_level_ppm,
            waiting_per_minute,
            abandon,
            late,
            unresolved,
            patience_ms,
            hold_max_ms,
            dial,
            ..
        } = plan.goals;
        Stakes {
            waiting_per_minute: waiting_per_minute.0,
            abandon: abandon.0,
            late: late.0,
            unresolved: unresolved.0,
            target_ms: answer_within_ms,
            patience_ms,
            hold_max_ms: hold_max_ms.unwrap_or(u64::MAX),
            dial,
            goal_ppm: service_level_ppm,
            weight: weight(plan),
            by_due: plan.by_due,
        }
    }

    /// What leaving one who has waited so long for another horizon costs. Whoever said when it should be done does not
    /// hold the line.
    pub(super) fn relief(&self, wait_ms: u64, horizon: Horizon) -> Relief {
        let gone = falling_by(horizon.ms, horizon.patience_ms).rest();
        let (hang_up, target) = match self.by_due {
            true => (0, self.due(wait_ms, horizon)),
            false => (gone.of(self.abandon), self.target(wait_ms, horizon)),
        };
        let waiting = gone.of(self.whole_wait(horizon.patience_ms));
        let relief = Relief { waiting, hang_up: hang_up.min(LAYER_MAX), target: target.min(LAYER_MAX) };
        relief.times(self.weight)
    }

    /// What one who waits costs in a minute: the minute, and the risk that they hang up in it; and a missed target.
    pub(super) fn per_minute(&self, patience_ms: u64) -> Relief {
        let gone = falling_by(60_000, patience_ms).rest();
        let hang_up = gone.of(self.abandon).min(LAYER_MAX);
        let relief = Relief { waiting: self.waiting_per_minute, hang_up, target: self.late };
        relief.times(self.weight)
    }

    /// The same of one who comes now.
    pub(super) fn fresh(&self, horizon: Horizon) -> i64 {
        self.relief(0, horizon).sum()
    }

    /// Not done now, it may be late when somebody is back; and stays as urgent when it is late.
    fn due(&self, wait_ms: u64, horizon: Horizon) -> i64 {
        let left = self.target_ms.saturating_sub(wait_ms);
        if left > horizon.ms.max(horizon.target_ms) { 0 } else { horizon.dial.of(self.late) }
    }

    /// What waiting costs until the customer hangs up.
    fn whole_wait(&self, patience_ms: u64) -> i64 {
        let waiting = i128::from(self.waiting_per_minute) * i128::from(patience_ms) / 60_000;
        super::fixed::narrow(waiting).min(LAYER_MAX)
    }

    fn target(&self, wait_ms: u64, horizon: Horizon) -> i64 {
        let left = self.target_ms.saturating_sub(wait_ms);
        if left == 0 || left > horizon.target_ms {
            return 0;
        }
        let missed = falling_by(left, horizon.patience_ms).of(self.late);
        horizon.dial.of(missed)
    }

    /// What an answer is worth that solves the matter, with that much more chance.
    pub(super) fn resolution(&self, more: i64) -> i64 {
        super::fixed::narrow((i128::from(self.weight.of(self.unresolved)) * i128::from(more)) >> 16)
    }

    /// What is lost with the customer, waiting included: the numerator of cμ/θ.
    pub(super) fn loss(&self) -> i64 {
        self.weight.of(self.whole_wait(self.patience_ms).saturating_add(self.abandon))
    }

    /// Customers wait so long in the mean, ms, as the rules say.
    pub(super) fn patience_ms(&self) -> u64 {
        self.patience_ms
    }

    /// Answered within this, ms, is in time.
    pub(super) fn target_ms(&self) -> u64 {
        self.target_ms
    }

    /// Whether a late answer costs anything.
    pub(super) fn has_target(&self) -> bool {
        self.late > 0
    }

    /// It counts towards the time when it should be done.
    pub(super) fn by_due(&self) -> bool {
        self.by_due
    }

    /// Having waited so long, ms, it is held no longer for a cheaper agent.
    pub(super) fn hold_max_ms(&self) -> u64 {
        self.hold_max_ms
    }

    /// What a missed target counts, when so many parts in a million were answered in time lately (ALGORITHM.md 1.4):
    /// e^(G (goal - level)).
    pub(super) fn dial(&self, level_ppm: u32) -> Part {
        let by = u64::from(self.dial);
        let gap = |more: u32, less: u32| falling_by(by * u64::from(more.saturating_sub(less)), 1_000_000);
        let dial = match level_ppm < self.goal_ppm {
            true => Part::quotient(u64::from(Part::ONE.0), u64::from(gap(self.goal_ppm, level_ppm).0)),
            false => gap(level_ppm, self.goal_ppm),
        };
        dial.clamp(DIAL_MIN, DIAL_MAX)
    }
}

/// What so long a wait costs in the mean: the minutes, the risk that the customer hangs up in them, and a late answer.
pub fn costs_of_waiting(goals: &Goals, wait_ms: u64) -> Money {
    let gone = falling_by(wait_ms, goals.patience_ms).rest();
    let waiting = i128::from(goals.waiting_per_minute.0) * i128::from(wait_ms) / 60_000;
    let late = if wait_ms > goals.answer_within_ms { goals.late.0 } else { 0 };
    let all = waiting + i128::from(gone.of(goals.abandon.0)) + i128::from(late);
    Money(super::fixed::narrow(all).min(COSTS_MAX))
}

/// The weight of the rules, twice as much for every four priority points more, within the bounds.
fn weight(plan: &Plan) -> Part {
    /// 2^(1/4) and 2^(-1/4), in 65,536ths.
    const UP: Part = Part(77_936);
    const DOWN: Part = Part(55_109);
    let step = if plan.priority < 0 { DOWN } else { UP };
    let points = plan.priority.unsigned_abs().min(32);
    let weight = (0..points).fold(plan.weight, |weight, _| weight.times(step));
    weight.clamp(WEIGHT_MIN, WEIGHT_MAX)
}
