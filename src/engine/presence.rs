//! Agents come, pause and go. A lost connection and a wish for a break both take open offers back before anything
//! else happens; work in hand stays with the agent.

use super::agent::{Agent, Liveness, Pending, Presence};
use super::capacity::Holder;
use super::command::{Answer, Refusal};
use super::deadline::Deadline;
use super::event::{EndedBy, Event, RescindCause};
use super::floor::OnAgentLost;
use super::ids::{AgentKey, AssignmentId, InteractionId, OfferId, SessionId, Text};
use super::outcome::Assignment;
use super::score::{Place, place};
use super::shard::{Shard, Step};
use super::time::Time;

impl Step<'_> {
    pub fn open_session(&mut self, agent: AgentKey, session: SessionId) -> Result<Answer, Refusal> {
        let known = self.shard.live_agent(agent)?;
        let resumed = known.session == Some(session);
        if !resumed || known.liveness != Liveness::Live {
            self.emit(Event::SessionOpened { agent, session });
            self.seek_work(agent);
        }
        Ok(Answer::SessionOpened { resumed })
    }

    pub fn lose_session(&mut self, agent: AgentKey, session: SessionId) -> Result<Answer, Refusal> {
        let known = self.shard.live_agent(agent)?;
        if known.session != Some(session) {
            return Err(Refusal::SessionUnknown);
        }
        if known.liveness == Liveness::Live {
            self.emit(Event::SessionLost { agent });
            let taken_back = self.take_back_offers(agent, RescindCause::SessionLost);
            self.seek_agents(taken_back);
        }
        Ok(Answer::Done)
    }

    pub fn set_presence(
        &mut self,
        agent: AgentKey,
        presence: Presence,
        reason: Text,
        by: EndedBy,
    ) -> Result<Answer, Refusal> {
        let known = self.shard.live_agent(agent)?;
        if presence == Presence::Available && known.liveness == Liveness::Offline {
            return Err(Refusal::NoSession);
        }
        let unchanged = known.presence == presence && known.reason == reason && known.pending.is_none();
        if known.not_responding && presence == Presence::Available {
            self.emit(Event::Responding { agent, by });
        }
        if unchanged {
            self.seek_work(agent);
            return Ok(Answer::Done);
        }
        if presence == Presence::Available {
            self.emit(Event::PresenceChanged { agent, presence, reason, by });
            self.seek_work(agent);
            return Ok(Answer::Done);
        }
        let mut in_line = self.take_back_offers(agent, RescindCause::AgentUnavailable);
        if self.shard.agents[agent.index()].is_empty_handed() {
            in_line.extend(self.change_presence(agent, presence, reason, by));
        } else {
            self.emit(Event::PresencePending { agent, presence, reason, by });
            // What gave way to an offer that was taken back has to be finished before the break.
            while self.continue_interrupted(agent) {}
        }
        // After the agent is gone: what was taken back is not offered here again, and says truly why it waits.
        self.seek_agents(in_line);
        Ok(Answer::Done)
    }

    /// Lets a wish for a break or sign-out come true once nothing is in hand. Who waited for the agent alone, and does
    /// not any more.
    pub fn drained(&mut self, agent: AgentKey) -> Vec<InteractionId> {
        let known = &self.shard.agents[agent.index()];
        match known.pending.clone() {
            Some(Pending { presence, reason, by }) if known.is_empty_handed() => {
                self.change_presence(agent, presence, reason, by)
            }
            _ => Vec::new(),
        }
    }

    fn change_presence(
        &mut self,
        agent: AgentKey,
        presence: Presence,
        reason: Text,
        by: EndedBy,
    ) -> Vec<InteractionId> {
        self.emit(Event::PresenceChanged { agent, presence, reason, by });
        if presence == Presence::SignedOut { self.release_line(agent) } else { Vec::new() }
    }

    /// The interactions that are back in line.
    fn take_back_offers(&mut self, agent: AgentKey, cause: RescindCause) -> Vec<InteractionId> {
        let mut taken_back = Vec::new();
        for offer in self.shard.offers_to(agent) {
            taken_back.push(self.shard.offers[&offer].interaction);
            self.rescind(offer, cause);
        }
        taken_back
    }

    /// Of these, those that nobody else is being asked for look for somebody, in the order of their places. Each may have
    /// found somebody by what was done for the one before.
    pub fn seek_agents(&mut self, interactions: Vec<InteractionId>) {
        let mut places: Vec<Place> =
            interactions.into_iter().map(|id| place(self.shard.subject(id))).collect();
        places.sort();
        for (_, _, _, interaction) in places {
            if self.shard.subject(interaction).standing.is_some() {
                self.seek_agent(interaction);
            }
        }
    }
}

