//! What every store of customers must do: each test runs against memory and against SQLite.

use super::address::{Address, AddressKind};
use super::card::{CardData, Kept, Pen, Recalled, WEEK_MS};
use super::details::Details;
use super::entry::{EntryKind, Filter, HistoryEntry, NewEntry, Outcome, Page, Position};
use super::erase::{Erased, Erasing};
use super::memory::MemoryStore;
use super::model::{Customer, CustomerId, DisplayName, RequestId};
use super::sqlite::SqliteStore;
use super::store::{
    Change, CustomerReads, CustomerStore, Gap, Known, NotRecorded, Opened, Projected, Projection, Recording,
    Resolved, UnknownCustomer, Write, Written,
};

const PHONE: &str = "+972501234567";
const HOUR_MS: i64 = 3_600_000;

/// A card as it is shown.
#[derive(Clone, PartialEq, Debug, Default)]
struct Card {
    customer: Option<Customer>,
    history: Vec<HistoryEntry>,
    older_entries: u64,
    contacts_24h: u64,
    contacts_7d: u64,
}

/// The card that is kept, whose written form must say the same.
fn shown(kept: &mut Kept, offered: u64, now_ms: i64) -> Card {
    let pen = Pen {
        customer: &|customer| format!("{}\n", customer.id.0).into(),
        entry: &|_, entry| format!("{entry:?}\n").into(),
    };
    let (customer, history) = (kept.customer().clone(), kept.history(offered).collect::<Vec<_>>());
    let data = kept.card(offered, now_ms, &pen);
    let lines: String = history.iter().map(|entry| format!("{entry:?}\n")).collect();
    assert_eq!(data.written.concat(), format!("{}\n{lines}", customer.id.0).into_bytes());
    let CardData { older_entries, contacts_24h, contacts_7d, .. } = data;
    Card { customer: Some(customer), history, older_entries, contacts_24h, contacts_7d }
}

/// A store under test, with the verbs of the domain.
pub(super) struct Harness {
    store: Box<dyn CustomerStore>,
    reads: Box<dyn CustomerReads>,
    /// `None` for the memory.
    folder: Option<tempfile::TempDir>,
}

impl Harness {
    fn memory() -> Self {
        Self::over(Box::new(MemoryStore::new()), None)
    }

    fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(folder.path()).expect("a new store");
        Self::over(Box::new(store), Some(folder))
    }

    fn over(store: Box<dyn CustomerStore>, folder: Option<tempfile::TempDir>) -> Self {
        let reads = store.reads().expect("a store that is open can be read");
        Self { store, reads, folder }
    }

    /// Closes the store and opens it again, where that means something.
    fn reopened(self) -> Self {
        let Self { store, reads, folder } = self;
        let Some(folder) = folder else { return Self { store, reads, folder } };
        drop((store, reads));
        let store = SqliteStore::open(folder.path()).expect("the same store");
        Self::over(Box::new(store), Some(folder))
    }

    fn write(&mut self, write: Write) -> Written {
        let mut written = self.store.commit(&[write]).expect("the store works");
        assert_eq!(written.len(), 1);
        written.remove(0)
    }

    fn resolve(&mut self, phone: &str) -> Resolved {
        self.resolve_named(phone, None)
    }

    fn resolve_named(&mut self, phone: &str, name: Option<&str>) -> Resolved {
        match self.write(resolution(phone, name)) {
            Written::Resolved(resolved) => resolved,
            other => panic!("resolve was answered with {other:?}"),
        }
    }

    fn record(&mut self, recording: Recording) -> Result<HistoryEntry, NotRecorded> {
        match self.write(Write::Record(recording)) {
            Written::Recorded(recorded) => recorded.map(|entry| *entry),
            other => panic!("record was answered with {other:?}"),
        }
    }

    fn note(&mut self, customer: CustomerId, time_ms: i64, text: &str) -> HistoryEntry {
        self.record(note(customer, time_ms, text)).expect("the customer is known")
    }

    fn project(&mut self, after: u64, events: Vec<Projected>) -> Result<u64, Gap> {
        let upto = events.last().map_or(after, |event| event.sequence);
        match self.write(Write::Project(Projection { after, upto, events })) {
            Written::Projected(applied) => applied,
            other => panic!("project was answered with {other:?}"),
        }
    }

    fn page(&mut self, customer: CustomerId, after: Option<Position>, limit: usize) -> Page {
        let page = self.reads.history(customer, &Filter::default(), after, limit);
        page.expect("the store works").expect("the customer is known")
    }

    fn history(&mut self, customer: CustomerId) -> Vec<HistoryEntry> {
        self.page(customer, None, 500).entries
    }

    fn recall(&mut self, customer: CustomerId, now_ms: i64) -> Option<Recalled> {
        self.reads.recall(customer, now_ms.saturating_sub(WEEK_MS)).expect("the store works")
    }

    fn card(&mut self, customer: CustomerId, offered: u64, now_ms: i64) -> Card {
        let recalled = self.recall(customer, now_ms);
        recalled.map(|known| shown(&mut Kept::new(known), offered, now_ms)).unwrap_or_default()
    }

    fn erase(&mut self, erasing: Erasing) -> Result<Erased, UnknownCustomer> {
        match self.write(Write::Erase(erasing)) {
            Written::Erased(erased) => erased,
            other => panic!("erase was answered with {other:?}"),
        }
    }

    fn applied(&mut self) -> u64 {
        self.reads.applied_sequence().expect("the store works")
    }
}

