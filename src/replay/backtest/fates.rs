//! What became of interactions in one telling of the period: the record's, or that of a rule set. Read off the events in
//! the same way for each.

use crate::engine::event::{Event, Stamped};
use crate::engine::explain::{By, Decision, Trigger, net_sentence, sentence};
use crate::engine::floor::Floor;
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId};
use crate::engine::interaction::Interaction;
use crate::engine::shard::Shard;
use crate::engine::skill::Requirement;
use crate::engine::time::Time;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It has not, by the end of the period.
    #[default]
    Waiting,
    Answered,
    Abandoned,
    /// Taken back by its source, or it gave its place to another contact.
    Cancelled,
    TimedOut,
    SentAway,
    /// Not let in: the queue was full or closed.
    Refused,
    /// It joined another contact of the same customer.
    Joined,
}

impl Ending {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Ending::Waiting => "still waiting",
            Ending::Answered => "answered",
            Ending::Abandoned => "hung up",
            Ending::Cancelled => "taken back",
            Ending::TimedOut => "timed out",
            Ending::SentAway => "sent away",
            Ending::Refused => "not let in",
            Ending::Joined => "joined another contact",
        }
    }

    /// The customer wanted somebody, and is gone without.
    pub fn is_unanswered(self) -> bool {
        matches!(self, Ending::Abandoned | Ending::TimedOut | Ending::SentAway | Ending::Refused)
    }
}

/// What became of one interaction.
#[derive(Debug, Clone, Default)]
pub(super) struct Fate {
    pub ending: Ending,
    pub wait_ms: u64,
    pub agent: Option<AgentKey>,
    why: Option<Why>,
}

/// The decision that made it so, or the last one about it.
#[derive(Debug, Clone)]
struct Why {
    decision: Arc<Decision>,
    agent: Option<AgentKey>,
    needs: Arc<[Requirement]>,
}

impl Fate {
    pub fn refused() -> Fate {
        Fate { ending: Ending::Refused, ..Fate::default() }
    }

    pub fn joined() -> Fate {
        Fate { ending: Ending::Joined, ..Fate::default() }
    }

    /// The same for the customer: the same end, after as long, by the same agent.
    pub fn is_as(&self, other: &Fate) -> bool {
        (self.ending, self.wait_ms, self.agent) == (other.ending, other.wait_ms, other.agent)
    }

    /// Why, in one sentence; with the terms of the score where money decided.
    pub fn sentence(&self, floor: &Floor) -> Option<String> {
        let why = self.why.as_ref()?;
        let told = sentence(&why.decision, why.agent, &why.needs, floor);
        let chosen = why.decision.agents.iter().find(|one| Some(one.agent) == why.agent);
        let in_money = why.decision.by == By::Value && why.decision.trigger == Trigger::AgentFree;
        Some(match chosen.and_then(|one| one.net).filter(|_| in_money) {
            Some(net) => format!("{told}; {}", net_sentence(net)),
            None => told,
        })
    }
}

/// Those of all who were there.
#[derive(Debug, Clone, Default)]
pub(super) struct Fates {
    by_id: BTreeMap<InteractionId, Fate>,
    /// By the parts that answered.
    answers: HashMap<AssignmentId, InteractionId>,
}

impl Fates {
    /// Hears of an event right after it became true.
    pub fn hear(&mut self, stamped: &Stamped, shard: &Shard) {
        match &stamped.event {
            Event::Accepted { assignment, .. } => {
                let Some(part) = shard.assignment(*assignment) else { return };
                let first = |one: &&Interaction| one.answered == Some(stamped.time);
                if let Some(one) = shard.interaction(part.interaction).filter(first) {
                    self.answers.insert(*assignment, one.id);
                    self.end(one, Ending::Answered, stamped.time);
                }
            }
            // The answer is undone; the part is gone by now.
            Event::ConnectFailed { assignment, .. } => {
                if let Some(id) = self.answers.remove(assignment) {
                    self.by_id.remove(&id);
                }
            }
            Event::Abandoned { interaction, .. } => self.left(*interaction, Ending::Abandoned, shard),
            Event::Cancelled { interaction, .. } => self.left(*interaction, Ending::Cancelled, shard),
            Event::TimedOut { interaction, .. } => self.left(*interaction, Ending::TimedOut, shard),
            Event::SentAway { interaction, .. } => self.left(*interaction, Ending::SentAway, shard),
            _ => {}
        }
    }

    fn left(&mut self, id: InteractionId, ending: Ending, shard: &Shard) {
        let unanswered = |one: &&Interaction| one.answered.is_none();
        if let Some(one) = shard.interaction(id).filter(unanswered) {
            self.end(one, ending, shard.now());
        }
    }

    fn end(&mut self, one: &Interaction, ending: Ending, now: Time) {
        self.by_id.insert(one.id, fate(one, ending, now));
    }

    /// That of one interaction, at the end of the period.
    pub fn of(&self, id: InteractionId, shard: &Shard, until: Time) -> Fate {
        if let Some(fate) = self.by_id.get(&id) {
            return fate.clone();
        }
        let waits = |one: &Interaction| fate(one, Ending::Waiting, until);
        shard.interaction(id).map(waits).unwrap_or_default()
    }
}

fn fate(one: &Interaction, ending: Ending, now: Time) -> Fate {
    let answered = ending == Ending::Answered;
    let last = one.decisions.iter().rev().find(|decided| !answered || decided.agent == one.agent);
    Fate {
        ending,
        wait_ms: now.since(one.entered),
        agent: one.agent.filter(|_| answered),
        why: last.map(|decided| Why {
            decision: decided.decision.clone(),
            agent: decided.agent,
            needs: one.requirements().into(),
        }),
    }
}
