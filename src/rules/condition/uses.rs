//! What conditions ask for, so that nothing is gathered or recorded that no rule reads.

use super::tree::{Ask, Number, Of, Text, Truth};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What one condition, or a whole rule set, asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Uses {
    /// Rows of the table of facts, by name; those of `queue.*` stand for any queue that is asked for.
    pub facts: BTreeSet<&'static str>,
    /// Opening hours, by name.
    pub hours: BTreeSet<Arc<str>>,
    /// Queues whose figures are asked for by name.
    pub queues: BTreeSet<Arc<str>>,
    /// Facts that the document declares, by name.
    pub attributes: BTreeSet<Arc<str>>,
    /// The figures of the queue that the interaction is meant for.
    pub own_queue: bool,
    /// Queues that `interaction.queue` is compared with. Nothing is gathered for them; a floor may not have them.
    pub named_queues: BTreeSet<Arc<str>>,
    /// Skills that are looked for in `interaction.requires`, likewise.
    pub named_skills: BTreeSet<Arc<str>>,
}

/// What a floor may have by a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named<'n> {
    Hours(&'n str),
    Queue(&'n str),
    Skill(&'n str),
}

impl Uses {
    pub(super) fn of<'t>(truths: impl Iterator<Item = &'t Truth>) -> Uses {
        let mut uses = Uses::default();
        truths.for_each(|truth| truth.asks(&mut |ask| uses.add(ask)));
        uses
    }

    fn add(&mut self, ask: &Ask) {
        self.facts.extend(ask.row().map(|fact| fact.name));
        match &ask.of {
            Of::Row(_) => {}
            Of::Queue(_) => self.own_queue = true,
            Of::Queues(name, _) => self.queues.extend([Arc::clone(name)]),
            Of::Hours(name) => self.hours.extend([Arc::clone(name)]),
            Of::Attribute(name, _) => self.attributes.extend([Arc::clone(name)]),
        }
    }

    /// Takes in what another asks for.
    pub fn join(&mut self, other: &Uses) {
        self.facts.extend(&other.facts);
        self.hours.extend(other.hours.iter().cloned());
        self.queues.extend(other.queues.iter().cloned());
        self.attributes.extend(other.attributes.iter().cloned());
        self.own_queue |= other.own_queue;
        self.named_queues.extend(other.named_queues.iter().cloned());
        self.named_skills.extend(other.named_skills.iter().cloned());
    }

    /// What is said of each name that a floor does not have, for a warning: whether it does is the caller's to tell.
    pub fn strangers(&self, is_on_floor: impl Fn(Named) -> bool) -> Vec<String> {
        let mut said = Vec::new();
        for name in self.hours.iter().filter(|name| !is_on_floor(Named::Hours(name))) {
            said.push(format!(
                "the floor has no opening hours {name:?}: a rule that asks for them is skipped"
            ));
        }
        for name in self.queues.iter().filter(|name| !is_on_floor(Named::Queue(name))) {
            said.push(format!(
                "the floor has no queue {name:?}: a rule that asks for its figures is skipped"
            ));
        }
        for name in self.named_queues.iter().filter(|name| !is_on_floor(Named::Queue(name))) {
            said.push(format!("the floor has no queue {name:?}: interaction.queue is never that"));
        }
        for name in self.named_skills.iter().filter(|name| !is_on_floor(Named::Skill(name))) {
            said.push(format!("the floor has no skill {name:?}: interaction.requires never has it"));
        }
        said
    }

    /// The clock on the wall is read.
    pub fn time(&self) -> bool {
        self.facts.iter().any(|name| name.starts_with("time."))
    }

    /// Something known of the customer is read.
    pub fn customer(&self) -> bool {
        self.facts.iter().any(|name| name.starts_with("customer.") || name.starts_with("journey."))
    }

    /// Something is read that changes from moment to moment: figures, opening hours, the clock.
    pub fn moments(&self) -> bool {
        self.own_queue || !self.queues.is_empty() || !self.hours.is_empty() || self.time()
    }
}

impl Truth {
    /// Every fact that is asked for, as often as it is.
    pub(super) fn asks<'t>(&'t self, each: &mut impl FnMut(&'t Ask)) {
        match self {
            Truth::Known(_) => {}
            Truth::Ask(ask) | Truth::Has(ask) => each(ask),
            Truth::Not(truth) => truth.asks(each),
            Truth::All(parts) | Truth::Any(parts) => parts.iter().for_each(|part| part.asks(each)),
            Truth::If(parts) => [&parts.0, &parts.1, &parts.2].into_iter().for_each(|part| part.asks(each)),
            Truth::Alike(two) => [&two.0, &two.1].into_iter().for_each(|part| part.asks(each)),
            Truth::Numbers(_, two) => [&two.0, &two.1].into_iter().for_each(|part| part.asks(each)),
            Truth::Texts(_, two) | Truth::Text(_, two) => {
                [&two.0, &two.1].into_iter().for_each(|part| part.asks(each));
            }
            Truth::NumberIn(number, list) => {
                number.asks(each);
                list.iter().for_each(|element| element.asks(each));
            }
            Truth::TextIn(text, list) => {
                text.asks(each);
                list.iter().for_each(|element| element.asks(each));
            }
            Truth::TextAmong(text, ask) => {
                text.asks(each);
                each(ask);
            }
        }
    }
}

impl Number {
    pub(super) fn asks<'t>(&'t self, each: &mut impl FnMut(&'t Ask)) {
        match self {
            Number::Known(_) => {}
            Number::Ask(ask) | Number::Count(ask) => each(ask),
            Number::Turned(number) => number.asks(each),
            Number::Sum(_, two) => [&two.0, &two.1].into_iter().for_each(|part| part.asks(each)),
            Number::If(parts) => {
                parts.0.asks(each);
                [&parts.1, &parts.2].into_iter().for_each(|part| part.asks(each));
            }
            Number::Characters(text) => text.asks(each),
        }
    }
}

impl Text {
    pub(super) fn asks<'t>(&'t self, each: &mut impl FnMut(&'t Ask)) {
        match self {
            Text::Known(_) => {}
            Text::Ask(ask) => each(ask),
            Text::If(parts) => {
                parts.0.asks(each);
                [&parts.1, &parts.2].into_iter().for_each(|part| part.asks(each));
            }
        }
    }
}
