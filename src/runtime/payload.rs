//! What is personal about an interaction: it rides beside the command, is sealed in the journal with a key of its
//! own, and never enters the engine.

use crate::journal::{Key, open, seal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the source told about the person and the matter.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Payload {
    /// Kind (the protocol's number) and value of the address.
    pub from: Option<(u8, String)>,
    pub message: String,
    pub attributes: BTreeMap<String, String>,
}

/// A payload on its way into the journal.
pub struct Secret {
    pub sealed: Vec<u8>,
    /// The key of a new interaction; a note is sealed with the one its interaction has.
    pub key: Option<Key>,
    pub plain: Plain,
}

/// The same in clear, for whoever follows the committed events.
#[derive(Clone, Debug)]
pub enum Plain {
    Payload(Arc<Payload>),
    Note(Arc<str>),
}

/// The payload of an open interaction, in clear, with the key that seals what is added.
#[derive(Clone)]
pub struct Held {
    pub payload: Arc<Payload>,
    pub key: Key,
}

/// Binds a sealed note to its use; a payload is bound to the request it came with.
const NOTE_CONTEXT: &[u8] = b"note";

impl Secret {
    /// Seals what came with a new interaction, under a fresh key. `content` is the hash of the request.
    pub fn payload(payload: Payload, content: u128) -> Secret {
        let key = Key::random();
        let bytes = postcard::to_stdvec(&payload).expect("a payload has no part that cannot be encoded");
        let sealed = seal(&key, &content.to_le_bytes(), &bytes);
        Secret { sealed, key: Some(key), plain: Plain::Payload(payload.into()) }
    }

    /// Seals a note with its interaction's key.
    pub fn note(note: &str, key: &Key) -> Secret {
        Secret {
            sealed: seal(key, NOTE_CONTEXT, note.as_bytes()),
            key: None,
            plain: Plain::Note(note.into()),
        }
    }
}

/// Opens a sealed payload; `None` if the key is another one or the bytes were changed.
pub fn open_payload(key: &Key, content: u128, sealed: &[u8]) -> Option<Payload> {
    postcard::from_bytes(&open(key, &content.to_le_bytes(), sealed)?).ok()
}

/// Opens a sealed note.
pub fn open_note(key: &Key, sealed: &[u8]) -> Option<String> {
    String::from_utf8(open(key, NOTE_CONTEXT, sealed)?).ok()
}
