//! Conversations: connected or not, handed on, helped with, parked, ended, wrapped up.

use super::line::{Then, Visitor};
use super::state::{Item, Job, Search, Twin, agent_key, item_id, job_id};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Handover, Refusal, Target};
use baton::engine::event::{
    AbandonCause, ConnectFailure, EndedBy, Event, ExitCause, RescindCause, SeekEnd, Sought, Transferred,
};
use baton::engine::explain::Exclusion;
use baton::engine::floor::WrapUpMode;
use baton::engine::ids::{AgentKey, AssignmentId, InteractionId, Text};
use baton::engine::interaction::{Part, State, Until, Wanted, WantedBy};
use baton::engine::plan::Plan;
use baton::engine::time::Time;

impl Twin {
    fn job_at(&self, id: AssignmentId) -> Result<usize, Refusal> {
        let job = usize::try_from(id.0).ok().and_then(|number| number.checked_sub(1));
        let job = job.filter(|job| *job < self.jobs.len()).ok_or(Refusal::AssignmentUnknown)?;
        if self.jobs[job].over.is_some() { Err(Refusal::AssignmentEnded) } else { Ok(job) }
    }

    fn talking(&self, id: AssignmentId) -> Result<usize, Refusal> {
        let job = self.job_at(id)?;
        if self.jobs[job].talks() { Ok(job) } else { Err(Refusal::AssignmentEnded) }
    }

    /// Of whoever serves the customer, uninterrupted.
    fn owned_by(&self, id: AssignmentId) -> Result<usize, Refusal> {
        let job = self.talking(id)?;
        let one = &self.items[self.jobs[job].item];
        if one.owner != Some(job) {
            return Err(Refusal::NotOwner);
        }
        if self.jobs[job].interrupted.is_some() {
            return Err(Refusal::WrongState { state: one.state, wanted: "" });
        }
        Ok(job)
    }

    fn advises(&self, item: usize, id: AssignmentId) -> Result<usize, Refusal> {
        let job = self.talking(id)?;
        let advises = self.jobs[job].item == item && self.jobs[job].part == Part::Consultant;
        advises.then_some(job).ok_or(Refusal::NotConsulted)
    }

    // ---- ends ----

    pub fn complete(&mut self, id: AssignmentId, disposition: Text) -> Result<Answer, Refusal> {
        let job = self.talking(id)?;
        self.end_conversation(job, EndedBy::Agent, disposition);
        Ok(Answer::Done)
    }

    pub fn end_conversation(&mut self, job: usize, by: EndedBy, disposition: Text) {
        let Job { item, agent, .. } = self.jobs[job];
        self.end_part(job, by, disposition);
        let mut freed = vec![agent];
        freed.extend(self.settle(item, Some(job)));
        self.free_all(freed);
    }

    fn end_part(&mut self, job: usize, by: EndedBy, disposition: Text) {
        let wrap_up_until = self.wrap_up_after(job);
        self.tell(Event::ConversationEnded { assignment: job_id(job), by, disposition, wrap_up_until });
        self.stops_talking(job, wrap_up_until);
        let item = self.jobs[job].item;
        let others = !self.talking_in(item).is_empty();
        let one = &mut self.items[item];
        if one.owner == Some(job) {
            one.owner = None;
        }
        if matches!(one.state, State::Handling | State::Parked) {
            one.state = if others { State::Handling } else { State::WrappingUp };
        }
    }

    fn wrap_up_after(&self, job: usize) -> Option<Time> {
        let one = &self.jobs[job];
        let terms = self.queue(one.queue).wrap_up;
        let none = one.part == Part::Consultant || one.interrupted.is_some();
        let none = none || terms.mode == WrapUpMode::None || terms.ms == 0;
        (!none).then(|| self.now.after(terms.ms))
    }

    fn stops_talking(&mut self, job: usize, wrap_up_until: Option<Time>) {
        let share = self.queue(self.jobs[job].queue).wrap_up.share_percent.min(100);
        let one = &mut self.jobs[job];
        (one.lost, one.connect, one.interrupted, one.wrap_up_until) = (None, None, None, wrap_up_until);
        one.wrap_up_units = u16::try_from(u32::from(one.units) * u32::from(share) / 100).expect("a share");
        if wrap_up_until.is_none() {
            self.job_over(job);
        }
    }

    fn job_over(&mut self, job: usize) {
        let agent = self.jobs[job].agent;
        self.jobs[job].over = Some(self.now);
        self.people[agent].idle_since = self.now;
    }

