//! What an agent sees of the customer with an offer. Looked up once, then told every change as it is committed, a card
//! that is kept says what the store would say once it has written them; so the next offer neither looks up nor waits.
//! The rest of the card (the first message, why this agent) is known where the offer is made.

use super::entry::HistoryEntry;
use super::model::{Customer, cut};
use super::store::{Change, Projected};
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

/// Most entries on a card.
pub const CARD_ENTRIES_MAX: usize = 20;
/// Longest text of an entry on a card, in characters, its `…` included.
pub const CARD_TEXT_CHARS_MAX: usize = 1_024;

/// Contacts are counted up to here. A switchboard's number may have 100,000 in a week: counting them all took
/// SQLite 12 ms, and the card has 5.
pub const CARD_CONTACTS_COUNTED_MAX: usize = 1_000;

/// How many entries are looked up and kept, so that the card is full without the offered interaction itself.
pub(super) const LOOKED_UP: usize = CARD_ENTRIES_MAX + 1;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
pub(super) const WEEK_MS: i64 = 7 * DAY_MS;

/// Most contacts whose times are kept: one more than are counted, since the offered one is among them.
pub(super) const CONTACTS_KEPT: usize = CARD_CONTACTS_COUNTED_MAX + 1;

/// What a store knows of a customer at one moment, enough to go on from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recalled {
    pub customer: Customer,
    /// The newest entries, newest first, one more than a card has.
    pub newest: Vec<HistoryEntry>,
    /// All entries.
    pub entries: u64,
    /// Time in ms and interaction of the newest contacts of the last 7 days, newest first.
    pub contacts: Vec<(i64, u64)>,
    /// The event up to which all this is written.
    pub applied: u64,
}

/// A customer's card, kept. `S` is what the reader makes of an entry, or of the profile, once.
#[derive(Debug)]
pub struct Kept<S> {
    profile: Arc<Shown<Customer, S>>,
    /// Newest first; texts as long as a card can show.
    newest: Vec<Arc<Shown<HistoryEntry, S>>>,
    /// The interactions of these, to find one without looking at every entry.
    interactions: Vec<Option<u64>>,
    entries: u64,
    /// Newest first.
    contacts: VecDeque<(i64, u64)>,
}

/// Something with what the reader made of it.
#[derive(Debug)]
pub struct Shown<T, S> {
    pub of: T,
    pub shown: OnceLock<S>,
}

impl<T, S> Shown<T, S> {
    fn new(of: T) -> Arc<Self> {
        Arc::new(Self { of, shown: OnceLock::new() })
    }
}

impl<S> Shown<HistoryEntry, S> {
    /// In place, unless a card that is on its way holds it.
    fn amend(this: &mut Arc<Self>, change: &Change) {
        if Arc::get_mut(this).is_none() {
            *this = Shown::new(this.of.clone());
        }
        let entry = Arc::get_mut(this).expect("nobody else has the new one");
        entry.of.amend(change);
        shorten(&mut entry.of);
        entry.shown = OnceLock::new();
    }
}

/// The customer's part of a card.
#[derive(Debug)]
pub struct CardData<S> {
    pub profile: Arc<Shown<Customer, S>>,
    /// Newest first, without the offered interaction. `card_entry` makes of each what is shown.
    pub history: Vec<Arc<Shown<HistoryEntry, S>>>,
    /// How many entries there are beyond these.
    pub older_entries: u64,
    /// Contacts within the last 24 hours, without the offered one; 1,000 stands for as many or more.
    pub contacts_24h: u64,
    /// The same within the last 7 days.
    pub contacts_7d: u64,
}

impl<S> Kept<S> {
    /// Goes on from what was looked up.
    pub fn new(recalled: Recalled) -> Self {
        let Recalled { customer, newest, entries, contacts, .. } = recalled;
        Self {
            profile: Shown::new(customer),
            interactions: newest.iter().map(interaction_of).collect(),
            newest: newest.into_iter().map(|entry| Shown::new(shortened(entry))).collect(),
            entries,
            contacts: contacts.into(),
        }
    }

