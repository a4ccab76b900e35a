//! The running service: one thread that writes, two that read, and the handle that everybody shares.
//! No call blocks its caller; the answer comes to the `Reply`, on a thread of the service.
//!
//! Projections have a bounded channel of their own. Full, it gives the stretch back: whoever projects keeps
//! it, or reads it again from the journal after `applied_sequence`. A channel without a limit would trade a
//! slow disk for memory, and letting the writer pull from the journal would tie this store to its format.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::address::Address;
use super::card::{Recalled, WEEK_MS};
use super::entry::{HistoryEntry, Page};
use super::erase::{Erased, Erasing};
use super::link::{Linking, NotLinked, NotUnlinked, Unlinking};
use super::model::{Customer, CustomerId, DisplayName};
use super::preference::{Changed, NotPreferred, Preferring};
use super::promise::{NotRedeemed, Promise, Promising, Redeeming, Withdrawing};
use super::reader::{self, History, Read, Resolve};
use super::reply::Reply;
use super::store::{
    CustomerStore, NotRecorded, Projection, Purged, Purging, Recording, Resolved, StoreFault, Ties,
    UnknownCustomer, Write,
};
use super::writer::{Call, WriteReply, Writer};

/// Most calls that wait for the readers, and most that wait for the writer.
pub(super) const CALLS_PENDING_MAX: usize = 4_096;
/// Most stretches of events that wait for the writer.
const PROJECTIONS_PENDING_MAX: usize = 256;
/// Two, so that one long history does not delay every card.
const READERS: usize = 2;

/// A handle of the service. The threads end when the last one is dropped.
#[derive(Clone)]
pub struct Customers {
    reads: Sender<Read>,
    calls: Sender<Call>,
    projections: Sender<Projection>,
    applied: Arc<AtomicU64>,
    /// As the store had them at the start.
    ties: Arc<[Ties]>,
}

/// Why a stretch was not taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProjected {
    /// It comes back, to be given again.
    #[error("{PROJECTIONS_PENDING_MAX} stretches of events wait to be projected, which is the limit")]
    Full(Projection),
    #[error("the customer store has ended")]
    Dead,
}

impl Customers {
    /// Starts the threads around an open store.
    pub fn start(store: Box<dyn CustomerStore>) -> Result<Self, StoreFault> {
        let (reads, reads_taken) = bounded(CALLS_PENDING_MAX);
        let (calls, calls_taken) = bounded(CALLS_PENDING_MAX);
        let (projections, projections_taken) = bounded(PROJECTIONS_PENDING_MAX);
        let mut first_look = store.reads()?;
        let applied = Arc::new(AtomicU64::new(first_look.applied_sequence()?));
        let ties = first_look.ties()?.into();
        drop(first_look);
        for _ in 0..READERS {
            start_reader(store.as_ref(), reads_taken.clone(), calls.clone())?;
        }
        let writer = Writer::new(store, calls_taken, projections_taken, applied.clone());
        spawn("customers-writer", move || writer.run())?;
        Ok(Self { reads, calls, projections, applied, ties })
    }

    /// The customer behind an address. A known one is answered by a reader; an unknown one gets a thin
    /// profile, and the answer comes when that is on stable storage.
    pub fn resolve(
        &self,
        address: Address,
        display_name: Option<DisplayName>,
        now_ms: i64,
        reply: impl FnOnce(Result<Resolved, StoreFault>) + Send + 'static,
    ) {
        let reply = Reply::new(reply);
        self.read(Read::Resolve(Resolve { address, display_name, now_ms, reply }));
    }

    /// Who is known under an address; nobody is made known.
    pub fn find(
        &self,
        address: Address,
        reply: impl FnOnce(Result<Option<CustomerId>, StoreFault>) + Send + 'static,
    ) {
        self.read(Read::Find(address, Reply::new(reply)));
    }

    /// The profile of a customer; `None` if there is no such customer.
    pub fn customer(
        &self,
        id: CustomerId,
        reply: impl FnOnce(Result<Option<Customer>, StoreFault>) + Send + 'static,
    ) {
        self.read(Read::Customer(id, Reply::new(reply)));
    }

