//! A crash while a snapshot or the archive is written, on a real folder with the events of a run: whatever bytes are there,
//! recovery begins with the snapshot before, no event is missing or there twice, and the next attempt succeeds.
//!
//! Some bytes of each file in the test command; `BATON_CRASH_SEEDS=n` tries as many of n runs.

use super::asked;
use super::dice::Dice;
use super::world::World;
use baton::engine::event::Stamped;
use baton::engine::ids::Sequence;
use baton::engine::shard::Shard;
use baton::journal::{
    Archive, Batch, BatchWriter, Journal, Mark, Origin, Past, Snapshots, Sqlite, recover, state_after,
};
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use tempfile::TempDir;

const SEEDS: u64 = 3;
/// So many places of a file are tried, besides its ends.
const PLACES: usize = 60;
const DAY_MS: u64 = 86_400_000;

/// A journal with the events of a run.
struct House {
    folder: TempDir,
    journal: Sqlite,
    batches: Vec<Batch>,
    /// Of the whole run.
    digest: u64,
    last: u64,
    dice: Dice,
}

impl House {
    fn of(seed: u64) -> House {
        let mut world = World::short(seed, false, None);
        world.run();
        let events: Vec<Stamped> = world.witness.log.iter().map(|(stamped, _)| (**stamped).clone()).collect();
        let mut dice = Dice::new(seed);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut journal = Sqlite::open(folder.path(), "t").expect("a new folder");
        let mut batches = Vec::new();
        let mut rest = &events[..];
        while !rest.is_empty() {
            let (some, others) = rest.split_at(rest.len().min(1 + dice.index(8)));
            batches.push(batch(some));
            rest = others;
        }
        batches.iter().for_each(|batch| journal.append(batch).expect("appended"));
        let (digest, last) = (world.server.shard.digest(), events.len() as u64);
        House { folder, journal, batches, digest, last, dice }
    }

    fn snapshots(&self) -> Snapshots {
        Snapshots::of(self.folder.path())
    }

    fn archive(&self) -> Archive {
        Archive::of(self.folder.path())
    }

    /// Of a batch, counted from 0: the number of its last event.
    fn end(&self, batch: usize) -> u64 {
        self.batches[batch].last()
    }

    fn state_at(&self, sequence: u64) -> Shard {
        let state = recover(|visit| self.journal.read(1, visit), Sequence(sequence), |_, _, _| {});
        state.expect("the journal can be read")
    }

    /// Writes one of the state after an event; where it lies.
    fn snapshot(&self, sequence: u64) -> PathBuf {
        let shard = self.state_at(sequence);
        let mut mark = Mark::default();
        let look = &mut |record: baton::journal::RecordRef<'_>| {
            mark = Mark::of(&record);
            ControlFlow::Break(())
        };
        self.journal.read(sequence, look).expect("readable");
        let origin = Origin { tenant: "t".to_owned(), mark };
        let begun = self.snapshots().begin(sequence, shard.now().0, &origin);
        let mut writer = begun.expect("begun");
        shard.keep(&mut writer).expect("kept");
        writer.finish().expect("finished");
        let (newest, path) = self.snapshots().list().expect("readable").pop().expect("it is there");
        assert_eq!(newest, sequence);
        path
    }

    /// The ends of what a crash may leave of so many bytes, and some places between.
    fn places(&mut self, bytes: usize) -> Vec<usize> {
        let between = (0..PLACES).map(|_| self.dice.index(bytes)).collect::<Vec<_>>();
        [0, 1, bytes - 1, bytes].into_iter().chain(between).collect()
    }

    /// Where recovery begins, and that it leads to what there was.
    fn assert_recovers_from(&self, snapshot: u64, what: &str) {
        let newest = self.snapshots().list().expect("readable").pop().map(|(sequence, _)| sequence);
        assert_eq!(newest, Some(snapshot), "{what}");
        let recovered = state_after(self.folder.path(), Sequence(self.last)).expect("it can be recovered");
        assert_eq!(recovered.digest(), self.digest, "{what}");
    }

    /// Every event is kept once, in order, wherever it lies.
    fn assert_whole(&self, what: &str) {
        let past = Past::open(self.folder.path()).expect("it can be opened");
        let mut next = 1;
        let mut visit = |record: baton::journal::RecordRef<'_>| {
            assert_eq!(record.sequence, next, "{what}");
            next += 1;
            ControlFlow::Continue(())
        };
        past.read(1, &mut visit).expect("readable");
        assert_eq!(next, self.last + 1, "{what}");
    }
}

