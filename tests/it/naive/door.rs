//! The door of a queue, and the ways on to another: hours, overflow, exits.

use super::choose::Order;
use super::state::{Twin, item_id, needs_at};
use baton::engine::channel::Channel;
use baton::engine::command::Refusal;
use baton::engine::event::{Event, ExitCause, PreferenceEnd};
use baton::engine::ids::{QueueKey, Text};
use baton::engine::interaction::{State, Until};
use baton::engine::plan::Plan;
use baton::engine::route::{Condition, Exit};

/// What the door of a queue says.
#[derive(Clone)]
pub enum Then {
    Line,
    Held,
    Away(Text),
    Callback(u64),
}

/// Who knocks: the plan, the channel, who it is if it is in a queue already, the queue where a place is given up.
#[derive(Clone, Copy)]
pub struct Visitor<'a> {
    pub plan: &'a Plan,
    pub channel: Channel,
    pub item: Option<usize>,
    pub gives_up: Option<QueueKey>,
}

impl Twin {
    pub fn is_open(&self, queue: QueueKey) -> bool {
        self.hours_open(self.queue(queue).hours)
    }

    pub fn has_room(&self, queue: QueueKey, gives_up: Option<QueueKey>) -> bool {
        let others = self.unanswered(queue) - usize::from(gives_up == Some(queue));
        others < self.queue(queue).waiting_max as usize
    }

    /// Route, hops, and what then.
    pub fn door(&self, visitor: Visitor) -> Result<(u8, u8, Then), Refusal> {
        let (mut route, mut hops) = (0, 0);
        loop {
            let way = &visitor.plan.routes[usize::from(route)];
            let room = self.has_room(way.queue, visitor.gives_up);
            let full = || Refusal::QueueFull { max: self.queue(way.queue).waiting_max };
            let next = if let Some(next) = self.overflow(visitor, route, hops) {
                next
            } else if !self.is_open(way.queue) {
                let closed = || Refusal::QueueClosed { queue: "".into() };
                match &way.when_closed {
                    Exit::Keep if room => return Ok((route, hops, Then::Held)),
                    Exit::Keep => return Err(full()),
                    Exit::Queue(to) => self.first_that_takes(visitor, &[*to], hops).ok_or_else(closed)?,
                    Exit::Callback { within_ms } if room => {
                        return Ok((route, hops, Then::Callback(*within_ms)));
                    }
                    Exit::SendAway { destination } => {
                        return Ok((route, hops, Then::Away(destination.clone())));
                    }
                    Exit::Callback { .. } | Exit::Refuse => return Err(closed()),
                }
            } else if room {
                return Ok((route, hops, Then::Line));
            } else {
                let anywhere: Vec<QueueKey> = way.overflow.iter().flat_map(|rule| rule.to.clone()).collect();
                self.first_that_takes(visitor, &anywhere, hops).ok_or_else(full)?
            };
            (route, hops) = (next, hops + 1);
        }
    }

    pub fn come_in(&mut self, item: usize, then: Then, freed: Vec<usize>) {
        let interaction = item_id(item);
        match then {
            Then::Line => {
                self.free_all(freed);
                self.line_up(item);
                return;
            }
            Then::Held => {}
            Then::Away(destination) => {
                let cause = ExitCause::QueueClosed;
                self.tell(Event::SentAway { interaction, destination, cause });
                self.leaves(item, State::SentAway);
            }
            Then::Callback(within_ms) => self.call_back_by_rule(item, within_ms),
        }
        self.free_all(freed);
        self.look_on(item);
    }

    pub fn line_up(&mut self, item: usize) {
        if self.stands(item) {
            self.skip_absent(item);
            self.seek_agent(item);
        }
    }

    pub fn skip_absent(&mut self, item: usize) {
        let one = &self.items[item];
        if one.seek.is_none() && one.wanted.is_some_and(|wanted| !self.is_there(wanted.agent)) {
            self.end_preference(item, PreferenceEnd::AgentSignedOut);
        }
    }

    pub fn look_on(&mut self, item: usize) {
        match self.items[item].scheduled {
            Some(Until::At(at)) if at <= self.now => self.becomes_due(item),
            Some(_) => {}
            None if self.stands(item) && !self.items[item].state.is_over() => self.seek_agent(item),
            None => {}
        }
    }

    // ---- overflow ----

    pub fn overflow(&self, visitor: Visitor, route: u8, hops: u8) -> Option<u8> {
        let way = &visitor.plan.routes[usize::from(route)];
        for rule in &way.overflow {
            if rule.when.iter().all(|condition| self.holds_true(*condition, visitor, route)) {
                let others: Vec<QueueKey> = rule.to.iter().copied().filter(|to| *to != way.queue).collect();
                if let Some(next) = self.first_that_takes(visitor, &others, hops) {
                    return Some(next);
                }
            }
        }
        None
    }

    pub fn first_that_takes(&self, visitor: Visitor, queues: &[QueueKey], hops: u8) -> Option<u8> {
        if hops >= visitor.plan.hops_max {
            return None;
        }
        queues.iter().find_map(|queue| {
            let at = visitor.plan.routes.iter().position(|way| way.queue == *queue)?;
            let takes = self.queues.get(queue.index()).is_some_and(|thing| !thing.removed)
                && self.is_open(*queue)
                && self.has_room(*queue, visitor.gives_up)
                && self.on_duty(*queue, &visitor.plan.routes[at].needs) > 0;
            takes.then(|| u8::try_from(at).expect("few routes"))
        })
    }

