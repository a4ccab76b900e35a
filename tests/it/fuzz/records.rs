//! Records of the journal.

use super::memory::bounded;
use super::{Luck, batches, make_right, rounds, run};
use baton::engine::event::Event;
use baton::journal::decode;
use std::cell::Cell;

/// Of one seed.
const CHANGES: usize = 400;

#[test]
fn whatever_a_record_has_become_it_is_an_event_or_an_error() {
    // Of all rounds: one alone may have few and short batches, which mostly break or mostly stay whole.
    let (read, refused) = (Cell::new(0), Cell::new(0));
    rounds(6, |seed| {
        let mut luck = Luck::new(seed);
        let (events, _) = run(&mut luck, 200);
        let batches = batches(&mut luck, &events);
        for _ in 0..CHANGES {
            let mut bytes = luck.one_of(&batches).bytes().to_vec();
            // The magic and the format are what they are; numbers, counts and lengths are not.
            let from = if luck.below(4) == 0 { 8 } else { 24 };
            luck.change(&mut bytes, from);
            fit_length(&mut luck, &mut bytes);
            make_right(&mut bytes);
            let (events, errors) = bounded(|| look(&bytes));
            read.set(read.get() + events);
            refused.set(refused.get() + errors);
        }
    });
    let (read, refused) = (read.get(), refused.get());
    assert!(read > CHANGES && refused > CHANGES, "{read} read, {refused} refused");
}

/// How many of its records are events, and how many are none.
fn look(bytes: &[u8]) -> (usize, usize) {
    let Ok(records) = decode(bytes) else { return (0, 1) };
    let events = records.iter().filter(|record| record.event::<Event>().is_ok()).count();
    (events, records.len() - events)
}

/// Mostly what the header says of the records is so.
fn fit_length(luck: &mut Luck, bytes: &mut [u8]) {
    if bytes.len() >= 24 && luck.below(16) > 0 {
        let length = u32::try_from(bytes.len() - 24).expect("batches of tests are short");
        bytes[20..24].copy_from_slice(&length.to_le_bytes());
    }
}
