//! What a customer wants, and what may be sent to them. Every change is kept with who made it and why; what was set last
//! holds. A consent for one address or one channel is stronger than one for all of them.

use serde::Serialize;

use super::address::Address;
use super::entry::ChannelCode;
use super::model::{Customer, CustomerId, InputError, present, within};

/// Longest language tag, in characters.
pub const LANGUAGE_CHARS_MAX: usize = 35;
/// Longest name of a tier, in characters.
pub const TIER_CHARS_MAX: usize = 64;
/// Longest name of who changed something, in characters.
pub const BY_CHARS_MAX: usize = 128;
/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 1_024;
/// Most consents of one customer.
pub const CONSENTS_MAX: usize = 64;
/// Most changes that are listed of one customer.
pub const CHANGES_LISTED_MAX: usize = 500;

/// Whether something may be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// 0 stands for every channel.
    pub channel: ChannelCode,
    /// To this address alone; `None`: to all of them.
    pub address: Option<Address>,
    pub allowed: bool,
    /// When it was said, ms since 1970, and by whom.
    pub since_ms: i64,
    pub by: String,
}

/// One thing a customer wants, or is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preference {
    Consent {
        channel: ChannelCode,
        address: Option<Address>,
        allowed: bool,
    },
    /// 0: none.
    PreferredChannel(ChannelCode),
    /// BCP 47; empty: none.
    Language(String),
    /// What the company values them as, such as `gold`; empty: nothing.
    Tier(String),
    /// As staff call them.
    DisplayName(String),
    Minor(bool),
    /// Who is to be asked about them.
    ContactPerson(Option<CustomerId>),
}

impl Preference {
    /// Checks its text: a language up to 35 characters, a tier up to 64, a name up to 128.
    pub fn checked(self) -> Result<Preference, InputError> {
        match &self {
            Self::Language(text) => within("preference.language", text, LANGUAGE_CHARS_MAX)?,
            Self::Tier(text) => within("preference.tier", text, TIER_CHARS_MAX)?,
            Self::DisplayName(text) => {
                within("preference.display_name", text, super::model::DISPLAY_NAME_CHARS_MAX)?
            }
            _ => String::new(),
        };
        Ok(self)
    }

    /// In words, for the trail of changes.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Consent { channel, address, allowed } => {
                // Not which: the trail of one customer may speak of an address of another, who is to be erased.
                let to = if address.is_some() { " to one address" } else { "" };
                let what = if *channel == 0 { "every channel" } else { super::entry::channel_word(*channel) };
                format!("{what}{to}: {}", if *allowed { "allowed" } else { "not allowed" })
            }
            Self::PreferredChannel(0) => "no preferred channel".to_owned(),
            Self::PreferredChannel(code) => format!("prefers {}", super::entry::channel_word(*code)),
            Self::Language(text) => format!("language {text:?}"),
            Self::Tier(text) => format!("tier {text:?}"),
            Self::DisplayName(text) => format!("name {text:?}"),
            Self::Minor(minor) => (if *minor { "a minor" } else { "of age" }).to_owned(),
            Self::ContactPerson(Some(other)) => format!("contact person: customer {other}"),
            Self::ContactPerson(None) => "no contact person".to_owned(),
        }
    }
}

/// Who changed something about a customer, and why.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Reason {
    pub by: String,
    pub why: String,
}

impl Reason {
    /// Who, 1 to 128 characters; a reason up to 1,024.
    pub fn checked(self) -> Result<Reason, InputError> {
        present("by", &self.by, BY_CHARS_MAX)?;
        within("reason", &self.why, REASON_CHARS_MAX)?;
        Ok(self)
    }
}

/// To set a preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferring {
    pub customer: CustomerId,
    pub preference: Preference,
    pub reason: Reason,
    pub now_ms: i64,
}

/// Why a preference was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPreferred {
    #[error("customer {0} is not known, a number given by Resolve is accepted")]
    Unknown(CustomerId),
    #[error("customer {0} is not known, the contact person is a customer as well")]
    UnknownContactPerson(CustomerId),
    #[error("nobody is their own contact person")]
    OwnContactPerson,
    #[error(
        "the customer has {CONSENTS_MAX} consents, which is the limit: say it of a channel, or of every address"
    )]
    TooManyConsents,
}

/// One change of what is known of a customer, kept for whoever asks who did that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Rises with every change of the store.
    pub number: u64,
    pub customer: CustomerId,
    pub time_ms: i64,
    /// In words.
    pub what: String,
    pub reason: Reason,
}

/// Why nothing may be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    #[error("the customer does not want it: said at {since_ms} (ms since 1970) to {by}")]
    Withdrawn { since_ms: i64, by: String },
    #[error("the customer is a minor and nobody has allowed it; their contact person may be asked")]
    Minor { contact_person: Option<CustomerId> },
}

