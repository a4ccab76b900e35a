//! The service around a store in memory: groups, order, limits, and a store that fails.

use std::sync::atomic::AtomicUsize;

use super::super::address::AddressKind;
use super::super::card::{Kept, Pen};
use super::super::contract::{note, opened};
use super::super::entry::{Filter, Position};
use super::super::memory::MemoryStore;
use super::super::store::{CustomerReads, Known, Written};
use super::*;

type Before<T> = Arc<dyn Fn(T) -> Result<(), StoreFault> + Send + Sync>;

/// A store in memory with something happening before each commit (given its size) and each look-up.
#[derive(Clone)]
struct Staged {
    store: MemoryStore,
    before_commit: Before<usize>,
    before_find: Before<()>,
}

impl Default for Staged {
    fn default() -> Self {
        let (before_commit, before_find) = (Arc::new(|_| Ok(())), Arc::new(|()| Ok(())));
        Self { store: MemoryStore::new(), before_commit, before_find }
    }
}

impl Staged {
    fn committing(before: impl Fn(usize) -> Result<(), StoreFault> + Send + Sync + 'static) -> Customers {
        Self { before_commit: Arc::new(before), ..Self::default() }.start()
    }

    fn start(self) -> Customers {
        Customers::start(Box::new(self)).expect("the store can be read")
    }
}

impl CustomerStore for Staged {
    fn reads(&self) -> Result<Box<dyn CustomerReads>, StoreFault> {
        Ok(Box::new(self.clone()))
    }

    fn commit(&mut self, group: &[Write]) -> Result<Vec<Written>, StoreFault> {
        (self.before_commit)(group.len())?;
        self.store.commit(group)
    }
}

impl CustomerReads for Staged {
    fn find(&mut self, address: &Address) -> Result<Option<Known>, StoreFault> {
        (self.before_find)(())?;
        self.store.find(address)
    }

    fn customer(&mut self, id: CustomerId) -> Result<Option<Customer>, StoreFault> {
        self.store.customer(id)
    }

    fn history(
        &mut self,
        id: CustomerId,
        filter: &Filter,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Option<Page>, StoreFault> {
        self.store.history(id, filter, after, limit)
    }

    fn recall(&mut self, id: CustomerId, since_ms: i64) -> Result<Option<Recalled>, StoreFault> {
        self.store.recall(id, since_ms)
    }

    fn promises(&mut self, id: CustomerId) -> Result<Option<Vec<Promise>>, StoreFault> {
        self.store.promises(id)
    }

    fn tier_promises(&mut self) -> Result<Vec<Promise>, StoreFault> {
        self.store.tier_promises()
    }

    fn changes(&mut self, id: CustomerId) -> Result<Option<Vec<Changed>>, StoreFault> {
        self.store.changes(id)
    }

    fn ties(&mut self) -> Result<Vec<Ties>, StoreFault> {
        self.store.ties()
    }

    fn erasable(&mut self, id: CustomerId) -> Result<Option<Erased>, StoreFault> {
        self.store.erasable(id)
    }

    fn applied_sequence(&mut self) -> Result<u64, StoreFault> {
        self.store.applied_sequence()
    }
}

/// A place where a thread of the service stops until the test lets it go on.
#[derive(Clone)]
struct Gate {
    came: (Sender<usize>, Receiver<usize>),
    go: (Sender<()>, Receiver<()>),
}

impl Gate {
    fn new() -> Self {
        Self { came: bounded(CALLS_PENDING_MAX), go: bounded(CALLS_PENDING_MAX) }
    }

    fn pass(&self, what: usize) {
        self.came.0.send(what).expect("the gate holds both ends");
        self.go.1.recv().expect("the gate holds both ends");
    }

    fn arrival(&self) -> usize {
        self.came.1.recv().expect("the gate holds both ends")
    }

