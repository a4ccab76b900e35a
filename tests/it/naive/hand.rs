//! Handing on and putting aside: transfers, a second agent, parking; and what people decide themselves.

use super::door::{Answered, Guest, Then};
use super::twin::{Said, Seeking, Twin, Visit, agent_key, id, job_id, offer_id};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Handover, Refusal, Target};
use baton::engine::event::{EndedBy, Event, RescindCause, SeekEnd, Sought, Transferred};
use baton::engine::explain::{Exclusion, Trigger};
use baton::engine::ids::{AgentKey, AssignmentId, InteractionId};
use baton::engine::interaction::{Part, State, Wanted, WantedBy};
use baton::engine::plan::Plan;
use baton::engine::time::Time;

const SEEK_MS: u64 = 120_000;

impl Twin {
    /// The part of whoever serves the customer, not interrupted.
    fn owner_job(&self, assignment: AssignmentId) -> Result<usize, Refusal> {
        let job = self.talking_job(assignment)?;
        let item = &self.items[self.jobs[job].item];
        if item.owner != Some(job) {
            return Err(Refusal::NotOwner);
        }
        if self.jobs[job].interrupted {
            return Err(Refusal::WrongState { state: item.state, wanted: "" });
        }
        Ok(job)
    }

    fn consulted(&self, item: usize, assignment: AssignmentId) -> Result<usize, Refusal> {
        let job = self.talking_job(assignment)?;
        let advises = self.jobs[job].item == item && self.jobs[job].part == Part::Consultant;
        if advises { Ok(job) } else { Err(Refusal::NotConsulted) }
    }

    fn colleague(&self, item: usize, agent: Option<AgentKey>) -> Result<Option<Wanted>, Refusal> {
        let Some(agent) = agent else { return Ok(None) };
        self.known(agent)?;
        if self.talking(item).iter().any(|job| self.jobs[*job].agent == agent) {
            return Err(Refusal::AgentCannot { exclusion: Exclusion::AlreadyOnIt });
        }
        if !self.is_there(agent) {
            return Err(Refusal::AgentCannot { exclusion: Exclusion::SignedOut });
        }
        let until = Time(self.now.0 + SEEK_MS);
        Ok(Some(Wanted { agent, by: WantedBy::Colleague, until, overdraw: false }))
    }

    pub fn transfer(&mut self, assignment: AssignmentId, target: Target, handover: Handover) -> Answered {
        let job = self.owner_job(assignment)?;
        let item = self.jobs[job].item;
        let (plan, agent) = match target {
            Target::Consulted(other) => {
                let other = self.consulted(item, other)?;
                let max = self.items[item].plan.transfers.max;
                if self.items[item].transfers >= max {
                    return Err(Refusal::TransferLimit { max });
                }
                self.change_owner(item, other);
                self.end_conversation(job, EndedBy::Transfer, Said::default());
                return Ok(Answer::Done);
            }
            Target::Line { plan, agent } => (plan.as_ref().clone(), agent),
        };
        let this = &self.items[item];
        let terms = this.plan.transfers;
        let plan = if this.transfers < terms.max {
            plan
        } else {
            let beyond = terms.beyond.and_then(|queue| this.plan.route_to(queue));
            let beyond = beyond.ok_or(Refusal::TransferLimit { max: terms.max })?;
            let mut routes = this.plan.routes.to_vec();
            routes.swap(0, usize::from(beyond));
            Plan { routes: routes.into(), ..this.plan.clone() }
        };
        match handover {
            Handover::Warm => self.look_for(job, Part::Owner, plan, agent),
            Handover::Blind => self.hand_on(job, plan, agent),
        }
    }

    fn hand_on(&mut self, job: usize, plan: Plan, agent: Option<AgentKey>) -> Answered {
        let (item, channel) = (self.jobs[job].item, self.jobs[job].channel);
        self.check_plan(&plan)?;
        let wanted = self.colleague(item, agent)?;
        let guest = Guest { plan: &plan, channel, item: Some(item), gives_up: None };
        let (route, hops, then) = self.door(guest, 0)?;
        let mut freed = vec![self.jobs[job].agent.index()];
        freed.extend(self.end_rest_but(item, job));
        let wrap_up_until = self.wrap_up_after(job);
        let cools_down_until = Time(self.now.0 + 30_000);
        self.stop_talking(job, wrap_up_until);
        let now = self.now;
        let this = &mut self.items[item];
        (this.owner, this.state, this.wanted) = (None, State::Waiting, wanted);
        (this.plan, this.route, this.hops, this.step) = (plan.clone(), usize::from(route), hops, 0);
        (this.transfers, this.declines, this.overdue) = (this.transfers + 1, 0, false);
        (this.waits_from, this.in_queue_from) = (now, now);
        this.revision += 1;
        let queue = plan.routes[usize::from(route)].queue;
        this.visits.push(Visit { queue, answered: None, abandoned: None });
        self.time_max_wait(item);
        let giver = self.jobs[job].agent;
        self.promise_holds(item);
        self.cool(item, giver, cools_down_until, 0);
        self.may_be_gone(item);
        self.stand(item);
        let assignment = job_id(job);
        self.tell(Event::Transferred(Box::new(Transferred {
            assignment,
            plan: plan.into(),
            route,
            hops,
            wanted,
            wrap_up_until,
            cools_down_until,
        })));
        if then == Then::Held {
            self.hold(item);
        }
        self.come_in(item, then, freed);
        Ok(Answer::Done)
    }

