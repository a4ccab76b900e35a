//! Reading the rows of `journal.db`: for recovery through the connection that writes, and for whoever recomputes
//! explanations through a second one that cannot. Every row is checked against its neighbours and against itself.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row};

use super::file;
use super::record::{self, Batch, RecordRef};
use super::{Fault, Key, WrappedKey, keys, sqlite};

/// Sees a batch and its records.
pub(crate) type SeeBatch<'a> = dyn FnMut(Batch, &[RecordRef<'_>]) -> Result<ControlFlow<()>, Fault> + 'a;

/// A second connection to a journal that another one writes. Sees whole batches, as of the start of each reading.
#[derive(Debug)]
pub struct SqliteReader {
    journal: Connection,
    journal_path: PathBuf,
    /// `None` for one who does not want to know what is sealed.
    keys: Option<(Connection, PathBuf)>,
}

impl SqliteReader {
    pub(super) fn open(dir: &Path) -> Result<Self, Fault> {
        let alone = Self::alone(dir)?;
        let path = sqlite::keys_path(dir);
        let keys = file::open_read_only(&path, &keys::KIND)?;
        Ok(Self { keys: Some((keys, path)), ..alone })
    }

    /// Opens the journal without its keys.
    pub(crate) fn alone(dir: &Path) -> Result<Self, Fault> {
        let journal_path = sqlite::journal_path(dir);
        let journal = file::open_read_only(&journal_path, &sqlite::KIND)?;
        Ok(Self { journal, journal_path, keys: None })
    }

    /// As `Journal::read`, up to what was durable when it began. A long reading keeps the log from being
    /// restarted, so it grows meanwhile.
    pub fn read(
        &self,
        from_sequence: u64,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        // One snapshot for the end and the rows, or a batch written in between would look like damage.
        let snapshot =
            self.journal.unchecked_transaction().map_err(Fault::sqlite(&self.journal_path, "read"))?;
        let last = tail(&snapshot, &self.journal_path)?.sequence;
        read(&snapshot, &self.journal_path, from_sequence, last, visit)
    }

    /// The number of the first event it has; of the first there will be, if it has none.
    pub fn first(&self) -> Result<u64, Fault> {
        first(&self.journal, &self.journal_path)
    }

    /// Shows whole batches with their records, from the one that holds `from_sequence` on, each checked, until `see` breaks.
    pub(crate) fn batches(&self, from_sequence: u64, see: &mut SeeBatch<'_>) -> Result<(), Fault> {
        let mut see = |records: &[RecordRef<'_>], body: &[u8]| see(Batch::of(records, body), records);
        rows(&self.journal, &self.journal_path, from_sequence.max(1), &mut see).map(drop)
    }

    /// Sequence of the last record now, 0 when there is none.
    pub(crate) fn last_sequence(&self) -> Result<u64, Fault> {
        tail(&self.journal, &self.journal_path).map(|tail| tail.sequence)
    }

    /// How far the journal once reached at least, by what was noted before its log was last moved into it.
    pub(crate) fn noted(&self) -> Result<u64, Fault> {
        sqlite::noted(&self.journal, &self.journal_path)
    }

    /// Looks at the shape of the journal, down to every page.
    pub(crate) fn check_pages(&self) -> Result<(), Fault> {
        file::check_pages(&self.journal, &self.journal_path)
    }

    /// As `Journal::key`.
    pub fn key(&self, interaction: u64, wrapped: &WrappedKey) -> Result<Option<Key>, Fault> {
        let Some((keys, path)) = &self.keys else { return Ok(None) };
        let pad = keys::get(keys, path, interaction)?;
        Ok(pad.map(|pad| Key::unwrapped(wrapped, &pad)))
    }
}

/// Where the journal ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tail {
    pub sequence: u64,
    pub time_ms: u64,
}

/// The number of the first record; behind the last if there is none.
pub(super) fn first(connection: &Connection, path: &Path) -> Result<u64, Fault> {
    let first = connection
        .prepare_cached("SELECT min(first) FROM batches")
        .and_then(|mut select| select.query_row([], |row| row.get::<_, Option<i64>>(0)))
        .map_err(Fault::sqlite(path, "read the beginning of"))?;
    Ok(first.map_or(1, i64::cast_unsigned))
}

