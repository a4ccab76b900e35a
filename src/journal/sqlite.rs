//! The journal on disk: one folder per tenant with `journal.db`, one row per group commit, and `keys.db`.
//! A commit is one insert and one sync, shared by everything that arrived since the one before.
//!
//! The log of SQLite guards what was committed since the last checkpoint (`wal.rs`). What the main file must hold
//! is noted in it before each checkpoint, so that rows lost from its end are missed when it is opened.
//! A batch in the middle is checked when it is read: by recovery, if it is behind the snapshot that it begins with, and when it
//! moves to the archive. The oldest go with later commits, once they lie there.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::file::{self, Kind};
use super::keys::{self, Keys};
use super::reader::{self, SqliteReader, Tail};
use super::record::{Batch, RecordRef};
use super::{Fault, Journal, KEY_LENGTH, Key, SECRET, WrappedKey};

/// How much log may gather before it is moved into the main file. A checkpoint holds up the commit that triggers it
/// by one write of that much and two syncs, and a start after a crash reads that much.
const CHECKPOINT_BYTES: u64 = 4 << 20;

/// So many of the oldest batches go with one commit, while some may: as many more than come as keep the file from growing.
const DROPPED_AT_ONCE: u32 = 4;

/// Drops the oldest that end by an event. It looks at no batch that begins behind that: there may be millions, and it is done
/// with every commit.
const DROP: &str = "DELETE FROM batches WHERE first IN
    (SELECT first FROM batches WHERE first <= ?1 AND last <= ?1 ORDER BY first LIMIT ?2)";

/// What a commit writes to the log beyond the batch itself: two or three pages.
const COMMIT_OVERHEAD_BYTES: u64 = 10 << 10;

pub(super) const KIND: Kind = Kind {
    application_id: 0x6274_6e6a, // "btnj"
    schema:
        "CREATE TABLE batches(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
        CREATE TABLE checkpoint(one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL) STRICT;
        INSERT INTO checkpoint VALUES (1, 0);",
};

/// The journal of one tenant on disk, open to write.
#[derive(Debug)]
pub struct Sqlite {
    journal: Connection,
    path: PathBuf,
    keys: Keys,
    tail: Tail,
    first: u64,
    /// Up to here it may drop.
    let_go: u64,
    /// About what the log holds since the last checkpoint.
    log_bytes: u64,
}

impl Sqlite {
    /// Opens the journal in the folder of a tenant, and creates what is missing of a new one. The caller holds the
    /// lock of the data folder.
    pub fn open(dir: &Path, tenant: &str) -> Result<Self, Fault> {
        file::create_folder(dir)?;
        let path = journal_path(dir);
        let keys = open_keys(dir, tenant)?;
        file::create_if_missing(&path, &KIND, tenant)?;
        let journal = file::open(&path, &KIND, tenant)?;
        // What goes from here is sealed, and lies in the archive.
        journal.pragma_update(None, "secure_delete", false).map_err(Fault::sqlite(&path, "open"))?;
        let tail = reader::tail(&journal, &path)?;
        check_end(&journal, &path, tail)?;
        let first = reader::first(&journal, &path)?;
        let mut opened = Self { journal, path, keys, tail, first, let_go: 0, log_bytes: 0 };
        opened.note_checkpoint()?;
        file::empty_log(&opened.journal, &opened.path)?;
        Ok(opened)
    }

    /// Opens a second connection, which only reads, beside one that writes. Alone it would take a damaged log for a
    /// short one: only `open` scans it.
    pub fn open_read_only(dir: &Path) -> Result<SqliteReader, Fault> {
        SqliteReader::open(dir)
    }

    fn insert(&self, batch: &Batch) -> rusqlite::Result<usize> {
        let mut insert = self.journal.prepare_cached("INSERT INTO batches VALUES (?1, ?2, ?3)")?;
        insert.execute(params![row_number(batch.first()), row_number(batch.last()), batch.bytes()])
    }

