//! The draft: one a tenant, changed only by whoever has seen its last state. Each state has an etag, and the last few
//! states are kept, so that whoever comes too late is told what changed meanwhile.

use super::audit::{self, Act, Note, loaded, stored};
use super::book::Rulebook;
use super::model::{BookError, By, Draft, Publication, Refused};
use super::read;
use crate::journal::Fault;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// Of the states a draft had, the newest so many are kept to compare with.
pub const DRAFTS_KEPT_MAX: u32 = 32;

impl Rulebook {
    /// The draft. Where there is none it is the version in force, and nobody's; `None` before the first version.
    pub fn draft(&self) -> Result<Option<Draft>, Fault> {
        draft(&self.connection).map_err(self.reading())
    }

    /// Writes another text over the state of the draft that an etag names.
    pub fn write_draft(&mut self, text: &str, etag: &str, by: &By) -> Result<Draft, BookError> {
        let done = self.change("write the draft in", |change| {
            if let Some(stale) = stale(change, etag)? {
                return Ok(Err(stale));
            }
            let base = read::in_force(change)?.map_or(0, |one| one.number);
            keep_the_one_before(change)?;
            change.execute("UPDATE state SET draft_last = draft_last + 1 WHERE one = 1", [])?;
            change.execute(
                "INSERT OR REPLACE INTO draft (one, text, state, base, who, time_ms)
                    VALUES (1, ?1, (SELECT draft_last FROM state), ?2, ?3, ?4)",
                params![text, base, by.who, stored(by.time)],
            )?;
            let now = draft(change)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            let detail = format!("on version {base}; {} bytes", text.len());
            audit::note(change, &Note { by, act: Act::DraftChanged, subject: now.etag.clone(), detail })?;
            Ok(Ok(now))
        });
        Ok(done??)
    }

    /// Throws the draft away, if its state is the one that an etag names.
    pub fn discard_draft(&mut self, etag: &str, by: &By) -> Result<(), BookError> {
        let done = self.change("discard the draft in", |change| {
            if !there_is_one(change)? {
                return Ok(Err(Refused::NoDraft));
            }
            if let Some(stale) = stale(change, etag)? {
                return Ok(Err(stale));
            }
            discard(change)?;
            let (subject, detail) = (etag.to_owned(), String::new());
            audit::note(change, &Note { by, act: Act::DraftDiscarded, subject, detail })?;
            Ok(Ok(()))
        });
        Ok(done??)
    }

    /// Refuses an etag that does not name the draft as it is now.
    pub fn is_draft(&self, etag: &str) -> Result<Result<(), Refused>, Fault> {
        let look = || {
            if !there_is_one(&self.connection)? {
                return Ok(Err(Refused::NoDraft));
            }
            Ok(stale(&self.connection, etag)?.map_or(Ok(()), Err))
        };
        look().map_err(self.reading())
    }

    /// The text that an etag names, if it is the draft's, a version's, or one of the last states of the draft.
    pub fn text_of(&self, etag: &str) -> Result<Option<String>, Fault> {
        text_of(&self.connection, etag).map_err(self.reading())
    }
}

fn text_of(connection: &Connection, etag: &str) -> rusqlite::Result<Option<String>> {
    if let Some(now) = draft(connection)?.filter(|draft| draft.etag == etag) {
        return Ok(Some(now.text));
    }
    let number = |prefix: &str| etag.strip_prefix(prefix).and_then(|number| number.parse::<u32>().ok());
    if let Some(number) = number("v") {
        return Ok(read::version(connection, number)?.map(|version| version.text));
    }
    let Some(state) = number("d") else { return Ok(None) };
    let select = "SELECT text FROM drafts_before WHERE state = ?1";
    connection.query_row(select, params![state], |row| row.get(0)).optional()
}

fn draft(connection: &Connection) -> rusqlite::Result<Option<Draft>> {
    let select = "SELECT text, state, base, who, time_ms FROM draft WHERE one = 1";
    let own = connection.query_row(select, [], |row| {
        Ok(Draft {
            text: row.get(0)?,
            etag: format!("d{}", row.get::<_, i64>(1)?),
            base: row.get(2)?,
            author: row.get(3)?,
            time: loaded(row.get(4)?),
        })
    });
    if let Some(own) = own.optional()? {
        return Ok(Some(own));
    }
    let Some(in_force) = read::in_force(connection)? else { return Ok(None) };
    let Some(version) = read::version(connection, in_force.number)? else { return Ok(None) };
    let etag = format!("v{}", version.number);
    let (base, time) = (version.number, in_force.since);
    Ok(Some(Draft { text: version.text, etag, base, author: String::new(), time }))
}

fn there_is_one(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT count(*) FROM draft", [], |row| row.get(0))
}

/// Why an etag does not name what is there now.
fn stale(connection: &Connection, etag: &str) -> rusqlite::Result<Option<Refused>> {
    let current = draft(connection)?.map_or_else(String::new, |draft| draft.etag);
    let got = etag.to_owned();
    Ok((current != got).then_some(Refused::StaleEtag { got, current }))
}

fn keep_the_one_before(change: &Transaction<'_>) -> rusqlite::Result<()> {
    change.execute("INSERT OR REPLACE INTO drafts_before SELECT state, text FROM draft", [])?;
    change.execute(
        "DELETE FROM drafts_before WHERE state + ?1 <= (SELECT draft_last FROM state)",
        params![DRAFTS_KEPT_MAX],
    )?;
    Ok(())
}

fn discard(change: &Transaction<'_>) -> rusqlite::Result<()> {
    keep_the_one_before(change)?;
    change.execute("DELETE FROM draft", [])?;
    Ok(())
}

/// Who wrote what is to be published, if it is the draft in the state that was seen, and nothing was put in force since
/// it was written: that would be undone by somebody who has not seen it.
pub(super) fn to_publish(
    connection: &Connection,
    publication: &Publication,
    in_force: Option<u32>,
) -> rusqlite::Result<Result<Option<String>, Refused>> {
    let (base, author) = match &publication.draft {
        None => (publication.base, None),
        Some(etag) => {
            if !there_is_one(connection)? {
                return Ok(Err(Refused::NoDraft));
            }
            if let Some(stale) = stale(connection, etag)? {
                return Ok(Err(stale));
            }
            let draft = draft(connection)?;
            let who = &publication.by.who;
            if publication.four_eyes && draft.as_ref().is_some_and(|draft| draft.author == *who) {
                return Ok(Err(Refused::SamePerson { who: who.clone() }));
            }
            (draft.as_ref().map(|draft| draft.base), draft.map(|draft| draft.author))
        }
    };
    let overtaken = base.zip(in_force).filter(|(base, in_force)| base != in_force);
    Ok(match overtaken {
        Some((base, in_force)) => Err(Refused::BaseOvertaken { base, in_force }),
        None => Ok(author),
    })
}

/// The draft is a version now.
pub(super) fn published(change: &Transaction<'_>, publication: &Publication) -> rusqlite::Result<()> {
    if publication.draft.is_some() { discard(change) } else { Ok(()) }
}
