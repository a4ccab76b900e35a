//! Hand-over between threads: one consumer drains what one or two producers put in, rings of 16,384 places. One
//! element is one item of 16 bytes, as a boxed command with its reply place would be; nothing is done with it.
//!
//! Two cores are needed: with one producer a core each; with two, three threads share them. Waiting is by spinning
//! a little, then yielding, alike for all. Left out: waking a thread that parked, and replies.

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use crossbeam_queue::ArrayQueue;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Places of a ring.
const PLACES: usize = 16_384;
/// Tries before a thread gives its core away.
const SPINS: u32 = 64;

type Item = (u64, u64);
type Put = Box<dyn FnMut(Item) -> bool + Send>;
/// Takes what is there and counts it.
type Drain = Box<dyn FnMut() -> u64 + Send>;

fn inboxes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("inbox");
    group.throughput(Throughput::Elements(1)).sample_size(15);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for producers in [1, 2] {
        measured(&mut group, "rtrb, one ring a producer, one by one", producers, &rings);
        measured(&mut group, "rtrb, one ring a producer, drained in chunks", producers, &rings_in_chunks);
        measured(&mut group, "crossbeam bounded", producers, &crossbeam);
        measured(&mut group, "ArrayQueue", producers, &array_queue);
        measured(&mut group, "std sync_channel", producers, &std_channel);
        #[cfg(feature = "server")]
        measured(&mut group, "tokio mpsc", producers, &tokio_channel);
    }
    group.finish();
}

fn measured(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    producers: usize,
    open: &dyn Fn(usize) -> (Vec<Put>, Drain),
) {
    group.bench_function(format!("{name}, producers: {producers}"), |bencher| {
        bencher.iter_custom(|count| hand_over(open(producers), count));
    });
}

/// Every producer puts its share in; the time until the consumer has all of it.
fn hand_over((puts, mut drain): (Vec<Put>, Drain), count: u64) -> Duration {
    let each = count.div_ceil(puts.len() as u64);
    let mut left = each * puts.len() as u64;
    let start = Instant::now();
    std::thread::scope(|scope| {
        for mut put in puts {
            scope.spawn(move || (0..each).for_each(|number| patiently(|| put((number, each)))));
        }
        while left > 0 {
            patiently(|| {
                let taken = drain();
                left -= taken;
                taken > 0
            });
        }
    });
    start.elapsed()
}

fn patiently(mut done: impl FnMut() -> bool) {
    let mut tries = 0;
    while !done() {
        tries += 1;
        if tries % SPINS == 0 { std::thread::yield_now() } else { std::hint::spin_loop() }
    }
}

/// How many there are until there is none.
fn all(mut next: impl FnMut() -> Option<Item>) -> u64 {
    let mut taken = 0;
    while let Some(item) = next() {
        black_box(item);
        taken += 1;
    }
    taken
}

fn rings(producers: usize) -> (Vec<Put>, Drain) {
    let (puts, mut ends) = open_rings(producers);
    (puts, Box::new(move || ends.iter_mut().map(|end| all(|| end.pop().ok())).sum()))
}

fn rings_in_chunks(producers: usize) -> (Vec<Put>, Drain) {
    let (puts, mut ends) = open_rings(producers);
    let chunk = |end: &mut rtrb::Consumer<Item>| {
        let chunk = end.read_chunk(end.slots()).expect("so many were counted");
        chunk.into_iter().map(black_box).count() as u64
    };
    (puts, Box::new(move || ends.iter_mut().map(chunk).sum()))
}

fn open_rings(producers: usize) -> (Vec<Put>, Vec<rtrb::Consumer<Item>>) {
    let open = |_| {
        let (mut producer, consumer) = rtrb::RingBuffer::new(PLACES);
        let put: Put = Box::new(move |item| producer.push(item).is_ok());
        (put, consumer)
    };
    (0..producers).map(open).unzip()
}

fn crossbeam(producers: usize) -> (Vec<Put>, Drain) {
    let (sender, receiver) = crossbeam_channel::bounded(PLACES);
    let put = |_| -> Put {
        let sender = sender.clone();
        Box::new(move |item| sender.try_send(item).is_ok())
    };
    ((0..producers).map(put).collect(), Box::new(move || all(|| receiver.try_recv().ok())))
}

fn array_queue(producers: usize) -> (Vec<Put>, Drain) {
    let queue = Arc::new(ArrayQueue::new(PLACES));
    let put = |_| -> Put {
        let queue = queue.clone();
        Box::new(move |item| queue.push(item).is_ok())
    };
    let puts = (0..producers).map(put).collect();
    (puts, Box::new(move || all(|| queue.pop())))
}

fn std_channel(producers: usize) -> (Vec<Put>, Drain) {
    let (sender, receiver) = std::sync::mpsc::sync_channel(PLACES);
    let put = |_| -> Put {
        let sender = sender.clone();
        Box::new(move |item| sender.try_send(item).is_ok())
    };
    ((0..producers).map(put).collect(), Box::new(move || all(|| receiver.try_recv().ok())))
}

#[cfg(feature = "server")]
fn tokio_channel(producers: usize) -> (Vec<Put>, Drain) {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(PLACES);
    let put = |_| -> Put {
        let sender = sender.clone();
        Box::new(move |item| sender.try_send(item).is_ok())
    };
    ((0..producers).map(put).collect(), Box::new(move || all(|| receiver.try_recv().ok())))
}

criterion_group!(benches, inboxes);
criterion_main!(benches);
