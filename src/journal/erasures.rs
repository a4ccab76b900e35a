//! What was erased, in numbers and times: a file of its own, written before anything is destroyed and read at every start.
//! So an erasure that a crash cut short is finished, and older copies of the other files, put back, are erased again. Nothing
//! personal is in it. Copies of it are never put back over a newer one: that would be forgetting to forget.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::Fault;
use super::file::{self, Kind};

/// In the folder of a tenant.
pub(super) const FILE_NAME: &str = "erasures.db";

pub(super) const KIND: Kind = Kind {
    application_id: 0x6274_6e78, // "btnx"
    schema: "CREATE TABLE erasures(number INTEGER PRIMARY KEY, erased BLOB NOT NULL) STRICT;",
};

/// One erasure. Numbers come again after a restore, so each has the time, in ms since 1970, at which whoever or whatever has
/// it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// When it was.
    pub time_ms: i64,
    /// The customers.
    pub customers: Vec<(u64, i64)>,
    /// The interactions.
    pub interactions: Vec<(u64, i64)>,
}

/// The erasures of one tenant, beside its journal.
#[derive(Debug)]
pub struct Erasures {
    /// `None` beside a journal in memory: nothing comes back that was destroyed there.
    file: Option<(Connection, PathBuf)>,
}

impl Erasures {
    /// Opens the file in the folder of a tenant, and creates it if there is none. The caller holds the lock of the data folder.
    pub fn open(dir: &Path, tenant: &str) -> Result<Self, Fault> {
        file::create_folder(dir)?;
        let path = dir.join(FILE_NAME);
        file::create_if_missing(&path, &KIND, tenant)?;
        let connection = file::open(&path, &KIND, tenant)?;
        file::empty_log(&connection, &path)?;
        Ok(Self { file: Some((connection, path)) })
    }

    /// Beside a journal in memory.
    pub fn in_memory() -> Self {
        Self { file: None }
    }

    /// Adds one. It is on stable storage on return, and in the main file alone, so that a copy of that is whole. How many there
    /// are now; 0 beside a journal in memory.
    pub fn append(&mut self, erasure: &Erasure) -> Result<u64, Fault> {
        let Some((connection, path)) = &self.file else { return Ok(0) };
        let bytes = postcard::to_stdvec(erasure).expect("an erasure has no part that cannot be encoded");
        connection
            .execute("INSERT INTO erasures (erased) VALUES (?1)", params![bytes])
            .map_err(Fault::sqlite(path, "append to"))?;
        file::empty_log(connection, path)?;
        // None is ever deleted, so the number of the last is how many there are.
        Ok(connection.last_insert_rowid().cast_unsigned())
    }

    /// Opens it to look only.
    pub(crate) fn open_read_only(dir: &Path) -> Result<Self, Fault> {
        let path = dir.join(FILE_NAME);
        Ok(Self { file: Some((file::open_read_only(&path, &KIND)?, path)) })
    }

    /// All of them, oldest first.
    pub fn read(&self) -> Result<Vec<Erasure>, Fault> {
        let Some((connection, path)) = &self.file else { return Ok(Vec::new()) };
        let rows = || {
            let mut select = connection.prepare("SELECT erased FROM erasures ORDER BY number")?;
            select.query_map([], |row| row.get::<_, Vec<u8>>(0))?.collect::<rusqlite::Result<Vec<_>>>()
        };
        let rows = rows().map_err(Fault::sqlite(path, "read"))?;
        let erasures = rows.iter().map(|bytes| postcard::from_bytes(bytes));
        erasures
            .collect::<Result<_, _>>()
            .map_err(|error| Fault::damaged(path, format!("an erasure cannot be read: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn erasure(customer: u64) -> Erasure {
        Erasure { time_ms: 5, customers: vec![(customer, 1)], interactions: vec![(7, 2), (u64::MAX, -3)] }
    }

    #[test]
    fn what_was_appended_is_there_after_opening_again_in_its_order() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut erasures = Erasures::open(folder.path(), "acme").expect("new");
        assert_eq!(erasures.read().expect("readable"), []);
        erasures.append(&erasure(2)).expect("appended");
        erasures.append(&erasure(1)).expect("appended");
        drop(erasures);
        let erasures = Erasures::open(folder.path(), "acme").expect("there");
        assert_eq!(erasures.read().expect("readable"), [erasure(2), erasure(1)]);
    }

    #[test]
    fn a_copy_of_the_main_file_alone_is_whole() {
        let (folder, other) = (tempfile::tempdir().expect("one"), tempfile::tempdir().expect("another"));
        let mut erasures = Erasures::open(folder.path(), "acme").expect("new");
        erasures.append(&erasure(1)).expect("appended");
        std::fs::copy(folder.path().join("erasures.db"), other.path().join("erasures.db")).expect("copied");
        let copied = Erasures::open(other.path(), "acme").expect("a copy made while it was open");
        assert_eq!(copied.read().expect("readable"), [erasure(1)]);
    }

    #[test]
    fn a_foreign_file_another_tenants_and_a_damaged_one_are_refused_by_name() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("erasures.db");
        let refusal = |tenant| Erasures::open(folder.path(), tenant).expect_err("refused").to_string();
        std::fs::write(&path, "hello").expect("written");
        assert!(refusal("acme").contains("erasures.db is not a baton file"));
        std::fs::remove_file(&path).expect("removed");
        let mut erasures = Erasures::open(folder.path(), "acme").expect("new");
        erasures.append(&erasure(1)).expect("appended");
        assert!(refusal("bank").contains(r#"belongs to tenant "acme""#));
        let (connection, _) = erasures.file.as_ref().expect("it has a file");
        connection.execute("UPDATE erasures SET erased = x'ff'", []).expect("updated");
        let fault = erasures.read().expect_err("it is no erasure").to_string();
        assert!(fault.contains("erasures.db is damaged: an erasure cannot be read"), "{fault}");
    }

    #[test]
    fn in_memory_nothing_is_kept() {
        let mut erasures = Erasures::in_memory();
        erasures.append(&erasure(1)).expect("nothing to do");
        assert_eq!(erasures.read().expect("readable"), []);
    }
}
