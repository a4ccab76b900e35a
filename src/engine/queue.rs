//! The waiting lines. A lane holds the waiting interactions of one queue and channel with equal needs, in the order
//! of their places: whoever can serve one of a lane can serve all of it, so an agent looks at heads
//! only and nobody is blocked by a head that nobody free can take.

use super::channel::Channel;
use super::ids::{InteractionId, LaneKey, ProfileKey, QueueKey};
use super::learned::Learned;
use super::route::{BetterWith, Needs};
use super::score::{Place, Turn, millis};
use super::sorted::Sorted;
use super::stakes::Stakes;
use super::time::Time;
use hashbrown::{DefaultHashBuilder, HashTable};
use serde::{Deserialize, Serialize};
use std::hash::BuildHasher;

/// Most lanes there may be.
pub const LANES_MAX: u32 = 4_096;

/// What the interactions of a lane have in common.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LaneId {
    pub queue: QueueKey,
    pub channel: Channel,
    /// Whoever meets one of these qualifies.
    pub needs: Vec<Needs>,
    /// What whoever serves it had better know.
    pub better_with: Vec<BetterWith>,
    /// Handling is expected to take so long, ms: who is about to end the shift takes none of it.
    pub expected_handle_ms: u64,
    /// What each of them stands for.
    pub stakes: Stakes,
}

/// The same, borrowed from a plan: a lane is found without making an id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LaneRef<'a> {
    pub queue: QueueKey,
    pub channel: Channel,
    pub needs: &'a [Needs],
    pub better_with: &'a [BetterWith],
    pub expected_handle_ms: u64,
    pub stakes: Stakes,
}

impl LaneRef<'_> {
    /// An id of its own.
    pub(super) fn to_id(self) -> LaneId {
        let LaneRef { queue, channel, needs, better_with, expected_handle_ms, stakes } = self;
        let (needs, better_with) = (needs.to_vec(), better_with.to_vec());
        LaneId { queue, channel, needs, better_with, expected_handle_ms, stakes }
    }
}

impl LaneId {
    pub(super) fn as_ref(&self) -> LaneRef<'_> {
        let LaneId { queue, channel, needs, better_with, expected_handle_ms, stakes } = self;
        LaneRef {
            queue: *queue,
            channel: *channel,
            needs,
            better_with,
            expected_handle_ms: *expected_handle_ms,
            stakes: *stakes,
        }
    }
}

/// One lane.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lane {
    pub id: LaneId,
    /// What was learned of its queue, or what the rules say: handling takes so long, and customers wait so long, ms.
    pub(super) handle_ms: u64,
    pub(super) patience_ms: u64,
    /// Who waits, first served first.
    waiting: Sorted<Place>,
    /// The profiles that meet its needs.
    pub(super) profiles: Vec<ProfileKey>,
    /// How many agents on duty meet its needs.
    pub(super) on_duty: u32,
    /// How many of those who wait may be kept from somebody who can serve the lane.
    restricted: u32,
    /// How many interactions that are not over stand in it or would go back to it.
    members: u32,
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

    /// True if somebody stands in it, or would go back to it.
    pub fn is_needed(&self) -> bool {
        self.members > 0
    }

    /// True if somebody who can serve it may have to pass one of those who wait.
    pub(super) fn is_restricted(&self) -> bool {
        self.restricted > 0
    }

    /// How many agents on duty meet its needs.
    pub fn on_duty(&self) -> u32 {
        self.on_duty
    }

    /// Those who wait from a place on.
    pub(super) fn waiting_from(&self, place: &Place) -> impl Iterator<Item = &Place> {
        self.waiting.from(place)
    }

    /// Where those begin whose target has not passed yet, if it has for this one and a miss costs something. `counts_from`
    /// is since when this one's wait counts.
    pub(super) fn after_target(&self, place: &Place, counts_from: Time, now: Time) -> Option<Place> {
        let target_ms = self.id.stakes.target_ms();
        if now.since(counts_from) < target_ms || !self.id.stakes.has_target() {
            return None;
        }
        // Those of a lane are alike: the key of all lies as far before that moment as that of this one.
        let moved = millis(counts_from.0) - place.1;
        Some((Turn::Regular, millis(now.0) - millis(target_ms) + 1 - moved, Time(0), InteractionId(0)))
    }

    /// How many have missed their target at a moment, one of whom counts from `counts_from`.
    pub(super) fn late_before(&self, place: &Place, counts_from: Time, now: Time) -> usize {
        let moved = millis(counts_from.0) - place.1;
        let key = millis(now.0) - millis(self.id.stakes.target_ms()) + 1 - moved;
        self.waiting.before(&(Turn::Regular, key, Time(0), InteractionId(0)))
    }

    fn learn(&mut self, learned: &Learned) {
        if let Some(known) = learned.queue(self.id.queue) {
            (self.handle_ms, self.patience_ms) = (known.handle_ms, known.patience_ms);
        }
    }

    /// How many wait before a place.
    pub fn before(&self, place: Place) -> usize {
        self.waiting.before(&place)
    }
}

