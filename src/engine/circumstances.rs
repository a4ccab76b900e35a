//! What else the rules were told when they made a plan: what the source asked for, the moment, the figures of queues and
//! the hours they read. Carried in with the facts and recorded with them, so that a plan can be made again, and its rules
//! be asked again why they matched. The engine reads none of it.

use super::ids::{AgentKey, QueueKey, Text};
use super::skill::Requirement;
use super::time::Time;
use serde::{Deserialize, Serialize};

/// What a plan was made in.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Circumstances {
    /// When it was planned.
    pub at: Time,
    /// The queue the source named. `None`: it was left to the rules.
    pub queue: Option<QueueKey>,
    /// What the interaction itself asked for.
    pub requirements: Vec<Requirement>,
    pub wish: Option<Wish>,
    /// What the rules declare as a fact and the source gave, by name.
    pub attributes: Vec<(Text, Attribute)>,
    /// Opening hours the rules read, and whether they were open.
    pub hours: Vec<(Text, bool)>,
    /// Queues whose figures the rules read, as of up to a second before.
    pub queues: Vec<(Text, QueueFigures)>,
    /// What was drawn for each split by share, by the name of its rule.
    pub tickets: Vec<(Text, u32)>,
}

impl Circumstances {
    /// What was drawn for the split of a rule, if anything was.
    pub fn ticket(&self, rule: &str) -> Option<u32> {
        self.tickets.iter().find(|(name, _)| **name == *rule).map(|(_, ticket)| *ticket)
    }
}

/// The agent a source wants, and on which terms.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wish {
    pub agent: AgentKey,
    /// So long it waits for that agent alone, ms. `None`: as the rules say.
    pub budget_ms: Option<u64>,
    /// Whether that agent may take it beyond their capacity.
    pub overdraw: bool,
}

/// The value of a fact that rules declare.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Attribute {
    Text(Text),
    Number(i64),
    Truth(bool),
}

/// A queue as rules see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct QueueFigures {
    pub open: bool,
    pub waiting: u32,
    /// Of whoever has waited longest, ms.
    pub longest_wait_ms: u64,
    /// Ready for one that asks for no more than the queue does.
    pub free_agents: u32,
    /// Answered in time, as the books of the queue say, in parts per million.
    pub service_level_ppm: u32,
    /// Of one that came now, ms. `None`: nothing can be said.
    pub estimated_wait_ms: Option<u64>,
}