    fn release(&self, times: usize) {
        (0..times).for_each(|_| self.go.0.send(()).expect("the gate holds both ends"));
    }
}

type Answers<T> = Receiver<Result<T, StoreFault>>;
type Answer<T> = Box<dyn FnOnce(Result<T, StoreFault>) + Send>;

fn start<T: Send + 'static>(call: impl FnOnce(Answer<T>)) -> Answers<T> {
    let (sender, receiver) = bounded(1);
    call(Box::new(move |result| sender.send(result).expect("the test waits for the answer")));
    receiver
}

fn end<T>(answers: Answers<T>) -> Result<T, StoreFault> {
    answers.recv().expect("every call is answered")
}

fn resolving(customers: &Customers, phone: &str, name: Option<&str>) -> Answers<Resolved> {
    let address = Address::parse(AddressKind::Phone, phone).expect("a phone number");
    let name = name.map(|name| DisplayName::parse(name).expect("a name"));
    start(|answer| customers.resolve(address, name, 1_000, answer))
}

fn resolve(customers: &Customers, phone: &str) -> Result<Resolved, StoreFault> {
    end(resolving(customers, phone, None))
}

fn first(id: CustomerId) -> History {
    History { id, filter: Filter::default(), after: None, limit: 1 }
}

fn recording(customers: &Customers, id: CustomerId) -> Answers<Result<HistoryEntry, NotRecorded>> {
    start(|answer| customers.record(note(id, 1, "x"), answer))
}

fn waiting(customers: &Customers, sequence: u64) -> Answers<u64> {
    start(|answer| customers.wait_applied(sequence, answer))
}

/// Event number `sequence`: an interaction of customer 1 with the same number.
fn stretch(sequence: u64) -> Projection {
    let events = vec![opened(sequence, 5, CustomerId(1), sequence)];
    Projection { after: sequence - 1, upto: sequence, events }
}

const PHONE: &str = "+972501234567";
const BROKEN: StoreFault = StoreFault::Unavailable { doing: "testing", cause: String::new() };

