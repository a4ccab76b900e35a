//! The log as the events that a floor of ours would have recorded: the same shape as a journal, so that whatever reads a
//! journal reads the bank's month too.
//!
//! What the log does not hold is not made up: nobody declines, nobody wraps up, and agents are on duty from their first
//! service of a stretch to their last.

use super::class::Class;
use super::floor::Floor;
use super::record::{AgentNo, Call, Kind, Second};
use super::replay::{Calibration, ReplayError, ReplayOptions, Scene, set};
use super::simulate::time;
use crate::engine::agent::Presence;
use crate::engine::event::{AbandonCause, Admitted, EndedBy, Event, Stamped};
use crate::engine::explain::{By, Decision, Trigger};
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId, QueueKey, Sequence, Text};
use crate::engine::interaction::Part;
use crate::engine::journey::Journey;
use crate::engine::plan::{Channel, Facts};
use crate::engine::policy::{Listed, Policy};
use crate::engine::time::Time;
use crate::rules::{Asked, RuleSet};
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Stands for whoever served where the log names nobody. Never on duty.
const NOBODY: AgentNo = AgentNo { desk: 'Z', number: 0 };

/// What the bank called the customers it preferred, as their tier.
const PRIORITY: &str = "priority";

/// A log as events, and what is known beside them.
pub(crate) struct AsEvents {
    /// From the first definition on. The floor is there before the first day.
    pub events: Vec<Stamped>,
    /// When each agent takes calls, from and to, breaks within their time on duty left out.
    pub available: Vec<(AgentKey, Vec<(Time, Time)>)>,
    /// The share of their time on duty that is.
    pub availability: f64,
    /// `None` if that share was given.
    pub calibration: Option<Calibration>,
    /// Services that name no agent.
    pub unnamed: usize,
    /// First and last day.
    pub first: Date,
    pub last: Date,
}

/// Reads a log. `published` plans what comes; `speaks_of` says which queues there are beside those of the types.
pub(crate) fn as_events(
    options: &ReplayOptions,
    policy: Policy,
    published: &RuleSet,
    speaks_of: &dyn Fn(&str) -> bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<AsEvents, ReplayError> {
    let (scene, availability, calibration, _) = set(options, 0, progress)?;
    let classes: Vec<Class> =
        Class::all().filter(|class| !class.priority || speaks_of(&class.name())).collect();
    let unnamed =
        scene.calls.iter().filter_map(|call| call.service).filter(|one| one.agent.is_none()).count();
    let opens = Time(time(super::record::midnight(scene.calls[0].day)).0 - 1);
    let (floor, queues) = Floor::furnished(opens, &skills(&scene, unnamed > 0), policy, &classes);
    let stretches = |agent: AgentNo| {
        let all = scene.duty.available(agent, availability, options.seed);
        all.into_iter().map(|stretch| (time(stretch.from), time(stretch.to))).collect()
    };
    let agents = scene.duty.stretches.keys();
    Ok(AsEvents {
        available: agents.map(|agent| (floor.agent(*agent), stretches(*agent))).collect(),
        events: Telling { floor: &floor, queues: queues.into_iter().collect(), published }.of(&scene),
        availability,
        calibration,
        unnamed,
        first: scene.calls[0].day,
        last: scene.calls[scene.calls.len() - 1].day,
    })
}

fn skills(scene: &Scene, with_nobody: bool) -> BTreeMap<AgentNo, BTreeSet<Kind>> {
    let mut skills = scene.duty.skills.clone();
    if with_nobody {
        skills.insert(NOBODY, Kind::ALL.into());
    }
    skills
}

/// What the log says happened. The order of the variants is that within one second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happened {
    SignedIn(AgentNo),
    Ended(usize),
    Came(usize),
    Answered(usize),
    /// Of a service of no length: after its answer.
    EndedAtOnce(usize),
    Left(usize),
    SignedOut(AgentNo),
}

struct Telling<'a> {
    floor: &'a Floor,
    queues: BTreeMap<Class, QueueKey>,
    published: &'a RuleSet,
}

