//! The snapshots of a tenant: a folder beside the journal, one file each, named by the last event that is in it. The two
//! newest are kept: if the newest turns out to be damaged, the one before and the events behind it are as good.

use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::snapshot::{Origin, SnapshotWriter};
use super::{Fault, file, parting};

/// So many are kept.
pub const KEPT: usize = 2;
const ENDING: &str = "snapshot";

/// The snapshots of one tenant.
#[derive(Clone, Debug)]
pub struct Snapshots {
    folder: PathBuf,
}

impl Snapshots {
    /// Those in the folder of a tenant, which may be none.
    pub fn of(dir: &Path) -> Snapshots {
        Snapshots { folder: dir.join("snapshots") }
    }

    /// Their last events and where they lie, oldest first. What is only begun is none of them.
    pub fn list(&self) -> Result<Vec<(u64, PathBuf)>, Fault> {
        let mut found = Vec::new();
        for path in file::files_in(&self.folder)? {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
            if let Some(sequence) = stem.filter(|_| path.extension().is_some_and(|found| found == ENDING)) {
                found.push((sequence, path));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Begins one of the state after an event.
    pub fn begin(&self, sequence: u64, time_ms: u64, origin: &Origin) -> Result<SnapshotWriter, Fault> {
        file::create_folder(&self.folder)?;
        SnapshotWriter::begin(&self.path(sequence), sequence, time_ms, origin)
    }

    /// Waits until nobody else writes here: a process that was ended may still be about to. Held for as long as the result lives.
    pub fn alone(&self) -> Result<File, Fault> {
        file::create_folder(&self.folder)?;
        let folder = File::open(&self.folder).map_err(Fault::io(&self.folder, "open"))?;
        match flock(&folder, FlockOperation::LockExclusive) {
            // Where there are no locks there is nobody else either.
            Ok(()) | Err(Errno::NOTSUP | Errno::NOSYS | Errno::INVAL) => Ok(folder),
            Err(error) => Err(Fault::io(&self.folder, "lock")(error.into())),
        }
    }

    /// Removes what was begun and never finished.
    pub fn remove_drafts(&self) -> Result<(), Fault> {
        let mut drafts = file::files_in(&self.folder)?;
        drafts.retain(|path| path.extension().is_some_and(|found| found == "new"));
        drafts.iter().try_for_each(|path| self.remove(path))
    }

    /// Removes one.
    pub fn remove(&self, path: &Path) -> Result<(), Fault> {
        parting::remove(path).map_err(Fault::io(path, "remove"))
    }

    /// Removes all but the newest that are kept. The last event of the oldest of these, if there are as many.
    pub fn remove_older(&self) -> Result<Option<u64>, Fault> {
        let all = self.list()?;
        let Some(older) = all.len().checked_sub(KEPT) else { return Ok(None) };
        for (_, path) in &all[..older] {
            self.remove(path)?;
        }
        Ok(Some(all[older].0))
    }

    fn path(&self, sequence: u64) -> PathBuf {
        // As many digits as a number may have, so that names are in the order of the numbers.
        self.folder.join(format!("{sequence:020}.{ENDING}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::Mark;
    use super::*;
    use crate::engine::kept::Keep;
    use std::fs;

    fn written(snapshots: &Snapshots, sequence: u64) {
        let origin = Origin { tenant: "acme".to_owned(), mark: Mark::default() };
        let mut writer = snapshots.begin(sequence, sequence * 1_000, &origin).expect("begun");
        writer.keep(&sequence).expect("kept");
        writer.finish().expect("finished");
    }

    fn sequences(snapshots: &Snapshots) -> Vec<u64> {
        snapshots.list().expect("readable").into_iter().map(|(sequence, _)| sequence).collect()
    }

    #[test]
    fn the_two_newest_are_kept_and_the_older_of_them_is_told() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let snapshots = Snapshots::of(folder.path());
        assert_eq!(sequences(&snapshots), [] as [u64; 0]);
        assert_eq!(snapshots.remove_older().expect("removed"), None);
        for (sequence, kept) in [(9, None), (10, Some(9)), (200, Some(10))] {
            written(&snapshots, sequence);
            assert_eq!(snapshots.remove_older().expect("removed"), kept);
        }
        assert_eq!(sequences(&snapshots), [10, 200]);
    }

    #[test]
    fn what_is_only_begun_is_none_and_goes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let snapshots = Snapshots::of(folder.path());
        [5, 8].iter().for_each(|sequence| written(&snapshots, *sequence));
        let draft = file::draft_of(&snapshots.path(9));
        fs::write(&draft, b"begun").expect("written");
        assert_eq!(sequences(&snapshots), [5, 8]);
        snapshots.remove_drafts().expect("removed");
        assert!(!draft.exists());
        assert_eq!(sequences(&snapshots), [5, 8]);
    }
}
