//! How fast agents take from a line, and how long somebody who joins it will wait.

use super::rate::Rate;
use super::waiting::Wait;
use crate::engine::time::Time;
use serde::{Deserialize, Serialize};

/// A start five minutes of waiting line ago counts 1/e (ALGORITHM.md, 5).
const TIME_CONSTANT_MS: u64 = 300_000;
/// Before so many starts their rate is not believed.
const STARTS_MIN: u32 = 10;
/// How fast agents could take counts as much as so many starts.
const AGENTS_COUNT: f64 = 1.0;

/// Starts of service of one class. Time runs while somebody waits: how fast agents take from an empty line says nothing.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Starts {
    rate: Rate,
    starts: u32,
    /// Since when nobody has looked at a line in which somebody waits. `None`: nobody waits.
    waiting_since: Option<Time>,
    last_wait_ms: Option<u64>,
}

impl Starts {
    /// An empty line that nobody was taken from.
    pub fn new() -> Starts {
        Starts { rate: Rate::new(TIME_CONSTANT_MS), starts: 0, waiting_since: None, last_wait_ms: None }
    }

    /// So many wait from now on. To be told whenever it changes from or to none.
    pub fn line(&mut self, now: Time, waiting: u32) {
        self.watch(now);
        self.waiting_since = (waiting > 0).then_some(now);
    }

    /// Somebody who waited so long has an agent. Who did not wait found an agent free, which is a start too, but none that
    /// says how fast the line moves. To be told before the line is told to be shorter.
    pub fn start(&mut self, now: Time, wait_ms: u64) {
        self.last_wait_ms = Some(wait_ms);
        self.watch(now);
        if wait_ms > 0 {
            self.rate.add(1.0);
            self.starts = self.starts.saturating_add(1);
        }
    }

    /// Starts for each ms while somebody waits. `None` before ten were seen.
    pub fn per_ms(&self, now: Time) -> Option<f64> {
        (self.starts >= STARTS_MIN).then(|| self.until(now).rate.per_ms())
    }

    /// The wait of who joins behind so many; that the rate is an estimate makes it wider. Before ten starts as long as the
    /// last one waited who was taken; `None` before anybody was.
    pub fn wait(&self, now: Time, ahead: u32, abandons_per_ms: f64) -> Option<Wait> {
        let rate = self.until(now).rate;
        if self.starts < STARTS_MIN || rate.per_ms() <= 0.0 {
            return self.last_wait_ms.map(|last_ms| Wait::about(last_ms as f64));
        }
        let wait = Wait::behind(ahead, rate.per_ms(), abandons_per_ms);
        Some(wait.with_doubt(rate.per_ms(), rate.doubt()))
    }

    /// The same where it is known how fast agents would take if they all worked on nothing else, starts for each ms: a line
    /// that nobody is taken from for a while does not stand still for ever.
    pub fn wait_beside(
        &self,
        now: Time,
        ahead: u32,
        abandons_per_ms: f64,
        agents_per_ms: f64,
    ) -> Option<Wait> {
        if self.starts < STARTS_MIN {
            return self.wait(now, ahead, abandons_per_ms);
        }
        let rate = self.until(now).rate.beside(agents_per_ms, AGENTS_COUNT);
        Some(Wait::behind(ahead, rate.per_ms, abandons_per_ms).with_doubt(rate.per_ms, rate.doubt))
    }

    /// What the last one who was taken had waited, ms: what many systems tell.
    pub fn last_wait_ms(&self) -> Option<u64> {
        self.last_wait_ms
    }

    fn until(&self, now: Time) -> Starts {
        let mut until_now = *self;
        until_now.watch(now);
        until_now
    }

    fn watch(&mut self, now: Time) {
        if let Some(since) = &mut self.waiting_since {
            self.rate.pass(now.since(*since));
            *since = now.max(*since);
        }
    }
}

impl Default for Starts {
    fn default() -> Starts {
        Starts::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_stands_still_is_not_told_to_stand_for_ever() {
        let mut starts = Starts::new();
        starts.line(Time(0), 2);
        for start in 1..=20_u64 {
            starts.start(Time(start * 10_000), 20_000);
        }
        // An agent takes a minute each. While the line moves, how it moves counts; after an hour without, what agents could.
        let told = |now: u64| starts.wait_beside(Time(now), 0, 0.0, 1.0 / 60_000.0).expect("ten were taken");
        assert!((10_000.0..14_000.0).contains(&told(200_000).mean_ms), "{:?}", told(200_000));
        assert!((350_000.0..370_000.0).contains(&told(3_800_000).mean_ms), "{:?}", told(3_800_000));
        assert!(starts.wait(Time(3_800_000), 0, 0.0).expect("ten were taken").mean_ms > 1e6);
    }
}
