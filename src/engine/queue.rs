//! The waiting lines. A lane holds the waiting interactions of one queue and channel with equal requirements, in
//! the order of their places: whoever can serve one of a lane can serve all of it, so an agent looks at heads
//! only and nobody is blocked by a head that nobody free can take.

use super::ids::{AgentKey, InteractionId, LaneKey, QueueKey};
use super::plan::Channel;
use super::score::Place;
use super::skill::Requirement;
use super::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// Most lanes there may be.
pub const LANES_MAX: u32 = 4_096;

/// What the interactions of a lane have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LaneId {
    pub queue: QueueKey,
    pub channel: Channel,
    pub requirements: Vec<Requirement>,
}

/// One lane.
#[derive(Clone, Debug)]
pub struct Lane {
    pub id: LaneId,
    /// Who waits, first served first.
    waiting: BTreeSet<Place>,
    /// How many agents on duty meet its requirements.
    pub(super) on_duty: u32,
}

impl Lane {
    /// Who waits, first served first.
    pub fn waiting(&self) -> impl Iterator<Item = &Place> {
        self.waiting.iter()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// True if nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many agents on duty meet its requirements.
    pub fn on_duty(&self) -> u32 {
        self.on_duty
    }

    /// How many wait before a place.
    pub fn before(&self, place: Place) -> usize {
        self.waiting.range(..place).count()
    }
}

/// All lanes, and who waits in each queue by the time of entry: the order of the scores is not that of age.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    lanes: Vec<Lane>,
    by_id: BTreeMap<LaneId, LaneKey>,
    by_entry: Vec<BTreeSet<(Time, InteractionId)>>,
}

impl Lines {
    /// The lane of an id, if there is one already.
    pub fn find(&self, id: &LaneId) -> Option<LaneKey> {
        self.by_id.get(id).copied()
    }

    /// True if a lane more would be too many.
    pub fn full(&self) -> bool {
        self.lanes.len() >= LANES_MAX as usize
    }

    /// One lane.
    pub fn lane(&self, key: LaneKey) -> &Lane {
        &self.lanes[key.index()]
    }

    /// Every lane, in the order they were first needed.
    pub fn lanes(&self) -> impl Iterator<Item = (LaneKey, &Lane)> {
        self.lanes.iter().enumerate().map(|(index, lane)| (lane_key(index), lane))
    }

    /// How many wait in a queue.
    pub fn waiting(&self, queue: QueueKey) -> u32 {
        let waiting = self.by_entry.get(queue.index()).map_or(0, BTreeSet::len);
        u32::try_from(waiting).expect("a queue's maximum is a u32")
    }

    /// When the one who waits longest in a queue entered it.
    pub fn oldest(&self, queue: QueueKey) -> Option<Time> {
        self.by_entry.get(queue.index())?.first().map(|(entered, _)| *entered)
    }

    /// Who waits in a queue, first served first.
    pub fn in_order(&self, queue: QueueKey) -> Vec<InteractionId> {
        let mut all: Vec<Place> = self
            .lanes
            .iter()
            .filter(|lane| lane.id.queue == queue)
            .flat_map(|lane| lane.waiting.iter().copied())
            .collect();
        all.sort();
        all.into_iter().map(|(_, _, id)| id).collect()
    }

    pub(super) fn open(&mut self, id: LaneId) -> LaneKey {
        let key = lane_key(self.lanes.len());
        self.by_id.insert(id.clone(), key);
        self.lanes.push(Lane { id, waiting: BTreeSet::new(), on_duty: 0 });
        key
    }

    pub(super) fn enqueue(&mut self, lane: LaneKey, place: Place) {
        let lane = &mut self.lanes[lane.index()];
        let new = lane.waiting.insert(place);
        assert!(new, "an interaction waits in one lane, once");
        let queue = lane.id.queue.index();
        if self.by_entry.len() <= queue {
            self.by_entry.resize(queue + 1, BTreeSet::new());
        }
        self.by_entry[queue].insert((place.1, place.2));
    }

    pub(super) fn dequeue(&mut self, lane: LaneKey, place: Place) {
        let lane = &mut self.lanes[lane.index()];
        assert!(lane.waiting.remove(&place), "a waiting interaction stands in its lane");
        self.by_entry[lane.id.queue.index()].remove(&(place.1, place.2));
    }

    pub(super) fn count_on_duty(&mut self, lanes: &[LaneKey], change: i32) {
        for key in lanes {
            let lane = &mut self.lanes[key.index()];
            lane.on_duty = lane.on_duty.checked_add_signed(change).expect("each agent is counted once");
        }
    }
}

fn lane_key(index: usize) -> LaneKey {
    LaneKey(u32::try_from(index).expect("lanes are limited to LANES_MAX"))
}

/// Who is free, best first: those in `ready` are asked in the order of their rank.
pub type Ready = BTreeSet<(u16, Time, AgentKey)>;