/// The last record, from the last row.
pub(super) fn tail(connection: &Connection, path: &Path) -> Result<Tail, Fault> {
    let query = || {
        connection
            .prepare_cached("SELECT first, last, body FROM batches ORDER BY first DESC LIMIT 1")?
            .query_row([], |row| {
                Ok(check_row(row, path, |records, _| Ok(records.last().copied().map(end_of))))
            })
            .optional()
    };
    match query().map_err(Fault::sqlite(path, "read the end of"))? {
        None => Ok(Tail::default()),
        Some(tail) => Ok(tail?.expect("a batch that decodes has records")),
    }
}

fn end_of(record: RecordRef<'_>) -> Tail {
    Tail { sequence: record.sequence, time_ms: record.time_ms }
}

/// Shows the records from `from_sequence` to `last`; anything missing between is a fault.
pub(super) fn read(
    connection: &Connection,
    path: &Path,
    from_sequence: u64,
    last: u64,
    visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let from = from_sequence.max(1);
    if from > last {
        return Ok(());
    }
    let end = rows(connection, path, from, &mut |records, _| {
        Ok(records.iter().filter(|record| record.sequence >= from).try_for_each(|&record| visit(record)))
    })?;
    match end {
        End::Broken => Ok(()),
        End::Next(next) if next == last + 1 => Ok(()),
        End::Next(next) => {
            Err(Fault::damaged(path, format!("it ends before sequence {next}, its last one is {last}")))
        }
    }
}

/// How a reading of rows ended.
enum End {
    /// By its visitor.
    Broken,
    /// With the last row: the sequence that would follow.
    Next(u64),
}

/// Sees the records of a row, and the row.
type SeeRow<'a> = dyn FnMut(&[RecordRef<'_>], &[u8]) -> Result<ControlFlow<()>, Fault> + 'a;

/// Shows the rows from the one that holds `from` on, each checked against its neighbour and itself.
fn rows(connection: &Connection, path: &Path, from: u64, see: &mut SeeRow<'_>) -> Result<End, Fault> {
    let fault = || Fault::sqlite(path, "read");
    let mut select = connection.prepare_cached(ROWS).map_err(fault())?;
    let mut rows = select.query([i64::try_from(from).unwrap_or(i64::MAX)]).map_err(fault())?;
    let mut next = None;
    while let Some(row) = rows.next().map_err(fault())? {
        let (flow, end) = check_row(row, path, |records, body| {
            check_place(path, records[0].sequence, next, from)?;
            Ok((see(records, body)?, records[records.len() - 1].sequence))
        })?;
        if flow.is_break() {
            return Ok(End::Broken);
        }
        next = Some(end + 1);
    }
    Ok(End::Next(next.unwrap_or(from)))
}

const ROWS: &str = "SELECT first, last, body FROM batches
    WHERE first >= coalesce((SELECT max(first) FROM batches WHERE first <= ?1), 0) ORDER BY first";

/// The first row must hold `from`, each following one must begin where the one before ended.
fn check_place(path: &Path, first: u64, next: Option<u64>, from: u64) -> Result<(), Fault> {
    let (expected, fits) = next.map_or((from, first <= from), |next| (next, first == next));
    if fits {
        return Ok(());
    }
    Err(Fault::damaged(
        path,
        format!("a batch at sequence {expected} is missing, the next one begins at {first}"),
    ))
}

/// Decodes a row, whose columns must say what its batch says, and gives its records to `then`.
fn check_row<T>(
    row: &Row<'_>,
    path: &Path,
    then: impl FnOnce(&[RecordRef<'_>], &[u8]) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let fault = || Fault::sqlite(path, "read a batch of");
    let first: i64 = row.get(0).map_err(fault())?;
    let last: i64 = row.get(1).map_err(fault())?;
    let body = row.get_ref(2).map_err(fault())?;
    let Ok(body) = body.as_blob() else {
        return Err(Fault::damaged(path, format!("the row at sequence {first} holds no batch")));
    };
    let records = record::decode(body).map_err(Fault::batch(path, first.cast_unsigned()))?;
    let held = (records[0].sequence.cast_signed(), records[records.len() - 1].sequence.cast_signed());
    if held != (first, last) {
        return Err(Fault::damaged(
            path,
            format!("the row for sequences {first} to {last} holds {} to {}", held.0, held.1),
        ));
    }
    then(&records, body)
}
