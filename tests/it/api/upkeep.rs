//! What is done to a data folder from outside: copied under load, looked through, shown, and saved from damage.

use super::expect::{assert_refused, failed};
use super::harness::{Server, TENANT, call_with, phone, within};
use baton::journal::Fault;
use baton::journal::set_aside::release;
use baton::proto::{ListHistoryRequest, SourceHeartbeatRequest, SubmitRequest};
use baton::upkeep::{Backup, UpkeepError, backup, dump, repair, verify, what_can_be_saved};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Senders who submit without a pause.
const SENDERS: usize = 8;
/// Copies taken meanwhile.
const COPIES: usize = 3;
/// So many are answered between two copies.
const BETWEEN: usize = 60;

fn personal(external_id: &str) -> SubmitRequest {
    call_with(external_id, |one| {
        one.from = phone(&format!("+1555{:07}", number(external_id) % 97));
        one.message = format!("Rumpelstiltskin {external_id}");
    })
}

fn number(external_id: &str) -> usize {
    external_id.bytes().map(usize::from).fold(7, |sum, byte| sum * 31 + byte)
}

/// Ids and names of what was answered, in the order of the answers.
type Answered = Arc<Mutex<Vec<(String, String)>>>;

async fn submit(server: &Server, external_id: &str) -> String {
    let answer = server.submit(personal(external_id)).await.expect("there is room");
    answer.interaction.expect("an answer holds the interaction").name
}

/// Submits until told to stop.
async fn load(server: Arc<Server>, sender: usize, answered: Answered, stop: Arc<AtomicBool>) {
    for round in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let id = format!("s{sender}-{round}");
        let name = submit(&server, &id).await;
        answered.lock().expect("nobody panics").push((id, name));
    }
}

