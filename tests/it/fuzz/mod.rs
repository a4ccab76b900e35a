//! What comes back from a disk, changed at random with its checksums made right again, so that what lies behind them is reached:
//! it is read or refused, nothing panics, and no length that was made up takes all memory. What is changed comes from random runs of the engine.
//!
//! Seeds are fixed and few; `BATON_FUZZ_SECONDS` goes on for so long, with one seed after the other.

mod archive;
mod memory;
mod mutated;
mod records;
#[cfg(feature = "server")]
mod replica;
mod snapshot;

use crate::chance::Chance;
use baton::engine::event::Stamped;
use baton::engine::shard::Shard;
use baton::journal::{Batch, BatchWriter};
pub use mutated::Luck;

/// A few rounds, one for each seed; with `BATON_FUZZ_SECONDS` more of them for so long.
pub fn rounds(usually: u64, round: impl Fn(u64)) {
    (0..usually).for_each(&round);
    let Ok(seconds) = std::env::var("BATON_FUZZ_SECONDS") else { return };
    let seconds = seconds.parse().expect("BATON_FUZZ_SECONDS is a whole number");
    let begin = std::time::Instant::now();
    (usually..).take_while(|_| begin.elapsed().as_secs() < seconds).for_each(round);
}

/// A run of the engine: everything that happened, and what came of it.
fn run(luck: &mut Luck, commands: usize) -> (Vec<Stamped>, Shard) {
    let (mut shard, mut chance, mut events) = (Shard::new(), Chance::new(), Vec::new());
    let opening = if luck.coin() { Chance::opening_in_money() } else { Chance::opening() };
    for (now, command) in opening {
        shard.step(now, command, &mut events).expect("the opening is in order");
    }
    chance.saw(&events);
    for _ in 0..commands {
        let seen = events.len();
        let (now, command) = chance.next(luck.numbers());
        // A refusal has no events of its own; those of deadlines count alike.
        let _ = shard.step(now, command, &mut events);
        chance.saw(&events[seen..]);
    }
    (events, shard)
}

/// The events as batches of a few.
fn batches(luck: &mut Luck, mut events: &[Stamped]) -> Vec<Batch> {
    let mut batches = Vec::new();
    while !events.is_empty() {
        let (some, rest) = events.split_at(events.len().min(1 + luck.below(20)));
        let mut writer = BatchWriter::new(some[0].sequence.0);
        for stamped in some {
            let sealed = luck.coin().then_some(&b"sealed"[..]);
            writer.push(stamped.time.0, &stamped.event, sealed);
        }
        batches.push(writer.finish());
        events = rest;
    }
    batches
}

/// The checksum of a batch as its writer makes it: over everything but the place where it lies.
fn make_right(batch: &mut [u8]) {
    if batch.len() >= 8 {
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&batch[..4]), &batch[8..]);
        batch[4..8].copy_from_slice(&checksum.to_le_bytes());
    }
}
