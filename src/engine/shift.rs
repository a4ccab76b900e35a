//! Clocks on the wall: hours turn, shifts end, days begin anew, skills run out. What a calendar says travels in the
//! event; applying it needs none.

use super::agent::Today;
use super::channel::Channel;
use super::deadline::Deadline;
use super::event::{Event, ExitCause};
use super::explain::Exclusion;
use super::hours::{Phase, phase};
use super::ids::{AgentKey, HoursKey, InteractionId, QueueKey, SkillKey};
use super::interaction::{Interaction, State};
use super::route::Exit;
use super::shard::{Shard, Step};
use super::time::Time;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl Step<'_> {
    /// Looks hours up again: they turned, a day is over, or they were changed.
    pub fn look_up_hours(&mut self, hours: HoursKey) {
        let Some(entry) = self.shard.floor.hours.live(u32::from(hours.0)) else { return };
        let before = self.shard.phases.get(&hours).copied();
        let now = phase(&entry.spec, self.shard.now);
        if before == Some(now) {
            return;
        }
        self.emit(Event::HoursTurned { hours, phase: now });
        let mut in_line = Vec::new();
        match (before.is_none_or(|before| before.open), now.open) {
            (_, true) => in_line = self.release_held(),
            (true, false) => self.close_queues(hours),
            (false, false) => {}
        }
        self.shifts_turned(hours);
        in_line.into_iter().for_each(|interaction| self.line_up(interaction));
    }

    /// With people waiting: by policy they stay, or leave by the exit.
    fn close_queues(&mut self, hours: HoursKey) {
        for interaction in self.shard.waiting_under(hours) {
            let subject = self.shard.subject(interaction);
            if subject.state != State::Waiting {
                continue;
            }
            let exit = subject.route().at_closing.clone();
            if exit != Exit::Keep {
                self.take_exit(interaction, &exit, ExitCause::QueueClosed);
            }
        }
    }

    /// Agents whose shift began, or whose day is new, may have work to take.
    fn shifts_turned(&mut self, hours: HoursKey) {
        for agent in self.shard.agents_on(hours) {
            self.seek_work(agent);
        }
    }

    pub fn skill_expired(&mut self, agent: AgentKey, skill: SkillKey) {
        self.emit(Event::SkillExpired { agent, skill });
    }

    /// The agent counts as responding again.
    pub fn recovered(&mut self, agent: AgentKey) {
        self.emit(Event::Responding { agent, by: super::event::EndedBy::Clock });
        self.seek_work(agent);
    }

    /// A new day for somebody who had taken as many as allowed. Only caches change: nothing to tell.
    pub fn new_day(&mut self, agent: AgentKey) {
        self.shard.deadlines.disarm(Deadline::NewDay(agent));
        self.seek_work(agent);
    }
}

impl Shard {
    fn waiting_under(&self, hours: HoursKey) -> Vec<InteractionId> {
        let queues = self.floor.queues.entries().iter().enumerate();
        queues
            .filter(|(_, entry)| entry.spec.hours == Some(hours))
            .map(|(index, _)| QueueKey(u16::try_from(index).expect("queue keys are u16")))
            .flat_map(|queue| self.lines.by_entry(queue).collect::<Vec<_>>())
            .collect()
    }

    fn agents_on(&self, shift: HoursKey) -> Vec<AgentKey> {
        let on = |agent: &&std::sync::Arc<super::agent::Agent>| self.spec(agent.key).shift == Some(shift);
        self.agents.iter().filter(on).map(|agent| agent.key).collect()
    }

    /// Outside the shift, or handling would go on too long after it.
    pub(super) fn off_shift(&self, agent: AgentKey, subject: &Interaction) -> Option<Exclusion> {
        let phase = self.phases.get(&self.spec(agent).shift?)?;
        if !phase.open {
            return Some(Exclusion::OffShift);
        }
        let route = match subject.seek() {
            Some(seek) => seek.plan.entry(),
            None => subject.route(),
        };
        let done = self.now.after(route.expected_handle_ms);
        let latest = phase.until?.after(self.capacity_of(agent).shift_overrun_ms);
        (done > latest).then_some(Exclusion::ShiftEnds)
    }

    pub(super) fn daily_maximum(&self, agent: &super::agent::Agent, channel: Channel) -> Option<Exclusion> {
        let max = self.capacity_of(agent.key).of(channel).daily_max?;
        let today = self.now < agent.today.ends;
        let accepted = if today { agent.today.accepted[channel.index()] } else { 0 };
        // An open offer may be accepted: with those open there must be no more than allowed.
        let asked = agent.ledger.offers_on(channel);
        (accepted.saturating_add(asked) >= max).then_some(Exclusion::DailyMaximum)
    }

    /// Counts an accept. The day ends by the shift's clock, or at midnight UTC.
    pub(super) fn count_today(&mut self, key: AgentKey, channel: Channel) {
        let now = self.now;
        let shift = self.spec(key).shift.and_then(|hours| self.phases.get(&hours));
        let ends = shift.map_or(Time(now.0 - now.0 % DAY_MS + DAY_MS), |phase| phase.midnight);
        let max = self.capacity_of(key).of(channel).daily_max;
        let agent = self.agent_mut(key);
        if now >= agent.today.ends {
            agent.today = Today { ends, accepted: [0; 7] };
        }
        let count = &mut agent.today.accepted[channel.index()];
        *count = count.saturating_add(1);
        if max.is_some_and(|max| *count >= max) {
            self.deadlines.arm(Deadline::NewDay(key), ends);
        }
    }

    pub(super) fn hours_turned(&mut self, hours: HoursKey, phase: Phase) {
        self.deadlines.arm(Deadline::Hours(hours), phase.ends());
        self.phases.insert(hours, phase);
    }

    /// When the skill runs out it is not there any more.
    pub(super) fn skill_ran_out(&mut self, agent: AgentKey, skill: SkillKey) {
        self.deadlines.disarm(Deadline::Skill(agent, skill));
        let revision = self.sequence.0;
        self.floor.agents.change(agent.0, revision, |spec| spec.skills.retain(|held| held.skill != skill));
        self.find_profile(agent);
        self.reindex(agent);
    }

    pub(super) fn arm_skills(&mut self, agent: AgentKey, old: &[super::skill::Skill]) {
        for held in old {
            self.deadlines.disarm(Deadline::Skill(agent, held.skill));
        }
        let new = self.spec(agent).skills.clone();
        for held in new {
            if let Some(at) = held.expires {
                self.deadlines.arm(Deadline::Skill(agent, held.skill), at);
            }
        }
    }
}
