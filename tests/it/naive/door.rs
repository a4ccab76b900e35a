//! In: intake, and the door of a queue.

use super::twin::{Item, Key, Seeking, Twin, Visit, id};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Refusal, Submit};
use baton::engine::event::{Admitted, AttachedTo, CancelCause, Event, ExitCause, RescindCause};
use baton::engine::floor::Kind;
use baton::engine::ids::{CustomerId, InteractionId, QueueKey, Text};
use baton::engine::interaction::{Attached, State, Until, Wanted, WantedBy};
use baton::engine::journey::Journey;
use baton::engine::plan::{Duplicates, Plan};
use baton::engine::route::Exit;
use baton::engine::time::Time;
use std::sync::Arc;

const DAY_MS: u64 = 24 * 3_600_000;

pub type Answered = Result<Answer, Refusal>;

/// What happens at the door.
#[derive(Clone, PartialEq)]
pub enum Then {
    Line,
    Held,
    Away(Text),
    CallBack(u64),
}

/// Who asks for entry: a plan and a channel; perhaps one who is in a queue already, or gives up a place in one.
#[derive(Clone, Copy)]
pub struct Guest<'a> {
    pub plan: &'a Plan,
    pub channel: Channel,
    pub item: Option<usize>,
    pub gives_up: Option<QueueKey>,
}

impl Twin {
    pub fn submit(&mut self, submit: Submit) -> Answered {
        for wanted in submit.keys.into_iter().flatten() {
            let Some(known) = self.keys.iter().find(|known| known.key == wanted) else { continue };
            if known.content != submit.content {
                return Err(Refusal::RequestIdReused);
            }
            return Ok(Answer::Admitted { interaction: id(known.item), repeated: true });
        }
        if let Some(due) = submit.facts.due.filter(|due| *due <= self.now) {
            return Err(Refusal::DuePast { due_ms: due.0, now_ms: self.now.0 });
        }
        self.check_plan(&submit.plan)?;
        let same = self.same_matter(submit.facts.customer, &submit.facts.matter, |_| true);
        let policy = submit.plan.duplicates;
        if let (Some(known), Duplicates::Attach) = (same, policy)
            && self.items[known].state != State::Scheduled
            && self.items[known].attached < 16
        {
            return Ok(self.attach(known, submit));
        }
        let replaced = same.filter(|known| match policy {
            Duplicates::Replace => true,
            Duplicates::Attach => self.items[*known].state == State::Scheduled,
            Duplicates::KeepBoth => false,
        });
        self.enter(submit, replaced)
    }

    fn attach(&mut self, known: usize, submit: Submit) -> Answer {
        let Submit { keys, content, source, external_id, channel, .. } = submit;
        self.remember(keys, content, known);
        self.items[known].attached += 1;
        let contact = Attached { source, external_id, channel };
        let attached = AttachedTo { interaction: id(known), keys, content, contact };
        self.tell(Event::AttachedTo(Box::new(attached)));
        Answer::Attached { interaction: id(known) }
    }

    fn remember(&mut self, keys: [Option<u128>; 2], content: u128, item: usize) {
        let at = self.now;
        self.keys.extend(keys.into_iter().flatten().map(|key| Key { key, content, item, at }));
    }

    fn enter(&mut self, submit: Submit, replaced: Option<usize>) -> Answered {
        let gives_up = replaced.map(|old| self.queue(old));
        let later = submit.facts.not_before.filter(|at| *at > self.now);
        let guest = Guest { plan: &submit.plan, channel: submit.channel, item: None, gives_up };
        let (route, hops, then) = match later {
            None => self.door(guest, 0)?,
            Some(_) if self.has_room(submit.plan.routes[0].queue, gives_up) => (0, 0, Then::Line),
            Some(_) => return Err(Refusal::QueueFull { max: 0 }),
        };
        // Who is only sent away takes nobody's place.
        let replaced = replaced.filter(|_| !matches!(then, Then::Away(_)));
        let item = self.items.len();
        let entered = replaced.map_or(self.now, |old| self.items[old].entered.min(self.now));
        let mut freed = Vec::new();
        if let Some(old) = replaced {
            freed = self.rescind_all(old, RescindCause::Replaced);
            let cause = CancelCause::Replaced { by: id(item) };
            self.over(old, State::Cancelled);
            self.tell(Event::Cancelled { interaction: id(old), cause });
        }
        self.forget();
        let Submit { keys, content, source, external_id, channel, facts, plan } = submit;
        self.remember(keys, content, item);
        if !self.sources.iter().any(|(name, _)| *name == source) {
            self.sources.push((source.clone(), None));
        }
        let scheduled = later.map(Until::At).or((then == Then::Held).then_some(Until::Opening));
        let from = later.unwrap_or(self.now);
        let wanted = plan.preferred.filter(|one| one.agent.index() < self.agents.len()).map(|one| Wanted {
            agent: one.agent,
            by: WantedBy::Rule,
            until: Time(from.0 + one.budget_ms),
            overdraw: one.overdraw,
        });
        let entered = later.unwrap_or(entered);
        self.items.push(Item {
            channel,
            customer: facts.customer,
            known: facts.journey.is_some(),
            matter: facts.matter.clone(),
            due: facts.due,
            not_before: facts.not_before,
            plan: plan.as_ref().clone(),
            revision: 0,
            route: usize::from(route),
            source: source.clone(),
            state: if scheduled.is_some() { State::Scheduled } else { State::Waiting },
            entered,
            waits_from: entered,
            in_queue_from: self.now,
            answered: false,
            visits: vec![Visit {
                queue: plan.routes[usize::from(route)].queue,
                answered: None,
                abandoned: None,
            }],
            wanted,
            seek: None::<Seeking>,
            owner: None,
            agent: None,
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
            overdue_at: None,
            window: None,
            look: None,
        });
        self.open_items.push(item);
        if scheduled.is_none() {
            self.time_max_wait(item);
            self.stand(item);
        }
        self.tell(Event::Admitted(Box::new(Admitted {
            interaction: id(item),
            keys,
            content,
            source,
            external_id,
            channel,
            facts,
            plan,
            route,
            hops,
            scheduled,
            replaces: replaced.map(id),
            wanted,
        })));
        match later {
            None => self.come_in(item, then, freed),
            Some(_) => self.free_all(freed),
        }
        Ok(Answer::Admitted { interaction: id(item), repeated: false })
    }

