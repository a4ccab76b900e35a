//! Files of the archive.

use super::memory::bounded;
use super::{Luck, batches, make_right, rounds, run};
use baton::engine::event::Event;
use baton::journal::Archive;
use std::fs;
use std::ops::ControlFlow;

/// Of one seed.
const CHANGES: usize = 100;
const DAY_MS: u64 = 86_400_000;

#[test]
fn whatever_an_archive_has_become_it_is_read_or_refused() {
    rounds(3, |seed| {
        let mut luck = Luck::new(seed);
        let (events, _) = run(&mut luck, 100);
        let batches = batches(&mut luck, &events);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let archive = Archive::of(folder.path());
        let mut adding = archive.open_to_add(1).expect("new");
        let mut day = 0;
        for batch in &batches {
            day += u64::from(luck.below(8) == 0);
            adding.turn_to(day * DAY_MS, None).expect("turned");
            adding.add(batch).expect("added");
        }
        adding.sync().expect("synced");
        let days = archive.days().expect("as written");
        let whole: Vec<Vec<u8>> = days.iter().map(|day| fs::read(&day.path).expect("readable")).collect();
        for _ in 0..CHANGES {
            let number = luck.below(days.len());
            let mut bytes = whole[number].clone();
            luck.change(&mut bytes, 0);
            make_all_right(&mut bytes);
            fs::write(&days[number].path, &bytes).expect("written");
            let from = luck.number() % (events.len() as u64 + 2);
            bounded(|| look(&archive, from));
            // What begins nowhere goes, so it is put back with the rest.
            days.iter().zip(&whole).for_each(|(day, bytes)| fs::write(&day.path, bytes).expect("written"));
        }
    });
}

/// Everything that is done to one: whether it can be is not the question.
fn look(archive: &Archive, from: u64) {
    let mut visit = |record: baton::journal::RecordRef<'_>| {
        let _ = record.event::<Event>();
        ControlFlow::Continue(())
    };
    let _ = archive.read(from, &mut visit);
    let _ = archive.bases();
    let _ = archive.open_to_add(1).map(|adding| adding.next());
    let _ = archive.read(1, &mut visit);
}

/// The checksum of each batch that is found where the one before ends.
fn make_all_right(mut bytes: &mut [u8]) {
    while bytes.len() >= 24 {
        let length = u32::from_le_bytes(bytes[20..24].try_into().expect("four bytes")) as usize;
        let end = bytes.len().min(24 + length);
        let (batch, rest) = bytes.split_at_mut(end);
        make_right(batch);
        bytes = rest;
    }
}
