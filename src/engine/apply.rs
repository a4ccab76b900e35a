//! `Shard::apply`: the only way state changes, live and in recovery. One exhaustive match; the stages hold what
//! each event does.

use super::connect::Failed;
use super::event::{Event, Stamped};
use super::offer::Offer;
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
            Event::PresenceChanged { agent, presence, reason, .. } => {
                self.presence_changed(*agent, *presence, reason)
            }
            Event::PresencePending { agent, presence, reason, by } => {
                self.presence_pending(*agent, *presence, reason, *by)
            }
            Event::Responding { agent, .. } => self.responding(*agent),
            Event::Admitted(admitted) => self.admitted(admitted),
            Event::Waits { interaction, decision } => self.decided(*interaction, None, decision),
            Event::Offered { offer, interaction, agent, part, units, overdraw, expires, decision } => {
                self.decided(*interaction, Some(*agent), decision);
                let offer = Offer {
                    id: *offer,
                    interaction: *interaction,
                    agent: *agent,
                    part: *part,
                    overdraw: *overdraw,
                    opened: self.now,
                    expires: *expires,
                };
                self.offered(offer, *units);
            }
            Event::Accepted { offer, assignment, connect_until } => {
                self.accepted(*offer, *assignment, *connect_until)
            }
            Event::Declined { offer, cools_down_until, .. } => self.declined(*offer, *cools_down_until),
            Event::Expired { offer, not_responding, recovers } => {
                self.expired(*offer, *not_responding, *recovers)
            }
            Event::Rescinded { offer, cause } => self.rescinded(*offer, *cause),
            Event::CooledDown { interaction, agent } => self.cool_down_ended(*interaction, *agent),
            Event::ConversationEnded { assignment, disposition, wrap_up_until, .. } => {
                self.conversation_ended(*assignment, disposition, *wrap_up_until);
            }
            Event::WrapUpEnded { assignment, .. } => self.wrap_up_ended(*assignment),
            Event::Abandoned { interaction, .. } => self.abandoned(*interaction),
            Event::Cancelled { interaction, .. } => self.cancelled(*interaction),
            Event::Closed { interaction } => self.closed(*interaction),
            Event::SourceOpened { source } => self.source_opened(source),
            Event::SourceLost { source } => self.source_lost(source),
            Event::AssignmentLost { assignment } => self.assignment_lost(*assignment),
            Event::Identified { interaction, customer, journey } => {
                self.identified(*interaction, *customer, journey.as_ref());
            }
            Event::HoursTurned { hours, phase } => self.hours_turned(*hours, *phase),
            Event::SkillExpired { agent, skill } => self.skill_ran_out(*agent, *skill),
            Event::Due { interaction } => self.became_due(*interaction),
            Event::Held { interaction } => self.held_until_opening(*interaction),
            Event::Relaxed { interaction, step } => self.relaxed(*interaction, *step),
            Event::Overdue { interaction } => self.became_overdue(*interaction),
            Event::PreferenceEnded { interaction, .. } => self.preference_ended(*interaction),
            Event::Overflowed { interaction, to, .. } => self.overflowed(*interaction, *to),
            Event::SentAway { interaction, .. } => self.sent_away(*interaction),
            Event::TimedOut { interaction, .. } => self.timed_out(*interaction),
            Event::Connected { assignment, assumed } => self.connection_made(*assignment, *assumed),
            Event::ConnectFailed {
                assignment, cools_down_until, not_responding, recovers, retry, ..
            } => self.connection_failed(Failed {
                assignment: *assignment,
                cools_down_until: *cools_down_until,
                not_responding: *not_responding,
                recovers: *recovers,
                retry: *retry,
            }),
            Event::Transferred(transferred) => self.transferred(transferred),
            Event::Sought(sought) => self.sought(sought),
            Event::SeekEnded { interaction, .. } => self.forget_seek(*interaction),
            Event::OwnerChanged { interaction, assignment } => self.owner_changed(*interaction, *assignment),
            Event::Joined { assignment } => self.joined(*assignment),
            Event::Parked { assignment } => self.parked(*assignment),
            Event::Resumed { interaction, wanted } => self.resumed(*interaction, *wanted),
            Event::Interrupted { assignment } => self.interrupted(*assignment),
            Event::Continued { assignment } => self.continued(*assignment),
            Event::Requeued { assignment, wrap_up_until, cools_down_until } => {
                self.requeued(*assignment, *wrap_up_until, *cools_down_until)
            }
            Event::WrapUpExtended { assignment, until } => self.wrap_up_extended(*assignment, *until),
            Event::CallbackPlanned { interaction, channel, from, until, .. } => {
                self.callback_planned(*interaction, *channel, *from, *until)
            }
            Event::WindowMissed { interaction } => self.missed_window(*interaction),
            Event::AttachedTo(attached) => self.attached_to(attached),
            Event::Reprioritised { interaction, priority } => self.reprioritised(*interaction, *priority),
            Event::Assigned { interaction, wanted } => self.assigned(*interaction, *wanted),
            Event::Replanned(replanned) => self.replanned(replanned),
            Event::ArmTurned { pool, arm } => self.arm_turned(*pool, *arm),
            Event::ParametersSet(parameters) => self.parameters_set(parameters),
            // Nothing changes: what was written is none of the engine's business.
            Event::Wrote { .. } => {}
        }
    }
}
