//! The ways out: the customer left, the source took it back, nobody could be found. Each leaves the line, or ends
//! the conversation, and is over exactly once.

use super::command::{Answer, Leaving, Refusal};
use super::deadline::Deadline;
use super::event::{AbandonCause, CancelCause, EndedBy, Event, RescindCause};
use super::few::Few;
use super::ids::{AgentKey, InteractionId};
use super::interaction::{Interaction, State};
use super::outcome::{Finish, OVER_KEPT_MAX};
use super::shard::{Shard, Step};

impl Step<'_> {
    /// The customer left or the source took it back. Before an accept the interaction leaves; after it, the
    /// conversation ends and the agent wraps up.
    pub fn leave(&mut self, interaction: InteractionId, leaving: Leaving) -> Result<Answer, Refusal> {
        let subject = self.shard.interaction(interaction).ok_or(Refusal::InteractionUnknown)?;
        // Who is promised a call has hung up, and is called all the same; taking that back is a withdrawal.
        let hung_up = leaving == Leaving::CustomerLeft && subject.callback().is_some();
        match subject.state {
            State::Scheduled | State::Waiting | State::Offered if hung_up => {}
            State::Scheduled => {
                self.emit(Event::Cancelled { interaction, cause: CancelCause::Withdrawn });
            }
            State::Waiting | State::Offered => self.leave_line(interaction, leaving),
            State::Handling | State::Parked => self.end_all(interaction, ended_by(leaving)),
            State::WrappingUp
            | State::Closed
            | State::Abandoned
            | State::Cancelled
            | State::TimedOut
            | State::SentAway => {}
        }
        Ok(Answer::Cancelled { state: self.shard.subject(interaction).state })
    }

    fn leave_line(&mut self, interaction: InteractionId, leaving: Leaving) {
        let freed = match leaving {
            Leaving::CustomerLeft => self.rescind_all(interaction, RescindCause::CustomerLeft),
            Leaving::Withdrawn => self.rescind_all(interaction, RescindCause::Withdrawn),
        };
        self.emit(match leaving {
            Leaving::CustomerLeft => Event::Abandoned { interaction, cause: AbandonCause::CustomerLeft },
            Leaving::Withdrawn => Event::Cancelled { interaction, cause: CancelCause::Withdrawn },
        });
        self.seek_works(freed);
    }

    /// Ends everybody's part in it.
    fn end_all(&mut self, interaction: InteractionId, by: EndedBy) {
        match self.shard.subject(interaction).owner {
            Some(owner) => {
                let freed = self.end_rest_but(interaction, owner);
                self.end_conversation(owner, Finish::by(by));
                self.free_all(freed);
            }
            // Parked for the customer: nobody holds it.
            None => self.emit(Event::Closed { interaction }),
        }
    }

    /// Looks for work for each of these.
    pub fn seek_works(&mut self, agents: Few<AgentKey>) {
        for agent in agents {
            self.seek_work(agent);
        }
    }
}

fn ended_by(leaving: Leaving) -> EndedBy {
    match leaving {
        Leaving::CustomerLeft => EndedBy::Customer,
        Leaving::Withdrawn => EndedBy::Source,
    }
}

impl Shard {
    pub(super) fn abandoned(&mut self, id: InteractionId) {
        let now = self.now;
        let subject = self.left_line(id, State::Abandoned);
        let short = now.since(subject.entered) <= subject.plan.goals.short_abandon_ms;
        let (queue, answered) = (subject.queue(), subject.visit_answered);
        let books = self.tally.books(queue);
        if answered {
            books.left_after_answer += 1;
        } else {
            books.abandoned += 1;
            books.short_abandoned += u64::from(short);
            if !short {
                self.prices.note_answer(queue, false);
            }
        }
        self.is_over(id);
    }

    pub(super) fn cancelled(&mut self, id: InteractionId) {
        self.count_exit(id, State::Cancelled);
    }

    pub(super) fn timed_out(&mut self, id: InteractionId) {
        self.count_exit(id, State::TimedOut);
    }

    pub(super) fn sent_away(&mut self, id: InteractionId) {
        self.count_exit(id, State::SentAway);
    }

    fn count_exit(&mut self, id: InteractionId, state: State) {
        let subject = self.left_line(id, state);
        let (queue, answered) = (subject.queue(), subject.visit_answered);
        let books = self.tally.books(queue);
        if answered {
            books.left_after_answer += 1;
        } else {
            match state {
                State::Cancelled => books.cancelled += 1,
                State::TimedOut => books.timed_out += 1,
                _ => books.sent_away += 1,
            }
        }
        self.is_over(id);
    }

    fn left_line(&mut self, id: InteractionId, state: State) -> &Interaction {
        self.step_out(id);
        let now = self.now;
        self.change_state(id, |subject| (subject.state, subject.over) = (state, Some(now)));
        self.subject(id)
    }

    /// Nothing more happens to it: its state and time say so already. Only the wrap-up of an agent who handed it on may still run.
    pub(super) fn is_over(&mut self, id: InteractionId) {
        self.unschedule(id);
        self.forget_cool_downs(id);
        self.forget_matter(id);
        self.deadlines.disarm(Deadline::Source(id));
        self.deadlines.disarm(Deadline::MaxWait(id));
        let subject = &self.interactions[&id];
        self.lines.part(subject.lane);
        self.sources.get_mut(&subject.source).expect("an interaction's source is known").open.remove(&id);
        self.over.push_back(id);
        self.retire();
    }

    /// Forgets the oldest of those that are over, once nobody wraps up for it any more.
    fn retire(&mut self) {
        for _ in OVER_KEPT_MAX..self.over.len() {
            let oldest = self.over.pop_front().expect("the limit is not zero");
            if self.subject(oldest).assignments.is_empty() {
                self.interactions.remove(&oldest);
            } else {
                self.over.push_back(oldest);
            }
        }
    }

    pub(super) fn forget_cool_downs(&mut self, id: InteractionId) {
        if self.subject(id).cool_downs().is_empty() {
            return;
        }
        let pairs = self.subject_mut(id).change_extras(|extras| std::mem::take(&mut extras.cool_downs));
        for pair in pairs {
            self.deadlines.disarm(Deadline::CoolDown(id, pair.agent));
        }
    }
}
