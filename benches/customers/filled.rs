//! A store of so many customers with their histories on the disk, and what it takes there. Sizes are those of the files after
//! the last connection was closed, which moves the log into the main file.

use super::texts::Texts;
use super::{DAY_MS, NOW_MS, drawn, folder, grouped};
use baton::customers::{
    Address, AddressKind, Change, CustomerId, CustomerStore, Details, DisplayName, EntryKind, NewEntry,
    Opened, Outcome, Projected, Projection, Recording, SqliteStore, Write, Written,
};
use std::path::Path;
use std::time::{Duration, Instant};

pub const ENTRIES: u64 = 20;
/// Between two entries of a customer.
const APART_MS: i64 = 3 * DAY_MS;
/// Customers in one commit.
const GROUP: u64 = 10_000;

pub struct Filled {
    pub customers: u64,
    pub store: SqliteStore,
    folder: tempfile::TempDir,
    /// Before and after the entries.
    bytes: (u64, u64),
    /// An empty store.
    empty_bytes: u64,
    took: Duration,
}

impl Filled {
    pub fn new(customers: u64, texts: &Texts) -> Filled {
        let (folder, start) = (folder(), Instant::now());
        drop(open(folder.path()));
        let empty_bytes = bytes(folder.path());
        resolve_all(open(folder.path()), customers);
        let before = bytes(folder.path());
        record_all(open(folder.path()), customers, texts);
        let after = bytes(folder.path());
        let store = open(folder.path());
        Filled { customers, store, folder, bytes: (before, after), empty_bytes, took: start.elapsed() }
    }

    /// How much of the file the operating system has in memory, as util-linux's `fincore` says.
    fn in_memory(&self) -> Option<u64> {
        let file = self.folder.path().join("customers.db");
        let asked = ["--bytes", "--noheadings", "--output", "RES"];
        let told = std::process::Command::new("fincore").args(asked).arg(file).output().ok()?;
        String::from_utf8(told.stdout).ok()?.trim().parse().ok()
    }
}

pub fn print(all: &[Filled]) {
    println!(
        "\n{:>10} {:>12} {:>14} {:>14} {:>10}  of the file in the",
        "customers", "bytes", "a customer", "an entry", "s to write"
    );
    println!("{:>10} {:>12} {:>14} {:>14} {:>10}  system's cache", "", "in all", "without any", "", "");
    for filled in all {
        let ((before, after), customers) = (filled.bytes, filled.customers);
        let cached =
            filled.in_memory().map_or("unknown".to_owned(), |bytes| format!("{} %", bytes * 100 / after));
        println!(
            "{:>10} {:>12} {:>14} {:>14} {:>10.0}  {cached}",
            grouped(customers),
            after,
            (before - filled.empty_bytes) / customers,
            (after - before) / (customers * ENTRIES),
            filled.took.as_secs_f64(),
        );
    }
}

/// Scattered, as numbers of customers are; no two alike.
pub fn address(customer: u64) -> Address {
    let number = customer * 3_367_900_313 % 10_000_000_000;
    Address::parse(AddressKind::Phone, &format!("+1{number:010}")).expect("a phone number")
}

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder).expect("the store can be opened")
}

fn bytes(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).expect("the folder is there");
    files.map(|file| file.and_then(|file| file.metadata()).expect("the file is there").len()).sum()
}

fn resolve_all(mut store: SqliteStore, customers: u64) {
    for group in groups(customers) {
        let resolve = |customer: u64| Write::Resolve {
            address: address(customer),
            display_name: DisplayName::parse(&format!("Customer {customer}")).ok(),
            now_ms: NOW_MS - 90 * DAY_MS,
        };
        let (first, writes): (_, Vec<Write>) = (*group.start(), group.map(resolve).collect());
        let written = store.commit(&writes).expect("the store works");
        let Written::Resolved(resolved) = written[0] else { panic!("a resolve is answered as one") };
        assert_eq!(resolved.customer, CustomerId(first), "customers are numbered from 1 on");
    }
}

fn groups(customers: u64) -> impl Iterator<Item = std::ops::RangeInclusive<u64>> {
    (0..customers.div_ceil(GROUP)).map(move |group| group * GROUP + 1..=((group + 1) * GROUP).min(customers))
}

