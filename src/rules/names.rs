//! The names in a document, against a floor. Rules may be there before what they speak of: a name that the floor does
//! not have is reported, and what is said with it is left out until the floor has it.

use super::document::{ByChannel, Document, Leave, Section};
use super::error::Field;
use super::ordered::{Rule, Then};
use super::overlay::AUTHORITY;
use super::section::Layers;
use crate::engine::floor::{Floor, Kind};
use crate::engine::ids::{AgentKey, GroupKey, QueueKey, SkillKey};
use crate::engine::plan::Preferred;
use std::fmt;

/// A document's names on one floor, for one interaction.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub document: &'a Document,
    pub floor: &'a Floor,
    pub ruled: Ruled<'a>,
}

/// What ordered rules say of the interaction.
#[derive(Clone, Copy, Default)]
pub(super) struct Ruled<'a> {
    /// Said of the queue it comes into, whichever that is in the end.
    pub sections: &'a [&'a Section],
    pub entry: Option<QueueKey>,
    /// The agent they name.
    pub preferred: Option<Preferred>,
}

impl<'a> Names<'a> {
    /// Without an interaction.
    pub fn plain(document: &'a Document, floor: &'a Floor) -> Names<'a> {
        Names { document, floor, ruled: Ruled::default() }
    }

    /// What rules say is said of this queue: it comes in there.
    pub fn entering(self, queue: QueueKey) -> Names<'a> {
        Names { ruled: Ruled { entry: Some(queue), ..self.ruled }, ..self }
    }

    pub fn agent(self, name: &str) -> Option<AgentKey> {
        self.floor.agents.key(name).map(AgentKey)
    }

    pub fn queue(self, name: &str) -> Option<QueueKey> {
        small(self.floor.queues.key(name)).map(QueueKey)
    }

    pub fn skill(self, name: &str) -> Option<SkillKey> {
        small(self.floor.skills.key(name)).map(SkillKey)
    }

    pub fn group(self, name: &str) -> Option<GroupKey> {
        small(self.floor.groups.key(name)).map(GroupKey)
    }

    /// The sections of a queue.
    pub fn layers(self, queue: QueueKey) -> Layers<'a> {
        let base = match self.floor.queues.live(u32::from(queue.0)) {
            Some(entry) => Layers::of(self.document, &entry.name),
            None => Layers::default(self.document),
        };
        if self.ruled.entry == Some(queue) { base.under(self.ruled.sections) } else { base }
    }

    /// Agents serve queues of their own pool only.
    pub fn shares_agents(self, one: QueueKey, other: QueueKey) -> bool {
        let pool = |queue: QueueKey| self.floor.queues.live(u32::from(queue.0)).map(|entry| entry.spec.pool);
        one != other && pool(one) == pool(other)
    }
}

fn small(key: Option<u32>) -> Option<u16> {
    key.map(|key| u16::try_from(key).expect("keys of queues, skills and groups are u16"))
}

/// A part of a document that means nothing on a floor, for now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skipped {
    /// The line of the document, if it has lines.
    pub line: Option<u64>,
    pub field: Field,
    pub why: Why,
}

/// Why a part is left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// The floor has no such thing.
    Unknown { kind: Kind, name: String },
    /// Its agents serve another pool.
    OtherPool { queue: String },
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        write!(f, "{}: ", self.field)?;
        match &self.why {
            Why::Unknown { kind, name } => write!(f, "the floor has no {} {name:?}", kind.word())?,
            Why::OtherPool { queue } => write!(f, "the agents of queue {queue:?} serve another pool")?,
        }
        f.write_str("; left out until it has")
    }
}

/// Everything that is left out on this floor.
pub(super) fn skipped(names: Names) -> Vec<Skipped> {
    let mut found = Vec::new();
    references(names.document, &mut |field, kind, name| {
        let table_has = match kind {
            Kind::Queue => names.queue(name).is_some(),
            Kind::Skill => names.skill(name).is_some(),
            Kind::Group => names.group(name).is_some(),
            Kind::Agent => names.agent(name).is_some(),
            Kind::Pool | Kind::Hours => true,
        };
        if !table_has {
            let why = Why::Unknown { kind, name: name.to_owned() };
            found.push(Skipped { line: None, field, why });
        }
    });
    for (queue, section) in &names.document.queues {
        let field = Field::default().name("queues").name(queue).name("relaxation");
        for (number, step) in section.relaxation.iter().enumerate() {
            for (at, other) in step.add_agents_of.iter().enumerate() {
                let (Some(one), Some(key)) = (names.queue(queue), names.queue(other)) else { continue };
                if !names.shares_agents(one, key) {
                    let field = field.at(number).name("add_agents_of").at(at);
                    let why = Why::OtherPool { queue: other.clone() };
                    found.push(Skipped { line: None, field, why });
                }
            }
        }
    }
    found
}

