//! A centre in a real shard: one pool, a queue and a skill for each kind, an agent for each member.

use super::centre::{Centre, Does, Kind, Member};
use crate::engine::agent::Presence;
use crate::engine::capacity::CapacitySpec;
use crate::engine::command::{Answer, Command, Leaving, Refusal, Submit, Write};
use crate::engine::event::{EndedBy, Event, Stamped};
use crate::engine::fixed::Part;
use crate::engine::floor::{AgentSpec, Definition, Estimate, OnExpiry, QueueSpec};
use crate::engine::ids::{
    AgentKey, AssignmentId, InteractionId, OfferId, PoolKey, QueueKey, SessionId, SkillKey, Text,
};
use crate::engine::learned::Parameters;
use crate::engine::money::Money;
use crate::engine::plan::{Channel, Facts, Goals, Plan};
use crate::engine::policy::{Policy, PoolSpec, Trial};
use crate::engine::route::Route;
use crate::engine::shard::Shard;
use crate::engine::skill::{Requirement, Skill};
use crate::engine::time::Time;
use std::sync::Arc;

const POOL: PoolKey = PoolKey(0);
/// A channel whose contacts take an agent's whole attention, and that needs no platform to connect anybody.
const CHANNEL: Channel = Channel::Task;

/// An offer the engine made in the step just taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offered {
    pub offer: OfferId,
    pub interaction: InteractionId,
    pub agent: AgentKey,
}

/// A shard with the centre's floor, everybody signed in.
pub(super) struct Floor {
    shard: Shard,
    events: Vec<Stamped>,
    plans: Vec<Arc<Plan>>,
    source: Text,
    no_text: Text,
}

impl Floor {
    /// Opens a floor. Agents are defined in this order, which decides between equals.
    pub fn open(
        centre: &Centre,
        policy: Policy,
        trial: Option<Trial>,
        points: bool,
        hold_max_ms: Option<u64>,
        order: &[usize],
    ) -> Floor {
        let plan = |(key, kind)| Arc::new(plan(kind, key, points, hold_max_ms));
        let mut floor = Floor {
            shard: Shard::new(),
            events: Vec::new(),
            plans: (0..).zip(&centre.kinds).map(plan).collect(),
            source: "simulation".into(),
            no_text: "".into(),
        };
        floor.define(
            "centre",
            Definition::Pool(PoolSpec { display_name: "Centre".into(), policy, trial }.into()),
        );
        for (key, kind) in (0..).zip(&centre.kinds) {
            floor.define(&kind.name, Definition::Skill { display_name: kind.name.as_str().into() });
            floor.define(&kind.name, Definition::Queue(queue(kind, key)));
        }
        for number in order {
            let agent = agent(*number, &centre.agents[*number]);
            let key = floor.define(&number.to_string(), Definition::Agent(agent));
            let agent = AgentKey(key);
            let session = SessionId(u64::from(key) + 1);
            floor.step(Time(0), Command::OpenSession { agent, session });
            floor.come(Time(0), agent);
        }
        floor
    }

    /// An agent can be given work from now on.
    pub fn come(&mut self, now: Time, agent: AgentKey) {
        self.set_presence(now, agent, Presence::Available);
    }

    /// An agent finishes what is in hand, and gets no more.
    pub fn go(&mut self, now: Time, agent: AgentKey) {
        self.set_presence(now, agent, Presence::OnBreak);
    }

    /// Somebody comes; `None` if the line is full.
    pub fn submit(&mut self, now: Time, number: u64, kind: usize) -> Option<InteractionId> {
        let submit = Submit {
            keys: [None, None],
            content: 0,
            source: self.source.clone(),
            external_id: self.no_text.clone(),
            channel: CHANNEL,
            facts: Facts::default(),
            plan: self.plans[kind].clone(),
        };
        match self.shard.step(now, Command::Submit(Box::new(submit)), &mut self.events) {
            Ok(Answer::Admitted { interaction, .. }) => Some(interaction),
            Err(Refusal::QueueFull { .. }) => None,
            other => unreachable!("visit {number} is admitted or turned away, not {other:?}"),
        }
    }

    pub fn leave(&mut self, now: Time, interaction: InteractionId) {
        self.step(now, Command::Cancel { interaction, leaving: Leaving::CustomerLeft });
    }

    pub fn accept(&mut self, now: Time, offer: OfferId) -> AssignmentId {
        match self.step(now, Command::Accept { offer }) {
            Answer::Accepted { assignment, .. } => assignment,
            other => unreachable!("an accept is answered by an assignment, not {other:?}"),
        }
    }

