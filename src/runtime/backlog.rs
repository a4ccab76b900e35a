//! What followers were told lately, in order and for a while, so that whoever comes back hears what they missed. One ring
//! for all followers of a kind, each with a trail through it: keeping is one push, and coming back costs what was missed.
//! Bounded by count, by bytes of text and by age; whatever is let go of moves the trail's begin, so a gap is always known.

use crate::engine::ids::Sequence;
use crate::engine::time::Time;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::hash::Hash;

/// So long something is kept, ms of engine time.
pub const KEPT_MS: u64 = 5 * 60 * 1_000;

/// Where a follower stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Position {
    pub sequence: Sequence,
    /// Which of what this follower was told under that sequence, from 1. 0 stands before all of it.
    pub index: u32,
}

/// Where somebody wants to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct After {
    pub position: Position,
    /// When that was told. A sequence may be given again when an older copy of a journal is put back; a time is not.
    pub time: Option<Time>,
}

/// Most of what is kept of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub count: usize,
    /// Bytes of what people wrote.
    pub text_bytes: usize,
    /// What one who comes back is told instead of a snapshot. More than may wait in a feed: a reader who was too slow must
    /// find all of it here.
    pub missed: usize,
}

/// One thing that was told.
#[derive(Clone, Copy, Debug)]
pub struct Told<T> {
    pub position: Position,
    pub time: Time,
    pub what: T,
}

struct Kept<K, T> {
    key: K,
    /// The number of what the same follower was told before this.
    before: Option<u64>,
    text_bytes: usize,
    /// `None` where somebody left: while that is kept, so is their trail.
    told: Told<Option<T>>,
}

struct Trail {
    /// All that was told after this is kept, and nothing of what was told up to it.
    since: Position,
    began: Time,
    /// The last position there was.
    last: Position,
    /// The number of the newest that is kept.
    newest: Option<u64>,
    /// Somebody listens now.
    here: bool,
}

/// What was told to followers of one kind.
pub struct Backlog<K, T> {
    limits: Limits,
    kept: VecDeque<Kept<K, T>>,
    /// The number of the oldest that is kept.
    first: u64,
    text_bytes: usize,
    trails: HashMap<K, Trail>,
}

impl<K: Copy + Eq + Hash, T> Backlog<K, T> {
    /// Nobody yet.
    pub fn new(limits: Limits) -> Backlog<K, T> {
        Backlog { limits, kept: VecDeque::new(), first: 0, text_bytes: 0, trails: HashMap::new() }
    }

    /// Somebody listens from now on.
    pub fn begin(&mut self, key: K, sequence: Sequence, now: Time) {
        let start = Position { sequence, index: 0 };
        let new = || Trail { since: start, began: now, last: start, newest: None, here: true };
        self.trails.entry(key).or_insert_with(new).here = true;
    }

    /// Nobody listens any more, but may come back.
    pub fn left(&mut self, key: K, now: Time) {
        let Some(trail) = self.trails.get_mut(&key).filter(|trail| trail.here) else { return };
        trail.here = false;
        let position = trail.last;
        self.push(key, Told { position, time: now, what: None }, 0);
    }

    /// Whether what this follower is told is kept.
    pub fn keeps(&self, key: K) -> bool {
        self.trails.contains_key(&key)
    }

    /// The next position of a follower; `None` if nothing is kept for them.
    pub fn next(&mut self, key: K, sequence: Sequence) -> Option<Position> {
        let last = &mut self.trails.get_mut(&key)?.last;
        let index = if last.sequence == sequence { last.index + 1 } else { 1 };
        *last = Position { sequence, index };
        Some(*last)
    }

    /// Keeps what a follower is told.
    pub fn keep(&mut self, key: K, told: Told<T>, text_bytes: usize) {
        let Told { position, time, what } = told;
        self.push(key, Told { position, time, what: Some(what) }, text_bytes);
    }