    pub fn settle(&mut self, item: usize, gone: Option<usize>) -> Vec<usize> {
        let mut freed = Vec::new();
        let asker = self.items[item].seek.as_ref().map(|seek| seek.by);
        if asker.is_some_and(|asker| gone.is_none_or(|gone| gone == asker)) {
            freed.extend(self.end_seek(item, SeekEnd::ConversationEnded));
        }
        if self.items[item].state == State::Handling && self.items[item].owner.is_none() {
            match self.next_owner(item) {
                Some(job) => self.changes_owner(item, job),
                None => freed.extend(self.end_rest(item, None)),
            }
        }
        if self.items[item].state == State::WrappingUp && self.jobs_of(item).is_empty() {
            self.close(item);
        }
        freed
    }

    pub fn close(&mut self, item: usize) {
        self.tell(Event::Closed { interaction: item_id(item) });
        self.leaves(item, State::Closed);
    }

    fn next_owner(&self, item: usize) -> Option<usize> {
        self.talking_in(item).into_iter().find(|job| self.jobs[*job].part == Part::Member)
    }

    fn changes_owner(&mut self, item: usize, job: usize) {
        self.tell(Event::OwnerChanged { interaction: item_id(item), assignment: job_id(job) });
        self.jobs[job].part = Part::Owner;
        self.items[item].owner = Some(job);
        self.items[item].agent = Some(agent_key(self.jobs[job].agent));
    }

    /// Everybody but one leaves, and nobody is sought.
    fn end_rest(&mut self, item: usize, but: Option<usize>) -> Vec<usize> {
        let mut freed = Vec::new();
        if self.items[item].seek.is_some() {
            freed.extend(self.end_seek(item, SeekEnd::ConversationEnded));
        }
        for job in self.talking_in(item).into_iter().filter(|job| Some(*job) != but) {
            self.end_part(job, EndedBy::Engine, Text::default());
            freed.push(self.jobs[job].agent);
        }
        freed
    }

    fn end_seek(&mut self, item: usize, cause: SeekEnd) -> Vec<usize> {
        let freed = self.rescind_all(item, RescindCause::NotSoughtAnyMore);
        self.forget_seek(item, cause);
        freed
    }

    pub fn agent_gone(&mut self, job: usize) {
        let Job { item, agent, .. } = self.jobs[job];
        let owned = self.items[item].owner == Some(job);
        let alone = owned && self.next_owner(item).is_none();
        let mut freed = if alone { self.end_rest(item, Some(job)) } else { Vec::new() };
        self.tell(Event::AssignmentLost { assignment: job_id(job) });
        self.stops_talking(job, None);
        if owned {
            self.loses_owner(item);
        }
        freed.extend(self.settle(item, Some(job)));
        self.drained(agent);
        self.free_all(freed);
        if self.items[item].state == State::Waiting {
            self.skip_absent(item);
            self.seek_agent(item);
        }
    }

    fn loses_owner(&mut self, item: usize) {
        self.items[item].owner = None;
        if self.next_owner(item).is_some() {
            self.items[item].state = State::Handling;
            return;
        }
        self.items[item].state = State::Waiting;
        self.grace_if_lost(item);
        self.stood(item);
    }

    // ---- wrap-up ----

    fn wrapping_up(&self, id: AssignmentId) -> Result<(usize, Time), Refusal> {
        let job = self.job_at(id)?;
        self.jobs[job].wrap_up_until.map(|until| (job, until)).ok_or(Refusal::NotWrappingUp)
    }

    pub fn finish_wrap_up(&mut self, id: AssignmentId, by: EndedBy) -> Result<Answer, Refusal> {
        let (job, until) = self.wrapping_up(id)?;
        let mode = self.queue(self.jobs[job].queue).wrap_up.mode;
        if mode == WrapUpMode::Mandatory && by == EndedBy::Agent {
            return Err(Refusal::WrapUpMandatory { until_ms: until.0 });
        }
        self.end_wrap_up(job, by);
        Ok(Answer::Done)
    }

    pub fn extend_wrap_up(&mut self, assignment: AssignmentId) -> Result<Answer, Refusal> {
        let (job, until) = self.wrapping_up(assignment)?;
        let terms = self.queue(self.jobs[job].queue).wrap_up;
        if self.jobs[job].extensions >= terms.extensions_max {
            return Err(Refusal::NoExtensionLeft { max: terms.extensions_max });
        }
        let until = until.after(terms.extension_ms);
        self.tell(Event::WrapUpExtended { assignment, until });
        self.jobs[job].extensions += 1;
        self.jobs[job].wrap_up_until = Some(until);
        Ok(Answer::Done)
    }

