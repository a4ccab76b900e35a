//! What a release wrote, every later one reads. `tests/data` has a small folder of a tenant for each format of the files
//! that was ever released, with what it must be read as. Made anew, for a format that was not released yet, by
//! `BATON_WRITE_DATA=1 cargo test --test it formats`.

use super::house::{House, Store};
use baton::customers::MemoryStore;
use baton::engine::ids::{InteractionId, Sequence};
use baton::journal::{Archive, Past, Sqlite, recover, state_after};
use baton::upkeep::{dump, verify};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// By the number in the files of SQLite; the batches, snapshots and keys of their time lie with them.
const TODAY: &str = "format-8";
const EVENTS: &str = "events.jsonl";
const STATE: &str = "state.txt";
const WHAT_TO_DO: &str =
    "a layout was changed: raise its format, add files of the new one to tests/data, and keep reading these";

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

/// Copies files and folders, one level deep.
fn copy(from: &Path, to: &Path, names: &[&str]) {
    for name in names {
        let (from, to) = (from.join(name), to.join(name));
        if from.is_dir() {
            fs::create_dir_all(&to).expect("created");
            for file in fs::read_dir(from).expect("readable").map(|entry| entry.expect("readable").path()) {
                fs::copy(&file, to.join(file.file_name().expect("a name"))).expect("copied");
            }
        } else {
            fs::copy(from, to).expect("copied");
        }
    }
}

const FILES: [&str; 4] = ["journal.db", "keys.db", "snapshots", "archive"];

/// Everything that is kept, one event a line.
fn events(data: &Path) -> String {
    let mut lines = String::new();
    let see = |record| {
        let line = serde_json::to_string(&record).expect("every event can be shown as JSON");
        writeln!(lines, "{line}").expect("memory");
        Ok(())
    };
    dump(data, "default", .., see).unwrap_or_else(|error| panic!("{error}: {WHAT_TO_DO}")).expect("memory");
    lines
}

fn by_the_events(house: &House) -> String {
    let past = Past::open(&house.dir()).unwrap_or_else(|error| panic!("{error}: {WHAT_TO_DO}"));
    let state = recover(|visit| past.read(1, visit), Sequence(u64::MAX), |_, _, _| {});
    let state = state.unwrap_or_else(|error| panic!("{error}: {WHAT_TO_DO}"));
    format!("{} events\ndigest {:016x}\n", state.sequence(), state.digest())
}

async fn write() {
    let house = House::full();
    let shard = house.start();
    shard.furnish().await;
    for number in 0..6 {
        let interaction = shard.comes(number).await;
        shard.writes(interaction, &format!("so said {number}")).await;
        if number < 4 {
            shard.snapshot().await;
        }
    }
    shard.ends().await;
    // Opened once more, it is all in the files themselves.
    let (first, _) = house.journal();
    assert!(first > 1, "some of it is in the archive alone");
    let to = kept().join(TODAY);
    if to.exists() {
        fs::remove_dir_all(&to).expect("removed");
    }
    fs::create_dir_all(&to).expect("created");
    copy(&house.dir(), &to, &FILES);
    fs::write(to.join(EVENTS), events(house.data.path())).expect("written");
    fs::write(to.join(STATE), by_the_events(&house)).expect("written");
}

#[tokio::test]
async fn files_of_each_format_are_read_as_they_were_written() {
    if std::env::var_os("BATON_WRITE_DATA").is_some() {
        write().await;
    }
    let formats = fs::read_dir(kept()).expect("it is there").map(|entry| entry.expect("readable").path());
    let formats: Vec<_> = formats.filter(|path| path.is_dir()).collect();
    assert!(formats.contains(&kept().join(TODAY)), "{WHAT_TO_DO}");
    for format in formats {
        assert_read(&format).await;
    }
}

async fn assert_read(format: &Path) {
    let noted = |name: &str| fs::read_to_string(format.join(name)).expect("it lies beside");
    let house =
        House::at(tempfile::tempdir().expect("a temporary folder"), Store::Memory(MemoryStore::new()));
    fs::create_dir_all(house.dir()).expect("created");
    copy(format, &house.dir(), &FILES);
    assert_eq!(events(house.data.path()), noted(EVENTS), "{format:?}: {WHAT_TO_DO}");
    assert_eq!(by_the_events(&house), noted(STATE), "{format:?}: {WHAT_TO_DO}");
    for one in verify(house.data.path()).expect("nobody has it") {
        let there = ["journal.db", "keys.db"].contains(&&*one.file) || one.file.contains('/');
        assert!(!there || one.damage.is_none(), "{one:?}: {WHAT_TO_DO}");
    }
    let (first, last) = house.journal();
    let state = state_after(&house.dir(), Sequence(last)).expect("it is kept");
    assert!(
        noted(STATE).contains(&format!("{:016x}", state.digest())),
        "a snapshot and what came then: {WHAT_TO_DO}"
    );
    assert!(Archive::of(&house.dir()).first().is_ok_and(|archived| archived == Some(1)) && first > 1);
    drop(Sqlite::open(&house.dir(), "default").expect("it can be written to"));

    // First from the archive, since the customers have seen nothing; then there is nothing but a snapshot.
    for round in ["from the archive", "from a snapshot"] {
        let shard = house.try_start().unwrap_or_else(|error| panic!("{round}: {error}: {WHAT_TO_DO}"));
        for number in 0..6 {
            let said = shard.said_of(InteractionId(number + 1));
            assert_eq!(
                said,
                [format!("I am {number}"), format!("so said {number}")],
                "{round}: {WHAT_TO_DO}"
            );
        }
        shard.ends().await;
        let archive = house.dir().join("archive");
        if archive.exists() {
            fs::remove_dir_all(archive).expect("removed");
        }
    }
}
