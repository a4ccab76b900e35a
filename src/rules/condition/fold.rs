//! Nodes of the tree as they are made: what is known of their parts is reckoned at once. A fold never changes what comes
//! of a condition, failures included: `false && x` is false also where `x` fails.

use super::evaluate::Failure;
use super::tree::{Holds, Number, Order, Sum, Text, Truth};

pub(super) fn not(truth: Truth) -> Truth {
    match truth {
        Truth::Known(known) => Truth::Known(!known),
        Truth::Not(truth) => *truth,
        truth => Truth::Not(Box::new(truth)),
    }
}

pub(super) fn all(two: [Truth; 2]) -> Truth {
    let mut all = Vec::new();
    for truth in two {
        match truth {
            Truth::Known(false) => return Truth::Known(false),
            Truth::Known(true) => {}
            Truth::All(inner) => all.extend(inner),
            truth => all.push(truth),
        }
    }
    match all.len() {
        0 => Truth::Known(true),
        1 => all.remove(0),
        _ => Truth::All(all.into()),
    }
}

pub(super) fn any(two: [Truth; 2]) -> Truth {
    let mut any = Vec::new();
    for truth in two {
        match truth {
            Truth::Known(true) => return Truth::Known(true),
            Truth::Known(false) => {}
            Truth::Any(inner) => any.extend(inner),
            truth => any.push(truth),
        }
    }
    match any.len() {
        0 => Truth::Known(false),
        1 => any.remove(0),
        _ => Truth::Any(any.into()),
    }
}

pub(super) fn alike(one: Truth, other: Truth) -> Truth {
    match (one, other) {
        (Truth::Known(true), truth) | (truth, Truth::Known(true)) => truth,
        (Truth::Known(false), truth) | (truth, Truth::Known(false)) => not(truth),
        two => Truth::Alike(Box::new(two)),
    }
}

pub(super) fn numbers(order: Order, one: Number, other: Number) -> Truth {
    match (one, other) {
        (Number::Known(one), Number::Known(other)) => Truth::Known(order.holds(one.cmp(&other))),
        two => Truth::Numbers(order, Box::new(two)),
    }
}

pub(super) fn texts(order: Order, one: Text, other: Text) -> Truth {
    match (one, other) {
        (Text::Known(one), Text::Known(other)) => Truth::Known(order.holds(one.cmp(&other))),
        two => Truth::Texts(order, Box::new(two)),
    }
}

pub(super) fn part(holds: Holds, text: Text, part: Text) -> Truth {
    match (text, part) {
        (Text::Known(text), Text::Known(part)) => Truth::Known(holds.of(&text, &part)),
        two => Truth::Text(holds, Box::new(two)),
    }
}

pub(super) fn number_in(number: Number, list: Vec<Number>) -> Truth {
    let all_known = list.iter().all(|element| matches!(element, Number::Known(_)));
    if all_known && matches!(number, Number::Known(_)) {
        return Truth::Known(list.contains(&number));
    }
    Truth::NumberIn(Box::new(number), list.into())
}

pub(super) fn text_in(text: Text, list: Vec<Text>) -> Truth {
    let all_known = list.iter().all(|element| matches!(element, Text::Known(_)));
    if all_known && matches!(text, Text::Known(_)) {
        return Truth::Known(list.contains(&text));
    }
    Truth::TextIn(Box::new(text), list.into())
}

pub(super) fn turned(number: Number) -> Number {
    match number {
        Number::Known(known) => known.checked_neg().map_or(Number::Turned(Box::new(number)), Number::Known),
        number => Number::Turned(Box::new(number)),
    }
}

/// A constant that fails would fail for everybody.
pub(super) fn sum(sum: Sum, two: (Number, Number)) -> Result<Number, Failure> {
    match two {
        (Number::Known(one), Number::Known(other)) => sum.of(one, other).map(Number::Known),
        (_, Number::Known(0)) if matches!(sum, Sum::Over | Sum::Rest) => Err(Failure::DivisionByZero),
        two => Ok(Number::Sum(sum, Box::new(two))),
    }
}

pub(super) fn either(when: Truth, then: Truth, otherwise: Truth) -> Truth {
    match when {
        Truth::Known(true) => then,
        Truth::Known(false) => otherwise,
        when => Truth::If(Box::new((when, then, otherwise))),
    }
}

pub(super) fn either_number(when: Truth, then: Number, otherwise: Number) -> Number {
    match when {
        Truth::Known(true) => then,
        Truth::Known(false) => otherwise,
        when => Number::If(Box::new((when, then, otherwise))),
    }
}

pub(super) fn either_text(when: Truth, then: Text, otherwise: Text) -> Text {
    match when {
        Truth::Known(true) => then,
        Truth::Known(false) => otherwise,
        when => Text::If(Box::new((when, then, otherwise))),
    }
}
