//! Saves what can be of a damaged folder in a new one. If a good snapshot is behind the damage of the journal and all from
//! there can be read, that, since a start needs no more; else every event before the damage. With it the snapshots of what
//! is kept, the archive behind what is damaged of it, and the other files as they are. Never in place, and never a guess: what is kept was checked, and what is lost is said. What was answered and is
//! lost stays lost; whoever may take a backup instead should.

use super::kept::{Kept, Looked, newest_interaction};
use super::{NewFolder, TenantFolder, UpkeepError, copy_plain, tenants};
use crate::customers::{applied_by, copy_store, take_back};
use crate::journal::copy::{copy_erasures, copy_journal, copy_keys};
use crate::journal::copy_past::{copy_archive, copy_snapshots};
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
    /// The first event that is kept, in the archive or the journal.
    pub from: u64,
    /// The last event before the damage, or the last one.
    pub kept: u64,
    /// Engine time of it, for people; empty if there is none.
    pub kept_until: String,
    /// How far the journal once reached at least, as far as anything tells.
    pub reached: u64,
    /// Where the damage is.
    pub damage: Option<String>,
    /// It lies before a snapshot with which a start begins: all behind it is kept.
    pub damage_is_passed: bool,
    /// Events that are lost though later ones are kept, first and last: only explanations, reports and back-tests miss them.
    pub lost_between: Option<(u64, u64)>,
    /// Files beside the journal that are left out, and why. No start needs them.
    pub left_out: Vec<LeftOut>,
    /// Where the new journal begins.
    begins: u64,
    /// The highest number of an interaction that is kept.
    interaction: u64,
}

/// A file that is not copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its name in the folder of the tenant.
    pub file: String,
    /// What is wrong with it, or with one behind it.
    pub why: String,
}

/// Says what `repair` would keep, and changes nothing.
pub fn what_can_be_saved(data: &Path) -> Result<Saving, UpkeepError> {
    let found = tenants(data)?;
    let _lock = FolderLock::acquire(data)?;
    let tenants = found.iter().map(|tenant| Ok(look(tenant)?.0)).collect::<Result<_, UpkeepError>>()?;
    Ok(Saving { tenants })
}

/// Copies what lies before the damage into the new folder `to`.
pub fn repair(data: &Path, to: &Path) -> Result<Saving, UpkeepError> {
    let found = tenants(data)?;
    let _lock = FolderLock::acquire(data)?;
    let new = NewFolder::begin(to)?;
    let mut saved = Vec::new();
    for tenant in &found {
        let (look, kept) = look(tenant)?;
        save(tenant, &look, &kept, &new)?;
        saved.push(look);
    }
    new.finish()?;
    Ok(Saving { tenants: saved })
}

fn look(tenant: &TenantFolder) -> Result<(Saved, Kept), UpkeepError> {
    let path = tenant.path.join("journal.db");
    let log = scan_log(&path);
    let reader = SqliteReader::alone(&tenant.path)?;
    let first = reader.first()?;
    let mut look = Look { path: &path, kept: 0, kept_ms: 0, interaction: 0 };
    let read = reader.batches(first, &mut |batch, records| {
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
    let whole_log = log.is_ok();
    let damage = read.and(log.map(drop)).and_then(|()| end()).err().map(|fault| fault.to_string());
    let kept = Kept::look(tenant, &reader, first)?;
    let before = look.kept;
    let behind = match damage.is_some() && whole_log {
        true => behind(&reader, &kept, look, reached, applied_by(&tenant.path).unwrap_or_default()),
        false => None,
    };
    let (begins, look) = match behind {
        Some(behind) => behind,
        None => match kept.nothing_to_begin_with(first, before) {
            Some(what) => return Err(Fault::damaged(&path, what).into()),
            None => begin(look, &kept, first),
        },
    };
    let lost_between = (begins > first)
        .then(|| ((kept.good_archived() + 1).max(first), begins - 1))
        .filter(|(from, to)| from <= to);
    let days = if lost_between.is_some() { Vec::new() } else { kept.good_days() };
    let kept_until = if look.kept == 0 { String::new() } else { super::dump::moment(look.kept_ms) };
    let saved = Saved {
        tenant: tenant.name.clone(),
        from: days.first().map_or(begins, |day| day.first.min(begins)),
        kept: look.kept,
        kept_until,
        reached,
        damage,
        damage_is_passed: begins > first,
        lost_between,
        left_out: left_out(&kept, lost_between),
        begins,
        interaction: look.interaction.max(kept.interaction(look.kept)),
    };
    Ok((saved, kept))
}

/// Where the journal is whole again behind the damage, if a start can begin there: with a snapshot the customers have seen.
fn behind<'a>(
    reader: &SqliteReader,
    kept: &Kept,
    before: Look<'a>,
    reached: u64,
    seen: u64,
) -> Option<(u64, Look<'a>)> {
    let snapshots = kept.good_snapshots(seen).filter_map(|one| one.events).map(|(sequence, _)| sequence);
    // Right behind the archive nothing of the past is lost, else all before the snapshot is.
    let starts = snapshots.flat_map(|sequence| {
        [kept.good_archived() + 1, sequence].into_iter().filter(move |start| *start <= sequence)
    });
    starts.filter(|start| *start > before.kept).find_map(|start| {
        let (mut begins, mut look) = (start, Look { kept: 0, kept_ms: 0, interaction: 0, ..before });
        let read = reader.batches(start, &mut |batch, records| {
            begins = begins.min(batch.first());
            look.see(batch.last(), batch.last_time_ms(), records).map(|()| ControlFlow::Continue(()))
        });
        (read.is_ok() && look.kept == reached).then_some((begins, look))
    })
}

/// Where the new journal begins. If nothing can be read of one whose beginning is in the archive, it is made of that.
fn begin<'a>(look: Look<'a>, kept: &Kept, first: u64) -> (u64, Look<'a>) {
    match kept.days.last() {
        Some(day) if look.kept == 0 && kept.has_the_first() => {
            let archived = kept.good_archived().min(first - 1);
            (1, Look { kept: archived, kept_ms: day.last_ms, ..look })
        }
        _ => (first, look),
    }
}

