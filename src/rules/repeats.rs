//! Repeat contacts about the same matter: from some contact on a section may give more points and weight, ask for more
//! authority, and lead to another queue, so that nobody has to be persistent to be helped. Of the steps of a section the
//! last one reached applies, alone; where nothing is known of the customer, none does.

use super::document::{RepeatStep, Repeats};
use super::names::Names;
use super::planning::Asked;
use crate::engine::ids::QueueKey;
use crate::engine::plan::Plan;
use crate::engine::skill::{Requirement, merged};
use crate::engine::stakes::{WEIGHT_MAX, WEIGHT_MIN};

/// What the section of a queue says of repeat contacts.
pub(super) fn repeats<'a>(names: Names<'a>, queue: QueueKey) -> Option<&'a Repeats> {
    names.layers(queue).first(|section| section.repeats.as_ref())
}

/// The step that applies.
pub(super) fn step<'a>(names: Names<'a>, asked: &Asked) -> Option<&'a RepeatStep> {
    let journey = asked.facts.journey.as_ref().filter(|known| known.about_within > 0)?;
    let reached = |step: &&RepeatStep| u32::from(step.contact) <= journey.contact_number();
    repeats(names, asked.queue)?.steps.iter().take_while(reached).last()
}

impl RepeatStep {
    /// Where it goes: to the queue of the step, if the floor has it.
    pub(super) fn queue(&self, names: Names, asked: &Asked) -> QueueKey {
        self.queue.as_deref().and_then(|queue| names.queue(queue)).unwrap_or(asked.queue)
    }

    /// What the interaction asks for, and this beside it: relaxation treats both alike.
    pub(super) fn requirements(&self, names: Names, asked: &Asked) -> Vec<Requirement> {
        let besides = self.require.iter().filter_map(|(skill, level)| {
            Some(Requirement { skill: names.skill(skill)?, proficiency: level.0 })
        });
        merged(&[asked.requirements, &besides.collect::<Vec<_>>()])
    }

    /// Points and weight on top of what the section of its queue gives.
    pub(super) fn raise(&self, plan: &mut Plan) {
        plan.priority = plan.priority.saturating_add(self.priority.unwrap_or(0));
        if let Some(weight) = self.weight {
            plan.weight = plan.weight.times(weight.0).clamp(WEIGHT_MIN, WEIGHT_MAX);
        }
    }

    /// True if it changes nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.priority.is_none() && self.weight.is_none() && self.require.is_empty() && self.queue.is_none()
    }
}
