//! What was learned: lists decide here, so it is checked, told and changes nothing.

use super::door::Answered;
use super::twin::Twin;
use baton::engine::command::{Answer, Refusal};
use baton::engine::event::Event;
use baton::engine::floor::Kind;
use baton::engine::learned::Parameters;

impl Twin {
    pub fn set_parameters(&mut self, parameters: Parameters) -> Answered {
        let Parameters { version, agents, queues, pools } = &parameters;
        if *version <= self.learned {
            return Err(Refusal::ParametersOld { got: *version, current: self.learned });
        }
        let missing = |kind, name: String| Err(Refusal::NotDefined { kind, name: name.into() });
        for one in agents {
            if one.agent.index() >= self.agents.len() {
                return Err(Refusal::AgentUnknown);
            }
            if let Some(one) = one.estimates.iter().find(|one| one.queue.index() >= self.queues.len()) {
                return missing(Kind::Queue, one.queue.to_string());
            }
        }
        if let Some(one) = queues.iter().find(|one| one.queue.index() >= self.queues.len()) {
            return missing(Kind::Queue, one.queue.to_string());
        }
        if let Some(one) = pools.iter().find(|one| one.pool.index() >= self.pools.len()) {
            return missing(Kind::Pool, one.pool.to_string());
        }
        self.learned = *version;
        self.tell(Event::ParametersSet(parameters.into()));
        Ok(Answer::Done)
    }
}
