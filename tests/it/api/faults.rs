//! Parts that fail on purpose: a customer store behind a gate, one that is dead, a journal that breaks.

use baton::customers::{
    Address, Changed, Customer, CustomerId, CustomerReads, CustomerStore, Erased, Filter, Known, MemoryStore,
    Page, Position, Promise, Recalled, StoreFault, Ties, Write, Written,
};
use baton::journal::{Batch, Fault, Journal, Key, Memory, RecordRef, WrappedKey};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// Open at first. While it is closed, whoever comes waits.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<Passage>, Condvar)>);

#[derive(Default)]
struct Passage {
    closed: bool,
    waiting: usize,
}

impl Gate {
    pub fn close(&self) {
        self.set(true);
    }

    pub fn open(&self) {
        self.set(false);
    }

    fn set(&self, closed: bool) {
        self.0.0.lock().expect("nobody panics at the gate").closed = closed;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let mut passage = self.0.0.lock().expect("nobody panics at the gate");
        passage.waiting += 1;
        self.0.1.notify_all();
        let mut passage =
            self.0.1.wait_while(passage, |passage| passage.closed).expect("nobody panics at the gate");
        passage.waiting -= 1;
    }

    /// Waits until somebody waits. Blocks the thread.
    pub fn somebody_waits(&self) {
        let passage = self.0.0.lock().expect("nobody panics at the gate");
        let came = self.0.1.wait_while(passage, |passage| passage.waiting == 0);
        drop(came.expect("nobody panics at the gate"));
    }
}

/// A store whose look-ups of addresses, cards and profiles wait at a gate each.
pub struct Slow {
    pub store: MemoryStore,
    pub addresses: Gate,
    pub cards: Gate,
    pub profiles: Gate,
}

struct SlowReads {
    reads: Box<dyn CustomerReads>,
    addresses: Gate,
    cards: Gate,
    profiles: Gate,
}

impl CustomerStore for Slow {
    fn reads(&self) -> Result<Box<dyn CustomerReads>, StoreFault> {
        let (addresses, cards, profiles) =
            (self.addresses.clone(), self.cards.clone(), self.profiles.clone());
        Ok(Box::new(SlowReads { reads: self.store.reads()?, addresses, cards, profiles }))
    }

    fn commit(&mut self, group: &[Write]) -> Result<Vec<Written>, StoreFault> {
        self.store.commit(group)
    }
}

impl CustomerReads for SlowReads {
    fn find(&mut self, address: &Address) -> Result<Option<Known>, StoreFault> {
        self.addresses.pass();
        self.reads.find(address)
    }

    fn customer(&mut self, id: CustomerId) -> Result<Option<Customer>, StoreFault> {
        self.profiles.pass();
        self.reads.customer(id)
    }

    fn history(
        &mut self,
        id: CustomerId,
        filter: &Filter,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Option<Page>, StoreFault> {
        self.reads.history(id, filter, after, limit)
    }

    fn recall(&mut self, id: CustomerId, since_ms: i64) -> Result<Option<Recalled>, StoreFault> {
        self.cards.pass();
        self.reads.recall(id, since_ms)
    }

    fn promises(&mut self, id: CustomerId) -> Result<Option<Vec<Promise>>, StoreFault> {
        self.reads.promises(id)
    }

    fn tier_promises(&mut self) -> Result<Vec<Promise>, StoreFault> {
        self.reads.tier_promises()
    }

    fn changes(&mut self, id: CustomerId) -> Result<Option<Vec<Changed>>, StoreFault> {
        self.reads.changes(id)
    }

    fn ties(&mut self) -> Result<Vec<Ties>, StoreFault> {
        self.reads.ties()
    }

    fn erasable(&mut self, id: CustomerId) -> Result<Option<Erased>, StoreFault> {
        self.reads.erasable(id)
    }

    fn applied_sequence(&mut self) -> Result<u64, StoreFault> {
        self.reads.applied_sequence()
    }
}

/// A store that starts and then fails in everything.
pub struct Dead;

struct DeadReads;

fn dead<T>() -> Result<T, StoreFault> {
    Err(StoreFault::Unavailable { doing: "looking", cause: "the disk is gone".into() })
}

impl CustomerStore for Dead {
    fn reads(&self) -> Result<Box<dyn CustomerReads>, StoreFault> {
        Ok(Box::new(DeadReads))
    }

