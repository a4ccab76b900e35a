//! Looks through the audit trail and the versions it speaks of, and names the first thing that is not as it was
//! written.

use super::audit::{self, Act, HASH, hex};
use super::book::Rulebook;
use super::read;
use crate::journal::Fault;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::collections::BTreeMap;
use thiserror::Error;

/// What came of looking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Rows that are as they were written, from the first on.
    pub rows: u64,
    /// The hash of the last of them, in hexadecimal. Noted elsewhere it proves that nothing before was written anew.
    pub head: String,
    /// `None`: nothing was changed.
    pub trouble: Option<Trouble>,
}

/// The first thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Trouble {
    #[error("row {sequence} of the audit trail is not as it was written")]
    Changed { sequence: u64 },
    #[error("row {sequence} of the audit trail is missing: row {found} follows")]
    Missing { sequence: u64, found: i64 },
    #[error("row {sequence} of the audit trail is missing: it was the last of {rows}")]
    EndMissing { sequence: u64, rows: i64 },
    #[error("row {sequence} of the audit trail was never noted as the newest")]
    EndAdded { sequence: u64 },
    #[error("version {number} is not as it was published")]
    VersionChanged { number: String },
    #[error("version {number} is missing")]
    VersionMissing { number: String },
    #[error("version {number} was never published")]
    VersionAdded { number: u32 },
    #[error("version {found} is said to be in force, and the audit trail says {want}")]
    InForce { found: String, want: String },
}

/// Time, texts and hash of a row.
type Raw<'a> = (i64, [&'a [u8]; 5], &'a [u8]);

/// What the rows say of the versions.
#[derive(Default)]
struct Told {
    /// The content of each, by its number.
    contents: BTreeMap<String, String>,
    in_force: Option<String>,
}

impl Rulebook {
    /// Looks through everything, in one moment's state of it.
    pub fn verify(&self) -> Result<Verdict, Fault> {
        verify(&self.connection, &self.tenant).map_err(self.reading())
    }
}

fn verify(connection: &Connection, tenant: &str) -> rusqlite::Result<Verdict> {
    let snapshot = connection.unchecked_transaction()?;
    let mut verdict = Verdict { rows: 0, head: String::new(), trouble: None };
    let (mut before, mut told) = (audit::origin(tenant), Told::default());
    let mut select = snapshot.prepare(
        "SELECT sequence, time_ms, who, what, subject, reason, detail, hash FROM audit ORDER BY sequence",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        match follows(row, verdict.rows, &before, &mut told) {
            Ok(hash) => before = hash,
            Err(trouble) => {
                verdict.trouble = Some(trouble);
                break;
            }
        }
        verdict.rows += 1;
    }
    verdict.head = hex(&before);
    if verdict.trouble.is_none() {
        verdict.trouble = end(&snapshot, verdict.rows, &before)?;
    }
    if verdict.trouble.is_none() {
        verdict.trouble = versions(&snapshot, told)?;
    }
    Ok(verdict)
}

/// The hash of a row, if it follows the ones before.
fn follows(row: &Row<'_>, passed: u64, before: &[u8], told: &mut Told) -> Result<Vec<u8>, Trouble> {
    let sequence = passed + 1;
    let changed = Trouble::Changed { sequence };
    let Ok(found) = row.get::<_, i64>(0) else { return Err(changed) };
    if u64::try_from(found) != Ok(sequence) {
        return Err(Trouble::Missing { sequence, found });
    }
    let Some((time, texts, hash)) = raw(row) else { return Err(changed) };
    if hash.len() != HASH || audit::chained(before, found, time, &texts) != hash {
        return Err(changed);
    }
    told.hear(texts);
    Ok(hash.to_vec())
}

/// Bytes, whatever they are: what is no text any more has been changed, and that is all there is to say.
fn raw<'a>(row: &'a Row<'_>) -> Option<Raw<'a>> {
    let time = row.get::<_, i64>(1).ok()?;
    let text = |column| match row.get_ref(column) {
        Ok(ValueRef::Text(bytes)) => Some(bytes),
        _ => None,
    };
    let texts = [text(2)?, text(3)?, text(4)?, text(5)?, text(6)?];
    match row.get_ref(7) {
        Ok(ValueRef::Blob(hash)) => Some((time, texts, hash)),
        _ => None,
    }
}

impl Told {
    fn hear(&mut self, [_, what, subject, _, detail]: [&[u8]; 5]) {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let Some(act) = Act::of(&text(what)).filter(|act| act.names_a_version()) else { return };
        let (number, detail) = (text(subject), text(detail));
        let content = detail.rsplit_once("content ").map(|(_, content)| content.to_owned());
        self.contents.insert(number.clone(), content.unwrap_or_default());
        if act.puts_in_force() {
            self.in_force = Some(number);
        }
    }
}

/// The rows end where the state says they do.
fn end(snapshot: &Connection, rows: u64, head: &[u8]) -> rusqlite::Result<Option<Trouble>> {
    let select = "SELECT audit_rows, audit_head FROM state WHERE one = 1";
    let (noted, noted_head): (i64, Vec<u8>) =
        snapshot.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let passed = i64::try_from(rows).unwrap_or(i64::MAX);
    Ok(match passed.cmp(&noted) {
        std::cmp::Ordering::Less => Some(Trouble::EndMissing { sequence: rows + 1, rows: noted }),
        std::cmp::Ordering::Greater => Some(Trouble::EndAdded { sequence: rows }),
        std::cmp::Ordering::Equal if noted_head != head => Some(Trouble::Changed { sequence: rows.max(1) }),
        std::cmp::Ordering::Equal => None,
    })
}

/// Every version is as it was published, and the one in force is the one that was put there last.
fn versions(snapshot: &Connection, mut told: Told) -> rusqlite::Result<Option<Trouble>> {
    let mut select = snapshot.prepare(
        "SELECT number, text, name, who, time_ms, reason, author, base, waiting FROM versions ORDER BY number",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let number: u32 = row.get(0)?;
        let Some(content) = told.contents.remove(&number.to_string()) else {
            return Ok(Some(Trouble::VersionAdded { number }));
        };
        let as_published = read::read_version(row).is_ok_and(|version| version.content() == content);
        if !as_published {
            return Ok(Some(Trouble::VersionChanged { number: number.to_string() }));
        }
    }
    if let Some((number, _)) = told.contents.pop_first() {
        return Ok(Some(Trouble::VersionMissing { number }));
    }
    let found = read::in_force(snapshot)?.map(|one| one.number.to_string());
    let differs = found != told.in_force;
    let said = |number: Option<String>| number.unwrap_or_else(|| "none".to_owned());
    Ok(differs.then(|| Trouble::InForce { found: said(found), want: said(told.in_force) }))
}
