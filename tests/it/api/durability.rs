//! What survives: a graceful stop and a new start on the same folder; and what is answered when nothing can be
//! written any more.

use super::expect::{assert_refused, failed};
use super::faults::Failing;
use super::harness::{Server, call, call_with, phone, within};
use baton::assembly::ServerError;
use baton::proto::{self, InteractionState, Liveness, SubmitRequest};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tonic::Code;

const SECRET: &str = "my pet is called Rumpelstiltskin";
const NUMBER: &str = "+15550199777";

fn personal(external_id: &str) -> SubmitRequest {
    call_with(external_id, |one| {
        one.from = phone(NUMBER);
        one.message = SECRET.into();
        one.attributes.insert("pet".into(), "Rumpelstiltskin".into());
    })
}

async fn history(server: &Server, customer: &str) -> Vec<proto::HistoryEntry> {
    let request =
        proto::ListHistoryRequest { parent: customer.into(), ..proto::ListHistoryRequest::default() };
    within("the history", server.customers().list_history(request)).await.expect("known").into_inner().entries
}

#[tokio::test]
async fn a_restart_keeps_what_waits_in_its_order_the_history_and_the_ids() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[("ana", 3)]).await;
    let first = server.submit(personal("c1")).await.expect("taken").interaction.expect("an interaction");
    let first = server.until(&first.name, |one| !one.customer.is_empty()).await;
    let (desk, assignment) = server.sign_in_and_accept("ana").await;
    server.complete_with(&assignment, "calls again").await.expect("the conversation goes on");
    drop(desk);
    server.agent_until("ana", |status| status.liveness() == Liveness::Lost).await;
    for number in 2..=9 {
        let request = call_with(&format!("c{number}"), |one| {
            one.priority = 5 - number;
            one.message = SECRET.into();
            one.from = phone(NUMBER);
        });
        server.submit(request).await.expect("taken");
    }
    let open = open(&server).await;
    let told = history(&server, &first.customer).await;
    assert_eq!(open.len(), 8);
    server.stop().await.expect("a graceful stop");

    let server = Server::on(folder.path()).await;
    assert_eq!(strip(self::open(&server).await), strip(open), "the same, in the same order");
    assert_eq!(history(&server, &first.customer).await, told);
    let again = server.submit(personal("c1")).await.expect("a repetition");
    assert!(again.repeated);
    assert_eq!(again.interaction.expect("an interaction").name, first.name);
    let reused = (Code::AlreadyExists, "REQUEST_ID_REUSED", "");
    assert_refused("the same id", server.submit(call("c1")).await, reused);
    server.stop().await.expect("a graceful stop");
}

/// A folder with one interaction in line, of a known customer.
async fn folder_with_a_customer() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[]).await;
    let one = server.submit(personal("c1")).await.expect("taken").interaction.expect("an interaction");
    server.until(&one.name, |one| !one.customer.is_empty()).await;
    server.stop().await.expect("a graceful stop");
    folder
}

#[tokio::test]
async fn a_customer_store_that_is_older_than_the_journal_is_refused() {
    let folder = folder_with_a_customer().await;
    for file in ["customers.db", "customers.db-wal", "customers.db-shm"] {
        // The last two are there only while somebody has the first open.
        let _ = std::fs::remove_file(folder.path().join("tenants/default").join(file));
    }
    let refused = Server::refused_on(folder.path()).await.to_string();
    assert!(refused.contains("customer 1 of the journal is not in the customer store"), "{refused}");
}

#[tokio::test]
async fn a_keys_file_that_does_not_fit_is_refused() {
    let (folder, other) = (folder_with_a_customer().await, folder_with_a_customer().await);
    let keys = |folder: &Path| folder.join("tenants/default/keys.db");
    for log in ["keys.db-wal", "keys.db-shm"] {
        // What is in the log of the one is no part of the other.
        let _ = std::fs::remove_file(folder.path().join("tenants/default").join(log));
    }
    drop(rusqlite::Connection::open(keys(other.path())).expect("it is there").query_row(
        "PRAGMA wal_checkpoint(TRUNCATE)",
        [],
        |_| Ok(()),
    ));
    std::fs::copy(keys(other.path()), keys(folder.path())).expect("copied");
    let refused = Server::refused_on(folder.path()).await.to_string();
    assert!(refused.contains("interaction 1 cannot be opened with its key"), "{refused}");
}

