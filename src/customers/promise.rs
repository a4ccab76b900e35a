//! What the company told a customer: a price, a gift, a reserved item. Made on any channel, seen on all of them, redeemed on
//! any, once.

use serde::{Deserialize, Serialize};

use super::entry::ChannelCode;
use super::model::{CustomerId, InputError, RequestId, present, within};

/// Longest summary of a promise, in characters.
pub const PROMISE_SUMMARY_CHARS_MAX: usize = 256;
/// Longest terms, instruction, alternative and note, in characters.
pub const PROMISE_TEXT_CHARS_MAX: usize = 1_024;
/// Longest name of who made or redeemed it and of a place, in characters.
pub const PROMISE_NAME_CHARS_MAX: usize = 128;
/// Most places there may be instructions for.
pub const INSTRUCTIONS_MAX: usize = 16;
/// Most promises on a card.
pub const CARD_PROMISES_MAX: usize = 16;
/// Most promises that are listed of one customer.
pub const PROMISES_LISTED_MAX: usize = 500;
/// A redeemed promise stays on cards for so long, ms: 90 days. Whoever asks again is told when, where and by whom.
pub const REDEEMED_SHOWN_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// What staff at one place do to honour it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruction {
    /// A channel's name (`voice`, `chat`, …), or a place of the company's own such as `shop`.
    pub place: String,
    pub text: String,
}

/// A promise as it is made.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NewPromise {
    /// What was promised, in a line.
    pub summary: String,
    pub terms: String,
    /// Each place once.
    pub instructions: Vec<Instruction>,
    /// What staff may offer if it cannot be honoured as made.
    pub alternative: String,
    /// Who made it.
    pub made_by: String,
    /// Where it was made; 0 where there was no channel.
    pub channel: ChannelCode,
    /// From then on it is worth nothing, ms since 1970. `None`: it does not expire.
    pub expires_ms: Option<i64>,
}

impl NewPromise {
    /// Checks every text: a summary of 1 to 256 characters, names up to 128, the others up to 1,024; at most 16 places.
    pub fn checked(self) -> Result<NewPromise, InputError> {
        present("promise.summary", &self.summary, PROMISE_SUMMARY_CHARS_MAX)?;
        within("promise.terms", &self.terms, PROMISE_TEXT_CHARS_MAX)?;
        within("promise.alternative", &self.alternative, PROMISE_TEXT_CHARS_MAX)?;
        within("promise.made_by", &self.made_by, PROMISE_NAME_CHARS_MAX)?;
        if self.instructions.len() > INSTRUCTIONS_MAX {
            return Err(InputError::TooMany {
                field: "promise.instructions",
                count: self.instructions.len(),
                max: INSTRUCTIONS_MAX,
            });
        }
        for (at, one) in self.instructions.iter().enumerate() {
            present("promise.instructions.place", &one.place, PROMISE_NAME_CHARS_MAX)?;
            present("promise.instructions.text", &one.text, PROMISE_TEXT_CHARS_MAX)?;
            if self.instructions[..at].iter().any(|other| other.place == one.place) {
                return Err(InputError::Twice {
                    field: "promise.instructions.place",
                    got: one.place.clone(),
                });
            }
        }
        Ok(self)
    }
}

/// That a promise was kept.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Redemption {
    pub by: String,
    /// As in an instruction.
    pub place: String,
    pub note: String,
    /// What was given is the alternative.
    pub alternative: bool,
}

impl Redemption {
    /// Checks every text: who, 1 to 128 characters; a place up to 128; a note up to 1,024.
    pub fn checked(self) -> Result<Redemption, InputError> {
        present("by", &self.by, PROMISE_NAME_CHARS_MAX)?;
        within("place", &self.place, PROMISE_NAME_CHARS_MAX)?;
        within("note", &self.note, PROMISE_TEXT_CHARS_MAX)?;
        Ok(self)
    }
}

/// Whom something was promised to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    Customer(CustomerId),
    /// Everybody in this tier; each may have it once.
    Tier(String),
}

/// That a promise cannot be honoured as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    pub at_ms: i64,
    pub by: String,
    pub reason: String,
}

/// A promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Rises with every promise of the store.
    pub number: u64,
    pub to: To,
    pub made_ms: i64,
    pub what: NewPromise,
    /// From then on the alternative stands in its place.
    pub withdrawn: Option<Withdrawal>,
    /// When it was redeemed, ms since 1970, and how.
    pub redeemed: Option<(i64, Redemption)>,
}

impl Promise {
    /// It has run out by a moment, unredeemed.
    pub fn is_expired(&self, now_ms: i64) -> bool {
        self.redeemed.is_none() && self.what.expires_ms.is_some_and(|at| at <= now_ms)
    }

