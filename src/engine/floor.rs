//! What exists: pools, skills, queues and agents, as they were configured. Entries are never taken out, only
//! marked removed: keys stay valid in old events.

use super::capacity::CapacitySpec;
use super::fixed::Part;
use super::hours::HoursSpec;
use super::ids::{GroupKey, HoursKey, PoolKey, QueueKey, Text};
use super::leaves::{Leaves, Names};
use super::policy::PoolSpec;
use super::skill::{Requirement, Skill};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The kinds of things on a floor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Kind {
    Pool,
    Skill,
    Queue,
    Agent,
    Group,
    Hours,
}

impl Kind {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Pool => "pool",
            Kind::Skill => "skill",
            Kind::Queue => "queue",
            Kind::Agent => "agent",
            Kind::Group => "group",
            Kind::Hours => "hours",
        }
    }
}

/// One of them, as configured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Definition {
    Pool(Box<PoolSpec>),
    Skill { display_name: Text },
    Queue(QueueSpec),
    Agent(AgentSpec),
    Group(GroupSpec),
    Hours(HoursSpec),
}

impl Definition {
    /// Which kind it defines.
    pub fn kind(&self) -> Kind {
        match self {
            Definition::Pool(_) => Kind::Pool,
            Definition::Skill { .. } => Kind::Skill,
            Definition::Queue(_) => Kind::Queue,
            Definition::Agent(_) => Kind::Agent,
            Definition::Group(_) => Kind::Group,
            Definition::Hours(_) => Kind::Hours,
        }
    }
}

/// Whether there is work after the conversation, and who may end it early.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum WrapUpMode {
    None,
    /// Until the agent is done, or the time is over.
    Optional,
    /// The whole time; only a supervisor ends it early.
    Mandatory,
}

/// Work after the conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WrapUp {
    pub mode: WrapUpMode,
    pub ms: u64,
    /// Of the capacity the conversation held, so much is held on, 0 to 100.
    pub share_percent: u8,
    /// How often the agent may ask for more time.
    pub extensions_max: u8,
    /// How much more each time, ms.
    pub extension_ms: u64,
}

impl WrapUp {
    /// No work after the conversation.
    pub fn none() -> WrapUp {
        WrapUp { mode: WrapUpMode::None, ms: 0, share_percent: 100, extensions_max: 0, extension_ms: 0 }
    }

    /// So long, or until the agent is done.
    pub fn optional(ms: u64) -> WrapUp {
        WrapUp { mode: WrapUpMode::Optional, ms, ..WrapUp::none() }
    }

    /// So long if there is any.
    pub fn length_ms(self) -> Option<u64> {
        (self.mode != WrapUpMode::None && self.ms > 0).then_some(self.ms)
    }
}

/// What letting an offer expire does to the agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum OnExpiry {
    /// Not responding until the agent says to be back.
    NotResponding,
    Stay,
    /// Not responding for so long, ms, or until the agent says to be back.
    Recover {
        after_ms: u64,
    },
}

/// What becomes of a conversation whose agent is lost and does not come back within the channel's grace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum OnAgentLost {
    /// Back in line, at the old place.
    Requeue,
    /// Stays with the agent.
    Keep,
}

/// A queue as configured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QueueSpec {
    pub display_name: Text,
    pub pool: PoolKey,
    /// What everybody who serves it must know.
    pub requirements: Vec<Requirement>,
    pub offer_expiry_ms: u64,
    pub on_expiry: OnExpiry,
    pub on_agent_lost: OnAgentLost,
    pub wrap_up: WrapUp,
    /// So many agents are asked at once; the first to accept has it. At least 1.
    pub broadcast: u16,
    /// When it is open. `None`: always.
    pub hours: Option<HoursKey>,
    /// Whether agents may take work from the line themselves.
    pub pull: bool,
    /// Most that may be in line at once: scheduled, waiting, or offered and not yet accepted.
    pub waiting_max: u32,
}

/// Seconds an agent has to answer an offer unless the queue says otherwise, ms.
pub const OFFER_EXPIRY_MS: u64 = 15_000;
/// Most that may be in line unless the queue says otherwise.
pub const WAITING_MAX_DEFAULT: u32 = 100_000;

impl QueueSpec {
    /// A queue without anything special.
    pub fn plain(display_name: Text, pool: PoolKey, requirements: Vec<Requirement>) -> QueueSpec {
        QueueSpec {
            display_name,
            pool,
            requirements,
            offer_expiry_ms: OFFER_EXPIRY_MS,
            on_expiry: OnExpiry::NotResponding,
            on_agent_lost: OnAgentLost::Requeue,
            wrap_up: WrapUp::none(),
            broadcast: 1,
            hours: None,
            pull: false,
            waiting_max: WAITING_MAX_DEFAULT,
        }
    }
}

/// A group of agents as configured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupSpec {
    pub display_name: Text,
    /// What its agents can take at once, unless an agent has figures of its own.
    pub capacity: CapacitySpec,
}

