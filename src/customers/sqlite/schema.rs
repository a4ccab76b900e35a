//! The tables, and the version of their shape. A newer file is refused by name rather than misread.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::super::store::StoreFault;
use super::open_fault;

/// The shape that this release writes.
const VERSION: i64 = 3;

/// Numbers are never given twice, not even after a row is gone: hence AUTOINCREMENT.
/// Every index ends in the row's number by itself, so `history_by_time` is the whole order of a history.
const TABLES: &str = "
    CREATE TABLE customers (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        display_name TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        entries INTEGER NOT NULL DEFAULT 0      -- rows in history: counted once, not for every card
    ) STRICT;
    CREATE TABLE addresses (
        kind INTEGER NOT NULL,
        value TEXT NOT NULL,
        customer INTEGER NOT NULL,
        PRIMARY KEY (kind, value)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX addresses_by_customer ON addresses (customer);
    CREATE TABLE history (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        customer INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        time_ms INTEGER NOT NULL,
        channel INTEGER NOT NULL,
        summary TEXT NOT NULL,                  -- empty for a contact: made from the columns below
        text TEXT NOT NULL,
        request_id TEXT,
        interaction INTEGER,                    -- this and the rest: set exactly for a contact
        queue TEXT,
        intent TEXT,
        agent TEXT,
        outcome INTEGER,
        disposition TEXT,
        wait_ms INTEGER
    ) STRICT;
    CREATE INDEX history_by_time ON history (customer, time_ms);
    CREATE INDEX contacts_by_time ON history (customer, time_ms, interaction) WHERE kind = 1;
    CREATE UNIQUE INDEX history_by_interaction ON history (interaction) WHERE interaction IS NOT NULL;
    CREATE UNIQUE INDEX history_by_request ON history (customer, request_id) WHERE request_id IS NOT NULL;
    CREATE TABLE projection (applied INTEGER NOT NULL) STRICT;
    INSERT INTO projection VALUES (0);
    PRAGMA user_version = 1;
";

/// What version 2 adds.
const PROMISES: &str = "
    CREATE TABLE promises (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        customer INTEGER NOT NULL,
        made_ms INTEGER NOT NULL,
        what BLOB NOT NULL,                     -- the texts, postcard
        request_id TEXT,
        redeemed_ms INTEGER,                    -- this and the rest: set exactly for a redeemed one
        redeemed_by TEXT,
        redeemed_place TEXT,
        redeemed_note TEXT,
        redeemed_request_id TEXT
    ) STRICT;
    CREATE INDEX promises_by_customer ON promises (customer);
    CREATE UNIQUE INDEX promises_by_request ON promises (customer, request_id) WHERE request_id IS NOT NULL;
    PRAGMA user_version = 2;
";

/// What version 3 adds. Columns that most rows do not have come last, so that they take a byte each at most.
const JOURNEYS: &str = "
    ALTER TABLE customers ADD COLUMN contacts INTEGER NOT NULL DEFAULT 0;   -- of kind 1, those let go included
    ALTER TABLE customers ADD COLUMN head INTEGER;                  -- under whom linked customers are seen
    ALTER TABLE customers ADD COLUMN linked_to INTEGER;             -- by which link; the head has none
    ALTER TABLE customers ADD COLUMN tier TEXT NOT NULL DEFAULT '';
    ALTER TABLE customers ADD COLUMN language TEXT NOT NULL DEFAULT '';
    ALTER TABLE customers ADD COLUMN preferred_channel INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE customers ADD COLUMN minor INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE customers ADD COLUMN contact_person INTEGER;
    CREATE INDEX customers_by_head ON customers (head) WHERE head IS NOT NULL;
    CREATE INDEX customers_by_contact_person ON customers (contact_person) WHERE contact_person IS NOT NULL;
    UPDATE customers SET contacts =
        (SELECT count(*) FROM history WHERE history.kind = 1 AND history.customer = customers.number);
    ALTER TABLE history ADD COLUMN matter TEXT NOT NULL DEFAULT '';
    ALTER TABLE history ADD COLUMN about INTEGER NOT NULL DEFAULT 0;        -- what contacts about the same share
    ALTER TABLE history ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE history ADD COLUMN outbound INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE history ADD COLUMN measure INTEGER;                 -- this and the score: set for some feedback
    ALTER TABLE history ADD COLUMN score INTEGER;
    ALTER TABLE history ADD COLUMN sentiment INTEGER;
    DROP INDEX contacts_by_time;
    CREATE INDEX contacts_by_time ON history (customer, time_ms, interaction, about) WHERE kind = 1;
    CREATE INDEX history_pinned ON history (customer, time_ms) WHERE pinned = 1;
    CREATE TABLE consents (
        customer INTEGER NOT NULL,
        channel INTEGER NOT NULL,
        address_kind INTEGER NOT NULL,          -- 0: every address
        address_value TEXT NOT NULL,
        allowed INTEGER NOT NULL,
        since_ms INTEGER NOT NULL,
        said_to TEXT NOT NULL,
        PRIMARY KEY (customer, channel, address_kind, address_value)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX consents_by_address ON consents (address_kind, address_value) WHERE address_kind > 0;
    CREATE TABLE changes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        customer INTEGER NOT NULL,
        time_ms INTEGER NOT NULL,
        what TEXT NOT NULL,
        by TEXT NOT NULL,
        why TEXT NOT NULL
    ) STRICT;
    CREATE INDEX changes_by_customer ON changes (customer);
    ALTER TABLE promises ADD COLUMN tier TEXT;                      -- set for one to a tier; its customer is 0
    ALTER TABLE promises ADD COLUMN redeemed_alternative INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE promises ADD COLUMN withdrawn_ms INTEGER;
    ALTER TABLE promises ADD COLUMN withdrawn_by TEXT;
    ALTER TABLE promises ADD COLUMN withdrawn_reason TEXT;
    CREATE INDEX promises_by_tier ON promises (tier) WHERE tier IS NOT NULL;
    CREATE UNIQUE INDEX promises_by_tier_request ON promises (tier, request_id)
        WHERE tier IS NOT NULL AND request_id IS NOT NULL;
    DROP INDEX promises_by_request;
    CREATE UNIQUE INDEX promises_by_request ON promises (customer, request_id)
        WHERE tier IS NULL AND request_id IS NOT NULL;
    CREATE TABLE redemptions (                  -- of promises to tiers
        promise INTEGER NOT NULL,
        customer INTEGER NOT NULL,
        redeemed_ms INTEGER NOT NULL,
        redeemed_by TEXT NOT NULL,
        redeemed_place TEXT NOT NULL,
        redeemed_note TEXT NOT NULL,
        redeemed_alternative INTEGER NOT NULL,
        request_id TEXT,
        PRIMARY KEY (promise, customer)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX redemptions_by_customer ON redemptions (customer);
    PRAGMA user_version = 3;
";

/// Makes the file ready: write-ahead log on, tables there, version known.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreFault> {
    let fault = |error: rusqlite::Error| open_fault(path, &error);
    // The version comes first: of a file of a newer release not even the journal mode is touched.
    match version(connection).map_err(fault)? {
        found if found > VERSION => {
            return Err(StoreFault::NewerSchema { path: path.display().to_string(), found, known: VERSION });
        }
        VERSION => write_ahead(connection).map_err(fault)?,
        _ => create(connection).map_err(fault)?,
    }
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
}

/// From whatever version to this one. Two processes may open a folder at once: the second one finds the version set inside
/// its transaction.
fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    write_ahead(connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if version(&transaction)? == 0 {
        transaction.execute_batch(TABLES)?;
    }
    if version(&transaction)? == 1 {
        transaction.execute_batch(PROMISES)?;
    }
    if version(&transaction)? == 2 {
        transaction.execute_batch(JOURNEYS)?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::super::super::store::CustomerStore;
    use super::super::{FILE, SqliteStore};
    use super::*;

    #[test]
    fn a_file_of_a_newer_release_is_refused_by_name_and_left_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE);
        let newer = Connection::open(&path).expect("a new file");
        newer.pragma_update(None, "user_version", VERSION + 1).expect("a version can be set");
        drop(newer);
        let before = std::fs::read(&path).expect("the file is there");
        let fault = SqliteStore::open(folder.path()).err();
        let path_shown = path.display().to_string();
        assert_eq!(
            fault,
            Some(StoreFault::NewerSchema { path: path_shown, found: VERSION + 1, known: VERSION })
        );
        assert_eq!(std::fs::read(&path).expect("the file is there"), before);
    }

    #[test]
    fn a_file_of_the_release_before_gets_what_is_new_and_keeps_what_it_has() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let older = Connection::open(folder.path().join(FILE)).expect("a new file");
        older.execute_batch(TABLES).expect("the tables of then");
        older.execute("INSERT INTO customers (display_name, created_ms) VALUES ('Ana', 7)", []).expect("one");
        let contact = "INSERT INTO history (customer, kind, time_ms, channel, summary, text, interaction, queue, intent,
            agent, outcome, disposition) VALUES (1, 1, 8, 1, '', 'help', 1, 'sales', '', '', 1, '')";
        older.execute(contact, []).expect("a contact");
        drop(older);
        let store = SqliteStore::open(folder.path()).expect("an older file is brought up to date");
        let mut reads = store.reads().expect("it can be read");
        let ana = super::super::super::model::CustomerId(1);
        assert_eq!(reads.promises(ana), Ok(Some(Vec::new())));
        assert_eq!(reads.customer(ana).expect("it works").expect("she is there").display_name, "Ana");
        let recalled = reads.recall(ana, 0).expect("it works").expect("she is there");
        assert_eq!((recalled.lifetime_contacts, recalled.newest.len(), recalled.contacts.len()), (1, 1, 1));
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join(FILE), "x".repeat(4_096)).expect("a file can be written");
        let fault = SqliteStore::open(folder.path()).err().expect("this is no database");
        assert!(
            fault.to_string().contains("customers.db cannot be opened: file is not a database"),
            "{fault}"
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let fault = SqliteStore::open(&folder.path().join("absent")).err().expect("there is no folder");
        assert!(matches!(fault, StoreFault::Open { .. }), "{fault}");
    }

    #[test]
    fn a_file_that_is_there_is_opened_again_with_its_log_ahead() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        drop(SqliteStore::open(folder.path()).expect("a new store"));
        let store = SqliteStore::open(folder.path()).expect("the same store");
        assert!(store.reads().is_ok());
        let mode: String = store
            .connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .expect("the mode can be read");
        assert_eq!(mode, "wal");
    }
}
