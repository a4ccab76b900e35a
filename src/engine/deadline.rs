//! The timers. Each fires with its own time, in the order of time and then of the deadline itself, whoever
//! notices it and when.

use super::ids::{AgentKey, AssignmentId, HoursKey, InteractionId, OfferId, SkillKey};
use super::time::Time;
use hashbrown::DefaultHashBuilder;
use priority_queue::PriorityQueue;
use serde::Serialize;
use std::cmp::Reverse;

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
pub enum Deadline {
    /// The offer was not answered.
    Offer(OfferId),
    /// Wrap-up is over.
    WrapUp(AssignmentId),
    /// The pair may be tried again.
    CoolDown(InteractionId, AgentKey),
    /// The agent of a conversation has been lost for too long.
    Agent(AssignmentId),
    /// Hours turn, or a day is over.
    Hours(HoursKey),
    /// The agent's skill runs out.
    Skill(AgentKey, SkillKey),
    /// The agent counts as responding again.
    Recover(AgentKey),
    /// A new day for an agent who has taken as many as allowed. Follows from the time alone: no part of the state.
    NewDay(AgentKey),
    /// Nobody said whether agent and customer are connected.
    Connect(AssignmentId),
    /// Scheduled work is due.
    Due(InteractionId),
    /// It has waited for one agent long enough.
    Preference(InteractionId),
    /// It has waited beyond its maximum.
    MaxWait(InteractionId),
    /// The next step of relaxation, or the last.
    Relax(InteractionId),
    /// Look whether it overflows now. Follows from the time alone: it is no part of the state.
    Overflow(InteractionId),
    /// The window of a call-back is over.
    Window(InteractionId),
    /// No second agent was found in time.
    Seek(InteractionId),
    /// The source of a live interaction has been silent for too long.
    Source(InteractionId),
}

/// All timers that are armed.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    queue: PriorityQueue<Deadline, Reverse<(Time, Deadline)>, DefaultHashBuilder>,
}

impl Deadlines {
    /// Arms a timer, or moves it.
    pub(super) fn arm(&mut self, deadline: Deadline, at: Time) {
        self.queue.push(deadline, Reverse((at, deadline)));
    }

    /// Takes a timer away; one that is not armed is no error.
    pub(super) fn disarm(&mut self, deadline: Deadline) {
        self.queue.remove(&deadline);
    }

    /// True if the timer is armed.
    pub(super) fn is_armed(&self, deadline: Deadline) -> bool {
        self.queue.get(&deadline).is_some()
    }

    /// The next one due.
    pub fn next(&self) -> Option<(Time, Deadline)> {
        self.queue.peek().map(|(_, Reverse(due))| *due)
    }

    /// All of them, earliest first, but those that follow from the time alone.
    pub fn sorted(&self) -> Vec<(Time, Deadline)> {
        let mut all: Vec<_> = self
            .queue
            .iter()
            .filter(|(deadline, _)| !matches!(deadline, Deadline::Overflow(_) | Deadline::NewDay(_)))
            .map(|(_, Reverse(due))| *due)
            .collect();
        all.sort();
        all
    }
}
