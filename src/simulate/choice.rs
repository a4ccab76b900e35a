//! The policies that can be set side by side.

use crate::engine::policy::{AgentOrder, LineOrder, Listed, Marginal, Policy};
use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// A policy by its name on the command line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Choice {
    LongestIdle,
    LeastOccupied,
    RoundRobin,
    MostSkilled,
    FewestSkills,
    Priority,
    PrioritySkill,
    CmuTheta,
    MarginalCost,
}

impl Choice {
    /// Every one.
    pub const ALL: [Choice; 9] = [
        Choice::LongestIdle,
        Choice::LeastOccupied,
        Choice::RoundRobin,
        Choice::MostSkilled,
        Choice::FewestSkills,
        Choice::Priority,
        Choice::PrioritySkill,
        Choice::CmuTheta,
        Choice::MarginalCost,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Choice::LongestIdle => "longest-idle",
            Choice::LeastOccupied => "least-occupied",
            Choice::RoundRobin => "round-robin",
            Choice::MostSkilled => "most-skilled",
            Choice::FewestSkills => "fewest-skills",
            Choice::Priority => "priority",
            Choice::PrioritySkill => "priority-skill",
            Choice::CmuTheta => "cmu-theta",
            Choice::MarginalCost => "marginal-cost",
        }
    }

    /// The policy of the pool.
    pub fn policy(self, marginal: Marginal) -> Policy {
        use AgentOrder as Agents;
        use LineOrder as Lines;
        let (agents, lines) = match self {
            Choice::LongestIdle => (Agents::LongestIdle, Lines::Score),
            Choice::LeastOccupied => (Agents::LeastOccupied, Lines::Score),
            Choice::RoundRobin => (Agents::RoundRobin, Lines::Score),
            Choice::MostSkilled => (Agents::MostSkilled, Lines::Score),
            Choice::FewestSkills => (Agents::FewestSkills, Lines::Score),
            Choice::Priority => (Agents::LongestIdle, Lines::Priority),
            Choice::PrioritySkill => (Agents::MostSkilled, Lines::Priority),
            Choice::CmuTheta => (Agents::FewestSkills, Lines::Value),
            Choice::MarginalCost => return Policy::MarginalCost(marginal),
        };
        Policy::Listed(Listed { agents, lines })
    }

    /// Whether it knows priority points.
    pub fn knows_points(self) -> bool {
        matches!(self, Choice::Priority | Choice::PrioritySkill)
    }
}

impl Display for Choice {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(name: &str) -> Result<Choice, String> {
        let all = || Choice::ALL.map(Choice::name).join(", ");
        Choice::ALL
            .into_iter()
            .find(|one| one.name() == name)
            .ok_or_else(|| format!("expected one of {}", all()))
    }
}
