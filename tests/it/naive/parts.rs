//! Conversations: one agent's part and how it ends, wrap-up, connections.

use super::door::Answered;
use super::twin::{Job, Said, Twin, id, job_id};
use baton::engine::command::{Answer, Refusal};
use baton::engine::event::{AbandonCause, ConnectFailure, EndedBy, Event, ExitCause, RescindCause, SeekEnd};
use baton::engine::floor::WrapUpMode;
use baton::engine::ids::{AssignmentId, InteractionId};
use baton::engine::interaction::{Part, State, Until};
use baton::engine::time::Time;

impl Twin {
    pub fn job(&self, assignment: AssignmentId) -> Result<usize, Refusal> {
        let index = (assignment.0 as usize).checked_sub(1).filter(|index| *index < self.jobs.len());
        index.ok_or(Refusal::AssignmentUnknown)
    }

    pub fn talking_job(&self, assignment: AssignmentId) -> Result<usize, Refusal> {
        let job = self.job(assignment)?;
        if self.jobs[job].talks() { Ok(job) } else { Err(Refusal::AssignmentEnded) }
    }

    pub fn complete(&mut self, assignment: AssignmentId, said: Said) -> Answered {
        let job = self.talking_job(assignment)?;
        self.end_conversation(job, EndedBy::Agent, said);
        Ok(Answer::Done)
    }

    pub fn end_conversation(&mut self, job: usize, by: EndedBy, said: Said) {
        let item = self.jobs[job].item;
        let mut freed = vec![self.end_part(job, by, said)];
        freed.extend(self.settle(item, job));
        self.free_all(freed);
    }

    /// One part is over. Whose it was.
    pub fn end_part(&mut self, job: usize, by: EndedBy, said: Said) -> usize {
        let wrap_up_until = self.wrap_up_after(job);
        self.stop_talking(job, wrap_up_until);
        let item = self.jobs[job].item;
        let others = !self.talking(item).is_empty();
        let this = &mut self.items[item];
        if this.owner == Some(job) {
            this.owner = None;
        }
        if !others && matches!(this.state, State::Handling | State::Parked) {
            this.state = State::WrappingUp;
        }
        self.note_who_talks(item);
        let (assignment, (disposition, solved)) = (job_id(job), said);
        self.tell(Event::ConversationEnded { assignment, by, disposition, solved, wrap_up_until });
        self.jobs[job].agent.index()
    }

    pub fn wrap_up_after(&self, job: usize) -> Option<Time> {
        let Job { part, interrupted, queue, .. } = self.jobs[job];
        let wrap_up = self.queues[queue.index()].spec.wrap_up;
        let none = part == Part::Consultant || interrupted || wrap_up.mode == WrapUpMode::None;
        (!none && wrap_up.ms > 0).then_some(Time(self.now.0 + wrap_up.ms))
    }

    pub fn stop_talking(&mut self, job: usize, wrap_up_until: Option<Time>) {
        let this = &mut self.jobs[job];
        (this.lost, this.connect_until, this.wrap_up_until) = (None, None, wrap_up_until);
        let agent = this.agent.index();
        this.interrupted = false;
        self.people[agent].interrupted.retain(|other| *other != job);
        match wrap_up_until {
            Some(_) => {
                let share = self.queues[self.jobs[job].queue.index()].spec.wrap_up.share_percent;
                let held = u32::from(self.jobs[job].held) * u32::from(share.min(100)) / 100;
                self.jobs[job].held = u16::try_from(held).expect("a share");
            }
            None => self.part_over(job),
        }
    }

    fn part_over(&mut self, job: usize) {
        self.jobs[job].over = Some(self.now);
        self.people[self.jobs[job].agent.index()].idle_since = self.now;
    }

    /// After somebody left: who asked for a second agent is gone, the customer is somebody's or nobody's.
    pub fn settle(&mut self, item: usize, gone: usize) -> Vec<usize> {
        let mut freed = Vec::new();
        if self.items[item].seek.as_ref().is_some_and(|seek| seek.by == gone) {
            freed.extend(self.end_seek(item, SeekEnd::ConversationEnded));
        }
        let going_on = matches!(self.items[item].state, State::Handling | State::Parked);
        if going_on && self.items[item].owner.is_none() && !self.talking(item).is_empty() {
            match self.next_owner(item) {
                Some(job) => self.change_owner(item, job),
                None => {
                    if self.items[item].seek.is_some() {
                        freed.extend(self.end_seek(item, SeekEnd::ConversationEnded));
                    }
                    for other in self.talking(item) {
                        freed.push(self.end_part(other, EndedBy::Engine, Said::default()));
                    }
                }
            }
        }
        if self.items[item].state == State::WrappingUp && self.jobs_of(item).is_empty() {
            self.close(item);
        }
        freed
    }

