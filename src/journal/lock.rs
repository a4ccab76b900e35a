//! One process per data folder: a lock of the operating system on `baton.lock`, which ends with the process that
//! holds it, however it ends. The process id in the file is for the message only, never for the decision.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use super::{Fault, file};

const FILE_NAME: &str = "baton.lock";

/// Held for as long as this process works on the folder.
#[derive(Debug)]
pub struct FolderLock {
    // Closing the file releases the lock. The file itself stays: removing it would let two processes lock two files.
    _file: File,
}

impl FolderLock {
    /// Locks the folder, which is created if missing; `Fault::Locked` when another process has it.
    pub fn acquire(folder: &Path) -> Result<Self, Fault> {
        file::create_folder(folder)?;
        let path = folder.join(FILE_NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Fault::io(&path, "open"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Fault::Locked { folder: folder.to_owned(), pid: holder(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(Fault::io(&path, "lock")(error)),
        }
        sign(&mut file).map_err(Fault::io(&path, "write"))?;
        Ok(Self { _file: file })
    }
}

fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())
}

/// Empty while the holder is between locking and signing.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_on_a_folder_names_folder_and_holder() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = FolderLock::acquire(folder.path()).expect("free");
        let refused = FolderLock::acquire(folder.path()).expect_err("taken");
        let message = refused.to_string();
        assert!(message.contains(&folder.path().display().to_string()), "{message}");
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        drop(first);
        FolderLock::acquire(folder.path()).expect("free again");
    }

    #[test]
    fn a_folder_that_cannot_be_is_a_fault_that_names_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "in the way").expect("written");
        let below = file.join("data");
        let message = FolderLock::acquire(&below).expect_err("a file is no folder").to_string();
        assert!(message.contains(&below.display().to_string()), "{message}");
    }
}
