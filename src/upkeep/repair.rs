//! Saves what lies before the damage in a journal: a new folder with every event up to there, and the other files as they
//! are. Never in place, and never a guess: what is kept was checked, and what is lost is said. What was answered and is
//! lost stays lost; whoever may take a backup instead should.

use super::{NewFolder, TenantFolder, UpkeepError, copy_plain, tenants};
use crate::customers::{applied_by, copy_store, take_back};
use crate::engine::event::Event;
use crate::journal::copy::{copy_erasures, copy_journal, copy_keys};
use crate::journal::{Fault, FolderLock, RecordRef, SqliteReader, scan_log, set_aside};
use crate::rulebook;
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::Path;

/// What can be saved of a data folder.
#[derive(Clone, Debug, Serialize)]
pub struct Saving {
    /// Of each tenant.
    pub tenants: Vec<Saved>,
}

/// Of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Saved {
    /// Its name.
    pub tenant: String,
    /// The last event before the damage, or the last one.
    pub kept: u64,
    /// Engine time of it, for people; empty if there is none.
    pub kept_until: String,
    /// How far the journal once reached at least, as far as anything tells.
    pub reached: u64,
    /// Where the damage is.
    pub damage: Option<String>,
    /// The highest number of an interaction that is kept.
    interaction: u64,
}

/// Says what `repair` would keep, and changes nothing.
pub fn what_can_be_saved(data: &Path) -> Result<Saving, UpkeepError> {
    let found = tenants(data)?;
    let _lock = FolderLock::acquire(data)?;
    let tenants = found.iter().map(look).collect::<Result<_, _>>()?;
    Ok(Saving { tenants })
}

/// Copies what lies before the damage into the new folder `to`.
pub fn repair(data: &Path, to: &Path) -> Result<Saving, UpkeepError> {
    let found = tenants(data)?;
    let _lock = FolderLock::acquire(data)?;
    let new = NewFolder::begin(to)?;
    let mut saved = Vec::new();
    for tenant in &found {
        let look = look(tenant)?;
        save(tenant, &look, &new)?;
        saved.push(look);
    }
    new.finish()?;
    Ok(Saving { tenants: saved })
}

fn look(tenant: &TenantFolder) -> Result<Saved, UpkeepError> {
    let path = tenant.path.join("journal.db");
    let log = scan_log(&path);
    let reader = SqliteReader::alone(&tenant.path)?;
    let mut look = Look { path: &path, kept: 0, kept_ms: 0, interaction: 0 };
    let read = reader.batches(1, &mut |batch, records| {
        look.see(batch.last(), batch.last_time_ms(), records).map(|()| ControlFlow::Continue(()))
    });
    let reached = reached(&reader, &tenant.path).max(look.kept);
    let end = || match reached > look.kept {
        true => Err(Fault::damaged(
            &path,
            format!("it ends at sequence {}, it once reached {reached}", look.kept),
        )),
        false => Ok(()),
    };
    let damage = read.and(log.map(drop)).and_then(|()| end()).err().map(|fault| fault.to_string());
    let kept_until = if look.kept == 0 { String::new() } else { super::dump::moment(look.kept_ms) };
    let (kept, interaction) = (look.kept, look.interaction);
    Ok(Saved { tenant: tenant.name.clone(), kept, kept_until, reached, damage, interaction })
}

struct Look<'a> {
    path: &'a Path,
    kept: u64,
    kept_ms: u64,
    interaction: u64,
}

impl Look<'_> {
    /// A batch is kept whole, or not at all.
    fn see(&mut self, last: u64, last_ms: u64, records: &[RecordRef<'_>]) -> Result<(), Fault> {
        let mut interaction = self.interaction;
        for record in records {
            let event =
                record.event().map_err(|corruption| Fault::damaged(self.path, corruption.to_string()))?;
            if let Event::Admitted(admitted) = event {
                interaction = interaction.max(admitted.interaction.0);
            }
        }
        (self.kept, self.kept_ms, self.interaction) = (last, last_ms, interaction);
        Ok(())
    }
}

/// By whatever can still be read: the last row, what was noted, what the customers have seen.
fn reached(reader: &SqliteReader, dir: &Path) -> u64 {
    let told = [reader.last_sequence().ok(), reader.noted().ok(), applied_by(dir).ok()];
    told.into_iter().flatten().max().unwrap_or_default()
}

fn save(tenant: &TenantFolder, look: &Saved, new: &NewFolder) -> Result<(), UpkeepError> {
    let (from, name) = (&tenant.path, &tenant.name);
    let to = new.tenant(name)?;
    // What is damaged besides is refused here: for that there are backups.
    for file in ["keys.db", "rules.db", "erasures.db"] {
        scan_log(&from.join(file))?;
    }
    copy_journal(&SqliteReader::alone(from)?, &to, name, look.kept)?;
    copy_keys(from, &to)?;
    if copy_store(from, &to)? > look.kept {
        take_back(&to, look.kept, look.interaction)?;
    }
    rulebook::copy(from, &to)?;
    copy_erasures(from, &to)?;
    copy_plain(set_aside::FILE, from, &to)?;
    Ok(())
}
