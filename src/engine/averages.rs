//! What is known of how long agents take and how often they solve a matter: by agent where there are figures, in the
//! mean by profile and lane. A cache over the floor, taken anew when that has changed.

use super::fixed::Part;
use super::floor::{AgentSpec, Estimate};
use super::ids::{AgentKey, LaneKey, ProfileKey, QueueKey};
use super::shard::Shard;
use serde::{Deserialize, Serialize};

/// A time, and its inverse: prices divide by it more often than anything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Takes {
    pub ms: u64,
    /// 2^40 ÷ ms.
    inverse: u64,
}

impl Takes {
    pub fn new(ms: u64) -> Takes {
        let ms = ms.max(1);
        Takes { ms, inverse: (1 << 40) / ms }
    }

    /// An amount for each ms, times 2^20.
    pub fn price(self, amount: i64) -> i64 {
        super::fixed::narrow((i128::from(amount) * i128::from(self.inverse)) >> 20)
    }

    /// What this time is worth at such a price.
    pub fn worth(self, price: i64) -> i64 {
        worth(price, self.ms)
    }
}

/// Most that a time is worth: sums of it stay within 64 bits.
pub(super) const WORTH_MAX: i64 = 1 << 61;

/// What a time is worth at a price.
pub(super) fn worth(price: i64, ms: u64) -> i64 {
    super::fixed::narrow((i128::from(price) * i128::from(ms)) >> 20).min(WORTH_MAX)
}

/// How one agent does in one of the lanes of their profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Own {
    pub takes: Takes,
    /// Chance to solve it at once; `None` if nobody knows.
    pub resolution: Option<Part>,
}

/// All of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Averages {
    /// Each profile's lanes with the mean times of its agents, one profile after the other: prices are looked up here
    /// more often than anywhere.
    pairs: Vec<(LaneKey, Takes)>,
    /// By profile: where its pairs begin and end.
    of_profile: Vec<(u32, u32)>,
    /// By profile: whether something tells its agents apart.
    differ: Vec<bool>,
    /// By agent: what is known, in the order of the lanes of the profile.
    own: Vec<Option<Box<[Own]>>>,
    /// By lane: the chance to solve it that an average agent has of whom it is known.
    usual: Vec<Part>,
    /// The floor or the lanes changed since, and for so many changes.
    stale: bool,
    stale_for: u32,
}

impl Averages {
    /// Agents or lanes are not as they were.
    pub fn forget(&mut self) {
        self.stale = true;
    }

    /// One more change; true if it is time to take them again. They are over all agents: on a large floor a few may
    /// change before that.
    pub fn due(&mut self, agents: usize) -> bool {
        self.stale_for += u32::from(self.stale);
        self.stale_for as usize > agents / 64
    }

    /// What is known of an agent; nothing if it is as the rules expect.
    pub fn own(&self, agent: AgentKey) -> Option<&[Own]> {
        self.own.get(agent.index())?.as_deref()
    }

    /// Whether something tells a profile's agents apart.
    pub fn differ(&self, profile: ProfileKey) -> bool {
        self.differ.get(profile.index()).copied().unwrap_or_default()
    }

    /// The lanes of a profile with its mean time in each; none if it is newer than the averages.
    pub fn pairs(&self, profile: ProfileKey) -> &[(LaneKey, Takes)] {
        let (from, to) = self.of_profile.get(profile.index()).copied().unwrap_or_default();
        &self.pairs[from as usize..to as usize]
    }

    /// The mean time of a profile in one of its lanes; what the rules expect where no mean has been taken.
    pub fn takes(&self, profile: ProfileKey, lane: LaneKey, expected_ms: u64) -> Takes {
        let known = self.pairs(profile).iter().find(|pair| pair.0 == lane);
        known.map_or_else(|| Takes::new(expected_ms), |pair| pair.1)
    }

    /// The chance to solve it that an average agent has.
    pub fn usual(&self, lane: LaneKey) -> Part {
        self.usual.get(lane.index()).copied().unwrap_or_default()
    }
}

