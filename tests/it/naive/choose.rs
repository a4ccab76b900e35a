//! Who takes what: everybody and everything looked at, sorted, first one taken.

use super::twin::{Item, Twin};
use baton::engine::agent::{Liveness, Presence};
use baton::engine::explain::{Candidate, Decision, Exclusion, Rival, Trigger, WaitReason};
use baton::engine::ids::{AgentKey, InteractionId};
use baton::engine::interaction::State;
use baton::engine::skill::Requirement;
use baton::engine::time::Time;
use std::cmp::Reverse;

impl Twin {
    /// The best agent for an interaction; who just missed it comes after all others.
    pub fn agent_for(&self, item: usize, missed: Option<AgentKey>) -> (Option<AgentKey>, Decision) {
        let mut ready: Vec<Candidate> = (0..self.agents.len())
            .filter(|agent| self.ready(*agent))
            .map(|agent| self.candidate(agent, self.exclusion(agent, item)))
            .collect();
        ready.sort_by_key(|one| (Some(one.agent) == missed, one.used, Reverse(one.idle_ms), one.agent));
        let count = ready.len();
        let chosen = ready.iter().position(|one| one.exclusion.is_none());
        let cooling = ready.iter().any(|one| one.exclusion == Some(Exclusion::CoolingDown));
        for later in ready.iter_mut().skip(chosen.map_or(count, |at| at + 1)) {
            later.exclusion.get_or_insert(Exclusion::RankedLower);
        }
        let agent = chosen.map(|at| ready[at].agent);
        if let Some(beyond) = chosen.filter(|at| *at >= 8) {
            ready[7] = ready[beyond];
        }
        ready.truncate(8);
        let reason = match (agent, cooling) {
            (Some(_), _) => None,
            _ if !self.somebody_qualifies(item) => Some(WaitReason::NoAgentQualifies),
            (None, true) => Some(WaitReason::CoolingDown),
            (None, false) => Some(WaitReason::AllAgentsBusy),
        };
        (agent, self.decision(Trigger::InteractionWaits, item, reason, ready, Vec::new()))
    }

    /// The best work for an agent.
    pub fn work_for(&self, agent: usize) -> Option<(usize, Decision)> {
        if !self.ready(agent) {
            return None;
        }
        let mut takes: Vec<usize> = (0..self.items.len())
            .filter(|item| {
                self.items[*item].state == State::Waiting && self.exclusion(agent, *item).is_none()
            })
            .collect();
        takes.sort_by_key(|item| self.place(*item));
        let (first, others) = takes.split_first()?;
        let rivals = others.iter().take(3);
        let rivals = rivals.map(|item| Rival { interaction: id(*item), score: self.score(*item) }).collect();
        let candidate = self.candidate(agent, None);
        Some((*first, self.decision(Trigger::AgentFree, *first, None, vec![candidate], rivals)))
    }

    /// Wait in ms and a minute a point; ties end in time of entry, then in the id.
    pub fn place(&self, item: usize) -> (Reverse<i64>, Time, usize) {
        (Reverse(self.score(item)), self.items[item].entered, item)
    }

    fn score(&self, item: usize) -> i64 {
        let Item { entered, plan, .. } = &self.items[item];
        let waited = self.now.0 - entered.0 + plan.head_start_ms;
        waited as i64 + i64::from(plan.priority) * 60_000
    }

    fn decision(
        &self,
        trigger: Trigger,
        item: usize,
        wait_reason: Option<WaitReason>,
        agents: Vec<Candidate>,
        rivals: Vec<Rival>,
    ) -> Decision {
        let ready = (0..self.agents.len()).filter(|agent| self.ready(*agent)).count();
        let wait_ms = self.now.0 - self.items[item].entered.0;
        let ready = u32::try_from(ready).expect("a small floor");
        Decision { trigger, score: self.score(item), wait_ms, wait_reason, ready, agents, rivals }
    }

