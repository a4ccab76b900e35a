//! The words and signs of a condition, read before a foreign parser sees them: what conditions do not have is refused
//! here in our own words, and so is whatever could make that parser run deep or long.
//!
//! **Invariant**: a text that passes is no longer than [`BYTES_MAX`], has no more than [`NODES_MAX`] parts and
//! [`DEPTH_MAX`] brackets in each other, and consists of the tokens below alone.

use super::wrong::Wrong;
use crate::rules::facts::RESERVED;

/// Longest condition, bytes.
pub const BYTES_MAX: usize = 2_048;
/// Most parts of a condition: names, values, signs and calls.
pub const NODES_MAX: usize = 256;
/// Deepest nesting of a condition.
pub const DEPTH_MAX: usize = 32;
/// Most elements of a list.
pub const LIST_MAX: usize = 64;
/// Longest text in a condition, characters.
pub const TEXT_MAX: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sign {
    Name,
    /// A number, a text, `true` or `false`.
    Value,
    /// Between two values: `==`, `&&`, `in`, and the minus that takes away.
    Between,
    /// Before a value: `!`, and the minus that turns around.
    Before,
    Question,
    Colon,
    Dot,
    Comma,
    Open(char),
    Close(char),
}

/// One of them, by its characters; the end is not included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub sign: Sign,
    pub from: usize,
    pub to: usize,
}

impl Token {
    /// What it adds to the parser's tree, at most.
    fn is_part(self) -> bool {
        !matches!(self.sign, Sign::Colon | Sign::Comma | Sign::Close(_) | Sign::Open('('))
    }
}

/// Line and column of a character.
pub(super) fn place(chars: &[char], at: usize) -> (u32, u32) {
    let before = &chars[..at.min(chars.len())];
    let line = before.iter().filter(|c| **c == '\n').count() + 1;
    let column = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
    let small = |number| u32::try_from(number).unwrap_or(u32::MAX);
    (small(line), small(column))
}

/// Whether a text is short enough to be looked at.
pub(super) fn fits(text: &str) -> Result<(), Wrong> {
    if text.len() <= BYTES_MAX {
        return Ok(());
    }
    let got = format!("a condition of {} bytes", text.len());
    Err(Wrong { line: 1, column: 1, got, want: format!("{BYTES_MAX} at most: what is longer is two rules") })
}

/// The tokens of a text, or everything in it that is none.
pub(super) fn read(chars: &[char]) -> Result<Vec<Token>, Vec<Wrong>> {
    let mut reader = Reader { chars, at: 0, tokens: Vec::new(), wrong: Vec::new() };
    while reader.at < chars.len() {
        reader.token();
    }
    reader.parts();
    if reader.wrong.is_empty() { Ok(reader.tokens) } else { Err(reader.wrong) }
}

