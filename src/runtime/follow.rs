//! Which interaction and agent an offer or assignment belongs to, learned as the events go by. Events name only
//! what they are about; whoever tells others about them needs the rest, also after the shard has forgotten it.

use crate::engine::event::Event;
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId};
use crate::engine::interaction::Part;
use crate::engine::named::Named;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// What an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct About {
    pub interaction: Option<InteractionId>,
    pub agent: Option<AgentKey>,
    /// What the agent is, or would be, in the interaction.
    pub part: Option<Part>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Role {
    interaction: InteractionId,
    agent: AgentKey,
    part: Part,
}

impl From<Role> for About {
    fn from(role: Role) -> About {
        About { interaction: Some(role.interaction), agent: Some(role.agent), part: Some(role.part) }
    }
}

/// The offers and assignments that are not over.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Follow {
    offers: HashMap<OfferId, Role>,
    assignments: HashMap<AssignmentId, Role>,
}

impl Follow {
    /// What an event is about. To be told every event once, in order.
    pub fn about(&mut self, event: &Event) -> About {
        match event {
            Event::Offered { offer, interaction, agent, part, .. } => {
                let role = Role { interaction: *interaction, agent: *agent, part: *part };
                self.offers.insert(*offer, role);
                role.into()
            }
            Event::Accepted { offer, assignment, .. } => {
                let role = self.offers.remove(offer);
                if let Some(role) = role {
                    self.assignments.insert(*assignment, role);
                }
                role.map(About::from).unwrap_or_default()
            }
            Event::Declined { offer, .. } | Event::Expired { offer, .. } | Event::Rescinded { offer, .. } => {
                self.offers.remove(offer).map(About::from).unwrap_or_default()
            }
            other => self.about_assignment(other).unwrap_or_else(|| about_the_rest(other)),
        }
    }

    /// `None` if the event names no assignment.
    fn about_assignment(&mut self, event: &Event) -> Option<About> {
        let (assignment, over) = match event {
            Event::ConversationEnded { assignment, wrap_up_until, .. }
            | Event::Requeued { assignment, wrap_up_until, .. } => (assignment, wrap_up_until.is_none()),
            Event::Transferred(transferred) => (&transferred.assignment, transferred.wrap_up_until.is_none()),
            Event::AssignmentLost { assignment }
            | Event::WrapUpEnded { assignment, .. }
            | Event::ConnectFailed { assignment, .. }
            | Event::Parked { assignment } => (assignment, true),
            Event::Connected { assignment, .. }
            | Event::Interrupted { assignment }
            | Event::Continued { assignment }
            | Event::WrapUpExtended { assignment, .. } => (assignment, false),
            Event::Sought(sought) => (&sought.by, false),
            Event::OwnerChanged { assignment, .. } => {
                self.now_is(*assignment, Part::Owner);
                (assignment, false)
            }
            Event::Joined { assignment } => {
                self.now_is(*assignment, Part::Member);
                (assignment, false)
            }
            _ => return None,
        };
        let role = if over {
            self.assignments.remove(assignment)
        } else {
            self.assignments.get(assignment).copied()
        };
        Some(role.map(About::from).unwrap_or_default())
    }

    fn now_is(&mut self, assignment: AssignmentId, part: Part) {
        if let Some(role) = self.assignments.get_mut(&assignment) {
            role.part = part;
        }
    }
}

fn about_the_rest(event: &Event) -> About {
    match event.names() {
        // Nobody is told that a pair may be tried again.
        Named::Interaction(_) if matches!(event, Event::CooledDown { .. }) => About::default(),
        Named::Interaction(interaction) => About { interaction: Some(interaction), ..About::default() },
        Named::Agent(agent) => About { agent: Some(agent), ..About::default() },
        // Offers and assignments were looked up before.
        Named::Offer(_) | Named::Assignment(_) | Named::Nobody => About::default(),
    }
}

/// The interaction that is over with an event.
pub(super) fn over(event: &Event) -> Option<InteractionId> {
    match event {
        Event::Closed { interaction }
        | Event::Cancelled { interaction, .. }
        | Event::Abandoned { interaction, .. }
        | Event::TimedOut { interaction, .. }
        | Event::SentAway { interaction, .. } => Some(*interaction),
        _ => None,
    }
}
