//! What happened to the floor from outside, as commands: definitions, who came and went, what had been learned. It happens
//! again as it was recorded, whatever the rules.

use crate::engine::agent::{Agent, Presence};
use crate::engine::command::Command;
use crate::engine::event::{EndedBy, Event, Stamped};
use crate::engine::floor::{Definition, Floor, Kind};
use crate::engine::ids::{AgentKey, InteractionId, Text};
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use std::collections::HashMap;
use std::sync::Arc;

/// The order of what happens in one millisecond: answers that take no time are given, agents leave before they could be given more, work ends before others
/// come, and whoever is answered in the moment in which their patience ends is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    AtOnce,
    Goes,
    Ends,
    Floor,
    Comes,
    Answers,
    Leaves,
}

/// What happens again.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Command(Command),
    Define {
        key: u32,
        name: Text,
        definition: Definition,
    },
    Remove {
        kind: Kind,
        name: Text,
    },
    /// The interaction of this number comes in.
    Comes(usize),
    /// What was learned of its customer later becomes known.
    Known(usize),
    /// A supervisor gave it more or fewer points.
    Reprioritised {
        interaction: InteractionId,
        priority: i16,
    },
    /// A supervisor gave it to an agent.
    Assigned {
        interaction: InteractionId,
        agent: AgentKey,
        overdraw: bool,
    },
}

/// One of them, at its time.
#[derive(Debug, Clone)]
pub(super) struct Cue {
    pub at: Time,
    pub turn: Turn,
    pub act: Act,
}

/// Written down event by event.
#[derive(Debug, Clone, Default)]
pub(super) struct Script {
    pub cues: Vec<Cue>,
    /// Breaks and sign-outs that wait for the end of work.
    pending: HashMap<AgentKey, Presence>,
    /// Nothing is written before the period, but wishes for a break are known.
    pub writes: bool,
}

impl Script {
    /// Goes on from a state whose past is not known.
    pub fn from_state(shard: &Shard) -> Script {
        let wished = |agent: &Arc<Agent>| Some((agent.key, agent.pending.as_ref()?.presence));
        Script { pending: shard.agents().iter().filter_map(wished).collect(), ..Script::default() }
    }

    /// Hears of an event right after it became true.
    pub fn hear(&mut self, stamped: &Stamped, shard: &Shard) {
        let mut at = stamped.time;
        if let Event::Restarted { down_to, .. } = &stamped.event {
            at = *down_to;
        }
        let act = self.act(&stamped.event, shard);
        if let Some(act) = act.filter(|_| self.writes) {
            self.cues.push(Cue { at, turn: Turn::Floor, act });
        }
    }

    fn act(&mut self, event: &Event, shard: &Shard) -> Option<Act> {
        Some(match event {
            Event::Restarted { .. } => Act::Command(Command::Restart),
            Event::Defined { key, name, definition } => {
                Act::Define { key: *key, name: name.clone(), definition: (**definition).clone() }
            }
            Event::Removed { kind, key } => {
                Act::Remove { kind: *kind, name: name(shard.floor(), *kind, *key)? }
            }
            // A source that is gone takes its customers along: they hang up when they did.
            Event::SourceOpened { source } => Act::Command(Command::OpenSource { source: source.clone() }),
            Event::ParametersSet(parameters) => Act::Command(Command::SetParameters(parameters.clone())),
            Event::Reprioritised { interaction, priority } => {
                Act::Reprioritised { interaction: *interaction, priority: *priority }
            }
            Event::Assigned { interaction, wanted } => {
                Act::Assigned { interaction: *interaction, agent: wanted.agent, overdraw: wanted.overdraw }
            }
            event => return self.presence(event, shard),
        })
    }

    fn presence(&mut self, event: &Event, shard: &Shard) -> Option<Act> {
        Some(match event {
            Event::SessionOpened { agent, session } => {
                Act::Command(Command::OpenSession { agent: *agent, session: *session })
            }
            Event::SessionLost { agent } => {
                let session = shard.agent(*agent)?.session?;
                Act::Command(Command::LoseSession { agent: *agent, session })
            }
            Event::PresencePending { agent, presence, reason, by } => {
                self.pending.insert(*agent, *presence);
                wish(*agent, *presence, reason, *by)
            }
            // What was wished for before comes true by itself, when the work in hand ends: it may end at another time.
            Event::PresenceChanged { agent, presence, reason, by } => {
                let wished = self.pending.remove(agent) == Some(*presence);
                return (!wished).then(|| wish(*agent, *presence, reason, *by));
            }
            Event::Responding { agent, by: EndedBy::Agent } => {
                wish(*agent, Presence::Available, &Text::default(), EndedBy::Agent)
            }
            _ => return None,
        })
    }
}

/// An agent's choice, as a command.
pub(super) fn wish(agent: AgentKey, presence: Presence, reason: &Text, by: EndedBy) -> Act {
    Act::Command(Command::SetPresence { agent, presence, reason: reason.clone(), by })
}

fn name(floor: &Floor, kind: Kind, key: u32) -> Option<Text> {
    let name = match kind {
        Kind::Pool => floor.pools.get(key).map(|entry| &entry.name),
        Kind::Skill => floor.skills.get(key).map(|entry| &entry.name),
        Kind::Queue => floor.queues.get(key).map(|entry| &entry.name),
        Kind::Agent => floor.agents.get(key).map(|entry| &entry.name),
        Kind::Group => floor.groups.get(key).map(|entry| &entry.name),
        Kind::Hours => floor.hours.get(key).map(|entry| &entry.name),
    };
    name.cloned()
}