fn address(text: &str) -> Address {
    Address::parse(AddressKind::Phone, text).expect("a phone number")
}

pub(super) fn resolution(phone: &str, name: Option<&str>) -> Write {
    let display_name = name.map(|name| DisplayName::parse(name).expect("a name"));
    Write::Resolve { address: address(phone), display_name, now_ms: 1_000 }
}

pub(super) fn note(customer: CustomerId, time_ms: i64, text: &str) -> Recording {
    let entry = NewEntry::new(EntryKind::Note, Some(time_ms), 0, "a note", text).expect("a short note");
    Recording { customer, entry, to: None, request_id: None, now_ms: 5_000 }
}

fn with_request(recording: Recording, id: &str) -> Recording {
    Recording { request_id: Some(RequestId::parse(id).expect("a request id")), ..recording }
}

pub(super) fn opened(sequence: u64, time_ms: i64, customer: CustomerId, interaction: u64) -> Projected {
    let opened = Opened {
        customer,
        interaction,
        channel: 1,
        queue: "bank".into(),
        intent: "card-lost".into(),
        matter: String::new(),
        message: "help".into(),
    };
    Projected { sequence, time_ms, change: Change::Opened(opened) }
}

fn then(sequence: u64, change: Change) -> Projected {
    Projected { sequence, time_ms: 0, change }
}

fn answered(sequence: u64, interaction: u64, agent: &str, wait_ms: u64) -> Projected {
    then(sequence, Change::Answered { interaction, agent: agent.into(), wait_ms })
}

fn noted(sequence: u64, interaction: u64, text: &str) -> Projected {
    then(sequence, Change::NoteAdded { interaction, text: text.into() })
}

fn closed(sequence: u64, interaction: u64, outcome: Outcome, wait_ms: Option<u64>) -> Projected {
    let disposition = if outcome == Outcome::Served { "solved".into() } else { String::new() };
    then(sequence, Change::Closed { interaction, outcome, disposition, wait_ms })
}

fn texts(entries: &[HistoryEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.text.as_str()).collect()
}

