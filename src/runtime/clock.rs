//! Engine time for a live floor: the one place that reads the machine's clock. Faster than life for demos.

use crate::engine::time::Time;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Maps the machine's clock to engine time: `base + (wall - started) × speed`. With speed 1 and a journal that
/// lies in the past that is the wall.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base_ms: u64,
    started_ms: u64,
    speed: u32,
}

impl Clock {
    /// A clock that begins now, but never before the last journalled time.
    pub fn start(last_journalled: Time, speed: u32) -> Clock {
        let started_ms = wall_ms();
        Clock { base_ms: started_ms.max(last_journalled.0), started_ms, speed: speed.max(1) }
    }

    /// Engine time now. May repeat or step with the wall; the driver keeps it from running back.
    pub fn now(&self) -> Time {
        let elapsed = wall_ms().saturating_sub(self.started_ms);
        Time(self.base_ms.saturating_add(elapsed.saturating_mul(u64::from(self.speed))))
    }

    /// Real time until a moment of engine time.
    pub fn until(&self, moment: Time) -> Duration {
        Duration::from_millis(moment.since(self.now()).div_ceil(u64::from(self.speed)))
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn wall_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
