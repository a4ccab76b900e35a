//! The data folder: the user's, which is kept, or a temporary one, removed when all went well.

use std::path::{Path, PathBuf};

use super::error::DemoError;
use super::lines::say;

/// Where the server keeps its data during a run.
#[derive(Debug)]
pub enum Folder {
    Kept(PathBuf),
    Temporary(PathBuf),
}

impl Folder {
    /// Creates what is missing. A temporary folder begins with the name of whoever asks.
    pub fn open(wanted: Option<&Path>, name: &str) -> Result<Folder, DemoError> {
        let folder = match wanted {
            Some(path) => Folder::Kept(path.to_owned()),
            None => Folder::Temporary(std::env::temp_dir().join(format!("{name}-{}", std::process::id()))),
        };
        let created = match &folder {
            Folder::Kept(path) => std::fs::create_dir_all(path),
            // One that exists is somebody else's.
            Folder::Temporary(path) => std::fs::create_dir(path),
        };
        match created {
            Ok(()) => Ok(folder),
            Err(source) => Err(DemoError::Folder { folder: folder.path().to_owned(), source }),
        }
    }

    pub fn path(&self) -> &Path {
        match self {
            Folder::Kept(path) | Folder::Temporary(path) => path,
        }
    }

    /// Removes a temporary folder. One whose books do not balance is evidence, and stays.
    pub fn close(self, all_well: bool) {
        if all_well {
            self.discard();
        } else {
            say(&format!("data kept in {}", self.path().display()));
        }
    }

    /// Removes a temporary folder, and keeps any other.
    pub fn discard(self) {
        if let Folder::Temporary(path) = self
            && let Err(error) = std::fs::remove_dir_all(&path)
        {
            say(&format!("could not remove {}: {error}", path.display()));
        }
    }
}
