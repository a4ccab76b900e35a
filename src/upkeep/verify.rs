//! Looks through a data folder that no server uses: every header, every log, every page, every batch, every event,
//! snapshots and archive too. Changes nothing, and says of each file what was found, or where it is damaged.

use super::kept::{Kept, Looked};
use super::{TenantFolder, UpkeepError, tenants};
use crate::customers::check_store;
use crate::engine::event::Event;
use crate::journal::set_aside::{self, read};
use crate::journal::{Erasures, Fault, FolderLock, SqliteReader, check_keys, scan_log};
use crate::rulebook::Rulebook;
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::Path;

/// What was found of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Whose it is.
    pub tenant: String,
    /// Its name in the folder of the tenant.
    pub file: String,
    /// What is in it, as far as it could be read.
    pub holds: String,
    /// Where it is damaged, and how.
    pub damage: Option<String>,
}

/// Looks through all files of all tenants.
pub fn verify(data: &Path) -> Result<Vec<Checked>, UpkeepError> {
    let tenants = tenants(data)?;
    let _lock = FolderLock::acquire(data)?;
    Ok(tenants.iter().flat_map(of_tenant).collect())
}

fn of_tenant(tenant: &TenantFolder) -> Vec<Checked> {
    let dir = &tenant.path;
    let checked = |file: &str, found: Result<String, String>| {
        let (holds, damage) =
            found.map_or_else(|damage| (String::new(), Some(damage)), |holds| (holds, None));
        Checked { tenant: tenant.name.clone(), file: file.to_owned(), holds, damage }
    };
    let beside = beside(dir, tenant);
    let (journal, last) = journal(tenant, beside.as_ref().ok());
    let mut found = vec![
        journal,
        checked("keys.db", said(keys(dir))),
        checked("customers.db", customers(dir, last)),
        checked("rules.db", said(rules(dir)).and_then(|verdict| verdict)),
        checked("erasures.db", said(erasures(dir))),
    ];
    match read(dir) {
        Ok(entries) if entries.is_empty() => {}
        other => {
            let told = other.map(|entries| format!("{} commands are set aside", entries.len()));
            found.push(checked(set_aside::FILE, said(told)));
        }
    }
    match beside {
        Ok((_, kept)) => {
            let all = kept.snapshots.into_iter().chain(kept.days).chain(kept.bases);
            found.extend(all.map(|Looked { file, holds, damage, .. }| {
                let tenant = tenant.name.clone();
                Checked { tenant, file, holds, damage }
            }));
        }
        // Of a journal that cannot be opened is told already.
        Err(fault) if found[0].damage.is_none() => found.push(checked("snapshots", Err(fault.to_string()))),
        Err(_) => {}
    }
    found
}

/// The number the journal begins with, and what lies beside it.
fn beside(dir: &Path, tenant: &TenantFolder) -> Result<(u64, Kept), Fault> {
    let journal = SqliteReader::alone(dir)?;
    let first = journal.first()?;
    Ok((first, Kept::look(tenant, &journal, first)?))
}

fn said<T>(found: Result<T, Fault>) -> Result<T, String> {
    found.map_err(|fault| fault.to_string())
}

/// What is found of the journal, and its last event if all of it can be read.
fn journal(tenant: &TenantFolder, beside: Option<&(u64, Kept)>) -> (Checked, Option<u64>) {
    let mut events = Events::default();
    let damage = read_all(&tenant.path, &mut events).err().map(|fault| fault.to_string());
    let last = damage.is_none().then_some(events.last);
    let apart = last.zip(beside).and_then(|(last, (first, kept))| {
        let short = kept.archived().filter(|archived| *archived > last);
        let short = short.map(|archived| format!("it ends with event {last}, the archive with {archived}"));
        short.or_else(|| kept.nothing_to_begin_with(*first, last))
    });
    let apart = apart.map(|what| Fault::damaged(&tenant.path.join("journal.db"), what).to_string());
    let (file, holds, damage) = ("journal.db".to_owned(), events.told(), damage.or(apart));
    (Checked { tenant: tenant.name.clone(), file, holds, damage }, last)
}

fn read_all(dir: &Path, events: &mut Events) -> Result<(), Fault> {
    let path = dir.join("journal.db");
    // What lies before damage in the log is counted all the same.
    let log = scan_log(&path);
    let reader = SqliteReader::alone(dir)?;
    events.read(&reader, &path)?;
    events.torn = log?;
    let noted = reader.noted()?;
    if noted > events.last {
        return Err(Fault::damaged(
            &path,
            format!("it ends at sequence {}, it once reached {noted}", events.last),
        ));
    }
    reader.check_pages()
}

/// What could be read of a journal.
#[derive(Default)]
struct Events {
    first: u64,
    last: u64,
    first_ms: u64,
    last_ms: u64,
    torn: usize,
}

impl Events {
    fn read(&mut self, reader: &SqliteReader, path: &Path) -> Result<(), Fault> {
        reader.batches(reader.first()?, &mut |_, records| {
            for record in records {
                record.event::<Event>().map_err(|corruption| Fault::damaged(path, corruption.to_string()))?;
                if self.last == 0 {
                    (self.first, self.first_ms) = (record.sequence, record.time_ms);
                }
                (self.last, self.last_ms) = (record.sequence, record.time_ms);
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    fn told(&self) -> String {
        let torn = match self.torn {
            0 => String::new(),
            frames => format!("; {frames} pages of an unfinished commit, which nobody was told of"),
        };
        match self.last {
            0 => format!("no events{torn}"),
            last => {
                let (from, to) = (super::dump::moment(self.first_ms), super::dump::moment(self.last_ms));
                let first = self.first;
                format!("events {first} to {last}, from {from} to {to}{torn}")
            }
        }
    }
}

fn keys(dir: &Path) -> Result<String, Fault> {
    scan_log(&dir.join("keys.db"))?;
    check_keys(dir).map(|blocks| format!("{blocks} blocks of keys"))
}

fn customers(dir: &Path, last: Option<u64>) -> Result<String, String> {
    let seen = check_store(dir).map_err(|fault| fault.to_string())?;
    match last {
        Some(last) if seen > last => Err(format!(
            "the customers have seen event {seen}, but the journal ends at {last}: one of them comes from another backup"
        )),
        _ => Ok(format!("customers, who have seen the events up to {seen}")),
    }
}

fn rules(dir: &Path) -> Result<Result<String, String>, Fault> {
    scan_log(&dir.join("rules.db"))?;
    let verdict = Rulebook::open_read_only(dir)?.verify()?;
    Ok(match verdict.trouble {
        None => Ok(format!("rules, with {} rows of the audit trail", verdict.rows)),
        Some(trouble) => Err(format!("{trouble}; the {} rows before are as they were written", verdict.rows)),
    })
}

fn erasures(dir: &Path) -> Result<String, Fault> {
    scan_log(&dir.join("erasures.db"))?;
    let erasures = Erasures::open_read_only(dir)?.read()?;
    Ok(format!("{} erasures", erasures.len()))
}
