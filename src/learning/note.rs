//! One thing that was seen, with the place in line of whoever stands there; and what it says about waits.

use super::forecast::Forecasts;
use super::learner::Learner;
use super::patience::Ending;
use super::seen::Seen;
use crate::engine::shard::Shard;
use crate::engine::time::Time;

/// One thing that was seen, and when.
#[derive(Clone, Copy, Debug)]
pub struct Lesson {
    pub now: Time,
    pub seen: Seen,
    /// Of somebody who stands in line: how many are ahead, and what place × mean handle time ÷ agents says, ms. `None`
    /// also if an agent took them in the same step.
    pub place: Option<(u32, Option<u64>)>,
}

impl Lesson {
    /// With the shard as it is by then.
    pub fn new(now: Time, seen: Seen, shard: &Shard) -> Lesson {
        let place = match seen {
            Seen::Queued { interaction, .. } => shard.estimate(interaction),
            _ => None,
        };
        Lesson { now, seen, place: place.map(|estimate| (estimate.position - 1, estimate.wait_ms)) }
    }
}

impl Forecasts {
    /// Takes in what was seen, in order; `learner` knows how patient customers are.
    pub fn note(&mut self, lesson: &Lesson, learner: &Learner) {
        let now = lesson.now;
        match lesson.seen {
            Seen::Queued { queue, interaction } => {
                let Some((ahead, by_position_ms)) = lesson.place else { return };
                let patience_ms = learner.patience_ms(now, queue);
                self.queued(now, interaction, queue, ahead, by_position_ms, patience_ms);
            }
            Seen::Waited { queue, interaction, wait_ms, ending: Ending::Answered } => {
                self.taken(now, interaction, queue, wait_ms);
            }
            Seen::Waited { interaction, .. } | Seen::Over { interaction } => self.left(now, interaction),
            _ => {}
        }
    }
}

/// Takes one thing that was seen, in order, with the shard as it is then.
pub fn note(learner: &mut Learner, forecasts: &mut Forecasts, now: Time, seen: Seen, shard: &Shard) {
    learner.note(now, seen, shard.floor());
    forecasts.note(&Lesson::new(now, seen, shard), learner);
}
