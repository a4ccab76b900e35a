//! One SQLite file of ours: created whole or not at all, recognised before SQLite touches it, recovered, and set up
//! the way the rest of the journal relies on. `journal.db` and `keys.db` differ in their `Kind` only.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};

use super::Fault;
use super::cut::{Cut, MAGIC};
use super::wal::{self, Tail};

/// The format of the files this release writes, and the newest it reads.
const FORMAT: i64 = 8;

/// The size of a memory page and of a disk sector group. Twice that would write twice the log for the small commits
/// of a quiet hour; big batches lie in overflow pages and read sequentially either way.
const PAGE_SIZE: u32 = 4096;

const META: &str = "CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL,
    tenant TEXT NOT NULL) STRICT;";

/// What tells our two files apart.
pub(crate) struct Kind {
    /// In the header of the file, so that a foreign one is known without opening it.
    pub application_id: i32,
    /// Tables besides `meta`.
    pub schema: &'static str,
}

/// Creates the file if there is none. Appears complete or not at all, so an empty or half-made file is damage.
pub(crate) fn create_if_missing(path: &Path, kind: &Kind, tenant: &str) -> Result<(), Fault> {
    if path.try_exists().map_err(Fault::io(path, "look for"))? {
        return Ok(());
    }
    let log = wal::path_of(path);
    if log.exists() {
        return Err(Fault::damaged(path, format!("it is missing, and its log {} is there", log.display())));
    }
    create(path, kind, tenant, PAGE_SIZE)
}

pub(super) fn create(path: &Path, kind: &Kind, tenant: &str, page_size: u32) -> Result<(), Fault> {
    let draft = draft_of(path);
    remove_if_there(&draft)?;
    fill(&draft, kind, tenant, page_size).map_err(Fault::sqlite(path, "create"))?;
    fs::rename(&draft, path).map_err(Fault::io(path, "create"))?;
    // The name must be as durable as what will be answered from behind it.
    let folder = path.parent().expect("the file lies in a folder");
    sync_folder(folder).map_err(Fault::io(folder, "sync"))
}

/// Creates a folder and what is missing above it, so that a power cut cannot take it away again.
pub(crate) fn create_folder(folder: &Path) -> Result<(), Fault> {
    create_and_sync(folder).map_err(Fault::io(folder, "create"))
}

fn create_and_sync(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !parent.exists() {
        create_and_sync(parent)?;
    }
    fs::create_dir(folder)?;
    sync_folder(parent)
}

pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

pub(super) fn draft_of(path: &Path) -> PathBuf {
    let mut draft = OsString::from(path);
    draft.push(".new");
    draft.into()
}

/// The files in a folder; none if there is no such folder.
pub(super) fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Fault::io(folder, "list")(error)),
        Ok(entries) => entries
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<_>>()
            .map_err(Fault::io(folder, "list")),
    }
}

pub(super) fn remove_if_there(path: &Path) -> Result<(), Fault> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Fault::io(path, "remove")(error)),
        _ => Ok(()),
    }
}

fn fill(draft: &Path, kind: &Kind, tenant: &str, page_size: u32) -> rusqlite::Result<()> {
    let mut connection = Connection::open(draft)?;
    connection.pragma_update(None, "page_size", page_size)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction()?;
    transaction.pragma_update(None, "application_id", kind.application_id)?;
    transaction.execute_batch(META)?;
    transaction.execute_batch(kind.schema)?;
    transaction.execute("INSERT INTO meta VALUES (1, ?1, ?2)", params![FORMAT, tenant])?;
    transaction.commit()?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.close().map_err(|(_, error)| error)
}

/// Opens the file to write, after looking at its header and its log; nothing else may have it open.
pub(crate) fn open(path: &Path, kind: &Kind, tenant: &str) -> Result<Connection, Fault> {
    recognise(path, kind)?;
    refuse_cut(path)?;
    if let Tail::Torn { frames } = wal::scan(path)? {
        tracing::info!(path = %path.display(), frames, "dropping an unfinished commit, which nobody was told of");
    }
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch(WRITER).map_err(Fault::sqlite(path, "open"))?;
    check_meta(&connection, path, tenant)?;
    Ok(connection)
}

