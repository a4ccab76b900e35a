//! The rules in force. Whoever plans takes them once and makes the whole plan with what they took, so each plan is made
//! by exactly one version; publishing swaps a pointer and waits for nobody.

use super::beside::Beside;
use super::plans::Plans;
use crate::customers::Words;
use crate::engine::floor::Floor;
use crate::engine::ids::QueueKey;
use crate::engine::plan::Plan;
use crate::rules::{Asked, RuleSet};
use arc_swap::{ArcSwap, ArcSwapOption};
use std::sync::Arc;

/// The rules in force at this moment, and what runs beside them.
pub struct InForce {
    now: ArcSwap<Ruling>,
    beside: ArcSwapOption<Beside>,
}

impl InForce {
    /// Begins with these.
    pub fn new(rules: Arc<RuleSet>) -> InForce {
        InForce { now: ArcSwap::from_pointee(Ruling::new(rules)), beside: ArcSwapOption::empty() }
    }

    /// What holds now. Take it once for one plan.
    pub fn now(&self) -> Arc<Ruling> {
        self.now.load_full()
    }

    /// What holds for the interaction of this number: a canary may plan it.
    pub fn of(&self, number: u128) -> Arc<Ruling> {
        let beside = self.beside.load();
        match beside.as_ref().filter(|beside| beside.plans(number)) {
            Some(canary) => canary.ruling.clone(),
            None => self.now(),
        }
    }

    /// The version that runs beside the one in force.
    pub fn beside(&self) -> Option<Arc<Beside>> {
        self.beside.load_full()
    }

    /// Lets another version run beside the one in force, or none.
    pub fn stand_beside(&self, beside: Option<Arc<Beside>>) {
        self.beside.store(beside);
    }

    /// Puts others in force, and hands out the ones before. Plans that are being made with these are not waited for; whoever
    /// wants to know when nobody plans with them any more watches what is left of them.
    pub fn publish(&self, ruling: Ruling) -> Arc<Ruling> {
        self.now.swap(Arc::new(ruling))
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

    /// The same rules under the number they are published with, and the plans that were made with them to look what they
    /// would do: whoever comes next need not wait for these to be made.
    #[must_use]
    pub fn numbered(self, version: u32) -> Ruling {
        let Ruling { rules, words, plans } = self;
        let rules = Arc::unwrap_or_clone(rules).numbered(version);
        Ruling { rules: rules.into(), words, plans: plans.numbered(version) }
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
