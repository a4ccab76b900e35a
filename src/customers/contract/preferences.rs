//! What customers want, and that nothing goes out against it.

use super::super::address::AddressKind;
use super::super::details::Details;
use super::super::entry::{EntryKind, HistoryEntry, NewEntry};
use super::super::model::CustomerId;
use super::super::preference::{CONSENTS_MAX, NotAllowed, NotPreferred, Preference, Preferring, Reason};
use super::super::promise::NewPromise;
use super::super::store::{NotRecorded, Recording, Ties, Write, Written};
use super::{Harness, PHONE, address};

contract! {
    what_was_said_last_holds_and_every_word_is_kept
    a_message_of_ours_against_a_withdrawn_consent_is_refused
    a_consent_of_one_address_is_of_that_address
    a_minor_is_not_written_to_unless_somebody_allowed_it
    a_contact_person_sees_who_they_are_asked_about
    preferences_need_somebody_known
    linked_customers_refuse_together
    whoever_has_the_number_has_a_say_in_what_goes_to_it
    a_household_has_everybody_once_and_nobody_is_their_own
    consents_are_as_many_as_anybody_needs
}

impl Harness {
    pub(super) fn prefer_at(
        &mut self,
        customer: CustomerId,
        preference: Preference,
        now_ms: i64,
    ) -> Result<(), NotPreferred> {
        let reason = Reason { by: "ana".to_owned(), why: "she said so".to_owned() };
        match self.write(Write::Prefer(Preferring { customer, preference, reason, now_ms })) {
            Written::Preferred(preferred) => preferred.map(drop),
            other => panic!("a preference was answered with {other:?}"),
        }
    }

    pub(super) fn prefer(&mut self, customer: CustomerId, preference: Preference) {
        self.prefer_at(customer, preference, 2_000).expect("the customer is known");
    }

    fn send(&mut self, customer: CustomerId, to: Option<&str>) -> Result<HistoryEntry, NotRecorded> {
        let entry = NewEntry::new(EntryKind::Message, None, MESSAGE, "your order", "").expect("short");
        let entry = entry.with(Details { outbound: true, ..Details::default() }).expect("a message");
        let to = to.map(address);
        self.record(Recording { customer, entry, to, request_id: None, now_ms: 5_000 })
    }
}

const MESSAGE: u8 = 4;
const WITHDRAWN: NotRecorded =
    NotRecorded::NotAllowed(NotAllowed::Withdrawn { since_ms: 2_000, by: String::new() });

fn said(channel: u8, allowed: bool) -> Preference {
    Preference::Consent { channel, address: None, allowed }
}

fn is_withdrawn(sent: &Result<HistoryEntry, NotRecorded>) -> bool {
    let NotRecorded::NotAllowed(NotAllowed::Withdrawn { since_ms: wanted, .. }) = WITHDRAWN else {
        return false;
    };
    let is = |since_ms: &i64, by: &str| *since_ms == wanted && by == "ana";
    matches!(sent, Err(NotRecorded::NotAllowed(NotAllowed::Withdrawn { since_ms, by })) if is(since_ms, by))
}

fn what_was_said_last_holds_and_every_word_is_kept(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    for preference in [
        Preference::Language("he".into()),
        Preference::Language("en".into()),
        Preference::Tier("gold".into()),
        Preference::PreferredChannel(MESSAGE),
        Preference::DisplayName("Ana Levi".into()),
        Preference::Minor(true),
        said(MESSAGE, false),
        said(MESSAGE, true),
    ] {
        store.prefer(customer, preference);
    }
    let mut store = store.reopened();
    let ana = store.person(customer);
    assert_eq!((ana.language.as_str(), ana.tier.as_str(), ana.preferred_channel), ("en", "gold", MESSAGE));
    assert_eq!((ana.display_name.as_str(), ana.minor), ("Ana Levi", true));
    assert_eq!(ana.consents.iter().map(|consent| consent.allowed).collect::<Vec<_>>(), [true]);
    let trail = store.reads.changes(customer).expect("the store works").expect("known");
    let words: Vec<&str> = trail.iter().rev().map(|change| change.what.as_str()).collect();
    let wanted = [
        "language \"he\"",
        "language \"en\"",
        "tier \"gold\"",
        "prefers message",
        "name \"Ana Levi\"",
        "a minor",
        "message: not allowed",
        "message: allowed",
    ];
    assert_eq!(words, wanted);
    assert!(trail.iter().all(|change| change.reason.by == "ana" && change.time_ms == 2_000));
}

fn a_message_of_ours_against_a_withdrawn_consent_is_refused(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    assert!(store.send(customer, None).is_ok(), "nothing was said");
    store.prefer(customer, said(MESSAGE, false));
    assert!(is_withdrawn(&store.send(customer, Some(PHONE))));
    assert_eq!(store.history(customer).len(), 1, "what was refused is not in the history");
    store.prefer(customer, said(MESSAGE, true));
    assert!(store.send(customer, Some(PHONE)).is_ok());
}

