//! Handing a customer on: to a queue, to one agent, to an agent who is being consulted. Blind: the customer waits in
//! line, at the old place. Warm: the first agent stays until the second has accepted. So often at most.

use super::command::{Answer, Handover, Refusal, Target};
use super::entry::{Entry, Visitor};
use super::event::{EndedBy, Event, Transferred};
use super::few::Few;
use super::ids::{AgentKey, AssignmentId, InteractionId, QueueKey};
use super::interaction::{Part, State, Wanted, WantedBy};
use super::offer::COOL_DOWN_MS;
use super::outcome::{Assignment, Finish};
use super::plan::Plan;
use super::shard::{Shard, Step};
use std::sync::Arc;

impl Step<'_> {
    pub fn transfer(
        &mut self,
        assignment: AssignmentId,
        target: Target,
        handover: Handover,
    ) -> Result<Answer, Refusal> {
        let part = self.shard.owner_part(assignment)?;
        match (target, handover) {
            (Target::Consulted(other), _) => self.hand_to_consulted(part, other),
            (Target::Line { plan, agent }, handover) => {
                let plan = self.shard.within_limit(part.interaction, plan)?;
                match handover {
                    Handover::Blind => self.hand_to_line(part, plan, agent),
                    Handover::Warm => self.look_for(part, Part::Owner, plan, agent),
                }
            }
        }
    }

    fn hand_to_line(
        &mut self,
        part: Assignment,
        plan: Arc<Plan>,
        agent: Option<AgentKey>,
    ) -> Result<Answer, Refusal> {
        self.shard.check_plan(&plan, part.channel)?;
        let wanted = self.shard.wanted_colleague(part.interaction, agent)?;
        let visitor = Visitor {
            plan: &plan,
            channel: part.channel,
            interaction: Some(part.interaction),
            gives_up: None,
        };
        let Entry { route, hops, then } = self.shard.entry(visitor, 0)?;
        let mut freed = Few::One(part.agent);
        freed.extend(self.end_rest_but(part.interaction, part.id));
        self.emit(Event::Transferred(Box::new(Transferred {
            assignment: part.id,
            plan,
            route,
            hops,
            wanted,
            wrap_up_until: self.shard.wrap_up_after(&part),
            cools_down_until: self.shard.now.after(COOL_DOWN_MS),
        })));
        if then == super::entry::Then::Held {
            self.emit(Event::Held { interaction: part.interaction });
        }
        self.come_in(part.interaction, then, freed);
        Ok(Answer::Done)
    }

    fn hand_to_consulted(&mut self, part: Assignment, other: AssignmentId) -> Result<Answer, Refusal> {
        let interaction = part.interaction;
        self.shard.consulted(interaction, other)?;
        let subject = self.shard.subject(interaction);
        let max = subject.plan.transfers.max;
        if subject.transfers >= max {
            return Err(Refusal::TransferLimit { max });
        }
        self.emit(Event::OwnerChanged { interaction, assignment: other });
        self.end_conversation(part.id, Finish::by(EndedBy::Transfer));
        Ok(Answer::Done)
    }

    /// Back in line, at the old place; the agent is not asked again at once.
    pub fn requeue(&mut self, assignment: AssignmentId) -> Result<Answer, Refusal> {
        let part = self.shard.owner_part(assignment)?;
        let mut freed = Few::One(part.agent);
        freed.extend(self.end_rest_but(part.interaction, assignment));
        let wrap_up_until = self.shard.wrap_up_after(&part);
        let cools_down_until = self.shard.now.after(COOL_DOWN_MS);
        self.emit(Event::Requeued { assignment, wrap_up_until, cools_down_until });
        self.free_all(freed);
        self.look_on(part.interaction);
        Ok(Answer::Done)
    }
}

impl Shard {
    /// The assignment of whoever serves the customer, not interrupted.
    pub(super) fn owner_part(&self, id: AssignmentId) -> Result<Assignment, Refusal> {
        let part = self.talking(id)?;
        let subject = self.subject(part.interaction);
        if subject.owner != Some(id) {
            return Err(Refusal::NotOwner);
        }
        if part.interrupted {
            return Err(Refusal::WrongState { state: subject.state, wanted: "it goes on" });
        }
        Ok(part)
    }

