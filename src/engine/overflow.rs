//! Overflow: to the first other queue that can take it, at the door and while waiting. Ends at the hop limit.

use super::deadline::Deadline;
use super::entry::Visitor;
use super::event::{Event, ExitCause};
use super::ids::{InteractionId, QueueKey};
use super::interaction::{State, Until};
use super::line::{OVERFLOW_CHECK_MS, check_after, lane_of};
use super::route::{Condition, Exit};
use super::shard::{Shard, Step};
use super::time::Time;

impl Step<'_> {
    /// Looks whether a waiting interaction overflows now.
    pub fn check_overflow(&mut self, interaction: InteractionId) {
        let subject = self.shard.subject(interaction);
        let (hops, route) = (subject.hops, subject.route);
        let visitor = Visitor {
            plan: &subject.plan,
            channel: subject.channel,
            interaction: Some(interaction),
            gives_up: None,
        };
        match self.shard.overflow(visitor, route, hops) {
            Some(next) => {
                let to = subject.plan.routes[usize::from(next)].queue;
                self.emit(Event::Overflowed { interaction, to, cause: ExitCause::Overflow });
                self.seek_agent(interaction);
            }
            // After the last step it leaves as soon as there is somewhere to go.
            None if self.leaves_by_last_step(interaction) => {}
            None => self.shard.check_overflow_later(interaction),
        }
    }

    fn leaves_by_last_step(&mut self, interaction: InteractionId) -> bool {
        let subject = self.shard.subject(interaction);
        let exit = subject.route().last_step.exit.clone();
        subject.is_past_last_step() && self.take_exit(interaction, &exit, ExitCause::LastStep)
    }

    /// Takes a way out of the queue. True if the interaction has left it.
    pub fn take_exit(&mut self, interaction: InteractionId, exit: &Exit, cause: ExitCause) -> bool {
        let left = self.leave_by(interaction, exit, cause);
        if left {
            self.look_on(interaction);
        }
        left
    }

    /// Looks for an agent for an interaction in its new line, if it stands there now.
    pub fn look_on(&mut self, interaction: InteractionId) {
        let (subject, now) = (self.shard.subject(interaction), self.shard.now);
        match subject.scheduled() {
            Some(Until::At(at)) if at <= now => self.due(interaction),
            Some(_) => {}
            None if subject.standing.is_some() => self.seek_agent(interaction),
            None => {}
        }
    }

    /// The same, but the caller lets it look on: an agent who is free by what went before comes first.
    pub fn leave_by(&mut self, interaction: InteractionId, exit: &Exit, cause: ExitCause) -> bool {
        match exit {
            Exit::Keep => return false,
            Exit::Queue(to) if *to == self.shard.subject(interaction).queue() => return false,
            Exit::Queue(to) => {
                let subject = self.shard.subject(interaction);
                let visitor = Visitor {
                    plan: &subject.plan,
                    channel: subject.channel,
                    interaction: Some(interaction),
                    gives_up: None,
                };
                if self.shard.first_that_takes(visitor, std::iter::once(to), subject.hops).is_none() {
                    return false;
                }
                self.emit(Event::Overflowed { interaction, to: *to, cause });
            }
            // A call that was promised already stays in line for it: the promise is not put off.
            Exit::Callback { .. } if self.shard.subject(interaction).callback().is_some() => return false,
            Exit::Callback { within_ms } => self.call_back_by_rule(interaction, *within_ms),
            Exit::SendAway { destination } => {
                let destination = destination.clone();
                self.emit(Event::SentAway { interaction, destination, cause });
            }
            Exit::Refuse => self.emit(Event::TimedOut { interaction, cause }),
        }
        true
    }
}

impl Shard {
    /// At its next time. One that recovery finds in the past was made then, and led to nothing.
    pub(super) fn check_overflow_later(&mut self, interaction: InteractionId) {
        let next = self.next_overflow_check(self.subject(interaction).in_queue_from);
        self.deadlines.arm(Deadline::Overflow(interaction), next);
    }

    /// The route of the first queue that can take it, by the first rule that holds.
    pub(super) fn overflow(&self, visitor: Visitor, route: u8, hops: u8) -> Option<u8> {
        let way = &visitor.plan.routes[usize::from(route)];
        way.overflow
            .iter()
            .filter(|rule| rule.when.iter().all(|condition| self.holds(*condition, visitor, route)))
            // To itself nothing overflows: it would only begin anew there.
            .find_map(|rule| {
                let others = rule.to.iter().filter(|to| **to != way.queue);
                self.first_that_takes(visitor, others, hops)
            })
    }

    fn holds(&self, condition: Condition, visitor: Visitor, route: u8) -> bool {
        let way = &visitor.plan.routes[usize::from(route)];
        let waiting = |queue| {
            let own = visitor.interaction.map(|id| self.subject(id));
            let own = own.is_some_and(|one| one.state == State::Waiting && one.queue() == queue);
            self.lines.waiting(queue) - u32::from(own)
        };
        match condition {
            Condition::Waiting { at_least } => waiting(way.queue) >= at_least,
            Condition::LongestWait { at_least_ms } => {
                self.lines.oldest(way.queue).is_some_and(|since| self.now.since(since) >= at_least_ms)
            }
            Condition::EstimatedWait { at_least_ms } => {
                self.wait_there(visitor, route).is_none_or(|wait_ms| wait_ms >= at_least_ms)
            }
            Condition::ServiceLevel { below_ppm } => self.tally.of(way.queue).service_level_ppm() < below_ppm,
            Condition::FreeAgents { at_most } => self.free_agents(visitor, route, at_most) <= at_most,
            Condition::Closed => !self.is_open(way.queue),
        }
    }