/// All lanes, and who waits in each queue by the time of entry: the order of the scores is not that of age.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Lines {
    lanes: Vec<Lane>,
    #[serde(skip)]
    by_id: HashTable<LaneKey>,
    #[serde(skip)]
    hasher: DefaultHashBuilder,
    /// The lanes of each queue.
    by_queue: Vec<Vec<LaneKey>>,
    by_entry: Vec<Sorted<(Time, InteractionId)>>,
    /// How many stand in all lanes.
    standing: u32,
}

impl Lines {
    /// The lane of an id, if there is one already.
    pub fn find(&self, id: LaneRef) -> Option<LaneKey> {
        let same = |key: &LaneKey| self.lane(*key).id.as_ref() == id;
        self.by_id.find(self.hasher.hash_one(id), same).copied()
    }

    /// True if a lane more would be too many for an admission: all are taken.
    pub fn full(&self) -> bool {
        self.lanes.len() >= LANES_MAX as usize && self.unused().is_none()
    }

    /// A lane nobody stands in or would go back to; the first there is.
    fn unused(&self) -> Option<LaneKey> {
        self.lanes.iter().position(|lane| lane.members == 0).map(lane_key)
    }

    /// True if nobody stands in any lane.
    pub(super) fn is_empty(&self) -> bool {
        self.standing == 0
    }

    /// One lane.
    pub fn lane(&self, key: LaneKey) -> &Lane {
        &self.lanes[key.index()]
    }

    /// Every lane, in the order they were first needed.
    pub fn lanes(&self) -> impl Iterator<Item = (LaneKey, &Lane)> {
        self.lanes.iter().enumerate().map(|(index, lane)| (lane_key(index), lane))
    }

    /// The lanes of one queue.
    pub fn of_queue(&self, queue: QueueKey) -> impl Iterator<Item = &Lane> {
        self.by_queue.get(queue.index()).into_iter().flatten().map(|key| self.lane(*key))
    }

    /// How many wait in a queue.
    pub fn waiting(&self, queue: QueueKey) -> u32 {
        let waiting = self.by_entry.get(queue.index()).map_or(0, Sorted::len);
        u32::try_from(waiting).expect("a queue's maximum is a u32")
    }

    /// When the one who waits longest in a queue entered it.
    pub fn oldest(&self, queue: QueueKey) -> Option<Time> {
        self.by_entry.get(queue.index())?.first().map(|(entered, _)| *entered)
    }

    /// Opens a lane, where there was none or where nobody needs the old one any more.
    pub(super) fn open(&mut self, id: LaneId) -> LaneKey {
        let hash = self.hasher.hash_one(id.as_ref());
        let lane = Lane {
            handle_ms: id.expected_handle_ms,
            patience_ms: id.stakes.patience_ms(),
            id,
            waiting: Sorted::default(),
            profiles: Vec::new(),
            on_duty: 0,
            restricted: 0,
            members: 0,
        };
        let unused = if self.lanes.len() < LANES_MAX as usize { None } else { self.unused() };
        let key = match unused {
            Some(key) => {
                let old = std::mem::replace(&mut self.lanes[key.index()], lane);
                self.by_queue[old.id.queue.index()].retain(|other| *other != key);
                let hash = self.hasher.hash_one(old.id.as_ref());
                if let Ok(known) = self.by_id.find_entry(hash, |other| *other == key) {
                    known.remove();
                }
                key
            }
            // Steps of relaxation and overflow of what was admitted may go beyond the limit for admissions.
            None => {
                self.lanes.push(lane);
                lane_key(self.lanes.len() - 1)
            }
        };
        let queue = self.lane(key).id.queue.index();
        if self.by_queue.len() <= queue {
            self.by_queue.resize_with(queue + 1, Vec::new);
        }
        self.by_queue[queue].push(key);
        let Lines { lanes, by_id, hasher, .. } = self;
        by_id.insert_unique(hash, key, |other| hasher.hash_one(lanes[other.index()].id.as_ref()));
        key
    }

