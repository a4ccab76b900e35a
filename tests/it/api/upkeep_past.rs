//! Snapshots and the archive in what is done to a data folder from outside: copied while they are written, looked through,
//! shown from what is kept, and saved from damage.

use super::harness::Server;
use super::house::{House, Shard, Store, lived};
use super::upkeep::{assert_whole, copied};
use baton::engine::ids::{InteractionId, Sequence};
use baton::journal::{Archive, Fault, Past, Snapshots, Sqlite, recover, state_after};
use baton::upkeep::{Checked, UpkeepError, dump, repair, verify, what_can_be_saved};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Copies taken under load.
const COPIES: usize = 3;
/// Those who submit meanwhile.
const SENDERS: u32 = 4;

fn damaged(data: &Path) -> Vec<Checked> {
    verify(data).expect("nobody has it").into_iter().filter(|one| one.damage.is_some()).collect()
}

/// The one file that is damaged, and how.
fn the_damage(data: &Path) -> (String, String) {
    let found = damaged(data);
    assert_eq!(found.len(), 1, "{found:?}");
    let one = found.into_iter().next().expect("one");
    (one.file, one.damage.expect("it is damaged"))
}

fn flip_middle(path: &Path) {
    let mut bytes = fs::read(path).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("written");
}

/// Tears the only file of an archive into one of three days, at batches. Their places.
fn make_three_days(dir: &Path) -> [PathBuf; 3] {
    let [day] = &Archive::of(dir).days().expect("readable")[..] else { panic!("of one day") };
    let bytes = fs::read(&day.path).expect("readable");
    let mut ends = vec![0];
    while ends[ends.len() - 1] < bytes.len() {
        let at = ends[ends.len() - 1];
        let length = u32::from_le_bytes(bytes[at + 20..at + 24].try_into().expect("four bytes"));
        ends.push(at + 24 + length as usize);
    }
    let thirds = [0, ends[ends.len() / 3], ends[2 * ends.len() / 3], bytes.len()];
    let newest: jiff::civil::Date = day.name.parse().expect("a day");
    let before = |days: i64| {
        let name = newest.checked_sub(jiff::Span::new().days(days)).expect("a day");
        dir.join("archive").join(format!("{name}.events"))
    };
    let paths = [before(2), before(1), day.path.clone()];
    for (path, part) in paths.iter().zip(thirds.windows(2)) {
        fs::write(path, &bytes[part[0]..part[1]]).expect("written");
    }
    paths
}

/// A copy of a house, to be broken.
fn another(house: &House) -> House {
    let data = tempfile::tempdir().expect("a temporary folder");
    let copy = House::at(data, Store::File);
    for folder in ["", "snapshots", "archive"] {
        let (from, to) = (house.dir().join(folder), copy.dir().join(folder));
        fs::create_dir_all(&to).expect("created");
        for file in fs::read_dir(from).expect("readable").map(|entry| entry.expect("readable").path()) {
            if file.is_file() {
                fs::copy(&file, to.join(file.file_name().expect("a file"))).expect("copied");
            }
        }
    }
    copy
}

