//! Accepted is not connected: the platform says whether agent and customer were put together. A failure undoes the
//! answer and puts the customer back at the old place; silence counts as connected, and is counted.

use super::capacity::Holder;
use super::command::{Answer, Refusal};
use super::deadline::Deadline;
use super::event::{AbandonCause, ConnectFailure, Event, ExitCause};
use super::few::Few;
use super::ids::{AgentKey, AssignmentId, InteractionId};
use super::interaction::{Part, State, Until};
use super::offer::COOL_DOWN_MS;
use super::outcome::{Assignment, Connection};
use super::shard::{Shard, Step};
use super::time::Time;

/// The platform says so within this time, ms.
pub const CONNECT_MS: u64 = 30_000;
/// Of a call-back, which the agent has to dial first, ms.
pub const CONNECT_CALLBACK_MS: u64 = 120_000;

/// What a failed connection does to the agent.
pub(super) struct Failed {
    pub assignment: AssignmentId,
    pub cools_down_until: Time,
    pub not_responding: bool,
    pub recovers: Option<Time>,
    pub retry: Option<Time>,
}

impl Step<'_> {
    pub fn connected(&mut self, interaction: InteractionId) -> Result<Answer, Refusal> {
        let assignment = self.shard.to_be_connected(interaction)?;
        if self.shard.assignments[&assignment].connection == Connection::Pending {
            self.emit(Event::Connected { assignment, assumed: false });
        }
        Ok(Answer::Done)
    }

    /// Nobody said anything in time.
    pub fn assume_connected(&mut self, assignment: AssignmentId) {
        self.emit(Event::Connected { assignment, assumed: true });
    }

    pub fn connect_failed(
        &mut self,
        interaction: InteractionId,
        cause: ConnectFailure,
    ) -> Result<Answer, Refusal> {
        let assignment = self.shard.to_be_connected(interaction)?;
        let Assignment { agent, connection, .. } = self.shard.assignments[&assignment];
        if connection != Connection::Pending {
            return Err(Refusal::ConnectedAlready);
        }
        let mut freed = Few::One(agent);
        freed.extend(self.end_rest_but(interaction, assignment));
        let (not_responding, recovers) = match cause {
            ConnectFailure::AgentNoAnswer => self.shard.after_no_answer(interaction),
            _ => (false, None),
        };
        let cools_down_until = self.shard.now.after(COOL_DOWN_MS);
        let retry = self.shard.retry_at(interaction, cause);
        self.emit(Event::ConnectFailed {
            assignment,
            cause,
            cools_down_until,
            not_responding,
            recovers,
            retry,
        });
        self.after_failure(interaction, cause, retry.is_some());
        self.free_all(freed);
        self.look_on(interaction);
        Ok(Answer::Done)
    }

    fn after_failure(&mut self, interaction: InteractionId, cause: ConnectFailure, called_again: bool) {
        let promised = self.shard.subject(interaction).callback().is_some();
        match cause {
            _ if called_again => {}
            ConnectFailure::CustomerGone | ConnectFailure::CustomerNoAnswer if promised => {
                self.emit(Event::TimedOut { interaction, cause: ExitCause::Unreachable });
            }
            ConnectFailure::CustomerGone | ConnectFailure::CustomerNoAnswer => {
                let cause = AbandonCause::GoneBeforeConnected;
                self.emit(Event::Abandoned { interaction, cause });
            }
            ConnectFailure::AgentNoAnswer | ConnectFailure::AgentBusy | ConnectFailure::Network => {}
        }
    }

    /// Everybody in the conversation but one leaves it.
    pub(super) fn end_rest_but(&mut self, interaction: InteractionId, but: AssignmentId) -> Few<AgentKey> {
        let mut freed = Few::None;
        if self.shard.subject(interaction).seek().is_some() {
            freed.extend(self.end_seek(interaction, super::event::SeekEnd::ConversationEnded));
        }
        for other in self.shard.talking_parts(interaction).into_iter().filter(|other| *other != but) {
            let part = self.shard.assignments[&other];
            let wrap_up_until = self.shard.wrap_up_after(&part);
            let by = super::event::EndedBy::Engine;
            let disposition = super::ids::Text::default();
            let ended =
                Event::ConversationEnded { assignment: other, by, disposition, solved: None, wrap_up_until };
            self.emit(ended);
            freed.push(part.agent);
        }
        freed
    }
}

impl Shard {
    /// Until when the platform is to say whether they are connected; `None` where there is nothing to connect.
    pub(super) fn connect_until(&self, interaction: InteractionId, part: Part) -> Option<Time> {
        let subject = self.subject(interaction);
        if part != Part::Owner || !subject.channel.is_connected_by_platform() {
            return None;
        }
        Some(self.now.after(self.connect_limit_ms(interaction)))
    }

