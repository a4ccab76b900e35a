//! The writing thread: takes everything that has arrived, commits it as one group, and only then answers.
//! A projection that could not be committed is kept and tried again before any later one is taken, so the
//! history has no holes, and a store that stays broken fills a bounded channel and nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, after, never, select};

use super::entry::HistoryEntry;
use super::erase::Erased;
use super::link::{NotLinked, NotUnlinked};
use super::model::Customer;
use super::preference::NotPreferred;
use super::promise::{NotRedeemed, Promise};
use super::reply::Reply;
use super::service::CALLS_PENDING_MAX;
use super::store::{
    CustomerStore, Gap, NotRecorded, Projection, Purged, Resolved, StoreFault, UnknownCustomer, Write,
    Written,
};
use crate::broken;

/// Most calls in one commit, so that the first of them does not wait for the last for too long.
const GROUP_CALLS_MAX: usize = 1_024;
/// As many projected events close a commit to further stretches: a new customer's first call waits behind it.
const GROUP_EVENTS_ENOUGH: usize = 2_048;
/// Most stretches in one commit, however few events they have.
const GROUP_STRETCHES_MAX: usize = 256;
/// How long projections wait for others to share their commit, as long as nobody asks for anything: cards are kept up
/// without it, and whoever reads a history asks for it to be written.
const COMPANY: Duration = Duration::from_millis(100);
/// How soon a projection that failed is tried again, if no call comes to try the store before.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What the writing thread is asked.
pub(super) enum Call {
    Write(Write, WriteReply),
    /// Wants to know when the history is written up to an event.
    WaitApplied(u64, Reply<u64>),
}

/// The reply to a `Write`, of its kind.
pub(super) enum WriteReply {
    Resolved(Reply<Resolved>),
    Recorded(Reply<Result<HistoryEntry, NotRecorded>>),
    Promised(Reply<Result<Promise, UnknownCustomer>>),
    Redeemed(Reply<Result<Promise, NotRedeemed>>),
    Withdrawn(Reply<Result<Promise, NotRedeemed>>),
    Linked(Reply<Result<Customer, NotLinked>>),
    Unlinked(Reply<Result<[Customer; 2], NotUnlinked>>),
    Preferred(Reply<Result<Customer, NotPreferred>>),
    Purged(Reply<Purged>),
    Erased(Reply<Result<Erased, UnknownCustomer>>),
}

impl Call {
    /// Answers the call without having done it.
    pub fn refuse(self, fault: StoreFault) {
        match self {
            Self::Write(_, reply) => reply.refuse(fault),
            Self::WaitApplied(_, reply) => reply.give(Err(fault)),
        }
    }
}

impl WriteReply {
    fn refuse(self, fault: StoreFault) {
        match self {
            Self::Resolved(reply) => reply.give(Err(fault)),
            Self::Recorded(reply) => reply.give(Err(fault)),
            Self::Promised(reply) => reply.give(Err(fault)),
            Self::Redeemed(reply) | Self::Withdrawn(reply) => reply.give(Err(fault)),
            Self::Linked(reply) => reply.give(Err(fault)),
            Self::Unlinked(reply) => reply.give(Err(fault)),
            Self::Preferred(reply) => reply.give(Err(fault)),
            Self::Purged(reply) => reply.give(Err(fault)),
            Self::Erased(reply) => reply.give(Err(fault)),
        }
    }

    /// A store that answers in another kind than it was asked breaks its contract; the reply, dropped, says
    /// that it is unavailable.
    fn give(self, written: Written) {
        match (self, written) {
            (Self::Resolved(reply), Written::Resolved(resolved)) => reply.give(Ok(resolved)),
            (Self::Recorded(reply), Written::Recorded(recorded)) => reply.give(Ok(recorded.map(|e| *e))),
            (Self::Promised(reply), Written::Promised(promised)) => reply.give(Ok(promised.map(|p| *p))),
            (Self::Redeemed(reply), Written::Redeemed(redeemed)) => reply.give(Ok(redeemed.map(|p| *p))),
            (Self::Withdrawn(reply), Written::Withdrawn(withdrawn)) => {
                reply.give(Ok(withdrawn.map(|p| *p)));
            }
            (Self::Linked(reply), Written::Linked(linked)) => reply.give(Ok(linked.map(|one| *one))),
            (Self::Unlinked(reply), Written::Unlinked(unlinked)) => reply.give(Ok(unlinked.map(|two| *two))),
            (Self::Preferred(reply), Written::Preferred(preferred)) => {
                reply.give(Ok(preferred.map(|one| *one)))
            }
            (Self::Purged(reply), Written::Purged(count)) => reply.give(Ok(count)),
            (Self::Erased(reply), Written::Erased(erased)) => reply.give(Ok(erased)),
            (reply, Written::Unfinished(fault)) => reply.refuse(fault),
            _ => {}
        }
    }
}

pub(super) struct Writer {
    store: Box<dyn CustomerStore>,
    calls: Receiver<Call>,
    projections: Receiver<Projection>,
    applied: Arc<AtomicU64>,
    /// The next commit: projections first, then the writes of `replies`, in the same order.
    group: Vec<Write>,
    replies: Vec<WriteReply>,
    waiting: Vec<(u64, Reply<u64>)>,
}

impl Writer {
    pub fn new(
        store: Box<dyn CustomerStore>,
        calls: Receiver<Call>,
        projections: Receiver<Projection>,
        applied: Arc<AtomicU64>,
    ) -> Self {
        let (group, replies, waiting) = (Vec::new(), Vec::new(), Vec::new());
        Self { store, calls, projections, applied, group, replies, waiting }
    }

