//! `Shard::apply`: the only way state changes, live and in recovery. One exhaustive match; the stages hold what
//! each event does.

use super::event::{Event, Stamped};
use super::shard::Shard;

impl Shard {
    /// Makes one event true. Events come in the order of their sequences, without a gap.
    pub fn apply(&mut self, stamped: &Stamped) {
        assert_eq!(stamped.sequence.0, self.sequence.0 + 1, "events are applied in order, each once");
        assert!(stamped.time >= self.now, "events are in the order of their times");
        self.sequence = stamped.sequence;
        self.now = stamped.time;
        match &stamped.event {
            Event::Restarted { down_to, .. } => self.restarted(*down_to),
            Event::Defined { key, name, definition } => self.defined(*key, name, definition),
            Event::Removed { kind, key } => self.removed(*kind, *key),
            Event::SessionOpened { agent, session } => self.session_opened(*agent, *session),
            Event::SessionLost { agent } => self.session_lost(*agent),
            Event::PresenceChanged { agent, presence, reason } => {
                self.presence_changed(*agent, *presence, reason)
            }
            Event::PresencePending { agent, presence, reason } => {
                self.presence_pending(*agent, *presence, reason)
            }
            Event::Responding { agent } => self.responding(*agent),
            Event::Admitted(admitted) => self.admitted(admitted),
            Event::Waits { interaction, decision } => self.decided(*interaction, None, decision),
            Event::Offered { offer, interaction, agent, units, expires, decision } => {
                self.decided(*interaction, Some(*agent), decision);
                self.offered(*offer, *interaction, *agent, *units, *expires);
            }
            Event::Accepted { offer, assignment } => self.accepted(*offer, *assignment),
            Event::Declined { offer, cools_down_until, .. } => self.declined(*offer, *cools_down_until),
            Event::Expired { offer, not_responding } => self.expired(*offer, *not_responding),
            Event::Rescinded { offer, .. } => self.rescinded(*offer),
            Event::CooledDown { interaction, agent } => self.cool_down_ended(*interaction, *agent),
            Event::ConversationEnded { assignment, disposition, wrap_up_until, .. } => {
                self.conversation_ended(*assignment, disposition, *wrap_up_until);
            }
            Event::WrapUpEnded { assignment, .. } => self.wrap_up_ended(*assignment),
            Event::Abandoned { interaction, .. } => self.abandoned(*interaction),
            Event::Cancelled { interaction } => self.cancelled(*interaction),
            Event::Closed { interaction } => self.closed(*interaction),
            Event::SourceOpened { source } => self.source_opened(source),
            Event::SourceLost { source } => self.source_lost(source),
            Event::AssignmentLost { assignment } => self.assignment_lost(*assignment),
            Event::Identified { interaction, customer } => self.identified(*interaction, *customer),
        }
    }
}