    /// A stall of our own takes nothing off the time the platform has to say so.
    pub(super) fn restart_connections(&mut self, down_to: Time) {
        for index in 0..self.agents.len() {
            for id in self.conversations_of(self.agents[index].key) {
                let part = self.assignments[&id];
                if part.connection == Connection::Pending {
                    let limit_ms = self.connect_limit_ms(part.interaction);
                    self.deadlines.arm(Deadline::Connect(id), down_to.after(limit_ms));
                }
            }
        }
    }

    fn connect_limit_ms(&self, interaction: InteractionId) -> u64 {
        if self.subject(interaction).callback().is_some() { CONNECT_CALLBACK_MS } else { CONNECT_MS }
    }

    /// The assignment of the agent who is to be connected.
    fn to_be_connected(&self, interaction: InteractionId) -> Result<AssignmentId, Refusal> {
        let subject = self.interaction(interaction).ok_or(Refusal::InteractionUnknown)?;
        let wanted = "an agent serves it";
        subject.owner.ok_or(Refusal::WrongState { state: subject.state, wanted })
    }

    /// When a customer who did not answer a call-back is called again; `None`: not, or not that case.
    fn retry_at(&self, interaction: InteractionId, cause: ConnectFailure) -> Option<Time> {
        let subject = self.subject(interaction);
        let promised = subject.callback()?;
        let no_answer = matches!(cause, ConnectFailure::CustomerNoAnswer | ConnectFailure::CustomerGone);
        let again = promised.attempts + 1 < subject.plan.callback.attempts_max;
        (no_answer && again).then(|| self.now.after(subject.plan.callback.retry_ms))
    }

    pub(super) fn connection_made(&mut self, id: AssignmentId, assumed: bool) {
        self.deadlines.disarm(Deadline::Connect(id));
        let part = self.assignments.get_mut(&id).expect("who is connected has a part");
        part.connection = if assumed { Connection::Assumed } else { Connection::Made };
        let (queue, interaction) = (part.queue, part.interaction);
        self.tally.books(queue).connects_assumed += u64::from(assumed);
        self.promise_kept(interaction);
    }

    /// The promise is kept. It was part of the place, and a second agent may be looked for.
    pub(super) fn promise_kept(&mut self, id: InteractionId) {
        if self.subject(id).callback().is_some() {
            self.change_place(id, |subject| subject.change_extras(|extras| extras.callback = None));
        }
    }

    pub(super) fn connection_failed(&mut self, failed: Failed) {
        let part = self.withdraw(failed.assignment);
        let (id, now) = (part.interaction, self.now);
        self.undo_answer(&part);
        self.change_state(id, |subject| {
            subject.owner = None;
            subject.requeues += 1;
            subject.state = match failed.retry {
                Some(_) => State::Scheduled,
                None => State::Waiting,
            };
            if failed.retry.is_some() {
                subject.change_extras(|extras| {
                    if let Some(promised) = &mut extras.callback {
                        promised.attempts = promised.attempts.saturating_add(1);
                    }
                });
            }
        });
        self.promise_holds(id);
        self.cool_down(id, part.agent, failed.cools_down_until, 0);
        self.does_not_respond(part.agent, failed.not_responding, failed.recovers);
        match failed.retry {
            Some(at) => self.schedule(id, Until::At(at.max(now))),
            None => {
                self.arm_source_grace(id);
                self.arm_max_wait(id);
                self.stand(id);
            }
        }
    }

    /// Takes a part away as if it had not been: nothing was handled, so nothing is counted and idle time goes on.
    fn withdraw(&mut self, id: AssignmentId) -> Assignment {
        self.deadlines.disarm(Deadline::Agent(id));
        self.deadlines.disarm(Deadline::Connect(id));
        let part = self.assignments.remove(&id).expect("who is to be connected has a part");
        self.agent_mut(part.agent).ledger.release(Holder::Assignment(id));
        self.subject_mut(part.interaction).assignments.retain(|other| *other != id);
        part
    }

    /// The call was not made: the window goes on.
    pub(super) fn promise_holds(&mut self, id: InteractionId) {
        let window = self.subject(id).callback().map(|promised| promised.until);
        if let Some(until) = window.filter(|until| *until > self.now) {
            self.deadlines.arm(Deadline::Window(id), until);
        }
    }

    fn undo_answer(&mut self, part: &Assignment) {
        let subject = self.subject(part.interaction);
        let wait_ms = part.started.since(subject.waits_from);
        let in_target = wait_ms <= subject.plan.goals.answer_within_ms;
        let books = self.tally.books(part.queue);
        books.connects_failed += 1;
        if part.answered_visit {
            books.answered -= 1;
            books.answered_in_target -= u64::from(in_target);
            books.wait_ms -= wait_ms;
        }
        let (visit, first) = (part.answered_visit, part.answered_first);
        self.change_state(part.interaction, |subject| {
            subject.visit_answered &= !visit;
            if first {
                subject.answered = None;
            }
        });
    }
}
