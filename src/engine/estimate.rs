//! How long a waiting interaction may still have to wait, as far as the shard can tell: places, and a plain figure. Waits
//! are learned outside, from what became of them (`learning`).

use super::channel::Channel;
use super::circumstances::QueueFigures;
use super::entry::{Then, Visitor};
use super::ids::{InteractionId, QueueKey};
use super::interaction::{Interaction, State};
use super::plan::Plan;
use super::prices::has_many_profiles;
use super::queue::Lane;
use super::score::place;
use super::shard::Shard;

/// Handle time taken for granted before any interaction of the queue was closed, ms.
pub const HANDLE_TIME_DEFAULT_MS: u64 = 180_000;

/// An estimate for one waiting interaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Estimate {
    /// 1 is next, in its own queue, by the scores now.
    pub position: u32,
    /// Position × mean handle time ÷ agents on duty who qualify, ms. `None` while nobody does.
    pub wait_ms: Option<u64>,
}

/// What one who came to a door now would meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Door {
    /// The queue it would stand in, after overflow.
    pub queue: QueueKey,
    /// Somebody who could take it is free.
    pub free: bool,
    /// On duty who could take it.
    pub on_duty: u32,
    /// Who would be ahead in that queue.
    pub ahead: u32,
    /// Their places × mean handle time ÷ agents, ms. `None` while nobody qualifies.
    pub wait_ms: Option<u64>,
    /// It would stand in line; otherwise it would be sent away, called back, or wait for the opening.
    pub open: bool,
}

impl Shard {
    /// Position and wait of a waiting interaction; `None` if it does not wait.
    pub fn estimate(&self, interaction: InteractionId) -> Option<Estimate> {
        let subject = self.interaction(interaction).filter(|subject| subject.state == State::Waiting)?;
        let queue = subject.queue();
        let own = place(subject);
        let before: usize = self.lines.of_queue(queue).map(|lane| lane.before(own)).sum();
        let position = u32::try_from(before + 1).expect("queue sizes are u32");
        let agents = self.lines.lane(subject.lane).on_duty();
        Some(Estimate { position, wait_ms: self.wait_at(position, queue, agents) })
    }

    /// The first and the last place it may have among all who want the same agents: those of its own lane go before it
    /// for certain; of other lanes, whoever came before, and all of a lane that is worth more of an agent's time.
    pub fn places(&self, interaction: InteractionId) -> Option<(u32, u32)> {
        let subject = self.interaction(interaction).filter(|subject| subject.state == State::Waiting)?;
        let (own, lane) = (place(subject), self.lines.lane(subject.lane));
        let first = lane.before(own);
        let others = self.lines.lanes().filter(|(key, other)| *key != subject.lane && !other.is_empty());
        let mut last = first;
        for (_, other) in others.filter(|(_, other)| self.compete(lane, other)) {
            last += if self.goes_before(other, lane, subject) { other.len() } else { other.before(own) };
        }
        let count = |places: usize| u32::try_from(places + 1).expect("queue sizes are u32");
        Some((count(first), count(last)))
    }

    /// Whether agents who serve one may serve the other.
    fn compete(&self, one: &Lane, other: &Lane) -> bool {
        if self.floor.pool_of(one.id.queue) != self.floor.pool_of(other.id.queue) {
            return false;
        }
        let many = has_many_profiles(one) || has_many_profiles(other);
        many || one
            .profiles
            .iter()
            .any(|profile| other.profiles.contains(profile) && self.profiles.works(*profile))
    }

    /// All of a lane goes before this one: by money, its customers are worth more of an agent's time.
    fn goes_before(&self, other: &Lane, own: &Lane, subject: &Interaction) -> bool {
        let worth = |lane: &Lane| super::money::per_hour(lane.id.stakes.loss(), lane.handle_ms);
        self.pool_prices(subject).is_some() && worth(other) > worth(own)
    }

    /// What one with this plan would meet on this channel. `None` if it would be refused.
    pub fn look_in(&self, plan: &Plan, channel: Channel) -> Option<Door> {
        let visitor = Visitor { plan, channel, interaction: None, gives_up: None };
        let entry = self.entry(visitor, 0).ok()?;
        let queue = plan.routes[usize::from(entry.route)].queue;
        let on_duty = self.on_duty_for(visitor, entry.route);
        Some(Door {
            queue,
            free: self.free_agents(visitor, entry.route, 0) > 0,
            on_duty,
            ahead: self.lines.waiting(queue),
            wait_ms: self.wait_at_door(queue, on_duty),
            open: entry.then == Then::Line,
        })
    }

    /// A queue as rules see it, by a plan that begins there and asks for no more than the queue does.
    pub fn figures(&self, plan: &Plan, channel: Channel) -> QueueFigures {
        let queue = plan.entry().queue;
        let visitor = Visitor { plan, channel, interaction: None, gives_up: None };
        let oldest = self.lines.oldest(queue);
        QueueFigures {
            open: self.is_open(queue),
            waiting: self.lines.waiting(queue),
            longest_wait_ms: oldest.map_or(0, |entered| self.now().since(entered)),
            free_agents: self.ready_agents(visitor, 0),
            service_level_ppm: self.tally.of(queue).service_level_ppm(),
            estimated_wait_ms: self.wait_at_door(queue, self.on_duty_for(visitor, 0)),
        }
    }

    /// What one who comes to the end of a line would have to wait, ms.
    pub(super) fn wait_at_door(&self, queue: QueueKey, agents: u32) -> Option<u64> {
        self.wait_at(self.lines.waiting(queue) + 1, queue, agents)
    }

    fn wait_at(&self, position: u32, queue: QueueKey, agents: u32) -> Option<u64> {
        let handle_ms = self.tally.of(queue).mean_handle_ms().unwrap_or(HANDLE_TIME_DEFAULT_MS);
        (u64::from(position) * handle_ms).checked_div(u64::from(agents))
    }
}
