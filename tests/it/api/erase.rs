//! Erasing a person, end to end: what was planted everywhere is nowhere, in no byte of any file, also after older copies
//! were put back; somebody else loses nothing, and decisions can be judged again.

use super::expect::{assert_refused, invalid, missing, unknown};
use super::harness::{Server, bearing, call_with, name, phone, settings, within};
use super::planted::{
    ANA_LEVI, BO_BERG, Contacts, Shown, assert_forgotten, assert_nowhere, assert_planted, assert_shown,
    holders, number, plant, replayed,
};
use super::verbs::to_agent;
use baton::config::{JournalKind, Settings};
use baton::proto::{self, Handover, InteractionState};
use std::path::PathBuf;
use tonic::Code;

/// What a backup holds of a tenant.
const FILES: [&str; 3] = ["journal.db", "keys.db", "customers.db"];

/// A folder with two persons in it, and everything that must not change.
struct Scene {
    folder: tempfile::TempDir,
    ana: Contacts,
    bo: Contacts,
    /// What is shown of the one who stays.
    bo_shown: Shown,
    /// Up to which event, and the state then.
    upto: u64,
    digest: u64,
    /// Of the served interaction: as it was decided, and the first decision as it is judged again.
    decisions: Vec<proto::Decision>,
    judged: Vec<proto::Candidate>,
}

impl Scene {
    /// Planted, and stopped.
    async fn planted() -> Scene {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = Server::on(folder.path()).await;
        server.open_floor(&[("ana", 3), ("bo", 3), ("cy", 3), ("di", 3)]).await;
        server.add_skill("none").await;
        let nobody = vec![proto::Requirement { skill: name("skills", "none"), proficiency: 1 }];
        server.add_queue("later", proto::Queue { requirements: nobody, ..proto::Queue::default() }).await;
        let ana = plant(&server, &ANA_LEVI).await;
        let bo = plant(&server, &BO_BERG).await;
        assert_shown(&server, &ANA_LEVI, &ana).await;
        let bo_shown = assert_shown(&server, &BO_BERG, &bo).await;
        for person in [&ANA_LEVI, &BO_BERG] {
            assert_planted(folder.path(), person);
        }
        let decisions = server.decisions(&ana.served, 0).await.decisions;
        let judged = server.decisions(&ana.served, decisions[0].sequence).await.agents;
        let upto = server.decisions(&ana.served, 0).await.sequence;
        let (digest, keys) = replayed(folder.path(), upto);
        assert!(keys.len() == 8 && keys.values().all(|there| *there), "{keys:?}");
        let scene = Scene { folder, ana, bo, bo_shown, upto, digest, decisions, judged };
        scene.stopped(server).await;
        scene
    }

    fn tenant(&self) -> PathBuf {
        self.folder.path().join("tenants/default")
    }

    /// The server has stopped, and its customers' file, which it closes last, is closed.
    async fn stopped(&self, server: Server) {
        server.stop().await.expect("a graceful stop");
        let log = self.tenant().join("customers.db-wal");
        let closed = async {
            while log.exists() {
                tokio::task::yield_now().await;
            }
        };
        within("the end of the log", closed).await;
    }

