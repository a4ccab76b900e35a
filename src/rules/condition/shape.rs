//! Whether the tokens of a condition stand in an order that means something: a value where one is wanted, a sign between
//! two, every bracket closed by its own, every question with its colon. The first that does not is told; what follows it
//! would be guesses.

use super::tokens::{DEPTH_MAX, LIST_MAX, Sign, Token, place};
use super::wrong::Wrong;

/// A bracket that is open, or the condition itself.
struct Bracket {
    opened: Option<Token>,
    /// It holds arguments or elements, which commas part.
    is_list: bool,
    commas: usize,
    /// `?` whose `:` is still to come.
    questions: usize,
}

impl Bracket {
    fn new(opened: Option<Token>, is_list: bool) -> Bracket {
        Bracket { opened, is_list, commas: 0, questions: 0 }
    }
}

/// Where a token may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// The name behind a dot.
    Name,
    Sign,
}

struct Shape<'c> {
    chars: &'c [char],
    open: Vec<Bracket>,
    next: Next,
    before: Option<Token>,
    questions: usize,
}

/// What is wrong with the order of the tokens, if something is.
pub(super) fn check(chars: &[char], tokens: &[Token]) -> Result<(), Wrong> {
    let mut shape =
        Shape { chars, open: vec![Bracket::new(None, false)], next: Next::Value, before: None, questions: 0 };
    for token in tokens {
        shape.take(*token)?;
        shape.before = Some(*token);
    }
    shape.end()
}

impl Shape<'_> {
    fn wrong(&self, token: Token, want: impl Into<String>) -> Wrong {
        let said: String = self.chars[token.from..token.to].iter().collect();
        self.wrong_at(token.from, said, want)
    }

    fn wrong_at(&self, at: usize, got: impl Into<String>, want: impl Into<String>) -> Wrong {
        let (line, column) = place(self.chars, at);
        Wrong { line, column, got: got.into(), want: want.into() }
    }

    fn here(&mut self) -> &mut Bracket {
        self.open.last_mut().expect("the condition itself is never closed")
    }

    fn take(&mut self, token: Token) -> Result<(), Wrong> {
        match (self.next, token.sign) {
            (Next::Value, Sign::Name | Sign::Value) => self.then(Next::Sign),
            (Next::Name, Sign::Name) => self.then(Next::Sign),
            (Next::Value, Sign::Before) => self.sign_before(token),
            (Next::Value, Sign::Open(bracket)) => self.open(token, bracket == '['),
            (Next::Value, Sign::Close(_)) if self.is_empty_list() => self.close(token),
            (Next::Sign, Sign::Between) => self.then(Next::Value),
            (Next::Sign, Sign::Dot) => self.then(Next::Name),
            (Next::Sign, Sign::Open('[')) => self.open(token, false),
            (Next::Sign, Sign::Open(_)) if self.before.is_some_and(|before| before.sign == Sign::Name) => {
                self.open(token, true)
            }
            (Next::Sign, Sign::Close(_)) => self.close(token),
            (Next::Sign, Sign::Comma) => self.comma(token),
            (Next::Sign, Sign::Question) => self.question(token),
            (Next::Sign, Sign::Colon) => self.colon(token),
            (Next::Value, _) => Err(self.wrong(token, "a fact, a value or a bracket")),
            (Next::Name, _) => Err(self.wrong(token, "the name of a fact behind the dot")),
            (Next::Sign, _) => Err(self.no_sign(token)),
        }
    }

    fn then(&mut self, next: Next) -> Result<(), Wrong> {
        self.next = next;
        Ok(())
    }

    fn no_sign(&self, token: Token) -> Wrong {
        let said: String = self.chars[token.from..token.to].iter().collect();
        let before = self.before.map(|before| self.chars[before.from..before.to].iter().collect::<String>());
        match (said.as_str(), before.as_deref()) {
            ("and", _) => self.wrong(token, "&&"),
            ("or", _) => self.wrong(token, "||"),
            ("is", _) => self.wrong(token, "=="),
            (_, Some("not")) => self.wrong(self.before.unwrap_or(token), "!"),
            _ => self.wrong(token, "a sign such as ==, in, && or || before it"),
        }
    }

    /// Of two alike the parser makes none, whatever they stand before; `!-` is not in the language.
    fn sign_before(&mut self, token: Token) -> Result<(), Wrong> {
        if self.before.is_some_and(|before| before.sign == Sign::Before) {
            return Err(self.wrong(token, "one ! or - before a value"));
        }
        Ok(())
    }

    fn open(&mut self, token: Token, is_list: bool) -> Result<(), Wrong> {
        if self.open.len() > DEPTH_MAX {
            return Err(self.wrong(token, format!("brackets in each other {DEPTH_MAX} deep at most")));
        }
        self.open.push(Bracket::new(Some(token), is_list));
        self.then(Next::Value)
    }

    /// Nothing stands in it: `f()` and `[]` are for the checker to judge.
    fn is_empty_list(&self) -> bool {
        let here = self.open.last().filter(|here| here.is_list && here.commas == 0);
        here.is_some_and(|here| here.opened == self.before)
    }

    fn close(&mut self, token: Token) -> Result<(), Wrong> {
        let here = self.here();
        let Some(opened) = here.opened else {
            return Err(self.wrong(token, "a bracket that was opened before"));
        };
        let fits = matches!(
            (opened.sign, token.sign),
            (Sign::Open('('), Sign::Close(')')) | (Sign::Open('['), Sign::Close(']'))
        );
        if !fits {
            let bracket = if opened.sign == Sign::Open('(') { ")" } else { "]" };
            return Err(self.wrong(token, bracket));
        }
        if here.questions > 0 {
            return Err(self.wrong(token, ": and what holds otherwise, before it"));
        }
        self.open.pop();
        self.then(Next::Sign)
    }

    fn comma(&mut self, token: Token) -> Result<(), Wrong> {
        let here = self.here();
        if !here.is_list || here.questions > 0 {
            return Err(self.wrong(token, "commas in lists and calls alone"));
        }
        here.commas += 1;
        if here.commas >= LIST_MAX {
            return Err(self.wrong(token, format!("a list of {LIST_MAX} elements at most")));
        }
        self.then(Next::Value)
    }

    fn question(&mut self, token: Token) -> Result<(), Wrong> {
        self.questions += 1;
        if self.questions > DEPTH_MAX {
            return Err(self.wrong(token, format!("{DEPTH_MAX} questions at most")));
        }
        self.here().questions += 1;
        self.then(Next::Value)
    }

    fn colon(&mut self, token: Token) -> Result<(), Wrong> {
        let here = self.here();
        if here.questions == 0 {
            return Err(self.wrong(token, "a condition and ? before it"));
        }
        here.questions -= 1;
        self.then(Next::Value)
    }

    fn end(&mut self) -> Result<(), Wrong> {
        let end = self.chars.len();
        if self.before.is_none() {
            return Err(self.wrong_at(0, "nothing", "a condition such as interaction.channel == \"voice\""));
        }
        if self.next != Next::Sign {
            return Err(self.wrong_at(end, "the end", "a fact or a value"));
        }
        let here = self.here();
        if here.questions > 0 {
            return Err(self.wrong_at(end, "the end", ": and what holds otherwise"));
        }
        match here.opened {
            Some(opened) => Err(self.wrong(opened, "the bracket that closes it")),
            None => Ok(()),
        }
    }
}