    pub fn requeue(&mut self, assignment: AssignmentId) -> Answered {
        let job = self.owner_job(assignment)?;
        let (item, agent) = (self.jobs[job].item, self.jobs[job].agent);
        let mut freed = vec![agent.index()];
        freed.extend(self.end_rest_but(item, job));
        let wrap_up_until = self.wrap_up_after(job);
        let cools_down_until = Time(self.now.0 + 30_000);
        self.stop_talking(job, wrap_up_until);
        self.owner_lost(item);
        self.cool(item, agent, cools_down_until, 0);
        self.tell(Event::Requeued { assignment, wrap_up_until, cools_down_until });
        self.free_all(freed);
        self.look_on(item);
        Ok(Answer::Done)
    }

    pub fn consult(&mut self, assignment: AssignmentId, target: Target) -> Answered {
        let job = self.owner_job(assignment)?;
        match target {
            Target::Line { plan, agent } => {
                self.look_for(job, Part::Consultant, plan.as_ref().clone(), agent)
            }
            Target::Consulted(other) => self.consulted(self.jobs[job].item, other).map(|_| Answer::Done),
        }
    }

    pub fn conference(&mut self, assignment: AssignmentId, target: Target) -> Answered {
        let job = self.owner_job(assignment)?;
        match target {
            Target::Line { plan, agent } => self.look_for(job, Part::Member, plan.as_ref().clone(), agent),
            Target::Consulted(other) => {
                let joins = self.consulted(self.jobs[job].item, other)?;
                self.jobs[joins].part = Part::Member;
                self.tell(Event::Joined { assignment: other });
                Ok(Answer::Done)
            }
        }
    }

    fn look_for(&mut self, by: usize, part: Part, plan: Plan, agent: Option<AgentKey>) -> Answered {
        let item = self.jobs[by].item;
        if self.items[item].seek.is_some() {
            return Err(Refusal::SeekingAlready);
        }
        self.check_plan(&plan)?;
        let wanted = self.colleague(item, agent)?;
        let (since, until) = (self.now, Time(self.now.0 + SEEK_MS));
        self.items[item].seek = Some(Seeking { by, part, plan: plan.clone(), wanted, since, until });
        let (interaction, by) = (id(item), job_id(by));
        self.tell(Event::Sought(Box::new(Sought {
            interaction,
            by,
            part,
            plan: plan.into(),
            wanted,
            until,
        })));
        self.seek_agent(item);
        Ok(Answer::Done)
    }

    pub fn stop_seeking(&mut self, assignment: AssignmentId) -> Answered {
        let job = self.talking_job(assignment)?;
        let item = self.jobs[job].item;
        if self.items[item].seek.as_ref().is_none_or(|seek| seek.by != job) {
            return Err(Refusal::NotSeeking);
        }
        let freed = self.end_seek(item, SeekEnd::TakenBack);
        self.seek_works(freed);
        Ok(Answer::Done)
    }

    pub fn seek_timed_out(&mut self, item: usize) {
        let freed = self.end_seek(item, SeekEnd::TimedOut);
        self.seek_works(freed);
    }

    // ---- put aside ----

    pub fn park(&mut self, assignment: AssignmentId) -> Answered {
        let job = self.owner_job(assignment)?;
        let (item, agent, channel) = (self.jobs[job].item, self.jobs[job].agent, self.jobs[job].channel);
        if channel.is_connected_by_platform() {
            return Err(Refusal::NotParkable { channel });
        }
        if self.talking(item).len() > 1 {
            return Err(Refusal::WrongState { state: State::Handling, wanted: "" });
        }
        let freed = self.end_rest_but(item, job);
        self.stop_talking(job, None);
        (self.items[item].owner, self.items[item].state) = (None, State::Parked);
        self.tell(Event::Parked { assignment });
        self.free_all(vec![agent.index()]);
        self.free_all(freed);
        Ok(Answer::Done)
    }

    pub fn wrote(&mut self, interaction: InteractionId) -> Answered {
        let item = self.item(interaction)?;
        let state = self.items[item].state;
        if state.is_over() || state == State::WrappingUp {
            return Err(Refusal::WrongState { state, wanted: "" });
        }
        self.tell(Event::Wrote { interaction });
        self.resume(interaction)
    }