    /// Finds lanes by their ids again, after all of it was read from somewhere.
    pub(super) fn index_again(&mut self) {
        let Lines { lanes, by_id, hasher, .. } = self;
        by_id.clear();
        for (at, lane) in lanes.iter().enumerate() {
            let hash = hasher.hash_one(lane.id.as_ref());
            by_id
                .insert_unique(hash, lane_key(at), |other| hasher.hash_one(lanes[other.index()].id.as_ref()));
        }
    }

    /// Takes what was learned of the queues over what the rules say.
    pub(super) fn learn(&mut self, learned: &Learned) {
        self.lanes.iter_mut().for_each(|lane| lane.learn(learned));
    }

    /// The same for one lane.
    pub(super) fn learn_one(&mut self, lane: LaneKey, learned: &Learned) {
        self.lanes[lane.index()].learn(learned);
    }

    /// An interaction needs this lane, now or later.
    pub(super) fn join(&mut self, lane: LaneKey) {
        self.lanes[lane.index()].members += 1;
    }

    pub(super) fn part(&mut self, lane: LaneKey) {
        self.lanes[lane.index()].members -= 1;
    }

    pub(super) fn enqueue(&mut self, lane: LaneKey, place: Place) {
        let new = self.lanes[lane.index()].waiting.insert(place);
        assert!(new, "an interaction waits in one lane, once");
        self.standing += 1;
    }

    pub(super) fn dequeue(&mut self, lane: LaneKey, place: Place) {
        assert!(self.lanes[lane.index()].waiting.remove(&place), "a waiting interaction stands in its lane");
        self.standing -= 1;
    }

    /// One of those who wait may be kept from somebody now, or none of that any more.
    pub(super) fn count_restricted(&mut self, lane: LaneKey, change: i32) {
        let count = &mut self.lanes[lane.index()].restricted;
        *count = count.checked_add_signed(change).expect("each is counted once");
    }

    /// One more waits in a queue, wherever it stands.
    pub(super) fn came(&mut self, queue: QueueKey, place: Place) {
        let queue = queue.index();
        if self.by_entry.len() <= queue {
            self.by_entry.resize_with(queue + 1, Sorted::default);
        }
        self.by_entry[queue].insert((place.2, place.3));
    }

    pub(super) fn went(&mut self, queue: QueueKey, place: Place) {
        self.by_entry[queue.index()].remove(&(place.2, place.3));
    }

    /// Who waits in a queue, by time of entry.
    pub fn by_entry(&self, queue: QueueKey) -> impl Iterator<Item = InteractionId> {
        self.by_entry.get(queue.index()).into_iter().flat_map(Sorted::iter).map(|(_, id)| *id)
    }

    /// A profile meets the needs of a lane.
    pub(super) fn add_profile(&mut self, lane: LaneKey, profile: ProfileKey) {
        self.lanes[lane.index()].profiles.push(profile);
    }

    /// Nobody has this profile any more.
    pub(super) fn forget_profile(&mut self, lane: LaneKey, profile: ProfileKey) {
        self.lanes[lane.index()].profiles.retain(|known| *known != profile);
    }

    pub(super) fn count_on_duty(&mut self, lanes: &[LaneKey], change: i32) {
        for key in lanes {
            let lane = &mut self.lanes[key.index()];
            lane.on_duty = lane.on_duty.checked_add_signed(change).expect("each agent is counted once");
        }
    }
}

fn lane_key(index: usize) -> LaneKey {
    LaneKey(u32::try_from(index).expect("lanes are fewer than interactions"))
}
