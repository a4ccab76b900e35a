//! Counters by queue, from events only. A visit is one stay of an interaction in a queue: it begins with the
//! admission, an overflow or a transfer into it, and is answered once, or leaves.
//!
//! entered + moved in + transferred in = answered + abandoned + cancelled + timed out + sent away + moved out + not yet
//! answered, at every step; not yet answered = scheduled + waiting + offered - returned.

use super::ids::QueueKey;
use super::interaction::State;
use serde::{Deserialize, Serialize};

/// One queue's books.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Books {
    /// Admitted here.
    pub entered: u64,
    /// By overflow from another queue, and to another queue.
    pub moved_in: u64,
    pub moved_out: u64,
    /// Handed on to this queue by an agent, after an answer.
    pub transferred_in: u64,
    pub answered: u64,
    pub abandoned: u64,
    /// Of the abandoned: within the short-abandon time.
    pub short_abandoned: u64,
    pub cancelled: u64,
    pub timed_out: u64,
    pub sent_away: u64,
    /// Of the answered: within the target.
    pub answered_in_target: u64,
    pub closed: u64,
    /// Sum over the answered, ms.
    pub wait_ms: u64,
    /// Assignments that are over, and the sum of their times from accept to the end of wrap-up, ms.
    pub handled: u64,
    pub handle_ms: u64,
    pub offers_accepted: u64,
    pub offers_declined: u64,
    pub offers_expired: u64,
    pub offers_rescinded: u64,
    /// Answers that were undone since agent and customer were not connected.
    pub connects_failed: u64,
    /// Counted as connected since nobody said otherwise in time.
    pub connects_assumed: u64,
    /// Promised windows of call-backs that passed without a call.
    pub windows_missed: u64,
    /// Of those who came back in line after an answer: left before the next one. They stay counted as answered.
    pub left_after_answer: u64,
    /// Now: not yet answered by state, though this visit was answered before.
    pub returned: u32,
    /// Now, by state.
    pub scheduled: u32,
    pub waiting: u32,
    pub offered: u32,
    pub handling: u32,
    pub parked: u32,
    pub wrapping_up: u32,
}

impl Books {
    /// In line: their place is theirs, and no answer yet.
    pub fn unanswered(&self) -> u32 {
        self.scheduled + self.waiting + self.offered - self.returned
    }

    /// Not over.
    pub fn open(&self) -> u32 {
        self.scheduled + self.waiting + self.offered + self.handling + self.parked + self.wrapping_up
    }

    pub(super) fn gauge(&mut self, state: State) -> Option<&mut u32> {
        match state {
            State::Scheduled => Some(&mut self.scheduled),
            State::Waiting => Some(&mut self.waiting),
            State::Offered => Some(&mut self.offered),
            State::Handling => Some(&mut self.handling),
            State::Parked => Some(&mut self.parked),
            State::WrappingUp => Some(&mut self.wrapping_up),
            State::Closed | State::Abandoned | State::Cancelled | State::TimedOut | State::SentAway => None,
        }
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

    /// Mean handle time of the assignments that are over, ms.
    pub fn mean_handle_ms(&self) -> Option<u64> {
        self.handle_ms.checked_div(self.handled)
    }
}

/// All queues' books.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
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
