//! How agents answered the offers of the record, and how they would answer others: as they did, where they were asked for
//! the same; otherwise as they answered something else.

use crate::engine::agent::RoutingState;
use crate::engine::deadline::Deadline;
use crate::engine::event::{Event, Stamped};
use crate::engine::ids::{AgentKey, InteractionId, OfferId};
use crate::engine::interaction::Part;
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use crate::replay::draw::{Purpose, unit};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Of an agent who answered fewer offers than this, the answers of all are drawn from.
const ANSWERS_MIN: usize = 20;

/// What an agent says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    Yes,
    No,
    /// Nothing, until the offer expires.
    Nothing,
}

/// What an agent says, and after how long, ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub says: Says,
    pub after_ms: u64,
}

impl Answer {
    const AT_ONCE: Answer = Answer { says: Says::Yes, after_ms: 0 };
}

/// Those of the record.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    open: HashMap<OfferId, (InteractionId, AgentKey, Time)>,
    /// Of each pair in the period, in order.
    by_pair: HashMap<(InteractionId, AgentKey), Vec<Answer>>,
    by_agent: BTreeMap<AgentKey, Vec<Answer>>,
    all: Vec<Answer>,
    /// Since when agents who let an offer expire are away.
    away: HashMap<AgentKey, Time>,
    away_ms: Vec<u64>,
}

/// An agent who lets an offer expire is away for so long where the record has no example, ms.
const AWAY_MS: u64 = 60_000;

impl Answers {
    /// Goes on from a state whose past is not known: who is being asked, and who is away.
    pub fn from_state(shard: &Shard) -> Answers {
        let offers = shard.open_interactions().flat_map(|one| one.offers.iter());
        let offers = offers.filter_map(|id| shard.offer(*id)).filter(|offer| offer.part == Part::Owner);
        let open = offers.map(|offer| (offer.id, (offer.interaction, offer.agent, offer.opened)));
        // Whoever recovers by the clock is no example of how long agents stay away.
        let recovers: HashSet<AgentKey> = shard.deadlines().sorted().iter().filter_map(recovering).collect();
        let away = shard.agents().iter().filter(|agent| {
            agent.routing_state() == RoutingState::NotResponding && !recovers.contains(&agent.key)
        });
        let away = away.map(|agent| (agent.key, agent.since));
        Answers { open: open.collect(), away: away.collect(), ..Answers::default() }
    }

    /// The period begins: what was answered before is drawn from, and not said again.
    pub fn begin(&mut self) {
        self.by_pair.clear();
    }

    /// Hears of an event.
    pub fn hear(&mut self, stamped: &Stamped) {
        let now = stamped.time;
        match &stamped.event {
            Event::Offered { offer, interaction, agent, part: Part::Owner, .. } => {
                self.open.insert(*offer, (*interaction, *agent, now));
            }
            Event::Accepted { offer, .. } => self.note(*offer, Says::Yes, now),
            Event::Declined { offer, .. } => self.note(*offer, Says::No, now),
            Event::Expired { offer, not_responding, recovers } => {
                let asked = self.open.get(offer).map(|(_, agent, _)| *agent);
                if let Some(agent) = asked.filter(|_| *not_responding && recovers.is_none()) {
                    self.away.entry(agent).or_insert(now);
                }
                self.note(*offer, Says::Nothing, now);
            }
            Event::Rescinded { offer, .. } => drop(self.open.remove(offer)),
            Event::Responding { agent, .. } => {
                if let Some(since) = self.away.remove(agent) {
                    self.away_ms.push(now.since(since));
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, offer: OfferId, says: Says, now: Time) {
        let Some((interaction, agent, opened)) = self.open.remove(&offer) else { return };
        let answer = Answer { says, after_ms: now.since(opened) };
        self.by_pair.entry((interaction, agent)).or_default().push(answer);
        self.by_agent.entry(agent).or_default().push(answer);
        self.all.push(answer);
    }

    /// What an agent says who is asked for an interaction of the record for the so many-th time, 0 being the first.
    pub fn of(&self, interaction: InteractionId, agent: AgentKey, time: u64, seed: u64) -> Answer {
        let same = self.by_pair.get(&(interaction, agent)).and_then(|all| all.get(time as usize));
        if let Some(answer) = same {
            return *answer;
        }
        let own = self.by_agent.get(&agent).filter(|own| own.len() >= ANSWERS_MIN).unwrap_or(&self.all);
        // Apart in all three: agents' keys and times asked are small.
        let subject = interaction.0 ^ u64::from(agent.0) << 40 ^ time << 32;
        let at = (unit(seed, Purpose::Answer, subject) * own.len() as f64) as usize;
        own.get(at).copied().unwrap_or(Answer::AT_ONCE)
    }

    /// Half of those who let an offer expire were back after this time, ms.
    pub fn away_ms(&self) -> u64 {
        let mut sorted = self.away_ms.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or(AWAY_MS)
    }
}

fn recovering((_, deadline): &(Time, Deadline)) -> Option<AgentKey> {
    match deadline {
        Deadline::Recover(agent) => Some(*agent),
        _ => None,
    }
}
