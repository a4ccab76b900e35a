//! Ordered rules as people write them: each says when, and then what. All that match apply, from the top: where two say
//! different things of the same, the first is right, as it is with sections; points, weights, skills asked for,
//! instructions and tags add up. A rule with `stop` is the last one that is looked at.

use super::document::{
    Better, Budget, ByChannel, FamiliarTerms, GoalFigures, Last, OverflowRule, Section, Step,
};
use super::values::{Duration, Hold, Level, Limit, Share, Weight};
use serde::Deserialize;
use std::collections::BTreeMap;

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique; the record, reports and counters of splits go by it.
    pub name: String,
    /// A condition over declared facts, in CEL. Left out: always.
    pub when: Option<String>,
    /// What happens. This, or `split`.
    pub then: Option<Then>,
    /// Different things for shares of those who match.
    pub split: Option<Vec<Arm>>,
}

impl Rule {
    /// What may happen: one thing, or one for each share.
    pub fn all_then(&self) -> impl Iterator<Item = &Then> {
        self.then.iter().chain(self.split.iter().flatten().map(|arm| &arm.then))
    }
}

/// One share of a split.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// All shares of a split make 100%.
    pub share: Share,
    pub then: Then,
}

/// What a rule does. The list is closed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Then {
    /// It comes into this queue, whichever the source named.
    pub queue: Option<String>,
    /// Skills asked for besides. Relaxation treats them as it treats what the interaction itself asks for.
    pub require: BTreeMap<String, Level>,
    /// The level of the skill `authority` that is asked for besides: agents who may decide.
    pub authority: Option<Level>,
    /// Points added.
    pub priority: Option<i16>,
    /// Multiplied into the weight.
    pub weight: Option<Weight>,
    /// It should be done so long after it came, or may begin.
    pub deadline: Option<Duration>,
    /// Waited for alone, for a while.
    pub preferred_agent: Option<NamedAgent>,
    /// Written on the card, for whoever is offered it.
    pub instruction: Option<String>,
    /// What people and reports call it.
    pub tags: Vec<String>,
    /// No rule below is looked at.
    pub stop: bool,

    // The rest is said as in a section, and stands before the section of its queue.
    pub goals: GoalFigures,
    pub hold_at_most: ByChannel<Hold>,
    pub head_start: Option<Duration>,
    pub prefer: Option<BTreeMap<String, Level>>,
    pub better_with: Option<BTreeMap<String, Better>>,
    pub groups: Option<Vec<String>>,
    pub expected_handle: ByChannel<Duration>,
    pub max_wait: ByChannel<Limit>,
    pub relaxation: Vec<Step>,
    pub last_step: Option<Last>,
    pub relax_own: Option<Vec<String>>,
    pub overflow: Option<Vec<OverflowRule>>,
    pub last_agent: Option<Budget>,
    pub familiar: Option<FamiliarTerms>,
}

impl Then {
    /// What it says as a section says it.
    pub fn section(&self) -> Section {
        Section {
            goals: self.goals.clone(),
            hold_at_most: self.hold_at_most.clone(),
            head_start: self.head_start,
            prefer: self.prefer.clone(),
            better_with: self.better_with.clone(),
            groups: self.groups.clone(),
            expected_handle: self.expected_handle.clone(),
            max_wait: self.max_wait.clone(),
            relaxation: self.relaxation.clone(),
            last_step: self.last_step.clone(),
            relax_own: self.relax_own.clone(),
            overflow: self.overflow.clone(),
            last_agent: self.last_agent.clone(),
            familiar: self.familiar,
            ..Section::default()
        }
    }
}

/// An agent who is to have it if that takes no longer than a budget.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedAgent {
    pub agent: String,
    /// A channel without one does not wait.
    pub budget: ByChannel<Duration>,
    /// Whether that agent may take it beyond their capacity.
    #[serde(default)]
    pub overdraw: bool,
}

/// Where an interaction goes when neither the source nor a rule names a queue.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fallback {
    pub queue: String,
}
