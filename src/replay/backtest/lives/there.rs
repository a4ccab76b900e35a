//! Lives that go on in a state whose past is not kept: whatever the state tells of them. What was done before by those who
//! have it no more is not known; nor is how long a conversation was interrupted.

use super::{Leg, Life, Lives, Piece};
use crate::engine::ids::AssignmentId;
use crate::engine::interaction::{Interaction, Part};
use crate::engine::outcome::Assignment;
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use crate::replay::backtest::asked::Contact;

impl Lives {
    /// Those of everybody who is there.
    pub fn from_state(shard: &Shard) -> Lives {
        let mut lives = Lives::default();
        for one in shard.open_interactions() {
            let at = lives.all.len();
            let (mut life, mut pieces) = (Life::from_state(one, shard.now()), Vec::new());
            for part in one.assignments.iter().filter_map(|id| shard.assignment(*id)) {
                pieces.extend(life.goes_on(at, part, wraps_up_since(part, shard)));
            }
            lives.by_id.insert(one.id, at);
            lives.all.push(life);
            lives.pieces.extend(pieces);
        }
        lives
    }
}

impl Life {
    fn from_state(one: &Interaction, now: Time) -> Life {
        let came = one.entered.min(now);
        let in_line_again = one.state.is_unanswered() && one.answered.is_some() && !one.visit_answered;
        Life {
            waited_ms: one.answered.map(|at| at.since(one.entered)),
            answered_by: one.agent.filter(|_| one.answered.is_some()),
            handed: in_line_again.then(|| one.wanted.map(|wanted| wanted.agent)),
            ..Life::new(one.id, came, one.entered, Contact::in_hand(one))
        }
    }

    /// What one agent has in hand of it; who advises or joins is in the owner's leg.
    fn goes_on(
        &mut self,
        life: usize,
        part: &Assignment,
        wraps_up: Option<Time>,
    ) -> Option<(AssignmentId, Piece)> {
        let opens = part.part == Part::Owner;
        if opens {
            let talk_ms = wraps_up.map_or(0, |since| since.since(part.started));
            let (queue, agent) = (part.queue, part.agent);
            self.legs.push(Leg { queue, agent, asked_for: None, talk_ms, wrap_up_ms: 0 });
        }
        let leg = self.legs.len().checked_sub(1)?;
        let from = wraps_up.or_else(|| (!part.interrupted).then_some(part.started));
        Some((part.id, Piece { life, leg, opens, from, wraps_up: wraps_up.is_some() }))
    }
}

/// When an agent's conversation ended: its wrap-up takes as long as its queue says, and as often longer as was asked.
fn wraps_up_since(part: &Assignment, shard: &Shard) -> Option<Time> {
    let until = part.wrap_up_until?;
    let spec = shard.floor().queues.get(u32::from(part.queue.0)).map(|queue| queue.spec.wrap_up);
    let ms = spec.map_or(0, |spec| spec.ms + u64::from(part.extensions) * spec.extension_ms);
    Some(Time(until.0.saturating_sub(ms)).min(shard.now()).max(part.started))
}
