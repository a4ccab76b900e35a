//! Customers in SQLite, in a file of their own (DESIGN.md D6, D8): WAL, one writing connection, one more for
//! each reader. Every error of SQLite becomes a fault that says what was being done.

mod erase;
pub(crate) mod outside;
mod people;
mod promises;
mod read;
mod schema;
mod traces;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::store::{CustomerReads, CustomerStore, StoreFault, Write, Written};
use crate::journal::cut::Cut;

/// Name of the file within the data folder.
const FILE: &str = "customers.db";
/// How long a connection waits for another one's lock. Under WAL only checkpoints and openings collide.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Contacts come in by time and are indexed by customer: each touches a page of its own in two indexes, the same pages
/// again and again. So they are kept (64 MiB). The log is emptied every 1,000 pages, SQLite's own figure: larger pieces
/// keep the disk busy longer at once, and the journal's sync waits behind them. What is deleted is overwritten with zeros.
const WRITER: &str =
    "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 1000; PRAGMA secure_delete = ON;";
/// From this size on, in bytes, writing the file anew takes long enough to be told.
const TAKES_LONG: u64 = 16 << 20;
/// Every statement is prepared once a connection; there are fewer than this.
const STATEMENTS_CACHED: usize = 64;

/// A store on disk. Dropping it closes the writing connection.
pub struct SqliteStore {
    path: PathBuf,
    connection: Connection,
    /// The main file, to overwrite what is left in it of the erased.
    file: std::fs::File,
    /// Something may be left.
    traces: bool,
}

impl SqliteStore {
    /// Opens `customers.db` in the data folder, and makes it if there is none.
    pub fn open(folder: &Path) -> Result<Self, StoreFault> {
        let path = folder.join(FILE);
        refuse_cut(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = connect(&path, flags)?;
        schema::prepare(&mut connection, &path)?;
        let fault = |error: rusqlite::Error| open_fault(&path, &error);
        connection.execute_batch(WRITER).map_err(fault)?;
        let file = std::fs::File::options().read(true).write(true).open(&path).map_err(|error| {
            StoreFault::Open { path: path.display().to_string(), cause: error.to_string() }
        })?;
        let traces = traces::may_be_left(&connection).map_err(fault)?;
        let mut store = Self { path, connection, file, traces };
        if traces {
            if store.file.metadata().is_ok_and(|metadata| metadata.len() > TAKES_LONG) {
                tracing::info!(path = %store.path.display(), "writing the file anew, so that nobody erased is left in it");
            }
            traces::rewrite(&store.connection).map_err(|error| open_fault(&store.path, &error))?;
        }
        // Somebody else may read it; then it is tried again with every group.
        store.traces = store.empty_log(Duration::ZERO).is_err();
        // With pages in the log it was taken for whole until now.
        refuse_cut(&store.path)?;
        Ok(store)
    }

    /// Leaves nothing in any file of those who are gone.
    fn wipe(&mut self, patience: Duration) -> Result<(), StoreFault> {
        self.empty_log(patience)?;
        let fault = |error: traces::TraceError| StoreFault::Unavailable {
            doing: "overwriting what was erased",
            cause: error.to_string(),
        };
        traces::overwrite(&self.connection, &self.file).map_err(fault)?;
        self.empty_log(patience)?;
        self.traces = false;
        Ok(())
    }

    /// Moves the log into the main file and cuts it to nothing: it holds pages as they were.
    fn empty_log(&self, patience: Duration) -> Result<(), StoreFault> {
        let fault = unavailable("emptying the log");
        self.connection.busy_timeout(patience).map_err(&fault)?;
        let busy = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
        self.connection.busy_timeout(BUSY_TIMEOUT).map_err(&fault)?;
        if busy.map_err(&fault)? {
            let cause = "another connection reads from it".to_owned();
            return Err(StoreFault::Unavailable { doing: "emptying the log", cause });
        }
        Ok(())
    }
}

impl CustomerStore for SqliteStore {
    fn reads(&self) -> Result<Box<dyn CustomerReads>, StoreFault> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(Box::new(read::SqliteReads::new(connect(&self.path, flags)?)))
    }

