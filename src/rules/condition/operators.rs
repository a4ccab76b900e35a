//! The signs of conditions: which kinds they are for, and what becomes of them in our tree. Constants are folded here; one
//! that fails (a division by zero, a number too large) is a mistake, since nothing could ever come of it.

use super::check::{Checker, Typed, short};
use super::fold;
use super::tree::{Number, Order, Sum, Text, Truth};
use super::wrong::nearest;
use crate::rules::facts::{Kind, Words};
use cel::common::ast::{CallExpr, Expr, IdedExpr, operators as signs};
use std::sync::Arc;

/// Its texts are names of queues.
const QUEUE: &str = "interaction.queue";

/// The elements of a list in the text.
enum List {
    Numbers(Vec<Number>),
    Durations(Vec<Number>),
    Texts(Vec<Text>),
}

fn order(sign: &str) -> Option<Order> {
    Some(match sign {
        signs::EQUALS => Order::Same,
        signs::NOT_EQUALS => Order::Other,
        signs::LESS => Order::Less,
        signs::LESS_EQUALS => Order::AtMost,
        signs::GREATER => Order::More,
        signs::GREATER_EQUALS => Order::AtLeast,
        _ => return None,
    })
}

fn sum(sign: &str) -> Option<Sum> {
    Some(match sign {
        signs::ADD => Sum::Plus,
        signs::SUBSTRACT => Sum::Minus,
        signs::MULTIPLY => Sum::Times,
        signs::DIVIDE => Sum::Over,
        signs::MODULO => Sum::Rest,
        _ => return None,
    })
}