    /// The same, and in the same commit the oldest go that may.
    fn insert_and_drop(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        let transaction = self.journal.unchecked_transaction()?;
        self.insert(batch)?;
        let upto = self.let_go.min(batch.first() - 1);
        transaction.prepare_cached(DROP)?.execute(params![row_number(upto), DROPPED_AT_ONCE])?;
        let first: i64 =
            transaction.prepare_cached("SELECT min(first) FROM batches")?.query_row([], |row| row.get(0))?;
        transaction.commit()?;
        if self.first == first.cast_unsigned() {
            // Nothing is left that may go.
            self.let_go = 0;
        }
        self.first = first.cast_unsigned();
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<(), Fault> {
        self.note_checkpoint()?;
        // Passive: a reader in the way delays the rest to the next time, it never holds up a commit.
        self.journal
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
            .map_err(Fault::sqlite(&self.path, "checkpoint"))?;
        self.log_bytes = 0;
        Ok(())
    }

    /// Notes what the main file will hold, in the log that is about to be moved there.
    fn note_checkpoint(&mut self) -> Result<(), Fault> {
        self.journal
            .execute("UPDATE checkpoint SET last = ?1 WHERE last <> ?1", [row_number(self.tail.sequence)])
            .map_err(Fault::sqlite(&self.path, "checkpoint"))?;
        Ok(())
    }
}

impl Journal for Sqlite {
    fn append(&mut self, batch: &Batch) -> Result<(), Fault> {
        super::assert_follows(self.tail.sequence, batch);
        let appended =
            if self.let_go < self.first { self.insert(batch).map(drop) } else { self.insert_and_drop(batch) };
        appended.map_err(Fault::sqlite(&self.path, "append to"))?;
        self.tail = Tail { sequence: batch.last(), time_ms: batch.last_time_ms() };
        self.log_bytes += batch.bytes().len() as u64 + COMMIT_OVERHEAD_BYTES;
        if self.log_bytes >= CHECKPOINT_BYTES { self.checkpoint() } else { Ok(()) }
    }

    fn read(
        &self,
        from_sequence: u64,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        reader::read(&self.journal, &self.path, from_sequence, self.tail.sequence, visit)
    }

    fn first_sequence(&self) -> u64 {
        self.first
    }

    fn let_go(&mut self, upto: u64) {
        self.let_go = upto;
    }

    fn last_sequence(&self) -> u64 {
        self.tail.sequence
    }

    fn last_time_ms(&self) -> u64 {
        self.tail.time_ms
    }

    fn wrap(&mut self, interaction: u64, key: &Key) -> Result<WrappedKey, Fault> {
        Ok(key.under(&self.keys.pad(interaction)?))
    }

    fn key(&self, interaction: u64, wrapped: &WrappedKey) -> Result<Option<Key>, Fault> {
        Ok(self.keys.known(interaction)?.map(|pad| Key::unwrapped(wrapped, &pad)))
    }

    fn secret(&mut self) -> Result<[u8; KEY_LENGTH], Fault> {
        // It was laid down before the first event. Another one would not know any request again.
        if self.tail.sequence > 0 && self.keys.known(SECRET)?.is_none() {
            return Err(Fault::damaged(
                self.keys.path(),
                "the secret that requests are hashed with is missing",
            ));
        }
        self.wrap(SECRET, &Key::nothing())
    }

    fn destroy_keys(&mut self, interactions: &[u64]) -> Result<(), Fault> {
        self.keys.destroy(interactions)
    }

    fn erasures_seen(&self) -> Result<u64, Fault> {
        self.keys.erasures_seen()
    }

