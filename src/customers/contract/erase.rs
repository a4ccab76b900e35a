//! What every store must do to forget a person: all of them at once, nobody else, and for good.

use super::super::entry::Filter;
use super::super::erase::{Erased, Erasing};
use super::super::model::CustomerId;
use super::super::preference::Preference;
use super::super::promise::{NewPromise, Promise, Promising, To};
use super::super::store::{Change, NotRecorded, UnknownCustomer, Write, Written};
use super::{Card, Harness, PHONE, address, answered, note, noted, opened, then, with_request};

contract! {
    who_is_erased_is_known_by_nothing_any_more
    what_was_erased_is_told_in_numbers_and_times
    a_second_erasure_finds_nobody
    nobody_else_loses_anything
    what_comes_later_about_the_erased_is_left_out
    who_comes_again_is_somebody_new
    erasing_again_finds_whom_an_older_copy_brought_back
    erasing_again_leaves_a_stranger_with_the_same_number_alone
    no_number_that_was_erased_is_given_again
    the_erased_stay_erased_after_opening_again
    linked_customers_are_erased_together
    what_others_said_of_an_address_of_theirs_goes_with_them
    who_was_only_linked_when_the_copy_was_made_is_left_alone
}

const OTHER: &str = "+15550001111";

impl Harness {
    fn vow(&mut self, customer: CustomerId) -> Result<Promise, UnknownCustomer> {
        let what = NewPromise {
            summary: "half the price".to_owned(),
            terms: String::new(),
            instructions: Vec::new(),
            alternative: String::new(),
            made_by: String::new(),
            channel: 0,
            expires_ms: None,
        };
        match self.write(Write::Promise(Promising {
            to: To::Customer(customer),
            what,
            request_id: None,
            now_ms: 1,
        })) {
            Written::Promised(promised) => promised.map(|promise| *promise),
            other => panic!("a promise was answered with {other:?}"),
        }
    }

    /// A customer with a name, two contacts, a note and a promise. The interactions are 7 and 9.
    fn ana(&mut self) -> CustomerId {
        let ana = self.resolve_named(PHONE, Some("Ana")).customer;
        let applied = self.applied();
        let contact = |at, time_ms, interaction| opened(applied + at, time_ms, ana, interaction);
        let events = vec![contact(1, 50, 9), contact(2, 40, 7), noted(applied + 3, 7, "lost her card")];
        self.project(applied, events).expect("no gap");
        self.record(with_request(note(ana, 60, "called back"), "r1")).expect("known");
        self.vow(ana).expect("known");
        ana
    }

    fn erase_person(&mut self, id: CustomerId) -> Result<Erased, UnknownCustomer> {
        let before = self.reads.erasable(id).expect("the store works");
        let erased = self.erase(Erasing::Person(id));
        assert_eq!(before, erased.clone().ok(), "what would be erased is what is");
        erased
    }
}

fn who_is_erased_is_known_by_nothing_any_more(mut store: Harness) {
    let ana = store.ana();
    store.erase_person(ana).expect("known");
    assert_eq!(store.reads.find(&address(PHONE)), Ok(None));
    assert_eq!(store.reads.customer(ana), Ok(None));
    assert_eq!(store.reads.history(ana, &Filter::default(), None, 10), Ok(None));
    assert_eq!(store.reads.promises(ana), Ok(None));
    assert_eq!(store.card(ana, 0, 100), Card::default());
    assert_eq!(store.record(note(ana, 1, "x")), Err(NotRecorded::Unknown(ana)));
    assert_eq!(store.record(with_request(note(ana, 1, "x"), "r1")), Err(NotRecorded::Unknown(ana)));
    assert_eq!(store.vow(ana), Err(UnknownCustomer(ana)));
}

fn what_was_erased_is_told_in_numbers_and_times(mut store: Harness) {
    let ana = store.ana();
    let erased = store.erase_person(ana).expect("known");
    assert_eq!(erased, Erased { customers: vec![(ana, 1_000)], interactions: vec![(7, 40), (9, 50)] });
}

fn a_second_erasure_finds_nobody(mut store: Harness) {
    let ana = store.ana();
    store.erase_person(ana).expect("known");
    assert_eq!(store.erase_person(ana), Err(UnknownCustomer(ana)));
    for id in [0, ana.0 + 1, u64::MAX].map(CustomerId) {
        assert_eq!(store.erase_person(id), Err(UnknownCustomer(id)));
    }
}

fn nobody_else_loses_anything(mut store: Harness) {
    let other = store.resolve_named(OTHER, Some("Bo")).customer;
    store.project(0, vec![opened(1, 5, other, 70), noted(2, 70, "on")]).expect("no gap");
    let first = store.record(with_request(note(other, 6, "kept"), "r1")).expect("known");
    store.vow(other).expect("known");
    let look = |store: &mut Harness| {
        let promises = store.reads.promises(other);
        (store.reads.find(&address(OTHER)), store.history(other), store.card(other, 0, 9), promises)
    };
    let before = look(&mut store);
    let ana = store.ana();
    store.erase_person(ana).expect("known");
    assert_eq!(look(&mut store), before);
    let again = store.record(with_request(note(other, 9, "again"), "r1")).expect("known");
    assert_eq!(again, first);
}

