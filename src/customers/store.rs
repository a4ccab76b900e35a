//! What a store of customers must do, whatever it is made of. `contract.rs` tests it, word for word.
//!
//! Writes come in groups, and a group is the transaction: it is on stable storage as a whole when `commit`
//! returns, or nothing of it has happened. Reads see committed groups only.

use super::address::Address;
use super::card::Recalled;
use super::entry::{ChannelCode, EntryKind, Filter, HistoryEntry, NewEntry, Outcome, Page, Position};
use super::erase::{Erased, Erasing};
use super::link::{Linking, NotLinked, NotUnlinked, Unlinking};
use super::model::{Customer, CustomerId, DisplayName, RequestId};
use super::preference::{Changed, NotAllowed, NotPreferred, Preferring};
use super::promise::{NotRedeemed, Promise, Promising, Redeeming, Withdrawing};
use serde::{Deserialize, Serialize};

/// Something outside failed. What was refused for a reason of its own has its own type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    #[error("the customer store is unavailable: {doing}: {cause}")]
    Unavailable { doing: &'static str, cause: String },
    #[error("the customer store has {pending_max} calls pending, which is its limit")]
    Overloaded { pending_max: usize },
    #[error("the customer store {path} cannot be opened: {cause}")]
    Open { path: String, cause: String },
    #[error("the customer store {path} has schema {found}, this release reads up to {known}")]
    NewerSchema { path: String, found: i64, known: i64 },
}

/// The write half. There is one, owned by one thread.
pub trait CustomerStore: Send {
    /// Another read half, with a connection of its own where the store has such.
    fn reads(&self) -> Result<Box<dyn CustomerReads>, StoreFault>;

    /// Does the whole group in order and answers in the same order and kind, or does nothing.
    fn commit(&mut self, group: &[Write]) -> Result<Vec<Written>, StoreFault>;
}

/// The read half.
pub trait CustomerReads: Send {
    /// Who is known under an address: of linked customers, their head.
    fn find(&mut self, address: &Address) -> Result<Option<Known>, StoreFault>;

    /// The profile, if there is such a customer; that of all who are linked with them.
    fn customer(&mut self, id: CustomerId) -> Result<Option<Customer>, StoreFault>;

    /// Up to `limit` entries that are wanted and come after the position, newest first, of all who are linked. `None`: no
    /// such customer.
    fn history(
        &mut self,
        id: CustomerId,
        filter: &Filter,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Option<Page>, StoreFault>;

    /// What cards are made of, with the contacts since a time in ms. `None`: no such customer.
    fn recall(&mut self, id: CustomerId, since_ms: i64) -> Result<Option<Recalled>, StoreFault>;

    /// Every promise to a customer, those to their tier among them, up to 500: those that can be redeemed first, whichever runs out first; then the redeemed
    /// ones, the newest first. `None`: no such customer.
    fn promises(&mut self, id: CustomerId) -> Result<Option<Vec<Promise>>, StoreFault>;

    /// Every promise to a tier, up to 500, whichever runs out first; redemptions are each customer's own.
    fn tier_promises(&mut self) -> Result<Vec<Promise>, StoreFault>;

    /// Who changed what is known of a customer, newest first, up to 500. `None`: no such customer.
    fn changes(&mut self, id: CustomerId) -> Result<Option<Vec<Changed>>, StoreFault>;

    /// Everybody who is linked to another, or has a contact person; those who are one person have it together.
    fn ties(&mut self) -> Result<Vec<Ties>, StoreFault>;
    /// Who and what erasing the person a customer is would erase. `None`: no such customer.
    fn erasable(&mut self, id: CustomerId) -> Result<Option<Erased>, StoreFault>;

    /// Up to which engine event the history is written.
    fn applied_sequence(&mut self) -> Result<u64, StoreFault>;
}

/// What can be written. Times are in ms since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Makes a thin profile if the address is unknown; sets the name where there is none.
    Resolve {
        address: Address,
        display_name: Option<DisplayName>,
        now_ms: i64,
    },
    Record(Recording),
    Promise(Promising),
    Redeem(Redeeming),
    Withdraw(Withdrawing),
    Link(Linking),
    Unlink(Unlinking),
    Prefer(Preferring),
    Purge(Purging),
    Erase(Erasing),
    Project(Projection),
}

/// What became of a `Write` of the same kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    Resolved(Resolved),
    /// The new entry, or the first one of a repeated request id.
    Recorded(Result<Box<HistoryEntry>, NotRecorded>),
    /// The new promise, or the first one of a repeated request id.
    Promised(Result<Box<Promise>, UnknownCustomer>),
    /// Redeemed, now or by the same request before.
    Redeemed(Result<Box<Promise>, NotRedeemed>),
    /// Withdrawn, now or before.
    Withdrawn(Result<Box<Promise>, NotRedeemed>),
    /// The person they are now.
    Linked(Result<Box<Customer>, NotLinked>),
    /// The person who was unlinked, and the one they were linked to.
    Unlinked(Result<Box<[Customer; 2]>, NotUnlinked>),
    /// As they are now.
    Preferred(Result<Box<Customer>, NotPreferred>),
    Purged(Purged),
    /// Who was erased, now or before: nothing of them is left in any file of the store.
    Erased(Result<Erased, UnknownCustomer>),
    /// It is done, and yet not all that was to be seen to: the reply says why.
    Unfinished(StoreFault),
    /// Up to which event the history is written now.
    Projected(Result<u64, Gap>),
}