    /// Takes in a change of this customer's history that came after what was looked up.
    pub fn apply(&mut self, event: &Projected) {
        if let Change::Opened(opened) = &event.change {
            // Its number is the store's to give; among equals the later one is the newer, as there.
            return self.open(shortened(HistoryEntry::opened(0, event.time_ms, opened)), opened.interaction);
        }
        let interaction = event.change.interaction();
        if let Some(at) = self.place_of(interaction) {
            Shown::amend(&mut self.newest[at], &event.change);
        }
    }

    fn place_of(&self, interaction: u64) -> Option<usize> {
        self.interactions.iter().position(|one| *one == Some(interaction))
    }

    fn open(&mut self, entry: HistoryEntry, interaction: u64) {
        let time_ms = entry.time_ms;
        self.entries += 1;
        let at = self.newest.partition_point(|known| known.of.time_ms > time_ms);
        // What is older than everything here may be older than something that is not here.
        if at < self.newest.len() || (self.newest.len() as u64) + 1 == self.entries {
            self.newest.insert(at, Shown::new(entry));
            self.newest.truncate(LOOKED_UP);
            self.interactions.insert(at, Some(interaction));
            self.interactions.truncate(LOOKED_UP);
        }
        let at = self.contacts.partition_point(|(known, _)| *known > time_ms);
        self.contacts.insert(at, (time_ms, interaction));
        self.contacts.truncate(CONTACTS_KEPT);
    }

    /// What an agent is to see when `offered` is offered. One that came more than 7 days and more entries than a card
    /// has ago counts among the older ones.
    pub fn card(&self, offered: u64, now_ms: i64) -> CardData<S> {
        let offered_is = self.place_of(offered);
        let others = self.newest.iter().enumerate().filter(|(at, _)| Some(*at) != offered_is);
        let history: Vec<_> = others.take(CARD_ENTRIES_MAX).map(|(_, entry)| entry.clone()).collect();
        let offered_at = self.contacts.iter().find(|(_, interaction)| *interaction == offered);
        let offered_at = offered_at.map(|(time_ms, _)| *time_ms);
        let is_here = offered_at.is_some() || offered_is.is_some();
        let others = self.entries - u64::from(is_here);
        let since = |from_ms: i64| {
            let all = self.contacts.partition_point(|(time_ms, _)| *time_ms >= from_ms);
            let others = all - usize::from(offered_at.is_some_and(|time_ms| time_ms >= from_ms));
            others.min(CARD_CONTACTS_COUNTED_MAX) as u64
        };
        CardData {
            profile: self.profile.clone(),
            older_entries: others.saturating_sub(history.len() as u64),
            history,
            contacts_24h: since(now_ms.saturating_sub(DAY_MS)),
            contacts_7d: since(now_ms.saturating_sub(WEEK_MS)),
        }
    }
}

fn interaction_of(entry: &HistoryEntry) -> Option<u64> {
    entry.contact.as_ref().map(|contact| contact.interaction)
}

/// One character beyond what a card shows is kept, so that the card can tell that there was more.
fn shortened(mut entry: HistoryEntry) -> HistoryEntry {
    shorten(&mut entry);
    entry
}

fn shorten(entry: &mut HistoryEntry) {
    const KEPT: usize = CARD_TEXT_CHARS_MAX + 1;
    if entry.text.len() > KEPT
        && let Some((end, _)) = entry.text.char_indices().nth(KEPT)
    {
        entry.text.truncate(end);
        entry.text.shrink_to_fit();
    }
}

/// An entry as a card shows it.
pub fn card_entry(entry: &HistoryEntry) -> HistoryEntry {
    let entry = entry.clone().summed_up();
    HistoryEntry { text: cut(entry.text, CARD_TEXT_CHARS_MAX), ..entry }
}