    /// Part of a history, newest first; `None` if there is no such customer.
    pub fn history(
        &self,
        which: History,
        reply: impl FnOnce(Result<Option<Page>, StoreFault>) + Send + 'static,
    ) {
        self.read(Read::History(which, Reply::new(reply)));
    }

    /// Who was linked to another, or had a contact person, when the store was opened.
    pub fn ties(&self) -> &[Ties] {
        &self.ties
    }

    /// What a customer's cards are made of, from `now_ms` on; `None` if there is no such customer.
    pub fn recall(
        &self,
        id: CustomerId,
        now_ms: i64,
        reply: impl FnOnce(Result<Option<Recalled>, StoreFault>) + Send + 'static,
    ) {
        let since_ms = now_ms.saturating_sub(WEEK_MS);
        self.read(Read::Recall { id, since_ms, reply: Reply::new(reply) });
    }

    /// Adds an entry to a history. The answer comes when it is on stable storage.
    pub fn record(
        &self,
        recording: Recording,
        reply: impl FnOnce(Result<Result<HistoryEntry, NotRecorded>, StoreFault>) + Send + 'static,
    ) {
        let reply = WriteReply::Recorded(Reply::new(reply));
        reader::send(&self.calls, Call::Write(Write::Record(recording), reply));
    }

    /// Makes a promise. The answer comes when it is on stable storage.
    pub fn promise(
        &self,
        promising: Promising,
        reply: impl FnOnce(Result<Result<Promise, UnknownCustomer>, StoreFault>) + Send + 'static,
    ) {
        let reply = WriteReply::Promised(Reply::new(reply));
        reader::send(&self.calls, Call::Write(Write::Promise(promising), reply));
    }

    /// Redeems a promise, once. The answer comes when that is on stable storage.
    pub fn redeem(
        &self,
        redeeming: Redeeming,
        reply: impl FnOnce(Result<Result<Promise, NotRedeemed>, StoreFault>) + Send + 'static,
    ) {
        let reply = WriteReply::Redeemed(Reply::new(reply));
        reader::send(&self.calls, Call::Write(Write::Redeem(redeeming), reply));
    }

    /// The promises to a customer, those that can be redeemed first; `None` if there is no such customer.
    pub fn promises(
        &self,
        id: CustomerId,
        reply: impl FnOnce(Result<Option<Vec<Promise>>, StoreFault>) + Send + 'static,
    ) {
        self.read(Read::Promises(id, Reply::new(reply)));
    }

    /// The promises to tiers, whichever runs out first.
    pub fn tier_promises(&self, reply: impl FnOnce(Result<Vec<Promise>, StoreFault>) + Send + 'static) {
        self.read(Read::TierPromises(Reply::new(reply)));
    }

    /// Who changed what is known of a customer, newest first; `None` if there is no such customer.
    pub fn changes(
        &self,
        id: CustomerId,
        reply: impl FnOnce(Result<Option<Vec<Changed>>, StoreFault>) + Send + 'static,
    ) {
        self.read(Read::Changes(id, Reply::new(reply)));
    }

    /// Says that a promise cannot be honoured as it was made. The answer comes when that is on stable storage.
    pub fn withdraw(
        &self,
        withdrawing: Withdrawing,
        reply: impl FnOnce(Result<Result<Promise, NotRedeemed>, StoreFault>) + Send + 'static,
    ) {
        let reply = WriteReply::Withdrawn(Reply::new(reply));
        reader::send(&self.calls, Call::Write(Write::Withdraw(withdrawing), reply));
    }

    /// Makes two customers one person. The answer comes when that is on stable storage.
    pub fn link(
        &self,
        linking: Linking,
        reply: impl FnOnce(Result<Result<Customer, NotLinked>, StoreFault>) + Send + 'static,
    ) {
        let reply = WriteReply::Linked(Reply::new(reply));
        reader::send(&self.calls, Call::Write(Write::Link(linking), reply));
    }

