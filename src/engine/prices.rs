//! What an agent's time is worth to others: the prices of scarce skills (ALGORITHM.md 2.3), from live counts of who is
//! free. A cache that follows from the events alone: it is brought up to date with them, after so many changes that it
//! costs little a change, and never by the clock.

use super::fixed::{Part, Powers, falling_by, narrow};
use super::floor::{AgentSpec, Estimate};
use super::ids::{AgentKey, LaneKey, PoolKey, ProfileKey, QueueKey};
use super::policy::{Marginal, Policy};
use super::queue::Lane;
use super::shard::Shard;
use super::stakes::Horizon;
use super::time::Time;

/// Arrivals are counted over about so long, ms: each weighs e^(-age/window).
pub const ARRIVALS_MS: u64 = 600_000;
/// A class is as dear as it can be when it comes so often while an agent handles one: prices count with the chance that
/// one comes within so many handle times.
const HANDLE_TIMES: u64 = 4;
/// One refresh looks at so many pairs of profile and lane for each change since the last.
const PAIRS_A_CHANGE: usize = 64;
/// Prices of time are in millionths of the currency per ms, times this power of two.
const PRICE_BITS: u32 = 20;
/// A backlog clears with no less than this share of the agents' time.
const SPARE_MIN: Part = Part::thousandths(100);
/// A new mean takes so much of what it sees: one in this many.
const MEAN_OF: i64 = 64;

/// One pool that decides by prices.
#[derive(Clone, Debug)]
pub(super) struct PoolPrices {
    pub marginal: Marginal,
    depletion: Powers,
    /// Mean handle time of what came lately, ms. 0 before anything did.
    mean_handle_ms: u64,
    /// If this agent goes to somebody else, another comes after so long, ms: τ.
    pub horizon_ms: u64,
}

/// One lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct LanePrices {
    /// How many came lately, in 65,536ths, as of then.
    arrivals: u64,
    arrived: Time,
    /// How many who are free could serve it.
    free: u32,
    /// What the next to go of them is worth: S.
    pub scarcity: i64,
    /// The cheapest way to serve one: ALT.
    pub cheapest: i64,
    /// Chance to solve it at once that an average agent who qualifies has.
    pub usual: Part,
    /// What the dial of the service level makes of a missed target.
    dial: Part,
}

impl Default for LanePrices {
    /// Of a lane nobody has looked at: nobody is kept from it.
    fn default() -> LanePrices {
        LanePrices {
            arrivals: 0,
            arrived: Time(0),
            free: 0,
            scarcity: 0,
            cheapest: i64::MAX,
            usual: Part::ZERO,
            dial: Part::ONE,
        }
    }
}

/// How one agent does in one of the lanes of their profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Own {
    pub handle_ms: u64,
    /// Chance to solve it at once; `None` if nobody knows.
    pub resolution: Option<Part>,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Prices {
    pools: Vec<Option<PoolPrices>>,
    lanes: Vec<LanePrices>,
    /// By profile: the price of its agents' time, and their mean handle time in each of its lanes.
    profiles: Vec<(i64, Box<[u64]>)>,
    /// By agent: what is known of how they do, in the order of the lanes of their profile.
    own: Vec<Option<Box<[Own]>>>,
    /// By queue: answered in time lately, parts in a million.
    levels: Vec<u32>,
    changes: u32,
    /// A refresh after so many changes.
    every: u32,
    /// The floor or the lanes changed since averages were taken, and for so many changes.
    stale: bool,
    stale_for: u32,
}

impl Prices {
    /// Pools, agents or lanes are not as they were.
    pub fn forget_averages(&mut self) {
        self.stale = true;
    }

    pub fn pool(&self, pool: PoolKey) -> Option<&PoolPrices> {
        self.pools.get(pool.index())?.as_ref()
    }

    pub fn lane(&self, lane: LaneKey) -> LanePrices {
        self.lanes.get(lane.index()).copied().unwrap_or_default()
    }

    /// What is known of an agent; nothing if it is as the rules expect.
    pub fn own(&self, agent: AgentKey) -> Option<&[Own]> {
        self.own.get(agent.index())?.as_deref()
    }

    /// The price of the time of a profile's agents: of one as quick as the mean of them.
    pub fn of_profile(&self, profile: ProfileKey) -> i64 {
        self.profiles.get(profile.index()).map_or(0, |(price, _)| *price)
    }

