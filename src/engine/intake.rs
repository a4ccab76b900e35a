//! Stage 1: admit or refuse. A repetition gets the first answer; a refusal leaves no trace.

use super::channel::Channel;
use super::command::{Answer, Refusal, Submit};
use super::entry::{Entry, Then, Visitor};
use super::event::{Admitted, Event};
use super::floor::Kind;
use super::ids::{CustomerId, InteractionId, Text};
use super::interaction::{Interaction, State, Until, Wanted, WantedBy};
use super::line::lane_of;
use super::plan::{Plan, Preferred};
use super::queue::LANES_MAX;
use super::shard::{Shard, Step};
use super::time::Time;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;

/// How long ids are remembered at least, ms.
pub const REMEMBERED_MS: u64 = 24 * 60 * 60 * 1000;
/// Most ids that may be remembered. At the limit intake is refused; nothing is forgotten early.
pub const REMEMBERED_MAX: u32 = 20_000_000;

#[derive(Clone, Copy, Debug)]
struct Remembered {
    content: u128,
    interaction: InteractionId,
}

/// Which ids were used, for which content. Forgotten by the time of events only, so recovery forgets alike.
#[derive(Clone, Debug, Default)]
pub struct IntakeMemory {
    by_key: HashMap<u128, Remembered>,
    order: VecDeque<(Time, u128)>,
}

impl IntakeMemory {
    /// How many ids are remembered.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// True if none is.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// What is remembered of a key: the content's hash and the interaction.
    pub fn get(&self, key: u128) -> Option<(u128, InteractionId)> {
        self.by_key.get(&key).map(|known| (known.content, known.interaction))
    }

    fn remember(&mut self, key: u128, content: u128, interaction: InteractionId, now: Time) {
        self.by_key.insert(key, Remembered { content, interaction });
        self.order.push_back((now, key));
    }

    /// The oldest key that may be forgotten, if any.
    fn expired(&self, now: Time) -> Option<u128> {
        self.order.front().filter(|(at, _)| now.since(*at) > REMEMBERED_MS).map(|(_, key)| *key)
    }
}

impl Step<'_> {
    pub fn admit(&mut self, submit: Submit) -> Result<Answer, Refusal> {
        if let Some(interaction) = self.shard.repeats(submit.keys, submit.content)? {
            return Ok(Answer::Admitted { interaction, repeated: true });
        }
        self.shard.check_source(&submit.source)?;
        self.shard.check_due(submit.facts.due)?;
        self.shard.check_plan(&submit.plan, submit.channel)?;
        if self.shard.intake.len() + submit.keys.len() > REMEMBERED_MAX as usize {
            return Err(Refusal::IntakeMemoryFull { max: REMEMBERED_MAX });
        }
        if let Some(attached) = self.attach(&submit) {
            return Ok(attached);
        }
        self.enter(submit)
    }

    fn enter(&mut self, submit: Submit) -> Result<Answer, Refusal> {
        let replaced = self.shard.replaced_by(&submit);
        let Entry { route, hops, then } = self.shard.entry_of(&submit, replaced)?;
        // Who is only sent away takes nobody's place, and no promise back.
        let replaced = replaced.filter(|_| !matches!(then, Then::SentAway { .. }));
        let interaction = InteractionId(self.shard.last_interaction.0 + 1);
        let freed = replaced.map(|old| self.give_way(old, interaction)).unwrap_or_default();
        let now = self.shard.now;
        let later = submit.facts.not_before.filter(|at| *at > now).map(Until::At);
        let Submit { keys, content, source, external_id, channel, facts, plan } = submit;
        // A rule may prefer somebody who never was here: that costs nobody their place.
        let preferred = plan.preferred.filter(|one| self.shard.agent(one.agent).is_some());
        let wanted = preferred.map(|one| wanted(one, later.map_or(now, |until| until.from(now))));
        self.emit(Event::Admitted(Box::new(Admitted {
            interaction,
            keys,
            content,
            source,
            external_id,
            channel,
            facts,
            route,
            hops,
            scheduled: later.or((then == Then::Held).then_some(Until::Opening)),
            replaces: replaced,
            wanted,
            plan,
        })));
        match later {
            None => self.come_in(interaction, then, freed),
            Some(_) => self.free_all(freed),
        }
        Ok(Answer::Admitted { interaction, repeated: false })
    }

    /// Says whose an interaction is, once; a second answer changes nothing.
    pub fn identify(&mut self, interaction: InteractionId, customer: CustomerId) -> Result<Answer, Refusal> {
        let subject = self.shard.interaction(interaction).ok_or(Refusal::InteractionUnknown)?;
        if subject.facts.customer.is_none() {
            self.emit(Event::Identified { interaction, customer });
        }
        Ok(Answer::Done)
    }
}

impl Until {
    fn from(self, now: Time) -> Time {
        match self {
            Until::At(at) => at,
            Until::Opening => now,
        }
    }
}

fn wanted(preferred: Preferred, from: Time) -> Wanted {
    Wanted {
        agent: preferred.agent,
        by: WantedBy::Rule,
        until: from.after(preferred.budget_ms),
        overdraw: preferred.overdraw,
    }
}

impl Shard {
    /// The interaction a request repeats, if it does.
    pub fn repeats(&self, keys: [Option<u128>; 2], content: u128) -> Result<Option<InteractionId>, Refusal> {
        for key in keys.into_iter().flatten() {
            if let Some((known, interaction)) = self.intake.get(key) {
                return if known == content { Ok(Some(interaction)) } else { Err(Refusal::RequestIdReused) };
            }
        }
        Ok(None)
    }

