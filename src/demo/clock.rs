//! The demo's day: how long engine time takes in reality, and which time of day it is.
//!
//! Only what belongs to customers and agents is scaled. Deadlines of calls, leases and heartbeats are real time
//! and never pass through here.

use std::time::Duration;

use tokio::time::Instant;

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;

/// Runs from the start of the demo, never stops, not even while the server is away.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    /// Seconds of engine time in one second.
    speed: u32,
    /// Seconds after midnight at the start.
    from_s: u32,
}

impl Clock {
    pub fn starting_now(speed: u32, from_s: u32) -> Clock {
        Clock { started: Instant::now(), speed, from_s }
    }

    pub fn speed(&self) -> u32 {
        self.speed
    }

    /// How long a length of engine time lasts in reality.
    pub fn real(&self, engine_s: f64) -> Duration {
        Duration::from_secs_f64(engine_s.max(0.0) / f64::from(self.speed))
    }

    /// When something that happens `engine_s` seconds from now will happen.
    pub fn after(&self, engine_s: f64) -> Instant {
        Instant::now() + self.real(engine_s)
    }

    /// When the moment `engine_s` seconds after the start is reached.
    pub fn at(&self, engine_s: f64) -> Instant {
        self.started + self.real(engine_s)
    }

    /// Engine seconds since the start.
    pub fn elapsed_s(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * f64::from(self.speed)
    }

    /// Seconds after midnight, `engine_s` seconds after the start. After a day the next one begins.
    pub fn time_of_day_s(&self, engine_s: f64) -> f64 {
        (f64::from(self.from_s) + engine_s) % DAY_S
    }

    /// The time of day now, as `10:42:07`.
    pub fn reads(&self) -> String {
        let second = self.time_of_day_s(self.elapsed_s()) as u32;
        format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
    }
}
