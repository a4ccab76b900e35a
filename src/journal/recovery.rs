//! Recovery: apply over the journal, from a kept state or from the first event. What was told to the world is what comes back, never what a newer release would
//! decide.

use super::{Corruption, Fault, Mark, Origin, Past, RecordRef, SnapshotReader};
use crate::engine::event::{Event, Stamped};
use crate::engine::ids::Sequence;
use crate::engine::kept::Kept;
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

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

/// The state after an event, of the journal in a folder: from the newest snapshot before it and what came then.
///
/// # Errors
/// `NotRetained` when neither that nor the events from the first on are kept; damage, by its place.
pub fn state_after(folder: &Path, upto: Sequence) -> Result<Shard, RecoveryError> {
    let past = Past::open(folder)?;
    let newest = find_state(past.states()?, |reader| reader.sequence() <= upto.0);
    let (shard, next) = newest.unwrap_or((Shard::new(), 1));
    recover_from(shard, |visit| past.read(next, visit), upto, |_, _, _| {})
}

/// What to begin with to know a period: all of the past if it is kept, else the newest state from before the period; with
/// the number of the first event behind it.
///
/// # Errors
/// Damage, by its place. When the period begins before everything that is kept, reading on says `NotRetained`.
pub fn before_period(past: &Past, from: Time) -> Result<(Shard, u64), Fault> {
    let first = past.first()?;
    if first == 1 {
        return Ok((Shard::new(), 1));
    }
    let fits = |reader: &SnapshotReader| reader.time_ms() < from.0 && reader.sequence() + 1 >= first;
    Ok(find_state(past.states()?, fits).unwrap_or((Shard::new(), 1)))
}

/// Where the first events are not kept any more: the first moment at which a period may begin, behind the oldest state that
/// can be read and is followed by what is kept. `None`: there is no such state.
pub fn periods_from(past: &Past) -> Result<Option<Time>, Fault> {
    let first = past.first()?;
    let oldest_first = past.states()?.into_iter().rev();
    let oldest = find_state(oldest_first, |reader| reader.sequence() + 1 >= first);
    Ok(oldest.map(|(shard, _)| shard.now().after(1)))
}

/// The first of these states that fits and can be read, and the number of the first event behind it. One that is damaged is
/// passed over, and told.
fn find_state(
    states: impl IntoIterator<Item = PathBuf>,
    fits: impl Fn(&SnapshotReader) -> bool,
) -> Option<(Shard, u64)> {
    for path in states {
        let read = SnapshotReader::open(&path).and_then(|mut reader| {
            if !fits(&reader) {
                return Ok(None);
            }
            Ok(Some((state_in(&mut reader)?, reader.sequence() + 1)))
        });
        match read {
            Ok(Some(found)) => return Some(found),
            Ok(None) => {}
            Err(fault) => tracing::error!("a snapshot is passed over: {fault}"),
        }
    }
    None
}

/// Reads all of a snapshot of this tenant and this past. Its state; what follows the engine is looked at by its checksums only.
pub(crate) fn check_snapshot(
    path: &Path,
    tenant: &str,
    is_ours: impl FnOnce(u64, Mark) -> Result<bool, Fault>,
) -> Result<Shard, Fault> {
    let mut reader = SnapshotReader::open(path)?;
    let shard = read_state(&mut reader, tenant, is_ours)?;
    reader.check()?;
    Ok(shard)
}

/// Reads the engine's state of a snapshot, if it is of this tenant and, by the mark of its last event, of this past. What follows
/// the engine is next in the reader.
pub(crate) fn read_state(
    reader: &mut SnapshotReader,
    tenant: &str,
    is_ours: impl FnOnce(u64, Mark) -> Result<bool, Fault>,
) -> Result<Shard, Fault> {
    let Origin { tenant: found, mark } = reader.origin().clone();
    let (path, sequence) = (reader.path().to_owned(), reader.sequence());
    if found != tenant {
        return Err(Fault::OtherTenant { path, found, wanted: tenant.to_owned() });
    }
    if !is_ours(sequence, mark)? {
        let what = format!("event {sequence} is another one in the journal beside it, or not there");
        return Err(Fault::damaged(&path, what));
    }
    state_in(reader)
}

/// The state a snapshot holds, whosever it is.
fn state_in(reader: &mut SnapshotReader) -> Result<Shard, Fault> {
    let shard = Shard::from_kept(reader)?;
    if shard.sequence().0 != reader.sequence() {
        return Err(reader.unfit("it holds another state than it says"));
    }
    Ok(shard)
}

#[cfg(test)]
mod tests {
    use super::super::Snapshots;
    use super::*;

    /// A snapshot of an empty floor, which says that it is the state after `sequence`.
    fn written(folder: &Path, sequence: u64) -> std::path::PathBuf {
        let origin = Origin { tenant: "acme".to_owned(), mark: Mark::default() };
        let mut writer = Snapshots::of(folder).begin(sequence, 0, &origin).expect("begun");
        Shard::new().keep(&mut writer).expect("kept");
        writer.finish().expect("finished");
        Snapshots::of(folder).list().expect("readable").pop().expect("it is there").1
    }

    #[test]
    fn a_snapshot_is_read_for_its_tenant_and_beside_its_journal_only() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = written(folder.path(), 0);
        let ours = |sequence, mark| Ok((sequence, mark) == (0, Mark::default()));
        assert_eq!(check_snapshot(&path, "acme", ours).expect("ours").sequence(), Sequence(0));
        let other = check_snapshot(&path, "zeta", ours).expect_err("of another tenant");
        assert!(matches!(other, Fault::OtherTenant { .. }), "{other}");
        let said = |refused: Result<Shard, Fault>| refused.expect_err("refused").to_string();
        let other = said(check_snapshot(&path, "acme", |_, _| Ok(false)));
        assert!(other.contains("event 0 is another one in the journal beside it, or not there"), "{other}");
        let path = written(folder.path(), 7);
        let other = said(check_snapshot(&path, "acme", |_, _| Ok(true)));
        assert!(other.contains("it holds another state than it says"), "{other}");
    }
}
