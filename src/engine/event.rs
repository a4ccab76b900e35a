//! What happened. The only thing that changes state, the journal, the feed of every consumer and the input of
//! back-tests. The journal's format is the order of the variants and fields: new ones go to the end.

use super::agent::Presence;
use super::capacity::Overdraw;
use super::circumstances::Circumstances;
use super::explain::Decision;
use super::floor::{Definition, Kind};
use super::hours::Phase;
use super::ids::{
    AgentKey, AssignmentId, CustomerId, HoursKey, InteractionId, OfferId, PoolKey, QueueKey, Sequence,
    SessionId, SkillKey, Text,
};
use super::interaction::{Attached, Part, Until, Wanted};
use super::journey::Journey;
use super::learned::Parameters;
use super::plan::{Channel, Facts, Plan};
use super::policy::Arm;
use super::time::Time;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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
    pub plan: Arc<Plan>,
    /// The route it comes in on: another than the first after overflow at the door.
    pub route: u8,
    /// Overflows it took to get there.
    pub hops: u8,
    /// `Some`: it does not stand in line yet.
    pub scheduled: Option<Until>,
    /// The one whose place it takes.
    pub replaces: Option<InteractionId>,
    /// The agent it waits for first.
    pub wanted: Option<Wanted>,
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
    /// Another agent was faster.
    TakenByAnother,
    /// A supervisor gave the interaction to somebody, or took it up otherwise.
    Supervisor,
    /// The customer is called back later.
    CallbackRequested,
    /// The customer came again another way, and that contact has the place now.
    Replaced,
    /// Nobody is looked for any more: the conversation that asked for a second agent ended, or took it back.
    NotSoughtAnyMore,
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
    /// An agent had accepted, but the customer was gone when the two were to be connected.
    GoneBeforeConnected,
}

/// Why an interaction was taken out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum CancelCause {
    /// By its source.
    Withdrawn,
    /// Another contact of the customer about the same matter took its place.
    Replaced { by: InteractionId },
    /// The customer had been promised a call about the same matter already.
    Merged { into: InteractionId },
}

/// Who did it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum EndedBy {
    Agent,
    Customer,
    Source,
    Clock,
    Supervisor,
    /// The owner gave the conversation to another agent.
    Transfer,
    /// Nobody was left for whom to stay.
    Engine,
}

/// Why an agent who accepted and the customer were not connected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum ConnectFailure {
    AgentNoAnswer,
    AgentBusy,
    CustomerGone,
    /// A call-back nobody answered.
    CustomerNoAnswer,
    Network,
}

/// Why an interaction left its queue other than by an agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum ExitCause {
    /// The last step of relaxation.
    LastStep,
    TooManyDeclines,
    QueueClosed,
    /// A rule of overflow holds.
    Overflow,
    /// A call-back was tried as often as allowed.
    Unreachable,
}

/// Why an interaction does not wait for one agent any more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum PreferenceEnd {
    BudgetSpent,
    AgentSignedOut,
    /// It has waited beyond its maximum.
    Overdue,
    /// The agent declined it, or did not answer.
    AgentRefused,
}

/// Why no second agent is looked for any more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum SeekEnd {
    TakenBack,
    /// Nobody was found in time.
    TimedOut,
    /// The one agent who was asked declined, did not answer, or signed out.
    AgentRefused,
    /// The conversation ended.
    ConversationEnded,
}

/// A conversation is handed to a queue, or to one agent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Transferred {
    pub assignment: AssignmentId,
    pub plan: Arc<Plan>,
    /// The route it is on now, and the overflows it took to get there.
    pub route: u8,
    pub hops: u8,
    pub wanted: Option<Wanted>,
    pub wrap_up_until: Option<Time>,
    /// Until then the one who gave it away is not asked.
    pub cools_down_until: Time,
}

/// A second agent is looked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sought {
    pub interaction: InteractionId,
    pub by: AssignmentId,
    pub part: Part,
    pub plan: Arc<Plan>,
    pub wanted: Option<Wanted>,
    pub until: Time,
}

/// An interaction is planned again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Replanned {
    pub interaction: InteractionId,
    /// It is on the first route of it.
    pub plan: Arc<Plan>,
    /// Steps of relaxation whose time has passed already.
    pub step: u8,
    /// The agent it waits for first.
    pub wanted: Option<Wanted>,
    /// What the plan was made in.
    pub circumstances: Option<Arc<Circumstances>>,
}

/// Another contact about the same matter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AttachedTo {
    pub interaction: InteractionId,
    pub keys: [Option<u128>; 2],
    pub content: u128,
    pub contact: Attached,
}

