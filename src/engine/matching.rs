//! Chooses an agent for an interaction, or an interaction for an agent, by one ranking key each: agents by
//! capacity in use, then longest idle; interactions by score. Changes nothing but its own caches and reads no
//! clock: the stages ask, and act on the answer.

use super::agent::Agent;
use super::explain::{
    CANDIDATES_STORED_MAX, Candidate, Decision, Exclusion, RIVALS_STORED_MAX, Rival, Trigger, WaitReason,
    off_duty,
};
use super::ids::{AgentKey, InteractionId, LaneKey};
use super::interaction::Interaction;
use super::plan::Channel;
use super::queue::{Lane, LaneId};
use super::score::{Place, score};
use super::shard::Shard;
use super::skill::{Requirement, proficiency};

impl Shard {
    /// Whom a waiting interaction would be offered to now, with the why. Read-only.
    pub fn agent_for(&self, interaction: InteractionId) -> (Option<AgentKey>, Decision) {
        self.choose(interaction, None)
    }

    /// The same, but the agent who just missed it comes last. Missing an offer resets nobody's idle time, so under the
    /// policy `Stay` the same agent would be first again and again.
    pub(super) fn agent_for_rather(
        &self,
        interaction: InteractionId,
        missed: AgentKey,
    ) -> (Option<AgentKey>, Decision) {
        self.choose(interaction, Some(missed))
    }

    fn choose(&self, interaction: InteractionId, last: Option<AgentKey>) -> (Option<AgentKey>, Decision) {
        let subject = self.interaction(interaction).expect("the stages ask about interactions that exist");
        let mut agents: Vec<Candidate> = Vec::new();
        let mut chosen = None;
        let mut cooling = false;
        let others = self.ready.iter().filter(|(_, _, key)| Some(*key) != last);
        let last = self.ready.iter().filter(|(_, _, key)| Some(*key) == last);
        for (used, idle_since, key) in others.chain(last) {
            let mut exclusion = self.exclusion(&self.agents[key.index()], subject);
            cooling |= exclusion == Some(Exclusion::CoolingDown);
            match (exclusion, chosen) {
                (None, None) => chosen = Some(*key),
                (None, Some(_)) => exclusion = Some(Exclusion::RankedLower),
                (Some(_), _) => {}
            }
            if agents.len() < CANDIDATES_STORED_MAX || (exclusion.is_none() && agents.pop().is_some()) {
                agents.push(Candidate {
                    agent: *key,
                    exclusion,
                    used: *used,
                    idle_ms: self.now().since(*idle_since),
                });
            }
            if chosen.is_some() && agents.len() == CANDIDATES_STORED_MAX {
                break;
            }
        }
        let wait_reason = match chosen {
            Some(_) => None,
            None => Some(self.reason_to_wait(subject, cooling)),
        };
        (chosen, self.decision(Trigger::InteractionWaits, subject, wait_reason, agents, Vec::new()))
    }

    /// What an agent would be offered now, with the why. `None` if there is nothing to take, or no capacity.
    /// Read-only.
    pub fn interaction_for(&self, agent: AgentKey) -> Option<(InteractionId, Decision)> {
        let agent = &self.agents[agent.index()];
        agent.ready?;
        let mut best: Vec<Place> = Vec::with_capacity(2 * (RIVALS_STORED_MAX + 1));
        for key in &agent.lanes {
            let lane = self.lines.lane(*key);
            if !lane.is_empty() && self.no_room(agent, lane.id.channel).is_none() {
                self.heads(agent, lane, &mut best);
            }
        }
        let mut best = best.into_iter().map(|(_, _, id)| id);
        let chosen = best.next()?;
        let subject = self.interaction(chosen).expect("who waits exists");
        let rivals = best
            .filter_map(|id| self.interaction(id))
            .map(|rival| Rival { interaction: rival.id, score: score(rival, self.now()) })
            .collect();
        let candidate = Candidate {
            agent: agent.key,
            exclusion: None,
            used: agent.ledger.used(),
            idle_ms: self.now().since(agent.idle_since),
        };
        Some((chosen, self.decision(Trigger::AgentFree, subject, None, vec![candidate], rivals)))
    }

    /// Merges the first of a lane that this agent may be asked for into the best so far.
    fn heads(&self, agent: &Agent, lane: &Lane, best: &mut Vec<Place>) {
        let allowed = |place: &&Place| {
            let waiting = self.interaction(place.2).expect("who waits exists");
            !waiting.cools_down_for(agent.key, self.now())
        };
        best.extend(lane.waiting().filter(allowed).take(RIVALS_STORED_MAX + 1));
        best.sort();
        best.truncate(RIVALS_STORED_MAX + 1);
    }

    /// The one reason why this agent cannot take this interaction now; `None` if it can.
    pub fn exclusion(&self, agent: &Agent, interaction: &Interaction) -> Option<Exclusion> {
        let lane = &self.lines.lane(interaction.lane).id;
        self.other_pool(agent, lane)
            .or_else(|| off_duty(agent.presence, agent.pending.is_some(), agent.liveness))
            .or_else(|| agent.not_responding.then_some(Exclusion::NotResponding))
            .or_else(|| self.unmet(agent, &lane.requirements))
            .or_else(|| interaction.cools_down_for(agent.key, self.now()).then_some(Exclusion::CoolingDown))
            .or_else(|| self.no_room(agent, lane.channel))
    }