    /// The oldest unanswered interaction of a customer about a matter.
    pub fn same_matter(
        &self,
        customer: Option<CustomerId>,
        matter: &Text,
        also: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let customer = customer.filter(|_| !matter.is_empty())?;
        self.open_items.iter().copied().find(|item| {
            let this = &self.items[*item];
            let same = this.customer == Some(customer) && this.matter == *matter;
            same && this.state.is_unanswered() && !this.answered && also(*item)
        })
    }

    pub fn identify(
        &mut self,
        interaction: InteractionId,
        customer: CustomerId,
        journey: Option<Arc<Journey>>,
    ) -> Answered {
        let item = self.item(interaction)?;
        let this = &mut self.items[item];
        let facts = this.customer == Some(customer) && !this.known && journey.is_some();
        if this.customer.is_none() || facts {
            this.customer = Some(customer);
            this.known |= journey.is_some();
            self.tell(Event::Identified { interaction, customer, journey });
        }
        Ok(Answer::Done)
    }

    pub fn item(&self, interaction: InteractionId) -> Result<usize, Refusal> {
        let index = (interaction.0 as usize).checked_sub(1).filter(|item| *item < self.items.len());
        index.ok_or(Refusal::InteractionUnknown)
    }

    /// Ids are remembered for a day at least, and while their interaction is open.
    fn forget(&mut self) {
        let (now, items) = (self.now, &self.items);
        let open = |key: &Key| !items[key.item].state.is_over();
        self.keys.retain(|key| now.0 - key.at.0 <= DAY_MS || open(key));
        for key in self.keys.iter_mut().filter(|key| now.0 - key.at.0 > DAY_MS) {
            key.at = now;
        }
    }

    pub fn check_plan(&self, plan: &Plan) -> Result<(), Refusal> {
        for route in plan.routes.iter() {
            if self.queues.get(route.queue.index()).is_none_or(|queue| queue.removed) {
                return Err(Refusal::NotDefined { kind: Kind::Queue, name: Text::default() });
            }
            for needs in route.needs.iter().chain(route.relaxation.iter().flat_map(|step| &step.needs)) {
                needs.requirements.iter().try_for_each(|need| self.check_skill(need.skill))?;
                needs.groups.iter().try_for_each(|group| self.check_group(*group))?;
            }
        }
        Ok(())
    }

    // ---- the door ----

    /// The route it comes in on, after how many overflows, and what happens there.
    pub fn door(&self, guest: Guest, mut hops: u8) -> Result<(u8, u8, Then), Refusal> {
        let mut at = 0;
        loop {
            let way = &guest.plan.routes[usize::from(at)];
            let mut next = self.overflow(guest, at, hops);
            if next.is_none() && self.is_open(way.queue) {
                if self.has_room(way.queue, guest.gives_up) {
                    return Ok((at, hops, Then::Line));
                }
                let all: Vec<QueueKey> = way.overflow.iter().flat_map(|rule| rule.to.clone()).collect();
                next = self.first_that_takes(guest, &all, hops);
                if next.is_none() {
                    return Err(Refusal::QueueFull { max: 0 });
                }
            }
            if next.is_none() {
                let room = self.has_room(way.queue, guest.gives_up);
                match &way.when_closed {
                    Exit::Keep if room => return Ok((at, hops, Then::Held)),
                    Exit::Keep => return Err(Refusal::QueueFull { max: 0 }),
                    Exit::Queue(other) => next = self.first_that_takes(guest, &[*other], hops),
                    Exit::Callback { within_ms } if room => {
                        return Ok((at, hops, Then::CallBack(*within_ms)));
                    }
                    Exit::SendAway { destination } => return Ok((at, hops, Then::Away(destination.clone()))),
                    Exit::Callback { .. } | Exit::Refuse => {}
                }
            }
            let closed = Refusal::QueueClosed { queue: Text::default() };
            (at, hops) = (next.ok_or(closed)?, hops + 1);
        }
    }

    /// Who is free by its coming looks first.
    pub fn come_in(&mut self, item: usize, then: Then, freed: Vec<usize>) {
        match then {
            Then::Line => {
                self.free_all(freed);
                return self.line_up(item);
            }
            Then::Held => {}
            Then::Away(destination) => self.send_away(item, destination, ExitCause::QueueClosed),
            Then::CallBack(within_ms) => self.call_back_by_rule(item, within_ms),
        }
        self.free_all(freed);
        self.look_on(item);
    }

    pub fn line_up(&mut self, item: usize) {
        if self.stands(item) {
            self.skip_absent(item);
            self.seek_agent(item);
        }
    }

    /// Looks for an agent in its new line, if it stands there now.
    pub fn look_on(&mut self, item: usize) {
        match self.items[item].scheduled {
            Some(Until::At(at)) if at <= self.now => self.come_due(item),
            Some(_) => {}
            None if self.stands(item) => self.seek_agent(item),
            None => {}
        }
    }

    pub fn send_away(&mut self, item: usize, destination: Text, cause: ExitCause) {
        self.over(item, State::SentAway);
        self.tell(Event::SentAway { interaction: id(item), destination, cause });
    }
}
