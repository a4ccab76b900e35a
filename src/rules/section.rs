//! What holds for one queue: what rules that matched say, then its own section, then the default section, then the
//! built-in document. The first that says something is right.

use super::built_in;
use super::document::{
    Better, Budget, ByChannel, Document, GoalFigures, Last, Leave, OverflowRule, Section, Step,
};
use super::values::{Amount, Dial, Duration, Hold, Level, Share};
use crate::engine::channel::Channel;
use crate::engine::money::Money;
use crate::engine::plan::Goals;
use std::collections::BTreeMap;

/// The sections that apply to a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layers<'a> {
    /// Of the rules that matched, from the top.
    over: &'a [&'a Section],
    base: [&'a Section; 3],
}

impl<'a> Layers<'a> {
    /// Those of a queue, by its name. A queue the document does not name has the default section.
    pub fn of(document: &'a Document, queue: &str) -> Layers<'a> {
        let own = document.queues.get(queue).unwrap_or(&document.default);
        Layers { over: &[], base: [own, &document.default, &built_in().default] }
    }

    /// Those of a queue the document does not name.
    pub fn default(document: &'a Document) -> Layers<'a> {
        Layers { over: &[], base: [&document.default, &document.default, &built_in().default] }
    }

    /// Under what rules say.
    pub fn under(self, over: &'a [&'a Section]) -> Layers<'a> {
        Layers { over, ..self }
    }

    fn all(self) -> impl Iterator<Item = &'a Section> {
        self.over.iter().copied().chain(self.base)
    }

    /// What the first section that says it says.
    pub fn first<T>(self, of: impl Fn(&'a Section) -> Option<T>) -> Option<T> {
        self.all().find_map(of)
    }

    pub fn by_channel<T>(
        self,
        channel: Channel,
        of: impl Fn(&'a Section) -> &'a ByChannel<T>,
    ) -> Option<&'a T> {
        self.first(|section| of(section).of(channel))
    }

    /// Every exit that is given for a channel, the nearest section first: one that cannot be taken leaves it to the
    /// next.
    pub fn exits(
        self,
        channel: Channel,
        of: impl Fn(&'a Section) -> &'a ByChannel<Leave>,
    ) -> impl Iterator<Item = &'a Leave> {
        self.all().filter_map(move |section| of(section).of(channel))
    }

    /// Relaxation and the last step come from one section: a last step of one with the times of another makes no
    /// sense.
    pub fn relaxation(self) -> (&'a [Step], Option<&'a Last>) {
        let found = self.first(|section| section.relaxes().then_some(section));
        found.map_or((&[], None), |section| (section.relaxation.as_slice(), section.last_step.as_ref()))
    }

    pub fn prefer(self) -> Option<&'a BTreeMap<String, Level>> {
        self.first(|section| section.prefer.as_ref())
    }

    pub fn better_with(self) -> Option<&'a BTreeMap<String, Better>> {
        self.first(|section| section.better_with.as_ref())
    }

    pub fn groups(self) -> &'a [String] {
        self.first(|section| section.groups.as_deref()).unwrap_or_default()
    }

    pub fn relax_own(self) -> &'a [String] {
        self.first(|section| section.relax_own.as_deref()).unwrap_or_default()
    }

    pub fn overflow(self) -> &'a [OverflowRule] {
        self.first(|section| section.overflow.as_deref()).unwrap_or_default()
    }

    /// How long an agent is waited for on a channel, and whether beyond their capacity.
    pub fn budget(
        self,
        channel: Channel,
        of: impl Fn(&'a Section) -> Option<&'a Budget>,
    ) -> Option<(u64, bool)> {
        let budget = self.first(of)?;
        let Duration(ms) = budget.budget.of(channel)?;
        (*ms > 0).then_some((*ms, budget.overdraw))
    }

    pub fn goals(self, channel: Channel) -> Goals {
        let ms = |of: fn(&GoalFigures) -> Option<Duration>| self.figure(of).0;
        let money = |of: fn(&GoalFigures) -> Option<Amount>| -> Money { self.figure(of).0 };
        Goals {
            answer_within_ms: ms(|goals| goals.answer_within),
            service_level_ppm: self.figure::<Share>(|goals| goals.service_level).0,
            short_abandon_ms: ms(|goals| goals.short_abandon),
            waiting_per_minute: money(|goals| goals.waiting_per_minute),
            abandon: money(|goals| goals.abandon),
            late: money(|goals| goals.late),
            unresolved: money(|goals| goals.unresolved),
            patience_ms: ms(|goals| goals.patience).max(1),
            hold_max_ms: self.by_channel(channel, |section| &section.hold_at_most).and_then(|Hold(ms)| *ms),
            dial: self.figure::<Dial>(|goals| goals.service_level_dial).0,
        }
    }

    fn figure<T>(self, of: fn(&GoalFigures) -> Option<T>) -> T {
        self.first(|section| of(&section.goals)).expect("the built-in document states every figure")
    }
}

impl Section {
    /// True if it says how waiting loosens, or what then.
    fn relaxes(&self) -> bool {
        !self.relaxation.is_empty() || self.last_step.is_some()
    }
}
