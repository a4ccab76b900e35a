//! Who for whom: every agent against every interaction, asked anew each time.

use super::state::{Item, Twin, agent_key, item_id, needs_at};
use baton::engine::agent::{Liveness, Presence};
use baton::engine::capacity::CapacitySpec;
use baton::engine::channel::Channel;
use baton::engine::explain::{Candidate, Decision, Exclusion, Rival, Trigger, WaitReason};
use baton::engine::ids::{AgentKey, InteractionId};
use baton::engine::interaction::{State, Wanted, WantedBy};
use baton::engine::plan::Plan;
use baton::engine::route::Needs;
use baton::engine::time::Time;

/// Smaller is served first.
pub type Order = (bool, i64, Time, InteractionId);

impl Twin {
    fn key(&self, item: &Item) -> i64 {
        let ms = |ms: u64| i64::try_from(ms).expect("bounded");
        let points = i64::from(item.plan.priority) * 60_000 + ms(item.plan.head_start_ms);
        let own = ms(item.entered.0) - points;
        item.callback.map_or(own, |promised| own.min(ms(promised.until.0) - 600_000))
    }

    pub fn order(&self, item: usize) -> Order {
        let one = &self.items[item];
        (!one.overdue, self.key(one), one.entered, item_id(item))
    }

    fn score(&self, item: usize) -> i64 {
        i64::try_from(self.now.0).expect("bounded") - self.key(&self.items[item])
    }

    pub fn capacity_of(&self, agent: usize) -> &CapacitySpec {
        let spec = &self.agents[agent].spec;
        match (&spec.capacity, spec.group) {
            (Some(own), _) => own,
            (None, Some(group)) => &self.groups[group.index()].spec.capacity,
            (None, None) => &self.capacity_default,
        }
    }

    /// What stays in use if this channel interrupts what it may.
    fn used_beside(&self, agent: usize, channel: Channel) -> u32 {
        let spec = self.capacity_of(agent);
        let stays = |hold: &&super::state::Hold| !gives_way(hold, channel, spec);
        self.holds(agent).iter().filter(stays).map(|hold| u32::from(hold.units)).sum()
    }

    pub fn no_room(&self, agent: usize, channel: Channel, overdraws: bool) -> Option<Exclusion> {
        let spec = self.capacity_of(agent);
        let takes = spec.channels[channel.index()];
        let holds = self.holds(agent);
        let rings = holds.iter().filter(|hold| hold.ring.is_some()).count();
        let back = self.interrupted_at(agent).into_iter().filter(|job| self.jobs[*job].channel == channel);
        let count = holds.iter().filter(|hold| hold.channel == channel).count() + back.count();
        if count >= usize::from(takes.limit) && !overdraws {
            return Some(Exclusion::ChannelLimit);
        }
        if self.used_beside(agent, channel) + u32::from(takes.units) > u32::from(spec.units) && !overdraws {
            return Some(Exclusion::CapacityFull);
        }
        (rings >= usize::from(spec.open_offers_max)).then_some(Exclusion::AnsweringAnOffer)
    }

    fn away(&self, agent: usize) -> Option<Exclusion> {
        let person = &self.people[agent];
        if person.presence == Presence::SignedOut {
            Some(Exclusion::SignedOut)
        } else if person.liveness != Liveness::Live {
            Some(Exclusion::SessionLost)
        } else if person.presence == Presence::OnBreak || person.pending.is_some() {
            Some(Exclusion::OnBreak)
        } else {
            person.not_responding.then_some(Exclusion::NotResponding)
        }
    }

