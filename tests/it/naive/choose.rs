//! Who takes what: everybody and everything looked at, sorted, first one taken.

use super::look::Spot;
use super::twin::{Twin, agent_key, id};
use baton::engine::agent::{Liveness, Presence};
use baton::engine::channel::Channel;
use baton::engine::explain::{
    By, CANDIDATES_STORED_MAX, Candidate, Decision, Exclusion, Rival, Trigger, WaitReason,
};
use baton::engine::ids::QueueKey;
use baton::engine::interaction::{State, WantedBy};
use baton::engine::policy::Listed;
use baton::engine::route::Needs;
use baton::engine::skill::Requirement;
use std::cmp::Reverse;
use std::sync::Arc;

impl Twin {
    /// The best agents for an interaction, as many as are asked at once; who just missed it comes after all others.
    pub fn agents_for(&self, item: usize, missed: Option<usize>) -> (Vec<usize>, Arc<Decision>) {
        let wanted = self.sought(item).1;
        let mut looked: Vec<Candidate> = (0..self.agents.len())
            .filter(|agent| wanted.is_none_or(|one| one.agent.index() == *agent))
            .filter(|agent| {
                wanted.is_some()
                    || self.ready(*agent) && self.qualifies(*agent, self.sought(item).0, &self.needs(item))
            })
            .map(|agent| self.candidate(agent, self.exclusion(agent, item)))
            .collect();
        looked.sort_by_key(|one| {
            let just_missed = missed.is_some_and(|missed| missed == one.agent.index());
            (just_missed, one.used, Reverse(one.idle_ms), one.agent)
        });
        let seeks = self.items[item].seek.is_some();
        let at_once = match wanted {
            None if !seeks => usize::from(self.queues[self.queue(item).index()].spec.broadcast.max(1)),
            _ => 1,
        };
        let mut chosen = Vec::new();
        let mut stored: Vec<Candidate> = Vec::new();
        let saw = |wanted: &[Exclusion]| {
            looked.iter().any(|one| one.exclusion.is_some_and(|why| wanted.contains(&why)))
        };
        let cooling = saw(&[Exclusion::CoolingDown]);
        let ends = saw(&[Exclusion::OffShift, Exclusion::ShiftEnds, Exclusion::DailyMaximum]);
        for mut one in looked.iter().copied() {
            // Who just missed it is asked again only when nobody else can be.
            let again = missed == Some(one.agent.index()) && !chosen.is_empty();
            if one.exclusion.is_none() && chosen.len() < at_once && !again {
                chosen.push(one.agent.index());
            } else if one.exclusion.is_none() {
                one.exclusion = Some(Exclusion::RankedLower);
            }
            if stored.len() < CANDIDATES_STORED_MAX {
                stored.push(one);
            } else if one.exclusion.is_none() {
                stored[CANDIDATES_STORED_MAX - 1] = one;
            }
        }
        let reason = match chosen.first() {
            Some(_) => None,
            None if wanted.is_some() => Some(WaitReason::WaitsForAgent),
            None if self.on_duty(self.sought(item).0, &self.needs(item)) == 0 => {
                Some(WaitReason::NoAgentQualifies)
            }
            None if cooling => Some(WaitReason::CoolingDown),
            None if ends => Some(WaitReason::ShiftsEnd),
            None => Some(WaitReason::AllAgentsBusy),
        };
        (chosen, self.decision(Trigger::InteractionWaits, item, reason, stored, Vec::new()))
    }

    /// The best work for an agent.
    pub fn work_for(&self, agent: usize) -> Option<(usize, Arc<Decision>)> {
        let mut takes: Vec<Spot> = self
            .open_items
            .iter()
            .copied()
            .filter(|item| self.stands(*item) && self.exclusion(agent, *item).is_none())
            .map(|item| self.spot(item))
            .collect();
        takes.sort();
        let (first, others) = takes.split_first()?;
        let rival = |spot: &Spot| Rival { interaction: id(spot.3), score: self.score(spot.3) };
        let rivals = others.iter().take(3).map(rival).collect();
        let candidate = self.candidate(agent, None);
        Some((first.3, self.decision(Trigger::AgentFree, first.3, None, vec![candidate], rivals)))
    }