    /// Copies of files with their logs, as a backup takes them of a stopped server.
    fn copied(&self, files: &[&str]) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        let logs = files.iter().map(|file| format!("{file}-wal"));
        let all = files.iter().map(ToString::to_string).chain(logs);
        all.map(|file| self.tenant().join(file))
            .map(|path| (path.clone(), std::fs::read(path).ok()))
            .collect()
    }

    /// Puts copies back.
    fn put_back(&self, copies: &[(PathBuf, Option<Vec<u8>>)]) {
        if copies.iter().any(|(path, _)| path.ends_with("journal.db")) {
            // There was no archive then; snapshots that are newer go by themselves.
            let _ = std::fs::remove_dir_all(self.tenant().join("archive"));
        }
        for (path, bytes) in copies {
            match bytes {
                Some(bytes) => std::fs::write(path, bytes).expect("it can be written"),
                // There was no log then.
                None => drop(std::fs::remove_file(path)),
            }
            // What was in memory is made anew.
            let _ = std::fs::remove_file(path.with_extension("db-shm"));
        }
    }

    async fn start(&self) -> Server {
        Server::on(self.folder.path()).await
    }

    /// Nothing is left of one, the other has everything, and what was decided is as it was.
    async fn assert_erased(&self, server: &Server) {
        assert_forgotten(server, &self.ana).await;
        assert_nowhere(self.folder.path(), &ANA_LEVI);
        assert_eq!(assert_shown(server, &BO_BERG, &self.bo).await, self.bo_shown);
        let told = server.decisions(&self.ana.served, 0).await;
        assert_eq!(told.decisions, self.decisions);
        let again = server.decisions(&self.ana.served, self.decisions[0].sequence).await;
        assert_eq!((again.recomputed, &again.agents), (true, &self.judged));
        let (digest, keys) = replayed(self.folder.path(), self.upto);
        assert_eq!(digest, self.digest, "the same state without whose it was");
        for (contacts, there) in [(&self.ana, false), (&self.bo, true)] {
            for interaction in contacts.all() {
                assert_eq!(keys[&number(interaction)], there, "the key of {interaction}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_left_of_who_was_erased_and_nothing_of_anybody_else_is_lost() {
    let scene = Scene::planted().await;
    let server = scene.start().await;
    let erased = server.erase(&scene.ana.customer).await.expect("known");
    assert_eq!(erased, proto::EraseResponse { customers: 2, interactions: 4 });
    scene.assert_erased(&server).await;
    scene.stopped(server).await;
    assert_nowhere(scene.folder.path(), &ANA_LEVI);
    let server = scene.start().await;
    scene.assert_erased(&server).await;
    scene.stopped(server).await;
}

#[tokio::test]
async fn older_copies_that_are_put_back_bring_nobody_back() {
    let scene = Scene::planted().await;
    let older = scene.copied(&FILES);
    let server = scene.start().await;
    server.erase(&scene.ana.customer).await.expect("known");
    scene.stopped(server).await;
    for file in ["customers.db", "keys.db"] {
        // As after a crash between two steps of an erasure, too.
        let of_it = |(path, _): &&(PathBuf, _)| path.to_string_lossy().contains(file);
        scene.put_back(&older.iter().filter(of_it).cloned().collect::<Vec<_>>());
        let server = scene.start().await;
        scene.assert_erased(&server).await;
        scene.stopped(server).await;
    }
    scene.put_back(&older);
    assert!(!holders(scene.folder.path(), ANA_LEVI.word).is_empty(), "the copies have it");
    let server = scene.start().await;
    scene.assert_erased(&server).await;
    scene.stopped(server).await;
}

#[tokio::test]
async fn an_interaction_that_came_after_the_copy_does_not_take_its_successor_along() {
    let scene = Scene::planted().await;
    let older = scene.copied(&FILES);
    let server = scene.start().await;
    let gone = server.contact(&ANA_LEVI, "not in the copy", "later").await;
    server.erase(&scene.ana.customer).await.expect("known");
    scene.stopped(server).await;
    scene.put_back(&older);
    let server = scene.start().await;
    let new = server.contact(&BO_BERG, "the next one", "later").await;
    assert_eq!(new.name, gone.name, "the copy had not come that far");
    scene.stopped(server).await;
    let server = scene.start().await;
    assert_eq!(server.get(&new.name).await.message, BO_BERG.says("message"));
    assert_nowhere(scene.folder.path(), &ANA_LEVI);
    scene.stopped(server).await;
}

#[tokio::test]
async fn who_comes_again_is_somebody_new() {
    let server = Server::start().await;
    server.open_floor(&[("ana", 3)]).await;
    server.add_queue("later", proto::Queue::default()).await;
    let first = server.contact(&ANA_LEVI, "c1", "later").await;
    server.erase(&first.customer).await.expect("known");
    let again = server.contact(&ANA_LEVI, "c2", "later").await;
    assert_ne!(again.customer, first.customer);
    let history = server.entries(&again.customer).await.expect("known");
    let interactions: Vec<&String> = history.iter().map(|entry| &entry.interaction).collect();
    assert_eq!(interactions, [&again.name]);
    let repeated = server.erase(&first.customer).await;
    assert_refused("the old number", repeated, unknown("CUSTOMER_NOT_FOUND", "name"));
    assert_eq!(server.entries(&again.customer).await.expect("she stays").len(), 1);
}

#[tokio::test]
async fn an_erasure_that_could_not_be_finished_is_finished_when_it_is_asked_for_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[]).await;
    let one = server.contact(&ANA_LEVI, "c1", "sales").await;
    let keys = rusqlite::Connection::open(folder.path().join("tenants/default/keys.db")).expect("there");
    keys.execute_batch("BEGIN; SELECT * FROM pads").expect("it reads");
    let unfinished = server.erase(&one.customer).await;
    assert_refused("a reader", unfinished, (Code::Unavailable, "ERASURE_UNFINISHED", ""));
    keys.execute_batch("COMMIT").expect("it has read");
    drop(keys);
    let erased = server.erase(&one.customer).await.expect("the customer is still there");
    assert_eq!(erased, proto::EraseResponse { customers: 1, interactions: 1 });
    assert_nowhere(folder.path(), &ANA_LEVI);
    server.stop().await.expect("nothing has failed for good");
}

/// Whoever comes while they are erased is erased with the rest, or comes as somebody new; nothing is in between.
#[tokio::test]
async fn who_comes_in_the_same_moment_is_erased_or_somebody_new() {
    let server = Server::start().await;
    server.open_floor(&[]).await;
    let old = server.contact(&ANA_LEVI, "before", "sales").await.customer;
    let mut coming = tokio::task::JoinSet::new();
    for number in 0..200 {
        let mut interactions = server.interactions();
        let request = call_with(&format!("c{number}"), |one| {
            one.from = phone(ANA_LEVI.phone);
            one.message = ANA_LEVI.says("message");
        });
        coming.spawn(async move { interactions.submit(request).await });
    }
    let (erased, came) = tokio::join!(server.erase(&old), within("all of them", coming.join_all()));
    erased.expect("known");
    let new = server.named(&ANA_LEVI).await.name;
    assert_ne!(new, old);
    let forgotten = |one: &proto::Interaction| one.message.is_empty() && one.customer.is_empty();
    let mut theirs = Vec::new();
    for answer in came {
        let name = answer.expect("taken").into_inner().interaction.expect("an interaction").name;
        let mut one = server.get(&name).await;
        if one.customer.is_empty() && !one.message.is_empty() {
            // The look-up was late.
            one = server.until(&name, |one| !one.customer.is_empty() || one.message.is_empty()).await;
        }
        if !forgotten(&one) {
            assert_eq!((&one.customer, one.message), (&new, ANA_LEVI.says("message")));
            theirs.push(name);
        }
    }
    let history = server.entries(&new).await.expect("known");
    let mut contacts: Vec<String> = history.into_iter().map(|entry| entry.interaction).collect();
    contacts.sort();
    theirs.sort();
    assert_eq!(contacts, theirs);
}

#[tokio::test]
async fn what_is_open_goes_on_without_whose_it_is_and_keeps_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Server::on(folder.path()).await;
    server.open_floor(&[("ana", 3), ("bo", 3)]).await;
    server.named(&ANA_LEVI).await;
    let contact = server.contact(&ANA_LEVI, "c1", "sales").await;
    let mut ana = server.sign_in("ana").await;
    let offer = ana.next_offer().await;
    assert_eq!(ana.whole_card(&offer).await.message, ANA_LEVI.says("message"));
    let assignment = server.accept(&offer.name).await.expect("the offer is open").assignment;
    server.erase(&contact.customer).await.expect("known");

    server.update(&contact.name, &ANA_LEVI.says("wrote")).await.expect("the conversation goes on");
    let wrote = ana
        .next_that("what she wrote", |event| match event {
            proto::work_response::Event::Message(message) => Some(message.text),
            _ => None,
        })
        .await;
    assert_eq!(wrote, ANA_LEVI.says("wrote"), "who serves her hears her");
    let mut bo = server.sign_in("bo").await;
    let transcript = ANA_LEVI.says("transcript");
    server.transfer(&assignment, to_agent("bo"), Handover::Blind, &transcript).await.expect("bo is there");
    let offer = bo.next_offer().await;
    let card = bo.whole_card(&offer).await;
    assert!(card.customer.is_none() && card.history.is_empty() && card.promises.is_empty(), "{card:?}");
    assert!(card.message.is_empty() && card.attributes.is_empty(), "{card:?}");
    let said: Vec<&str> = card.said.iter().map(|said| said.text.as_str()).collect();
    assert_eq!(said, [ANA_LEVI.says("wrote"), transcript], "what was said since, to whoever goes on");
    let accepted = server.accept(&offer.name).await.expect("the offer is open");
    assert_nowhere(folder.path(), &ANA_LEVI);
    server.stop().await.expect("a graceful stop");

    let server = Server::on(folder.path()).await;
    let bo = server.work("bo", &bo.session).await;
    let card = bo.snapshot.assignments[0].interaction().expect("one");
    assert!(card.message.is_empty() && card.customer.is_empty(), "{card:?}");
    let note = ANA_LEVI.says("note");
    server.complete_with(&accepted.assignment, &note).await.expect("the conversation goes on");
    assert_eq!(server.state(&contact.name).await, InteractionState::Closed);
    server.stop().await.expect("a graceful stop");
    assert_nowhere(folder.path(), &ANA_LEVI);
}