    fn missing(&self, agent: usize, needs: &Needs) -> Option<Exclusion> {
        let spec = &self.agents[agent].spec;
        for need in &needs.requirements {
            match spec.skills.iter().find(|held| held.skill == need.skill) {
                None => {
                    return Some(Exclusion::SkillMissing { skill: need.skill, needs: need.proficiency });
                }
                Some(held) if held.proficiency < need.proficiency => {
                    let (skill, has, needs) = (need.skill, held.proficiency, need.proficiency);
                    return Some(Exclusion::ProficiencyTooLow { skill, has, needs });
                }
                Some(_) => {}
            }
        }
        let own = spec.group.is_some_and(|group| needs.groups.contains(&group));
        (!needs.groups.is_empty() && !own).then_some(Exclusion::OtherGroup)
    }

    pub fn unmet(&self, agent: usize, needs: &[Needs]) -> Option<Exclusion> {
        let missing: Vec<_> = needs.iter().map(|one| self.missing(agent, one)).collect();
        if missing.contains(&None) { None } else { missing[0] }
    }

    /// Why this agent cannot take it now, if it waited for `wanted`.
    pub fn excluded(
        &self,
        agent: usize,
        item: usize,
        wanted: Option<Wanted>,
        asks: bool,
    ) -> Option<Exclusion> {
        let one = &self.items[item];
        let own = wanted.filter(|wanted| wanted.agent == agent_key(agent));
        let by_person = own.is_some_and(|own| matches!(own.by, WantedBy::Colleague | WantedBy::Supervisor));
        let queue = one.sought_way().queue;
        if self.agents[agent].spec.pool != self.queue(queue).pool {
            return Some(Exclusion::OtherPool);
        }
        if let Some(away) = self.away(agent) {
            return Some(away);
        }
        if let Some(unmet) = self.unmet(agent, one.needs()).filter(|_| !by_person) {
            return Some(unmet);
        }
        if self.rings_of(item).iter().any(|ring| self.rings[*ring].agent == agent) {
            return Some(Exclusion::AlreadyAsked);
        }
        if self.talking_in(item).iter().any(|job| self.jobs[*job].agent == agent) {
            return Some(Exclusion::AlreadyOnIt);
        }
        if wanted.is_some() && own.is_none() {
            return Some(Exclusion::WaitsForAnother);
        }
        let cools =
            |cool: &super::state::Cool| cool.pair.agent == agent_key(agent) && cool.pair.until > self.now;
        if !by_person && !asks && one.cools.iter().any(cools) {
            return Some(Exclusion::CoolingDown);
        }
        if let Some(off) = self.off_shift(agent, one).or_else(|| self.daily_maximum(agent, one.channel)) {
            return Some(off);
        }
        let overdraws = !asks && own.is_some_and(|own| own.overdraw);
        let room = self.no_room(agent, one.channel, overdraws);
        room.filter(|reason| !asks || *reason != Exclusion::AnsweringAnOffer)
    }

    pub fn exclusion(&self, agent: usize, item: usize) -> Option<Exclusion> {
        self.excluded(agent, item, self.items[item].sought_wanted(), false)
    }

    fn off_shift(&self, agent: usize, item: &Item) -> Option<Exclusion> {
        let phase = self.phase_of(self.agents[agent].spec.shift)?;
        if !phase.open {
            return Some(Exclusion::OffShift);
        }
        let done = self.now.after(item.sought_way().expected_handle_ms);
        let latest = phase.until?.after(self.capacity_of(agent).shift_overrun_ms);
        (done > latest).then_some(Exclusion::ShiftEnds)
    }

    fn daily_maximum(&self, agent: usize, channel: Channel) -> Option<Exclusion> {
        let max = self.capacity_of(agent).channels[channel.index()].daily_max?;
        let person = &self.people[agent];
        let accepted = if self.now < person.day_ends { person.accepted[channel.index()] } else { 0 };
        let asked = self.holds(agent).iter().filter(|h| h.ring.is_some() && h.channel == channel).count();
        (usize::from(accepted) + asked >= usize::from(max)).then_some(Exclusion::DailyMaximum)
    }