impl Checker<'_> {
    pub(super) fn operator(&mut self, node: &IdedExpr, call: &CallExpr) -> Option<Typed> {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (signs::LOGICAL_AND, [one, other]) => {
                self.both(one, other).map(|two| Typed::Truth(fold::all(two)))
            }
            (signs::LOGICAL_OR, [one, other]) => {
                self.both(one, other).map(|two| Typed::Truth(fold::any(two)))
            }
            (signs::LOGICAL_NOT, [of]) => self.truth(of).map(|truth| Typed::Truth(fold::not(truth))),
            (signs::NEGATE, [of]) => self.turned(of),
            (signs::IN, [one, list]) => self.is_in(one, list).map(Typed::Truth),
            (signs::CONDITIONAL, [when, then, otherwise]) => self.either(when, then, otherwise),
            (sign, [one, other]) => match (order(sign), sum(sign)) {
                (Some(order), _) => self.compare(node, order, one, other).map(Typed::Truth),
                (None, Some(sum)) => self.sum(node, sum, one, other),
                (None, None) => self.no_sign(node),
            },
            _ => self.no_sign(node),
        }
    }

    fn no_sign(&mut self, node: &IdedExpr) -> Option<Typed> {
        let said = short(&self.parsed.said(node));
        self.refuse(node, said, "signs such as ==, <, +, && and ||");
        None
    }

    fn both(&mut self, one: &IdedExpr, other: &IdedExpr) -> Option<[Truth; 2]> {
        let (one, other) = (self.truth(one), self.truth(other));
        Some([one?, other?])
    }

    fn two(&mut self, one: &IdedExpr, other: &IdedExpr) -> Option<(Typed, Typed)> {
        let (one, other) = (self.typed(one), self.typed(other));
        Some((one?, other?))
    }

    fn turned(&mut self, node: &IdedExpr) -> Option<Typed> {
        match self.typed(node)? {
            Typed::Number(number) => Some(Typed::Number(fold::turned(number))),
            Typed::Duration(number) => Some(Typed::Duration(fold::turned(number))),
            other => {
                let got = self.described(node, other.kind());
                self.refuse(node, got, "a whole number or a duration behind -");
                None
            }
        }
    }

    fn sum(&mut self, node: &IdedExpr, sum: Sum, one: &IdedExpr, other: &IdedExpr) -> Option<Typed> {
        let made: fn(Number) -> Typed;
        let two = match self.two(one, other)? {
            (Typed::Number(first), Typed::Number(second)) => {
                made = Typed::Number;
                (first, second)
            }
            (Typed::Duration(first), Typed::Duration(second)) if matches!(sum, Sum::Plus | Sum::Minus) => {
                made = Typed::Duration;
                (first, second)
            }
            (first, second) => {
                let got = self.pair(one, first.kind(), other, second.kind());
                self.refuse(node, got, "two whole numbers, or two durations with + or -");
                return None;
            }
        };
        match fold::sum(sum, two) {
            Ok(number) => Some(made(number)),
            Err(failure) => {
                let got = format!("{}: {failure}", short(&self.parsed.said(node)));
                self.refuse(node, got, "numbers that can be reckoned with");
                None
            }
        }
    }

    fn pair(&self, one: &IdedExpr, first: Kind, other: &IdedExpr, second: Kind) -> String {
        format!("{}, and {}", self.described(one, first), self.described(other, second))
    }

    fn compare(&mut self, node: &IdedExpr, order: Order, one: &IdedExpr, other: &IdedExpr) -> Option<Truth> {
        match self.two(one, other)? {
            (Typed::Number(first), Typed::Number(second))
            | (Typed::Duration(first), Typed::Duration(second)) => Some(fold::numbers(order, first, second)),
            (Typed::Text(first), Typed::Text(second)) => {
                let right =
                    self.may_be(&first, order, &second, other) & self.may_be(&second, order, &first, one);
                right.then(|| fold::texts(order, first, second))
            }
            (Typed::Truth(first), Typed::Truth(second)) if order == Order::Same => {
                Some(fold::alike(first, second))
            }
            (Typed::Truth(first), Typed::Truth(second)) if order == Order::Other => {
                Some(fold::not(fold::alike(first, second)))
            }
            (first, second) => {
                let got = self.pair(one, first.kind(), other, second.kind());
                self.refuse(node, got, comparable(first.kind(), second.kind()));
                None
            }
        }
    }

    /// A fact of a few words is compared with one of them, and a date with one that is written as a date.
    fn may_be(&mut self, fact: &Text, order: Order, word: &Text, node: &IdedExpr) -> bool {
        let (Text::Ask(ask), Text::Known(word)) = (fact, word) else { return true };
        if &*ask.name == QUEUE && !word.is_empty() {
            self.named.named_queues.insert(Arc::clone(word));
        }
        let is_alike = matches!(order, Order::Same | Order::Other);
        match ask.row().map(|row| row.words) {
            Some(Words::Of(words)) if is_alike && !words.contains(&&**word) => {
                let said = words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>();
                let meant = nearest(word, said.iter().copied());
                let want =
                    meant.map_or_else(|| format!("one of {}", said.join(", ")), |meant| format!("{meant:?}"));
                self.refuse(node, format!("{word:?}, which {} never is", ask.name), want);
                false
            }
            Some(Words::Date) if !is_date(word) => {
                self.refuse(node, format!("{word:?}"), "a date as 2026-12-24");
                false
            }
            _ => true,
        }
    }

    fn either(&mut self, when: &IdedExpr, then: &IdedExpr, otherwise: &IdedExpr) -> Option<Typed> {
        let (when, two) = (self.truth(when), self.two(then, otherwise));
        let (when, two) = (when?, two?);
        match two {
            (Typed::Truth(one), Typed::Truth(other)) => Some(Typed::Truth(fold::either(when, one, other))),
            (Typed::Number(one), Typed::Number(other)) => {
                Some(Typed::Number(fold::either_number(when, one, other)))
            }
            (Typed::Duration(one), Typed::Duration(other)) => {
                Some(Typed::Duration(fold::either_number(when, one, other)))
            }
            (Typed::Text(one), Typed::Text(other)) => Some(Typed::Text(fold::either_text(when, one, other))),
            (first, second) => {
                let got = self.pair(then, first.kind(), otherwise, second.kind());
                self.refuse(then, got, "the same kind on both sides of :, and no list");
                None
            }
        }
    }

    fn is_in(&mut self, one: &IdedExpr, list: &IdedExpr) -> Option<Truth> {
        let Expr::List(elements) = &list.expr else { return self.is_among(one, list) };
        let (typed, found) = (self.typed(one), self.list(list, &elements.elements));
        match (typed?, found?) {
            (Typed::Text(text), List::Texts(texts)) => {
                let right = texts.iter().zip(&elements.elements);
                let wrong = right.filter(|(word, node)| !self.may_be(&text, Order::Same, word, node)).count();
                (wrong == 0).then(|| fold::text_in(text, texts))
            }
            (Typed::Number(number), List::Numbers(numbers))
            | (Typed::Duration(number), List::Durations(numbers)) => Some(fold::number_in(number, numbers)),
            (typed, _) => {
                let got =
                    format!("{}, in {}", self.described(one, typed.kind()), short(&self.parsed.said(list)));
                self.refuse(one, got, "texts in a list of texts, numbers in one of numbers");
                None
            }
        }
    }

    /// In a fact that is a list.
    fn is_among(&mut self, one: &IdedExpr, list: &IdedExpr) -> Option<Truth> {
        let (text, typed) = (self.text(one), self.typed(list));
        match typed? {
            Typed::Texts(ask) => {
                let text = text?;
                if let Text::Known(skill) = &text {
                    self.named.named_skills.insert(Arc::clone(skill));
                }
                Some(Truth::TextAmong(Box::new(text), ask))
            }
            other => {
                let got = self.described(list, other.kind());
                self.refuse(list, got, "a list behind in, as in [\"voice\", \"video\"]");
                None
            }
        }
    }

    fn list(&mut self, node: &IdedExpr, elements: &[IdedExpr]) -> Option<List> {
        let typed: Vec<Option<Typed>> = elements.iter().map(|element| self.typed(element)).collect();
        let typed: Vec<Typed> = typed.into_iter().collect::<Option<_>>()?;
        let (mut list, kind) = match typed.first().map(Typed::kind) {
            Some(kind @ Kind::Number) => (List::Numbers(Vec::new()), kind),
            Some(kind @ Kind::Duration) => (List::Durations(Vec::new()), kind),
            Some(kind @ Kind::Text) => (List::Texts(Vec::new()), kind),
            Some(_) => {
                self.refuse(
                    node,
                    short(&self.parsed.said(node)),
                    "a list of texts, whole numbers or durations",
                );
                return None;
            }
            None => {
                self.refuse(node, "an empty list", "an element at least: nothing is in it");
                return None;
            }
        };
        let before = self.wrong.len();
        for (element, typed) in elements.iter().zip(typed) {
            match (&mut list, typed) {
                (List::Numbers(numbers), Typed::Number(number)) => numbers.push(number),
                (List::Durations(numbers), Typed::Duration(number)) => numbers.push(number),
                (List::Texts(texts), Typed::Text(text)) => texts.push(text),
                (_, other) => {
                    let got = self.described(element, other.kind());
                    self.refuse(element, got, format!("{kind} like the first of the list"));
                }
            }
        }
        (self.wrong.len() == before).then_some(list)
    }
}

/// What two kinds that cannot be compared would have to be.
fn comparable(one: Kind, other: Kind) -> &'static str {
    match (one, other) {
        (Kind::Texts, _) | (_, Kind::Texts) => "in, as in \"mortgage\" in interaction.requires",
        (Kind::Truth, Kind::Truth) => "== or != between what is true or false",
        (Kind::Duration, _) | (_, Kind::Duration) => "a duration, as in duration(\"90s\"), on both sides",
        _ => "the same kind on both sides",
    }
}

/// As 2026-12-24.
fn is_date(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_shaped =
        text.len() == 10 && text.bytes().enumerate().all(|(at, byte)| (byte == b'-') == (at == 4 || at == 7));
    is_shaped && text.split('-').all(digits) && text.parse::<jiff::civil::Date>().is_ok()
}
