//! A version that runs beside the one in force: recorded like any other, and not in force. One at a time; publishing ends it.

use super::audit::{self, Act, Note, loaded, stored};
use super::book::{Rulebook, insert, next_version};
use super::model::{BookError, By, Publication, Refused, Version};
use crate::engine::time::Time;
use crate::journal::Fault;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// How a version runs beside the one in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Running {
    pub number: u32,
    /// Parts per million of what comes. `None`: in shadow.
    pub share_ppm: Option<u32>,
    pub bound: Option<Bounded>,
    pub since: Time,
}

/// A figure that ends it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bounded {
    /// The word of the figure.
    pub figure: String,
    pub at: u64,
    pub after: u64,
}

impl Rulebook {
    /// Records a version and lets it run beside the one in force, in the place of any that did.
    pub fn run_beside(
        &mut self,
        publication: &Publication,
        share_ppm: Option<u32>,
        bound: Option<&Bounded>,
    ) -> Result<Version, BookError> {
        let done = self.change("run beside in", |change| {
            let version = match next_version(change, publication)? {
                Ok(version) => version,
                Err(refused) => return Ok(Err(refused)),
            };
            insert(change, &version)?;
            put(change, &version, share_ppm, bound)?;
            Ok(Ok(version))
        });
        Ok(done??)
    }

    /// Ends what runs beside the one in force; the number it had.
    pub fn end_beside(&mut self, by: &By, detail: &str) -> Result<u32, BookError> {
        let done = self.change("end beside in", |change| {
            let Some(running) = running(change)? else { return Ok(Err(Refused::NothingBeside)) };
            change.execute("DELETE FROM beside", [])?;
            let (subject, detail) = (running.number.to_string(), detail.to_owned());
            audit::note(change, &Note { by, act: Act::EndedBeside, subject, detail })?;
            Ok(Ok(running.number))
        });
        Ok(done??)
    }

    /// What runs beside the one in force.
    pub fn beside(&self) -> Result<Option<Running>, Fault> {
        running(&self.connection).map_err(Fault::sqlite(&self.path, "read"))
    }
}

fn put(
    change: &Transaction<'_>,
    version: &Version,
    share_ppm: Option<u32>,
    bound: Option<&Bounded>,
) -> rusqlite::Result<()> {
    let by = &version.published;
    change.execute(
        "INSERT OR REPLACE INTO beside VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            version.number,
            share_ppm,
            bound.map(|bound| &bound.figure),
            bound.map(|bound| whole(bound.at)),
            bound.map(|bound| whole(bound.after)),
            stored(by.time)
        ],
    )?;
    let how = match share_ppm {
        None => "in shadow".to_owned(),
        Some(ppm) => format!("for {}.{:04} % of what comes", ppm / 10_000, ppm % 10_000),
    };
    let until = bound.map_or_else(String::new, |bound| {
        format!("; until {} is beyond {} after {}", bound.figure, bound.at, bound.after)
    });
    let detail = format!("{how}{until}; written by {}; content {}", version.author, version.content());
    audit::note(change, &Note { by, act: Act::RunsBeside, subject: version.number.to_string(), detail })
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn running(connection: &Connection) -> rusqlite::Result<Option<Running>> {
    let select = "SELECT number, share_ppm, figure, bound, enough, since_ms FROM beside WHERE one = 1";
    let read = |row: &rusqlite::Row<'_>| {
        let number = |column| row.get::<_, Option<i64>>(column).map(|at| at.unwrap_or(0).unsigned_abs());
        let figure: Option<String> = row.get(2)?;
        let (at, after) = (number(3)?, number(4)?);
        Ok(Running {
            number: row.get(0)?,
            share_ppm: row.get(1)?,
            bound: figure.map(|figure| Bounded { figure, at, after }),
            since: loaded(row.get(5)?),
        })
    };
    connection.query_row(select, [], read).optional()
}
