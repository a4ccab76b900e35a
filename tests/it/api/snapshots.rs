//! Snapshots and the archive: a start from a snapshot is the start from the first event; what is damaged, foreign or gone is
//! passed over or refused by name; and what the journal lets go is still told.

use super::house::{House, LIMITS, Store, TENANT};
use baton::customers::MemoryStore;
use baton::engine::event::Event;
use baton::engine::ids::Sequence;
use baton::journal::{Archive, Erasure, Past, state_after};
use baton::runtime::snapshotting::writing::Wanted;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

#[tokio::test]
async fn a_start_from_a_snapshot_is_the_start_from_the_first_event() {
    let house = House::new();
    let shard = house.start();
    shard.furnish().await;
    let first = shard.comes(1).await;
    shard.writes(first, "still here").await;
    shard.snapshot().await;
    let second = shard.comes(2).await;
    shard.writes(first, "hello?").await;
    shard.ends().await;
    assert_eq!(house.snapshots().len(), 1);

    let shard = house.start();
    assert_eq!(shard.digest().await, house.told());
    assert_eq!(shard.said_of(first), ["I am 1", "still here", "hello?"]);
    assert_eq!(shard.said_of(second), ["I am 2"]);
    assert_eq!(shard.comes(2).await, second, "who repeats is recognised");
    shard.stops().await;
    let (_, last) = house.journal();
    assert_eq!(house.snapshots().last().expect("one more").0, last, "a stop writes a last one");
}

/// A program that does this.
fn script(house: &House, text: &str) -> PathBuf {
    let path = house.data.path().join("program");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("it is ours");
    path
}

#[tokio::test]
async fn a_process_of_its_own_writes_what_a_thread_writes() {
    let mut house = House::new();
    let asked = house.data.path().join("asked");
    house.program =
        Some(script(&house, &format!("touch {asked:?}; exec {} \"$@\"", env!("CARGO_BIN_EXE_baton"))));
    let shard = house.start();
    shard.furnish().await;
    for (count, customer) in [(1, 7), (2, 8)] {
        let waiting = shard.comes(customer).await;
        shard.writes(waiting, "still here").await;
        shard.snapshot().await;
        fs::remove_file(&asked).expect("a process was asked for it");
        let (sequence, path) = house.snapshots().pop().expect("it is written");
        assert_eq!((house.snapshots().len(), sequence), (count, shard.settled().await));
        let apart = fs::read(&path).expect("readable");
        fs::remove_file(&path).expect("removed");
        let wanted = Wanted {
            folder: house.dir(),
            tenant: TENANT.to_owned(),
            learns: true,
            upto: sequence,
            limits: LIMITS,
        };
        let (written, _) = wanted.write().expect("it can be written here too");
        assert_eq!((written.sequence, written.bytes), (sequence, apart.len() as u64));
        // Maps are written in any order.
        fs::write(&path, apart).expect("written");
        let state = state_after(&house.dir(), Sequence(sequence)).expect("it can be begun with");
        assert_eq!(state.digest(), house.told(), "after {count}");
    }
    shard.ends().await;
    let shard = house.start();
    assert_eq!(shard.digest().await, house.told());
    shard.ends().await;
}

#[tokio::test]
async fn without_its_program_a_snapshot_is_written_all_the_same() {
    for program in ["/nowhere/baton", "/bin/false"] {
        let house = House { program: Some(program.into()), ..House::new() };
        let shard = house.start();
        shard.furnish().await;
        shard.comes(1).await;
        shard.snapshot().await;
        assert_eq!(house.snapshots().len(), 1, "{program}");
        shard.ends().await;
    }
}

#[tokio::test]
async fn a_process_that_ends_before_its_snapshot_is_whole_takes_nothing_along_and_leaves_nothing() {
    let mut house = House::new();
    house.program = Some(script(&house, "kill -9 $$"));
    let shard = house.start();
    shard.furnish().await;
    shard.comes(1).await;
    let draft = house.dir().join("snapshots").join("begun.new");
    fs::create_dir_all(draft.parent().expect("it has one")).expect("created");
    fs::write(&draft, b"begun").expect("written");
    shard.snapshot().await;
    assert!(house.snapshots().is_empty() && !draft.exists());
    shard.comes(2).await;
    shard.ends().await;
    house.program = None;
    let shard = house.start();
    assert_eq!(shard.digest().await, house.told());
    shard.snapshot().await;
    assert_eq!(house.snapshots().len(), 1, "the next is written");
    shard.ends().await;
}

#[tokio::test]
async fn a_damaged_snapshot_is_passed_over_for_the_one_before_and_then_for_the_events() {
    let house = House::new();
    let shard = house.start();
    shard.furnish().await;
    let one = shard.comes(1).await;
    shard.snapshot().await;
    shard.comes(2).await;
    shard.snapshot().await;
    shard.comes(3).await;
    shard.ends().await;
    for (sequence, path) in house.snapshots().into_iter().rev() {
        let mut bytes = fs::read(&path).expect("readable");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).expect("written");
        let again = state_after(&house.dir(), Sequence(sequence + 1)).expect("it is passed over");
        assert_eq!(again.sequence(), Sequence(sequence + 1));
        let shard = house.start();
        assert_eq!(shard.digest().await, house.told());
        assert_eq!(shard.said_of(one), ["I am 1"]);
        shard.ends().await;
    }
}