struct Reader<'c> {
    chars: &'c [char],
    at: usize,
    tokens: Vec<Token>,
    wrong: Vec<Wrong>,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn said(&self, from: usize, to: usize) -> String {
        self.chars[from..to.min(self.chars.len())].iter().collect()
    }

    fn refuse(&mut self, from: usize, got: impl Into<String>, want: impl Into<String>) {
        let (line, column) = place(self.chars, from);
        self.wrong.push(Wrong { line, column, got: got.into(), want: want.into() });
    }

    /// Moves on by `length` characters that are a token.
    fn take(&mut self, sign: Sign, length: usize) {
        self.tokens.push(Token { sign, from: self.at, to: self.at + length });
        self.at += length;
    }

    /// Moves on by `length` characters that are none.
    fn leave(&mut self, length: usize, want: &str) {
        self.refuse(self.at, self.said(self.at, self.at + length), want);
        self.at += length;
    }

    fn token(&mut self) {
        let Some(first) = self.peek(0) else { return };
        match first {
            ' ' | '\t' | '\n' | '\r' => self.at += 1,
            '0'..='9' => self.number(),
            '"' | '\'' => self.text(first),
            'a'..='z' | 'A'..='Z' | '_' => self.name(),
            _ => self.sign(first, self.peek(1)),
        }
    }

    fn sign(&mut self, first: char, second: Option<char>) {
        match (first, second) {
            ('=', Some('=')) | ('!', Some('=')) | ('<' | '>', Some('=')) => self.take(Sign::Between, 2),
            ('&', Some('&')) | ('|', Some('|')) => self.take(Sign::Between, 2),
            ('<' | '>' | '+' | '*' | '%', _) => self.take(Sign::Between, 1),
            ('/', Some('/')) => self.leave(2, "no comment here: the document has them, after #"),
            ('/', _) => self.take(Sign::Between, 1),
            ('-', _) if self.follows_a_value() => self.take(Sign::Between, 1),
            ('-' | '!', _) => self.take(Sign::Before, 1),
            ('?', _) => self.take(Sign::Question, 1),
            (':', _) => self.take(Sign::Colon, 1),
            ('.', _) => self.take(Sign::Dot, 1),
            (',', _) => self.take(Sign::Comma, 1),
            ('(' | '[', _) => self.take(Sign::Open(first), 1),
            (')' | ']', _) => self.take(Sign::Close(first), 1),
            _ => self.stranger(first),
        }
    }

    fn stranger(&mut self, first: char) {
        match first {
            '=' => self.leave(1, "== to compare"),
            '&' => self.leave(1, "&& for and"),
            '|' => self.leave(1, "|| for or"),
            '{' | '}' => {
                self.leave(1, "no maps or messages: conditions have texts, numbers, durations and lists")
            }
            '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2018}' | '\u{2019}' => {
                self.leave(1, "straight quotes: \" or '")
            }
            c if c.is_control() => {
                self.refuse(self.at, format!("the control character {:?}", c), "a space or a line feed");
                self.at += 1;
            }
            _ => self.leave(1, "a fact, a value or a sign such as ==, && or ("),
        }
    }

    fn follows_a_value(&self) -> bool {
        self.tokens
            .last()
            .is_some_and(|token| matches!(token.sign, Sign::Name | Sign::Value | Sign::Close(_)))
    }

    fn number(&mut self) {
        let from = self.at;
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut to = from;
        while self.chars.get(to).is_some_and(|c| word(*c)) {
            to += 1;
        }
        let is_broken = self.chars.get(to) == Some(&'.');
        if is_broken {
            to += 1;
            while self.chars.get(to).is_some_and(|c| word(*c)) {
                to += 1;
            }
        }
        let said = self.said(from, to);
        if !said.bytes().all(|byte| byte.is_ascii_digit()) {
            let want = "a whole number such as 3, a duration as duration(\"90s\"), shares in whole per cent";
            return self.leave(to - from, want);
        }
        if said.parse::<i64>().is_err() {
            return self.leave(to - from, "a whole number up to 9223372036854775807");
        }
        self.take(Sign::Value, to - from);
    }

    fn name(&mut self) {
        let word = |c: &&char| c.is_ascii_alphanumeric() || **c == '_';
        let length = self.chars[self.at..].iter().take_while(word).count();
        let said = self.said(self.at, self.at + length);
        match said.as_str() {
            "true" | "false" => self.take(Sign::Value, length),
            "in" => self.take(Sign::Between, length),
            "null" => self.leave(length, "has(...) to ask whether a fact is there"),
            word if RESERVED.contains(&word) => {
                self.leave(length, "another word, or quotes around it: CEL keeps this one for itself");
            }
            _ if matches!(self.peek(length), Some('"' | '\'')) => {
                self.leave(length, "a text without letters before its quotes");
            }
            _ => self.take(Sign::Name, length),
        }
    }

    fn text(&mut self, quote: char) {
        let from = self.at;
        let (mut to, mut escaped, mut length) = (from + 1, false, 0);
        loop {
            match self.chars.get(to).copied() {
                None | Some('\n' | '\r') => {
                    self.refuse(
                        from,
                        "a text that does not end",
                        format!("{quote} at its end, in the same line"),
                    );
                    self.at = to;
                    return;
                }
                Some(c) if escaped && !matches!(c, '\\' | '"' | '\'') => {
                    self.refuse(to - 1, format!("\\{c}"), "\\\\, \\\" or \\': a text has no other escapes");
                    escaped = false;
                }
                Some('\\') if !escaped => escaped = true,
                Some(c) if c == quote && !escaped => break,
                Some(c) if c.is_control() => {
                    self.refuse(to, format!("the control character {c:?}"), "a text of printed characters");
                }
                Some(_) => (escaped, length) = (false, length + 1),
            }
            to += 1;
        }
        // Three quotes begin another kind of text for the parser.
        if length == 0 && self.chars.get(to + 1) == Some(&quote) {
            self.at = to + 2;
            return self.refuse(from, "three quotes", "a text in one pair of quotes");
        }
        if length > TEXT_MAX {
            self.refuse(from, format!("a text of {length} characters"), format!("{TEXT_MAX} at most"));
        }
        self.take(Sign::Value, to + 1 - from);
    }

    fn parts(&mut self) {
        let parts = self.tokens.iter().filter(|token| token.is_part()).count();
        if parts > NODES_MAX {
            let want = format!("{NODES_MAX} at most: what has more is two rules");
            self.refuse(0, format!("a condition of {parts} parts"), want);
        }
    }
}
