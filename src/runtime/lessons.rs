//! What the shard's events teach, handed to whoever learns from it. The shard never waits: what cannot be handed over at
//! once waits here, and beyond a limit the newest is not learned from.

use crate::engine::event::Event;
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use crate::learning::{Eyes, Lesson};
use crossbeam_channel::{Receiver, Sender, bounded};

/// Hand-overs that may wait to be learned from.
const LESSONS_MAX: usize = 256;
/// Things seen that may wait to be handed over.
const WAITING_MAX: usize = 65_536;

/// The shard's end.
pub(super) struct Lessons {
    eyes: Eyes,
    waiting: Vec<Lesson>,
    out: Option<Sender<Vec<Lesson>>>,
}

impl Lessons {
    /// Goes on where `eyes` have got to. Nobody learns if there is no `out`.
    pub fn new(eyes: Eyes, out: Option<Sender<Vec<Lesson>>>) -> Lessons {
        Lessons { eyes, waiting: Vec::new(), out }
    }

    /// Both ends of the hand-over.
    pub fn channel() -> (Sender<Vec<Lesson>>, Receiver<Vec<Lesson>>) {
        bounded(LESSONS_MAX)
    }

    /// An event that is durable, with the shard as it is by now.
    pub fn hear(&mut self, now: Time, event: &Event, shard: &Shard) {
        if self.out.is_none() {
            return;
        }
        let waiting = &mut self.waiting;
        self.eyes.look(now, event, &mut |seen| {
            if waiting.len() < WAITING_MAX {
                waiting.push(Lesson::new(now, seen, shard));
            }
        });
    }

    /// Hands over what has come together.
    pub fn flush(&mut self) {
        let Some(out) = self.out.as_ref().filter(|out| !self.waiting.is_empty() && !out.is_full()) else {
            return;
        };
        // Whoever learned may be gone: then there is nothing to learn for.
        let _ = out.try_send(std::mem::take(&mut self.waiting));
    }
}
