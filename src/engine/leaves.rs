//! A list, and an index of names, that are copied for little: both lie in leaves of a few members, which copies share until
//! one of them changes. So a floor of 10,000 agents is published after each definition for the price of one leaf and
//! of a count for each of the others.

use super::ids::Text;
use arrayvec::ArrayVec;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// Members of a leaf of a list. More are dearer to copy when one of them changes, fewer make more leaves to count.
const LEAF: usize = 32;
/// Most names of a leaf, likewise; one more makes two of it.
const NAMES: usize = 64;

/// Members in the order they came in. None is ever taken out.
#[derive(Clone, Debug)]
pub struct Leaves<T> {
    /// All but the last are full.
    leaves: Vec<Arc<ArrayVec<T, LEAF>>>,
}

impl<T> Default for Leaves<T> {
    fn default() -> Leaves<T> {
        Leaves { leaves: Vec::new() }
    }
}

impl<T> Leaves<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.leaves.last().map_or(0, |last| (self.leaves.len() - 1) * LEAF + last.len())
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// One by how many came before it.
    pub fn get(&self, at: usize) -> Option<&T> {
        self.leaves.get(at / LEAF)?.get(at % LEAF)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.leaves.iter().flat_map(|leaf| leaf.iter())
    }
}

impl<T: Clone> Leaves<T> {
    /// One, to change it: its leaf is copied if others share it.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        Arc::make_mut(self.leaves.get_mut(at / LEAF)?).get_mut(at % LEAF)
    }

    /// Puts one behind all others.
    pub(super) fn push(&mut self, member: T) {
        match self.leaves.last_mut().filter(|last| !last.is_full()) {
            Some(last) => Arc::make_mut(last).push(member),
            None => self.leaves.push(Arc::new(ArrayVec::from_iter([member]))),
        }
    }
}

/// As a list, whatever it lies in.
impl<T: Serialize> Serialize for Leaves<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut all = serializer.serialize_seq(Some(self.len()))?;
        self.iter().try_for_each(|member| all.serialize_element(member))?;
        all.end()
    }
}

impl<'de, T: Clone + Deserialize<'de>> Deserialize<'de> for Leaves<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Leaves<T>, D::Error> {
        let mut leaves = Leaves::default();
        Vec::deserialize(deserializer)?.into_iter().for_each(|member| leaves.push(member));
        Ok(leaves)
    }
}

type Leaf = Arc<Vec<(Text, u32)>>;

/// Keys by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// In order, and none is empty.
    leaves: Vec<Leaf>,
    len: usize,
}

impl Names {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn get(&self, name: &str) -> Option<u32> {
        let leaf = self.leaves.get(self.leaf_of(name))?;
        place(leaf, name).ok().map(|at| leaf[at].1)
    }

    /// All keys, in the order of their names.
    pub fn keys(&self) -> impl Iterator<Item = u32> {
        self.leaves.iter().flat_map(|leaf| leaf.iter()).map(|(_, key)| *key)
    }

    pub fn insert(&mut self, name: Text, key: u32) {
        let number = self.leaf_of(&name);
        let Some(leaf) = self.leaves.get_mut(number) else {
            self.len = 1;
            return self.leaves.push(Arc::new(vec![(name, key)]));
        };
        match place(leaf, &name) {
            Ok(at) => Arc::make_mut(leaf)[at].1 = key,
            Err(at) => {
                let leaf = Arc::make_mut(leaf);
                leaf.insert(at, (name, key));
                self.len += 1;
                if leaf.len() > NAMES {
                    let upper = leaf.split_off(NAMES / 2);
                    self.leaves.insert(number + 1, Arc::new(upper));
                }
            }
        }
    }

    pub fn remove(&mut self, name: &str) {
        let number = self.leaf_of(name);
        let Some(leaf) = self.leaves.get_mut(number) else { return };
        let Ok(at) = place(leaf, name) else { return };
        let leaf = Arc::make_mut(leaf);
        leaf.remove(at);
        self.len -= 1;
        if leaf.is_empty() {
            self.leaves.remove(number);
        }
    }

    /// The leaf a name is in, or is to go into: the last that does not begin behind it.
    fn leaf_of(&self, name: &str) -> usize {
        let behind =
            self.leaves.partition_point(|leaf| leaf.first().is_some_and(|(first, _)| &**first <= name));
        behind.saturating_sub(1)
    }
}

/// Where a name is, or would be.
fn place(leaf: &Leaf, name: &str) -> Result<usize, usize> {
    leaf.binary_search_by(|(known, _)| (**known).cmp(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Of leaves, those that two lists do not share.
    fn unshared<T>(one: &[Arc<T>], other: &[Arc<T>]) -> usize {
        one.iter().filter(|leaf| !other.iter().any(|known| Arc::ptr_eq(leaf, known))).count()
    }

    fn name(number: u32) -> Text {
        // In no order.
        format!("agent{}", number.wrapping_mul(0x9e37_79b9)).into()
    }

    #[test]
    fn a_list_gives_what_was_put_in_and_one_changed_is_another_in_one_copy_only() {
        let mut list = Leaves::default();
        (0..100).for_each(|number| list.push(number));
        let before = list.clone();
        *list.get_mut(40).expect("it was put in") = 7;
        list.push(100);
        assert_eq!(before.iter().copied().collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
        let after: Vec<_> = (0..101).map(|number| if number == 40 { 7 } else { number }).collect();
        assert_eq!(list.iter().copied().collect::<Vec<_>>(), after);
        assert_eq!(
            (list.len(), list.get(100), list.get(101), before.get(100)),
            (101, Some(&100), None, None)
        );
        assert_eq!(unshared(&list.leaves, &before.leaves), 2, "the leaf of the change, and the last");
    }

    #[test]
    fn a_list_is_written_and_read_as_a_list() {
        for count in [0, 1, 31, 32, 33, 100] {
            let (mut list, plain) = (Leaves::default(), (0..count).collect::<Vec<u64>>());
            plain.iter().for_each(|number| list.push(*number));
            let bytes = postcard::to_stdvec(&list).expect("encoded");
            assert_eq!(bytes, postcard::to_stdvec(&plain).expect("encoded"));
            let read: Leaves<u64> = postcard::from_bytes(&bytes).expect("decoded");
            assert_eq!(read.iter().copied().collect::<Vec<_>>(), plain);
        }
    }

    #[test]
    fn names_are_found_in_order_and_forgotten_as_in_a_map() {
        let (mut names, mut plain) = (Names::default(), BTreeMap::new());
        for number in 0..2_000 {
            // Some come again with another key, some go, some of those that are not there.
            names.insert(name(number % 1_500), number);
            plain.insert(name(number % 1_500), number);
            if number % 3 == 0 {
                names.remove(&name(number / 2));
                plain.remove(&name(number / 2));
            }
        }
        assert_eq!(names.len(), plain.len());
        assert_eq!(names.keys().collect::<Vec<_>>(), plain.values().copied().collect::<Vec<_>>());
        for number in 0..1_600 {
            assert_eq!(names.get(&name(number)), plain.get(&name(number)).copied(), "{number}");
        }
        (0..1_500).for_each(|number| names.remove(&name(number)));
        assert_eq!((names.len(), names.leaves.len()), (0, 0));
    }

    #[test]
    fn a_name_more_is_another_leaf_or_two_in_one_copy_only() {
        let mut names = Names::default();
        for number in 0..10_000 {
            let before = names.clone();
            names.insert(name(number), number);
            assert!(unshared(&names.leaves, &before.leaves) <= 2, "after {number}");
            assert_eq!(before.get(&name(number)), None);
        }
    }
}
