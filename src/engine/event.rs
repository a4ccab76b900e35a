//! What happened. The only thing that changes state, the journal, the feed of every consumer and the input of
//! back-tests. The journal's format is the order of the variants and fields: new ones go to the end.

use super::agent::Presence;
use super::explain::Decision;
use super::floor::{Definition, Kind};
use super::ids::{AgentKey, AssignmentId, CustomerId, InteractionId, OfferId, Sequence, SessionId, Text};
use super::plan::{Channel, Facts, Plan};
use super::time::Time;
use serde::{Deserialize, Serialize};

/// An event with its number and time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stamped {
    pub sequence: Sequence,
    pub time: Time,
    pub event: Event,
}

/// An interaction as it came in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Admitted {
    pub interaction: InteractionId,
    pub keys: [Option<u128>; 2],
    pub content: u128,
    pub source: Text,
    pub external_id: Text,
    pub channel: Channel,
    pub facts: Facts,
    pub plan: Plan,
}

/// Why the engine took an offer back. Never held against the agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum RescindCause {
    CustomerLeft,
    Withdrawn,
    /// The agent went on break or signed out.
    AgentUnavailable,
    SessionLost,
    EngineRestart,
    SourceLost,
}

/// How an offer ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Ending {
    Accepted,
    Declined,
    Expired,
    Rescinded,
}

/// Why a customer counts as gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AbandonCause {
    CustomerLeft,
    /// The source's session was lost and its grace has passed.
    SourceLost,
}

/// Who ended a conversation or a wrap-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum EndedBy {
    Agent,
    Customer,
    Source,
    Clock,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Event {
    /// We were gone from `down_from` to `down_to`.
    Restarted {
        down_from: Time,
        down_to: Time,
    },
    Defined {
        key: u32,
        name: Text,
        definition: Definition,
    },
    Removed {
        kind: Kind,
        key: u32,
    },
    SessionOpened {
        agent: AgentKey,
        session: SessionId,
    },
    SessionLost {
        agent: AgentKey,
    },
    PresenceChanged {
        agent: AgentKey,
        presence: Presence,
        reason: Text,
    },
    /// Wanted, but work is in hand: it takes effect when that ends.
    PresencePending {
        agent: AgentKey,
        presence: Presence,
        reason: Text,
    },
    /// An agent who let an offer expire is back.
    Responding {
        agent: AgentKey,
    },
    Admitted(Box<Admitted>),
    /// It looked for an agent, and nobody could take it.
    Waits {
        interaction: InteractionId,
        decision: Decision,
    },
    Offered {
        offer: OfferId,
        interaction: InteractionId,
        agent: AgentKey,
        units: u16,
        expires: Time,
        decision: Decision,
    },
    Accepted {
        offer: OfferId,
        assignment: AssignmentId,
    },
    Declined {
        offer: OfferId,
        reason: Text,
        cools_down_until: Time,
    },
    Expired {
        offer: OfferId,
        not_responding: bool,
    },
    Rescinded {
        offer: OfferId,
        cause: RescindCause,
    },
    CooledDown {
        interaction: InteractionId,
        agent: AgentKey,
    },
    /// The conversation is over. Without wrap-up the assignment is over too.
    ConversationEnded {
        assignment: AssignmentId,
        by: EndedBy,
        disposition: Text,
        wrap_up_until: Option<Time>,
    },
    WrapUpEnded {
        assignment: AssignmentId,
        by: EndedBy,
    },
    Abandoned {
        interaction: InteractionId,
        cause: AbandonCause,
    },
    Cancelled {
        interaction: InteractionId,
    },
    Closed {
        interaction: InteractionId,
    },
    SourceOpened {
        source: Text,
    },
    SourceLost {
        source: Text,
    },
    /// The agent was lost and did not come back in time: the interaction is back in line at its old place.
    AssignmentLost {
        assignment: AssignmentId,
    },
    /// Who it is was learned after the admission.
    Identified {
        interaction: InteractionId,
        customer: CustomerId,
    },
}
