//! Learns a floor from its events, and says what changed as integers for the engine (ALGORITHM.md 5). What was configured
//! is what it begins with: the rules' expectations of a queue, the figures of an agent.

use super::forgetting::HalfLife;
use super::handle_time::{HandleTimes, Known};
use super::load::Load;
use super::patience::{Patience, Prior};
use super::resolution::Resolution;
use super::seen::{Expected, Seen};
use crate::engine::fixed::Part;
use crate::engine::floor::{AgentSpec, Estimate, Floor};
use crate::engine::ids::{AgentKey, PoolKey, QueueKey};
use crate::engine::learned::{
    AgentParameters, ENTRIES_MAX, LEARNED_MAX_MS, Parameters, PoolParameters, QueueParameters,
};
use crate::engine::skill::proficiency;
use crate::engine::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many calls the configured figure of an agent weighs.
const CONFIGURED_CALLS: f64 = 20.0;
/// Less of a change than this, in parts of the whole, is not told.
const TELLS: f64 = 0.02;

/// What is known of one agent in one queue beside the times.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Pair {
    calls: f64,
    resolution: Resolution,
}

/// What is known of a queue beside the times.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
struct Class {
    expected: Expected,
    patience: Patience,
    resolution: Resolution,
}

/// Learns.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Learner {
    half_life: HalfLife,
    times: HandleTimes,
    pairs: BTreeMap<(AgentKey, QueueKey), Pair>,
    classes: BTreeMap<QueueKey, Class>,
    loads: BTreeMap<PoolKey, Load>,
    /// Who is signed in.
    on_duty: BTreeMap<AgentKey, bool>,
    told: Told,
}

/// What the engine knows by now.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Told {
    version: u64,
    agents: BTreeMap<AgentKey, Vec<Estimate>>,
    queues: BTreeMap<QueueKey, QueueParameters>,
    loads: BTreeMap<PoolKey, Part>,
}

impl Learner {
    /// Knows nothing. What was seen a half-life ago counts half.
    pub fn new(half_life: HalfLife) -> Learner {
        Learner {
            half_life,
            times: HandleTimes::new(half_life),
            pairs: BTreeMap::new(),
            classes: BTreeMap::new(),
            loads: BTreeMap::new(),
            on_duty: BTreeMap::new(),
            told: Told::default(),
        }
    }

    /// The engine has this version in force.
    pub fn knows(&mut self, version: u64) {
        self.told.version = version;
    }

    /// The engine has taken what it was told.
    pub fn told(&mut self, parameters: &Parameters) {
        self.told.take(parameters);
    }

    /// To be told everything that was seen, in order, with the floor as it is then.
    pub fn note(&mut self, now: Time, seen: Seen, floor: &Floor) {
        let half_life = self.half_life;
        match seen {
            Seen::Came { queue, expected, .. } => {
                let class = self.classes.entry(queue).or_insert(Class::new(expected, half_life));
                class.expected = expected;
                let load = self.loads.entry(floor.pool_of(queue)).or_insert(Load::new(now));
                let known = self.told.queues.get(&queue);
                load.arrive(now, known.map_or(expected.handle_ms, |known| known.handle_ms));
            }
            Seen::Queued { .. } | Seen::Held { .. } | Seen::HeldEnough { .. } | Seen::Over { .. } => {}
            Seen::Duty { agent, there } => {
                self.on_duty.insert(agent, there);
            }
            Seen::Waited { queue, wait_ms, ending, .. } => {
                if let Some(class) = self.classes.get_mut(&queue) {
                    class.patience.record(now, wait_ms, ending);
                }
            }
            Seen::Handled { queue, agent, handle_ms } => {
                self.times.record(now, agent, queue, handle_ms);
                self.pair(agent, queue).calls += 1.0;
            }
            Seen::Ended { queue, agent, solved, .. } => {
                let count = if solved { Resolution::solved } else { Resolution::unsolved };
                count(&mut self.pair(agent, queue).resolution, now);
                if let Some(class) = self.classes.get_mut(&queue) {
                    count(&mut class.resolution, now);
                }
            }
        }
    }

    fn pair(&mut self, agent: AgentKey, queue: QueueKey) -> &mut Pair {
        let resolution = Resolution::new(self.half_life);
        self.pairs.entry((agent, queue)).or_insert(Pair { calls: 0.0, resolution })
    }

    /// Customers of a queue wait so long in the mean before they hang up, ms; the usual five minutes where nobody came.
    pub fn patience_ms(&self, now: Time, queue: QueueKey) -> f64 {
        let Some(class) = self.classes.get(&queue) else { return Prior::default().mean_ms };
        class.patience.mean_ms(now, class.prior())
    }

    /// The engine has forgotten all it was told.
    pub fn begin_again(&mut self) {
        self.told = Told::default();
        self.on_duty.clear();
    }

    /// What has changed since it was told last, as the next command; `None` if nothing has by more than 2 %.
    pub fn news(&self, floor: &Floor, now: Time) -> Option<Parameters> {
        let known = self.times.known(now);
        let queues: Vec<QueueParameters> = self
            .classes
            .iter()
            .map(|(queue, class)| class.parameters(*queue, &known, now))
            .filter(|new| self.told.queues.get(&new.queue).is_none_or(|old| differ(old, new)))
            .collect();
        let mut entries = queues.len() + self.loads.len();
        let mut agents = Vec::new();
        for agent in self.agents() {
            let Some(entry) = floor.agents.live(agent.0) else { continue };
            let estimates = self.estimates(agent, &entry.spec, &known, floor, now);
            let old = self.told.agents.get(&agent);
            if estimates.is_empty() || old.is_some_and(|old| alike(old, &estimates)) {
                continue;
            }
            entries += 1 + estimates.len();
            if entries > ENTRIES_MAX {
                break;
            }
            agents.push(AgentParameters { agent, estimates });
        }
        let pools = self.pools(floor, now);
        let nothing = agents.is_empty() && queues.is_empty() && pools.is_empty();
        (!nothing).then(|| Parameters { version: self.told.version + 1, agents, queues, pools })
    }