/// An agent as configured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgentSpec {
    pub display_name: Text,
    pub pool: PoolKey,
    /// In the order of the skills, each once.
    pub skills: Vec<Skill>,
    pub group: Option<GroupKey>,
    /// What the agent can take at once. `None`: as the group says, or the default.
    pub capacity: Option<CapacitySpec>,
    /// When the agent works; no offer is made that would end too late. `None`: always.
    pub shift: Option<HoursKey>,
    /// A program that talks to customers.
    pub bot: bool,
    /// How this agent does in some queues, in the order of the queues, each once.
    pub estimates: Vec<Estimate>,
    /// Share of the offers this agent answers.
    pub acceptance: Part,
}

/// How an agent does in a queue, as far as is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Estimate {
    pub queue: QueueKey,
    /// Conversation and wrap-up take this agent so long, ms.
    pub handle_ms: u64,
    /// Share of the matters that are solved at once.
    pub resolution: Part,
}

impl AgentSpec {
    /// An agent with these skills and nothing special.
    pub fn plain(display_name: Text, pool: PoolKey, skills: Vec<Skill>) -> AgentSpec {
        AgentSpec {
            display_name,
            pool,
            skills,
            group: None,
            capacity: None,
            shift: None,
            bot: false,
            estimates: Vec::new(),
            acceptance: Part::ONE,
        }
    }
}

/// One entry of a floor table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry<T> {
    pub name: Text,
    pub spec: T,
    /// The event that last changed it; what people see as `etag`.
    pub revision: u64,
    pub removed: bool,
}

/// Entries by key, findable by name. A copy shares nearly all of it with the one it was made of.
#[derive(Clone, Debug)]
pub struct Table<T> {
    entries: Leaves<Entry<T>>,
    names: Names,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { entries: Leaves::default(), names: Names::default() }
    }
}

impl<T> Table<T> {
    /// The key of a name that is in use.
    pub fn key(&self, name: &str) -> Option<u32> {
        self.names.get(name)
    }

    /// The key the next new entry gets.
    pub fn next_key(&self) -> u32 {
        u32::try_from(self.entries.len()).expect("tables are limited far below this")
    }

    /// The entry of a key, also a removed one.
    pub fn get(&self, key: u32) -> Option<&Entry<T>> {
        self.entries.get(key as usize)
    }

    /// The entry of a key if it has not been removed.
    pub fn live(&self, key: u32) -> Option<&Entry<T>> {
        self.get(key).filter(|entry| !entry.removed)
    }

    /// All that are in use, in the order of their names, with their keys.
    pub fn by_name(&self) -> impl Iterator<Item = (u32, &Entry<T>)> {
        self.names.keys().filter_map(|key| Some((key, self.get(key)?)))
    }

    /// All ever defined, in the order of their keys.
    pub fn entries(&self) -> &Leaves<Entry<T>> {
        &self.entries
    }

    /// How many are in use.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True if none is in use.
    pub fn is_empty(&self) -> bool {
        self.names.len() == 0
    }
}

impl<T: Clone> Table<T> {
    pub(super) fn put(&mut self, key: u32, entry: Entry<T>) {
        self.names.insert(entry.name.clone(), key);
        match self.entries.get_mut(key as usize) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// Changes an entry in place; people see another `etag`.
    pub(super) fn change(&mut self, key: u32, revision: u64, change: impl FnOnce(&mut T)) {
        let entry = self.entry_mut(key);
        entry.revision = revision;
        change(&mut entry.spec);
    }

    pub(super) fn remove(&mut self, key: u32) {
        let entry = self.entry_mut(key);
        entry.removed = true;
        let name = entry.name.clone();
        self.names.remove(&name);
    }

    fn entry_mut(&mut self, key: u32) -> &mut Entry<T> {
        self.entries.get_mut(key as usize).expect("an event names what was defined")
    }
}

impl Floor {
    /// The pool a queue is decided in.
    pub fn pool_of(&self, queue: QueueKey) -> PoolKey {
        self.queues.get(u32::from(queue.0)).expect("a planned queue was defined").spec.pool
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.entries.serialize(serializer)
    }
}

impl<'de, T: Clone + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Table<T>, D::Error> {
        let (entries, mut names) = (Leaves::<Entry<T>>::deserialize(deserializer)?, Names::default());
        let live = (0..).zip(entries.iter()).filter(|(_, entry)| !entry.removed);
        live.for_each(|(key, entry)| names.insert(entry.name.clone(), key));
        Ok(Table { entries, names })
    }
}

/// The tables.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Floor {
    pub pools: Table<PoolSpec>,
    pub skills: Table<Text>,
    pub queues: Table<QueueSpec>,
    pub agents: Table<AgentSpec>,
    pub groups: Table<GroupSpec>,
    pub hours: Table<HoursSpec>,
}
