//! Call-backs: the customer keeps the place and hangs up; within a promised window somebody calls. A call nobody
//! answers is tried again, so many times.

use super::channel::Channel;
use super::command::{Answer, Refusal, Window};
use super::deadline::Deadline;
use super::event::{CancelCause, Event, RescindCause};
use super::ids::InteractionId;
use super::interaction::{Callback, State, Until};
use super::score::{Place, place};
use super::shard::{Shard, Step};
use super::time::Time;

impl Step<'_> {
    /// The customer wants to be called back. A second wish about the same matter moves the window of the first; the one
    /// who came first keeps the place for both.
    pub fn request_callback(
        &mut self,
        interaction: InteractionId,
        channel: Channel,
        window: Window,
    ) -> Result<Answer, Refusal> {
        let now = self.shard.now;
        let subject = self.shard.interaction(interaction).ok_or(Refusal::InteractionUnknown)?;
        if !subject.state.is_unanswered() {
            let wanted = "it has not been answered yet";
            return Err(Refusal::WrongState { state: subject.state, wanted });
        }
        let from = window.from.max(now);
        if window.until <= from {
            let (from_ms, until_ms, now_ms) = (window.from.0, window.until.0, now.0);
            return Err(Refusal::WindowInvalid { from_ms, until_ms, now_ms });
        }
        let promised = self.shard.promised_before(interaction);
        let (kept, merged) = match promised {
            Some(other) => self.shard.older_of(interaction, other),
            None => (interaction, None),
        };
        let mut freed = self.rescind_all(interaction, RescindCause::CallbackRequested);
        if let Some(merged) = merged {
            freed.extend(self.rescind_all(merged, RescindCause::CallbackRequested));
            self.emit(Event::Cancelled { interaction: merged, cause: CancelCause::Merged { into: kept } });
        }
        freed.extend(self.rescind_all(kept, RescindCause::CallbackRequested));
        self.emit(Event::CallbackPlanned {
            interaction: kept,
            channel,
            from,
            until: window.until,
            by_rule: false,
        });
        self.seek_works(freed);
        self.look_on(kept);
        Ok(Answer::CallbackPlanned { interaction: kept })
    }

    /// The exit of its route is a call-back: from now on, within so long.
    pub fn call_back_by_rule(&mut self, interaction: InteractionId, within_ms: u64) {
        let now = self.shard.now;
        let queue = self.shard.subject(interaction).queue();
        let opens = self.shard.queue(queue).hours.and_then(|hours| self.shard.phases.get(&hours));
        let from = match opens {
            Some(phase) if !phase.open => phase.until.unwrap_or(now),
            _ => now,
        };
        let channel = self.shard.subject(interaction).channel;
        let until = from.after(within_ms.max(1));
        self.emit(Event::CallbackPlanned { interaction, channel, from, until, by_rule: true });
    }

    /// Scheduled work comes into line, or waits on for its queue to open.
    pub fn due(&mut self, interaction: InteractionId) {
        let queue = self.shard.subject(interaction).queue();
        if self.shard.is_open(queue) {
            self.emit(Event::Due { interaction });
            self.line_up(interaction);
        } else {
            self.emit(Event::Held { interaction });
        }
    }

    /// A queue opened, or has no hours any more: who is in line now, in the order of their places. The caller lets them
    /// look for agents.
    pub fn release_held(&mut self) -> Vec<InteractionId> {
        let held = self.shard.held.iter().map(|id| self.shard.subject(*id));
        let mut open: Vec<Place> =
            held.filter(|subject| self.shard.is_open(subject.queue())).map(place).collect();
        open.sort();
        let open: Vec<InteractionId> = open.into_iter().map(|(_, _, _, id)| id).collect();
        for interaction in &open {
            self.emit(Event::Due { interaction: *interaction });
        }
        open
    }

    pub fn window_missed(&mut self, interaction: InteractionId) {
        self.emit(Event::WindowMissed { interaction });
    }
}

impl Shard {
    /// Another interaction of the same customer about the same matter that is to be called back.
    fn promised_before(&self, interaction: InteractionId) -> Option<InteractionId> {
        let subject = self.subject(interaction);
        let customer = subject.facts.customer?;
        self.unanswered_about(customer, &subject.facts.matter)
            .find(|one| one.id != interaction && one.callback().is_some())
            .map(|one| one.id)
    }

    /// Which of two keeps its place, and which goes.
    fn older_of(&self, one: InteractionId, other: InteractionId) -> (InteractionId, Option<InteractionId>) {
        let entered = |id| (self.subject(id).entered, id);
        if entered(one) < entered(other) { (one, Some(other)) } else { (other, Some(one)) }
    }

    pub(super) fn callback_planned(&mut self, id: InteractionId, channel: Channel, from: Time, until: Time) {
        self.deadlines.disarm(Deadline::Source(id));
        self.step_out(id);
        self.change_state(id, |subject| {
            subject.state = State::Scheduled;
            subject.channel = channel;
            let attempts = subject.callback().map_or(0, |before| before.attempts);
            subject.change_extras(|extras| extras.callback = Some(Callback { from, until, attempts }));
        });
        self.change_lane(id);
        self.schedule(id, Until::At(from));
        self.deadlines.arm(Deadline::Window(id), until);
    }

    /// Not in line before then.
    pub(super) fn schedule(&mut self, id: InteractionId, until: Until) {
        self.deadlines.disarm(Deadline::MaxWait(id));
        self.subject_mut(id).change_extras(|extras| extras.scheduled = Some(until));
        match until {
            Until::At(at) => {
                self.held.remove(&id);
                self.deadlines.arm(Deadline::Due(id), at);
            }
            Until::Opening => {
                self.deadlines.disarm(Deadline::Due(id));
                self.held.insert(id);
            }
        }
    }

    pub(super) fn held_until_opening(&mut self, id: InteractionId) {
        self.step_out(id);
        self.change_state(id, |subject| subject.state = State::Scheduled);
        self.schedule(id, Until::Opening);
    }

    /// Work for later counts its wait from when it was due; a promised call and a closed queue take nothing off it.
    pub(super) fn became_due(&mut self, id: InteractionId) {
        self.deadlines.disarm(Deadline::Due(id));
        self.held.remove(&id);
        let now = self.now;
        self.change_state(id, |subject| {
            subject.state = State::Waiting;
            subject.change_extras(|extras| extras.scheduled = None);
            subject.in_queue_from = now;
        });
        self.arm_source_grace(id);
        self.arm_max_wait(id);
        self.stand(id);
    }

    pub(super) fn unschedule(&mut self, id: InteractionId) {
        self.deadlines.disarm(Deadline::Due(id));
        self.deadlines.disarm(Deadline::Window(id));
        if self.subject(id).scheduled().is_some() {
            self.held.remove(&id);
            self.subject_mut(id).change_extras(|extras| extras.scheduled = None);
        }
    }

    pub(super) fn missed_window(&mut self, id: InteractionId) {
        self.deadlines.disarm(Deadline::Window(id));
        let queue = self.subject(id).queue();
        self.tally.books(queue).windows_missed += 1;
    }
}
