//! What waiting is worth: wait in ms + 60,000 for each priority point. Integers.
//!
//! While nothing changes but time, all scores of a line grow alike, so their order is that of a key that does not
//! depend on now: the time of entry, moved back by the points. Lines are kept in the order of that key.

use super::ids::InteractionId;
use super::interaction::Interaction;
use super::plan::Plan;
use super::time::Time;

/// What one priority point is worth, in ms of waiting.
pub const PRIORITY_POINT_MS: i64 = 60_000;

/// The place in a line: smaller is served first. Ends in a unique id, so the order is total.
pub type Place = (i64, Time, InteractionId);

/// The place of an interaction.
pub fn place(interaction: &Interaction) -> Place {
    let key = millis(interaction.entered.0) - advance_ms(&interaction.plan);
    (key, interaction.entered, interaction.id)
}

/// The score at this moment, in ms.
pub fn score(interaction: &Interaction, now: Time) -> i64 {
    millis(now.0) - place(interaction).0
}

fn advance_ms(plan: &Plan) -> i64 {
    i64::from(plan.priority) * PRIORITY_POINT_MS + millis(plan.head_start_ms)
}

fn millis(ms: u64) -> i64 {
    i64::try_from(ms).expect("times and head starts are bounded far below 2^63 ms")
}
