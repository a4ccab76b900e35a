//! The bank's floor in a real shard: one pool, a skill per type of call, a queue per class, the agents of the log.
//!
//! Everything is said to the engine in commands, as a live platform would; what it decides is read from its
//! events. Refusals are our own mistakes here, since the floor is one we defined.

use std::collections::{BTreeMap, BTreeSet};

use super::class::Class;
use super::record::{AgentNo, Call, Kind};
use super::replay::Order;
use crate::engine::agent::Presence;
use crate::engine::command::{Answer, Command, Leaving, Submit, Write};
use crate::engine::event::{EndedBy, Event, Stamped};
use crate::engine::floor::{AgentSpec, Definition, OnAgentLost, OnExpiry, QueueSpec};
use crate::engine::ids::{
    AgentKey, AssignmentId, InteractionId, OfferId, PoolKey, QueueKey, SessionId, SkillKey,
};
use crate::engine::plan::{Channel, Facts, Goals, Plan};
use crate::engine::policy::{Listed, Policy, PoolSpec};
use crate::engine::route::Route;
use crate::engine::shard::Shard;
use crate::engine::skill::{PROFICIENCY_MAX, Requirement, Skill};
use crate::engine::time::Time;
use crate::rules::{Asked, RuleSet};

/// What the bank credited its priority customers with, in ms of waiting.
pub(super) const PRIORITY_CREDIT_MS: u64 = 90_000;

/// The plan's head start for a customer nobody prefers.
pub(super) const NO_HEAD_START: u64 = 0;

const POOL: PoolKey = PoolKey(0);

/// An offer the engine made in the step just taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offered {
    pub(super) offer: OfferId,
    pub(super) interaction: InteractionId,
}

/// How the floor decides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    /// What decides.
    pub(super) policy: Policy,
    /// What each class is worth: a queue has the name of its class. `None`: nothing costs anything.
    pub(super) rules: Option<&'a RuleSet>,
    /// What priority customers count as having waited when they come in, ms.
    pub(super) credit_ms: u64,
}

impl Terms<'_> {
    /// Longest wait and longest idle, and nothing costs anything.
    pub(super) const BANK: Terms<'static> =
        Terms { policy: Policy::Listed(Listed::longest_idle()), rules: None, credit_ms: NO_HEAD_START };

    /// As the bank decided, as far as who is taken first is in this order.
    pub(super) fn bank(order: Order) -> Terms<'static> {
        let credit_ms = match order {
            Order::Documented => PRIORITY_CREDIT_MS,
            Order::LongestWait => NO_HEAD_START,
        };
        Terms { credit_ms, ..Terms::BANK }
    }
}

/// A shard with the bank's floor.
#[derive(Debug, Clone)]
pub(super) struct Floor {
    plans: BTreeMap<Class, Plan>,
    /// What priority customers are credited with, ms.
    credit_ms: u64,
    shard: Shard,
    events: Vec<Stamped>,
    agents: BTreeMap<AgentNo, AgentKey>,
}

impl Floor {
    /// Defines the floor, and plans each class. The agents have a session each and are signed out.
    pub(super) fn open(now: Time, skills: &BTreeMap<AgentNo, BTreeSet<Kind>>, terms: Terms<'_>) -> Floor {
        let classes: Vec<Class> = Class::all().filter(|class| class.has_queue(terms.rules)).collect();
        let (mut floor, queues) = Floor::furnished(now, skills, terms.policy, &classes);
        floor.credit_ms = terms.credit_ms;
        floor.plans =
            queues.into_iter().map(|(class, key)| (class, floor.plan(class, key, terms.rules))).collect();
        floor
    }

    /// Defines the floor, with a queue for each of these classes. Nothing is planned.
    pub(super) fn furnished(
        now: Time,
        skills: &BTreeMap<AgentNo, BTreeSet<Kind>>,
        policy: Policy,
        classes: &[Class],
    ) -> (Floor, Vec<(Class, QueueKey)>) {
        let (plans, agents) = (BTreeMap::new(), BTreeMap::new());
        let (shard, events) = (Shard::new(), Vec::new());
        let mut floor = Floor { plans, credit_ms: NO_HEAD_START, shard, events, agents };
        let pool = PoolSpec { display_name: "Anonymous Bank".into(), policy, trial: None };
        floor.define(now, "bank", Definition::Pool(pool.into()));
        for kind in Kind::ALL {
            floor.define(now, kind.code(), Definition::Skill { display_name: kind.code().into() });
        }
        let queue = |class: &Class| {
            let key = floor.define(now, &class.name(), Definition::Queue(queue_spec(*class)));
            (*class, QueueKey(u16::try_from(key).expect("there are 14 classes")))
        };
        let queues: Vec<(Class, QueueKey)> = classes.iter().map(queue).collect();
        for (agent, kinds) in skills {
            let key = floor.define(now, &agent.to_string(), Definition::Agent(agent_spec(*agent, kinds)));
            let session = SessionId(u64::from(key) + 1);
            floor.agents.insert(*agent, AgentKey(key));
            floor.step(now, Command::OpenSession { agent: AgentKey(key), session });
        }
        (floor, queues)
    }

    /// Agents by key.
    pub(super) fn agent(&self, agent: AgentNo) -> AgentKey {
        self.agents[&agent]
    }

    /// Lets an agent take calls from now on.
    pub(super) fn sign_in(&mut self, now: Time, agent: AgentNo) {
        self.set_presence(now, agent, Presence::Available);
    }

