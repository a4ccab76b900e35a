//! What becomes of interactions, by the version of the rules that planned them: kept while somebody compares versions, and
//! not looked at otherwise.

use crate::engine::event::{Event, Stamped};
use crate::engine::ids::InteractionId;
use crate::engine::interaction::Interaction;
use crate::engine::shard::Shard;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Versions that are kept apart at once; of more, those with the lowest numbers are forgotten.
const VERSIONS_MAX: usize = 4;

/// What became of the interactions of one version.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fates {
    /// Came in with a plan of it.
    pub entered: u64,
    /// Answered, each once.
    pub answered: u64,
    /// Of these, within the target of their plan.
    pub in_time: u64,
    /// Waits of those who were answered, ms.
    pub wait_ms: u64,
    /// The customer left unanswered, short abandons left out.
    pub abandoned: u64,
}

impl Fates {
    /// Answered in time of those answered or lost, in parts per million. `None`: nobody was yet.
    pub fn service_level_ppm(&self) -> Option<u64> {
        (self.in_time * 1_000_000).checked_div(self.ended())
    }

    /// Lost of those answered or lost, in parts per million. `None`: nobody was yet.
    pub fn abandoned_ppm(&self) -> Option<u64> {
        (self.abandoned * 1_000_000).checked_div(self.ended())
    }

    /// Of those who were answered, ms. `None`: nobody was yet.
    pub fn mean_wait_ms(&self) -> Option<u64> {
        self.wait_ms.checked_div(self.answered)
    }

    /// Answered or lost: those a figure is of.
    pub fn ended(&self) -> u64 {
        self.answered + self.abandoned
    }
}

/// The fates of all versions that are compared. A handle: clones see the same.
#[derive(Clone, Default)]
pub struct ByVersion(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Somebody compares.
    on: AtomicBool,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept(BTreeMap<u32, Fates>);

impl ByVersion {
    /// Begins anew, with nothing seen.
    pub fn begin(&self) {
        self.kept().0.clear();
        self.0.on.store(true, Ordering::Release);
    }

    /// Nobody compares any more.
    pub fn end(&self) {
        self.0.on.store(false, Ordering::Release);
    }

    /// What has become of those of a version since it began.
    pub fn of(&self, version: u32) -> Fates {
        self.kept().0.get(&version).copied().unwrap_or_default()
    }

    /// An event that is durable, with what it is about and the shard as it is by now.
    pub(super) fn hear(&self, stamped: &Stamped, about: Option<InteractionId>, shard: &Shard) {
        if !self.0.on.load(Ordering::Acquire) {
            return;
        }
        if let Some(subject) = about.and_then(|id| shard.interaction(id)) {
            self.kept().hear(stamped, subject);
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn hear(&mut self, stamped: &Stamped, subject: &Interaction) {
        let (plan, wait_ms) = (&subject.plan, stamped.time.since(subject.entered));
        match &stamped.event {
            Event::Admitted(admitted) => self.of(admitted.plan.rule_set).entered += 1,
            // Later accepts of the same interaction find an earlier answer.
            Event::Accepted { .. } if subject.answered == Some(stamped.time) => {
                let fates = self.of(plan.rule_set);
                fates.answered += 1;
                fates.wait_ms += wait_ms;
                fates.in_time += u64::from(wait_ms <= plan.goals.answer_within_ms);
            }
            Event::Abandoned { .. }
                if subject.answered.is_none() && wait_ms > plan.goals.short_abandon_ms =>
            {
                self.of(plan.rule_set).abandoned += 1;
            }
            _ => {}
        }
    }

    fn of(&mut self, version: u32) -> &mut Fates {
        if self.0.len() == VERSIONS_MAX && !self.0.contains_key(&version) {
            self.0.pop_first();
        }
        self.0.entry(version).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_those_answered_or_lost_and_nobody_yet_is_no_figure() {
        let fates = Fates { entered: 9, answered: 3, in_time: 2, wait_ms: 30_000, abandoned: 1 };
        assert_eq!((fates.service_level_ppm(), fates.abandoned_ppm()), (Some(500_000), Some(250_000)));
        assert_eq!(fates.mean_wait_ms(), Some(10_000));
        let none = Fates { entered: 4, ..Fates::default() };
        assert_eq!((none.service_level_ppm(), none.abandoned_ppm(), none.mean_wait_ms()), (None, None, None));
    }

    #[test]
    fn of_many_versions_the_newest_are_kept() {
        let mut kept = Kept::default();
        (1..=6).for_each(|version| kept.of(version).entered += 1);
        assert_eq!(kept.0.keys().copied().collect::<Vec<_>>(), [3, 4, 5, 6]);
    }
}
