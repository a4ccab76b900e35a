//! What was learned of the floor: how agents do, how long customers wait, how much comes. Learned outside, where numbers
//! may be real, and told here as integers by a command; in force from its event on, so a replay decides as it was decided
//! then. What was learned goes before what was configured, which it began with.

use super::command::{Answer, Refusal};
use super::event::Event;
use super::fixed::Part;
use super::floor::{Estimate, Kind};
use super::ids::{AgentKey, PoolKey, QueueKey};
use super::shard::{Shard, Step};
use serde::{Deserialize, Serialize};

/// Longest handle time or patience that may be learned, ms: 366 days.
pub const LEARNED_MAX_MS: u64 = 366 * 24 * 3_600_000;
/// Entries of one command at most, those of agents by queue.
pub const ENTRIES_MAX: usize = 100_000;

/// One telling. What it does not name stays as it was.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Parameters {
    /// Higher than the last.
    pub version: u64,
    pub agents: Vec<AgentParameters>,
    pub queues: Vec<QueueParameters>,
    pub pools: Vec<PoolParameters>,
}

/// How one agent does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgentParameters {
    pub agent: AgentKey,
    /// In the order of the queues, each once; takes the place of all that was learned of the agent before.
    pub estimates: Vec<Estimate>,
}

/// A queue's customers and their matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QueueParameters {
    pub queue: QueueKey,
    /// Customers wait so long in the mean before they hang up, ms. At least 1.
    pub patience_ms: u64,
    /// An agent of whom nothing is known takes so long, ms. At least 1.
    pub handle_ms: u64,
}

/// How busy a pool is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolParameters {
    pub pool: PoolKey,
    /// Share of their time in which agents on duty work.
    pub load: Part,
}

/// All that is in force.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Learned {
    pub version: u64,
    /// By agent.
    agents: Vec<Box<[Estimate]>>,
    /// By queue.
    queues: Vec<Option<QueueParameters>>,
    /// By pool.
    pools: Vec<Option<Part>>,
}

impl Learned {
    /// What was learned of an agent.
    pub fn agent(&self, agent: AgentKey) -> &[Estimate] {
        self.agents.get(agent.index()).map_or(&[], |estimates| estimates)
    }

    pub fn queue(&self, queue: QueueKey) -> Option<QueueParameters> {
        *self.queues.get(queue.index())?
    }

    pub fn load(&self, pool: PoolKey) -> Option<Part> {
        *self.pools.get(pool.index())?
    }
}

impl Step<'_> {
    pub fn set_parameters(&mut self, parameters: Parameters) -> Result<Answer, Refusal> {
        self.shard.check_parameters(&parameters)?;
        self.emit(Event::ParametersSet(Box::new(parameters)));
        Ok(Answer::Done)
    }
}

impl Shard {
    /// The version of what was learned that is in force; 0 before any.
    pub fn learned_version(&self) -> u64 {
        self.learned.version
    }

    fn check_parameters(&self, parameters: &Parameters) -> Result<(), Refusal> {
        let Parameters { version, agents, queues, pools } = parameters;
        if *version <= self.learned.version {
            return Err(Refusal::ParametersOld { got: *version, current: self.learned.version });
        }
        let entries =
            agents.iter().map(|one| 1 + one.estimates.len()).sum::<usize>() + queues.len() + pools.len();
        if entries > ENTRIES_MAX {
            return Err(out_of_range("entries", entries as u64));
        }
        for AgentParameters { agent, estimates } in agents {
            self.agent(*agent).ok_or(Refusal::AgentUnknown)?;
            for estimate in estimates {
                self.check_learned_queue(estimate.queue)?;
                within("estimates.handle_ms", estimate.handle_ms)?;
                share("estimates.resolution", estimate.resolution)?;
            }
            if !estimates.is_sorted_by(|one, next| one.queue < next.queue) {
                return Err(out_of_range("estimates.queue, each once and in order", estimates.len() as u64));
            }
        }
        for one in queues {
            self.check_learned_queue(one.queue)?;
            within("queues.patience_ms", one.patience_ms)?;
            within("queues.handle_ms", one.handle_ms)?;
        }
        for one in pools {
            if self.floor.pools.get(u32::from(one.pool.0)).is_none() {
                return Err(Refusal::NotDefined { kind: Kind::Pool, name: one.pool.to_string().into() });
            }
            share("pools.load", one.load)?;
        }
        Ok(())
    }

    fn check_learned_queue(&self, queue: QueueKey) -> Result<(), Refusal> {
        match self.floor.queues.get(u32::from(queue.0)) {
            Some(_) => Ok(()),
            None => Err(Refusal::NotDefined { kind: Kind::Queue, name: queue.to_string().into() }),
        }
    }

    pub(super) fn parameters_set(&mut self, parameters: &Parameters) {
        let Parameters { version, agents, queues, pools } = parameters;
        self.learned.version = *version;
        for AgentParameters { agent, estimates } in agents {
            *slot(&mut self.learned.agents, agent.index()) = estimates.as_slice().into();
        }
        for one in queues {
            *slot(&mut self.learned.queues, one.queue.index()) = Some(*one);
        }
        for one in pools {
            *slot(&mut self.learned.pools, one.pool.index()) = Some(one.load);
        }
        if !queues.is_empty() {
            self.lines.learn(&self.learned);
        }
        self.prices.count_anew();
        self.prices.moved = true;
    }
}

fn slot<T: Default>(all: &mut Vec<T>, index: usize) -> &mut T {
    if all.len() <= index {
        all.resize_with(index + 1, T::default);
    }
    &mut all[index]
}

fn within(field: &'static str, ms: u64) -> Result<(), Refusal> {
    if (1..=LEARNED_MAX_MS).contains(&ms) { Ok(()) } else { Err(out_of_range(field, ms)) }
}

fn share(field: &'static str, part: Part) -> Result<(), Refusal> {
    if part <= Part::ONE { Ok(()) } else { Err(out_of_range(field, part.0.into())) }
}

fn out_of_range(field: &'static str, got: u64) -> Refusal {
    Refusal::ParameterOutOfRange { field, got }
}