/// Snapshots of states behind the damage are of what is lost: they are not told apart.
fn left_out(kept: &Kept, gap: Option<(u64, u64)>) -> Vec<LeftOut> {
    let lost = if gap.is_some() { &kept.days[..] } else { &kept.days[..kept.lost_days()] };
    let behind = gap.map(|(from, to)| format!("events {from} to {to} behind it are lost"));
    let behind =
        behind.or_else(|| Some(format!("it is of no use without {}, which is damaged", lost.last()?.file)));
    let told = |one: &Looked| {
        let why = one.damage.clone().or_else(|| behind.clone())?;
        Some(LeftOut { file: one.file.clone(), why })
    };
    let damaged = kept.snapshots.iter().chain(&kept.bases).filter(|one| one.damage.is_some());
    damaged.chain(lost).filter_map(told).collect()
}

#[derive(Clone, Copy)]
struct Look<'a> {
    path: &'a Path,
    kept: u64,
    kept_ms: u64,
    interaction: u64,
}

impl Look<'_> {
    /// A batch is kept whole, or not at all.
    fn see(&mut self, last: u64, last_ms: u64, records: &[RecordRef<'_>]) -> Result<(), Fault> {
        let interaction = self.interaction.max(newest_interaction(self.path, records, u64::MAX)?);
        (self.kept, self.kept_ms, self.interaction) = (last, last_ms, interaction);
        Ok(())
    }
}

/// By whatever can still be read: the last row, what was noted, what the customers have seen.
fn reached(reader: &SqliteReader, dir: &Path) -> u64 {
    let told = [reader.last_sequence().ok(), reader.noted().ok(), applied_by(dir).ok()];
    told.into_iter().flatten().max().unwrap_or_default()
}

fn save(tenant: &TenantFolder, look: &Saved, kept: &Kept, new: &NewFolder) -> Result<(), UpkeepError> {
    let (from, name) = (&tenant.path, &tenant.name);
    let to = new.tenant(name)?;
    // What is damaged besides is refused here: for that there are backups.
    for file in ["keys.db", "rules.db", "erasures.db"] {
        scan_log(&from.join(file))?;
    }
    copy_journal(from, &to, name, look.begins..=look.kept)?;
    let good: Vec<_> = kept.good_snapshots(look.kept).map(|one| one.path.as_path()).collect();
    copy_snapshots(from, &to, &|sequence, path| sequence >= look.begins && good.contains(&path))?;
    if look.lost_between.is_none() {
        let damaged: Vec<_> =
            kept.bases.iter().filter(|one| one.damage.is_some()).map(|one| from.join(&one.file)).collect();
        let fits = |base: &Path| !damaged.iter().any(|one| one == base);
        copy_archive(from, &to, &kept.good_days(), look.kept, &fits)?;
    }
    copy_keys(from, &to)?;
    if copy_store(from, &to)? > look.kept {
        take_back(&to, look.kept, look.interaction)?;
    }
    rulebook::copy(from, &to)?;
    copy_erasures(from, &to)?;
    copy_plain(set_aside::FILE, from, &to)?;
    Ok(())
}