#[tokio::test]
async fn an_erasure_says_who_and_why_and_is_for_supervisors() {
    let server = Server::start().await;
    let customer = server.named(&ANA_LEVI).await.name;
    let right = || proto::EraseRequest { name: customer.clone(), by: "b".into(), reason: "r".into() };
    let wrong = [
        ("nobody", proto::EraseRequest { by: String::new(), ..right() }, missing("by")),
        ("no reason", proto::EraseRequest { reason: String::new(), ..right() }, missing("reason")),
        ("long", proto::EraseRequest { by: "x".repeat(129), ..right() }, invalid("by")),
        ("too long", proto::EraseRequest { reason: "x".repeat(1_025), ..right() }, invalid("reason")),
        ("two lines", proto::EraseRequest { reason: "a\nb".into(), ..right() }, invalid("reason")),
        ("no name", proto::EraseRequest { name: "customers/1".into(), ..right() }, invalid("name")),
        (
            "never was",
            proto::EraseRequest { name: name("customers", 77), ..right() },
            unknown("CUSTOMER_NOT_FOUND", "name"),
        ),
    ];
    for (case, request, wanted) in wrong {
        assert_refused(case, server.customers().erase(request).await, wanted);
    }
    assert!(server.entries(&customer).await.is_ok(), "nothing was erased");
    server.stop().await.expect("a graceful stop");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let tokens = folder.path().join("tokens");
    let lines = "0123456789abcdef default agent ana\nfedcba9876543210 default supervisor boss\n";
    std::fs::write(&tokens, lines).expect("written");
    let guarded = Settings { tokens: Some(tokens), journal: Some(JournalKind::Memory), ..settings() };
    let server = Server::with(guarded).await;
    let answer = server.customers().erase(bearing("0123456789abcdef", right())).await;
    assert_refused("an agent", answer, (Code::PermissionDenied, "ROLE_INSUFFICIENT", ""));
    let answer = server.customers().erase(bearing("fedcba9876543210", right())).await;
    assert_refused("a supervisor", answer, unknown("CUSTOMER_NOT_FOUND", "name"));
}