    /// Writes until all handles of the service and the readers are gone.
    pub fn run(mut self) {
        while self.gather() {
            if !self.group.is_empty() {
                self.commit();
            }
            self.answer_waiting();
        }
    }

    /// Waits for something to do and takes what else is there. False when nothing can come any more.
    fn gather(&mut self) -> bool {
        // What is in the group now are projections that failed.
        let (mut first_call, mut first_projection) = (None, None);
        if self.group.is_empty() {
            select! {
                recv(self.calls) -> call => match call {
                    Ok(call) => first_call = Some(call),
                    Err(_) => return self.last_projections(),
                },
                recv(self.projections) -> projection => match projection {
                    Ok(projection) => first_projection = Some(projection),
                    // The handles are gone, a reader may still pass something on.
                    Err(_) => self.projections = never(),
                },
            }
        } else {
            match self.calls.recv_timeout(RETRY_AFTER) {
                Ok(call) => first_call = Some(call),
                Err(RecvTimeoutError::Timeout) => {}
                // Given up: the events are in the journal, and the next start takes them up from there.
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        let alone = first_call.is_none();
        self.take_projections(first_projection);
        if alone && !self.group.is_empty() {
            first_call = self.wait_for_company();
        }
        self.take_calls(first_call);
        true
    }

    /// Gathers further projections until there are enough, they have waited long enough, or a call comes.
    fn wait_for_company(&mut self) -> Option<Call> {
        let until = after(COMPANY);
        while !self.has_enough() {
            select! {
                recv(self.calls) -> call => return call.ok(),
                recv(self.projections) -> projection => match projection {
                    Ok(projection) => self.take_projections(Some(projection)),
                    Err(_) => return None,
                },
                recv(until) -> _ => return None,
            }
        }
        None
    }

    fn has_enough(&self) -> bool {
        let events = self.group.iter().map(events_of).sum::<usize>();
        events >= GROUP_EVENTS_ENOUGH || self.group.len() >= GROUP_STRETCHES_MAX
    }

    /// All calls are answered; what was projected before the handles went is still written.
    fn last_projections(&mut self) -> bool {
        self.take_projections(None);
        !self.group.is_empty()
    }

    fn take_projections(&mut self, first: Option<Projection>) {
        self.group.extend(first.map(Write::Project));
        while !self.has_enough() {
            let Ok(stretch) = self.projections.try_recv() else { return };
            self.group.push(Write::Project(stretch));
        }
    }

    fn take_calls(&mut self, first: Option<Call>) {
        for call in first.into_iter().chain(self.calls.try_iter()).take(GROUP_CALLS_MAX) {
            match call {
                Call::Write(write, reply) => {
                    self.group.push(write);
                    self.replies.push(reply);
                }
                Call::WaitApplied(sequence, reply) if self.waiting.len() < CALLS_PENDING_MAX => {
                    self.waiting.push((sequence, reply));
                }
                Call::WaitApplied(_, reply) => {
                    reply.give(Err(StoreFault::Overloaded { pending_max: CALLS_PENDING_MAX }));
                }
            }
        }
    }

    fn commit(&mut self) {
        match self.commit_or_say() {
            Ok(written) => {
                self.group.clear();
                self.answer(written);
            }
            Err(fault) => {
                tracing::error!(%fault, writes = self.group.len(), "a group of customer writes failed");
                self.group.retain(|write| matches!(write, Write::Project(_)));
                self.replies.drain(..).for_each(|reply| reply.refuse(fault.clone()));
                self.fail_waiting(&fault);
            }
        }
    }

    /// An assumption that breaks in the store is a fault of the store: its transaction is undone, projections are tried
    /// again, and routing goes on without it.
    fn commit_or_say(&mut self) -> Result<Vec<Written>, StoreFault> {
        let (store, group) = (&mut self.store, &self.group);
        catch_unwind(AssertUnwindSafe(|| store.commit(group))).unwrap_or_else(|panic| {
            Err(StoreFault::Unavailable { doing: "committing", cause: broken::why(&*panic) })
        })
    }

    fn answer(&mut self, written: Vec<Written>) {
        let mut replies = std::mem::take(&mut self.replies).into_iter();
        for each in written {
            match each {
                Written::Projected(Ok(applied)) => self.applied.store(applied, Ordering::Release),
                Written::Projected(Err(gap)) => self.report(gap),
                other => {
                    if let Some(reply) = replies.next() {
                        reply.give(other);
                    }
                }
            }
        }
    }

    /// The stretch is dropped: what is missing has to come first, and it is with whoever projects.
    fn report(&mut self, gap: Gap) {
        tracing::error!(%gap, "a stretch of events was not projected");
        self.fail_waiting(&StoreFault::Unavailable { doing: "projecting", cause: gap.to_string() });
    }

    fn answer_waiting(&mut self) {
        let applied = self.applied.load(Ordering::Acquire);
        for (_, reply) in self.waiting.extract_if(.., |(sequence, _)| *sequence <= applied) {
            reply.give(Ok(applied));
        }
    }

    fn fail_waiting(&mut self, fault: &StoreFault) {
        self.answer_waiting();
        self.waiting.drain(..).for_each(|(_, reply)| reply.give(Err(fault.clone())));
    }
}

fn events_of(write: &Write) -> usize {
    if let Write::Project(stretch) = write { stretch.events.len() } else { 0 }
}
