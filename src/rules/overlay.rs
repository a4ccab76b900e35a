//! The rules that matched, laid over the sections: where it goes, what it asks for besides, and what it weighs more. Of
//! those that say different things of the same the first is right; what adds up is added up.

use super::compiled::{Applied, Compiled};
use super::document::Section;
use super::names::Names;
use super::ordered::Then;
use super::planning::Asked;
use crate::engine::ids::{QueueKey, Text};
use crate::engine::plan::{Plan, Preferred};
use crate::engine::skill::{Requirement, merged};
use crate::engine::stakes::{WEIGHT_MAX, WEIGHT_MIN};

/// The skill that says how much an agent may decide.
pub const AUTHORITY: &str = "authority";
/// Most instructions on one card, and most tags of one interaction. More are left out, those of the lowest rules first.
pub const INSTRUCTIONS_MAX: usize = 8;
pub const TAGS_MAX: usize = 16;

/// What the rules that matched say together.
pub(super) struct Overlay<'a> {
    thens: Vec<&'a Then>,
    sections: Vec<&'a Section>,
}

impl<'a> Overlay<'a> {
    /// Of these, in the order of the document.
    pub fn of(compiled: &'a Compiled, applied: &[Applied]) -> Overlay<'a> {
        let (thens, sections) = applied.iter().filter_map(|one| compiled.arm(*one)).unzip();
        Overlay { thens, sections }
    }

    /// What they say as sections do.
    pub fn sections(&self) -> &[&'a Section] {
        &self.sections
    }

    /// Where it goes, if a rule says so and the floor has that queue.
    pub fn queue(&self, names: Names) -> Option<QueueKey> {
        self.thens.iter().filter_map(|then| then.queue.as_deref()).find_map(|queue| names.queue(queue))
    }

    /// What the interaction asks for, and this beside it.
    pub fn requirements(&self, names: Names, asked: &[Requirement]) -> Vec<Requirement> {
        let skills = self.thens.iter().flat_map(|then| {
            let authority = then.authority.map(|level| (AUTHORITY, level));
            then.require.iter().map(|(skill, level)| (skill.as_str(), *level)).chain(authority)
        });
        let besides = skills.filter_map(|(skill, level)| {
            Some(Requirement { skill: names.skill(skill)?, proficiency: level.0 })
        });
        merged(&[asked, &besides.collect::<Vec<_>>()])
    }

    /// The agent a rule names for it, if the channel has a budget.
    pub fn preferred(&self, names: Names, asked: &Asked) -> Option<Preferred> {
        self.thens.iter().filter_map(|then| then.preferred_agent.as_ref()).find_map(|named| {
            let agent = names.agent(&named.agent)?;
            let budget_ms = named.budget.of(asked.channel)?.0;
            (budget_ms > 0).then_some(Preferred { agent, budget_ms, overdraw: named.overdraw })
        })
    }

    /// Points, weight and a deadline, and what people read, on top of what the sections give.
    pub fn raise(&self, plan: &mut Plan) {
        for then in &self.thens {
            plan.priority = plan.priority.saturating_add(then.priority.unwrap_or(0));
            if let Some(weight) = then.weight {
                plan.weight = plan.weight.times(weight.0).clamp(WEIGHT_MIN, WEIGHT_MAX);
            }
        }
        plan.deadline_ms = self.thens.iter().find_map(|then| then.deadline).map(|deadline| deadline.0);
        plan.by_due |= plan.deadline_ms.is_some();
        let said = self.thens.iter().filter_map(|then| then.instruction.as_deref());
        plan.instructions = texts(said, INSTRUCTIONS_MAX);
        plan.tags = texts(self.thens.iter().flat_map(|then| then.tags.iter().map(String::as_str)), TAGS_MAX);
    }
}

/// Each once.
fn texts<'a>(all: impl Iterator<Item = &'a str>, most: usize) -> std::sync::Arc<[Text]> {
    let mut kept: Vec<Text> = Vec::new();
    for text in all {
        if kept.len() < most && kept.iter().all(|known| **known != *text) {
            kept.push(text.into());
        }
    }
    kept.into()
}
