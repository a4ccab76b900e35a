//! What rules are told of a customer when an interaction of theirs comes: counts and the like, read off the card that is
//! kept and told every change, so that no history is ever gone through for it.

use super::card::{DAY_MS, Judged, Kept, WEEK_MS};
use super::entry::{ChannelCode, Contact, Outcome};
use super::sentiment::{self, Words};

const HOUR_MS: i64 = 60 * 60 * 1_000;
/// What was announced so long ago is announced no more.
const SIGNALS_MS: i64 = 90 * DAY_MS;
/// Of the API.
const VOICE: ChannelCode = 1;
/// The mood is the mean of so many, the newest.
const MOODS: usize = 5;

/// What a customer's words announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Signals {
    pub complaint: bool,
    pub competitor: bool,
    pub cancel: bool,
}

impl Signals {
    pub(super) fn with(self, other: Signals) -> Signals {
        Signals {
            complaint: self.complaint || other.complaint,
            competitor: self.competitor || other.competitor,
            cancel: self.cancel || other.cancel,
        }
    }
}

/// The last contact somebody answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedBy {
    pub agent: String,
    /// So long before this one it began, ms.
    pub ago_ms: u64,
}

/// What is known of a customer. Counts are of contacts before this one, up to 1,000 of the last 7 days.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CustomerFacts {
    pub contacts_1h: u32,
    pub contacts_24h: u32,
    pub contacts_7d: u32,
    /// Those about the same matter.
    pub about_1h: u32,
    pub about_24h: u32,
    pub about_7d: u32,
    /// Those about the same matter within the time that was asked for.
    pub about_within: u32,
    pub lifetime_contacts: u64,
    /// How the last contact ended, and how long ago it began, ms.
    pub last: Option<(Outcome, u64)>,
    pub served_by: Option<ServedBy>,
    /// Promises that can be redeemed, those to the household included.
    pub open_promises: u32,
    pub tier: String,
    pub language: String,
    /// 0: none.
    pub preferred_channel: ChannelCode,
    /// They do not want to be called, not even back.
    pub refuses_calls: bool,
    pub signals: Signals,
    /// How they feel, -100 to 100: the mean of the newest five; `None` if nothing was said.
    pub sentiment: Option<i8>,
    /// The mean of the newer half of the newest ten less that of the older half, -200 to 200.
    pub sentiment_trend: i16,
}

/// What the facts are asked for.
#[derive(Clone, Copy, Debug)]
pub struct AskedFacts<'a> {
    /// As given by `about`; 0 is the same as nothing.
    pub about: u64,
    /// Contacts about the same matter count for `about_within` if they are no older, ms; at most a week.
    pub within_ms: u64,
    /// The interaction it is asked for, if that may be in the history by then.
    pub leaving_out: Option<u64>,
    pub now_ms: i64,
    pub words: &'a Words,
}

impl Kept {
    /// What rules are told.
    pub fn facts(&mut self, asked: &AskedFacts<'_>) -> CustomerFacts {
        let AskedFacts { about, within_ms, now_ms, leaving_out, .. } = *asked;
        let is_out = |interaction: u64| Some(interaction) == leaving_out;
        let within_ms = i64::try_from(within_ms).unwrap_or(WEEK_MS).min(WEEK_MS);
        let counted = |since_ms: i64, same: bool| {
            let since_ms = now_ms.saturating_sub(since_ms);
            let all = self.contacts.iter().take_while(|contact| contact.time_ms >= since_ms);
            let all = all.filter(|contact| !is_out(contact.interaction));
            let all = all.filter(|contact| !same || (about != 0 && contact.about == about));
            u32::try_from(all.take(super::card::CARD_CONTACTS_COUNTED_MAX).count()).unwrap_or(u32::MAX)
        };
        let open = self.open_promises(now_ms);
        let itself = self.contacts.iter().filter(|contact| is_out(contact.interaction)).count() as u64;
        let facts = CustomerFacts {
            contacts_1h: counted(HOUR_MS, false),
            contacts_24h: counted(DAY_MS, false),
            contacts_7d: counted(WEEK_MS, false),
            about_1h: counted(HOUR_MS, true),
            about_24h: counted(DAY_MS, true),
            about_7d: counted(WEEK_MS, true),
            about_within: counted(within_ms, true),
            lifetime_contacts: self.lifetime_contacts - itself,
            last: self.before(leaving_out).next().map(|(time_ms, last)| (last.outcome, ago(now_ms, time_ms))),
            served_by: self.served_by(leaving_out, now_ms),
            open_promises: u32::try_from(open).unwrap_or(u32::MAX),
            tier: self.customer.tier.clone(),
            language: self.customer.language.clone(),
            preferred_channel: self.customer.preferred_channel,
            refuses_calls: self.customer.may_be_answered(VOICE, None).is_err(),
            ..CustomerFacts::default()
        };
        self.judged(asked.words, now_ms, facts)
    }

    /// The newest contacts, newest first, and the last one there was if it is older.
    fn before(&self, leaving_out: Option<u64>) -> impl Iterator<Item = (i64, &Contact)> {
        let all = self.newest.iter().map(|kept| &kept.entry).chain(&self.last_contact);
        let all = all.filter_map(|entry| Some((entry.time_ms, entry.contact.as_ref()?)));
        all.filter(move |(_, contact)| Some(contact.interaction) != leaving_out)
    }

    fn served_by(&self, leaving_out: Option<u64>, now_ms: i64) -> Option<ServedBy> {
        let (time_ms, served) = self.before(leaving_out).find(|(_, contact)| !contact.agent.is_empty())?;
        Some(ServedBy { agent: served.agent.clone(), ago_ms: ago(now_ms, time_ms) })
    }

    /// Each entry is judged once, and what it announces again by other words.
    fn judged(&mut self, words: &Words, now_ms: i64, facts: CustomerFacts) -> CustomerFacts {
        let (mut signals, mut moods) = (Signals::default(), Vec::new());
        for kept in &mut self.newest {
            let entry = &kept.entry;
            let judged = match kept.judged {
                Some(judged) if judged.words == words.number => judged,
                before => Judged {
                    mood: before.map_or_else(|| sentiment::mood(entry), |before| before.mood),
                    signals: sentiment::signals(entry, words),
                    words: words.number,
                },
            };
            kept.judged = Some(judged);
            moods.extend(judged.mood.map(i16::from));
            if now_ms.saturating_sub(entry.time_ms) <= SIGNALS_MS {
                signals = signals.with(judged.signals);
            }
        }
        moods.truncate(2 * MOODS);
        let newest = mean(&moods[..moods.len().min(MOODS)]);
        let sentiment = newest.and_then(|mean| i8::try_from(mean).ok());
        let (newer, older) = moods.split_at(moods.len().div_ceil(2));
        let trend = mean(newer).zip(mean(older)).map_or(0, |(newer, older)| newer - older);
        CustomerFacts { signals, sentiment, sentiment_trend: trend, ..facts }
    }
}

fn ago(now_ms: i64, time_ms: i64) -> u64 {
    u64::try_from(now_ms.saturating_sub(time_ms)).unwrap_or(0)
}

/// Rounded towards zero.
fn mean(all: &[i16]) -> Option<i16> {
    let count = i16::try_from(all.len()).ok().filter(|count| *count > 0)?;
    Some(all.iter().sum::<i16>() / count)
}
