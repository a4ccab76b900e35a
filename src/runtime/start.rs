//! Starts a shard: recovers what the journal holds, catches the customers' histories up, and hands out the way in.

use super::admission::Delays;
use super::clock::Clock;
use super::driver::Driver;
use super::fates::ByVersion;
use super::follow::{Follow, over};
use super::forgotten::{Erased, Forgotten};
use super::history::History;
use super::inbox::ShardHandle;
use super::leases::{LEASE, Leases};
use super::lessons::Lessons;
use super::outbox::Outbox;
use super::payload::{Held, Plain, SAID_MAX, key_before, open_payload, open_said};
use super::pupil::{Outlook, Pupil};
use super::recents::Recents;
use crate::customers::{Customers, Erasing, StoreFault};
use crate::engine::command::{Command, Write};
use crate::engine::event::{Event, Stamped};
use crate::engine::floor::Definition;
use crate::engine::ids::{CustomerId, InteractionId, Sequence, Text};
use crate::engine::policy::PoolSpec;
use crate::engine::shard::Shard;
use crate::engine::source::SourceSession;
use crate::engine::time::Time;
use crate::journal::{Erasure, Fault, Journal, KEY_LENGTH, RecoveryError, recover};
use crate::learning::{Eyes, HalfLife, Learner, Lesson, Seen};
use crate::observe;
use arc_swap::ArcSwap;
use dashmap::DashMap;
use hashbrown::HashMap;
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::oneshot;

/// A shard that runs.
pub struct Running {
    pub handle: ShardHandle,
    pub payloads: Arc<DashMap<InteractionId, Held>>,
    /// Cards of the customers who were offered lately.
    pub recents: Arc<Recents>,
    /// Customers who were erased.
    pub forgotten: Arc<Forgotten>,
    /// What requests are hashed with.
    pub secret: [u8; KEY_LENGTH],
    /// What is expected of waits.
    pub outlook: Outlook,
    /// What becomes of interactions, by the version of their rules.
    pub by_version: ByVersion,
    pub thread: JoinHandle<Result<(), Fault>>,
    /// Closes when the thread ends, however.
    pub ended: oneshot::Receiver<()>,
    /// Who is alive. Sources that had a session when we went have a fresh lease.
    pub leases: Leases,
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
    #[error(
        "customer {customer} of the journal is not in the customer store: it is older than the journal or was replaced; restore both from the same backup"
    )]
    CustomerUnknown { customer: CustomerId },
    #[error("the customer store cannot be read: {0}")]
    Customers(#[from] StoreFault),
    #[error(
        "the payload of interaction {interaction} cannot be opened with its key: the keys file is damaged, or of another time than the journal; restore both from the same backup"
    )]
    KeyUnfit { interaction: InteractionId },
}

/// The pool that always exists.
pub const MAIN_POOL: &str = "main";

/// Recovers and starts a shard, after it has erased again what was erased: an older copy may have been put back, or a crash
/// may have come between. `speed` is how many times faster than life engine time runs; `learns`: whether the engine
/// is told what its floor teaches.
pub fn start(
    mut journal: Box<dyn Journal>,
    customers: Customers,
    erasures: &[Erasure],
    speed: u32,
    learns: bool,
    tenant: &str,
) -> Result<Running, StartError> {
    let payloads = Arc::new(DashMap::new());
    let recents = Arc::new(Recents::new(customers.ties()));
    let applied = customers.applied_sequence();
    let store = customers.clone();
    if applied > journal.last_sequence() {
        return Err(StartError::CustomersAhead { applied, last: journal.last_sequence() });
    }
    let forgotten = Arc::new(forget_again(&store, &recents, erasures)?);
    let mut recovery = Recovery {
        journal: &*journal,
        applied,
        sealed: HashMap::new(),
        follow: Follow::default(),
        history: History::new(customers, recents.clone()),
        eyes: Eyes::default(),
        learner: learns.then(|| Learner::new(HalfLife::USUAL)),
        outlook: Outlook::default(),
        newest_customer: None,
        erased: Erased::new(erasures, forgotten.clone()),
        unfit: BTreeSet::new(),
    };
    let shard = recover(
        |visit| journal.read(1, visit),
        Sequence(u64::MAX),
        |shard, stamped, sealed| recovery.hear(shard, stamped, sealed),
    )?;
    if let Some(interaction) = recovery.unfit.first() {
        return Err(StartError::KeyUnfit { interaction: *interaction });
    }
    if let Some(customer) = recovery.newest_customer {
        check_known(&store, customer)?;
    }
    let recovered = shard.sequence().0;
    recovery.history.flush_waiting(recovered);
    recovery.hold_open(&payloads)?;
    let Recovery { follow, history, eyes, learner, outlook, erased, .. } = recovery;
    journal.destroy_keys(&erased.found).map_err(RecoveryError::from)?;
    let secret = journal.secret().map_err(RecoveryError::from)?;
    let (out, lessons) = Lessons::channel();
    let lessons_out = Lessons::new(eyes, learner.is_some().then_some(out));

    let clock = Clock::start(shard.now(), speed);
    let floor = Arc::new(ArcSwap::from_pointee(shard.floor().clone()));
    let (handle, inbox) = ShardHandle::open(floor.clone());
    let leases = Leases::default();
    for source in live_sources(&shard) {
        leases.renew_source(&source, LEASE);
    }
    let first = first_commands(&shard);
    let by_version = ByVersion::default();
    let mut driver = Driver {
        shard,
        journal,
        inbox,
        clock,
        floor,
        payloads: payloads.clone(),
        follow,
        history,
        lessons: lessons_out,
        by_version: by_version.clone(),
        outbox: Outbox::default(),
        leases: leases.clone(),
        forgotten: forgotten.clone(),
        late: Vec::new(),
        gauges: observe::Gauges::new(tenant),
        delays: Delays::default(),
        began: Instant::now(),
        stepping: Duration::ZERO,
        events: Vec::new(),
    };
    if let Some(mut learner) = learner {
        learner.knows(driver.shard.learned_version());
        let pupil = Pupil { lessons, learner, outlook: outlook.clone(), shard: handle.clone(), clock };
        let named = std::thread::Builder::new().name(format!("learn-{tenant}"));
        named.spawn(move || pupil.run()).expect("the system can start a thread at start-up");
    }
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
    Ok(Running {
        handle,
        payloads,
        recents,
        forgotten,
        secret,
        outlook,
        by_version,
        thread,
        ended,
        leases,
        clock,
        recovered,
    })
}