/// Opens the file beside a connection that writes.
pub(crate) fn open_read_only(path: &Path, kind: &Kind) -> Result<Connection, Fault> {
    recognise(path, kind)?;
    connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// - `synchronous=FULL`: every commit is synced before it returns.
/// - `cache_spill=OFF`: a commit is written in one piece, in page order; `wal.rs` relies on it.
/// - `wal_autocheckpoint=0`: `sqlite.rs` chooses the moment, and notes first what the main file must hold.
/// - `journal_size_limit`: the log is written over in place, which spares the disk a change of its size with every
///   sync; only what one huge batch left beyond 16 MiB is given back.
/// - `secure_delete=ON`: deleted content is overwritten with zeros. For keys; `sqlite.rs` does without it, since what the
///   journal lets go is sealed and lies in the archive.
const WRITER: &str = "PRAGMA synchronous=FULL; PRAGMA cache_spill=OFF; PRAGMA wal_autocheckpoint=0;
    PRAGMA journal_size_limit=16777216; PRAGMA secure_delete=ON;";

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, Fault> {
    let open = || {
        // One thread has the connection, so SQLite needs no mutex of its own.
        let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        // A checkpoint at close would move rows into the main file without noting that they are there.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        Ok(connection)
    };
    open().map_err(Fault::sqlite(path, "open"))
}

fn check_meta(connection: &Connection, path: &Path, tenant: &str) -> Result<(), Fault> {
    let (format, found): (i64, String) = connection
        .query_row("SELECT format, tenant FROM meta WHERE one = 1", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(Fault::sqlite(path, "read the description of"))?;
    if format != FORMAT {
        return Err(Fault::OtherFormat { path: path.to_owned(), found: format, supported: FORMAT });
    }
    if found != tenant {
        return Err(Fault::OtherTenant { path: path.to_owned(), found, wanted: tenant.to_owned() });
    }
    Ok(())
}

/// Has SQLite look at every page and how they hang together.
pub(crate) fn check_pages(connection: &Connection, path: &Path) -> Result<(), Fault> {
    let found: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(Fault::sqlite(path, "check"))?;
    if found == "ok" { Ok(()) } else { Err(Fault::damaged(path, found)) }
}

/// Looks at the header of the main file. It never changes after creation where we look, so what is found there
/// decides without the log: whether it is ours, and in WAL mode, since in any other SQLite would pass over the log.
fn recognise(path: &Path, kind: &Kind) -> Result<(), Fault> {
    let foreign = |what: &str| Fault::Foreign { path: path.to_owned(), what: what.to_owned() };
    let mut header = [0; 100];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            return Err(foreign("it is shorter than the header of a SQLite database"));
        }
        read => read.map_err(Fault::io(path, "open"))?,
    }
    if !header.starts_with(MAGIC) {
        return Err(foreign("it does not begin like a SQLite database"));
    }
    if header[68..72] != kind.application_id.to_be_bytes() {
        return Err(foreign("it is a SQLite database with another application id"));
    }
    if header[18..20] != [2, 2] {
        return Err(Fault::damaged(path, "its header at byte 18 does not say WAL mode"));
    }
    Ok(())
}

fn refuse_cut(path: &Path) -> Result<(), Fault> {
    let cut = Cut::of(path).map_err(Fault::io(path, "read"))?;
    cut.map_or(Ok(()), |cut| Err(Fault::damaged(path, cut.to_string())))
}

/// Moves the log into the main file and empties it. What follows a torn tail must not be taken for a later commit
/// at the next scan, and nothing that was deleted may stay readable in the log.
pub(crate) fn empty_log(connection: &Connection, path: &Path) -> Result<(), Fault> {
    let busy: bool = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(Fault::sqlite(path, "empty the log of"))?;
    if busy { Err(Fault::Busy { path: path.to_owned() }) } else { Ok(()) }
}