    pub fn change_owner(&mut self, item: usize, job: usize) {
        self.jobs[job].part = Part::Owner;
        self.items[item].transfers += u16::from(self.items[item].owner.is_some());
        self.items[item].owner = Some(job);
        self.items[item].agent = Some(self.jobs[job].agent);
        self.tell(Event::OwnerChanged { interaction: id(item), assignment: job_id(job) });
    }

    /// Everybody in the conversation but one leaves it.
    pub fn end_rest_but(&mut self, item: usize, but: usize) -> Vec<usize> {
        let mut freed = Vec::new();
        if self.items[item].seek.is_some() {
            freed.extend(self.end_seek(item, SeekEnd::ConversationEnded));
        }
        for other in self.talking(item).into_iter().filter(|other| *other != but) {
            freed.push(self.end_part(other, EndedBy::Engine, Said::default()));
        }
        freed
    }

    pub fn end_seek(&mut self, item: usize, cause: SeekEnd) -> Vec<usize> {
        let freed = self.rescind_all(item, RescindCause::NotSoughtAnyMore);
        self.items[item].seek = None;
        self.tell(Event::SeekEnded { interaction: id(item), cause });
        freed
    }

    pub fn free_all(&mut self, agents: Vec<usize>) {
        agents.iter().for_each(|agent| self.seek_work(*agent));
        let in_line = agents.into_iter().flat_map(|agent| self.drain(agent)).collect();
        self.seek_back(in_line);
    }

    /// The agent did not come back: the customer goes back to the old place, unless somebody else is there.
    pub fn lose_job(&mut self, job: usize) {
        let (item, agent) = (self.jobs[job].item, self.jobs[job].agent.index());
        let owned = self.items[item].owner == Some(job);
        let alone = owned && self.next_owner(item).is_none();
        let mut freed = vec![agent];
        if alone {
            freed.extend(self.end_rest_but(item, job));
        }
        self.stop_talking(job, None);
        if owned {
            self.owner_lost(item);
        } else {
            self.note_who_talks(item);
        }
        self.tell(Event::AssignmentLost { assignment: job_id(job) });
        freed.extend(self.settle(item, job));
        self.free_all(freed);
        if self.is_waiting(item) {
            self.skip_absent(item);
            self.seek_agent(item);
        }
    }

    pub fn owner_lost(&mut self, item: usize) {
        self.items[item].owner = None;
        if self.next_owner(item).is_some() {
            return self.note_who_talks(item);
        }
        let now = self.now;
        let this = &mut self.items[item];
        this.state = State::Waiting;
        (this.in_queue_from, this.step, this.declines) = (now, 0, 0);
        self.may_be_gone(item);
        self.time_max_wait(item);
        self.stand(item);
    }

    /// Parked while everybody in it was interrupted.
    pub fn note_who_talks(&mut self, item: usize) {
        let parts = self.talking(item);
        if parts.is_empty() || !matches!(self.items[item].state, State::Handling | State::Parked) {
            return;
        }
        let talks = parts.iter().any(|job| !self.jobs[*job].interrupted);
        self.items[item].state = if talks { State::Handling } else { State::Parked };
    }

    // ---- wrap-up ----

    fn wrapping_up(&self, assignment: AssignmentId) -> Result<(usize, Time), Refusal> {
        let job = self.job(assignment)?;
        if self.jobs[job].over.is_some() {
            return Err(Refusal::AssignmentEnded);
        }
        self.jobs[job].wrap_up_until.map(|until| (job, until)).ok_or(Refusal::NotWrappingUp)
    }

    pub fn finish(&mut self, assignment: AssignmentId, by: EndedBy) -> Answered {
        let (job, until) = self.wrapping_up(assignment)?;
        let mode = self.queues[self.jobs[job].queue.index()].spec.wrap_up.mode;
        if mode == WrapUpMode::Mandatory && by == EndedBy::Agent {
            return Err(Refusal::WrapUpMandatory { until_ms: until.0 });
        }
        self.end_wrap_up(job, by);
        Ok(Answer::Done)
    }

