//! The keys file: pads, one for each interaction, laid down before the interactions come, so that a commit of the journal
//! needs no second sync. The key of an interaction lies beside its payload in the journal, under its pad (added bit by
//! bit, and a pad is used once: a one-time pad). Destroying the pad destroys the key in the journal, its archive and
//! every copy of them, without rewriting one. Backups of this file are taken apart.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::Fault;
use super::file::{self, Kind};
use super::sealed::{KEY_LENGTH, random_bytes};

pub(super) const KIND: Kind = Kind {
    application_id: 0x6274_6e6b, // "btnk"
    schema: "CREATE TABLE pads(block INTEGER PRIMARY KEY, pads BLOB NOT NULL) STRICT;",
};

/// As many interactions, by their numbers, have their pads in one row: 32 KiB and one sync for all of them.
pub(super) const BLOCK: u64 = 1_024;
/// How many blocks may lie in the log before it is moved into the main file.
const CHECKPOINT_BLOCKS: u32 = 64;

/// How long the emptying of the log waits for somebody else who reads the file: everybody waits for it.
const READERS_MAX: Duration = Duration::from_millis(250);

pub(super) type Pad = [u8; KEY_LENGTH];

/// Behind the pads of a block, so that a changed bit is found before somebody's words, or the secret requests are hashed
/// with, come out as something else: their CRC-32C, little endian.
const CHECKSUM_LENGTH: usize = 4;

/// What is left where a pad was destroyed.
const DESTROYED: Pad = [0; KEY_LENGTH];

/// The keys file, open to write.
#[derive(Debug)]
pub(super) struct Keys {
    connection: Connection,
    path: PathBuf,
    /// The block that was used last, with its number.
    used: Option<(u64, Vec<u8>)>,
    /// The block that was looked at last, with its number, and whether there is one: who asks for one key mostly asks for its
    /// neighbours. Forgotten with whatever is written.
    seen: RefCell<Option<(u64, Option<Vec<u8>>)>>,
    laid_since_checkpoint: u32,
    /// It holds pads that were destroyed since.
    log_to_empty: bool,
}

impl Keys {
    pub fn open(path: &Path, tenant: &str) -> Result<Self, Fault> {
        let connection = file::open(path, &KIND, tenant)?;
        file::empty_log(&connection, path)?;
        connection.busy_timeout(READERS_MAX).map_err(Fault::sqlite(path, "open"))?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            used: None,
            seen: RefCell::default(),
            laid_since_checkpoint: 0,
            log_to_empty: false,
        })
    }

    /// The pad of an interaction, on stable storage on return.
    pub fn pad(&mut self, interaction: u64) -> Result<Pad, Fault> {
        let (block, at) = place(interaction);
        let pads = match self.used.take() {
            Some((used, pads)) if used == block => pads,
            _ => match block_at(&self.connection, &self.path, block)? {
                Some(pads) => pads,
                None => self.lay(block)?,
            },
        };
        let pads = if pad_in(&pads, at) == DESTROYED { self.lay_again(block, pads, at)? } else { pads };
        let pad = pad_in(&pads, at);
        self.used = Some((block, pads));
        Ok(pad)
    }

    /// A number that was erased comes again when an older journal was put back beside this file. Under the zeros that are left
    /// of its pad the new key would lie in clear.
    fn lay_again(&self, block: u64, mut pads: Vec<u8>, at: usize) -> Result<Vec<u8>, Fault> {
        self.seen.take();
        pads[at..at + KEY_LENGTH].copy_from_slice(&random_bytes(KEY_LENGTH));
        write(&self.connection, &self.path, block, &pads)?;
        Ok(pads)
    }

    fn lay(&mut self, block: u64) -> Result<Vec<u8>, Fault> {
        self.seen.take();
        let pads = random_bytes(BLOCK as usize * KEY_LENGTH);
        self.connection
            .prepare_cached("INSERT INTO pads VALUES (?1, ?2)")
            .and_then(|mut insert| insert.execute(params![block.cast_signed(), checked(&pads)]))
            .map_err(Fault::sqlite(&self.path, "write pads to"))?;
        self.laid_since_checkpoint += 1;
        if self.laid_since_checkpoint >= CHECKPOINT_BLOCKS {
            self.connection
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
                .map_err(Fault::sqlite(&self.path, "checkpoint"))?;
            self.laid_since_checkpoint = 0;
        }
        Ok(pads)
    }

    pub fn known(&self, interaction: u64) -> Result<Option<Pad>, Fault> {
        let (block, at) = place(interaction);
        let mut seen = self.seen.borrow_mut();
        let pads = match seen.take() {
            Some((number, pads)) if number == block => pads,
            _ => block_at(&self.connection, &self.path, block)?,
        };
        let pad = pads.as_ref().map(|pads| pad_in(pads, at)).filter(|pad| *pad != DESTROYED);
        *seen = Some((block, pads));
        Ok(pad)
    }

    /// Erasures that were seen, in a place of the file that SQLite leaves to us.
    pub fn erasures_seen(&self) -> Result<u64, Fault> {
        let seen: i64 = self
            .connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(Fault::sqlite(&self.path, "read"))?;
        Ok(u64::try_from(seen).unwrap_or_default())
    }

    pub fn note_erasures(&self, count: u64) -> Result<(), Fault> {
        let most = i32::try_from(count).unwrap_or(i32::MAX);
        self.connection
            .pragma_update(None, "user_version", most)
            .map_err(Fault::sqlite(&self.path, "note erasures in"))
    }

    /// Each block is written once, all of them together, and the log, which holds the pages as they were, is emptied.
    pub fn destroy(&mut self, interactions: &[u64]) -> Result<(), Fault> {
        self.used = None;
        self.seen.take();
        let mut places: Vec<(u64, usize)> = interactions.iter().map(|one| place(*one)).collect();
        places.sort_unstable();
        let transaction =
            self.connection.transaction().map_err(Fault::sqlite(&self.path, "destroy keys in"))?;
        for of_block in places.chunk_by(|one, next| one.0 == next.0) {
            let block = of_block[0].0;
            let Some(mut pads) = block_at(&transaction, &self.path, block)? else { continue };
            let mut changed = false;
            for (_, at) in of_block {
                let pad = &mut pads[*at..at + KEY_LENGTH];
                changed |= *pad != DESTROYED;
                pad.copy_from_slice(&DESTROYED);
            }
            if changed {
                write(&transaction, &self.path, block, &pads)?;
                self.log_to_empty = true;
            }
        }
        transaction.commit().map_err(Fault::sqlite(&self.path, "destroy keys in"))?;
        if self.log_to_empty {
            file::empty_log(&self.connection, &self.path)?;
            self.log_to_empty = false;
        }
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn is_empty(&self) -> Result<bool, Fault> {
        self.connection
            .query_row("SELECT NOT EXISTS (SELECT 1 FROM pads)", [], |row| row.get(0))
            .map_err(Fault::sqlite(&self.path, "read pads from"))
    }
}

