//! What an agent's time is worth to others: the prices of scarce skills (ALGORITHM.md 2.3), from live counts of who is
//! free. A cache that follows from the events alone: each change touches the lanes of one agent; what moves slowly
//! (horizons, arrivals, dials) is brought up to date after as many changes as there are lanes; nothing is ever done by
//! the clock.

use super::agent::Rank;
use super::averages::{Averages, Takes};
use super::fixed::{Part, Powers, falling_by};
use super::ids::{LaneKey, PoolKey, ProfileKey, QueueKey};
use super::policy::{Marginal, Policy};
use super::queue::Lane;
use super::shard::Shard;
use super::skill::Requirement;
use super::stakes::Horizon;
use super::time::Time;
use serde::{Deserialize, Serialize};

/// Arrivals are counted over about so long, ms: each weighs e^(-age/window).
pub const ARRIVALS_MS: u64 = 600_000;
/// A class is as dear as it can be when it comes often while an agent handles one: prices count with the chance that
/// one comes within so many handle times.
const HANDLE_TIMES: u64 = 4;
/// No pool decides by prices.
const NEVER: u32 = u32::MAX;
/// A backlog clears with no less than this share of the agents' time.
const SPARE_MIN: Part = Part::thousandths(100);
/// A new mean takes so much of what it sees: one in this many.
const MEAN_OF: i64 = 64;
/// A lane that more profiles than this can serve has its cheapest way looked up when everything is counted anew.
const PROFILES_LOOKED_AT_MAX: usize = 64;

/// One pool that decides by prices.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PoolPrices {
    pub marginal: Marginal,
    depletion: Powers,
    /// Mean handle time of what came lately, ms. 0 before anything did.
    mean_handle_ms: u64,
    /// If this agent goes to somebody else, another comes after so long, ms: τ.
    pub horizon_ms: u64,
    /// What waits, in time of handling, ms.
    backlog_ms: u64,
    /// Share of their time in which agents on duty work.
    load: Part,
}

/// One lane.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct LanePrices {
    /// How many came lately, in 65,536ths, as of then.
    arrivals: u64,
    arrived: Time,
    /// The chance that one comes soon.
    chance: Part,
    /// How many could serve it who have nothing in hand, and who have room for something.
    free: u32,
    ready: u32,
    /// What one who came now would lose by waiting, as of this horizon and patience.
    fresh: i64,
    horizon_ms: u64,
    patience_ms: u64,
    /// The cheapest way to serve one, for lanes of many profiles: ALT.
    cheapest: i64,
    /// What the dial of the service level makes of a missed target.
    dial: Part,
}

impl Default for LanePrices {
    /// Of a lane nobody has looked at: nobody is kept from it.
    fn default() -> LanePrices {
        LanePrices {
            arrivals: 0,
            arrived: Time(0),
            chance: Part::ZERO,
            free: 0,
            ready: 0,
            fresh: 0,
            horizon_ms: 0,
            patience_ms: 0,
            cheapest: i64::MAX,
            dial: Part::ONE,
        }
    }
}

/// All of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Prices {
    pools: Vec<Option<PoolPrices>>,
    lanes: Vec<LanePrices>,
    /// By lane: what the next to go of those who could serve it is worth: S.
    scarcity: Vec<i64>,
    pub averages: Averages,
    /// By queue: answered in time lately, parts in a million.
    levels: Vec<u32>,
    /// All of it moved since anybody looked: whoever is held may be held no more.
    pub moved: bool,
    /// Since everything was counted.
    changes: u32,
    every: u32,
}

impl Prices {
    /// The prices of a pool; `None` if it decides by lists.
    pub fn pool(&self, pool: PoolKey) -> Option<&PoolPrices> {
        self.pools.get(pool.index())?.as_ref()
    }

    pub fn lane(&self, lane: LaneKey) -> LanePrices {
        self.lanes.get(lane.index()).copied().unwrap_or_default()
    }

    /// A lane is new, or its key stands for another lane now.
    pub fn open_lane(&mut self, lane: LaneKey) {
        if self.lanes.len() <= lane.index() {
            self.lanes.resize(lane.index() + 1, LanePrices::default());
            self.scarcity.resize(lane.index() + 1, 0);
        }
        self.lanes[lane.index()] = LanePrices::default();
        self.scarcity[lane.index()] = 0;
        self.count_anew();
    }

    /// Counts everything with the next change.
    pub fn count_anew(&mut self) {
        self.averages.forget();
        self.every = 0;
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
            u32::MAX => said / 64 + 1_000_000 / 64 * 63,
            known => known - known / 64 + said / 64,
        };
    }

    fn level(&self, queue: QueueKey) -> Option<u32> {
        self.levels.get(queue.index()).copied().filter(|level| *level != u32::MAX)
    }
}

