//! The rules in force. Whoever plans takes them once and makes the whole plan with what they took, so each plan is made
//! by exactly one version; publishing swaps a pointer and waits for nobody.

use super::plans::Plans;
use crate::customers::Words;
use crate::engine::floor::Floor;
use crate::engine::ids::QueueKey;
use crate::engine::plan::Plan;
use crate::rules::{Asked, RuleSet};
use arc_swap::ArcSwap;
use std::sync::{Arc, Weak};

/// The rules in force at this moment.
pub struct InForce(ArcSwap<Ruling>);

impl InForce {
    /// Begins with these.
    pub fn new(rules: Arc<RuleSet>) -> InForce {
        InForce(ArcSwap::from_pointee(Ruling::new(rules)))
    }

    /// What holds now. Take it once for one plan.
    pub fn now(&self) -> Arc<Ruling> {
        self.0.load_full()
    }

    /// Puts others in force. Plans that are being made with the ones before are not waited for; whoever wants to know when
    /// nobody plans with those any more watches what is left of them.
    pub fn publish(&self, rules: Arc<RuleSet>) -> Weak<Ruling> {
        Arc::downgrade(&self.0.swap(Arc::new(Ruling::new(rules))))
    }
}

/// A rule set at work, with the plans that were made with it.
pub struct Ruling {
    pub rules: Arc<RuleSet>,
    /// What in a customer's words announces something.
    pub words: Words,
    plans: Plans,
}

impl Ruling {
    /// Rules that may never come in force, to see what they would do.
    pub fn new(rules: Arc<RuleSet>) -> Ruling {
        Ruling { words: rules.words(), rules, plans: Plans::default() }
    }

    /// The plan for one interaction.
    pub fn plan(&self, floor: &Arc<Floor>, asked: &Asked) -> Arc<Plan> {
        self.plans.plan(&self.rules, floor, asked)
    }

    /// Whether the plan depends on the agent who served the customer last.
    pub fn asks_for_last_agent(&self, floor: &Arc<Floor>, asked: &Asked) -> bool {
        self.plans.asks_for_last_agent(&self.rules, floor, asked)
    }

    /// So far back contacts about the same matter are counted for a queue, ms. `None`: nothing depends on that.
    pub fn repeats_within(&self, floor: &Floor, queue: QueueKey) -> Option<u64> {
        self.rules.repeats_within(floor, queue)
    }
}
