//! What rules are told of one interaction: its facts and the circumstances it was planned in. The same at the edge, when
//! the plan is made, and long after, when it is asked why: both read what is recorded.

use super::facts::{Attribute, Figures, Grounds, Incoming, Local};
use crate::engine::channel::Channel;
use crate::engine::circumstances::{Attribute as Recorded, Circumstances, QueueFigures};
use crate::engine::floor::Floor;
use crate::engine::journey::Journey;
use crate::engine::plan::Facts;
use jiff::tz::TimeZone;

/// What rules are told.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    pub channel: Channel,
    pub source: &'a str,
    pub facts: &'a Facts,
    /// What was known of the customer when it was planned.
    pub journey: Option<&'a Journey>,
    pub circumstances: &'a Circumstances,
}

impl Told<'_> {
    /// Shows it as conditions read it.
    pub(super) fn look<T>(&self, floor: &Floor, zone: &TimeZone, ask: impl FnOnce(&Grounds) -> T) -> T {
        let made = self.circumstances;
        let queue = made.queue.and_then(|queue| floor.queues.live(u32::from(queue.0)));
        let queue = queue.map_or("", |entry| &*entry.name);
        let skill = |key: u16| floor.skills.get(u32::from(key)).map_or("", |entry| &*entry.name);
        let requires: Vec<&str> = made.requirements.iter().map(|one| skill(one.skill.0)).collect();
        let wished = made.wish.and_then(|wish| floor.agents.get(wish.agent.0));
        let queues: Vec<(&str, Figures)> =
            made.queues.iter().map(|(name, shown)| (&**name, figures(shown))).collect();
        let hours: Vec<(&str, bool)> = made.hours.iter().map(|(name, open)| (&**name, *open)).collect();
        let attributes: Vec<(&str, Attribute)> =
            made.attributes.iter().map(|(name, value)| (&**name, attribute(value))).collect();
        let own = queues.iter().find(|(name, _)| *name == queue && !queue.is_empty());
        ask(&Grounds {
            interaction: Incoming {
                source: self.source,
                queue,
                requires: &requires,
                preferred_agent: wished.map_or("", |entry| &*entry.name),
                ..Incoming::of(self.channel, self.facts, made.at)
            },
            is_customer_known: self.facts.customer.is_some(),
            journey: self.journey,
            local: Local::at(made.at, zone),
            queue: own.map(|(_, figures)| *figures),
            queues: &queues,
            hours: &hours,
            attributes: &attributes,
        })
    }
}

fn figures(shown: &QueueFigures) -> Figures {
    Figures {
        is_open: shown.open,
        waiting: shown.waiting,
        longest_wait_ms: shown.longest_wait_ms,
        free_agents: shown.free_agents,
        service_level_ppm: shown.service_level_ppm,
        estimated_wait_ms: shown.estimated_wait_ms,
    }
}

fn attribute(value: &Recorded) -> Attribute<'_> {
    match value {
        Recorded::Text(text) => Attribute::Text(text),
        Recorded::Number(number) => Attribute::Number(*number),
        Recorded::Truth(truth) => Attribute::Truth(*truth),
    }
}
