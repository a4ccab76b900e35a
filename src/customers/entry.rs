//! One thing that happened with a customer, and its place in the history.
//! The summary of a contact is made from its fields whenever it is read, so it can never be out of step
//! with them; only what outsiders record brings a summary of its own.

use serde::{Deserialize, Serialize};

use super::details::Details;
use super::model::{InputError, cut, within};
use super::store::{Change, Opened};

/// Longest summary, in characters.
pub const SUMMARY_CHARS_MAX: usize = 256;
/// Longest text of an entry, in characters.
pub const TEXT_CHARS_MAX: usize = 16_384;

/// A channel by its number in the API, 1 to 7; 0 where there was none.
pub type ChannelCode = u8;

/// What kind of thing happened. The codes are those of the API and of the store's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum EntryKind {
    /// An interaction; written from the engine's events only.
    Contact = 1,
    Visit = 2,
    Purchase = 3,
    /// Sent or received outside an interaction.
    Message = 4,
    Note = 5,
    Feedback = 6,
}

impl EntryKind {
    /// The kind with this code, if there is one.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Contact, Self::Visit, Self::Purchase, Self::Message, Self::Note, Self::Feedback]
            .into_iter()
            .find(|kind| *kind as u8 == code)
    }
}

/// Where a contact stands. The codes are those of the API and of the store's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Outcome {
    /// Still waiting or being handled.
    Open = 1,
    Served = 2,
    /// The customer left before anybody answered.
    Left = 3,
    /// Withdrawn by the system that submitted it.
    TakenBack = 4,
    /// Nobody could take it in time, or a call-back reached nobody.
    TimedOut = 5,
    /// Sent to voicemail or another system.
    SentAway = 6,
}

impl Outcome {
    /// The outcome with this code, if there is one.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Open, Self::Served, Self::Left, Self::TakenBack, Self::TimedOut, Self::SentAway]
            .into_iter()
            .find(|outcome| *outcome as u8 == code)
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// Rises with every entry of the store, whoever the customer is.
    pub number: u64,
    pub kind: EntryKind,
    /// When it happened, in ms since 1970. Never changes, so an open contact keeps its place.
    pub time_ms: i64,
    pub channel: ChannelCode,
    pub summary: String,
    pub text: String,
    pub details: Details,
    /// `Some` exactly for `EntryKind::Contact`.
    pub contact: Option<Contact>,
}

/// What is known of an interaction with the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Contact {
    pub interaction: u64,
    pub queue: String,
    pub intent: String,
    /// Who answered last; empty if nobody did.
    pub agent: String,
    pub outcome: Outcome,
    pub disposition: String,
    /// First entry to first accept, or to the leaving. `None` while waiting.
    pub wait_ms: Option<u64>,
}

impl Contact {
    /// One line for staff, such as `voice about card-lost, served by ana, solved`.
    pub fn summary(&self, channel: ChannelCode) -> String {
        let about = if self.intent.is_empty() {
            format!("in queue {}", self.queue)
        } else {
            format!("about {}", self.intent)
        };
        let mut line = format!("{} {about}, {}", channel_word(channel), self.fate());
        if !self.disposition.is_empty() {
            line.push_str(", ");
            line.push_str(&self.disposition);
        }
        cut(line, SUMMARY_CHARS_MAX)
    }

    fn fate(&self) -> String {
        match (self.outcome, self.agent.as_str(), self.wait_ms) {
            (Outcome::Open, "", _) => "waiting".to_owned(),
            (Outcome::Open, agent, _) => format!("with {agent}"),
            (Outcome::Served, "", _) => "served".to_owned(),
            (Outcome::Served, agent, _) => format!("served by {agent}"),
            (Outcome::Left, _, Some(wait_ms)) => format!("left after {} s", wait_ms / 1_000),
            (Outcome::Left, _, None) => "left".to_owned(),
            (Outcome::TakenBack, _, _) => "taken back".to_owned(),
            (Outcome::TimedOut, _, _) => "not served".to_owned(),
            (Outcome::SentAway, _, _) => "sent elsewhere".to_owned(),
        }
    }
}

pub(super) fn channel_word(channel: ChannelCode) -> &'static str {
    match channel {
        1 => "voice",
        2 => "video",
        3 => "chat",
        4 => "message",
        5 => "email",
        6 => "social",
        7 => "task",
        _ => "contact",
    }
}

/// An entry to be recorded, known to be within the limits and no contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEntry {
    pub(super) kind: EntryKind,
    pub(super) time_ms: Option<i64>,
    pub(super) channel: ChannelCode,
    pub(super) summary: String,
    pub(super) text: String,
    pub(super) details: Details,
}