    pub fn extend(&mut self, assignment: AssignmentId) -> Answered {
        let (job, until) = self.wrapping_up(assignment)?;
        let wrap_up = self.queues[self.jobs[job].queue.index()].spec.wrap_up;
        if self.jobs[job].extensions >= wrap_up.extensions_max {
            return Err(Refusal::NoExtensionLeft { max: wrap_up.extensions_max });
        }
        let until = Time(until.0 + wrap_up.extension_ms);
        self.jobs[job].extensions += 1;
        self.jobs[job].wrap_up_until = Some(until);
        self.tell(Event::WrapUpExtended { assignment, until });
        Ok(Answer::Done)
    }

    pub fn end_wrap_up(&mut self, job: usize, by: EndedBy) {
        let (item, agent) = (self.jobs[job].item, self.jobs[job].agent.index());
        self.part_over(job);
        self.tell(Event::WrapUpEnded { assignment: job_id(job), by });
        let mut freed = vec![agent];
        freed.extend(self.settle(item, job));
        self.free_all(freed);
    }

    // ---- connections ----

    fn to_be_connected(&self, interaction: InteractionId) -> Result<usize, Refusal> {
        let item = self.item(interaction)?;
        let state = self.items[item].state;
        self.items[item].owner.ok_or(Refusal::WrongState { state, wanted: "" })
    }

    pub fn connected(&mut self, interaction: InteractionId) -> Answered {
        let job = self.to_be_connected(interaction)?;
        if self.jobs[job].connect_until.is_some() {
            self.connect(job, false);
        }
        Ok(Answer::Done)
    }

    pub fn connect(&mut self, job: usize, assumed: bool) {
        self.jobs[job].connect_until = None;
        let item = self.jobs[job].item;
        if self.items[item].callback.take().is_some() && self.stands(item) {
            self.stand(item);
        }
        self.tell(Event::Connected { assignment: job_id(job), assumed });
    }

    pub fn connect_failed(&mut self, interaction: InteractionId, cause: ConnectFailure) -> Answered {
        let job = self.to_be_connected(interaction)?;
        if self.jobs[job].connect_until.is_none() {
            return Err(Refusal::ConnectedAlready);
        }
        let (item, agent) = (self.jobs[job].item, self.jobs[job].agent);
        let mut freed = vec![agent.index()];
        freed.extend(self.end_rest_but(item, job));
        let no_answer = cause == ConnectFailure::AgentNoAnswer;
        let (not_responding, recovers) = if no_answer { self.after_no_answer(item) } else { (false, None) };
        let cools_down_until = Time(self.now.0 + 30_000);
        let customer = matches!(cause, ConnectFailure::CustomerGone | ConnectFailure::CustomerNoAnswer);
        let promised = self.items[item].callback;
        let terms = self.items[item].plan.callback;
        let again = promised.is_some_and(|one| one.attempts + 1 < terms.attempts_max);
        let retry = (customer && again).then_some(Time(self.now.0 + terms.retry_ms));
        self.undo(item, job, retry);
        self.promise_holds(item);
        self.cool(item, agent, cools_down_until, 0);
        self.does_not_respond(agent, not_responding, recovers);
        self.tell(Event::ConnectFailed {
            assignment: job_id(job),
            cause,
            cools_down_until,
            not_responding,
            recovers,
            retry,
        });
        if retry.is_none() && customer && promised.is_some() {
            self.over(item, State::TimedOut);
            self.tell(Event::TimedOut { interaction, cause: ExitCause::Unreachable });
        } else if retry.is_none() && customer {
            self.abandon(item, AbandonCause::GoneBeforeConnected);
        }
        self.free_all(freed);
        self.look_on(item);
        Ok(Answer::Done)
    }

    /// The call was not made: the window goes on.
    pub fn promise_holds(&mut self, item: usize) {
        let until = self.items[item].callback.map(|promised| promised.until);
        if let Some(until) = until.filter(|until| *until > self.now) {
            self.items[item].window = Some(until);
        }
    }

    /// As if nobody had accepted.
    fn undo(&mut self, item: usize, job: usize, retry: Option<Time>) {
        let Job { answered_visit, answered_first, .. } = self.jobs[job];
        let this = &mut self.jobs[job];
        (this.over, this.undone, this.lost, this.connect_until) = (Some(self.now), true, None, None);
        let this = &mut self.items[item];
        this.owner = None;
        this.answered &= !answered_first;
        if answered_visit {
            this.visits.last_mut().expect("it came once").answered = None;
        }
        match retry {
            Some(at) => {
                (this.state, this.scheduled) = (State::Scheduled, Some(Until::At(at)));
                if let Some(promised) = &mut this.callback {
                    promised.attempts += 1;
                }
            }
            None => {
                this.state = State::Waiting;
                self.may_be_gone(item);
                self.time_max_wait(item);
                self.stand(item);
            }
        }
    }
}