    /// Who may have room for something, best first.
    pub fn ready(&self) -> Vec<usize> {
        let mut ready: Vec<(u32, Time, usize)> = Vec::new();
        for agent in 0..self.people.len() {
            if self.away(agent).is_some() {
                continue;
            }
            let spec = self.capacity_of(agent);
            let beside = Channel::ALL.into_iter().map(|channel| self.used_beside(agent, channel)).min();
            let least = spec.channels.iter().map(|takes| u32::from(takes.units)).min();
            let room = beside.unwrap_or(0) + least.unwrap_or(0) <= u32::from(spec.units);
            let rings = self.rings_at(agent).len();
            if room && rings < usize::from(spec.open_offers_max) {
                ready.push((self.used(agent), self.people[agent].idle_since, agent));
            }
        }
        ready.sort();
        ready.into_iter().map(|(_, _, agent)| agent).collect()
    }

    fn candidate(&self, agent: usize, exclusion: Option<Exclusion>) -> Candidate {
        Candidate {
            agent: agent_key(agent),
            exclusion,
            used: self.used(agent),
            idle_ms: self.now.since(self.people[agent].idle_since),
        }
    }

    /// Whom to ask; of equals, who just missed it comes last.
    pub fn agents_for(&self, item: usize, missed: Option<usize>) -> (Vec<usize>, Decision) {
        let one = &self.items[item];
        let mut looked_at = match one.sought_wanted() {
            Some(wanted) => vec![wanted.agent.index()],
            None => self.ready(),
        };
        looked_at.sort_by_key(|agent| one.sought_wanted().is_none() && Some(*agent) == missed);
        let alone = one.seek.is_some() || one.wanted.is_some();
        let at_once = if alone { 1 } else { usize::from(self.queue(one.queue()).broadcast.max(1)) };
        let able: Vec<usize> =
            looked_at.iter().copied().filter(|agent| self.exclusion(*agent, item).is_none()).collect();
        let mut chosen: Vec<usize> = able.iter().copied().take(at_once).collect();
        if chosen.len() > 1 {
            chosen.retain(|agent| Some(*agent) != missed);
        }
        // Eight are stored: the best, and every chosen one, who takes the last place if need be.
        let mut stored: Vec<Candidate> = Vec::new();
        let mut found = 0;
        for agent in &looked_at {
            let picked = chosen.contains(agent);
            found += usize::from(picked);
            let exclusion = if picked {
                None
            } else {
                Some(self.exclusion(*agent, item).unwrap_or(Exclusion::RankedLower))
            };
            if stored.len() == 8 && picked {
                stored.pop();
            }
            if stored.len() < 8 {
                stored.push(self.candidate(*agent, exclusion));
            }
            if found == at_once && stored.len() == 8 {
                break;
            }
        }
        let reason = chosen.is_empty().then(|| self.reason_to_wait(item, &looked_at));
        (chosen, self.decision(Trigger::InteractionWaits, item, reason, stored, Vec::new()))
    }

    fn reason_to_wait(&self, item: usize, looked_at: &[usize]) -> WaitReason {
        let one = &self.items[item];
        let barred: Vec<Exclusion> =
            looked_at.iter().filter_map(|agent| self.exclusion(*agent, item)).collect();
        let over = [Exclusion::OffShift, Exclusion::ShiftEnds, Exclusion::DailyMaximum];
        if one.sought_wanted().is_some() {
            WaitReason::WaitsForAgent
        } else if self.on_duty(one.sought_way().queue, one.needs()) == 0 {
            WaitReason::NoAgentQualifies
        } else if barred.contains(&Exclusion::CoolingDown) {
            WaitReason::CoolingDown
        } else if barred.iter().any(|one| over.contains(one)) {
            WaitReason::ShiftsEnd
        } else {
            WaitReason::AllAgentsBusy
        }
    }

    /// How many who qualify are signed in and connected.
    pub fn on_duty(&self, queue: baton::engine::ids::QueueKey, needs: &[Needs]) -> u32 {
        let counts = |agent: &usize| {
            let person = &self.people[*agent];
            person.presence != Presence::SignedOut
                && person.liveness == Liveness::Live
                && self.meets(*agent, queue, needs)
        };
        u32::try_from((0..self.people.len()).filter(counts).count()).expect("few agents")
    }