/// What happened. Whatever is large is boxed, so that all are small: they are passed on more than once.
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
        definition: Box<Definition>,
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
        by: EndedBy,
    },
    /// Wanted, but work is in hand: it takes effect when that ends.
    PresencePending {
        agent: AgentKey,
        presence: Presence,
        reason: Text,
        by: EndedBy,
    },
    /// An agent who let an offer expire is back.
    Responding {
        agent: AgentKey,
        by: EndedBy,
    },
    Admitted(Box<Admitted>),
    /// It looked for an agent, and nobody could take it.
    Waits {
        interaction: InteractionId,
        decision: Arc<Decision>,
    },
    Offered {
        offer: OfferId,
        interaction: InteractionId,
        agent: AgentKey,
        part: Part,
        units: u16,
        overdraw: Option<Overdraw>,
        expires: Time,
        decision: Arc<Decision>,
    },
    Accepted {
        offer: OfferId,
        assignment: AssignmentId,
        /// Until then the platform is to say whether the two are connected. `None`: they are.
        connect_until: Option<Time>,
    },
    Declined {
        offer: OfferId,
        reason: Text,
        cools_down_until: Time,
    },
    Expired {
        offer: OfferId,
        not_responding: bool,
        /// `Some`: then the agent counts as back.
        recovers: Option<Time>,
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
        /// Whether the matter is solved, if the agent said so.
        solved: Option<bool>,
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
        cause: CancelCause,
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
    /// The agent was lost and did not come back in time. If nobody else serves the customer, the interaction is back
    /// in line at its old place.
    AssignmentLost {
        assignment: AssignmentId,
    },
    /// Who it is was learned after the admission, or what is known of them.
    Identified {
        interaction: InteractionId,
        customer: CustomerId,
        journey: Option<Arc<Journey>>,
    },
    /// Opening hours, or a shift, turned, or a day is over there.
    HoursTurned {
        hours: HoursKey,
        phase: Phase,
    },
    SkillExpired {
        agent: AgentKey,
        skill: SkillKey,
    },
    /// Scheduled work stands in line now.
    Due {
        interaction: InteractionId,
    },
    /// It is not to be served before its queue opens.
    Held {
        interaction: InteractionId,
    },
    /// The next step of relaxation.
    Relaxed {
        interaction: InteractionId,
        step: u8,
    },
    /// It has waited beyond its hard maximum: it is taken before every one that has not.
    Overdue {
        interaction: InteractionId,
    },
    /// It does not wait for one agent any more, but for anybody.
    PreferenceEnded {
        interaction: InteractionId,
        cause: PreferenceEnd,
    },
    /// To another queue, at its place.
    Overflowed {
        interaction: InteractionId,
        to: QueueKey,
        cause: ExitCause,
    },
    /// To a place outside.
    SentAway {
        interaction: InteractionId,
        destination: Text,
        cause: ExitCause,
    },
    /// No more is tried.
    TimedOut {
        interaction: InteractionId,
        cause: ExitCause,
    },
    /// Agent and customer are connected: reported, or assumed since nobody said otherwise in time.
    Connected {
        assignment: AssignmentId,
        assumed: bool,
    },
    /// They are not: the accept is undone.
    ConnectFailed {
        assignment: AssignmentId,
        cause: ConnectFailure,
        /// Until then the agent is not asked for this interaction.
        cools_down_until: Time,
        not_responding: bool,
        recovers: Option<Time>,
        /// `Some`: the customer is called again then.
        retry: Option<Time>,
    },
    Transferred(Box<Transferred>),
    Sought(Box<Sought>),
    SeekEnded {
        interaction: InteractionId,
        cause: SeekEnd,
    },
    /// The customer is another agent's now; the consulted one, or the next in the conference.
    OwnerChanged {
        interaction: InteractionId,
        assignment: AssignmentId,
    },
    /// The consulted agent is in the conversation now.
    Joined {
        assignment: AssignmentId,
    },
    /// Waits for the customer; the agent's capacity is free.
    Parked {
        assignment: AssignmentId,
    },
    /// The customer of a parked interaction wrote: back in line, for the same agent first.
    Resumed {
        interaction: InteractionId,
        wanted: Option<Wanted>,
    },
    /// Gives way to work of a channel that may interrupt it.
    Interrupted {
        assignment: AssignmentId,
    },
    /// Goes on with the same agent.
    Continued {
        assignment: AssignmentId,
    },
    /// The agent puts it back in line, at its place.
    Requeued {
        assignment: AssignmentId,
        wrap_up_until: Option<Time>,
        cools_down_until: Time,
    },
    WrapUpExtended {
        assignment: AssignmentId,
        until: Time,
    },
    /// The customer is called back within a window.
    CallbackPlanned {
        interaction: InteractionId,
        channel: Channel,
        from: Time,
        until: Time,
        /// By the exit of its route rather than the customer.
        by_rule: bool,
    },
    /// The promised window is over, and nobody has called.
    WindowMissed {
        interaction: InteractionId,
    },
    /// Another contact about the same matter joined.
    AttachedTo(Box<AttachedTo>),
    Reprioritised {
        interaction: InteractionId,
        priority: i16,
    },
    /// A supervisor gives it to this agent alone.
    Assigned {
        interaction: InteractionId,
        wanted: Wanted,
    },
    /// In a pool on which another policy is tried, it is the turn of this one.
    ArmTurned {
        pool: PoolKey,
        arm: Arm,
    },
    /// What was learned of the floor is in force.
    ParametersSet(Box<Parameters>),
    /// The customer wrote. What they wrote rides beside the event.
    Wrote {
        interaction: InteractionId,
    },
    /// It has another plan, and its old place.
    Replanned(Box<Replanned>),
}
