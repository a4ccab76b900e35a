//! What an agent is told of what happened: one notice for an event, with copies of what it is about as they are when
//! the batch is over.

use super::backlog::{After, Position};
use super::follow::About;
use super::payload::Said;
use super::view::{self, AgentView, InteractionView};
use crate::engine::event::{EndedBy, Ending, Event, RescindCause};
use crate::engine::ids::{AssignmentId, InteractionId, OfferId};
use crate::engine::offer::Offer;
use crate::engine::outcome::Assignment;
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use std::sync::Arc;

/// A notice with where it stands among all that its agent is told.
#[derive(Clone, Debug)]
pub struct AgentNotice {
    pub position: Position,
    pub time: Time,
    pub notice: Notice,
}

/// What an agent is told.
#[derive(Clone, Debug)]
pub enum Notice {
    Snapshot {
        view: Box<AgentView>,
        /// The agent wanted to go on from a cursor, and not all that came after it is kept.
        gap: bool,
    },
    /// What the agent missed since a cursor.
    Resumed(Box<Resumed>),
    Offered {
        offer: Offer,
        interaction: Box<InteractionView>,
    },
    /// Was offered while the agent was away, and has ended since.
    OfferedMeanwhile {
        offer: Offer,
        interaction: Box<InteractionView>,
    },
    /// Whose the offered interaction is was learned after the offer left.
    Identified {
        offer: Offer,
        interaction: Box<InteractionView>,
    },
    OfferEnded {
        offer: OfferId,
        interaction: InteractionId,
        ending: Ending,
        cause: Option<RescindCause>,
    },
    /// Began, went into wrap-up, or something about the conversation changed.
    Assigned {
        assignment: Assignment,
        interaction: Box<InteractionView>,
    },
    AssignmentEnded {
        assignment: AssignmentId,
        interaction: Box<InteractionView>,
        end: End,
    },
    Status(Box<AgentView>),
    /// The customer wrote.
    Wrote {
        interaction: InteractionId,
        said: Arc<Said>,
        /// The customer was erased: the words reach who serves them, and are kept nowhere.
        erased: bool,
    },
    /// Another stream of the same agent took over; this one ends.
    TakenOver,
    /// The session was lost, and the stream ends with it.
    SessionLost,
}

/// Where an agent went on, and what they had missed.
#[derive(Clone, Debug)]
pub struct Resumed {
    pub after: After,
    /// Oldest first, with interactions as they are now.
    pub missed: Vec<AgentNotice>,
    /// The cards of the offers that are still open and were told before, then how the agent is.
    pub now: Vec<AgentNotice>,
}

/// How an agent's part in an interaction ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    By(EndedBy),
    /// It waits for the customer.
    Parked,
    /// The agent put it back in line.
    Requeued,
    /// Agent and customer could not be connected.
    NotConnected,
    AgentLost,
}

/// What the agent of an event is told of it; `None` for nothing but a new status.
pub(super) fn notice(shard: &Shard, event: &Event, about: About) -> Option<Notice> {
    let interaction = about.interaction?;
    let ended =
        |offer: &OfferId, ending, cause| Notice::OfferEnded { offer: *offer, interaction, ending, cause };
    match event {
        Event::Offered { offer, agent, part, overdraw, expires, .. } => {
            let gone = Offer {
                id: *offer,
                interaction,
                agent: *agent,
                part: *part,
                overdraw: *overdraw,
                opened: shard.now(),
                expires: *expires,
            };
            let offer = shard.offer(gone.id).copied().unwrap_or(gone);
            Some(Notice::Offered { offer, interaction: Box::new(view::interaction(shard, interaction)?) })
        }
        Event::Accepted { offer, .. } => Some(ended(offer, Ending::Accepted, None)),
        Event::Declined { offer, .. } => Some(ended(offer, Ending::Declined, None)),
        Event::Expired { offer, .. } => Some(ended(offer, Ending::Expired, None)),
        Event::Rescinded { offer, cause } => Some(ended(offer, Ending::Rescinded, Some(*cause))),
        Event::ConversationEnded { assignment, wrap_up_until: Some(_), .. }
        | Event::Requeued { assignment, wrap_up_until: Some(_), .. }
        | Event::Connected { assignment, .. }
        | Event::Interrupted { assignment }
        | Event::Continued { assignment }
        | Event::WrapUpExtended { assignment, .. }
        | Event::OwnerChanged { assignment, .. }
        | Event::Joined { assignment } => assigned(shard, *assignment),
        Event::Sought(sought) => assigned(shard, sought.by),
        Event::Transferred(transferred) if transferred.wrap_up_until.is_some() => {
            assigned(shard, transferred.assignment)
        }
        event => {
            let (assignment, end) = end(event)?;
            let view = Box::new(view::interaction(shard, interaction)?);
            Some(Notice::AssignmentEnded { assignment, interaction: view, end })
        }
    }
}

/// The assignment that is over with an event.
fn end(event: &Event) -> Option<(AssignmentId, End)> {
    match event {
        Event::ConversationEnded { assignment, by, wrap_up_until: None, .. }
        | Event::WrapUpEnded { assignment, by } => Some((*assignment, End::By(*by))),
        Event::Transferred(transferred) => Some((transferred.assignment, End::By(EndedBy::Transfer))),
        Event::Requeued { assignment, .. } => Some((*assignment, End::Requeued)),
        Event::Parked { assignment } => Some((*assignment, End::Parked)),
        Event::ConnectFailed { assignment, .. } => Some((*assignment, End::NotConnected)),
        Event::AssignmentLost { assignment } => Some((*assignment, End::AgentLost)),
        _ => None,
    }
}

/// Who takes part, who is looked for, whose the customer is: for everybody in the conversation to know.
pub(super) fn concerns_everybody(event: &Event) -> bool {
    matches!(
        event,
        Event::Accepted { .. }
            | Event::ConversationEnded { .. }
            | Event::Sought(_)
            | Event::SeekEnded { .. }
            | Event::OwnerChanged { .. }
            | Event::Joined { .. }
            | Event::AssignmentLost { .. }
            | Event::Identified { .. }
            | Event::AttachedTo(_)
    )
}

/// `None` if the assignment is over already: its end follows.
pub(super) fn assigned(shard: &Shard, assignment: AssignmentId) -> Option<Notice> {
    let (assignment, interaction) = view::assignment(shard, assignment)?;
    Some(Notice::Assigned { assignment, interaction: Box::new(interaction) })
}