    pub fn resume(&mut self, interaction: InteractionId) -> Answered {
        let item = self.item(interaction)?;
        let this = &self.items[item];
        if this.state.is_over() || this.state == State::WrappingUp {
            return Err(Refusal::WrongState { state: this.state, wanted: "" });
        }
        if this.state == State::Parked && this.owner.is_none() {
            let budget_ms = match this.channel {
                Channel::Voice | Channel::Video => 20_000,
                Channel::Chat => 60_000,
                Channel::Message | Channel::Social => 600_000,
                Channel::Email | Channel::Task => 3_600_000,
            };
            let until = Time(self.now.0 + budget_ms);
            let wanted = this.agent.filter(|agent| self.is_there(*agent));
            let wanted =
                wanted.map(|agent| Wanted { agent, by: WantedBy::LastAgent, until, overdraw: false });
            self.wake(item, wanted);
            self.seek_agent(item);
        }
        Ok(Answer::Done)
    }

    fn wake(&mut self, item: usize, wanted: Option<Wanted>) {
        let now = self.now;
        let this = &mut self.items[item];
        (this.state, this.wanted, this.in_queue_from, this.step) = (State::Waiting, wanted, now, 0);
        (this.waits_from, this.overdue) = (now, false);
        self.time_max_wait(item);
        self.stand(item);
        self.tell(Event::Resumed { interaction: id(item), wanted });
    }

    // ---- people decide ----

    pub fn assign(&mut self, interaction: InteractionId, agent: AgentKey, overdraw: bool) -> Answered {
        let index = self.known(agent)?;
        let item = self.item(interaction)?;
        let state = self.items[item].state;
        if !matches!(state, State::Waiting | State::Offered) {
            return Err(Refusal::WrongState { state, wanted: "" });
        }
        let until = Time(self.now.0 + SEEK_MS);
        let wanted = Wanted { agent, by: WantedBy::Supervisor, until, overdraw };
        let before = self.items[item].wanted.replace(wanted);
        let asked = self.rings_of(item).iter().any(|ring| self.rings[*ring].agent == agent);
        let exclusion = if asked { Some(Exclusion::AlreadyAsked) } else { self.exclusion(index, item) };
        self.items[item].wanted = before;
        if let Some(exclusion) = exclusion {
            return Err(Refusal::AgentCannot { exclusion });
        }
        let freed = self.rescind_all(item, RescindCause::Supervisor);
        self.items[item].wanted = Some(wanted);
        self.stand(item);
        self.tell(Event::Assigned { interaction, wanted });
        self.seek_agent(item);
        self.seek_works(freed);
        Ok(Answer::Done)
    }

    pub fn reprioritise(&mut self, interaction: InteractionId, priority: i16) -> Answered {
        if !(-10..=10).contains(&priority) {
            return Err(Refusal::PriorityOutOfRange { got: priority });
        }
        let item = self.item(interaction)?;
        let state = self.items[item].state;
        if !state.is_unanswered() {
            return Err(Refusal::WrongState { state, wanted: "" });
        }
        if self.items[item].plan.priority != priority {
            self.items[item].plan.priority = priority;
            self.items[item].revision += 1;
            if self.stands(item) {
                self.stand(item);
            }
            self.tell(Event::Reprioritised { interaction, priority });
        }
        Ok(Answer::Done)
    }

    pub fn pull(&mut self, agent: AgentKey, interaction: InteractionId) -> Answered {
        let index = self.known(agent)?;
        let item = self.item(interaction)?;
        let this = &self.items[item];
        let (state, theirs) = (this.state, this.agent == Some(agent));
        let own = state == State::Parked && theirs;
        let unowned = state == State::Parked && this.owner.is_none();
        if !own && !self.queues[self.queue(item).index()].spec.pull {
            return Err(Refusal::PullNotAllowed);
        }
        if !unowned && state != State::Waiting {
            return Err(Refusal::WrongState { state, wanted: "" });
        }
        let before = self.items[item].wanted;
        if unowned && theirs {
            let (by, until) = (WantedBy::Colleague, self.now);
            self.items[item].wanted = Some(Wanted { agent, by, until, overdraw: false });
        }
        let exclusion = self.exclusion_if(index, item, true);
        self.items[item].wanted = before;
        if let Some(exclusion) = exclusion {
            return Err(Refusal::AgentCannot { exclusion });
        }
        if unowned {
            self.wake(item, None);
        }
        let candidate = self.candidate(index, None);
        let decision = self.decision(Trigger::Pulled, item, None, vec![candidate], Vec::new());
        self.offer(item, agent_key(index).index(), decision);
        self.accept(offer_id(self.rings.len() - 1))
    }
}
