//! A route: one queue as one interaction meets it. Who may serve it there, how that loosens with time, when it
//! goes elsewhere, and what happens in the end.

use super::ids::{GroupKey, QueueKey, Text};
use super::money::Money;
use super::skill::Requirement;
use serde::{Deserialize, Serialize};

/// Most routes a plan may have.
pub const ROUTES_MAX: usize = 16;
/// Most relaxation steps of a route.
pub const RELAXATION_MAX: usize = 16;
/// Handling is expected to take so long unless the rules say otherwise, ms.
pub const EXPECTED_HANDLE_MS: u64 = 180_000;
/// After so many refusals in all the interaction leaves by the exit of its route, unless the rules say otherwise.
pub const DECLINES_MAX_DEFAULT: u16 = 10;

/// One way to qualify: all of the skills, and one of the groups.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Needs {
    /// In the order of the skills, each once.
    pub requirements: Vec<Requirement>,
    /// In order. Empty: agents of any group, or of none.
    pub groups: Vec<GroupKey>,
}

impl Needs {
    /// These skills, whatever the group.
    pub fn skills(requirements: Vec<Requirement>) -> Needs {
        Needs { requirements, groups: Vec::new() }
    }
}

/// A skill that is not required: an agent without it may serve, and is worth so much less.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct BetterWith {
    pub skill: Requirement,
    pub worth: Money,
}

/// Most of them on a route.
pub const BETTER_WITH_MAX: usize = 16;

/// Requirements loosened after waiting.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Relaxation {
    /// Counted from entry to the queue, ms.
    pub after_ms: u64,
    /// From then on whoever meets one of these qualifies.
    pub needs: Vec<Needs>,
}

/// Where an interaction goes when its queue gives up on it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Exit {
    /// It stays in line.
    Keep,
    /// To another queue the plan has a route to.
    Queue(QueueKey),
    /// The customer is called back within so long, ms.
    Callback { within_ms: u64 },
    /// To a place outside: voicemail, another system.
    SendAway { destination: Text },
    /// No more is tried. At the door it is refused.
    Refuse,
}

/// The last step of relaxation: what then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LastStep {
    /// Counted from entry to the queue, ms. Not read with `Keep`.
    pub after_ms: u64,
    pub exit: Exit,
}

impl LastStep {
    /// Keeps waiting.
    pub fn keep() -> LastStep {
        LastStep { after_ms: 0, exit: Exit::Keep }
    }
}

/// What makes a queue overflow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Condition {
    /// So many wait, the one in question not counted.
    Waiting { at_least: u32 },
    /// Somebody has waited so long.
    LongestWait { at_least_ms: u64 },
    /// The one in question would have to wait so long, as far as that can be told.
    EstimatedWait { at_least_ms: u64 },
    /// The queue's service level is lower.
    ServiceLevel { below_ppm: u32 },
    /// No more agents than this are ready for one like it.
    FreeAgents { at_most: u32 },
    /// The queue is closed.
    Closed,
}

/// One rule of overflow: if all of this holds, to the first of those that can take it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Overflow {
    pub when: Vec<Condition>,
    /// Queues the plan has a route to.
    pub to: Vec<QueueKey>,
}

/// One queue as one interaction meets it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Route {
    pub queue: QueueKey,
    /// Whoever meets one of these qualifies. Never empty.
    pub needs: Vec<Needs>,
    /// In the order of the skills, each once.
    pub better_with: Vec<BetterWith>,
    /// In the order of their times.
    pub relaxation: Vec<Relaxation>,
    /// Mandatory: what when nothing more can be relaxed, or too many agents have refused.
    pub last_step: LastStep,
    pub overflow: Vec<Overflow>,
    /// If the queue is closed when it comes. `Keep`: it stands in line when the queue opens.
    pub when_closed: Exit,
    /// If the queue closes while it waits.
    pub at_closing: Exit,
    /// Refusals in all, before it leaves by the exit of the last step.
    pub declines_max: u16,
    /// Having waited so long it is taken before every one that has not, ms. `None`: never.
    pub max_wait_ms: Option<u64>,
    /// Conversation and wrap-up are expected to take so long, ms.
    pub expected_handle_ms: u64,
}

impl Route {
    /// A route without anything special.
    pub fn plain(queue: QueueKey, requirements: Vec<Requirement>) -> Route {
        Route {
            queue,
            needs: vec![Needs::skills(requirements)],
            better_with: Vec::new(),
            relaxation: Vec::new(),
            last_step: LastStep::keep(),
            overflow: Vec::new(),
            when_closed: Exit::Refuse,
            at_closing: Exit::Keep,
            declines_max: DECLINES_MAX_DEFAULT,
            max_wait_ms: None,
            expected_handle_ms: EXPECTED_HANDLE_MS,
        }
    }

    /// Who qualifies after so many steps of relaxation; the last step changes that no more.
    pub fn needs_at(&self, step: u8) -> &[Needs] {
        match usize::from(step).min(self.relaxation.len()).checked_sub(1) {
            None => &self.needs,
            Some(at) => &self.relaxation[at].needs,
        }
    }

    /// The skills it asks for at first.
    pub fn requirements(&self) -> &[Requirement] {
        &self.needs[0].requirements
    }
}
