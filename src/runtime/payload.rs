//! What is personal about an interaction: it rides beside the command, is sealed in the journal with a key of its
//! own, and never enters the engine.

use crate::engine::ids::InteractionId;
use crate::engine::time::Time;
use crate::journal::{KEY_LENGTH, Key, WrappedKey, open, seal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What the source told about the person and the matter.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Payload {
    /// Kind (the protocol's number) and value of the address.
    pub from: Option<(u8, String)>,
    pub message: String,
    pub attributes: BTreeMap<String, String>,
}

/// Who said something in the course of an interaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Speaker {
    /// A message of the customer's.
    Customer,
    /// An agent's note.
    Agent,
    /// What an agent or a bot handed on with the customer.
    Transcript,
}

/// Something said after the interaction came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Said {
    pub by: Speaker,
    pub text: String,
}

/// A payload on its way into the journal.
pub struct Secret {
    /// Of a new interaction after room for its wrapped key.
    pub sealed: Vec<u8>,
    /// The key of a new interaction; what is said later is sealed with the one its interaction has.
    pub key: Option<Key>,
    /// The interaction it was sealed for. `None` for one that is new.
    pub of: Option<InteractionId>,
    pub plain: Plain,
}

/// The same in clear, for whoever follows the committed events.
#[derive(Clone, Debug)]
pub enum Plain {
    Payload(Arc<Payload>),
    Said(Arc<Said>),
}

/// The payload of an open interaction, in clear, with the key that seals what is added.
#[derive(Clone)]
pub struct Held {
    pub payload: Arc<Payload>,
    pub key: Key,
    /// The newest of what was said since, oldest first, each with its time.
    pub said: VecDeque<(Time, Arc<Said>)>,
    /// Its customer was erased: nothing of it is written down.
    pub erased: bool,
}

/// Of what is said in an interaction, so many entries are held at hand; all of it is in the journal.
pub const SAID_MAX: usize = 50;
/// And no more bytes than this, but always the newest entry.
const SAID_BYTES_MAX: usize = 128 * 1024;

impl Held {
    /// Nothing said yet.
    pub fn new(payload: Arc<Payload>, key: Key) -> Held {
        Held { payload, key, said: VecDeque::new(), erased: false }
    }

    /// What is left when the customer is erased: nothing, and a key that lies nowhere.
    pub fn erased() -> Held {
        Held { erased: true, ..Held::new(Arc::default(), Key::random()) }
    }

    /// Holds one entry more; the oldest go where there are too many.
    pub fn hear(&mut self, time: Time, said: Arc<Said>) {
        self.said.push_back((time, said));
        let bytes = |held: &Held| held.said.iter().map(|(_, said)| said.text.len()).sum::<usize>();
        while self.said.len() > SAID_MAX || (self.said.len() > 1 && bytes(self) > SAID_BYTES_MAX) {
            self.said.pop_front();
        }
    }
}

/// Binds what is sealed later to its use; a payload is bound to the request it came with.
const SAID_CONTEXT: &[u8] = b"said";

impl Secret {
    /// Seals what came with a new interaction, under a fresh key. `content` is the hash of the request.
    pub fn payload(payload: Payload, content: u128) -> Secret {
        let key = Key::random();
        let bytes = postcard::to_stdvec(&payload).expect("a payload has no part that cannot be encoded");
        let mut sealed = vec![0; KEY_LENGTH];
        sealed.extend(seal(&key, &content.to_le_bytes(), &bytes));
        Secret { sealed, key: Some(key), of: None, plain: Plain::Payload(payload.into()) }
    }

    /// Seals what was said with the key of its interaction.
    pub fn said(interaction: InteractionId, by: Speaker, text: &str, key: &Key) -> Secret {
        let said = Said { by, text: text.to_owned() };
        let bytes = postcard::to_stdvec(&said).expect("it has no part that cannot be encoded");
        let sealed = seal(key, SAID_CONTEXT, &bytes);
        Secret { sealed, key: None, of: Some(interaction), plain: Plain::Said(said.into()) }
    }
}

/// Puts the wrapped key before a payload, where room was left for it: a payload is sealed before it is known which
/// interaction it will be.
pub fn put_key(sealed: &mut [u8], wrapped: WrappedKey) {
    sealed[..KEY_LENGTH].copy_from_slice(&wrapped);
}

/// The wrapped key that lies before a payload; `None` if there is none.
pub fn key_before(sealed: &[u8]) -> Option<&WrappedKey> {
    sealed.first_chunk()
}

/// Opens a sealed payload; `None` if the key is another one or the bytes were changed.
pub fn open_payload(key: &Key, content: u128, sealed: &[u8]) -> Option<Payload> {
    postcard::from_bytes(&open(key, &content.to_le_bytes(), sealed.get(KEY_LENGTH..)?)?).ok()
}

/// Opens what was said.
pub fn open_said(key: &Key, sealed: &[u8]) -> Option<Said> {
    postcard::from_bytes(&open(key, SAID_CONTEXT, sealed)?).ok()
}
