//! The one answer to a call. Whoever holds a reply answers it once; dropped unanswered, because a thread is
//! gone or a channel closed, it answers by itself that the store is unavailable. So no caller waits for ever.

use super::store::StoreFault;

type Answer<T> = Box<dyn FnOnce(Result<T, StoreFault>) + Send>;

/// Where the answer goes: a channel of any kind, behind a closure that must not block or panic.
pub struct Reply<T>(Option<Answer<T>>);

impl<T> Reply<T> {
    pub fn new(answer: impl FnOnce(Result<T, StoreFault>) + Send + 'static) -> Self {
        Self(Some(Box::new(answer)))
    }

    /// Answers the call.
    pub fn give(mut self, result: Result<T, StoreFault>) {
        if let Some(answer) = self.0.take() {
            answer(result);
        }
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        if let Some(answer) = self.0.take() {
            answer(Err(StoreFault::Unavailable { doing: "answering", cause: "its thread has ended".into() }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_that_is_dropped_answers_that_the_store_is_unavailable() {
        let (sender, receiver) = crossbeam_channel::bounded(2);
        drop(Reply::<u64>::new(move |result| drop(sender.send(result))));
        assert!(matches!(receiver.recv(), Ok(Err(StoreFault::Unavailable { .. }))));
    }

    #[test]
    fn a_reply_that_is_given_answers_once() {
        let (sender, receiver) = crossbeam_channel::bounded(2);
        Reply::new(move |result| drop(sender.send(result))).give(Ok(7));
        assert_eq!(receiver.recv(), Ok(Ok(7)));
        assert!(receiver.recv().is_err());
    }
}
