//! Conversations handed on, helped with, put back and parked.

use super::door::{Then, Visitor};
use super::state::{Item, Job, Search, Twin, item_id, job_id};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Handover, Refusal, Target};
use baton::engine::event::{EndedBy, Event, SeekEnd, Sought, Transferred};
use baton::engine::explain::Exclusion;
use baton::engine::ids::{AgentKey, AssignmentId, InteractionId, Text};
use baton::engine::interaction::{Part, State, Wanted, WantedBy};
use baton::engine::plan::Plan;

impl Twin {
    pub fn transfer(
        &mut self,
        id: AssignmentId,
        target: Target,
        handover: Handover,
    ) -> Result<Answer, Refusal> {
        let job = self.owned_by(id)?;
        let item = self.jobs[job].item;
        let (plan, agent) = match target {
            Target::Consulted(other) => {
                let other = self.advises(item, other)?;
                self.changes_owner(item, other);
                self.end_conversation(job, EndedBy::Transfer, Text::default());
                return Ok(Answer::Done);
            }
            Target::Line { plan, agent } => (*plan, agent),
        };
        let one = &self.items[item];
        let terms = one.plan.transfers;
        let plan = if one.transfers < terms.max { plan } else { beyond(one)? };
        if handover == Handover::Warm {
            return self.look_for(job, Part::Owner, plan, agent);
        }
        self.hand_on(job, plan, agent)
    }

    pub fn hand_on(&mut self, job: usize, plan: Plan, agent: Option<AgentKey>) -> Result<Answer, Refusal> {
        let Job { item, agent: from, channel, .. } = self.jobs[job];
        self.check_plan(&plan)?;
        let wanted = self.colleague(agent)?;
        let visitor = Visitor { plan: &plan, channel, item: Some(item), gives_up: None };
        let (route, hops, then) = self.door(visitor)?;
        let mut freed = vec![from];
        freed.extend(self.end_rest(item, Some(job)));
        let (wrap_up_until, cools_down_until) = (self.wrap_up_after(job), self.now.after(30_000));
        self.tell(Event::Transferred(Box::new(Transferred {
            assignment: job_id(job),
            plan: plan.clone(),
            route,
            hops,
            wanted,
            wrap_up_until,
            cools_down_until,
        })));
        self.stops_talking(job, wrap_up_until);
        let now = self.now;
        let one = &mut self.items[item];
        (one.owner, one.state, one.plan, one.wanted) = (None, State::Waiting, plan, wanted);
        (one.route, one.hops, one.step, one.declines) = (route, hops, 0, 0);
        one.transfers += 1;
        (one.overdue, one.visit_answered) = (false, false);
        (one.waits_from, one.in_queue_from) = (now, now);
        self.arm_max_wait(item);
        self.cool(item, from, cools_down_until, 0);
        self.grace_if_lost(item);
        self.stood(item);
        if matches!(then, Then::Held) {
            self.tell(Event::Held { interaction: item_id(item) });
            self.held(item);
        }
        self.come_in(item, then, freed);
        Ok(Answer::Done)
    }

    pub fn colleague(&self, agent: Option<AgentKey>) -> Result<Option<Wanted>, Refusal> {
        let Some(agent) = agent else { return Ok(None) };
        self.live_agent(agent).ok_or(Refusal::AgentUnknown)?;
        if !self.is_there(agent) {
            return Err(Refusal::AgentCannot { exclusion: Exclusion::SignedOut });
        }
        let until = self.now.after(120_000);
        Ok(Some(Wanted { agent, by: WantedBy::Colleague, until, overdraw: false }))
    }

    pub fn consult(&mut self, id: AssignmentId, target: Target) -> Result<Answer, Refusal> {
        let job = self.owned_by(id)?;
        match target {
            Target::Line { plan, agent } => self.look_for(job, Part::Consultant, *plan, agent),
            Target::Consulted(other) => self.advises(self.jobs[job].item, other).map(|_| Answer::Done),
        }
    }

    pub fn conference(&mut self, id: AssignmentId, target: Target) -> Result<Answer, Refusal> {
        let job = self.owned_by(id)?;
        match target {
            Target::Line { plan, agent } => self.look_for(job, Part::Member, *plan, agent),
            Target::Consulted(other) => {
                let joins = self.advises(self.jobs[job].item, other)?;
                self.tell(Event::Joined { assignment: other });
                self.jobs[joins].part = Part::Member;
                Ok(Answer::Done)
            }
        }
    }