impl PoolPrices {
    /// What was seen before the figures changed stays known.
    fn new(marginal: Marginal, load: Part, known: Option<PoolPrices>) -> PoolPrices {
        if let Some(known) = known.as_ref().filter(|known| known.marginal == marginal) {
            return PoolPrices { load, ..known.clone() };
        }
        PoolPrices {
            marginal,
            depletion: Powers::of(marginal.depletion),
            mean_handle_ms: known.as_ref().map_or(0, |known| known.mean_handle_ms),
            horizon_ms: known.map_or(0, |known| known.horizon_ms),
            backlog_ms: 0,
            load,
        }
    }

    fn note_handle(&mut self, handle_ms: u64) {
        let (mean, new) = (self.mean_handle_ms.cast_signed(), handle_ms.cast_signed());
        let next = if mean == 0 { new } else { mean + (new - mean) / MEAN_OF };
        self.mean_handle_ms = next.cast_unsigned();
    }

    /// τ0, and as long as the backlog takes.
    fn look_ahead(&mut self, on_duty: u32) {
        let back_ms = self.marginal.horizon_ms.unwrap_or(self.mean_handle_ms);
        let spare = self.load.rest().max(SPARE_MIN);
        let agents = u128::from(on_duty.max(1)) * u128::from(spare.0);
        let clearing = (u128::from(self.backlog_ms) << 16) / agents;
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

    /// Whether somebody who could serve it has room for something.
    pub fn somebody_is_free(&self) -> bool {
        self.ready > 0
    }

    pub fn horizon(&self, pool: &PoolPrices, patience_ms: u64) -> Horizon {
        Horizon { ms: pool.horizon_ms, target_ms: pool.marginal.target_ms, dial: self.dial, patience_ms }
    }

    /// S: what the next to go of those who could serve it is worth to whoever comes.
    fn scarcity(&self, lane: &Lane, pool: &PoolPrices) -> i64 {
        // What takes an agent's whole attention needs one who has nothing in hand.
        let could = if lane.id.channel.is_connected_by_platform() { self.free } else { self.ready };
        let gone = pool.depletion.to(could.max(1) - 1);
        if gone == Part::ZERO {
            return 0;
        }
        let crowded = crowd(lane, lane.len(), pool.horizon_ms).of(self.fresh);
        self.chance.of(gone.of(pool.marginal.scarcity.of(crowded)))
    }
}

/// More weight for those who stand in a long line (ALGORITHM.md 1.3): g, for so many others who wait.
pub(super) fn crowd(lane: &Lane, others: usize, horizon_ms: u64) -> Part {
    let work = (others as u64).saturating_mul(lane.handle_ms);
    let clears = u64::from(lane.on_duty().max(1)).saturating_mul(horizon_ms.max(1));
    let long = Part::quotient(work, clears).min(Part(2 << 16));
    Part(Part::ONE.0 + long.0 / 2)
}

impl Shard {
    /// Somebody stands in a lane, as new in its queue.
    pub(super) fn note_arrival(&mut self, key: LaneKey) {
        let (lane, now) = (self.lines.lane(key), self.now);
        let (queue, handle_ms) = (lane.id.queue, lane.handle_ms);
        let Some(Some(pool)) = self.prices.pools.get_mut(self.floor.pool_of(queue).index()) else {
            return;
        };
        pool.note_handle(handle_ms);
        let lane = &mut self.prices.lanes[key.index()];
        lane.arrivals = lane.arrivals_at(now) + u64::from(Part::ONE.0);
        lane.arrived = now;
        lane.chance = lane.comes(handle_ms, now);
    }

    /// Counts everything now: another policy holds.
    pub(super) fn price_anew(&mut self) {
        self.prices.count_anew();
        self.one_more_change();
    }

    /// Somebody came to a lane, or left it.
    pub(super) fn line_changed(&mut self, key: LaneKey) {
        if !self.one_more_change() {
            self.reprice(key);
        }
    }

    /// Moves an agent among the ready of a profile, in or out.
    pub(super) fn rank_ready(&mut self, profile: ProfileKey, old: Option<Rank>, new: Option<Rank>) {
        self.profiles.rank(profile, old, new);
        if self.prices.every == NEVER {
            return;
        }
        let count = |count: &mut u32, before: bool, after: bool| {
            *count = (*count + u32::from(after)).saturating_sub(u32::from(before));
        };
        let is_free = |rank: Option<Rank>| rank.is_some_and(|rank| rank.used() == 0);
        for at in 0..self.profiles.get(profile).lanes.len() {
            let key = self.profiles.get(profile).lanes[at];
            let lane = &mut self.prices.lanes[key.index()];
            count(&mut lane.free, is_free(old), is_free(new));
            count(&mut lane.ready, old.is_some(), new.is_some());
        }
        if self.one_more_change() {
            return;
        }
        for at in 0..self.profiles.get(profile).lanes.len() {
            self.reprice(self.profiles.get(profile).lanes[at]);
        }
    }

