//! Patience by length of wait: the risk of hanging up in each stretch of a wait, kept up as waits end.

use super::forgetting::HalfLife;
use super::patience::{Ending, Prior};
use crate::engine::time::Time;

/// Steps of 1 s up to this, ms (ALGORITHM.md, 5).
const FINE_MS: u64 = 60_000;
const FINE_STEP_MS: u64 = 1_000;
/// Then steps of 10 s up to this, ms.
const COARSE_MS: u64 = 600_000;
const COARSE_STEP_MS: u64 = 10_000;
const FINE: usize = (FINE_MS / FINE_STEP_MS) as usize;
/// Stretches of the table, the last being everything from 600 s on.
pub const BUCKETS: usize = FINE + ((COARSE_MS - FINE_MS) / COARSE_STEP_MS) as usize + 1;
/// So many abandons the class's own mean weighs in each bucket. A second of a wait sees few: with more, the peaks after
/// announcements would be smoothed away.
const STRENGTH: f64 = 1.0;

/// One stretch of a wait.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bucket {
    /// The wait at which it begins, ms.
    pub from_ms: u64,
    /// Hang-ups for each ms that a customer waits in it.
    pub per_ms: f64,
}

/// Waits of a class, by the bucket they ended in. All that is kept of a wait is its last bucket: that it went through the
/// buckets before is summed up when the table is read, so a wait is recorded in the time it takes to let the sums fade.
#[derive(Clone, PartialEq, Debug)]
pub struct HazardTable {
    half_life: HalfLife,
    ended: Vec<Ended>,
    seen: Time,
}

/// Waits that ended in one bucket.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Ended {
    waits: f64,
    abandons: f64,
    /// What they waited since the bucket began, ms.
    within_ms: f64,
}

impl HazardTable {
    /// Nothing seen yet.
    pub fn new(half_life: HalfLife) -> HazardTable {
        HazardTable { half_life, ended: vec![Ended::default(); BUCKETS], seen: Time(0) }
    }

    /// A wait of so long has ended. One that ends where a bucket begins ended in that one.
    pub fn record(&mut self, now: Time, wait_ms: u64, ending: Ending) {
        let left = self.half_life.left(self.seen, now);
        if left < 1.0 {
            self.ended.iter_mut().for_each(|ended| ended.fade(left));
        }
        self.seen = self.seen.max(now);
        let bucket = bucket(wait_ms);
        let ended = &mut self.ended[bucket];
        ended.waits += 1.0;
        ended.abandons += f64::from(u8::from(ending == Ending::Abandoned));
        ended.within_ms += (wait_ms - begins_ms(bucket)) as f64;
    }

    /// All buckets, by length of wait: in each (abandons + 1) / (waited in it + prior's mean), which is the risk seen there
    /// drawn towards the class's own. `prior` is the patience of the class; of it the mean is used.
    pub fn buckets(&self, now: Time, prior: Prior) -> Vec<Bucket> {
        let left = self.half_life.left(self.seen, now);
        let mut buckets = Vec::with_capacity(BUCKETS);
        let mut beyond = 0.0;
        for (bucket, ended) in self.ended.iter().enumerate().rev() {
            let whole_ms = if beyond > 0.0 { beyond * lasts_ms(bucket) } else { 0.0 };
            let waited_ms = (ended.within_ms + whole_ms) * left + STRENGTH * prior.mean_ms;
            let per_ms = (ended.abandons * left + STRENGTH) / waited_ms;
            buckets.push(Bucket { from_ms: begins_ms(bucket), per_ms });
            beyond += ended.waits;
        }
        buckets.reverse();
        buckets
    }
}

impl Ended {
    fn fade(&mut self, left: f64) {
        self.waits *= left;
        self.abandons *= left;
        self.within_ms *= left;
    }
}

fn bucket(wait_ms: u64) -> usize {
    let bucket = match wait_ms {
        ..FINE_MS => wait_ms / FINE_STEP_MS,
        _ => FINE as u64 + (wait_ms.min(COARSE_MS) - FINE_MS) / COARSE_STEP_MS,
    };
    usize::try_from(bucket).expect("there are few buckets")
}

fn begins_ms(bucket: usize) -> u64 {
    match bucket {
        ..FINE => bucket as u64 * FINE_STEP_MS,
        _ => FINE_MS + (bucket - FINE) as u64 * COARSE_STEP_MS,
    }
}

/// The last has no end.
fn lasts_ms(bucket: usize) -> f64 {
    match bucket + 1 {
        BUCKETS => f64::INFINITY,
        next => (begins_ms(next) - begins_ms(bucket)) as f64,
    }
}
