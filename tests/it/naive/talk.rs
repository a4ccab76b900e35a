//! Conversations: connected or not, handed on, helped with, parked, ended, wrapped up.

use super::state::{Job, Twin, agent_key, item_id, job_id};
use baton::engine::command::{Answer, Refusal};
use baton::engine::event::{AbandonCause, ConnectFailure, EndedBy, Event, ExitCause, RescindCause, SeekEnd};
use baton::engine::floor::WrapUpMode;
use baton::engine::ids::{AssignmentId, InteractionId, Text};
use baton::engine::interaction::{Part, State, Until};
use baton::engine::time::Time;

impl Twin {
    pub fn job_at(&self, id: AssignmentId) -> Result<usize, Refusal> {
        let job = usize::try_from(id.0).ok().and_then(|number| number.checked_sub(1));
        let job = job.filter(|job| *job < self.jobs.len()).ok_or(Refusal::AssignmentUnknown)?;
        if self.jobs[job].over.is_some() { Err(Refusal::AssignmentEnded) } else { Ok(job) }
    }

    pub fn talking(&self, id: AssignmentId) -> Result<usize, Refusal> {
        let job = self.job_at(id)?;
        if self.jobs[job].talks() { Ok(job) } else { Err(Refusal::AssignmentEnded) }
    }

    /// Of whoever serves the customer, uninterrupted.
    pub fn owned_by(&self, id: AssignmentId) -> Result<usize, Refusal> {
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

    pub fn advises(&self, item: usize, id: AssignmentId) -> Result<usize, Refusal> {
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

    pub fn end_part(&mut self, job: usize, by: EndedBy, disposition: Text) {
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

    pub fn wrap_up_after(&self, job: usize) -> Option<Time> {
        let one = &self.jobs[job];
        let terms = self.queue(one.queue).wrap_up;
        let none = one.part == Part::Consultant || one.interrupted.is_some();
        let none = none || terms.mode == WrapUpMode::None || terms.ms == 0;
        (!none).then(|| self.now.after(terms.ms))
    }

    pub fn stops_talking(&mut self, job: usize, wrap_up_until: Option<Time>) {
        let share = self.queue(self.jobs[job].queue).wrap_up.share_percent.min(100);
        let one = &mut self.jobs[job];
        (one.lost, one.connect, one.interrupted, one.wrap_up_until) = (None, None, None, wrap_up_until);
        one.wrap_up_units = u16::try_from(u32::from(one.units) * u32::from(share) / 100).expect("a share");
        if wrap_up_until.is_none() {
            self.job_over(job);
        }
    }

    pub fn job_over(&mut self, job: usize) {
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

    pub fn next_owner(&self, item: usize) -> Option<usize> {
        self.talking_in(item).into_iter().find(|job| self.jobs[*job].part == Part::Member)
    }

    pub fn changes_owner(&mut self, item: usize, job: usize) {
        self.tell(Event::OwnerChanged { interaction: item_id(item), assignment: job_id(job) });
        self.jobs[job].part = Part::Owner;
        self.items[item].owner = Some(job);
        self.items[item].agent = Some(agent_key(self.jobs[job].agent));
    }

    /// Everybody but one leaves, and nobody is sought.
    pub fn end_rest(&mut self, item: usize, but: Option<usize>) -> Vec<usize> {
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

    pub fn end_seek(&mut self, item: usize, cause: SeekEnd) -> Vec<usize> {
        let freed = self.rescind_all(item, RescindCause::NotSoughtAnyMore);
        self.forget_seek(item, cause);
        freed
    }

    pub fn agent_gone(&mut self, job: usize) {
        let Job { item, agent, .. } = self.jobs[job];
        let owned = self.items[item].owner == Some(job);
        let alone = owned && self.next_owner(item).is_none();
        let mut freed = vec![agent];
        if alone {
            freed.extend(self.end_rest(item, Some(job)));
        }
        self.tell(Event::AssignmentLost { assignment: job_id(job) });
        self.stops_talking(job, None);
        if owned {
            self.loses_owner(item);
        }
        freed.extend(self.settle(item, Some(job)));
        self.free_all(freed);
        if self.items[item].state == State::Waiting {
            self.skip_absent(item);
            self.seek_agent(item);
        }
    }

    pub fn loses_owner(&mut self, item: usize) {
        self.items[item].owner = None;
        if self.next_owner(item).is_some() {
            self.items[item].state = State::Handling;
            return;
        }
        self.items[item].state = State::Waiting;
        self.grace_if_lost(item);
        self.arm_max_wait(item);
        self.stood(item);
    }

    // ---- wrap-up ----

    pub fn wrapping_up(&self, id: AssignmentId) -> Result<(usize, Time), Refusal> {
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

    pub fn to_connect(&self, id: InteractionId) -> Result<(usize, usize), Refusal> {
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
    pub fn undo(&mut self, job: usize, retry: Option<Time>) {
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
}
