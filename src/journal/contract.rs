//! One contract for every journal: the same tests for each implementation.

use std::ops::ControlFlow;

use super::{Batch, BatchWriter, Journal, Key, Memory, Sqlite, open, seal};

/// A batch of `count` records from `first`, which carry their own sequence as event.
pub(super) fn batch(first: u64, count: u64) -> Batch {
    let mut writer = BatchWriter::new(first);
    for sequence in first..first + count {
        let sealed = sequence.is_multiple_of(2).then_some(&b"sealed"[..]);
        writer.push(sequence * 1_000, &("event", sequence), sealed);
    }
    writer.finish()
}

pub(super) fn sequences(journal: &dyn Journal, from: u64) -> Vec<u64> {
    let mut sequences = Vec::new();
    journal
        .read(from, &mut |record| {
            assert_eq!(record.event(), Ok(("event".to_owned(), record.sequence)));
            assert_eq!(record.time_ms, record.sequence * 1_000);
            sequences.push(record.sequence);
            ControlFlow::Continue(())
        })
        .expect("readable");
    sequences
}

fn a_new_journal_is_empty(journal: &mut dyn Journal) {
    assert_eq!((journal.last_sequence(), journal.last_time_ms()), (0, 0));
    assert!(sequences(journal, 0).is_empty());
    assert!(journal.key(1, &[0; 32]).expect("readable").is_none());
}

fn what_was_appended_is_read_back_in_order_from_any_place(journal: &mut dyn Journal) {
    for (first, count) in [(1, 3), (4, 1), (5, 4)] {
        journal.append(&batch(first, count)).expect("appended");
    }
    assert_eq!((journal.last_sequence(), journal.last_time_ms()), (8, 8_000));
    for from in 0..12 {
        let expected: Vec<u64> = (from.max(1)..=8).collect();
        assert_eq!(sequences(journal, from), expected, "from {from}");
    }
}

fn a_reading_ends_where_the_visitor_breaks(journal: &mut dyn Journal) {
    journal.append(&batch(1, 3)).expect("appended");
    journal.append(&batch(4, 3)).expect("appended");
    let mut seen = 0;
    let mut visit = |record: super::RecordRef<'_>| {
        seen = record.sequence;
        if seen == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    journal.read(1, &mut visit).expect("readable");
    assert_eq!(seen, 2);
}

fn a_destroyed_key_is_gone_and_the_others_stay(journal: &mut dyn Journal) {
    let keys = [7, 8, u64::MAX].map(|interaction| (interaction, Key::random()));
    let sealed = seal(&keys[0].1, b"7", b"Ana");
    let wrapped = keys.each_ref().map(|(interaction, key)| journal.wrap(*interaction, key).expect("wrapped"));
    let key = journal.key(7, &wrapped[0]).expect("readable").expect("kept");
    assert_eq!(open(&key, b"7", &sealed).as_deref(), Some(&b"Ana"[..]));
    journal.destroy_keys(&[7, 9, 5_000]).expect("destroyed, as far as there were any");
    journal.destroy_keys(&[7]).expect("destroying it again changes nothing");
    journal.destroy_keys(&[]).expect("nothing to do");
    assert!(journal.key(7, &wrapped[0]).expect("readable").is_none());
    for ((interaction, key), wrapped) in keys.iter().zip(&wrapped).skip(1) {
        assert!(journal.key(*interaction, wrapped).expect("readable").as_ref() == Some(key));
    }
}

/// An older journal that was put back beside a newer keys file gives the number once more.
fn a_number_whose_key_was_destroyed_gets_a_new_one(journal: &mut dyn Journal) {
    journal.wrap(7, &Key::random()).expect("wrapped");
    journal.destroy_keys(&[7]).expect("destroyed");
    let key = Key::random();
    let wrapped = journal.wrap(7, &key).expect("wrapped");
    assert!(Key::unwrapped(&wrapped, &[0; 32]) != key, "it does not lie there in clear");
    assert!(journal.key(7, &wrapped).expect("readable") == Some(key));
}

fn a_wrapped_key_is_nothing_without_its_interaction(journal: &mut dyn Journal) {
    let key = Key::random();
    let wrapped = [7, 8].map(|interaction| journal.wrap(interaction, &key).expect("wrapped"));
    assert_ne!(wrapped[0], wrapped[1]);
    assert!(journal.key(8, &wrapped[0]).expect("readable") != Some(key));
}

fn a_batch_that_does_not_follow_is_a_bug(journal: &mut dyn Journal) {
    journal.append(&batch(1, 2)).expect("appended");
    for first in [1, 2, 4] {
        let append = std::panic::AssertUnwindSafe(|| journal.append(&batch(first, 1)));
        assert!(std::panic::catch_unwind(append).is_err(), "first {first}");
    }
    assert_eq!(sequences(journal, 1), [1, 2]);
}

macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $name() { super::$name(&mut super::Memory::new()); })+
        }
        mod sqlite {
            $(#[test] fn $name() {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let mut journal = super::Sqlite::open(folder.path(), "acme").expect("a new folder");
                super::$name(&mut journal);
            })+
        }
    };
}

contract!(
    a_new_journal_is_empty,
    what_was_appended_is_read_back_in_order_from_any_place,
    a_reading_ends_where_the_visitor_breaks,
    a_destroyed_key_is_gone_and_the_others_stay,
    a_number_whose_key_was_destroyed_gets_a_new_one,
    a_wrapped_key_is_nothing_without_its_interaction,
    a_batch_that_does_not_follow_is_a_bug,
);