    fn push(&mut self, key: K, told: Told<Option<T>>, text_bytes: usize) {
        let number = self.first + self.kept.len() as u64;
        let Some(trail) = self.trails.get_mut(&key) else { return };
        let before = trail.newest.replace(number);
        self.text_bytes += text_bytes;
        self.kept.push_back(Kept { key, before, text_bytes, told });
        while self.kept.len() > self.limits.count || self.text_bytes > self.limits.text_bytes {
            self.let_go_of_one();
        }
    }

    /// What a follower was told after a position, oldest first; `None` if not all of it is kept, or it is too much.
    pub fn missed(&self, key: K, after: &After) -> Option<Vec<Told<&T>>> {
        let trail = self.trails.get(&key)?;
        if after.position < trail.since || after.time.is_some_and(|time| time < trail.began) {
            return None;
        }
        let mut missed = Vec::new();
        let mut next = trail.newest;
        while let Some(kept) = next.and_then(|number| self.at(number)) {
            if kept.told.position <= after.position {
                break;
            }
            let Told { position, time, ref what } = kept.told;
            missed.extend(what.as_ref().map(|what| Told { position, time, what }));
            if missed.len() > self.limits.missed {
                return None;
            }
            next = kept.before;
        }
        missed.reverse();
        Some(missed)
    }

