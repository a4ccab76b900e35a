//! Relaxation in order: later steps later, each loosening something, and a last step that says what then.

use super::document::{Leave, Section, Step};
use super::error::Field;
use super::section::Layers;
use super::validate::Checks;
use super::values::{Duration, Level};
use crate::engine::route::RELAXATION_MAX;
use std::collections::BTreeMap;

/// Checks the relaxation of a section. What a queue prefers is known for its own section only: the default section
/// may speak of skills and groups that its queues bring.
pub(super) fn relaxation(
    checks: &mut Checks,
    field: &Field,
    section: &Section,
    queue: Option<&str>,
    layers: Layers,
) {
    let steps = &section.relaxation;
    let place = field.name("relaxation");
    if steps.len() > RELAXATION_MAX {
        checks.wrong(&place, format!("{} steps", steps.len()), format!("at most {RELAXATION_MAX}"));
    }
    for (number, step) in steps.iter().enumerate() {
        let place = place.at(number);
        after_the_one_before(checks, &place.name("after"), step.after, steps[..number].last());
        if step.is_empty() {
            let want = "at least one of lower, drop, add_groups, add_agents_of";
            checks.wrong(&place, "a step that loosens nothing", want);
        }
        checks.names(&place.name("drop"), &step.drop, None);
        checks.names(&place.name("add_groups"), &step.add_groups, None);
        checks.names(&place.name("add_agents_of"), &step.add_agents_of, queue);
        if queue.is_some() {
            loosens(checks, &place, step, &steps[..number], layers);
        }
    }
    last_step(checks, field, section);
}

fn after_the_one_before(checks: &mut Checks, field: &Field, after: Duration, before: Option<&Step>) {
    match before {
        Some(before) if after <= before.after => {
            let want = "later than the step before";
            checks.wrong(field, written(after), format!("{want}, {}", written(before.after)));
        }
        _ => checks.positive(field, Some(after)),
    }
}

fn loosens(checks: &mut Checks, field: &Field, step: &Step, before: &[Step], layers: Layers) {
    let nothing = BTreeMap::new();
    let prefer = layers.prefer().unwrap_or(&nothing);
    for (at, skill) in step.drop.iter().enumerate() {
        if !prefer.contains_key(skill) && !layers.relax_own().contains(skill) {
            let want = "a skill of prefer or relax_own; what the queue requires is never dropped";
            checks.wrong(&field.name("drop").at(at), format!("{skill:?}"), want);
        }
    }
    for (skill, Level(level)) in &step.lower {
        let lowered = before.iter().rev().find_map(|step| step.lower.get(skill));
        let held = lowered.or_else(|| prefer.get(skill));
        if let Some(Level(held)) = held.filter(|held| held.0 <= *level) {
            checks.wrong(&field.name("lower").name(skill), level.to_string(), format!("less than {held}"));
        }
    }
    if !step.add_groups.is_empty() && layers.groups().is_empty() {
        let want = "groups in the section: without them agents of every group may be asked already";
        checks.wrong(&field.name("add_groups"), "groups to add", want);
    }
}

fn last_step(checks: &mut Checks, field: &Field, section: &Section) {
    let place = field.name("last_step");
    let Some(last) = &section.last_step else {
        if !section.relaxation.is_empty() {
            let want = "a last_step beside it that says what then, such as last_step: { then: keep }";
            checks.wrong(&field.name("relaxation"), "no last_step", want);
        }
        return;
    };
    let place = place.name("after");
    match (&last.then, last.after) {
        (Leave::Keep, Some(after)) => {
            checks.wrong(&place, written(after), "no time with then: keep");
        }
        (Leave::Keep, None) => {}
        (_, None) => checks.wrong(&place, "nothing", "the time after which it leaves, such as 10m"),
        (_, Some(after)) => after_the_one_before(checks, &place, after, section.relaxation.last()),
    }
}

/// As people write it.
pub(super) fn written(duration: Duration) -> String {
    let ms = duration.0;
    match ms {
        ms if ms > 0 && ms.is_multiple_of(86_400_000) => format!("{}d", ms / 86_400_000),
        ms if ms > 0 && ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        ms if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}