    fn note_erasures(&mut self, count: u64) -> Result<(), Fault> {
        self.keys.note_erasures(count)
    }
}

pub(super) fn journal_path(dir: &Path) -> PathBuf {
    dir.join("journal.db")
}

pub(super) fn keys_path(dir: &Path) -> PathBuf {
    dir.join("keys.db")
}

/// The keys file is created before the journal: a journal without one has lost it, and keys without a journal, too.
fn open_keys(dir: &Path, tenant: &str) -> Result<Keys, Fault> {
    let (journal, path) = (journal_path(dir), keys_path(dir));
    if journal.exists() && !path.exists() {
        return Err(Fault::damaged(&path, format!("it is missing beside {}", journal.display())));
    }
    file::create_if_missing(&path, &keys::KIND, tenant)?;
    let keys = Keys::open(&path, tenant)?;
    if !journal.exists() && !keys.is_empty()? {
        return Err(Fault::damaged(
            &journal,
            format!("it is missing, and {} holds its keys", path.display()),
        ));
    }
    Ok(keys)
}

/// What the main file must hold at least.
pub(super) fn noted(journal: &Connection, path: &Path) -> Result<u64, Fault> {
    let noted: i64 = journal
        .query_row("SELECT last FROM checkpoint WHERE one = 1", [], |row| row.get(0))
        .map_err(Fault::sqlite(path, "read the checkpoint of"))?;
    u64::try_from(noted).map_err(|_| Fault::damaged(path, format!("it is said to have reached {noted}")))
}

fn check_end(journal: &Connection, path: &Path, tail: Tail) -> Result<(), Fault> {
    let noted = noted(journal, path)?;
    if noted <= tail.sequence {
        return Ok(());
    }
    Err(Fault::damaged(path, format!("it ends at sequence {}, it once reached {noted}", tail.sequence)))
}

fn row_number(sequence: u64) -> i64 {
    i64::try_from(sequence).expect("a journal holds fewer than 2^63 records")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::contract::{batch, sequences};
    use super::*;

    fn new_folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    fn refusal(dir: &Path) -> String {
        Sqlite::open(dir, "acme").expect_err("refused").to_string()
    }

    #[test]
    fn a_journal_opened_again_holds_what_was_appended() {
        let folder = new_folder();
        let key = Key::random();
        let mut journal = Sqlite::open(folder.path(), "acme").expect("new");
        let wrapped = journal.wrap(9, &key).expect("wrapped");
        let secret = journal.secret().expect("there is one");
        journal.append(&batch(1, 3)).expect("appended");
        drop(journal);
        let mut journal = Sqlite::open(folder.path(), "acme").expect("there");
        assert!(journal.secret().expect("there is one") == secret && secret != [0; 32]);
        let mut other = Sqlite::open(new_folder().path(), "acme").expect("new");
        assert!(other.secret().expect("there is one") != secret, "each has its own");
        assert_eq!((journal.last_sequence(), journal.last_time_ms()), (3, 3_000));
        journal.append(&batch(4, 2)).expect("appended");
        assert_eq!(sequences(&journal, 1), [1, 2, 3, 4, 5]);
        assert!(journal.key(9, &wrapped).expect("readable") == Some(key));
    }

    #[test]
    fn a_reader_beside_the_writer_sees_what_was_committed() {
        let folder = new_folder();
        let mut journal = Sqlite::open(folder.path(), "acme").expect("new");
        let reader = Sqlite::open_read_only(folder.path()).expect("beside the writer");
        for first in [1, 2, 3] {
            let wrapped = journal.wrap(first, &Key::random()).expect("wrapped");
            journal.append(&batch(first, 1)).expect("appended");
            let mut last = 0;
            let mut visit = |record: RecordRef<'_>| {
                last = record.sequence;
                ControlFlow::Continue(())
            };
            reader.read(first, &mut visit).expect("readable");
            assert_eq!(last, first);
            assert!(reader.key(first, &wrapped).expect("readable").is_some());
        }
    }

    #[test]
    fn a_checkpoint_moves_the_log_and_the_log_stays_small() {
        let folder = new_folder();
        let mut journal = Sqlite::open(folder.path(), "acme").expect("new");
        let appended = 5 * CHECKPOINT_BYTES / (200 << 10);
        for first in 1..=appended {
            let mut writer = super::super::BatchWriter::new(first);
            writer.push(first, &vec![7u8; 200 << 10], None);
            journal.append(&writer.finish()).expect("appended");
        }
        let size = |name: &str| fs::metadata(folder.path().join(name)).expect("there").len();
        assert!(size("journal.db-wal") < 2 * CHECKPOINT_BYTES, "{}", size("journal.db-wal"));
        assert!(size("journal.db") > 3 * CHECKPOINT_BYTES, "{}", size("journal.db"));
        drop(journal);
        let journal = Sqlite::open(folder.path(), "acme").expect("there");
        assert_eq!((journal.last_sequence(), size("journal.db-wal")), (appended, 0));
    }

    #[test]
    fn what_a_commit_drops_costs_the_same_however_many_batches_stay() {
        let steps = |batches: u64| {
            let folder = new_folder();
            let mut journal = Sqlite::open(folder.path(), "acme").expect("new");
            (0..batches).for_each(|at| journal.append(&batch(1 + 2 * at, 2)).expect("appended"));
            // The first batch goes; the second ends behind this.
            let mut drop = journal.journal.prepare(DROP).expect("right");
            assert_eq!(drop.execute(params![3, DROPPED_AT_ONCE]).expect("the disk works"), 1);
            drop.get_status(rusqlite::StatementStatus::VmStep)
        };
        assert_eq!(steps(10), steps(500));
    }

