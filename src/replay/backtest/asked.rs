//! What the rules are asked about a recorded interaction. One place, so that a fact which rules learn to read is read
//! here and nowhere else.

use crate::engine::channel::Channel;
use crate::engine::circumstances::Circumstances;
use crate::engine::event::Admitted;
use crate::engine::floor::Floor;
use crate::engine::ids::{AgentKey, HoursKey, QueueKey, Text};
use crate::engine::interaction::Interaction;
use crate::engine::plan::{Facts, Plan};
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use crate::rules::{Applied, Asked, RuleSet, Served, Told};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An interaction as it came in.
#[derive(Debug, Clone)]
pub(super) struct Contact {
    pub source: Text,
    /// What the source calls it.
    pub external_id: Text,
    pub channel: Channel,
    /// The queue it was planned for.
    pub queue: QueueKey,
    pub facts: Facts,
    /// The version of the rules that planned it.
    pub rule_set: u32,
    /// What its source asked for, and what else rules were told.
    made_in: Circumstances,
}

/// The numbers of splits that nobody drew in the record, dealt anew, by the name of the rule.
#[derive(Debug, Clone, Default)]
pub(super) struct Tickets(BTreeMap<Box<str>, u32>);

impl Tickets {
    fn next(&mut self, rule: &str) -> u32 {
        let next = self.0.entry(rule.into()).or_default();
        *next = next.wrapping_add(1);
        next.wrapping_sub(1)
    }
}

impl Contact {
    /// What the business tells apart within a queue: the customer's tier, or points given by the source. Empty: nothing.
    pub fn segment(&self) -> String {
        let tier = self.facts.journey.as_ref().map_or("", |journey| &journey.tier);
        match (tier, self.facts.priority) {
            ("", 0) => String::new(),
            ("", points) => format!("priority {points}"),
            (tier, 0) => tier.to_owned(),
            (tier, points) => format!("{tier}, priority {points}"),
        }
    }

    pub fn of(admitted: &Admitted, at: Time) -> Contact {
        let entry = admitted.plan.entry();
        let plain = || Circumstances { at, queue: Some(entry.queue), ..Circumstances::default() };
        Contact {
            source: admitted.source.clone(),
            external_id: admitted.external_id.clone(),
            channel: admitted.channel,
            queue: entry.queue,
            facts: admitted.facts.clone(),
            rule_set: admitted.plan.rule_set,
            made_in: admitted.facts.circumstances.as_deref().cloned().unwrap_or_else(plain),
        }
    }

    /// One whose admission is not kept, as the state tells it. Where it was handed on since, that plan stands for the first.
    pub fn in_hand(one: &Interaction) -> Contact {
        let planned = one.replaced().first().map(|first| (first.queue, first.rule_set));
        let (queue, rule_set) = planned.unwrap_or((one.plan.entry().queue, one.plan.rule_set));
        Contact {
            source: one.source.clone(),
            external_id: one.external_id.clone(),
            channel: one.channel,
            queue,
            facts: one.facts.clone(),
            rule_set,
            made_in: one.made_in(),
        }
    }

    /// Facts that came as attributes, by name.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.made_in.attributes.iter().map(|(name, _)| &**name)
    }

    /// The plan these rules make of it, with the facts known by then; figures of queues and opening hours are those of the
    /// floor as it is here. `None`: neither its source nor the rules have a queue for it.
    pub fn plan(
        &self,
        rules: &RuleSet,
        shard: &Shard,
        facts: &Facts,
        tickets: &mut Tickets,
    ) -> Option<(Plan, Circumstances)> {
        let floor = shard.floor();
        let live = |queue: &QueueKey| floor.queues.live(u32::from(queue.0)).is_some();
        let queue = self.made_in.queue.filter(live).or_else(|| rules.fallback(floor))?;
        let mut made_in = self.made_in.clone();
        surround(&mut made_in, rules, shard, queue);
        let applied = self.judged(rules, floor, facts, &mut made_in, tickets);
        let asked = Asked {
            requirements: &made_in.requirements,
            wish: made_in.wish,
            last: served(facts, floor),
            applied: &applied,
            ..Asked::plain(self.channel, queue, facts)
        };
        let plan = rules.plan(floor, &asked);
        Some((plan, made_in))
    }

    /// The plan when an agent hands it on to a queue: whatever rules say, it goes there.
    pub fn handed_on(
        &self,
        rules: &RuleSet,
        shard: &Shard,
        (queue, facts): (QueueKey, &Facts),
        tickets: &mut Tickets,
    ) -> Plan {
        // With what was drawn for it when it came.
        let drawn = facts.circumstances.as_deref().unwrap_or(&self.made_in);
        let mut made_in = drawn.clone();
        surround(&mut made_in, rules, shard, self.made_in.queue.unwrap_or(queue));
        let applied = self.judged(rules, shard.floor(), facts, &mut made_in, tickets);
        let plain = Asked::plain(self.channel, queue, facts);
        rules.plan(shard.floor(), &Asked { applied: &applied, queue_is_final: true, ..plain })
    }

    fn judged(
        &self,
        rules: &RuleSet,
        floor: &Floor,
        facts: &Facts,
        made_in: &mut Circumstances,
        tickets: &mut Tickets,
    ) -> Vec<Applied> {
        let journey = facts.journey.as_deref();
        let told =
            Told { channel: self.channel, source: &self.source, facts, journey, circumstances: made_in };
        let verdict = rules.judge(floor, &told, &mut |rule| tickets.next(rule));
        made_in.tickets.extend(verdict.drawn);
        verdict.applied
    }
}

/// What rules read of the floor, as it is here.
fn surround(made_in: &mut Circumstances, rules: &RuleSet, shard: &Shard, queue: QueueKey) {
    let (uses, floor) = (rules.uses(), shard.floor());
    let own = uses.own_queue.then(|| floor.queues.get(u32::from(queue.0)).map(|entry| entry.name.clone()));
    let own = own.flatten();
    let named = uses.queues.iter().filter(|name| own.as_deref() != Some(&***name));
    let names = own.iter().map(|name| &**name).chain(named.map(|name| &**name));
    let figures = names.filter_map(|name| {
        let key = floor.queues.key(name).and_then(|key| u16::try_from(key).ok()).map(QueueKey)?;
        let plan = rules.plan(floor, &Asked::plain(Channel::Voice, key, &Facts::default()));
        Some((name.into(), shard.figures(&plan, Channel::Voice)))
    });
    made_in.queues = figures.collect();
    let open = |name: &Arc<str>| {
        let key = floor.hours.key(name).and_then(|key| u16::try_from(key).ok()).map(HoursKey)?;
        Some((Text::from(&**name), shard.hours_open(key)))
    };
    made_in.hours = uses.hours.iter().filter_map(open).collect();
}

/// Who served the customer last, if the floor has that agent.
fn served(facts: &Facts, floor: &Floor) -> Option<Served> {
    let journey = facts.journey.as_ref()?;
    let agent = floor.agents.key(&journey.last_agent).map(AgentKey)?;
    Some(Served { agent, ago_ms: journey.served_ago_ms? })
}

#[cfg(test)]
impl Contact {
    /// A call for a queue, and nothing more.
    pub fn plain(queue: QueueKey) -> Contact {
        Contact {
            source: Text::default(),
            external_id: Text::default(),
            channel: Channel::Voice,
            queue,
            facts: Facts::default(),
            rule_set: 1,
            made_in: Circumstances { queue: Some(queue), ..Circumstances::default() },
        }
    }
}
