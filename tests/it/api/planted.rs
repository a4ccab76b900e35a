//! What is planted of a person who is to be erased, everywhere the API takes something in, and where it is looked for: in what
//! the API shows, and in every byte of every file.

use super::desk::Desk;
use super::expect::{assert_refused, unknown};
use super::harness::{Server, TENANT, call_with, name, phone, within};
use super::verbs::to_agent;
use baton::engine::event::Event;
use baton::engine::ids::Sequence;
use baton::journal::{Sqlite, recover};
use baton::proto::{self, Channel, Handover, InteractionState};
use baton::runtime::payload::key_before;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tonic::Status;

/// Whoever is planted, by a word that is nowhere else.
pub struct Person {
    pub phone: &'static str,
    pub word: &'static str,
    /// Who serves them.
    pub agents: [&'static str; 2],
}

pub const ANA_LEVI: Person = Person { phone: "+15550177001", word: "quackenbush", agents: ["ana", "bo"] };
pub const BO_BERG: Person = Person { phone: "+15550177002", word: "zwetschge", agents: ["cy", "di"] };

impl Person {
    /// A text with the person's word and one of its own, by which it is known where it lies.
    pub fn says(&self, what: &str) -> String {
        format!("{what}-{}", self.word)
    }

    /// The phone number without what may be written in another way.
    pub fn digits(&self) -> &str {
        &self.phone[1..]
    }
}

/// What is planted of a person, and whether it lies in clear in the customers' file.
pub const PLANTED: [(&str, bool); 16] = [
    ("name", true),
    ("message", true),
    ("attribute", false),
    ("email", false),
    ("wrote", true),
    ("transcript", true),
    ("note", true),
    ("event", true),
    ("promise", true),
    ("terms", true),
    ("instruction", true),
    ("alternative", true),
    ("redeemed", true),
    ("cookie", true),
    ("visit", true),
    ("why", true),
];

impl Server {
    pub async fn erase(&self, customer: &str) -> Result<proto::EraseResponse, Status> {
        let (by, reason) = ("privacy office".into(), "asked for in writing".into());
        let request = proto::EraseRequest { name: customer.into(), by, reason };
        within("an erasure", self.customers().erase(request)).await.map(tonic::Response::into_inner)
    }

    pub async fn entries(&self, customer: &str) -> Result<Vec<proto::HistoryEntry>, Status> {
        let request =
            proto::ListHistoryRequest { parent: customer.into(), ..proto::ListHistoryRequest::default() };
        let answer = within("the history", self.customers().list_history(request)).await;
        answer.map(|answer| answer.into_inner().entries)
    }

    pub async fn promises(&self, customer: &str) -> Result<Vec<proto::Promise>, Status> {
        let request = proto::ListPromisesRequest { parent: customer.into() };
        let answer = within("the promises", self.customers().list_promises(request)).await;
        answer.map(|answer| answer.into_inner().promises)
    }

    pub async fn named(&self, person: &Person) -> proto::Customer {
        let display_name = person.says("name");
        let request =
            proto::ResolveRequest { parent: TENANT.into(), address: phone(person.phone), display_name };
        let answer = within("the customer", self.customers().resolve(request)).await;
        answer.expect("it is a phone").into_inner().customer.expect("a customer")
    }

    /// A contact of a known customer; in the queue `later` nobody serves.
    pub async fn contact(&self, person: &Person, id: &str, queue: &str) -> proto::Interaction {
        let request = call_with(id, |one| {
            one.channel = Channel::Chat.into();
            one.queue = name("queues", queue);
            one.from = phone(person.phone);
            one.message = person.says("message");
            one.attributes.insert("story".into(), person.says("attribute"));
            one.attributes.insert("email".into(), format!("{}@example.org", person.says("email")));
        });
        let taken = self.submit(request).await.expect("taken").interaction.expect("an interaction");
        self.until(&taken.name, |one| !one.customer.is_empty()).await
    }

    /// The stream ends, and the session with it.
    pub async fn gone(&self, desk: Desk) {
        let agent = desk.agent.rsplit('/').next().expect("a name has an id").to_owned();
        drop(desk);
        self.agent_until(&agent, |status| status.liveness() == proto::Liveness::Lost).await;
    }

