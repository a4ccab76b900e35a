//! A list kept in order, in chunks: cheap at both ends, where lines and timers change most; small where little is in
//! it; and what stands before a member is counted by chunks rather than one by one.

use serde::{Serialize, Serializer};
use std::collections::VecDeque;

/// Most members of a chunk: so many are moved when one comes or goes in the middle, half of them at most.
const CHUNK_MAX: usize = 256;
/// What an empty list may keep, so that one that is mostly empty asks for no memory each time.
const KEPT_MAX: usize = 32;

/// Members in ascending order, each once.
#[derive(Clone, Debug)]
pub struct Sorted<T> {
    /// None is empty, but for the only one.
    chunks: VecDeque<VecDeque<T>>,
    len: usize,
}

impl<T> Default for Sorted<T> {
    fn default() -> Sorted<T> {
        Sorted { chunks: VecDeque::new(), len: 0 }
    }
}

impl<T> Sorted<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The least.
    pub fn first(&self) -> Option<&T> {
        self.chunks.front()?.front()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }
}

impl<T: Ord> Sorted<T> {
    /// Puts one in; false if it was there.
    pub(super) fn insert(&mut self, member: T) -> bool {
        if self.chunks.is_empty() {
            self.chunks.push_back(VecDeque::new());
        }
        let at = self.chunk_of(&member).min(self.chunks.len() - 1);
        let Err(place) = self.chunks[at].binary_search(&member) else { return false };
        self.len += 1;
        match self.chunks[at].len() {
            CHUNK_MAX => self.insert_full(at, place, member),
            _ => self.chunks[at].insert(place, member),
        }
        true
    }

    /// Whoever comes last begins a chunk of its own, so a list that grows at its end is dense.
    fn insert_full(&mut self, at: usize, place: usize, member: T) {
        if place == CHUNK_MAX {
            self.chunks.insert(at + 1, VecDeque::from([member]));
            return;
        }
        let mut upper = self.chunks[at].split_off(CHUNK_MAX / 2);
        match place.checked_sub(CHUNK_MAX / 2) {
            Some(above) => upper.insert(above, member),
            None => self.chunks[at].insert(place, member),
        }
        self.chunks.insert(at + 1, upper);
    }

    /// Takes one out; false if it was not there.
    pub(super) fn remove(&mut self, member: &T) -> bool {
        let at = self.chunk_of(member);
        let Some(chunk) = self.chunks.get_mut(at) else { return false };
        let Ok(place) = chunk.binary_search(member) else { return false };
        chunk.remove(place);
        self.len -= 1;
        if self.len == 0 && chunk.capacity() > KEPT_MAX {
            *chunk = VecDeque::new();
        } else if chunk.len() < CHUNK_MAX / 4 {
            self.close_gap(at);
        }
        true
    }

    /// A chunk of which little is left goes, or joins the next if that has room.
    fn close_gap(&mut self, at: usize) {
        let left = self.chunks[at].len();
        let Some(next) = self.chunks.get(at + 1) else {
            if left == 0 && at > 0 {
                self.chunks.pop_back();
            }
            return;
        };
        if left + next.len() > CHUNK_MAX / 2 && left > 0 {
            return;
        }
        let rest = self.chunks.remove(at).expect("it was looked at a moment ago");
        for member in rest.into_iter().rev() {
            self.chunks[at].push_front(member);
        }
    }

    /// How many come before this one, which need not be there.
    pub fn before(&self, member: &T) -> usize {
        let at = self.chunk_of(member);
        let whole: usize = self.chunks.iter().take(at).map(VecDeque::len).sum();
        let part = self.chunks.get(at).map_or(0, |chunk| chunk.partition_point(|other| other < member));
        whole + part
    }

    /// This one, if it is there, and all that come after it.
    pub fn from(&self, member: &T) -> impl Iterator<Item = &T> {
        let at = self.chunk_of(member);
        let skipped = self.chunks.get(at).map_or(0, |chunk| chunk.partition_point(|other| other < member));
        self.chunks.range(at.min(self.chunks.len())..).flatten().skip(skipped)
    }

    /// The chunk it is in, or would go to; beyond the last if it comes after all.
    fn chunk_of(&self, member: &T) -> usize {
        // Most lists have one chunk, and most who come are the last.
        match self.chunks.back().and_then(VecDeque::back) {
            Some(last) if last < member => self.chunks.len(),
            _ if self.chunks.len() <= 1 => 0,
            _ => self.chunks.partition_point(|chunk| chunk.back().is_some_and(|last| last < member)),
        }
    }
}

impl<T: Serialize> Serialize for Sorted<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut all = serializer.serialize_seq(Some(self.len))?;
        self.iter().try_for_each(|member| all.serialize_element(member))?;
        all.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_sorted_list_holds_what_a_set_holds() {
        let (mut list, mut set) = (Sorted::<u64>::default(), BTreeSet::new());
        let mut chance = 11_u64;
        for step in 0..60_000_u64 {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Grows to thousands at the end and in the middle, then empties from all sides.
            let member = match chance >> 62 {
                0 => step,
                1 => set.first().copied().unwrap_or_default(),
                _ => (chance >> 20) % 8_192,
            };
            let grows = step < 30_000;
            match (chance >> 33) % 4 == u64::from(!grows) || (chance >> 33) % 4 == 2 {
                grow if grow == grows => assert_eq!(list.insert(member), set.insert(member)),
                _ => assert_eq!(list.remove(&member), set.remove(&member)),
            }
            assert_eq!((list.len(), list.first()), (set.len(), set.first()));
            if step % 500 == 0 {
                assert_eq!(list.before(&member), set.range(..member).count());
                assert!(list.iter().eq(&set), "the same order");
                assert!(list.from(&member).eq(set.range(member..)), "and from anywhere");
            }
        }
        let all: Vec<u64> = set.iter().copied().collect();
        assert!(all.iter().all(|member| list.remove(member)));
        assert!(list.is_empty() && list.iter().next().is_none());
    }

    #[test]
    fn a_line_served_from_its_front_keeps_few_chunks() {
        let mut list = Sorted::<u64>::default();
        (0..10_000).for_each(|member| assert!(list.insert(member)));
        (0..9_990).for_each(|member| assert!(list.remove(&member)));
        assert_eq!((list.len(), list.chunks.len()), (10, 1));
    }
}
