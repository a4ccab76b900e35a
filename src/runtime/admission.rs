//! When intake is shed: by how long commands have waited for the shard, which is what a customer feels, and not by how
//! many there are. A burst is let through; a queue that stands is not, which is told apart as CoDel does (Nichols and
//! Jacobson, 2012; RFC 8289): a delay that was above the target for a whole interval is no burst. Time is an argument.

use super::driver::Driver;
use super::inbox::Ask;
use crate::observe;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Above the target for so long, and it is no burst; below it for so long, and it is over.
pub const INTERVAL: Duration = Duration::from_millis(500);
/// What commands may have to wait, unless the settings say otherwise.
pub const TARGET: Duration = Duration::from_millis(100);

/// Follows how long the oldest command of each batch has waited.
#[derive(Default, Debug)]
pub struct Delays {
    /// Since when every delay was above the target.
    above_since: Option<Duration>,
    /// When one was last.
    above_last: Duration,
    /// Since when intake is shed.
    shedding_since: Option<Duration>,
}

/// Shedding begins or ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    Began,
    Ended { after: Duration },
}

impl Delays {
    /// The oldest command has waited so long, and should have no longer than `target`; `now` counts from any fixed
    /// moment.
    pub fn note(&mut self, now: Duration, waited: Duration, target: Duration) -> Option<Change> {
        if waited > target {
            self.above_last = now;
            let since = *self.above_since.get_or_insert(now);
            let stands = now.saturating_sub(since) >= INTERVAL;
            if stands && self.shedding_since.is_none() {
                self.shedding_since = Some(now);
                return Some(Change::Began);
            }
            return None;
        }
        self.above_since = None;
        let began = self.shedding_since?;
        // While intake is held down to the target the delay swings about it: once below is not over yet.
        if now.saturating_sub(self.above_last) < INTERVAL {
            return None;
        }
        self.shedding_since = None;
        Some(Change::Ended { after: now.saturating_sub(began) })
    }
}

/// What those who hand commands in see of the delay. The shard's thread writes it, everybody reads it.
#[derive(Debug)]
pub struct Door {
    target_ms: AtomicU32,
    waited_ms: AtomicU32,
    shedding: AtomicBool,
    /// The server stops.
    shut: AtomicBool,
    /// Intake turned away: for the delay, for want of room, and since nobody waited for it any more.
    pub delayed: AtomicU64,
    pub full: AtomicU64,
    pub abandoned: AtomicU64,
}

impl Door {
    /// Open.
    pub fn new(target: Duration) -> Door {
        Door {
            target_ms: AtomicU32::new(millis(target)),
            waited_ms: AtomicU32::new(0),
            shedding: AtomicBool::new(false),
            shut: AtomicBool::new(false),
            delayed: AtomicU64::new(0),
            full: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
        }
    }

    /// Beyond this delay, if it stands, intake is shed.
    pub fn target(&self) -> Duration {
        Duration::from_millis(u64::from(self.target_ms.load(Ordering::Relaxed)))
    }

    /// Sets it, to whole milliseconds.
    pub fn aim_at(&self, target: Duration) {
        self.target_ms.store(millis(target), Ordering::Relaxed);
    }

    /// What was measured last.
    pub fn waited(&self) -> Duration {
        Duration::from_millis(u64::from(self.waited_ms.load(Ordering::Relaxed)))
    }

    /// Whether intake is shed now.
    pub fn sheds(&self) -> bool {
        self.shedding.load(Ordering::Relaxed)
    }

