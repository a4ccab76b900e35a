//! The journal: encoding batches, and appending them to memory and to SQLite, each append durable on return.
//!
//! Load: the events of whole life cycles (1,000 agents, 50 skills, 500 in the system), without personal payload, in
//! batches of so many cycles. One element is one event. SQLite writes to a folder made for the run, in the place
//! temporary files go; what a sync costs is that disk's. `with keys` wraps one key for each interaction, whose
//! pads are laid down in a second file, 1,024 with one sync. Left out: sealing, deciding, and reading back.

mod common;

use baton::engine::event::Stamped;
use baton::journal::{Batch, BatchWriter, Journal, Key, Memory, Sqlite};
use common::{Centre, Hand, Size};
use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Cycles in a batch: alone, a trickle, and as much as a busy shard commits at once.
const CYCLES: [u64; 3] = [1, 64, 1_024];

fn encoding(criterion: &mut Criterion) {
    let mut group = bounded(criterion, "encode");
    for cycles in CYCLES {
        let events = recorded(cycles);
        group.throughput(Throughput::Elements(events.len() as u64));
        group.bench_function(format!("{cycles} cycles in a batch"), |bencher| {
            bencher.iter(|| black_box(encoded(&events, 1)));
        });
        let bytes = encoded(&events, 1).bytes().len();
        println!("{cycles} cycles: {} events, {} bytes a cycle", events.len(), bytes as u64 / cycles);
    }
    group.finish();
}

fn appending(criterion: &mut Criterion) {
    let mut group = bounded(criterion, "append");
    for cycles in CYCLES {
        let events = recorded(cycles);
        group.throughput(Throughput::Elements(events.len() as u64));
        group.bench_function(format!("memory, {cycles} cycles in a batch"), |bencher| {
            bencher.iter_custom(|count| appended(&mut Memory::new(), &events, 0, count));
        });
        append_to_disk(&mut group, &format!("sqlite, {cycles} cycles in a batch"), &events, 0);
        append_to_disk(&mut group, &format!("sqlite with keys, {cycles} cycles in a batch"), &events, cycles);
    }
    group.finish();
}

fn append_to_disk(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, events: &[Stamped], keys: u64) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut journal = Sqlite::open(folder.path(), "default").expect("an empty folder can be opened");
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|count| appended(&mut journal, events, keys, count));
    });
}

/// Appends the same events so many times, under new numbers. Encoding is part of it, as in the driver.
fn appended(journal: &mut dyn Journal, events: &[Stamped], keys: u64, count: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..count {
        let first = journal.last_sequence() + 1;
        for number in 0..keys {
            black_box(journal.wrap(first + number, &Key::random()).expect("the disk works"));
        }
        journal.append(&encoded(events, first)).expect("the disk works");
    }
    start.elapsed()
}

fn encoded(events: &[Stamped], first: u64) -> Batch {
    let mut batch = BatchWriter::new(first);
    for stamped in events {
        batch.push(stamped.time.0, &stamped.event, None);
    }
    batch.finish()
}

/// What so many cycles of a steady state make happen.
fn recorded(cycles: u64) -> Vec<Stamped> {
    let mut centre = Centre::staffed(Size::USUAL);
    let (mut hand, submissions) = (Hand::from(0), centre.submissions.clone());
    hand.fill(500, &submissions, &mut |command, events| centre.step(command, events));
    hand.cycles(100, &submissions, &mut |command, events| centre.step(command, events));
    let mut all = Vec::new();
    hand.cycles(cycles, &submissions, &mut |command, events| {
        let seen = events.len();
        let answer = centre.step(command, events);
        all.extend_from_slice(&events[seen..]);
        answer
    });
    all
}

fn bounded<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group
}

criterion_group!(benches, encoding, appending);
criterion_main!(benches);
