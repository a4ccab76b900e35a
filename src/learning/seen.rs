//! What the events of a floor say about customers and agents: who came, how long waits and work were and how they ended,
//! and whether matters were solved. Follows every event, in order; keeps nothing of what is over.

use super::patience::Ending;
use crate::engine::agent::Presence;
use crate::engine::event::{Admitted, EndedBy, Event};
use crate::engine::ids::{AgentKey, AssignmentId, CustomerId, InteractionId, OfferId, QueueKey};
use crate::engine::interaction::Part;
use crate::engine::plan::Plan;
use crate::engine::time::Time;
use hashbrown::HashMap;
use std::collections::VecDeque;

/// A customer who comes to the same queue again within so long had not been helped; who does not, had been.
pub const AGAIN_MS: u64 = 7 * 86_400_000;

/// What the rules expect of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expected {
    pub handle_ms: u64,
    pub patience_ms: u64,
}

/// One thing that was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    Came {
        queue: QueueKey,
        expected: Expected,
    },
    /// Nobody could take it: it stands in line, and looks for its place there.
    Queued {
        queue: QueueKey,
        interaction: InteractionId,
    },
    Waited {
        queue: QueueKey,
        interaction: InteractionId,
        wait_ms: u64,
        ending: Ending,
    },
    /// An agent is on duty, or is no more.
    Duty {
        agent: AgentKey,
        there: bool,
    },
    /// A whole conversation with what came after it.
    Handled {
        queue: QueueKey,
        agent: AgentKey,
        handle_ms: u64,
    },
    Ended {
        queue: QueueKey,
        agent: AgentKey,
        solved: bool,
    },
}

#[derive(Clone, Copy, Debug)]
struct Open {
    queue: QueueKey,
    customer: Option<CustomerId>,
    since: Time,
    /// Its first wait is not over.
    waits: bool,
    /// It has been seen in line.
    queued: bool,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    interaction: InteractionId,
    agent: AgentKey,
}

#[derive(Clone, Copy, Debug)]
struct Work {
    asked: Asked,
    began: Time,
    /// Nothing came between: neither handed on, nor parked, nor interrupted.
    whole: bool,
}

/// Whoever comes again is remembered by whom they were served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Served {
    agent: AgentKey,
    at: Time,
}

/// Follows the events.
#[derive(Clone, Debug, Default)]
pub struct Eyes {
    open: HashMap<InteractionId, Open>,
    offers: HashMap<OfferId, Asked>,
    works: HashMap<AssignmentId, Work>,
    served: HashMap<(CustomerId, QueueKey), Served>,
    /// In the order of time.
    until: VecDeque<(CustomerId, QueueKey, Served)>,
}

impl Eyes {
    /// To be told every event once, in order; tells what it means.
    pub fn look(&mut self, now: Time, event: &Event, tell: &mut impl FnMut(Seen)) {
        self.nobody_came_again(now, tell);
        match event {
            Event::Admitted(admitted) => self.admitted(now, admitted, tell),
            Event::Identified { interaction, customer } => {
                if let Some(open) = self.open.get_mut(interaction) {
                    open.customer = Some(*customer);
                }
            }
            Event::Waits { interaction, .. } => {
                if let Some(open) = self.open.get_mut(interaction).filter(|open| open.waits && !open.queued) {
                    open.queued = true;
                    tell(Seen::Queued { queue: open.queue, interaction: *interaction });
                }
            }
            Event::PresenceChanged { agent, presence, .. } => {
                tell(Seen::Duty { agent: *agent, there: *presence != Presence::SignedOut });
            }
            Event::SessionLost { agent } => tell(Seen::Duty { agent: *agent, there: false }),
            Event::Overflowed { interaction, to, .. } => {
                if let Some(open) = self.open.get_mut(interaction) {
                    open.queue = *to;
                }
            }
            Event::Transferred(transferred) => self.handed_on(transferred.assignment, &transferred.plan),
            Event::Offered { offer, interaction, agent, part: Part::Owner, .. } => {
                self.offers.insert(*offer, Asked { interaction: *interaction, agent: *agent });
            }
            Event::Accepted { offer, assignment, .. } => self.accepted(now, *offer, *assignment, tell),
            Event::Declined { offer, .. } | Event::Expired { offer, .. } | Event::Rescinded { offer, .. } => {
                self.offers.remove(offer);
            }
            other => self.about_work(now, other, tell),
        }
    }