/// Comes with one after the other until it is told to stop.
async fn load(
    shard: Arc<Shard>,
    sender: u32,
    came: Arc<Mutex<Vec<(u32, InteractionId)>>>,
    stop: Arc<AtomicBool>,
) {
    let mut number = sender;
    while !stop.load(Ordering::SeqCst) {
        let interaction = shard.comes(number).await;
        came.lock().expect("nobody panics").push((number, interaction));
        number += SENDERS;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_taken_while_snapshots_are_written_and_events_move_is_whole_and_starts() {
    let (house, copies) = (House::full(), TempDir::new().expect("a folder"));
    let shard = Arc::new(house.start());
    shard.furnish().await;
    let (came, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        senders.spawn(load(shard.clone(), sender, Arc::clone(&came), stop.clone()));
    }
    let snapshots = tokio::spawn({
        let (shard, stop) = (shard.clone(), stop.clone());
        async move {
            while !stop.load(Ordering::SeqCst) {
                shard.snapshot().await;
            }
        }
    });
    let mut before = Vec::new();
    for copy in 0..COPIES {
        // Each begins when the journal has let go some more.
        let seen = before.last().map_or(1, |(begin, _)| *begin);
        let journal = Sqlite::open_read_only(&house.dir()).expect("beside the writer");
        let begin = loop {
            let begin = journal.first().expect("readable");
            if begin > seen {
                break begin;
            }
            tokio::task::yield_now().await;
        };
        before.push((begin, came.lock().expect("nobody panics").clone()));
        copied(house.data.path(), copies.path().join(copy.to_string()), None).await.expect("copied");
    }
    stop.store(true, Ordering::SeqCst);
    while let Some(ended) = senders.join_next().await {
        ended.expect("every one is admitted");
    }
    snapshots.await.expect("each is written");
    Arc::into_inner(shard).expect("nobody else has it").ends().await;
    for (copy, (begin, before)) in before.into_iter().enumerate() {
        assert_copy(&copies.path().join(copy.to_string()), begin, &before).await;
    }
    assert_whole(house.data.path());
}

/// Its past is whole from the first event on, it starts from a snapshot, and knows who came before it was taken.
async fn assert_copy(data: &Path, begin: u64, before: &[(u32, InteractionId)]) {
    assert_whole(data);
    let place = tempfile::tempdir().expect("a temporary folder");
    fs::remove_dir(place.path()).expect("it is empty");
    fs::rename(data, place.path()).expect("on the same disk");
    let house = House::at(place, Store::File);
    let (first, last) = house.journal();
    assert!(first >= begin, "it is no copy of the journal as it was");
    let usable =
        house.snapshots().into_iter().filter(|(sequence, _)| (first..=last).contains(sequence)).count();
    assert!(usable > 0 && usable == house.snapshots().len(), "{first} to {last}: {:?}", house.snapshots());
    let told = house.told();
    assert_eq!(state_after(&house.dir(), Sequence(last)).expect("it is kept").digest(), told);
    fs::rename(house.dir().join("archive"), house.data.path().join("away")).expect("away");
    let shard = house.start();
    for (number, interaction) in before.iter().step_by(5).chain(before.last()) {
        assert_eq!(shard.comes(*number).await, *interaction, "who repeats is recognised");
    }
    shard.comes(1_000_000).await;
    shard.ends().await;
    fs::rename(house.data.path().join("away"), house.dir().join("archive")).expect("back");
    assert_whole(house.data.path());
}

#[tokio::test]
async fn each_snapshot_and_each_day_is_looked_through_and_its_damage_told() {
    let house = lived(House::full()).await;
    assert_whole(house.data.path());
    let (first, last) = house.journal();
    let found = verify(house.data.path()).expect("nobody has it");
    assert!(found[0].holds.starts_with(&format!("events {first} to {last}, ")), "{found:?}");
    let day = Archive::of(&house.dir()).days().expect("readable").remove(0).path;
    let files: Vec<_> = house.snapshots().into_iter().map(|(_, path)| path).chain([day]).collect();
    for path in &files {
        let broken = another(&house);
        let path = path.strip_prefix(house.dir()).expect("below it");
        flip_middle(&broken.dir().join(path));
        let (file, damage) = the_damage(broken.data.path());
        assert_eq!(Path::new(&file), path);
        assert!(damage.contains(&file), "{damage}");
    }
}

#[tokio::test]
async fn a_journal_that_begins_later_needs_a_snapshot_or_the_archive() {
    let house = lived(House::full()).await;
    let without = |folders: &[&str]| {
        let less = another(&house);
        folders.iter().for_each(|folder| fs::remove_dir_all(less.dir().join(folder)).expect("removed"));
        less
    };
    assert_whole(without(&["snapshots"]).data.path());
    assert_whole(without(&["archive"]).data.path());
    let neither = without(&["snapshots", "archive"]);
    let (file, damage) = the_damage(neither.data.path());
    assert!(file == "journal.db" && damage.contains("what was before is in no snapshot"), "{damage}");
    assert!(neither.try_start().is_err(), "and no server starts on it");
    let refused = what_can_be_saved(neither.data.path()).expect_err("nothing to begin with").to_string();
    assert!(refused.contains("what was before is in no snapshot"), "{refused}");

    // Days that are gone from the beginning were let go; between others they are missing.
    let days = another(&house);
    let [oldest, middle, _] = make_three_days(&days.dir());
    assert_whole(days.data.path());
    fs::remove_file(oldest).expect("removed");
    assert_whole(days.data.path());
    let gap = another(&house);
    let [oldest, _, newest] = make_three_days(&gap.dir());
    fs::remove_file(gap.dir().join(middle.strip_prefix(days.dir()).expect("below it"))).expect("removed");
    let (file, damage) = the_damage(gap.data.path());
    assert!(newest.ends_with(&file) && damage.contains("the file before it ends with"), "{file}: {damage}");
    fs::remove_file(newest).expect("removed");
    let (file, damage) = the_damage(gap.data.path());
    assert!(oldest.ends_with(&file) && damage.contains("the journal begins with"), "{damage}");
}

#[tokio::test]
async fn what_is_kept_is_shown_from_the_archive_on() {
    let house = lived(House::full()).await;
    let (first, last) = house.journal();
    let shown = |house: &House, from: Option<u64>| {
        let mut all = Vec::new();
        let see = |record: baton::upkeep::Record| {
            all.push(record.sequence);
            Ok(())
        };
        let shown = match from {
            Some(from) => dump(house.data.path(), "default", from.., see),
            None => dump(house.data.path(), "default", .., see),
        };
        shown.map(|printed| printed.map(|()| all).expect("nothing is printed"))
    };
    assert_eq!(shown(&house, None).expect("nobody has it"), (1..=last).collect::<Vec<_>>());
    fs::remove_dir_all(house.dir().join("archive")).expect("removed");
    assert_eq!(shown(&house, None).expect("nobody has it"), (first..=last).collect::<Vec<_>>());
    let refused = shown(&house, Some(1)).expect_err("it is gone");
    let UpkeepError::Fault(Fault::NotRetained { wanted: 1, first: kept, .. }) = refused else {
        panic!("{refused}")
    };
    assert_eq!(kept, first);
}

/// Copies what is good; who is in it, and that it starts.
async fn saved(broken: &House) -> (baton::upkeep::Saved, House) {
    let place = tempfile::tempdir().expect("a temporary folder");
    let to = place.path().join("saved");
    let told = what_can_be_saved(broken.data.path()).expect("it can be read");
    let saving = repair(broken.data.path(), &to).expect("saved");
    assert_eq!(saving.tenants, told.tenants);
    assert_whole(&to);
    let server = Server::on(&to).await;
    server.stop().await.expect("a graceful stop");
    assert_whole(&to);
    let data = tempfile::tempdir().expect("a temporary folder");
    fs::remove_dir(data.path()).expect("it is empty");
    fs::rename(&to, data.path()).expect("on the same disk");
    (saving.tenants.into_iter().next().expect("one tenant"), House::at(data, Store::File))
}

fn left_out(saved: &baton::upkeep::Saved) -> Vec<&str> {
    saved.left_out.iter().map(|one| &*one.file).collect()
}

#[tokio::test]
async fn what_is_damaged_beside_the_journal_is_left_out() {
    let house = lived(House::full()).await;
    let (_, last) = house.journal();
    let broken = another(&house);
    let (_, newest) = broken.snapshots().pop().expect("two are kept");
    flip_middle(&newest);
    let (one, _) = saved(&broken).await;
    assert_eq!((one.from, one.kept, &one.damage), (1, last, &None));
    assert!(newest.ends_with(left_out(&one)[0]), "{one:?}");

    for (which, lost) in [(0, 1), (1, 2), (2, 3)] {
        let broken = another(&house);
        let days = make_three_days(&broken.dir());
        flip_middle(&days[which]);
        let (one, good) = saved(&broken).await;
        assert_eq!((one.kept, &one.damage), (last, &None));
        assert!(
            days[..lost].iter().all(|day| left_out(&one).iter().any(|file| day.ends_with(file))),
            "{one:?}"
        );
        assert_eq!(left_out(&one).len(), lost);
        let first = Past::open(&good.dir()).expect("it is there").first().expect("readable");
        assert_eq!(
            first,
            one.from,
            "{which}: {:?} {:?} {one:?}",
            good.journal(),
            Archive::of(&good.dir()).days()
        );
        assert!(one.from > 1);
    }
}

#[tokio::test]
async fn of_a_damaged_journal_all_is_kept_that_a_start_can_begin_with() {
    let house = lived(House::full()).await;
    let (first, last) = house.journal();
    let broken_at = |event: u64| {
        let broken = another(&house);
        let path = broken.dir().join("journal.db");
        let connection = rusqlite::Connection::open(path).expect("it is there");
        let zero = "UPDATE batches SET body = zeroblob(length(body)) WHERE ?1 BETWEEN first AND last";
        connection.execute(zero, [event.cast_signed()]).expect("it can be changed");
        broken
    };
    let (older, newer) = (house.snapshots()[0].0, house.snapshots()[1].0);
    let (one, good) = saved(&broken_at(last)).await;
    assert!(one.kept < last && one.kept >= newer && one.damage.is_some(), "{one:?}");
    assert_eq!(one.left_out, []);
    assert!(good.told() > 0, "its past is whole from the first event");

    let (one, good) = saved(&broken_at(newer)).await;
    assert!((older..newer).contains(&one.kept), "{one:?}");
    assert!(
        Snapshots::of(&good.dir()).list().expect("readable").iter().any(|(sequence, _)| *sequence == older)
    );

    // A start needs no more than a good snapshot and what is behind it; the archive has what was before.
    let (one, good) = saved(&broken_at(first)).await;
    assert_eq!((one.from, one.kept, one.lost_between), (1, last, None));
    assert!(one.damage.is_some() && one.damage_is_passed, "{one:?}");
    let past = Past::open(&good.dir()).expect("it is there");
    let upto = |past: &Past, last| {
        recover(|visit| past.read(1, visit), Sequence(last), |_, _, _| {}).expect("readable").digest()
    };
    assert_eq!(upto(&past, last), house.told());
    let broken = broken_at(first);
    let [_, _, newest] = make_three_days(&broken.dir());
    flip_middle(&newest);
    let (one, good) = saved(&broken).await;
    let (from, to) = one.lost_between.expect("neither journal nor archive has it");
    assert!(from == first && (first..newer).contains(&to) && one.kept == last, "{one:?}");
    let days = left_out(&one).into_iter().filter(|file| file.starts_with("archive/")).count();
    assert_eq!((one.from, days), (to + 1, 3));
    assert_eq!(Past::open(&good.dir()).expect("it is there").first().expect("readable"), to + 1);

    // Without snapshots there is the archive, if that begins with the first event.
    let broken = broken_at(first);
    fs::remove_dir_all(broken.dir().join("snapshots")).expect("removed");
    let (one, good) = saved(&broken).await;
    assert_eq!((one.from, one.kept), (1, first - 1));
    let past = Past::open(&good.dir()).expect("it is there");
    let state = state_after(&house.dir(), Sequence(first - 1)).expect("it is kept");
    assert_eq!(upto(&past, first - 1), state.digest());
    fs::remove_dir_all(broken.dir().join("archive")).expect("removed");
    assert!(repair(broken.data.path(), &good.data.path().join("new")).is_err(), "nothing to begin with");
}