    fn commit(&mut self, _: &[Write]) -> Result<Vec<Written>, StoreFault> {
        dead()
    }
}

impl CustomerReads for DeadReads {
    fn find(&mut self, _: &Address) -> Result<Option<Known>, StoreFault> {
        dead()
    }

    fn customer(&mut self, _: CustomerId) -> Result<Option<Customer>, StoreFault> {
        dead()
    }

    fn history(
        &mut self,
        _: CustomerId,
        _: &Filter,
        _: Option<Position>,
        _: usize,
    ) -> Result<Option<Page>, StoreFault> {
        dead()
    }

    fn recall(&mut self, _: CustomerId, _: i64) -> Result<Option<Recalled>, StoreFault> {
        dead()
    }

    fn promises(&mut self, _: CustomerId) -> Result<Option<Vec<Promise>>, StoreFault> {
        dead()
    }

    fn tier_promises(&mut self) -> Result<Vec<Promise>, StoreFault> {
        dead()
    }

    fn changes(&mut self, _: CustomerId) -> Result<Option<Vec<Changed>>, StoreFault> {
        dead()
    }

    fn ties(&mut self) -> Result<Vec<Ties>, StoreFault> {
        Ok(Vec::new())
    }

    fn erasable(&mut self, _: CustomerId) -> Result<Option<Erased>, StoreFault> {
        dead()
    }

    fn applied_sequence(&mut self) -> Result<u64, StoreFault> {
        Ok(0)
    }
}

/// A journal in memory that fails from the moment it is told to, or takes as long as its gate is closed.
#[derive(Default)]
pub struct Failing {
    journal: Memory,
    broken: Arc<AtomicBool>,
    /// It then breaks an assumption instead.
    panics: bool,
    gate: Gate,
}

impl Failing {
    /// One that breaks an assumption.
    pub fn panicking() -> Failing {
        Failing { panics: true, ..Failing::default() }
    }

    /// Set to true, every further append fails.
    pub fn switch(&self) -> Arc<AtomicBool> {
        self.broken.clone()
    }

    /// Each append passes here.
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }
}

impl Journal for Failing {
    fn append(&mut self, batch: &Batch) -> Result<(), Fault> {
        self.gate.pass();
        if self.broken.load(Ordering::SeqCst) {
            assert!(!self.panics, "a batch is a batch");
            let source = std::io::ErrorKind::StorageFull.into();
            return Err(Fault::Io { path: PathBuf::from("journal.db"), doing: "append to", source });
        }
        self.journal.append(batch)
    }

    fn read(
        &self,
        from_sequence: u64,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        self.journal.read(from_sequence, visit)
    }

    fn first_sequence(&self) -> u64 {
        self.journal.first_sequence()
    }

    fn let_go(&mut self, upto: u64) {
        self.journal.let_go(upto);
    }

    fn erasures_seen(&self) -> Result<u64, Fault> {
        self.journal.erasures_seen()
    }

    fn note_erasures(&mut self, count: u64) -> Result<(), Fault> {
        self.journal.note_erasures(count)
    }

    fn last_sequence(&self) -> u64 {
        self.journal.last_sequence()
    }

    fn last_time_ms(&self) -> u64 {
        self.journal.last_time_ms()
    }

    fn wrap(&mut self, interaction: u64, key: &Key) -> Result<WrappedKey, Fault> {
        self.journal.wrap(interaction, key)
    }

    fn key(&self, interaction: u64, wrapped: &WrappedKey) -> Result<Option<Key>, Fault> {
        self.journal.key(interaction, wrapped)
    }

    fn destroy_keys(&mut self, interactions: &[u64]) -> Result<(), Fault> {
        self.journal.destroy_keys(interactions)
    }
}
