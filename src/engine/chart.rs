//! The state charts: every way an event moves an interaction, an offer or an agent from one state to another. The
//! code that moves them is `apply`; the lists here say which moves there are, and tests hold both, and the charts for
//! people, to each other.

use super::agent::{Liveness, Presence};
use super::event::{Ending, Event};
use super::interaction::State;

/// An interaction's moves: from, by, to. `None` is before admission.
pub const INTERACTION: &[(Option<State>, &str, State)] = &[
    (None, "Admitted", State::Scheduled),
    (None, "Admitted", State::Waiting),
    (Some(State::Scheduled), "Due", State::Waiting),
    (Some(State::Scheduled), "Cancelled", State::Cancelled),
    (Some(State::Scheduled), "Abandoned", State::Abandoned),
    (Some(State::Waiting), "Offered", State::Offered),
    (Some(State::Waiting), "Held", State::Scheduled),
    (Some(State::Waiting), "CallbackPlanned", State::Scheduled),
    (Some(State::Waiting), "Abandoned", State::Abandoned),
    (Some(State::Waiting), "Cancelled", State::Cancelled),
    (Some(State::Waiting), "TimedOut", State::TimedOut),
    (Some(State::Waiting), "SentAway", State::SentAway),
    (Some(State::Offered), "Accepted", State::Handling),
    (Some(State::Offered), "Declined", State::Waiting),
    (Some(State::Offered), "Expired", State::Waiting),
    (Some(State::Offered), "Rescinded", State::Waiting),
    (Some(State::Handling), "ConversationEnded", State::WrappingUp),
    (Some(State::Handling), "ConnectFailed", State::Waiting),
    (Some(State::Handling), "ConnectFailed", State::Scheduled),
    (Some(State::Handling), "AssignmentLost", State::Waiting),
    (Some(State::Handling), "Requeued", State::Waiting),
    (Some(State::Handling), "Transferred", State::Waiting),
    (Some(State::Handling), "Parked", State::Parked),
    (Some(State::Handling), "Interrupted", State::Parked),
    (Some(State::Handling), "ConversationEnded", State::Parked),
    (Some(State::Handling), "AssignmentLost", State::Parked),
    (Some(State::Parked), "Continued", State::Handling),
    (Some(State::Parked), "Accepted", State::Handling),
    (Some(State::Parked), "Resumed", State::Waiting),
    (Some(State::Parked), "ConversationEnded", State::WrappingUp),
    (Some(State::Parked), "AssignmentLost", State::Waiting),
    (Some(State::Parked), "Closed", State::Closed),
    (Some(State::WrappingUp), "Closed", State::Closed),
];

/// An offer's endings: by, to. Before that it is open.
pub const OFFER: &[(&str, Ending)] = &[
    ("Accepted", Ending::Accepted),
    ("Declined", Ending::Declined),
    ("Expired", Ending::Expired),
    ("Rescinded", Ending::Rescinded),
];

/// An agent's moves of presence: from, by, to.
pub const PRESENCE: &[(Presence, &str, Presence)] = &[
    (Presence::SignedOut, "PresenceChanged", Presence::Available),
    (Presence::SignedOut, "PresenceChanged", Presence::OnBreak),
    (Presence::Available, "PresenceChanged", Presence::OnBreak),
    (Presence::Available, "PresenceChanged", Presence::SignedOut),
    (Presence::OnBreak, "PresenceChanged", Presence::Available),
    (Presence::OnBreak, "PresenceChanged", Presence::SignedOut),
];

/// An agent's moves of liveness: from, by, to.
pub const LIVENESS: &[(Liveness, &str, Liveness)] = &[
    (Liveness::Offline, "SessionOpened", Liveness::Live),
    (Liveness::Lost, "SessionOpened", Liveness::Live),
    (Liveness::Live, "SessionLost", Liveness::Lost),
    (Liveness::Live, "SessionLost", Liveness::Offline),
    (Liveness::Live, "Restarted", Liveness::Lost),
    (Liveness::Live, "Restarted", Liveness::Offline),
    (Liveness::Lost, "PresenceChanged", Liveness::Offline),
];

impl Event {
    /// The name of what happened, as in the code.
    pub fn name(&self) -> &'static str {
        match self {
            Event::Restarted { .. } => "Restarted",
            Event::Defined { .. } => "Defined",
            Event::Removed { .. } => "Removed",
            Event::SessionOpened { .. } => "SessionOpened",
            Event::SessionLost { .. } => "SessionLost",
            Event::PresenceChanged { .. } => "PresenceChanged",
            Event::PresencePending { .. } => "PresencePending",
            Event::Responding { .. } => "Responding",
            Event::Admitted(_) => "Admitted",
            Event::Waits { .. } => "Waits",
            Event::Offered { .. } => "Offered",
            Event::Accepted { .. } => "Accepted",
            Event::Declined { .. } => "Declined",
            Event::Expired { .. } => "Expired",
            Event::Rescinded { .. } => "Rescinded",
            Event::CooledDown { .. } => "CooledDown",
            Event::ConversationEnded { .. } => "ConversationEnded",
            Event::WrapUpEnded { .. } => "WrapUpEnded",
            Event::Abandoned { .. } => "Abandoned",
            Event::Cancelled { .. } => "Cancelled",
            Event::Closed { .. } => "Closed",
            Event::SourceOpened { .. } => "SourceOpened",
            Event::SourceLost { .. } => "SourceLost",
            Event::AssignmentLost { .. } => "AssignmentLost",
            Event::Identified { .. } => "Identified",
            Event::HoursTurned { .. } => "HoursTurned",
            Event::SkillExpired { .. } => "SkillExpired",
            Event::Due { .. } => "Due",
            Event::Held { .. } => "Held",
            Event::Relaxed { .. } => "Relaxed",
            Event::Overdue { .. } => "Overdue",
            Event::PreferenceEnded { .. } => "PreferenceEnded",
            Event::Overflowed { .. } => "Overflowed",
            Event::SentAway { .. } => "SentAway",
            Event::TimedOut { .. } => "TimedOut",
            Event::Connected { .. } => "Connected",
            Event::ConnectFailed { .. } => "ConnectFailed",
            Event::Transferred(_) => "Transferred",
            Event::Sought(_) => "Sought",
            Event::SeekEnded { .. } => "SeekEnded",
            Event::OwnerChanged { .. } => "OwnerChanged",
            Event::Joined { .. } => "Joined",
            Event::Parked { .. } => "Parked",
            Event::Resumed { .. } => "Resumed",
            Event::Interrupted { .. } => "Interrupted",
            Event::Continued { .. } => "Continued",
            Event::Requeued { .. } => "Requeued",
            Event::WrapUpExtended { .. } => "WrapUpExtended",
            Event::CallbackPlanned { .. } => "CallbackPlanned",
            Event::WindowMissed { .. } => "WindowMissed",
            Event::AttachedTo(_) => "AttachedTo",
            Event::Reprioritised { .. } => "Reprioritised",
            Event::ParametersSet(_) => "ParametersSet",
            Event::ArmTurned { .. } => "ArmTurned",
            Event::Assigned { .. } => "Assigned",
            Event::Wrote { .. } => "Wrote",
            Event::Replanned(_) => "Replanned",
        }
    }
}
