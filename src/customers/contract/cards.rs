//! What every store must know for cards, and that a card which is kept says what the store would say.

use super::super::card::{CARD_ENTRIES_MAX, Kept};
use super::super::entry::Outcome;
use super::super::model::CustomerId;
use super::super::store::Change;
use super::{Card, HOUR_MS, Harness, PHONE, answered, closed, noted, opened, shown, then};

contract! {
    a_card_has_the_newest_entries_without_the_offered_interaction
    a_card_counts_contacts_by_time_without_the_offered_one
    a_card_counts_no_further_than_a_thousand_contacts
    a_card_cuts_long_texts
    a_card_that_is_kept_says_what_the_store_says
    a_card_of_an_unknown_customer_is_empty
}

fn a_card_has_the_newest_entries_without_the_offered_interaction(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    for at in 0..30 {
        store.note(customer, at, &at.to_string());
    }
    let without = store.card(customer, 7, 100);
    assert_eq!((without.history.len(), without.older_entries), (CARD_ENTRIES_MAX, 10));
    store.project(0, vec![opened(1, 50, customer, 7), opened(2, 40, customer, 8)]).expect("no gap");
    let card = store.card(customer, 7, 100);
    assert_eq!(card.history.len(), CARD_ENTRIES_MAX);
    assert_eq!(card.history[0].summary, "voice about card-lost, waiting");
    assert_eq!(card.history[0].contact.as_ref().map(|contact| contact.interaction), Some(8));
    assert_eq!(card.history[1].text, "29");
    assert_eq!(card.older_entries, 11);
    assert_eq!(card.customer.map(|customer| customer.id), Some(customer));
    // Offered, though so old that it would not be on the card anyway.
    store.project(2, vec![opened(3, -9, customer, 9)]).expect("no gap");
    let card = store.card(customer, 9, 100);
    assert_eq!((card.history.len(), card.older_entries), (CARD_ENTRIES_MAX, 12));
}

fn a_card_counts_contacts_by_time_without_the_offered_one(mut store: Harness) {
    let (customer, other) = (store.resolve(PHONE).customer, store.resolve("+15550001111").customer);
    let now_ms = 1_000 * HOUR_MS;
    let hours_ago = [0, 1, 24, 25, 168, 169];
    for (sequence, hours) in (1..).zip(hours_ago) {
        let event = opened(sequence, now_ms - hours * HOUR_MS, customer, sequence);
        store.project(sequence - 1, vec![event]).expect("no gap");
    }
    store.note(customer, now_ms, "no contact");
    store.project(6, vec![opened(7, now_ms, other, 7)]).expect("no gap");
    let card = store.card(customer, 1, now_ms);
    assert_eq!((card.contacts_24h, card.contacts_7d), (2, 4));
    let card = store.card(customer, 99, now_ms);
    assert_eq!((card.contacts_24h, card.contacts_7d, card.older_entries), (3, 5, 0));
    assert_eq!(store.card(customer, 99, i64::MIN).contacts_7d, 6, "a strange clock is no fault");
}

fn a_card_counts_no_further_than_a_thousand_contacts(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    let events = (1..=1_002).map(|number| opened(number, 5, customer, number)).collect();
    store.project(0, events).expect("no gap");
    let card = store.card(customer, 1_002, 5);
    assert_eq!((card.contacts_24h, card.contacts_7d), (1_000, 1_000));
    assert_eq!(card.older_entries, 981, "all entries are counted: that costs nothing");
}

fn a_card_cuts_long_texts(mut store: Harness) {
    let customer = store.resolve(PHONE).customer;
    store.note(customer, 1, &"é".repeat(1_024));
    store.note(customer, 2, &"é".repeat(1_025));
    let card = store.card(customer, 0, 10);
    assert_eq!(card.history[0].text, format!("{}…", "é".repeat(1_023)));
    assert_eq!(card.history[1].text, "é".repeat(1_024));
    assert_eq!(store.history(customer)[0].text.chars().count(), 1_025, "the history itself is whole");
}

/// Two customers' contacts come and end in all ways; a card that was looked up at any time and told the rest shows
/// what the store shows.
fn a_card_that_is_kept_says_what_the_store_says(mut store: Harness) {
    let (customer, other) = (store.resolve(PHONE).customer, store.resolve("+15550001111").customer);
    for at in 0..15 {
        store.note(customer, at * 10, &at.to_string());
    }
    let mut kept: Vec<Kept> = Vec::new();
    for sequence in 1..=240u64 {
        let (interaction, step) = (sequence / 6 + 1, sequence % 6);
        let whose = if interaction % 4 == 0 { other } else { customer };
        // Some began before others that are there already.
        let began = i64::try_from(interaction * 7 % 40).expect("a small number") * 10;
        let event = match step {
            0 => opened(sequence, began, whose, interaction),
            1 => answered(sequence, interaction, "ana", 4),
            2 => then(sequence, Change::AnswerUndone { interaction, agent: String::new(), wait_ms: None }),
            3 => noted(sequence, interaction, &"é".repeat(700)),
            4 => answered(sequence, interaction, "bo", 9),
            _ => closed(sequence, interaction, Outcome::Served, Some(5)),
        };
        store.project(sequence - 1, vec![event.clone()]).expect("no gap");
        if whose == customer {
            kept.iter_mut().for_each(|card| card.apply(&event));
        }
        if sequence % 20 == 1 {
            kept.push(Kept::new(store.recall(customer, 1_000).expect("known")));
        }
        let card = store.card(customer, interaction, 1_000);
        for one in &mut kept {
            assert_eq!(unnumbered(shown(one, interaction, 1_000)), unnumbered(card.clone()));
        }
    }
    assert_eq!(kept.len(), 12);
}

/// Who hears of a contact before it is written does not know its number.
fn unnumbered(mut card: Card) -> Card {
    for entry in card.history.iter_mut().filter(|entry| entry.contact.is_some()) {
        entry.number = 0;
    }
    card
}

fn a_card_of_an_unknown_customer_is_empty(mut store: Harness) {
    assert_eq!(store.card(CustomerId(5), 1, 0), Card::default());
}