    pub(super) fn shut(&self) {
        self.shut.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_shut(&self) -> bool {
        self.shut.load(Ordering::Relaxed)
    }

    pub(super) fn measured(&self, waited: Duration) {
        self.waited_ms.store(millis(waited), Ordering::Relaxed);
    }

    pub(super) fn changed(&self, change: Change) {
        self.shedding.store(change == Change::Began, Ordering::Relaxed);
    }

    /// The delay for which intake is turned away now. While shedding, what the shard can do within the target is
    /// still let in.
    pub(super) fn too_long(&self) -> Option<Duration> {
        if !self.sheds() {
            return None;
        }
        Some(self.waited()).filter(|waited| *waited > self.target())
    }
}

impl Driver {
    /// Whether it is new work for which nobody waits any more: then it is not done.
    pub(super) fn drops(&self, ask: &Ask) -> bool {
        let abandoned = ask.is_abandoned(|pipe| self.outbox.pipes.hears(pipe));
        if abandoned {
            self.inbox.door.abandoned.fetch_add(1, Ordering::Relaxed);
        }
        abandoned
    }

    /// The oldest command of the batch has waited since then; `None`: nothing waits.
    pub(super) fn measure(&mut self, since: Option<Instant>) {
        let now = Instant::now();
        let waited = since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        let door = &self.inbox.door;
        door.measured(waited);
        let Some(change) = self.delays.note(now.saturating_duration_since(self.began), waited, door.target())
        else {
            return;
        };
        door.changed(change);
        observe::shedding(&self.gauges, change, waited, door);
    }
}

/// Whole milliseconds, rounded up: a delay above the target stays above it.
fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros().div_ceil(1_000)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Notes a delay every 10 ms, and gives when something changed.
    fn run(delays: &mut Delays, from: u64, waited: impl Fn(u64) -> u64, upto: u64) -> Vec<(u64, Change)> {
        let moments = (from..upto).step_by(10);
        moments.filter_map(|now| Some((now, delays.note(ms(now), ms(waited(now)), TARGET)?))).collect()
    }

    #[test]
    fn a_burst_is_let_through() {
        let mut delays = Delays::default();
        assert_eq!(run(&mut delays, 0, |now| if now < 490 { 400 } else { 0 }, 1_000), []);
        // Nor do two add up, whatever lies between them was below the target.
        assert_eq!(run(&mut delays, 1_000, |now| if now == 1_400 { 100 } else { 400 }, 1_900), []);
    }

    #[test]
    fn a_queue_that_stands_for_an_interval_is_shed_and_said_once() {
        let mut delays = Delays::default();
        assert_eq!(run(&mut delays, 0, |_| 101, 5_000), [(500, Change::Began)]);
    }

    #[test]
    fn a_delay_that_swings_about_the_target_goes_on_being_shed() {
        let mut delays = Delays::default();
        run(&mut delays, 0, |_| 200, 1_000);
        assert_eq!(run(&mut delays, 1_000, |now| if now % 400 == 0 { 150 } else { 0 }, 5_000), []);
        // The last one above was at 4,800.
        let ended = Change::Ended { after: ms(4_800) };
        assert_eq!(run(&mut delays, 5_000, |_| 0, 9_000), [(5_300, ended)]);
    }

    #[test]
    fn one_long_stall_is_no_standing_queue() {
        let mut delays = Delays::default();
        assert_eq!(delays.note(ms(0), ms(0), TARGET), None);
        assert_eq!(delays.note(ms(3_000), ms(3_000), TARGET), None, "the first that was above");
        assert_eq!(delays.note(ms(3_010), ms(0), TARGET), None);
        assert_eq!(delays.note(ms(6_000), ms(200), TARGET), None, "counted anew");
    }

    #[test]
    fn the_door_shuts_while_the_delay_stands_above_the_target_only() {
        let door = Door::new(TARGET);
        door.measured(ms(400));
        assert_eq!(door.too_long(), None, "it may be a burst");
        door.changed(Change::Began);
        assert_eq!(door.too_long(), Some(ms(400)));
        door.measured(TARGET);
        assert_eq!(door.too_long(), None, "what can be done in time is taken");
        door.measured(ms(101));
        door.changed(Change::Ended { after: ms(1) });
        assert_eq!(door.too_long(), None);
    }
}
