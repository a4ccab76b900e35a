//! Finished plans by what they were made from, so that the rules are read once for all interactions alike. A new
//! floor makes all of them old. Plans that depend on one agent are made each time: there are as many as agents.

use crate::engine::channel::Channel;
use crate::engine::floor::Floor;
use crate::engine::ids::QueueKey;
use crate::engine::plan::{Facts, Plan};
use crate::engine::skill::Requirement;
use crate::rules::{Applied, Asked, RuleSet};
use arc_swap::ArcSwapOption;
use hashbrown::HashMap;
use std::sync::Arc;

/// Most plans that are kept. Whatever else is asked for is planned each time.
const PLANS_MAX: usize = 4_096;

/// The plans of a tenant.
#[derive(Default)]
pub struct Plans(ArcSwapOption<Made>);

/// What was planned on one floor.
#[derive(Clone)]
struct Made {
    floor: Arc<Floor>,
    plans: HashMap<Key, Vec<Kept>>,
    count: usize,
}

/// A plan, and what is asked of the rules beside it.
#[derive(Clone)]
struct Kept {
    requirements: Box<[Requirement]>,
    /// The rules that apply.
    applied: Box<[Applied]>,
    plan: Arc<Plan>,
    asks_for_last_agent: bool,
}

/// All that a plan depends on beside the requirements.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    channel: Channel,
    queue: QueueKey,
    priority: i16,
    by_due: bool,
    /// The step of repeat contacts that applies.
    repeat_step: Option<u16>,
    refuses_calls: bool,
    /// Folded from the rules that apply.
    applied: u64,
}

impl Plans {
    /// The plan for one interaction, as the rules make it. Always the same rules: other rules have other plans.
    pub fn plan(&self, rules: &RuleSet, floor: &Arc<Floor>, asked: &Asked) -> Arc<Plan> {
        if asked.wish.is_some() || asked.last.is_some() {
            return Arc::new(rules.plan(floor, asked));
        }
        self.look(rules, floor, asked, |kept| kept.plan.clone())
    }

    /// The same plans under another number of the rules that made them.
    pub fn numbered(self, version: u32) -> Plans {
        let made = self.0.into_inner().map(|made| {
            let mut made = Arc::unwrap_or_clone(made);
            for kept in made.plans.values_mut().flatten() {
                Arc::make_mut(&mut kept.plan).rule_set = version;
            }
            Arc::new(made)
        });
        Plans(ArcSwapOption::new(made))
    }

    /// Whether the plan depends on the agent who served the customer last.
    pub fn asks_for_last_agent(&self, rules: &RuleSet, floor: &Arc<Floor>, asked: &Asked) -> bool {
        if asked.wish.is_some() {
            return rules.asks_for_last_agent(floor, asked);
        }
        self.look(rules, floor, asked, |kept| kept.asks_for_last_agent)
    }

    fn look<T>(&self, rules: &RuleSet, floor: &Arc<Floor>, asked: &Asked, take: impl Fn(&Kept) -> T) -> T {
        let Facts { priority, due, .. } = asked.facts;
        let by_due = due.is_some();
        let repeat_step = rules.repeat_step(floor, asked);
        let (channel, queue, priority) = (asked.channel, asked.queue, *priority);
        let refuses_calls = asked.facts.journey.as_ref().is_some_and(|journey| journey.refuses_calls);
        let applied = folded(asked.applied);
        let key = Key { channel, queue, priority, by_due, repeat_step, refuses_calls, applied };
        let made = self.0.load();
        let known = made.as_ref().filter(|made| Arc::ptr_eq(&made.floor, floor));
        if let Some(kept) = known.and_then(|made| made.find(key, asked)) {
            return take(kept);
        }
        let kept = Kept {
            requirements: asked.requirements.into(),
            applied: asked.applied.into(),
            plan: Arc::new(rules.plan(floor, asked)),
            asks_for_last_agent: rules.asks_for_last_agent(floor, asked),
        };
        let taken = take(&kept);
        if known.is_none_or(|made| made.count < PLANS_MAX) {
            self.keep(floor, key, kept);
        }
        taken
    }

    /// Two who plan at once may lose one of the plans: it is made again when it is asked for.
    fn keep(&self, floor: &Arc<Floor>, key: Key, kept: Kept) {
        let known = self.0.load_full().filter(|made| Arc::ptr_eq(&made.floor, floor));
        let empty = || Made { floor: floor.clone(), plans: HashMap::new(), count: 0 };
        let mut made = known.map_or_else(empty, |made| Made::clone(&made));
        made.plans.entry(key).or_default().push(kept);
        made.count += 1;
        self.0.store(Some(Arc::new(made)));
    }
}

