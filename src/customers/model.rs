//! The customer and the small texts that come with requests.
//! A text is measured once, here, in characters; behind its type it is trusted.

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::entry::ChannelCode;
use super::preference::Consent;

/// Longest name of a customer, in characters.
pub const DISPLAY_NAME_CHARS_MAX: usize = 128;
/// Longest request id, in characters.
pub const REQUEST_ID_CHARS_MAX: usize = 128;

/// The number of a customer within its tenant. Never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CustomerId(pub u64);

impl std::fmt::Display for CustomerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Who contacts us: a thin profile. Customers who are linked are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Customer {
    pub id: CustomerId,
    /// The others who are the same person.
    pub linked: Vec<CustomerId>,
    /// As staff call them; empty while unknown.
    pub display_name: String,
    /// In the order of kind, then value.
    pub addresses: Vec<Address>,
    /// When the first address became known, in ms since 1970.
    pub created_ms: i64,
    /// What the company values them as, such as `gold`; empty: nothing.
    pub tier: String,
    /// BCP 47; empty while unknown.
    pub language: String,
    /// 0: none.
    pub preferred_channel: ChannelCode,
    pub minor: bool,
    /// Who is to be asked about them.
    pub contact_person: Option<CustomerId>,
    /// In the order of channel, then address.
    pub consents: Vec<Consent>,
}

impl Customer {
    /// Nothing known but a number and since when.
    pub fn thin(id: CustomerId, created_ms: i64) -> Self {
        Self {
            id,
            linked: Vec::new(),
            display_name: String::new(),
            addresses: Vec::new(),
            created_ms,
            tier: String::new(),
            language: String::new(),
            preferred_channel: 0,
            minor: false,
            contact_person: None,
            consents: Vec::new(),
        }
    }
}

/// Why a text or an entry from outside is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    #[error("{field} has {chars} characters, up to {chars_max} are accepted")]
    TooLong { field: &'static str, chars: usize, chars_max: usize },
    #[error("{field} is empty, 1 to {chars_max} characters are accepted")]
    Empty { field: &'static str, chars_max: usize },
    #[error("{field} has {count} entries, up to {max} are accepted")]
    TooMany { field: &'static str, count: usize, max: usize },
    #[error("{field} has {got:?} twice, each is accepted once")]
    Twice { field: &'static str, got: String },
    #[error("kind CONTACT is written by the server itself, VISIT to FEEDBACK are accepted")]
    ContactKind,
    #[error("{field} is {got}, {wanted} is accepted")]
    Range { field: &'static str, got: i64, wanted: &'static str },
    #[error("{field} is given with another kind of entry, it goes with {wanted}")]
    OtherKind { field: &'static str, wanted: &'static str },
}

/// A name given to a customer who has none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// 1 to 128 characters, not counting spaces around them.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        present("display_name", text.trim(), DISPLAY_NAME_CHARS_MAX).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What makes a retry safe: the same id for the same customer gets the first entry again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// 1 to 128 characters, taken as they are.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        present("request_id", text, REQUEST_ID_CHARS_MAX).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text, if it is there and no longer than the limit.
pub(super) fn present(field: &'static str, text: &str, chars_max: usize) -> Result<String, InputError> {
    if text.is_empty() {
        return Err(InputError::Empty { field, chars_max });
    }
    within(field, text, chars_max)
}

/// The text, if it is no longer than the limit.
pub(super) fn within(field: &'static str, text: &str, chars_max: usize) -> Result<String, InputError> {
    // The bytes are looked at first: counting the characters of a megabyte is work for nothing.
    let chars = if text.len() <= chars_max { text.len() } else { text.chars().count() };
    if chars > chars_max { Err(InputError::TooLong { field, chars, chars_max }) } else { Ok(text.to_owned()) }
}

/// At most `chars_max` characters of a text, the last one being `…` where something is missing.
pub(super) fn cut(mut text: String, chars_max: usize) -> String {
    if text.len() <= chars_max || text.chars().nth(chars_max).is_none() {
        return text;
    }
    if let Some((end, _)) = text.char_indices().nth(chars_max - 1) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_at_the_limit_stays_whole_and_one_beyond_is_cut() {
        assert_eq!(cut("abcd".into(), 4), "abcd");
        assert_eq!(cut("abcde".into(), 4), "abc…");
        assert_eq!(cut("éééé".into(), 4), "éééé");
        assert_eq!(cut("ééééé".into(), 4), "ééé…");
        assert_eq!(cut(String::new(), 4), "");
    }

    #[test]
    fn names_and_request_ids_have_limits_in_characters() {
        assert_eq!(DisplayName::parse(" Ana Levi ").expect("a name").as_str(), "Ana Levi");
        let empty = InputError::Empty { field: "display_name", chars_max: 128 };
        assert_eq!(DisplayName::parse("  "), Err(empty));
        assert!(RequestId::parse(&"é".repeat(128)).is_ok());
        let long = InputError::TooLong { field: "request_id", chars: 129, chars_max: 128 };
        assert_eq!(RequestId::parse(&"é".repeat(129)), Err(long));
    }
}
