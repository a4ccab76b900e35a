//! Stage 1: admit or refuse. A repetition gets the first answer; a refusal leaves no trace.

use super::channel::Channel;
use super::command::{Answer, Refusal, Submit};
use super::entry::{Entry, Then, Visitor};
use super::event::{Admitted, Event};
use super::few::Few;
use super::floor::Kind;
use super::ids::{CustomerId, InteractionId, LaneKey, Text};
use super::interaction::{Interaction, State, Until, Wanted, WantedBy};
use super::journey::Journey;
use super::line::{Gauged, lane_of};
use super::plan::{Plan, Preferred};
use super::queue::LANES_MAX;
use super::remembered::{Remembered, fingerprint};
use super::shard::{Shard, Step};
use super::time::Time;
use std::sync::Arc;

pub use super::remembered::{IntakeMemory, REMEMBERED_MAX, REMEMBERED_MS};

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

    /// Says whose an interaction is, once, and what is known of them, once; a second answer changes nothing.
    pub fn identify(
        &mut self,
        interaction: InteractionId,
        customer: CustomerId,
        journey: Option<Arc<Journey>>,
    ) -> Result<Answer, Refusal> {
        let subject = self.shard.interaction(interaction).ok_or(Refusal::InteractionUnknown)?;
        let facts = &subject.facts;
        let news = match facts.customer {
            None => true,
            Some(known) => known == customer && facts.journey.is_none() && journey.is_some(),
        };
        if news {
            self.emit(Event::Identified { interaction, customer, journey });
        }
        Ok(Answer::Done)
    }
}

impl Until {
    pub(super) fn from(self, now: Time) -> Time {
        match self {
            Until::At(at) => at,
            Until::Opening => now,
        }
    }
}

/// The agent the rules prefer, waited for from this moment on.
pub(super) fn wanted(preferred: Preferred, from: Time) -> Wanted {
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
            if let Some(known) = self.intake.get(key) {
                let same = known.content == fingerprint(content);
                return if same { Ok(Some(known.interaction)) } else { Err(Refusal::RequestIdReused) };
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
    pub(super) fn check_plan(&self, plan: &Arc<Plan>, channel: Channel) -> Result<(), Refusal> {
        if self.checked.lane(plan, channel).is_some() {
            return Ok(());
        }
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
            route.better_with.iter().try_for_each(|one| self.check_skills(&[one.skill]))?;
        }
        if let Some(unknown) = plan.familiar.filter(|one| self.agent(one.agent).is_none()) {
            return Err(Refusal::NotDefined { kind: Kind::Agent, name: unknown.agent.to_string().into() });
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
        let lane = self.lane_at_entry(admitted);
        self.lines.join(lane);
        let interaction = self.interaction_of(admitted, lane);
        self.tally.books(interaction.queue()).entered += 1;
        match self.sources.get_mut(&admitted.source) {
            Some(known) => known.open.insert(id),
            None => self.sources.entry(admitted.source.clone()).or_default().open.insert(id),
        };
        self.gauge(Gauged::of(&interaction), |gauge| *gauge += 1);
        self.interactions.insert(id, Arc::new(interaction));
        self.index_matter(id);
        match admitted.scheduled {
            Some(until) => self.schedule(id, until),
            None => {
                self.arm_max_wait(id);
                self.stand(id);
            }
        }
    }

    fn lane_at_entry(&mut self, admitted: &Admitted) -> LaneKey {
        let Admitted { plan, channel, route, .. } = admitted;
        let known = self.checked.lane(plan, *channel).filter(|_| *route == 0);
        known.unwrap_or_else(|| {
            let lane = self.lane_for(lane_of(plan, *route, 0, *channel));
            if *route == 0 {
                self.checked.note(plan, *channel, lane);
            }
            lane
        })
    }

    fn interaction_of(&self, admitted: &Admitted, lane: LaneKey) -> Interaction {
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
            plan_revision: 0,
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
            offers: Few::None,
            assignments: Few::None,
            owner: None,
            agent: None,
            wanted: admitted.wanted,
            step: 0,
            overdue: false,
            requeues: 0,
            declines: 0,
            transfers: 0,
            hops: admitted.hops,
            decisions: Few::None,
            disposition: Text::default(),
            // Who is scheduled is told so below.
            extras: None,
            restricted: false,
        }
    }

    pub(super) fn remember_keys(&mut self, keys: [Option<u128>; 2], content: u128, id: InteractionId) {
        for key in keys.into_iter().flatten() {
            let remembered = Remembered { key, content: fingerprint(content), interaction: id };
            self.intake.remember(remembered, self.now);
        }
    }

    pub(super) fn identified(
        &mut self,
        interaction: InteractionId,
        customer: CustomerId,
        journey: Option<&Arc<Journey>>,
    ) {
        let subject = self.subject_mut(interaction);
        subject.facts.customer = Some(customer);
        if let Some(journey) = journey {
            subject.facts.journey = Some(journey.clone());
            // The plan in force knows nothing of it.
            subject.change_extras(|extras| extras.facts_late = true);
        }
        if !self.subject(interaction).state.is_over() {
            self.index_matter(interaction);
        }
    }

    /// Forgets ids whose time is over, but never one whose interaction is still open.
    fn forget(&mut self) {
        while self.intake.expires(self.now) {
            let Some(oldest) = self.intake.forget_oldest() else { continue };
            let open = self.interaction(oldest.interaction).is_some_and(|known| !known.state.is_over());
            if open {
                self.intake.remember(oldest, self.now);
            }
        }
    }
}
