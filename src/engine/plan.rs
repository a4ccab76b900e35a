//! What the rules decided about one interaction. Made at the edge, complete, and never changed here.

use super::ids::{CustomerId, QueueKey, Text};
use super::money::Money;
use super::skill::Requirement;
use super::time::Time;
use serde::{Deserialize, Serialize};

/// How the customer reaches us. The numbers are those of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum Channel {
    Voice = 1,
    Video = 2,
    Chat = 3,
    Message = 4,
    Email = 5,
    Social = 6,
    Task = 7,
}

impl Channel {
    /// Every channel, in the order of their numbers.
    pub const ALL: [Channel; 7] = [
        Channel::Voice,
        Channel::Video,
        Channel::Chat,
        Channel::Message,
        Channel::Email,
        Channel::Social,
        Channel::Task,
    ];

    /// Where tables by channel hold it.
    pub fn index(self) -> usize {
        self as usize - 1
    }

    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Channel::Voice => "voice",
            Channel::Video => "video",
            Channel::Chat => "chat",
            Channel::Message => "message",
            Channel::Email => "email",
            Channel::Social => "social",
            Channel::Task => "task",
        }
    }

    /// How long the work of an agent whose connection was lost waits for that agent, in ms: short where somebody holds
    /// the line, long where the customer expects no answer at once.
    pub fn agent_grace_ms(self) -> u64 {
        match self {
            Channel::Voice | Channel::Video => 20_000,
            Channel::Chat => 60_000,
            Channel::Message | Channel::Social => 3_600_000,
            Channel::Email | Channel::Task => 8 * 3_600_000,
        }
    }

    /// How long a customer on a live channel is kept in line after their source went silent, in ms. `None` for
    /// channels where nobody sits at the other end.
    pub fn source_grace_ms(self) -> Option<u64> {
        match self {
            Channel::Voice | Channel::Video => Some(10_000),
            Channel::Chat => Some(60_000),
            Channel::Message | Channel::Email | Channel::Social | Channel::Task => None,
        }
    }
}

/// The declared facts about an interaction: typed, in clear, nothing personal. A back-test decides again on them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Facts {
    /// What the customer wants, as the source coded it.
    pub intent: Text,
    /// BCP 47.
    pub language: Text,
    /// Points given by the source, -10 to 10.
    pub priority: i16,
    /// Who it is, if that was known in time.
    pub customer: Option<CustomerId>,
    /// When it should be done.
    pub due: Option<Time>,
}

/// What waiting, leaving and a poor answer cost, and when an answer counts as in time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Goals {
    /// Answered within this time counts for the service level.
    pub answer_within_ms: u64,
    /// The share to be answered in time, in parts per million.
    pub service_level_ppm: u32,
    /// Leaving within this time of entry is a short abandon and counted apart.
    pub short_abandon_ms: u64,
    /// Per minute of waiting.
    pub waiting_per_minute: Money,
    /// Per customer who leaves unanswered.
    pub abandon: Money,
    /// Per answer later than `answer_within_ms`.
    pub late: Money,
    /// Per interaction not solved at once.
    pub unresolved: Money,
}

/// What happens when nothing more can be relaxed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LastStep {
    /// Keep waiting.
    Keep,
}

/// The rules' answer, whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The version of the rule set that made it.
    pub rule_set: u32,
    /// The line it waits in.
    pub queue: QueueKey,
    /// What an agent must know, in the order of the skills, each once.
    pub requirements: Vec<Requirement>,
    /// Priority points; one is worth a minute of waiting.
    pub priority: i16,
    /// Counted as if it had waited this long already.
    pub head_start_ms: u64,
    /// What the business wants here.
    pub goals: Goals,
    /// What then.
    pub last_step: LastStep,
}