/// Tells every name in a document, with where it stands and what it names.
fn references(document: &Document, tell: &mut impl FnMut(Field, Kind, &str)) {
    let top = Field::default();
    if let Some(fallback) = &document.fallback {
        tell(top.name("fallback").name("queue"), Kind::Queue, &fallback.queue);
    }
    for (number, rule) in document.rules.iter().enumerate() {
        of_rule(&top.name("rules").at(number), rule, tell);
    }
    of_section(&top.name("default"), &document.default, tell);
    for (queue, section) in &document.queues {
        let field = top.name("queues").name(queue);
        tell(field.clone(), Kind::Queue, queue);
        of_section(&field, section, tell);
    }
}

fn of_rule(field: &Field, rule: &Rule, tell: &mut impl FnMut(Field, Kind, &str)) {
    if let Some(then) = &rule.then {
        of_then(&field.name("then"), then, tell);
    }
    for (number, arm) in rule.split.iter().flatten().enumerate() {
        of_then(&field.name("split").at(number).name("then"), &arm.then, tell);
    }
}

fn of_then(field: &Field, then: &Then, tell: &mut impl FnMut(Field, Kind, &str)) {
    if let Some(queue) = &then.queue {
        tell(field.name("queue"), Kind::Queue, queue);
    }
    for skill in then.require.keys() {
        tell(field.name("require").name(skill), Kind::Skill, skill);
    }
    if then.authority.is_some() {
        tell(field.name("authority"), Kind::Skill, AUTHORITY);
    }
    if let Some(named) = &then.preferred_agent {
        tell(field.name("preferred_agent").name("agent"), Kind::Agent, &named.agent);
    }
    of_section(field, &then.section(), tell);
}

fn of_section(field: &Field, section: &Section, tell: &mut impl FnMut(Field, Kind, &str)) {
    let prefer = field.name("prefer");
    for skill in section.prefer.iter().flat_map(|skills| skills.keys()) {
        tell(prefer.name(skill), Kind::Skill, skill);
    }
    let better = field.name("better_with");
    for skill in section.better_with.iter().flat_map(|skills| skills.keys()) {
        tell(better.name(skill), Kind::Skill, skill);
    }
    of_list(&field.name("groups"), Kind::Group, section.groups.as_deref().unwrap_or_default(), tell);
    of_list(&field.name("relax_own"), Kind::Skill, section.relax_own.as_deref().unwrap_or_default(), tell);
    for (number, step) in section.relaxation.iter().enumerate() {
        let field = field.name("relaxation").at(number);
        for skill in step.lower.keys() {
            tell(field.name("lower").name(skill), Kind::Skill, skill);
        }
        of_list(&field.name("drop"), Kind::Skill, &step.drop, tell);
        of_list(&field.name("add_groups"), Kind::Group, &step.add_groups, tell);
        of_list(&field.name("add_agents_of"), Kind::Queue, &step.add_agents_of, tell);
    }
    for (number, rule) in section.overflow.iter().flatten().enumerate() {
        of_list(&field.name("overflow").at(number).name("to"), Kind::Queue, &rule.to, tell);
    }
    of_repeats(field, section, tell);
    of_exits(field, section, tell);
}

fn of_repeats(field: &Field, section: &Section, tell: &mut impl FnMut(Field, Kind, &str)) {
    let steps = section.repeats.iter().flat_map(|repeats| &repeats.steps);
    for (number, step) in steps.enumerate() {
        let field = field.name("repeats").name("steps").at(number);
        for skill in step.require.keys() {
            tell(field.name("require").name(skill), Kind::Skill, skill);
        }
        if let Some(queue) = &step.queue {
            tell(field.name("queue"), Kind::Queue, queue);
        }
    }
}

fn of_list(field: &Field, kind: Kind, names: &[String], tell: &mut impl FnMut(Field, Kind, &str)) {
    for (at, name) in names.iter().enumerate() {
        tell(field.at(at), kind, name);
    }
}

fn of_exits(field: &Field, section: &Section, tell: &mut impl FnMut(Field, Kind, &str)) {
    if let Some(last) = &section.last_step {
        of_leave(&field.name("last_step").name("then"), &last.then, tell);
    }
    let mut by_channel = |field: Field, exits: &ByChannel<Leave>| {
        for (word, leave) in exits.given() {
            of_leave(&field.name(word), leave, tell);
        }
    };
    by_channel(field.name("when_closed"), &section.when_closed);
    by_channel(field.name("at_closing"), &section.at_closing);
    if let Some(beyond) = section.transfers.as_ref().and_then(|terms| terms.beyond.as_deref()) {
        tell(field.name("transfers").name("beyond"), Kind::Queue, beyond);
    }
}

fn of_leave(field: &Field, leave: &Leave, tell: &mut impl FnMut(Field, Kind, &str)) {
    if let Leave::Queue(queue) = leave {
        tell(field.name("queue"), Kind::Queue, queue);
    }
}
