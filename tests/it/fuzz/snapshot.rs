//! Snapshots, to the engine's state that is made of them. `replica.rs` goes on to what follows it.

use super::memory::bounded;
use super::{Luck, rounds, run};
use baton::engine::kept::Kept;
use baton::engine::shard::Shard;
use baton::journal::{Fault, Mark, Origin, SnapshotReader, Snapshots};
use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

/// Of one seed.
const CHANGES: usize = 150;
/// Of the file, and of a chunk.
pub const HEADER: usize = 28;
pub const HEAD: usize = 8;

#[test]
fn whatever_a_snapshot_has_become_it_is_a_state_or_an_error() {
    let (states, refused) = (Cell::new(0), Cell::new(0));
    rounds(6, |seed| {
        let mut luck = Luck::new(seed);
        let (_, shard) = run(&mut luck, 150);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let origin = Origin { tenant: "t".to_owned(), mark: Mark::default() };
        let (path, whole) = written(folder.path(), &shard, &origin);
        assert_eq!(read(&path).expect("as written").digest(), shard.digest());
        for _ in 0..CHANGES {
            fs::write(&path, changed(&mut luck, &whole, HEADER)).expect("written");
            let became = if bounded(|| read(&path)).is_ok() { &states } else { &refused };
            became.set(became.get() + 1);
        }
    });
    let (states, refused) = (states.get(), refused.get());
    assert!(states > 0 && refused > CHANGES, "{states} states, {refused} refused");
}

/// A snapshot of the engine's state alone: where it is, and its bytes.
pub fn written(folder: &Path, shard: &Shard, origin: &Origin) -> (PathBuf, Vec<u8>) {
    let snapshots = Snapshots::of(folder);
    let mut writer = snapshots.begin(shard.sequence().0, shard.now().0, origin).expect("begun");
    shard.keep(&mut writer).expect("kept");
    writer.finish().expect("finished");
    newest(&snapshots)
}

/// Where the newest one is, and its bytes.
pub fn newest(snapshots: &Snapshots) -> (PathBuf, Vec<u8>) {
    let (_, path) = snapshots.list().expect("readable").pop().expect("it is there");
    let whole = fs::read(&path).expect("readable");
    (path, whole)
}

fn read(path: &Path) -> Result<Shard, Fault> {
    let mut reader = SnapshotReader::open(path)?;
    let shard = Shard::from_kept(&mut reader)?;
    if shard.sequence().0 != reader.sequence() {
        return Err(reader.unfit("it holds another state than it says"));
    }
    reader.finish()?;
    Ok(shard)
}

/// Mostly the pieces of the chunk that begins here, in order that they are reached; sometimes anything.
pub fn changed(luck: &mut Luck, whole: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    if luck.below(8) == 0 {
        luck.change(&mut bytes, 0);
        make_right(&mut bytes);
        return bytes;
    }
    let end = chunk_end(&bytes, at).expect("it was written");
    let (mut body, rest) = (bytes[at + HEAD..end].to_vec(), bytes.split_off(end));
    luck.change(&mut body, 0);
    bytes.truncate(at);
    bytes.extend(u32::try_from(body.len()).expect("states of tests are small").to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(body);
    bytes.extend(rest);
    make_right(&mut bytes);
    bytes
}

/// Where the chunk that begins here ends, if all of it is there.
pub fn chunk_end(bytes: &[u8], at: usize) -> Option<usize> {
    let length = bytes.get(at..at + 4)?.try_into().expect("four bytes");
    let end = at + HEAD + u32::from_le_bytes(length) as usize;
    (end <= bytes.len()).then_some(end)
}

/// The checksums of the header and of each chunk.
fn make_right(bytes: &mut [u8]) {
    if bytes.len() < HEADER {
        return;
    }
    let header = crc32c::crc32c(&bytes[..24]);
    bytes[24..HEADER].copy_from_slice(&header.to_le_bytes());
    let mut at = HEADER;
    for number in 0_u32.. {
        let Some(end) = chunk_end(bytes, at) else { return };
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&number.to_le_bytes()), &bytes[at + HEAD..end]);
        bytes[at + 4..at + HEAD].copy_from_slice(&checksum.to_le_bytes());
        at = end;
    }
}
