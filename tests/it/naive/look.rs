//! What is looked up by looking at everything.

use super::twin::{Item, Job, Twin};
use baton::engine::capacity::CapacitySpec;
use baton::engine::channel::Channel;
use baton::engine::ids::QueueKey;
use baton::engine::interaction::{Part, State, Wanted};
use baton::engine::route::{Exit, Needs, Route};
use baton::engine::score::{CALLBACK_DUE_MS, PRIORITY_POINT_MS};
use baton::engine::time::Time;

/// Where it stands, smaller is served first.
pub type Spot = (bool, i64, Time, usize);

impl Twin {
    /// The open offers of an interaction, oldest first.
    pub fn rings_of(&self, item: usize) -> Vec<usize> {
        let of = |ring: &usize| self.rings[*ring].ending.is_none() && self.rings[*ring].item == item;
        self.open_rings.iter().copied().filter(of).collect()
    }

    /// The offers open to an agent, oldest first.
    pub fn rings_at(&self, agent: usize) -> Vec<usize> {
        let to = |ring: &usize| {
            let ring = &self.rings[*ring];
            ring.ending.is_none() && ring.agent.index() == agent
        };
        self.open_rings.iter().copied().filter(to).collect()
    }

    /// The assignments of an interaction that are not over, oldest first.
    pub fn jobs_of(&self, item: usize) -> Vec<usize> {
        let of = |job: &usize| self.jobs[*job].over.is_none() && self.jobs[*job].item == item;
        self.open_jobs.iter().copied().filter(of).collect()
    }

    pub fn talking(&self, item: usize) -> Vec<usize> {
        self.jobs_of(item).into_iter().filter(|job| self.jobs[*job].talks()).collect()
    }

    /// The oldest member of the conference who is still there.
    pub fn next_owner(&self, item: usize) -> Option<usize> {
        self.talking(item).into_iter().find(|job| self.jobs[*job].part == Part::Member)
    }

    fn jobs_at(&self, agent: usize) -> impl Iterator<Item = &Job> {
        let holds = move |job: &&Job| job.over.is_none() && !job.interrupted && job.agent.index() == agent;
        self.open_jobs.iter().map(|job| &self.jobs[*job]).filter(holds)
    }

    /// Units held by an agent.
    pub fn used(&self, agent: usize) -> u32 {
        let rings = self.rings_at(agent).into_iter().map(|ring| u32::from(self.rings[ring].units));
        rings.chain(self.jobs_at(agent).map(|job| u32::from(job.held))).sum()
    }

    /// Units held if a channel interrupted what it may.
    pub fn used_beside(&self, agent: usize, channel: Channel) -> u32 {
        let gives: u32 = self
            .jobs_at(agent)
            .filter(|job| self.gives_way(job, channel))
            .map(|job| u32::from(job.held))
            .sum();
        self.used(agent) - gives
    }

    pub fn gives_way(&self, job: &Job, channel: Channel) -> bool {
        let may = self.may_interrupt(job.agent.index(), job.channel, channel);
        may && job.talks() && !job.interrupted && job.held > 0
    }

    /// Never a call, and never by its own channel.
    pub fn may_interrupt(&self, agent: usize, its: Channel, by: Channel) -> bool {
        let listed = self.capacity(agent).of(its).interruptible_by.contains(by);
        listed && its != by && !its.is_connected_by_platform()
    }

    /// How many of a channel an agent holds.
    pub fn held_on(&self, agent: usize, channel: Channel) -> usize {
        let jobs = self.jobs_at(agent).filter(|job| job.channel == channel).count();
        self.asked_on(agent, channel) + jobs
    }

    pub fn asked_on(&self, agent: usize, channel: Channel) -> usize {
        self.rings_at(agent).into_iter().filter(|ring| self.rings[*ring].channel == channel).count()
    }

    /// True if an agent holds nothing, not even something that costs nothing, and nothing gave way.
    pub fn empty_handed(&self, agent: usize) -> bool {
        self.rings_at(agent).is_empty()
            && !self
                .open_jobs
                .iter()
                .map(|job| &self.jobs[*job])
                .any(|job| job.over.is_none() && job.agent.index() == agent)
    }

    /// No claim at all, whatever gave way.
    pub fn holds_nothing(&self, agent: usize) -> bool {
        self.rings_at(agent).is_empty() && self.jobs_at(agent).next().is_none()
    }

    pub fn capacity(&self, agent: usize) -> CapacitySpec {
        let spec = &self.agents[agent].spec;
        let group = spec.group.and_then(|group| self.groups.get(group.index()));
        let own = spec.capacity.clone();
        own.or_else(|| group.map(|group| group.spec.capacity.clone())).unwrap_or_default()
    }

