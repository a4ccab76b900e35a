//! What is told to whoever asked for a change: the answer, and with it what they want to see as the change left it,
//! so that nobody has to ask twice.

use super::view::{self, AgentView, InteractionView};
use crate::engine::command::{Answer, Refusal};
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId, Sequence};
use crate::engine::interaction::State;
use crate::engine::shard::Shard;

/// An answer and the last event it has seen. It leaves when that event is durable.
#[derive(Clone, Debug)]
pub struct Told {
    pub sequence: Sequence,
    pub answer: Result<Answer, Refusal>,
    pub shown: Shown,
}

/// What to show beside an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    Nothing,
    /// The state of what was submitted.
    State,
    /// All of what was submitted.
    Submitted,
    Interaction(InteractionId),
    /// Nothing but that it was about a source's session.
    Session,
    Agent(AgentKey),
    /// The agent who was asked.
    Asked(OfferId),
    /// The agent at work, also when the command ends that work.
    AtWork(AssignmentId),
}

/// What is shown beside an answer.
#[derive(Clone, Debug)]
pub enum Shown {
    Nothing,
    State(State),
    /// `None` if there is no record of it.
    Interaction(Option<Box<InteractionView>>),
    Agent(Box<AgentView>),
    /// A session of a source was to be opened.
    Session,
    /// There is no record of it; whether it ever was, one can tell by the last there was.
    NoRecord {
        asked: InteractionId,
        last: InteractionId,
    },
}

impl Look {
    /// Before the command: the command may end what names the agent.
    pub(super) fn resolved(self, shard: &Shard) -> Look {
        let agent = match self {
            Look::Asked(offer) => shard.offer(offer).map(|offer| offer.agent),
            Look::AtWork(assignment) => shard.assignment(assignment).map(|part| part.agent),
            _ => return self,
        };
        agent.map_or(self, Look::Agent)
    }

    /// After it.
    pub(super) fn shown(self, shard: &Shard, answer: &Result<Answer, Refusal>) -> Shown {
        let answer = match (answer, self) {
            (_, Look::Session) => return Shown::Session,
            (Ok(answer), _) => answer,
            (Err(Refusal::InteractionUnknown), Look::Interaction(asked)) => {
                return Shown::NoRecord { asked, last: shard.last_interaction() };
            }
            (Err(_), _) => return Shown::Nothing,
        };
        match self {
            Look::Nothing | Look::Session => Shown::Nothing,
            Look::State => state(shard, answer),
            Look::Submitted => submitted(answer).map_or(Shown::Nothing, |id| interaction(shard, id)),
            Look::Interaction(id) => interaction(shard, id),
            Look::Agent(agent) => agent_shown(shard, agent),
            // A repetition: the offer has ended before.
            Look::Asked(offer) => {
                let ended = shard.ended_offer(offer).map(|ended| ended.agent);
                ended.map_or(Shown::Nothing, |agent| agent_shown(shard, agent))
            }
            Look::AtWork(_) => Shown::Nothing,
        }
    }
}

/// What a submit was answered with.
pub fn submitted(answer: &Answer) -> Option<InteractionId> {
    match answer {
        Answer::Admitted { interaction, .. } | Answer::Attached { interaction } => Some(*interaction),
        _ => None,
    }
}

fn state(shard: &Shard, answer: &Answer) -> Shown {
    let subject = submitted(answer).and_then(|id| shard.interaction(id));
    // A repetition of one that was over long ago.
    subject.map_or(Shown::Nothing, |subject| Shown::State(subject.state))
}

fn interaction(shard: &Shard, id: InteractionId) -> Shown {
    Shown::Interaction(view::interaction(shard, id).map(Box::new))
}

fn agent_shown(shard: &Shard, agent: AgentKey) -> Shown {
    view::status(shard, agent).map_or(Shown::Nothing, |view| Shown::Agent(Box::new(view)))
}
