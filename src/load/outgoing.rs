//! The requests of one stream, on their way out. What was pushed meanwhile leaves in one piece; a channel made for
//! tasks would cost more than the encoding.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio_stream::Stream;

/// Where requests are pushed. Its clones push to the same stream. How many wait is bounded by what may be in flight.
pub struct Outgoing<T> {
    shared: Arc<Mutex<Queue<T>>>,
}

struct Queue<T> {
    items: VecDeque<T>,
    closed: bool,
    reader: Option<Waker>,
}

impl<T> Clone for Outgoing<T> {
    fn clone(&self) -> Outgoing<T> {
        Outgoing { shared: self.shared.clone() }
    }
}

impl<T> Outgoing<T> {
    pub fn new() -> Outgoing<T> {
        let queue = Queue { items: VecDeque::new(), closed: false, reader: None };
        Outgoing { shared: Arc::new(Mutex::new(queue)) }
    }

    pub fn push(&self, item: T) {
        self.change(|queue| queue.items.push_back(item));
    }

    /// Nothing more comes: the stream ends when everything has left.
    pub fn close(&self) {
        self.change(|queue| queue.closed = true);
    }

    pub fn is_closed(&self) -> bool {
        self.shared.lock().expect("pushing does not panic").closed
    }

    fn change(&self, change: impl FnOnce(&mut Queue<T>)) {
        let mut queue = self.shared.lock().expect("pushing does not panic");
        change(&mut queue);
        let reader = queue.reader.take();
        drop(queue);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl<T> Stream for Outgoing<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut queue = self.shared.lock().expect("pushing does not panic");
        match queue.items.pop_front() {
            Some(item) => Poll::Ready(Some(item)),
            None if queue.closed => Poll::Ready(None),
            None => {
                queue.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_stream::StreamExt;

    use super::*;

    #[tokio::test]
    async fn what_was_pushed_leaves_in_order_and_then_the_stream_ends() {
        let mut out = Outgoing::new();
        let pushes = out.clone();
        let reader = tokio::spawn(async move {
            let mut got = Vec::new();
            while let Some(item) = out.next().await {
                got.push(item);
            }
            got
        });
        for item in 0..100 {
            pushes.push(item);
            tokio::task::yield_now().await;
        }
        pushes.close();
        assert_eq!(reader.await.expect("reading does not panic"), (0..100).collect::<Vec<_>>());
    }
}
