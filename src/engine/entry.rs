//! Into a queue: the door of each. Decides on which route of its plan an interaction comes in, by opening hours,
//! overflow and the queue's maximum, before anything happens.

use super::channel::Channel;
use super::command::Refusal;
use super::event::{Event, ExitCause};
use super::few::Few;
use super::ids::{AgentKey, HoursKey, InteractionId, QueueKey, Text};
use super::plan::Plan;
use super::route::Exit;
use super::shard::{Shard, Step};

/// What happens at the door.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Then {
    /// It stands in line.
    Line,
    /// It stands in line when the queue opens.
    Held,
    SentAway {
        destination: Text,
        cause: ExitCause,
    },
    Callback {
        within_ms: u64,
    },
}

/// The route it comes in on, after so many overflows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub route: u8,
    pub hops: u8,
    pub then: Then,
}

/// Who asks for entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visitor<'a> {
    pub plan: &'a Plan,
    pub channel: Channel,
    /// The one in question, if it is in a queue already.
    pub interaction: Option<InteractionId>,
    /// A place in this queue is given up for it.
    pub gives_up: Option<QueueKey>,
}

impl Shard {
    /// Where a plan leads now. The hop limit ends every loop of overflows.
    pub(super) fn entry(&self, visitor: Visitor, hops: u8) -> Result<Entry, Refusal> {
        let (mut route, mut hops) = (0, hops);
        loop {
            match self.at_door(visitor, route, hops)? {
                Door::Next(next) => (route, hops) = (next, hops + 1),
                Door::Here(then) => return Ok(Entry { route, hops, then }),
            }
        }
    }

    fn at_door(&self, visitor: Visitor, route: u8, hops: u8) -> Result<Door, Refusal> {
        let way = &visitor.plan.routes[usize::from(route)];
        if let Some(next) = self.overflow(visitor, route, hops) {
            return Ok(Door::Next(next));
        }
        if !self.is_open(way.queue) {
            return self.at_closed_door(visitor, &way.when_closed, way.queue, hops);
        }
        if self.has_room(way.queue, visitor.gives_up) {
            return Ok(Door::Here(Then::Line));
        }
        // A full queue overflows whatever its conditions say: better elsewhere than refused.
        let anywhere = way.overflow.iter().flat_map(|rule| &rule.to);
        match self.first_that_takes(visitor, anywhere, hops) {
            Some(next) => Ok(Door::Next(next)),
            None => Err(Refusal::QueueFull { max: self.queue(way.queue).waiting_max }),
        }
    }

    fn at_closed_door(
        &self,
        visitor: Visitor,
        exit: &Exit,
        queue: QueueKey,
        hops: u8,
    ) -> Result<Door, Refusal> {
        let closed = || Refusal::QueueClosed { queue: self.queue_name(queue) };
        match exit {
            Exit::Keep if self.has_room(queue, visitor.gives_up) => Ok(Door::Here(Then::Held)),
            Exit::Keep => Err(Refusal::QueueFull { max: self.queue(queue).waiting_max }),
            Exit::Queue(other) => {
                let next = self.first_that_takes(visitor, std::iter::once(other), hops);
                next.map(Door::Next).ok_or_else(closed)
            }
            Exit::Callback { within_ms } if self.has_room(queue, visitor.gives_up) => {
                Ok(Door::Here(Then::Callback { within_ms: *within_ms }))
            }
            Exit::SendAway { destination } => Ok(Door::Here(Then::SentAway {
                destination: destination.clone(),
                cause: ExitCause::QueueClosed,
            })),
            Exit::Callback { .. } | Exit::Refuse => Err(closed()),
        }
    }

    /// A queue without hours is always open.
    pub(super) fn is_open(&self, queue: QueueKey) -> bool {
        self.queue(queue).hours.is_none_or(|hours| self.hours_open(hours))
    }

    /// Hours that were never looked up count as open.
    pub fn hours_open(&self, hours: HoursKey) -> bool {
        self.phases.get(&hours).is_none_or(|phase| phase.open)
    }

    /// Whoever is being offered counts, and who is scheduled: the offer may come to nothing, and their place is theirs.
    pub(super) fn has_room(&self, queue: QueueKey, gives_up: Option<QueueKey>) -> bool {
        let unanswered = self.tally.of(queue).unanswered() - u32::from(gives_up == Some(queue));
        unanswered < self.queue(queue).waiting_max
    }

    pub(super) fn queue_name(&self, queue: QueueKey) -> Text {
        let entry = self.floor.queues.get(u32::from(queue.0)).expect("a planned queue was defined");
        entry.name.clone()
    }
}

enum Door {
    Next(u8),
    Here(Then),
}

impl Step<'_> {
    /// An interaction that has come to a queue: what the door decided, and then it looks for an agent. Who is free by
    /// its coming looks first: better work may wait.
    pub fn come_in(&mut self, interaction: InteractionId, then: Then, freed: Few<AgentKey>) {
        match then {
            Then::Line => {
                self.free_all(freed);
                self.line_up(interaction);
                return;
            }
            Then::Held => {}
            Then::SentAway { destination, cause } => {
                self.emit(Event::SentAway { interaction, destination, cause });
            }
            Then::Callback { within_ms } => self.call_back_by_rule(interaction, within_ms),
        }
        self.free_all(freed);
        self.look_on(interaction);
    }

    /// Looks for an agent for an interaction that has just come into line, if it stands there still.
    pub fn line_up(&mut self, interaction: InteractionId) {
        if self.shard.subject(interaction).standing.is_some() {
            self.skip_absent_agent(interaction);
            self.seek_agent(interaction);
        }
    }
}
