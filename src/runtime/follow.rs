//! Which interaction and agent an offer or assignment belongs to, learned as the events go by. Events name only
//! what they are about; whoever tells others about them needs the rest, also after the shard has forgotten it.

use crate::engine::event::Event;
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId};
use hashbrown::HashMap;

/// What an event is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct About {
    pub interaction: Option<InteractionId>,
    pub agent: Option<AgentKey>,
}

/// The offers and assignments that are not over.
#[derive(Debug, Default)]
pub struct Follow {
    offers: HashMap<OfferId, (InteractionId, AgentKey)>,
    assignments: HashMap<AssignmentId, (InteractionId, AgentKey)>,
}

impl Follow {
    /// What an event is about. To be told every event once, in order.
    pub fn about(&mut self, event: &Event) -> About {
        match event {
            Event::Offered { offer, interaction, agent, .. } => {
                self.offers.insert(*offer, (*interaction, *agent));
                both((*interaction, *agent))
            }
            Event::Accepted { offer, assignment } => {
                let pair = self.offers.remove(offer);
                if let Some(pair) = pair {
                    self.assignments.insert(*assignment, pair);
                }
                pair.map(both).unwrap_or_default()
            }
            Event::Declined { offer, .. } | Event::Expired { offer, .. } | Event::Rescinded { offer, .. } => {
                self.offers.remove(offer).map(both).unwrap_or_default()
            }
            Event::ConversationEnded { assignment, wrap_up_until: Some(_), .. } => {
                self.assignments.get(assignment).copied().map(both).unwrap_or_default()
            }
            Event::ConversationEnded { assignment, wrap_up_until: None, .. }
            | Event::AssignmentLost { assignment }
            | Event::WrapUpEnded { assignment, .. } => {
                self.assignments.remove(assignment).map(both).unwrap_or_default()
            }
            Event::Admitted(admitted) => of_interaction(admitted.interaction),
            Event::Waits { interaction, .. }
            | Event::Abandoned { interaction, .. }
            | Event::Cancelled { interaction }
            | Event::Identified { interaction, .. }
            | Event::Closed { interaction } => of_interaction(*interaction),
            Event::SessionOpened { agent, .. }
            | Event::SessionLost { agent }
            | Event::PresenceChanged { agent, .. }
            | Event::PresencePending { agent, .. }
            | Event::Responding { agent } => About { interaction: None, agent: Some(*agent) },
            Event::Restarted { .. }
            | Event::Defined { .. }
            | Event::Removed { .. }
            | Event::CooledDown { .. }
            | Event::SourceOpened { .. }
            | Event::SourceLost { .. } => About::default(),
        }
    }
}

fn both((interaction, agent): (InteractionId, AgentKey)) -> About {
    About { interaction: Some(interaction), agent: Some(agent) }
}

fn of_interaction(interaction: InteractionId) -> About {
    About { interaction: Some(interaction), agent: None }
}
