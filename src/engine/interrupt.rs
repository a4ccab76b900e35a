//! Work that may be interrupted gives way to a channel listed for it: it holds nothing meanwhile, and goes on with the
//! same agent once there is room.

use super::capacity::{Claim, Holder};
use super::event::Event;
use super::ids::{AgentKey, AssignmentId, InteractionId};
use super::shard::{Shard, Step};

impl Step<'_> {
    /// Interrupts what must give way for this interaction, the newest first. True if something did.
    pub fn make_room(&mut self, interaction: InteractionId, agent: AgentKey) -> bool {
        let mut made_room = false;
        while let Some(assignment) = self.shard.next_to_interrupt(interaction, agent) {
            self.emit(Event::Interrupted { assignment });
            made_room = true;
        }
        made_room
    }

    /// Takes up again the oldest work that was interrupted, if there is room. True if it did.
    pub fn continue_interrupted(&mut self, agent: AgentKey) -> bool {
        let Some(assignment) = self.shard.next_to_continue(agent) else { return false };
        self.emit(Event::Continued { assignment });
        true
    }
}

impl Shard {
    fn next_to_interrupt(&self, interaction: InteractionId, agent: AgentKey) -> Option<AssignmentId> {
        let channel = self.subject(interaction).channel;
        let (spec, agent) = (self.capacity_of(agent), &self.agents[agent.index()]);
        let needed = u32::from(spec.of(channel).units);
        if agent.ledger.used() + needed <= u32::from(spec.units) {
            return None;
        }
        let gives_way = |claim: &&Claim| claim.gives_way_to(channel, spec);
        agent.ledger.claims().iter().rev().find(gives_way).and_then(|claim| match claim.holder {
            Holder::Assignment(id) => Some(id),
            Holder::Offer(_) | Holder::WrapUp(_) => None,
        })
    }

    fn next_to_continue(&self, key: AgentKey) -> Option<AssignmentId> {
        let (spec, agent) = (self.capacity_of(key), &self.agents[key.index()]);
        if agent.liveness != super::agent::Liveness::Live {
            return None;
        }
        let fits = |id: &&AssignmentId| {
            let part = &self.assignments[*id];
            let units = agent.ledger.used() + u32::from(part.units) <= u32::from(spec.units);
            let limit = agent.ledger.count(part.channel) < spec.of(part.channel).limit;
            // Alone in hand it goes on whatever was lowered since it began.
            agent.ledger.is_empty() || (units && limit)
        };
        agent.interrupted.iter().find(fits).copied()
    }

    /// True if taking this would interrupt what came back to the agent.
    pub(super) fn would_interrupt(&self, agent: AgentKey, interaction: InteractionId) -> bool {
        let channel = self.subject(interaction).channel;
        let spec = self.capacity_of(agent);
        self.agents[agent.index()]
            .interrupted
            .iter()
            .any(|id| spec.is_interrupted(self.assignments[id].channel, channel))
    }

    pub(super) fn interrupted(&mut self, id: AssignmentId) {
        let part = self.assignments.get_mut(&id).expect("what is interrupted goes on");
        part.interrupted = true;
        let (agent, interaction) = (part.agent, part.interaction);
        let known = self.agent_mut(agent);
        known.ledger.release(Holder::Assignment(id));
        known.interrupted.push(id);
        self.note_who_talks(interaction);
        self.reindex(agent);
    }

    pub(super) fn continued(&mut self, id: AssignmentId) {
        let part = self.assignments.get_mut(&id).expect("what goes on was interrupted");
        part.interrupted = false;
        let (agent, interaction, channel, units) = (part.agent, part.interaction, part.channel, part.units);
        let known = self.agent_mut(agent);
        known.interrupted.retain(|other| *other != id);
        known.ledger.claim(Claim { holder: Holder::Assignment(id), channel, units, overdraw: None });
        self.note_who_talks(interaction);
        self.reindex(agent);
    }
}
