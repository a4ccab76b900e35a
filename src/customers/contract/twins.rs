//! Memory and SQLite are twins: whatever is done to both in whatever order, they answer alike and show the same.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::details::Details;
use super::super::entry::{EntryKind, Filter, NewEntry, Outcome};
use super::super::erase::Erasing;
use super::super::link::{Linking, Unlinking};
use super::super::model::{CustomerId, RequestId};
use super::super::preference::{Preference, Preferring, Reason};
use super::super::promise::{NewPromise, Promising, Redeeming, Redemption, To, Withdrawing};
use super::super::store::{Change, Opened, Projected, Projection, Purging, Recording, Write, Written};
use super::{Harness, address, resolution};

/// People enough to meet again and again.
const PEOPLE: u64 = 6;
const STEPS: i64 = 150;
const SEEDS: u64 = 20;
/// All that can be seen is compared every so many steps.
const LOOKS: i64 = 10;

struct Script {
    generator: ChaCha8Rng,
    sequence: u64,
    now_ms: i64,
}

impl Script {
    fn who(&mut self) -> CustomerId {
        // One more than there are: nobody.
        CustomerId(self.generator.random_range(1..=PEOPLE + 1))
    }

    fn phone(&mut self) -> String {
        format!("+1555000{:04}", self.generator.random_range(0..PEOPLE))
    }

    fn request(&mut self) -> Option<RequestId> {
        let repeated = self.generator.random_bool(0.3);
        repeated.then(|| RequestId::parse(&format!("r{}", self.generator.random_range(0..3))).expect("short"))
    }

    fn flag(&mut self) -> bool {
        self.generator.random_bool(0.5)
    }

    fn reason() -> Reason {
        Reason { by: "ana".to_owned(), why: String::new() }
    }

    fn tier(&mut self) -> String {
        ["", "gold", "silver"][self.generator.random_range(0..3)].to_owned()
    }

    fn next(&mut self) -> Write {
        self.now_ms += self.generator.random_range(0..3);
        let (customer, now_ms) = (self.who(), self.now_ms);
        match self.generator.random_range(0..13) {
            0 | 1 => resolution(&self.phone(), self.flag().then_some("Ana")),
            2 => Write::Link(Linking { customer, into: self.who(), reason: Self::reason(), now_ms }),
            3 => Write::Unlink(Unlinking { customer, reason: Self::reason(), now_ms }),
            4 => Write::Prefer(Preferring {
                customer,
                preference: self.preference(),
                reason: Self::reason(),
                now_ms,
            }),
            5 => {
                let alternative = if self.flag() { "half".to_owned() } else { String::new() };
                let expires_ms = self.flag().then(|| now_ms + 20);
                let what =
                    NewPromise { summary: "s".to_owned(), alternative, expires_ms, ..NewPromise::default() };
                let to = if self.flag() { To::Customer(customer) } else { To::Tier("gold".to_owned()) };
                Write::Promise(Promising { to, what, request_id: self.request(), now_ms })
            }
            6 | 7 => {
                let (by, alternative) = ("bo".to_owned(), self.generator.random_bool(0.2));
                let how = Redemption { by, alternative, ..Redemption::default() };
                let promise = self.generator.random_range(1..8);
                Write::Redeem(Redeeming { customer, promise, how, request_id: self.request(), now_ms })
            }
            8 => {
                let (by, reason, alternative) = ("b".to_owned(), "gone".to_owned(), String::new());
                let (promise, customer) =
                    (self.generator.random_range(1..8), self.flag().then_some(customer));
                Write::Withdraw(Withdrawing { customer, promise, by, reason, alternative, now_ms })
            }
            9 => {
                let before_ms = vec![(EntryKind::Note, now_ms - 30), (EntryKind::Contact, now_ms - 60)];
                let (after, only_look) = (self.generator.random_range(0..20), self.flag());
                Write::Purge(Purging { before_ms, after, looked_at: 5, only_look })
            }
            10 => self.contact(customer),
            11 if self.generator.random_bool(0.2) => Write::Erase(Erasing::Person(customer)),
            _ => self.recording(customer),
        }
    }

    fn preference(&mut self) -> Preference {
        match self.generator.random_range(0..5) {
            0 => Preference::Tier(self.tier()),
            1 => Preference::Minor(self.flag()),
            2 => Preference::ContactPerson(self.flag().then(|| self.who())),
            3 => Preference::Language(self.tier()),
            _ => {
                let address = self.flag().then(|| address(&self.phone()));
                let channel = self.generator.random_range(0..3);
                Preference::Consent { channel, address, allowed: self.flag() }
            }
        }
    }