    fn about_work(&mut self, now: Time, event: &Event, tell: &mut impl FnMut(Seen)) {
        match event {
            Event::ConversationEnded { assignment, by, solved, wrap_up_until, .. } => {
                self.conversation_ended(now, *assignment, *by, *solved, tell);
                if wrap_up_until.is_none() {
                    self.done(now, *assignment, tell);
                }
            }
            Event::WrapUpEnded { assignment, .. } => self.done(now, *assignment, tell),
            Event::Interrupted { assignment } => {
                if let Some(work) = self.works.get_mut(assignment) {
                    work.whole = false;
                }
            }
            Event::Parked { assignment }
            | Event::AssignmentLost { assignment }
            | Event::ConnectFailed { assignment, .. }
            | Event::Requeued { assignment, .. } => {
                self.works.remove(assignment);
            }
            Event::Abandoned { interaction, .. } => self.left(now, *interaction, Ending::Abandoned, tell),
            Event::Cancelled { interaction, .. }
            | Event::SentAway { interaction, .. }
            | Event::TimedOut { interaction, .. }
            | Event::Closed { interaction } => self.left(now, *interaction, Ending::Answered, tell),
            // Who waits for a call does not hold the line.
            Event::CallbackPlanned { interaction, .. } | Event::Held { interaction } => {
                if let Some(open) = self.open.get_mut(interaction) {
                    open.waits = false;
                }
            }
            _ => {}
        }
    }

    fn admitted(&mut self, now: Time, admitted: &Admitted, tell: &mut impl FnMut(Seen)) {
        let plan = &admitted.plan;
        let queue = plan.routes[usize::from(admitted.route)].queue;
        let customer = admitted.facts.customer;
        let later = admitted.facts.not_before.is_some() || plan.by_due;
        self.open
            .insert(admitted.interaction, Open { queue, customer, since: now, waits: !later, queued: false });
        tell(Seen::Came { queue, expected: expected(plan, admitted.route) });
        if let Some(served) = customer.and_then(|customer| self.served.remove(&(customer, queue))) {
            tell(Seen::Ended { queue, agent: served.agent, solved: false });
        }
    }

    fn accepted(&mut self, now: Time, offer: OfferId, assignment: AssignmentId, tell: &mut impl FnMut(Seen)) {
        let Some(asked) = self.offers.remove(&offer) else { return };
        self.works.insert(assignment, Work { asked, began: now, whole: true });
        if let Some(open) = self.open.get_mut(&asked.interaction)
            && std::mem::take(&mut open.waits)
        {
            let wait_ms = now.since(open.since);
            let (queue, interaction) = (open.queue, asked.interaction);
            tell(Seen::Waited { queue, interaction, wait_ms, ending: Ending::Answered });
        }
    }

    fn handed_on(&mut self, assignment: AssignmentId, plan: &Plan) {
        if let Some(work) = self.works.remove(&assignment)
            && let Some(open) = self.open.get_mut(&work.asked.interaction)
        {
            open.queue = plan.entry().queue;
        }
    }

    fn conversation_ended(
        &mut self,
        now: Time,
        assignment: AssignmentId,
        by: EndedBy,
        solved: Option<bool>,
        tell: &mut impl FnMut(Seen),
    ) {
        let Some(work) = self.works.get_mut(&assignment) else { return };
        work.whole &= matches!(by, EndedBy::Agent | EndedBy::Customer);
        let (agent, whole) = (work.asked.agent, work.whole);
        let Some(open) = self.open.get(&work.asked.interaction).copied() else { return };
        match (solved, open.customer) {
            (Some(solved), _) => tell(Seen::Ended { queue: open.queue, agent, solved }),
            (None, Some(customer)) if whole => {
                let served = Served { agent, at: now };
                self.served.insert((customer, open.queue), served);
                self.until.push_back((customer, open.queue, served));
            }
            _ => {}
        }
    }

    fn done(&mut self, now: Time, assignment: AssignmentId, tell: &mut impl FnMut(Seen)) {
        let Some(work) = self.works.remove(&assignment).filter(|work| work.whole) else { return };
        if let Some(open) = self.open.get(&work.asked.interaction) {
            let (queue, agent) = (open.queue, work.asked.agent);
            tell(Seen::Handled { queue, agent, handle_ms: now.since(work.began) });
        }
    }

    fn left(&mut self, now: Time, interaction: InteractionId, ending: Ending, tell: &mut impl FnMut(Seen)) {
        if let Some(open) = self.open.remove(&interaction).filter(|open| open.waits) {
            tell(Seen::Waited { queue: open.queue, interaction, wait_ms: now.since(open.since), ending });
        }
    }

    fn nobody_came_again(&mut self, now: Time, tell: &mut impl FnMut(Seen)) {
        while let Some((customer, queue, served)) = self.until.front().copied()
            && now.since(served.at) >= AGAIN_MS
        {
            self.until.pop_front();
            // Served again since, this time is over.
            if self.served.get(&(customer, queue)) == Some(&served) {
                self.served.remove(&(customer, queue));
                tell(Seen::Ended { queue, agent: served.agent, solved: true });
            }
        }
    }
}

fn expected(plan: &Plan, route: u8) -> Expected {
    let handle_ms = plan.routes[usize::from(route)].expected_handle_ms;
    Expected { handle_ms: handle_ms.max(1), patience_ms: plan.goals.patience_ms.max(1) }
}
