//! Who may serve an interaction in a queue, and how that loosens. The queue's requirements, the section's preferred
//! skills and what the interaction itself asks for hold together at first. Relaxation touches the first two; of the
//! interaction's own only the skills listed in `relax_own`.

use super::document::Step;
use super::names::Names;
use super::section::Layers;
use crate::engine::floor::Floor;
use crate::engine::ids::{GroupKey, QueueKey, SkillKey};
use crate::engine::route::{Needs, Relaxation};
use crate::engine::skill::{Proficiency, Requirement, merged};

/// What is asked for in one queue, as relaxation has left it.
pub(super) struct Demand<'a> {
    names: Names<'a>,
    queue: QueueKey,
    /// Of the queue and the section: may be lowered.
    required: Vec<Requirement>,
    /// Of the section: may be lowered and dropped.
    preferred: Vec<Requirement>,
    /// Of the interaction, listed in `relax_own`: may be lowered and dropped.
    loose: Vec<Requirement>,
    /// Of the interaction: stays.
    own: Vec<Requirement>,
    groups: Vec<GroupKey>,
    /// Queues whose agents may be asked, too.
    others: Vec<QueueKey>,
}

impl<'a> Demand<'a> {
    pub fn new(names: Names<'a>, layers: Layers<'a>, queue: QueueKey, own: &[Requirement]) -> Demand<'a> {
        let relaxable: Vec<SkillKey> =
            layers.relax_own().iter().filter_map(|skill| names.skill(skill)).collect();
        let (loose, own) = own.iter().partition(|needed| relaxable.contains(&needed.skill));
        let preferred = layers.prefer().into_iter().flatten().filter_map(|(skill, level)| {
            Some(Requirement { skill: names.skill(skill)?, proficiency: level.0 })
        });
        Demand {
            names,
            queue,
            required: required(names.floor, queue),
            preferred: preferred.collect(),
            loose,
            own,
            groups: groups(names, layers),
            others: Vec::new(),
        }
    }

    /// Whoever meets one of these qualifies.
    pub fn needs(&self) -> Vec<Needs> {
        let all = [&self.required[..], &self.preferred, &self.loose, &self.own];
        let mut needs = vec![Needs { requirements: merged(&all), groups: self.groups.clone() }];
        for other in &self.others {
            // What makes an agent serve the other queue, and what the interaction itself asks for.
            let there = required(self.names.floor, *other);
            let requirements = merged(&[&there, &self.loose, &self.own]);
            let groups = groups(self.names, self.names.layers(*other));
            let another = Needs { requirements, groups };
            if !needs.contains(&another) {
                needs.push(another);
            }
        }
        needs
    }

    /// The steps that change something, each with what is asked for from then on.
    pub fn relax(mut self, steps: &[Step]) -> Vec<Relaxation> {
        let mut last = self.needs();
        let mut relaxed = Vec::with_capacity(steps.len());
        for step in steps {
            self.step(step);
            let needs = self.needs();
            if needs != last {
                last.clone_from(&needs);
                relaxed.push(Relaxation { after_ms: step.after.0, needs });
            }
        }
        relaxed
    }

    fn step(&mut self, step: &Step) {
        for (skill, level) in &step.lower {
            if let Some(skill) = self.names.skill(skill) {
                for list in [&mut self.required, &mut self.preferred, &mut self.loose] {
                    lower(list, skill, level.0);
                }
            }
        }
        for skill in step.drop.iter().filter_map(|skill| self.names.skill(skill)) {
            self.preferred.retain(|wanted| wanted.skill != skill);
            self.loose.retain(|wanted| wanted.skill != skill);
        }
        let groups = step.add_groups.iter().filter_map(|group| self.names.group(group));
        self.groups.extend(groups);
        self.groups.sort_unstable();
        self.groups.dedup();
        let (names, queue) = (self.names, self.queue);
        let others = step.add_agents_of.iter().filter_map(|other| names.queue(other));
        for other in others.filter(|other| names.shares_agents(queue, *other)) {
            if !self.others.contains(&other) {
                self.others.push(other);
            }
        }
    }
}

fn required(floor: &Floor, queue: QueueKey) -> Vec<Requirement> {
    let entry = floor.queues.live(u32::from(queue.0)).expect("only queues in use are planned for");
    entry.spec.requirements.clone()
}

fn groups(names: Names, layers: Layers) -> Vec<GroupKey> {
    let mut keys: Vec<GroupKey> = layers.groups().iter().filter_map(|group| names.group(group)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn lower(list: &mut [Requirement], skill: SkillKey, to: Proficiency) {
    for needed in list.iter_mut().filter(|needed| needed.skill == skill) {
        needed.proficiency = needed.proficiency.min(to);
    }
}
