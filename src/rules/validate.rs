//! What a document that could be read must also keep to: limits, the order of relaxation, the mandatory last step, and
//! that no interaction could ever be led to more queues than a plan has routes. Asks no floor.

use super::document::{ByChannel, Document, Leave, OverflowRule, Section, When};
use super::error::{DocumentError, Field};
use super::section::Layers;
use super::validate_relaxation::relaxation;
use super::validate_repeats::repeats;
use super::validate_rules::rules;
use super::values::Duration;
use crate::engine::channel::Channel;
use crate::engine::route::{BETTER_WITH_MAX, ROUTES_MAX};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::ops::RangeInclusive;

/// Most sections of a document.
pub const SECTIONS_MAX: usize = 10_000;
/// Most overflow rules of a section.
pub const OVERFLOW_MAX: usize = 16;
/// Most words that announce one thing.
pub const WORDS_MAX: usize = 64;
/// Longest name of a document and of a destination, characters.
pub const TEXT_MAX: usize = 128;
/// Points of priority a section may add.
pub const PRIORITY: RangeInclusive<i16> = -100..=100;
/// Refusals by agents before the last step.
pub const DECLINES: RangeInclusive<u16> = 1..=1_000;
/// Overflows from queue to queue.
pub const HOPS: RangeInclusive<u8> = 0..=15;
/// Transfers.
pub const TRANSFERS: RangeInclusive<u16> = 0..=100;
/// Calls that are made to call a customer back.
pub const ATTEMPTS: RangeInclusive<u8> = 1..=20;

/// Everything that is wrong.
pub(super) fn validate(document: &Document) -> Vec<DocumentError> {
    let mut checks = Checks::default();
    let top = Field::default();
    checks.within(&top.name("version"), document.version, &(1..=u32::MAX));
    checks.text(&top.name("name"), &document.name);
    if document.queues.len() > SECTIONS_MAX {
        let got = format!("{} sections", document.queues.len());
        checks.wrong(&top.name("queues"), got, format!("at most {SECTIONS_MAX}"));
    }
    for (name, words) in document.signals.lists() {
        checks.words(&top.name("signals").name(name), words.as_deref().unwrap_or_default());
    }
    rules(&mut checks, document);
    let default = Layers::default(document);
    checks.section(&top.name("default"), &document.default, None, default);
    checks.reach(&top.name("default"), document, None);
    for (queue, section) in &document.queues {
        let field = top.name("queues").name(queue);
        checks.section(&field, section, Some(queue), Layers::of(document, queue));
        checks.reach(&field, document, Some(queue));
    }
    checks.0
}

/// Collects what is wrong.
#[derive(Default)]
pub(super) struct Checks(Vec<DocumentError>);

impl Checks {
    pub fn wrong(&mut self, field: &Field, got: impl Into<String>, want: impl Into<String>) {
        let (got, want) = (got.into(), want.into());
        self.0.push(DocumentError { line: None, column: None, field: field.clone(), got, want });
    }

    /// In a text that stands in a field: the line in it, the first being 1, and the column.
    pub fn wrong_in_text(&mut self, field: &Field, place: (u32, u32), got: String, want: String) {
        let column = Some((u64::from(place.0), u64::from(place.1)));
        self.0.push(DocumentError { line: None, column, field: field.clone(), got, want });
    }

    pub fn within<T: PartialOrd + Debug>(&mut self, field: &Field, value: T, range: &RangeInclusive<T>) {
        if !range.contains(&value) {
            self.wrong(field, format!("{value:?}"), format!("{:?} to {:?}", range.start(), range.end()));
        }
    }

    fn words(&mut self, field: &Field, words: &[String]) {
        if words.len() > WORDS_MAX {
            self.wrong(field, format!("{} words", words.len()), format!("at most {WORDS_MAX}"));
        }
        words.iter().enumerate().for_each(|(at, word)| self.text(&field.at(at), word));
    }

    pub fn text(&mut self, field: &Field, text: &str) {
        let length = text.chars().count();
        if !(1..=TEXT_MAX).contains(&length) || text.chars().any(char::is_control) {
            self.wrong(field, format!("{length} characters"), format!("1 to {TEXT_MAX}, all printable"));
        }
    }

    pub fn positive(&mut self, field: &Field, duration: Option<Duration>) {
        if duration == Some(Duration(0)) {
            self.wrong(field, "0", "more than 0");
        }
    }

    /// A list of names, each once, without the queue itself.
    pub fn names(&mut self, field: &Field, names: &[String], queue: Option<&str>) {
        for (at, name) in names.iter().enumerate() {
            let field = field.at(at);
            if Some(name.as_str()) == queue {
                self.wrong(&field, format!("{name:?}, the queue itself"), "another queue");
            } else if names[..at].contains(name) {
                self.wrong(&field, format!("{name:?} once more"), "each once");
            }
        }
    }

    pub fn section(&mut self, field: &Field, section: &Section, queue: Option<&str>, layers: Layers) {
        self.positive(&field.name("goals").name("answer_within"), section.goals.answer_within);
        if let Some(points) = section.priority {
            self.within(&field.name("priority"), points, &PRIORITY);
        }
        if let Some(declines) = section.declines_max {
            self.within(&field.name("declines_max"), declines, &DECLINES);
        }
        if let Some(hops) = section.hops_max {
            self.within(&field.name("hops_max"), hops, &HOPS);
        }
        for (word, expected) in section.expected_handle.given() {
            self.positive(&field.name("expected_handle").name(word), Some(*expected));
        }
        for (word, limit) in section.max_wait.given() {
            self.positive(&field.name("max_wait").name(word), limit.0.map(Duration));
        }
        self.names(&field.name("groups"), section.groups.as_deref().unwrap_or_default(), None);
        self.better_with(&field.name("better_with"), section);
        self.terms(field, section, queue);
        relaxation(self, field, section, queue, layers);
        repeats(self, field, section, queue);
        if let Some(last) = &section.last_step {
            self.leave(&field.name("last_step").name("then"), &last.then, queue);
        }
        self.overflow(&field.name("overflow"), section.overflow.as_deref().unwrap_or_default(), queue);
        self.exits(&field.name("when_closed"), &section.when_closed, queue);
        self.exits(&field.name("at_closing"), &section.at_closing, queue);
    }

