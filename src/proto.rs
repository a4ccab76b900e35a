//! The protocol, as it is generated from `proto/`. What is shown again and again is written once and kept as it goes
//! over the wire: in Rust those fields are bytes (`build.rs` lists them), to every other reader they are the messages
//! that the protocol says.

use prost::Message;
use prost::bytes::Bytes;

tonic::include_proto!("baton.v1");

impl Offer {
    /// What is offered.
    pub fn interaction(&self) -> Option<Interaction> {
        read(&self.interaction)
    }

    /// Who the customer is, and what happened before.
    pub fn card(&self) -> Option<Card> {
        read(&self.card)
    }
}

impl CardCompleted {
    /// The whole card.
    pub fn card(&self) -> Option<Card> {
        read(&self.card)
    }
}

impl Assignment {
    /// What the agent is at.
    pub fn interaction(&self) -> Option<Interaction> {
        read(&self.interaction)
    }
}

/// A message that is kept as bytes; `None` if there is none, or it cannot be read.
pub fn read<T: Message + Default>(bytes: &Bytes) -> Option<T> {
    if bytes.is_empty() { None } else { T::decode(bytes.clone()).ok() }
}