    /// Something can still be given for it: itself, or its alternative.
    pub fn is_open(&self, now_ms: i64) -> bool {
        let gone = self.withdrawn.is_some() && self.what.alternative.is_empty();
        self.redeemed.is_none() && !self.is_expired(now_ms) && !gone
    }

    /// Why it cannot be redeemed now, if it cannot.
    pub(super) fn may_be_redeemed(&self, how: &Redemption, now_ms: i64) -> Result<(), NotRedeemed> {
        match (&self.redeemed, self.what.expires_ms, &self.withdrawn) {
            (Some((at_ms, how)), _, _) => Err(NotRedeemed::Before { at_ms: *at_ms, how: how.clone() }),
            (None, Some(at_ms), _) if at_ms <= now_ms => Err(NotRedeemed::Expired { at_ms }),
            (None, _, Some(Withdrawal { reason, .. })) if !how.alternative => {
                let (reason, alternative) = (reason.clone(), self.what.alternative.clone());
                Err(NotRedeemed::Withdrawn { reason, alternative })
            }
            _ if how.alternative && self.what.alternative.is_empty() => Err(NotRedeemed::NoAlternative),
            _ => Ok(()),
        }
    }

    /// It belongs on a card: it is open, or was redeemed or withdrawn lately.
    pub(super) fn is_shown(&self, now_ms: i64) -> bool {
        let ended_ms = match (&self.redeemed, &self.withdrawn) {
            (Some((at_ms, _)), _) => *at_ms,
            (None, Some(withdrawn)) if !self.is_open(now_ms) => withdrawn.at_ms,
            _ => return self.is_open(now_ms),
        };
        now_ms.saturating_sub(ended_ms) <= REDEEMED_SHOWN_MS
            && (self.redeemed.is_some() || !self.is_expired(now_ms))
    }

    /// What staff at a place do to honour it, if that was said.
    pub fn instruction(&self, place: &str) -> Option<&str> {
        let found = self.what.instructions.iter().find(|one| one.place == place);
        found.map(|one| one.text.as_str())
    }

    /// Open ones first, whichever runs out first; then the redeemed ones, the newest first.
    pub(super) fn order(&self) -> (bool, i64, std::cmp::Reverse<i64>, std::cmp::Reverse<u64>) {
        let redeemed_ms = self.redeemed.as_ref().map_or(i64::MAX, |(at, _)| *at);
        let expires_ms = if self.redeemed.is_some() { 0 } else { self.what.expires_ms.unwrap_or(i64::MAX) };
        (self.redeemed.is_some(), expires_ms, std::cmp::Reverse(redeemed_ms), std::cmp::Reverse(self.number))
    }
}

/// To make a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promising {
    pub to: To,
    pub what: NewPromise,
    pub request_id: Option<RequestId>,
    pub now_ms: i64,
}

/// To redeem one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redeeming {
    pub customer: CustomerId,
    pub promise: u64,
    pub how: Redemption,
    pub request_id: Option<RequestId>,
    pub now_ms: i64,
}

/// To say that one cannot be honoured as it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withdrawing {
    /// `None`: a promise to a tier.
    pub customer: Option<CustomerId>,
    pub promise: u64,
    pub by: String,
    pub reason: String,
    /// What staff may offer instead; empty: as it was made.
    pub alternative: String,
    pub now_ms: i64,
}

impl Withdrawing {
    /// Checks every text: who, 1 to 128 characters; a reason, 1 to 1,024; an alternative up to 1,024.
    pub fn checked(self) -> Result<Withdrawing, InputError> {
        present("by", &self.by, PROMISE_NAME_CHARS_MAX)?;
        present("reason", &self.reason, PROMISE_TEXT_CHARS_MAX)?;
        within("alternative", &self.alternative, PROMISE_TEXT_CHARS_MAX)?;
        Ok(self)
    }
}

/// Why a promise was not redeemed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRedeemed {
    #[error("the customer has no such promise")]
    Unknown,
    #[error("it was redeemed before, at {at_ms} (ms since 1970) by {}{}", .how.by, place(.how))]
    Before { at_ms: i64, how: Redemption },
    #[error("it ran out at {at_ms} (ms since 1970)")]
    Expired { at_ms: i64 },
    #[error("it cannot be honoured as it was made")]
    Withdrawn { reason: String, alternative: String },
    #[error("no alternative is authorised")]
    NoAlternative,
}

fn place(how: &Redemption) -> String {
    if how.place.is_empty() { String::new() } else { format!(", {}", how.place) }
}
