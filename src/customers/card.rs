//! What an agent sees of the customer with an offer. Looked up once, then told every change as it is committed, a card
//! that is kept says what the store would say once it has written them; so the next offer neither looks up nor waits.
//! The rest of the card (the first message, why this agent) is known where the offer is made.

use super::entry::HistoryEntry;
use super::facts::Signals;
use super::model::{Customer, CustomerId, cut};
use super::promise::{CARD_PROMISES_MAX, Promise};
use super::store::{Change, Projected};
use std::collections::VecDeque;

/// Most entries on a card.
pub const CARD_ENTRIES_MAX: usize = 20;
/// Longest text of an entry on a card, in characters, its `…` included.
pub const CARD_TEXT_CHARS_MAX: usize = 1_024;

/// Contacts are counted up to here. A switchboard's number may have 100,000 in a week: counting them all took
/// SQLite 12 ms, and the card has 5.
pub const CARD_CONTACTS_COUNTED_MAX: usize = 1_000;

/// Most pinned entries on a card.
pub const PINNED_MAX: usize = 5;
/// Most of those whose contact person a customer is, on a card.
pub const RELATIVES_MAX: usize = 8;

/// How many entries are looked up and kept, so that the card is full without the offered interaction itself.
pub(super) const LOOKED_UP: usize = CARD_ENTRIES_MAX + 1;
pub(super) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
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
    /// What was pinned, newest first.
    pub pinned: Vec<HistoryEntry>,
    /// The newest contact, however old.
    pub last_contact: Option<HistoryEntry>,
    /// All contacts there ever were.
    pub lifetime_contacts: u64,
    /// The newest contacts of the last 7 days, newest first.
    pub contacts: Vec<ContactTime>,
    /// The event up to which all this is written.
    pub applied: u64,
    /// Those that can be redeemed first, as in the store.
    pub promises: Vec<Promise>,
    /// Those whose contact person the customer is.
    pub household: Vec<Relative>,
}

/// When somebody contacted us, and about what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactTime {
    /// Ms since 1970.
    pub time_ms: i64,
    pub interaction: u64,
    /// As given by `about`.
    pub about: u64,
}

/// Somebody whose contact person a customer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relative {
    pub customer: Customer,
    pub promises: Vec<Promise>,
}

/// How the reader writes what cards show: the profile, and an entry of a customer's. Each is written once and kept.
pub struct Pen<'a> {
    pub customer: &'a dyn Fn(&Customer) -> Vec<u8>,
    pub entry: &'a dyn Fn(CustomerId, &HistoryEntry) -> Vec<u8>,
}

/// A customer's card, kept.
#[derive(Debug)]
pub struct Kept {
    pub(super) customer: Customer,
    /// Newest first.
    pub(super) newest: Vec<KeptEntry>,
    pinned: Vec<HistoryEntry>,
    /// As it was looked up: what came since is among the newest.
    pub(super) last_contact: Option<HistoryEntry>,
    entries: u64,
    pub(super) lifetime_contacts: u64,
    /// Newest first.
    pub(super) contacts: VecDeque<ContactTime>,
    promises: Vec<Promise>,
    household: Vec<Relative>,
    /// The profile and the newest entries as they were written, in one piece: a card is most of it.
    written: Vec<u8>,
    /// Bytes of the profile therein; `None` if it is to be written.
    profile: Option<usize>,
}

#[derive(Debug)]
pub(super) struct KeptEntry {
    /// Its text as long as a card can show.
    pub entry: HistoryEntry,
    /// Mood and signals, once somebody asked.
    pub judged: Option<Judged>,
    /// Of `written`.
    bytes: usize,
    /// It has changed since.
    stale: bool,
}

/// What was made of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    pub mood: Option<i8>,
    pub signals: Signals,
    /// By these words; others may come in force.
    pub words: u64,
}

impl KeptEntry {
    fn new(entry: HistoryEntry) -> Self {
        Self { entry: shortened(entry), judged: None, bytes: 0, stale: true }
    }

