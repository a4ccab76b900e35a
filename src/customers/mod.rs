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
mod entry;
mod erase;
mod memory;
mod model;
mod promise;
mod reader;
mod reply;
mod service;
mod sqlite;
mod store;
mod writer;

pub use address::{Address, AddressError, AddressKind};
pub use card::{
    CARD_CONTACTS_COUNTED_MAX, CARD_ENTRIES_MAX, CARD_TEXT_CHARS_MAX, CardData, Kept, Pen, Recalled,
};
pub use entry::{
    ChannelCode, Contact, EntryKind, HistoryEntry, NewEntry, Outcome, Page, Position, SUMMARY_CHARS_MAX,
    TEXT_CHARS_MAX,
};
pub use erase::{Erased, Erasing};
pub use memory::MemoryStore;
pub use model::{
    Customer, CustomerId, DISPLAY_NAME_CHARS_MAX, DisplayName, InputError, REQUEST_ID_CHARS_MAX, RequestId,
};
pub use promise::{
    CARD_PROMISES_MAX, INSTRUCTIONS_MAX, Instruction, NewPromise, NotRedeemed, PROMISE_NAME_CHARS_MAX,
    PROMISE_SUMMARY_CHARS_MAX, PROMISE_TEXT_CHARS_MAX, PROMISES_LISTED_MAX, Promise, Promising, Redeeming,
    Redemption,
};
pub use reply::Reply;
pub use service::{Customers, NotProjected};
pub use sqlite::SqliteStore;
pub use store::{
    Change, CustomerReads, CustomerStore, Gap, Known, Opened, Projected, Projection, Recording, Resolved,
    StoreFault, UnknownCustomer, Write, Written,
};