impl NewEntry {
    /// Takes what happened outside this server. `time_ms` is in ms since 1970; `None` stands for now.
    pub fn new(
        kind: EntryKind,
        time_ms: Option<i64>,
        channel: ChannelCode,
        summary: &str,
        text: &str,
    ) -> Result<Self, InputError> {
        if kind == EntryKind::Contact {
            return Err(InputError::ContactKind);
        }
        let summary = within("entry.summary", summary, SUMMARY_CHARS_MAX)?;
        let text = within("entry.text", text, TEXT_CHARS_MAX)?;
        Ok(Self { kind, time_ms, channel, summary, text, details: Details::default() })
    }

    /// With what not every entry has.
    pub fn with(self, details: Details) -> Result<Self, InputError> {
        Ok(Self { details: details.checked(self.kind)?, ..self })
    }

    /// As it stands in a history.
    pub(super) fn numbered(&self, number: u64, now_ms: i64) -> HistoryEntry {
        HistoryEntry {
            number,
            kind: self.kind,
            time_ms: self.time_ms.unwrap_or(now_ms),
            channel: self.channel,
            summary: self.summary.clone(),
            text: self.text.clone(),
            details: self.details.clone(),
            contact: None,
        }
    }
}

/// Which entries of a history are wanted. Nothing said: all of them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Filter {
    pub kinds: Vec<EntryKind>,
    /// 0: those without a channel.
    pub channels: Vec<ChannelCode>,
    /// Of this matter alone.
    pub matter: String,
}

impl Filter {
    pub(super) fn takes(&self, entry: &HistoryEntry) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&entry.kind))
            && (self.channels.is_empty() || self.channels.contains(&entry.channel))
            && (self.matter.is_empty() || self.matter == entry.details.matter)
    }

    /// The kinds and channels by their codes, a bit each.
    pub(super) fn bits(&self) -> (i64, i64) {
        let all = |codes: Vec<u8>| match codes.as_slice() {
            [] => i64::from(u8::MAX),
            codes => codes.iter().fold(0, |bits, code| bits | 1 << code.min(&7)),
        };
        (all(self.kinds.iter().map(|kind| *kind as u8).collect()), all(self.channels.clone()))
    }
}

/// A number that contacts about the same matter share: the matter, if one was named, and else the intent. 0: about nothing
/// in particular. The first half of a SHA-256, so it is the same in every release.
pub fn about(matter: &str, intent: &str) -> u64 {
    let (kind, text) = if matter.is_empty() { ("intent ", intent) } else { ("matter ", matter) };
    if text.is_empty() {
        return 0;
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, format!("{kind}{text}").as_bytes());
    let first = digest.as_ref().first_chunk().expect("a SHA-256 has 32 bytes");
    u64::from_le_bytes(*first)
}

/// The place of an entry in a history: newest first, by time, then by number. Entries that come later never
/// move it, so a list can be continued from it at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub time_ms: i64,
    pub number: u64,
}

impl Position {
    /// The position as a token for clients, who are not to look into it.
    pub fn token(self) -> String {
        format!("{:016x}{:x}", self.time_ms, self.number)
    }

    /// The position of a token made by `token`.
    pub fn from_token(token: &str) -> Option<Self> {
        let (time, number) = token.split_at_checked(16)?;
        let time_ms = u64::from_str_radix(time, 16).ok()?.cast_signed();
        Some(Self { time_ms, number: u64::from_str_radix(number, 16).ok()? })
    }
}

/// The text of a contact when a note is added to it. The first line is the customer's, empty if they wrote nothing. What does
/// not fit is cut off at the end.
pub(super) fn with_note(text: &str, note: &str) -> String {
    cut(format!("{text}\n{note}"), TEXT_CHARS_MAX)
}

/// Part of a history, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub entries: Vec<HistoryEntry>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Position>,
}

impl Page {
    /// Makes a page of at most `limit` from up to one entry more, whose presence tells that there is a rest.
    pub(super) fn of(mut entries: Vec<HistoryEntry>, limit: usize) -> Self {
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| more).map(|last| last.position());
        Self { entries, next }
    }
}

impl HistoryEntry {
    /// Where it stands in the history.
    pub fn position(&self) -> Position {
        Position { time_ms: self.time_ms, number: self.number }
    }

    /// The entry of an interaction that came in. Its summary is to be made.
    pub(super) fn opened(number: u64, time_ms: i64, opened: &Opened) -> Self {
        let contact = Contact {
            interaction: opened.interaction,
            queue: opened.queue.clone(),
            intent: opened.intent.clone(),
            agent: String::new(),
            outcome: Outcome::Open,
            disposition: String::new(),
            wait_ms: None,
        };
        Self {
            number,
            kind: EntryKind::Contact,
            time_ms,
            channel: opened.channel,
            summary: String::new(),
            text: cut(opened.message.clone(), TEXT_CHARS_MAX),
            details: Details { matter: opened.matter.clone(), ..Details::default() },
            contact: Some(contact),
        }
    }

