//! What became of each interaction, read off the events: how long it waited and how that ended, who answered, how much
//! work it was. What a rule set could not have changed is taken from here when the period is decided again.

mod there;

use super::asked::Contact;
use crate::engine::command::Window;
use crate::engine::event::{CancelCause, Event, Stamped};
use crate::engine::ids::{AgentKey, AssignmentId, CustomerId, InteractionId, QueueKey};
use crate::engine::interaction::Part;
use crate::engine::journey::Journey;
use crate::engine::plan::Channel;
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use std::collections::HashMap;
use std::sync::Arc;

/// Before the period, so many are kept until those that are over are forgotten.
const KEPT_BEFORE_MAX: usize = 200_000;

/// What was learned of the customer after the admission.
#[derive(Debug, Clone)]
pub(super) struct Learned {
    pub at: Time,
    pub customer: CustomerId,
    pub journey: Option<Arc<Journey>>,
}

/// A call-back the customer asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallbackAsked {
    pub at: Time,
    pub channel: Channel,
    pub window: Window,
}

/// What one agent did before it was over or handed on; whoever advised or joined them is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leg {
    pub queue: QueueKey,
    pub agent: AgentKey,
    /// It was handed to this agent alone.
    pub asked_for: Option<AgentKey>,
    pub talk_ms: u64,
    pub wrap_up_ms: u64,
}

/// One interaction, as recorded.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub id: InteractionId,
    pub came: Time,
    /// Its wait counts from here; for work that was scheduled, when it was due.
    pub entered: Time,
    /// It was there when the period began.
    pub carried: bool,
    pub contact: Contact,
    pub learned: Option<Learned>,
    /// From entry to the first answer, or to leaving; `None` while it waits.
    pub waited_ms: Option<u64>,
    /// The wait ended because the customer hung up. Otherwise nobody knows how long they would have waited.
    pub hung_up: bool,
    pub withdrawn: Option<Time>,
    pub callback: Option<CallbackAsked>,
    pub answered_by: Option<AgentKey>,
    /// The work on it, one agent after another.
    legs: Vec<Leg>,
    /// So many of these had begun when the period did.
    legs_before: usize,
    /// `Some` from a transfer to the next answer: the agent it was handed to, if it was to one alone.
    handed: Option<Option<AgentKey>>,
    pub over: Option<Time>,
}

/// How much of what happened is not decided again as it happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub put_back: u64,
    pub second_agents: u64,
    pub parked: u64,
    pub connects_failed: u64,
    pub attached: u64,
}

/// One agent's part, while it goes on.
#[derive(Debug, Clone, Copy)]
struct Piece {
    life: usize,
    leg: usize,
    /// The leg began with it.
    opens: bool,
    /// `None` while it is interrupted.
    from: Option<Time>,
    wraps_up: bool,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Lives {
    pub all: Vec<Life>,
    pub left_out: LeftOut,
    begun: bool,
    by_id: HashMap<InteractionId, usize>,
    pieces: HashMap<AssignmentId, Piece>,
}

impl Lives {
    /// The period begins: what is over by then is forgotten, what goes on is carried into it.
    pub fn begin(&mut self) {
        self.forget_those_over();
        self.all.iter_mut().for_each(Life::carry);
        self.left_out = LeftOut::default();
        self.begun = true;
    }

    fn forget_those_over(&mut self) {
        self.by_id.clear();
        let mut moved = HashMap::new();
        for (at, life) in std::mem::take(&mut self.all).into_iter().enumerate() {
            if life.over.is_none() {
                moved.insert(at, self.all.len());
                self.by_id.insert(life.id, self.all.len());
                self.all.push(life);
            }
        }
        self.pieces.retain(|_, piece| moved.get(&piece.life).map(|to| piece.life = *to).is_some());
    }

    /// Somebody came in the period.
    pub fn has_new(&self) -> bool {
        self.all.iter().any(|life| !life.carried)
    }

    /// Nobody is left whose end is not known.
    pub fn are_over(&self) -> bool {
        self.all.iter().all(|life| life.over.is_some())
    }

