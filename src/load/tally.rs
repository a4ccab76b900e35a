//! What is measured: for each kind of call how many were started, ended well or not, and how long they took.
//!
//! A call counts if it was due within the measured time, however late it ends: leaving out the slow ones at the end
//! would flatter. Rates count what ended within it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tonic::Status;
use tonic_types::StatusExt;

/// Longest time that is told apart, in µs: ten minutes.
const LONGEST_US: u64 = 600_000_000;
/// Decimal digits that are kept of a time.
const DIGITS: u8 = 3;
/// Different words for errors that are kept of one kind; the rest is `OTHER`.
const ERRORS_MAX: usize = 64;

/// What is timed, in the order of an interaction's life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// From opening an agent's session until the agent is as wanted.
    SignIn,
    /// From when an arrival was due until it was sent: the generator's own lateness.
    Late,
    /// From when it was due until the server has taken it.
    Submit,
    Cancel,
    /// From when the submit was due until an agent's stream shows the offer.
    Offer,
    Accept,
    Complete,
    WrapUp,
    /// From when the submit was due until the wrap-up has ended.
    Cycle,
}

impl Kind {
    pub const ALL: [Kind; 9] = [
        Kind::SignIn,
        Kind::Late,
        Kind::Submit,
        Kind::Cancel,
        Kind::Offer,
        Kind::Accept,
        Kind::Complete,
        Kind::WrapUp,
        Kind::Cycle,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Kind::SignIn => "sign_in",
            Kind::Late => "send_late",
            Kind::Submit => "submit",
            Kind::Cancel => "cancel",
            Kind::Offer => "offer",
            Kind::Accept => "accept",
            Kind::Complete => "complete",
            Kind::WrapUp => "wrap_up",
            Kind::Cycle => "cycle",
        }
    }
}

/// The run's clock, and everything that was counted.
pub struct Tally {
    origin: Instant,
    begin: AtomicU64,
    end: AtomicU64,
    kinds: [Count; Kind::ALL.len()],
}

#[derive(Default)]
struct Count {
    offered: AtomicU64,
    /// Within the measured time, whenever they were started.
    ended_within: AtomicU64,
    times: Mutex<Times>,
}

/// How long calls of one kind took, and how the others ended.
#[derive(Clone)]
pub struct Times {
    pub us: Histogram<u64>,
    pub errors: BTreeMap<String, u64>,
}

impl Default for Times {
    fn default() -> Times {
        let us = Histogram::new_with_bounds(1, LONGEST_US, DIGITS).expect("the bounds are in order");
        Times { us, errors: BTreeMap::new() }
    }
}

impl Default for Tally {
    fn default() -> Tally {
        // Nothing counts before it has begun.
        let never = || AtomicU64::new(u64::MAX);
        Tally { origin: Instant::now(), begin: never(), end: never(), kinds: Default::default() }
    }
}

impl Tally {
    /// Nanoseconds since the run began.
    pub fn now_ns(&self) -> u64 {
        // 2^64 ns are 584 years.
        self.origin.elapsed().as_nanos() as u64
    }

    /// Fixes what is measured.
    pub fn measure(&self, begin_ns: u64, end_ns: u64) {
        self.end.store(end_ns, Relaxed);
        self.begin.store(begin_ns, Relaxed);
    }

    /// Ends the measured time, if it has not ended.
    pub fn cut(&self) {
        self.end.fetch_min(self.now_ns(), Relaxed);
    }

    /// The time that is to be measured.
    pub fn length(&self) -> Duration {
        Duration::from_nanos(self.end.load(Relaxed).saturating_sub(self.begin.load(Relaxed)))
    }

    /// The measured time, as far as it has passed.
    pub fn measured(&self) -> Duration {
        let until = self.end.load(Relaxed).min(self.now_ns());
        Duration::from_nanos(until.saturating_sub(self.begin.load(Relaxed)))
    }

    fn within(&self, at_ns: u64) -> bool {
        (self.begin.load(Relaxed)..self.end.load(Relaxed)).contains(&at_ns)
    }

    /// A call began, or was due, at a moment.
    pub fn started(&self, kind: Kind, at_ns: u64) {
        if kind == Kind::SignIn || self.within(at_ns) {
            self.kinds[kind as usize].offered.fetch_add(1, Relaxed);
        }
    }

    /// It has ended well, just now.
    pub fn ended(&self, kind: Kind, since_ns: u64) {
        let (now, count) = (self.now_ns(), &self.kinds[kind as usize]);
        if kind == Kind::SignIn || self.within(now) {
            count.ended_within.fetch_add(1, Relaxed);
        }
        if kind == Kind::SignIn || self.within(since_ns) {
            let us = now.saturating_sub(since_ns) / 1_000;
            count.times.lock().expect("counting does not panic").us.saturating_record(us);
        }
    }

    /// It has ended otherwise.
    pub fn failed(&self, kind: Kind, since_ns: u64, why: &str) {
        if kind != Kind::SignIn && !self.within(since_ns) {
            return;
        }
        let mut times = self.kinds[kind as usize].times.lock().expect("counting does not panic");
        let known = times.errors.len() < ERRORS_MAX || times.errors.contains_key(why);
        *times.errors.entry(if known { why } else { "OTHER" }.to_owned()).or_default() += 1;
    }

    /// How many calls of a kind were started, how many ended within the measured time, and their times.
    pub fn read(&self, kind: Kind) -> (u64, u64, Times) {
        let count = &self.kinds[kind as usize];
        let times = count.times.lock().expect("counting does not panic").clone();
        (count.offered.load(Relaxed), count.ended_within.load(Relaxed), times)
    }

    /// How many calls of a kind have ended well within the measured time so far.
    pub fn so_far(&self, kind: Kind) -> u64 {
        self.kinds[kind as usize].ended_within.load(Relaxed)
    }
}

/// A status in one word: its reason where it has one, else its code.
pub fn word(status: &Status) -> String {
    match status.get_details_error_info() {
        Some(info) if !info.reason.is_empty() => info.reason,
        _ => code_word(status.code() as i32),
    }
}

/// A code as the API writes it.
pub fn code_word(code: i32) -> String {
    const WORDS: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    let word = usize::try_from(code).ok().and_then(|code| WORDS.get(code).copied());
    word.map_or_else(|| format!("CODE_{code}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_due_in_the_measured_time_counts() {
        let tally = Tally::default();
        tally.started(Kind::Submit, 5);
        tally.measure(0, u64::MAX);
        tally.started(Kind::Submit, 5);
        tally.ended(Kind::Submit, 5);
        tally.measure(u64::MAX - 1, u64::MAX);
        tally.ended(Kind::Submit, 5);
        let (offered, ended_within, times) = tally.read(Kind::Submit);
        assert_eq!((offered, ended_within, times.us.len()), (1, 1, 1));
    }

    #[test]
    fn errors_are_counted_by_word_and_there_are_only_so_many_words() {
        let tally = Tally::default();
        tally.measure(0, u64::MAX);
        (0..100).for_each(|number| tally.failed(Kind::Accept, 1, &format!("E{number}")));
        tally.failed(Kind::Accept, 1, "E0");
        let errors = tally.read(Kind::Accept).2.errors;
        assert_eq!((errors.len(), errors["E0"], errors["OTHER"]), (ERRORS_MAX + 1, 2, 36));
    }

    #[test]
    fn a_code_has_the_word_of_the_api() {
        assert_eq!(word(&Status::resource_exhausted("full")), "RESOURCE_EXHAUSTED");
        assert_eq!((code_word(14), code_word(99)), ("UNAVAILABLE".to_owned(), "CODE_99".to_owned()));
    }
}