    fn other_pool(&self, agent: &Agent, lane: &LaneId) -> Option<Exclusion> {
        let queue = &self.floor.queues.get(u32::from(lane.queue.0)).expect("a lane's queue was defined").spec;
        (self.spec(agent.key).pool != queue.pool).then_some(Exclusion::OtherPool)
    }

    fn unmet(&self, agent: &Agent, requirements: &[Requirement]) -> Option<Exclusion> {
        let skills = &self.spec(agent.key).skills;
        requirements.iter().find_map(|need| match proficiency(skills, need.skill) {
            None => Some(Exclusion::SkillMissing { skill: need.skill, needs: need.proficiency }),
            Some(has) if has < need.proficiency => {
                Some(Exclusion::ProficiencyTooLow { skill: need.skill, has, needs: need.proficiency })
            }
            Some(_) => None,
        })
    }

    fn no_room(&self, agent: &Agent, channel: Channel) -> Option<Exclusion> {
        let spec = self.spec(agent.key);
        let takes = spec.channels[channel.index()];
        if agent.ledger.count(channel) >= takes.limit {
            Some(Exclusion::ChannelLimit)
        } else if agent.ledger.used() + takes.units > spec.capacity {
            Some(Exclusion::CapacityFull)
        } else if agent.ledger.offers() >= spec.open_offers_max {
            Some(Exclusion::AnsweringAnOffer)
        } else {
            None
        }
    }

    fn reason_to_wait(&self, interaction: &Interaction, cooling: bool) -> WaitReason {
        if self.lines.lane(interaction.lane).on_duty() == 0 {
            WaitReason::NoAgentQualifies
        } else if cooling {
            WaitReason::CoolingDown
        } else {
            WaitReason::AllAgentsBusy
        }
    }

    fn decision(
        &self,
        trigger: Trigger,
        subject: &Interaction,
        wait_reason: Option<WaitReason>,
        agents: Vec<Candidate>,
        rivals: Vec<Rival>,
    ) -> Decision {
        Decision {
            trigger,
            score: score(subject, self.now()),
            wait_ms: self.now().since(subject.entered),
            wait_reason,
            ready: u32::try_from(self.ready.len()).expect("agents are limited to AGENTS_MAX"),
            agents,
            rivals,
        }
    }

    /// Brings the caches up to date with an agent that changed: its place among the ready, and the lanes' counts
    /// of who is on duty.
    pub(super) fn reindex(&mut self, key: AgentKey) {
        let agent = &self.agents[key.index()];
        let spec = self.spec(key);
        // A channel may cost nothing: then a full agent has room for it still.
        let cheapest = spec.channels.iter().map(|takes| takes.units).min().unwrap_or_default();
        let can_work = off_duty(agent.presence, agent.pending.is_some(), agent.liveness).is_none()
            && !agent.not_responding
            && agent.ledger.used() + cheapest <= spec.capacity
            && agent.ledger.offers() < spec.open_offers_max;
        let rank = can_work.then(|| (agent.ledger.used(), agent.idle_since, key));
        let on_duty = agent.on_duty();
        let state = agent.routing_state();
        let now = self.now();
        let agent = &mut self.agents[key.index()];
        if agent.seen != state {
            (agent.seen, agent.since) = (state, now);
        }
        if agent.ready != rank {
            if let Some(old) = agent.ready {
                self.ready.remove(&old);
            }
            if let Some(new) = rank {
                self.ready.insert(new);
            }
            agent.ready = rank;
        }
        if agent.counted != on_duty {
            self.lines.count_on_duty(&agent.lanes, if on_duty { 1 } else { -1 });
            agent.counted = on_duty;
        }
    }

    /// Finds the lanes of an agent anew, after its skills or pool changed.
    pub(super) fn find_lanes(&mut self, key: AgentKey) {
        let agent = &self.agents[key.index()];
        let removed = self.floor.agents.live(key.0).is_none();
        let lanes: Vec<LaneKey> = self
            .lines
            .lanes()
            .filter(|(_, lane)| !removed && self.meets(agent, &lane.id))
            .map(|(lane, _)| lane)
            .collect();
        let agent = &mut self.agents[key.index()];
        let old = std::mem::replace(&mut agent.lanes, lanes);
        if agent.counted {
            self.lines.count_on_duty(&old, -1);
            self.lines.count_on_duty(&agent.lanes, 1);
        }
    }

    /// Opens a lane and tells every agent who meets its requirements.
    pub(super) fn open_lane(&mut self, id: LaneId) -> LaneKey {
        let lane = self.lines.open(id);
        for index in 0..self.agents.len() {
            let agent = &self.agents[index];
            let removed = self.floor.agents.live(agent.key.0).is_none();
            if removed || !self.meets(agent, &self.lines.lane(lane).id) {
                continue;
            }
            let agent = &mut self.agents[index];
            agent.lanes.push(lane);
            if agent.counted {
                self.lines.count_on_duty(&[lane], 1);
            }
        }
        lane
    }

    fn meets(&self, agent: &Agent, lane: &LaneId) -> bool {
        self.other_pool(agent, lane).is_none() && self.unmet(agent, &lane.requirements).is_none()
    }
}