impl Telling<'_> {
    fn of(&self, scene: &Scene) -> Vec<Stamped> {
        let mut events = self.floor.happened().0.to_vec();
        // Ids are given in the order of what they are of.
        let mut interactions: Vec<u64> = vec![0; scene.calls.len()];
        let mut services: Vec<u64> = vec![0; scene.calls.len()];
        let (mut came, mut answered) = (0, 0);
        for (at, happened) in in_order(scene) {
            match happened {
                Happened::Came(call) => {
                    came += 1;
                    interactions[call] = came;
                }
                Happened::Answered(call) => {
                    answered += 1;
                    services[call] = answered;
                }
                _ => {}
            }
            let ids = |call: usize| (InteractionId(interactions[call]), services[call]);
            for event in self.events(scene, happened, ids) {
                let sequence = Sequence(events.len() as u64 + 1);
                events.push(Stamped { sequence, time: time(at), event });
            }
        }
        events
    }

    fn events(
        &self,
        scene: &Scene,
        happened: Happened,
        ids: impl Fn(usize) -> (InteractionId, u64),
    ) -> Vec<Event> {
        match happened {
            Happened::SignedIn(agent) => vec![self.presence(agent, Presence::Available)],
            Happened::SignedOut(agent) => vec![self.presence(agent, Presence::SignedOut)],
            Happened::Came(call) => vec![self.admitted(&scene.calls[call], ids(call).0)],
            Happened::Answered(call) => self.answered(&scene.calls[call], ids(call)).into(),
            Happened::Ended(call) | Happened::EndedAtOnce(call) => ended(ids(call)).into(),
            Happened::Left(call) => {
                let (interaction, cause) = (ids(call).0, AbandonCause::CustomerLeft);
                vec![Event::Abandoned { interaction, cause }]
            }
        }
    }

    fn presence(&self, agent: AgentNo, presence: Presence) -> Event {
        let (agent, reason, by) = (self.floor.agent(agent), Text::default(), EndedBy::Agent);
        Event::PresenceChanged { agent, presence, reason, by }
    }

    fn admitted(&self, call: &Call, interaction: InteractionId) -> Event {
        let class = Class::of(call);
        let regular = Class { priority: false, ..class };
        let queue = *self.queues.get(&class).unwrap_or(&self.queues[&regular]);
        let tier = || Journey { tier: PRIORITY.into(), ..Journey::default() };
        let facts = Facts { journey: call.priority_customer.then(|| tier().into()), ..Facts::default() };
        let plan = self
            .published
            .plan(self.floor.happened().1.floor(), &Asked::plain(Channel::Voice, queue, &facts));
        Event::Admitted(Box::new(Admitted {
            interaction,
            keys: [None, None],
            content: 0,
            source: "bank-calls".into(),
            external_id: format!("row {}", call.row).into(),
            channel: Channel::Voice,
            facts,
            plan: plan.into(),
            route: 0,
            hops: 0,
            scheduled: None,
            replaces: None,
            wanted: None,
        }))
    }

    fn answered(&self, call: &Call, (interaction, service): (InteractionId, u64)) -> [Event; 2] {
        let agent = call.service.and_then(|service| service.agent).unwrap_or(NOBODY);
        let decision = Decision {
            trigger: Trigger::Pulled,
            score: 0,
            by: By::Lists(Listed::longest_idle()),
            relief: None,
            wait_ms: u64::from(call.wait_s) * 1_000,
            wanted: None,
            wait_reason: None,
            ready: 0,
            agents: Box::default(),
            rivals: Box::default(),
        };
        let offered = Event::Offered {
            offer: OfferId(service),
            interaction,
            agent: self.floor.agent(agent),
            part: Part::Owner,
            units: crate::engine::capacity::CAPACITY_DEFAULT,
            overdraw: None,
            expires: time(call.left_line() + 1),
            decision: Arc::new(decision),
        };
        let assignment = AssignmentId(service);
        [offered, Event::Accepted { offer: OfferId(service), assignment, connect_until: None }]
    }
}

fn ended((interaction, service): (InteractionId, u64)) -> [Event; 2] {
    let ended = Event::ConversationEnded {
        assignment: AssignmentId(service),
        by: EndedBy::Agent,
        disposition: Text::default(),
        solved: None,
        wrap_up_until: None,
    };
    [ended, Event::Closed { interaction }]
}

fn in_order(scene: &Scene) -> Vec<(Second, Happened)> {
    let mut all = Vec::with_capacity(scene.calls.len() * 3);
    for (agent, stretches) in &scene.duty.stretches {
        for stretch in stretches {
            all.push((stretch.from, Happened::SignedIn(*agent)));
            all.push((stretch.to, Happened::SignedOut(*agent)));
        }
    }
    for (number, call) in scene.calls.iter().enumerate() {
        all.push((call.arrival, Happened::Came(number)));
        let left = call.left_line();
        match call.service.map(|service| Second::from(service.work_s)) {
            Some(0) => {
                all.extend([(left, Happened::Answered(number)), (left, Happened::EndedAtOnce(number))])
            }
            Some(work) => {
                all.extend([(left, Happened::Answered(number)), (left + work, Happened::Ended(number))])
            }
            None => all.push((left, Happened::Left(number))),
        }
    }
    all.sort_unstable();
    all
}
