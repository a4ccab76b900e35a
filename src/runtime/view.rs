//! What leaves the shard for people: copies of state, taken between two commands.

use crate::engine::agent::Agent;
use crate::engine::capacity::Holder;
use crate::engine::estimate::Estimate;
use crate::engine::explain::WaitReason;
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId, QueueKey, Sequence};
use crate::engine::interaction::{Interaction, State};
use crate::engine::offer::Offer;
use crate::engine::outcome::Assignment;
use crate::engine::shard::Shard;
use crate::engine::tally::Books;
use crate::engine::time::Time;
use std::sync::Arc;

/// An interaction as it is at one moment.
#[derive(Clone, Debug)]
pub struct InteractionView {
    /// Shared with the shard, which copies it before it changes.
    pub interaction: Arc<Interaction>,
    /// Before an answer the agent of the oldest open offer, then whoever serves the customer, or did last.
    pub agent: Option<AgentKey>,
    /// Everybody in the conversation or in wrap-up, oldest first.
    pub parts: Vec<Assignment>,
    pub wait_reason: Option<WaitReason>,
    pub estimate: Option<Estimate>,
    /// The first and the last place it may have among all who want the same agents.
    pub places: Option<(u32, u32)>,
    pub now: Time,
    pub sequence: Sequence,
}

/// One interaction, if its record is in memory.
pub fn interaction(shard: &Shard, id: InteractionId) -> Option<InteractionView> {
    let interaction = shard.interaction_shared(id)?;
    let offered = interaction.offers.first().and_then(|offer| shard.offer(*offer)).map(|offer| offer.agent);
    // The offer of a second agent does not change whose the customer is.
    let agent = if interaction.state.is_unanswered() { offered } else { interaction.agent };
    Some(InteractionView {
        agent,
        parts: interaction.assignments.iter().filter_map(|id| shard.assignment(*id).copied()).collect(),
        wait_reason: shard.wait_reason(id),
        estimate: shard.estimate(id),
        places: shard.places(id),
        now: shard.now(),
        sequence: shard.sequence(),
        interaction,
    })
}

/// An agent with the work in hand.
#[derive(Clone, Debug)]
pub struct AgentView {
    /// Likewise.
    pub agent: Arc<Agent>,
    /// Units in all.
    pub capacity: u16,
    pub offers: Vec<(Offer, InteractionView)>,
    pub assignments: Vec<(Assignment, InteractionView)>,
    pub now: Time,
    pub sequence: Sequence,
}

/// One agent with everything in hand.
pub fn agent(shard: &Shard, key: AgentKey) -> Option<AgentView> {
    let agent = shard.agent_shared(key)?;
    let offers = shard.offers_to(key).into_iter().filter_map(|id| offer(shard, id)).collect();
    let held = agent.ledger.claims().iter().filter_map(|claim| match claim.holder {
        Holder::Offer(_) => None,
        Holder::Assignment(id) | Holder::WrapUp(id) => Some(id),
    });
    let assignments = held.chain(agent.interrupted.iter().copied());
    let assignments = assignments.filter_map(|id| assignment(shard, id)).collect();
    Some(AgentView {
        capacity: capacity(shard, key),
        agent,
        offers,
        assignments,
        now: shard.now(),
        sequence: shard.sequence(),
    })
}

/// Only how the agent is.
pub fn status(shard: &Shard, key: AgentKey) -> Option<AgentView> {
    Some(AgentView {
        agent: shard.agent_shared(key)?,
        capacity: capacity(shard, key),
        offers: Vec::new(),
        assignments: Vec::new(),
        now: shard.now(),
        sequence: shard.sequence(),
    })
}

fn capacity(shard: &Shard, key: AgentKey) -> u16 {
    shard.capacity_of(key).units
}

/// An open offer with its interaction.
pub fn offer(shard: &Shard, id: OfferId) -> Option<(Offer, InteractionView)> {
    let offer = *shard.offer(id)?;
    Some((offer, interaction(shard, offer.interaction)?))
}

/// An assignment that is not over, with its interaction.
pub fn assignment(shard: &Shard, id: AssignmentId) -> Option<(Assignment, InteractionView)> {
    let assignment = *shard.assignment(id)?;
    Some((assignment, interaction(shard, assignment.interaction)?))
}

/// A queue's figures.
#[derive(Clone, Debug)]
pub struct QueueView {
    pub queue: QueueKey,
    pub waiting: u32,
    pub longest_wait_ms: u64,
    pub books: Books,
    /// The first in line, as many as were asked for.
    pub listed: Vec<InteractionView>,
}

/// All queues, in the order of their names. `listed` is how many of each line to show.
pub fn queues(shard: &Shard, listed: usize) -> Vec<QueueView> {
    let keys = shard.floor().queues.by_name().map(|(key, _)| key);
    keys.map(|key| {
        let queue = QueueKey(u16::try_from(key).expect("queue keys are u16"));
        let oldest = shard.lines().oldest(queue);
        QueueView {
            queue,
            waiting: shard.lines().waiting(queue),
            longest_wait_ms: oldest.map_or(0, |entered| shard.now().since(entered)),
            books: shard.tally().of(queue),
            listed: first_in_line(shard, queue, listed).filter_map(|id| interaction(shard, id)).collect(),
        }
    })
    .collect()
}

/// The first of a queue's line, wherever they stand in it: with those of equal needs, or waiting for one agent.
pub fn first_in_line(shard: &Shard, queue: QueueKey, listed: usize) -> impl Iterator<Item = InteractionId> {
    let waits = |id: InteractionId| {
        shard.interaction(id).is_some_and(|one| one.state == State::Waiting && one.queue() == queue)
    };
    let lanes = shard.lines().of_queue(queue);
    let heads = lanes.flat_map(|lane| lane.waiting().filter(|place| waits(place.3)).take(listed));
    let personal = shard.agents().iter().flat_map(|agent| &agent.line).filter(|place| waits(place.3));
    let mut places: Vec<_> = heads.chain(personal).copied().collect();
    places.sort_unstable();
    places.truncate(listed);
    places.into_iter().map(|place| place.3)
}
