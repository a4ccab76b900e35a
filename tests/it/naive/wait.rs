//! What waiting changes: relaxation, preference, the maximum, call-backs and work for later.

use super::choose::Order;
use super::state::{Twin, agent_key, item_id};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Refusal, Window};
use baton::engine::event::{CancelCause, Event, ExitCause, PreferenceEnd, RescindCause, SeekEnd};
use baton::engine::ids::InteractionId;
use baton::engine::interaction::{Callback, State, Until};
use baton::engine::time::Time;

impl Twin {
    pub fn relax(&mut self, item: usize) {
        let one = &self.items[item];
        let (step, interaction) = (one.step + 1, item_id(item));
        let exit = one.way().last_step.exit.clone();
        let last = usize::from(one.step) >= one.way().relaxation.len();
        if last && self.take_exit(item, &exit, ExitCause::LastStep) {
            return;
        }
        self.tell(Event::Relaxed { interaction, step });
        self.items[item].step = step;
        self.stood(item);
        if !last {
            self.seek_agent(item);
        }
    }

    pub fn preference_spent(&mut self, item: usize) {
        if self.items[item].seek.is_some() {
            self.seek_timed_out(item);
            return;
        }
        self.end_preference(item, PreferenceEnd::BudgetSpent);
        self.seek_agent(item);
    }

    pub fn becomes_overdue(&mut self, item: usize) {
        self.tell(Event::Overdue { interaction: item_id(item) });
        (self.items[item].max_wait, self.items[item].overdue) = (None, true);
        if self.stands(item) {
            self.stood(item);
        }
        if self.items[item].state == State::Waiting && self.items[item].wanted.is_some() {
            self.end_preference(item, PreferenceEnd::Overdue);
            self.seek_agent(item);
        }
    }

    /// Who waits for an agent who is gone waits for anybody.
    pub fn release_line(&mut self, agent: usize) -> Vec<usize> {
        let mut waiting: Vec<(Order, usize)> = (0..self.items.len())
            .filter(|item| !self.items[*item].state.is_over() && self.stands(*item))
            .filter(|item| {
                self.items[*item].sought_wanted().is_some_and(|wanted| wanted.agent == agent_key(agent))
            })
            .map(|item| (self.order(item), item))
            .collect();
        waiting.sort();
        let mut released = Vec::new();
        for (_, item) in waiting {
            if self.items[item].seek.is_some() {
                self.forget_seek(item, SeekEnd::AgentRefused);
            } else {
                self.end_preference(item, PreferenceEnd::AgentSignedOut);
                released.push(item);
            }
        }
        released
    }

    // ---- call-backs and work for later ----

    pub fn becomes_due(&mut self, item: usize) {
        let interaction = item_id(item);
        if self.is_open(self.items[item].queue()) {
            self.comes_due(item);
            self.line_up(item);
        } else {
            self.tell(Event::Held { interaction });
            self.held(item);
        }
    }

    pub fn held(&mut self, item: usize) {
        let one = &mut self.items[item];
        (one.state, one.scheduled, one.max_wait) = (State::Scheduled, Some(Until::Opening), None);
    }

    pub fn comes_due(&mut self, item: usize) {
        self.tell(Event::Due { interaction: item_id(item) });
        let now = self.now;
        let one = &mut self.items[item];
        (one.state, one.scheduled, one.in_queue_from) = (State::Waiting, None, now);
        self.arm_max_wait(item);
        self.stood(item);
    }

    pub fn release_held(&mut self) -> Vec<usize> {
        let mut held: Vec<(Order, usize)> = (0..self.items.len())
            .filter(|item| self.items[*item].scheduled == Some(Until::Opening))
            .filter(|item| self.is_open(self.items[*item].queue()))
            .map(|item| (self.order(item), item))
            .collect();
        held.sort();
        held.iter().for_each(|(_, item)| self.comes_due(*item));
        held.into_iter().map(|(_, item)| item).collect()
    }

    pub fn request_callback(
        &mut self,
        interaction: InteractionId,
        channel: Channel,
        window: Window,
    ) -> Result<Answer, Refusal> {
        let item = self.item_at(interaction)?;
        let one = self.items[item].clone();
        if !one.state.is_unanswered() {
            return Err(Refusal::WrongState { state: one.state, wanted: "" });
        }
        let from = window.from.max(self.now);
        if window.until <= from {
            return Err(Refusal::WindowInvalid { from_ms: 0, until_ms: 0, now_ms: 0 });
        }
        let promised = one.customer.and_then(|customer| {
            let about = self.unanswered_about(customer, &one.matter);
            about.into_iter().find(|other| *other != item && self.items[*other].callback.is_some())
        });
        let freed = self.rescind_all(item, RescindCause::CallbackRequested);
        if let Some(into) = promised {
            let cause = CancelCause::Merged { into: item_id(into) };
            self.tell(Event::Cancelled { interaction, cause });
            self.leaves(item, State::Cancelled);
        }
        let kept = promised.unwrap_or(item);
        let freed_too = self.rescind_all(kept, RescindCause::CallbackRequested);
        self.plan_call(kept, channel, from, window.until, false);
        self.seek_works(freed);
        self.seek_works(freed_too);
        self.look_on(kept);
        Ok(Answer::CallbackPlanned { interaction: item_id(kept) })
    }

    pub fn call_back_by_rule(&mut self, item: usize, within_ms: u64) {
        let one = &self.items[item];
        let channel = one.channel;
        let phase = self.phase_of(self.queue(one.queue()).hours).filter(|phase| !phase.open);
        let from = phase.and_then(|phase| phase.until).unwrap_or(self.now);
        self.plan_call(item, channel, from, from.after(within_ms.max(1)), true);
    }

    pub fn plan_call(&mut self, item: usize, channel: Channel, from: Time, until: Time, by_rule: bool) {
        self.tell(Event::CallbackPlanned { interaction: item_id(item), channel, from, until, by_rule });
        let one = &mut self.items[item];
        let attempts = one.callback.map_or(0, |before| before.attempts);
        (one.state, one.channel, one.gone, one.max_wait) = (State::Scheduled, channel, None, None);
        one.callback = Some(Callback { from, until, attempts });
        (one.scheduled, one.window) = (Some(Until::At(from)), Some(until));
    }
}