    /// Undoes a link. The answer comes when that is on stable storage.
    pub fn unlink(
        &self,
        unlinking: Unlinking,
        reply: impl FnOnce(Result<Result<[Customer; 2], NotUnlinked>, StoreFault>) + Send + 'static,
    ) {
        let reply = WriteReply::Unlinked(Reply::new(reply));
        reader::send(&self.calls, Call::Write(Write::Unlink(unlinking), reply));
    }

    /// Sets a preference. The answer comes when it is on stable storage.
    pub fn prefer(
        &self,
        preferring: Preferring,
        reply: impl FnOnce(Result<Result<Customer, NotPreferred>, StoreFault>) + Send + 'static,
    ) {
        let reply = WriteReply::Preferred(Reply::new(reply));
        reader::send(&self.calls, Call::Write(Write::Prefer(preferring), reply));
    }

    /// Lets go of old entries; answers with what went.
    pub fn purge(&self, purging: Purging, reply: impl FnOnce(Result<Purged, StoreFault>) + Send + 'static) {
        let reply = WriteReply::Purged(Reply::new(reply));
        reader::send(&self.calls, Call::Write(Write::Purge(purging), reply));
    }

    /// Who and what erasing the person a customer is would erase; `None` if there is no such customer.
    pub fn erasable(
        &self,
        id: CustomerId,
        reply: impl FnOnce(Result<Option<Erased>, StoreFault>) + Send + 'static,
    ) {
        self.read(Read::Erasable(id, Reply::new(reply)));
    }

    /// Erases. The answer comes when nothing of them is left in any file of the store. After a fault they may be gone
    /// already; what is left of them in a log then goes with the next write.
    pub fn erase(
        &self,
        erasing: Erasing,
        reply: impl FnOnce(Result<Result<Erased, UnknownCustomer>, StoreFault>) + Send + 'static,
    ) {
        let reply = WriteReply::Erased(Reply::new(reply));
        reader::send(&self.calls, Call::Write(Write::Erase(erasing), reply));
    }

    /// Hands over a stretch of committed events. A store that fails keeps what it has taken and tries again.
    pub fn project(&self, stretch: Projection) -> Result<(), NotProjected> {
        self.projections.try_send(stretch).map_err(|error| match error {
            TrySendError::Full(stretch) => NotProjected::Full(stretch),
            TrySendError::Disconnected(_) => NotProjected::Dead,
        })
    }

    /// Like `project`, but waits for room. For recovery, whose thread has nobody else to serve.
    pub fn project_waiting(&self, stretch: Projection) -> Result<(), NotProjected> {
        self.projections.send(stretch).map_err(|_| NotProjected::Dead)
    }

    /// Up to which engine event the history is written. Costs one load.
    pub fn applied_sequence(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// Answers with the applied sequence once it has reached `sequence`; with a fault if what was projected
    /// towards it could not be written.
    pub fn wait_applied(&self, sequence: u64, reply: impl FnOnce(Result<u64, StoreFault>) + Send + 'static) {
        let reply = Reply::new(reply);
        let applied = self.applied_sequence();
        if applied >= sequence {
            reply.give(Ok(applied));
        } else {
            reader::send(&self.calls, Call::WaitApplied(sequence, reply));
        }
    }

    fn read(&self, read: Read) {
        // As with `send`: a read that reaches no thread is dropped, and its reply says so.
        if let Err(TrySendError::Full(read)) = self.reads.try_send(read) {
            read.refuse(StoreFault::Overloaded { pending_max: CALLS_PENDING_MAX });
        }
    }
}

fn start_reader(
    store: &dyn CustomerStore,
    reads: Receiver<Read>,
    writer: Sender<Call>,
) -> Result<(), StoreFault> {
    let connection = store.reads()?;
    spawn("customers-reader", move || reader::run(connection, &reads, &writer))
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StoreFault> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map(drop).map_err(|error| {
        StoreFault::Unavailable { doing: "starting a thread of the customer store", cause: error.to_string() }
    })
}

#[cfg(test)]
mod tests;