impl Shard {
    /// Takes averages over everybody.
    pub(super) fn averages(&self) -> Averages {
        let own = self.agents.iter().map(|agent| self.own_times(agent.key)).collect();
        let mut averages = Averages { own, ..Averages::default() };
        self.take_resolutions(&mut averages);
        self.take_times(&mut averages);
        averages
    }

    /// How an agent does in each lane of their profile, if anything is known.
    fn own_times(&self, agent: AgentKey) -> Option<Box<[Own]>> {
        self.floor.agents.live(agent.0)?;
        let (spec, profile) = (self.spec(agent), self.agents[agent.index()].profile?);
        let learned = self.learned.agent(agent);
        if learned.is_empty() && spec.estimates.is_empty() && spec.acceptance >= Part::ONE {
            return None;
        }
        let own = |lane: &LaneKey| {
            let lane = self.lines.lane(*lane);
            let known = among(learned, lane.id.queue).or_else(|| estimate(spec, lane.id.queue));
            Own {
                takes: Takes::new(known.map_or(lane.handle_ms, |known| known.handle_ms)),
                resolution: known.map(|known| known.resolution),
            }
        };
        Some(self.profiles.get(profile).lanes.iter().map(own).collect())
    }

    fn take_resolutions(&self, averages: &mut Averages) {
        let mut sums = vec![(0_u64, 0_u64); self.lines.lanes().count()];
        for agent in &self.agents {
            let (Some(profile), Some(own)) = (agent.profile, averages.own(agent.key)) else { continue };
            for (lane, own) in self.profiles.get(profile).lanes.iter().zip(own) {
                if let Some(resolution) = own.resolution {
                    let (sum, count) = &mut sums[lane.index()];
                    (*sum, *count) = (*sum + u64::from(resolution.0), *count + 1);
                }
            }
        }
        let mean =
            |(sum, count): (u64, u64)| sum.checked_div(count).and_then(|mean| u32::try_from(mean).ok());
        averages.usual = sums.into_iter().map(|sum| Part(mean(sum).unwrap_or(0))).collect();
    }

    fn take_times(&self, averages: &mut Averages) {
        let mut sums: Vec<(u64, Vec<u64>)> = Vec::new();
        for agent in &self.agents {
            let (Some(profile), Some(own)) = (agent.profile, averages.own(agent.key)) else { continue };
            if sums.len() <= profile.index() {
                sums.resize(profile.index() + 1, Default::default());
            }
            let (members, sums) = &mut sums[profile.index()];
            *members += 1;
            sums.resize(own.len(), 0);
            sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += own.takes.ms);
        }
        let nobody = (0, Vec::new());
        for (key, profile) in self.profiles.iter() {
            let (known, sums) = sums.get(key.index()).unwrap_or(&nobody);
            let (at, all) = (key.index(), profile.members());
            if averages.of_profile.len() <= at {
                averages.of_profile.resize(at + 1, (0, 0));
                averages.differ.resize(at + 1, false);
            }
            averages.differ[at] = *known > 0;
            let mean = |(at, lane): (usize, &LaneKey)| {
                let expected = self.lines.lane(*lane).handle_ms;
                let sum = sums.get(at).copied().unwrap_or(0);
                (*lane, Takes::new((sum + all.saturating_sub(*known) * expected) / all.max(1)))
            };
            let end = |pairs: &Vec<_>| u32::try_from(pairs.len()).expect("agents and lanes are limited");
            let from = end(&averages.pairs);
            averages.pairs.extend(profile.lanes.iter().enumerate().map(mean));
            averages.of_profile[at] = (from, end(&averages.pairs));
        }
    }
}

/// What is stated of how an agent does in a queue.
pub(super) fn estimate(spec: &AgentSpec, queue: QueueKey) -> Option<&Estimate> {
    among(&spec.estimates, queue)
}

fn among(estimates: &[Estimate], queue: QueueKey) -> Option<&Estimate> {
    let at = estimates.binary_search_by_key(&queue, |one| one.queue).ok()?;
    Some(&estimates[at])
}
