//! What no agent of the floor can meet: ever, before it has loosened, or at some time of the week when the queue is open.
//! Looked at for each queue and for each rule alone; skills that run out count as long as they are there.

use super::Doubt;
use super::week::{Week, shown};
use crate::engine::channel::Channel;
use crate::engine::floor::{AgentSpec, Floor};
use crate::engine::ids::QueueKey;
use crate::engine::plan::Facts;
use crate::engine::route::{Needs, Route};
use crate::rules::error::Field;
use crate::rules::{Applied, Asked, RuleSet};

/// What nobody can meet.
pub(super) fn doubts(rules: &RuleSet, floor: &Floor) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for queue in rules.document.queues.keys() {
        let Some(key) = key(floor, queue) else { continue };
        let field = Field::default().name("queues").name(queue);
        doubts.extend(of_plan(rules, floor, key, &[]).map(|said| Doubt::of(field, said)));
    }
    for (number, rule) in (0..).zip(&rules.document.rules) {
        let field = Field::default().name("rules").at(usize::from(number));
        for (arm, then) in (0..).zip(rule.all_then()) {
            // Where it leaves the queue to others nobody knows who will be asked.
            let Some(queue) = then.queue.as_deref().and_then(|queue| key(floor, queue)) else { continue };
            let said = of_plan(rules, floor, queue, &[Applied { rule: number, arm }]);
            doubts.extend(said.map(|said| Doubt::of(field.clone(), said)));
        }
    }
    doubts
}

fn key(floor: &Floor, queue: &str) -> Option<QueueKey> {
    floor.queues.key(queue).and_then(|key| u16::try_from(key).ok()).map(QueueKey)
}

fn of_plan(rules: &RuleSet, floor: &Floor, queue: QueueKey, applied: &[Applied]) -> Option<String> {
    let facts = Facts::default();
    let plan = rules.plan(floor, &Asked { applied, ..Asked::plain(Channel::Voice, queue, &facts) });
    let route = plan.entry();
    let name = &floor.queues.get(u32::from(route.queue.0))?.name;
    if floor.agents.is_empty() {
        return None;
    }
    let last = route.relaxation.last().map_or(&route.needs, |step| &step.needs);
    let able = meeting(floor, route.queue, last);
    if able.is_empty() {
        return Some(format!("no agent can serve what it sends to {name}{}", wanting(floor, last)));
    }
    if meeting(floor, route.queue, &route.needs).is_empty() {
        let seconds = first_met(floor, route).map_or(0, |after_ms| after_ms / 1_000);
        let wants = wanting(floor, &route.needs);
        return Some(format!("nobody can serve what it sends to {name} in the first {seconds} s{wants}"));
    }
    let open = floor.queues.get(u32::from(route.queue.0))?.spec.hours;
    let gaps = Week::open(floor, open)?.without(&Week::of(floor, able.iter().map(|agent| agent.shift))?);
    let gaps = shown(&gaps);
    let wants = wanting(floor, last);
    (!gaps.is_empty()).then(|| format!("nobody on shift can serve what it sends to {name}{wants}: {gaps}"))
}

/// After which step there is somebody.
fn first_met(floor: &Floor, route: &Route) -> Option<u64> {
    let met = route.relaxation.iter().find(|step| !meeting(floor, route.queue, &step.needs).is_empty());
    met.map(|step| step.after_ms)
}

/// The agents who meet one of these, of the pool of a queue.
fn meeting<'f>(floor: &'f Floor, queue: QueueKey, ways: &[Needs]) -> Vec<&'f AgentSpec> {
    let pool = floor.pool_of(queue);
    let agents = floor.agents.by_name().map(|(_, entry)| &entry.spec);
    agents.filter(|agent| agent.pool == pool && ways.iter().any(|needs| meets(agent, needs))).collect()
}

fn meets(agent: &AgentSpec, needs: &Needs) -> bool {
    let grouped = needs.groups.is_empty() || agent.group.is_some_and(|group| needs.groups.contains(&group));
    grouped
        && needs.requirements.iter().all(|needed| {
            let skill = agent.skills.iter().find(|skill| skill.skill == needed.skill);
            skill.is_some_and(|skill| skill.proficiency >= needed.proficiency)
        })
}

/// As `, which asks for credit 5`.
fn wanting(floor: &Floor, ways: &[Needs]) -> String {
    let Some(needs) = ways.first() else { return String::new() };
    let skills = needs.requirements.iter().map(|needed| {
        let name = floor.skills.get(u32::from(needed.skill.0)).map_or("", |entry| &*entry.name);
        format!("{name} {}", needed.proficiency)
    });
    let groups = needs.groups.iter().map(|group| {
        let name = floor.groups.get(u32::from(group.0)).map_or("", |entry| &*entry.name);
        format!("group {name}")
    });
    let all: Vec<String> = skills.chain(groups).collect();
    if all.is_empty() { String::new() } else { format!(", which asks for {}", all.join(", ")) }
}