fn live_sources(shard: &Shard) -> Vec<Text> {
    let live = shard.sources().iter().filter(|(_, source)| source.session == SourceSession::Live);
    live.map(|(name, _)| name.clone()).collect()
}

fn first_commands(shard: &Shard) -> Vec<Command> {
    if shard.sequence().0 > 0 {
        return vec![Command::Restart];
    }
    let definition = Definition::Pool(PoolSpec::plain("Main".into()).into());
    vec![Command::Define { name: MAIN_POOL.into(), definition, write: Write::Create }]
}

/// What is sealed of an interaction that is not over.
struct Sealed {
    content: u128,
    payload: Vec<u8>,
    /// The newest of what was said since.
    said: VecDeque<(Time, Vec<u8>)>,
}

/// What hears the events of a recovery.
struct Recovery<'a> {
    journal: &'a dyn Journal,
    /// Up to here the customers' histories are written.
    applied: u64,
    sealed: HashMap<InteractionId, Sealed>,
    /// Numbers are given in order: a store that knows this one knows all before.
    newest_customer: Option<CustomerId>,
    erased: Erased,
    /// The interactions whose payload and key do not fit.
    unfit: BTreeSet<InteractionId>,
    follow: Follow,
    history: History,
    eyes: Eyes,
    learner: Option<Learner>,
    outlook: Outlook,
}

/// Events between two hand-overs to the customers' store.
const STRETCH: u64 = 4_096;

