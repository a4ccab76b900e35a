//! What time is measured by: the wall's, or that of the processor this thread had. The second leaves out what
//! others take from a shared machine; it says nothing of several threads, or of waiting.
//!
//! `BATON_BENCH_CLOCK=cpu` chooses the second, for the benches of one thread.

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

static WALL: WallTime = WallTime;

/// A clock for criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    Wall,
    Processor,
}

impl Clock {
    /// As the environment says.
    pub fn chosen() -> Clock {
        match std::env::var("BATON_BENCH_CLOCK").as_deref() {
            Ok("cpu") => Clock::Processor,
            _ => Clock::Wall,
        }
    }
}

/// A moment by either clock.
#[derive(Clone, Copy)]
pub enum Moment {
    Wall(Instant),
    Processor(Duration),
}

impl Moment {
    /// Now, by the clock the environment chose.
    pub fn now() -> Moment {
        Clock::chosen().start()
    }

    /// The time since, by the same clock.
    pub fn elapsed(self) -> Duration {
        match self {
            Moment::Wall(start) => start.elapsed(),
            Moment::Processor(start) => processor_time().saturating_sub(start),
        }
    }
}

fn processor_time() -> Duration {
    let had = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(had).expect("no thread had less than nothing")
}

impl Measurement for Clock {
    type Intermediate = Moment;
    type Value = Duration;

    fn start(&self) -> Moment {
        match self {
            Clock::Wall => Moment::Wall(Instant::now()),
            Clock::Processor => Moment::Processor(processor_time()),
        }
    }

    fn end(&self, start: Moment) -> Duration {
        start.elapsed()
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WALL.formatter()
    }
}
