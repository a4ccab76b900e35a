//! One contact of a customer on a channel, from received to closed.

use super::explain::Decision;
use super::ids::{AgentKey, AssignmentId, InteractionId, LaneKey, OfferId, Sequence, Text};
use super::plan::{Channel, Facts, Plan};
use super::time::Time;
use serde::{Deserialize, Serialize};

/// Where it is. Exactly one at any time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum State {
    Waiting,
    Offered,
    Handling,
    WrappingUp,
    Closed,
    Abandoned,
    Cancelled,
}

impl State {
    /// Every state, in the order of a life.
    pub const ALL: [State; 7] = [
        State::Waiting,
        State::Offered,
        State::Handling,
        State::WrappingUp,
        State::Closed,
        State::Abandoned,
        State::Cancelled,
    ];

    /// True if nothing more happens to it.
    pub fn is_over(self) -> bool {
        matches!(self, State::Closed | State::Abandoned | State::Cancelled)
    }

    /// True until an agent has accepted it, or it left.
    pub fn is_unanswered(self) -> bool {
        matches!(self, State::Waiting | State::Offered)
    }
}

/// A pair that is not tried again for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CoolDown {
    pub agent: AgentKey,
    /// How often this agent declined this interaction.
    pub declines: u32,
    pub until: Time,
}

/// A decision about it, with its place in the journal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decided {
    pub sequence: Sequence,
    pub time: Time,
    /// The agent it was offered to.
    pub agent: Option<AgentKey>,
    pub decision: Decision,
}

/// Of the decisions about one interaction, the newest so many stay in memory; older ones are in the journal.
pub const DECISIONS_KEPT_MAX: usize = 16;

/// Everything the engine knows about one interaction. Nothing personal.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Interaction {
    pub id: InteractionId,
    pub source: Text,
    pub external_id: Text,
    pub channel: Channel,
    pub facts: Facts,
    pub plan: Plan,
    pub state: State,
    /// The lane it waits in, or would go back to.
    pub lane: LaneKey,
    /// First entry. Its place in the line; it never changes.
    pub entered: Time,
    /// First accept.
    pub answered: Option<Time>,
    /// When it was over.
    pub over: Option<Time>,
    /// `Some` exactly while `Offered`.
    pub offer: Option<OfferId>,
    /// `Some` exactly while `Handling` or `WrappingUp`.
    pub assignment: Option<AssignmentId>,
    /// The last agent it was assigned to.
    pub agent: Option<AgentKey>,
    /// Times it went back to its place.
    pub requeues: u32,
    pub cool_downs: Vec<CoolDown>,
    pub decisions: Vec<Decided>,
    pub disposition: Text,
}

impl Interaction {
    /// How long it waited: until the first accept, until it left, or until now. Milliseconds.
    pub fn wait_ms(&self, now: Time) -> u64 {
        self.answered.or(self.over).unwrap_or(now).since(self.entered)
    }

    /// True if this agent declined it a short while ago.
    pub fn cools_down_for(&self, agent: AgentKey, now: Time) -> bool {
        self.cool_downs.iter().any(|pair| pair.agent == agent && pair.until > now)
    }

    pub(super) fn remember(&mut self, decided: Decided) {
        if self.decisions.len() == DECISIONS_KEPT_MAX {
            self.decisions.remove(0);
        }
        self.decisions.push(decided);
    }
}
