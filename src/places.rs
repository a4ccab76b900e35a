//! Things of which there may be only so many at once: calls, streams, connections. Whoever takes a place gives it back
//! by dropping it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many there are, and may be.
#[derive(Clone)]
pub struct Places {
    taken: Arc<AtomicUsize>,
    most: usize,
}

/// One of them, until it is dropped.
pub struct Place(Arc<AtomicUsize>);

impl Places {
    /// So many, and none is taken.
    pub fn new(most: usize) -> Places {
        Places { taken: Arc::default(), most }
    }

    /// How many there may be.
    pub fn most(&self) -> usize {
        self.most
    }

    /// How many there are.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// A place, if there is one.
    pub fn take(&self) -> Option<Place> {
        self.take_of(self.most)
    }

    /// A place, if fewer than so many are taken: for those who must leave room to others.
    pub fn take_of(&self, most: usize) -> Option<Place> {
        let place = Place(self.taken.clone());
        // Counted before it is compared, so that no two take the last one.
        (self.taken.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_place_is_given_once_and_comes_back() {
        let places = Places::new(2);
        let (first, second) = (places.take(), places.take());
        assert!(first.is_some() && second.is_some() && places.take().is_none());
        assert_eq!(places.taken(), 2, "who was refused does not count");
        drop(second);
        assert!(places.take_of(1).is_none(), "the one that is left is not for these");
        assert!(places.take().is_some());
        drop(first);
        assert_eq!(places.taken(), 0);
    }
}