async fn until_answered(answered: &Answered, count: usize) {
    within("the load", async {
        while answered.lock().expect("nobody panics").len() < count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// On a thread of its own, as another process would.
pub async fn copied(data: &Path, to: PathBuf, keys: Option<PathBuf>) -> Result<Backup, UpkeepError> {
    let data = data.to_owned();
    let copy = tokio::task::spawn_blocking(move || backup(&data, &to, keys.as_deref()));
    within("the copy", copy).await.expect("copying does not panic")
}

pub fn assert_whole(data: &Path) {
    let found = verify(data).expect("nobody has it");
    assert!(found.len() >= 5, "{found:?}");
    for one in found {
        assert_eq!(one.damage, None, "{one:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_taken_under_load_starts_and_holds_whatever_was_answered_before() {
    let (folder, copies) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let server = Arc::new(Server::on(folder.path()).await);
    server.open_floor(&[("ana", 3)]).await;
    let (answered, stop) = (Answered::default(), Arc::new(AtomicBool::new(false)));
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..SENDERS {
        senders.spawn(load(server.clone(), sender, answered.clone(), stop.clone()));
    }
    let mut before = Vec::new();
    for copy in 0..COPIES {
        until_answered(&answered, (copy + 1) * BETWEEN).await;
        before.push(answered.lock().expect("nobody panics").clone());
        copied(folder.path(), copies.path().join(copy.to_string()), None).await.expect("copied");
    }
    stop.store(true, Ordering::SeqCst);
    while let Some(ended) = senders.join_next().await {
        ended.expect("every submit is answered");
    }
    for (copy, before) in before.iter().enumerate() {
        let data = copies.path().join(copy.to_string());
        assert_whole(&data);
        let server = Server::on(&data).await;
        for (id, name) in before.iter().step_by(7).chain(before.last()) {
            let again = server.submit(personal(id)).await.expect("a repetition");
            assert!(again.repeated, "{id} of copy {copy}");
            assert_eq!(&again.interaction.expect("an interaction").name, name);
        }
        submit(&server, "new").await;
        server.stop().await.expect("a graceful stop");
    }
    let server = Arc::into_inner(server).expect("the senders have ended");
    server.stop().await.expect("the server was not disturbed");
    assert_whole(folder.path());
}

#[tokio::test]
async fn keys_are_not_copied_into_the_copy_nor_the_copy_to_them() {
    let (folder, copies) = (stopped().await.0, TempDir::new().expect("a folder"));
    let data = copies.path().join("data");
    for keys in [&*data, &data.join("keys"), &copies.path().join("new/../data"), copies.path()] {
        let refused =
            copied(folder.path(), data.clone(), Some(keys.to_owned())).await.expect_err("not apart");
        assert!(matches!(refused, UpkeepError::NotApart { .. }), "{refused}");
        assert_eq!(copies.path().read_dir().expect("readable").count(), 0, "nothing was begun");
    }
    copied(folder.path(), data, Some(copies.path().join("data-keys"))).await.expect("beside it");
}

#[tokio::test]
async fn keys_copied_apart_are_needed_and_fit() {
    let (folder, copies) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    let server = Server::on(folder.path()).await;
    server.open_floor(&[]).await;
    let name = submit(&server, "c1").await;
    let (data, keys) = (copies.path().join("data"), copies.path().join("keys"));
    copied(folder.path(), data.clone(), Some(keys.clone())).await.expect("copied");
    let again = copied(folder.path(), data.clone(), None).await.expect_err("something is there");
    assert!(matches!(again, UpkeepError::InTheWay(_)), "{again}");
    server.stop().await.expect("a graceful stop");

    let refused = Server::refused_on(&data).await.to_string();
    assert!(refused.contains("keys.db is damaged: it is missing"), "{refused}");
    let found = verify(&data).expect("nobody has it");
    let damaged: Vec<_> = found.iter().filter(|one| one.damage.is_some()).map(|one| &*one.file).collect();
    assert!(damaged.contains(&"keys.db"), "{damaged:?}");
    let file = Path::new("tenants/default/keys.db");
    std::fs::copy(keys.join(file), data.join(file)).expect("put back");
    assert_whole(&data);
    let server = Server::on(&data).await;
    assert_eq!(server.get(&name).await.message, "Rumpelstiltskin c1");
    server.stop().await.expect("a graceful stop");
}

/// A folder whose server has stopped, with ten interactions of customers; their names.
async fn stopped() -> (TempDir, Vec<String>) {
    let folder = TempDir::new().expect("a folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[]).await;
    let mut names = Vec::new();
    for number in 0..10 {
        names.push(submit(&server, &format!("c{number}")).await);
        server.until(&names[number], |one| !one.customer.is_empty()).await;
    }
    server.stop().await.expect("a graceful stop");
    (folder, names)
}

fn sql(folder: &Path, file: &str, change: &str) {
    let path = folder.join("tenants/default").join(file);
    let connection = rusqlite::Connection::open(path).expect("it is there");
    connection.execute(change, []).expect("it can be changed");
}

#[tokio::test]
async fn what_lies_before_damage_is_saved_and_goes_on() {
    let (folder, names) = stopped().await;
    // With a snapshot of later it would start, and not know.
    std::fs::remove_dir_all(folder.path().join("tenants/default/snapshots"))
        .expect("one is written at a stop");
    let to = TempDir::new().expect("a folder");
    let to = to.path().join("saved");
    let event = |number: usize| {
        let mut sequences = Vec::new();
        dump(folder.path(), "default", 1..=u64::MAX, |record| {
            if format!("{:?}", record.event).contains(&format!("external_id: \"c{number}\"")) {
                sequences.push(record.sequence);
            }
            Ok(())
        })
        .expect("nobody has it")
        .expect("nothing is printed");
        sequences[0]
    };
    let damaged = event(6);
    let flip =
        format!("UPDATE batches SET body = zeroblob(length(body)) WHERE {damaged} BETWEEN first AND last");
    sql(folder.path(), "journal.db", &flip);
    let refused = Server::refused_on(folder.path()).await.to_string();
    assert!(refused.contains("journal.db is damaged: batch at sequence"), "{refused}");
    assert!(refused.contains("baton journal verify"), "{refused}");
    let found = verify(folder.path()).expect("nobody has it");
    assert_eq!(found[0].file, "journal.db");
    assert!(found[0].damage.as_ref().is_some_and(|damage| damage.contains("batch at sequence")), "{found:?}");

    let told = what_can_be_saved(folder.path()).expect("it can be read");
    let saved = repair(folder.path(), &to).expect("saved");
    assert_eq!(saved.tenants, told.tenants);
    let one = &saved.tenants[0];
    assert!(one.kept < damaged && one.reached > damaged, "{one:?}");
    assert_whole(&to);
    for _ in 0..2 {
        let server = Server::on(&to).await;
        for (number, name) in names.iter().enumerate().take(6) {
            assert_eq!(server.get(name).await.message, format!("Rumpelstiltskin c{number}"));
        }
        // The number of one that is lost is given again, and the history has the new one alone.
        let again = submit(&server, "c6").await;
        assert_eq!(again, names[6]);
        let customer = server.until(&again, |one| !one.customer.is_empty()).await.customer;
        let request = ListHistoryRequest { parent: customer, ..ListHistoryRequest::default() };
        let page = within("the history", server.customers().list_history(request)).await.expect("known");
        let of_it = page.into_inner().entries.into_iter().filter(|entry| entry.interaction == again).count();
        assert_eq!(of_it, 1);
        server.stop().await.expect("a graceful stop");
    }
    assert!(matches!(repair(folder.path(), &to), Err(UpkeepError::InTheWay(_))), "nothing is written over");
}

#[tokio::test]
async fn every_event_is_shown_and_nothing_personal() {
    let (folder, _) = stopped().await;
    let (shown, sealed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let all = dump(folder.path(), "default", 1..=u64::MAX, |record| {
        shown.fetch_add(1, Ordering::Relaxed);
        sealed.fetch_add(record.sealed_bytes, Ordering::Relaxed);
        let json = serde_json::to_string(&record).expect("every event can be shown as JSON");
        for text in [json, format!("{record:?}")] {
            assert!(!text.contains("Rumpelstiltskin") && !text.contains("+1555"), "{text}");
        }
        Ok(())
    });
    all.expect("nobody has it").expect("nothing is printed");
    assert!(shown.into_inner() > 20 && sealed.into_inner() > 0);
    let mut some = Vec::new();
    let few = dump(folder.path(), "default", 3..=5, |record| {
        some.push(record.sequence);
        Ok(())
    });
    few.expect("nobody has it").expect("nothing is printed");
    assert_eq!(some, [3, 4, 5]);
}

#[tokio::test]
async fn a_folder_in_use_is_refused_and_so_is_one_that_is_none() {
    let folder = TempDir::new().expect("a folder");
    let server = Server::on(folder.path()).await;
    let refused = verify(folder.path()).expect_err("the server has it");
    assert!(matches!(refused, UpkeepError::Fault(Fault::Locked { .. })), "{refused}");
    assert!(repair(folder.path(), &folder.path().join("new")).is_err());
    server.stop().await.expect("a graceful stop");
    let nothing = TempDir::new().expect("a folder");
    assert!(matches!(verify(nothing.path()), Err(UpkeepError::NoTenants(_))));
    assert_eq!(std::fs::read_dir(nothing.path()).expect("readable").count(), 0, "nothing is left in it");
}

#[tokio::test]
async fn each_damaged_file_is_named() {
    let (folder, _) = stopped().await;
    for (file, change) in [
        ("keys.db", "UPDATE pads SET pads = x'00'"),
        ("rules.db", "UPDATE audit SET who = 'eve'"),
        ("customers.db", "UPDATE projection SET applied = 1000000"),
    ] {
        sql(folder.path(), file, change);
        let found = verify(folder.path()).expect("nobody has it");
        let damage = found.iter().find(|one| one.file == file).and_then(|one| one.damage.clone());
        assert!(damage.is_some(), "{file}: {found:?}");
    }
    let to = TempDir::new().expect("a folder");
    let refused = copied(folder.path(), to.path().join("copy"), None).await.expect_err("they do not fit");
    assert!(matches!(refused, UpkeepError::CustomersAhead { seen: 1_000_000, .. }), "{refused}");
}

/// As the server writes it when opening the source `pbx` broke an assumption.
fn set_aside_opening_pbx(folder: &Path) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, br#"OpenSource { source: "pbx" }"#);
    let id: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let line = format!(r#"{{"id":"{id}","command":"OpenSource","time_ms":1,"why":"it was broken"}}"#);
    let tenant = folder.join("tenants/default");
    std::fs::create_dir_all(&tenant).expect("a folder");
    std::fs::write(tenant.join("poisoned"), line + "\n").expect("written");
    id
}

#[tokio::test]
async fn a_request_that_was_set_aside_is_refused_until_it_is_released() {
    let folder = TempDir::new().expect("a folder");
    let id = set_aside_opening_pbx(folder.path());
    let heartbeat = |source: &str| SourceHeartbeatRequest { parent: TENANT.into(), source: source.into() };
    let server = Server::on(folder.path()).await;
    for _ in 0..2 {
        let refused = within("a heartbeat", server.interactions().heartbeat(heartbeat("pbx"))).await;
        assert_refused("what broke it", refused, failed("POISONED"));
    }
    within("a heartbeat", server.interactions().heartbeat(heartbeat("web"))).await.expect("another source");
    server.stop().await.expect("a graceful stop");
    let tenant = folder.path().join("tenants/default");
    assert!(release(&tenant, &id).expect("written"));
    let server = Server::on(folder.path()).await;
    within("a heartbeat", server.interactions().heartbeat(heartbeat("pbx"))).await.expect("it was released");
    server.stop().await.expect("a graceful stop");
}
