//! Who contacts us, and everything that happened with them, on every channel.
//!
//! The way through: an [`Address`] resolves to a customer, what happens is recorded or projected from the
//! engine's committed events, and the [`Kept`] card for an agent is read when an offer leaves. [`Customers`]
//! is the running service: threads and callbacks, so that nothing here knows an async runtime.
//!
//! Deliberately absent: decisions about routing (facts travel in the command), deadlines (the edge stops
//! waiting when its own runs out, and a late answer falls on the floor), tenants (one store holds one
//! tenant), and any call that blocks the caller on the disk.

mod address;
mod card;
#[cfg(test)]
mod contract;
mod details;
mod entry;
mod erase;
mod facts;
mod link;
mod memory;
mod model;
mod preference;
mod promise;
mod reader;
mod reply;
mod retention;
mod sentiment;
mod service;
mod sqlite;
mod store;
mod writer;

pub use address::{Address, AddressError, AddressKind, Home};
pub use card::{
    CARD_CONTACTS_COUNTED_MAX, CARD_ENTRIES_MAX, CARD_TEXT_CHARS_MAX, CardData, ContactTime, Kept,
    PINNED_MAX, Pen, RELATIVES_MAX, Recalled, Relative,
};
pub use details::{Details, Feedback, MATTER_CHARS_MAX, Measure};
pub use entry::{
    ChannelCode, Contact, EntryKind, Filter, HistoryEntry, NewEntry, Outcome, Page, Position,
    SUMMARY_CHARS_MAX, TEXT_CHARS_MAX, about,
};
pub use erase::{Erased, Erasing};
pub use facts::{AskedFacts, CustomerFacts, ServedBy, Signals};
pub use link::{LINKED_MAX, Linking, NotLinked, NotUnlinked, Unlinking};
pub use memory::MemoryStore;
pub use model::{
    Customer, CustomerId, DISPLAY_NAME_CHARS_MAX, DisplayName, InputError, REQUEST_ID_CHARS_MAX, RequestId,
};
pub use preference::{
    BY_CHARS_MAX, CHANGES_LISTED_MAX, Changed, Consent, NotAllowed, NotPreferred, Preference, Preferring,
    REASON_CHARS_MAX, Reason, TIER_CHARS_MAX,
};
pub use promise::{
    CARD_PROMISES_MAX, INSTRUCTIONS_MAX, Instruction, NewPromise, NotRedeemed, PROMISE_NAME_CHARS_MAX,
    PROMISE_SUMMARY_CHARS_MAX, PROMISE_TEXT_CHARS_MAX, PROMISES_LISTED_MAX, Promise, Promising, Redeeming,
    Redemption, To, Withdrawal, Withdrawing,
};
pub use reader::History;
pub use reply::Reply;
pub use retention::Retention;
pub use sentiment::Words;
pub use service::{Customers, NotProjected};
pub use sqlite::SqliteStore;
pub(crate) use sqlite::outside::{applied_by, check_store, copy_store, take_back};
pub use store::{
    Change, CustomerReads, CustomerStore, Gap, Known, NotRecorded, Opened, Projected, Projection, Purged,
    Purging, Recording, Resolved, StoreFault, Ties, UnknownCustomer, Write, Written,
};
