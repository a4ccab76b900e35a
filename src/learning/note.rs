//! Somebody who follows the events of a shard and learns: the floor's figures, and how well waits are told.

use super::forecast::Forecasts;
use super::learner::Learner;
use super::patience::Ending;
use super::seen::Seen;
use crate::engine::shard::Shard;
use crate::engine::time::Time;

/// Takes one thing that was seen, in order, with the shard as it is then.
pub fn note(learner: &mut Learner, forecasts: &mut Forecasts, now: Time, seen: Seen, shard: &Shard) {
    learner.note(now, seen, shard.floor());
    match seen {
        Seen::Queued { queue, interaction } => {
            // Nobody waits any more whom an agent took in the same step.
            let Some(estimate) = shard.estimate(interaction) else { return };
            let (ahead, patience_ms) = (estimate.position - 1, learner.patience_ms(now, queue));
            forecasts.queued(now, interaction, queue, ahead, estimate.wait_ms, patience_ms);
        }
        Seen::Waited { queue, interaction, wait_ms, ending: Ending::Answered } => {
            forecasts.taken(now, interaction, queue, wait_ms);
        }
        Seen::Waited { interaction, .. } => forecasts.left(now, interaction),
        _ => {}
    }
}