#[tokio::test]
async fn what_the_journal_lets_go_is_in_the_archive_and_nothing_is_missing() {
    let house = House::new();
    let shard = house.start();
    shard.furnish().await;
    let one = shard.comes(0).await;
    for number in 1..40 {
        shard.comes(number).await;
        if number % 8 == 0 {
            shard.snapshot().await;
        }
    }
    shard.ends().await;
    let (first, last) = house.journal();
    assert!(first > 1, "it lets go what recovery does not need");
    assert_eq!(house.snapshots().len(), 2);
    assert_eq!(Archive::of(&house.dir()).first().expect("readable"), Some(1));
    let told = house.told();

    // Any moment of it can be looked at.
    for upto in [1, 5, first - 1, first, last] {
        let shard = state_after(&house.dir(), Sequence(upto)).expect("it is kept");
        assert_eq!(shard.sequence(), Sequence(upto));
    }
    let again = state_after(&house.dir(), Sequence(last)).expect("it is kept");
    assert_eq!(again.digest(), told);

    // Without any snapshot there is the archive, without both a refusal.
    house.snapshots().iter().for_each(|(_, path)| fs::remove_file(path).expect("removed"));
    let shard = house.start();
    assert_eq!(shard.said_of(one), ["I am 0"]);
    shard.ends().await;
    fs::remove_dir_all(house.dir().join("archive")).expect("removed");
    let refused = house.try_start().err().expect("nothing to begin with").to_string();
    assert!(refused.contains("event 1 is not kept any more"), "{refused}");
}

#[tokio::test]
async fn a_snapshot_of_another_journal_is_not_begun_with() {
    let house = House::new();
    let shard = house.start();
    shard.furnish().await;
    shard.comes(1).await;
    shard.ends().await;
    let copied = ["journal.db", "journal.db-wal", "keys.db", "keys.db-wal"];
    let older = tempfile::tempdir().expect("a temporary folder");
    for name in copied.iter().filter(|name| house.dir().join(name).exists()) {
        fs::copy(house.dir().join(name), older.path().join(name)).expect("copied");
    }
    let shard = house.start();
    for number in 2..9 {
        shard.comes(number).await;
    }
    shard.snapshot().await;
    shard.ends().await;

    // The older journal is put back beside the newer snapshot, and goes another way.
    for name in copied {
        let (from, to) = (older.path().join(name), house.dir().join(name));
        match from.exists() {
            true => drop(fs::copy(from, to).expect("put back")),
            false => drop(fs::remove_file(to)),
        }
    }
    let kept = house.snapshots();
    let bytes = fs::read(&kept[0].1).expect("readable");
    let house = House { store: Store::Memory(MemoryStore::new()), ..house };
    let shard = house.start();
    assert_eq!(house.snapshots(), [], "one that is newer than the journal goes");
    for number in 20..40 {
        shard.comes(number).await;
    }
    shard.ends().await;
    fs::write(&kept[0].1, bytes).expect("put back too");
    let shard = house.start();
    assert_eq!(shard.digest().await, house.told(), "one of another past is passed over");
    shard.ends().await;
}

#[tokio::test]
async fn an_archive_that_knows_more_than_the_journal_is_refused_by_name() {
    let house = House::new();
    let shard = house.start();
    shard.furnish().await;
    shard.ends().await;
    let older = fs::read(house.dir().join("journal.db")).expect("readable");
    let log = fs::read(house.dir().join("journal.db-wal")).expect("readable");
    let shard = house.start();
    for number in 1..40 {
        shard.comes(number).await;
        if number % 8 == 0 {
            shard.snapshot().await;
        }
    }
    shard.ends().await;
    fs::write(house.dir().join("journal.db"), older).expect("put back");
    fs::write(house.dir().join("journal.db-wal"), log).expect("put back");
    let house = House { store: Store::Memory(MemoryStore::new()), ..house };
    let refused = house.try_start().err().expect("it is of another past").to_string();
    assert!(refused.contains("archive") && refused.contains("from the same backup"), "{refused}");
    fs::rename(house.dir().join("archive"), house.dir().join("elsewhere")).expect("moved away");
    house.start().ends().await;
}

#[tokio::test]
async fn who_was_erased_stays_erased_though_a_snapshot_holds_them() {
    let mut house = House::new();
    let shard = house.start();
    shard.furnish().await;
    let (gone, stays) = (shard.comes(1).await, shard.comes(2).await);
    shard.snapshot().await;
    shard.ends().await;
    let mut came = 0;
    let past = Past::open(&house.dir()).expect("it is there");
    let mut look = |record: baton::journal::RecordRef<'_>| {
        if let Ok(Event::Admitted(admitted)) = record.event()
            && admitted.interaction == gone
        {
            came = i64::try_from(record.time_ms).expect("a time");
        }
        std::ops::ControlFlow::Continue(())
    };
    past.read(1, &mut look).expect("readable");
    house.erasures = vec![Erasure { time_ms: 1, customers: Vec::new(), interactions: vec![(gone.0, came)] }];

    let shard = house.start();
    assert!(shard.running.payloads.get(&gone).expect("it is open").erased, "though it began with a snapshot");
    assert_eq!(shard.said_of(stays), ["I am 2"]);
    shard.ends().await;
}
