//! Ordered rules: named once, with conditions that can be asked, shares that make a whole, and a queue to fall back to.

use super::compiled::{ARMS_MAX, RULES_MAX};
use super::condition::Condition;
use super::document::Document;
use super::error::Field;
use super::facts::Declarations;
use super::ordered::{Rule, Then};
use super::section::Layers;
use super::validate::{Checks, PRIORITY};
use super::values::Duration;
use crate::engine::hours::time_zone;
use std::collections::BTreeSet;

/// Longest instruction on a card, characters.
pub const INSTRUCTION_MAX: usize = 500;
/// Most tags of a rule.
pub const RULE_TAGS_MAX: usize = 8;

/// Checks the ordered rules of a document.
pub(super) fn rules(checks: &mut Checks, document: &Document) {
    let top = Field::default();
    if let Some(zone) = document.time_zone.as_deref().filter(|zone| time_zone(zone).is_none()) {
        checks.wrong(&top.name("time_zone"), format!("{zone:?}"), "an IANA time zone, such as Europe/Madrid");
    }
    let place = top.name("rules");
    if document.rules.len() > RULES_MAX {
        checks.wrong(&place, format!("{} rules", document.rules.len()), format!("at most {RULES_MAX}"));
        return;
    }
    if !document.rules.is_empty() && document.fallback.is_none() {
        let want = "a fallback beside them, such as fallback: { queue: general }";
        checks.wrong(&place, "no fallback", want);
    }
    let declared = &document.facts;
    for (name, got, want) in declared.wrong() {
        let facts = top.name("facts");
        checks.wrong(&if name.is_empty() { facts } else { facts.name(name) }, got, want);
    }
    let mut names = BTreeSet::new();
    for (number, rule) in document.rules.iter().enumerate() {
        let field = place.at(number);
        checks.text(&field.name("name"), &rule.name);
        if !names.insert(rule.name.as_str()) {
            checks.wrong(&field.name("name"), format!("{:?} once more", rule.name), "each once");
        }
        one(checks, document, &field, rule, declared);
    }
}

fn one(checks: &mut Checks, document: &Document, field: &Field, rule: &Rule, declared: &Declarations) {
    if let Some(when) = &rule.when {
        for wrong in Condition::compile(when, declared).err().unwrap_or_default() {
            checks.wrong_in_text(&field.name("when"), (wrong.line, wrong.column), wrong.got, wrong.want);
        }
    }
    match (&rule.then, &rule.split) {
        (None, None) => checks.wrong(field, "neither then nor split", "one of them"),
        (Some(_), Some(_)) => checks.wrong(field, "both then and split", "one of them"),
        _ => {}
    }
    if let Some(then) = &rule.then {
        self::then(checks, document, &field.name("then"), then);
        if *then == Then::default() {
            checks.wrong(&field.name("then"), "nothing", "at least one action, such as queue: loans");
        }
    }
    if let Some(arms) = &rule.split {
        let field = field.name("split");
        if !(2..=ARMS_MAX).contains(&arms.len()) {
            checks.wrong(&field, format!("{} shares", arms.len()), format!("2 to {ARMS_MAX}"));
        }
        let whole: u64 = arms.iter().map(|arm| u64::from(arm.share.0)).sum();
        if whole != 1_000_000 {
            let got = format!("shares of {}.{:04}% in all", whole / 10_000, whole % 10_000);
            checks.wrong(&field, got, "shares of 100% in all");
        }
        for (number, arm) in arms.iter().enumerate() {
            self::then(checks, document, &field.at(number).name("then"), &arm.then);
        }
    }
}

fn then(checks: &mut Checks, document: &Document, field: &Field, then: &Then) {
    if let Some(points) = then.priority {
        checks.within(&field.name("priority"), points, &PRIORITY);
    }
    checks.positive(&field.name("deadline"), then.deadline);
    if let Some(said) = &then.instruction {
        let length = said.chars().count();
        if !(1..=INSTRUCTION_MAX).contains(&length) || said.chars().any(|c| c.is_control() && c != '\n') {
            let want = format!("1 to {INSTRUCTION_MAX}, all printable");
            checks.wrong(&field.name("instruction"), format!("{length} characters"), want);
        }
    }
    let tags = field.name("tags");
    if then.tags.len() > RULE_TAGS_MAX {
        checks.wrong(&tags, format!("{} tags", then.tags.len()), format!("at most {RULE_TAGS_MAX}"));
    }
    then.tags.iter().enumerate().for_each(|(at, tag)| checks.text(&tags.at(at), tag));
    if let Some(named) = &then.preferred_agent {
        let field = field.name("preferred_agent").name("budget");
        if named.budget.given().all(|(_, Duration(ms))| *ms == 0) {
            checks.wrong(&field, "no time", "a time for one channel at least, such as { voice: 30s }");
        }
    }
    checks.section(field, &then.section(), None, Layers::default(document));
}
