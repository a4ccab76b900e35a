//! Stage 6: what became of it. Conversations end, wrap-up runs, interactions are over.

use super::capacity::Holder;
use super::command::{Answer, Refusal};
use super::deadline::Deadline;
use super::event::{EndedBy, Event};
use super::floor::WrapUp;
use super::ids::{AgentKey, AssignmentId, InteractionId, Text};
use super::interaction::State;
use super::plan::Channel;
use super::score::place;
use super::shard::{Shard, Step};
use super::time::Time;
use serde::Serialize;
use std::collections::VecDeque;

/// Of the interactions that are over, so many stay readable in memory; older ones are in the journal.
pub const OVER_KEPT_MAX: usize = 100_000;

/// The interactions that were over last.
pub type Over = VecDeque<InteractionId>;

/// One agent's part in an interaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Assignment {
    pub id: AssignmentId,
    pub interaction: InteractionId,
    pub agent: AgentKey,
    pub channel: Channel,
    pub started: Time,
    /// `Some` exactly while in wrap-up.
    pub wrap_up_until: Option<Time>,
}

impl Assignment {
    pub(super) fn new(
        id: AssignmentId,
        interaction: InteractionId,
        agent: AgentKey,
        channel: Channel,
        started: Time,
    ) -> Assignment {
        Assignment { id, interaction, agent, channel, started, wrap_up_until: None }
    }
}

impl Step<'_> {
    pub fn complete(&mut self, assignment: AssignmentId, disposition: Text) -> Result<Answer, Refusal> {
        match self.shard.assignments.get(&assignment) {
            Some(known) if known.wrap_up_until.is_none() => {
                self.end_conversation(assignment, EndedBy::Agent, disposition);
                Ok(Answer::Done)
            }
            Some(_) => Err(Refusal::AssignmentEnded),
            None => Err(self.shard.no_assignment(assignment)),
        }
    }

    pub fn finish_wrap_up(&mut self, assignment: AssignmentId) -> Result<Answer, Refusal> {
        match self.shard.assignments.get(&assignment) {
            Some(known) if known.wrap_up_until.is_some() => {
                self.end_wrap_up(assignment, EndedBy::Agent);
                Ok(Answer::Done)
            }
            Some(_) => Err(Refusal::NotWrappingUp),
            None => Err(self.shard.no_assignment(assignment)),
        }
    }

    pub fn end_conversation(&mut self, assignment: AssignmentId, by: EndedBy, disposition: Text) {
        let interaction = self.shard.assignments[&assignment].interaction;
        let wrap_up = self.shard.queue(self.shard.subject(interaction).plan.queue).wrap_up;
        let wrap_up_until = match wrap_up {
            WrapUp::None | WrapUp::Timed { ms: 0 } => None,
            WrapUp::Timed { ms } => Some(self.shard.now.after(ms)),
        };
        let agent = self.shard.assignments[&assignment].agent;
        self.emit(Event::ConversationEnded { assignment, by, disposition, wrap_up_until });
        if wrap_up_until.is_none() {
            self.emit(Event::Closed { interaction });
            self.free(agent);
        }
    }

    pub fn end_wrap_up(&mut self, assignment: AssignmentId, by: EndedBy) {
        let ended = self.shard.assignments[&assignment];
        self.emit(Event::WrapUpEnded { assignment, by });
        self.emit(Event::Closed { interaction: ended.interaction });
        self.free(ended.agent);
    }

    /// The agent did not come back in time: the customer gets another one, at the old place.
    pub fn agent_gone(&mut self, assignment: AssignmentId) {
        let Assignment { interaction, agent, .. } = self.shard.assignments[&assignment];
        self.emit(Event::AssignmentLost { assignment });
        self.drained(agent);
        self.seek_agent(interaction);
    }

    /// Capacity came free: a wish for a break comes first, then the next work.
    fn free(&mut self, agent: AgentKey) {
        self.drained(agent);
        self.seek_work(agent);
    }
}

impl Shard {
    fn no_assignment(&self, assignment: AssignmentId) -> Refusal {
        let existed = assignment.0 >= 1 && assignment <= self.last_assignment;
        if existed { Refusal::AssignmentEnded } else { Refusal::AssignmentUnknown }
    }