    pub fn route(&self, item: usize) -> &Route {
        let item = &self.items[item];
        &item.plan.routes[item.route]
    }

    pub fn queue(&self, item: usize) -> QueueKey {
        self.route(item).queue
    }

    pub fn is_past_last_step(&self, item: usize) -> bool {
        self.items[item].step > self.route(item).relaxation.len()
    }

    /// Where an agent is looked for: the queue, the needs, how long it takes, whom it waits for, and what for.
    pub fn sought(&self, item: usize) -> (QueueKey, Option<Wanted>, Part) {
        match &self.items[item].seek {
            Some(seek) => (seek.plan.routes[0].queue, seek.wanted, seek.part),
            None => (self.queue(item), self.items[item].wanted, Part::Owner),
        }
    }

    pub fn needs(&self, item: usize) -> Vec<Needs> {
        match &self.items[item].seek {
            Some(seek) => seek.plan.routes[0].needs.clone(),
            None => needs_at(self.route(item), self.items[item].step),
        }
    }

    pub fn handle_ms(&self, item: usize) -> u64 {
        match &self.items[item].seek {
            Some(seek) => seek.plan.routes[0].expected_handle_ms,
            None => self.route(item).expected_handle_ms,
        }
    }

    /// In line: it waits, or a second agent is looked for and nobody is being asked.
    pub fn stands(&self, item: usize) -> bool {
        let this = &self.items[item];
        this.state == State::Waiting || (this.seek.is_some() && self.rings_of(item).is_empty())
    }

    pub fn spot(&self, item: usize) -> Spot {
        let this = &self.items[item];
        (!this.overdue, self.now.0 as i64 - self.score(item), this.entered, item)
    }

    /// By its facts, or so long after it came or may begin; the earlier counts.
    fn done_by(&self, item: usize) -> Option<Time> {
        let Item { entered, plan, due, not_before, .. } = &self.items[item];
        let begins = not_before.map_or(entered.0, |at| at.0.max(entered.0));
        let by_rule = plan.deadline_ms.map(|ms| Time(begins + ms));
        match (*due, by_rule) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    pub fn score(&self, item: usize) -> i64 {
        let Item { entered, plan, callback, .. } = &self.items[item];
        let from = match self.done_by(item) {
            Some(due) if plan.by_due => due.0 as i64 - plan.goals.answer_within_ms as i64,
            _ => entered.0 as i64,
        };
        let advance = i64::from(plan.priority) * PRIORITY_POINT_MS + plan.head_start_ms as i64;
        let by_entry = self.now.0 as i64 - from + advance;
        let promised = callback.map(|one| self.now.0 as i64 - one.until.0 as i64 + CALLBACK_DUE_MS);
        promised.map_or(by_entry, |promised| by_entry.max(promised))
    }

    /// When the next step of relaxation is due.
    pub fn next_step(&self, item: usize) -> Option<Time> {
        let (route, this) = (self.route(item), &self.items[item]);
        let after_ms = match route.relaxation.get(this.step) {
            Some(step) => step.after_ms,
            None if self.is_past_last_step(item) || route.last_step.exit == Exit::Keep => return None,
            None => route.last_step.after_ms,
        };
        Some(Time(this.in_queue_from.0 + after_ms))
    }

    /// In a queue by their state, and not answered in this visit.
    pub fn unanswered(&self, queue: QueueKey) -> u32 {
        let count = self.open_items.iter().filter(|item| {
            self.queue(**item) == queue
                && self.items[**item].state.is_unanswered()
                && !self.visit_answered(**item)
        });
        u32::try_from(count.count()).expect("few")
    }

    pub fn visit_answered(&self, item: usize) -> bool {
        self.items[item].visits.last().is_some_and(|visit| visit.answered.is_some())
    }

    pub fn waiting(&self, queue: QueueKey) -> Vec<usize> {
        let waits = |item: &usize| self.items[*item].state == State::Waiting && self.queue(*item) == queue;
        self.open_items.iter().copied().filter(waits).collect()
    }

    pub fn is_open(&self, queue: QueueKey) -> bool {
        let hours = self.queues[queue.index()].spec.hours;
        hours.is_none_or(|hours| self.phases[hours.index()].is_none_or(|phase| phase.open))
    }

    pub fn has_room(&self, queue: QueueKey, gives_up: Option<QueueKey>) -> bool {
        let taken = self.unanswered(queue) - u32::from(gives_up == Some(queue));
        taken < self.queues[queue.index()].spec.waiting_max
    }
}

pub fn needs_at(route: &Route, step: usize) -> Vec<Needs> {
    match step.min(route.relaxation.len()) {
        0 => route.needs.clone(),
        step => route.relaxation[step - 1].needs.clone(),
    }
}
