//! Rules that never apply: by their own condition, or because a rule above stops whoever they are for.

use super::Doubt;
use crate::engine::floor::Floor;
use crate::rules::compiled::Compiled;
use crate::rules::condition::Named;
use crate::rules::document::Document;
use crate::rules::error::Field;
use crate::rules::ordered::Rule;

/// What is certain of the conditions of a document.
pub(super) fn doubts(document: &Document, compiled: &Compiled) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    // Those above that stop whoever they apply to.
    let mut stopping: Vec<u16> = Vec::new();
    for (number, rule) in (0..).zip(&document.rules) {
        let field = Field::default().name("rules").at(usize::from(number));
        let condition = compiled.condition(number);
        doubts.extend(condition.doubts().into_iter().map(|doubt| {
            let column = Some((doubt.line.into(), doubt.column.into()));
            Doubt { column, ..Doubt::of(field.name("when"), doubt.said) }
        }));
        let above = stopping.iter().find(|above| condition.implies(compiled.condition(**above)));
        if let Some(above) = above {
            let said = format!("never applies: {:?} above stops whoever it is for", compiled.name(*above));
            doubts.push(Doubt::of(field, said));
        } else if stops(rule) && !condition.never_holds() {
            stopping.push(number);
        }
    }
    doubts
}

/// Names in conditions that this floor does not have.
pub(super) fn strangers(compiled: &Compiled, floor: &Floor) -> Vec<Doubt> {
    let is_on_floor = |named: Named| match named {
        Named::Hours(name) => floor.hours.key(name).is_some(),
        Named::Queue(name) => floor.queues.key(name).is_some(),
        Named::Skill(name) => floor.skills.key(name).is_some(),
    };
    let of_rule = |number: u16| {
        let field = Field::default().name("rules").at(usize::from(number)).name("when");
        let said = compiled.condition(number).uses().strangers(is_on_floor);
        said.into_iter().map(move |said| Doubt::of(field.clone(), said))
    };
    (0..compiled.count()).flat_map(of_rule).collect()
}

/// Whichever of its shares applies.
fn stops(rule: &Rule) -> bool {
    rule.all_then().all(|then| then.stop)
}
