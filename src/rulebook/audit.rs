//! The audit trail: rows that are only ever added, each with a hash over the one before and its own content. Whoever
//! changes, removes or moves a row breaks every hash after it.
//!
//! What the chain cannot show: that somebody who holds the file wrote all of it anew. Note the newest hash elsewhere.

use crate::engine::time::Time;
use crate::rulebook::By;
use ring::digest::{Context, SHA256, digest};
use rusqlite::{Connection, Row, params};

/// The bytes of a hash.
pub(super) const HASH: usize = 32;

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// The first version came with the start of the server.
    Began,
    Published,
    RolledBack,
    DraftChanged,
    DraftDiscarded,
    /// Who waited was planned again.
    PlannedAgain,
    /// A version runs in shadow or for a share, beside the one in force.
    RunsBeside,
    /// It does no more.
    EndedBeside,
}

impl Act {
    const ALL: [Act; 8] = [
        Act::Began,
        Act::Published,
        Act::RolledBack,
        Act::DraftChanged,
        Act::DraftDiscarded,
        Act::PlannedAgain,
        Act::RunsBeside,
        Act::EndedBeside,
    ];

    /// The word it is kept under.
    pub fn word(self) -> &'static str {
        match self {
            Act::Began => "began",
            Act::Published => "published",
            Act::RolledBack => "rolled back",
            Act::DraftChanged => "draft changed",
            Act::DraftDiscarded => "draft discarded",
            Act::PlannedAgain => "planned again",
            Act::RunsBeside => "runs beside",
            Act::EndedBeside => "ended beside",
        }
    }

    pub(super) fn of(word: &str) -> Option<Act> {
        Act::ALL.into_iter().find(|act| act.word() == word)
    }

    /// True if it makes a version that was not there before, or puts one in force.
    pub(super) fn names_a_version(self) -> bool {
        self.puts_in_force() || self == Act::RunsBeside
    }

    /// True if it changes which version is in force.
    pub(super) fn puts_in_force(self) -> bool {
        matches!(self, Act::Began | Act::Published | Act::RolledBack)
    }
}

/// A row of the trail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audited {
    /// Counts from 1 without gaps.
    pub sequence: u64,
    pub by: By,
    /// An `Act`, in its word.
    pub what: String,
    /// The version or the state of the draft it was done to.
    pub subject: String,
    pub detail: String,
    /// Over the row before and this one, in hexadecimal.
    pub hash: String,
}

/// What is about to be noted.
pub(super) struct Note<'a> {
    pub by: &'a By,
    pub act: Act,
    pub subject: String,
    pub detail: String,
}

/// Adds a row, in the transaction of whatever it speaks of.
pub(super) fn note(connection: &Connection, note: &Note) -> rusqlite::Result<()> {
    let select = "SELECT audit_rows, audit_head, (SELECT time_ms FROM audit WHERE sequence = audit_rows)
        FROM state WHERE one = 1";
    let (sequence, before, last): (i64, Vec<u8>, Option<i64>) =
        connection.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let sequence = sequence + 1;
    // Whoever began earlier may come later: the trail's times are in its order.
    let time = stored(note.by.time).max(last.unwrap_or(0));
    let texts = [&note.by.who, note.act.word(), &note.subject, &note.by.reason, &note.detail];
    let hash = chained(&before, sequence, time, &texts.map(str::as_bytes));
    connection.execute(
        "INSERT INTO audit (sequence, time_ms, who, what, subject, reason, detail, hash)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![sequence, time, texts[0], texts[1], texts[2], texts[3], texts[4], hash],
    )?;
    connection.execute(
        "UPDATE state SET audit_rows = ?1, audit_head = ?2 WHERE one = 1",
        params![sequence, hash],
    )?;
    Ok(())
}

/// What the first row is chained to: the tenant's, so that no other tenant's trail fits.
pub(super) fn origin(tenant: &str) -> Vec<u8> {
    digest(&SHA256, format!("baton audit of {tenant}").as_bytes()).as_ref().to_vec()
}

/// The hash of a row that follows `before`.
pub(super) fn chained(before: &[u8], sequence: i64, time: i64, texts: &[&[u8]]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(&sequence.to_le_bytes());
    context.update(&time.to_le_bytes());
    for text in texts {
        // With its length, so that nothing can move from one column into the next.
        context.update(&(text.len() as u64).to_le_bytes());
        context.update(text);
    }
    context.finish().as_ref().to_vec()
}

/// For people.
pub(super) fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A row, as `SELECT sequence, time_ms, who, what, subject, reason, detail, hash` gives it.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Audited> {
    let hash: Vec<u8> = row.get(7)?;
    Ok(Audited {
        sequence: u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default(),
        by: By { who: row.get(2)?, time: loaded(row.get(1)?), reason: row.get(5)? },
        what: row.get(3)?,
        subject: row.get(4)?,
        detail: row.get(6)?,
        hash: hex(&hash),
    })
}

/// As SQLite keeps it.
pub(super) fn stored(time: Time) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

/// As it was before.
pub(super) fn loaded(time: i64) -> Time {
    Time(u64::try_from(time).unwrap_or_default())
}