impl Recovery<'_> {
    fn hear(&mut self, shard: &Shard, stamped: &Stamped, sealed: Option<&[u8]>) {
        if let Some(learner) = &mut self.learner {
            let (now, floor) = (stamped.time, shard.floor());
            let mut lessons = arrayvec::ArrayVec::<Lesson, 8>::new();
            self.eyes.look(now, &stamped.event, &mut |seen| {
                learner.note(now, seen, floor);
                // Returns of a week may come at once; they are nothing but learned from.
                if !matches!(seen, Seen::Ended { interaction: None, .. }) {
                    lessons.push(Lesson::new(now, seen, shard));
                }
            });
            self.outlook.learn(&lessons, learner, floor);
        }
        let about = self.follow.about(&stamped.event);
        self.erase(stamped);
        let missing = stamped.sequence.0 > self.applied;
        let plain = match (sealed.filter(|_| missing), about.interaction) {
            (Some(sealed), Some(interaction)) => self.open(stamped, interaction, sealed),
            _ => None,
        };
        match &stamped.event {
            Event::Admitted(admitted) => {
                self.meet(admitted.facts.customer);
                let erased = self.erased.open.contains(&admitted.interaction);
                if let Some(sealed) = sealed.filter(|_| !erased) {
                    let (content, payload) = (admitted.content, sealed.to_vec());
                    self.sealed
                        .insert(admitted.interaction, Sealed { content, payload, said: VecDeque::new() });
                }
            }
            Event::Identified { customer, .. } => {
                self.meet(Some(*customer));
            }
            event => {
                if let Some(interaction) = over(event) {
                    self.sealed.remove(&interaction);
                    self.erased.open.remove(&interaction);
                }
                let open = about.interaction.and_then(|interaction| self.sealed.get_mut(&interaction));
                if let Some((open, sealed)) = open.zip(sealed) {
                    open.said.push_back((stamped.time, sealed.to_vec()));
                    if open.said.len() > SAID_MAX {
                        open.said.pop_front();
                    }
                }
            }
        }
        self.history.hear(stamped, about, plain.as_ref(), shard.floor());
        if stamped.sequence.0.is_multiple_of(STRETCH) {
            self.history.flush_waiting(stamped.sequence.0);
        }
    }

    fn erase(&mut self, stamped: &Stamped) {
        let Some(interaction) = self.erased.hear(stamped) else { return };
        if self.sealed.remove(&interaction).is_some() {
            self.erased.open.insert(interaction);
        }
        self.unfit.remove(&interaction);
    }

    fn meet(&mut self, customer: Option<CustomerId>) {
        self.newest_customer = self.newest_customer.max(customer.filter(|one| !self.erased.has(Some(*one))));
    }

    fn open(&mut self, stamped: &Stamped, interaction: InteractionId, sealed: &[u8]) -> Option<Plain> {
        if self.erased.open.contains(&interaction) {
            return None;
        }
        let wrapped = match &stamped.event {
            Event::Admitted(_) => key_before(sealed),
            _ => self.sealed.get(&interaction).and_then(|open| key_before(&open.payload)),
        };
        let key = wrapped.and_then(|wrapped| self.journal.key(interaction.0, wrapped).ok().flatten());
        let plain = key.and_then(|key| match &stamped.event {
            Event::Admitted(admitted) => {
                open_payload(&key, admitted.content, sealed).map(|payload| Plain::Payload(payload.into()))
            }
            _ => open_said(&key, sealed).map(|said| Plain::Said(said.into())),
        });
        if plain.is_none() {
            self.unfit.insert(interaction);
        }
        plain
    }

    fn hold_open(&mut self, payloads: &DashMap<InteractionId, Held>) -> Result<(), StartError> {
        for interaction in &self.erased.open {
            payloads.insert(*interaction, Held::erased());
        }
        for (interaction, Sealed { content, payload, said }) in self.sealed.drain() {
            let wrapped = key_before(&payload).ok_or(StartError::KeyUnfit { interaction })?;
            let key = self.journal.key(interaction.0, wrapped).map_err(RecoveryError::from)?;
            let opened = key.and_then(|key| Some((open_payload(&key, content, &payload)?, key)));
            let (payload, key) = opened.ok_or(StartError::KeyUnfit { interaction })?;
            let mut held = Held::new(payload.into(), key);
            for (time, sealed) in said {
                let said = open_said(&held.key, &sealed).ok_or(StartError::KeyUnfit { interaction })?;
                held.hear(time, said.into());
            }
            payloads.insert(interaction, held);
        }
        Ok(())
    }
}

/// Erases from the store whom an older copy of it has brought back. Gives those whom nobody is known as any more.
fn forget_again(store: &Customers, recents: &Recents, erasures: &[Erasure]) -> Result<Forgotten, StartError> {
    let before: BTreeSet<(u64, i64)> =
        erasures.iter().flat_map(|erasure| &erasure.customers).copied().collect();
    let forgotten = Forgotten::default();
    if !before.is_empty() {
        let before =
            before.into_iter().map(|(id, created_ms)| (crate::customers::CustomerId(id), created_ms));
        let (reply, answer) = crossbeam_channel::bounded(1);
        store.erase(Erasing::Again(before.collect()), move |erased| {
            // Received below, or the start has failed already.
            let _ = reply.send(erased);
        });
        let erased = answer.recv().expect("a reply that is dropped answers by itself")?;
        let erased = erased.expect("erasing again refuses nobody");
        let numbers: Vec<_> = erased.customers.iter().map(|(id, _)| *id).collect();
        recents.erased(&numbers);
        forgotten.add(numbers.iter().map(|id| CustomerId(id.0)));
    }
    Ok(forgotten)
}

/// Refuses a store that does not know a customer of the journal: it would give the same number to somebody else.
fn check_known(store: &Customers, customer: CustomerId) -> Result<(), StartError> {
    let (reply, answer) = crossbeam_channel::bounded(1);
    store.customer(crate::customers::CustomerId(customer.0), move |found| {
        // Received below, or the start has failed already.
        let _ = reply.send(found);
    });
    let found = answer.recv().expect("a reply that is dropped answers by itself")?;
    found.map(drop).ok_or(StartError::CustomerUnknown { customer })
}