    pub fn complete(&mut self, now: Time, assignment: AssignmentId, solved: Option<bool>) {
        let disposition = self.no_text.clone();
        self.step(now, Command::Complete { assignment, disposition, solved });
    }

    /// Tells the engine what was learned.
    pub fn learn(&mut self, now: Time, parameters: Parameters) {
        self.step(now, Command::SetParameters(parameters.into()));
    }

    /// What happened since the offers were looked at last, and where it happened.
    pub fn happened(&self) -> (&[Stamped], &Shard) {
        (&self.events, &self.shard)
    }

    /// When the engine's next timer is due.
    pub fn next_deadline(&self) -> Option<Time> {
        self.shard.next_deadline()
    }

    /// Lets the engine's timers fire.
    pub fn pass_time(&mut self, now: Time) {
        self.step(now, Command::Tick);
    }

    /// The offers made since the last look.
    pub fn offers(&mut self) -> impl Iterator<Item = Offered> + use<> {
        let offered = |stamped: &Stamped| match stamped.event {
            Event::Offered { offer, interaction, agent, .. } => Some(Offered { offer, interaction, agent }),
            _ => None,
        };
        // What was taken back in the same step, as when an agent leaves, is not answered.
        let open = |offered: &Offered| self.shard.offer(offered.offer).is_some();
        let offers: Vec<Offered> = self.events.iter().filter_map(offered).filter(open).collect();
        self.events.clear();
        offers.into_iter()
    }

    fn set_presence(&mut self, now: Time, agent: AgentKey, presence: Presence) {
        let reason = self.no_text.clone();
        self.step(now, Command::SetPresence { agent, presence, reason, by: EndedBy::Agent });
    }

    fn define(&mut self, name: &str, definition: Definition) -> u32 {
        match self.step(Time(0), Command::Define { name: name.into(), definition, write: Write::Create }) {
            Answer::Defined { key, .. } => key,
            other => unreachable!("a definition is answered by its key, not {other:?}"),
        }
    }

    fn step(&mut self, now: Time, command: Command) -> Answer {
        let answer = self.shard.step(now, command, &mut self.events);
        answer.expect("a simulation asks only for what its own floor and its own order of time allow")
    }
}

fn queue(kind: &Kind, key: u16) -> QueueSpec {
    QueueSpec {
        on_expiry: OnExpiry::Stay,
        waiting_max: kind.line_max,
        ..QueueSpec::plain(kind.name.as_str().into(), POOL, vec![requirement(key)])
    }
}

fn requirement(key: u16) -> Requirement {
    Requirement { skill: SkillKey(key), proficiency: 1 }
}

/// Whoever has a contact has nothing else.
fn capacity() -> CapacitySpec {
    let mut capacity = CapacitySpec::default();
    capacity.channels.iter_mut().for_each(|takes| takes.units = capacity.units);
    capacity
}

fn agent(number: usize, member: &Member) -> AgentSpec {
    let key = |does: &Does| u16::try_from(does.kind).expect("kinds are limited");
    let skill =
        |does: &Does| Skill { skill: SkillKey(key(does)), proficiency: does.proficiency, expires: None };
    let estimate = |does: &Does| {
        let (handle_s, resolution) = does.known?;
        let resolution = Part((resolution * 65_536.0).round() as u32);
        Some(Estimate { queue: QueueKey(key(does)), handle_ms: millis(handle_s).max(1), resolution })
    };
    AgentSpec {
        capacity: Some(capacity()),
        estimates: member.does.iter().filter_map(estimate).collect(),
        ..AgentSpec::plain(number.to_string().into(), POOL, member.does.iter().map(skill).collect())
    }
}

fn plan(kind: &Kind, key: u16, points: bool, hold_max_ms: Option<u64>) -> Plan {
    let goals = Goals {
        answer_within_ms: millis(kind.target_s),
        short_abandon_ms: millis(kind.target_s),
        waiting_per_minute: money(kind.waiting_per_minute),
        abandon: money(kind.abandon),
        late: money(kind.late),
        unresolved: money(kind.unresolved),
        patience_ms: millis(kind.patience_s).max(1),
        hold_max_ms,
        ..Goals::plain()
    };
    let route = Route {
        expected_handle_ms: millis(kind.handle_s).max(1),
        ..Route::plain(QueueKey(key), vec![requirement(key)])
    };
    Plan::plain(1, route, if points { kind.priority } else { 0 }, goals)
}

fn money(amount: f64) -> Money {
    Money((amount * 1_000_000.0).round() as i64)
}

/// The engine counts whole milliseconds.
pub(crate) fn millis(seconds: f64) -> u64 {
    (seconds * 1_000.0).round() as u64
}