async fn open(server: &Server) -> Vec<proto::Interaction> {
    let mut open = Vec::new();
    for name in server.open_names().await {
        open.push(server.get(&name).await);
    }
    open
}

/// Without what passes with time.
fn strip(mut open: Vec<proto::Interaction>) -> Vec<proto::Interaction> {
    for one in &mut open {
        (one.wait_time, one.estimate) = (None, None);
    }
    open
}

#[tokio::test]
async fn offers_are_taken_back_by_a_restart_and_the_agent_resumes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[("ana", 3)]).await;
    let request = personal("c1");
    let taken = server.submit(request).await.expect("taken").interaction.expect("an interaction");
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    let session = ana.session.clone();
    drop(ana);
    server.agent_until("ana", |status| status.liveness() == Liveness::Lost).await;
    let mut ana = server.work("ana", &session).await;
    let offer_again = ana.snapshot.offers.pop().expect("a new offer of the same");
    assert_ne!(offer.name, offer_again.name);
    server.stop().await.expect("a graceful stop");
    drop(ana);

    let server = Server::on(folder.path()).await;
    assert_eq!(server.state(&taken.name).await, InteractionState::Waiting, "nobody rings after a restart");
    assert_eq!(server.agent("ana").await.liveness(), Liveness::Lost);
    let refused = server.accept(&offer_again.name).await;
    assert_refused("an offer from before", refused, failed("OFFER_RESCINDED"));
    let resumed = server.work("ana", &session).await;
    assert!(resumed.resumed);
    let fresh = &resumed.snapshot.offers[0];
    let shown = fresh.interaction().expect("an offer shows its interaction");
    assert_eq!((&shown.name, &shown.enter_time), (&taken.name, &taken.enter_time), "the place is kept");
    assert_eq!((shown.message.as_str(), shown.attributes["pet"].as_str()), (SECRET, "Rumpelstiltskin"));
    assert_eq!(shown.from, phone(NUMBER));
    assert_eq!(fresh.card().as_ref().map(|card| card.message.as_str()), Some(SECRET));
    let accepted = server.accept(&fresh.name).await.expect("the offer is open");
    server.complete_with(&accepted.assignment, SECRET).await.expect("the key is still there for the note");
    server.stop().await.expect("a graceful stop");
}

#[tokio::test]
async fn an_assignment_goes_on_after_a_restart_and_wrap_up_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    let wrap_up = proto::queue::WrapUp::Timed.into();
    server.add_queue("sales", proto::Queue { wrap_up, ..proto::Queue::default() }).await;
    server.add_agent("ana", 0).await;
    server.call("c1").await;
    let (ana, assignment) = server.sign_in_and_accept("ana").await;
    server.stop().await.expect("a graceful stop");
    let server = Server::on(folder.path()).await;
    let resumed = server.work("ana", &ana.session).await;
    assert_eq!(resumed.snapshot.assignments[0].name, assignment);
    server.complete(&assignment).await.expect("the conversation goes on");
    server.stop().await.expect("a graceful stop");
    let server = Server::on(folder.path()).await;
    let resumed = server.work("ana", &ana.session).await;
    assert_eq!(resumed.snapshot.assignments[0].state(), proto::assignment::State::WrapUp);
    server.finish(&assignment).await.expect("wrap-up goes on");
    server.stop().await.expect("a graceful stop");
}

#[tokio::test]
async fn personal_words_lie_nowhere_in_clear_but_with_the_customers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[("ana", 3)]).await;
    let taken = server.submit(personal("c1")).await.expect("taken").interaction.expect("an interaction");
    server.until(&taken.name, |one| !one.customer.is_empty()).await;
    let (_ana, assignment) = server.sign_in_and_accept("ana").await;
    server.complete_with(&assignment, "Rumpelstiltskin it is").await.expect("the conversation goes on");
    let looked = assert_sealed(folder.path());
    assert!(looked.iter().any(|file| file.ends_with("-wal")), "the journal is open: {looked:?}");
    server.stop().await.expect("a graceful stop");
    let looked = assert_sealed(folder.path());
    assert!(looked.iter().any(|file| file == "journal.db"), "{looked:?}");
    assert!(looked.iter().any(|file| file.ends_with(".snapshot")), "{looked:?}");
}