    /// A lane is new, or its key stands for another lane now.
    pub fn open_lane(&mut self, lane: LaneKey) {
        if self.lanes.len() <= lane.index() {
            self.lanes.resize(lane.index() + 1, LanePrices::default());
        }
        self.lanes[lane.index()] = LanePrices::default();
        self.stale = true;
    }

    /// Whether one was answered in time, for the dial: a mean in which older answers fade.
    pub fn note_answer(&mut self, queue: QueueKey, in_time: bool) {
        if self.levels.len() <= queue.index() {
            self.levels.resize(queue.index() + 1, u32::MAX);
        }
        let level = &mut self.levels[queue.index()];
        let said = if in_time { 1_000_000 } else { 0 };
        *level = match *level {
            // The first says little: it counts as if what went before had been in time.
            u32::MAX if in_time => said,
            u32::MAX => said + 1_000_000 / 64 * 63,
            known => known - known / 64 + said / 64,
        };
    }

    fn level(&self, queue: QueueKey) -> Option<u32> {
        self.levels.get(queue.index()).copied().filter(|level| *level != u32::MAX)
    }

    /// Somebody came to a lane.
    fn note_arrival(&mut self, lane: LaneKey, pool: PoolKey, handle_ms: u64, now: Time) {
        let Some(Some(pool)) = self.pools.get_mut(pool.index()) else { return };
        pool.note_handle(handle_ms);
        let lane = &mut self.lanes[lane.index()];
        lane.arrivals = lane.arrivals_at(now) + u64::from(Part::ONE.0);
        lane.arrived = now;
    }
}

impl PoolPrices {
    fn note_handle(&mut self, handle_ms: u64) {
        let (mean, new) = (self.mean_handle_ms.cast_signed(), handle_ms.cast_signed());
        let next = if mean == 0 { new } else { mean + (new - mean) / MEAN_OF };
        self.mean_handle_ms = next.cast_unsigned();
    }

    /// τ0, and as long as the backlog takes.
    fn look_ahead(&mut self, backlog_ms: u64, on_duty: u32) {
        let back_ms = self.marginal.horizon_ms.unwrap_or(self.mean_handle_ms);
        let spare = self.marginal.load.rest().max(SPARE_MIN);
        let clearing =
            (u128::from(backlog_ms) << 16) / u128::from(u64::from(on_duty.max(1)) * u64::from(spare.0));
        self.horizon_ms = back_ms.saturating_add(u64::try_from(clearing).unwrap_or(u64::MAX));
    }
}

impl LanePrices {
    fn arrivals_at(&self, now: Time) -> u64 {
        (self.arrivals * u64::from(falling_by(now.since(self.arrived), ARRIVALS_MS).0)) >> 16
    }

    /// Chance that one comes within so many handle times, by how often they came lately.
    fn comes(&self, handle_ms: u64, now: Time) -> Part {
        let expected = u128::from(self.arrivals_at(now)) * u128::from(HANDLE_TIMES * handle_ms);
        falling_by(u64::try_from(expected >> 16).unwrap_or(u64::MAX), ARRIVALS_MS).rest()
    }

    pub fn horizon(&self, pool: &PoolPrices) -> Horizon {
        Horizon { ms: pool.horizon_ms, target_ms: pool.marginal.target_ms, dial: self.dial }
    }
}

/// More weight for those who stand in a long line (ALGORITHM.md 1.3): g, for so many others who wait.
pub(super) fn crowd(lane: &Lane, others: usize, horizon_ms: u64) -> Part {
    let work = (others as u64).saturating_mul(lane.id.expected_handle_ms);
    let clears = u64::from(lane.on_duty().max(1)).saturating_mul(horizon_ms.max(1));
    let long = Part::quotient(work, clears).min(Part(2 << 16));
    Part(Part::ONE.0 + long.0 / 2)
}

/// The price of the time of somebody who would need so long for something worth so much.
pub(super) fn price(scarcity: i64, handle_ms: u64) -> i64 {
    narrow((i128::from(scarcity) << PRICE_BITS) / i128::from(handle_ms.max(1)))
}

/// What so much of somebody's time is worth.
pub(super) fn worth(price: i64, handle_ms: u64) -> i64 {
    narrow((i128::from(price) * i128::from(handle_ms)) >> PRICE_BITS)
}

