//! The reading threads: each takes the next call and answers it from its own connection.
//! An address that turns out to be unknown is passed on to the writer, with its reply.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crossbeam_channel::{Receiver, Sender, TrySendError};

use super::address::Address;
use super::card::Recalled;
use super::entry::{Filter, Page, Position};
use super::erase::Erased;
use super::model::{Customer, CustomerId, DisplayName};
use super::preference::Changed;
use super::promise::Promise;
use super::reply::Reply;
use super::service::CALLS_PENDING_MAX;
use super::store::{CustomerReads, Resolved, StoreFault, Write};
use super::writer::{Call, WriteReply};
use crate::broken;

/// What a reading thread is asked.
pub(super) enum Read {
    Resolve(Resolve),
    Find(Address, Reply<Option<CustomerId>>),
    Customer(CustomerId, Reply<Option<Customer>>),
    History(History, Reply<Option<Page>>),
    Recall { id: CustomerId, since_ms: i64, reply: Reply<Option<Recalled>> },
    Promises(CustomerId, Reply<Option<Vec<Promise>>>),
    TierPromises(Reply<Vec<Promise>>),
    Changes(CustomerId, Reply<Option<Vec<Changed>>>),
    Erasable(CustomerId, Reply<Option<Erased>>),
}

/// Which part of a history.
#[derive(Clone, Debug)]
pub struct History {
    pub id: CustomerId,
    pub filter: Filter,
    /// From the page before; `None`: from the newest on.
    pub after: Option<Position>,
    pub limit: usize,
}

pub(super) struct Resolve {
    pub address: Address,
    pub display_name: Option<DisplayName>,
    pub now_ms: i64,
    pub reply: Reply<Resolved>,
}

impl Read {
    /// Answers the call without having done it.
    pub fn refuse(self, fault: StoreFault) {
        match self {
            Self::Resolve(resolve) => resolve.reply.give(Err(fault)),
            Self::Find(_, reply) => reply.give(Err(fault)),
            Self::Customer(_, reply) => reply.give(Err(fault)),
            Self::History(_, reply) => reply.give(Err(fault)),
            Self::Recall { reply, .. } => reply.give(Err(fault)),
            Self::Promises(_, reply) => reply.give(Err(fault)),
            Self::TierPromises(reply) => reply.give(Err(fault)),
            Self::Changes(_, reply) => reply.give(Err(fault)),
            Self::Erasable(_, reply) => reply.give(Err(fault)),
        }
    }
}

/// Reads until all handles of the service are gone.
pub(super) fn run(mut store: Box<dyn CustomerReads>, reads: &Receiver<Read>, writer: &Sender<Call>) {
    for read in reads {
        // A call that breaks an assumption changed nothing. Its reply, dropped, says that there is no answer; the others
        // are not to wait for a thread that is gone.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| answer(store.as_mut(), read, writer))) {
            let why = broken::why(&*panic);
            tracing::error!(why, "a customer could not be looked up");
        }
    }
}

fn answer(store: &mut dyn CustomerReads, read: Read, writer: &Sender<Call>) {
    match read {
        Read::Resolve(call) => resolve(store, call, writer),
        Read::Find(address, reply) => {
            reply.give(store.find(&address).map(|known| known.map(|known| known.customer)));
        }
        Read::Customer(id, reply) => reply.give(store.customer(id)),
        Read::History(History { id, filter, after, limit }, reply) => {
            reply.give(store.history(id, &filter, after, limit));
        }
        Read::Recall { id, since_ms, reply } => reply.give(store.recall(id, since_ms)),
        Read::Promises(id, reply) => reply.give(store.promises(id)),
        Read::TierPromises(reply) => reply.give(store.tier_promises()),
        Read::Changes(id, reply) => reply.give(store.changes(id)),
        Read::Erasable(id, reply) => reply.give(store.erasable(id)),
    }
}

fn resolve(store: &mut dyn CustomerReads, call: Resolve, writer: &Sender<Call>) {
    match store.find(&call.address) {
        Err(fault) => call.reply.give(Err(fault)),
        Ok(Some(known)) if known.named || call.display_name.is_none() => {
            call.reply.give(Ok(Resolved { customer: known.customer, created: false }));
        }
        // Unknown, or without the name that came along. The writer looks again: two calls may meet here.
        Ok(_) => {
            let Resolve { address, display_name, now_ms, reply } = call;
            let write = Write::Resolve { address, display_name, now_ms };
            send(writer, Call::Write(write, WriteReply::Resolved(reply)));
        }
    }
}

/// Gives a call to the writer without waiting for room.
pub(super) fn send(writer: &Sender<Call>, call: Call) {
    // A call that cannot be delivered because the writer is gone is dropped, and its reply says so.
    if let Err(TrySendError::Full(call)) = writer.try_send(call) {
        call.refuse(StoreFault::Overloaded { pending_max: CALLS_PENDING_MAX });
    }
}