fn write(connection: &Connection, path: &Path, block: u64, pads: &[u8]) -> Result<(), Fault> {
    connection
        .prepare_cached("UPDATE pads SET pads = ?2 WHERE block = ?1")
        .and_then(|mut update| update.execute(params![block.cast_signed(), checked(pads)]))
        .map(drop)
        .map_err(Fault::sqlite(path, "write pads to"))
}

/// The block of an interaction, and where in it the pad begins.
fn place(interaction: u64) -> (u64, usize) {
    (interaction / BLOCK, (interaction % BLOCK) as usize * KEY_LENGTH)
}

fn pad_in(pads: &[u8], at: usize) -> Pad {
    pads[at..at + KEY_LENGTH].try_into().expect("a pad has the length of a key")
}

/// The pad of an interaction; `None` if it was destroyed, or never laid down.
pub(super) fn get(connection: &Connection, path: &Path, interaction: u64) -> Result<Option<Pad>, Fault> {
    let (block, at) = place(interaction);
    let pads = block_at(connection, path, block)?;
    Ok(pads.map(|pads| pad_in(&pads, at)).filter(|pad| *pad != DESTROYED))
}

/// Looks at every page and block of a tenant's keys. How many blocks there are.
pub(crate) fn check_keys(dir: &Path) -> Result<u64, Fault> {
    let path = &super::sqlite::keys_path(dir);
    let connection = &file::open_read_only(path, &KIND)?;
    file::check_pages(connection, path)?;
    let blocks = || {
        let mut select = connection.prepare("SELECT block FROM pads ORDER BY block")?;
        select.query_map([], |row| row.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>()
    };
    let blocks = blocks().map_err(Fault::sqlite(path, "read pads from"))?;
    blocks.iter().try_for_each(|block| block_at(connection, path, block.cast_unsigned()).map(drop))?;
    Ok(blocks.len() as u64)
}

/// Blocks are numbered as `u64`; SQLite keeps the same bits as a signed number.
fn block_at(connection: &Connection, path: &Path, block: u64) -> Result<Option<Vec<u8>>, Fault> {
    let pads: Option<Vec<u8>> = connection
        .prepare_cached("SELECT pads FROM pads WHERE block = ?1")
        .and_then(|mut select| select.query_row([block.cast_signed()], |row| row.get(0)).optional())
        .map_err(Fault::sqlite(path, "read pads from"))?;
    let Some(mut pads) = pads else { return Ok(None) };
    let length = BLOCK as usize * KEY_LENGTH;
    if pads.len() != length + CHECKSUM_LENGTH {
        return Err(Fault::damaged(path, format!("the pads of block {block} are {} bytes", pads.len())));
    }
    let found = pads.split_off(length);
    if found != crc32c::crc32c(&pads).to_le_bytes() {
        return Err(Fault::damaged(path, format!("the pads of block {block} do not fit their checksum")));
    }
    Ok(Some(pads))
}

/// The pads of a block as they are written.
fn checked(pads: &[u8]) -> Vec<u8> {
    [pads, &crc32c::crc32c(pads).to_le_bytes()].concat()
}