    #[test]
    fn what_unwraps_a_destroyed_key_is_in_no_file_of_the_folder() {
        let folder = new_folder();
        let mut journal = Sqlite::open(folder.path(), "acme").expect("new");
        // Of ten blocks, whose rows lie in many pages.
        let numbers = (0..10 * keys::BLOCK).step_by(512);
        let pads: Vec<_> =
            numbers.clone().map(|number| journal.keys.pad(number).expect("laid down")).collect();
        let holders = |pad: &keys::Pad| {
            let files =
                fs::read_dir(folder.path()).expect("readable").map(|entry| entry.expect("readable").path());
            let holds =
                |path: &PathBuf| fs::read(path).expect("readable").windows(32).any(|window| window == pad);
            files.filter(holds).count()
        };
        // The bytes of a pad may lie on both sides of a page's end; most do not.
        let held = |pads: &[keys::Pad]| pads.iter().filter(|pad| holders(pad) > 0).count();
        assert!(held(&pads) > 15);
        let (destroyed, kept) = pads.split_at(13);
        let before = held(kept);
        let numbers: Vec<u64> = numbers.take(13).collect();
        journal.destroy_keys(&numbers).expect("destroyed");
        assert_eq!((held(destroyed), held(kept)), (0, before));
    }

    #[test]
    fn a_reader_in_the_way_puts_the_end_of_a_key_off_and_loses_nothing() {
        let folder = new_folder();
        let mut journal = Sqlite::open(folder.path(), "acme").expect("new");
        let pad = journal.keys.pad(7).expect("laid down");
        let reader = Connection::open(keys_path(folder.path())).expect("opened");
        reader.execute_batch("BEGIN; SELECT * FROM pads").expect("it reads");
        let busy = journal.destroy_keys(&[7]).expect_err("it is in the way");
        assert!(matches!(busy, Fault::Busy { .. }), "{busy}");
        assert_eq!(journal.keys.known(7).expect("readable"), None, "nobody is given it any more");
        reader.execute_batch("COMMIT").expect("it has read");
        journal.destroy_keys(&[7]).expect("destroyed");
        for file in ["keys.db", "keys.db-wal"] {
            let bytes = fs::read(folder.path().join(file)).expect("readable");
            assert!(!bytes.windows(32).any(|window| window == pad), "{file}");
        }
    }

    #[test]
    fn another_tenants_folder_is_refused() {
        let folder = new_folder();
        Sqlite::open(folder.path(), "bank").expect("new");
        let message = refusal(folder.path());
        assert!(message.contains(r#"belongs to tenant "bank", not to "acme""#), "{message}");
    }

    #[test]
    fn another_format_is_refused_by_name() {
        let folder = new_folder();
        Sqlite::open(folder.path(), "acme").expect("new");
        let path = journal_path(folder.path());
        let connection = Connection::open(&path).expect("opened");
        connection.execute("UPDATE meta SET format = 99", []).expect("updated");
        drop(connection);
        let message = refusal(folder.path());
        assert!(message.contains("has format 99, this release reads 8"), "{message}");
        assert!(message.contains(&path.display().to_string()), "{message}");
    }

    #[test]
    fn foreign_files_are_refused_and_left_as_they_are() {
        let folder = new_folder();
        let path = journal_path(folder.path());
        let connection = Connection::open(folder.path().join("other.db")).expect("opened");
        connection.execute_batch("CREATE TABLE t(x)").expect("created");
        drop(connection);
        let database = fs::read(folder.path().join("other.db")).expect("readable");
        for foreign in [&b""[..], b"hello", &[b'x'; 5000], &database] {
            fs::write(keys_path(folder.path()), foreign).expect("written");
            fs::write(&path, foreign).expect("written");
            let message = refusal(folder.path());
            assert!(message.contains("keys.db is not a baton file"), "{message}");
            assert_eq!(fs::read(&path).expect("readable"), foreign);
        }
    }

    #[test]
    fn a_missing_half_is_refused_by_name() {
        for (missing, told) in [("keys.db", "keys.db is damaged"), ("journal.db", "journal.db is damaged")] {
            let folder = new_folder();
            let mut journal = Sqlite::open(folder.path(), "acme").expect("new");
            journal.wrap(1, &Key::random()).expect("wrapped");
            journal.append(&batch(1, 1)).expect("appended");
            drop(journal);
            fs::remove_file(folder.path().join(missing)).expect("removed");
            let message = refusal(folder.path());
            assert!(message.contains(told) && message.contains("it is missing"), "{message}");
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_a_fault_that_names_it() {
        let folder = new_folder();
        fs::write(folder.path().join("file"), "in the way").expect("written");
        let dir = folder.path().join("file").join("acme");
        let message = refusal(&dir);
        assert!(message.contains(&format!("cannot create {}", dir.display())), "{message}");
    }
}
