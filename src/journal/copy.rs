//! Copies of files that another process may be writing. The journal is copied by its batches, each checked on the way:
//! rows are added at its end only, so a copy needs no snapshot that would keep the log from being restarted. The small
//! files beside it are copied page by page, as of one instant.

use std::fs::File;
use std::ops::{ControlFlow, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, params};

use super::file::{self, Kind};
use super::record::{Batch, RecordRef};
use super::{Archive, Fault, SqliteReader, erasures, keys, sqlite};

/// So many bytes of batches are written at once.
const PIECE_BYTES: usize = 16 << 20;
/// How long a page copy waits for somebody who brings the file in order.
const BUSY_MAX: Duration = Duration::from_secs(5);

/// A `journal.db` that is being written from another one. Nobody may use it before `finish`.
#[derive(Debug)]
pub(crate) struct JournalCopy {
    connection: Connection,
    path: PathBuf,
    waiting: Vec<Batch>,
    waiting_bytes: usize,
    last: u64,
}

impl JournalCopy {
    /// Begins one whose first event has this number.
    pub fn create(dir: &Path, tenant: &str, first: u64) -> Result<JournalCopy, Fault> {
        file::create_folder(dir)?;
        let path = sqlite::journal_path(dir);
        file::create_if_missing(&path, &sqlite::KIND, tenant)?;
        let connection = file::open(&path, &sqlite::KIND, tenant)?;
        Ok(JournalCopy { connection, path, waiting: Vec::new(), waiting_bytes: 0, last: first - 1 })
    }

    pub fn append(&mut self, batch: Batch) -> Result<(), Fault> {
        super::assert_follows(self.last, &batch);
        self.last = batch.last();
        self.waiting_bytes += batch.bytes().len();
        self.waiting.push(batch);
        if self.waiting_bytes >= PIECE_BYTES { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), Fault> {
        let last = self.last.cast_signed();
        let write = || {
            let transaction = self.connection.unchecked_transaction()?;
            let mut insert = transaction.prepare("INSERT INTO batches VALUES (?1, ?2, ?3)")?;
            for batch in &self.waiting {
                insert.execute(params![
                    batch.first().cast_signed(),
                    batch.last().cast_signed(),
                    batch.bytes()
                ])?;
            }
            drop(insert);
            transaction.execute("UPDATE checkpoint SET last = ?1", [last])?;
            transaction.commit()
        };
        write().map_err(Fault::sqlite(&self.path, "write"))?;
        self.waiting.clear();
        self.waiting_bytes = 0;
        file::empty_log(&self.connection, &self.path)
    }

    /// Everything is on stable storage on return.
    pub fn finish(mut self) -> Result<(), Fault> {
        self.write()?;
        let closed = self.connection.close();
        closed.map_err(|(_, error)| Fault::sqlite(&self.path, "close")(error))?;
        sync(&self.path)
    }
}

/// Copies batches of a tenant's journal from one on, whose first event is named, up to the one that holds the last. Those it
/// has let go meanwhile, or before, are taken from the archive, which had them first. The last event that was copied: a batch
/// is copied whole.
pub(crate) fn copy_journal(
    from: &Path,
    to: &Path,
    tenant: &str,
    numbers: RangeInclusive<u64>,
) -> Result<u64, Fault> {
    let (journal, archive) = (SqliteReader::alone(from)?, Archive::of(from));
    let mut copy = JournalCopy::create(to, tenant, *numbers.start())?;
    let last = *numbers.end();
    while copy.last < last {
        let (begun, mut bytes) = (copy.last, 0);
        let mut see = |batch: Batch, _: &[RecordRef<'_>]| {
            if batch.first() != copy.last + 1 {
                return Err(missing(from, copy.last + 1));
            }
            bytes += batch.bytes().len();
            let enough = batch.last() >= last || bytes >= PIECE_BYTES;
            copy.append(batch)?;
            Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        match journal.batches(begun + 1, &mut see) {
            Err(_) if journal.first()? > begun + 1 => drop(archive.batches(begun + 1, &mut see)?),
            read => read?,
        }
        if copy.last == begun {
            return Err(missing(from, begun + 1));
        }
    }
    let last = copy.last;
    copy.finish()?;
    Ok(last)
}

fn missing(folder: &Path, event: u64) -> Fault {
    Fault::damaged(folder, format!("event {event} is neither in the archive nor in the journal"))
}

/// Copies the keys of a tenant.
pub(crate) fn copy_keys(from: &Path, to: &Path) -> Result<(), Fault> {
    copy_file(&sqlite::keys_path(from), &sqlite::keys_path(to), &keys::KIND)
}

/// Copies what was erased.
pub(crate) fn copy_erasures(from: &Path, to: &Path) -> Result<(), Fault> {
    let name = erasures::FILE_NAME;
    copy_file(&from.join(name), &to.join(name), &erasures::KIND)
}

/// Copies a file of ours page by page, as of one instant.
pub(crate) fn copy_file(from: &Path, to: &Path, kind: &Kind) -> Result<(), Fault> {
    copy_pages(&file::open_read_only(from, kind)?, to).map_err(Fault::sqlite(from, "copy"))?;
    sync(to)
}

/// Copies what a connection sees.
pub(crate) fn copy_pages(from: &Connection, to: &Path) -> rusqlite::Result<()> {
    from.busy_timeout(BUSY_MAX)?;
    let mut copy = Connection::open(to)?;
    // Nobody uses it before it was synced as a whole.
    copy.pragma_update(None, "synchronous", "OFF")?;
    let copied = Backup::new(from, &mut copy)?.step(-1)?;
    if copied != StepResult::Done {
        let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
        return Err(rusqlite::Error::SqliteFailure(busy, Some("somebody brings it in order".to_owned())));
    }
    copy.close().map_err(|(_, error)| error)
}

/// The file and its name in the folder.
pub(crate) fn sync(path: &Path) -> Result<(), Fault> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Fault::io(path, "sync"))?;
    let folder = path.parent().expect("the file lies in a folder");
    file::sync_folder(folder).map_err(Fault::io(folder, "sync"))
}

