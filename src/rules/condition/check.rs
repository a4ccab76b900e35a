//! From the parser's tree to ours: every name is a fact that is declared, every sign stands between values it is for, and
//! the whole is true or false. Everything that is wrong is told, not the first alone: what is wrong below a node leaves
//! that node without a type, and its neighbours are looked at all the same.

use super::Uses;
use super::evaluate::size;
use super::fold;
use super::names;
use super::parse::Parsed;
use super::tree::{Ask, Holds, Number, Text, Truth};
use super::wrong::{Wrong, nearest};
use crate::rules::facts::{Declarations, Kind};
use crate::rules::values;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};
use serde::Deserialize;
use serde::de::IntoDeserializer;

/// The functions of conditions.
pub(super) const FUNCTIONS: [&str; 6] = ["has", "size", "duration", "startsWith", "endsWith", "contains"];

/// A node with what it is.
pub(super) enum Typed {
    Truth(Truth),
    Number(Number),
    Duration(Number),
    Text(Text),
    Texts(Ask),
}

impl Typed {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Typed::Truth(_) => Kind::Truth,
            Typed::Number(_) => Kind::Number,
            Typed::Duration(_) => Kind::Duration,
            Typed::Text(_) => Kind::Text,
            Typed::Texts(_) => Kind::Texts,
        }
    }
}

pub(super) struct Checker<'c> {
    pub(super) parsed: &'c Parsed,
    pub(super) declared: &'c Declarations,
    pub(super) wrong: Vec<Wrong>,
    /// Names that are compared with what the source says: queues and skills.
    pub(super) named: Uses,
}

/// The nodes that must all hold, as far as the condition as a whole says so: one after the other in the text.
pub(super) fn conjuncts(node: &IdedExpr) -> Vec<&IdedExpr> {
    match &node.expr {
        Expr::Call(call) if call.func_name == operators::LOGICAL_AND => {
            call.args.iter().flat_map(conjuncts).collect()
        }
        _ => vec![node],
    }
}

