//! How a pool decides who gets what. The default weighs every pair in money (ALGORITHM.md 9); the others are the
//! rules most centres come from, for migration and comparison. Whatever the policy, an interaction beyond its hard
//! maximum wait comes first.

use super::fixed::Part;
use super::ids::Text;
use super::money::Money;
use serde::{Deserialize, Serialize};

/// A pool as configured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PoolSpec {
    pub display_name: Text,
    pub policy: Policy,
    /// Another policy that is tried beside it.
    pub trial: Option<Trial>,
}

/// Another policy, tried in every other block of time (`trial.rs`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trial {
    pub other: Policy,
    /// Length of a block, ms: 15 to 60 min are sensible.
    pub block_ms: u64,
    /// Contacts that come so early in a block do not count, ms: about a handle time.
    pub wash_out_ms: u64,
    /// What decides which policy has the first block of a pair.
    pub seed: u64,
}

/// Which policy holds during a trial.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Arm {
    /// The pool's own.
    Usual,
    /// The one that is tried.
    Other,
}

impl PoolSpec {
    /// A pool with the default policy.
    pub fn plain(display_name: Text) -> PoolSpec {
        PoolSpec { display_name, policy: Policy::MarginalCost(Marginal::default()), trial: None }
    }

    /// A pool in which the agent idle longest gets whoever has the highest score.
    pub fn listed(display_name: Text) -> PoolSpec {
        PoolSpec { display_name, policy: Policy::Listed(Listed::longest_idle()), trial: None }
    }
}

/// How it is decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Policy {
    /// The pair that is worth most in money.
    MarginalCost(Marginal),
    /// The first agent of a list, the first interaction of a list.
    Listed(Listed),
}

/// The figures of marginal-cost routing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Marginal {
    /// How dearly scarce skills are protected, 0 to 2: κ. 0 is not at all.
    pub scarcity: Part,
    /// Chance that one more free agent does not help, 0.4 to 0.95: ρ.
    pub depletion: Part,
    /// What a second of idleness counts for an agent: φ.
    pub fairness_per_second: Money,
    /// Of the difference an agent makes by solving more, so much is believed, 0 to 1.
    pub match_share: Part,
    /// An agent given to somebody else is back after so long, ms, 30,000 to 600,000: τ0. `None`: after the mean
    /// handle time of what comes.
    pub horizon_ms: Option<u64>,
    /// A target counts when it ends within so long, ms: τb.
    pub target_ms: u64,
    /// Share of their time in which agents on duty work, 0 to 1: how fast a backlog clears.
    pub load: Part,
}

impl Default for Marginal {
    fn default() -> Marginal {
        Marginal {
            scarcity: Part::ONE,
            depletion: Part::thousandths(700),
            fairness_per_second: Money(5_000),
            match_share: Part::thousandths(500),
            horizon_ms: None,
            target_ms: 60_000,
            load: Part::thousandths(850),
        }
    }
}

/// A policy of two lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Listed {
    pub agents: AgentOrder,
    pub lines: LineOrder,
}

impl Listed {
    /// The order most systems have.
    pub const fn longest_idle() -> Listed {
        Listed { agents: AgentOrder::LongestIdle, lines: LineOrder::Score }
    }
}

/// Which agent comes first, of those who qualify and have equally much in use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum AgentOrder {
    /// Idle longest.
    LongestIdle,
    /// Worked least since signing in.
    LeastOccupied,
    /// Asked longest ago.
    RoundRobin,
    /// The most proficient in what is asked for, then idle longest.
    MostSkilled,
    /// The one with the fewest skills, then idle longest: who can do more is kept for others.
    FewestSkills,
    /// The first of the groups that are asked for, then idle longest: an overflow list.
    GroupOrder,
}

impl AgentOrder {
    /// Why the first is first.
    pub fn sentence(self) -> &'static str {
        match self {
            AgentOrder::LongestIdle => "idle longest",
            AgentOrder::LeastOccupied => "has worked least since signing in",
            AgentOrder::RoundRobin => "was asked longest ago",
            AgentOrder::MostSkilled => "most proficient, then idle longest",
            AgentOrder::FewestSkills => "fewest skills, then idle longest",
            AgentOrder::GroupOrder => "first of the groups, then idle longest",
        }
    }
}

/// Which interaction comes first, of those an agent can take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum LineOrder {
    /// Waited longest, a priority point being worth a minute.
    Score,
    /// The most priority points, whatever the wait; then the one asking for what the agent is most proficient in; then
    /// the longest wait.
    Priority,
    /// What losing the customer costs, per second of the agent's time; then the longest wait (cμ/θ).
    Value,
}
