//! Elsewhere: overflow by its conditions, looked at again and again, and the exits of a route.

use super::door::Guest;
use super::twin::{Twin, Visit, id};
use baton::engine::channel::Channel;
use baton::engine::event::{Event, ExitCause};
use baton::engine::ids::QueueKey;
use baton::engine::interaction::State;
use baton::engine::plan::Plan;
use baton::engine::route::{Condition, Exit};
use baton::engine::time::Time;

const LOOK_MS: u64 = 5_000;

impl Twin {
    pub fn overflow(&self, guest: Guest, at: u8, hops: u8) -> Option<u8> {
        let way = &guest.plan.routes[usize::from(at)];
        way.overflow.iter().filter(|rule| rule.when.iter().all(|one| self.holds(*one, guest, at))).find_map(
            |rule| {
                let others: Vec<QueueKey> = rule.to.iter().copied().filter(|to| *to != way.queue).collect();
                self.first_that_takes(guest, &others, hops)
            },
        )
    }

    fn holds(&self, condition: Condition, guest: Guest, at: u8) -> bool {
        let way = &guest.plan.routes[usize::from(at)];
        let queue = way.queue;
        let waiting = self.waiting(queue);
        match condition {
            Condition::Waiting { at_least } => {
                waiting.iter().filter(|one| Some(**one) != guest.item).count() >= at_least as usize
            }
            Condition::LongestWait { at_least_ms } => {
                let first = waiting.iter().map(|one| self.items[*one].entered).min();
                first.is_some_and(|since| self.now.0.saturating_sub(since.0) >= at_least_ms)
            }
            Condition::EstimatedWait { at_least_ms } => {
                let own = guest.item.filter(|item| waiting.contains(item));
                let wait_ms = match own {
                    Some(item) => self.estimate(item),
                    None if self.free_for(guest, at) > 0 => Some(0),
                    None => self.wait_at(waiting.len() as u64 + 1, queue, self.on_duty(queue, &way.needs)),
                };
                wait_ms.is_none_or(|wait_ms| wait_ms >= at_least_ms)
            }
            Condition::ServiceLevel { below_ppm } => self.service_level_ppm(queue) < below_ppm,
            Condition::FreeAgents { at_most } => self.free_for(guest, at) <= u64::from(at_most),
            Condition::Closed => !self.is_open(queue),
        }
    }

    /// How many are ready for one like it.
    fn free_for(&self, guest: Guest, at: u8) -> u64 {
        let way = &guest.plan.routes[usize::from(at)];
        let free = |agent: &usize| {
            self.ready(*agent)
                && self.qualifies(*agent, way.queue, &way.needs)
                && self.no_room(*agent, guest.channel, false).is_none()
        };
        (0..self.agents.len()).filter(free).count() as u64
    }

    pub fn first_that_takes(&self, guest: Guest, queues: &[QueueKey], hops: u8) -> Option<u8> {
        if hops >= guest.plan.hops_max {
            return None;
        }
        queues.iter().find_map(|queue| {
            let route = guest.plan.route_to(*queue)?;
            let way = &guest.plan.routes[usize::from(route)];
            let takes = !self.queues[queue.index()].removed
                && self.is_open(*queue)
                && self.has_room(*queue, guest.gives_up)
                && self.on_duty(*queue, &way.needs) > 0;
            takes.then_some(route)
        })
    }

    fn guest(&self, item: usize) -> (Plan, Channel, u8, u8) {
        let this = &self.items[item];
        let route = u8::try_from(this.route).expect("few routes");
        (this.plan.clone(), this.channel, this.hops, route)
    }

    pub fn look_at_overflow(&mut self, item: usize) {
        let (plan, channel, hops, route) = self.guest(item);
        let guest = Guest { plan: &plan, channel, item: Some(item), gives_up: None };
        if let Some(next) = self.overflow(guest, route, hops) {
            self.move_on(item, plan.routes[usize::from(next)].queue, ExitCause::Overflow);
            self.seek_agent(item);
            return;
        }
        let exit = self.route(item).last_step.exit.clone();
        if !(self.is_past_last_step(item) && self.take_exit(item, &exit, ExitCause::LastStep)) {
            self.look_later(item);
        }
    }

    /// Looks lie on a grid from entry.
    pub fn look_later(&mut self, item: usize) {
        self.look_after(item, self.now);
    }

    pub fn look_after(&mut self, item: usize, now: Time) {
        let from = self.items[item].in_queue_from.0;
        let passed = now.0.saturating_sub(from) / LOOK_MS;
        self.items[item].look = Some(Time(from + (passed + 1) * LOOK_MS));
    }

    pub fn stand(&mut self, item: usize) {
        self.items[item].look = None;
        let looks = !self.route(item).overflow.is_empty() || self.is_past_last_step(item);
        if looks && self.is_waiting(item) {
            self.look_later(item);
        }
    }

    fn move_on(&mut self, item: usize, to: QueueKey, cause: ExitCause) {
        let now = self.now;
        let this = &mut self.items[item];
        this.route = usize::from(this.plan.route_to(to).expect("a route of the plan"));
        (this.hops, this.step, this.declines, this.in_queue_from) = (this.hops + 1, 0, 0, now);
        this.visits.push(Visit { queue: to, answered: None, abandoned: None });
        self.time_max_wait(item);
        self.stand(item);
        self.tell(Event::Overflowed { interaction: id(item), to, cause });
    }

    /// True if it has left its queue.
    pub fn take_exit(&mut self, item: usize, exit: &Exit, cause: ExitCause) -> bool {
        let left = self.leave_by(item, exit, cause);
        if left {
            self.look_on(item);
        }
        left
    }

    /// The same, without looking on.
    pub fn leave_by(&mut self, item: usize, exit: &Exit, cause: ExitCause) -> bool {
        match exit {
            Exit::Keep => return false,
            Exit::Queue(to) if *to == self.queue(item) => return false,
            Exit::Callback { .. } if self.items[item].callback.is_some() => return false,
            Exit::Queue(to) => {
                let (plan, channel, hops, _) = self.guest(item);
                let guest = Guest { plan: &plan, channel, item: Some(item), gives_up: None };
                if self.first_that_takes(guest, &[*to], hops).is_none() {
                    return false;
                }
                self.move_on(item, *to, cause);
            }
            Exit::Callback { within_ms } => self.call_back_by_rule(item, *within_ms),
            Exit::SendAway { destination } => self.send_away(item, destination.clone(), cause),
            Exit::Refuse => {
                self.over(item, State::TimedOut);
                self.tell(Event::TimedOut { interaction: id(item), cause });
            }
        }
        true
    }
}