#[test]
fn a_known_address_never_reaches_the_writer() {
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = commits.clone();
    let customers = Staged::committing(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let first = resolve(&customers, PHONE).expect("the store works");
    assert!(first.created);
    let again = resolve(&customers, "00972 50 1234567");
    assert_eq!(again, Ok(Resolved { created: false, ..first }));
    assert_eq!(commits.load(Ordering::Relaxed), 1);
    // A name for somebody who has none is something to write, once.
    for _ in 0..2 {
        end(resolving(&customers, PHONE, Some("Ana"))).expect("the store works");
    }
    assert_eq!(commits.load(Ordering::Relaxed), 2);
    let customer = end(start(|answer| customers.customer(first.customer, answer)));
    assert_eq!(customer.expect("the store works").expect("known").display_name, "Ana");
}

#[test]
fn many_calls_from_one_new_address_make_one_customer() {
    let customers = Staged::default().start();
    let calls: Vec<_> = (0..200).map(|_| resolving(&customers, PHONE, None)).collect();
    let resolved: Vec<_> = calls.into_iter().map(|call| end(call).expect("the store works")).collect();
    assert!(resolved.iter().all(|each| each.customer == resolved[0].customer));
    assert_eq!(resolved.iter().filter(|each| each.created).count(), 1);
}

#[test]
fn what_arrives_during_a_commit_is_committed_together_and_answered_after_it() {
    let gate = Gate::new();
    let at = gate.clone();
    let customers = Staged::committing(move |size| {
        at.pass(size);
        Ok(())
    });
    let first = recording(&customers, CustomerId(1));
    assert_eq!(gate.arrival(), 1);
    let rest: Vec<_> = (0..10).map(|_| recording(&customers, CustomerId(1))).collect();
    assert!(first.is_empty(), "answered before the commit");
    gate.release(1);
    assert_eq!(gate.arrival(), 10);
    assert_eq!(end(first), Ok(Err(NotRecorded::Unknown(CustomerId(1)))));
    assert!(rest.iter().all(Receiver::is_empty), "answered before the commit");
    gate.release(1);
    assert!(rest.into_iter().all(|call| end(call).is_ok()));
}

#[test]
fn a_failed_commit_fails_its_calls_and_the_next_one_works() {
    let broken = Arc::new(AtomicUsize::new(1));
    let left = broken.clone();
    let customers =
        Staged::committing(move |_| if left.swap(0, Ordering::Relaxed) == 1 { Err(BROKEN) } else { Ok(()) });
    assert_eq!(resolve(&customers, PHONE), Err(BROKEN));
    assert_eq!(resolve(&customers, PHONE).map(|resolved| resolved.created), Ok(true));
}

#[test]
fn a_projection_that_failed_is_kept_and_written_when_the_store_is_back() {
    let broken = Arc::new(AtomicUsize::new(1));
    let state = broken.clone();
    let customers = Staged::committing(move |_| match state.load(Ordering::Relaxed) {
        0 => Ok(()),
        _ => Err(BROKEN),
    });
    customers.project(stretch(1)).expect("there is room");
    customers.project(stretch(2)).expect("there is room");
    assert_eq!(end(waiting(&customers, 2)), Err(BROKEN));
    assert_eq!(customers.applied_sequence(), 0);
    broken.store(0, Ordering::Relaxed);
    assert_eq!(end(waiting(&customers, 2)), Ok(2));
    assert_eq!(customers.applied_sequence(), 2);
    assert_eq!(end(waiting(&customers, 1)), Ok(2));
}

#[test]
fn a_store_that_breaks_an_assumption_fails_those_who_asked_and_goes_on() {
    let times = Arc::new(AtomicUsize::new(0));
    let counted = times.clone();
    let first_time = move || assert!(counted.fetch_add(1, Ordering::Relaxed) > 0, "rows are rows");
    let commits = first_time.clone();
    let customers = Staged::committing(move |_| {
        commits();
        Ok(())
    });
    let Err(StoreFault::Unavailable { doing, cause }) = resolve(&customers, PHONE) else {
        panic!("nothing was written");
    };
    assert_eq!((doing, cause.as_str()), ("committing", "an assumption is broken: rows are rows"));
    assert!(resolve(&customers, PHONE).expect("the writer goes on").created);

    times.store(0, Ordering::Relaxed);
    let find = move |()| {
        first_time();
        Ok(())
    };
    let customers = Staged { before_find: Arc::new(find), ..Staged::default() }.start();
    let answer = resolve(&customers, PHONE);
    assert!(matches!(answer, Err(StoreFault::Unavailable { doing: "answering", .. })), "{answer:?}");
    // Each of the two readers has its turn.
    for _ in 0..4 {
        resolve(&customers, PHONE).expect("the readers go on");
    }
}

#[test]
fn a_projected_contact_is_in_the_history_and_on_the_card_once_it_is_applied() {
    let customers = Staged::default().start();
    let id = resolve(&customers, PHONE).expect("the store works").customer;
    let wait = waiting(&customers, 2);
    customers.project(stretch(1)).expect("there is room");
    customers.project_waiting(stretch(2)).expect("there is room");
    assert_eq!(end(wait), Ok(2));
    let page = end(start(|answer| customers.history(first(id), answer)));
    let page = page.expect("the store works").expect("known");
    assert_eq!(page.entries[0].contact.as_ref().map(|contact| contact.interaction), Some(2));
    assert!(page.next.is_some());
    let recalled = end(start(|answer| customers.recall(id, 5, answer))).expect("the store works");
    let pen = Pen { customer: &|_| Vec::new(), entry: &|_, _| Vec::new() };
    let mut kept = Kept::new(recalled.expect("known"));
    assert_eq!((kept.history(2).count(), kept.card(2, 5, &pen).contacts_24h), (1, 1));
}

#[test]
fn a_lost_stretch_fails_those_who_wait_and_is_made_good_by_giving_it_again() {
    let customers = Staged::default().start();
    let wait = waiting(&customers, 2);
    customers.project(stretch(2)).expect("there is room");
    assert!(matches!(end(wait), Err(StoreFault::Unavailable { doing: "projecting", .. })));
    customers.project(stretch(1)).expect("there is room");
    customers.project(stretch(2)).expect("there is room");
    assert_eq!(end(waiting(&customers, 2)), Ok(2));
}

#[test]
fn a_full_channel_gives_the_stretch_back() {
    let gate = Gate::new();
    let at = gate.clone();
    let customers = Staged::committing(move |size| {
        at.pass(size);
        Ok(())
    });
    customers.project(stretch(1)).expect("there is room");
    gate.arrival();
    let last = 1 + PROJECTIONS_PENDING_MAX as u64;
    for sequence in 2..=last {
        customers.project(stretch(sequence)).expect("there is room");
    }
    let back = customers.project(stretch(last + 1));
    assert_eq!(back, Err(NotProjected::Full(stretch(last + 1))));
    gate.release(2);
    assert_eq!(end(waiting(&customers, last)), Ok(last));
    assert_eq!(gate.arrival(), PROJECTIONS_PENDING_MAX, "they went in one commit");
}

#[test]
fn slow_readers_hold_up_no_writer_and_refuse_what_is_too_much() {
    let gate = Gate::new();
    let at = gate.clone();
    let before_find = Arc::new(move |()| {
        at.pass(0);
        Ok(())
    });
    let customers = Staged { before_find, ..Staged::default() }.start();
    let mut calls: Vec<_> = (0..READERS).map(|_| resolving(&customers, PHONE, None)).collect();
    (0..READERS).for_each(|_| assert_eq!(gate.arrival(), 0));
    calls.extend((0..CALLS_PENDING_MAX).map(|_| resolving(&customers, PHONE, None)));
    let overloaded = StoreFault::Overloaded { pending_max: CALLS_PENDING_MAX };
    assert_eq!(resolve(&customers, PHONE), Err(overloaded));
    assert_eq!(end(recording(&customers, CustomerId(1))), Ok(Err(NotRecorded::Unknown(CustomerId(1)))));
    gate.release(calls.len());
    // All at once they are unknown, and go to the writer, which may have too much then, and says so.
    let answered = |call| matches!(end(call), Ok(_) | Err(StoreFault::Overloaded { .. }));
    assert!(calls.into_iter().all(answered), "what was taken is answered");
}

#[test]
fn a_store_that_always_breaks_answers_every_call() {
    let customers = Staged::committing(|_| panic!("this store has a bug"));
    let known_by_nobody = resolve(&customers, PHONE);
    assert!(matches!(known_by_nobody, Err(StoreFault::Unavailable { .. })));
    let recorded = end(recording(&customers, CustomerId(1)));
    assert!(matches!(recorded, Err(StoreFault::Unavailable { .. })));
    customers.project(stretch(1)).expect("it is kept, and tried again");
    assert!(matches!(end(waiting(&customers, 1)), Err(StoreFault::Unavailable { .. })));
    let read = end(start(|answer| customers.customer(CustomerId(1), answer)));
    assert_eq!(read, Ok(None), "reading goes on");
}

#[test]
fn what_was_projected_is_written_when_the_last_handle_goes() {
    let (alive, ended) = bounded::<()>(0);
    let staged = Staged::default();
    let mut store = staged.store.clone();
    let before_commit = Arc::new(move |_| {
        let _held_until_the_writer_ends = &alive;
        Ok(())
    });
    let customers = Staged { before_commit, ..staged }.start();
    (1..=100).for_each(|sequence| customers.project(stretch(sequence)).expect("there is room"));
    drop(customers);
    assert!(ended.recv().is_err(), "nothing is ever sent");
    assert_eq!(store.applied_sequence(), Ok(100));
}