    fn agents(&self) -> impl Iterator<Item = AgentKey> {
        let mut last = None;
        self.pairs.keys().map(|(agent, _)| *agent).filter(move |agent| last.replace(*agent) != Some(*agent))
    }

    /// In every queue the agent can serve and somebody came to.
    fn estimates(
        &self,
        agent: AgentKey,
        spec: &AgentSpec,
        known: &Known,
        floor: &Floor,
        now: Time,
    ) -> Vec<Estimate> {
        let serves = |queue: &QueueKey| {
            let Some(entry) = floor.queues.live(u32::from(queue.0)) else { return false };
            let able = |needed: &crate::engine::skill::Requirement| {
                proficiency(&spec.skills, needed.skill).is_some_and(|has| has >= needed.proficiency)
            };
            entry.spec.pool == spec.pool && entry.spec.requirements.iter().all(able)
        };
        let one = |(queue, class): (&QueueKey, &Class)| {
            let pair = self.pairs.get(&(agent, *queue));
            let configured = spec.estimates.iter().find(|one| one.queue == *queue);
            let learned_ms = known.handle_ms(agent, *queue, class.expected.handle_ms as f64);
            let handle_ms = match configured {
                Some(configured) => {
                    between(configured.handle_ms as f64, learned_ms, pair.map_or(0.0, |pair| pair.calls))
                }
                None => learned_ms,
            };
            let prior = match configured {
                Some(configured) => f64::from(configured.resolution.0) / f64::from(Part::ONE.0),
                None => class.resolution.share(now, Resolution::PRIOR),
            };
            let resolution = pair.map_or(prior, |pair| pair.resolution.share(now, prior));
            Estimate { queue: *queue, handle_ms: whole(handle_ms), resolution: part(resolution) }
        };
        self.classes.iter().filter(|(queue, _)| serves(queue)).map(one).collect()
    }

    fn pools(&self, floor: &Floor, now: Time) -> Vec<PoolParameters> {
        let on_duty = |pool: PoolKey| {
            let there = self.on_duty.iter().filter(|(_, there)| **there);
            let of_pool = there
                .filter(|(agent, _)| floor.agents.live(agent.0).is_some_and(|entry| entry.spec.pool == pool));
            u32::try_from(of_pool.count()).unwrap_or(u32::MAX)
        };
        let load = |(pool, load): (&PoolKey, &Load)| PoolParameters {
            pool: *pool,
            load: part(load.share(now, on_duty(*pool))),
        };
        let changed = |new: &PoolParameters| {
            self.told.loads.get(&new.pool).is_none_or(|old| old.0.abs_diff(new.load.0) > part(TELLS).0)
        };
        self.loads.iter().map(load).filter(changed).collect()
    }
}

impl Class {
    fn new(expected: Expected, half_life: HalfLife) -> Class {
        let (patience, resolution) = (Patience::new(half_life), Resolution::new(half_life));
        Class { expected, patience, resolution }
    }

    fn prior(&self) -> Prior {
        Prior { mean_ms: self.expected.patience_ms as f64, ..Prior::default() }
    }

    fn parameters(&self, queue: QueueKey, known: &Known, now: Time) -> QueueParameters {
        QueueParameters {
            queue,
            patience_ms: whole(self.patience.mean_ms(now, self.prior())),
            handle_ms: whole(known.class_ms(queue, self.expected.handle_ms as f64)),
        }
    }
}

impl Told {
    fn take(&mut self, parameters: &Parameters) {
        self.version = parameters.version;
        for one in &parameters.agents {
            self.agents.insert(one.agent, one.estimates.clone());
        }
        self.queues.extend(parameters.queues.iter().map(|one| (one.queue, *one)));
        self.loads.extend(parameters.pools.iter().map(|one| (one.pool, one.load)));
    }
}

/// The mean of two times by their logarithms, the first with the weight of what was configured.
fn between(configured_ms: f64, learned_ms: f64, calls: f64) -> f64 {
    let share = calls / (calls + CONFIGURED_CALLS);
    (configured_ms.max(1.0).ln() * (1.0 - share) + learned_ms.ln() * share).exp()
}

fn whole(ms: f64) -> u64 {
    (ms.round() as u64).clamp(1, LEARNED_MAX_MS)
}

fn part(share: f64) -> Part {
    Part((share.clamp(0.0, 1.0) * f64::from(Part::ONE.0)).round() as u32)
}

fn alike(old: &[Estimate], new: &[Estimate]) -> bool {
    let near = |(old, new): (&Estimate, &Estimate)| {
        old.queue == new.queue
            && !far(old.handle_ms, new.handle_ms)
            && old.resolution.0.abs_diff(new.resolution.0) <= part(TELLS).0
    };
    old.len() == new.len() && old.iter().zip(new).all(near)
}

fn differ(old: &QueueParameters, new: &QueueParameters) -> bool {
    far(old.patience_ms, new.patience_ms) || far(old.handle_ms, new.handle_ms)
}

fn far(old: u64, new: u64) -> bool {
    old.abs_diff(new) as f64 > TELLS * old as f64
}