impl Shard {
    /// Somebody stands in a lane, as new in its queue.
    pub(super) fn note_arrival(&mut self, lane: LaneKey) {
        let id = &self.lines.lane(lane).id;
        let pool = self.queue(id.queue).pool;
        self.prices.note_arrival(lane, pool, id.expected_handle_ms, self.now);
    }

    /// What prices depend on has changed: who is free, or who waits.
    pub(super) fn prices_changed(&mut self) {
        self.prices.changes += 1;
        self.prices.stale_for += u32::from(self.prices.stale);
        // Averages are over all agents: on a large floor a few may change before they are taken again.
        let stale = self.prices.stale_for as usize > self.agents.len() / PAIRS_A_CHANGE;
        if self.prices.changes < self.prices.every && !stale {
            return;
        }
        let mut prices = std::mem::take(&mut self.prices);
        if stale {
            self.take_averages(&mut prices);
        }
        if prices.pools.iter().any(Option::is_some) {
            self.refresh(&mut prices);
        }
        prices.changes = 0;
        self.prices = prices;
    }

    fn take_averages(&self, prices: &mut Prices) {
        (prices.stale, prices.stale_for) = (false, 0);
        self.take_pools(prices);
        if prices.pools.iter().all(Option::is_none) {
            prices.every = u32::MAX;
            return;
        }
        prices.own = self.agents.iter().map(|agent| self.own_times(agent.key)).collect();
        self.take_times(prices);
        let pairs: usize = prices.profiles.iter().map(|(_, times)| times.len()).sum();
        let every = (pairs + prices.lanes.len()) / PAIRS_A_CHANGE;
        prices.every = u32::try_from(every).unwrap_or(u32::MAX).max(1);
    }

    fn take_pools(&self, prices: &mut Prices) {
        let pools = self.floor.pools.entries().iter();
        let known = std::mem::take(&mut prices.pools);
        prices.pools = pools
            .enumerate()
            .map(|(key, pool)| {
                let Policy::MarginalCost(marginal) = pool.spec.policy else { return None };
                let known = known.get(key).and_then(Option::as_ref);
                Some(PoolPrices {
                    marginal,
                    depletion: Powers::of(marginal.depletion),
                    mean_handle_ms: known.map_or(0, |known| known.mean_handle_ms),
                    horizon_ms: known.map_or(0, |known| known.horizon_ms),
                })
            })
            .collect();
    }

    /// How an agent does in each lane of their profile, if anything is known.
    fn own_times(&self, agent: AgentKey) -> Option<Box<[Own]>> {
        self.floor.agents.live(agent.0)?;
        let (spec, profile) = (self.spec(agent), self.agents[agent.index()].profile?);
        if spec.estimates.is_empty() {
            return None;
        }
        let own = |lane: &LaneKey| {
            let id = &self.lines.lane(*lane).id;
            let known = estimate(spec, id.queue);
            Own {
                handle_ms: known.map_or(id.expected_handle_ms, |known| known.handle_ms),
                resolution: known.map(|known| known.resolution),
            }
        };
        Some(self.profiles.get(profile).lanes.iter().map(own).collect())
    }

    /// Means by profile and lane: of handle times over the agents of a profile, of solving over all who qualify.
    fn take_times(&self, prices: &mut Prices) {
        let mut sums: Vec<Vec<u64>> = Vec::new();
        let mut members: Vec<u64> = Vec::new();
        let mut solved = vec![(0_u64, 0_u64); prices.lanes.len()];
        for agent in &self.agents {
            let (Some(profile), Some(own)) = (agent.profile, prices.own(agent.key)) else { continue };
            let lanes = &self.profiles.get(profile).lanes;
            if sums.len() <= profile.index() {
                sums.resize(profile.index() + 1, Vec::new());
                members.resize(profile.index() + 1, 0);
            }
            let sums = &mut sums[profile.index()];
            sums.resize(lanes.len(), 0);
            members[profile.index()] += 1;
            for (at, own) in own.iter().enumerate() {
                sums[at] += own.handle_ms;
                if let Some(resolution) = own.resolution {
                    let (sum, count) = &mut solved[lanes[at].index()];
                    (*sum, *count) = (*sum + u64::from(resolution.0), *count + 1);
                }
            }
        }
        for (lane, (sum, count)) in prices.lanes.iter_mut().zip(solved) {
            lane.usual = Part(sum.checked_div(count).and_then(|mean| u32::try_from(mean).ok()).unwrap_or(0));
        }
        prices.profiles.clear();
        for (key, profile) in self.profiles.iter() {
            if prices.profiles.len() <= key.index() {
                prices.profiles.resize(key.index() + 1, Default::default());
            }
            let known = sums.get(key.index()).filter(|sums| !sums.is_empty());
            let (known_members, all) = (members.get(key.index()).copied().unwrap_or(0), profile.members());
            let mean = |(at, lane): (usize, &LaneKey)| {
                let expected = self.lines.lane(*lane).id.expected_handle_ms;
                let known = known.map_or(0, |sums| sums[at]);
                (known + (all - known_members) * expected) / all.max(1)
            };
            prices.profiles[key.index()].1 = profile.lanes.iter().enumerate().map(mean).collect();
        }
    }

