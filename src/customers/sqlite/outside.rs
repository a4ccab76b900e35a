//! What is done to the file from outside of a server: a copy of it, a look through it, and taking back what was projected
//! from events that are lost.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use super::super::store::StoreFault;
use super::{FILE, connect, from_sql, open_fault, refuse_cut, to_sql, unavailable};
use crate::journal::copy::{copy_pages, sync};

/// Copies the file as of one instant, also beside a server that writes to it. Gives the event it has seen.
pub(crate) fn copy_store(from: &Path, to: &Path) -> Result<u64, StoreFault> {
    let path = to.join(FILE);
    let source = read_only(&from.join(FILE))?;
    copy_pages(&source, &path).map_err(unavailable("copying the customers"))?;
    sync(&path)
        .map_err(|fault| StoreFault::Open { path: path.display().to_string(), cause: fault.to_string() })?;
    applied_by(to)
}

/// The last event a file has seen.
pub(crate) fn applied_by(folder: &Path) -> Result<u64, StoreFault> {
    applied(&read_only(&folder.join(FILE))?)
}

/// Looks at every page. Gives the last event it has seen.
pub(crate) fn check_store(folder: &Path) -> Result<u64, StoreFault> {
    let path = folder.join(FILE);
    refuse_cut(&path)?;
    let connection = read_only(&path)?;
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| open_fault(&path, &error))?;
    if found != "ok" {
        return Err(StoreFault::Open { path: path.display().to_string(), cause: found });
    }
    applied(&connection)
}

/// Takes back what events after `sequence` brought that is no longer so: contacts by interactions above `interaction`.
/// What became of earlier ones stays, and is written over by what will become of them.
pub(crate) fn take_back(folder: &Path, sequence: u64, interaction: u64) -> Result<(), StoreFault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = connect(&folder.join(FILE), flags)?;
    let mut take = || {
        let transaction = connection.transaction()?;
        transaction.execute(
            "UPDATE customers SET
                entries = entries - (SELECT count(*) FROM history AS lost
                    WHERE lost.customer = customers.number AND lost.interaction > ?1),
                contacts = contacts - (SELECT count(*) FROM history AS lost
                    WHERE lost.customer = customers.number AND lost.interaction > ?1 AND lost.kind = 1)
            WHERE number IN (SELECT customer FROM history WHERE interaction > ?1)",
            [to_sql(interaction)],
        )?;
        transaction.execute("DELETE FROM history WHERE interaction > ?1", [to_sql(interaction)])?;
        transaction
            .execute("UPDATE projection SET applied = ?1 WHERE applied > ?1", params![to_sql(sequence)])?;
        transaction.commit()
    };
    take().map_err(unavailable("taking back what is lost"))
}

fn applied(connection: &Connection) -> Result<u64, StoreFault> {
    let applied = connection.query_row("SELECT applied FROM projection", [], |row| row.get(0));
    applied.map(from_sql).map_err(unavailable("reading what it has seen"))
}

fn read_only(path: &Path) -> Result<Connection, StoreFault> {
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}
