//! What the events of a floor say about customers and agents: who came, how long waits and work were and how they ended,
//! and whether matters were solved. Follows every event, in order; keeps nothing of what is over.

use super::patience::Ending;
use crate::engine::agent::Presence;
use crate::engine::event::{Admitted, EndedBy, Event};
use crate::engine::explain::{Decision, Exclusion, Net, WaitReason};
use crate::engine::ids::{AgentKey, AssignmentId, CustomerId, InteractionId, OfferId, QueueKey};
use crate::engine::interaction::Part;
use crate::engine::money::Money;
use crate::engine::plan::Plan;
use crate::engine::time::Time;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A customer who comes to the same queue again within so long had not been helped; who does not, had been.
pub const AGAIN_MS: u64 = 7 * 86_400_000;

/// What the rules expect of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Expected {
    pub handle_ms: u64,
    pub patience_ms: u64,
}

/// What is at stake with a contact, in units of the currency, its weight included.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Costs {
    pub per_minute: f64,
    pub abandon: f64,
    pub late: f64,
    /// Answered within this is in time, ms.
    pub within_ms: u64,
    pub patience_ms: u64,
}

impl Costs {
    fn of(plan: &Plan) -> Costs {
        let weight = f64::from(plan.weight.0) / 65_536.0;
        let units = |money: Money| money.0 as f64 / 1e6 * weight;
        let goals = &plan.goals;
        Costs {
            per_minute: units(goals.waiting_per_minute),
            abandon: units(goals.abandon),
            late: units(goals.late),
            within_ms: goals.answer_within_ms,
            patience_ms: goals.patience_ms.max(1),
        }
    }

    /// The minutes alone.
    pub fn of_minutes(&self, ms: u64) -> f64 {
        self.per_minute * ms as f64 / 60_000.0
    }

    /// The minutes, and the risk that the customer hangs up in them.
    pub fn of_waiting(&self, ms: u64) -> f64 {
        self.of_minutes(ms) + self.abandon * (1.0 - (-(ms as f64) / self.patience_ms as f64).exp())
    }
}

/// One thing that was seen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Seen {
    Came {
        queue: QueueKey,
        interaction: InteractionId,
        expected: Expected,
        costs: Costs,
    },
    /// Held for a cheaper agent than this: what the best pair is worth, relief left out, in millionths.
    Held {
        interaction: InteractionId,
        worth: i64,
        costs: Costs,
    },
    /// Offered after it had been held, in a pair that is worth so much.
    HeldEnough {
        interaction: InteractionId,
        worth: i64,
    },
    /// No more will be heard of it.
    Over {
        interaction: InteractionId,
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
        /// `None` if it was learned from the customer's coming again, or not.
        interaction: Option<InteractionId>,
        solved: bool,
    },
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Open {
    queue: QueueKey,
    customer: Option<CustomerId>,
    since: Time,
    /// Its first wait is not over.
    waits: bool,
    /// It has been seen in line.
    queued: bool,
    /// It is held for a cheaper agent.
    held: bool,
    costs: Costs,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Asked {
    interaction: InteractionId,
    agent: AgentKey,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Work {
    asked: Asked,
    began: Time,
    /// Nothing came between: neither handed on, nor parked, nor interrupted.
    whole: bool,
}

/// Whoever comes again is remembered by whom they were served.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Served {
    agent: AgentKey,
    at: Time,
}

/// Follows the events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
            Event::Identified { interaction, customer, .. } => {
                if let Some(open) = self.open.get_mut(interaction) {
                    open.customer = Some(*customer);
                }
            }
            Event::Waits { interaction, decision } => self.stands(*interaction, decision, tell),
            Event::PresenceChanged { agent, presence, .. } => {
                tell(Seen::Duty { agent: *agent, there: *presence != Presence::SignedOut });
            }
            Event::SessionLost { agent } => tell(Seen::Duty { agent: *agent, there: false }),
            Event::Overflowed { interaction, to, .. } => {
                if let Some(open) = self.open.get_mut(interaction) {
                    open.queue = *to;
                }
            }
            Event::Replanned(replanned) => {
                if let Some(open) = self.open.get_mut(&replanned.interaction) {
                    let plan = &replanned.plan;
                    (open.queue, open.costs) = (plan.entry().queue, Costs::of(plan));
                }
            }
            Event::Transferred(transferred) => self.handed_on(transferred.assignment, &transferred.plan),
            Event::Offered { offer, interaction, agent, part: Part::Owner, decision, .. } => {
                self.offered(*interaction, *agent, decision, tell);
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
        let (interaction, costs) = (admitted.interaction, Costs::of(plan));
        let open = Open { queue, customer, since: now, waits: !later, queued: false, held: false, costs };
        self.open.insert(interaction, open);
        tell(Seen::Came { queue, interaction, expected: expected(plan, admitted.route), costs });
        if let Some(served) = customer.and_then(|customer| self.served.remove(&(customer, queue))) {
            tell(Seen::Ended { queue, agent: served.agent, interaction: None, solved: false });
        }
    }

    fn stands(&mut self, interaction: InteractionId, decision: &Decision, tell: &mut impl FnMut(Seen)) {
        let Some(open) = self.open.get_mut(&interaction) else { return };
        if open.waits && !std::mem::replace(&mut open.queued, true) {
            tell(Seen::Queued { queue: open.queue, interaction });
        }
        if decision.wait_reason == Some(WaitReason::Held) && !open.held {
            let dear = decision.agents.iter().filter(|one| one.exclusion == Some(Exclusion::KeptForOthers));
            if let Some(worth) = dear.filter_map(|one| one.net.map(beside_relief)).max() {
                open.held = true;
                tell(Seen::Held { interaction, worth, costs: open.costs });
            }
        }
    }

    fn offered(
        &mut self,
        interaction: InteractionId,
        agent: AgentKey,
        decision: &Decision,
        tell: &mut impl FnMut(Seen),
    ) {
        let Some(open) = self.open.get_mut(&interaction).filter(|open| open.held) else { return };
        open.held = false;
        let net = decision.agents.iter().find(|one| one.agent == agent).and_then(|one| one.net);
        tell(Seen::HeldEnough { interaction, worth: net.map_or(0, beside_relief) });
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
            (Some(solved), _) => {
                let (queue, interaction) = (open.queue, Some(work.asked.interaction));
                tell(Seen::Ended { queue, agent, interaction, solved });
            }
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
        let Some(open) = self.open.remove(&interaction) else { return };
        if open.waits {
            tell(Seen::Waited { queue: open.queue, interaction, wait_ms: now.since(open.since), ending });
        }
        tell(Seen::Over { interaction });
    }

    fn nobody_came_again(&mut self, now: Time, tell: &mut impl FnMut(Seen)) {
        while let Some((customer, queue, served)) = self.until.front().copied()
            && now.since(served.at) >= AGAIN_MS
        {
            self.until.pop_front();
            // Served again since, this time is over.
            if self.served.get(&(customer, queue)) == Some(&served) {
                self.served.remove(&(customer, queue));
                tell(Seen::Ended { queue, agent: served.agent, interaction: None, solved: true });
            }
        }
    }
}

/// What a pair is worth whatever waiting costs.
fn beside_relief(net: Net) -> i64 {
    net.sum() - net.relief
}

fn expected(plan: &Plan, route: u8) -> Expected {
    let handle_ms = plan.routes[usize::from(route)].expected_handle_ms;
    Expected { handle_ms: handle_ms.max(1), patience_ms: plan.goals.patience_ms.max(1) }
}