    /// Of these, the first that is open, has room, and has somebody on duty who qualifies.
    pub(super) fn first_that_takes<'a>(
        &self,
        visitor: Visitor,
        mut queues: impl Iterator<Item = &'a QueueKey>,
        hops: u8,
    ) -> Option<u8> {
        if hops >= visitor.plan.hops_max {
            return None;
        }
        queues.find_map(|queue| {
            let route = visitor.plan.route_to(*queue)?;
            let exists = self.floor.queues.live(u32::from(queue.0)).is_some();
            let takes = exists && self.is_open(*queue) && self.has_room(*queue, visitor.gives_up);
            (takes && self.somebody_qualifies(visitor, route)).then_some(route)
        })
    }

    /// How long one would have to wait on this route: by its position, or at the end of the line; nothing while somebody
    /// is free. `None` while nobody qualifies.
    fn wait_there(&self, visitor: Visitor, route: u8) -> Option<u64> {
        let queue = visitor.plan.routes[usize::from(route)].queue;
        let waits = |id: &InteractionId| {
            let subject = self.subject(*id);
            subject.state == State::Waiting && subject.queue() == queue
        };
        match visitor.interaction.filter(waits) {
            Some(id) => self.estimate(id).and_then(|estimate| estimate.wait_ms),
            None if self.free_agents(visitor, route, 0) > 0 => Some(0),
            None => self.wait_at_door(queue, self.on_duty_for(visitor, route)),
        }
    }

    pub(super) fn on_duty_for(&self, visitor: Visitor, route: u8) -> u32 {
        match self.find_lane(visitor, route) {
            Some(lane) => self.lines.lane(lane).on_duty(),
            None => {
                let lane = lane_of(visitor.plan, route, 0, visitor.channel);
                let able = self.profiles_for(lane);
                able.map(|profile| self.profiles.get(profile).on_duty).sum()
            }
        }
    }

    fn find_lane(&self, visitor: Visitor, route: u8) -> Option<super::ids::LaneKey> {
        self.lines.find(lane_of(visitor.plan, route, 0, visitor.channel))
    }

    /// The profiles that would meet the needs of a lane.
    fn profiles_for(&self, lane: super::queue::LaneRef) -> impl Iterator<Item = super::ids::ProfileKey> {
        self.profiles.iter().filter(move |(_, profile)| self.meets(&profile.id, lane)).map(|(key, _)| key)
    }

    fn somebody_qualifies(&self, visitor: Visitor, route: u8) -> bool {
        self.on_duty_for(visitor, route) > 0
    }

    /// How many are ready for one like it; counts no further than one beyond `at_most`.
    pub(super) fn free_agents(&self, visitor: Visitor, route: u8, at_most: u32) -> u32 {
        let lane = lane_of(visitor.plan, route, 0, visitor.channel);
        let ready = self.profiles_for(lane).flat_map(|profile| self.profiles.get(profile).ready());
        let free = ready.filter(|key| self.no_room(&self.agents[key.index()], lane.channel, false).is_none());
        let limit = usize::try_from(at_most).unwrap_or(usize::MAX).saturating_add(1);
        u32::try_from(free.take(limit).count()).unwrap_or(u32::MAX)
    }

    /// How many are ready for something and meet what a route asks for, whatever room they have left.
    pub(super) fn ready_agents(&self, visitor: Visitor, route: u8) -> u32 {
        let lane = lane_of(visitor.plan, route, 0, visitor.channel);
        let ready = self.profiles_for(lane).flat_map(|profile| self.profiles.get(profile).ready());
        u32::try_from(ready.count()).unwrap_or(u32::MAX)
    }

    /// While we were gone nobody could have been found: those looks are not made up for.
    pub(super) fn restart_overflow_checks(&mut self, down_to: Time) {
        let lanes = self.lines.lanes().flat_map(|(_, lane)| lane.waiting());
        let personal = self.agents.iter().flat_map(|agent| &agent.line);
        let standing: Vec<InteractionId> = lanes.chain(personal).map(|place| place.3).collect();
        for id in standing {
            let deadline = Deadline::Overflow(id);
            if self.deadlines.is_armed(deadline) {
                let next = check_after(self.subject(id).in_queue_from, down_to, OVERFLOW_CHECK_MS);
                self.deadlines.arm(deadline, next);
            }
        }
    }

    pub(super) fn overflowed(&mut self, id: InteractionId, to: QueueKey) {
        self.step_out(id);
        self.count_move(id, to);
        let now = self.now;
        self.change_state(id, |subject| {
            subject.route = subject.plan.route_to(to).expect("an overflow leads to a route of the plan");
            subject.hops += 1;
            (subject.step, subject.declines) = (0, 0);
            subject.visit_answered = false;
            subject.in_queue_from = now;
        });
        self.change_lane(id);
        self.arm_max_wait(id);
        self.stand(id);
    }

    /// In the books of both queues, before it moves.
    pub(super) fn count_move(&mut self, id: InteractionId, to: QueueKey) {
        let (queue, answered) = (self.subject(id).queue(), self.subject(id).visit_answered);
        let books = self.tally.books(queue);
        // Back in line after an answer, that visit is counted as answered already.
        if answered {
            books.left_after_answer += 1;
        } else {
            books.moved_out += 1;
        }
        self.tally.books(to).moved_in += 1;
    }
}
