//! Large files that are written beside the journal. A file system may make a commit wait for whatever else was written and not
//! synced, and a disk has so many bytes a second for all: so they are synced bit by bit, at an even pace.

use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Bytes that are synced at once: a commit waits for no more of them. A disk of 125 MB/s takes 4 ms for these.
const STEP: usize = 512 << 10;
/// Between two syncs: together at most 32 MiB a second.
const REST: Duration = Duration::from_millis(16);

/// This process has nobody's commits to wait for it.
static URGENT: AtomicBool = AtomicBool::new(false);

/// From here on this process writes as fast as it can.
#[cfg(feature = "server")]
pub(crate) fn hurry() {
    URGENT.store(true, Ordering::Relaxed);
}

/// A file that is written at an even pace.
pub(super) struct Steady {
    file: File,
    unsynced: usize,
}

impl Steady {
    pub fn new(file: File) -> Steady {
        Steady { file, unsynced: 0 }
    }

    /// Syncs what is left.
    pub fn sync_all(&mut self) -> io::Result<()> {
        self.unsynced = 0;
        self.file.sync_all()
    }

    /// Its size in bytes.
    pub fn size(&self) -> io::Result<u64> {
        self.file.metadata().map(|found| found.len())
    }
}

impl Write for Steady {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(&bytes[..bytes.len().min(STEP - self.unsynced)])?;
        self.unsynced += written;
        if self.unsynced == STEP {
            self.file.sync_data()?;
            self.unsynced = 0;
            if !URGENT.load(Ordering::Relaxed) {
                rest();
            }
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[allow(clippy::disallowed_methods, reason = "nothing is waited for: it is others' turn")]
fn rest() {
    std::thread::sleep(REST);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_pieces_of_any_length_is_all_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("large");
        let bytes: Vec<u8> = (0..3 * STEP + 7).map(|at| (at % 251) as u8).collect();
        for length in [1_000, STEP - 1, STEP, STEP + 1, bytes.len()] {
            let mut steady = Steady::new(File::create(&path).expect("created"));
            bytes.chunks(length).for_each(|piece| steady.write_all(piece).expect("written"));
            assert_eq!(steady.unsynced, 7, "the rest is for the end");
            steady.sync_all().expect("synced");
            assert_eq!(steady.size().expect("readable"), bytes.len() as u64);
            assert!(std::fs::read(&path).expect("readable") == bytes, "by {length}");
        }
    }
}
