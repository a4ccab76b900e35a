//! What waiting changes: relaxation step by step, the one agent waited for, the hard maximum. Steps count from
//! entry to the queue; the last says what then.

use super::deadline::Deadline;
use super::event::{Event, ExitCause, PreferenceEnd, SeekEnd};
use super::ids::{AgentKey, InteractionId};
use super::shard::{Shard, Step};

impl Step<'_> {
    /// The next step is due: whoever qualifies now may be asked; after the last the interaction leaves, if it can.
    pub fn relax(&mut self, interaction: InteractionId) {
        let subject = self.shard.subject(interaction);
        let (step, route) = (subject.step, subject.route());
        if usize::from(step) < route.relaxation.len() {
            self.emit(Event::Relaxed { interaction, step: step + 1 });
            self.seek_agent(interaction);
            return;
        }
        let exit = route.last_step.exit.clone();
        if !self.take_exit(interaction, &exit, ExitCause::LastStep) {
            // Nowhere to go now: that was the last step, and from here on it is looked again and again.
            self.emit(Event::Relaxed { interaction, step: step + 1 });
        }
    }

    /// The budget for one agent is spent, or nobody was found in time for a second.
    pub fn preference_spent(&mut self, interaction: InteractionId) {
        if self.shard.subject(interaction).seek().is_some() {
            self.seek_timed_out(interaction);
            return;
        }
        self.end_preference(interaction, PreferenceEnd::BudgetSpent);
        self.seek_agent(interaction);
    }

    pub fn end_preference(&mut self, interaction: InteractionId, cause: PreferenceEnd) {
        self.emit(Event::PreferenceEnded { interaction, cause });
    }

    /// An agent who has signed out, or is not there at all, is not waited for.
    pub fn skip_absent_agent(&mut self, interaction: InteractionId) {
        let subject = self.shard.subject(interaction);
        let Some(wanted) = subject.wanted.filter(|_| subject.seek().is_none()) else { return };
        if !self.shard.is_there(wanted.agent) {
            self.end_preference(interaction, PreferenceEnd::AgentSignedOut);
        }
    }

    /// An agent signed out: who waited for them alone waits for anybody. Those who do, to look for an agent.
    pub fn release_line(&mut self, agent: AgentKey) -> Vec<InteractionId> {
        let waiting: Vec<InteractionId> =
            self.shard.agents[agent.index()].line.iter().map(|(_, _, _, id)| *id).collect();
        let mut released = Vec::new();
        for interaction in waiting {
            if self.shard.subject(interaction).seek().is_some() {
                self.emit(Event::SeekEnded { interaction, cause: SeekEnd::AgentRefused });
            } else {
                self.end_preference(interaction, PreferenceEnd::AgentSignedOut);
                released.push(interaction);
            }
        }
        released
    }

    /// It has waited beyond its maximum: from now on it comes before every one that has not, for anybody.
    pub fn overdue(&mut self, interaction: InteractionId) {
        self.emit(Event::Overdue { interaction });
        if self.shard.subject(interaction).wanted.is_none() {
            self.try_again(interaction);
            return;
        }
        self.end_preference(interaction, PreferenceEnd::Overdue);
        if self.shard.subject(interaction).standing.is_some() {
            self.seek_agent(interaction);
        }
    }
}

impl Shard {
    /// Signed in: on duty, on a break, or expected back.
    pub(super) fn is_there(&self, agent: AgentKey) -> bool {
        let live = self.floor.agents.live(agent.0).is_some();
        live && self.agents[agent.index()].presence != super::agent::Presence::SignedOut
    }

    pub(super) fn relaxed(&mut self, id: InteractionId, step: u8) {
        self.step_out(id);
        self.subject_mut(id).step = step;
        self.change_lane(id);
        self.stand(id);
    }

    pub(super) fn preference_ended(&mut self, id: InteractionId) {
        self.change_place(id, |subject| subject.wanted = None);
    }

    pub(super) fn became_overdue(&mut self, id: InteractionId) {
        self.deadlines.disarm(Deadline::MaxWait(id));
        self.change_place(id, |subject| subject.overdue = true);
    }

    /// From entry to the line, not from entry to the queue: moving on gives nobody a fresh start.
    pub(super) fn arm_max_wait(&mut self, id: InteractionId) {
        let subject = self.subject(id);
        let max_ms = subject.route().max_wait_ms.filter(|_| !subject.overdue);
        match max_ms.map(|ms| subject.waits_from.after(ms)) {
            Some(at) => self.deadlines.arm(Deadline::MaxWait(id), at),
            None => self.deadlines.disarm(Deadline::MaxWait(id)),
        }
    }
}
