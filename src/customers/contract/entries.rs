//! What entries have beside a text, which of them are asked for, and how long they are kept.

use super::super::details::{Details, Feedback, Measure};
use super::super::entry::Outcome;
use super::super::entry::{EntryKind, Filter, HistoryEntry, NewEntry};
use super::super::model::CustomerId;
use super::super::store::Change;
use super::super::store::{Purged, Purging, Recording, Write, Written};
use super::{Harness, PHONE, opened, texts, then};

contract! {
    details_are_kept_as_they_came
    a_history_is_asked_for_by_kind_channel_and_matter
    what_is_pinned_is_recalled_however_old
    what_is_older_than_it_is_kept_goes
    contacts_are_counted_for_life_and_by_what_they_are_about
}

impl Harness {
    fn add(&mut self, customer: CustomerId, kind: EntryKind, time_ms: i64, details: Details) -> HistoryEntry {
        let channel = (time_ms % 3) as u8;
        let entry = NewEntry::new(kind, Some(time_ms), channel, "", &format!("{time_ms}")).expect("short");
        let entry = entry.with(details).expect("it goes together");
        self.record(Recording { customer, entry, to: None, request_id: None, now_ms: 9 }).expect("known")
    }

    fn asked(&mut self, customer: CustomerId, filter: &Filter) -> Vec<String> {
        let page = self.reads.history(customer, filter, None, 50).expect("the store works").expect("known");
        texts(&page.entries).into_iter().map(str::to_owned).collect()
    }

    fn purge(&mut self, purging: Purging) -> Purged {
        match self.write(Write::Purge(purging)) {
            Written::Purged(purged) => purged,
            other => panic!("letting go was answered with {other:?}"),
        }
    }
}

fn pinned() -> Details {
    Details { pinned: true, ..Details::default() }
}

fn details_are_kept_as_they_came(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let details = Details {
        matter: "case 7".to_owned(),
        pinned: true,
        outbound: false,
        feedback: Some(Feedback { measure: Measure::Recommendation, score: 9 }),
        sentiment: Some(-30),
    };
    let added = store.add(customer, EntryKind::Feedback, 5, details.clone());
    assert_eq!(added.details, details);
    let mut store = store.reopened();
    assert_eq!(store.history(customer), [added]);
}

fn a_history_is_asked_for_by_kind_channel_and_matter(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let matter = |name: &str| Details { matter: name.to_owned(), ..Details::default() };
    store.add(customer, EntryKind::Visit, 1, matter("sofa"));
    store.add(customer, EntryKind::Note, 2, matter("sofa"));
    store.add(customer, EntryKind::Note, 3, matter(""));
    store.add(customer, EntryKind::Purchase, 4, matter("lamp"));
    let of = |kinds: &[EntryKind], channels: &[u8], matter: &str| Filter {
        kinds: kinds.to_vec(),
        channels: channels.to_vec(),
        matter: matter.to_owned(),
    };
    assert_eq!(store.asked(customer, &of(&[EntryKind::Note], &[], "")), ["3", "2"]);
    assert_eq!(store.asked(customer, &of(&[EntryKind::Note, EntryKind::Visit], &[], "sofa")), ["2", "1"]);
    assert_eq!(store.asked(customer, &of(&[], &[1], "")), ["4", "1"]);
    assert_eq!(store.asked(customer, &of(&[], &[0, 2], "")), ["3", "2"]);
    assert_eq!(store.asked(customer, &of(&[], &[], "car")), [""; 0]);
    let filter = of(&[EntryKind::Note], &[], "");
    let first = store.reads.history(customer, &filter, None, 1).expect("the store works").expect("known");
    let rest =
        store.reads.history(customer, &filter, first.next, 1).expect("the store works").expect("known");
    assert_eq!((texts(&first.entries), texts(&rest.entries), rest.next), (vec!["3"], vec!["2"], None));
}

fn what_is_pinned_is_recalled_however_old(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let verified = store.add(customer, EntryKind::Note, 1, pinned());
    for time_ms in 2..60 {
        store.add(customer, EntryKind::Visit, time_ms, Details::default());
    }
    let recalled = store.recall(customer, 100).expect("known");
    assert_eq!(recalled.pinned, std::slice::from_ref(&verified));
    assert!(!recalled.newest.contains(&verified));
    for time_ms in 60..66 {
        store.add(customer, EntryKind::Note, time_ms, pinned());
    }
    let recalled = store.recall(customer, 100).expect("known");
    assert_eq!(texts(&recalled.pinned), ["65", "64", "63", "62", "61"]);
}

fn what_is_older_than_it_is_kept_goes(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    for time_ms in [1, 2, 8] {
        store.add(customer, EntryKind::Visit, time_ms, Details::default());
    }
    store.add(customer, EntryKind::Note, 3, Details::default());
    store.add(customer, EntryKind::Visit, 4, pinned());
    store
        .project(0, vec![opened(1, 5, customer, 70), opened(2, 6, customer, 71), closed(3, 71)])
        .expect("in turn");
    let before_ms = vec![(EntryKind::Visit, 8), (EntryKind::Contact, 8)];
    let mut after = 0;
    let mut gone = 0;
    loop {
        let purged =
            store.purge(Purging { before_ms: before_ms.clone(), after, looked_at: 3, only_look: false });
        gone += purged.gone;
        match purged.next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(gone, 3, "two visits and the contact that is over");
    assert_eq!(texts(&store.history(customer)), ["8", "help", "4", "3"]);
    let recalled = store.recall(customer, 10).expect("known");
    assert_eq!((recalled.entries, recalled.lifetime_contacts, recalled.contacts.len()), (4, 2, 1));
}

fn closed(sequence: u64, interaction: u64) -> super::Projected {
    let (outcome, disposition, wait_ms) = (Outcome::Served, String::new(), None);
    then(sequence, Change::Closed { interaction, outcome, disposition, wait_ms })
}

fn contacts_are_counted_for_life_and_by_what_they_are_about(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let contacts: Vec<_> = (1..=3).map(|at| opened(at, at as i64, customer, 100 + at)).collect();
    store.project(0, contacts).expect("in turn");
    store.add(customer, EntryKind::Visit, 4, Details::default());
    let recalled = store.recall(customer, 10).expect("known");
    assert_eq!((recalled.entries, recalled.lifetime_contacts), (4, 3));
    let about = super::super::entry::about("", "card-lost");
    assert!(recalled.contacts.iter().all(|contact| contact.about == about));
    let last = recalled.last_contact.and_then(|entry| entry.contact).map(|contact| contact.interaction);
    assert_eq!(last, Some(103));
}
