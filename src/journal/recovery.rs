//! Recovery: apply over the journal. What was told to the world is what comes back, never what a newer release would
//! decide.

use super::{Corruption, Fault, RecordRef};
use crate::engine::event::{Event, Stamped};
use crate::engine::ids::Sequence;
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use std::ops::ControlFlow;

/// Shows the records of a journal in order, until told to stop.
pub type Visit<'a> = dyn FnMut(RecordRef<'_>) -> ControlFlow<()> + 'a;

/// Why events do not become a state.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The journal cannot be read.
    #[error("{0}")]
    Journal(#[from] Fault),
    /// A record is whole, but is no event that this release knows.
    #[error("event {sequence} of the journal cannot be read: {corruption}")]
    Event {
        /// Its number.
        sequence: u64,
        /// What is wrong with it.
        corruption: Corruption,
    },
}

/// Applies the records that `read` shows from the first on, up to and with `upto`, and tells `each` event as it becomes true, with the
/// sealed payload that lies beside it.
pub fn recover(
    read: impl FnOnce(&mut Visit<'_>) -> Result<(), Fault>,
    upto: Sequence,
    each: impl FnMut(&Shard, &Stamped, Option<&[u8]>),
) -> Result<Shard, RecoveryError> {
    recover_from(Shard::new(), read, upto, each)
}

/// The same from a state on: `read` shows what came after it.
pub fn recover_from(
    mut shard: Shard,
    read: impl FnOnce(&mut Visit<'_>) -> Result<(), Fault>,
    upto: Sequence,
    mut each: impl FnMut(&Shard, &Stamped, Option<&[u8]>),
) -> Result<Shard, RecoveryError> {
    let mut damage = None;
    read(&mut |record| {
        if record.sequence > upto.0 {
            return ControlFlow::Break(());
        }
        match record.event::<Event>() {
            Ok(event) => {
                let sequence = Sequence(record.sequence);
                let stamped = Stamped { sequence, time: Time(record.time_ms), event };
                shard.apply(&stamped);
                each(&shard, &stamped, record.sealed);
                ControlFlow::Continue(())
            }
            Err(corruption) => {
                damage = Some(RecoveryError::Event { sequence: record.sequence, corruption });
                ControlFlow::Break(())
            }
        }
    })?;
    damage.map_or(Ok(shard), Err)
}
