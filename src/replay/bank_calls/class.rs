//! What the goals tell apart: calls of a type, by regular and by priority customers.
//!
//! The log knows a customer only if the call queued, so whoever was served at once counts as regular. A rule document has
//! a section for priority customers of a type if it names a queue such as `PS-priority`.

use super::record::{Call, Kind};
use crate::rules::RuleSet;

/// Calls that are worth the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class {
    /// What they are about.
    pub(super) kind: Kind,
    /// Whether the bank called their customers priority customers.
    pub(super) priority: bool,
}

impl Class {
    /// Every one: first the regular ones of each type.
    pub(super) fn all() -> impl Iterator<Item = Class> {
        [false, true].into_iter().flat_map(|priority| Kind::ALL.map(|kind| Class { kind, priority }))
    }

    /// That of a call.
    pub(super) fn of(call: &Call) -> Class {
        Class { kind: call.kind, priority: call.priority_customer }
    }

    /// The name of its queue: `PS`, `PS-priority`.
    pub(super) fn name(self) -> String {
        format!("{}{}", self.kind, if self.priority { "-priority" } else { "" })
    }

    /// Each type has a queue, its priority customers one of their own if the rules speak of it.
    pub(super) fn has_queue(self, rules: Option<&RuleSet>) -> bool {
        !self.priority || rules.is_some_and(|rules| rules.document().queues.contains_key(&self.name()))
    }
}