    fn reprice(&mut self, key: LaneKey) {
        let lane = self.lines.lane(key);
        if let Some(Some(pool)) = self.prices.pools.get(self.floor.pool_of(lane.id.queue).index()) {
            self.prices.scarcity[key.index()] = self.prices.lanes[key.index()].scarcity(lane, pool);
        }
    }

    /// True if every lane was priced.
    fn one_more_change(&mut self) -> bool {
        self.prices.changes += 1;
        let stale = self.prices.averages.due(self.agents.len());
        if self.prices.changes < self.prices.every && !stale {
            return false;
        }
        let mut prices = std::mem::take(&mut self.prices);
        prices.moved = true;
        if !stale && prices.every > 0 {
            self.refresh(&mut prices);
            self.prices = prices;
            return true;
        }
        self.take_pools(&mut prices);
        if prices.pools.iter().all(Option::is_none) {
            (prices.changes, prices.every) = (0, NEVER);
            prices.averages = Averages::default();
            self.prices = prices;
            return true;
        }
        if stale {
            prices.averages = self.averages();
        }
        self.count(&mut prices);
        self.prices = prices;
        true
    }

    fn take_pools(&self, prices: &mut Prices) {
        prices.pools.resize_with(self.floor.pools.entries().len(), || None);
        for (at, known) in prices.pools.iter_mut().enumerate() {
            let key = PoolKey(u16::try_from(at).expect("pools are limited"));
            *known = match (*self.policy(key), known.take()) {
                (Policy::Listed(_), _) => None,
                (Policy::MarginalCost(marginal), known) => {
                    let load = self.learned.load(key).unwrap_or(marginal.load);
                    Some(PoolPrices::new(marginal, load, known))
                }
            };
        }
    }

    /// Counts who is free, and prices every lane.
    fn count(&self, prices: &mut Prices) {
        for lane in &mut prices.lanes {
            (lane.free, lane.ready) = (0, 0);
        }
        for (_, profile) in self.profiles.iter() {
            let (free, ready) = profile.free();
            for lane in &profile.lanes {
                let lane = &mut prices.lanes[lane.index()];
                (lane.free, lane.ready) = (lane.free + free, lane.ready + ready);
            }
        }
        prices.every = u32::try_from(prices.lanes.len()).unwrap_or(u32::MAX).max(1);
        self.refresh(prices);
    }

    /// Brings up to date what moves slowly: horizons, arrivals, dials; and what follows from it.
    fn refresh(&self, prices: &mut Prices) {
        prices.changes = 0;
        self.look_ahead(prices);
        for (key, lane) in self.lines.lanes() {
            self.price_lane(prices, key, lane);
        }
        for (key, lane) in self.lines.lanes().filter(|(_, lane)| has_many_profiles(lane)) {
            prices.lanes[key.index()].cheapest = self.cheapest_of(prices, key, lane);
        }
    }

    fn look_ahead(&self, prices: &mut Prices) {
        prices.pools.iter_mut().flatten().for_each(|pool| pool.backlog_ms = 0);
        for (_, lane) in self.lines.lanes().filter(|(_, lane)| !lane.is_empty()) {
            let pool = prices.pools.get_mut(self.floor.pool_of(lane.id.queue).index());
            if let Some(Some(pool)) = pool {
                let work = (lane.len() as u64).saturating_mul(lane.handle_ms);
                pool.backlog_ms = pool.backlog_ms.saturating_add(work);
            }
        }
        for (key, pool) in prices.pools.iter_mut().enumerate() {
            let Some(pool) = pool else { continue };
            pool.look_ahead(self.profiles.working_in(key));
        }
    }

    fn price_lane(&self, prices: &mut Prices, key: LaneKey, lane: &Lane) {
        let Some(Some(pool)) = prices.pools.get(self.floor.pool_of(lane.id.queue).index()) else { return };
        let (known, stakes) = (prices.lanes[key.index()], &lane.id.stakes);
        if known.arrivals == 0 {
            return;
        }
        let dial = prices.level(lane.id.queue).map_or(Part::ONE, |level| stakes.dial(level));
        let mut new = LanePrices { dial, ..known };
        new.chance = new.comes(lane.handle_ms, self.now);
        let as_of = (pool.horizon_ms, lane.patience_ms);
        if (as_of, dial) != ((known.horizon_ms, known.patience_ms), known.dial) {
            (new.horizon_ms, new.patience_ms) = as_of;
            new.fresh = stakes.fresh(new.horizon(pool, lane.patience_ms));
        }
        prices.scarcity[key.index()] = new.scarcity(lane, pool);
        prices.lanes[key.index()] = new;
    }

