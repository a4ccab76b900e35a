//! Rules decide what an interaction is worth and what it needs. Pure: facts and a rule set in, a complete plan out.
//!
//! At this stage there is one rule set, the default one, version 1. Drafts, versions and publishing belong here too,
//! and not to the engine.

use crate::engine::floor::QueueSpec;
use crate::engine::ids::QueueKey;
use crate::engine::money::Money;
use crate::engine::plan::{Facts, Goals, Plan};
use crate::engine::route::Route;
use crate::engine::skill::{Requirement, merged};

/// The version of the default rule set.
pub const DEFAULT_VERSION: u32 = 1;

/// A published rule set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleSet {
    /// Names it; every plan says which one made it.
    pub version: u32,
    /// The goals of every queue.
    pub goals: Goals,
}

impl Default for RuleSet {
    /// What is assumed of a business that has said nothing: 80 % within 20 s; a customer who gives up costs 5, a late
    /// answer 1, a minute of waiting 0.20, an unsolved matter 5, in units of its currency (ALGORITHM 1.4).
    fn default() -> RuleSet {
        RuleSet {
            version: DEFAULT_VERSION,
            goals: Goals {
                answer_within_ms: 20_000,
                service_level_ppm: 800_000,
                short_abandon_ms: 5_000,
                waiting_per_minute: Money(200_000),
                abandon: Money(5_000_000),
                late: Money(1_000_000),
                unresolved: Money(5_000_000),
            },
        }
    }
}

impl RuleSet {
    /// The plan for one interaction: the queue asked for, what the queue and the interaction require, and the
    /// priority the source gave.
    pub fn plan(
        &self,
        facts: &Facts,
        key: QueueKey,
        queue: &QueueSpec,
        requirements: &[Requirement],
    ) -> Plan {
        let route = Route::plain(key, merged(&[&queue.requirements, requirements]));
        Plan::plain(self.version, route, facts.priority, self.goals.clone())
    }
}
