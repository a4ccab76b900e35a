//! Time: what is due next is the least of all that is due, found by looking at everything.

use super::state::{Item, Twin, agent_key, item_id, job_id, offer_id};
use baton::engine::agent::Liveness;
use baton::engine::deadline::Deadline;
use baton::engine::event::{EndedBy, Event, RescindCause};
use baton::engine::ids::{HoursKey, InteractionId};
use baton::engine::interaction::{State, Until};
use baton::engine::route::Exit;
use baton::engine::time::Time;

impl Twin {
    pub fn due(&self) -> Option<(Time, Deadline)> {
        let mut all = Vec::new();
        all.extend(
            self.open.iter().map(|ring| (self.rings[*ring].expires, Deadline::Offer(offer_id(*ring)))),
        );
        for (index, job) in self.jobs.iter().enumerate().filter(|(_, job)| job.over.is_none()) {
            let id = job_id(index);
            all.extend(job.wrap_up_until.map(|at| (at, Deadline::WrapUp(id))));
            all.extend(job.lost.map(|at| (at, Deadline::Agent(id))));
            all.extend(job.connect.map(|at| (at, Deadline::Connect(id))));
        }
        all.extend(self.phases.iter().map(|(hours, phase)| (phase.ends(), Deadline::Hours(*hours))));
        for (index, person) in self.people.iter().enumerate() {
            let key = agent_key(index);
            let skills = self.agents[index].spec.skills.iter();
            all.extend(skills.filter_map(|held| Some((held.expires?, Deadline::Skill(key, held.skill)))));
            all.extend(person.recovers.map(|at| (at, Deadline::Recover(key))));
            all.extend(person.new_day.map(|at| (at, Deadline::NewDay(key))));
        }
        for (index, item) in self.items.iter().enumerate().filter(|(_, item)| !item.state.is_over()) {
            self.due_of(index, item, &mut all);
        }
        all.into_iter().min()
    }

    fn due_of(&self, index: usize, item: &Item, all: &mut Vec<(Time, Deadline)>) {
        let id = item_id(index);
        let cools = item.cools.iter().filter(|cool| cool.due);
        all.extend(cools.map(|cool| (cool.pair.until, Deadline::CoolDown(id, cool.pair.agent))));
        if let Some(Until::At(at)) = item.scheduled {
            all.push((at, Deadline::Due(id)));
        }
        all.extend(item.max_wait.map(|at| (at, Deadline::MaxWait(id))));
        all.extend(item.window.map(|at| (at, Deadline::Window(id))));
        all.extend(item.gone.map(|at| (at, Deadline::Source(id))));
        all.extend(item.seek.as_ref().map(|seek| (seek.until, Deadline::Seek(id))));
        if let Some(wanted) = item.sought_wanted().filter(|_| self.stands(index)) {
            all.push((wanted.until, Deadline::Preference(id)));
        }
        if item.state == State::Waiting {
            all.extend(next_step(item).map(|at| (at, Deadline::Relax(id))));
            if !item.way().overflow.is_empty() || item.past_last_step() {
                let from = item.in_queue_from;
                let checks = item.looked.since(from) / 5_000 + 1;
                all.push((from.after(checks * 5_000), Deadline::Overflow(id)));
            }
        }
    }

    pub fn pass_time(&mut self, now: Time) {
        while let Some((at, deadline)) = self.due().filter(|(at, _)| *at <= now) {
            // Found in the past by recovery, it was looked at then.
            if let Deadline::Overflow(item) = deadline
                && at < self.now
            {
                self.stood(usize::try_from(item.0 - 1).expect("few interactions"));
                continue;
            }
            self.now = self.now.max(at);
            self.fire(deadline);
        }
        self.now = now;
    }

    fn fire(&mut self, deadline: Deadline) {
        let at = |id: InteractionId| usize::try_from(id.0 - 1).expect("few interactions");
        match deadline {
            Deadline::Offer(offer) => self.expire(usize::try_from(offer.0 - 1).expect("few offers")),
            Deadline::WrapUp(job) => {
                self.end_wrap_up(usize::try_from(job.0 - 1).expect("few"), EndedBy::Clock)
            }
            Deadline::CoolDown(id, agent) => self.cooled_down(at(id), agent.index()),
            Deadline::Agent(job) => self.agent_gone(usize::try_from(job.0 - 1).expect("few")),
            Deadline::Hours(hours) => self.look_up(hours),
            Deadline::Skill(agent, skill) => {
                self.tell(Event::SkillExpired { agent, skill });
                let revision = self.sequence;
                let thing = &mut self.agents[agent.index()];
                thing.revision = revision;
                thing.spec.skills.retain(|held| held.skill != skill);
            }
            Deadline::Recover(agent) => {
                self.responds(agent.index(), EndedBy::Clock);
                self.seek_work(agent.index());
            }
            Deadline::NewDay(agent) => {
                self.people[agent.index()].new_day = None;
                self.seek_work(agent.index());
            }
            Deadline::Connect(job) => self.connect(usize::try_from(job.0 - 1).expect("few"), true),
            Deadline::Due(id) => self.becomes_due(at(id)),
            Deadline::Preference(id) => self.preference_spent(at(id)),
            Deadline::MaxWait(id) => self.becomes_overdue(at(id)),
            Deadline::Relax(id) => self.relax(at(id)),
            Deadline::Overflow(id) => self.look_for_overflow(at(id)),
            Deadline::Window(id) => {
                self.items[at(id)].window = None;
                self.tell(Event::WindowMissed { interaction: id });
            }
            Deadline::Seek(id) => self.seek_timed_out(at(id)),
            Deadline::Source(id) => self.source_gone(at(id)),
        }
    }

    /// Everybody is gone, nobody is blamed, and whoever is lost has the whole grace again.
    pub fn restart(&mut self, now: Time) {
        let open: Vec<usize> = (0..self.people.len()).flat_map(|agent| self.rings_at(agent)).collect();
        self.tell(Event::Restarted { down_from: self.now, down_to: now });
        for agent in 0..self.people.len() {
            if self.people[agent].liveness == Liveness::Live {
                self.lose(agent);
            }
            if self.people[agent].liveness == Liveness::Lost {
                self.start_agent_grace(agent, now);
            }
        }
        for (name, live) in self.sources.clone() {
            if live == Some(false) {
                self.start_source_grace(&name, now);
            }
        }
        for ring in open {
            self.rescind(ring, RescindCause::EngineRestart);
        }
    }

    pub fn hours_open(&self, hours: Option<HoursKey>) -> bool {
        self.phase_of(hours).is_none_or(|phase| phase.open)
    }
}

fn next_step(item: &Item) -> Option<Time> {
    let (way, step) = (item.way(), usize::from(item.step));
    if let Some(next) = way.relaxation.get(step) {
        return Some(item.in_queue_from.after(next.after_ms));
    }
    let last = step == way.relaxation.len() && way.last_step.exit != Exit::Keep;
    last.then(|| item.in_queue_from.after(way.last_step.after_ms))
}
