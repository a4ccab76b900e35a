//! What may be asked of the engine, and what it answers.

use super::agent::Presence;
use super::floor::{Definition, Kind};
use super::ids::{AgentKey, AssignmentId, CustomerId, InteractionId, OfferId, SessionId, Text};
use super::interaction::State;
use super::plan::{Channel, Facts, Plan};
use super::time::Time;
use thiserror::Error;

/// How a definition meets what is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Write {
    /// The name must be free.
    Create,
    /// The name must be there, at this revision if one is given.
    Update { revision: Option<u64> },
}

/// One interaction handed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Submit {
    /// Under which a repetition is recognised: hashes of (source, external id) and of the request id.
    pub keys: [Option<u128>; 2],
    /// Hash of the request as received: the same keys with another content are refused.
    pub content: u128,
    pub source: Text,
    pub external_id: Text,
    pub channel: Channel,
    pub facts: Facts,
    pub plan: Plan,
}

/// Why an interaction is taken out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
    /// Hung up, closed the page.
    CustomerLeft,
    /// Taken back by its source.
    Withdrawn,
}

/// What may be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Only time passes.
    Tick,
    /// The first command after recovery.
    Restart,
    Define {
        name: Text,
        definition: Definition,
        write: Write,
    },
    Remove {
        kind: Kind,
        name: Text,
        revision: Option<u64>,
    },
    OpenSession {
        agent: AgentKey,
        session: SessionId,
    },
    LoseSession {
        agent: AgentKey,
        session: SessionId,
    },
    SetPresence {
        agent: AgentKey,
        presence: Presence,
        reason: Text,
    },
    Submit(Box<Submit>),
    /// The customer store answered too late for the admission.
    Identify {
        interaction: InteractionId,
        customer: CustomerId,
    },
    Cancel {
        interaction: InteractionId,
        leaving: Leaving,
    },
    Accept {
        offer: OfferId,
    },
    Decline {
        offer: OfferId,
        reason: Text,
    },
    Complete {
        assignment: AssignmentId,
        disposition: Text,
    },
    FinishWrapUp {
        assignment: AssignmentId,
    },
    OpenSource {
        source: Text,
    },
    LoseSource {
        source: Text,
    },
}

/// What an honoured command did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    Done,
    /// The key of what was defined, and its revision.
    Defined {
        key: u32,
        revision: u64,
    },
    Admitted {
        interaction: InteractionId,
        repeated: bool,
    },
    Accepted {
        assignment: AssignmentId,
        interaction: InteractionId,
    },
    /// The state it was found or left in.
    Cancelled {
        state: State,
    },
    /// Whether the session goes on with an earlier one's work.
    SessionOpened {
        resumed: bool,
    },
}

/// Why a command cannot be honoured. It then changed nothing.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Refusal {
    #[error("{} {name:?} does not exist", kind.word())]
    NotDefined { kind: Kind, name: Text },
    #[error("{} {name:?} exists already", kind.word())]
    AlreadyDefined { kind: Kind, name: Text },
    #[error("the etag is {got}, but {} {name:?} is at {current}: read it again", kind.word())]
    EtagMismatch { kind: Kind, name: Text, got: u64, current: u64 },
    #[error("{} {name:?} is in use by {by}", kind.word())]
    InUse { kind: Kind, name: Text, by: Text },
    #[error("there are {max} already, the most there may be of the kind {}", kind.word())]
    TooMany { kind: Kind, max: u32 },
    #[error("an agent's pool can change only while signed out")]
    SignedIn,
    #[error("the id was used before for a request with other content")]
    RequestIdReused,
    #[error("the queue holds {max} unanswered interactions already, its maximum")]
    QueueFull { max: u32 },
    #[error("{max} different combinations of queue, channel and requirements exist, the most there may be")]
    TooManyLanes { max: u32 },
    #[error("{max} request ids are remembered, the most there may be")]
    IntakeMemoryFull { max: u32 },
    #[error("{max} sources are known, the most there may be")]
    TooManySources { max: u32 },
    #[error(
        "the deadline {due_ms} is already past, engine time is {now_ms} (ms since 1970): give a later one"
    )]
    DuePast { due_ms: u64, now_ms: u64 },
    #[error("no such interaction")]
    InteractionUnknown,
    #[error("no such agent")]
    AgentUnknown,
    #[error("the session is not the agent's current one: open a new one")]
    SessionUnknown,
    #[error("no session is open for this agent: open the work stream first")]
    NoSession,
    #[error("no such offer")]
    OfferUnknown,
    #[error("the offer expired before the answer came")]
    OfferExpired,
    #[error("the offer was taken back before the answer came")]
    OfferRescinded,
    #[error("the offer was declined before")]
    OfferDeclined,
    #[error("the offer was accepted before")]
    OfferAccepted,
    #[error("no such assignment")]
    AssignmentUnknown,
    #[error("the conversation has ended already")]
    AssignmentEnded,
    #[error("the assignment is not in wrap-up")]
    NotWrappingUp,
    #[error("{time_ms} lies before the engine's time {now_ms} (ms since 1970)")]
    TimeRunsBack { time_ms: u64, now_ms: u64 },
}

impl Refusal {
    /// A deadline that lies in the past.
    pub fn due_past(due: Time, now: Time) -> Refusal {
        Refusal::DuePast { due_ms: due.0, now_ms: now.0 }
    }
}