    /// Hears of an event right after it became true.
    pub fn hear(&mut self, stamped: &Stamped, shard: &Shard) {
        let now = stamped.time;
        match &stamped.event {
            Event::Admitted(admitted) => {
                let id = admitted.interaction;
                if !self.begun && self.all.len() >= KEPT_BEFORE_MAX {
                    self.forget_those_over();
                }
                let entered = shard.interaction(id).map_or(now, |one| one.entered);
                self.by_id.insert(id, self.all.len());
                self.all.push(Life::new(id, now, entered, Contact::of(admitted, now)));
            }
            Event::Identified { interaction, customer, journey } => self.with(*interaction, |life| {
                let learned = Learned { at: now, customer: *customer, journey: journey.clone() };
                life.learned.get_or_insert(learned);
            }),
            Event::Accepted { assignment, .. } => self.accepted(*assignment, shard, now),
            Event::ConnectFailed { assignment, .. } => self.connect_failed(*assignment, shard),
            Event::Interrupted { assignment } => self.pause(*assignment, now),
            Event::Continued { assignment } => self.go_on(*assignment, now),
            event => self.ended(event, now, shard),
        }
    }

    fn ended(&mut self, event: &Event, now: Time, shard: &Shard) {
        match event {
            Event::ConversationEnded { assignment, wrap_up_until, .. } => {
                self.piece_over(*assignment, now, wrap_up_until.is_some(), |_| {});
            }
            Event::Transferred(handed) => {
                let to = handed.wanted.map(|wanted| wanted.agent);
                self.piece_over(handed.assignment, now, handed.wrap_up_until.is_some(), |life| {
                    life.handed = Some(to);
                });
            }
            Event::Requeued { assignment, wrap_up_until, .. } => {
                self.left_out.put_back += 1;
                self.piece_over(*assignment, now, wrap_up_until.is_some(), |_| {});
            }
            Event::Parked { assignment } => {
                self.left_out.parked += 1;
                self.piece_over(*assignment, now, false, |_| {});
            }
            Event::AssignmentLost { assignment } | Event::WrapUpEnded { assignment, .. } => {
                self.piece_over(*assignment, now, false, |_| {});
            }
            Event::Sought(_) => self.left_out.second_agents += 1,
            Event::AttachedTo(_) => self.left_out.attached += 1,
            event => self.left(event, now, shard),
        }
    }

    fn left(&mut self, event: &Event, now: Time, shard: &Shard) {
        match event {
            Event::Abandoned { interaction, .. } => self.with(*interaction, |life| {
                life.hung_up = life.answered_by.is_none();
                life.is_over(now);
            }),
            Event::Cancelled { interaction, cause } => self.with(*interaction, |life| {
                life.withdrawn = (*cause == CancelCause::Withdrawn).then_some(now);
                life.is_over(now);
            }),
            Event::TimedOut { interaction, .. }
            | Event::SentAway { interaction, .. }
            | Event::Closed { interaction } => self.with(*interaction, |life| life.is_over(now)),
            Event::CallbackPlanned { interaction, channel, from, until, by_rule } => {
                let asked = CallbackAsked {
                    at: now,
                    channel: *channel,
                    window: Window { from: *from, until: *until },
                };
                self.with(*interaction, |life| {
                    if !by_rule {
                        life.callback.get_or_insert(asked);
                    }
                });
            }
            // Scheduled work is in line from now on.
            Event::Due { interaction } => {
                let entered = shard.interaction(*interaction).map_or(now, |one| one.entered);
                self.with(*interaction, |life| life.entered = entered);
            }
            _ => {}
        }
    }

    fn with(&mut self, id: InteractionId, change: impl FnOnce(&mut Life)) {
        if let Some(at) = self.by_id.get(&id) {
            change(&mut self.all[*at]);
        }
    }

    fn accepted(&mut self, id: AssignmentId, shard: &Shard, now: Time) {
        let Some(part) = shard.assignment(id) else { return };
        let Some(at) = self.by_id.get(&part.interaction).copied() else { return };
        let talks = |other: &AssignmentId| {
            *other != id && shard.assignment(*other).is_some_and(|other| other.talks())
        };
        // The first agent of a warm transfer is still there.
        let warm = shard.interaction(part.interaction).is_some_and(|one| one.assignments.iter().any(talks));
        let life = &mut self.all[at];
        let opens = part.part == Part::Owner && life.opens_leg(part.queue, part.agent, warm);
        if life.legs.is_empty() {
            return;
        }
        self.pieces.insert(
            id,
            Piece { life: at, leg: life.legs.len() - 1, opens, from: Some(now), wraps_up: false },
        );
        if part.part == Part::Owner && life.answered_by.is_none() {
            life.answered_by = Some(part.agent);
            life.waited_ms = Some(now.since(life.entered));
        }
    }