impl Checker<'_> {
    pub(super) fn refuse(&mut self, node: &IdedExpr, got: impl Into<String>, want: impl Into<String>) {
        let wrong = self.parsed.wrong(node, got, want);
        self.wrong.push(wrong);
    }

    /// As it is said and what it is.
    pub(super) fn described(&self, node: &IdedExpr, kind: Kind) -> String {
        format!("{}, which is {kind}", short(&self.parsed.said(node)))
    }

    /// It must be true or false.
    pub(super) fn truth(&mut self, node: &IdedExpr) -> Option<Truth> {
        match self.typed(node)? {
            Typed::Truth(truth) => Some(truth),
            other => {
                let got = self.described(node, other.kind());
                self.refuse(node, got, "what is true or false");
                None
            }
        }
    }

    pub(super) fn typed(&mut self, node: &IdedExpr) -> Option<Typed> {
        match &node.expr {
            Expr::Literal(literal) => self.literal(node, literal),
            Expr::Ident(_) | Expr::Select(_) => self.fact(node),
            Expr::Call(call) => self.call(node, call),
            Expr::List(_) => {
                self.refuse(
                    node,
                    "a list",
                    "lists behind in alone, as in interaction.channel in [\"voice\", \"video\"]",
                );
                None
            }
            _ => {
                let said = short(&self.parsed.said(node));
                self.refuse(node, said, "facts, texts, whole numbers, durations and lists");
                None
            }
        }
    }

    fn literal(&mut self, node: &IdedExpr, literal: &LiteralValue) -> Option<Typed> {
        match literal {
            LiteralValue::Boolean(known) => Some(Typed::Truth(Truth::Known(*known.inner()))),
            LiteralValue::Int(known) => Some(Typed::Number(Number::Known(*known.inner()))),
            LiteralValue::String(known) => Some(Typed::Text(Text::Known(known.inner().into()))),
            _ => {
                let said = short(&self.parsed.said(node));
                self.refuse(node, said, "a text, a whole number, true or false");
                None
            }
        }
    }

    fn fact(&mut self, node: &IdedExpr) -> Option<Typed> {
        let ask = self.ask(node)?;
        Some(match names::kind(&ask) {
            Kind::Truth => Typed::Truth(Truth::Ask(ask)),
            Kind::Number => Typed::Number(Number::Ask(ask)),
            Kind::Duration => Typed::Duration(Number::Ask(ask)),
            Kind::Text => Typed::Text(Text::Ask(ask)),
            Kind::Texts => Typed::Texts(ask),
        })
    }

    pub(super) fn ask(&mut self, node: &IdedExpr) -> Option<Ask> {
        match names::resolve(node, self.declared) {
            Ok(ask) => Some(ask),
            Err(unknown) => {
                let said = short(&self.parsed.said(node));
                self.refuse(node, unknown.got(&said), unknown.want());
                None
            }
        }
    }

    fn call(&mut self, node: &IdedExpr, call: &CallExpr) -> Option<Typed> {
        if call.func_name == operators::INDEX {
            return self.fact(node);
        }
        if names::is_operator(&call.func_name) {
            return self.operator(node, call);
        }
        let all: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        match (call.func_name.as_str(), call.target.is_some(), all.as_slice()) {
            ("has", false, [fact]) => self.has(fact),
            ("duration", false, [text]) => self.duration(text),
            ("size", _, [of]) => self.size(of),
            ("startsWith", true, [text, part]) => self.part(Holds::Begins, text, part),
            ("endsWith", true, [text, part]) => self.part(Holds::Ends, text, part),
            ("contains", true, [text, part]) => self.part(Holds::Contains, text, part),
            (name, _, _) => {
                self.no_function(node, name);
                None
            }
        }
    }

    fn no_function(&mut self, node: &IdedExpr, name: &str) {
        let want = match name {
            "has" => "has(interaction.due_in): one fact".to_owned(),
            "duration" => "duration(\"1h30m\"): one text".to_owned(),
            "size" => "size(interaction.requires): one text or list".to_owned(),
            "startsWith" | "endsWith" | "contains" => format!("interaction.intent.{name}(\"cancel\")"),
            "matches" => "startsWith, endsWith or contains: patterns are not for rules".to_owned(),
            _ => match nearest(name, FUNCTIONS.into_iter()) {
                Some(meant) => meant.to_owned(),
                None => format!("one of {}", FUNCTIONS.join(", ")),
            },
        };
        self.refuse(node, format!("the call {}", short(&self.parsed.said(node))), want);
    }

    fn has(&mut self, node: &IdedExpr) -> Option<Typed> {
        if !matches!(node.expr, Expr::Select(_)) {
            let said = short(&self.parsed.said(node));
            self.refuse(node, said, "a fact with a dot, as in has(interaction.due_in)");
            return None;
        }
        let ask = self.ask(node)?;
        let always = ask.row().is_some_and(|fact| !fact.may_be_missing);
        Some(Typed::Truth(if always { Truth::Known(true) } else { Truth::Has(ask) }))
    }

    fn duration(&mut self, node: &IdedExpr) -> Option<Typed> {
        let Expr::Literal(LiteralValue::String(text)) = &node.expr else {
            let said = short(&self.parsed.said(node));
            self.refuse(node, said, "a duration in quotes, as in duration(\"1h30m\")");
            return None;
        };
        let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
            text.inner().into_deserializer();
        match values::Duration::deserialize(text) {
            Ok(values::Duration(ms)) => {
                Some(Typed::Duration(Number::Known(i64::try_from(ms).unwrap_or(i64::MAX))))
            }
            Err(_) => {
                let said = short(&self.parsed.said(node));
                self.refuse(node, said, "a duration such as 30s, 15m or 1h30m, up to 366d");
                None
            }
        }
    }

    fn size(&mut self, node: &IdedExpr) -> Option<Typed> {
        match self.typed(node)? {
            Typed::Text(Text::Known(text)) => Some(Typed::Number(Number::Known(size(text.chars().count())))),
            Typed::Text(text) => Some(Typed::Number(Number::Characters(Box::new(text)))),
            Typed::Texts(ask) => Some(Typed::Number(Number::Count(ask))),
            other => {
                let got = self.described(node, other.kind());
                self.refuse(node, got, "a text or a list of texts");
                None
            }
        }
    }

    fn part(&mut self, holds: Holds, text: &IdedExpr, part: &IdedExpr) -> Option<Typed> {
        let (text, part) = (self.text(text), self.text(part));
        Some(Typed::Truth(fold::part(holds, text?, part?)))
    }

    pub(super) fn text(&mut self, node: &IdedExpr) -> Option<Text> {
        match self.typed(node)? {
            Typed::Text(text) => Some(text),
            other => {
                let got = self.described(node, other.kind());
                self.refuse(node, got, "a text");
                None
            }
        }
    }
}

/// Not more of it than a line of a message has room for.
pub(super) fn short(said: &str) -> String {
    const LENGTH: usize = 60;
    let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LENGTH) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