/// Looks through every file but the customers' own; gives the names of those looked at.
fn assert_sealed(folder: &Path) -> Vec<String> {
    let mut looked = Vec::new();
    let mut folders = vec![folder.join("tenants").join("default")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the tenant's folder") {
            let path = entry.expect("the folder can be read").path();
            let file = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !file.starts_with("customers") {
                assert_nothing_personal(&path);
                looked.push(file);
            }
        }
    }
    looked
}

fn assert_nothing_personal(path: &Path) {
    let bytes = std::fs::read(path).expect("a file can be read");
    for word in ["Rumpelstiltskin", "15550199777", "5550199"] {
        let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!found, "{word} lies in clear in {}", path.display());
    }
}

#[tokio::test]
async fn when_nothing_can_be_written_nothing_is_answered_ok() {
    let switch: Arc<Mutex<Arc<AtomicBool>>> = Arc::default();
    let given = switch.clone();
    let server = Server::with_parts(move |parts| {
        let journal = Failing::default();
        *given.lock().expect("nobody panics") = journal.switch();
        parts.journal = Box::new(journal);
    })
    .await;
    server.open_floor(&[("ana", 3)]).await;
    let mut ana = server.sign_in("ana").await;
    let mut watch = {
        let waits = server.submit(call_with("waits", |one| one.channel = 5)).await.expect("taken");
        let name = waits.interaction.expect("an interaction").name;
        server
            .interactions()
            .watch(proto::WatchInteractionRequest { name, ..Default::default() })
            .await
            .expect("it exists")
    };
    let offer = ana.next_offer().await;

    switch.lock().expect("nobody panics").store(true, Ordering::SeqCst);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..50 {
        let mut interactions = server.interactions();
        calls.spawn(async move { interactions.submit(call(&format!("c{number}"))).await.map(drop) });
        let (mut agents, offer) = (server.agents(), offer.name.clone());
        calls.spawn(async move { agents.accept(proto::AcceptRequest { offer }).await.map(drop) });
    }
    let answers = within("the answers", calls.join_all()).await;
    for answer in answers {
        let status = answer.expect_err("nothing is durable any more");
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    }
    assert_eq!(ana.end().await.code(), Code::Unavailable, "the stream ends, and no change was told");
    let told = within("the watch", async {
        loop {
            match watch.get_mut().message().await {
                Ok(Some(change)) => {
                    let state = change.interaction.expect("an interaction").state();
                    assert_eq!(state, InteractionState::Offered, "nothing that is not durable is told");
                }
                Ok(None) => return Code::Ok,
                Err(status) => return status.code(),
            }
        }
    })
    .await;
    assert_eq!(told, Code::Unavailable);
    let ended = server.ends().await.expect_err("a server without a journal ends");
    let ServerError::ShardEnded { tenant, why } = ended else { panic!("a shard ended, not {ended:?}") };
    assert_eq!(tenant, "default");
    assert!(why.contains("cannot append to journal.db"), "{why}");
}

#[tokio::test]
async fn when_an_assumption_breaks_whoever_waits_is_turned_away_and_the_server_says_why() {
    let switch: Arc<Mutex<Arc<AtomicBool>>> = Arc::default();
    let given = switch.clone();
    let server = Server::with_parts(move |parts| {
        let journal = Failing::panicking();
        *given.lock().expect("nobody panics") = journal.switch();
        parts.journal = Box::new(journal);
    })
    .await;
    server.open_floor(&[]).await;
    switch.lock().expect("nobody panics").store(true, Ordering::SeqCst);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..50 {
        let mut interactions = server.interactions();
        calls.spawn(async move { interactions.submit(call(&format!("c{number}"))).await.map(drop) });
    }
    for answer in within("the answers", calls.join_all()).await {
        let status = answer.expect_err("nothing is done any more");
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    }
    let ended = server.ends().await.expect_err("it ends").to_string();
    assert_eq!(ended, "the shard of tenant default ended: an assumption is broken: a batch is a batch");
}