fn what_comes_later_about_the_erased_is_left_out(mut store: Harness) {
    let ana = store.ana();
    let applied = store.applied();
    store.erase_person(ana).expect("known");
    let closed = Change::Closed {
        interaction: 7,
        outcome: super::super::entry::Outcome::Served,
        disposition: "solved".into(),
        wait_ms: None,
    };
    let events = vec![
        answered(applied + 1, 7, "bo", 1),
        noted(applied + 2, 9, "still hers"),
        then(applied + 3, closed),
        opened(applied + 4, 90, ana, 11),
    ];
    assert_eq!(store.project(applied, events), Ok(applied + 4));
    let again = store.resolve(PHONE).customer;
    assert!(store.history(again).is_empty());
    assert_eq!(store.reads.history(ana, &Filter::default(), None, 10), Ok(None));
}

fn who_comes_again_is_somebody_new(mut store: Harness) {
    let ana = store.ana();
    let vowed = store.vow(ana).expect("known").number;
    store.erase_person(ana).expect("known");
    let again = store.resolve(PHONE);
    assert!(again.created && again.customer.0 > ana.0, "{again:?} after {ana}");
    let profile = store.reads.customer(again.customer).expect("the store works").expect("just made");
    assert_eq!((profile.display_name.as_str(), profile.addresses), ("", vec![address(PHONE)]));
    assert!(store.history(again.customer).is_empty());
    assert!(store.vow(again.customer).expect("known").number > vowed, "no promise has a number of hers");
}

fn erasing_again_finds_whom_an_older_copy_brought_back(mut store: Harness) {
    let ana = store.ana();
    let gone = CustomerId(ana.0 + 5);
    let again = Erasing::Again(vec![(ana, 1_000), (gone, 3_000)]);
    let erased =
        Erased { customers: vec![(ana, 1_000), (gone, 3_000)], interactions: vec![(7, 40), (9, 50)] };
    assert_eq!(store.erase(again.clone()), Ok(erased.clone()));
    assert_eq!(store.reads.customer(ana), Ok(None));
    let nothing_left = Erased { interactions: Vec::new(), ..erased };
    assert_eq!(store.erase(again), Ok(nothing_left), "it may be done at every start");
}

fn erasing_again_leaves_a_stranger_with_the_same_number_alone(mut store: Harness) {
    let ana = store.ana();
    assert_eq!(store.erase(Erasing::Again(vec![(ana, 999)])), Ok(Erased::default()));
    assert_eq!(store.history(ana).len(), 3);
}

fn no_number_that_was_erased_is_given_again(mut store: Harness) {
    let gone = CustomerId(40);
    store.erase(Erasing::Again(vec![(gone, 1)])).expect("it cannot be refused");
    assert!(store.resolve(PHONE).customer > gone, "an older copy had not come that far");
    store.erase(Erasing::Again(vec![(CustomerId(3), 1)])).expect("it cannot be refused");
    assert!(store.resolve(OTHER).customer.0 > 41);
}

fn the_erased_stay_erased_after_opening_again(mut store: Harness) {
    let ana = store.ana();
    store.erase_person(ana).expect("known");
    let mut store = store.reopened();
    assert_eq!(store.reads.customer(ana), Ok(None));
    assert!(store.resolve(PHONE).customer.0 > ana.0);
}

fn linked_customers_are_erased_together(mut store: Harness) {
    let (cookie, account) = (store.resolve(PHONE).customer, store.resolve(OTHER).customer);
    store.link(cookie, account).expect("both are known");
    let erased = store.erase(Erasing::Person(cookie)).expect("she is known");
    assert_eq!(erased.customers.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [cookie, account]);
    for customer in [cookie, account] {
        assert_eq!(store.reads.customer(customer), Ok(None));
        assert_eq!(store.reads.changes(customer), Ok(None));
    }
    assert_eq!(store.reads.ties(), Ok(Vec::new()));
}

fn who_was_only_linked_when_the_copy_was_made_is_left_alone(mut store: Harness) {
    let (cookie, account) = (store.resolve(PHONE).customer, store.resolve(OTHER).customer);
    store.link(cookie, account).expect("both are known");
    store.erase(Erasing::Again(vec![(account, 1_000)])).expect("she is known");
    assert_eq!(store.reads.customer(account), Ok(None));
    let left = store.person(cookie);
    assert_eq!((left.id, left.linked.as_slice()), (cookie, &[][..]));
}

fn what_others_said_of_an_address_of_theirs_goes_with_them(mut store: Harness) {
    let (lena, mother) = (store.resolve(PHONE).customer, store.resolve(OTHER).customer);
    store.prefer(mother, Preference::Consent { channel: 4, address: Some(address(PHONE)), allowed: false });
    store.prefer(lena, Preference::ContactPerson(Some(mother)));
    store.erase(Erasing::Person(lena)).expect("she is known");
    let left = store.person(mother);
    assert_eq!(left.consents, []);
    let trail = store.reads.changes(mother).expect("the store works").expect("known");
    assert!(trail.iter().all(|change| !change.what.contains(PHONE)), "{trail:?}");
    store.erase(Erasing::Person(mother)).expect("she is known");
}
