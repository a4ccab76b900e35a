//! Duplicates in intent: one customer, one matter, two contacts while the first still waits. By policy both are
//! served, the second joins the first, or takes its place.

use super::command::{Answer, Submit};
use super::event::{AttachedTo, CancelCause, Event, RescindCause};
use super::few::Few;
use super::ids::{CustomerId, InteractionId, Text};
use super::interaction::{ATTACHED_MAX, Attached, Interaction, State};
use super::plan::Duplicates;
use super::shard::{Shard, Step};
use std::collections::{BTreeMap, BTreeSet};

/// The interactions that are not over, by customer and matter.
pub type Matters = BTreeMap<(CustomerId, Text), BTreeSet<InteractionId>>;

impl Step<'_> {
    /// Joins the waiting interaction about the same matter, if the plan says so.
    pub fn attach(&mut self, submit: &Submit) -> Option<Answer> {
        if submit.plan.duplicates != Duplicates::Attach {
            return None;
        }
        let interaction = self.shard.same_matter(submit)?;
        let subject = self.shard.subject(interaction);
        if subject.state == State::Scheduled || subject.attached().len() >= ATTACHED_MAX {
            return None;
        }
        let contact = Attached {
            source: submit.source.clone(),
            external_id: submit.external_id.clone(),
            channel: submit.channel,
        };
        let (keys, content) = (submit.keys, submit.content);
        self.emit(Event::AttachedTo(Box::new(AttachedTo { interaction, keys, content, contact })));
        Some(Answer::Attached { interaction })
    }

    /// The waiting one gives its place to the new one. Agents who were asked for it are free again, to be told last.
    pub fn give_way(&mut self, old: InteractionId, new: InteractionId) -> Few<super::ids::AgentKey> {
        let freed = self.rescind_all(old, RescindCause::Replaced);
        self.emit(Event::Cancelled { interaction: old, cause: CancelCause::Replaced { by: new } });
        freed
    }
}

impl Shard {
    /// Whose place a new contact takes: by policy, or since there is nobody in line to join. A customer who was promised
    /// a call and comes again before it is served now, once.
    pub(super) fn replaced_by(&self, submit: &Submit) -> Option<InteractionId> {
        let known = self.same_matter(submit)?;
        match submit.plan.duplicates {
            Duplicates::Replace => Some(known),
            Duplicates::Attach => (self.subject(known).state == State::Scheduled).then_some(known),
            Duplicates::KeepBoth => None,
        }
    }

    /// The oldest unanswered interaction of the same customer about the same matter.
    pub(super) fn same_matter(&self, submit: &Submit) -> Option<InteractionId> {
        let customer = submit.facts.customer?;
        self.unanswered_about(customer, &submit.facts.matter).next().map(|one| one.id)
    }

    pub(super) fn unanswered_about(
        &self,
        customer: CustomerId,
        matter: &Text,
    ) -> impl Iterator<Item = &Interaction> {
        let about = (!matter.is_empty()).then(|| self.matters.get(&(customer, matter.clone()))).flatten();
        let known = about.into_iter().flatten().map(|id| self.subject(*id));
        known.filter(|one| one.state.is_unanswered() && one.answered.is_none())
    }

    pub(super) fn index_matter(&mut self, id: InteractionId) {
        if let Some(key) = matter_of(self.subject(id)) {
            self.matters.entry(key).or_default().insert(id);
        }
    }

    pub(super) fn forget_matter(&mut self, id: InteractionId) {
        let Some(key) = matter_of(self.subject(id)) else { return };
        if let Some(about) = self.matters.get_mut(&key) {
            about.remove(&id);
            if about.is_empty() {
                self.matters.remove(&key);
            }
        }
    }

    pub(super) fn attached_to(&mut self, attached: &AttachedTo) {
        let id = attached.interaction;
        self.remember_keys(attached.keys, attached.content, id);
        self.subject_mut(id).change_extras(|extras| extras.attached.push(attached.contact.clone()));
    }
}

fn matter_of(subject: &Interaction) -> Option<(CustomerId, Text)> {
    let matter = &subject.facts.matter;
    subject.facts.customer.filter(|_| !matter.is_empty()).map(|customer| (customer, matter.clone()))
}
