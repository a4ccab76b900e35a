//! What can fail outside of us: disk, folder, a damaged or foreign file. Every fault names the path and what was
//! found there, because the reader of the message stands in front of that folder.

use std::io;
use std::path::{Path, PathBuf};

use super::record::Corruption;

/// Why the journal cannot go on. None of these is worth a retry by the writer: the process says why and exits.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Another process works on the folder.
    #[error("data folder {} is in use by {}; stop it or choose another folder", folder.display(), holder(*pid))]
    Locked {
        /// The data folder.
        folder: PathBuf,
        /// The process that holds the lock, when it has already written its id.
        pid: Option<u32>,
    },
    /// The operating system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What we were doing, as a verb: `open`, `create`.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite refused for a reason other than damage: full, read-only, busy, an I/O error.
    #[error("cannot {doing} {}: {source}", path.display())]
    Store {
        /// The database file.
        path: PathBuf,
        /// What we were doing, as a verb.
        doing: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A connection that reads keeps the file from being brought in order.
    #[error("{} is being read by another connection; close it and try again", path.display())]
    Busy {
        /// The database file.
        path: PathBuf,
    },
    /// The file is ours and not what we wrote.
    #[error("{} is damaged: {what}; restore it from a backup, or ask baton journal verify what is left", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and how.
        what: String,
    },
    /// The file is not one of ours, or so damaged that it no longer says so.
    #[error("{} is not a baton file: {what}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        what: String,
    },
    /// Written by another release: a newer one, or one before the format settled.
    #[error("{} has format {found}, this release reads {supported}; use the release that wrote it", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: i64,
        /// The one this release reads.
        supported: i64,
    },
    /// It was there once, and went with the oldest of the archive.
    #[error("event {wanted} is not kept any more in {}, the first that is kept is {first}", folder.display())]
    NotRetained {
        /// The folder of the tenant.
        folder: PathBuf,
        /// What was to be read first.
        wanted: u64,
        /// The first there is.
        first: u64,
    },
    /// An older journal was put back beside it: what it tells of the time since is of another past.
    #[error(
        "{} reaches to event {archived}, the journal beside it ends with {last}: put both back from the same backup, or move the archive away",
        folder.display()
    )]
    ArchiveAhead {
        /// The folder of the archive.
        folder: PathBuf,
        /// Its last event.
        archived: u64,
        /// The last of the journal.
        last: u64,
    },
    /// The disk has too little room to begin with.
    #[error(
        "there is too little room in {}: a start needs {needed}, {free} are free; make room or choose another folder",
        folder.display()
    )]
    NoRoom {
        /// The data folder.
        folder: PathBuf,
        /// What a start needs, for people.
        needed: String,
        /// What there is, for people.
        free: String,
    },
    /// The folder of another tenant.
    #[error("{} belongs to tenant {found:?}, not to {wanted:?}", path.display())]
    OtherTenant {
        /// The file.
        path: PathBuf,
        /// Whose file it is.
        found: String,
        /// For whom it was opened.
        wanted: String,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl Fault {
    /// For `map_err`: an I/O error met while `doing` something to `path`.
    pub(crate) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> Fault {
        move |source| Fault::Io { path: path.to_owned(), doing, source }
    }

    /// For `map_err`: an error of SQLite, told apart into damage and everything else.
    pub(crate) fn sqlite(path: &Path, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Fault {
        move |source| {
            if is_damage(&source) {
                return Fault::damaged(path, format!("cannot {doing} it: {source}"));
            }
            Fault::Store { path: path.to_owned(), doing, source }
        }
    }

    /// Whether the disk is full.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Fault::Io { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            Fault::Store { source: rusqlite::Error::SqliteFailure(failure, _), .. } => {
                failure.code == rusqlite::ErrorCode::DiskFull
            }
            _ => false,
        }
    }

    /// For `map_err`: a stored batch that does not decode.
    pub(super) fn batch(path: &Path, first: u64) -> impl FnOnce(Corruption) -> Fault {
        move |corruption| match corruption {
            Corruption::OtherFormat { found, supported } => {
                Fault::OtherFormat { path: path.to_owned(), found: found.into(), supported: supported.into() }
            }
            other => Fault::damaged(path, format!("batch at sequence {first}: {other}")),
        }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Fault {
        Fault::Damaged { path: path.to_owned(), what: what.into() }
    }
}

/// Our statements and column types are fixed, so a statement that no longer compiles, a value of another type or a
/// row that is gone can only come from a changed file.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::{Error, ErrorCode, ffi};
    match error {
        Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                // The file is shorter than it says, or a statement of ours no longer compiles.
                || matches!(failure.extended_code, ffi::SQLITE_IOERR_SHORT_READ | ffi::SQLITE_ERROR)
        }
        Error::SqlInputError { .. }
        | Error::InvalidColumnType(..)
        | Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::Utf8Error(..)
        | Error::QueryReturnedNoRows => true,
        _ => false,
    }
}
