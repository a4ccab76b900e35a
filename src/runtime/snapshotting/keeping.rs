//! Where the past of a tenant lies, and what recovery begins with.

use crate::engine::event::Stamped;
use crate::engine::ids::Sequence;
use crate::engine::time::Time;
use crate::journal::{Archive, Fault, Journal, Limits, Mark, Snapshots, Visit};
use crate::runtime::forgotten::Erased;
use crate::runtime::replica::Replica;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Where a tenant's past is kept, and how much of it.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The folder of the tenant.
    pub folder: PathBuf,
    /// A snapshot is written after so many events, or later where the state is large.
    pub snapshot_events: u64,
    /// The program that writes them in a process of its own, this one itself. Without it a thread does.
    pub program: Option<PathBuf>,
    /// Of the archive.
    pub limits: Limits,
}

impl Keeping {
    /// What recovery begins with: the newest state that is good. Those newer than the journal go; those of another past are passed over.
    pub(in crate::runtime) fn newest(
        &self,
        journal: &dyn Journal,
        applied: u64,
        tenant: &str,
        learns: bool,
    ) -> Result<Option<Replica>, Fault> {
        let (snapshots, last) = (Snapshots::of(&self.folder), journal.last_sequence());
        // A damaged archive is no reason: recovery may do without it, and whoever reads it is told.
        let archived = Archive::of(&self.folder).last().ok().flatten().unwrap_or_default();
        if archived > last {
            return Err(Fault::ArchiveAhead { folder: self.folder.join("archive"), archived, last });
        }
        for (sequence, path) in snapshots.list()?.into_iter().filter(|(sequence, _)| *sequence > last) {
            tracing::warn!(
                sequence,
                last,
                "a snapshot is newer than the journal, which was put back: it goes"
            );
            snapshots.remove(&path)?;
        }
        let read = |from, visit: &mut Visit<'_>| journal.read(from, visit);
        Replica::newest(&snapshots, tenant, applied.min(last), learns, &|sequence, mark| {
            is_ours(&read, sequence, mark)
        })
    }

    /// The interactions, erased since, that anything is kept of: older keys may have been put back, which open them. Reads all
    /// of the past.
    pub(in crate::runtime) fn erased(
        &self,
        journal: &dyn Journal,
        mut erased: Erased,
    ) -> Result<Vec<u64>, Fault> {
        let first = Archive::of(&self.folder).first()?.unwrap_or(u64::MAX).min(journal.first_sequence());
        self.read(journal, first, &mut |record| {
            if let Ok(event) = record.event() {
                let (sequence, time) = (Sequence(record.sequence), Time(record.time_ms));
                erased.hear(&Stamped { sequence, time, event });
            }
            ControlFlow::Continue(())
        })?;
        Ok(erased.found)
    }

    /// Shows the events from one on; those the journal has let go are read from the archive.
    pub(in crate::runtime) fn read(
        &self,
        journal: &dyn Journal,
        from: u64,
        visit: &mut Visit<'_>,
    ) -> Result<(), Fault> {
        let first = journal.first_sequence();
        if from >= first {
            return journal.read(from, visit);
        }
        let archive = Archive::of(&self.folder);
        let archived = archive.first()?.unwrap_or(first);
        if from < archived {
            return Err(Fault::NotRetained { folder: self.folder.clone(), wanted: from, first: archived });
        }
        match archive.read(from, visit)? {
            Some(next) => journal.read(next, visit),
            None => Ok(()),
        }
    }
}

/// Whether a snapshot of the state after an event is of the journal that is read.
pub(super) fn is_ours(
    read: &dyn Fn(u64, &mut Visit<'_>) -> Result<(), Fault>,
    sequence: u64,
    mark: Mark,
) -> Result<bool, Fault> {
    let mut found = None;
    read(sequence, &mut |record| {
        found = Some(Mark::of(&record));
        ControlFlow::Break(())
    })?;
    Ok(found == Some(mark))
}
