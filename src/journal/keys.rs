//! The keys file: one key per interaction whose events carry personal payload, apart from the journal so that a
//! person can be erased from the one without rewriting the other. Backups of it are taken apart, too.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::file::{self, Kind};
use super::sealed::KEY_LENGTH;
use super::{Fault, Key};

pub(super) const KIND: Kind = Kind {
    application_id: 0x6274_6e6b, // "btnk"
    schema: "CREATE TABLE keys(interaction INTEGER PRIMARY KEY, key BLOB NOT NULL) STRICT;",
};

/// The keys file, open to write.
#[derive(Debug)]
pub(super) struct Keys {
    connection: Connection,
    path: PathBuf,
}

impl Keys {
    pub fn open(path: &Path, tenant: &str) -> Result<Self, Fault> {
        let connection = file::open(path, &KIND, tenant)?;
        file::empty_log(&connection, path)?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// Adds keys, durable on return. The newer one wins: an older one under the same number was written for a batch
    /// that never came to be, or this interaction could not begin again.
    pub fn add(&mut self, keys: &[(u64, Key)]) -> Result<(), Fault> {
        if keys.is_empty() {
            return Ok(());
        }
        self.insert(keys).map_err(Fault::sqlite(&self.path, "write keys to"))?;
        Ok(())
    }

    fn insert(&mut self, keys: &[(u64, Key)]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT OR REPLACE INTO keys VALUES (?1, ?2)")?;
            for (interaction, key) in keys {
                insert.execute(params![interaction.cast_signed(), key.as_bytes()])?;
            }
        }
        transaction.commit()
    }

    pub fn get(&self, interaction: u64) -> Result<Option<Key>, Fault> {
        get(&self.connection, &self.path, interaction)
    }

    /// Empties the log as well: it holds the page as it was before.
    pub fn destroy(&mut self, interaction: u64) -> Result<(), Fault> {
        self.connection
            .execute("DELETE FROM keys WHERE interaction = ?1", [interaction.cast_signed()])
            .map_err(Fault::sqlite(&self.path, "destroy a key in"))?;
        file::empty_log(&self.connection, &self.path)
    }

    pub fn is_empty(&self) -> Result<bool, Fault> {
        self.connection
            .query_row("SELECT NOT EXISTS (SELECT 1 FROM keys)", [], |row| row.get(0))
            .map_err(Fault::sqlite(&self.path, "read keys from"))
    }
}

/// Interactions are numbered as `u64`; SQLite keeps the same bits as a signed number.
pub(super) fn get(connection: &Connection, path: &Path, interaction: u64) -> Result<Option<Key>, Fault> {
    let mut select = connection
        .prepare_cached("SELECT key FROM keys WHERE interaction = ?1")
        .map_err(Fault::sqlite(path, "read keys from"))?;
    let key: Option<[u8; KEY_LENGTH]> = select
        .query_row([interaction.cast_signed()], |row| row.get(0))
        .optional()
        .map_err(Fault::sqlite(path, "read a key from"))?;
    Ok(key.map(Key::from_bytes))
}