    /// What the next to go of those who could serve a lane is worth to whoever comes, by what came until now.
    pub(super) fn scarcity_now(&self, key: LaneKey) -> i64 {
        let lane = self.lines.lane(key);
        let Some(pool) = self.prices.pool(self.floor.pool_of(lane.id.queue)) else { return 0 };
        let known = self.prices.lane(key);
        let chance = known.comes(lane.handle_ms, self.now);
        LanePrices { chance, ..known }.scarcity(lane, pool)
    }

    /// ALT: the cheapest way to serve one of a lane, by whoever is on duty, free or not.
    pub(super) fn cheapest(&self, key: LaneKey, lane: &Lane) -> i64 {
        match has_many_profiles(lane) {
            true => self.prices.lane(key).cheapest,
            false => self.cheapest_of(&self.prices, key, lane),
        }
    }

    fn cheapest_of(&self, prices: &Prices, key: LaneKey, lane: &Lane) -> i64 {
        let on_duty = lane.profiles.iter().filter(|profile| self.profiles.works(**profile));
        let way = |profile: &ProfileKey| {
            let takes = prices.averages.takes(*profile, key, lane.handle_ms);
            let worth = prices.worth_of(*profile, key).saturating_add(self.lacks(*profile, lane));
            worth.saturating_add(self.until_free(prices, *profile, key, takes))
        };
        on_duty.map(way).min().unwrap_or(i64::MAX)
    }

    /// What the skills are worth that those a lane serves had better be served with and a profile lacks.
    pub(super) fn lacks(&self, profile: ProfileKey, lane: &Lane) -> i64 {
        let wished = lane.id.better_with.iter();
        let skills = &self.profiles.get(profile).id.skills;
        let has = |needed: &Requirement| {
            let at = skills.binary_search_by_key(&needed.skill, |held| held.0);
            at.is_ok_and(|at| skills[at].1 >= needed.proficiency)
        };
        wished.filter(|one| !has(&one.skill)).map(|one| one.worth.0).sum()
    }

    /// What even the best of those on duty lack.
    pub(super) fn least_lacking(&self, lane: &Lane) -> i64 {
        if lane.id.better_with.is_empty() {
            return 0;
        }
        let on_duty = lane.profiles.iter().filter(|profile| self.profiles.works(**profile));
        on_duty.map(|profile| self.lacks(*profile, lane)).min().unwrap_or(0)
    }

    /// What waiting for one of a profile costs whose agents are all busy: with many of them one is back soon.
    fn until_free(&self, prices: &Prices, profile: ProfileKey, lane: LaneKey, takes: Takes) -> i64 {
        if self.profiles.head(profile) != Rank::NOBODY {
            return 0;
        }
        let back_ms = takes.ms / u64::from(self.profiles.get(profile).on_duty.max(1));
        let prices = &prices.lanes[lane.index()];
        Part::quotient(back_ms, prices.horizon_ms.max(1)).min(Part::ONE).of(prices.fresh)
    }
}

impl Prices {
    /// The price of the time of a profile's agents, as quick as the mean of them.
    pub fn time(&self, profile: ProfileKey) -> i64 {
        self.time_and_takes(profile, None).0
    }

    /// What the time of one of them is worth that serving one of a lane takes.
    pub fn worth_of(&self, profile: ProfileKey, lane: LaneKey) -> i64 {
        let (price, takes) = self.time_and_takes(profile, Some(lane));
        takes.map_or(0, |takes| takes.worth(price))
    }

    fn time_and_takes(&self, profile: ProfileKey, wanted: Option<LaneKey>) -> (i64, Option<Takes>) {
        let (mut price, mut takes) = (0, None);
        for (lane, own) in self.averages.pairs(profile) {
            let scarcity = self.scarcity[lane.index()];
            if scarcity > 0 {
                price = own.price(scarcity).max(price);
            }
            if Some(*lane) == wanted {
                takes = Some(*own);
            }
        }
        (price, takes)
    }

    /// What the next to go of those who could serve a lane is worth: S.
    pub fn scarcity(&self, lane: LaneKey) -> i64 {
        self.scarcity.get(lane.index()).copied().unwrap_or_default()
    }
}

/// True if there are too many to look at each for one decision.
pub(super) fn has_many_profiles(lane: &Lane) -> bool {
    lane.profiles.len() > PROFILES_LOOKED_AT_MAX
}