fn batch(events: &[Stamped]) -> Batch {
    let mut writer = BatchWriter::new(events[0].sequence.0);
    events.iter().for_each(|stamped| writer.push(stamped.time.0, &stamped.event, None));
    writer.finish()
}

#[test]
fn a_snapshot_cut_by_a_crash_leaves_the_one_before() {
    for seed in 0..asked("BATON_CRASH_SEEDS").unwrap_or(SEEDS) {
        let mut house = House::of(seed);
        let (older, newer) = (house.end(house.batches.len() / 3), house.end(house.batches.len() / 3 * 2));
        house.snapshot(older);
        let path = house.snapshot(newer);
        let whole = fs::read(&path).expect("readable");
        let mut draft = path.clone().into_os_string();
        draft.push(".new");
        fs::remove_file(&path).expect("removed");
        for kept in house.places(whole.len()) {
            // It has no other name before all of it is synced.
            fs::write(&draft, &whole[..kept]).expect("written");
            house.assert_recovers_from(older, &format!("seed {seed}, {kept} of {} bytes", whole.len()));
        }
        assert_eq!(house.snapshot(newer), path);
        assert!(fs::read(&path).expect("readable") == whole, "what a crash left does not stand in the way");
        house.assert_recovers_from(newer, "it was written again");
        fs::write(&draft, &whole[..whole.len() / 2]).expect("written");
        house.snapshots().remove_drafts().expect("removed");
        assert_eq!(fs::read_dir(path.parent().expect("a folder")).expect("readable").count(), 2);
    }
}

#[test]
fn a_move_to_the_archive_cut_by_a_crash_is_made_again_and_no_event_is_missing() {
    for seed in 0..asked("BATON_CRASH_SEEDS").unwrap_or(SEEDS) {
        let mut house = House::of(seed);
        let (first, all) = (house.batches.len() / 3, house.batches.len() / 3 * 2);
        // In every other run the second part begins a day of its own.
        let days = [1, 1 + seed % 2];
        move_to(&house, days[0], first);
        let old = archived(&house);
        move_to(&house, days[1], all);
        let path = house.archive().days().expect("readable").pop().expect("it is there").path;
        let whole = fs::read(&path).expect("readable");
        let before = if days[0] == days[1] { old.len() } else { 0 };
        for kept in house.places(whole.len() - before) {
            let what = format!("seed {seed}, {kept} of {} bytes", whole.len() - before);
            fs::write(&path, &whole[..before + kept]).expect("written");
            house.assert_whole(&what);
            move_to(&house, days[1], all);
            house.assert_whole(&what);
            assert!(fs::read(&path).expect("readable") == whole, "{what}");
        }
    }
}

/// As the thread that writes snapshots does it.
fn move_to(house: &House, day: u64, batches: usize) {
    let mut adding = house.archive().open_to_add(1).expect("there");
    let next = adding.next().unwrap_or(1);
    adding.turn_to(day * DAY_MS, None).expect("turned");
    let missing = house.batches[..batches].iter().filter(|batch| batch.first() >= next);
    missing.for_each(|batch| adding.add(batch).expect("added"));
    adding.sync().expect("synced");
}

/// The newest file of the archive.
fn archived(house: &House) -> Vec<u8> {
    let day = house.archive().days().expect("readable").pop().expect("it is there");
    fs::read(day.path).expect("readable")
}