    pub fn meets(&self, agent: usize, queue: baton::engine::ids::QueueKey, needs: &[Needs]) -> bool {
        self.agents[agent].spec.pool == self.queue(queue).pool && self.unmet(agent, needs).is_none()
    }

    /// How many are ready for one like it.
    pub fn free_agents(&self, plan: &Plan, route: u8, channel: Channel) -> u32 {
        let way = &plan.routes[usize::from(route)];
        let free = self.ready().into_iter().filter(|agent| {
            self.meets(*agent, way.queue, needs_at(way, 0)) && self.no_room(*agent, channel, false).is_none()
        });
        u32::try_from(free.count()).expect("few agents")
    }

    /// What this agent is to be asked next.
    pub fn work_for(&self, agent: usize) -> Option<(usize, Decision)> {
        let mut able: Vec<Order> = (0..self.items.len())
            .filter(|item| !self.items[*item].state.is_over() && self.stands(*item))
            .filter(|item| self.exclusion(agent, *item).is_none())
            .map(|item| self.order(item))
            .collect();
        able.sort();
        let at = |order: &Order| usize::try_from(order.3.0 - 1).expect("few interactions");
        let chosen = at(able.first()?);
        let rivals = able.iter().skip(1).take(3);
        let rivals =
            rivals.map(|order| Rival { interaction: order.3, score: self.score(at(order)) }).collect();
        let candidates = vec![self.candidate(agent, None)];
        Some((chosen, self.decision(Trigger::AgentFree, chosen, None, candidates, rivals)))
    }

    pub fn pulled(&self, item: usize, agent: usize) -> Decision {
        self.decision(Trigger::Pulled, item, None, vec![self.candidate(agent, None)], Vec::new())
    }

    fn decision(
        &self,
        trigger: Trigger,
        item: usize,
        wait_reason: Option<WaitReason>,
        agents: Vec<Candidate>,
        rivals: Vec<Rival>,
    ) -> Decision {
        Decision {
            trigger,
            score: self.score(item),
            wait_ms: self.now.since(self.items[item].entered),
            wait_reason,
            ready: u32::try_from(self.ready().len()).expect("few agents"),
            agents,
            rivals,
        }
    }

    /// How long one would have to wait at a place of a queue, `None` while nobody qualifies.
    pub fn wait_at(&self, position: u64, queue: baton::engine::ids::QueueKey, agents: u32) -> Option<u64> {
        let done = self.jobs.iter().filter(|job| job.queue == queue && !job.undone);
        let times: Vec<u64> = done.filter_map(|job| Some(job.over?.since(job.started))).collect();
        let mean = times.iter().sum::<u64>().checked_div(times.len() as u64).unwrap_or(180_000);
        (position * mean).checked_div(u64::from(agents))
    }

    pub fn waiting_in(&self, queue: baton::engine::ids::QueueKey) -> Vec<usize> {
        let waits = |item: &usize| {
            let one = &self.items[*item];
            one.state == State::Waiting && one.queue() == queue
        };
        (0..self.items.len()).filter(waits).collect()
    }

    /// Signed in, and not removed.
    pub fn is_there(&self, agent: AgentKey) -> bool {
        self.live_agent(agent).is_some_and(|agent| self.people[agent].presence != Presence::SignedOut)
    }
}

/// A conversation that this channel may interrupt.
pub fn gives_way(hold: &super::state::Hold, channel: Channel, spec: &CapacitySpec) -> bool {
    let live = matches!(hold.channel, Channel::Voice | Channel::Video);
    let may = spec.channels[hold.channel.index()].interruptible_by.contains(channel);
    hold.talks && hold.units > 0 && hold.channel != channel && !live && may
}
