//! A list kept in order, in chunks: cheap at both ends, where lines and timers change most; small where little is in
//! it; and what stands before a member is counted by chunks rather than one by one.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::VecDeque;

/// Most members of a chunk: so many are moved when one comes or goes in the middle, half of them at most.
const CHUNK_MAX: usize = 256;
/// What an empty list may keep, so that one that is mostly empty asks for no memory each time.
const KEPT_MAX: usize = 32;

/// Members in ascending order, each once.
#[derive(Clone, Debug)]
pub struct Sorted<T> {
    /// The first chunk, which is mostly the only one. Empty only if the list is.
    head: VecDeque<T>,
    /// The others. None is empty.
    rest: VecDeque<VecDeque<T>>,
    len: usize,
}

impl<T> Default for Sorted<T> {
    fn default() -> Sorted<T> {
        Sorted { head: VecDeque::new(), rest: VecDeque::new(), len: 0 }
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
        self.head.front()
    }

    /// One by how many come before it.
    pub fn get(&self, at: usize) -> Option<&T> {
        if at < self.head.len() || self.rest.is_empty() { self.head.get(at) } else { self.iter().nth(at) }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.head.iter().chain(self.rest.iter().flatten())
    }
}

impl<T: Ord + Copy> Sorted<T> {
    /// Puts one in; false if it was there.
    pub(super) fn insert(&mut self, member: T) -> bool {
        let new = if self.rest.is_empty() && self.head.len() < CHUNK_MAX {
            insert_into(&mut self.head, member)
        } else {
            self.insert_among(member)
        };
        self.len += usize::from(new);
        new
    }

    fn insert_among(&mut self, member: T) -> bool {
        let at = self.chunk_of(&member).min(self.rest.len());
        let chunk = self.chunk_mut(at);
        if chunk.len() < CHUNK_MAX {
            return insert_into(chunk, member);
        }
        // Whoever comes last begins a chunk of its own, so a list that grows at its end is dense.
        let after_all = chunk.back().is_some_and(|last| *last < member);
        let (mut upper, new) = match after_all {
            true => (VecDeque::from([member]), true),
            false => (chunk.split_off(CHUNK_MAX / 2), false),
        };
        let new = new
            || match upper.front().is_some_and(|least| *least <= member) {
                true => insert_into(&mut upper, member),
                false => insert_into(chunk, member),
            };
        self.rest.insert(at, upper);
        new
    }

    /// Takes one out; false if it was not there.
    pub(super) fn remove(&mut self, member: &T) -> bool {
        if self.head.front() == Some(member) {
            self.head.pop_front();
            self.taken_out_of(0);
            return true;
        }
        let at = if self.rest.is_empty() { 0 } else { self.chunk_of(member) };
        if at > self.rest.len() {
            return false;
        }
        let chunk = self.chunk_mut(at);
        let Ok(place) = chunk.binary_search(member) else { return false };
        chunk.remove(place);
        self.taken_out_of(at);
        true
    }

    /// A chunk of which little is left goes, or joins the next if that has room.
    fn taken_out_of(&mut self, at: usize) {
        self.len -= 1;
        if self.rest.is_empty() {
            if self.len == 0 && self.head.capacity() > KEPT_MAX {
                self.head = VecDeque::new();
            }
            return;
        }
        let (left, next) = (self.chunk_mut(at).len(), self.rest.get(at).map(VecDeque::len));
        match next {
            Some(next) if left == 0 || left < CHUNK_MAX / 4 && left + next <= CHUNK_MAX / 2 => {
                let next = self.rest.remove(at).expect("it was looked at a moment ago");
                self.chunk_mut(at).extend(next);
            }
            None if left == 0 => drop(self.rest.pop_back()),
            _ => {}
        }
    }

    /// How many come before this one, which need not be there.
    pub fn before(&self, member: &T) -> usize {
        let at = self.chunk_of(member);
        let part = self.chunk(at).map_or(0, |chunk| chunk.partition_point(|other| other < member));
        // From the nearer end: who is asked about has mostly just come.
        if at > self.rest.len() / 2 {
            let from_here: usize = self.rest.range((at - 1).min(self.rest.len())..).map(VecDeque::len).sum();
            return self.len - from_here + part;
        }
        let earlier = self.rest.range(..at.saturating_sub(1)).map(VecDeque::len).sum::<usize>();
        part + if at > 0 { self.head.len() + earlier } else { 0 }
    }

    /// This one, if it is there, and all that come after it.
    pub fn from(&self, member: &T) -> impl Iterator<Item = &T> {
        let at = self.chunk_of(member);
        let chunk = self.chunk(at);
        let before = chunk.map_or(0, |chunk| chunk.partition_point(|other| other < member));
        let later = self.rest.range(at.min(self.rest.len())..);
        chunk.into_iter().flat_map(move |chunk| chunk.range(before..)).chain(later.flatten())
    }

    fn chunk(&self, at: usize) -> Option<&VecDeque<T>> {
        at.checked_sub(1).map_or(Some(&self.head), |at| self.rest.get(at))
    }

    fn chunk_mut(&mut self, at: usize) -> &mut VecDeque<T> {
        match at.checked_sub(1) {
            None => &mut self.head,
            Some(at) => &mut self.rest[at],
        }
    }

    /// The chunk it is in, or would go to; beyond the last if it comes after all.
    fn chunk_of(&self, member: &T) -> usize {
        let ends_before = |chunk: &VecDeque<T>| chunk.back().is_some_and(|last| last < member);
        // Most who come are the last.
        if self.rest.back().is_some_and(ends_before) {
            return self.rest.len() + 1;
        }
        if !ends_before(&self.head) { 0 } else { 1 + self.rest.partition_point(ends_before) }
    }
}

fn insert_into<T: Ord>(chunk: &mut VecDeque<T>, member: T) -> bool {
    if chunk.back().is_none_or(|last| *last < member) {
        chunk.push_back(member);
        return true;
    }
    match chunk.binary_search(&member) {
        Ok(_) => false,
        Err(place) => {
            chunk.insert(place, member);
            true
        }
    }
}

/// From members in ascending order, each once. Chunks have room for more.
impl<T> FromIterator<T> for Sorted<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Sorted<T> {
        const FILLED: usize = CHUNK_MAX / 4 * 3;
        let mut members = members.into_iter();
        let mut list = Sorted::default();
        loop {
            let chunk: VecDeque<T> = members.by_ref().take(FILLED).collect();
            if chunk.is_empty() {
                return list;
            }
            list.len += chunk.len();
            match list.head.is_empty() {
                true => list.head = chunk,
                false => list.rest.push_back(chunk),
            }
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Sorted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Sorted<T>, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
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
                assert_eq!(list.get(700), set.iter().nth(700));
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
        assert_eq!((list.len(), list.rest.len()), (10, 0));
    }
}
