//! What exists: pools, skills, queues and agents, as they were configured. Entries are never taken out, only
//! marked removed: keys stay valid in old events.

use super::capacity::ChannelCapacity;
use super::ids::{PoolKey, Text};
use super::skill::{Requirement, Skill};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The four kinds of things on a floor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Kind {
    Pool,
    Skill,
    Queue,
    Agent,
}

impl Kind {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Pool => "pool",
            Kind::Skill => "skill",
            Kind::Queue => "queue",
            Kind::Agent => "agent",
        }
    }
}

/// One of them, as configured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Definition {
    Pool { display_name: Text },
    Skill { display_name: Text },
    Queue(QueueSpec),
    Agent(AgentSpec),
}

impl Definition {
    /// Which kind it defines.
    pub fn kind(&self) -> Kind {
        match self {
            Definition::Pool { .. } => Kind::Pool,
            Definition::Skill { .. } => Kind::Skill,
            Definition::Queue(_) => Kind::Queue,
            Definition::Agent(_) => Kind::Agent,
        }
    }
}

/// Work after the conversation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum WrapUp {
    None,
    /// This long, or until the agent is done.
    Timed {
        ms: u64,
    },
}

/// What letting an offer expire does to the agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum OnExpiry {
    NotResponding,
    Stay,
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
    /// Most that may be in line at once: waiting, or offered and not yet accepted.
    pub waiting_max: u32,
}

/// An agent as configured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgentSpec {
    pub display_name: Text,
    pub pool: PoolKey,
    /// In the order of the skills, each once.
    pub skills: Vec<Skill>,
    /// Units in all.
    pub capacity: u16,
    /// By channel.
    pub channels: [ChannelCapacity; 7],
    /// Offers that may be open to the agent at once.
    pub open_offers_max: u16,
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

/// Entries by key, findable by name.
#[derive(Clone, Debug)]
pub struct Table<T> {
    entries: Vec<Entry<T>>,
    names: BTreeMap<Text, u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table { entries: Vec::new(), names: BTreeMap::new() }
    }
}

impl<T> Table<T> {
    /// The key of a name that is in use.
    pub fn key(&self, name: &str) -> Option<u32> {
        self.names.get(name).copied()
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
        self.names.values().map(|key| (*key, &self.entries[*key as usize]))
    }

    /// All ever defined, in the order of their keys.
    pub fn entries(&self) -> &[Entry<T>] {
        &self.entries
    }

    /// How many are in use.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True if none is in use.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn put(&mut self, key: u32, entry: Entry<T>) {
        self.names.insert(entry.name.clone(), key);
        match self.entries.get_mut(key as usize) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    pub(super) fn remove(&mut self, key: u32) {
        let entry = &mut self.entries[key as usize];
        entry.removed = true;
        self.names.remove(&entry.name);
    }
}

/// The four tables.
#[derive(Clone, Debug, Default)]
pub struct Floor {
    pub pools: Table<Text>,
    pub skills: Table<Text>,
    pub queues: Table<QueueSpec>,
    pub agents: Table<AgentSpec>,
}
