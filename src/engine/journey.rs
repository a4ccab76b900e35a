//! What the customer store knew of a customer when an interaction came: how often they came before, about what, and how
//! that ended. Carried in with the facts and recorded with them; counts and codes, nothing personal.

use super::channel::Channel;
use super::ids::Text;
use serde::{Deserialize, Serialize};

/// What became of a contact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum LastOutcome {
    /// It is not over yet.
    Open,
    Served,
    /// The customer left unanswered.
    Left,
    TakenBack,
    TimedOut,
    SentAway,
}

/// What a customer let on lately.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Signals {
    /// They complained.
    pub complaint: bool,
    /// They spoke of a competitor.
    pub competitor: bool,
    /// They want to end it.
    pub cancel: bool,
}

/// A customer's journey up to an interaction, which no count includes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Journey {
    /// Contacts of any kind within the last hour, day and week.
    pub contacts_1h: u32,
    pub contacts_24h: u32,
    pub contacts_7d: u32,
    /// Of these, about the same matter.
    pub about_1h: u32,
    pub about_24h: u32,
    pub about_7d: u32,
    /// Contacts about the same matter within as long as the rules of its queue look back; none if they do not.
    pub about_within: u32,
    /// Contacts ever.
    pub lifetime_contacts: u32,
    /// How the newest contact ended. `None`: there was none.
    pub last_outcome: Option<LastOutcome>,
    /// How long ago it came, ms.
    pub last_ago_ms: Option<u64>,
    /// Who served the newest contact that was served, by the name in the history. Empty: nobody.
    pub last_agent: Text,
    /// How long ago that one came, ms.
    pub served_ago_ms: Option<u64>,
    /// Promises to the customer that are still to be kept.
    pub open_promises: u32,
    /// What the business calls their standing. Empty: nothing is known.
    pub tier: Text,
    /// BCP 47. Empty: nothing is known.
    pub language: Text,
    /// How they would rather be reached.
    pub preferred_channel: Option<Channel>,
    /// They do not want to be called: no rule promises them a call.
    pub refuses_calls: bool,
    pub signals: Signals,
    /// How they felt, the mean of the newest contacts, -100 to 100. `None`: nothing was measured.
    pub sentiment: Option<i8>,
    /// The newer half of these less the older half.
    pub sentiment_trend: i16,
}

impl Journey {
    /// Which contact about the matter this is, within as long as the rules look back: 1 is the first.
    pub fn contact_number(&self) -> u32 {
        self.about_within.saturating_add(1)
    }
}
