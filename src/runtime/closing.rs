//! How a channel closes when one end goes and the other does not know: nobody who was told that something is in waits for it
//! for ever. The channel itself is foreign and may keep what nobody takes any more. The protocol is apart from it, so that a
//! test can try every order in which threads may run.

use std::sync::atomic::{AtomicBool, Ordering};

/// What is seen by everybody once it was raised.
pub(super) trait Flag {
    fn raise(&self);
    fn is_raised(&self) -> bool;
}

impl Flag for AtomicBool {
    fn raise(&self) {
        self.store(true, Ordering::SeqCst);
    }

    fn is_raised(&self) -> bool {
        self.load(Ordering::SeqCst)
    }
}

/// Why something is not in.
#[derive(Debug)]
pub(super) enum NotIn<E> {
    /// The channel did not take it.
    Refused(E),
    /// The taking end has gone.
    Closed,
}

/// Whether the end that takes has gone.
#[derive(Debug, Default)]
pub(super) struct Closing<F = AtomicBool> {
    closed: F,
}

impl<F: Flag> Closing<F> {
    /// Puts something in. `Ok`: it is taken, or dropped by the end that goes.
    pub fn enter<E>(&self, put: impl FnOnce() -> Result<(), E>) -> Result<(), NotIn<E>> {
        put().map_err(NotIn::Refused)?;
        // What went in after the channel had been emptied stays there unheard.
        if self.closed.is_raised() { Err(NotIn::Closed) } else { Ok(()) }
    }

    /// The end that takes goes: what is in is dropped.
    pub fn close<T>(&self, mut take: impl FnMut() -> Option<T>) {
        // Closed before it is emptied: whoever puts something in behind our back sees it afterwards.
        self.closed.raise();
        while take().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use loom::sync::{Arc, Condvar, Mutex};
    use std::collections::VecDeque;
    use std::sync::atomic::AtomicBool as Noted;

    impl Flag for loom::sync::atomic::AtomicBool {
        fn raise(&self) {
            self.store(true, Ordering::SeqCst);
        }

        fn is_raised(&self) -> bool {
            self.load(Ordering::SeqCst)
        }
    }

    /// Raised, nobody sees it: as if nobody looked again after putting something in.
    #[derive(Default)]
    struct Unseen;

    impl Flag for Unseen {
        fn raise(&self) {}

        fn is_raised(&self) -> bool {
            false
        }
    }

    /// Somebody waits until it is answered, or dropped unanswered.
    struct Asked(std::sync::Arc<Noted>);

    impl Drop for Asked {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    /// Room for one; it keeps what nobody takes.
    struct Channel {
        waiting: Mutex<VecDeque<Asked>>,
        changed: Condvar,
    }

    impl Channel {
        fn new() -> Channel {
            Channel { waiting: Mutex::new(VecDeque::new()), changed: Condvar::new() }
        }

        fn try_put(&self, asked: Asked) -> Result<(), Asked> {
            let mut waiting = self.waiting.lock().expect("nobody panics");
            if !waiting.is_empty() {
                return Err(asked);
            }
            waiting.push_back(asked);
            self.changed.notify_all();
            Ok(())
        }

        /// Waits for room.
        fn put(&self, asked: Asked) {
            let mut waiting = self.waiting.lock().expect("nobody panics");
            while !waiting.is_empty() {
                waiting = self.changed.wait(waiting).expect("nobody panics");
            }
            waiting.push_back(asked);
            self.changed.notify_all();
        }

        fn try_take(&self) -> Option<Asked> {
            let taken = self.waiting.lock().expect("nobody panics").pop_front();
            self.changed.notify_all();
            taken
        }

        /// Waits for something.
        fn take(&self) -> Asked {
            let mut waiting = self.waiting.lock().expect("nobody panics");
            loop {
                if let Some(asked) = waiting.pop_front() {
                    self.changed.notify_all();
                    return asked;
                }
                waiting = self.changed.wait(waiting).expect("nobody panics");
            }
        }
    }

    /// How somebody asks; what they were told, and whether what they asked is over by the end.
    type Way<F> = fn(&Closing<F>, &Channel, Asked) -> bool;

    fn at_once<F: Flag>(closing: &Closing<F>, channel: &Channel, asked: Asked) -> bool {
        closing.enter(|| channel.try_put(asked)).is_ok()
    }

    fn when_there_is_room<F: Flag>(closing: &Closing<F>, channel: &Channel, asked: Asked) -> bool {
        let put = || {
            channel.put(asked);
            Ok::<(), ()>(())
        };
        closing.enter(put).is_ok()
    }

    /// In every order in which two who ask and one who answers a few and goes may run: who was told that it is in, is not
    /// left waiting.
    fn nobody_is_left_waiting<F: Flag + Send + Sync + 'static>(
        new: fn() -> F,
        ways: [Way<F>; 2],
        answers: usize,
    ) {
        let mut orders = loom::model::Builder::new();
        // Enough for every fault of so few steps, and done in seconds.
        orders.preemption_bound = Some(4);
        orders.check(move || {
            let closing = Arc::new(Closing { closed: new() });
            let channel = Arc::new(Channel::new());
            let askers = ways.map(|ask| {
                let (closing, channel) = (closing.clone(), channel.clone());
                let over = std::sync::Arc::new(Noted::new(false));
                let asked = Asked(over.clone());
                (loom::thread::spawn(move || ask(&closing, &channel, asked)), over)
            });
            for _ in 0..answers {
                drop(channel.take());
            }
            closing.close(|| channel.try_take());
            for (asker, over) in askers {
                let is_in = asker.join().expect("nobody panics");
                assert!(!is_in || over.load(Ordering::SeqCst), "somebody waits for ever");
            }
        });
    }

    #[test]
    fn who_was_told_that_it_is_in_is_heard_or_dropped_in_whatever_order() {
        let new = || loom::sync::atomic::AtomicBool::new(false);
        nobody_is_left_waiting(new, [at_once, at_once], 0);
        nobody_is_left_waiting(new, [at_once, at_once], 1);
    }

    #[test]
    fn who_waits_for_room_is_heard_or_dropped_in_whatever_order() {
        let new = || loom::sync::atomic::AtomicBool::new(false);
        nobody_is_left_waiting(new, [when_there_is_room, at_once], 1);
    }

    #[test]
    #[should_panic = "somebody waits for ever"]
    fn without_the_second_look_somebody_waits_for_ever() {
        nobody_is_left_waiting(|| Unseen, [at_once, at_once], 1);
    }
}
