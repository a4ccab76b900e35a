//! One snapshot: a recovery in the background, from the last of them and the events behind it, and what comes of it written
//! down.

use super::keeping::is_ours;
use super::moving::move_events;
use crate::journal::{Fault, Limits, Past, RecordRef, RecoveryError, Snapshots, Visit};
use crate::runtime::replica::Replica;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::path::PathBuf;
use thiserror::Error;

/// So many events are read before the journal's log may be started over.
const SLICE_EVENTS: u64 = 65_536;

/// The snapshot that is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The folder of the tenant.
    pub folder: PathBuf,
    pub tenant: String,
    pub learns: bool,
    /// The last event that is to be in it.
    pub upto: u64,
    /// Of the archive.
    pub limits: Limits,
}

/// The snapshot that was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Written {
    /// The last event that is in it.
    pub sequence: u64,
    /// Its size.
    pub bytes: u64,
    /// The journal may drop its events up to this one: they are in the archive.
    pub let_go: Option<u64>,
    /// Why not all is moved or removed that might be.
    pub stays: Option<String>,
}

/// Why it was not written.
#[derive(Debug, Error)]
pub enum WritingError {
    #[error("{0}")]
    Journal(#[from] Fault),
    #[error("{0}")]
    Recovery(#[from] RecoveryError),
}

impl Wanted {
    /// Writes it, moves events to the archive and removes snapshots that are too many. The state that is in it comes too: it is
    /// large, and whoever ends anyway need not take it apart.
    pub fn write(&self) -> Result<(Written, Replica), WritingError> {
        let snapshots = Snapshots::of(&self.folder);
        let _alone = snapshots.alone()?;
        let replica = self.caught_up(&snapshots)?;
        let bytes = replica.keep(&snapshots, &self.tenant)?;
        let (sequence, now_ms) = (replica.shard.sequence().0, replica.shard.now().0);
        let moved = move_events(&self.folder, self.limits, now_ms);
        // Whatever became of that: the journal has what is behind them.
        let removed = snapshots.remove_older();
        let let_go = moved.as_ref().ok().copied().flatten();
        let stays = moved.err().or(removed.err()).map(|fault| fault.to_string());
        Ok((Written { sequence, bytes, let_go, stays }, replica))
    }

    fn caught_up(&self, snapshots: &Snapshots) -> Result<Replica, WritingError> {
        let Wanted { folder, tenant, learns, upto, .. } = self;
        let (past, upto) = (Past::alone(folder)?, *upto);
        let read = |from, visit: &mut Visit<'_>| past.read(from, visit);
        let newest = Replica::newest(snapshots, tenant, upto, *learns, &|sequence, mark| {
            is_ours(&read, sequence, mark)
        })?;
        let mut replica = newest.unwrap_or_else(|| Replica::new(*learns));
        loop {
            let next = replica.shard.sequence().0 + 1;
            if next > upto {
                return Ok(replica);
            }
            // The archive is read in one go: each time it is searched from the begin of a day.
            let in_journal = past.first_in_journal()?;
            let end = if next < in_journal { in_journal - 1 } else { next + SLICE_EVENTS };
            let (mut damage, end) = (None, upto.min(end));
            let mut visit = |record: RecordRef<'_>| {
                if record.sequence > end {
                    return ControlFlow::Break(());
                }
                match replica.hear(&record) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        damage = Some(error);
                        ControlFlow::Break(())
                    }
                }
            };
            past.read(next, &mut visit)?;
            if let Some(damage) = damage {
                return Err(damage.into());
            }
        }
    }
}