    fn commit(&mut self, group: &[Write]) -> Result<Vec<Written>, StoreFault> {
        self.connection
            .pragma_update(None, "synchronous", synchronous(group))
            .map_err(unavailable("setting the durability"))?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(unavailable("beginning a transaction"))?;
        let mut written: Vec<Written> =
            group.iter().map(|each| write::write(&transaction, each)).collect::<Result<_, _>>()?;
        transaction.commit().map_err(unavailable("committing"))?;
        let erases = group.iter().any(|write| matches!(write, Write::Erase(_)));
        if erases {
            self.traces |= traces::may_be_left(&self.connection).map_err(unavailable("committing"))?;
        }
        if self.traces {
            match self.wipe(if erases { BUSY_TIMEOUT } else { Duration::ZERO }) {
                // The others in the group have what they asked for. Whoever erases asks again, and it is tried again.
                Err(fault) if erases => {
                    let erased = written.iter_mut().filter(|one| matches!(one, Written::Erased(_)));
                    erased.for_each(|one| *one = Written::Unfinished(fault.clone()));
                }
                // Nobody waits for it any more, and it is tried again with the next group.
                Ok(()) | Err(_) => {}
            }
        }
        Ok(written)
    }
}

/// A group that only projects need not reach the disk before it is answered: the engine's journal has the
/// events, and `applied_sequence`, in the same transaction, tells where to take them up after a power cut.
/// What nobody else has recorded is synced; that sync carries the projections before it along.
fn synchronous(group: &[Write]) -> &'static str {
    if group.iter().all(|write| matches!(write, Write::Project(_))) { "NORMAL" } else { "FULL" }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreFault> {
    let fault = |error: rusqlite::Error| open_fault(path, &error);
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(fault)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    // Plans that may depend on what is bound are made anew for every call, since a statement's bindings are cleared when it
    // goes back to the cache. None of ours is to depend on it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(fault)?;
    Ok(connection)
}

/// What is no database at all, or not there, is for SQLite to refuse, or to make.
fn refuse_cut(path: &Path) -> Result<(), StoreFault> {
    let Ok(Some(cut)) = Cut::of(path) else { return Ok(()) };
    Err(StoreFault::Open {
        path: path.display().to_string(),
        cause: format!("{cut}; restore it from a backup"),
    })
}

fn open_fault(path: &Path, error: &rusqlite::Error) -> StoreFault {
    StoreFault::Open { path: path.display().to_string(), cause: error.to_string() }
}