    pub fn decision(
        &self,
        trigger: Trigger,
        item: usize,
        wait_reason: Option<WaitReason>,
        agents: Vec<Candidate>,
        rivals: Vec<Rival>,
    ) -> Arc<Decision> {
        let ready = (0..self.agents.len()).filter(|agent| self.ready(*agent)).count();
        // Work that was asked for in good time is due later than now.
        let wait_ms = self.now.0.saturating_sub(self.items[item].entered.0);
        let ready = u32::try_from(ready).expect("a small floor");
        let (agents, rivals) = (agents.into_iter().collect(), rivals.into_iter().collect());
        let wanted = self.sought(item).1.map(|wanted| wanted.by);
        let score = self.score(item);
        Arc::new(Decision {
            trigger,
            score,
            wait_ms,
            wanted,
            wait_reason,
            ready,
            agents,
            rivals,
            relief: None,
            by: By::Lists(Listed::longest_idle()),
        })
    }

    pub fn candidate(&self, agent: usize, exclusion: Option<Exclusion>) -> Candidate {
        let idle_ms = self.now.0 - self.people[agent].idle_since.0;
        Candidate { agent: agent_key(agent), exclusion, used: self.used(agent), idle_ms, net: None }
    }

    /// Could take something, whatever it is.
    pub fn ready(&self, agent: usize) -> bool {
        let spec = self.capacity(agent);
        let least = spec.channels.iter().map(|takes| u32::from(takes.units)).min().unwrap_or_default();
        let beside = Channel::ALL.into_iter().map(|channel| self.used_beside(agent, channel)).min();
        let room = beside.unwrap_or_default() + least <= u32::from(spec.units);
        let asked = self.rings_at(agent).len() >= usize::from(spec.open_offers_max);
        self.off_duty(agent).is_none() && !self.people[agent].not_responding && room && !asked
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

    pub fn exclusion(&self, agent: usize, item: usize) -> Option<Exclusion> {
        self.exclusion_if(agent, item, false)
    }

    /// `pulls`: the agent asks for it, so a decline or another offer is no reason.
    pub fn exclusion_if(&self, agent: usize, item: usize, pulls: bool) -> Option<Exclusion> {
        let (person, this) = (&self.people[agent], &self.items[item]);
        let (queue, wanted, _) = self.sought(item);
        let mine = wanted.filter(|wanted| wanted.agent.index() == agent);
        let by_person =
            mine.is_some_and(|wanted| matches!(wanted.by, WantedBy::Colleague | WantedBy::Supervisor));
        if self.agents[agent].spec.pool != self.queues[queue.index()].spec.pool {
            return Some(Exclusion::OtherPool);
        }
        if let Some(off_duty) = self.off_duty(agent) {
            return Some(off_duty);
        }
        if person.not_responding {
            return Some(Exclusion::NotResponding);
        }
        if let Some(unmet) = self.unmet(agent, &self.needs(item)).filter(|_| !by_person) {
            return Some(unmet);
        }
        if self.rings_of(item).iter().any(|ring| self.rings[*ring].agent.index() == agent) {
            return Some(Exclusion::AlreadyAsked);
        }
        if self.talking(item).iter().any(|job| self.jobs[*job].agent.index() == agent) {
            return Some(Exclusion::AlreadyOnIt);
        }
        if wanted.is_some() && mine.is_none() {
            return Some(Exclusion::WaitsForAnother);
        }
        let cools = this.cools.iter().any(|cool| cool.agent.index() == agent && cool.until > self.now);
        if cools && !by_person && !pulls {
            return Some(Exclusion::CoolingDown);
        }
        if let Some(off) = self.off_shift(agent, self.handle_ms(item)) {
            return Some(off);
        }
        if self.had_enough(agent, this.channel) {
            return Some(Exclusion::DailyMaximum);
        }
        let overdraws = !pulls && mine.is_some_and(|wanted| wanted.overdraw);
        let room = self.no_room(agent, this.channel, overdraws);
        room.filter(|why| !(pulls && *why == Exclusion::AnsweringAnOffer))
    }

    fn off_shift(&self, agent: usize, handle_ms: u64) -> Option<Exclusion> {
        let phase = self.phases[self.agents[agent].spec.shift?.index()]?;
        if !phase.open {
            return Some(Exclusion::OffShift);
        }
        let latest = phase.until?.0 + self.capacity(agent).shift_overrun_ms;
        (self.now.0 + handle_ms > latest).then_some(Exclusion::ShiftEnds)
    }

    fn had_enough(&self, agent: usize, channel: Channel) -> bool {
        let Some(max) = self.capacity(agent).of(channel).daily_max else { return false };
        let person = &self.people[agent];
        let today = if self.now < person.day_ends { person.accepted[channel.index()] } else { 0 };
        usize::from(today) + self.asked_on(agent, channel) >= usize::from(max)
    }

    pub fn no_room(&self, agent: usize, channel: Channel, overdraws: bool) -> Option<Exclusion> {
        let spec = self.capacity(agent);
        let takes = spec.of(channel);
        let used = self.used_beside(agent, channel) + u32::from(takes.units);
        let gave_way = self.people[agent].interrupted.iter();
        let comes_back = gave_way.filter(|job| self.jobs[**job].channel == channel).count();
        if self.held_on(agent, channel) + comes_back >= usize::from(takes.limit) && !overdraws {
            Some(Exclusion::ChannelLimit)
        } else if used > u32::from(spec.units) && !overdraws {
            Some(Exclusion::CapacityFull)
        } else if self.rings_at(agent).len() >= usize::from(spec.open_offers_max) {
            Some(Exclusion::AnsweringAnOffer)
        } else {
            None
        }
    }

    /// What is missing from the first way to qualify, unless another will do.
    fn unmet(&self, agent: usize, needs: &[Needs]) -> Option<Exclusion> {
        let missing = |one: &Needs| {
            let lacks = one.requirements.iter().find_map(|need| self.lacks(agent, need));
            let group = self.agents[agent].spec.group;
            let fits = one.groups.is_empty() || group.is_some_and(|own| one.groups.contains(&own));
            lacks.or((!fits).then_some(Exclusion::OtherGroup))
        };
        let all: Vec<Exclusion> = needs.iter().map_while(missing).collect();
        (all.len() == needs.len()).then(|| all[0])
    }

    fn lacks(&self, agent: usize, need: &Requirement) -> Option<Exclusion> {
        let (skill, needs) = (need.skill, need.proficiency);
        match self.agents[agent].spec.skills.iter().find(|held| held.skill == skill) {
            None => Some(Exclusion::SkillMissing { skill, needs }),
            Some(held) if held.proficiency < needs => {
                Some(Exclusion::ProficiencyTooLow { skill, has: held.proficiency, needs })
            }
            Some(_) => None,
        }
    }

    pub fn qualifies(&self, agent: usize, queue: QueueKey, needs: &[Needs]) -> bool {
        let same_pool = self.agents[agent].spec.pool == self.queues[queue.index()].spec.pool;
        !self.agents[agent].removed && same_pool && self.unmet(agent, needs).is_none()
    }

    /// How many are signed in and connected, and qualify.
    pub fn on_duty(&self, queue: QueueKey, needs: &[Needs]) -> u64 {
        let there = |agent: &usize| {
            let person = &self.people[*agent];
            person.presence != Presence::SignedOut
                && person.liveness == Liveness::Live
                && self.qualifies(*agent, queue, needs)
        };
        (0..self.agents.len()).filter(there).count() as u64
    }

    // ---- estimates ----

    /// Position × mean handle time ÷ agents who qualify, of one who waits.
    pub fn estimate(&self, item: usize) -> Option<u64> {
        let (queue, own) = (self.queue(item), self.spot(item));
        let before = self.open_items.iter().filter(|other| {
            let (its, wanted, _) = self.sought(**other);
            self.stands(**other) && wanted.is_none() && its == queue && self.spot(**other) < own
        });
        let needs = super::look::needs_at(self.route(item), self.items[item].step);
        self.wait_at(before.count() as u64 + 1, queue, self.on_duty(queue, &needs))
    }

    pub fn wait_at(&self, position: u64, queue: QueueKey, agents: u64) -> Option<u64> {
        let over = self.jobs.iter().filter(|job| job.queue == queue && !job.undone && job.over.is_some());
        let times: Vec<u64> = over.filter_map(|job| Some(job.over?.0 - job.started.0)).collect();
        let mean = times.iter().sum::<u64>().checked_div(times.len() as u64).unwrap_or(180_000);
        (position * mean).checked_div(agents)
    }

    pub fn service_level_ppm(&self, queue: QueueKey) -> u32 {
        let visits: Vec<_> =
            self.items.iter().flat_map(|item| &item.visits).filter(|visit| visit.queue == queue).collect();
        let met = visits.iter().filter(|visit| visit.answered == Some(true)).count() as u64;
        let answered = visits.iter().filter(|visit| visit.answered.is_some()).count() as u64;
        let late = visits.iter().filter(|visit| visit.abandoned == Some(false)).count() as u64;
        let ppm = (met * 1_000_000).checked_div(answered + late).unwrap_or(1_000_000);
        u32::try_from(ppm).expect("a share")
    }

    pub fn is_waiting(&self, item: usize) -> bool {
        self.items[item].state == State::Waiting
    }
}