    /// The answer is undone, if that was one.
    fn connect_failed(&mut self, id: AssignmentId, shard: &Shard) {
        self.left_out.connects_failed += 1;
        let Some(piece) = self.pieces.remove(&id) else { return };
        let life = &mut self.all[piece.life];
        if piece.opens {
            let undone = life.legs.pop();
            life.handed = undone.map(|leg| leg.asked_for).filter(|_| !life.legs.is_empty());
        }
        if shard.interaction(life.id).is_some_and(|one| one.answered.is_none()) {
            (life.answered_by, life.waited_ms) = (None, None);
        }
    }

    fn pause(&mut self, id: AssignmentId, now: Time) {
        self.count(id, now);
        if let Some(piece) = self.pieces.get_mut(&id) {
            piece.from = None;
        }
    }

    fn go_on(&mut self, id: AssignmentId, now: Time) {
        if let Some(piece) = self.pieces.get_mut(&id) {
            piece.from = Some(now);
        }
    }

    fn piece_over(&mut self, id: AssignmentId, now: Time, wraps_up: bool, then: impl FnOnce(&mut Life)) {
        self.count(id, now);
        if let Some(piece) = self.pieces.get(&id) {
            then(&mut self.all[piece.life]);
        }
        match self.pieces.get_mut(&id) {
            Some(piece) if wraps_up => (piece.from, piece.wraps_up) = (Some(now), true),
            _ => drop(self.pieces.remove(&id)),
        }
    }

    fn count(&mut self, id: AssignmentId, now: Time) {
        let Some(piece) = self.pieces.get(&id) else { return };
        let ms = piece.from.map_or(0, |from| now.since(from));
        let leg = &mut self.all[piece.life].legs[piece.leg];
        *if piece.wraps_up { &mut leg.wrap_up_ms } else { &mut leg.talk_ms } += ms;
    }
}

impl Life {
    pub fn new(id: InteractionId, came: Time, entered: Time, contact: Contact) -> Life {
        Life {
            id,
            came,
            entered,
            carried: false,
            contact,
            learned: None,
            waited_ms: None,
            hung_up: false,
            withdrawn: None,
            callback: None,
            answered_by: None,
            legs: Vec::new(),
            legs_before: 0,
            handed: None,
            over: None,
        }
    }

    /// It goes on in the period. What was learned, asked for and begun by then is in the state it goes on from: it is not
    /// done again.
    fn carry(&mut self) {
        self.carried = true;
        (self.learned, self.callback, self.legs_before) = (None, None, self.legs.len());
    }

    fn is_over(&mut self, now: Time) {
        self.over = Some(now);
        let entered = self.entered;
        self.waited_ms.get_or_insert(now.since(entered));
    }

    /// An answer begins another leg if it is the first, or if the conversation was handed on.
    fn opens_leg(&mut self, queue: QueueKey, agent: AgentKey, warm: bool) -> bool {
        let handed = self.handed.take().or(warm.then_some(None));
        let opens = self.legs.is_empty() || handed.is_some();
        if opens {
            let asked_for = handed.flatten();
            self.legs.push(Leg { queue, agent, asked_for, talk_ms: 0, wrap_up_ms: 0 });
        }
        opens
    }

    /// The work on it, one agent after another; nothing if nobody worked on it, or it is not known to the end.
    pub fn work(&self) -> &[Leg] {
        if self.over.is_some() { &self.legs } else { &[] }
    }

    /// Of the work of one who was there when the period began: what comes next once they are answered; what was put back goes
    /// on.
    pub fn next_leg(&self) -> usize {
        self.legs_before.min(self.work().len().saturating_sub(1))
    }

    /// What an agent had in hand of it when the period began, if it was handed on later.
    pub fn leg_to_hand_on(&self) -> Option<(usize, Leg)> {
        let at = self.legs_before.checked_sub(1)?;
        let handed_on = self.work().len() > self.legs_before;
        handed_on.then(|| (at, self.legs[at]))
    }
}

#[cfg(test)]
impl Life {
    /// It is over, and this was the work.
    pub fn worked(mut self, legs: &[Leg]) -> Life {
        (self.legs, self.over) = (legs.to_vec(), Some(self.came.after(1)));
        self.answered_by = legs.first().map(|leg| leg.agent);
        self
    }
}