    /// An agent who advises in this conversation.
    pub(super) fn consulted(&self, interaction: InteractionId, id: AssignmentId) -> Result<(), Refusal> {
        let part = self.talking(id)?;
        let advises = part.interaction == interaction && part.part == Part::Consultant;
        advises.then_some(()).ok_or(Refusal::NotConsulted)
    }

    /// The plan asked for; beyond the limit of transfers, the one that the rules keep for that.
    fn within_limit(&self, interaction: InteractionId, plan: Arc<Plan>) -> Result<Arc<Plan>, Refusal> {
        let subject = self.subject(interaction);
        let terms = subject.plan.transfers;
        if subject.transfers < terms.max {
            return Ok(plan);
        }
        let beyond = terms.beyond.and_then(|queue| subject.plan.route_to(queue));
        let route = beyond.ok_or(Refusal::TransferLimit { max: terms.max })?;
        Ok(Arc::new(on_route(&subject.plan, route)))
    }

    /// A colleague who is asked for must be there.
    pub(super) fn wanted_colleague(
        &self,
        interaction: InteractionId,
        agent: Option<AgentKey>,
    ) -> Result<Option<Wanted>, Refusal> {
        let Some(agent) = agent else { return Ok(None) };
        self.live_agent(agent)?;
        if self.talking_parts(interaction).iter().any(|part| self.assignments[part].agent == agent) {
            return Err(Refusal::AgentCannot { exclusion: super::explain::Exclusion::AlreadyOnIt });
        }
        if !self.is_there(agent) {
            return Err(Refusal::AgentCannot { exclusion: super::explain::Exclusion::SignedOut });
        }
        let until = self.now.after(super::seek::SEEK_MS);
        Ok(Some(Wanted { agent, by: WantedBy::Colleague, until, overdraw: false }))
    }

    pub(super) fn transferred(&mut self, transferred: &Transferred) {
        let part = self.assignments[&transferred.assignment];
        self.stop_talking(transferred.assignment, transferred.wrap_up_until);
        let (id, now) = (part.interaction, self.now);
        self.change_state(id, |subject| {
            subject.owner = None;
            subject.state = State::Waiting;
            subject.plan = transferred.plan.clone();
            (subject.route, subject.hops, subject.step) = (transferred.route, transferred.hops, 0);
            subject.wanted = transferred.wanted;
            subject.transfers += 1;
            subject.plan_revision += 1;
            subject.overdue = false;
            subject.visit_answered = false;
            (subject.waits_from, subject.in_queue_from) = (now, now);
        });
        let queue = self.subject(id).queue();
        self.begin_visit(id, queue);
        self.promise_holds(id);
        self.cool_down(id, part.agent, transferred.cools_down_until, 0);
        self.arm_source_grace(id);
        self.stand(id);
    }

    fn begin_visit(&mut self, id: InteractionId, queue: QueueKey) {
        self.tally.books(queue).transferred_in += 1;
        self.subject_mut(id).declines = 0;
        self.change_lane(id);
        self.arm_max_wait(id);
    }

    /// If the second agent of a warm transfer accepted, the interaction is on the plan it was sought with.
    pub(super) fn arrive_by_transfer(&mut self, id: InteractionId) {
        let subject = self.subject(id);
        let Some(seek) = subject.seek().cloned().filter(|seek| seek.part == Part::Owner) else { return };
        self.change_state(id, |subject| {
            subject.plan = seek.plan;
            (subject.route, subject.hops, subject.step) = (0, 0, 0);
            subject.transfers += 1;
            subject.plan_revision += 1;
            subject.visit_answered = false;
            (subject.waits_from, subject.in_queue_from) = (seek.since, seek.since);
        });
        let queue = self.subject(id).queue();
        self.begin_visit(id, queue);
    }

    pub(super) fn requeued(
        &mut self,
        id: AssignmentId,
        wrap_up_until: Option<super::time::Time>,
        cools_down_until: super::time::Time,
    ) {
        let part = self.assignments[&id];
        self.stop_talking(id, wrap_up_until);
        self.lost_owner(part.interaction);
        self.cool_down(part.interaction, part.agent, cools_down_until, 0);
    }
}

/// The same plan, entered on another of its routes.
fn on_route(plan: &Plan, route: u8) -> Plan {
    let mut routes = plan.routes.to_vec();
    routes.swap(0, usize::from(route));
    Plan { routes: routes.into(), ..plan.clone() }
}
