//! A list that mostly holds one thing or none: then it asks for no memory.

use serde::{Deserialize, Serialize, Serializer};
use std::ops::Deref;

/// A few things, in the order they came.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Vec<T>")]
pub enum Few<T> {
    #[default]
    None,
    One(T),
    /// Also when all but one, or all, have gone again: whoever had several may have several again.
    Several(Vec<T>),
}

impl<T> Few<T> {
    /// Puts one at the end.
    pub fn push(&mut self, one: T) {
        *self = match std::mem::replace(self, Few::None) {
            Few::None => Few::One(one),
            Few::One(first) => Few::Several(vec![first, one]),
            Few::Several(mut all) => {
                all.push(one);
                Few::Several(all)
            }
        };
    }

    /// Takes out all but these.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        match self {
            Few::None => {}
            Few::One(one) if keep(one) => {}
            Few::One(_) => *self = Few::None,
            Few::Several(all) => all.retain(keep),
        }
    }

    /// Takes one out, and forgets it.
    pub fn remove(&mut self, at: usize) {
        match self {
            Few::None => {}
            Few::One(_) => *self = Few::None,
            Few::Several(all) => drop(all.remove(at)),
        }
    }
}

impl<T> AsMut<[T]> for Few<T> {
    fn as_mut(&mut self) -> &mut [T] {
        match self {
            Few::None => &mut [],
            Few::One(one) => std::slice::from_mut(one),
            Few::Several(all) => all,
        }
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Few::None => &[],
            Few::One(one) => std::slice::from_ref(one),
            Few::Several(all) => all,
        }
    }
}

impl<T: PartialEq> PartialEq for Few<T> {
    fn eq(&self, other: &Few<T>) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Few<T> {}

impl<T> From<Vec<T>> for Few<T> {
    fn from(all: Vec<T>) -> Few<T> {
        all.into_iter().collect()
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Few<T> {
        let mut few = Few::None;
        few.extend(all);
        few
    }
}

impl<T> Extend<T> for Few<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, more: I) {
        more.into_iter().for_each(|one| self.push(one));
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::option::IntoIter<T>, std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, several) = match self {
            Few::None => (None, Vec::new()),
            Few::One(one) => (Some(one), Vec::new()),
            Few::Several(all) => (None, all),
        };
        one.into_iter().chain(several)
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> std::slice::Iter<'a, T> {
        self.iter()
    }
}

/// As a list: whether it holds one or several is nobody's business.
impl<T: Serialize> Serialize for Few<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_a_list() {
        let mut few = Few::default();
        let mut list: Vec<u32> = Vec::new();
        for round in 0..7 {
            few.push(round);
            list.push(round);
            assert_eq!(*few, *list);
        }
        few.retain(|one| one % 2 == 0);
        list.retain(|one| one % 2 == 0);
        few.remove(0);
        list.remove(0);
        assert_eq!(*few, *list);
        assert_eq!(few, Few::from(list.clone()));
        assert_eq!(postcard::to_stdvec(&few), postcard::to_stdvec(&list));
        few.retain(|_| false);
        few.push(9);
        assert_eq!(few.into_iter().collect::<Vec<_>>(), [9]);
    }
}