fn unavailable(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreFault {
    move |error| StoreFault::Unavailable { doing, cause: error.to_string() }
}

/// SQLite's integers have a sign, our numbers have none: the bits are kept, so that every number is found
/// again, and a number nobody ever gave finds nothing.
fn to_sql(number: u64) -> i64 {
    number.cast_signed()
}

fn from_sql(number: i64) -> u64 {
    number.cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::super::contract::{note, opened, resolution};
    use super::super::model::CustomerId;
    use super::super::store::Projection;
    use super::*;

    fn open() -> (SqliteStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        (SqliteStore::open(folder.path()).expect("a new store"), folder)
    }

    fn level(store: &SqliteStore) -> i64 {
        let level = store.connection.pragma_query_value(None, "synchronous", |row| row.get(0));
        level.expect("the level can be read")
    }

    #[test]
    fn a_file_that_was_cut_is_refused_by_name() {
        let (mut store, folder) = open();
        store.commit(&[resolution("+972501234567", None)]).expect("it is written");
        drop(store);
        let path = folder.path().join(FILE);
        let length = std::fs::metadata(&path).expect("it is there").len();
        let file = std::fs::File::options().write(true).open(&path).expect("it can be written");
        file.set_len(length / 2).expect("it can be cut");
        let Err(StoreFault::Open { path: named, cause }) = SqliteStore::open(folder.path()) else {
            panic!("it was opened");
        };
        assert!(named.ends_with(FILE) && cause.contains("it was cut"), "{named}: {cause}");
    }

    /// While the log is moved into the file its pages arrive in order, the one with the header first.
    #[test]
    fn who_was_killed_while_the_log_was_moved_opens_what_was_written() {
        let (mut store, folder) = open();
        store.empty_log(Duration::ZERO).expect("nobody reads");
        let before = std::fs::read(folder.path().join(FILE)).expect("it is there");
        let group: Vec<Write> =
            (0..500).map(|number| resolution(&format!("+97250123{number:04}"), None)).collect();
        store.commit(&group).expect("it is written");
        let killed = tempfile::tempdir().expect("a temporary folder");
        let log = format!("{FILE}-wal");
        std::fs::copy(folder.path().join(&log), killed.path().join(&log)).expect("it can be copied");
        store.empty_log(Duration::ZERO).expect("nobody reads");
        let after = std::fs::read(folder.path().join(FILE)).expect("it is there");
        assert!(after.len() > before.len(), "it grew");
        let moved = [&after[..4096], &before[4096..]].concat();
        std::fs::write(killed.path().join(FILE), moved).expect("it can be written");

        let store = SqliteStore::open(killed.path()).expect("nothing is missing");
        let known = store.connection.query_row("SELECT count(*) FROM customers", [], |row| row.get(0));
        assert_eq!(known, Ok(500));
        assert_eq!(std::fs::read(killed.path().join(FILE)).expect("it is there").len(), after.len());
    }

    #[test]
    fn a_group_that_fails_halfway_has_not_happened() {
        let (mut store, _folder) = open();
        let trap = "CREATE TRIGGER trap BEFORE INSERT ON history WHEN new.text = 'trap'
            BEGIN SELECT raise(ABORT, 'sprung'); END";
        store.connection.execute_batch(trap).expect("a trigger can be made");
        let id = CustomerId(1);
        let projection = Projection { after: 0, upto: 4, events: vec![opened(4, 5, id, 9)] };
        let group = |text| {
            [resolution("+972501234567", None), Write::Project(projection.clone()), recording(id, text)]
        };
        let fault = store.commit(&group("trap")).expect_err("the trap is sprung");
        assert_eq!(fault, unavailable_because("recording an entry", "sprung"));
        let mut reads = store.reads().expect("the store can be read");
        assert_eq!((reads.customer(id), reads.applied_sequence()), (Ok(None), Ok(0)));
        assert!(store.commit(&group("fine")).is_ok());
        assert_eq!(reads.applied_sequence(), Ok(4));
    }

    fn recording(id: CustomerId, text: &str) -> Write {
        Write::Record(note(id, 1, text))
    }

    fn unavailable_because(doing: &'static str, cause: &str) -> StoreFault {
        StoreFault::Unavailable { doing, cause: cause.to_owned() }
    }

    #[test]
    fn only_a_group_that_projects_alone_may_leave_its_sync_to_a_later_one() {
        let (mut store, _folder) = open();
        let projection = || Write::Project(Projection { after: 0, upto: 1, events: Vec::new() });
        let resolve = || resolution("+972501234567", None);
        for (group, wanted) in
            [(vec![resolve()], 2), (vec![projection()], 1), (vec![projection(), resolve()], 2)]
        {
            store.commit(&group).expect("the store works");
            assert_eq!(level(&store), wanted, "{group:?}");
        }
    }

    #[test]
    fn a_reader_sees_nothing_of_a_group_before_its_commit() {
        let (store, _folder) = open();
        let mut reads = store.reads().expect("the store can be read");
        store.connection.execute_batch("BEGIN IMMEDIATE; UPDATE projection SET applied = 9").expect("open");
        assert_eq!(reads.applied_sequence(), Ok(0));
        store.connection.execute_batch("COMMIT").expect("committed");
        assert_eq!(reads.applied_sequence(), Ok(9));
    }
}