    fn is_of(&self, interaction: u64) -> bool {
        self.entry.contact.as_ref().is_some_and(|contact| contact.interaction == interaction)
    }
}

/// The customer's part of a card.
#[derive(Debug)]
pub struct CardData<'a> {
    pub customer: CustomerId,
    /// What the pen wrote: the profile, then the entries, newest first and without the offered interaction.
    pub written: [&'a [u8]; 2],
    /// How many entries there are beyond these.
    pub older_entries: u64,
    /// Contacts within the last 24 hours, without the offered one; 1,000 stands for as many or more.
    pub contacts_24h: u64,
    /// The same within the last 7 days.
    pub contacts_7d: u64,
    /// What was pinned, newest first, whether it is among the entries or not. At most 5.
    pub pinned: &'a [HistoryEntry],
    /// Promises that can be redeemed, whichever runs out first; then those that were redeemed lately; those to the
    /// household among them. At most 16.
    pub promises: Vec<(CustomerId, &'a Promise)>,
    /// Promises beyond these.
    pub more_promises: u64,
    /// Those whose contact person the customer is. At most 8.
    pub household: Vec<&'a Customer>,
}

impl Kept {
    /// Goes on from what was looked up.
    pub fn new(recalled: Recalled) -> Self {
        let Recalled { customer, newest, entries, contacts, promises, .. } = recalled;
        Self {
            customer,
            newest: newest.into_iter().map(KeptEntry::new).collect(),
            pinned: recalled.pinned.into_iter().map(|entry| card_entry(&entry)).collect(),
            last_contact: recalled.last_contact.map(shortened),
            entries,
            lifetime_contacts: recalled.lifetime_contacts,
            contacts: contacts.into(),
            promises,
            household: recalled.household,
            written: Vec::new(),
            profile: None,
        }
    }

    /// Whose it is.
    #[cfg(test)]
    pub fn customer(&self) -> &Customer {
        &self.customer
    }

    /// Takes in a change of this customer's history that came after what was looked up.
    pub fn apply(&mut self, event: &Projected) {
        if let Change::Opened(opened) = &event.change {
            // Its number is the store's to give; among equals the later one is the newer, as there.
            let about = opened.about();
            return self.open(HistoryEntry::opened(0, event.time_ms, opened), opened.interaction, about);
        }
        let interaction = event.change.interaction();
        if let Some(last) = &mut self.last_contact
            && last.contact.as_ref().is_some_and(|contact| contact.interaction == interaction)
        {
            last.amend(&event.change);
            shorten(last);
        }
        if let Some(kept) = self.newest.iter_mut().find(|kept| kept.is_of(interaction)) {
            kept.entry.amend(&event.change);
            shorten(&mut kept.entry);
            (kept.stale, kept.judged) = (true, None);
        }
    }

    fn open(&mut self, entry: HistoryEntry, interaction: u64, about: u64) {
        let time_ms = entry.time_ms;
        self.entries += 1;
        self.lifetime_contacts += 1;
        let at = self.newest.partition_point(|known| known.entry.time_ms > time_ms);
        // What is older than everything here may be older than something that is not here.
        if at < self.newest.len() || (self.newest.len() as u64) + 1 == self.entries {
            self.newest.insert(at, KeptEntry::new(entry));
            for gone in self.newest.drain(LOOKED_UP.min(self.newest.len())..) {
                self.written.truncate(self.written.len() - gone.bytes);
            }
        }
        let at = self.contacts.partition_point(|known| known.time_ms > time_ms);
        self.contacts.insert(at, ContactTime { time_ms, interaction, about });
        self.contacts.truncate(CONTACTS_KEPT);
    }

    /// The entries on a card when `offered` is offered, newest first, each as it is shown.
    #[cfg(test)]
    pub fn history(&self, offered: u64) -> impl Iterator<Item = HistoryEntry> {
        let others = self.newest.iter().filter(move |kept| !kept.is_of(offered));
        others.take(CARD_ENTRIES_MAX).map(|kept| card_entry(&kept.entry))
    }

    /// What an agent is to see when `offered` is offered. One that came more than 7 days and more entries than a card
    /// has ago counts among the older ones.
    pub fn card(&mut self, offered: u64, now_ms: i64, pen: &Pen<'_>) -> CardData<'_> {
        self.write(pen);
        let offered_is = self.newest.iter().position(|kept| kept.is_of(offered));
        let offered_at = self.contacts.iter().find(|contact| contact.interaction == offered);
        let offered_at = offered_at.map(|contact| contact.time_ms);
        let shown = (self.newest.len() - usize::from(offered_is.is_some())).min(CARD_ENTRIES_MAX);
        let others = self.entries - u64::from(offered_at.is_some() || offered_is.is_some());
        let since = |from_ms: i64| {
            let all = self.contacts.partition_point(|contact| contact.time_ms >= from_ms);
            let others = all - usize::from(offered_at.is_some_and(|time_ms| time_ms >= from_ms));
            others.min(CARD_CONTACTS_COUNTED_MAX) as u64
        };
        let (promises, more_promises) = self.promises_at(now_ms);
        CardData {
            customer: self.customer.id,
            written: self.all_but(offered_is, shown),
            older_entries: others.saturating_sub(shown as u64),
            contacts_24h: since(now_ms.saturating_sub(DAY_MS)),
            contacts_7d: since(now_ms.saturating_sub(WEEK_MS)),
            pinned: &self.pinned,
            promises,
            more_promises,
            household: self.household.iter().map(|relative| &relative.customer).collect(),
        }
    }

    /// With whose they are, in their order whoever's they are; and how many more there would be.
    fn promises_at(&self, now_ms: i64) -> (Vec<(CustomerId, &Promise)>, u64) {
        let own = self.promises.iter().map(|promise| (self.customer.id, promise));
        let others = self
            .household
            .iter()
            .flat_map(|relative| relative.promises.iter().map(|promise| (relative.customer.id, promise)));
        let mut all: Vec<_> = own.chain(others).filter(|(_, promise)| promise.is_shown(now_ms)).collect();
        all.sort_by_key(|(_, promise)| promise.order());
        let more = all.len().saturating_sub(CARD_PROMISES_MAX) as u64;
        all.truncate(CARD_PROMISES_MAX);
        (all, more)
    }

    /// How many can be redeemed.
    pub(super) fn open_promises(&self, now_ms: i64) -> usize {
        let others = self.household.iter().flat_map(|relative| &relative.promises);
        let all = self.promises.iter().chain(others);
        all.filter(|promise| promise.is_open(now_ms)).count()
    }

    /// Writes what is not written, or not any more.
    fn write(&mut self, pen: &Pen<'_>) {
        let mut at = *self.profile.get_or_insert_with(|| {
            let profile = (pen.customer)(&self.customer);
            self.written.splice(..0, profile.iter().copied());
            profile.len()
        });
        for kept in &mut self.newest {
            if kept.stale {
                let entry = (pen.entry)(self.customer.id, &card_entry(&kept.entry));
                self.written.splice(at..at + kept.bytes, entry.iter().copied());
                (kept.bytes, kept.stale) = (entry.len(), false);
            }
            at += kept.bytes;
        }
    }

    /// What was written of the profile and so many entries, without the one at a place.
    fn all_but(&self, left_out: Option<usize>, shown: usize) -> [&[u8]; 2] {
        let begins = |at: usize| {
            let before = self.newest.iter().take(at).map(|kept| kept.bytes);
            self.profile.unwrap_or(0) + before.sum::<usize>()
        };
        match left_out.filter(|at| *at < shown) {
            None => [&self.written[..begins(shown)], &[]],
            Some(at) => [&self.written[..begins(at)], &self.written[begins(at + 1)..begins(shown + 1)]],
        }
    }
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
fn card_entry(entry: &HistoryEntry) -> HistoryEntry {
    let entry = entry.clone().summed_up();
    HistoryEntry { text: cut(entry.text, CARD_TEXT_CHARS_MAX), ..entry }
}
