//! Queues that send to each other in a circle: the limit of hops ends that, but hardly anybody means it.

use super::Doubt;
use crate::rules::document::{Document, Leave, Section};
use crate::rules::error::Field;
use std::collections::{BTreeMap, BTreeSet};

/// Each circle once, at the first of its queues by name.
pub(super) fn doubts(document: &Document) -> Vec<Doubt> {
    let leads: BTreeMap<&str, Vec<&str>> =
        document.queues.iter().map(|(queue, section)| (queue.as_str(), led_to(section))).collect();
    let circles: BTreeSet<Vec<&str>> = leads.keys().filter_map(|queue| circle(&leads, queue)).collect();
    let shown = |circle: Vec<&str>| {
        let field = Field::default().name("queues").name(circle[0]);
        let way = circle.join(" → ");
        let said = format!("sends in a circle, {way} → {}: only the limit of hops ends it", circle[0]);
        Doubt::of(field, said)
    };
    circles.into_iter().map(shown).collect()
}

/// Where whoever waits may be led from a queue.
fn led_to(section: &Section) -> Vec<&str> {
    let overflow = section.overflow.iter().flatten().flat_map(|rule| rule.to.iter().map(String::as_str));
    let last = section.last_step.as_ref().and_then(|last| match &last.then {
        Leave::Queue(queue) => Some(queue.as_str()),
        _ => None,
    });
    overflow.chain(last).collect()
}

/// The shortest way back to a queue, if it is the first by name of those on it.
fn circle<'a>(leads: &BTreeMap<&'a str, Vec<&'a str>>, start: &'a str) -> Option<Vec<&'a str>> {
    let mut seen = BTreeSet::from([start]);
    let mut ways = vec![vec![start]];
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = *way.last().expect("a way has a beginning");
            for next in leads.get(last).into_iter().flatten().copied() {
                if next == start {
                    return way.iter().min().is_some_and(|first| *first == start).then_some(way);
                }
                if seen.insert(next) {
                    longer.push(way.iter().copied().chain([next]).collect::<Vec<_>>());
                }
            }
        }
        ways = longer;
    }
    None
}
