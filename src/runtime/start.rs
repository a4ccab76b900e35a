//! Starts a shard: recovers what the journal holds, catches the customers' histories up, and hands out the way in.

use super::admission::Delays;
use super::clock::Clock;
use super::driver::Driver;
use super::fates::ByVersion;
use super::follow::over;
use super::forgotten::{Erased, Forgotten};
use super::history::History;
use super::inbox::ShardHandle;
use super::leases::{LEASE, Leases};
use super::lessons::Lessons;
use super::opening::{Locked, NotOpened, open_all};
use super::outbox::Outbox;
use super::payload::{Held, Plain, key_before, open_payload, open_said};
use super::poisoned::Poisoned;
use super::pupil::{Outlook, Pupil};
use super::recents::Recents;
use super::replica::{Followers, Replica, customer_of};
use super::snapshotting::{self, Keeping, Progress, Snapshotting};
use crate::customers::{Customers, Erasing, StoreFault};
use crate::engine::command::{Command, Write};
use crate::engine::event::{Event, Stamped};
use crate::engine::floor::Definition;
use crate::engine::ids::{CustomerId, InteractionId, Sequence, Text};
use crate::engine::policy::PoolSpec;
use crate::engine::shard::Shard;
use crate::engine::source::SourceSession;
use crate::journal::{Erasure, Fault, Journal, KEY_LENGTH, RecoveryError, recover_from};
use crate::observe;
use arc_swap::ArcSwap;
use dashmap::DashMap;
use std::collections::BTreeSet;
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
    /// How many events were recovered, and the last of those that a snapshot spared.
    pub recovered: u64,
    pub snapshot: u64,
    /// Writes snapshots, if there is somewhere to.
    pub snapshots: Option<Snapshotting>,
}

/// What lies beside the journal of a shard: nothing, of one in memory.
#[derive(Default)]
pub struct Beside {
    /// What is refused because it broke an assumption before.
    pub poisoned: Poisoned,
    /// Where snapshots and archive lie.
    pub keeping: Option<Keeping>,
}

/// Why a shard cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("{0}")]
    Recovery(#[from] RecoveryError),
    #[error("{0}")]
    Journal(#[from] Fault),
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
    #[error("{0}; what is in the journal breaks it again at every start: use another release, or a backup")]
    Broken(String),
}

/// The pool that always exists.
pub const MAIN_POOL: &str = "main";

/// Recovers and starts a shard, after it has erased again what was erased: an older copy may have been put back, or a crash
/// may have come between. `speed` is how many times faster than life engine time runs; `learns`: whether the engine
/// is told what its floor teaches; `beside`: what lies beside the journal.
pub fn start(
    mut journal: Box<dyn Journal>,
    customers: Customers,
    erasures: &[Erasure],
    speed: u32,
    learns: bool,
    tenant: &str,
    beside: Beside,
) -> Result<Running, StartError> {
    let Beside { poisoned, keeping } = beside;
    let recents = Arc::new(Recents::new(customers.ties()));
    let applied = customers.applied_sequence();
    let store = customers.clone();
    if applied > journal.last_sequence() {
        return Err(StartError::CustomersAhead { applied, last: journal.last_sequence() });
    }
    let forgotten = Arc::new(forget_again(&store, &recents, erasures)?);
    let erased = Erased::new(erasures, forgotten.clone());
    let begun = match &keeping {
        Some(keeping) => keeping.newest(&*journal, applied, tenant, learns)?,
        None => None,
    };
    let Replica { shard, mut followers, .. } = begun.unwrap_or_else(|| Replica::new(learns));
    let (from, contacts) = (shard.sequence().0, std::mem::take(&mut followers.contacts));
    let history = History::new(customers, recents.clone(), contacts, from);
    let mut recovery =
        Recovery { journal: &*journal, applied, followers, erased, unfit: BTreeSet::new(), history };
    recovery.erase_kept();
    let shard = recover_from(
        shard,
        |visit| match &keeping {
            Some(keeping) => keeping.read(&*journal, from + 1, visit),
            None => journal.read(from + 1, visit),
        },
        Sequence(u64::MAX),
        |shard, stamped, sealed| recovery.hear(shard, stamped, sealed),
    )?;
    if let Some(interaction) = recovery.unfit.first() {
        return Err(StartError::KeyUnfit { interaction: *interaction });
    }
    if let Some(customer) = recovery.followers.newest_customer {
        check_known(&store, customer)?;
    }
    let recovered = shard.sequence().0;
    recovery.history.flush_waiting(recovered);
    let payloads = Arc::new(DashMap::with_capacity(recovery.followers.sealed.len()));
    recovery.hold_open(&payloads)?;
    let Recovery { followers, history, erased, .. } = recovery;
    let Followers { follow, eyes, learner, outlook, .. } = followers;
    let (mut found, count) = (erased.found, erasures.len() as u64);
    let behind = journal.erasures_seen()? < count;
    // Of what was over before the state it began with, nobody has been told yet.
    let mut looked_at = true;
    if let Some(keeping) = keeping.as_ref().filter(|_| behind && from > 0) {
        match keeping.erased(&*journal, Erased::new(erasures, forgotten.clone())) {
            Ok(before) => found.extend(before),
            Err(fault) => {
                looked_at = false;
                tracing::error!(tenant, "what was erased is looked for again at the next start: {fault}");
            }
        }
    }
    journal.destroy_keys(&found)?;
    if behind && looked_at {
        journal.note_erasures(count)?;
    }
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
    let progress = Arc::new(Progress::at(recovered));
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
        progress: progress.clone(),
        outbox: Outbox::default(),
        leases: leases.clone(),
        forgotten: forgotten.clone(),
        late: Vec::new(),
        poisoned,
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
        named.spawn(move || pupil.run_or_say()).expect("the system can start a thread at start-up");
    }
    driver.begin(first).map_err(RecoveryError::from)?;
    let snapshots = keeping.map(|keeping| {
        let parts = snapshotting::Parts {
            keeping,
            tenant: tenant.to_owned(),
            learns,
            progress,
            store,
            shard: handle.clone(),
        };
        snapshotting::begin(parts)
    });
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
        snapshot: from,
        snapshots,
    })
}