    fn at(&self, number: u64) -> Option<&Kept<K, T>> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.kept.get(index)
    }

    /// Lets go of what is too old.
    pub fn forget_old(&mut self, now: Time) {
        while self.kept.front().is_some_and(|oldest| now.since(oldest.told.time) > KEPT_MS) {
            self.let_go_of_one();
        }
    }

    fn let_go_of_one(&mut self) {
        let Some(Kept { key, text_bytes, told, .. }) = self.kept.pop_front() else { return };
        let number = self.first;
        self.first += 1;
        self.text_bytes -= text_bytes;
        let Some(trail) = self.trails.get_mut(&key) else { return };
        trail.since = trail.since.max(told.position);
        if trail.newest == Some(number) {
            trail.newest = None;
            if !trail.here {
                self.trails.remove(&key);
            }
        }
    }

    /// Changes what is kept.
    pub fn change(&mut self, mut change: impl FnMut(&mut T)) {
        self.kept.iter_mut().filter_map(|kept| kept.told.what.as_mut()).for_each(&mut change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { count: 4, text_bytes: 100, missed: 20 };
    const ANA: u32 = 1;
    const BO: u32 = 2;

    fn tell(backlog: &mut Backlog<u32, u64>, key: u32, sequence: u64) -> Position {
        let position = backlog.next(key, Sequence(sequence)).expect("somebody listens");
        backlog.keep(key, Told { position, time: Time(sequence), what: sequence }, 10);
        position
    }

    fn missed(backlog: &Backlog<u32, u64>, key: u32, position: Position) -> Option<Vec<u64>> {
        let missed = backlog.missed(key, &After { position, time: None })?;
        Some(missed.iter().map(|told| *told.what).collect())
    }

    fn at(sequence: u64, index: u32) -> Position {
        Position { sequence: Sequence(sequence), index }
    }

    #[test]
    fn who_comes_back_hears_exactly_what_they_missed_and_nothing_of_others() {
        let mut backlog = Backlog::new(Limits { count: 100, ..LIMITS });
        backlog.begin(ANA, Sequence(1), Time(1));
        backlog.begin(BO, Sequence(1), Time(1));
        tell(&mut backlog, ANA, 2);
        tell(&mut backlog, BO, 3);
        assert_eq!(tell(&mut backlog, ANA, 4), at(4, 1));
        assert_eq!(tell(&mut backlog, ANA, 4), at(4, 2), "two of one event are two places");
        backlog.left(ANA, Time(5));
        tell(&mut backlog, ANA, 6);
        assert_eq!(missed(&backlog, ANA, at(4, 1)), Some(vec![4, 6]));
        assert_eq!(
            missed(&backlog, ANA, at(4, 0)),
            Some(vec![4, 4, 6]),
            "a sequence alone repeats, and misses nothing"
        );
        assert_eq!(missed(&backlog, ANA, at(6, 1)), Some(vec![]));
        assert_eq!(missed(&backlog, ANA, at(0, 0)), None, "before she was there");
        assert_eq!(missed(&backlog, BO, at(1, 1)), Some(vec![3]));
        assert_eq!(missed(&backlog, 3, at(1, 1)), None, "nobody ever told them anything");
    }

    #[test]
    fn what_was_let_go_is_a_gap_for_whom_it_was_told_to_alone() {
        let mut backlog = Backlog::new(LIMITS);
        backlog.begin(ANA, Sequence(1), Time(1));
        backlog.begin(BO, Sequence(1), Time(1));
        tell(&mut backlog, ANA, 2);
        for sequence in 3..=6 {
            tell(&mut backlog, BO, sequence);
        }
        assert_eq!(backlog.kept.len(), LIMITS.count);
        assert_eq!(missed(&backlog, ANA, at(1, 1)), None);
        assert_eq!(missed(&backlog, ANA, at(2, 1)), Some(vec![]), "nothing came since");
        assert_eq!(missed(&backlog, BO, at(1, 1)), Some(vec![3, 4, 5, 6]));
    }

    #[test]
    fn what_is_too_old_or_too_long_goes_and_so_does_the_trail_of_who_stays_away() {
        let mut backlog = Backlog::new(Limits { count: 100, ..LIMITS });
        backlog.begin(ANA, Sequence(1), Time(1));
        for sequence in 2..=20 {
            tell(&mut backlog, ANA, sequence);
        }
        assert_eq!((backlog.kept.len(), backlog.text_bytes), (10, LIMITS.text_bytes));
        backlog.forget_old(Time(15 + KEPT_MS));
        assert_eq!(missed(&backlog, ANA, at(14, 1)), Some((15..=20).collect()));
        assert_eq!(missed(&backlog, ANA, at(13, 1)), None);
        backlog.left(ANA, Time(30));
        backlog.forget_old(Time(30 + KEPT_MS));
        assert_eq!(missed(&backlog, ANA, at(20, 1)), Some(vec![]), "she may still come back");
        backlog.forget_old(Time(31 + KEPT_MS));
        assert!(!backlog.keeps(ANA) && backlog.text_bytes == 0);
        backlog.begin(ANA, Sequence(40), Time(50 + KEPT_MS));
        backlog.forget_old(Time(60 + 2 * KEPT_MS));
        assert!(backlog.keeps(ANA), "she is there, and silent");
    }

    #[test]
    fn more_than_anybody_wants_to_hear_is_a_gap() {
        let mut backlog = Backlog::new(Limits { count: 100, text_bytes: 1_000, ..LIMITS });
        backlog.begin(ANA, Sequence(1), Time(1));
        for sequence in 2..=22 {
            tell(&mut backlog, ANA, sequence);
        }
        assert_eq!(missed(&backlog, ANA, at(2, 1)).map(|missed| missed.len()), Some(LIMITS.missed));
        assert_eq!(missed(&backlog, ANA, at(1, 1)), None);
    }

    #[test]
    fn a_cursor_of_before_this_process_is_a_gap_also_if_its_sequence_was_given_again() {
        let mut backlog: Backlog<u32, u64> = Backlog::new(LIMITS);
        backlog.begin(ANA, Sequence(5), Time(1_000));
        tell(&mut backlog, ANA, 6);
        let after = |time| After { position: at(5, 1), time: Some(Time(time)) };
        assert!(backlog.missed(ANA, &after(999)).is_none());
        assert!(backlog.missed(ANA, &after(1_000)).is_some());
    }
}
