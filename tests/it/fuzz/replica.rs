//! Snapshots, to all that follows the engine's state: whose history waits for what, what was learned, what is sealed.

use super::memory::bounded;
use super::snapshot::{HEADER, changed, chunk_end, newest};
use super::{Luck, batches, rounds, run};
use baton::journal::{Fault, Snapshots, decode};
use baton::runtime::replica::Replica;
use std::cell::Cell;
use std::fs;
use std::path::Path;

/// Of one seed.
const CHANGES: usize = 150;

#[test]
fn whatever_follows_the_state_in_a_snapshot_is_read_or_an_error() {
    let (read, refused) = (Cell::new(0), Cell::new(0));
    rounds(6, |seed| {
        let mut luck = Luck::new(seed);
        let replica = replica(&mut luck);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let snapshots = Snapshots::of(folder.path());
        replica.keep(&snapshots, "t").expect("kept");
        let (path, whole) = newest(&snapshots);
        assert_eq!(look(&path).expect("as written"), replica.shard().digest());
        // They have a chunk of their own behind that of the state.
        let at = chunk_end(&whole, HEADER).expect("it was written");
        for _ in 0..CHANGES {
            fs::write(&path, changed(&mut luck, &whole, at)).expect("written");
            let became = if bounded(|| look(&path)).is_ok() { &read } else { &refused };
            became.set(became.get() + 1);
        }
    });
    let (read, refused) = (read.get(), refused.get());
    assert!(read > 0 && refused > CHANGES, "{read} read, {refused} refused");
}

/// What a recovery of a random run has come to.
fn replica(luck: &mut Luck) -> Replica {
    let (events, shard) = run(luck, 150);
    let mut replica = Replica::new(true);
    for batch in batches(luck, &events) {
        for record in decode(batch.bytes()).expect("as written") {
            replica.hear(&record).expect("it is an event");
        }
    }
    assert_eq!(replica.shard().digest(), shard.digest());
    replica
}

fn look(path: &Path) -> Result<u64, Fault> {
    Replica::read(path, "t", &|_, _| Ok(true)).map(|replica| replica.shard().digest())
}