    /// Takes in what happened with its interaction since. Its summary is to be made.
    pub(super) fn amend(&mut self, change: &Change) {
        let Some(contact) = &mut self.contact else { return };
        match change {
            Change::Opened(_) => {}
            Change::Answered { agent, wait_ms, .. } => {
                contact.agent.clone_from(agent);
                contact.wait_ms.get_or_insert(*wait_ms);
            }
            Change::AnswerUndone { agent, wait_ms, .. } => {
                contact.agent.clone_from(agent);
                contact.wait_ms = *wait_ms;
            }
            Change::NoteAdded { text, .. } => self.text = with_note(&self.text, text),
            Change::Closed { outcome, disposition, wait_ms, .. } => {
                contact.outcome = *outcome;
                contact.disposition.clone_from(disposition);
                contact.wait_ms = contact.wait_ms.or(*wait_ms);
            }
        }
    }

    /// With the summary that its fields make. What was recorded brings its own.
    pub(super) fn summed_up(mut self) -> Self {
        if let Some(contact) = &self.contact {
            self.summary = contact.summary(self.channel);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact() -> Contact {
        Contact {
            interaction: 7,
            queue: "bank".into(),
            intent: "card-lost".into(),
            agent: String::new(),
            outcome: Outcome::Open,
            disposition: String::new(),
            wait_ms: None,
        }
    }

    #[test]
    fn a_contact_is_summed_up_at_every_stage() {
        let mut contact = contact();
        assert_eq!(contact.summary(1), "voice about card-lost, waiting");
        contact.agent = "ana".into();
        assert_eq!(contact.summary(1), "voice about card-lost, with ana");
        contact.outcome = Outcome::Served;
        contact.disposition = "solved".into();
        assert_eq!(contact.summary(1), "voice about card-lost, served by ana, solved");
    }

    #[test]
    fn a_customer_who_left_is_summed_up_with_the_wait() {
        let left =
            Contact { outcome: Outcome::Left, wait_ms: Some(42_900), intent: String::new(), ..contact() };
        assert_eq!(left.summary(3), "chat in queue bank, left after 42 s");
        let taken_back = Contact { outcome: Outcome::TakenBack, ..contact() };
        assert_eq!(taken_back.summary(5), "email about card-lost, taken back");
    }

    #[test]
    fn a_contact_cannot_be_recorded_from_outside() {
        let refused = NewEntry::new(EntryKind::Contact, None, 0, "", "");
        assert_eq!(refused, Err(InputError::ContactKind));
    }

    #[test]
    fn an_entry_says_which_field_is_too_long() {
        let summary = NewEntry::new(EntryKind::Note, None, 0, &"s".repeat(257), "");
        let error = InputError::TooLong { field: "entry.summary", chars: 257, chars_max: 256 };
        assert_eq!(summary, Err(error));
        let text = NewEntry::new(EntryKind::Note, None, 0, "", &"t".repeat(16_385));
        let error = InputError::TooLong { field: "entry.text", chars: 16_385, chars_max: 16_384 };
        assert_eq!(text, Err(error));
    }

    #[test]
    fn contacts_are_about_the_matter_and_else_about_the_intent() {
        assert_eq!(about("", ""), 0);
        assert_eq!(about("case 7", "card-lost"), about("case 7", "late"));
        assert_ne!(about("card-lost", ""), about("", "card-lost"));
        assert_eq!(about("", "card-lost"), 0xf60c_044c_ea31_847e, "the same in every release");
    }

    #[test]
    fn a_position_survives_its_token_and_foreign_tokens_are_none() {
        for time_ms in [i64::MIN, -1, 0, 1_730_000_000_000, i64::MAX] {
            let position = Position { time_ms, number: 12 };
            assert_eq!(Position::from_token(&position.token()), Some(position));
        }
        for token in ["", "é", "zz", "00000000000000ééé", "0000000000000000", "000000000000000x1"] {
            assert_eq!(Position::from_token(token), None, "{token}");
        }
    }

    #[test]
    fn every_code_is_read_back() {
        for code in 1..=6 {
            assert_eq!(EntryKind::from_code(code).map(|kind| kind as u8), Some(code));
        }
        for code in 1..=6 {
            assert_eq!(Outcome::from_code(code).map(|outcome| outcome as u8), Some(code));
        }
        assert_eq!((EntryKind::from_code(7), Outcome::from_code(7)), (None, None));
    }
}