    fn better_with(&mut self, field: &Field, section: &Section) {
        let Some(skills) = &section.better_with else { return };
        if skills.len() > BETTER_WITH_MAX {
            self.wrong(field, format!("{} skills", skills.len()), format!("at most {BETTER_WITH_MAX}"));
        }
        for (skill, better) in skills {
            let field = field.name(skill);
            match (better.worth, better.after) {
                (None, None) => self.wrong(&field, "neither worth nor after", "one of them"),
                (Some(_), Some(_)) => self.wrong(&field, "both worth and after", "one of them"),
                _ => {}
            }
        }
    }

    fn terms(&mut self, field: &Field, section: &Section, queue: Option<&str>) {
        if let Some(terms) = &section.familiar {
            self.positive(&field.name("familiar").name("half_life"), Some(terms.half_life));
        }
        if let Some(terms) = &section.transfers {
            let field = field.name("transfers");
            self.within(&field.name("max"), terms.max, &TRANSFERS);
            if queue.is_some() && terms.beyond.as_deref() == queue {
                self.wrong(&field.name("beyond"), "the queue itself", "another queue");
            }
        }
        if let Some(terms) = &section.call_back {
            let field = field.name("call_back");
            self.within(&field.name("attempts_max"), terms.attempts_max, &ATTEMPTS);
            self.positive(&field.name("retry_after"), Some(terms.retry_after));
        }
    }

    fn overflow(&mut self, field: &Field, rules: &[OverflowRule], queue: Option<&str>) {
        if rules.len() > OVERFLOW_MAX {
            self.wrong(field, format!("{} rules", rules.len()), format!("at most {OVERFLOW_MAX}"));
        }
        for (number, rule) in rules.iter().enumerate() {
            let field = field.at(number);
            if rule.when == When::default() {
                self.wrong(&field.name("when"), "no condition", "at least one, such as waiting: 20");
            }
            if rule.when.closed == Some(false) {
                self.wrong(&field.name("when").name("closed"), "false", "true, or leave it out");
            }
            if rule.to.is_empty() {
                self.wrong(&field.name("to"), "no queue", "at least one");
            }
            self.names(&field.name("to"), &rule.to, queue);
        }
    }

    fn exits(&mut self, field: &Field, exits: &ByChannel<Leave>, queue: Option<&str>) {
        for (word, leave) in exits.given() {
            self.leave(&field.name(word), leave, queue);
        }
    }

    fn leave(&mut self, field: &Field, leave: &Leave, queue: Option<&str>) {
        match leave {
            Leave::Queue(other) if Some(other.as_str()) == queue => {
                self.wrong(&field.name("queue"), format!("{other:?}, the queue itself"), "another queue");
            }
            Leave::CallBackWithin(within) => {
                self.positive(&field.name("call_back_within"), Some(*within));
            }
            Leave::SendAway(destination) => self.text(&field.name("send_away"), destination),
            Leave::Keep | Leave::Refuse | Leave::Queue(_) => {}
        }
    }

    /// Loops end at the hop limit; what must be bounded here is how many queues a plan has to know.
    fn reach(&mut self, field: &Field, document: &Document, queue: Option<&str>) {
        for channel in Channel::ALL {
            let reached = reached(document, queue, channel);
            if reached > ROUTES_MAX {
                let got = format!("{reached} queues within reach by overflow and exits ({})", channel.word());
                self.wrong(field, got, format!("at most {ROUTES_MAX}, itself included"));
                return;
            }
        }
    }
}

/// How many queues an interaction that enters here may get to by the rules, this one included.
fn reached(document: &Document, queue: Option<&str>, channel: Channel) -> usize {
    let layers_of = |queue: Option<&str>| match queue {
        Some(queue) => Layers::of(document, queue),
        None => Layers::default(document),
    };
    let beyond = layers_of(queue).first(|section| section.transfers.as_ref());
    let beyond = beyond.and_then(|terms| terms.beyond.as_deref());
    let mut seen: BTreeSet<Option<&str>> = BTreeSet::from([queue]);
    let mut open = vec![queue];
    open.extend(beyond.filter(|beyond| seen.insert(Some(beyond))).map(Some));
    while let Some(queue) = open.pop() {
        let layers = layers_of(queue);
        let overflow = layers.overflow().iter().flat_map(|rule| rule.to.iter().map(String::as_str));
        let last = layers.relaxation().1.map(|last| &last.then);
        // An exit that cannot be taken on some floor leaves it to the next section: all of them count.
        let exits = last
            .into_iter()
            .chain(layers.exits(channel, |section| &section.when_closed))
            .chain(layers.exits(channel, |section| &section.at_closing));
        let exits = exits.filter_map(|leave| match leave {
            Leave::Queue(queue) => Some(queue.as_str()),
            _ => None,
        });
        for next in overflow.chain(exits) {
            if seen.insert(Some(next)) {
                open.push(Some(next));
            }
        }
    }
    seen.len()
}
