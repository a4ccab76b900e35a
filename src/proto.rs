//! The protocol, as it is generated from `proto/`. What is shown again and again is written once and kept as it goes
//! over the wire: in Rust those fields are bytes (`build.rs` lists them), to every other reader they are the messages
//! that the protocol says.

use prost::Message;

tonic::include_proto!("baton.v1");

impl Card {
    /// Whose card it is; `None` if the customer is unknown, or the bytes are no customer.
    pub fn customer(&self) -> Option<Customer> {
        if self.customer.is_empty() { None } else { Customer::decode(self.customer.clone()).ok() }
    }

    /// The entries that can be read, newest first.
    pub fn history(&self) -> Vec<HistoryEntry> {
        self.history.iter().filter_map(|entry| HistoryEntry::decode(entry.clone()).ok()).collect()
    }
}