    /// Takes an agent off the floor, once the call in hand is over.
    pub(super) fn sign_out(&mut self, now: Time, agent: AgentNo) {
        self.set_presence(now, agent, Presence::SignedOut);
    }

    /// A call comes in and is planned: the queue of its class, and the credit of its customer.
    pub(super) fn submit(&mut self, now: Time, call: &Call) -> InteractionId {
        let head_start_ms = if call.priority_customer { self.credit_ms } else { NO_HEAD_START };
        let submit = Submit {
            keys: [None, None],
            content: 0,
            source: "bank-calls".into(),
            external_id: call.row.to_string().into(),
            channel: Channel::Voice,
            facts: Facts::default(),
            plan: Plan { head_start_ms, ..self.plan_of(Class::of(call)).clone() }.into(),
        };
        match self.step(now, Command::Submit(Box::new(submit))) {
            Answer::Admitted { interaction, .. } => interaction,
            other => unreachable!("a submit is answered by an admission, not {other:?}"),
        }
    }

    /// The customer hangs up.
    pub(super) fn leave(&mut self, now: Time, interaction: InteractionId) {
        self.step(now, Command::Cancel { interaction, leaving: Leaving::CustomerLeft });
    }

    /// The agent takes the call.
    pub(super) fn accept(&mut self, now: Time, offer: OfferId) -> AssignmentId {
        match self.step(now, Command::Accept { offer }) {
            Answer::Accepted { assignment, .. } => assignment,
            other => unreachable!("an accept is answered by an assignment, not {other:?}"),
        }
    }

    /// The conversation is over; nothing is written up afterwards.
    pub(super) fn complete(&mut self, now: Time, assignment: AssignmentId) {
        self.step(now, Command::Complete { assignment, disposition: "".into(), solved: None });
    }

    /// When the engine's next timer is due.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.shard.next_deadline()
    }

    /// Lets the engine's timers fire.
    pub(super) fn pass_time(&mut self, now: Time) {
        self.step(now, Command::Tick);
    }

    /// The offers made since the last look.
    pub(super) fn offers(&mut self) -> Vec<Offered> {
        let offered = |stamped: Stamped| match stamped.event {
            Event::Offered { offer, interaction, .. } => Some(Offered { offer, interaction }),
            _ => None,
        };
        // What was taken back in the same step, as when an agent leaves, is not answered.
        let Floor { shard, events, .. } = self;
        let open = |offered: &Offered| shard.offer(offered.offer).is_some();
        events.drain(..).filter_map(offered).filter(open).collect()
    }

    fn plan(&self, class: Class, queue: QueueKey, rules: Option<&RuleSet>) -> Plan {
        match rules {
            Some(rules) => {
                rules.plan(self.shard.floor(), &Asked::plain(Channel::Voice, queue, &Facts::default()))
            }
            None => plan(class.kind, queue),
        }
    }

    /// Priority customers stand with the others of their type where they have no queue of their own.
    pub(super) fn plan_of(&self, class: Class) -> &Plan {
        self.plans.get(&class).unwrap_or_else(|| &self.plans[&Class { priority: false, ..class }])
    }

    /// What happened since the offers were looked at last, and where it happened.
    pub(super) fn happened(&self) -> (&[Stamped], &Shard) {
        (&self.events, &self.shard)
    }

    fn set_presence(&mut self, now: Time, agent: AgentNo, presence: Presence) {
        let agent = self.agents[&agent];
        self.step(now, Command::SetPresence { agent, presence, reason: "".into(), by: EndedBy::Agent });
    }

    fn define(&mut self, now: Time, name: &str, definition: Definition) -> u32 {
        match self.step(now, Command::Define { name: name.into(), definition, write: Write::Create }) {
            Answer::Defined { key, .. } => key,
            other => unreachable!("a definition is answered by its key, not {other:?}"),
        }
    }

    fn step(&mut self, now: Time, command: Command) -> Answer {
        self.shard
            .step(now, command, &mut self.events)
            .expect("the replay asks only for what its own floor and its own order of time allow")
    }
}

/// Skills are defined in the order of `Kind::ALL`, so their keys are its positions.
fn key(kind: Kind) -> u16 {
    kind as u16
}

fn requirement(kind: Kind) -> Requirement {
    Requirement { skill: SkillKey(key(kind)), proficiency: 1 }
}

fn queue_spec(class: Class) -> QueueSpec {
    QueueSpec {
        on_expiry: OnExpiry::Stay,
        on_agent_lost: OnAgentLost::Keep,
        waiting_max: u32::MAX,
        ..QueueSpec::plain(class.name().into(), POOL, vec![requirement(class.kind)])
    }
}

fn agent_spec(agent: AgentNo, kinds: &BTreeSet<Kind>) -> AgentSpec {
    // How well somebody knew a type is not in the log.
    let skill =
        |kind: &Kind| Skill { skill: SkillKey(key(*kind)), proficiency: PROFICIENCY_MAX, expires: None };
    AgentSpec::plain(agent.to_string().into(), POOL, kinds.iter().map(skill).collect())
}

fn plan(kind: Kind, queue: QueueKey) -> Plan {
    let goals = Goals { short_abandon_ms: 0, ..Goals::plain() };
    let route = Route::plain(queue, vec![requirement(kind)]);
    Plan::plain(1, route, 0, goals)
}