    fn check_due(&self, due: Option<Time>) -> Result<(), Refusal> {
        match due {
            Some(due) if due <= self.now => Err(Refusal::due_past(due, self.now)),
            _ => Ok(()),
        }
    }

    /// Everything a plan names exists, and there is a lane for it.
    pub(super) fn check_plan(&self, plan: &Plan, channel: Channel) -> Result<(), Refusal> {
        for route in plan.routes.iter() {
            let queue = u32::from(route.queue.0);
            if self.floor.queues.live(queue).is_none() {
                let known = self.floor.queues.get(queue);
                let name = known.map_or_else(|| route.queue.to_string().into(), |entry| entry.name.clone());
                return Err(Refusal::NotDefined { kind: Kind::Queue, name });
            }
            let needs = route.needs.iter().chain(route.relaxation.iter().flat_map(|step| &step.needs));
            for needs in needs {
                self.check_skills(&needs.requirements)?;
                needs.groups.iter().try_for_each(|group| self.check_group(*group))?;
            }
        }
        let known = self.lines.find(lane_of(plan, 0, 0, channel)).is_some();
        if known || !self.lines.full() { Ok(()) } else { Err(Refusal::TooManyLanes { max: LANES_MAX }) }
    }

    fn entry_of(&self, submit: &Submit, replaced: Option<InteractionId>) -> Result<Entry, Refusal> {
        let gives_up = replaced.map(|old| self.subject(old).queue());
        let visitor = Visitor { plan: &submit.plan, channel: submit.channel, interaction: None, gives_up };
        // Work for later is asked about hours and overflow when it is due; its place is taken now.
        if submit.facts.not_before.is_some_and(|at| at > self.now) {
            let queue = submit.plan.entry().queue;
            let max = self.queue(queue).waiting_max;
            let room = self.has_room(queue, gives_up);
            return room
                .then_some(Entry { route: 0, hops: 0, then: Then::Line })
                .ok_or(Refusal::QueueFull { max });
        }
        self.entry(visitor, 0)
    }

    pub(super) fn admitted(&mut self, admitted: &Admitted) {
        self.forget();
        let id = admitted.interaction;
        self.last_interaction = id;
        self.remember_keys(admitted.keys, admitted.content, id);
        let lane = self.lane_for(lane_of(&admitted.plan, admitted.route, 0, admitted.channel));
        self.lines.join(lane);
        let interaction = self.interaction_of(admitted, lane);
        self.tally.books(interaction.queue()).entered += 1;
        self.sources.entry(admitted.source.clone()).or_default().open.insert(id);
        self.interactions.insert(id, Arc::new(interaction));
        self.gauge(id, |gauge| *gauge += 1);
        self.index_matter(id);
        match admitted.scheduled {
            Some(until) => self.schedule(id, until),
            None => {
                self.arm_max_wait(id);
                self.stand(id);
            }
        }
    }

    fn interaction_of(&self, admitted: &Admitted, lane: super::ids::LaneKey) -> Interaction {
        let replaced = admitted.replaces.and_then(|old| self.interaction(old));
        let entered = match (admitted.scheduled, replaced) {
            (Some(Until::At(at)), _) => at,
            (_, Some(old)) => old.entered.min(self.now),
            (_, None) => self.now,
        };
        Interaction {
            id: admitted.interaction,
            source: admitted.source.clone(),
            external_id: admitted.external_id.clone(),
            channel: admitted.channel,
            facts: admitted.facts.clone(),
            plan: admitted.plan.clone(),
            route: admitted.route,
            state: if admitted.scheduled.is_some() { State::Scheduled } else { State::Waiting },
            lane,
            standing: None,
            entered,
            waits_from: entered,
            in_queue_from: self.now,
            answered: None,
            visit_answered: false,
            over: None,
            offers: Vec::new(),
            assignments: Vec::new(),
            owner: None,
            agent: None,
            wanted: admitted.wanted,
            seek: None,
            scheduled: admitted.scheduled,
            callback: None,
            step: 0,
            overdue: false,
            requeues: 0,
            declines: 0,
            transfers: 0,
            hops: admitted.hops,
            attached: Vec::new(),
            cool_downs: Vec::new(),
            decisions: Vec::new(),
            disposition: Text::default(),
        }
    }

    pub(super) fn remember_keys(&mut self, keys: [Option<u128>; 2], content: u128, id: InteractionId) {
        for key in keys.into_iter().flatten() {
            self.intake.remember(key, content, id, self.now);
        }
    }

    pub(super) fn identified(&mut self, interaction: InteractionId, customer: CustomerId) {
        self.subject_mut(interaction).facts.customer = Some(customer);
        if !self.subject(interaction).state.is_over() {
            self.index_matter(interaction);
        }
    }

    /// Forgets ids whose time is over, but never one whose interaction is still open.
    fn forget(&mut self) {
        while let Some(key) = self.intake.expired(self.now) {
            self.intake.order.pop_front();
            let known = self.intake.get(key).and_then(|(_, interaction)| self.interaction(interaction));
            let open = known.is_some_and(|known| !known.state.is_over());
            if open {
                self.intake.order.push_back((self.now, key));
            } else {
                self.intake.by_key.remove(&key);
            }
        }
    }
}
