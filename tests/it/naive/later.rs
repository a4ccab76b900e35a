//! What waiting changes, and what is for later: steps, the one agent waited for, call-backs, work that is due.

use super::door::Answered;
use super::twin::{Twin, agent_key, id};
use baton::engine::agent::Presence;
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Refusal, Window};
use baton::engine::event::{CancelCause, Event, ExitCause, PreferenceEnd, RescindCause, SeekEnd};
use baton::engine::ids::{AgentKey, InteractionId};
use baton::engine::interaction::{Callback, State, Until};
use baton::engine::time::Time;

impl Twin {
    pub fn relax(&mut self, item: usize) {
        let step = self.items[item].step;
        let last = step >= self.route(item).relaxation.len();
        let exit = self.route(item).last_step.exit.clone();
        if last && self.take_exit(item, &exit, ExitCause::LastStep) {
            return;
        }
        self.items[item].step = step + 1;
        self.stand(item);
        let told = u8::try_from(step + 1).expect("few steps");
        self.tell(Event::Relaxed { interaction: id(item), step: told });
        if !last {
            self.seek_agent(item);
        }
    }

    pub fn preference_spent(&mut self, item: usize) {
        if self.items[item].seek.is_some() {
            self.seek_timed_out(item);
        } else {
            self.end_preference(item, PreferenceEnd::BudgetSpent);
            self.seek_agent(item);
        }
    }

    pub fn end_preference(&mut self, item: usize, cause: PreferenceEnd) {
        self.items[item].wanted = None;
        if self.stands(item) {
            self.stand(item);
        }
        self.tell(Event::PreferenceEnded { interaction: id(item), cause });
    }

    pub fn is_there(&self, agent: AgentKey) -> bool {
        let index = agent.index();
        index < self.agents.len()
            && !self.agents[index].removed
            && self.people[index].presence != Presence::SignedOut
    }

    pub fn skip_absent(&mut self, item: usize) {
        let Some(wanted) = self.items[item].wanted.filter(|_| self.items[item].seek.is_none()) else {
            return;
        };
        if !self.is_there(wanted.agent) {
            self.end_preference(item, PreferenceEnd::AgentSignedOut);
        }
    }

    /// The agent signed out: who waited for nobody else waits for anybody, and is to look for an agent.
    pub fn release_line(&mut self, agent: usize) -> Vec<usize> {
        let waits = |item: &usize| {
            self.stands(*item) && self.sought(*item).1.is_some_and(|one| one.agent == agent_key(agent))
        };
        let mut all: Vec<usize> = self.open_items.iter().copied().filter(waits).collect();
        all.sort_by_key(|item| self.spot(*item));
        let mut released = Vec::new();
        for item in all {
            if self.items[item].seek.is_some() {
                self.items[item].seek = None;
                self.tell(Event::SeekEnded { interaction: id(item), cause: SeekEnd::AgentRefused });
            } else {
                self.end_preference(item, PreferenceEnd::AgentSignedOut);
                released.push(item);
            }
        }
        released
    }

    pub fn time_max_wait(&mut self, item: usize) {
        let max = self.route(item).max_wait_ms.filter(|_| !self.items[item].overdue);
        let from = self.items[item].waits_from.0;
        self.items[item].overdue_at = max.map(|ms| Time(from + ms));
    }

    pub fn become_overdue(&mut self, item: usize) {
        (self.items[item].overdue, self.items[item].overdue_at) = (true, None);
        if self.stands(item) {
            self.stand(item);
        }
        self.tell(Event::Overdue { interaction: id(item) });
        if self.items[item].wanted.is_some() {
            self.end_preference(item, PreferenceEnd::Overdue);
            if self.stands(item) {
                self.seek_agent(item);
            }
        }
    }

    // ---- later ----

    pub fn request_callback(
        &mut self,
        interaction: InteractionId,
        channel: Channel,
        window: Window,
    ) -> Answered {
        let item = self.item(interaction)?;
        let state = self.items[item].state;
        if !state.is_unanswered() {
            return Err(Refusal::WrongState { state, wanted: "" });
        }
        let from = window.from.max(self.now);
        if window.until <= from {
            return Err(Refusal::WindowInvalid { from_ms: 0, until_ms: 0, now_ms: 0 });
        }
        let (customer, matter) = (self.items[item].customer, self.items[item].matter.clone());
        let promised = self
            .same_matter(customer, &matter, |other| other != item && self.items[other].callback.is_some());
        let age = |one: &usize| (self.items[*one].entered, *one);
        let kept = promised.into_iter().chain([item]).min_by_key(age).expect("the item itself");
        let mut freed = self.rescind_all(item, RescindCause::CallbackRequested);
        if let Some(other) = promised {
            let merged = if kept == item { other } else { item };
            freed.extend(self.rescind_all(merged, RescindCause::CallbackRequested));
            self.over(merged, State::Cancelled);
            let cause = CancelCause::Merged { into: id(kept) };
            self.tell(Event::Cancelled { interaction: id(merged), cause });
        }
        freed.extend(self.rescind_all(kept, RescindCause::CallbackRequested));
        self.plan_callback(kept, channel, from, window.until, false);
        self.seek_works(freed);
        self.look_on(kept);
        Ok(Answer::CallbackPlanned { interaction: id(kept) })
    }

    pub fn call_back_by_rule(&mut self, item: usize, within_ms: u64) {
        let hours = self.queues[self.queue(item).index()].spec.hours;
        let closed = hours.and_then(|hours| self.phases[hours.index()]).filter(|phase| !phase.open);
        let from = closed.and_then(|phase| phase.until).unwrap_or(self.now);
        let channel = self.items[item].channel;
        self.plan_callback(item, channel, from, Time(from.0 + within_ms.max(1)), true);
    }

    fn plan_callback(&mut self, item: usize, channel: Channel, from: Time, until: Time, by_rule: bool) {
        let this = &mut self.items[item];
        (this.gone, this.overdue_at, this.look) = (None, None, None);
        (this.state, this.channel) = (State::Scheduled, channel);
        let attempts = this.callback.map_or(0, |before| before.attempts);
        this.callback = Some(Callback { from, until, attempts });
        (this.scheduled, this.window) = (Some(Until::At(from)), Some(until));
        self.tell(Event::CallbackPlanned { interaction: id(item), channel, from, until, by_rule });
    }

    pub fn come_due(&mut self, item: usize) {
        if !self.is_open(self.queue(item)) {
            self.hold(item);
            return;
        }
        self.is_due(item);
        self.line_up(item);
    }

    fn is_due(&mut self, item: usize) {
        let now = self.now;
        let this = &mut self.items[item];
        (this.state, this.scheduled, this.in_queue_from) = (State::Waiting, None, now);
        self.may_be_gone(item);
        self.time_max_wait(item);
        self.stand(item);
        self.tell(Event::Due { interaction: id(item) });
    }

    /// Not before its queue opens.
    pub fn hold(&mut self, item: usize) {
        let this = &mut self.items[item];
        (this.state, this.scheduled, this.overdue_at) = (State::Scheduled, Some(Until::Opening), None);
        this.look = None;
        self.tell(Event::Held { interaction: id(item) });
    }

    /// Who is in line now since a queue opened, first served first.
    pub fn release_held(&mut self) -> Vec<usize> {
        let held = |item: &usize| self.items[*item].scheduled == Some(Until::Opening);
        let mut all: Vec<usize> = self.open_items.iter().copied().filter(held).collect();
        all.retain(|item| self.is_open(self.queue(*item)));
        all.sort_by_key(|item| self.spot(*item));
        all.iter().for_each(|item| self.is_due(*item));
        all
    }
}
