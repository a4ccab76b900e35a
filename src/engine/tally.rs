//! Counters by queue, from events only. entered = answered + abandoned + cancelled + not yet answered, at every
//! step; not yet answered = waiting + offered - returned.

use super::ids::QueueKey;
use serde::Serialize;

/// One queue's books.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Books {
    pub entered: u64,
    pub answered: u64,
    pub abandoned: u64,
    /// Of the abandoned: within the short-abandon time.
    pub short_abandoned: u64,
    pub cancelled: u64,
    /// Of the answered: within the target.
    pub answered_in_target: u64,
    pub closed: u64,
    /// Sum over the answered, ms.
    pub wait_ms: u64,
    /// Sum over the closed: first accept to end of wrap-up, ms.
    pub handle_ms: u64,
    pub offers_accepted: u64,
    pub offers_declined: u64,
    pub offers_expired: u64,
    pub offers_rescinded: u64,
    /// Of those who came back in line after an answer: left before the next one. They stay counted as answered.
    pub left_after_answer: u64,
    /// Now: in line, waiting or offered, though answered before.
    pub returned: u32,
    /// Now: offered, in conversation, in wrap-up. Who waits is counted by the lines.
    pub offered: u32,
    pub handling: u32,
    pub wrapping_up: u32,
}

impl Books {
    /// One who had come back in line after an answer left.
    pub(super) fn left_again(&mut self) {
        self.returned -= 1;
        self.left_after_answer += 1;
    }

    /// Answered in target ÷ (answered + abandoned − short abandoned), in parts per million; a million if nobody
    /// was to be answered. A customer who gave up after the short time counts as not answered in time.
    pub fn service_level_ppm(&self) -> u32 {
        let of = self.answered + self.abandoned - self.short_abandoned;
        if of == 0 {
            return 1_000_000;
        }
        let ppm = u128::from(self.answered_in_target) * 1_000_000 / u128::from(of);
        u32::try_from(ppm).expect("a share is at most a million")
    }

    /// Mean wait of the answered, ms.
    pub fn mean_wait_ms(&self) -> Option<u64> {
        self.wait_ms.checked_div(self.answered)
    }

    /// Mean handle time of the closed, ms.
    pub fn mean_handle_ms(&self) -> Option<u64> {
        self.handle_ms.checked_div(self.closed)
    }
}

/// All queues' books.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Tally {
    queues: Vec<Books>,
}

impl Tally {
    /// One queue's books.
    pub fn of(&self, queue: QueueKey) -> Books {
        self.queues.get(queue.index()).copied().unwrap_or_default()
    }

    pub(super) fn books(&mut self, queue: QueueKey) -> &mut Books {
        if self.queues.len() <= queue.index() {
            self.queues.resize(queue.index() + 1, Books::default());
        }
        &mut self.queues[queue.index()]
    }
}
