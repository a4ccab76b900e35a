//! What is certain of a condition whatever the facts: that it never holds, always holds, or holds wherever another does.
//! Conservative: a comparison of a fact with constants is understood, everything else is taken for a riddle that is equal
//! to itself alone. So "no" means "cannot be told".

use super::tree::{Ask, Number, Of, Order, Text, Truth};
use super::values::Values;
use std::collections::BTreeSet;

/// A condition, or that it does not hold, as far as it is understood.
enum Form<'t> {
    Known(bool),
    /// The fact is there and is one of these.
    Within(&'t Ask, Values<'t>),
    There(&'t Ask),
    NotThere(&'t Ask),
    All(Vec<Form<'t>>),
    Any(Vec<Form<'t>>),
    Riddle(&'t Truth),
    /// The riddle does not hold.
    Unsolved(&'t Truth),
}

/// That it holds.
fn holding(truth: &Truth) -> Form<'_> {
    match truth {
        Truth::Known(known) => Form::Known(*known),
        Truth::Has(ask) => Form::There(ask),
        Truth::Not(truth) => not_holding(truth),
        Truth::All(parts) => Form::All(parts.iter().map(holding).collect()),
        Truth::Any(parts) => Form::Any(parts.iter().map(holding).collect()),
        Truth::If(parts) if !has_question(&parts.0) => {
            let (when, then, otherwise) = &**parts;
            either([holding(when), holding(then)], [not_holding(when), holding(otherwise)])
        }
        truth => within(truth).map_or(Form::Riddle(truth), |(ask, values)| Form::Within(ask, values)),
    }
}

/// That it is false, not that it fails.
fn not_holding(truth: &Truth) -> Form<'_> {
    match truth {
        Truth::Known(known) => Form::Known(!*known),
        Truth::Has(ask) => Form::NotThere(ask),
        Truth::Not(truth) => holding(truth),
        Truth::All(parts) => Form::Any(parts.iter().map(not_holding).collect()),
        Truth::Any(parts) => Form::All(parts.iter().map(not_holding).collect()),
        Truth::If(parts) if !has_question(&parts.0) => {
            let (when, then, otherwise) = &**parts;
            either([holding(when), not_holding(then)], [not_holding(when), not_holding(otherwise)])
        }
        truth => {
            within(truth).map_or(Form::Unsolved(truth), |(ask, values)| Form::Within(ask, values.rest()))
        }
    }
}

fn either<'t>(one: [Form<'t>; 2], other: [Form<'t>; 2]) -> Form<'t> {
    Form::Any(vec![Form::All(one.into()), Form::All(other.into())])
}

/// The fact that it is a comparison of, with constants, and with nothing else.
pub(super) fn asked_alone(truth: &Truth) -> Option<&Ask> {
    if let Form::Within(ask, _) = holding(truth) { Some(ask) } else { None }
}

/// What is asked by a question stands twice in its form; a question within that would double it again.
fn has_question(truth: &Truth) -> bool {
    match truth {
        Truth::If(_) => true,
        Truth::Not(truth) => has_question(truth),
        Truth::All(parts) | Truth::Any(parts) => parts.iter().any(has_question),
        _ => false,
    }
}

/// A comparison of a fact with constants.
fn within(truth: &Truth) -> Option<(&Ask, Values<'_>)> {
    match truth {
        Truth::Ask(ask) => Some((ask, Values::Numbers(vec![(1, 1)]))),
        Truth::Numbers(order, two) => match &**two {
            (Number::Ask(ask), Number::Known(known)) => Some((ask, span(*order, *known))),
            (Number::Known(known), Number::Ask(ask)) => Some((ask, span(order.turned(), *known))),
            _ => None,
        },
        Truth::Texts(order, two) => match &**two {
            (Text::Ask(ask), Text::Known(known)) | (Text::Known(known), Text::Ask(ask)) => {
                alike(*order, known).map(|values| (ask, values))
            }
            _ => None,
        },
        Truth::NumberIn(number, list) => {
            let Number::Ask(ask) = &**number else { return None };
            let known =
                |element: &Number| if let Number::Known(known) = element { Some(*known) } else { None };
            let known = list.iter().map(known).collect::<Option<Vec<i64>>>()?;
            Some((ask, Values::these(known.into_iter())))
        }
        Truth::TextIn(text, list) => {
            let Text::Ask(ask) = &**text else { return None };
            list.iter()
                .map(known_text)
                .collect::<Option<BTreeSet<&str>>>()
                .map(|known| (ask, Values::Among(known)))
        }
        _ => None,
    }
}

fn known_text(text: &Text) -> Option<&str> {
    if let Text::Known(known) = text { Some(known) } else { None }
}

impl Order {
    /// With its two sides changed over.
    fn turned(self) -> Order {
        match self {
            Order::Less => Order::More,
            Order::AtMost => Order::AtLeast,
            Order::More => Order::Less,
            Order::AtLeast => Order::AtMost,
            order => order,
        }
    }
}

fn span<'t>(order: Order, than: i64) -> Values<'t> {
    let up_to = |to: Option<i64>| Values::Numbers(to.map(|to| (i64::MIN, to)).into_iter().collect());
    match order {
        Order::Same => Values::these([than].into_iter()),
        Order::Other => Values::these([than].into_iter()).rest(),
        Order::Less => up_to(than.checked_sub(1)),
        Order::AtMost => up_to(Some(than)),
        Order::More => up_to(Some(than)).rest(),
        Order::AtLeast => up_to(than.checked_sub(1)).rest(),
    }
}

fn alike(order: Order, word: &str) -> Option<Values<'_>> {
    match order {
        Order::Same => Some(Values::Among([word].into())),
        Order::Other => Some(Values::Outside([word].into())),
        _ => None,
    }
}

/// What is certain where several forms hold at once.
#[derive(Clone, Default)]
pub(super) struct Certain<'t> {
    facts: Vec<(&'t Ask, Values<'t>)>,
    there: Vec<&'t Ask>,
    not_there: Vec<&'t Ask>,
    riddles: Vec<&'t Truth>,
    unsolved: Vec<&'t Truth>,
    contradicts_itself: bool,
}

impl<'t> Certain<'t> {
    /// Takes in what a form makes certain, and collects the choices in it, which make nothing certain alone.
    fn add<'f>(&mut self, form: &'f Form<'t>, choices: &mut Vec<&'f [Form<'t>]>) {
        match form {
            Form::Known(true) => {}
            Form::Known(false) => self.contradicts_itself = true,
            Form::Within(ask, values) => self.cut(ask, values),
            Form::There(ask) => self.there.push(ask),
            Form::NotThere(ask) => self.not_there.push(ask),
            Form::All(parts) => parts.iter().for_each(|part| self.add(part, choices)),
            Form::Any(parts) => choices.push(parts),
            Form::Riddle(truth) => self.riddles.push(truth),
            Form::Unsolved(truth) => self.unsolved.push(truth),
        }
    }

    fn cut(&mut self, ask: &'t Ask, values: &Values<'t>) {
        match self.facts.iter_mut().find(|(known, _)| *known == ask) {
            Some((_, known)) => *known = known.cut(values),
            None => self.facts.push((ask, Values::all(ask).cut(values))),
        }
    }

    fn is_contradiction(&self) -> bool {
        let is_asked =
            |ask: &&Ask| self.facts.iter().any(|(known, _)| known == ask) || self.there.contains(ask);
        self.contradicts_itself
            || self.facts.iter().any(|(_, values)| values.is_empty())
            || self.not_there.iter().any(is_asked)
            || self.riddles.iter().any(|riddle| self.unsolved.contains(riddle))
    }

    /// True if the form holds for certain. That what it asks for is there must be certain too, or it could fail.
    fn makes(&self, form: &Form<'t>) -> bool {
        match form {
            Form::Known(known) => *known,
            Form::Within(ask, values) => match self.facts.iter().find(|(known, _)| known == ask) {
                Some((_, known)) => known.is_within(values),
                None => never_fails(ask) && Values::all(ask).is_within(values),
            },
            Form::There(ask) => self.there.contains(ask) || self.facts.iter().any(|(known, _)| known == ask),
            Form::NotThere(ask) => self.not_there.contains(ask),
            Form::All(parts) => parts.iter().all(|part| self.makes(part)),
            Form::Any(parts) => parts.iter().any(|part| self.makes(part)),
            Form::Riddle(truth) => self.riddles.contains(truth),
            Form::Unsolved(truth) => self.unsolved.contains(truth),
        }
    }

    /// The facts with what is certain of them, those that are always there alone.
    pub(super) fn always_there(&self) -> impl Iterator<Item = (&'t Ask, &Values<'t>)> {
        self.facts.iter().filter(|(ask, _)| never_fails(ask)).map(|(ask, values)| (*ask, values))
    }
}

fn never_fails(ask: &Ask) -> bool {
    matches!(ask.of, Of::Row(_)) && !ask.may_be_missing()
}

/// What is certain where all of them hold, without what is certain in one of several choices alone.
pub(super) fn certain<'t>(all: impl Iterator<Item = &'t Truth>) -> Certain<'t> {
    let mut certain = Certain::default();
    let forms: Vec<Form<'t>> = all.map(holding).collect();
    forms.iter().for_each(|form| certain.add(form, &mut Vec::new()));
    certain
}