#[cfg(test)]
mod tests {
    use super::super::contract::{batch, sequences};
    use super::super::{Erasure, Erasures, Journal, Key, Sqlite};
    use super::*;

    #[test]
    fn a_copy_made_beside_the_writer_opens_and_holds_what_was_asked_for() {
        let (folder, to) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another"));
        let mut journal = Sqlite::open(folder.path(), "acme").expect("new");
        let key = Key::random();
        let wrapped = journal.wrap(7, &key).expect("wrapped");
        for first in [1, 4, 7] {
            journal.append(&batch(first, 3)).expect("appended");
        }
        let last = copy_journal(folder.path(), to.path(), "acme", 1..=5).expect("copied");
        assert_eq!(last, 6, "of the batch that event 5 is in");
        copy_keys(folder.path(), to.path()).expect("copied");
        journal.append(&batch(10, 1)).expect("the writer is not disturbed");
        let copy = Sqlite::open(to.path(), "acme").expect("a copy is a journal");
        assert_eq!(sequences(&copy, 1), [1, 2, 3, 4, 5, 6], "whole batches");
        assert!(copy.key(7, &wrapped).expect("readable") == Some(key));
    }

    #[test]
    fn what_the_journal_has_let_go_is_copied_from_the_archive() {
        let (folder, to) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another"));
        let mut journal = Sqlite::open(folder.path(), "acme").expect("new");
        let mut adding = Archive::of(folder.path()).open_to_add(1).expect("new");
        for first in [1, 4, 7, 10] {
            let batch = batch(first, 3);
            journal.append(&batch).expect("appended");
            adding.turn_to(batch.last_time_ms(), None).expect("turned");
            adding.add(&batch).expect("added");
        }
        adding.sync().expect("synced");
        journal.let_go(9);
        journal.append(&batch(13, 1)).expect("appended");
        assert_eq!(journal.first_sequence(), 10);
        copy_journal(folder.path(), to.path(), "acme", 4..=13).expect("copied");
        copy_keys(folder.path(), to.path()).expect("copied");
        let copy = Sqlite::open(to.path(), "acme").expect("a copy is a journal");
        assert_eq!(sequences(&copy, 4), (4..=13).collect::<Vec<_>>());
        let (gap, to) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another"));
        std::fs::copy(folder.path().join("journal.db"), gap.path().join("journal.db")).expect("copied");
        std::fs::copy(folder.path().join("journal.db-wal"), gap.path().join("journal.db-wal"))
            .expect("copied");
        let refused = copy_journal(gap.path(), to.path(), "acme", 4..=13).expect_err("nobody has it");
        assert!(refused.to_string().contains("event 4 is neither"), "{refused}");
    }

    #[test]
    fn an_empty_journal_and_erasures_are_copied_too() {
        let (folder, to) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another"));
        let _journal = Sqlite::open(folder.path(), "acme").expect("new");
        let mut erasures = Erasures::open(folder.path(), "acme").expect("new");
        let erasure = Erasure { time_ms: 1, customers: vec![(1, 2)], interactions: Vec::new() };
        erasures.append(&erasure).expect("appended");
        copy_journal(folder.path(), to.path(), "acme", RangeInclusive::new(1, 0)).expect("copied");
        copy_keys(folder.path(), to.path()).expect("copied");
        copy_erasures(folder.path(), to.path()).expect("copied");
        let copy = Sqlite::open(to.path(), "acme").expect("a copy is a journal");
        assert_eq!(copy.last_sequence(), 0);
        assert_eq!(Erasures::open(to.path(), "acme").expect("whole").read().expect("readable"), [erasure]);
    }
}
