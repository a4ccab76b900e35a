//! What may be asked of the engine, and what it answers.

use super::agent::Presence;
use super::circumstances::Circumstances;
use super::event::{ConnectFailure, EndedBy};
use super::explain::Exclusion;
use super::floor::{Definition, Kind};
use super::ids::{AgentKey, AssignmentId, CustomerId, InteractionId, OfferId, SessionId, Text};
use super::interaction::State;
use super::journey::Journey;
use super::learned::Parameters;
use super::plan::{Channel, Facts, Plan};
use super::time::Time;
use std::sync::Arc;
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
    pub plan: Arc<Plan>,
}

/// Why an interaction is taken out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
    /// Hung up, closed the page.
    CustomerLeft,
    /// Taken back by its source.
    Withdrawn,
}

/// To whom a conversation is handed, or who is asked to help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// Whoever the plan finds; if `agent` is given, that agent alone.
    Line { plan: Arc<Plan>, agent: Option<AgentKey> },
    /// An agent who is being consulted already.
    Consulted(AssignmentId),
}

/// How a conversation is handed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handover {
    /// The first agent leaves at once; the customer waits in line, at the old place.
    Blind,
    /// The first agent stays until the second has accepted.
    Warm,
}

/// When a customer is to be called back. A moment that is past means now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    pub from: Time,
    pub until: Time,
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
        by: EndedBy,
    },
    Submit(Box<Submit>),
    /// The customer store answered too late for the admission.
    Identify {
        interaction: InteractionId,
        customer: CustomerId,
        /// What is known of them, if that came along, or came later still.
        journey: Option<Arc<Journey>>,
    },
    /// The rules are asked again: other facts are known, or other rules are published.
    Replan {
        interaction: InteractionId,
        plan: Arc<Plan>,
        /// The revision of the plan it takes the place of (`Interaction::plan_revision`).
        replaces: u32,
        /// What it was made in.
        circumstances: Option<Arc<Circumstances>>,
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
        /// Whether the matter is solved, if the agent says so.
        solved: Option<bool>,
    },
    FinishWrapUp {
        assignment: AssignmentId,
        by: EndedBy,
    },
    ExtendWrapUp {
        assignment: AssignmentId,
    },
    /// The platform has connected agent and customer.
    Connected {
        interaction: InteractionId,
    },
    ConnectFailed {
        interaction: InteractionId,
        cause: ConnectFailure,
    },
    Transfer {
        assignment: AssignmentId,
        target: Target,
        handover: Handover,
    },
    /// Asks for another agent's advice.
    Consult {
        assignment: AssignmentId,
        target: Target,
    },
    /// Adds another agent to the conversation.
    Conference {
        assignment: AssignmentId,
        target: Target,
    },
    /// No second agent is wanted any more.
    StopSeeking {
        assignment: AssignmentId,
    },
    /// Nothing to do until the customer writes.
    Park {
        assignment: AssignmentId,
    },
    /// The customer wrote.
    Resume {
        interaction: InteractionId,
    },
    /// The same, with what they wrote beside the command.
    Wrote {
        interaction: InteractionId,
    },
    /// Back in line, at the old place.
    Requeue {
        assignment: AssignmentId,
    },
    /// An agent takes an interaction from the line, or one that is parked.
    Pull {
        agent: AgentKey,
        interaction: InteractionId,
    },
    RequestCallback {
        interaction: InteractionId,
        channel: Channel,
        window: Window,
    },
    /// A supervisor gives an interaction to an agent.
    Assign {
        interaction: InteractionId,
        agent: AgentKey,
        /// Also beyond the agent's capacity.
        overdraw: bool,
    },
    /// A supervisor changes an interaction's priority points.
    Reprioritise {
        interaction: InteractionId,
        priority: i16,
    },
    /// What was learned of the floor.
    SetParameters(Box<Parameters>),
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
    /// It joined an interaction of the same customer about the same matter.
    Attached {
        interaction: InteractionId,
    },
    Accepted {
        assignment: AssignmentId,
        interaction: InteractionId,
    },
    /// Which interaction the promise belongs to: an earlier one about the same matter keeps it.
    CallbackPlanned {
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
    #[error(
        "the plan was made to replace revision {replaces}, and the plan is at {current}: it was offered or planned again meanwhile"
    )]
    PlanOvertaken { replaces: u32, current: u32 },
    #[error("no such agent")]
    AgentUnknown,
    #[error("the session is not the current one: open a new one")]
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
    #[error("another agent was faster")]
    OfferTaken,
    #[error("no such assignment")]
    AssignmentUnknown,
    #[error("the conversation has ended already")]
    AssignmentEnded,
    #[error("the assignment is not in wrap-up")]
    NotWrappingUp,
    #[error("the queue is closed")]
    QueueClosed { queue: Text },
    #[error(
        "the wrap-up is mandatory and lasts until {until_ms} (ms since 1970): only a supervisor ends it early"
    )]
    WrapUpMandatory { until_ms: u64 },
    #[error("the wrap-up has been extended {max} times, as often as allowed")]
    NoExtensionLeft { max: u8 },
    #[error("the interaction is {}: this is possible only while {wanted}", state.word())]
    WrongState { state: State, wanted: &'static str },
    #[error("agent and customer are connected already")]
    ConnectedAlready,
    #[error("the assignment is not the owner's: only who serves the customer may do this")]
    NotOwner,
    #[error("the interaction was handed on {max} times, as often as allowed")]
    TransferLimit { max: u16 },
    #[error("a second agent is being looked for already: take that back first")]
    SeekingAlready,
    #[error("no second agent is being looked for")]
    NotSeeking,
    #[error("the assignment is not that of an agent being consulted in this conversation")]
    NotConsulted,
    #[error("only messages, chats, emails, social contacts and tasks can be parked, not {}", channel.word())]
    NotParkable { channel: Channel },
    #[error("the queue does not let agents take work themselves")]
    PullNotAllowed,
    #[error("the agent cannot take it: {}", exclusion.word())]
    AgentCannot { exclusion: Exclusion },
    #[error(
        "the window ends at {until_ms}, which is not after its beginning {from_ms} and after now {now_ms} (ms since 1970)"
    )]
    WindowInvalid { from_ms: u64, until_ms: u64, now_ms: u64 },
    #[error("priority {got}: want -10 to 10")]
    PriorityOutOfRange { got: i16 },
    #[error("the time zone {name:?} is not known: want an IANA name such as Europe/Madrid")]
    TimeZoneUnknown { name: Text },
    #[error(
        "the parameters are of version {got}, and those of version {current} are in force: want a higher one"
    )]
    ParametersOld { got: u64, current: u64 },
    #[error("parameter {field} is {got}: out of range")]
    ParameterOutOfRange { field: &'static str, got: u64 },
    /// Told by whoever gives commands to the engine, never by the engine.
    #[error(
        "a request like this one broke an assumption of the server before, which ended; it is set aside as {id} until an operator releases it"
    )]
    Poisoned { id: Text },
    #[error("{time_ms} lies before the engine's time {now_ms} (ms since 1970)")]
    TimeRunsBack { time_ms: u64, now_ms: u64 },
}

impl Refusal {
    /// A deadline that lies in the past.
    pub fn due_past(due: Time, now: Time) -> Refusal {
        Refusal::DuePast { due_ms: due.0, now_ms: now.0 }
    }
}