fn live_sources(shard: &Shard) -> Vec<Text> {
    let live = shard.sources().iter().filter(|(_, source)| source.session == SourceSession::Live);
    live.map(|(name, _)| name.clone()).collect()
}

pub(super) fn first_commands(shard: &Shard) -> Vec<Command> {
    if shard.sequence().0 > 0 {
        return vec![Command::Restart];
    }
    let definition = Definition::Pool(PoolSpec::plain("Main".into()).into());
    vec![Command::Define { name: MAIN_POOL.into(), definition, write: Write::Create }]
}

/// What hears the events of a recovery.
struct Recovery<'a> {
    journal: &'a dyn Journal,
    /// Up to here the customers' histories are written.
    applied: u64,
    followers: Followers,
    erased: Erased,
    /// The interactions whose payload and key do not fit.
    unfit: BTreeSet<InteractionId>,
    history: History,
}

/// Events between two hand-overs to the customers' store.
const STRETCH: u64 = 4_096;

impl Recovery<'_> {
    fn hear(&mut self, shard: &Shard, stamped: &Stamped, sealed: Option<&[u8]>) {
        let about = self.followers.hear(shard, stamped, sealed);
        self.erase(stamped);
        let customer = customer_of(&stamped.event);
        self.followers.meet(customer.filter(|one| !self.erased.has(Some(*one))));
        let missing = stamped.sequence.0 > self.applied;
        let plain = match (sealed.filter(|_| missing), about.interaction) {
            (Some(sealed), Some(interaction)) => self.open(stamped, interaction, sealed),
            _ => None,
        };
        if let Some(interaction) = over(&stamped.event) {
            self.erased.open.remove(&interaction);
        }
        self.history.hear(stamped, about, plain.as_ref(), shard.floor());
        if stamped.sequence.0.is_multiple_of(STRETCH) {
            self.history.flush_waiting(stamped.sequence.0);
        }
    }

    fn erase(&mut self, stamped: &Stamped) {
        let Some(interaction) = self.erased.hear(stamped) else { return };
        if self.followers.sealed.remove(&interaction).is_some() {
            self.erased.open.insert(interaction);
        }
        self.unfit.remove(&interaction);
    }

    /// Of those who were here already, too, it may have been erased since.
    fn erase_kept(&mut self) {
        let Recovery { followers, erased, .. } = self;
        let is_erased = |interaction: &InteractionId| {
            let Some(sealed) = followers.sealed.get(interaction) else { return false };
            erased.is_listed(*interaction, sealed.came) || erased.has(sealed.customer)
        };
        let gone: Vec<_> = followers.sealed.ids().map(InteractionId).filter(is_erased).collect();
        for interaction in &gone {
            followers.sealed.remove(interaction);
        }
        erased.found.extend(gone.iter().map(|interaction| interaction.0));
        erased.open.extend(gone);
        let newest = followers.newest_customer;
        followers.newest_customer = newest.filter(|newest| !erased.has(Some(*newest)));
    }

    fn open(&mut self, stamped: &Stamped, interaction: InteractionId, sealed: &[u8]) -> Option<Plain> {
        if self.erased.open.contains(&interaction) {
            return None;
        }
        let wrapped = match &stamped.event {
            Event::Admitted(_) => key_before(sealed),
            _ => self.followers.sealed.get(&interaction).and_then(|open| key_before(&open.payload)),
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
        // In the order their keys lie in.
        let all: Vec<_> = self.followers.sealed.ids().map(InteractionId).collect();
        let Recovery { journal, followers, history, .. } = self;
        let locked = all
            .into_iter()
            .filter_map(|id| followers.sealed.remove(&id).map(|sealed| Locked::of(*journal, id, sealed)));
        let opened = open_all(locked, |interaction, held| {
            history.contacts.was_said(interaction, &held);
            payloads.insert(interaction, held);
        });
        opened.map_err(|error| match error {
            NotOpened::Unfit(interaction) => StartError::KeyUnfit { interaction },
            NotOpened::Keys(fault) => RecoveryError::from(fault).into(),
        })
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
