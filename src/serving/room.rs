//! Who is connected. When all places are taken, whoever has been without a call longest makes room for who comes: a
//! connection costs nothing to keep open, and without this a few machines could keep everybody else out with pings.

use super::activity::Activity;
use crate::observe;
use crate::places::{Place, Places};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// Connections that have given up their place and are not gone yet, at most. Those who answer take a round trip; those
/// who do not are cut off a little later.
pub const PARTING_MAX: usize = 64;

/// Everybody who is connected, on all threads.
pub struct Room {
    places: Places,
    parting: Places,
    /// Nobody is asked to leave who was without a call for no longer than this.
    spared: Duration,
    here: Mutex<Here>,
}

struct Here {
    next: u64,
    visitors: BTreeMap<u64, Visitor>,
    /// Nobody has been idle for long enough before this.
    nobody_before: Instant,
}

struct Visitor {
    activity: Arc<Activity>,
    place: Place,
    parting: bool,
}

/// One connection, until it is dropped.
pub struct Visit {
    room: Arc<Room>,
    number: u64,
    pub activity: Arc<Activity>,
}

impl Room {
    /// Room for so many connections.
    pub fn new(most: usize, spared: Duration) -> Arc<Room> {
        let here = Here { next: 0, visitors: BTreeMap::new(), nobody_before: Instant::now() };
        let (places, parting) = (Places::new(most), Places::new(PARTING_MAX));
        Arc::new(Room { places, parting, spared, here: Mutex::new(here) })
    }

    /// Lets somebody in, if there is a place or somebody makes room.
    pub fn enter(self: &Arc<Room>) -> Option<Visit> {
        let mut here = self.here();
        let place = self.places.take().or_else(|| self.vacate(&mut here))?;
        let (number, activity) = (here.next, Arc::new(Activity::new()));
        here.next += 1;
        here.visitors.insert(number, Visitor { activity: activity.clone(), place, parting: false });
        observe::connection_came();
        Some(Visit { room: self.clone(), number, activity })
    }

    /// The place of whoever has been without a call longest. They are asked to leave, and finish what they have begun.
    fn vacate(&self, here: &mut Here) -> Option<Place> {
        let now = Instant::now();
        if now < here.nobody_before {
            return None;
        }
        let parting = self.parting.take()?;
        let staying = here.visitors.values_mut().filter(|visitor| !visitor.parting);
        let idle = staying.filter_map(|visitor| Some((visitor.activity.idle_since()?, visitor)));
        let longest = idle.min_by_key(|(since, _)| *since);
        let free_at = longest.as_ref().map_or(now, |(since, _)| *since) + self.spared;
        let Some((_, visitor)) = longest.filter(|_| free_at <= now) else {
            here.nobody_before = free_at;
            return None;
        };
        visitor.parting = true;
        visitor.activity.leave();
        Some(std::mem::replace(&mut visitor.place, parting))
    }

    fn here(&self) -> MutexGuard<'_, Here> {
        self.here.lock().expect("nobody panics while looking around")
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.room.here().visitors.remove(&self.number);
        observe::connection_went();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_to_leave(visit: &Visit) -> bool {
        visit.room.here().visitors[&visit.number].parting
    }

    #[test]
    fn who_has_been_without_a_call_longest_makes_room_and_who_has_one_does_not() {
        let room = Room::new(3, Duration::ZERO);
        let [busy, second, third] = [(); 3].map(|()| room.enter().expect("there is room"));
        let _stream = busy.activity.call();
        let call = second.activity.call();
        std::thread::yield_now();
        drop(call);
        let fourth = room.enter().expect("the third was idle all the time");
        assert_eq!([&busy, &second, &third].map(asked_to_leave), [false, false, true]);
        let _other = fourth.activity.call();
        let fifth = room.enter().expect("then the second");
        assert_eq!([&busy, &second, &fourth].map(asked_to_leave), [false, true, false]);
        let _another = fifth.activity.call();
        assert!(room.enter().is_none(), "everybody is being served");
    }

    #[test]
    fn who_makes_room_does_so_once_and_no_more_are_parting_than_may_be() {
        let room = Room::new(1, Duration::ZERO);
        let mut visits: Vec<Visit> = Vec::new();
        for _ in 0..=PARTING_MAX {
            visits.push(room.enter().expect("the one before makes room"));
        }
        assert!(room.enter().is_none(), "as many as may be are on their way out");
        visits.remove(0);
        assert!(room.enter().is_some(), "one is out");
        assert!(!visits.is_empty());
    }

    #[test]
    fn whoever_was_served_a_moment_ago_is_spared() {
        let room = Room::new(1, Duration::from_secs(3_600));
        let visit = room.enter().expect("there is room");
        assert!(room.enter().is_none());
        assert!(!asked_to_leave(&visit));
        drop(visit);
        assert!(room.enter().is_some(), "a place that is free is given");
    }
}
