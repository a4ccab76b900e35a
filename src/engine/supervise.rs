//! What people decide themselves: a supervisor gives an interaction to an agent, or changes its priority; an agent
//! takes one from the line, where the queue allows it.

use super::command::{Answer, Refusal};
use super::event::{Event, RescindCause};
use super::explain::{Exclusion, Trigger};
use super::ids::{AgentKey, InteractionId};
use super::interaction::{Interaction, State, Wanted, WantedBy};
use super::seek::SEEK_MS;
use super::shard::{Shard, Step};
use std::sync::Arc;

/// The most priority points there are, either way.
pub const PRIORITY_MAX: i16 = 10;

impl Step<'_> {
    /// Offers it to this agent alone, whatever the skills; beyond the capacity if that is asked for.
    pub fn assign(
        &mut self,
        interaction: InteractionId,
        agent: AgentKey,
        overdraw: bool,
    ) -> Result<Answer, Refusal> {
        self.shard.live_agent(agent)?;
        let subject = self.shard.in_line(interaction)?;
        let until = self.shard.now.after(SEEK_MS);
        let wanted = Wanted { agent, by: WantedBy::Supervisor, until, overdraw };
        if let Some(exclusion) = self.shard.cannot_be_given(subject, wanted) {
            return Err(Refusal::AgentCannot { exclusion });
        }
        let freed = self.rescind_all(interaction, RescindCause::Supervisor);
        self.emit(Event::Assigned { interaction, wanted });
        self.seek_agent(interaction);
        self.seek_works(freed);
        Ok(Answer::Done)
    }

    pub fn reprioritise(&mut self, interaction: InteractionId, priority: i16) -> Result<Answer, Refusal> {
        if priority.unsigned_abs() > PRIORITY_MAX.unsigned_abs() {
            return Err(Refusal::PriorityOutOfRange { got: priority });
        }
        let subject = self.shard.interaction(interaction).ok_or(Refusal::InteractionUnknown)?;
        if !subject.state.is_unanswered() {
            let wanted = "it has not been answered yet";
            return Err(Refusal::WrongState { state: subject.state, wanted });
        }
        if subject.plan.priority != priority {
            self.emit(Event::Reprioritised { interaction, priority });
            self.try_again(interaction);
        }
        Ok(Answer::Done)
    }

    /// The agent takes it at once: the offer is theirs and accepted in one.
    pub fn pull(&mut self, agent: AgentKey, interaction: InteractionId) -> Result<Answer, Refusal> {
        self.shard.live_agent(agent)?;
        let subject = self.shard.interaction(interaction).ok_or(Refusal::InteractionUnknown)?;
        let own = subject.state == State::Parked && subject.agent == Some(agent);
        if !own && !self.shard.queue(subject.queue()).pull {
            return Err(Refusal::PullNotAllowed);
        }
        if subject.state == State::Parked && subject.owner.is_none() {
            self.shard.may_take_parked(subject, agent)?;
            self.emit(Event::Resumed { interaction, wanted: None });
        } else {
            let subject = self.shard.in_line(interaction)?;
            if subject.state != State::Waiting {
                let wanted = "it waits or is parked";
                return Err(Refusal::WrongState { state: subject.state, wanted });
            }
            self.shard.may_take(subject, agent)?;
        }
        let decision = self.shard.decided_by_person(interaction, agent, Trigger::Pulled);
        self.open_offer(interaction, agent, decision);
        self.accept(self.shard.last_offer)
    }
}

impl Shard {
    /// Waiting or offered, and nobody serves it.
    fn in_line(&self, id: InteractionId) -> Result<&Interaction, Refusal> {
        let subject = self.interaction(id).ok_or(Refusal::InteractionUnknown)?;
        match subject.state {
            State::Waiting | State::Offered => Ok(subject),
            state => Err(Refusal::WrongState { state, wanted: "it waits or is offered" }),
        }
    }

    /// Why this agent could not take it if a supervisor said so. An open offer of the same interaction is no reason.
    fn cannot_be_given(&self, subject: &Interaction, wanted: Wanted) -> Option<Exclusion> {
        let mut given = subject.clone();
        given.wanted = Some(wanted);
        let agent = &self.agents[wanted.agent.index()];
        if given.offers.iter().any(|offer| self.offers[offer].agent == agent.key) {
            return Some(Exclusion::AlreadyAsked);
        }
        self.exclusion(agent, &given)
    }

    fn may_take(&self, subject: &Interaction, agent: AgentKey) -> Result<(), Refusal> {
        let exclusion = self.exclusion_from_pull(&self.agents[agent.index()], subject);
        exclusion.map_or(Ok(()), |exclusion| Err(Refusal::AgentCannot { exclusion }))
    }

    /// Whose it was may take it back whatever it needs now.
    fn may_take_parked(&self, subject: &Interaction, agent: AgentKey) -> Result<(), Refusal> {
        let mut taken = subject.clone();
        if subject.agent == Some(agent) {
            let (by, until) = (WantedBy::Colleague, self.now);
            taken.wanted = Some(Wanted { agent, by, until, overdraw: false });
        }
        self.may_take(&taken, agent)
    }

    pub(super) fn assigned(&mut self, id: InteractionId, wanted: Wanted) {
        self.change_place(id, |subject| subject.wanted = Some(wanted));
    }

    pub(super) fn reprioritised(&mut self, id: InteractionId, priority: i16) {
        let stood = self.subject(id).standing.is_some();
        self.step_out(id);
        let subject = self.subject_mut(id);
        Arc::make_mut(&mut subject.plan).priority = priority;
        subject.plan_revision += 1;
        // Points are weight: it stands with its like.
        self.change_lane(id);
        if stood {
            self.stand(id);
        }
    }
}