fn a_consent_of_one_address_is_of_that_address(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let preference = Preference::Consent { channel: 0, address: Some(address(PHONE)), allowed: false };
    store.prefer(customer, preference);
    assert!(is_withdrawn(&store.send(customer, Some(PHONE))));
    assert!(store.send(customer, Some("+15550001111")).is_ok());
    let consents = store.person(customer).consents;
    assert_eq!(consents[0].address.as_ref().map(|address| address.kind()), Some(AddressKind::Phone));
}

fn a_minor_is_not_written_to_unless_somebody_allowed_it(mut store: Harness) {
    let lena = store.resolve(PHONE).customer;
    let mother = store.resolve("+15550001111").customer;
    store.prefer(lena, Preference::Minor(true));
    store.prefer(lena, Preference::ContactPerson(Some(mother)));
    let refused = NotAllowed::Minor { contact_person: Some(mother) };
    assert_eq!(store.send(lena, None), Err(NotRecorded::NotAllowed(refused)));
    store.prefer(lena, said(MESSAGE, true));
    assert!(store.send(lena, None).is_ok());
}

fn a_contact_person_sees_who_they_are_asked_about(mut store: Harness) {
    let lena = store.resolve(PHONE).customer;
    let mother = store.resolve("+15550001111").customer;
    store.prefer(lena, Preference::ContactPerson(Some(mother)));
    let what = NewPromise { summary: "a free upgrade".to_owned(), ..NewPromise::default() };
    let promise = store.promise_by(lena, what, None).expect("known");
    let recalled = store.recall(mother, 9).expect("known");
    let household: Vec<_> =
        recalled.household.iter().map(|one| (one.customer.id, one.promises.clone())).collect();
    assert_eq!(household, [(lena, vec![promise])]);
    assert_eq!(store.recall(lena, 9).expect("known").household, []);
    assert_eq!(
        store.reads.ties(),
        Ok(vec![Ties { customer: lena, head: lena, contact_person: Some(mother) }])
    );
    store.prefer(lena, Preference::ContactPerson(None));
    assert_eq!(store.recall(mother, 9).expect("known").household, []);
}

fn preferences_need_somebody_known(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let nobody = CustomerId(77);
    assert_eq!(store.prefer_at(nobody, said(MESSAGE, true), 1), Err(NotPreferred::Unknown(nobody)));
    let unknown = Preference::ContactPerson(Some(nobody));
    assert_eq!(store.prefer_at(customer, unknown, 1), Err(NotPreferred::UnknownContactPerson(nobody)));
    let own = Preference::ContactPerson(Some(customer));
    assert_eq!(store.prefer_at(customer, own, 1), Err(NotPreferred::OwnContactPerson));
    assert_eq!(store.reads.changes(customer).expect("the store works"), Some(Vec::new()));
    assert_eq!(store.reads.changes(nobody).expect("the store works"), None);
}

fn linked_customers_refuse_together(mut store: Harness) {
    let one = store.resolve(PHONE).customer;
    let two = store.resolve("+15550001111").customer;
    store.prefer(one, said(MESSAGE, false));
    store.link(one, two).expect("both are known");
    assert!(is_withdrawn(&store.send(two, None)));
    store.prefer_at(two, said(MESSAGE, true), 3_000).expect("known");
    assert!(store.send(one, None).is_ok(), "the later word counts");
    store.unlink(one).expect("they are linked");
    assert!(is_withdrawn(&store.send(one, None)));
}

fn whoever_has_the_number_has_a_say_in_what_goes_to_it(mut store: Harness) {
    let (mother, lena) = (store.resolve("+15550001111").customer, store.resolve(PHONE).customer);
    store.prefer(lena, said(MESSAGE, false));
    assert!(is_withdrawn(&store.send(mother, Some(PHONE))), "it is her daughter's");
    assert!(store.send(mother, Some("+15550001111")).is_ok());
    assert!(store.send(mother, Some("+15550009999")).is_ok(), "nobody's");
}

fn a_household_has_everybody_once_and_nobody_is_their_own(mut store: Harness) {
    let mother = store.resolve("+15550001111").customer;
    let (lena, her_chat) = (store.resolve(PHONE).customer, store.resolve("+15550002222").customer);
    for one in [lena, her_chat] {
        store.prefer(one, Preference::ContactPerson(Some(mother)));
    }
    let household = |store: &mut Harness| {
        let recalled = store.recall(mother, 9).expect("known");
        recalled.household.iter().map(|one| one.customer.id).collect::<Vec<_>>()
    };
    assert_eq!(household(&mut store), [lena, her_chat]);
    store.link(her_chat, lena).expect("both are known");
    assert_eq!(household(&mut store), [lena]);
    store.link(lena, mother).expect("both are known");
    assert_eq!(household(&mut store), []);
}

fn consents_are_as_many_as_anybody_needs(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let of = |number: usize| {
        let address = Some(address(&format!("+1555{number:07}")));
        Preference::Consent { channel: MESSAGE, address, allowed: false }
    };
    for number in 0..CONSENTS_MAX {
        store.prefer(customer, of(number));
    }
    assert_eq!(store.prefer_at(customer, of(CONSENTS_MAX), 1), Err(NotPreferred::TooManyConsents));
    store.prefer(customer, of(0));
    assert_eq!(store.person(customer).consents.len(), CONSENTS_MAX);
}
