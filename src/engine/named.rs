//! What an event names: the offer, assignment, interaction or agent it is about. Whoever follows events finds the rest
//! by that, each with what it knows.

use super::event::Event;
use super::ids::{AgentKey, AssignmentId, InteractionId, OfferId};

/// The one thing an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named {
    Offer(OfferId),
    Assignment(AssignmentId),
    Interaction(InteractionId),
    Agent(AgentKey),
    /// The floor, a source, or all.
    Nobody,
}

impl Event {
    /// What it is about.
    pub fn names(&self) -> Named {
        match self {
            Event::Offered { offer, .. }
            | Event::Accepted { offer, .. }
            | Event::Declined { offer, .. }
            | Event::Expired { offer, .. }
            | Event::Rescinded { offer, .. } => Named::Offer(*offer),
            Event::ConversationEnded { assignment, .. }
            | Event::WrapUpEnded { assignment, .. }
            | Event::WrapUpExtended { assignment, .. }
            | Event::AssignmentLost { assignment }
            | Event::Connected { assignment, .. }
            | Event::ConnectFailed { assignment, .. }
            | Event::OwnerChanged { assignment, .. }
            | Event::Joined { assignment }
            | Event::Parked { assignment }
            | Event::Interrupted { assignment }
            | Event::Continued { assignment }
            | Event::Requeued { assignment, .. } => Named::Assignment(*assignment),
            Event::Transferred(transferred) => Named::Assignment(transferred.assignment),
            Event::Admitted(admitted) => Named::Interaction(admitted.interaction),
            Event::Sought(sought) => Named::Interaction(sought.interaction),
            Event::AttachedTo(attached) => Named::Interaction(attached.interaction),
            Event::Replanned(replanned) => Named::Interaction(replanned.interaction),
            Event::Waits { interaction, .. }
            | Event::CooledDown { interaction, .. }
            | Event::Abandoned { interaction, .. }
            | Event::Cancelled { interaction, .. }
            | Event::Closed { interaction }
            | Event::Identified { interaction, .. }
            | Event::Due { interaction }
            | Event::Held { interaction }
            | Event::Relaxed { interaction, .. }
            | Event::Overdue { interaction }
            | Event::PreferenceEnded { interaction, .. }
            | Event::Overflowed { interaction, .. }
            | Event::SentAway { interaction, .. }
            | Event::TimedOut { interaction, .. }
            | Event::SeekEnded { interaction, .. }
            | Event::Resumed { interaction, .. }
            | Event::CallbackPlanned { interaction, .. }
            | Event::WindowMissed { interaction }
            | Event::Reprioritised { interaction, .. }
            | Event::Wrote { interaction }
            | Event::Assigned { interaction, .. } => Named::Interaction(*interaction),
            Event::SessionOpened { agent, .. }
            | Event::SessionLost { agent }
            | Event::PresenceChanged { agent, .. }
            | Event::PresencePending { agent, .. }
            | Event::Responding { agent, .. }
            | Event::SkillExpired { agent, .. } => Named::Agent(*agent),
            Event::Restarted { .. }
            | Event::Defined { .. }
            | Event::Removed { .. }
            | Event::SourceOpened { .. }
            | Event::ParametersSet(_)
            | Event::ArmTurned { .. }
            | Event::SourceLost { .. }
            | Event::HoursTurned { .. } => Named::Nobody,
        }
    }
}
