//! An interaction as the protocol shows it, with everybody who takes part.

use super::convert::{channel_code, millis, timestamp};
use super::shown::{interaction_state, wait_reason};
use super::tenant::Tenant;
use crate::engine::capacity::Overdraw;
use crate::engine::floor::Floor;
use crate::engine::interaction::{Interaction, Part, Seek, Until};
use crate::engine::outcome::{Assignment, Connection};
use crate::proto;
use crate::runtime::view::InteractionView;

impl Tenant {
    /// An interaction, with its payload while that is at hand.
    pub fn show_interaction(&self, view: &InteractionView) -> proto::Interaction {
        let floor = self.shard.floor();
        let one = &view.interaction;
        let assignment = one.owner.or(one.assignments.first().copied());
        let payload = self.payloads.get(&one.id).map(|held| held.payload.clone()).unwrap_or_default();
        proto::Interaction {
            name: self.name_of("interactions", one.id),
            source: one.source.to_string(),
            external_id: one.external_id.to_string(),
            channel: channel_code(one.channel),
            queue: self.queue_name(one.queue(), &floor),
            requirements: self.requirements(one.requirements(), &floor),
            priority: one.plan.priority.into(),
            intent: one.facts.intent.to_string(),
            language: one.facts.language.to_string(),
            from: payload
                .from
                .as_ref()
                .map(|(kind, value)| proto::Address { kind: i32::from(*kind), value: value.clone() }),
            message: payload.message.clone(),
            attributes: payload.attributes.clone(),
            due_time: one.facts.due.map(timestamp),
            not_before: one.facts.not_before.map(timestamp),
            matter: one.facts.matter.to_string(),
            preferred_agent: self.preferred(one, &floor),
            state: interaction_state(one.state).into(),
            customer: one.facts.customer.map(|id| self.name_of("customers", id)).unwrap_or_default(),
            enter_time: Some(timestamp(one.entered)),
            answer_time: one.answered.map(timestamp),
            close_time: one.over.map(timestamp),
            agent: view.agent.map(|agent| self.agent_name(agent, &floor)).unwrap_or_default(),
            offer: one.offers.first().map(|offer| self.name_of("offers", offer)).unwrap_or_default(),
            assignment: assignment.map(|id| self.name_of("assignments", id)).unwrap_or_default(),
            wait_reason: view.wait_reason.map_or(0, |reason| wait_reason(reason).into()),
            estimate: view.estimate.map(|estimate| proto::Estimate {
                position: estimate.position,
                wait: estimate.wait_ms.map(millis),
            }),
            requeues: one.requeues,
            rule_set_version: one.plan.rule_set,
            disposition: one.disposition.to_string(),
            wait_time: Some(millis(one.wait_ms(view.now))),
            schedule_time: match one.scheduled() {
                Some(Until::At(at)) => Some(timestamp(at)),
                Some(Until::Opening) | None => None,
            },
            wanted_agent: one.wanted.map(|wanted| self.agent_name(wanted.agent, &floor)).unwrap_or_default(),
            wanted_until: one.wanted.map(|wanted| timestamp(wanted.until)),
            relaxation_step: one.step.into(),
            overdue: one.overdue,
            transfers: one.transfers.into(),
            overflows: one.hops.into(),
            callback: one.callback().map(|callback| proto::Callback {
                from_time: Some(timestamp(callback.from)),
                until_time: Some(timestamp(callback.until)),
                attempts: callback.attempts.into(),
            }),
            participants: view.parts.iter().map(|part| self.participant(part, &floor)).collect(),
            seek: one.seek().map(|seek| self.seek(seek, &floor)),
            attached: attached(one),
            refusals: one.declines,
        }
    }

    fn preferred(&self, one: &Interaction, floor: &Floor) -> Option<proto::PreferredAgent> {
        one.plan.preferred.map(|preferred| proto::PreferredAgent {
            agent: self.agent_name(preferred.agent, floor),
            budget: Some(millis(preferred.budget_ms)),
            overdraw: preferred.overdraw,
        })
    }

    fn participant(&self, one: &Assignment, floor: &Floor) -> proto::Participant {
        proto::Participant {
            agent: self.agent_name(one.agent, floor),
            assignment: self.name_of("assignments", one.id),
            part: part(one.part).into(),
            wrapping_up: one.wrap_up_until.is_some(),
            interrupted: one.interrupted,
        }
    }

    fn seek(&self, seek: &Seek, floor: &Floor) -> proto::Seek {
        proto::Seek {
            part: part(seek.part).into(),
            assignment: self.name_of("assignments", seek.by),
            queue: self.queue_name(seek.plan.entry().queue, floor),
            agent: seek.wanted.map(|wanted| self.agent_name(wanted.agent, floor)).unwrap_or_default(),
            start_time: Some(timestamp(seek.since)),
        }
    }

    /// An assignment that is not over.
    pub fn show_assignment(&self, assignment: &Assignment, view: &InteractionView) -> proto::Assignment {
        let state = match assignment.wrap_up_until {
            None => proto::assignment::State::Talking,
            Some(_) => proto::assignment::State::WrapUp,
        };
        proto::Assignment {
            name: self.name_of("assignments", assignment.id),
            interaction: Some(self.show_interaction(view)),
            state: state.into(),
            start_time: Some(timestamp(assignment.started)),
            wrap_up_end_time: assignment.wrap_up_until.map(timestamp),
            ended_by: 0,
            part: part(assignment.part).into(),
            connection: connection(assignment.connection).into(),
            interrupted: assignment.interrupted,
            extensions: assignment.extensions.into(),
        }
    }
}

fn attached(one: &Interaction) -> Vec<proto::AttachedContact> {
    let contacts = one.attached().iter().map(|contact| proto::AttachedContact {
        source: contact.source.to_string(),
        external_id: contact.external_id.to_string(),
        channel: channel_code(contact.channel),
    });
    contacts.collect()
}

/// What an agent is in an interaction.
pub fn part(part: Part) -> proto::Part {
    match part {
        Part::Owner => proto::Part::Owner,
        Part::Consultant => proto::Part::Consultant,
        Part::Member => proto::Part::Member,
    }
}

fn connection(connection: Connection) -> proto::Connection {
    match connection {
        Connection::Pending => proto::Connection::Pending,
        Connection::Made => proto::Connection::Made,
        Connection::Assumed => proto::Connection::Assumed,
    }
}

/// Why an agent was given more than they can take.
pub fn overdraw(overdraw: Option<Overdraw>) -> proto::Overdraw {
    match overdraw {
        None => proto::Overdraw::Unspecified,
        Some(Overdraw::PreferredAgent) => proto::Overdraw::PreferredAgent,
        Some(Overdraw::Supervisor) => proto::Overdraw::Supervisor,
    }
}
