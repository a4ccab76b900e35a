//! Room on the disk that is kept for the end: a file of 16 MiB that is given back when a shard ends by itself. What must
//! still be written then (the histories, the command that broke an assumption, the log) finds room on a disk that others
//! have filled, and so does the next start, which moves the logs into their files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;

use super::Fault;
use super::file::sync_folder;

const FILE_NAME: &str = "reserve";
/// How much is kept, in bytes: the log of a shard (4 MiB), what its last batches take, and as much again for the customers.
pub const RESERVE: u64 = 16 << 20;
/// As much more must be free where a reserve is made, or the first batches would give it back.
const BESIDE: u64 = RESERVE;

/// The reserve of a data folder.
#[derive(Debug)]
pub struct Reserve {
    folder: PathBuf,
}

impl Reserve {
    /// Makes the reserve, unless it is there. `Fault::NoRoom` when the disk has too little.
    pub fn make(folder: &Path) -> Result<Reserve, Fault> {
        make(folder, RESERVE)
    }

    /// Gives the room back. A second time changes nothing.
    pub fn release(&self) {
        let path = self.folder.join(FILE_NAME);
        match fs::remove_file(&path) {
            Ok(()) => tracing::info!(path = %path.display(), "the reserve is given back"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(path = %path.display(), %error, "the reserve cannot be given back"),
        }
    }

    /// How much room there is, for people: `3.2 MiB are free in /var/lib/baton`.
    pub fn told(&self) -> String {
        let free = free(&self.folder).map_or_else(|error| format!("({error})"), mib);
        format!("{free} are free in {}", self.folder.display())
    }
}

fn make(folder: &Path, bytes: u64) -> Result<Reserve, Fault> {
    let path = folder.join(FILE_NAME);
    let reserve = Reserve { folder: folder.to_owned() };
    if fs::metadata(&path).is_ok_and(|there| there.len() == bytes) {
        return Ok(reserve);
    }
    // Of another size: of another release, or not made to its end.
    reserve.release();
    let free = free(folder).map_err(Fault::io(folder, "ask for the room in"))?;
    let needed = bytes.saturating_add(BESIDE);
    if free < needed {
        return Err(Fault::NoRoom { folder: folder.to_owned(), needed: mib(needed), free: mib(free) });
    }
    take(&path, bytes).and_then(|()| sync_folder(folder)).map_err(Fault::io(&path, "create"))?;
    Ok(reserve)
}

/// Really takes it: a file that is merely long takes none.
fn take(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    match fallocate(&file, FallocateFlags::empty(), 0, bytes) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => fill(&mut file, bytes)?,
        taken => taken?,
    }
    file.sync_all()
}

/// Where the file system cannot be asked for room, it is written. Not with zeros: some keep none of them.
fn fill(file: &mut File, bytes: u64) -> io::Result<()> {
    let piece = super::sealed::random_bytes(1 << 16);
    let mut left = bytes;
    while left > 0 {
        let length = left.min(piece.len() as u64);
        file.write_all(&piece[..length as usize])?;
        left -= length;
    }
    Ok(())
}

/// What an ordinary user may still take, in bytes.
pub fn free(folder: &Path) -> io::Result<u64> {
    let found = statvfs(folder)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

fn mib(bytes: u64) -> String {
    let (whole, rest) = (bytes >> 20, bytes & ((1 << 20) - 1));
    format!("{whole}.{} MiB", (rest * 10) >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_reserve_takes_its_room_until_it_is_given_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE_NAME);
        let reserve = make(folder.path(), 1 << 20).expect("there is room");
        let taken = || fs::metadata(&path).expect("there").blocks() * 512;
        assert!(taken() >= 1 << 20, "{}", taken());
        fs::write(&path, b"cut short").expect("written");
        make(folder.path(), 1 << 20).expect("there is room");
        assert!(taken() >= 1 << 20, "one that is too short is made again");
        reserve.release();
        reserve.release();
        assert!(!path.exists());
    }

    #[test]
    fn written_it_takes_as_much() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(FILE_NAME);
        fill(&mut File::create(&path).expect("a new file"), (1 << 16) + 7).expect("written");
        assert_eq!(fs::metadata(&path).expect("there").len(), (1 << 16) + 7);
    }

    #[test]
    fn where_there_is_no_room_the_folder_and_the_room_are_named_and_nothing_is_left() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let message = make(folder.path(), 1 << 60).expect_err("no disk has so much").to_string();
        assert!(message.contains(&folder.path().display().to_string()), "{message}");
        assert!(message.contains("a start needs 1099511627792.0 MiB"), "{message}");
        assert!(message.contains("MiB are free"), "{message}");
        assert!(!folder.path().join(FILE_NAME).exists());
    }

    #[test]
    fn room_is_told_in_tenths() {
        assert_eq!(["0.0 MiB", "0.9 MiB", "16.0 MiB", "1.5 MiB"], [9, 999_999, 16 << 20, 3 << 19].map(mib));
    }
}
