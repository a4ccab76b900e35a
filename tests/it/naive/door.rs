//! In and out: intake, the door of a queue, overflow, the exits.

use super::twin::{Item, Key, Seeking, Twin, Visit, id};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Leaving, Refusal, Submit};
use baton::engine::event::{AbandonCause, Admitted, CancelCause, EndedBy, Event, ExitCause, RescindCause};
use baton::engine::floor::Kind;
use baton::engine::ids::{CustomerId, InteractionId, QueueKey, Text};
use baton::engine::interaction::{Attached, State, Until, Wanted, WantedBy};
use baton::engine::plan::{Duplicates, Plan};
use baton::engine::route::{Condition, Exit};
use baton::engine::time::Time;

const DAY_MS: u64 = 24 * 3_600_000;
const LOOK_MS: u64 = 5_000;

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
        self.tell(Event::AttachedTo { interaction: id(known), keys, content, contact });
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
            matter: facts.matter.clone(),
            plan: plan.as_ref().clone(),
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

    pub fn identify(&mut self, interaction: InteractionId, customer: CustomerId) -> Answered {
        let item = self.item(interaction)?;
        if self.items[item].customer.is_none() {
            self.items[item].customer = Some(customer);
            self.tell(Event::Identified { interaction, customer });
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

    fn send_away(&mut self, item: usize, destination: Text, cause: ExitCause) {
        self.over(item, State::SentAway);
        self.tell(Event::SentAway { interaction: id(item), destination, cause });
    }

    // ---- overflow and exits ----

    fn overflow(&self, guest: Guest, at: u8, hops: u8) -> Option<u8> {
        let way = &guest.plan.routes[usize::from(at)];
        way.overflow.iter().filter(|rule| rule.when.iter().all(|one| self.holds(*one, guest, at))).find_map(
            |rule| {
                let others: Vec<QueueKey> = rule.to.iter().copied().filter(|to| *to != way.queue).collect();
                self.first_that_takes(guest, &others, hops)
            },
        )
    }

    fn holds(&self, condition: Condition, guest: Guest, at: u8) -> bool {
        let way = &guest.plan.routes[usize::from(at)];
        let queue = way.queue;
        let waiting = self.waiting(queue);
        match condition {
            Condition::Waiting { at_least } => {
                waiting.iter().filter(|one| Some(**one) != guest.item).count() >= at_least as usize
            }
            Condition::LongestWait { at_least_ms } => {
                let first = waiting.iter().map(|one| self.items[*one].entered).min();
                first.is_some_and(|since| self.now.0.saturating_sub(since.0) >= at_least_ms)
            }
            Condition::EstimatedWait { at_least_ms } => {
                let own = guest.item.filter(|item| waiting.contains(item));
                let wait_ms = match own {
                    Some(item) => self.estimate(item),
                    None if self.free_for(guest, at) > 0 => Some(0),
                    None => self.wait_at(waiting.len() as u64 + 1, queue, self.on_duty(queue, &way.needs)),
                };
                wait_ms.is_none_or(|wait_ms| wait_ms >= at_least_ms)
            }
            Condition::ServiceLevel { below_ppm } => self.service_level_ppm(queue) < below_ppm,
            Condition::FreeAgents { at_most } => self.free_for(guest, at) <= u64::from(at_most),
            Condition::Closed => !self.is_open(queue),
        }
    }

    /// How many are ready for one like it.
    fn free_for(&self, guest: Guest, at: u8) -> u64 {
        let way = &guest.plan.routes[usize::from(at)];
        let free = |agent: &usize| {
            self.ready(*agent)
                && self.qualifies(*agent, way.queue, &way.needs)
                && self.no_room(*agent, guest.channel, false).is_none()
        };
        (0..self.agents.len()).filter(free).count() as u64
    }

    fn first_that_takes(&self, guest: Guest, queues: &[QueueKey], hops: u8) -> Option<u8> {
        if hops >= guest.plan.hops_max {
            return None;
        }
        queues.iter().find_map(|queue| {
            let route = guest.plan.route_to(*queue)?;
            let way = &guest.plan.routes[usize::from(route)];
            let takes = !self.queues[queue.index()].removed
                && self.is_open(*queue)
                && self.has_room(*queue, guest.gives_up)
                && self.on_duty(*queue, &way.needs) > 0;
            takes.then_some(route)
        })
    }

    fn guest(&self, item: usize) -> (Plan, Channel, u8, u8) {
        let this = &self.items[item];
        let route = u8::try_from(this.route).expect("few routes");
        (this.plan.clone(), this.channel, this.hops, route)
    }

    pub fn look_at_overflow(&mut self, item: usize) {
        let (plan, channel, hops, route) = self.guest(item);
        let guest = Guest { plan: &plan, channel, item: Some(item), gives_up: None };
        if let Some(next) = self.overflow(guest, route, hops) {
            self.move_on(item, plan.routes[usize::from(next)].queue, ExitCause::Overflow);
            self.seek_agent(item);
            return;
        }
        let exit = self.route(item).last_step.exit.clone();
        if !(self.is_past_last_step(item) && self.take_exit(item, &exit, ExitCause::LastStep)) {
            self.look_later(item);
        }
    }

    /// Looks lie on a grid from entry.
    pub fn look_later(&mut self, item: usize) {
        self.look_after(item, self.now);
    }

    pub fn look_after(&mut self, item: usize, now: Time) {
        let from = self.items[item].in_queue_from.0;
        let passed = now.0.saturating_sub(from) / LOOK_MS;
        self.items[item].look = Some(Time(from + (passed + 1) * LOOK_MS));
    }

    pub fn stand(&mut self, item: usize) {
        self.items[item].look = None;
        let looks = !self.route(item).overflow.is_empty() || self.is_past_last_step(item);
        if looks && self.is_waiting(item) {
            self.look_later(item);
        }
    }

    fn move_on(&mut self, item: usize, to: QueueKey, cause: ExitCause) {
        let now = self.now;
        let this = &mut self.items[item];
        this.route = usize::from(this.plan.route_to(to).expect("a route of the plan"));
        (this.hops, this.step, this.declines, this.in_queue_from) = (this.hops + 1, 0, 0, now);
        this.visits.push(Visit { queue: to, answered: None, abandoned: None });
        self.time_max_wait(item);
        self.stand(item);
        self.tell(Event::Overflowed { interaction: id(item), to, cause });
    }

    /// True if it has left its queue.
    pub fn take_exit(&mut self, item: usize, exit: &Exit, cause: ExitCause) -> bool {
        let left = self.leave_by(item, exit, cause);
        if left {
            self.look_on(item);
        }
        left
    }

    /// The same, without looking on.
    pub fn leave_by(&mut self, item: usize, exit: &Exit, cause: ExitCause) -> bool {
        match exit {
            Exit::Keep => return false,
            Exit::Queue(to) if *to == self.queue(item) => return false,
            Exit::Callback { .. } if self.items[item].callback.is_some() => return false,
            Exit::Queue(to) => {
                let (plan, channel, hops, _) = self.guest(item);
                let guest = Guest { plan: &plan, channel, item: Some(item), gives_up: None };
                if self.first_that_takes(guest, &[*to], hops).is_none() {
                    return false;
                }
                self.move_on(item, *to, cause);
            }
            Exit::Callback { within_ms } => self.call_back_by_rule(item, *within_ms),
            Exit::SendAway { destination } => self.send_away(item, destination.clone(), cause),
            Exit::Refuse => {
                self.over(item, State::TimedOut);
                self.tell(Event::TimedOut { interaction: id(item), cause });
            }
        }
        true
    }

    // ---- out ----

    pub fn cancel(&mut self, interaction: InteractionId, leaving: Leaving) -> Answered {
        let item = self.item(interaction)?;
        let withdrawn = leaving == Leaving::Withdrawn;
        let promised = self.items[item].callback.is_some();
        match self.items[item].state {
            state if state.is_unanswered() && promised && !withdrawn => {}
            State::Scheduled => self.withdraw(item),
            State::Waiting | State::Offered => {
                let cause = if withdrawn { RescindCause::Withdrawn } else { RescindCause::CustomerLeft };
                let freed = self.rescind_all(item, cause);
                if withdrawn {
                    self.withdraw(item);
                } else {
                    self.abandon(item, AbandonCause::CustomerLeft);
                }
                self.seek_works(freed);
            }
            State::Handling | State::Parked => match self.items[item].owner {
                Some(owner) => {
                    let by = if withdrawn { EndedBy::Source } else { EndedBy::Customer };
                    let freed = self.end_rest_but(item, owner);
                    self.end_conversation(owner, by, Text::default());
                    self.free_all(freed);
                }
                None => self.close(item),
            },
            _ => {}
        }
        Ok(Answer::Cancelled { state: self.items[item].state })
    }

    fn withdraw(&mut self, item: usize) {
        self.over(item, State::Cancelled);
        self.tell(Event::Cancelled { interaction: id(item), cause: CancelCause::Withdrawn });
    }

    pub fn abandon(&mut self, item: usize, cause: AbandonCause) {
        let this = &self.items[item];
        let short = self.now.0.saturating_sub(this.entered.0) <= this.plan.goals.short_abandon_ms;
        let visit = self.items[item].visits.last_mut().expect("it came once");
        if visit.answered.is_none() {
            visit.abandoned = Some(short);
        }
        self.over(item, State::Abandoned);
        self.tell(Event::Abandoned { interaction: id(item), cause });
    }

    /// Nothing more happens to it.
    pub fn over(&mut self, item: usize, state: State) {
        let this = &mut self.items[item];
        this.state = state;
        this.cools.clear();
        (this.gone, this.overdue_at, this.window, this.look) = (None, None, None, None);
        this.scheduled = None;
    }

    pub fn close(&mut self, item: usize) {
        self.over(item, State::Closed);
        self.tell(Event::Closed { interaction: id(item) });
    }

    // ---- sources ----

    pub fn open_source(&mut self, source: Text) -> Answer {
        let known = self.sources.iter_mut().find(|(name, _)| *name == source);
        match known {
            Some((_, Some(true))) => return Answer::Done,
            Some((_, live)) => *live = Some(true),
            None => self.sources.push((source.clone(), Some(true))),
        }
        for item in self.items.iter_mut().filter(|item| item.source == source) {
            item.gone = None;
        }
        self.tell(Event::SourceOpened { source });
        Answer::Done
    }

    pub fn lose_source(&mut self, source: Text) -> Answered {
        let known = self.sources.iter_mut().find(|(name, _)| *name == source);
        let Some((_, live)) = known else { return Err(Refusal::SessionUnknown) };
        if *live == Some(true) {
            *live = Some(false);
            self.tell(Event::SourceLost { source: source.clone() });
            self.start_grace(&source, self.now);
        }
        Ok(Answer::Done)
    }

    pub fn start_grace(&mut self, source: &Text, from: Time) {
        for item in 0..self.items.len() {
            if self.items[item].source == *source
                && let Some(ms) = self.source_grace_ms(item)
            {
                self.items[item].gone = Some(Time(from.0 + ms));
            }
        }
    }

    fn source_grace_ms(&self, item: usize) -> Option<u64> {
        let this = &self.items[item];
        let on_line = matches!(this.state, State::Waiting | State::Offered) && this.callback.is_none();
        match this.channel {
            Channel::Voice | Channel::Video => on_line.then_some(10_000),
            Channel::Chat => on_line.then_some(60_000),
            Channel::Message | Channel::Email | Channel::Social | Channel::Task => None,
        }
    }

    /// Whoever comes back in line while their source is lost may be gone too.
    pub fn may_be_gone(&mut self, item: usize) {
        let source = self.sources.iter().find(|(name, _)| *name == self.items[item].source);
        let lost = source.is_some_and(|(_, live)| *live == Some(false));
        if let Some(ms) = self.source_grace_ms(item).filter(|_| lost && self.items[item].gone.is_none()) {
            self.items[item].gone = Some(Time(self.now.0 + ms));
        }
    }

    pub fn source_gone(&mut self, item: usize) {
        let freed = self.rescind_all(item, RescindCause::SourceLost);
        self.abandon(item, AbandonCause::SourceLost);
        self.seek_works(freed);
    }
}
