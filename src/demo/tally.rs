//! What the demo counts itself, and what it has to say: shared by all simulated people.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tonic::Status;

/// Notes kept for whoever looks later; older ones go.
const NOTES_MAX: usize = 50;

/// Counts and notes of one run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Contacts the server took on, each once, however often it was handed in.
    pub handed_in: AtomicU64,
    /// Contacts whose fate we do not know: the server stopped answering before it took them on.
    pub in_doubt: AtomicU64,
    /// Contacts that came while too many were open, and were not handed in.
    pub turned_away: AtomicU64,
    /// Offers that agents saw, and of them those whose card told of earlier contacts, and of earlier contacts on
    /// another channel.
    pub cards: AtomicU64,
    pub cards_with_history: AtomicU64,
    pub cards_across_channels: AtomicU64,
    /// Answers that nobody expected.
    pub warnings: AtomicU64,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    lines: VecDeque<String>,
    /// How many of the newest nobody has printed yet.
    unprinted: usize,
}

impl Tally {
    /// Adds one to a count.
    pub fn count(&self, counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    /// Says something to whoever watches.
    pub fn note(&self, line: impl Into<String>) {
        let mut notes = self.notes.lock().expect("nobody panics while writing a note");
        notes.lines.push_back(line.into());
        if notes.lines.len() > NOTES_MAX {
            notes.lines.pop_front();
        }
        notes.unprinted = (notes.unprinted + 1).min(NOTES_MAX);
    }

    /// Counts and says an answer that should not have come.
    pub fn warn(&self, what: &str, status: &Status) {
        self.count(&self.warnings);
        self.note(format!("warning: {what}: {:?}: {}", status.code(), status.message()));
    }

    /// The newest notes, newest first.
    pub fn newest_notes(&self, count: usize) -> Vec<String> {
        let notes = self.notes.lock().expect("nobody panics while writing a note");
        notes.lines.iter().rev().take(count).cloned().collect()
    }

    /// The notes to print: each is given once.
    pub fn print_notes(&self) -> Vec<String> {
        let mut notes = self.notes.lock().expect("nobody panics while writing a note");
        let known = notes.lines.len() - notes.unprinted;
        notes.unprinted = 0;
        notes.lines.iter().skip(known).cloned().collect()
    }
}

/// Reads a count.
pub fn read(counter: &AtomicU64) -> u64 {
    counter.load(Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_note_is_printed_once() {
        let tally = Tally::default();
        tally.note("one");
        tally.note("two");
        assert_eq!(tally.print_notes(), ["one", "two"]);
        tally.note("three");
        assert_eq!(tally.print_notes(), ["three"]);
        assert_eq!(tally.newest_notes(2), ["three", "two"]);
    }

    #[test]
    fn old_notes_go() {
        let tally = Tally::default();
        (0..NOTES_MAX + 5).for_each(|number| tally.note(number.to_string()));
        let notes = tally.print_notes();
        assert_eq!((notes.len(), notes[0].as_str()), (NOTES_MAX, "5"));
    }
}