impl Made {
    fn find(&self, key: Key, asked: &Asked) -> Option<&Kept> {
        let alike =
            |kept: &&Kept| *kept.requirements == *asked.requirements && *kept.applied == *asked.applied;
        self.plans.get(&key)?.iter().find(alike)
    }
}

/// Equal lists have equal numbers; others nearly always differ.
fn folded(applied: &[Applied]) -> u64 {
    applied.iter().fold(0xcbf2_9ce4_8422_2325, |folded, one| {
        (folded ^ (u64::from(one.rule) << 8 | u64::from(one.arm))).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::command::{Command, Write};
    use crate::engine::floor::{Definition, QueueSpec};
    use crate::engine::ids::PoolKey;
    use crate::engine::journey::Journey;
    use crate::engine::plan::Facts;
    use crate::engine::policy::PoolSpec;
    use crate::engine::shard::Shard;

    fn floor() -> Arc<Floor> {
        let mut shard = Shard::new();
        let queue = QueueSpec::plain("Sales".into(), PoolKey(0), Vec::new());
        for (name, definition) in [
            ("main", Definition::Pool(PoolSpec::plain("Main".into()).into())),
            ("sales", Definition::Queue(queue)),
        ] {
            let define = Command::Define { name: name.into(), definition, write: Write::Create };
            shard.step(shard.now(), define, &mut Vec::new()).expect("a new name");
        }
        Arc::new(shard.floor().clone())
    }

    #[test]
    fn what_is_asked_alike_is_planned_once_for_each_floor() {
        let (plans, rules, first) = (Plans::default(), RuleSet::default(), floor());
        let (plain, urgent) = (Facts::default(), Facts { priority: 3, ..Facts::default() });
        let asked = Asked::plain(Channel::Voice, QueueKey(0), &plain);
        let plan = plans.plan(&rules, &first, &asked);
        assert_eq!(*plan, rules.plan(&first, &asked));
        assert!(Arc::ptr_eq(&plan, &plans.plan(&rules, &first, &asked)), "it is the same");
        let other = Asked { facts: &urgent, ..asked };
        assert_eq!(*plans.plan(&rules, &first, &other), rules.plan(&first, &other));
        assert!(Arc::ptr_eq(&plan, &plans.plan(&rules, &first, &asked)), "both are kept");
        assert!(!Arc::ptr_eq(&plan, &plans.plan(&rules, &floor(), &asked)), "another floor");
    }

    #[test]
    fn plans_are_taken_along_when_their_rules_are_given_a_number() {
        let (plans, rules, floor) = (Plans::default(), RuleSet::default(), floor());
        let plain = Facts::default();
        let asked = Asked::plain(Channel::Voice, QueueKey(0), &plain);
        plans.plan(&rules, &floor, &asked);
        let (plans, rules) = (plans.numbered(7), rules.numbered(7));
        let taken = plans.0.load_full().expect("one was made");
        let (_, taken) = taken.plans.iter().next().expect("one was made");
        assert_eq!(*taken[0].plan, rules.plan(&floor, &asked), "as if it were made anew");
        assert!(Arc::ptr_eq(&taken[0].plan, &plans.plan(&rules, &floor, &asked)), "and it is not made anew");
    }

    #[test]
    fn contacts_are_planned_alike_while_the_same_step_of_repeats_applies() {
        let text = "version: 2\nname: again\ndefault:\n  repeats: { within: 7d, steps: [{ contact: 2, priority: 2 }, { contact: 4, priority: 9 }] }\n";
        let (plans, rules, floor) = (Plans::default(), RuleSet::read(text).expect("right"), floor());
        let after = |about_within| {
            let journey = Some(Journey { about_within, ..Journey::default() }.into());
            let facts = Facts { journey, ..Facts::default() };
            plans.plan(&rules, &floor, &Asked::plain(Channel::Voice, QueueKey(0), &facts))
        };
        let points = [0, 1, 2, 3, 9].map(|before| after(before).priority);
        assert_eq!(points, [0, 2, 2, 9, 9]);
        assert!(Arc::ptr_eq(&after(1), &after(2)), "the same step, the same plan");
    }
}
