//! Agents come, pause and go; sources come and go; supervisors and agents decide themselves.

use super::state::{Job, Twin, agent_key, item_id};
use baton::engine::agent::{Liveness, Pending, Presence};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Refusal};
use baton::engine::event::{EndedBy, Event, RescindCause};
use baton::engine::floor::OnAgentLost;
use baton::engine::ids::{AgentKey, InteractionId, SessionId, Text};
use baton::engine::interaction::{State, Wanted, WantedBy};
use baton::engine::time::Time;

impl Twin {
    pub fn open_session(&mut self, key: AgentKey, session: SessionId) -> Result<Answer, Refusal> {
        let agent = self.live_agent(key).ok_or(Refusal::AgentUnknown)?;
        let person = &self.people[agent];
        let resumed = person.session == Some(session);
        if !resumed || person.liveness != Liveness::Live {
            self.tell(Event::SessionOpened { agent: key, session });
            for job in self.jobs.iter_mut().filter(|job| job.agent == agent) {
                job.lost = None;
            }
            (self.people[agent].session, self.people[agent].liveness) = (Some(session), Liveness::Live);
            self.seek_work(agent);
        }
        Ok(Answer::SessionOpened { resumed })
    }

    pub fn lose_session(&mut self, key: AgentKey, session: SessionId) -> Result<Answer, Refusal> {
        let agent = self.live_agent(key).ok_or(Refusal::AgentUnknown)?;
        if self.people[agent].session != Some(session) {
            return Err(Refusal::SessionUnknown);
        }
        if self.people[agent].liveness == Liveness::Live {
            self.tell(Event::SessionLost { agent: key });
            self.lose(agent);
            let taken_back = self.take_back(agent, RescindCause::SessionLost);
            self.seek_again(taken_back);
        }
        Ok(Answer::Done)
    }

    pub fn lose(&mut self, agent: usize) {
        self.start_agent_grace(agent, self.now);
        self.disconnect(agent);
    }

    pub fn disconnect(&mut self, agent: usize) {
        let person = &mut self.people[agent];
        let gone = person.presence == Presence::SignedOut;
        person.liveness = if gone { Liveness::Offline } else { Liveness::Lost };
    }

    pub fn start_agent_grace(&mut self, agent: usize, from: Time) {
        for job in 0..self.jobs.len() {
            let Job { agent: of, queue, channel, .. } = self.jobs[job];
            let requeues = self.queue(queue).on_agent_lost == OnAgentLost::Requeue;
            if of != agent || !requeues || !self.jobs[job].talks() {
                continue;
            }
            let grace_ms = match channel {
                Channel::Voice | Channel::Video => 20_000,
                Channel::Chat => 60_000,
                Channel::Message | Channel::Social => 3_600_000,
                Channel::Email | Channel::Task => 28_800_000,
            };
            self.jobs[job].lost = Some(from.after(grace_ms));
        }
    }

    pub fn responds(&mut self, agent: usize, by: EndedBy) {
        self.tell(Event::Responding { agent: agent_key(agent), by });
        (self.people[agent].not_responding, self.people[agent].recovers) = (false, None);
    }

    pub fn set_presence(
        &mut self,
        key: AgentKey,
        presence: Presence,
        reason: Text,
        by: EndedBy,
    ) -> Result<Answer, Refusal> {
        let agent = self.live_agent(key).ok_or(Refusal::AgentUnknown)?;
        let person = &self.people[agent];
        let comes = presence == Presence::Available;
        if comes && person.liveness == Liveness::Offline {
            return Err(Refusal::NoSession);
        }
        let unchanged = person.presence == presence && person.reason == reason && person.pending.is_none();
        if comes && person.not_responding {
            self.responds(agent, by);
        }
        if unchanged || comes {
            if !unchanged {
                self.change_presence(agent, presence, reason, by);
            }
            self.seek_work(agent);
            return Ok(Answer::Done);
        }
        let mut in_line = self.take_back(agent, RescindCause::AgentUnavailable);
        if self.empty_handed(agent) {
            in_line.extend(self.change_presence(agent, presence, reason, by));
        } else {
            let wish = reason.clone();
            self.tell(Event::PresencePending { agent: key, presence, reason: wish, by });
            self.people[agent].pending = Some(Pending { presence, reason, by });
            while self.go_on(agent) {}
        }
        self.seek_again(in_line);
        Ok(Answer::Done)
    }

    pub fn drained(&mut self, agent: usize) -> Vec<usize> {
        if let Some(Pending { presence, reason, by }) = self.people[agent].pending.clone()
            && self.empty_handed(agent)
        {
            return self.change_presence(agent, presence, reason, by);
        }
        Vec::new()
    }

    pub fn change_presence(
        &mut self,
        agent: usize,
        presence: Presence,
        reason: Text,
        by: EndedBy,
    ) -> Vec<usize> {
        let told = reason.clone();
        self.tell(Event::PresenceChanged { agent: agent_key(agent), presence, reason: told, by });
        let empty_handed = self.empty_handed(agent);
        let (now, person) = (self.now, &mut self.people[agent]);
        if presence == Presence::Available && person.presence != presence && empty_handed {
            person.idle_since = now;
        }
        if presence == Presence::SignedOut {
            (person.not_responding, person.recovers) = (false, None);
        }
        (person.presence, person.reason, person.pending) = (presence, reason, None);
        if person.liveness == Liveness::Lost {
            self.disconnect(agent);
        }
        if presence == Presence::SignedOut { self.release_line(agent) } else { Vec::new() }
    }

