//! Linking two customers and undoing it, with few and with many entries each. Alone, a commit and its sync each; and 1,000 in one
//! commit, where the sync is no part of the figure. Sizes in turn; medians.

use super::filled::address;
use super::{NOW_MS, folder, grouped, median};
use baton::customers::{
    CustomerId, CustomerStore, EntryKind, Linking, MemoryStore, NewEntry, Reason, Recording, SqliteStore,
    Unlinking, Write, Written,
};
use std::time::{Duration, Instant};

/// Entries of each of the two.
const ENTRIES: [i64; 2] = [20, 10_000];
const ALONE: usize = 200;
const GROUPS: usize = 20;
/// Links in a group, and as many times undone.
const IN_A_GROUP: usize = 500;

pub fn print() {
    println!(
        "\n{:>8} {:>14} {:>10} {:>10} {:>24}",
        "µs", "entries each", "link", "unlink", "either, 1,000 a commit"
    );
    let folder = folder();
    print_store("memory", MemoryStore::new());
    print_store("sqlite", SqliteStore::open(folder.path()).expect("a new store"));
}

#[derive(Default)]
struct Measured {
    link: Vec<Duration>,
    unlink: Vec<Duration>,
    group: Vec<Duration>,
}

fn print_store(name: &str, mut store: impl CustomerStore) {
    let pairs: Vec<_> = ENTRIES.into_iter().map(|entries| pair(&mut store, entries)).collect();
    let mut measured = ENTRIES.map(|_| Measured::default());
    for _ in 0..ALONE {
        for (pair, measured) in pairs.iter().zip(&mut measured) {
            measured.link.push(timed(&mut store, &[link(*pair)]));
            measured.unlink.push(timed(&mut store, &[unlink(*pair)]));
        }
    }
    for _ in 0..GROUPS {
        for (pair, measured) in pairs.iter().zip(&mut measured) {
            let group: Vec<Write> = (0..IN_A_GROUP).flat_map(|_| [link(*pair), unlink(*pair)]).collect();
            measured.group.push(timed(&mut store, &group));
        }
    }
    for (entries, measured) in ENTRIES.into_iter().zip(measured) {
        println!(
            "{name:>8} {:>14} {:>10.1} {:>10.1} {:>24.2}",
            grouped(entries.cast_unsigned()),
            median(measured.link),
            median(measured.unlink),
            median(measured.group) / (2 * IN_A_GROUP) as f64,
        );
    }
}

/// Two customers with so many entries each.
fn pair(store: &mut impl CustomerStore, entries: i64) -> [CustomerId; 2] {
    [0, 1].map(|which| {
        let address = address(entries.cast_unsigned() * 2 + which);
        let resolve = Write::Resolve { address, display_name: None, now_ms: NOW_MS };
        let written = store.commit(&[resolve]).expect("the store works");
        let Written::Resolved(resolved) = written[0] else { panic!("a resolve is answered as one") };
        let note = |number: i64| {
            let text = "asked when the card will arrive, told that it takes five days";
            let entry = NewEntry::new(EntryKind::Note, Some(NOW_MS - number * 1_000), 0, "", text);
            let (customer, entry) = (resolved.customer, entry.expect("a short text"));
            Write::Record(Recording { customer, entry, to: None, request_id: None, now_ms: NOW_MS })
        };
        let notes: Vec<Write> = (0..entries).map(note).collect();
        store.commit(&notes).expect("the store works");
        resolved.customer
    })
}

fn link([into, customer]: [CustomerId; 2]) -> Write {
    Write::Link(Linking { customer, into, reason: reason(), now_ms: NOW_MS })
}

fn unlink([_, customer]: [CustomerId; 2]) -> Write {
    Write::Unlink(Unlinking { customer, reason: reason(), now_ms: NOW_MS })
}

fn reason() -> Reason {
    Reason { by: "ana".to_owned(), why: "the same person".to_owned() }
}

fn timed(store: &mut impl CustomerStore, group: &[Write]) -> Duration {
    let start = Instant::now();
    let written = store.commit(group).expect("the store works");
    let took = start.elapsed();
    let done = |one: &Written| matches!(one, Written::Linked(Ok(_)) | Written::Unlinked(Ok(_)));
    assert!(written.iter().all(done), "each is done");
    took
}
