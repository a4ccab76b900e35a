//! Lines: lanes know who needs them and who serves them, sources what is theirs, and nobody waits in vain.

use super::run::{Run, standing};
use baton::engine::agent::Agent;
use baton::engine::explain::WaitReason;
use baton::engine::ids::LaneKey;
use baton::engine::queue::LaneId;
use baton::engine::skill::proficiency;
use std::collections::{BTreeMap, BTreeSet};

impl Run {
    pub fn check_lines(&self) {
        let mut needed: BTreeSet<LaneKey> = BTreeSet::new();
        let mut open = BTreeMap::new();
        for subject in self.interactions().filter(|one| !one.state.is_over()) {
            needed.insert(subject.lane);
            needed.extend(subject.seek().map(|seek| seek.lane));
            open.entry(subject.source.clone()).or_insert_with(BTreeSet::new).insert(subject.id);
        }
        for (key, lane) in self.shard.lines().lanes() {
            assert_eq!(lane.is_needed(), needed.contains(&key), "lane {key}");
            let serve = |agent: &&std::sync::Arc<Agent>| agent.on_duty() && self.meets(agent, &lane.id);
            let on_duty = self.shard.agents().iter().filter(serve).count();
            assert_eq!(lane.on_duty() as usize, on_duty, "lane {key}");
        }
        for (name, source) in self.shard.sources() {
            let open = open.remove(name).unwrap_or_default();
            assert!(source.open.iter().eq(&open), "{name}: {:?} {open:?}", source.open);
        }
        assert!(open.is_empty(), "sources are known: {open:?}");
    }

    fn meets(&self, agent: &Agent, lane: &LaneId) -> bool {
        let Some(entry) = self.shard.floor().agents.live(agent.key.0) else { return false };
        let queue = self.shard.floor().queues.get(u32::from(lane.queue.0)).expect("it was defined");
        let meets_one = |needs: &baton::engine::route::Needs| {
            let grouped = needs.groups.is_empty()
                || entry.spec.group.is_some_and(|group| needs.groups.contains(&group));
            let skilled = needs.requirements.iter().all(|need| {
                proficiency(&entry.spec.skills, need.skill).is_some_and(|has| has >= need.proficiency)
            });
            grouped && skilled
        };
        entry.spec.pool == queue.spec.pool && lane.needs.iter().any(meets_one)
    }

    pub fn check_nobody_waits_in_vain(&self) {
        for agent in self.shard.agents() {
            if self.shard.floor().agents.live(agent.key.0).is_none() {
                continue;
            }
            for subject in standing(&self.shard) {
                let exclusion = self.shard.exclusion(agent, subject);
                // Held, and not for longer than it may be.
                let held = || {
                    let plan = subject.seek().map_or(&subject.plan, |seek| &seek.plan);
                    let hold_max_ms = plan.goals.hold_max_ms.unwrap_or(u64::MAX);
                    let held_ms = self.shard.now().since(subject.waits_from);
                    if subject.overdue || held_ms >= hold_max_ms {
                        return None;
                    }
                    // What can be done later is looked at now and then until it is due; what changes between two looks
                    // is seen with the next.
                    let due = subject.due().filter(|_| subject.seek().is_none() && plan.by_due);
                    let later = due.is_some_and(|due| self.shard.now() < due).then_some(WaitReason::Held);
                    later.or_else(|| self.shard.wait_reason(subject.id))
                };
                assert!(
                    exclusion.is_some() || held() == Some(WaitReason::Held),
                    "{} waits beside agent {}, who is free: {:?} {:#?} {:?} {:#?}",
                    subject.id,
                    agent.key,
                    self.shard.wait_reason(subject.id),
                    self.shard.judge(subject.id),
                    self.journal.last(),
                    subject,
                );
            }
        }
    }
}
