//! What customers write: questions put to a bank, 60 characters in the mean and 433 at most, each with its intent. The file
//! is no part of the repository; without it the same lengths are made of common words.

use super::drawn;

/// Beside the repository.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/banking77/train.csv");
/// The lengths of its texts in characters, sorted, at every twentieth.
const LENGTHS: [u64; 21] =
    [13, 26, 29, 32, 34, 36, 39, 41, 43, 45, 47, 49, 52, 55, 59, 64, 71, 83, 110, 152, 433];
const MADE: u64 = 10_003;
const INTENTS: u64 = 77;
const WORDS: [&str; 16] = [
    "my", "card", "has", "not", "arrived", "why", "was", "the", "payment", "declined", "please", "help",
    "when", "will", "transfer", "account",
];

pub struct Texts {
    /// Text and intent.
    all: Vec<(String, String)>,
    source: &'static str,
}

impl Texts {
    pub fn found() -> Texts {
        match csv::Reader::from_path(FILE) {
            Ok(mut reader) => {
                let rows = reader.deserialize().collect::<Result<_, _>>();
                Texts {
                    all: rows.expect("text and category, as published"),
                    source: "BANKING77, 10,003 questions",
                }
            }
            Err(_) => {
                Texts { all: (0..MADE).map(made).collect(), source: "made of words, lengths of BANKING77" }
            }
        }
    }

    pub fn source(&self) -> &'static str {
        self.source
    }

    /// The text of a number.
    pub fn text(&self, number: u64) -> &str {
        &self.of(number).0
    }

    /// What that text is about.
    pub fn intent(&self, number: u64) -> &str {
        &self.of(number).1
    }

    fn of(&self, number: u64) -> &(String, String) {
        let at = drawn(number) % self.all.len() as u64;
        &self.all[usize::try_from(at).expect("texts are few")]
    }
}

fn made(number: u64) -> (String, String) {
    let at = usize::try_from(drawn(number) % 20).expect("less than 20");
    let length = LENGTHS[at] + drawn(number ^ (1 << 32)) % (LENGTHS[at + 1] - LENGTHS[at]);
    let mut text = String::new();
    for word in 0.. {
        if text.len() as u64 >= length {
            break;
        }
        let at = usize::try_from(drawn(number << 8 | word) % 16).expect("less than 16");
        text.push_str(WORDS[at]);
        text.push(' ');
    }
    text.truncate(usize::try_from(length).expect("texts are short"));
    (text, format!("intent_{}", drawn(number) % INTENTS))
}