    pub fn holds_true(&self, condition: Condition, visitor: Visitor, route: u8) -> bool {
        let way = &visitor.plan.routes[usize::from(route)];
        let waiting = self.waiting_in(way.queue);
        match condition {
            Condition::Waiting { at_least } => {
                waiting.iter().filter(|item| Some(**item) != visitor.item).count() >= at_least as usize
            }
            Condition::LongestWait { at_least_ms } => waiting
                .iter()
                .map(|item| self.items[*item].entered)
                .min()
                .is_some_and(|since| self.now.since(since) >= at_least_ms),
            Condition::EstimatedWait { at_least_ms } => {
                self.wait_there(visitor, route, &waiting).is_none_or(|wait_ms| wait_ms >= at_least_ms)
            }
            Condition::ServiceLevel { below_ppm } => self.service_level(way.queue) < u64::from(below_ppm),
            Condition::FreeAgents { at_most } => {
                self.free_agents(visitor.plan, route, visitor.channel) <= at_most
            }
            Condition::Closed => !self.is_open(way.queue),
        }
    }

    pub fn service_level(&self, queue: QueueKey) -> u64 {
        let answers: Vec<bool> =
            self.answers.iter().filter(|(of, ..)| *of == queue).map(|(_, _, in_time)| *in_time).collect();
        let late = self.given_up.iter().filter(|(of, soon)| *of == queue && !soon).count();
        let of = (answers.len() + late) as u64;
        let in_time = answers.iter().filter(|in_time| **in_time).count() as u64;
        (in_time * 1_000_000).checked_div(of).unwrap_or(1_000_000)
    }

    pub fn wait_there(&self, visitor: Visitor, route: u8, waiting: &[usize]) -> Option<u64> {
        let way = &visitor.plan.routes[usize::from(route)];
        if let Some(item) = visitor.item.filter(|item| waiting.contains(item)) {
            let one = &self.items[item];
            let own = self.order(item);
            // Only those in the lanes are counted: who waits for one agent takes nobody's turn.
            let before = self.in_lanes(way.queue).into_iter().filter(|order| *order < own).count() as u64;
            let agents = self.on_duty(one.queue(), needs_at(one.way(), one.step));
            return self.wait_at(before + 1, one.queue(), agents);
        }
        if self.free_agents(visitor.plan, route, visitor.channel) > 0 {
            return Some(0);
        }
        self.wait_at(waiting.len() as u64 + 1, way.queue, self.on_duty(way.queue, &way.needs))
    }

    /// The places of all who stand in a queue for anybody, second agents that are sought included.
    pub fn in_lanes(&self, queue: QueueKey) -> Vec<Order> {
        let stands = |item: &usize| {
            let one = &self.items[*item];
            !one.state.is_over()
                && self.stands(*item)
                && one.sought_way().queue == queue
                && one.sought_wanted().is_none()
        };
        (0..self.items.len()).filter(stands).map(|item| self.order(item)).collect()
    }

    pub fn look_for_overflow(&mut self, item: usize) {
        let one = self.items[item].clone();
        let visitor = Visitor { plan: &one.plan, channel: one.channel, item: Some(item), gives_up: None };
        if let Some(next) = self.overflow(visitor, one.route, one.hops) {
            let to = one.plan.routes[usize::from(next)].queue;
            self.moves_on(item, to, ExitCause::Overflow);
            self.seek_agent(item);
            return;
        }
        let exit = one.way().last_step.exit.clone();
        if one.past_last_step() && self.take_exit(item, &exit, ExitCause::LastStep) {
            return;
        }
        self.stood(item);
    }

    pub fn moves_on(&mut self, item: usize, to: QueueKey, cause: ExitCause) {
        self.tell(Event::Overflowed { interaction: item_id(item), to, cause });
        let now = self.now;
        let one = &mut self.items[item];
        let route = one.plan.routes.iter().position(|way| way.queue == to).expect("a route of the plan");
        one.route = u8::try_from(route).expect("few routes");
        one.hops += 1;
        (one.step, one.declines) = (0, 0);
        (one.visit_answered, one.in_queue_from) = (false, now);
        self.arm_max_wait(item);
        self.stood(item);
    }

    pub fn arm_max_wait(&mut self, item: usize) {
        let one = &self.items[item];
        let max_ms = one.way().max_wait_ms.filter(|_| !one.overdue);
        self.items[item].max_wait = max_ms.map(|ms| self.items[item].waits_from.after(ms));
    }

    pub fn take_exit(&mut self, item: usize, exit: &Exit, cause: ExitCause) -> bool {
        let left = self.leave_by(item, exit, cause);
        if left {
            self.look_on(item);
        }
        left
    }

    pub fn leave_by(&mut self, item: usize, exit: &Exit, cause: ExitCause) -> bool {
        let one = self.items[item].clone();
        let interaction = item_id(item);
        match exit {
            Exit::Keep => return false,
            Exit::Queue(to) => {
                let visitor =
                    Visitor { plan: &one.plan, channel: one.channel, item: Some(item), gives_up: None };
                if *to == one.queue() || self.first_that_takes(visitor, &[*to], one.hops).is_none() {
                    return false;
                }
                self.moves_on(item, *to, cause);
            }
            Exit::Callback { within_ms } => {
                if one.callback.is_some() {
                    return false;
                }
                self.call_back_by_rule(item, *within_ms);
            }
            Exit::SendAway { destination } => {
                self.tell(Event::SentAway { interaction, destination: destination.clone(), cause });
                self.leaves(item, State::SentAway);
            }
            Exit::Refuse => {
                self.tell(Event::TimedOut { interaction, cause });
                self.leaves(item, State::TimedOut);
            }
        }
        true
    }
}
