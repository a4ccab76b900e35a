//! The timers. Each fires with its own time, in the order of time and then of the deadline itself, whoever
//! notices it and when.

use super::ids::{AgentKey, AssignmentId, HoursKey, InteractionId, OfferId, PoolKey, SkillKey};
use super::sorted::Sorted;
use super::time::Time;
use arrayvec::ArrayVec;
use hashbrown::HashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Deadline {
    /// The offer was not answered.
    Offer(OfferId),
    /// Wrap-up is over.
    WrapUp(AssignmentId),
    /// The pair may be tried again.
    CoolDown(InteractionId, AgentKey),
    /// The agent of a conversation has been lost for too long.
    Agent(AssignmentId),
    /// Hours turn, or a day is over.
    Hours(HoursKey),
    /// The agent's skill runs out.
    Skill(AgentKey, SkillKey),
    /// The agent counts as responding again.
    Recover(AgentKey),
    /// A new day for an agent who has taken as many as allowed. Follows from the time alone: no part of the state.
    NewDay(AgentKey),
    /// Nobody said whether agent and customer are connected.
    Connect(AssignmentId),
    /// Scheduled work is due.
    Due(InteractionId),
    /// It has waited for one agent long enough.
    Preference(InteractionId),
    /// It has waited beyond its maximum.
    MaxWait(InteractionId),
    /// The next step of relaxation, or the last.
    Relax(InteractionId),
    /// Look whether it overflows now. Follows from the time alone: it is no part of the state.
    Overflow(InteractionId),
    /// The window of a call-back is over.
    Window(InteractionId),
    /// No second agent was found in time.
    Seek(InteractionId),
    /// The source of a live interaction has been silent for too long.
    Source(InteractionId),
    /// It has been held for a cheaper agent long enough. Follows from the time alone: it is no part of the state.
    Hold(InteractionId),
    /// A block of a trial is over.
    Block(PoolKey),
}

/// Kinds of deadlines.
const KINDS: usize = 19;
/// Timers armed last, before they are put in order with the rest.
const FRESH_MAX: usize = 8;

impl Deadline {
    /// Which kind it is, below `KINDS`.
    fn kind(self) -> usize {
        match self {
            Deadline::Offer(_) => 0,
            Deadline::WrapUp(_) => 1,
            Deadline::CoolDown(..) => 2,
            Deadline::Agent(_) => 3,
            Deadline::Hours(_) => 4,
            Deadline::Skill(..) => 5,
            Deadline::Recover(_) => 6,
            Deadline::NewDay(_) => 7,
            Deadline::Connect(_) => 8,
            Deadline::Due(_) => 9,
            Deadline::Preference(_) => 10,
            Deadline::MaxWait(_) => 11,
            Deadline::Relax(_) => 12,
            Deadline::Overflow(_) => 13,
            Deadline::Window(_) => 14,
            Deadline::Seek(_) => 15,
            Deadline::Source(_) => 16,
            Deadline::Hold(_) => 17,
            Deadline::Block(_) => 18,
        }
    }

    /// No event says when it fired: that follows from the time alone, and is no part of the state.
    fn follows_from_time(self) -> bool {
        matches!(self, Deadline::Overflow(_) | Deadline::NewDay(_) | Deadline::Hold(_))
    }

    /// Offers and wrap-ups say themselves when they end, so nobody else has to remember.
    fn is_known_to_its_owner(self) -> bool {
        matches!(self, Deadline::Offer(_) | Deadline::WrapUp(_))
    }
}

/// All timers that are armed.
///
/// Most are taken away long before they fire, many in the step that armed them: those armed last are kept apart, and
/// of a kind of which none is armed nobody looks for one.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    fresh: ArrayVec<(Time, Deadline), FRESH_MAX>,
    /// All others, the first due first.
    sorted: Sorted<(Time, Deadline)>,
    /// When each of those fires, unless its owner knows. Looked up, never iterated.
    times: HashMap<Deadline, Time>,
    armed: [u32; KINDS],
}

