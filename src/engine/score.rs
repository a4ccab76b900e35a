//! What waiting is worth: wait in ms + 60,000 for each priority point. Integers.
//!
//! While nothing changes but time, all scores of a line grow alike, so their order is that of a key that does not
//! depend on now: the time of entry (or what is due counts as, if there is such a time), moved back by the points. Lines are kept in the order of that key. Whoever has
//! waited beyond the hard maximum comes before everybody who has not, whatever the score.

use super::ids::InteractionId;
use super::interaction::Interaction;
use super::time::Time;
use serde::{Deserialize, Serialize};

/// What one priority point is worth, in ms of waiting.
pub const PRIORITY_POINT_MS: i64 = 60_000;
/// A call-back counts, when its window ends, as if it had waited at least so long, ms.
pub const CALLBACK_DUE_MS: i64 = 600_000;

/// Beyond the maximum wait or not: the first part of a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Turn {
    Overdue,
    Regular,
}

/// The place in a line: smaller is served first. Ends in a unique id, so the order is total.
pub type Place = (Turn, i64, Time, InteractionId);

/// The place of an interaction.
pub fn place(interaction: &Interaction) -> Place {
    let turn = if interaction.overdue { Turn::Overdue } else { Turn::Regular };
    (turn, key(interaction), interaction.entered, interaction.id)
}

/// The score at this moment, in ms.
pub fn score(interaction: &Interaction, now: Time) -> i64 {
    millis(now.0) - key(interaction)
}

/// The same, of whoever has this place.
pub fn score_at(place: Place, now: Time) -> i64 {
    millis(now.0) - place.1
}

fn key(interaction: &Interaction) -> i64 {
    let advance_ms =
        i64::from(interaction.plan.priority) * PRIORITY_POINT_MS + millis(interaction.plan.head_start_ms);
    let by_entry = millis(interaction.counts_from().0) - advance_ms;
    match interaction.callback() {
        Some(promised) => by_entry.min(millis(promised.until.0) - CALLBACK_DUE_MS),
        None => by_entry,
    }
}

pub(super) fn millis(ms: u64) -> i64 {
    i64::try_from(ms).expect("times and head starts are bounded far below 2^63 ms")
}
