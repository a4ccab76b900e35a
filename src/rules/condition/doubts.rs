//! What is right but hardly meant: parts that never or always hold, and facts that may be missing without `has()`. Warnings
//! of a draft; none of them keeps a rule set from being published.

use super::tree::{Ask, Number, Of, Order, Text, Truth};
use super::{Part, analysis};
use std::fmt;

/// One of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doubt {
    /// In the condition, the first being 1.
    pub line: u32,
    /// In characters, the first of the line being 1.
    pub column: u32,
    pub said: String,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.said)
    }
}

impl Doubt {
    fn of(part: &Part, said: String) -> Doubt {
        Doubt { line: part.line, column: part.column, said }
    }
}

pub(super) fn doubts(parts: &[Part]) -> Vec<Doubt> {
    let mut doubts = certain(parts);
    let guarded = Guarded::default().and(parts.iter().map(|part| &part.truth));
    for part in parts {
        let mut missing = Vec::new();
        guarded.unguarded(&part.truth, &mut missing);
        doubts.extend(missing.into_iter().map(|ask| Doubt::of(part, may_be_missing(ask))));
    }
    doubts
}

/// Parts that never hold, alone or beside those before them, and parts that always do.
fn certain(parts: &[Part]) -> Vec<Doubt> {
    let truths = |number: usize| parts[..=number].iter().map(|part| &part.truth);
    let never = (0..parts.len()).find(|number| analysis::never(truths(*number)));
    let said = |(number, part): (usize, &Part)| {
        if never == Some(number) {
            let is_alone = analysis::never([&part.truth].into_iter());
            let beside = if is_alone { "" } else { " beside what stands before it" };
            return Some(Doubt::of(part, format!("{} never holds{beside}", part.said)));
        }
        analysis::always(&part.truth).then(|| Doubt::of(part, format!("{} always holds", part.said)))
    };
    parts.iter().enumerate().filter_map(said).collect()
}

fn may_be_missing(ask: &Ask) -> String {
    let name = &ask.name;
    match ask.of {
        Of::Queue(_) => {
            format!("{name} may be missing, where no queue is named; ask for interaction.queue first")
        }
        _ => format!("{name} may be missing, and the rule is skipped then; has({name}) && ... asks first"),
    }
}

/// Facts that are there for certain where an expression is judged.
#[derive(Clone, Default)]
struct Guarded<'t> {
    there: Vec<&'t Ask>,
    /// A queue was named.
    queue: bool,
}

impl<'t> Guarded<'t> {
    /// Where these hold too.
    fn and(&self, all: impl Iterator<Item = &'t Truth>) -> Guarded<'t> {
        let mut guarded = self.clone();
        all.for_each(|truth| guarded.holds(truth));
        guarded
    }

    fn holds(&mut self, truth: &'t Truth) {
        match truth {
            Truth::Has(ask) => {
                self.there.push(ask);
                self.queue |= matches!(ask.of, Of::Queue(_));
            }
            Truth::All(parts) => parts.iter().for_each(|part| self.holds(part)),
            Truth::Not(truth) => self.holds_not(truth),
            Truth::Texts(order, two) => {
                let (Text::Ask(ask), Text::Known(known)) = &**two else { return };
                let is_named = (*order == Order::Same) != known.is_empty();
                self.queue |= &*ask.name == "interaction.queue" && is_named;
            }
            Truth::TextIn(text, _) => {
                self.queue |= matches!(&**text, Text::Ask(ask) if &*ask.name == "interaction.queue");
            }
            _ => {}
        }
    }

    /// Where it is false.
    fn holds_not(&mut self, truth: &'t Truth) {
        match truth {
            Truth::Not(truth) => self.holds(truth),
            Truth::Any(parts) => parts.iter().for_each(|part| self.holds_not(part)),
            _ => {}
        }
    }

    fn or_not(&self, parts: &'t [Truth]) -> Guarded<'t> {
        let mut guarded = self.clone();
        parts.iter().for_each(|part| guarded.holds_not(part));
        guarded
    }

    fn is_there(&self, ask: &Ask) -> bool {
        let is_figure = matches!(ask.of, Of::Queue(fact) if fact.field() != "estimated_wait");
        !ask.may_be_missing() || self.there.contains(&ask) || is_figure && self.queue
    }

    fn look(&self, ask: &'t Ask, missing: &mut Vec<&'t Ask>) {
        if !self.is_there(ask) && !missing.contains(&ask) {
            missing.push(ask);
        }
    }

    fn unguarded(&self, truth: &'t Truth, missing: &mut Vec<&'t Ask>) {
        match truth {
            Truth::Has(_) => {}
            Truth::Not(truth) => self.unguarded(truth, missing),
            Truth::All(parts) => {
                let guarded = self.and(parts.iter());
                parts.iter().for_each(|part| guarded.unguarded(part, missing));
            }
            // An alternative matters where the others do not hold.
            Truth::Any(parts) => {
                let guarded = self.or_not(parts);
                parts.iter().for_each(|part| guarded.unguarded(part, missing));
            }
            Truth::If(parts) => {
                let [then, otherwise] = self.either(&parts.0, missing);
                then.unguarded(&parts.1, missing);
                otherwise.unguarded(&parts.2, missing);
            }
            Truth::Alike(two) => [&two.0, &two.1].into_iter().for_each(|part| self.unguarded(part, missing)),
            Truth::Numbers(_, two) => {
                [&two.0, &two.1].into_iter().for_each(|part| self.number(part, missing))
            }
            Truth::Texts(_, two) | Truth::Text(_, two) => {
                [&two.0, &two.1].into_iter().for_each(|part| self.text(part, missing));
            }
            Truth::NumberIn(number, list) => {
                self.number(number, missing);
                list.iter().for_each(|element| self.number(element, missing));
            }
            Truth::TextIn(text, list) => {
                self.text(text, missing);
                list.iter().for_each(|element| self.text(element, missing));
            }
            truth => truth.asks(&mut |ask| self.look(ask, missing)),
        }
    }

    fn number(&self, number: &'t Number, missing: &mut Vec<&'t Ask>) {
        match number {
            Number::Turned(number) => self.number(number, missing),
            Number::Sum(_, two) => [&two.0, &two.1].into_iter().for_each(|part| self.number(part, missing)),
            Number::Characters(text) => self.text(text, missing),
            Number::If(parts) => {
                let [then, otherwise] = self.either(&parts.0, missing);
                then.number(&parts.1, missing);
                otherwise.number(&parts.2, missing);
            }
            number => number.asks(&mut |ask| self.look(ask, missing)),
        }
    }

    fn text(&self, text: &'t Text, missing: &mut Vec<&'t Ask>) {
        match text {
            Text::If(parts) => {
                let [then, otherwise] = self.either(&parts.0, missing);
                then.text(&parts.1, missing);
                otherwise.text(&parts.2, missing);
            }
            text => text.asks(&mut |ask| self.look(ask, missing)),
        }
    }

    /// Where a question is answered with yes, and with no.
    fn either(&self, when: &'t Truth, missing: &mut Vec<&'t Ask>) -> [Guarded<'t>; 2] {
        self.unguarded(when, missing);
        [self.and([when].into_iter()), self.or_not(std::slice::from_ref(when))]
    }
}
