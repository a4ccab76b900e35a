//! Into the engine and out of it: admission, duplicates, and leaving.

use super::door::{Then, Visitor};
use super::state::{Item, Key, Twin, item_id};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Leaving, Refusal, Submit};
use baton::engine::event::{AbandonCause, Admitted, CancelCause, EndedBy, Event, RescindCause};
use baton::engine::floor::Kind;
use baton::engine::ids::{InteractionId, Text};
use baton::engine::interaction::{Attached, State, Until, Wanted, WantedBy};
use baton::engine::plan::{Duplicates, Plan};
use baton::engine::time::Time;

impl Twin {
    pub fn item_at(&self, id: InteractionId) -> Result<usize, Refusal> {
        let item = usize::try_from(id.0).ok().and_then(|number| number.checked_sub(1));
        item.filter(|item| *item < self.items.len()).ok_or(Refusal::InteractionUnknown)
    }

    pub fn admit(&mut self, submit: Submit) -> Result<Answer, Refusal> {
        for key in submit.keys.into_iter().flatten() {
            if let Some(known) = self.keys.iter().find(|known| known.key == key) {
                let same = known.content == submit.content;
                let answer = Answer::Admitted { interaction: item_id(known.item), repeated: true };
                return same.then_some(answer).ok_or(Refusal::RequestIdReused);
            }
        }
        if let Some(due) = submit.facts.due.filter(|due| *due <= self.now) {
            return Err(Refusal::DuePast { due_ms: due.0, now_ms: self.now.0 });
        }
        self.check_plan(&submit.plan)?;
        let same = submit
            .facts
            .customer
            .and_then(|customer| self.unanswered_about(customer, &submit.facts.matter).first().copied());
        if let (Duplicates::Attach, Some(item)) = (submit.plan.duplicates, same)
            && self.items[item].state != State::Scheduled
            && self.items[item].attached < 16
        {
            let Submit { keys, content, source, external_id, channel, .. } = submit;
            let (interaction, contact) = (item_id(item), Attached { source, external_id, channel });
            self.tell(Event::AttachedTo { interaction, keys, content, contact });
            self.items[item].attached += 1;
            self.remember(keys, content, item);
            return Ok(Answer::Attached { interaction });
        }
        let replaced = same.filter(|item| match submit.plan.duplicates {
            Duplicates::KeepBoth => false,
            Duplicates::Attach => self.items[*item].state == State::Scheduled,
            Duplicates::Replace => true,
        });
        self.enter(submit, replaced)
    }

    pub fn enter(&mut self, submit: Submit, replaced: Option<usize>) -> Result<Answer, Refusal> {
        let gives_up = replaced.map(|old| self.items[old].queue());
        let later = submit.facts.not_before.filter(|at| *at > self.now);
        let visitor = Visitor { plan: &submit.plan, channel: submit.channel, item: None, gives_up };
        let (route, hops, then) = if later.is_some() {
            let queue = submit.plan.routes[0].queue;
            if !self.has_room(queue, gives_up) {
                return Err(Refusal::QueueFull { max: self.queue(queue).waiting_max });
            }
            (0, 0, Then::Line)
        } else {
            self.door(visitor)?
        };
        let item = self.items.len();
        let interaction = item_id(item);
        let mut freed = Vec::new();
        if let Some(old) = replaced {
            freed = self.rescind_all(old, RescindCause::Replaced);
            let cause = CancelCause::Replaced { by: interaction };
            self.tell(Event::Cancelled { interaction: item_id(old), cause });
            self.leaves(old, State::Cancelled);
        }
        let held = matches!(then, Then::Held).then_some(Until::Opening);
        let scheduled = later.map(Until::At).or(held);
        let preferred = submit.plan.preferred.filter(|one| one.agent.index() < self.people.len());
        let wanted = preferred.map(|one| Wanted {
            agent: one.agent,
            by: WantedBy::Rule,
            until: later.unwrap_or(self.now).after(one.budget_ms),
            overdraw: one.overdraw,
        });
        let entered = later.or(replaced.map(|old| self.items[old].entered)).unwrap_or(self.now);
        let Submit { keys, content, source, external_id, channel, facts, plan } = submit;
        let new = Item {
            source: source.clone(),
            channel,
            customer: facts.customer,
            matter: facts.matter.clone(),
            plan: plan.clone(),
            route,
            state: if scheduled.is_some() { State::Scheduled } else { State::Waiting },
            entered,
            waits_from: entered,
            in_queue_from: self.now,
            answered: false,
            visit_answered: false,
            owner: None,
            agent: None,
            wanted,
            seek: None,
            scheduled,
            callback: None,
            step: 0,
            overdue: false,
            declines: 0,
            transfers: 0,
            hops,
            attached: 0,
            cools: Vec::new(),
            gone: None,
            max_wait: None,
            window: None,
            looked: self.now,
        };
        let replaces = replaced.map(item_id);
        self.tell(Event::Admitted(Box::new(Admitted {
            interaction,
            keys,
            content,
            source: source.clone(),
            external_id,
            channel,
            facts,
            plan,
            route,
            hops,
            scheduled,
            replaces,
            wanted,
        })));
        self.forget_keys();
        self.items.push(new);
        self.remember(keys, content, item);
        if !self.sources.iter().any(|(name, _)| *name == source) {
            self.sources.push((source, None));
        }
        if scheduled.is_none() {
            self.arm_max_wait(item);
        }
        match later {
            None => self.come_in(item, then, freed),
            Some(_) => self.free_all(freed),
        }
        Ok(Answer::Admitted { interaction, repeated: false })
    }

