//! Looking into a rulebook: versions, the one in force, the rows of the audit trail.

use super::audit::{self, Audited, hex, loaded};
use super::book::Rulebook;
use super::model::{By, InForce, Version, Waiting};
use crate::journal::Fault;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

const VERSION: &str = "SELECT number, text, name, who, time_ms, reason, author, base, waiting FROM versions";
/// The same without the text: a page of versions may have a gigabyte of that.
const BRIEFLY: &str = "SELECT number, '', name, who, time_ms, reason, author, base, waiting FROM versions";

impl Rulebook {
    /// The version in force; `None` before the first.
    pub fn in_force(&self) -> Result<Option<InForce>, Fault> {
        in_force(&self.connection).map_err(self.reading())
    }

    /// One version.
    pub fn version(&self, number: u32) -> Result<Option<Version>, Fault> {
        version(&self.connection, number).map_err(self.reading())
    }

    /// Versions below a number without their texts, the newest first, at most so many.
    pub fn versions(&self, below: u32, at_most: usize) -> Result<Vec<Version>, Fault> {
        let rows = || {
            let text = format!("{BRIEFLY} WHERE number < ?1 ORDER BY number DESC LIMIT ?2");
            let mut select = self.connection.prepare(&text)?;
            select
                .query_map(params![below, limit(at_most)], read_version)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        rows().map_err(self.reading())
    }

    /// The version that was in force before the one that is.
    pub fn before(&self, number: u32) -> Result<Option<u32>, Fault> {
        let select = "SELECT subject FROM audit WHERE what IN ('began', 'published', 'rolled back')
            ORDER BY sequence DESC";
        let rows = || {
            let mut select = self.connection.prepare(select)?;
            let subjects = select.query_map([], |row| row.get::<_, String>(0))?;
            let numbers = subjects.map(|subject| subject.map(|subject| subject.parse::<u32>().ok()));
            let other =
                numbers.filter_map(Result::transpose).find(|one| !matches!(one, Ok(n) if *n == number));
            other.transpose()
        };
        rows().map_err(self.reading())
    }

    /// Rows of the audit trail below a sequence, the newest first, at most so many.
    pub fn audited(&self, below: u64, at_most: usize) -> Result<Vec<Audited>, Fault> {
        let select = "SELECT sequence, time_ms, who, what, subject, reason, detail, hash FROM audit
            WHERE sequence < ?1 ORDER BY sequence DESC LIMIT ?2";
        let below = i64::try_from(below).unwrap_or(i64::MAX);
        let rows = || {
            let mut select = self.connection.prepare(select)?;
            select
                .query_map(params![below, limit(at_most)], audit::read)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        rows().map_err(self.reading())
    }

    pub(super) fn reading(&self) -> impl FnOnce(rusqlite::Error) -> Fault + '_ {
        Fault::sqlite(&self.path, "read")
    }
}

fn limit(at_most: usize) -> i64 {
    i64::try_from(at_most).unwrap_or(i64::MAX)
}

pub(super) fn in_force(connection: &Connection) -> rusqlite::Result<Option<InForce>> {
    let select = "SELECT in_force, since_ms, planning_again FROM state WHERE one = 1";
    connection.query_row(select, [], |row| {
        let number: Option<u32> = row.get(0)?;
        let (since, again): (i64, Option<u32>) = (row.get(1)?, row.get(2)?);
        Ok(number.map(|number| InForce::of(number, since, again)))
    })
}

/// The highest number so far, 0 before the first.
pub(super) fn highest(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("SELECT coalesce(max(number), 0) FROM versions", [], |row| row.get(0))
}

pub(super) fn version(connection: &Connection, number: u32) -> rusqlite::Result<Option<Version>> {
    connection.query_row(&format!("{VERSION} WHERE number = ?1"), params![number], read_version).optional()
}

pub(super) fn read_version(row: &Row<'_>) -> rusqlite::Result<Version> {
    let waiting: i64 = row.get(8)?;
    let waiting = Waiting::of(waiting).ok_or(rusqlite::Error::IntegralValueOutOfRange(8, waiting))?;
    let number: u32 = row.get(0)?;
    if number == 0 {
        return Err(rusqlite::Error::InvalidColumnType(0, "number".into(), Type::Integer));
    }
    Ok(Version {
        number,
        text: row.get(1)?,
        name: row.get(2)?,
        published: By { who: row.get(3)?, time: loaded(row.get(4)?), reason: row.get(5)? },
        author: row.get(6)?,
        base: row.get(7)?,
        waiting,
    })
}

impl Version {
    /// The hash of all it is, in hexadecimal: it stands in the audit trail, so that a version cannot be changed unseen.
    pub fn content(&self) -> String {
        let By { who, time, reason } = &self.published;
        let waiting = self.waiting.word();
        let texts = [&self.text, &self.name, who, reason, &self.author, waiting].map(str::as_bytes);
        let base = i64::from(self.base.unwrap_or(0)).to_le_bytes();
        hex(&audit::chained(&base, self.number.into(), audit::stored(*time), &texts))
    }
}
