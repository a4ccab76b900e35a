//! Into a queue, on to another, and out of it: admission, the door, overflow, relaxation, call-backs, leaving.

use super::choose::Order;
use super::state::{Item, Key, Twin, agent_key, item_id, needs_at};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Leaving, Refusal, Submit, Window};
use baton::engine::event::{
    AbandonCause, Admitted, CancelCause, EndedBy, Event, ExitCause, PreferenceEnd, RescindCause, SeekEnd,
};
use baton::engine::floor::Kind;
use baton::engine::ids::{InteractionId, QueueKey, Text};
use baton::engine::interaction::{Attached, Callback, State, Until, Wanted, WantedBy};
use baton::engine::plan::{Duplicates, Plan};
use baton::engine::route::{Condition, Exit};
use baton::engine::time::Time;

/// What the door of a queue says.
#[derive(Clone)]
pub enum Then {
    Line,
    Held,
    Away(Text),
    Callback(u64),
}

/// Who knocks: the plan, the channel, who it is if it is in a queue already, the queue where a place is given up.
#[derive(Clone, Copy)]
pub struct Visitor<'a> {
    pub plan: &'a Plan,
    pub channel: Channel,
    pub item: Option<usize>,
    pub gives_up: Option<QueueKey>,
}

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

    fn enter(&mut self, submit: Submit, replaced: Option<usize>) -> Result<Answer, Refusal> {
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

    fn remember(&mut self, keys: [Option<u128>; 2], content: u128, item: usize) {
        let at = self.now;
        self.keys.extend(keys.into_iter().flatten().map(|key| Key { key, content, item, at }));
    }

    /// A day later, and only what is over.
    fn forget_keys(&mut self) {
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
    fn unanswered_about(&self, customer: baton::engine::ids::CustomerId, matter: &Text) -> Vec<usize> {
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

    // ---- the door ----

    pub fn is_open(&self, queue: QueueKey) -> bool {
        self.hours_open(self.queue(queue).hours)
    }

    fn has_room(&self, queue: QueueKey, gives_up: Option<QueueKey>) -> bool {
        let others = self.unanswered(queue) - usize::from(gives_up == Some(queue));
        others < self.queue(queue).waiting_max as usize
    }

    /// Route, hops, and what then.
    pub fn door(&self, visitor: Visitor) -> Result<(u8, u8, Then), Refusal> {
        let (mut route, mut hops) = (0, 0);
        loop {
            let way = &visitor.plan.routes[usize::from(route)];
            let room = self.has_room(way.queue, visitor.gives_up);
            let full = || Refusal::QueueFull { max: self.queue(way.queue).waiting_max };
            let next = if let Some(next) = self.overflow(visitor, route, hops) {
                next
            } else if !self.is_open(way.queue) {
                let closed = || Refusal::QueueClosed { queue: "".into() };
                match &way.when_closed {
                    Exit::Keep if room => return Ok((route, hops, Then::Held)),
                    Exit::Keep => return Err(full()),
                    Exit::Queue(to) => self.first_that_takes(visitor, &[*to], hops).ok_or_else(closed)?,
                    Exit::Callback { within_ms } if room => {
                        return Ok((route, hops, Then::Callback(*within_ms)));
                    }
                    Exit::SendAway { destination } => {
                        return Ok((route, hops, Then::Away(destination.clone())));
                    }
                    Exit::Callback { .. } | Exit::Refuse => return Err(closed()),
                }
            } else if room {
                return Ok((route, hops, Then::Line));
            } else {
                let anywhere: Vec<QueueKey> = way.overflow.iter().flat_map(|rule| rule.to.clone()).collect();
                self.first_that_takes(visitor, &anywhere, hops).ok_or_else(full)?
            };
            (route, hops) = (next, hops + 1);
        }
    }

    pub fn come_in(&mut self, item: usize, then: Then, freed: Vec<usize>) {
        let interaction = item_id(item);
        match then {
            Then::Line => {
                self.free_all(freed);
                self.line_up(item);
                return;
            }
            Then::Held => {}
            Then::Away(destination) => {
                let cause = ExitCause::QueueClosed;
                self.tell(Event::SentAway { interaction, destination, cause });
                self.leaves(item, State::SentAway);
            }
            Then::Callback(within_ms) => self.call_back_by_rule(item, within_ms),
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

    pub fn skip_absent(&mut self, item: usize) {
        let one = &self.items[item];
        if one.seek.is_none() && one.wanted.is_some_and(|wanted| !self.is_there(wanted.agent)) {
            self.end_preference(item, PreferenceEnd::AgentSignedOut);
        }
    }

    pub fn look_on(&mut self, item: usize) {
        match self.items[item].scheduled {
            Some(Until::At(at)) if at <= self.now => self.becomes_due(item),
            Some(_) => {}
            None if self.stands(item) && !self.items[item].state.is_over() => self.seek_agent(item),
            None => {}
        }
    }

    // ---- overflow ----

    fn overflow(&self, visitor: Visitor, route: u8, hops: u8) -> Option<u8> {
        let way = &visitor.plan.routes[usize::from(route)];
        for rule in &way.overflow {
            if rule.when.iter().all(|condition| self.holds_true(*condition, visitor, route)) {
                let others: Vec<QueueKey> = rule.to.iter().copied().filter(|to| *to != way.queue).collect();
                if let Some(next) = self.first_that_takes(visitor, &others, hops) {
                    return Some(next);
                }
            }
        }
        None
    }

    fn first_that_takes(&self, visitor: Visitor, queues: &[QueueKey], hops: u8) -> Option<u8> {
        if hops >= visitor.plan.hops_max {
            return None;
        }
        queues.iter().find_map(|queue| {
            let at = visitor.plan.routes.iter().position(|way| way.queue == *queue)?;
            let takes = self.queues.get(queue.index()).is_some_and(|thing| !thing.removed)
                && self.is_open(*queue)
                && self.has_room(*queue, visitor.gives_up)
                && self.on_duty(*queue, &visitor.plan.routes[at].needs) > 0;
            takes.then(|| u8::try_from(at).expect("few routes"))
        })
    }

    fn holds_true(&self, condition: Condition, visitor: Visitor, route: u8) -> bool {
        let way = &visitor.plan.routes[usize::from(route)];
        let waiting = self.waiting_in(way.queue);
        match condition {
            Condition::Waiting { at_least } => {
                waiting.iter().filter(|item| Some(**item) != visitor.item).count() >= at_least as usize
            }
            Condition::LongestWait { at_least_ms } => waiting
                .iter()
                .map(|item| self.items[*item].entered)
                .min()
                .is_some_and(|since| self.now.since(since) >= at_least_ms),
            Condition::EstimatedWait { at_least_ms } => {
                self.wait_there(visitor, route, &waiting).is_none_or(|wait_ms| wait_ms >= at_least_ms)
            }
            Condition::ServiceLevel { below_ppm } => self.service_level(way.queue) < u64::from(below_ppm),
            Condition::FreeAgents { at_most } => {
                self.free_agents(visitor.plan, route, visitor.channel) <= at_most
            }
            Condition::Closed => !self.is_open(way.queue),
        }
    }

    fn service_level(&self, queue: QueueKey) -> u64 {
        let answers: Vec<bool> =
            self.answers.iter().filter(|(of, ..)| *of == queue).map(|(_, _, in_time)| *in_time).collect();
        let late = self.given_up.iter().filter(|(of, soon)| *of == queue && !soon).count();
        let of = (answers.len() + late) as u64;
        let in_time = answers.iter().filter(|in_time| **in_time).count() as u64;
        (in_time * 1_000_000).checked_div(of).unwrap_or(1_000_000)
    }

    fn wait_there(&self, visitor: Visitor, route: u8, waiting: &[usize]) -> Option<u64> {
        let way = &visitor.plan.routes[usize::from(route)];
        if let Some(item) = visitor.item.filter(|item| waiting.contains(item)) {
            let one = &self.items[item];
            let own = self.order(item);
            // Only those in the lanes are counted: who waits for one agent takes nobody's turn.
            let before = self.in_lanes(way.queue).into_iter().filter(|order| *order < own).count() as u64;
            let agents = self.on_duty(one.queue(), needs_at(one.way(), one.step));
            return self.wait_at(before + 1, one.queue(), agents);
        }
        if self.free_agents(visitor.plan, route, visitor.channel) > 0 {
            return Some(0);
        }
        self.wait_at(waiting.len() as u64 + 1, way.queue, self.on_duty(way.queue, &way.needs))
    }

    /// The places of all who stand in a queue for anybody, second agents that are sought included.
    fn in_lanes(&self, queue: QueueKey) -> Vec<Order> {
        let stands = |item: &usize| {
            let one = &self.items[*item];
            !one.state.is_over()
                && self.stands(*item)
                && one.sought_way().queue == queue
                && one.sought_wanted().is_none()
        };
        (0..self.items.len()).filter(stands).map(|item| self.order(item)).collect()
    }

    pub fn look_for_overflow(&mut self, item: usize) {
        let one = self.items[item].clone();
        let visitor = Visitor { plan: &one.plan, channel: one.channel, item: Some(item), gives_up: None };
        if let Some(next) = self.overflow(visitor, one.route, one.hops) {
            let to = one.plan.routes[usize::from(next)].queue;
            self.moves_on(item, to, ExitCause::Overflow);
            self.seek_agent(item);
            return;
        }
        let exit = one.way().last_step.exit.clone();
        if one.past_last_step() && self.take_exit(item, &exit, ExitCause::LastStep) {
            return;
        }
        self.stood(item);
    }

    fn moves_on(&mut self, item: usize, to: QueueKey, cause: ExitCause) {
        self.tell(Event::Overflowed { interaction: item_id(item), to, cause });
        let now = self.now;
        let one = &mut self.items[item];
        let route = one.plan.routes.iter().position(|way| way.queue == to).expect("a route of the plan");
        one.route = u8::try_from(route).expect("few routes");
        one.hops += 1;
        (one.step, one.declines) = (0, 0);
        (one.visit_answered, one.in_queue_from) = (false, now);
        self.arm_max_wait(item);
        self.stood(item);
    }

    pub fn arm_max_wait(&mut self, item: usize) {
        let one = &self.items[item];
        let max_ms = one.way().max_wait_ms.filter(|_| !one.overdue);
        self.items[item].max_wait = max_ms.map(|ms| self.items[item].waits_from.after(ms));
    }

    pub fn take_exit(&mut self, item: usize, exit: &Exit, cause: ExitCause) -> bool {
        let left = self.leave_by(item, exit, cause);
        if left {
            self.look_on(item);
        }
        left
    }

    pub fn leave_by(&mut self, item: usize, exit: &Exit, cause: ExitCause) -> bool {
        let one = self.items[item].clone();
        let interaction = item_id(item);
        match exit {
            Exit::Keep => return false,
            Exit::Queue(to) => {
                let visitor =
                    Visitor { plan: &one.plan, channel: one.channel, item: Some(item), gives_up: None };
                if *to == one.queue() || self.first_that_takes(visitor, &[*to], one.hops).is_none() {
                    return false;
                }
                self.moves_on(item, *to, cause);
            }
            Exit::Callback { within_ms } => {
                if one.callback.is_some() {
                    return false;
                }
                self.call_back_by_rule(item, *within_ms);
            }
            Exit::SendAway { destination } => {
                self.tell(Event::SentAway { interaction, destination: destination.clone(), cause });
                self.leaves(item, State::SentAway);
            }
            Exit::Refuse => {
                self.tell(Event::TimedOut { interaction, cause });
                self.leaves(item, State::TimedOut);
            }
        }
        true
    }

    // ---- waiting ----

    pub fn relax(&mut self, item: usize) {
        let one = &self.items[item];
        let (step, interaction) = (one.step + 1, item_id(item));
        let exit = one.way().last_step.exit.clone();
        let last = usize::from(one.step) >= one.way().relaxation.len();
        if last && self.take_exit(item, &exit, ExitCause::LastStep) {
            return;
        }
        self.tell(Event::Relaxed { interaction, step });
        self.items[item].step = step;
        self.stood(item);
        if !last {
            self.seek_agent(item);
        }
    }

    pub fn preference_spent(&mut self, item: usize) {
        if self.items[item].seek.is_some() {
            self.seek_timed_out(item);
            return;
        }
        self.end_preference(item, PreferenceEnd::BudgetSpent);
        self.seek_agent(item);
    }

    pub fn becomes_overdue(&mut self, item: usize) {
        self.tell(Event::Overdue { interaction: item_id(item) });
        (self.items[item].max_wait, self.items[item].overdue) = (None, true);
        if self.stands(item) {
            self.stood(item);
        }
        if self.items[item].state == State::Waiting && self.items[item].wanted.is_some() {
            self.end_preference(item, PreferenceEnd::Overdue);
            self.seek_agent(item);
        }
    }

    /// Who waits for an agent who is gone waits for anybody.
    pub fn release_line(&mut self, agent: usize) {
        let mut waiting: Vec<(Order, usize)> = (0..self.items.len())
            .filter(|item| !self.items[*item].state.is_over() && self.stands(*item))
            .filter(|item| {
                self.items[*item].sought_wanted().is_some_and(|wanted| wanted.agent == agent_key(agent))
            })
            .map(|item| (self.order(item), item))
            .collect();
        waiting.sort();
        for (_, item) in waiting {
            if self.items[item].seek.is_some() {
                self.forget_seek(item, SeekEnd::AgentRefused);
            } else {
                self.end_preference(item, PreferenceEnd::AgentSignedOut);
                self.seek_agent(item);
            }
        }
    }

    // ---- call-backs and work for later ----

    pub fn becomes_due(&mut self, item: usize) {
        let interaction = item_id(item);
        if self.is_open(self.items[item].queue()) {
            self.comes_due(item);
            self.line_up(item);
        } else {
            self.tell(Event::Held { interaction });
            self.held(item);
        }
    }

    pub fn held(&mut self, item: usize) {
        let one = &mut self.items[item];
        (one.state, one.scheduled, one.max_wait) = (State::Scheduled, Some(Until::Opening), None);
    }

    fn comes_due(&mut self, item: usize) {
        self.tell(Event::Due { interaction: item_id(item) });
        let now = self.now;
        let one = &mut self.items[item];
        (one.state, one.scheduled, one.in_queue_from) = (State::Waiting, None, now);
        self.arm_max_wait(item);
        self.stood(item);
    }

    pub fn release_held(&mut self) -> Vec<usize> {
        let mut held: Vec<(Order, usize)> = (0..self.items.len())
            .filter(|item| self.items[*item].scheduled == Some(Until::Opening))
            .filter(|item| self.is_open(self.items[*item].queue()))
            .map(|item| (self.order(item), item))
            .collect();
        held.sort();
        held.iter().for_each(|(_, item)| self.comes_due(*item));
        held.into_iter().map(|(_, item)| item).collect()
    }

    pub fn request_callback(
        &mut self,
        interaction: InteractionId,
        channel: Channel,
        window: Window,
    ) -> Result<Answer, Refusal> {
        let item = self.item_at(interaction)?;
        let one = self.items[item].clone();
        if !one.state.is_unanswered() {
            return Err(Refusal::WrongState { state: one.state, wanted: "" });
        }
        let from = window.from.max(self.now);
        if window.until <= from {
            return Err(Refusal::WindowInvalid { from_ms: 0, until_ms: 0, now_ms: 0 });
        }
        let promised = one.customer.and_then(|customer| {
            let about = self.unanswered_about(customer, &one.matter);
            about.into_iter().find(|other| *other != item && self.items[*other].callback.is_some())
        });
        let freed = self.rescind_all(item, RescindCause::CallbackRequested);
        if let Some(into) = promised {
            let cause = CancelCause::Merged { into: item_id(into) };
            self.tell(Event::Cancelled { interaction, cause });
            self.leaves(item, State::Cancelled);
        }
        let kept = promised.unwrap_or(item);
        let freed_too = self.rescind_all(kept, RescindCause::CallbackRequested);
        self.plan_call(kept, channel, from, window.until, false);
        self.seek_works(freed);
        self.seek_works(freed_too);
        self.look_on(kept);
        Ok(Answer::CallbackPlanned { interaction: item_id(kept) })
    }

    fn call_back_by_rule(&mut self, item: usize, within_ms: u64) {
        let one = &self.items[item];
        let channel = one.channel;
        let phase = self.phase_of(self.queue(one.queue()).hours).filter(|phase| !phase.open);
        let from = phase.and_then(|phase| phase.until).unwrap_or(self.now);
        self.plan_call(item, channel, from, from.after(within_ms.max(1)), true);
    }

    fn plan_call(&mut self, item: usize, channel: Channel, from: Time, until: Time, by_rule: bool) {
        self.tell(Event::CallbackPlanned { interaction: item_id(item), channel, from, until, by_rule });
        let one = &mut self.items[item];
        let attempts = one.callback.map_or(0, |before| before.attempts);
        (one.state, one.channel, one.gone, one.max_wait) = (State::Scheduled, channel, None, None);
        one.callback = Some(Callback { from, until, attempts });
        (one.scheduled, one.window) = (Some(Until::At(from)), Some(until));
    }

    // ---- leaving ----

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

    fn abandon(&mut self, item: usize, why: RescindCause, cause: AbandonCause) {
        let freed = self.rescind_all(item, why);
        self.tell(Event::Abandoned { interaction: item_id(item), cause });
        self.leaves(item, State::Abandoned);
        self.seek_works(freed);
    }

    pub fn source_gone(&mut self, item: usize) {
        self.abandon(item, RescindCause::SourceLost, AbandonCause::SourceLost);
    }

    /// How long a customer is kept whose source is silent, if somebody is on the line.
    fn source_grace(&self, item: usize) -> Option<u64> {
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