    pub fn remember(&mut self, keys: [Option<u128>; 2], content: u128, item: usize) {
        let at = self.now;
        self.keys.extend(keys.into_iter().flatten().map(|key| Key { key, content, item, at }));
    }

    /// A day later, and only what is over.
    pub fn forget_keys(&mut self) {
        let now = self.now;
        for key in &mut self.keys {
            let expired = now.since(key.at) > 86_400_000;
            if expired && !self.items[key.item].state.is_over() {
                key.at = now;
            }
        }
        self.keys.retain(|key| now.since(key.at) <= 86_400_000);
    }

    /// Those of this customer about this matter that were never answered, oldest first.
    pub fn unanswered_about(&self, customer: baton::engine::ids::CustomerId, matter: &Text) -> Vec<usize> {
        let about = |item: &usize| {
            let one = &self.items[*item];
            one.customer == Some(customer)
                && one.matter == *matter
                && !matter.is_empty()
                && one.state.is_unanswered()
                && !one.answered
        };
        (0..self.items.len()).filter(about).collect()
    }

    pub fn check_plan(&self, plan: &Plan) -> Result<(), Refusal> {
        for way in plan.routes.iter() {
            if self.queues.get(way.queue.index()).is_none_or(|queue| queue.removed) {
                return Err(Refusal::NotDefined { kind: Kind::Queue, name: "".into() });
            }
            for needs in way.needs.iter().chain(way.relaxation.iter().flat_map(|step| &step.needs)) {
                for need in &needs.requirements {
                    if self.skills.get(need.skill.index()).is_none_or(|skill| skill.removed) {
                        return Err(Refusal::NotDefined { kind: Kind::Skill, name: "".into() });
                    }
                }
                for group in &needs.groups {
                    if self.groups.get(group.index()).is_none_or(|group| group.removed) {
                        return Err(Refusal::NotDefined { kind: Kind::Group, name: "".into() });
                    }
                }
            }
        }
        Ok(())
    }

    /// It is over.
    pub fn leaves(&mut self, item: usize, state: State) {
        let now = self.now;
        let one = &mut self.items[item];
        one.state = state;
        (one.scheduled, one.window, one.gone, one.max_wait) = (None, None, None, None);
        one.cools.clear();
        if state == State::Abandoned && !one.visit_answered {
            let soon = now.since(one.entered) <= one.plan.goals.short_abandon_ms;
            self.given_up.push((one.queue(), soon));
        }
    }

    pub fn leave(&mut self, interaction: InteractionId, leaving: Leaving) -> Result<Answer, Refusal> {
        let item = self.item_at(interaction)?;
        let one = self.items[item].clone();
        let hung_up = leaving == Leaving::CustomerLeft && one.callback.is_some();
        let withdrawn = Event::Cancelled { interaction, cause: CancelCause::Withdrawn };
        match one.state {
            State::Scheduled | State::Waiting | State::Offered if hung_up => {}
            State::Scheduled => {
                self.tell(withdrawn);
                self.leaves(item, State::Cancelled);
            }
            State::Waiting | State::Offered if leaving == Leaving::Withdrawn => {
                let freed = self.rescind_all(item, RescindCause::Withdrawn);
                self.tell(withdrawn);
                self.leaves(item, State::Cancelled);
                self.seek_works(freed);
            }
            State::Waiting | State::Offered => {
                self.abandon(item, RescindCause::CustomerLeft, AbandonCause::CustomerLeft);
            }
            State::Handling | State::Parked => {
                let by = if leaving == Leaving::Withdrawn { EndedBy::Source } else { EndedBy::Customer };
                match one.owner {
                    Some(owner) => self.end_conversation(owner, by, Text::default()),
                    None => self.close(item),
                }
            }
            _ => {}
        }
        Ok(Answer::Cancelled { state: self.items[item].state })
    }

    pub fn abandon(&mut self, item: usize, why: RescindCause, cause: AbandonCause) {
        let freed = self.rescind_all(item, why);
        self.tell(Event::Abandoned { interaction: item_id(item), cause });
        self.leaves(item, State::Abandoned);
        self.seek_works(freed);
    }

    pub fn source_gone(&mut self, item: usize) {
        self.abandon(item, RescindCause::SourceLost, AbandonCause::SourceLost);
    }

    /// How long a customer is kept whose source is silent, if somebody is on the line.
    pub fn source_grace(&self, item: usize) -> Option<u64> {
        let one = &self.items[item];
        if !matches!(one.state, State::Waiting | State::Offered) || one.callback.is_some() {
            return None;
        }
        match one.channel {
            Channel::Voice | Channel::Video => Some(10_000),
            Channel::Chat => Some(60_000),
            Channel::Message | Channel::Email | Channel::Social | Channel::Task => None,
        }
    }

    pub fn start_source_grace(&mut self, source: &Text, from: Time) {
        for item in 0..self.items.len() {
            if self.items[item].source == *source
                && let Some(grace_ms) = self.source_grace(item)
            {
                self.items[item].gone = Some(from.after(grace_ms));
            }
        }
    }

    /// Who comes back in line while the source is lost.
    pub fn grace_if_lost(&mut self, item: usize) {
        let source = &self.items[item].source;
        let lost = self.sources.iter().any(|(name, live)| name == source && *live == Some(false));
        if lost && self.items[item].gone.is_none() {
            self.items[item].gone = self.source_grace(item).map(|ms| self.now.after(ms));
        }
    }
}
