//! What linking two customers does, and that undone is as before.

use super::super::link::{LINKED_MAX, Linking, NotLinked, NotUnlinked, Unlinking};
use super::super::model::{Customer, CustomerId};
use super::super::preference::{Preference, Reason};
use super::super::store::{Known, Ties, Write, Written};
use super::{Harness, PHONE, address, texts};

contract! {
    linked_customers_have_one_history_in_order
    an_address_of_either_leads_to_both
    nobody_is_of_their_own_household
    undone_is_as_before
    a_chain_of_links_is_cut_where_it_was_made
    what_was_recorded_in_between_stays_where_it_was_recorded
    linking_twice_is_linking_once
    nobody_unknown_is_linked_and_not_too_many
    links_outlive_the_store
}

fn because() -> Reason {
    Reason { by: "ana".to_owned(), why: "logged in".to_owned() }
}

impl Harness {
    pub(super) fn link(&mut self, customer: CustomerId, into: CustomerId) -> Result<CustomerId, NotLinked> {
        match self.write(Write::Link(Linking { customer, into, reason: because(), now_ms: 2_000 })) {
            Written::Linked(linked) => linked.map(|person| person.id),
            other => panic!("a link was answered with {other:?}"),
        }
    }

    pub(super) fn unlink(&mut self, customer: CustomerId) -> Result<CustomerId, NotUnlinked> {
        match self.write(Write::Unlink(Unlinking { customer, reason: because(), now_ms: 3_000 })) {
            Written::Unlinked(unlinked) => unlinked.map(|two| two[1].id),
            other => panic!("an unlinking was answered with {other:?}"),
        }
    }

    pub(super) fn person(&mut self, id: CustomerId) -> Customer {
        self.reads.customer(id).expect("the store works").expect("the customer is known")
    }

    fn three(&mut self) -> [CustomerId; 3] {
        [PHONE, "+15550001111", "+15550002222"].map(|phone| self.resolve(phone).customer)
    }
}

fn linked_customers_have_one_history_in_order(mut store: Harness) {
    let [cookie, account, _] = store.three();
    for (customer, time_ms, text) in
        [(cookie, 10, "a"), (account, 20, "b"), (cookie, 30, "c"), (account, 40, "d")]
    {
        store.note(customer, time_ms, text);
    }
    assert_eq!(store.link(cookie, account), Ok(account));
    for customer in [cookie, account] {
        assert_eq!(texts(&store.history(customer)), ["d", "c", "b", "a"]);
        let first = store.page(customer, None, 3);
        assert_eq!(texts(&store.page(customer, first.next, 3).entries), ["a"]);
        let recalled = store.recall(customer, 50).expect("known");
        assert_eq!((recalled.entries, texts(&recalled.newest).join("")), (4, "dcba".to_owned()));
    }
}

fn an_address_of_either_leads_to_both(mut store: Harness) {
    let [cookie, account, _] = store.three();
    store.resolve_named("+15550001111", Some("Ana Levi"));
    store.link(cookie, account).expect("both are known");
    assert_eq!(store.resolve(PHONE).customer, account);
    assert_eq!(store.reads.find(&address(PHONE)), Ok(Some(Known { customer: account, named: true })));
    let person = store.person(cookie);
    assert_eq!((person.id, person.linked.as_slice()), (account, &[cookie][..]));
    assert_eq!((person.display_name.as_str(), person.addresses.len()), ("Ana Levi", 2));
}

fn nobody_is_of_their_own_household(mut store: Harness) {
    let [cookie, account, _] = store.three();
    store.prefer(cookie, Preference::ContactPerson(Some(account)));
    store.link(cookie, account).expect("both are known");
    let recalled = store.recall(account, 9).expect("known");
    assert_eq!((recalled.household, recalled.customer.contact_person), (Vec::new(), None));
    store.unlink(cookie).expect("they are linked");
    assert_eq!(store.person(cookie).contact_person, Some(account));
}

fn undone_is_as_before(mut store: Harness) {
    let [cookie, account, _] = store.three();
    store.note(cookie, 10, "a");
    store.note(account, 20, "b");
    let seen = |store: &mut Harness| {
        [cookie, account].map(|id| (store.person(id), store.history(id), store.recall(id, 50)))
    };
    let before = seen(&mut store);
    store.link(cookie, account).expect("both are known");
    assert_ne!(seen(&mut store), before);
    assert_eq!(store.unlink(cookie), Ok(account));
    assert_eq!(seen(&mut store), before);
    assert_eq!(store.reads.ties(), Ok(Vec::new()));
    let trail = store.reads.changes(cookie).expect("the store works").expect("known");
    let said: Vec<&str> = trail.iter().map(|change| change.what.as_str()).collect();
    assert_eq!(said, ["no longer linked to customer 2", "linked to customer 2"]);
    assert_eq!(trail[0].reason, because());
}

fn a_chain_of_links_is_cut_where_it_was_made(mut store: Harness) {
    let [one, two, three] = store.three();
    assert_eq!(store.link(one, two), Ok(two));
    assert_eq!(store.link(one, three), Ok(three), "with whoever they are linked with");
    assert_eq!(store.person(one).linked, [one, two]);
    assert_eq!(store.unlink(three), Err(NotUnlinked::NotLinked(three)));
    assert_eq!(store.unlink(two), Ok(three));
    assert_eq!(store.person(one).id, two, "who was linked to them stays with them");
    assert_eq!(store.person(three).linked, []);
    assert_eq!(store.unlink(one), Ok(two));
    assert_eq!(store.person(two).linked, []);
}

fn what_was_recorded_in_between_stays_where_it_was_recorded(mut store: Harness) {
    let [cookie, account, _] = store.three();
    store.link(cookie, account).expect("both are known");
    store.note(account, 10, "to the account");
    store.note(cookie, 20, "to the cookie");
    store.unlink(cookie).expect("they are linked");
    assert_eq!(texts(&store.history(account)), ["to the account"]);
    assert_eq!(texts(&store.history(cookie)), ["to the cookie"]);
}

fn linking_twice_is_linking_once(mut store: Harness) {
    let [one, two, _] = store.three();
    store.link(one, two).expect("both are known");
    assert_eq!((store.link(one, two), store.link(two, one)), (Ok(two), Ok(two)));
    let trail = store.reads.changes(one).expect("the store works").expect("known");
    assert_eq!(trail.len(), 1);
}

fn nobody_unknown_is_linked_and_not_too_many(mut store: Harness) {
    let [one, two, _] = store.three();
    let nobody = CustomerId(77);
    assert_eq!(store.link(nobody, one), Err(NotLinked::Unknown(nobody)));
    assert_eq!(store.link(one, nobody), Err(NotLinked::Unknown(nobody)));
    assert_eq!(store.unlink(nobody), Err(NotUnlinked::Unknown(nobody)));
    assert_eq!(store.unlink(one), Err(NotUnlinked::NotLinked(one)));
    for more in 0..LINKED_MAX - 1 {
        let other = store.resolve(&format!("+1555100{more:04}")).customer;
        store.link(other, one).expect("not too many");
    }
    assert_eq!(store.link(two, one), Err(NotLinked::TooMany { count: LINKED_MAX + 1 }));
    assert_eq!(store.person(two).linked, []);
}

fn links_outlive_the_store(mut store: Harness) {
    let [one, two, _] = store.three();
    store.link(one, two).expect("both are known");
    let mut store = store.reopened();
    assert_eq!(store.person(one).id, two);
    assert_eq!(store.reads.ties(), Ok(vec![Ties { customer: one, head: two, contact_person: None }]));
}
