//! What the twin knows: flat lists of everything that ever was. What the engine counts and indexes is found here by
//! looking through them.

use baton::engine::agent::{Liveness, Pending, Presence};
use baton::engine::capacity::CapacitySpec;
use baton::engine::channel::Channel;
use baton::engine::event::{Ending, Event, RescindCause, Stamped};
use baton::engine::floor::{AgentSpec, GroupSpec, QueueSpec};
use baton::engine::hours::{HoursSpec, Phase};
use baton::engine::ids::{
    AgentKey, AssignmentId, CustomerId, HoursKey, InteractionId, OfferId, QueueKey, Sequence, SessionId, Text,
};
use baton::engine::interaction::{Callback, CoolDown, Part, State, Until, Wanted};
use baton::engine::plan::Plan;
use baton::engine::route::{Needs, Route};
use baton::engine::time::Time;

/// Something configured.
#[derive(Clone)]
pub struct Thing<T> {
    pub name: Text,
    pub spec: T,
    pub revision: u64,
    pub removed: bool,
}

/// An agent's day.
pub struct Person {
    pub presence: Presence,
    pub reason: Text,
    pub pending: Option<Pending>,
    pub liveness: Liveness,
    pub session: Option<SessionId>,
    pub not_responding: bool,
    pub recovers: Option<Time>,
    pub idle_since: Time,
    /// What was accepted until the day ends.
    pub day_ends: Time,
    pub accepted: [u16; 7],
    pub new_day: Option<Time>,
}

/// A pair that is not tried again. `due` while its timer runs.
#[derive(Clone)]
pub struct Cool {
    pub pair: CoolDown,
    pub due: bool,
}

/// A second agent is looked for.
#[derive(Clone)]
pub struct Search {
    pub by: usize,
    pub part: Part,
    pub plan: Plan,
    pub wanted: Option<Wanted>,
    pub since: Time,
    pub until: Time,
}

#[derive(Clone)]
pub struct Item {
    pub source: Text,
    pub channel: Channel,
    pub customer: Option<CustomerId>,
    pub matter: Text,
    pub plan: Plan,
    pub route: u8,
    pub state: State,
    pub entered: Time,
    pub waits_from: Time,
    pub in_queue_from: Time,
    pub answered: bool,
    pub visit_answered: bool,
    pub owner: Option<usize>,
    pub agent: Option<AgentKey>,
    pub wanted: Option<Wanted>,
    pub seek: Option<Search>,
    pub scheduled: Option<Until>,
    pub callback: Option<Callback>,
    pub step: u8,
    pub overdue: bool,
    pub declines: u32,
    pub transfers: u16,
    pub hops: u8,
    pub attached: usize,
    pub cools: Vec<Cool>,
    /// When it leaves because its source is lost.
    pub gone: Option<Time>,
    pub max_wait: Option<Time>,
    pub window: Option<Time>,
    /// When it came to its line, or was looked at for overflow.
    pub looked: Time,
}

impl Item {
    pub fn way(&self) -> &Route {
        &self.plan.routes[usize::from(self.route)]
    }

    pub fn queue(&self) -> QueueKey {
        self.way().queue
    }

    pub fn past_last_step(&self) -> bool {
        usize::from(self.step) > self.way().relaxation.len()
    }

    /// The route somebody is looked for on now.
    pub fn sought_way(&self) -> &Route {
        self.seek.as_ref().map_or_else(|| self.way(), |seek| &seek.plan.routes[0])
    }

    pub fn sought_wanted(&self) -> Option<Wanted> {
        self.seek.as_ref().map_or(self.wanted, |seek| seek.wanted)
    }

    pub fn sought_part(&self) -> Part {
        self.seek.as_ref().map_or(Part::Owner, |seek| seek.part)
    }

    pub fn needs(&self) -> &[Needs] {
        match &self.seek {
            Some(seek) => &seek.plan.routes[0].needs,
            None => needs_at(self.way(), self.step),
        }
    }
}

pub fn needs_at(way: &Route, step: u8) -> &[Needs] {
    match usize::from(step).min(way.relaxation.len()) {
        0 => &way.needs,
        taken => &way.relaxation[taken - 1].needs,
    }
}

pub struct Ring {
    pub item: usize,
    pub agent: usize,
    pub part: Part,
    pub channel: Channel,
    pub units: u16,
    pub expires: Time,
    /// The number of the event that opened it: the order of what an agent holds.
    pub turn: u64,
    pub ending: Option<(Ending, Option<RescindCause>)>,
    pub job: Option<usize>,
}

pub struct Job {
    pub item: usize,
    pub agent: usize,
    pub part: Part,
    pub channel: Channel,
    pub queue: QueueKey,
    pub started: Time,
    /// What it holds in conversation.
    pub units: u16,
    pub turn: u64,
    /// Until then the platform may say whether they are connected.
    pub connect: Option<Time>,
    pub answered_visit: bool,
    pub answered_first: bool,
    pub interrupted: Option<u64>,
    pub wrap_up_until: Option<Time>,
    pub wrap_up_units: u16,
    pub extensions: u8,
    /// When it goes to somebody else because its agent is lost.
    pub lost: Option<Time>,
    pub over: Option<Time>,
    /// As if it had not been.
    pub undone: bool,
}

impl Job {
    pub fn talks(&self) -> bool {
        self.over.is_none() && self.wrap_up_until.is_none()
    }
}

pub struct Key {
    pub key: u128,
    pub content: u128,
    pub item: usize,
    pub at: Time,
}

