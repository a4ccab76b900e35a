//! When arrivals are due in open loop: evenly at a rate, which a burst multiplies for a while. Latency is measured
//! from here, so that a server (or a generator) that falls behind cannot hide it.

use std::str::FromStr;
use std::time::Duration;

const SECOND_NS: f64 = 1e9;
/// Largest factor of a burst.
const FACTOR_MAX: u32 = 100;

/// A time of more load, in the middle of what is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    pub factor: u32,
    pub length: Duration,
}

impl FromStr for Burst {
    type Err = String;

    /// `10x10s`: ten times the rate for ten seconds.
    fn from_str(text: &str) -> Result<Burst, String> {
        let wanted = || format!("expected a factor of 2 to {FACTOR_MAX} and a length, such as 10x10s");
        let (factor, length) = text.split_once('x').ok_or_else(wanted)?;
        let factor = factor.parse().ok().filter(|factor| (2..=FACTOR_MAX).contains(factor));
        let length: Option<jiff::SignedDuration> = length.parse().ok();
        let length = length.and_then(|length| Duration::try_from(length).ok()).filter(|one| !one.is_zero());
        Ok(Burst { factor: factor.ok_or_else(wanted)?, length: length.ok_or_else(wanted)? })
    }
}

/// The moments of the arrivals, in ns of the run's clock.
#[derive(Clone, Debug)]
pub struct Schedule {
    next: f64,
    rate: f64,
    /// From, until, and the rate then.
    burst: Option<(f64, f64, f64)>,
}

impl Schedule {
    /// Begins at a moment. The burst is in the middle of what is measured.
    pub fn new(from_ns: u64, rate: u32, burst: Option<(Burst, std::ops::Range<u64>)>) -> Schedule {
        let rate = f64::from(rate);
        let burst = burst.map(|(burst, measured)| {
            let middle = (measured.start + measured.end) as f64 / 2.0;
            let half = burst.length.as_nanos() as f64 / 2.0;
            (middle - half, middle + half, rate * f64::from(burst.factor))
        });
        Schedule { next: from_ns as f64, rate, burst }
    }

    /// When the next arrival is due.
    pub fn next_ns(&self) -> u64 {
        self.next as u64
    }

    /// Takes the next arrival, if it is due.
    pub fn due(&mut self, now_ns: u64) -> Option<u64> {
        let at = self.next_ns();
        if at > now_ns {
            return None;
        }
        let rate = match self.burst {
            Some((from, until, rate)) if from <= self.next && self.next < until => rate,
            _ => self.rate,
        };
        self.next += SECOND_NS / rate;
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(schedule: &mut Schedule, until_s: u64) -> usize {
        std::iter::from_fn(|| schedule.due(until_s * 1_000_000_000 - 1)).count()
    }

    #[test]
    fn arrivals_are_even() {
        let mut schedule = Schedule::new(0, 1_000, None);
        assert_eq!(
            (schedule.due(0), schedule.due(999_999), schedule.due(1_000_000)),
            (Some(0), None, Some(1_000_000))
        );
        assert_eq!(count(&mut schedule, 2), 1_998);
    }

    #[test]
    fn a_burst_multiplies_the_rate_in_the_middle() {
        let burst: Burst = "10x2s".parse().expect("a burst");
        let mut schedule = Schedule::new(0, 100, Some((burst, 0..10_000_000_000)));
        let counts = [4, 6, 10].map(|until_s| count(&mut schedule, until_s));
        assert_eq!(counts, [400, 2_000, 400]);
    }

    #[test]
    fn a_burst_is_written_as_factor_and_length() {
        assert_eq!("10x10s".parse(), Ok(Burst { factor: 10, length: Duration::from_secs(10) }));
        for wrong in ["10", "1x10s", "10x", "10x0s", "101x1s", "x1s"] {
            assert!(wrong.parse::<Burst>().is_err(), "{wrong}");
        }
    }
}
