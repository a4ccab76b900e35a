//! What agents and customers are going to do about what was decided, in the order of time.

use super::script::Turn;
use crate::engine::ids::{AgentKey, AssignmentId, OfferId};
use crate::engine::time::Time;
use std::collections::BTreeMap;

/// What somebody is going to do; interactions by the number of their life.
#[derive(Debug, Clone, Copy)]
pub(super) enum Todo {
    Accept(OfferId),
    Decline(OfferId),
    /// The conversation is over.
    Complete(AssignmentId),
    Finish(AssignmentId),
    HangUp(usize),
    Withdraw(usize),
    AskCallback(usize),
    /// An agent who let an offer expire is back.
    Back(AgentKey),
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    todos: BTreeMap<(Time, Turn, u64), Todo>,
    count: u64,
}

impl Agenda {
    /// Puts one down. Of those at the same time and turn, the first put down comes first.
    pub fn put(&mut self, at: Time, turn: Turn, todo: Todo) {
        self.count += 1;
        self.todos.insert((at, turn, self.count), todo);
    }

    /// When the next one is.
    pub fn next(&self) -> Option<(Time, Turn)> {
        self.todos.first_key_value().map(|((at, turn, _), _)| (*at, *turn))
    }

    /// Takes the next one off.
    pub fn pop(&mut self) -> Option<Todo> {
        self.todos.pop_first().map(|(_, todo)| todo)
    }
}