/// What an agent has in hand.
#[derive(Clone, Copy)]
pub struct Hold {
    pub turn: u64,
    pub ring: Option<usize>,
    pub job: Option<usize>,
    pub channel: Channel,
    pub units: u16,
    /// A conversation, not an offer and no wrap-up.
    pub talks: bool,
}

/// Everything.
#[derive(Default)]
pub struct Twin {
    pub now: Time,
    pub sequence: u64,
    pub pools: Vec<Thing<()>>,
    pub skills: Vec<Thing<()>>,
    pub groups: Vec<Thing<GroupSpec>>,
    pub hours: Vec<Thing<HoursSpec>>,
    pub phases: Vec<(HoursKey, Phase)>,
    pub queues: Vec<Thing<QueueSpec>>,
    pub agents: Vec<Thing<AgentSpec>>,
    pub people: Vec<Person>,
    pub items: Vec<Item>,
    pub rings: Vec<Ring>,
    /// Of the rings, those that have not ended: a day of an agent who never answers has thousands that have.
    pub open: Vec<usize>,
    pub jobs: Vec<Job>,
    pub keys: Vec<Key>,
    /// Visits that were answered: queue, job, in time.
    pub answers: Vec<(QueueKey, usize, bool)>,
    /// Visits that were given up: queue, soon.
    pub given_up: Vec<(QueueKey, bool)>,
    /// Name, and whether its session lives: `None` if it never had one.
    pub sources: Vec<(Text, Option<bool>)>,
    pub told: Vec<Stamped>,
    pub capacity_default: CapacitySpec,
}

impl Twin {
    pub fn tell(&mut self, event: Event) {
        self.sequence += 1;
        self.told.push(Stamped { sequence: Sequence(self.sequence), time: self.now, event });
    }

    pub fn queue(&self, queue: QueueKey) -> &QueueSpec {
        &self.queues[queue.index()].spec
    }

    pub fn phase_of(&self, hours: Option<HoursKey>) -> Option<Phase> {
        let hours = hours?;
        self.phases.iter().find(|(key, _)| *key == hours).map(|(_, phase)| *phase)
    }

    pub fn live_agent(&self, agent: AgentKey) -> Option<usize> {
        let index = agent.index();
        self.agents.get(index).is_some_and(|thing| !thing.removed).then_some(index)
    }

    /// The open offers of an interaction, oldest first.
    pub fn rings_of(&self, item: usize) -> Vec<usize> {
        self.open.iter().copied().filter(|ring| self.rings[*ring].item == item).collect()
    }

    /// The assignments of an interaction that are not over, oldest first.
    pub fn jobs_of(&self, item: usize) -> Vec<usize> {
        let own = |job: &usize| self.jobs[*job].item == item && self.jobs[*job].over.is_none();
        (0..self.jobs.len()).filter(own).collect()
    }

    pub fn talking_in(&self, item: usize) -> Vec<usize> {
        self.jobs_of(item).into_iter().filter(|job| self.jobs[*job].talks()).collect()
    }

    /// In line: it waits, or a second agent is sought and not being asked.
    pub fn stands(&self, item: usize) -> bool {
        let one = &self.items[item];
        one.state == State::Waiting || (one.seek.is_some() && self.rings_of(item).is_empty())
    }

    /// What an agent holds, in the order it was taken.
    pub fn holds(&self, agent: usize) -> Vec<Hold> {
        let mut holds = Vec::new();
        for ring in self.open.iter().copied().filter(|ring| self.rings[*ring].agent == agent) {
            let Ring { turn, channel, units, .. } = self.rings[ring];
            holds.push(Hold { turn, ring: Some(ring), job: None, channel, units, talks: false });
        }
        for (index, job) in self.jobs.iter().enumerate() {
            if job.agent != agent || job.over.is_some() || job.interrupted.is_some() {
                continue;
            }
            let units = if job.talks() { job.units } else { job.wrap_up_units };
            let (turn, channel, talks) = (job.turn, job.channel, job.talks());
            holds.push(Hold { turn, ring: None, job: Some(index), channel, units, talks });
        }
        holds.sort_by_key(|hold| hold.turn);
        holds
    }

    pub fn rings_at(&self, agent: usize) -> Vec<usize> {
        self.holds(agent).into_iter().filter_map(|hold| hold.ring).collect()
    }

    /// What gave way at this agent, oldest first.
    pub fn interrupted_at(&self, agent: usize) -> Vec<usize> {
        let mut jobs: Vec<usize> = (0..self.jobs.len())
            .filter(|job| {
                let job = &self.jobs[*job];
                job.agent == agent && job.over.is_none() && job.interrupted.is_some()
            })
            .collect();
        jobs.sort_by_key(|job| self.jobs[*job].interrupted);
        jobs
    }

    pub fn used(&self, agent: usize) -> u32 {
        self.holds(agent).iter().map(|hold| u32::from(hold.units)).sum()
    }

    pub fn empty_handed(&self, agent: usize) -> bool {
        self.holds(agent).is_empty() && self.interrupted_at(agent).is_empty()
    }

    /// Visits of a queue that were not answered yet.
    pub fn unanswered(&self, queue: QueueKey) -> usize {
        let counts =
            |item: &&Item| item.queue() == queue && item.state.is_unanswered() && !item.visit_answered;
        self.items.iter().filter(counts).count()
    }
}

pub fn agent_key(agent: usize) -> AgentKey {
    AgentKey(u32::try_from(agent).expect("few agents"))
}

pub fn item_id(item: usize) -> InteractionId {
    InteractionId(item as u64 + 1)
}

pub fn offer_id(ring: usize) -> OfferId {
    OfferId(ring as u64 + 1)
}

pub fn job_id(job: usize) -> AssignmentId {
    AssignmentId(job as u64 + 1)
}
