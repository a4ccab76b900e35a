//! Copies a data folder while a server uses it. What is copied is one that can be started.
//!
//! The order makes it consistent. A customer store must not be ahead of the journal, and must know every customer the
//! journal names. So: where the journal ends now is noted (`a`); the customers are copied as of one instant, with the
//! event they have seen (`b`); then the journal, up to the larger of both. What is in it up to `a` names customers who
//! were there before they were copied; what is in it up to `b` was seen by them. The keys come after the journal, since
//! they are laid down before what is sealed with them; rules too, since a version is in the book before anybody is planned
//! by it.
//!
//! The server moves events to the archive meanwhile, and snapshots go. So where the journal begins is noted before the
//! snapshots are copied: they are no older, since the journal keeps what the older of them needs, and no newer than the
//! end, which is noted after. What it lets go while it is copied, the archive has. The archive is copied after it, up to
//! the last event of the copy and no further: all before the noted beginning is in it by then.
//!
//! What was erased comes last: of whom an earlier copy still has something, it is erased at the start on the copy.

use super::{NewFolder, TenantFolder, UpkeepError, copy_plain, tenants};
use crate::customers;
use crate::journal::copy::{copy_erasures, copy_journal, copy_keys};
use crate::journal::copy_past::{copy_archive, copy_snapshots};
use crate::journal::set_aside;
use crate::journal::{Archive, Fault, FolderLock, SqliteReader, scan_logs};
use crate::rulebook;
use serde::Serialize;
use std::path::{Component, Path, PathBuf};

/// What was copied.
#[derive(Clone, Debug, Serialize)]
pub struct Backup {
    /// Of each tenant.
    pub tenants: Vec<Copied>,
}

/// Of one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// Its name.
    pub tenant: String,
    /// The last event that is in the copy.
    pub events: u64,
}

/// Copies `data` to the new folder `to`; the keys to the new folder `keys`, if one is given. The server may be running.
pub fn backup(data: &Path, to: &Path, keys: Option<&Path>) -> Result<Backup, UpkeepError> {
    let found = tenants(data)?;
    keys.map_or(Ok(()), |keys| lie_apart(to, keys))?;
    // Whoever has the folder has looked at the logs; of one that nobody has, we do.
    let lock = match FolderLock::acquire(data) {
        Ok(lock) => Some(lock),
        Err(Fault::Locked { .. }) => None,
        Err(fault) => return Err(fault.into()),
    };
    if lock.is_some() {
        found.iter().try_for_each(|tenant| scan_logs(&tenant.path))?;
    }
    let copy = NewFolder::begin(to)?;
    let keys = keys.map(NewFolder::begin).transpose()?;
    let copied = found.iter().map(|tenant| one(tenant, &copy, keys.as_ref()));
    let copied = copied.collect::<Result<Vec<_>, _>>()?;
    // The keys first: a copy without its keys is not to be taken for one.
    keys.map_or(Ok(()), NewFolder::finish)?;
    copy.finish()?;
    Ok(Backup { tenants: copied })
}

/// Refuses keys that would lie in the copy, or the copy with them.
fn lie_apart(to: &Path, keys: &Path) -> Result<(), UpkeepError> {
    let (copy, apart) = (whole(to), whole(keys));
    if copy.starts_with(&apart) || apart.starts_with(&copy) {
        return Err(UpkeepError::NotApart { to: to.to_owned(), keys: keys.to_owned() });
    }
    Ok(())
}

/// The whole path of something that is not there yet: as its folders are that are there, and as the others will be.
fn whole(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    let Some((folder, mut whole)) = there else { return path };
    for part in path.strip_prefix(folder).expect("it is above").components() {
        match part {
            Component::ParentDir => drop(whole.pop()),
            other => whole.push(other),
        }
    }
    whole
}

fn one(tenant: &TenantFolder, copy: &NewFolder, keys: Option<&NewFolder>) -> Result<Copied, UpkeepError> {
    let (from, name) = (&tenant.path, &tenant.name);
    let to = copy.tenant(name)?;
    let journal = SqliteReader::alone(from)?;
    let begins = journal.first()?;
    copy_snapshots(from, &to, &|_, _| true)?;
    let ends = journal.last_sequence()?;
    let seen = customers::copy_store(from, &to)?;
    let now = journal.last_sequence()?;
    if seen > now {
        return Err(UpkeepError::CustomersAhead { folder: from.clone(), seen, last: now });
    }
    let last = copy_journal(from, &to, name, begins..=ends.max(seen))?;
    let keys_to = keys.map_or_else(|| Ok(to.clone()), |keys| keys.tenant(name))?;
    copy_keys(from, &keys_to)?;
    rulebook::copy(from, &to)?;
    copy_plain(set_aside::FILE, from, &to)?;
    copy_archive(from, &to, &Archive::of(from).days()?, last, &|_| true)?;
    copy_erasures(from, &to)?;
    Ok(Copied { tenant: name.clone(), events: last })
}
