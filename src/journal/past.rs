//! All that is kept of the past, in order: the archive, then the journal. For whoever explains, reports or tries again, beside
//! a server that writes; events move from the one to the other meanwhile.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::snapshots::Snapshots;
use super::{Archive, Fault, RecordRef, Sqlite, SqliteReader};

/// So often what was in the journal a moment ago may be found in the archive.
const MOVES_MAX: u32 = 16;

/// The past of a tenant.
pub struct Past {
    folder: PathBuf,
    archive: Archive,
    journal: SqliteReader,
    snapshots: Snapshots,
}

impl Past {
    /// Opens what lies in the folder of a tenant, to read.
    pub fn open(dir: &Path) -> Result<Past, Fault> {
        Ok(Past::of(dir, Sqlite::open_read_only(dir)?))
    }

    /// The same without the keys.
    pub(crate) fn alone(dir: &Path) -> Result<Past, Fault> {
        Ok(Past::of(dir, SqliteReader::alone(dir)?))
    }

    fn of(dir: &Path, journal: SqliteReader) -> Past {
        Past { folder: dir.to_owned(), archive: Archive::of(dir), journal, snapshots: Snapshots::of(dir) }
    }

    /// The number of the first event that is kept.
    pub fn first(&self) -> Result<u64, Fault> {
        // In this order: what leaves the journal between the two looks is in the archive by then.
        let journal = self.journal.first()?;
        Ok(self.archive.first()?.map_or(journal, |archived| archived.min(journal)))
    }

    /// The number of the first event that the journal has.
    pub fn first_in_journal(&self) -> Result<u64, Fault> {
        self.journal.first()
    }

    /// Shows every record from `from` to what was durable when it began, in order, until `visit` breaks.
    ///
    /// # Errors
    /// `NotRetained` when what it should begin with is not kept any more; damage, by its place.
    pub fn read(
        &self,
        from: u64,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        let mut next = from.max(1);
        // Whoever wants nothing of the archive is not told what is wrong with it.
        if next < self.journal.first()? {
            let first = self.first()?;
            if next < first {
                return Err(Fault::NotRetained { folder: self.folder.clone(), wanted: next, first });
            }
        }
        for _ in 0..MOVES_MAX {
            // What both have is read from the journal, which finds it at once.
            if next < self.journal.first()? && self.archive.first()?.is_some_and(|first| first <= next) {
                match self.archive.read(next, visit)? {
                    Some(behind) => next = behind.max(next),
                    None => return Ok(()),
                }
            }
            match self.journal.read(next, visit) {
                // It was moved between the two looks.
                Err(_) if self.journal.first()? > next => {}
                read => return read,
            }
        }
        Err(Fault::damaged(
            &self.folder,
            format!("event {next} is neither in the archive nor in the journal"),
        ))
    }

    /// Where states lie that can be begun with, newest first.
    pub(super) fn states(&self) -> Result<Vec<PathBuf>, Fault> {
        let mut all = self.archive.bases()?;
        all.extend(self.snapshots.list()?.into_iter().map(|(_, path)| path));
        all.reverse();
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract::batch;
    use super::super::{Journal, Sqlite};
    use super::*;

    #[test]
    fn what_the_journal_has_is_not_looked_for_in_the_archive() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut journal = Sqlite::open(folder.path(), "acme").expect("a new one");
        let mut adding = Archive::of(folder.path()).open_to_add(1).expect("new");
        adding.turn_to(0, None).expect("turned");
        for first in [1, 4, 7] {
            journal.append(&batch(first, 3)).expect("the disk works");
            adding.add(&batch(first, 3)).expect("added");
        }
        adding.sync().expect("synced");
        let day = Archive::of(folder.path()).days().expect("readable").pop().expect("it was begun");
        std::fs::write(&day.path, [7; 100]).expect("written");

        let mut seen = Vec::new();
        let past = Past::alone(folder.path()).expect("readable");
        let read = past.read(4, &mut |record| {
            seen.push(record.sequence);
            ControlFlow::Continue(())
        });
        read.expect("the journal is whole");
        assert_eq!(seen, [4, 5, 6, 7, 8, 9]);
    }
}
