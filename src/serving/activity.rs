//! What goes on on one connection: the calls that are open on it, and since when there has been none. Only calls count
//! that somebody was let in with: a request that is not whole, and one that is refused, are free to send, and whoever
//! holds a place with them alone does not use it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// Written by the thread that serves the connection; others look at it to find who may make room.
pub struct Activity {
    began: Instant,
    calls: AtomicUsize,
    /// Of these, those whose request is not whole.
    halves: AtomicUsize,
    /// Since when there has been no call, in µs from the beginning.
    idle_since_us: AtomicU64,
    asked_to_leave: Notify,
}

/// Why a connection is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
    /// It was without a call for too long.
    Idle,
    /// Somebody else needs its place.
    MakesRoom,
}

impl Leaving {
    /// As metrics call it.
    pub fn name(self) -> &'static str {
        match self {
            Leaving::Idle => "idle",
            Leaving::MakesRoom => "makes_room",
        }
    }
}

/// An open call, until it is dropped.
pub struct Call {
    activity: Arc<Activity>,
    /// Whether the connection was in use by it.
    counts: bool,
}

/// A request that is not whole, until it is dropped.
pub struct Half(Arc<Activity>);

impl Activity {
    /// Nothing yet.
    pub fn new() -> Activity {
        Activity {
            began: Instant::now(),
            calls: AtomicUsize::new(0),
            halves: AtomicUsize::new(0),
            idle_since_us: AtomicU64::new(0),
            asked_to_leave: Notify::new(),
        }
    }

    /// A call opens.
    pub fn call(self: &Arc<Activity>) -> Call {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Call { activity: self.clone(), counts: true }
    }

    /// Its request begins to come.
    pub fn half(self: &Arc<Activity>) -> Half {
        self.halves.fetch_add(1, Ordering::Relaxed);
        Half(self.clone())
    }

    fn in_use(&self) -> bool {
        self.calls.load(Ordering::Relaxed) > self.halves.load(Ordering::Relaxed)
    }

    /// Since when nothing has gone on; `None` while something does.
    pub fn idle_since(&self) -> Option<Instant> {
        let since = Duration::from_micros(self.idle_since_us.load(Ordering::Relaxed));
        (!self.in_use()).then(|| self.began + since)
    }

    /// Asks the connection to leave its place to somebody else.
    pub fn leave(&self) {
        self.asked_to_leave.notify_one();
    }

    /// Waits until the connection is to end.
    pub async fn leaves(&self, idle_max: Duration) -> Leaving {
        let asked = self.asked_to_leave.notified();
        tokio::select! {
            () = asked => Leaving::MakesRoom,
            () = self.idle_for(idle_max) => Leaving::Idle,
        }
    }

    /// Waits until nothing has gone on for so long.
    pub async fn idle_for(&self, long: Duration) {
        loop {
            let now = Instant::now();
            // While there is a call, it cannot have been idle for long before so much more time has passed.
            let due = self.idle_since().unwrap_or(now) + long;
            if due <= now && self.idle_since().is_some() {
                return;
            }
            sleep_until(due).await;
        }
    }
}

impl Call {
    /// It was answered with an error at once, as whoever is nobody's customer here would be.
    pub fn came_to_nothing(&mut self) {
        self.counts = false;
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let activity = &self.activity;
        let was_in_use = activity.in_use();
        activity.calls.fetch_sub(1, Ordering::Relaxed);
        // While another call is open nobody asks; and that one may come to nothing.
        if self.counts && was_in_use {
            let idle_since_us = activity.began.elapsed().as_micros();
            let idle_since_us = u64::try_from(idle_since_us).expect("µs of 500,000 years");
            activity.idle_since_us.store(idle_since_us, Ordering::Relaxed);
        }
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        self.0.halves.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activity() -> (Arc<Activity>, Instant) {
        let activity = Arc::new(Activity::new());
        let idle_since = activity.idle_since().expect("nothing goes on yet");
        (activity, idle_since)
    }

    #[test]
    fn a_connection_is_in_use_while_a_call_is_open_and_idle_from_its_end() {
        let (activity, before) = activity();
        let (first, second) = (activity.call(), activity.call());
        assert_eq!(activity.idle_since(), None);
        drop(first);
        assert_eq!(activity.idle_since(), None, "one is still open");
        let end = Instant::now();
        drop(second);
        assert!(activity.idle_since().expect("it is over") + Duration::from_micros(1) > end && end > before);
    }

    #[test]
    fn half_a_request_and_one_that_comes_to_nothing_are_no_use() {
        let (activity, before) = activity();
        let (call, half) = (activity.call(), activity.half());
        assert_eq!(activity.idle_since(), Some(before), "it is not whole");
        drop(half);
        assert_eq!(activity.idle_since(), None, "it is");
        drop(call);
        let served = activity.idle_since().expect("it is over");
        let (call, half) = (activity.call(), activity.half());
        drop(call);
        drop(half);
        let (mut refused, half) = (activity.call(), activity.half());
        drop(half);
        refused.came_to_nothing();
        drop(refused);
        assert_eq!(activity.idle_since(), Some(served));
    }
}