impl Customer {
    /// Whether something may be sent to a customer on a channel, of our own accord. What was said of this very address
    /// decides before what was said of all, what was said of this channel before what was said of every one, and of
    /// equals the later. Nothing said: yes, but to a minor.
    pub fn may_be_sent(&self, channel: ChannelCode, to: Option<&Address>) -> Result<(), NotAllowed> {
        match self.said_of(channel, to) {
            Some(consent) if consent.allowed => Ok(()),
            Some(Consent { since_ms, by, .. }) => {
                Err(NotAllowed::Withdrawn { since_ms: *since_ms, by: by.clone() })
            }
            None if self.minor => Err(NotAllowed::Minor { contact_person: self.contact_person }),
            None => Ok(()),
        }
    }

    /// The same of what the customer asks for in this very conversation, as a call-back: a minor may ask for it.
    pub fn may_be_answered(&self, channel: ChannelCode, to: Option<&Address>) -> Result<(), NotAllowed> {
        match self.may_be_sent(channel, to) {
            Err(NotAllowed::Minor { .. }) => Ok(()),
            answer => answer,
        }
    }

    fn said_of(&self, channel: ChannelCode, to: Option<&Address>) -> Option<&Consent> {
        let applies = |consent: &&Consent| {
            [0, channel].contains(&consent.channel)
                && consent.address.as_ref().is_none_or(|address| Some(address) == to)
        };
        let strength = |consent: &&Consent| {
            (consent.address.is_some(), consent.channel != 0, consent.since_ms, !consent.allowed)
        };
        self.consents.iter().filter(applies).max_by_key(strength)
    }
}

#[cfg(test)]
mod tests {
    use super::super::address::AddressKind;
    use super::*;

    const VOICE: ChannelCode = 1;
    const MESSAGE: ChannelCode = 4;

    fn phone(text: &str) -> Address {
        Address::parse(AddressKind::Phone, text).expect("a phone number")
    }

    fn said(channel: ChannelCode, to: Option<&str>, allowed: bool, since_ms: i64) -> Consent {
        Consent { channel, address: to.map(phone), allowed, since_ms, by: "ana".into() }
    }

    fn lena(consents: Vec<Consent>) -> Customer {
        Customer { consents, ..Customer::thin(CustomerId(1), 0) }
    }

    #[test]
    fn what_is_nearer_decides_and_of_equals_the_later() {
        let (home, mobile) = ("+972501234567", "+972507654321");
        let lena = lena(vec![
            said(0, None, false, 9),
            said(VOICE, None, true, 1),
            said(MESSAGE, Some(mobile), false, 2),
            said(0, Some(home), true, 3),
        ]);
        assert!(lena.may_be_sent(5, None).is_err(), "by email: as on every channel");
        assert!(lena.may_be_sent(VOICE, None).is_ok());
        assert!(lena.may_be_sent(MESSAGE, Some(&phone(mobile))).is_err());
        assert!(lena.may_be_sent(MESSAGE, Some(&phone(home))).is_ok());
        let twice =
            Customer { consents: vec![said(MESSAGE, None, true, 5), said(MESSAGE, None, false, 6)], ..lena };
        let withdrawn = NotAllowed::Withdrawn { since_ms: 6, by: "ana".into() };
        assert_eq!(twice.may_be_sent(MESSAGE, None), Err(withdrawn));
    }

    #[test]
    fn a_minor_is_sent_what_was_allowed_and_answered_unless_it_was_refused() {
        let mother = Some(CustomerId(2));
        let minor = Customer { minor: true, contact_person: mother, ..lena(Vec::new()) };
        assert_eq!(minor.may_be_sent(MESSAGE, None), Err(NotAllowed::Minor { contact_person: mother }));
        assert!(minor.may_be_answered(VOICE, None).is_ok());
        let allowed = Customer { consents: vec![said(MESSAGE, None, true, 1)], ..minor.clone() };
        assert!(allowed.may_be_sent(MESSAGE, None).is_ok());
        let refused = Customer { consents: vec![said(VOICE, None, false, 1)], ..minor };
        assert!(refused.may_be_answered(VOICE, None).is_err());
    }

    #[test]
    fn a_preference_says_which_text_is_too_long() {
        let long = Preference::Tier("t".repeat(65)).checked();
        assert_eq!(long, Err(InputError::TooLong { field: "preference.tier", chars: 65, chars_max: 64 }));
        let nobody = Reason { by: String::new(), why: String::new() }.checked();
        assert_eq!(nobody, Err(InputError::Empty { field: "by", chars_max: 128 }));
    }
}
