//! What rules are told of a customer: counted right, and the same whether the card was kept or is looked up anew.

use super::super::card::Kept;
use super::super::details::Details;
use super::super::entry::{EntryKind, NewEntry, Outcome, about};
use super::super::facts::{AskedFacts, CustomerFacts, ServedBy, Signals};
use super::super::model::CustomerId;
use super::super::preference::Preference;
use super::super::promise::{NewPromise, Withdrawing};
use super::super::sentiment::Words;
use super::super::store::{Change, Opened, Projected, Recording, Write, Written};
use super::{Harness, PHONE, answered, closed, then};

contract! {
    nothing_is_known_of_who_comes_for_the_first_time
    contacts_are_counted_by_age_and_by_what_they_are_about
    how_the_last_one_ended_and_who_served_before_are_told
    what_is_wanted_and_promised_is_told
    moods_have_a_mean_and_a_trend
    words_announce_something_for_ninety_days
    linked_customers_are_counted_as_one
    facts_of_a_kept_card_are_those_of_one_looked_up
    other_words_announce_other_things_on_a_kept_card
    an_interaction_does_not_count_itself
    a_promise_that_nothing_can_be_given_for_is_not_open
    what_an_agent_noted_is_not_what_the_customer_said
    the_last_contact_goes_on_however_much_has_happened_since
}

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const NOW: i64 = 400 * DAY;

fn words() -> Words {
    Words::new(&["complaint"], &["Acme"], &["cancel"])
}

fn asked<'a>(matter: &str, within_ms: i64, words: &'a Words) -> AskedFacts<'a> {
    AskedFacts {
        about: about(matter, ""),
        within_ms: within_ms.unsigned_abs(),
        leaving_out: None,
        now_ms: NOW,
        words,
    }
}

fn came(sequence: u64, time_ms: i64, customer: CustomerId, matter: &str) -> Projected {
    let opened = Opened {
        customer,
        interaction: sequence,
        channel: 1,
        queue: "bank".to_owned(),
        intent: String::new(),
        matter: matter.to_owned(),
        message: String::new(),
    };
    Projected { sequence, time_ms, change: Change::Opened(opened) }
}

impl Harness {
    fn facts(&mut self, customer: CustomerId, matter: &str, within_ms: i64) -> CustomerFacts {
        let recalled = self.recall(customer, NOW).expect("known");
        Kept::new(recalled).facts(&asked(matter, within_ms, &words()))
    }

    fn says(&mut self, customer: CustomerId, ago_ms: i64, text: &str, sentiment: Option<i8>) {
        let entry = NewEntry::new(EntryKind::Message, Some(NOW - ago_ms), 4, "", text).expect("short");
        let entry = entry.with(Details { sentiment, ..Details::default() }).expect("a message");
        let recording = Recording { customer, entry, to: None, request_id: None, now_ms: NOW };
        self.record(recording).expect("known");
    }
}

fn nothing_is_known_of_who_comes_for_the_first_time(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    assert_eq!(store.facts(customer, "sofa", DAY), CustomerFacts::default());
}

fn contacts_are_counted_by_age_and_by_what_they_are_about(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let times =
        [(10 * DAY, "sofa"), (6 * DAY, "sofa"), (2 * DAY, "lamp"), (2 * HOUR, "sofa"), (30 * MINUTE, "lamp")];
    let events = (1..).zip(times).map(|(at, (ago, matter))| came(at, NOW - ago, customer, matter)).collect();
    store.project(0, events).expect("in turn");
    let facts = store.facts(customer, "sofa", 3 * HOUR);
    assert_eq!((facts.contacts_1h, facts.contacts_24h, facts.contacts_7d), (1, 2, 4));
    assert_eq!((facts.about_1h, facts.about_24h, facts.about_7d, facts.about_within), (0, 1, 2, 1));
    assert_eq!(facts.lifetime_contacts, 5);
    assert_eq!(store.facts(customer, "sofa", 30 * DAY).about_within, 2, "a week at most");
    let nothing = store.facts(customer, "", DAY);
    assert_eq!(
        (nothing.about_7d, nothing.contacts_7d),
        (0, 4),
        "about nothing is not the same as about nothing"
    );
}

