//! Parked work: a conversation that waits for the customer holds nobody's capacity. When the customer writes, it goes
//! to the same agent first.

use super::capacity::Holder;
use super::channel::Channel;
use super::command::{Answer, Refusal};
use super::event::Event;
use super::ids::{AssignmentId, InteractionId};
use super::interaction::{Interaction, State, Wanted, WantedBy};
use super::shard::{Shard, Step};

/// So long a customer who wrote again waits for the agent they know, ms: as long as the channel bears.
pub fn resume_budget_ms(channel: Channel) -> u64 {
    match channel {
        Channel::Voice | Channel::Video => 20_000,
        Channel::Chat => 60_000,
        Channel::Message | Channel::Social => 600_000,
        Channel::Email | Channel::Task => 3_600_000,
    }
}

impl Step<'_> {
    pub fn park(&mut self, assignment: AssignmentId) -> Result<Answer, Refusal> {
        let part = self.shard.owner_part(assignment)?;
        if part.channel.is_connected_by_platform() {
            return Err(Refusal::NotParkable { channel: part.channel });
        }
        if self.shard.talking_parts(part.interaction).len() > 1 {
            let wanted = "one agent alone is in the conversation";
            return Err(Refusal::WrongState { state: State::Handling, wanted });
        }
        let freed = self.end_rest_but(part.interaction, assignment);
        self.emit(Event::Parked { assignment });
        self.free(part.agent);
        self.free_all(freed);
        Ok(Answer::Done)
    }

    /// The customer wrote, and it is to be kept.
    pub fn wrote(&mut self, interaction: InteractionId) -> Result<Answer, Refusal> {
        self.shard.goes_on(interaction)?;
        self.emit(Event::Wrote { interaction });
        self.resume(interaction)
    }

    /// The customer wrote. What is being worked on, or waits, goes on as it is.
    pub fn resume(&mut self, interaction: InteractionId) -> Result<Answer, Refusal> {
        let subject = self.shard.goes_on(interaction)?;
        if subject.state == State::Parked && subject.owner.is_none() {
            let wanted = self.shard.last_agent(interaction);
            self.emit(Event::Resumed { interaction, wanted });
            self.seek_agent(interaction);
        }
        Ok(Answer::Done)
    }
}

impl Shard {
    fn goes_on(&self, interaction: InteractionId) -> Result<&Interaction, Refusal> {
        let subject = self.interaction(interaction).ok_or(Refusal::InteractionUnknown)?;
        if subject.state.is_over() || subject.state == State::WrappingUp {
            let wanted = "it is not over";
            return Err(Refusal::WrongState { state: subject.state, wanted });
        }
        Ok(subject)
    }

    /// The agent who had it, for a while, if they are there.
    pub(super) fn last_agent(&self, interaction: InteractionId) -> Option<Wanted> {
        let subject = self.subject(interaction);
        let agent = subject.agent.filter(|agent| self.is_there(*agent))?;
        let until = self.now.after(resume_budget_ms(subject.channel));
        Some(Wanted { agent, by: WantedBy::LastAgent, until, overdraw: false })
    }

    pub(super) fn parked(&mut self, id: AssignmentId) {
        let part = self.assignments[&id];
        self.deadlines.disarm(super::deadline::Deadline::Agent(id));
        self.release(id, Holder::Assignment(id));
        self.change_state(part.interaction, |subject| {
            subject.owner = None;
            subject.state = State::Parked;
        });
    }

    pub(super) fn resumed(&mut self, id: InteractionId, wanted: Option<Wanted>) {
        let now = self.now;
        self.change_state(id, |subject| {
            subject.state = State::Waiting;
            subject.wanted = wanted;
            subject.requeues += 1;
            (subject.waits_from, subject.in_queue_from, subject.step) = (now, now, 0);
            subject.overdue = false;
        });
        self.change_lane(id);
        self.arm_max_wait(id);
        self.stand(id);
    }
}
