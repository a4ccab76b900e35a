//! Steps of repeat contacts in order: each from a later contact on than the one before, each changing something.

use super::document::Section;
use super::error::Field;
use super::validate::{Checks, PRIORITY};
use super::validate_relaxation::written;
use std::ops::RangeInclusive;

/// Repeat contacts are looked back for no further than this, ms: as far as the facts go.
pub const WITHIN_MAX_MS: u64 = 7 * 86_400_000;
/// Contacts from which a step may hold on. The first one is no repetition.
pub const CONTACTS: RangeInclusive<u16> = 2..=100;

/// Checks what a section says of repeat contacts.
pub(super) fn repeats(checks: &mut Checks, field: &Field, section: &Section, queue: Option<&str>) {
    let Some(repeats) = &section.repeats else { return };
    let place = field.name("repeats");
    checks.positive(&place.name("within"), Some(repeats.within));
    if repeats.within.0 > WITHIN_MAX_MS {
        checks.wrong(&place.name("within"), written(repeats.within), "at most 7d");
    }
    let place = place.name("steps");
    if repeats.steps.is_empty() {
        checks.wrong(&place, "no step", "at least one, such as { contact: 2, priority: 2 }");
    }
    for (number, step) in repeats.steps.iter().enumerate() {
        let place = place.at(number);
        checks.within(&place.name("contact"), step.contact, &CONTACTS);
        let before = repeats.steps[..number].last().map(|before| before.contact);
        if let Some(before) = before.filter(|before| step.contact <= *before) {
            let want = format!("more than in the step before, {before}");
            checks.wrong(&place.name("contact"), step.contact.to_string(), want);
        }
        if step.is_empty() {
            let want = "at least one of priority, weight, require, queue";
            checks.wrong(&place, "a step that changes nothing", want);
        }
        if let Some(points) = step.priority {
            checks.within(&place.name("priority"), points, &PRIORITY);
        }
        if queue.is_some() && step.queue.as_deref() == queue {
            checks.wrong(&place.name("queue"), "the queue itself", "another queue");
        }
    }
}