fn how_the_last_one_ended_and_who_served_before_are_told(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let events = vec![
        came(1, NOW - 3 * DAY, customer, ""),
        answered(2, 1, "ana", 5),
        closed(3, 1, Outcome::Served, Some(5)),
        came(4, NOW - DAY, customer, ""),
        closed(5, 4, Outcome::Left, Some(90)),
    ];
    store.project(0, events).expect("in turn");
    let facts = store.facts(customer, "", DAY);
    assert_eq!(facts.last, Some((Outcome::Left, DAY.unsigned_abs())));
    let served_by = ServedBy { agent: "ana".to_owned(), ago_ms: (3 * DAY).unsigned_abs() };
    assert_eq!(facts.served_by, Some(served_by));
    for at in 0..30 {
        store.says(customer, at, "", None);
    }
    let facts = store.facts(customer, "", DAY);
    assert_eq!(facts.last, Some((Outcome::Left, DAY.unsigned_abs())), "however much has happened since");
}

fn what_is_wanted_and_promised_is_told(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let child = store.resolve("+15550001111").customer;
    store.prefer(customer, Preference::Tier("gold".to_owned()));
    store.prefer(customer, Preference::Language("he".to_owned()));
    store.prefer(customer, Preference::PreferredChannel(4));
    store.prefer(child, Preference::ContactPerson(Some(customer)));
    let what = |expires_ms| NewPromise { summary: "a lamp".to_owned(), expires_ms, ..NewPromise::default() };
    store.promise_by(customer, what(None), None).expect("known");
    store.promise_by(customer, what(Some(NOW)), None).expect("known");
    store.promise_by(child, what(Some(NOW + 1)), None).expect("known");
    let facts = store.facts(customer, "", DAY);
    assert_eq!((facts.tier.as_str(), facts.language.as_str(), facts.preferred_channel), ("gold", "he", 4));
    assert_eq!(facts.open_promises, 2, "one has run out");
}

fn moods_have_a_mean_and_a_trend(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    for (ago, mood) in [(60, 80), (50, 60), (40, 40), (30, -20), (20, -40), (10, -60)] {
        store.says(customer, ago * MINUTE, "whatever", Some(mood));
    }
    let facts = store.facts(customer, "", DAY);
    assert_eq!(facts.sentiment, Some((-60 - 40 - 20 + 40 + 60) / 5));
    assert_eq!(facts.sentiment_trend, (-60 - 40 - 20) / 3 - (40 + 60 + 80) / 3);
}

fn words_announce_something_for_ninety_days(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    store.says(customer, 91 * DAY, "a complaint", None);
    store.says(customer, 89 * DAY, "Acme is cheaper", None);
    let signals = Signals { competitor: true, ..Signals::default() };
    assert_eq!(store.facts(customer, "", DAY).signals, signals);
    let opened = Opened {
        customer,
        interaction: 1,
        channel: 1,
        queue: "bank".to_owned(),
        intent: "cancel".to_owned(),
        matter: String::new(),
        message: String::new(),
    };
    let event = Projected { sequence: 1, time_ms: NOW - HOUR, change: Change::Opened(opened) };
    store.project(0, vec![event]).expect("in turn");
    assert_eq!(store.facts(customer, "", DAY).signals, Signals { cancel: true, ..signals });
}

fn linked_customers_are_counted_as_one(mut store: Harness) {
    let (cookie, account) = (store.resolve(PHONE).customer, store.resolve("+15550001111").customer);
    let events = vec![
        came(1, NOW - HOUR, cookie, "sofa"),
        came(2, NOW - MINUTE, account, "sofa"),
        came(3, NOW - 8 * DAY, cookie, ""),
    ];
    store.project(0, events).expect("in turn");
    store.link(cookie, account).expect("both are known");
    for customer in [cookie, account] {
        let facts = store.facts(customer, "sofa", DAY);
        assert_eq!((facts.contacts_7d, facts.about_24h, facts.lifetime_contacts), (2, 2, 3));
    }
}