/// Round by round: one entry for everybody, then the next.
fn record_all(mut store: SqliteStore, customers: u64, texts: &Texts) {
    let mut sequence = 0;
    for round in 0..ENTRIES {
        for group in groups(customers) {
            let moments = group.map(|customer| Moment::new(customer, customers, round, texts));
            let (contacts, others): (Vec<_>, Vec<_>) = moments.partition(|moment| moment.kind < CONTACTS);
            let mut writes: Vec<Write> =
                others.iter().map(|moment| Write::Record(moment.recording())).collect();
            writes.push(Write::Project(projection(&contacts, &mut sequence)));
            store.commit(&writes).expect("the store works");
        }
    }
}

/// In the order in which they happen to a floor: all come, are answered, noted, closed.
fn projection(contacts: &[Moment<'_>], sequence: &mut u64) -> Projection {
    let after = *sequence;
    let opened = contacts.iter().map(|contact| (contact.time_ms, contact.opened()));
    let answered =
        contacts.iter().filter_map(|contact| Some((contact.time_ms + 20_000, contact.answered()?)));
    let noted = contacts.iter().filter_map(|contact| Some((contact.time_ms + 200_000, contact.noted()?)));
    let closed = contacts.iter().map(|contact| (contact.time_ms + 240_000, contact.closed()));
    let mut numbered = |(time_ms, change)| {
        *sequence += 1;
        Projected { sequence: *sequence, time_ms, change }
    };
    let events = opened.chain(answered).chain(noted).chain(closed).map(&mut numbered).collect();
    Projection { after, upto: *sequence, events }
}

/// Of 20 kinds of entries so many are contacts, then visits, then messages.
const CONTACTS: u64 = 10;
const VISITS: u64 = 4;

/// One entry to be.
struct Moment<'a> {
    customer: u64,
    /// Below 20; a customer has one of each.
    kind: u64,
    number: u64,
    time_ms: i64,
    texts: &'a Texts,
}

impl Moment<'_> {
    fn new(customer: u64, customers: u64, round: u64, texts: &Texts) -> Moment<'_> {
        let since = (ENTRIES - round).cast_signed() * APART_MS;
        // Over the day in the order of their numbers.
        let within = (customer * DAY_MS.cast_unsigned() / (customers + 1)).cast_signed();
        let kind = (customer + 7 * round) % ENTRIES;
        let number = round * customers + customer;
        Moment { customer, kind, number, time_ms: NOW_MS - since + within, texts }
    }

    fn channel(&self) -> u8 {
        [1, 3, 4, 5][usize::try_from(self.kind % 4).expect("less than 4")]
    }

    fn agent(&self) -> String {
        format!("agent-{}", drawn(self.number) % 500)
    }

    fn opened(&self) -> Change {
        Change::Opened(Opened {
            customer: CustomerId(self.customer),
            interaction: self.number,
            channel: self.channel(),
            queue: "bank".to_owned(),
            intent: self.texts.intent(self.number).to_owned(),
            matter: String::new(),
            message: self.texts.text(self.number).to_owned(),
        })
    }

    /// One in ten leaves.
    fn answered(&self) -> Option<Change> {
        let answered = Change::Answered { interaction: self.number, agent: self.agent(), wait_ms: 20_000 };
        (self.kind > 0).then_some(answered)
    }

    fn noted(&self) -> Option<Change> {
        let text = self.texts.text(self.number ^ (1 << 40)).to_owned();
        (self.kind % 2 == 1).then_some(Change::NoteAdded { interaction: self.number, text })
    }

    fn closed(&self) -> Change {
        let (outcome, disposition) =
            if self.kind > 0 { (Outcome::Served, "solved") } else { (Outcome::Left, "") };
        let disposition = disposition.to_owned();
        Change::Closed { interaction: self.number, outcome, disposition, wait_ms: Some(20_000) }
    }

    fn recording(&self) -> Recording {
        let text = self.texts.text(self.number);
        let entry = if self.kind < CONTACTS + VISITS {
            let summary = format!("looked at {}", self.texts.intent(self.number));
            NewEntry::new(EntryKind::Visit, Some(self.time_ms), 0, &summary, "")
        } else {
            let details = Details { outbound: self.kind % 2 == 1, ..Details::default() };
            NewEntry::new(EntryKind::Message, Some(self.time_ms), self.channel(), "", text)
                .and_then(|entry| entry.with(details))
        };
        let entry = entry.expect("texts are short");
        Recording { customer: CustomerId(self.customer), entry, to: None, request_id: None, now_ms: NOW_MS }
    }
}