    pub fn look_for(
        &mut self,
        job: usize,
        part: Part,
        plan: Plan,
        agent: Option<AgentKey>,
    ) -> Result<Answer, Refusal> {
        let item = self.jobs[job].item;
        if self.items[item].seek.is_some() {
            return Err(Refusal::SeekingAlready);
        }
        self.check_plan(&plan)?;
        let wanted = self.colleague(agent)?;
        let until = self.now.after(120_000);
        let (interaction, by) = (item_id(item), job_id(job));
        let sought = Sought { interaction, by, part, plan: plan.clone(), wanted, until };
        self.tell(Event::Sought(Box::new(sought)));
        self.items[item].seek = Some(Search { by: job, part, plan, wanted, since: self.now, until });
        self.seek_agent(item);
        Ok(Answer::Done)
    }

    pub fn stop_seeking(&mut self, id: AssignmentId) -> Result<Answer, Refusal> {
        let job = self.talking(id)?;
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

    pub fn requeue(&mut self, assignment: AssignmentId) -> Result<Answer, Refusal> {
        let job = self.owned_by(assignment)?;
        let Job { item, agent, .. } = self.jobs[job];
        let mut freed = vec![agent];
        freed.extend(self.end_rest(item, Some(job)));
        let (wrap_up_until, cools_down_until) = (self.wrap_up_after(job), self.now.after(30_000));
        self.tell(Event::Requeued { assignment, wrap_up_until, cools_down_until });
        self.stops_talking(job, wrap_up_until);
        self.loses_owner(item);
        self.cool(item, agent, cools_down_until, 0);
        self.free_all(freed);
        self.look_on(item);
        Ok(Answer::Done)
    }

    // ---- parked ----

    pub fn park(&mut self, assignment: AssignmentId) -> Result<Answer, Refusal> {
        let job = self.owned_by(assignment)?;
        let Job { item, agent, channel, .. } = self.jobs[job];
        if matches!(channel, Channel::Voice | Channel::Video) {
            return Err(Refusal::NotParkable { channel });
        }
        if self.talking_in(item).len() > 1 {
            return Err(Refusal::WrongState { state: State::Handling, wanted: "" });
        }
        let freed = self.end_rest(item, Some(job));
        self.tell(Event::Parked { assignment });
        self.jobs[job].lost = None;
        self.job_over(job);
        (self.items[item].owner, self.items[item].state) = (None, State::Parked);
        self.free_all(vec![agent]);
        self.free_all(freed);
        Ok(Answer::Done)
    }

    /// What the customer wrote is kept, if it is not over.
    pub fn wrote(&mut self, interaction: InteractionId) -> Result<Answer, Refusal> {
        let state = self.items[self.item_at(interaction)?].state;
        if state.is_over() || state == State::WrappingUp {
            return Err(Refusal::WrongState { state, wanted: "" });
        }
        self.tell(Event::Wrote { interaction });
        self.resume(interaction)
    }

    pub fn resume(&mut self, interaction: InteractionId) -> Result<Answer, Refusal> {
        let item = self.item_at(interaction)?;
        let one = &self.items[item];
        if one.state.is_over() || one.state == State::WrappingUp {
            return Err(Refusal::WrongState { state: one.state, wanted: "" });
        }
        if one.state == State::Parked && one.owner.is_none() {
            let budget_ms = match one.channel {
                Channel::Voice | Channel::Video => 20_000,
                Channel::Chat => 60_000,
                Channel::Message | Channel::Social => 600_000,
                Channel::Email | Channel::Task => 3_600_000,
            };
            let wanted = one.agent.filter(|agent| self.is_there(*agent)).map(|agent| Wanted {
                agent,
                by: WantedBy::LastAgent,
                until: self.now.after(budget_ms),
                overdraw: false,
            });
            self.resumes(item, wanted);
            self.seek_agent(item);
        }
        Ok(Answer::Done)
    }

    pub fn resumes(&mut self, item: usize, wanted: Option<Wanted>) {
        self.tell(Event::Resumed { interaction: item_id(item), wanted });
        let now = self.now;
        let one = &mut self.items[item];
        (one.state, one.wanted) = (State::Waiting, wanted);
        (one.waits_from, one.in_queue_from, one.step, one.overdue) = (now, now, 0, false);
        self.arm_max_wait(item);
        self.stood(item);
    }
}

/// Where one transfer too many goes.
fn beyond(one: &Item) -> Result<Plan, Refusal> {
    let terms = one.plan.transfers;
    let to = terms.beyond.and_then(|queue| one.plan.routes.iter().position(|way| way.queue == queue));
    let at = to.ok_or(Refusal::TransferLimit { max: terms.max })?;
    let mut routes = one.plan.routes.to_vec();
    routes.swap(0, at);
    Ok(Plan { routes: routes.into(), ..one.plan.clone() })
}
