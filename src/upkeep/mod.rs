//! What is done to a data folder from outside of a server: copied while it is in use, looked through, shown, and as much
//! as can be saved of a damaged one. Nothing here changes a file that is there.

mod backup;
mod dump;
mod kept;
mod repair;
mod verify;

use crate::customers::StoreFault;
use crate::journal::{Fault, file::sync_folder};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

pub use backup::{Backup, Copied, backup};
pub use dump::{Record, dump};
pub use repair::{LeftOut, Saved, Saving, repair, what_can_be_saved};
pub use verify::{Checked, verify};

/// Why it cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// A file, or the lock of the folder.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// The customers' file.
    #[error("{0}")]
    Customers(#[from] StoreFault),
    /// The customers' file is of another time than the journal.
    #[error(
        "the customers of {} have seen event {seen}, but its journal ends at {last}: one of them comes from another backup",
        folder.display()
    )]
    CustomersAhead {
        /// The folder of the tenant.
        folder: PathBuf,
        /// What the customers have seen.
        seen: u64,
        /// Where the journal ends.
        last: u64,
    },
    /// No data folder.
    #[error("{} is no data folder: it has no folder tenants with a journal in it", .0.display())]
    NoTenants(PathBuf),
    /// Nothing is written over.
    #[error("{} is there already: nothing is written over, choose a new folder", .0.display())]
    InTheWay(PathBuf),
    /// Keys in the copy would not be apart from it.
    #[error(
        "the keys are to be copied to {}, the rest to {}: choose folders of which neither is in the other",
        keys.display(), to.display()
    )]
    NotApart {
        /// For all but the keys.
        to: PathBuf,
        /// For the keys.
        keys: PathBuf,
    },
}

/// A tenant of a data folder.
#[derive(Clone, Debug)]
pub struct TenantFolder {
    /// Its name.
    pub name: String,
    /// Where its files are.
    pub path: PathBuf,
}

/// The tenants of a data folder, by name.
pub fn tenants(data: &Path) -> Result<Vec<TenantFolder>, UpkeepError> {
    let none = || UpkeepError::NoTenants(data.to_owned());
    let entries = fs::read_dir(data.join("tenants")).map_err(|_| none())?;
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir());
    let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let mut found: Vec<_> =
        folders.filter_map(|path| Some(TenantFolder { name: name(&path)?, path })).collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

/// A folder that appears whole, or not at all.
struct NewFolder {
    path: PathBuf,
    draft: PathBuf,
}

impl NewFolder {
    /// Begins it; what an attempt before has left of it is taken away.
    fn begin(path: &Path) -> Result<NewFolder, UpkeepError> {
        if path.exists() {
            return Err(UpkeepError::InTheWay(path.to_owned()));
        }
        let mut draft = path.as_os_str().to_owned();
        draft.push(".partial");
        let draft = PathBuf::from(draft);
        match fs::remove_dir_all(&draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Fault::io(&draft, "remove")(error).into());
            }
            _ => {}
        }
        Ok(NewFolder { path: path.to_owned(), draft })
    }

    /// The folder of a tenant in it, made.
    fn tenant(&self, name: &str) -> Result<PathBuf, Fault> {
        let folder = self.draft.join("tenants").join(name);
        crate::journal::file::create_folder(&folder)?;
        Ok(folder)
    }

    fn finish(self) -> Result<(), Fault> {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let named =
            fs::rename(&self.draft, &self.path).and_then(|()| sync_folder(parent.unwrap_or(Path::new("."))));
        named.map_err(Fault::io(&self.path, "create"))
    }
}

/// Copies a plain file, if it is there.
fn copy_plain(name: &str, from: &Path, to: &Path) -> Result<(), Fault> {
    let (from, to) = (from.join(name), to.join(name));
    let copied: io::Result<()> = match fs::copy(&from, &to) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        copied => copied.map(drop),
    };
    copied.map_err(Fault::io(&from, "copy"))?;
    crate::journal::copy::sync(&to)
}