macro_rules! contract {
    ($($law:ident)*) => {
        mod memory { $(#[test] fn $law() { super::$law(super::Harness::memory()); })* }
        mod sqlite { $(#[test] fn $law() { super::$law(super::Harness::sqlite()); })* }
    };
}

mod cards;
mod entries;
mod erase;
mod facts;
mod links;
mod preferences;
mod promises;
mod tiers;
mod twins;

contract! {
    an_unknown_address_makes_a_thin_profile_once
    a_name_is_set_where_there_is_none_and_never_replaced
    an_unknown_customer_is_an_answer
    an_entry_is_numbered_and_kept_as_it_came
    an_entry_without_a_time_happened_now
    a_repeated_request_gets_the_first_entry_again
    a_request_id_belongs_to_one_customer
    recording_for_an_unknown_customer_is_refused_and_the_rest_of_the_group_is_done
    a_group_sees_its_own_earlier_writes
    history_is_newest_first_and_by_number_within_one_moment
    pages_are_stable_while_entries_come_in
    a_contact_shows_while_it_is_open_and_changes_in_place
    a_customer_who_left_has_a_wait_and_no_agent
    an_answer_that_came_to_nothing_is_undone
    a_second_agent_counts_and_the_first_wait_stays
    notes_are_cut_where_the_text_is_full
    events_given_again_change_nothing
    a_stretch_that_leaves_a_hole_is_refused
    changes_of_interactions_nobody_knows_are_left_out
    everything_is_there_after_opening_again
}

fn an_unknown_address_makes_a_thin_profile_once(mut store: Harness) {
    assert_eq!(store.reads.find(&address(PHONE)), Ok(None));
    let first = store.resolve(PHONE);
    assert!(first.created);
    assert_eq!(store.resolve("00972 50 123 45 67"), Resolved { created: false, ..first });
    let other = store.resolve("+15550001111");
    assert!(other.created);
    assert_ne!(other.customer, first.customer);
    let customer = store.reads.customer(first.customer).expect("the store works").expect("just made");
    assert_eq!((customer.display_name.as_str(), customer.created_ms), ("", 1_000));
    assert_eq!(customer.addresses, [address(PHONE)]);
}

fn a_name_is_set_where_there_is_none_and_never_replaced(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    assert_eq!(store.reads.find(&address(PHONE)), Ok(Some(Known { customer, named: false })));
    store.resolve_named(PHONE, Some("Ana"));
    store.resolve_named(PHONE, Some("Eve"));
    store.resolve(PHONE);
    assert_eq!(store.reads.find(&address(PHONE)), Ok(Some(Known { customer, named: true })));
    let named = store.reads.customer(customer).expect("the store works").expect("known");
    assert_eq!(named.display_name, "Ana");
    let new = store.resolve_named("+15550001111", Some("Bo")).customer;
    let new = store.reads.customer(new).expect("the store works").expect("known");
    assert_eq!(new.display_name, "Bo");
}

fn an_unknown_customer_is_an_answer(mut store: Harness) {
    store.resolve(PHONE);
    for id in [0, 2, u64::MAX].map(CustomerId) {
        assert_eq!(store.reads.customer(id), Ok(None));
        assert_eq!(store.reads.history(id, &Filter::default(), None, 10), Ok(None));
        assert_eq!(store.record(note(id, 0, "x")), Err(NotRecorded::Unknown(id)));
    }
}

fn an_entry_is_numbered_and_kept_as_it_came(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let entry = NewEntry::new(EntryKind::Purchase, Some(-5), 3, "a lamp", "two pieces").expect("short");
    let recording = Recording { customer, entry, to: None, request_id: None, now_ms: 9 };
    let entry = store.record(recording).expect("the customer is known");
    let wanted = HistoryEntry {
        number: entry.number,
        kind: EntryKind::Purchase,
        time_ms: -5,
        channel: 3,
        summary: "a lamp".into(),
        text: "two pieces".into(),
        details: Details::default(),
        contact: None,
    };
    assert_eq!(entry, wanted);
    assert_eq!(store.history(customer), [wanted]);
    assert!(store.note(customer, 0, "later").number > entry.number);
}

fn an_entry_without_a_time_happened_now(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let entry = NewEntry::new(EntryKind::Visit, None, 0, "", "").expect("short");
    let recording = Recording { customer, entry, to: None, request_id: None, now_ms: 4_321 };
    assert_eq!(store.record(recording).map(|entry| entry.time_ms), Ok(4_321));
}

fn a_repeated_request_gets_the_first_entry_again(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let first = store.record(with_request(note(customer, 10, "first"), "r1")).expect("known");
    let again = store.record(with_request(note(customer, 20, "again"), "r1")).expect("known");
    assert_eq!(again, first);
    assert_eq!(store.history(customer), [first]);
    assert_eq!(store.card(customer, 0, 0).history.len(), 1);
}

fn a_request_id_belongs_to_one_customer(mut store: Harness) {
    let ana = store.resolve(PHONE).customer;
    let bo = store.resolve("+15550001111").customer;
    let of_ana = store.record(with_request(note(ana, 10, "ana"), "r1")).expect("known");
    let of_bo = store.record(with_request(note(bo, 10, "bo"), "r1")).expect("known");
    assert_ne!(of_ana, of_bo);
}

fn recording_for_an_unknown_customer_is_refused_and_the_rest_of_the_group_is_done(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let nobody = CustomerId(77);
    let group = [note(customer, 1, "a"), note(nobody, 2, "b"), note(customer, 3, "c")].map(Write::Record);
    let written = store.store.commit(&group).expect("the store works");
    assert!(matches!(&written[0], Written::Recorded(Ok(entry)) if entry.text == "a"));
    assert_eq!(written[1], Written::Recorded(Err(NotRecorded::Unknown(nobody))));
    assert_eq!(texts(&store.history(customer)), ["c", "a"]);
}

fn a_group_sees_its_own_earlier_writes(mut store: Harness) {
    let customer = store.resolve("+15550001111").customer;
    let next = CustomerId(customer.0 + 1);
    let group = [
        resolution(PHONE, None),
        resolution(PHONE, None),
        Write::Record(with_request(note(next, 1, "a"), "r")),
        Write::Record(with_request(note(next, 1, "a"), "r")),
    ];
    let written = store.store.commit(&group).expect("the store works");
    assert_eq!(written[0], Written::Resolved(Resolved { customer: next, created: true }));
    assert_eq!(written[1], Written::Resolved(Resolved { customer: next, created: false }));
    assert_eq!(written[2], written[3]);
    assert_eq!(store.history(next).len(), 1);
}

fn history_is_newest_first_and_by_number_within_one_moment(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    for (time_ms, text) in [(20, "b1"), (10, "a"), (20, "b2"), (30, "c"), (20, "b3")] {
        store.note(customer, time_ms, text);
    }
    assert_eq!(texts(&store.history(customer)), ["c", "b3", "b2", "b1", "a"]);
}

fn pages_are_stable_while_entries_come_in(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    for text in ["a", "b", "c", "d", "e"] {
        store.note(customer, 10, text);
    }
    let first = store.page(customer, None, 2);
    assert_eq!(texts(&first.entries), ["e", "d"]);
    store.note(customer, 99, "newer");
    let second = store.page(customer, first.next, 2);
    assert_eq!(texts(&second.entries), ["c", "b"]);
    let third = store.page(customer, second.next, 2);
    assert_eq!((texts(&third.entries), third.next), (vec!["a"], None));
    // A page that ends exactly with the history says so.
    let whole = store.page(customer, None, 6);
    assert_eq!((whole.entries.len(), whole.next), (6, None));
}

fn a_contact_shows_while_it_is_open_and_changes_in_place(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let number = u64::MAX;
    assert_eq!(store.project(0, vec![opened(3, 500, customer, number)]), Ok(3));
    store.note(customer, 600, "later");
    let open = store.history(customer).remove(1);
    assert_eq!((open.kind, open.time_ms, open.channel), (EntryKind::Contact, 500, 1));
    assert_eq!((open.summary.as_str(), open.text.as_str()), ("voice about card-lost, waiting", "help"));
    let contact = open.contact.clone().expect("a contact");
    assert_eq!((contact.interaction, contact.outcome, contact.wait_ms), (number, Outcome::Open, None));

    let rest = vec![
        answered(4, number, "ana", 1_500),
        noted(5, number, "card blocked"),
        closed(6, number, Outcome::Served, None),
    ];
    assert_eq!(store.project(3, rest), Ok(6));
    let done = store.history(customer).remove(1);
    assert_eq!((done.number, done.position()), (open.number, open.position()));
    assert_eq!(done.summary, "voice about card-lost, served by ana, solved");
    assert_eq!(done.text, "help\ncard blocked");
    let contact = done.contact.expect("a contact");
    assert_eq!((contact.agent.as_str(), contact.disposition.as_str()), ("ana", "solved"));
    assert_eq!((contact.outcome, contact.wait_ms), (Outcome::Served, Some(1_500)));
}

fn a_customer_who_left_has_a_wait_and_no_agent(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let events = vec![opened(1, 0, customer, 7), closed(2, 7, Outcome::Left, Some(42_000))];
    assert_eq!(store.project(0, events), Ok(2));
    let left = store.history(customer).remove(0);
    assert_eq!(left.summary, "voice about card-lost, left after 42 s");
    assert_eq!(left.contact.expect("a contact").wait_ms, Some(42_000));
}

fn an_answer_that_came_to_nothing_is_undone(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let undone = Change::AnswerUndone { interaction: 7, agent: String::new(), wait_ms: None };
    let events = vec![opened(1, 0, customer, 7), answered(2, 7, "ana", 1_000), then(3, undone)];
    assert_eq!(store.project(0, events), Ok(3));
    assert_eq!(store.history(customer).remove(0).summary, "voice about card-lost, waiting");
}

fn a_second_agent_counts_and_the_first_wait_stays(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let events = vec![
        opened(1, 0, customer, 7),
        answered(2, 7, "ana", 1_000),
        answered(3, 7, "bo", 9_000),
        closed(4, 7, Outcome::Served, Some(9_999)),
    ];
    assert_eq!(store.project(0, events), Ok(4));
    let contact = store.history(customer).remove(0).contact.expect("a contact");
    assert_eq!((contact.agent.as_str(), contact.wait_ms), ("bo", Some(1_000)));
}

fn notes_are_cut_where_the_text_is_full(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let long = "é".repeat(16_380);
    let events = vec![opened(1, 0, customer, 7), noted(2, 7, &long)];
    assert_eq!(store.project(0, events), Ok(2));
    let text = store.history(customer).remove(0).text;
    assert_eq!(text.chars().count(), 16_384);
    assert!(text.starts_with("help\né") && text.ends_with("é…"));
}

fn events_given_again_change_nothing(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let events = vec![opened(1, 0, customer, 7), answered(2, 7, "ana", 10), noted(3, 7, "once")];
    assert_eq!(store.project(0, events.clone()), Ok(3));
    let before = store.history(customer);
    assert_eq!(store.project(0, events.clone()), Ok(3));
    assert_eq!(store.project(0, events[..2].to_vec()), Ok(3), "the applied sequence never goes back");
    assert_eq!(store.history(customer), before);
    // A stretch that overlaps brings only what is new.
    let longer = [events, vec![noted(4, 7, "twice")]].concat();
    assert_eq!(store.project(0, longer), Ok(4));
    assert_eq!(texts(&store.history(customer)), ["help\nonce\ntwice"]);
    assert_eq!(store.card(customer, 0, 0).contacts_24h, 1);
}

fn a_stretch_that_leaves_a_hole_is_refused(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let late = vec![opened(12, 0, customer, 7)];
    assert_eq!(store.project(10, late.clone()), Err(Gap { applied: 0, after: 10 }));
    assert_eq!((store.applied(), store.history(customer).len()), (0, 0));
    let quiet = Write::Project(Projection { after: 0, upto: 11, events: Vec::new() });
    assert_eq!(store.write(quiet), Written::Projected(Ok(11)), "events of no concern count as applied");
    assert_eq!(store.project(10, late), Ok(12));
    assert_eq!(store.applied(), 12);
}

fn changes_of_interactions_nobody_knows_are_left_out(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let events = vec![
        opened(1, 0, CustomerId(77), 7),
        answered(2, 7, "ana", 1),
        noted(3, 7, "x"),
        closed(4, 7, Outcome::Served, None),
        opened(5, 0, customer, 8),
        // The number of an interaction is its own: a second one under it is not let in.
        opened(6, 9, customer, 8),
    ];
    assert_eq!(store.project(0, events), Ok(6));
    assert_eq!(store.history(customer).len(), 1);
    let card = store.card(customer, 0, 0);
    assert_eq!((card.history.len(), card.older_entries), (1, 0));
}

fn everything_is_there_after_opening_again(mut store: Harness) {
    let customer = store.resolve_named(PHONE, Some("Ana")).customer;
    store.note(customer, 1, "a");
    store.project(0, vec![opened(1, 5, customer, 7), answered(2, 7, "ana", 1)]).expect("no gap");
    let before = (store.history(customer), store.card(customer, 0, 9));
    let mut store = store.reopened();
    assert_eq!((store.history(customer), store.card(customer, 0, 9)), before);
    assert_eq!(store.applied(), 2);
    assert!(!store.resolve(PHONE).created);
    store.project(0, vec![opened(1, 5, customer, 7), noted(3, 7, "on")]).expect("no gap");
    assert_eq!(texts(&store.history(customer)), ["help\non", "a"]);
}
