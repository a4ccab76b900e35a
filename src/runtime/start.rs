//! Starts a shard: recovers what the journal holds, catches the customers' histories up, and hands out the way in.

use super::clock::Clock;
use super::driver::Driver;
use super::follow::Follow;
use super::history::History;
use super::inbox::ShardHandle;
use super::outbox::Outbox;
use super::payload::{Held, Plain, open_note, open_payload};
use crate::customers::Customers;
use crate::engine::command::{Command, Write};
use crate::engine::event::{Event, Stamped};
use crate::engine::floor::Definition;
use crate::engine::ids::{InteractionId, Sequence, Text};
use crate::engine::shard::Shard;
use crate::engine::source::SourceSession;
use crate::journal::{Fault, Journal, RecoveryError, recover};
use crate::observe;
use arc_swap::ArcSwap;
use dashmap::DashMap;
use hashbrown::HashMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use thiserror::Error;
use tokio::sync::oneshot;

/// A shard that runs.
pub struct Running {
    pub handle: ShardHandle,
    pub payloads: Arc<DashMap<InteractionId, Held>>,
    pub thread: JoinHandle<Result<(), Fault>>,
    /// Closes when the thread ends, however.
    pub ended: oneshot::Receiver<()>,
    /// Sources that had a session when we went: each gets a fresh lease.
    pub live_sources: Vec<Text>,
    pub clock: Clock,
    /// How many events were recovered.
    pub recovered: u64,
}

/// Why a shard cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("{0}")]
    Recovery(#[from] RecoveryError),
    #[error(
        "the customer store has seen event {applied}, but the journal ends at {last}: one of them comes from another backup; restore both from the same one"
    )]
    CustomersAhead { applied: u64, last: u64 },
}

/// The pool that always exists.
pub const MAIN_POOL: &str = "main";

/// Recovers and starts a shard. `speed` is how many times faster than life engine time runs.
pub fn start(
    journal: Box<dyn Journal>,
    customers: Customers,
    speed: u32,
    tenant: &str,
) -> Result<Running, StartError> {
    let payloads = Arc::new(DashMap::new());
    let applied = customers.applied_sequence();
    if applied > journal.last_sequence() {
        return Err(StartError::CustomersAhead { applied, last: journal.last_sequence() });
    }
    let mut recovery = Recovery {
        journal: &*journal,
        applied,
        sealed: HashMap::new(),
        follow: Follow::default(),
        history: History::new(customers),
    };
    let shard = recover(
        |visit| journal.read(1, visit),
        Sequence(u64::MAX),
        |shard, stamped, sealed| recovery.hear(shard, stamped, sealed),
    )?;
    let recovered = shard.sequence().0;
    recovery.history.flush_waiting(recovered);
    recovery.hold_open(&payloads).map_err(RecoveryError::from)?;
    let Recovery { follow, history, .. } = recovery;

    let clock = Clock::start(shard.now(), speed);
    let floor = Arc::new(ArcSwap::from_pointee(shard.floor().clone()));
    let (handle, inbox) = ShardHandle::open(floor.clone());
    let live_sources = live_sources(&shard);
    let first = first_commands(&shard);
    let mut driver = Driver {
        shard,
        journal,
        inbox,
        clock,
        floor,
        payloads: payloads.clone(),
        follow,
        history,
        outbox: Outbox::default(),
        gauges: observe::Gauges::new(tenant),
    };
    driver.begin(first).map_err(RecoveryError::from)?;
    let (end, ended) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new()
        .name(format!("shard-{tenant}"))
        .spawn(move || {
            // Dropped on every way out, a panic too.
            let _end = end;
            driver.run()
        })
        .expect("the system can start a thread at start-up");
    Ok(Running { handle, payloads, thread, ended, live_sources, clock, recovered })
}

fn live_sources(shard: &Shard) -> Vec<Text> {
    let live = shard.sources().iter().filter(|(_, source)| source.session == SourceSession::Live);
    live.map(|(name, _)| name.clone()).collect()
}

fn first_commands(shard: &Shard) -> Vec<Command> {
    if shard.sequence().0 > 0 {
        return vec![Command::Restart];
    }
    let definition = Definition::Pool { display_name: "Main".into() };
    vec![Command::Define { name: MAIN_POOL.into(), definition, write: Write::Create }]
}

/// What hears the events of a recovery.
struct Recovery<'a> {
    journal: &'a dyn Journal,
    /// Up to here the customers' histories are written.
    applied: u64,
    sealed: HashMap<InteractionId, (u128, Vec<u8>)>,
    follow: Follow,
    history: History,
}

/// Events between two hand-overs to the customers' store.
const STRETCH: u64 = 4_096;

impl Recovery<'_> {
    fn hear(&mut self, shard: &Shard, stamped: &Stamped, sealed: Option<&[u8]>) {
        let about = self.follow.about(&stamped.event);
        let missing = stamped.sequence.0 > self.applied;
        let plain =
            sealed.filter(|_| missing).and_then(|sealed| self.open(stamped, about.interaction, sealed));
        match &stamped.event {
            Event::Admitted(admitted) => {
                if let Some(sealed) = sealed {
                    self.sealed.insert(admitted.interaction, (admitted.content, sealed.to_vec()));
                }
            }
            Event::Closed { interaction }
            | Event::Cancelled { interaction }
            | Event::Abandoned { interaction, .. } => {
                self.sealed.remove(interaction);
            }
            _ => {}
        }
        self.history.hear(stamped, about, plain.as_ref(), shard.floor());
        if stamped.sequence.0.is_multiple_of(STRETCH) {
            self.history.flush_waiting(stamped.sequence.0);
        }
    }

    /// `None` also for one whose key was destroyed: the person was erased.
    fn open(&self, stamped: &Stamped, interaction: Option<InteractionId>, sealed: &[u8]) -> Option<Plain> {
        let key = self.journal.key(interaction?.0).ok()??;
        match &stamped.event {
            Event::Admitted(admitted) => {
                open_payload(&key, admitted.content, sealed).map(|payload| Plain::Payload(payload.into()))
            }
            _ => open_note(&key, sealed).map(|note| Plain::Note(note.into())),
        }
    }

    fn hold_open(&mut self, payloads: &DashMap<InteractionId, Held>) -> Result<(), Fault> {
        for (interaction, (content, sealed)) in self.sealed.drain() {
            let Some(key) = self.journal.key(interaction.0)? else { continue };
            if let Some(payload) = open_payload(&key, content, &sealed) {
                payloads.insert(interaction, Held { payload: payload.into(), key });
            }
        }
        Ok(())
    }
}
