//! `Shard::step`, whole life cycles in process: submit, match, offer, accept, complete, wrap-up ended by the agent.
//! One element is one cycle of four commands (submit, accept, complete, finish wrap-up).
//!
//! Load unless the name says otherwise: one thread, 1,000 agents with 500 profiles of two skills, 50 skills and
//! queues in turn, voice, one key of idempotency. `free`: 500 in the system, every submit finds an agent at once.
//! `waiting`: 2,000 in the system, so about 1,000 wait and agents take from the lines. Left out: the edge, rules,
//! customers, journal, encoding, and the hand-over between threads.

mod common;

use common::{Centre, Clock, Hand, Size};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};

/// A thread's submissions are numbered apart from the others'.
const APART: u64 = 1 << 40;

fn steps(criterion: &mut Criterion<Clock>) {
    let mut group = criterion.benchmark_group("step");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    let wide = Size { agents: 20_000, skills: 500, profiles: 5_000, lists: false };
    let huge = Size { agents: 100_000, skills: 50, profiles: 500, lists: false };
    one_thread(&mut group, "free", Size::USUAL, 500);
    one_thread(&mut group, "waiting", Size::USUAL, 2_000);
    one_thread(&mut group, "free, by lists", Size::USUAL.by_lists(), 500);
    one_thread(&mut group, "waiting, by lists", Size::USUAL.by_lists(), 2_000);
    one_thread(&mut group, "free, 500 skills, 20,000 agents", wide, 10_000);
    one_thread(&mut group, "free, 100,000 agents", huge, 50_000);
    // The time of one thread's processor says nothing of two.
    if Clock::chosen() == Clock::Wall {
        two_shards(&mut group);
        two_threads_and_a_mutex(&mut group);
    }
    group.finish();
}

fn one_thread(group: &mut BenchmarkGroup<'_, Clock>, name: &str, size: Size, in_system: u64) {
    let mut work = None;
    group.bench_function(name, |bencher| {
        let (centre, hand) = work.get_or_insert_with(|| working(size, in_system, 0));
        bencher.iter_custom(|count| run(centre, hand, count));
    });
}

/// A pool of its own on each of two threads: what the second core adds.
fn two_shards(group: &mut BenchmarkGroup<'_, Clock>) {
    let mut shards = [working(Size::USUAL, 500, 0), working(Size::USUAL, 500, 0)];
    group.bench_function("free, two shards on two threads", |bencher| {
        bencher.iter_custom(|count| {
            let barrier = Barrier::new(shards.len() + 1);
            let each = count.div_ceil(shards.len() as u64);
            std::thread::scope(|scope| {
                for (centre, hand) in &mut shards {
                    let barrier = &barrier;
                    scope.spawn(move || {
                        barrier.wait();
                        run(centre, hand, each);
                        barrier.wait();
                    });
                }
                between(&barrier)
            })
        });
    });
}

/// The same two threads, one centre, and a mutex around it for each command.
fn two_threads_and_a_mutex(group: &mut BenchmarkGroup<'_, Clock>) {
    let mut centre = Centre::staffed(Size::USUAL);
    let mut hands = [Hand::from(0), Hand::from(APART)];
    for hand in &mut hands {
        let submissions = centre.submissions.clone();
        hand.fill(250, &submissions, &mut |command, events| centre.step(command, events));
    }
    let (submissions, centre) = (centre.submissions.clone(), Mutex::new(centre));
    group.bench_function("free, two threads, mutex around one shard", |bencher| {
        bencher.iter_custom(|count| {
            let barrier = Barrier::new(hands.len() + 1);
            let each = count.div_ceil(hands.len() as u64);
            std::thread::scope(|scope| {
                for hand in &mut hands {
                    let (barrier, submissions, centre) = (&barrier, &submissions, &centre);
                    scope.spawn(move || {
                        barrier.wait();
                        hand.cycles(each, submissions, &mut |command, events| {
                            centre.lock().expect("no thread panics").step(command, events)
                        });
                        barrier.wait();
                    });
                }
                between(&barrier)
            })
        });
    });
}

fn between(barrier: &Barrier) -> Duration {
    barrier.wait();
    let start = Instant::now();
    barrier.wait();
    start.elapsed()
}

/// A centre at work, warmed up by cycles, and the hand that works it.
fn working(size: Size, in_system: u64, first: u64) -> (Centre, Hand) {
    let mut centre = Centre::staffed(size);
    let mut hand = Hand::from(first);
    let submissions = centre.submissions.clone();
    hand.fill(in_system, &submissions, &mut |command, events| centre.step(command, events));
    run(&mut centre, &mut hand, 1_000);
    (centre, hand)
}

fn run(centre: &mut Centre, hand: &mut Hand, count: u64) -> Duration {
    let submissions = centre.submissions.clone();
    hand.cycles(count, &submissions, &mut |command, events| centre.step(command, events))
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(Clock::chosen());
    targets = steps
}
criterion_main!(benches);
