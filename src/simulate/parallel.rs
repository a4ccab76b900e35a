//! Independent runs on all processors, their results in order.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// Does so many pieces of work; `progress` is told how many are done, of how many.
pub(crate) fn all<T: Send>(
    count: usize,
    work: impl Fn(usize) -> T + Sync,
    progress: &mut dyn FnMut(u64, u64),
) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(count.max(1));
    let (next, (tell, told)) = (AtomicUsize::new(0), mpsc::channel());
    let mut results: Vec<Option<T>> = (0..count).map(|_| None).collect();
    thread::scope(|scope| {
        for _ in 0..threads {
            let (next, work, tell) = (&next, &work, tell.clone());
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    // Nobody listens any more if the progress panicked; that panic is the one to be seen.
                    if number >= count || tell.send((number, work(number))).is_err() {
                        return;
                    }
                }
            });
        }
        // The loop ends when every thread has let go of its own.
        drop(tell);
        for (done, (number, result)) in (1..).zip(told) {
            results[number] = Some(result);
            progress(done, count as u64);
        }
    });
    results.into_iter().map(|result| result.expect("every number was handed out once")).collect()
}
