//! What an agent sees of the customer with an offer, put together from what any store can look up by index.
//! The rest of the card (the first message, why this agent) is known where the offer is made.

use super::entry::HistoryEntry;
use super::model::{Customer, cut};

/// Most entries on a card.
pub const CARD_ENTRIES_MAX: usize = 20;
/// Longest text of an entry on a card, in characters, its `…` included.
pub const CARD_TEXT_CHARS_MAX: usize = 1_024;

/// Contacts are counted up to here. A switchboard's number may have 100,000 in a week: counting them all took
/// SQLite 12 ms, and the card has 5.
pub const CARD_CONTACTS_COUNTED_MAX: usize = 1_000;

/// How many entries a store looks up, so that the card is full without the offered interaction itself.
pub(super) const LOOKED_UP: usize = CARD_ENTRIES_MAX + 1;
pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
pub(super) const WEEK_MS: i64 = 7 * DAY_MS;

/// The customer's part of a card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardData {
    /// `None` if there is no such customer.
    pub customer: Option<Customer>,
    /// Newest first, without the offered interaction, texts cut.
    pub history: Vec<HistoryEntry>,
    /// How many entries there are beyond these.
    pub older_entries: u64,
    /// Contacts within the last 24 hours, without the offered one; 1,000 stands for as many or more.
    pub contacts_24h: u64,
    /// Contacts within the last 7 days, without the offered one; 1,000 stands for as many or more.
    pub contacts_7d: u64,
}

/// What a store has looked up for a card.
pub(super) struct Findings {
    pub customer: Customer,
    /// The `LOOKED_UP` newest entries.
    pub newest: Vec<HistoryEntry>,
    /// All entries of the customer but the offered interaction.
    pub others: u64,
    pub contacts_24h: u64,
    pub contacts_7d: u64,
}

impl Findings {
    pub fn card(self, offered: u64) -> CardData {
        let history: Vec<_> = self
            .newest
            .into_iter()
            .filter(|entry| entry.contact.as_ref().is_none_or(|contact| contact.interaction != offered))
            .take(CARD_ENTRIES_MAX)
            .map(|entry| HistoryEntry { text: cut(entry.text, CARD_TEXT_CHARS_MAX), ..entry })
            .collect();
        CardData {
            customer: Some(self.customer),
            older_entries: self.others.saturating_sub(history.len() as u64),
            history,
            contacts_24h: self.contacts_24h,
            contacts_7d: self.contacts_7d,
        }
    }
}