    pub(super) fn conversation_ended(
        &mut self,
        id: AssignmentId,
        disposition: &Text,
        wrap_up_until: Option<Time>,
    ) {
        self.deadlines.disarm(Deadline::Agent(id));
        let assignment = self.assignments.get_mut(&id).expect("a conversation ends once");
        assignment.wrap_up_until = wrap_up_until;
        let (interaction, agent) = (assignment.interaction, assignment.agent);
        let subject = self.subject_mut(interaction);
        subject.state = State::WrappingUp;
        subject.disposition = disposition.clone();
        let queue = subject.plan.queue;
        let books = self.tally.books(queue);
        books.handling -= 1;
        books.wrapping_up += 1;
        match wrap_up_until {
            Some(until) => {
                self.deadlines.arm(Deadline::WrapUp(id), until);
                self.agents[agent.index()].ledger.pass(Holder::Assignment(id), Holder::WrapUp(id));
                self.reindex(agent);
            }
            None => self.release(id, Holder::Assignment(id)),
        }
    }

    pub(super) fn assignment_lost(&mut self, id: AssignmentId) {
        self.deadlines.disarm(Deadline::Agent(id));
        let interaction = self.assignments[&id].interaction;
        self.release(id, Holder::Assignment(id));
        let subject = self.subject_mut(interaction);
        subject.state = State::Waiting;
        subject.assignment = None;
        subject.requeues += 1;
        let (lane, place, queue) = (subject.lane, place(subject), subject.plan.queue);
        self.lines.enqueue(lane, place);
        let books = self.tally.books(queue);
        books.handling -= 1;
        books.returned += 1;
    }

    pub(super) fn wrap_up_ended(&mut self, id: AssignmentId) {
        self.deadlines.disarm(Deadline::WrapUp(id));
        self.release(id, Holder::WrapUp(id));
    }

    fn release(&mut self, id: AssignmentId, holder: Holder) {
        let assignment = self.assignments.remove(&id).expect("an assignment is over once");
        let agent = &mut self.agents[assignment.agent.index()];
        agent.ledger.release(holder);
        agent.idle_since = self.now;
        self.reindex(assignment.agent);
    }

    pub(super) fn closed(&mut self, id: InteractionId) {
        let now = self.now;
        let subject = self.subject_mut(id);
        subject.state = State::Closed;
        subject.assignment = None;
        let answered = subject.answered.expect("a conversation has been answered");
        let queue = subject.plan.queue;
        let books = self.tally.books(queue);
        books.wrapping_up -= 1;
        books.closed += 1;
        books.handle_ms += now.since(answered);
        self.is_over(id);
    }

    pub(super) fn abandoned(&mut self, id: InteractionId) {
        let now = self.now;
        let subject = self.leave_line(id, State::Abandoned);
        let short = now.since(subject.entered) <= subject.plan.goals.short_abandon_ms;
        let (queue, answered) = (subject.plan.queue, subject.answered.is_some());
        let books = self.tally.books(queue);
        if answered {
            books.left_again();
        } else {
            books.abandoned += 1;
            books.short_abandoned += u64::from(short);
        }
        self.is_over(id);
    }

    pub(super) fn cancelled(&mut self, id: InteractionId) {
        let subject = self.leave_line(id, State::Cancelled);
        let (queue, answered) = (subject.plan.queue, subject.answered.is_some());
        let books = self.tally.books(queue);
        if answered {
            books.left_again();
        } else {
            books.cancelled += 1;
        }
        self.is_over(id);
    }

    fn leave_line(&mut self, id: InteractionId, state: State) -> &super::interaction::Interaction {
        let subject = self.subject(id);
        let (lane, place) = (subject.lane, place(subject));
        self.lines.dequeue(lane, place);
        self.deadlines.disarm(Deadline::Source(id));
        let subject = self.subject_mut(id);
        subject.state = state;
        let cool_downs = std::mem::take(&mut subject.cool_downs);
        for pair in cool_downs {
            self.deadlines.disarm(Deadline::CoolDown(id, pair.agent));
        }
        self.subject(id)
    }

    fn is_over(&mut self, id: InteractionId) {
        let now = self.now;
        let subject = self.subject_mut(id);
        subject.over = Some(now);
        let source = subject.source.clone();
        self.sources.get_mut(&source).expect("an interaction's source is known").open.remove(&id);
        if self.over.len() == OVER_KEPT_MAX {
            let oldest = self.over.pop_front().expect("the limit is not zero");
            self.interactions.remove(&oldest);
        }
        self.over.push_back(id);
    }
}