    fn recording(&mut self, customer: CustomerId) -> Write {
        let kind = if self.flag() { EntryKind::Message } else { EntryKind::Note };
        let entry = NewEntry::new(kind, None, self.generator.random_range(0..3), "", "text").expect("short");
        let outbound = kind == EntryKind::Message && self.flag();
        let pinned = self.generator.random_bool(0.1);
        let entry = entry.with(Details { outbound, pinned, matter: self.tier(), ..Details::default() });
        let to = self.flag().then(|| address(&self.phone()));
        let (entry, request_id) = (entry.expect("it goes together"), self.request());
        Write::Record(Recording { customer, entry, to, request_id, now_ms: self.now_ms })
    }

    fn contact(&mut self, customer: CustomerId) -> Write {
        let after = self.sequence;
        self.sequence += 2;
        let opened = Opened {
            customer,
            interaction: self.sequence,
            channel: 1,
            queue: "bank".to_owned(),
            intent: self.tier(),
            matter: self.tier(),
            message: "help".to_owned(),
        };
        let closed = Change::Closed {
            interaction: self.sequence,
            outcome: Outcome::Served,
            disposition: String::new(),
            wait_ms: None,
        };
        let event = |sequence, change| Projected { sequence, time_ms: self.now_ms, change };
        let events = vec![event(after + 1, Change::Opened(opened)), event(after + 2, closed)];
        Write::Project(Projection { after, upto: self.sequence, events })
    }
}

/// All that can be seen of everybody.
fn seen(store: &mut Harness) -> String {
    let mut all = String::new();
    for customer in (1..=PEOPLE + 1).map(CustomerId) {
        let page = store.reads.history(customer, &Filter::default(), None, 7);
        let matter = Filter { matter: "gold".to_owned(), ..Filter::default() };
        all += &format!(
            "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n",
            store.reads.customer(customer),
            page,
            store.reads.history(customer, &matter, None, 7),
            store.reads.recall(customer, 30),
            store.reads.promises(customer),
            store.reads.changes(customer),
        );
    }
    all + &format!("{:?} {:?}", store.reads.tier_promises(), store.reads.ties())
}

#[test]
fn memory_and_sqlite_are_twins() {
    for seed in 0..SEEDS {
        let mut script = Script { generator: ChaCha8Rng::seed_from_u64(seed), sequence: 0, now_ms: 100 };
        let (mut memory, mut sqlite) = (Harness::memory(), Harness::sqlite());
        for step in 0..STEPS {
            let write = script.next();
            let answers = (memory.write(write.clone()), sqlite.write(write.clone()));
            assert_eq!(answers.0, answers.1, "seed {seed}, step {step}: {write:?}");
            if step % LOOKS == 0 {
                assert_eq!(seen(&mut memory), seen(&mut sqlite), "seed {seed}, step {step}: {write:?}");
            }
        }
    }
}

/// Whatever came before, and with nothing recorded in between.
#[test]
fn unlinking_what_was_linked_changes_nothing_for_anybody() {
    for seed in 0..SEEDS {
        let mut script = Script { generator: ChaCha8Rng::seed_from_u64(seed), sequence: 0, now_ms: 100 };
        let mut store = Harness::memory();
        (0..STEPS).for_each(|_| drop(store.write(script.next())));
        let shown = |store: &mut Harness| {
            let all = (1..=PEOPLE + 1).map(CustomerId);
            let of =
                |one| (store.reads.customer(one), store.reads.recall(one, 30), store.reads.promises(one));
            format!("{:?}", all.map(of).collect::<Vec<_>>())
        };
        let before = shown(&mut store);
        let (one, other) = (script.who(), script.who());
        let head = store.reads.customer(one).expect("the store works").map(|person| person.id);
        let already = store.reads.customer(other).expect("the store works").map(|person| person.id) == head;
        let linking = Linking { customer: one, into: other, reason: Script::reason(), now_ms: 900 };
        if let (Written::Linked(Ok(_)), Some(head), false) =
            (store.write(Write::Link(linking)), head, already)
        {
            let undone = Unlinking { customer: head, reason: Script::reason(), now_ms: 901 };
            assert!(matches!(store.write(Write::Unlink(undone)), Written::Unlinked(Ok(_))), "seed {seed}");
        }
        assert_eq!(shown(&mut store), before, "seed {seed}");
    }
}