impl Deadlines {
    /// Arms a timer, or moves it.
    pub(super) fn arm(&mut self, deadline: Deadline, at: Time) {
        debug_assert!(
            !deadline.is_known_to_its_owner(),
            "those are armed once, and end by their owner's time"
        );
        self.disarm(deadline);
        self.add(deadline, at);
    }

    /// Arms the timer of an offer or a wrap-up, which has none.
    pub(super) fn arm_owned(&mut self, deadline: Deadline, at: Time) {
        debug_assert!(deadline.is_known_to_its_owner(), "others are found by name alone");
        self.add(deadline, at);
    }

    /// Takes a timer away; one that is not armed is no error.
    pub(super) fn disarm(&mut self, deadline: Deadline) {
        if self.armed[deadline.kind()] == 0 || self.drop_fresh(deadline) {
            return;
        }
        if let Some(at) = self.times.remove(&deadline) {
            self.drop_sorted(deadline, at);
        }
    }

    /// Takes the timer of an offer or a wrap-up away, by the time its owner knows.
    pub(super) fn disarm_owned(&mut self, deadline: Deadline, at: Time) {
        if !self.drop_fresh(deadline) {
            self.drop_sorted(deadline, at);
        }
    }

    /// True if the timer is armed.
    pub(super) fn is_armed(&self, deadline: Deadline) -> bool {
        self.armed[deadline.kind()] > 0
            && (self.fresh.iter().any(|(_, other)| *other == deadline) || self.times.contains_key(&deadline))
    }

    /// The next one due.
    pub fn next(&self) -> Option<(Time, Deadline)> {
        self.fresh.iter().chain(self.sorted.first()).min().copied()
    }

    /// All of them, earliest first, but those that follow from the time alone.
    pub fn sorted(&self) -> Vec<(Time, Deadline)> {
        let mut all: Vec<_> = self
            .fresh
            .iter()
            .chain(self.sorted.iter())
            .filter(|(_, deadline)| !deadline.follows_from_time())
            .copied()
            .collect();
        all.sort_unstable();
        all
    }

    fn add(&mut self, deadline: Deadline, at: Time) {
        if self.fresh.is_full() {
            self.put_in_order();
        }
        self.armed[deadline.kind()] += 1;
        self.fresh.push((at, deadline));
    }

    fn put_in_order(&mut self) {
        for (at, deadline) in self.fresh.drain(..) {
            let new = self.sorted.insert((at, deadline));
            assert!(new, "a timer is armed once");
            if !deadline.is_known_to_its_owner() {
                self.times.insert(deadline, at);
            }
        }
    }

    fn drop_fresh(&mut self, deadline: Deadline) -> bool {
        let Some(at) = self.fresh.iter().position(|(_, other)| *other == deadline) else { return false };
        self.fresh.swap_remove(at);
        self.armed[deadline.kind()] -= 1;
        true
    }

    fn drop_sorted(&mut self, deadline: Deadline, at: Time) {
        assert!(self.sorted.remove(&(at, deadline)), "a timer that is armed stands at its time");
        self.armed[deadline.kind()] -= 1;
    }
}

/// All of them, those too that follow from the time alone; the first due first.
impl Serialize for Deadlines {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all: Vec<_> = self.fresh.iter().chain(self.sorted.iter()).collect();
        all.sort_unstable();
        all.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Deadlines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Deadlines, D::Error> {
        let all: Vec<(Time, Deadline)> = Vec::deserialize(deserializer)?;
        let mut deadlines = Deadlines::default();
        for (at, deadline) in &all {
            deadlines.armed[deadline.kind()] += 1;
            if !deadline.is_known_to_its_owner() {
                deadlines.times.insert(*deadline, *at);
            }
        }
        deadlines.sorted = all.into_iter().collect();
        Ok(deadlines)
    }
}