impl Shard {
    pub(super) fn live_agent(&self, key: AgentKey) -> Result<&Agent, Refusal> {
        self.floor.agents.live(key.0).ok_or(Refusal::AgentUnknown)?;
        Ok(&self.agents[key.index()])
    }

    /// The offers open to an agent, oldest first.
    pub fn offers_to(&self, agent: AgentKey) -> Vec<OfferId> {
        let claims = self.agents[agent.index()].ledger.claims().iter();
        claims
            .filter_map(|claim| match claim.holder {
                Holder::Offer(offer) => Some(offer),
                Holder::Assignment(_) | Holder::WrapUp(_) => None,
            })
            .collect()
    }

    /// Every open offer, in the order of the agents.
    pub(super) fn open_offers(&self) -> Vec<OfferId> {
        self.agents.iter().flat_map(|agent| self.offers_to(agent.key)).collect()
    }

    pub(super) fn session_opened(&mut self, agent: AgentKey, session: SessionId) {
        for assignment in self.conversations_of(agent) {
            self.deadlines.disarm(Deadline::Agent(assignment));
        }
        self.change(agent, |agent| {
            agent.session = Some(session);
            agent.liveness = Liveness::Live;
        });
    }

    pub(super) fn session_lost(&mut self, agent: AgentKey) {
        self.arm_agent_graces(agent, self.now);
        self.change(agent, Agent::lose_connection);
    }

    fn arm_agent_graces(&mut self, agent: AgentKey, from: Time) {
        for id in self.conversations_of(agent) {
            let Assignment { queue, channel, .. } = self.assignments[&id];
            if self.queue(queue).on_agent_lost == OnAgentLost::Requeue {
                self.deadlines.arm(Deadline::Agent(id), from.after(channel.agent_grace_ms()));
            }
        }
    }

    /// The conversations an agent is in, oldest first.
    pub(super) fn conversations_of(&self, agent: AgentKey) -> Vec<AssignmentId> {
        let agent = &self.agents[agent.index()];
        let held = agent.ledger.claims().iter().filter_map(|claim| match claim.holder {
            Holder::Assignment(assignment) => Some(assignment),
            Holder::Offer(_) | Holder::WrapUp(_) => None,
        });
        held.chain(agent.interrupted.iter().copied()).collect()
    }

    pub(super) fn presence_changed(&mut self, key: AgentKey, presence: Presence, reason: &Text) {
        if presence == Presence::SignedOut {
            self.deadlines.disarm(Deadline::Recover(key));
        }
        let now = self.now;
        self.change(key, |agent| {
            if presence == Presence::Available
                && agent.presence != Presence::Available
                && agent.is_empty_handed()
            {
                agent.idle_since = now;
            }
            if agent.presence == Presence::SignedOut {
                agent.worked_ms = 0;
                agent.came = now;
            }
            if presence == Presence::SignedOut {
                agent.not_responding = false;
            }
            agent.presence = presence;
            agent.reason = reason.clone();
            agent.pending = None;
            if agent.liveness == Liveness::Lost {
                agent.lose_connection();
            }
        });
    }

    pub(super) fn presence_pending(&mut self, key: AgentKey, presence: Presence, reason: &Text, by: EndedBy) {
        let reason = reason.clone();
        self.change(key, |agent| agent.pending = Some(Pending { presence, reason, by }));
    }

    pub(super) fn responding(&mut self, agent: AgentKey) {
        self.deadlines.disarm(Deadline::Recover(agent));
        self.change(agent, |agent| agent.not_responding = false);
    }

    /// Nobody can be reached until they reconnect; the sessions can be resumed.
    pub(super) fn restarted(&mut self, down_to: Time) {
        for index in 0..self.agents.len() {
            let key = self.agents[index].key;
            if self.agents[index].liveness == Liveness::Live {
                self.session_lost(key);
            }
            // A stall of our own takes nothing off a grace.
            if self.agents[index].liveness == Liveness::Lost {
                self.arm_agent_graces(key, down_to);
            }
        }
        self.restart_source_graces(down_to);
        self.restart_connections(down_to);
        self.restart_overflow_checks(down_to);
    }

    fn change(&mut self, key: AgentKey, change: impl FnOnce(&mut Agent)) {
        let now = self.now;
        let agent = self.agent_mut(key);
        change(agent);
        agent.since = now;
        self.reindex(key);
    }
}
