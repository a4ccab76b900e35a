//! What the rules are asked about a recorded interaction. One place, so that a fact which rules learn to read is read
//! here and nowhere else.

use crate::engine::event::Admitted;
use crate::engine::floor::Floor;
use crate::engine::ids::{AgentKey, QueueKey, Text};
use crate::engine::plan::{Channel, Facts};
use crate::engine::skill::Requirement;
use crate::rules::{Asked, RuleSet, Served};

/// An interaction as it came in, as far as the journal tells.
#[derive(Debug, Clone)]
pub(super) struct Contact {
    pub source: Text,
    /// What the source calls it.
    pub external_id: Text,
    pub channel: Channel,
    /// The queue it was planned for. Where a rule for repeated contacts led it elsewhere, the journal has only that.
    pub queue: QueueKey,
    pub facts: Facts,
    /// The version of the rules that planned it.
    pub rule_set: u32,
    /// What it needed in the plan of the record: what its queue asks for, the rules, and the contact itself.
    needed: Vec<Requirement>,
    /// The agent the plan of the record preferred.
    preferred: Option<AgentKey>,
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

    pub fn of(admitted: &Admitted) -> Contact {
        let entry = admitted.plan.entry();
        let needed = entry.needs.first().map(|needs| needs.requirements.clone()).unwrap_or_default();
        Contact {
            source: admitted.source.clone(),
            external_id: admitted.external_id.clone(),
            channel: admitted.channel,
            queue: entry.queue,
            facts: admitted.facts.clone(),
            rule_set: admitted.plan.rule_set,
            needed,
            preferred: admitted.plan.preferred.map(|preferred| preferred.agent),
        }
    }

    /// What the contact asked for itself: of what it needed, that which the published rules do not need anyhow.
    pub fn own_requirements(&self, published: &RuleSet, floor: &Floor) -> Vec<Requirement> {
        let without = published.plan(floor, &self.asked(&self.facts, &[], floor));
        let anyhow = without.entry().needs.first().map_or(&[][..], |needs| &needs.requirements);
        let own = |need: &&Requirement| {
            let met =
                |other: &Requirement| other.skill == need.skill && other.proficiency >= need.proficiency;
            !anyhow.iter().any(met)
        };
        self.needed.iter().filter(own).copied().collect()
    }

    /// The question when an agent hands it on to a queue.
    pub fn handed_on<'a>(&self, queue: QueueKey, facts: &'a Facts) -> Asked<'a> {
        Asked::plain(self.channel, queue, facts)
    }

    /// The question, with the facts known by then. An agent whom the source named and one who served the customer last are
    /// the same to a plan once it prefers them, so whoever was preferred counts as named.
    pub fn asked<'a>(&self, facts: &'a Facts, own: &'a [Requirement], floor: &Floor) -> Asked<'a> {
        let last = facts.journey.as_ref().and_then(|journey| {
            let agent = floor.agents.key(&journey.last_agent).map(AgentKey)?;
            Some(Served { agent, ago_ms: journey.served_ago_ms? })
        });
        let preferred = self.preferred.filter(|agent| last.is_none_or(|served| served.agent != *agent));
        Asked { requirements: own, preferred, last, ..Asked::plain(self.channel, self.queue, facts) }
    }
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
            needed: Vec::new(),
            preferred: None,
        }
    }
}