fn facts_of_a_kept_card_are_those_of_one_looked_up(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    store.says(customer, DAY, "this is terrible, I am very angry", None);
    let mut kept = Kept::new(store.recall(customer, NOW).expect("known"));
    let words = words();
    for sequence in 1..=120u64 {
        let (interaction, step) = ((sequence - 1) / 4 * 4 + 1, sequence % 4);
        let ago = i64::try_from(interaction * 37 % 200).expect("a small number") * HOUR;
        let event = match step {
            1 => came(sequence, NOW - ago, customer, ["sofa", "lamp", ""][(sequence % 3) as usize]),
            2 => answered(sequence, interaction, ["ana", "bo"][(sequence % 8 / 4) as usize], 4),
            3 => then(sequence, Change::NoteAdded { interaction, text: "I love it, thank you".to_owned() }),
            _ => {
                closed(sequence, interaction, [Outcome::Served, Outcome::Left][(sequence % 2) as usize], None)
            }
        };
        store.project(sequence - 1, vec![event.clone()]).expect("in turn");
        kept.apply(&event);
        let asked = asked("sofa", 2 * DAY, &words);
        let anew = Kept::new(store.recall(customer, NOW).expect("known")).facts(&asked);
        assert_eq!(kept.facts(&asked), anew, "after event {sequence}");
    }
}

fn other_words_announce_other_things_on_a_kept_card(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    store.says(customer, DAY, "Acme is cheaper, I love it", None);
    let mut kept = Kept::new(store.recall(customer, NOW).expect("known"));
    let (words, others) = (words(), Words::new(&["cheaper"], &[], &[]));
    let mut told = |words: &Words| kept.facts(&asked("", DAY, words));
    let (before, after) = (told(&words), told(&others));
    assert_eq!(before.signals, Signals { competitor: true, ..Signals::default() });
    assert_eq!(after.signals, Signals { complaint: true, ..Signals::default() });
    assert_eq!((after.sentiment, told(&words)), (before.sentiment, before), "the mood is as it was");
}

fn an_interaction_does_not_count_itself(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let events = vec![
        came(1, NOW - HOUR, customer, "sofa"),
        answered(2, 1, "ana", 5),
        closed(3, 1, Outcome::Served, Some(5)),
        came(4, NOW, customer, "sofa"),
    ];
    store.project(0, events).expect("in turn");
    let words = words();
    let late = AskedFacts { leaving_out: Some(4), ..asked("sofa", DAY, &words) };
    let facts = Kept::new(store.recall(customer, NOW).expect("known")).facts(&late);
    assert_eq!((facts.contacts_24h, facts.about_within, facts.lifetime_contacts), (1, 1, 1));
    assert_eq!(facts.last, Some((Outcome::Served, HOUR.unsigned_abs())));
}

fn a_promise_that_nothing_can_be_given_for_is_not_open(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let what = |alternative: &str| NewPromise {
        summary: "a lamp".to_owned(),
        alternative: alternative.to_owned(),
        ..NewPromise::default()
    };
    for alternative in ["", "another"] {
        let promise = store.promise_by(customer, what(alternative), None).expect("known");
        let (by, reason) = ("bo".to_owned(), "gone".to_owned());
        let (customer, promise, alternative) = (Some(customer), promise.number, String::new());
        let withdrawing = Withdrawing { customer, promise, by, reason, alternative, now_ms: NOW };
        assert!(matches!(store.write(Write::Withdraw(withdrawing)), Written::Withdrawn(Ok(_))));
    }
    assert_eq!(store.facts(customer, "", DAY).open_promises, 1, "the other one can be given");
}

fn what_an_agent_noted_is_not_what_the_customer_said(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let note = Change::NoteAdded { interaction: 1, text: "will complain and cancel, very angry".to_owned() };
    store.project(0, vec![came(1, NOW - HOUR, customer, ""), then(2, note)]).expect("in turn");
    let facts = store.facts(customer, "", DAY);
    assert_eq!((facts.sentiment, facts.signals), (None, Signals::default()));
}

fn the_last_contact_goes_on_however_much_has_happened_since(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    store.project(0, vec![came(1, NOW - HOUR, customer, "")]).expect("in turn");
    for ago in 0..30 {
        store.says(customer, ago, "", None);
    }
    let mut kept = Kept::new(store.recall(customer, NOW).expect("known"));
    for event in [answered(2, 1, "ana", 5), closed(3, 1, Outcome::Served, Some(5))] {
        store.project(event.sequence - 1, vec![event.clone()]).expect("in turn");
        kept.apply(&event);
    }
    let words = words();
    let facts = kept.facts(&asked("", DAY, &words));
    assert_eq!(facts, store.facts(customer, "", DAY));
    assert_eq!(facts.last.map(|(outcome, _)| outcome), Some(Outcome::Served));
}
