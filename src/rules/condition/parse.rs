//! From text to the parser's tree, and from its nodes back to the text. The parser is that of the `cel` crate, with no
//! macros; it sees a text only after `tokens` and `shape` have passed it.
//!
//! Of the crate's two parsers it is the default one: the other (feature `parser_pratt`) is hidden and does not say where
//! its nodes are. It says nothing on standard error and needs 30 to 300 microseconds. That the order of tokens is checked
//! before is no repetition: the parser's own messages list the tokens of its grammar, and none of its recovery is reached.

use super::shape;
use super::tokens::{self, DEPTH_MAX, Sign, Token, place};
use super::wrong::Wrong;
use cel::Env;
use cel::common::ast::{Expr, IdedExpr, SourceInfo};

/// A condition that has been parsed.
pub(super) struct Parsed {
    pub chars: Vec<char>,
    /// Where each character begins in the text, bytes: the parser counts in these.
    bytes: Vec<usize>,
    tokens: Vec<Token>,
    pub tree: IdedExpr,
    info: SourceInfo,
}

/// Parses it, or says what cannot be.
pub(super) fn parse(text: &str) -> Result<Parsed, Vec<Wrong>> {
    tokens::fits(text).map_err(|wrong| vec![wrong])?;
    let chars: Vec<char> = text.chars().collect();
    let tokens = tokens::read(&chars)?;
    shape::check(&chars, &tokens).map_err(|wrong| vec![wrong])?;
    let parser = Env::default().with_optional_support(false).parser();
    let (tree, info) = parser.parse_with_source_info(text).map_err(foreign)?;
    let bytes = text.char_indices().map(|(at, _)| at).collect();
    let parsed = Parsed { chars, bytes, tokens, tree, info };
    let depth = depth(&parsed.tree);
    if depth > DEPTH_MAX {
        let want = format!("{DEPTH_MAX} deep at most: what is deeper is two rules");
        return Err(vec![parsed.wrong_at(0, format!("a condition nested {depth} deep"), want)]);
    }
    Ok(parsed)
}

/// What only the parser knows to be wrong, in its words.
fn foreign(errors: cel::ParseErrors) -> Vec<Wrong> {
    let small = |number: isize| u32::try_from(number).unwrap_or_default().max(1);
    let said = |error: cel::parser::ParseError| Wrong {
        line: small(error.pos.0),
        column: small(error.pos.1),
        got: format!("what cannot be read ({})", error.msg),
        want: "a condition in CEL".to_owned(),
    };
    errors.errors.into_iter().take(1).map(said).collect()
}

/// What is directly below a node.
pub(super) fn below(node: &IdedExpr) -> Vec<&IdedExpr> {
    match &node.expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::List(list) => list.elements.iter().collect(),
        _ => Vec::new(),
    }
}

fn depth(node: &IdedExpr) -> usize {
    1 + below(node).into_iter().map(depth).max().unwrap_or(0)
}

impl Parsed {
    pub fn wrong(&self, node: &IdedExpr, got: impl Into<String>, want: impl Into<String>) -> Wrong {
        self.wrong_at(self.span(node).0, got, want)
    }

    fn wrong_at(&self, at: usize, got: impl Into<String>, want: impl Into<String>) -> Wrong {
        let (line, column) = place(&self.chars, at);
        Wrong { line, column, got: got.into(), want: want.into() }
    }

    /// What stands in the text for a node.
    pub fn said(&self, node: &IdedExpr) -> String {
        let (from, to) = self.span(node);
        self.chars[from..to].iter().collect()
    }

    /// The characters of a node, the end not included. The parser says where its sign is; this takes in everything below
    /// it, and the brackets, names and minus signs that have no node of their own.
    pub fn span(&self, node: &IdedExpr) -> (usize, usize) {
        let (mut from, mut to) = (usize::MAX, 0);
        self.reach(node, &mut from, &mut to);
        let first = self.tokens.iter().position(|token| token.to > from);
        let last = self.tokens.iter().rposition(|token| token.from < to);
        let (Some(mut first), Some(mut last)) = (first, last) else { return (0, self.chars.len()) };
        self.take_in_sign(&mut first);
        self.balance(&mut first, &mut last);
        self.take_in_sign(&mut first);
        (self.tokens[first].from, self.tokens[last].to)
    }

    fn reach(&self, node: &IdedExpr, from: &mut usize, to: &mut usize) {
        if let Some((start, stop)) = self.info.offset_for(node.id) {
            *from = self.char_at(start).min(*from);
            *to = (self.char_at(stop) + 1).max(*to);
        }
        below(node).into_iter().for_each(|node| self.reach(node, from, to));
    }

    /// The character that a byte belongs to.
    fn char_at(&self, byte: u32) -> usize {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        self.bytes.partition_point(|begin| *begin <= byte).saturating_sub(1)
    }

    /// The name of a call before its bracket, the minus of a number.
    fn take_in_sign(&self, first: &mut usize) {
        let Some(before) = first.checked_sub(1).map(|before| self.tokens[before].sign) else { return };
        let takes = match self.tokens[*first].sign {
            Sign::Open('(') => before == Sign::Name,
            Sign::Value => before == Sign::Before,
            _ => false,
        };
        if takes {
            *first -= 1;
        }
    }

    /// Widens it until every bracket in it has its other one in it, and takes in the field behind a last dot.
    fn balance(&self, first: &mut usize, last: &mut usize) {
        if self.tokens[*last].sign == Sign::Dot && *last + 1 < self.tokens.len() {
            *last += 1;
        }
        let (mut opened, mut closed) = (0_usize, 0_usize);
        for token in &self.tokens[*first..=*last] {
            match token.sign {
                Sign::Open(_) => opened += 1,
                Sign::Close(_) if opened > 0 => opened -= 1,
                Sign::Close(_) => closed += 1,
                _ => {}
            }
        }
        while opened > 0 && *last + 1 < self.tokens.len() {
            *last += 1;
            match self.tokens[*last].sign {
                Sign::Open(_) => opened += 1,
                Sign::Close(_) => opened -= 1,
                _ => {}
            }
        }
        while closed > 0 && *first > 0 {
            *first -= 1;
            match self.tokens[*first].sign {
                Sign::Close(_) => closed += 1,
                Sign::Open(_) => closed -= 1,
                _ => {}
            }
        }
    }
}