    pub fn end_wrap_up(&mut self, job: usize, by: EndedBy) {
        let Job { item, agent, .. } = self.jobs[job];
        self.tell(Event::WrapUpEnded { assignment: job_id(job), by });
        self.job_over(job);
        let mut freed = vec![agent];
        freed.extend(self.settle(item, Some(job)));
        self.free_all(freed);
    }

    // ---- connected or not ----

    fn to_connect(&self, id: InteractionId) -> Result<(usize, usize), Refusal> {
        let item = self.item_at(id)?;
        let one = &self.items[item];
        one.owner.map(|job| (item, job)).ok_or(Refusal::WrongState { state: one.state, wanted: "" })
    }

    pub fn connected(&mut self, id: InteractionId) -> Result<Answer, Refusal> {
        let (_, job) = self.to_connect(id)?;
        if self.jobs[job].connect.is_some() {
            self.connect(job, false);
        }
        Ok(Answer::Done)
    }

    pub fn connect(&mut self, job: usize, assumed: bool) {
        self.tell(Event::Connected { assignment: job_id(job), assumed });
        self.jobs[job].connect = None;
        let item = self.jobs[job].item;
        self.items[item].callback = None;
    }

    pub fn connect_failed(&mut self, id: InteractionId, cause: ConnectFailure) -> Result<Answer, Refusal> {
        let (item, job) = self.to_connect(id)?;
        if self.jobs[job].connect.is_none() {
            return Err(Refusal::ConnectedAlready);
        }
        let agent = self.jobs[job].agent;
        let mut freed = vec![agent];
        freed.extend(self.end_rest(item, Some(job)));
        let (not_responding, recovers) = match cause {
            ConnectFailure::AgentNoAnswer => self.no_answer(item),
            _ => (false, None),
        };
        let cools_down_until = self.now.after(30_000);
        let gone = matches!(cause, ConnectFailure::CustomerGone | ConnectFailure::CustomerNoAnswer);
        let one = &self.items[item];
        let (promised, terms) = (one.callback, one.plan.callback);
        let again = promised.filter(|promised| gone && promised.attempts + 1 < terms.attempts_max);
        let retry = again.map(|_| self.now.after(terms.retry_ms));
        let assignment = job_id(job);
        self.tell(Event::ConnectFailed {
            assignment,
            cause,
            cools_down_until,
            not_responding,
            recovers,
            retry,
        });
        self.undo(job, retry);
        self.cool(item, agent, cools_down_until, 0);
        self.stops_responding(agent, not_responding, recovers);
        if retry.is_none() {
            self.grace_if_lost(item);
            self.arm_max_wait(item);
            self.stood(item);
        }
        if gone && retry.is_none() {
            if promised.is_some() {
                self.tell(Event::TimedOut { interaction: id, cause: ExitCause::Unreachable });
                self.leaves(item, State::TimedOut);
            } else {
                let cause = AbandonCause::GoneBeforeConnected;
                self.tell(Event::Abandoned { interaction: id, cause });
                self.leaves(item, State::Abandoned);
            }
        }
        self.free_all(freed);
        self.look_on(item);
        Ok(Answer::Done)
    }

    /// As if it had not been accepted.
    fn undo(&mut self, job: usize, retry: Option<Time>) {
        let now = self.now;
        let one = &mut self.jobs[job];
        (one.over, one.undone, one.lost, one.connect) = (Some(now), true, None, None);
        let (item, visit, first) = (one.item, one.answered_visit, one.answered_first);
        self.answers.retain(|(_, by, _)| *by != job);
        let one = &mut self.items[item];
        one.owner = None;
        one.visit_answered &= !visit;
        one.answered &= !first;
        one.state = State::Waiting;
        if let Some(at) = retry {
            (one.state, one.max_wait, one.scheduled) = (State::Scheduled, None, Some(Until::At(at)));
            one.callback.as_mut().expect("it was promised").attempts += 1;
        }
    }

    // ---- handed on, helped with ----

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

    fn hand_on(&mut self, job: usize, plan: Plan, agent: Option<AgentKey>) -> Result<Answer, Refusal> {
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

    fn colleague(&self, agent: Option<AgentKey>) -> Result<Option<Wanted>, Refusal> {
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

    fn look_for(
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
        (one.in_queue_from, one.step) = (now, 0);
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