    pub async fn decisions(&self, interaction: &str, decision: u64) -> proto::Explanation {
        let request = proto::ExplainRequest { interaction: interaction.into(), decision };
        within("the reason", self.supervision().explain(request)).await.expect("it is there").into_inner()
    }
}

/// A person's contacts: one served by two, one taken back, one in hand, one that waits.
pub struct Contacts {
    pub customer: String,
    pub served: String,
    pub taken_back: String,
    pub in_hand: String,
    pub waits: String,
}

impl Contacts {
    pub fn all(&self) -> [&String; 4] {
        [&self.served, &self.taken_back, &self.in_hand, &self.waits]
    }
}

/// Plants all there is of a person. Their agents come and go.
pub async fn plant(server: &Server, person: &Person) -> Contacts {
    let customer = server.named(person).await;
    let id = |what: &str| format!("{what}-{}", customer.name.rsplit('/').next().expect("a number"));
    let [first, second] = person.agents;
    let served = server.contact(person, &id("served"), "sales").await;
    let (first_desk, assignment) = server.sign_in_and_accept(first).await;
    server.update(&served.name, &person.says("wrote")).await.expect("it is open");
    let mut desk = server.sign_in(second).await;
    let transcript = person.says("transcript");
    server
        .transfer(&assignment, to_agent(second), Handover::Blind, &transcript)
        .await
        .expect("both are there");
    let offer = desk.next_offer().await;
    let accepted = server.accept(&offer.name).await.expect("the offer is open");
    server.complete_with(&accepted.assignment, &person.says("note")).await.expect("it is in hand");
    server.gone(first_desk).await;
    let taken_back = server.contact(person, &id("taken-back"), "later").await;
    server.cancel(&taken_back.name).await;
    let in_hand = server.contact(person, &id("in-hand"), "sales").await;
    let offer = desk.next_offer().await;
    server.accept(&offer.name).await.expect("the offer is open");
    server.gone(desk).await;
    let waits = server.contact(person, &id("waits"), "later").await;
    record(server, person, &customer.name).await;
    let [served, taken_back, in_hand, waits] = [served, taken_back, in_hand, waits].map(|one| one.name);
    Contacts { customer: customer.name, served, taken_back, in_hand, waits }
}

/// What is recorded beside the contacts.
pub async fn record(server: &Server, person: &Person, customer: &str) {
    let entry = proto::HistoryEntry { kind: 5, text: person.says("event"), ..Default::default() };
    let request = proto::RecordEventRequest {
        parent: customer.into(),
        entry: Some(entry),
        request_id: "r1".into(),
        to: None,
    };
    server.customers().record_event(request).await.expect("recorded");
    let instruction = proto::promise::Instruction { place: "shop".into(), text: person.says("instruction") };
    let promise = proto::Promise {
        summary: person.says("promise"),
        terms: person.says("terms"),
        instructions: vec![instruction],
        alternative: person.says("alternative"),
        ..proto::Promise::default()
    };
    let request =
        proto::MakePromiseRequest { parent: customer.into(), promise: Some(promise), ..Default::default() };
    let made = server.customers().make_promise(request).await.expect("made").into_inner();
    let redeem = proto::RedeemPromiseRequest {
        name: made.name,
        by: "the shop".into(),
        note: person.says("redeemed"),
        ..Default::default()
    };
    server.customers().redeem_promise(redeem).await.expect("redeemed");
    link_and_prefer(server, person, customer).await;
}

/// A cookie that is the same person, and a consent, each with who changed it and why.
pub async fn link_and_prefer(server: &Server, person: &Person, customer: &str) {
    let cookie = proto::address::Kind::Cookie.into();
    let cookie = Some(proto::Address { kind: cookie, value: person.says("cookie") });
    let visitor = server.who(cookie, "").await;
    let visit = proto::HistoryEntry { kind: 2, summary: person.says("visit"), ..Default::default() };
    server.record(&visitor, visit).await.expect("recorded");
    let (by, reason) = ("web login".to_owned(), person.says("why"));
    let link =
        proto::LinkRequest { name: visitor, into: customer.into(), by: by.clone(), reason: reason.clone() };
    server.customers().link(link).await.expect("both are known");
    let consent =
        proto::Consent { channel: 4, address: phone(person.phone), allowed: false, ..Default::default() };
    let preference = Some(proto::set_preference_request::Preference::Consent(consent));
    let prefer = proto::SetPreferenceRequest { parent: customer.into(), preference, by, reason };
    server.customers().set_preference(prefer).await.expect("known");
}

/// Every file below a folder, but for the reserve: nothing was ever written to it, and it is large.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.ends_with("reserve") {
            found.push(path);
        }
    }
    found
}