    pub fn take_back(&mut self, agent: usize, cause: RescindCause) -> Vec<usize> {
        let rings = self.rings_at(agent);
        let back = rings.iter().map(|ring| self.rings[*ring].item).collect();
        rings.into_iter().for_each(|ring| self.rescind(ring, cause));
        back
    }

    /// Those of them who stand in line look for somebody, in the order of their places.
    pub fn seek_again(&mut self, mut items: Vec<usize>) {
        items.sort_by_key(|item| self.order(*item));
        for item in items {
            if !self.items[item].state.is_over() && self.stands(item) {
                self.seek_agent(item);
            }
        }
    }

    // ---- sources ----

    pub fn open_source(&mut self, source: Text) -> Result<Answer, Refusal> {
        let known = self.sources.iter().position(|(name, _)| *name == source);
        if known.is_none_or(|at| self.sources[at].1 != Some(true)) {
            self.tell(Event::SourceOpened { source: source.clone() });
            for item in self.items.iter_mut().filter(|item| item.source == source) {
                item.gone = None;
            }
            match known {
                Some(at) => self.sources[at].1 = Some(true),
                None => self.sources.push((source, Some(true))),
            }
        }
        Ok(Answer::Done)
    }

    pub fn lose_source(&mut self, source: Text) -> Result<Answer, Refusal> {
        let known = self.sources.iter().position(|(name, _)| *name == source);
        let at = known.ok_or(Refusal::SessionUnknown)?;
        if self.sources[at].1 == Some(true) {
            self.tell(Event::SourceLost { source: source.clone() });
            self.sources[at].1 = Some(false);
            self.start_source_grace(&source, self.now);
        }
        Ok(Answer::Done)
    }

    // ---- people decide ----

    pub fn assign(
        &mut self,
        interaction: InteractionId,
        key: AgentKey,
        overdraw: bool,
    ) -> Result<Answer, Refusal> {
        let agent = self.live_agent(key).ok_or(Refusal::AgentUnknown)?;
        let item = self.item_at(interaction)?;
        let state = self.items[item].state;
        if !matches!(state, State::Waiting | State::Offered) {
            return Err(Refusal::WrongState { state, wanted: "" });
        }
        let (by, until) = (WantedBy::Supervisor, self.now.after(120_000));
        let wanted = Wanted { agent: key, by, until, overdraw };
        let asked = self.rings_of(item).iter().any(|ring| self.rings[*ring].agent == agent);
        let asked = asked.then_some(baton::engine::explain::Exclusion::AlreadyAsked);
        if let Some(exclusion) = asked.or_else(|| self.excluded(agent, item, Some(wanted), false)) {
            return Err(Refusal::AgentCannot { exclusion });
        }
        let freed = self.rescind_all(item, RescindCause::Supervisor);
        self.tell(Event::Assigned { interaction, wanted });
        self.items[item].wanted = Some(wanted);
        self.stood(item);
        self.seek_agent(item);
        self.seek_works(freed);
        Ok(Answer::Done)
    }

    pub fn reprioritise(&mut self, interaction: InteractionId, priority: i16) -> Result<Answer, Refusal> {
        if priority.abs() > 10 {
            return Err(Refusal::PriorityOutOfRange { got: priority });
        }
        let item = self.item_at(interaction)?;
        let state = self.items[item].state;
        if !state.is_unanswered() {
            return Err(Refusal::WrongState { state, wanted: "" });
        }
        if self.items[item].plan.priority != priority {
            self.tell(Event::Reprioritised { interaction, priority });
            self.items[item].plan.priority = priority;
            if self.stands(item) {
                self.stood(item);
            }
        }
        Ok(Answer::Done)
    }

    pub fn pull(&mut self, key: AgentKey, interaction: InteractionId) -> Result<Answer, Refusal> {
        let agent = self.live_agent(key).ok_or(Refusal::AgentUnknown)?;
        let item = self.item_at(interaction)?;
        let one = self.items[item].clone();
        let own = one.state == State::Parked && one.agent == Some(key);
        if !own && !self.queue(one.queue()).pull {
            return Err(Refusal::PullNotAllowed);
        }
        let parked = one.state == State::Parked && one.owner.is_none();
        if !parked && one.state != State::Waiting {
            return Err(Refusal::WrongState { state: one.state, wanted: "" });
        }
        let (by, until) = (WantedBy::Colleague, self.now);
        let wanted = if parked && own {
            Some(Wanted { agent: key, by, until, overdraw: false })
        } else {
            one.sought_wanted()
        };
        if let Some(exclusion) = self.excluded(agent, item, wanted, true) {
            return Err(Refusal::AgentCannot { exclusion });
        }
        if parked {
            self.resumes(item, None);
        }
        let decision = self.pulled(item, agent);
        self.offer(item, agent, decision);
        self.accept(super::state::offer_id(self.rings.len() - 1))
    }

    pub fn identify(
        &mut self,
        interaction: InteractionId,
        customer: baton::engine::ids::CustomerId,
    ) -> Result<Answer, Refusal> {
        let item = self.item_at(interaction)?;
        if self.items[item].customer.is_none() {
            self.tell(Event::Identified { interaction: item_id(item), customer });
            self.items[item].customer = Some(customer);
        }
        Ok(Answer::Done)
    }
}
