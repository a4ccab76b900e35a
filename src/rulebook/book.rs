//! The file, and publishing. Whatever is done is one transaction with its row of the audit trail: a process that dies
//! at any instant leaves what was before or what came after, never half of it.

use super::audit::{self, Act, Note, loaded, stored};
use super::model::{BookError, By, InForce, Publication, Refused, Version, Waiting};
use super::{VERSION_MAX, draft, read};
use crate::journal::Fault;
use crate::journal::copy::copy_file;
use crate::journal::file::{self, Kind};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};

const KIND: Kind = Kind {
    application_id: 0x6274_6e72, // "btnr"
    schema: SCHEMA,
};

/// `planning_again` is the version who waits is being planned again with, `draft_last` the newest state any draft had.
const SCHEMA: &str = "
    CREATE TABLE versions(number INTEGER PRIMARY KEY, text TEXT NOT NULL, name TEXT NOT NULL, who TEXT NOT NULL,
        time_ms INTEGER NOT NULL, reason TEXT NOT NULL, author TEXT NOT NULL, base INTEGER, waiting INTEGER NOT NULL)
        STRICT;
    CREATE TABLE state(one INTEGER PRIMARY KEY CHECK (one = 1), in_force INTEGER, since_ms INTEGER NOT NULL,
        planning_again INTEGER, draft_last INTEGER NOT NULL, audit_rows INTEGER NOT NULL, audit_head BLOB NOT NULL)
        STRICT;
    CREATE TABLE draft(one INTEGER PRIMARY KEY CHECK (one = 1), text TEXT NOT NULL, state INTEGER NOT NULL,
        base INTEGER NOT NULL, who TEXT NOT NULL, time_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE drafts_before(state INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
    CREATE TABLE beside(one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, share_ppm INTEGER, figure TEXT,
        bound INTEGER, enough INTEGER, since_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE audit(sequence INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
        subject TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, hash BLOB NOT NULL) STRICT;";

/// The versions, the draft and the audit trail of one tenant.
#[derive(Debug)]
pub struct Rulebook {
    pub(super) connection: Connection,
    pub(super) path: PathBuf,
    pub(super) tenant: String,
}

/// The file in the folder of a tenant.
pub(super) fn path_of(dir: &Path) -> PathBuf {
    dir.join("rules.db")
}

/// Copies the file of a tenant, also beside a server that writes to it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Fault> {
    copy_file(&path_of(from), &path_of(to), &KIND)
}

impl Rulebook {
    /// Opens the file in the folder of a tenant, and creates it if there is none. The caller holds the lock of the data
    /// folder.
    pub fn open(dir: &Path, tenant: &str) -> Result<Rulebook, Fault> {
        file::create_folder(dir)?;
        let path = path_of(dir);
        file::create_if_missing(&path, &KIND, tenant)?;
        let connection = file::open(&path, &KIND, tenant)?;
        file::empty_log(&connection, &path)?;
        let book = Rulebook { connection, path, tenant: tenant.to_owned() };
        book.check()?;
        book.ready()?;
        Ok(book)
    }

    /// Opens it beside a server that writes to it, to look only.
    pub fn open_read_only(dir: &Path) -> Result<Rulebook, Fault> {
        let path = path_of(dir);
        let connection = file::open_read_only(&path, &KIND)?;
        let tenant = connection
            .query_row("SELECT tenant FROM meta WHERE one = 1", [], |row| row.get(0))
            .map_err(Fault::sqlite(&path, "read the description of"))?;
        Ok(Rulebook { connection, path, tenant })
    }

    /// Beside a journal in memory: gone with the process.
    pub fn in_memory(tenant: &str) -> Rulebook {
        let sound = "SQLite makes tables in memory";
        let connection = Connection::open_in_memory().expect(sound);
        connection.execute_batch(SCHEMA).expect(sound);
        let book = Rulebook { connection, path: "rules in memory".into(), tenant: tenant.to_owned() };
        book.ready().expect(sound);
        book
    }

    /// What SQLite itself finds wrong.
    fn check(&self) -> Result<(), Fault> {
        let found: String = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(Fault::sqlite(&self.path, "check"))?;
        if found == "ok" { Ok(()) } else { Err(Fault::damaged(&self.path, found)) }
    }

    /// The one row of the state is there from the beginning on.
    fn ready(&self) -> Result<(), Fault> {
        let insert = "INSERT OR IGNORE INTO state VALUES (1, NULL, 0, NULL, 0, 0, ?1)";
        let done = self.connection.execute(insert, params![audit::origin(&self.tenant)]);
        done.map(drop).map_err(Fault::sqlite(&self.path, "begin"))
    }

    /// The first version: what the server was started with. It has the number that is written in it.
    pub fn begin(&mut self, publication: &Publication) -> Result<Version, Fault> {
        self.change("begin", |change| {
            let version = version(publication, publication.number, None, None);
            put(change, &version, Act::Began, &publication.by)?;
            Ok(version)
        })
    }

    /// Publishes a document as the next version, and puts it in force.
    pub fn publish(&mut self, publication: &Publication) -> Result<Version, BookError> {
        let done = self.change("publish in", |change| {
            let version = match next_version(change, publication)? {
                Ok(version) => version,
                Err(refused) => return Ok(Err(refused)),
            };
            draft::published(change, publication)?;
            put(change, &version, Act::Published, &publication.by)?;
            Ok(Ok(version))
        });
        Ok(done??)
    }

    /// Puts an older version in force again, under its own number.
    pub fn roll_back(&mut self, to: u32, by: &By, waiting: Waiting) -> Result<Version, BookError> {
        let done = self.change("roll back in", |change| {
            let in_force = read::in_force(change)?.map(|one| one.number);
            if in_force == Some(to) {
                return Ok(Err(Refused::InForceAlready { number: to }));
            }
            let Some(version) = read::version(change, to)? else {
                return Ok(Err(Refused::VersionUnknown { number: to }));
            };
            put_in_force(change, &version, waiting, Act::RolledBack, by, in_force)?;
            Ok(Ok(version))
        });
        Ok(done??)
    }

    /// Who waited has been planned again with a version: so many, and so many were refused.
    pub fn planned_again(&mut self, number: u32, by: &By, counted: &str) -> Result<(), Fault> {
        self.change("note in", |change| {
            change.execute(
                "UPDATE state SET planning_again = NULL WHERE one = 1 AND planning_again = ?1",
                params![number],
            )?;
            let detail = counted.to_owned();
            audit::note(change, &Note { by, act: Act::PlannedAgain, subject: number.to_string(), detail })
        })
    }

    /// One change: all of it is on stable storage on return, or nothing.
    pub(super) fn change<T>(
        &mut self,
        doing: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Fault> {
        let path = &self.path;
        let act = |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = change(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        let done = act(&mut self.connection).map_err(Fault::sqlite(path, doing))?;
        // Into the main file as far as nobody reads: the log must not grow for ever, and what stays in it is durable too.
        let passed = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        passed.map_err(Fault::sqlite(path, "put in order"))?;
        Ok(done)
    }
}

/// What a document is to be recorded as, unless it is refused.
pub(super) fn next_version(
    change: &Transaction<'_>,
    publication: &Publication,
) -> rusqlite::Result<Result<Version, Refused>> {
    let in_force = read::in_force(change)?.map(|one| one.number);
    let author = draft::to_publish(change, publication, in_force)?;
    let number = next_number(publication.number, read::highest(change)?);
    Ok(author.and_then(|author| Ok(version(publication, number?, author, in_force))))
}

/// The number written in a document if it is higher than every one so far, else the next.
fn next_number(written: u32, highest: u32) -> Result<u32, Refused> {
    if written > VERSION_MAX {
        return Err(Refused::NumberTooHigh { got: written });
    }
    let next = highest.checked_add(1).ok_or(Refused::NumberTooHigh { got: highest })?;
    Ok(written.max(next))
}

pub(super) fn version(
    publication: &Publication,
    number: u32,
    author: Option<String>,
    base: Option<u32>,
) -> Version {
    Version {
        number,
        text: publication.text.clone(),
        name: publication.name.clone(),
        published: publication.by.clone(),
        author: author.unwrap_or_else(|| publication.by.who.clone()),
        base,
        waiting: publication.waiting,
    }
}

/// A new version, and in force.
fn put(change: &Transaction<'_>, version: &Version, act: Act, by: &By) -> rusqlite::Result<()> {
    insert(change, version)?;
    put_in_force(change, version, version.waiting, act, by, version.base)
}

/// A new version.
pub(super) fn insert(change: &Transaction<'_>, version: &Version) -> rusqlite::Result<()> {
    change.execute(
        "INSERT INTO versions (number, text, name, who, time_ms, reason, author, base, waiting)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            version.number,
            version.text,
            version.name,
            version.published.who,
            stored(version.published.time),
            version.published.reason,
            version.author,
            version.base,
            version.waiting.code()
        ],
    )?;
    Ok(())
}

fn put_in_force(
    change: &Transaction<'_>,
    version: &Version,
    waiting: Waiting,
    act: Act,
    by: &By,
    before: Option<u32>,
) -> rusqlite::Result<()> {
    let again = (waiting == Waiting::PlanAgain).then_some(version.number);
    change.execute(
        "UPDATE state SET in_force = ?1, since_ms = ?2, planning_again = ?3 WHERE one = 1",
        params![version.number, stored(by.time), again],
    )?;
    // What ran beside another is beside nothing any more.
    change.execute("DELETE FROM beside", [])?;
    let from = before.map_or_else(|| "nothing".to_owned(), |number| format!("version {number}"));
    let detail = format!(
        "in force after {from}; who waits: {}; written by {}; content {}",
        waiting.word(),
        version.author,
        version.content()
    );
    audit::note(change, &Note { by, act, subject: version.number.to_string(), detail })
}

impl InForce {
    pub(super) fn of(number: u32, since_ms: i64, planning_again: Option<u32>) -> InForce {
        InForce { number, since: loaded(since_ms), planning_again: planning_again == Some(number) }
    }
}