/// The files in which a text lies, by name.
pub fn holders(folder: &Path, text: &str) -> Vec<String> {
    let holds = |path: &PathBuf| {
        // SQLite takes its logs away when it is done with them.
        let Ok(bytes) = std::fs::read(path) else { return !path.to_string_lossy().contains(".db-") };
        bytes.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text.as_bytes()))
    };
    let name = |path: PathBuf| path.file_name().expect("it has one").to_string_lossy().into_owned();
    files(folder).into_iter().filter(holds).map(name).collect()
}

/// All of it is where it belongs, and the search finds what is there.
pub fn assert_planted(folder: &Path, person: &Person) {
    for (what, in_clear) in PLANTED {
        let holders = holders(folder, &person.says(what));
        assert_eq!(!holders.is_empty(), in_clear, "{what}: {holders:?}");
        assert!(holders.iter().all(|file| file.starts_with("customers.db")), "{what}: {holders:?}");
    }
    assert!(!holders(folder, person.digits()).is_empty());
}

pub fn assert_nowhere(folder: &Path, person: &Person) {
    assert!(files(folder).len() > 4, "there are files to look at");
    for text in [person.word, person.digits()] {
        assert_eq!(holders(folder, text), [""; 0], "{text}");
    }
}

/// What the API shows of a person.
pub type Shown = (proto::Customer, Vec<proto::HistoryEntry>, Vec<proto::Promise>, Vec<String>);

pub async fn shown(server: &Server, person: &Person, contacts: &Contacts) -> Shown {
    let mut open = Vec::new();
    for interaction in [&contacts.in_hand, &contacts.waits] {
        let one = server.get(interaction).await;
        assert_eq!((one.customer.as_str(), &one.from), (contacts.customer.as_str(), &phone(person.phone)));
        open.push(one.message);
        open.extend(one.attributes.into_values());
    }
    let history = server.entries(&contacts.customer).await.expect("known");
    let promises = server.promises(&contacts.customer).await.expect("known");
    let changes = proto::ListChangesRequest { parent: contacts.customer.clone() };
    let changes = server.customers().list_changes(changes).await.expect("known").into_inner().changes;
    open.extend(changes.into_iter().map(|change| change.reason));
    (server.named(person).await, history, promises, open)
}

/// Everything that was planted is shown.
pub async fn assert_shown(server: &Server, person: &Person, contacts: &Contacts) -> Shown {
    let shown = shown(server, person, contacts).await;
    let text = format!("{shown:?}");
    for (what, _) in PLANTED {
        assert!(text.contains(&person.says(what)), "{what} in {text}");
    }
    shown
}

/// Nothing is shown, and what is open goes on.
pub async fn assert_forgotten(server: &Server, contacts: &Contacts) {
    let nobody = |field| unknown("CUSTOMER_NOT_FOUND", field);
    assert_refused("history", server.entries(&contacts.customer).await, nobody("parent"));
    assert_refused("promises", server.promises(&contacts.customer).await, nobody("parent"));
    assert_refused("once more", server.erase(&contacts.customer).await, nobody("name"));
    for interaction in contacts.all() {
        let one = server.get(interaction).await;
        assert_eq!((one.customer.as_str(), one.message.as_str(), &one.from), ("", "", &None), "{one:?}");
        assert!(one.attributes.is_empty(), "{one:?}");
    }
    assert_eq!(server.state(&contacts.waits).await, InteractionState::Waiting);
}

/// The state that the journal makes up to an event, and whether the key of each interaction is there.
pub fn replayed(folder: &Path, upto: u64) -> (u64, BTreeMap<u64, bool>) {
    let journal = Sqlite::open_read_only(&folder.join("tenants/default")).expect("it is there");
    let mut keys = BTreeMap::new();
    let shard = recover(
        |visit| journal.read(1, visit),
        Sequence(upto),
        |_, stamped, sealed| {
            if let (Event::Admitted(admitted), Some(wrapped)) = (&stamped.event, sealed.and_then(key_before))
            {
                let key = journal.key(admitted.interaction.0, wrapped).expect("the keys can be read");
                keys.insert(admitted.interaction.0, key.is_some());
            }
        },
    );
    (shard.expect("it can be replayed").digest(), keys)
}

pub fn number(interaction: &str) -> u64 {
    interaction.rsplit('/').next().and_then(|number| number.parse().ok()).expect("a number")
}