pub(super) fn never<'t>(all: impl Iterator<Item = &'t Truth>) -> bool {
    contradicts(&Certain::default(), &Form::All(all.map(holding).collect()))
}

pub(super) fn always(truth: &Truth) -> bool {
    contradicts(&Certain::default(), &not_holding(truth))
}

fn contradicts<'t>(known: &Certain<'t>, form: &Form<'t>) -> bool {
    let (mut certain, mut choices) = (known.clone(), Vec::new());
    certain.add(form, &mut choices);
    certain.is_contradiction()
        || choices.iter().any(|choice| choice.iter().all(|form| contradicts(&certain, form)))
}

pub(super) fn implies<'t>(
    all: impl Iterator<Item = &'t Truth>,
    others: impl Iterator<Item = &'t Truth>,
) -> bool {
    let forms: Vec<Form<'t>> = all.map(holding).collect();
    let (mut certain, mut choices) = (Certain::default(), Vec::new());
    forms.iter().for_each(|form| certain.add(form, &mut choices));
    certain.is_contradiction()
        || others.map(holding).all(|other| certain.makes(&other) || chosen(&certain, &choices, &other))
}

/// Whichever of one choice is taken, it makes the form hold.
fn chosen<'t>(certain: &Certain<'t>, choices: &[&[Form<'t>]], other: &Form<'t>) -> bool {
    choices.iter().any(|choice| {
        choice.iter().all(|form| {
            let mut certain = certain.clone();
            certain.add(form, &mut Vec::new());
            certain.is_contradiction() || certain.makes(other)
        })
    })
}
