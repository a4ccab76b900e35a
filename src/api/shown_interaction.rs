//! An interaction as the protocol shows it, with everybody who takes part.

use super::convert::{channel_code, timestamp};
use super::shown::{interaction_state, wait_reason};
use super::tenant::Tenant;
use super::wire::{Id, Wire};
use crate::engine::capacity::Overdraw;
use crate::engine::floor::Floor;
use crate::engine::ids::{AgentKey, QueueKey};
use crate::engine::interaction::{Interaction, Part, Seek, Until};
use crate::engine::outcome::{Assignment, Connection};
use crate::proto;
use crate::runtime::payload::Payload;
use crate::runtime::view::InteractionView;
use prost::Message;
use prost::bytes::Bytes;

/// About what an interaction takes without its payload.
const ROOM: usize = 512;

impl Tenant {
    /// An interaction, with its payload while that is at hand.
    pub fn show_interaction(&self, view: &InteractionView) -> proto::Interaction {
        let written = self.write_interaction(view);
        proto::Interaction::decode(written).expect("what was written as an interaction reads as one")
    }

    /// The same as it goes over the wire. The fields are those of `Interaction` in `interactions.proto`.
    pub fn write_interaction(&self, view: &InteractionView) -> Bytes {
        let floor = self.shard.floor();
        let one = &*view.interaction;
        let mut wire = Wire::with_room(ROOM);
        self.write_request(&mut wire, one, &floor);
        self.write_state(&mut wire, view, &floor);
        self.write_course(&mut wire, view, &floor);
        wire.finish()
    }

    /// What its source and the rules said.
    fn write_request(&self, wire: &mut Wire, one: &Interaction, floor: &Floor) {
        self.write_number(wire, 1, "interactions", one.id.0);
        wire.text(2, &one.source);
        wire.text(3, &one.external_id);
        wire.code(4, channel_code(one.channel));
        self.write_queue(wire, 5, one.queue(), floor);
        for need in one.requirements() {
            let Some(skill) = floor.skills.get(u32::from(need.skill.0)) else { continue };
            wire.message(6, |requirement| {
                self.write_chosen(requirement, 1, "skills", &skill.name);
                requirement.number(2, need.proficiency);
            });
        }
        wire.signed(7, one.plan.priority.into());
        wire.text(8, &one.facts.intent);
        wire.text(9, &one.facts.language);
        if let Some(held) = self.payloads.get(&one.id) {
            write_payload(wire, &held.payload);
        }
        wire.time(13, one.due());
        wire.time(14, one.facts.not_before);
        wire.text(15, &one.facts.matter);
        if let Some(preferred) = one.plan.preferred {
            wire.message(16, |wire| {
                self.write_agent(wire, 1, Some(preferred.agent), floor);
                wire.millis(2, Some(preferred.budget_ms));
                wire.number(3, preferred.overdraw);
            });
        }
    }

    /// How it is.
    fn write_state(&self, wire: &mut Wire, view: &InteractionView, floor: &Floor) {
        let one = &*view.interaction;
        let assignment = one.owner.or(one.assignments.first().copied());
        wire.code(20, interaction_state(one.state));
        if let Some(customer) = one.facts.customer.filter(|one| !self.forgotten.has(Some(*one))) {
            self.write_number(wire, 21, "customers", customer.0);
        }
        wire.time(22, Some(one.entered));
        wire.time(23, one.answered);
        wire.time(24, one.over);
        self.write_agent(wire, 25, view.agent, floor);
        if let Some(offer) = one.offers.first() {
            self.write_number(wire, 26, "offers", offer.0);
        }
        if let Some(assignment) = assignment {
            self.write_number(wire, 27, "assignments", assignment.0);
        }
        wire.code(28, view.wait_reason.map_or(proto::WaitReason::Unspecified, wait_reason));
        if let Some(estimate) = view.estimate {
            let shown = self.show_estimate(one.queue(), estimate, view.places, view.now);
            wire.bytes(29, &shown.encode_to_vec());
        }
        wire.number(30, one.requeues);
        wire.number(31, one.plan.rule_set);
        wire.text(32, &one.disposition);
        wire.millis(33, Some(one.wait_ms(view.now)));
        if let Some(Until::At(at)) = one.scheduled() {
            wire.time(34, Some(at));
        }
    }

    /// What became of it on the way, and who takes part.
    fn write_course(&self, wire: &mut Wire, view: &InteractionView, floor: &Floor) {
        let one = &*view.interaction;
        self.write_agent(wire, 35, one.wanted.map(|wanted| wanted.agent), floor);
        wire.time(36, one.wanted.map(|wanted| wanted.until));
        wire.number(37, one.step);
        wire.number(38, one.overdue);
        wire.number(39, one.transfers);
        wire.number(40, one.hops);
        if let Some(callback) = one.callback() {
            wire.message(41, |wire| {
                wire.time(1, Some(callback.from));
                wire.time(2, Some(callback.until));
                wire.number(3, callback.attempts);
            });
        }
        for one in &view.parts {
            wire.message(42, |wire| self.write_participant(wire, one, floor));
        }
        if let Some(seek) = one.seek() {
            wire.message(43, |wire| self.write_seek(wire, seek, floor));
        }
        for contact in one.attached() {
            wire.message(44, |wire| {
                wire.text(1, &contact.source);
                wire.text(2, &contact.external_id);
                wire.code(3, channel_code(contact.channel));
            });
        }
        wire.number(45, one.declines);
        one.plan.tags.iter().for_each(|tag| wire.text(46, tag));
    }

    fn write_participant(&self, wire: &mut Wire, one: &Assignment, floor: &Floor) {
        self.write_agent(wire, 1, Some(one.agent), floor);
        self.write_number(wire, 2, "assignments", one.id.0);
        wire.code(3, part(one.part));
        wire.number(4, one.wrap_up_until.is_some());
        wire.number(5, one.interrupted);
    }

    fn write_seek(&self, wire: &mut Wire, seek: &Seek, floor: &Floor) {
        wire.code(1, part(seek.part));
        self.write_number(wire, 2, "assignments", seek.by.0);
        self.write_queue(wire, 3, seek.plan.entry().queue, floor);
        self.write_agent(wire, 4, seek.wanted.map(|wanted| wanted.agent), floor);
        wire.time(5, Some(seek.since));
    }

    fn write_number(&self, wire: &mut Wire, field: u32, collection: &str, number: u64) {
        wire.name(field, [&self.name, collection], Id::Number(number));
    }

    fn write_chosen(&self, wire: &mut Wire, field: u32, collection: &str, id: &str) {
        wire.name(field, [&self.name, collection], Id::Chosen(id));
    }

    fn write_agent(&self, wire: &mut Wire, field: u32, agent: Option<AgentKey>, floor: &Floor) {
        if let Some(entry) = agent.and_then(|agent| floor.agents.get(agent.0)) {
            self.write_chosen(wire, field, "agents", &entry.name);
        }
    }

    fn write_queue(&self, wire: &mut Wire, field: u32, queue: QueueKey, floor: &Floor) {
        if let Some(entry) = floor.queues.get(u32::from(queue.0)) {
            self.write_chosen(wire, field, "queues", &entry.name);
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
            interaction: self.write_interaction(view),
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

fn write_payload(wire: &mut Wire, payload: &Payload) {
    if let Some((kind, value)) = &payload.from {
        wire.message(10, |address| {
            address.code(1, *kind);
            address.text(2, value);
        });
    }
    wire.text(11, &payload.message);
    for (key, value) in &payload.attributes {
        wire.message(12, |entry| {
            entry.text(1, key);
            entry.text(2, value);
        });
    }
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
