//! What the names of a condition mean: a row of the table of facts, a figure of a queue, opening hours, an attribute that
//! the document declares; or which of them may have been meant.

use super::tree::{Ask, Of};
use super::wrong::nearest;
use crate::rules::facts::{Declarations, FACTS, Kind, fact};
use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};
use std::sync::Arc;

/// What stands before the first dot or bracket.
const HEADS: [&str; 8] =
    ["interaction", "customer", "journey", "time", "queue", "queues", "hours", "attribute"];

/// Why a name is no fact.
pub(super) enum Unknown {
    /// A word alone.
    Bare(String),
    /// No fact of that name; the nearest, or what there is.
    NoFact(String),
    /// An attribute that the document does not declare.
    NotDeclared { name: String, nearest: Option<String> },
    /// A dot or bracket behind what has none.
    NoParts,
}

impl Unknown {
    pub(super) fn got(&self, said: &str) -> String {
        match self {
            Unknown::Bare(_) | Unknown::NoParts => said.to_owned(),
            Unknown::NoFact(_) => format!("{said}, which is no fact"),
            Unknown::NotDeclared { .. } => format!("{said}, which the document does not declare"),
        }
    }

    pub(super) fn want(&self) -> String {
        match self {
            Unknown::Bare(word) if HEADS.contains(&word.as_str()) => behind(word),
            Unknown::Bare(word) => {
                format!("a fact such as interaction.channel, or a text in quotes: {word:?}")
            }
            Unknown::NoFact(want) => want.clone(),
            Unknown::NotDeclared { nearest: Some(meant), .. } => format!("attribute.{meant}"),
            Unknown::NotDeclared { name, .. } => format!("{name} under facts of the document, with its type"),
            Unknown::NoParts => {
                "a fact such as interaction.channel, queues[\"loans\"].waiting or hours[\"head office\"]"
                    .to_owned()
            }
        }
    }
}

/// What may stand behind a head.
fn behind(head: &str) -> String {
    match head {
        "hours" => "hours[\"head office\"]: the name of opening hours in quotes".to_owned(),
        "queues" => "queues[\"loans\"].waiting: the name of a queue in quotes, and a figure of it".to_owned(),
        "attribute" => "attribute.NAME of a fact that the document declares".to_owned(),
        _ => {
            let fields = FACTS.iter().filter(|fact| fact.name.split('.').next() == Some(head));
            let fields: Vec<&str> = fields.map(|fact| fact.field()).collect();
            format!("{head}. and one of {}", fields.join(", "))
        }
    }
}

pub(super) fn kind(ask: &Ask) -> Kind {
    match &ask.of {
        Of::Row(fact) | Of::Queue(fact) | Of::Queues(_, fact) => fact.kind,
        Of::Hours(_) => Kind::Truth,
        Of::Attribute(_, kind) => (*kind).into(),
    }
}

/// True for the signs of the language, which the parser turns into calls.
pub(super) fn is_operator(name: &str) -> bool {
    name == operators::IN || name.contains('_') && !name.contains(|c: char| c.is_ascii_alphanumeric())
}

/// The fact that a node asks for.
pub(super) fn resolve(node: &IdedExpr, declared: &Declarations) -> Result<Ask, Unknown> {
    match &node.expr {
        Expr::Ident(word) => Err(Unknown::Bare(word.clone())),
        Expr::Select(select) => match &select.operand.expr {
            Expr::Ident(head) => of_head(head, &select.field, declared),
            _ => match entry(&select.operand) {
                Some(("queues", queue)) => of_queue(queue, &select.field),
                _ => Err(Unknown::NoParts),
            },
        },
        _ => match entry(node) {
            Some(("hours", hours)) => {
                Ok(Ask { name: format!("hours[{hours:?}]").into(), of: Of::Hours(hours.into()) })
            }
            Some(("queues", _)) => Err(Unknown::NoFact(behind("queues"))),
            _ => Err(Unknown::NoParts),
        },
    }
}

/// `head["name"]`.
fn entry(node: &IdedExpr) -> Option<(&str, &str)> {
    let Expr::Call(call) = &node.expr else { return None };
    match call.args.as_slice() {
        [
            IdedExpr { expr: Expr::Ident(head), .. },
            IdedExpr { expr: Expr::Literal(LiteralValue::String(name)), .. },
        ] if call.func_name == operators::INDEX => Some((head, name.inner())),
        _ => None,
    }
}

fn of_head(head: &str, field: &str, declared: &Declarations) -> Result<Ask, Unknown> {
    let said = format!("{head}.{field}");
    if head == "attribute" {
        let Some(kind) = declared.kind(field) else { return Err(not_declared(field, declared)) };
        return Ok(Ask { name: said.into(), of: Of::Attribute(field.into(), kind) });
    }
    match fact(&said) {
        Some(fact) if fact.is_of_a_queue() => Ok(Ask { name: said.into(), of: Of::Queue(fact) }),
        Some(fact) => Ok(Ask { name: said.into(), of: Of::Row(fact) }),
        None => Err(Unknown::NoFact(meant(&said, head))),
    }
}

fn not_declared(field: &str, declared: &Declarations) -> Unknown {
    let names = declared.0.keys().map(String::as_str);
    Unknown::NotDeclared { name: field.to_owned(), nearest: nearest(field, names).map(str::to_owned) }
}

fn meant(said: &str, head: &str) -> String {
    match nearest(said, FACTS.iter().map(|fact| fact.name)) {
        Some(meant) => meant.to_owned(),
        None if HEADS.contains(&head) => behind(head),
        None => format!("a fact of {}", HEADS.join(", ")),
    }
}

fn of_queue(queue: &str, field: &str) -> Result<Ask, Unknown> {
    let row = fact(&format!("queue.{field}")).filter(|fact| fact.is_of_a_queue());
    let Some(fact) = row else {
        let fields = FACTS.iter().filter(|fact| fact.is_of_a_queue()).map(|fact| fact.field());
        let meant = nearest(field, fields).map(|meant| format!("queues[{queue:?}].{meant}"));
        return Err(Unknown::NoFact(meant.unwrap_or_else(|| behind("queue"))));
    };
    Ok(Ask { name: Arc::from(format!("queues[{queue:?}].{field}")), of: Of::Queues(queue.into(), fact) })
}
