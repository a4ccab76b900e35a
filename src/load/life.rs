//! What agents do with an interaction, counted: offered, completed, wrapped up, over.

use std::sync::atomic::Ordering::Relaxed;

use super::run::{Miss, Run};
use super::tally::Kind;

/// When an interaction was due that somebody else submitted: at no time that is measured.
pub const FOREIGN: u64 = u64::MAX;

impl Run {
    /// An agent's stream shows an offer of ours.
    pub fn offered(&self, due_ns: u64) {
        self.tally.started(Kind::Offer, due_ns);
        self.tally.ended(Kind::Offer, due_ns);
    }

    /// A conversation was completed, or not: then it is left to whoever cleans up. Says whether it goes on.
    pub fn completed<T>(&self, since_ns: u64, due_ns: u64, answer: Result<T, Miss>) -> bool {
        let Err(miss) = answer else {
            self.tally.ended(Kind::Complete, since_ns);
            return true;
        };
        self.tally.failed(Kind::Complete, since_ns, &miss.word);
        self.told.closed.in_doubt.fetch_add(1, Relaxed);
        self.over(due_ns);
        false
    }

    /// The wrap-up has ended, and with it the interaction.
    pub fn wrapped_up<T>(&self, since_ns: u64, due_ns: u64, answer: Result<T, Miss>) {
        if self.ended(Kind::WrapUp, &self.told.closed, since_ns, answer).is_ok() {
            self.tally.ended(Kind::Cycle, due_ns);
        }
        self.over(due_ns);
    }

    fn over(&self, due_ns: u64) {
        if due_ns != FOREIGN {
            self.slots.give();
        }
    }
}
