//! How a customer feels, from what they wrote, and what their words announce: a complaint, a competitor, leaving. Feelings
//! are those of VADER (Hutto and Gilbert, 2014), a lexicon of English with rules: a text in another language says nothing.
//! Whoever records an entry and knows better says so in the entry, and that counts.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use vader_parity::SentimentIntensityAnalyzer;

use super::entry::{EntryKind, HistoryEntry};
use super::facts::Signals;

/// So much of a text is looked at, in characters: it costs 7 µs for a sentence.
const CHARS_MAX: usize = 512;

static FEELINGS: LazyLock<SentimentIntensityAnalyzer> = LazyLock::new(SentimentIntensityAnalyzer::new);
/// The words that announce something.
#[derive(Debug)]
pub struct Words {
    /// Equal words have equal numbers; others practically never.
    pub(super) number: u64,
    all: AhoCorasick,
    /// What each of the words stands for.
    meaning: Vec<Signals>,
}

impl Words {
    /// Words and phrases, upper and lower case alike; each counts where it stands alone, in a text or as an intent.
    pub fn new(complaint: &[&str], competitor: &[&str], cancel: &[&str]) -> Words {
        let of = |words: &[&str], signals: Signals| words.iter().map(move |_| signals).collect::<Vec<_>>();
        let meaning = [
            of(complaint, Signals { complaint: true, ..Signals::default() }),
            of(competitor, Signals { competitor: true, ..Signals::default() }),
            of(cancel, Signals { cancel: true, ..Signals::default() }),
        ];
        let mut number = DefaultHasher::new();
        [complaint, competitor, cancel].hash(&mut number);
        let all = [complaint, competitor, cancel].concat();
        let all = AhoCorasick::builder().ascii_case_insensitive(true).build(all);
        let all = all.expect("a few short words");
        Words { number: number.finish(), all, meaning: meaning.concat() }
    }

    /// What a text announces.
    pub fn in_text(&self, text: &str) -> Signals {
        let alone = |at: usize, end: usize| {
            let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            !letter(text[..at].chars().next_back()) && !letter(text[end..].chars().next())
        };
        let found = self.all.find_overlapping_iter(text).filter(|found| alone(found.start(), found.end()));
        found.fold(Signals::default(), |all, found| all.with(self.meaning[found.pattern().as_usize()]))
    }
}

/// What an entry says of the customer's mood, -100 to 100; `None` if nothing.
pub(super) fn mood(entry: &HistoryEntry) -> Option<i8> {
    if entry.details.sentiment.is_some() {
        return entry.details.sentiment;
    }
    let text = said(entry).filter(|text| !text.is_empty())?;
    let compound = FEELINGS.polarity_scores(text).compound;
    // The one place where a feeling is a fraction: rounded here, it is a whole number from now on.
    #[expect(clippy::cast_possible_truncation, reason = "a compound is between -1 and 1")]
    let hundredths = (compound * 100.0).round() as i8;
    Some(hundredths)
}

/// What an entry announces.
pub(super) fn signals(entry: &HistoryEntry, words: &Words) -> Signals {
    let text = said(entry).map(|text| words.in_text(text)).unwrap_or_default();
    let intent = entry.contact.as_ref().map(|contact| words.in_text(&contact.intent)).unwrap_or_default();
    text.with(intent)
}

/// What the customer said in it: of a contact the first line, which is theirs; agents' notes stand below.
fn said(entry: &HistoryEntry) -> Option<&str> {
    let text = match entry.kind {
        EntryKind::Contact => entry.text.lines().next().unwrap_or_default(),
        EntryKind::Message if !entry.details.outbound => &entry.text,
        EntryKind::Feedback => &entry.text,
        _ => return None,
    };
    let end = text.char_indices().nth(CHARS_MAX).map_or(text.len(), |(at, _)| at);
    Some(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::super::details::Details;
    use super::super::entry::NewEntry;
    use super::*;

    fn message(text: &str, outbound: bool) -> HistoryEntry {
        let entry = NewEntry::new(EntryKind::Message, None, 4, "", text).expect("short");
        let details = Details { outbound, ..Details::default() };
        entry.with(details).expect("a message").numbered(1, 0)
    }

    #[test]
    fn the_mood_is_what_the_customer_wrote_and_what_is_known_better_counts() {
        assert!(mood(&message("Thank you so much, that was a great help.", false)) > Some(60));
        assert!(mood(&message("This is unacceptable, I am very angry!", false)) < Some(-50));
        assert_eq!(mood(&message("We are so sorry!", true)), None, "that is ours");
        assert_eq!(mood(&message("", false)), None);
        let mut told = message("great", false);
        told.details.sentiment = Some(-90);
        assert_eq!(mood(&told), Some(-90), "irony is told by whoever heard it");
    }

    #[test]
    fn words_announce_what_they_announce_where_they_stand_alone() {
        let words = Words::new(&["complaint"], &["Acme"], &["cancel"]);
        let signals = |complaint, competitor, cancel| Signals { complaint, competitor, cancel };
        assert_eq!(words.in_text("I will CANCEL, Acme is cheaper"), signals(false, true, true));
        assert_eq!(words.in_text("uncancelled, acmeology"), signals(false, false, false));
        assert_eq!(words.in_text("a complaint."), signals(true, false, false));
        let phrase = Words::new(&[], &[], &["close my account"]);
        assert_eq!(phrase.in_text("please CLOSE my account!"), signals(false, false, true));
    }
}