    fn refresh(&self, prices: &mut Prices) {
        self.look_ahead(prices);
        for lane in &mut prices.lanes {
            (lane.free, lane.cheapest) = (0, i64::MAX);
        }
        for (_, profile) in self.profiles.iter() {
            let (free, ready) = profile.free();
            for lane in &profile.lanes {
                let all = self.lines.lane(*lane).id.channel.is_connected_by_platform();
                prices.lanes[lane.index()].free += if all { free } else { ready };
            }
        }
        for (key, lane) in self.lines.lanes() {
            self.price_lane(prices, key, lane);
        }
        self.price_profiles(prices);
    }

    fn look_ahead(&self, prices: &mut Prices) {
        for (key, pool) in prices.pools.iter_mut().enumerate() {
            let Some(pool) = pool else { continue };
            let (mut on_duty, mut backlog_ms) = (0, 0_u64);
            for (_, profile) in self.profiles.iter() {
                on_duty += if profile.id.pool.index() == key { profile.on_duty } else { 0 };
            }
            for (_, lane) in self.lines.lanes().filter(|(_, lane)| !lane.is_empty()) {
                if self.queue(lane.id.queue).pool.index() == key {
                    let work = (lane.len() as u64).saturating_mul(lane.id.expected_handle_ms);
                    backlog_ms = backlog_ms.saturating_add(work);
                }
            }
            pool.look_ahead(backlog_ms, on_duty);
        }
    }

    /// S: what the next to go of those who could serve a lane is worth to it.
    fn price_lane(&self, prices: &mut Prices, key: LaneKey, lane: &Lane) {
        let queue = lane.id.queue;
        let Some(pool) = prices.pool(self.queue(queue).pool) else { return };
        let stakes = &lane.id.stakes;
        let dial = prices.level(queue).map_or(Part::ONE, |level| stakes.dial(level));
        let horizon = Horizon { dial, ..prices.lane(key).horizon(pool) };
        let known = &prices.lanes[key.index()];
        let chance = known.comes(lane.id.expected_handle_ms, self.now);
        let scarcity = if chance == Part::ZERO || pool.marginal.scarcity == Part::ZERO {
            0
        } else {
            let fresh = stakes.relief(0, horizon).sum();
            let crowd = crowd(lane, lane.len(), horizon.ms);
            let gone = pool.depletion.to(known.free.max(1) - 1);
            chance.of(gone.of(pool.marginal.scarcity.of(crowd.of(fresh))))
        };
        let prices = &mut prices.lanes[key.index()];
        (prices.dial, prices.scarcity) = (dial, scarcity);
    }

    /// p and ALT: what a profile's time is worth, and the cheapest way to serve each lane.
    fn price_profiles(&self, prices: &mut Prices) {
        let Prices { profiles, lanes, .. } = prices;
        for (key, profile) in self.profiles.iter().filter(|(_, profile)| profile.on_duty > 0) {
            // A profile that is newer than the averages has no price yet.
            let Some((known, times)) = profiles.get_mut(key.index()) else { continue };
            let pairs = || profile.lanes.iter().zip(times.iter());
            *known = pairs().map(|(lane, ms)| price(lanes[lane.index()].scarcity, *ms)).max().unwrap_or(0);
            for (lane, ms) in profile.lanes.iter().zip(times.iter()) {
                let cheapest = &mut lanes[lane.index()].cheapest;
                *cheapest = worth(*known, *ms).min(*cheapest);
            }
        }
    }
}

/// What is known of how an agent does in a queue.
pub(super) fn estimate(spec: &AgentSpec, queue: QueueKey) -> Option<&Estimate> {
    let at = spec.estimates.binary_search_by_key(&queue, |one| one.queue).ok()?;
    Some(&spec.estimates[at])
}