    fn candidate(&self, agent: usize, exclusion: Option<Exclusion>) -> Candidate {
        let idle_ms = self.now.0 - self.people[agent].idle_since.0;
        let key = AgentKey(u32::try_from(agent).expect("a small floor"));
        Candidate { agent: key, exclusion, used: self.used(agent), idle_ms }
    }

    /// Could take something, whatever it is.
    fn ready(&self, agent: usize) -> bool {
        let (person, spec) = (&self.people[agent], &self.agents[agent].spec);
        let room = spec.channels.iter().any(|takes| self.used(agent) + takes.units <= spec.capacity);
        let asked = self.rings_at(agent).len() >= usize::from(spec.open_offers_max);
        self.off_duty(agent).is_none() && !person.not_responding && room && !asked
    }

    fn off_duty(&self, agent: usize) -> Option<Exclusion> {
        let person = &self.people[agent];
        if person.presence == Presence::SignedOut {
            Some(Exclusion::SignedOut)
        } else if person.liveness != Liveness::Live {
            Some(Exclusion::SessionLost)
        } else if person.presence == Presence::OnBreak || person.pending.is_some() {
            Some(Exclusion::OnBreak)
        } else {
            None
        }
    }

    fn exclusion(&self, agent: usize, item: usize) -> Option<Exclusion> {
        let (person, spec, waiting) = (&self.people[agent], &self.agents[agent].spec, &self.items[item]);
        if spec.pool != self.queues[waiting.plan.queue.index()].spec.pool {
            return Some(Exclusion::OtherPool);
        }
        if let Some(off_duty) = self.off_duty(agent) {
            return Some(off_duty);
        }
        if person.not_responding {
            return Some(Exclusion::NotResponding);
        }
        if let Some(unmet) = waiting.plan.requirements.iter().find_map(|need| self.unmet(agent, need)) {
            return Some(unmet);
        }
        if waiting.cools.iter().any(|cool| cool.agent.index() == agent && cool.until > self.now) {
            return Some(Exclusion::CoolingDown);
        }
        let takes = spec.channels[waiting.channel.index()];
        if self.held_on(agent, item) >= usize::from(takes.limit) {
            Some(Exclusion::ChannelLimit)
        } else if self.used(agent) + takes.units > spec.capacity {
            Some(Exclusion::CapacityFull)
        } else if self.rings_at(agent).len() >= usize::from(spec.open_offers_max) {
            Some(Exclusion::AnsweringAnOffer)
        } else {
            None
        }
    }

    /// How many of an interaction's channel an agent holds.
    fn held_on(&self, agent: usize, item: usize) -> usize {
        let same =
            |other: InteractionId| self.items[other.0 as usize - 1].channel == self.items[item].channel;
        let rings =
            self.rings_at(agent).into_iter().filter(|ring| same(self.rings[*ring].interaction)).count();
        let held = self.jobs.iter().filter(|job| !job.over && job.agent.index() == agent);
        rings + held.filter(|job| same(job.interaction)).count()
    }

    fn unmet(&self, agent: usize, need: &Requirement) -> Option<Exclusion> {
        let (skill, needs) = (need.skill, need.proficiency);
        match self.agents[agent].spec.skills.iter().find(|held| held.skill == skill) {
            None => Some(Exclusion::SkillMissing { skill, needs }),
            Some(held) if held.proficiency < needs => {
                Some(Exclusion::ProficiencyTooLow { skill, has: held.proficiency, needs })
            }
            Some(_) => None,
        }
    }

    /// Somebody who is signed in and connected has the skills and the pool.
    fn somebody_qualifies(&self, item: usize) -> bool {
        let plan = &self.items[item].plan;
        (0..self.agents.len()).any(|agent| {
            let person = &self.people[agent];
            person.presence != Presence::SignedOut
                && person.liveness == Liveness::Live
                && self.agents[agent].spec.pool == self.queues[plan.queue.index()].spec.pool
                && plan.requirements.iter().all(|need| self.unmet(agent, need).is_none())
        })
    }
}

fn id(item: usize) -> InteractionId {
    InteractionId(item as u64 + 1)
}