/// Whom an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    pub customer: CustomerId,
    /// Whether the customer has a name already.
    pub named: bool,
}

/// To whom a customer is tied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ties {
    pub customer: CustomerId,
    /// Under which number they are seen.
    pub head: CustomerId,
    pub contact_person: Option<CustomerId>,
}

/// To let go of what is older than it is kept, a few entries at a time, so that nobody waits behind it for long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purging {
    /// Of each kind, older than this, ms since 1970. What is pinned stays, and a contact that is open.
    pub before_ms: Vec<(EntryKind, i64)>,
    /// Looks at the entries with greater numbers,
    pub after: u64,
    /// at so many numbers, some of which may be gone already.
    pub looked_at: u64,
    /// Only tells what would go.
    pub only_look: bool,
}

impl Purging {
    pub(super) fn takes(&self, entry: &HistoryEntry) -> bool {
        let open = entry.contact.as_ref().is_some_and(|contact| contact.outcome == Outcome::Open);
        let old = |(kind, before_ms): &(EntryKind, i64)| entry.kind == *kind && entry.time_ms < *before_ms;
        !entry.details.pinned && !open && self.before_ms.iter().any(old)
    }
}

/// What was let go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purged {
    pub gone: u64,
    /// Those of contacts among them: their payload is let go as well.
    pub interactions: Vec<u64>,
    /// Where to go on; `None` at the end.
    pub next: Option<u64>,
}

/// The customer behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    pub customer: CustomerId,
    /// True if nobody was known under the address before.
    pub created: bool,
}

/// Something that happened outside this server, to be added to a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    pub customer: CustomerId,
    pub entry: NewEntry,
    /// For a message from us: where it goes, if that is known.
    pub to: Option<Address>,
    pub request_id: Option<RequestId>,
    pub now_ms: i64,
}

/// Why an entry was not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    #[error("customer {0} is not known, a number given by Resolve is accepted")]
    Unknown(CustomerId),
    #[error("{0}")]
    NotAllowed(NotAllowed),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("customer {0} is not known, a number given by Resolve is accepted")]
pub struct UnknownCustomer(pub CustomerId);

/// A stretch of the engine's committed events, as far as they concern histories. Events up to the applied
/// sequence are ignored, so a stretch may be given again after a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projection {
    /// The last event before the stretch. It must have been applied, or the history would have a hole.
    pub after: u64,
    /// The last event of the stretch, whether it concerns histories or not.
    pub upto: u64,
    /// In the order of their sequence.
    pub events: Vec<Projected>,
}

/// A stretch that does not follow what was applied: one in between was lost on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "events after {after} cannot follow event {applied}, a stretch after {applied} or before is accepted"
)]
pub struct Gap {
    pub applied: u64,
    pub after: u64,
}

/// One committed event of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projected {
    pub sequence: u64,
    /// When it happened, in ms since 1970.
    pub time_ms: i64,
    pub change: Change,
}

/// What the event means to the history of a contact. A change of an interaction that was never opened here
/// (its customer was unknown) is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The interaction was admitted.
    Opened(Opened),
    /// An agent accepted. The first wait stays, the last agent counts.
    Answered { interaction: u64, agent: String, wait_ms: u64 },
    /// The last accept came to nothing: agent and customer were not connected. Who had answered before counts again,
    /// if anybody had.
    AnswerUndone { interaction: u64, agent: String, wait_ms: Option<u64> },
    /// Goes below what the text of the entry has already.
    NoteAdded { interaction: u64, text: String },
    /// `wait_ms` for those who were never answered.
    Closed { interaction: u64, outcome: Outcome, disposition: String, wait_ms: Option<u64> },
}

impl Change {
    /// The interaction it is about.
    pub fn interaction(&self) -> u64 {
        match self {
            Self::Opened(opened) => opened.interaction,
            Self::Answered { interaction, .. }
            | Self::AnswerUndone { interaction, .. }
            | Self::NoteAdded { interaction, .. }
            | Self::Closed { interaction, .. } => *interaction,
        }
    }
}

/// What is known of an interaction when it comes in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    pub customer: CustomerId,
    pub interaction: u64,
    pub channel: ChannelCode,
    pub queue: String,
    pub intent: String,
    /// The matter it is about; empty if none was named.
    pub matter: String,
    /// What the customer said first. Sealed in the journal, in clear here, and written down nowhere else.
    #[serde(skip)]
    pub message: String,
}

impl Opened {
    /// The number that contacts about the same matter share.
    pub fn about(&self) -> u64 {
        super::entry::about(&self.matter, &self.intent)
    }
}
