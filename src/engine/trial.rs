//! Two policies on one floor, turn and turn about: the only honest way to compare them live. Calls shared out by a coin
//! would share the agents too, and the better-served ones would take the good agents from the others (ALGORITHM.md 2.6).
//!
//! Time is cut into blocks of equal length from 1970 on, two of them are a pair, and which policy has the first of a pair is
//! drawn from the seed and the pair's number: it follows from the time alone.

use super::deadline::Deadline;
use super::event::Event;
use super::ids::{AgentKey, InteractionId, PoolKey};
use super::policy::{Arm, Policy, Trial};
use super::shard::{Shard, Step};
use super::time::Time;

impl Trial {
    /// The block a moment lies in.
    pub fn block(&self, now: Time) -> u64 {
        now.0 / self.block_ms.max(1)
    }

    /// The pair a block belongs to.
    pub fn pair(block: u64) -> u64 {
        block / 2
    }

    /// Which policy a block has.
    pub fn arm(&self, block: u64) -> Arm {
        let other_first = mixed(self.seed ^ Trial::pair(block)) & 1 == 1;
        if other_first == block.is_multiple_of(2) { Arm::Other } else { Arm::Usual }
    }

    /// Contacts that come so early in a block still meet what the block before has left.
    pub fn is_washed_out(&self, now: Time) -> bool {
        now.0 % self.block_ms.max(1) < self.wash_out_ms
    }

    fn next_block(&self, now: Time) -> Time {
        Time((self.block(now) + 1) * self.block_ms.max(1))
    }
}

/// The last step of SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

impl Step<'_> {
    /// A block is over.
    pub fn next_block(&mut self, pool: PoolKey) {
        let Some(trial) = self.shard.trial(pool) else {
            return self.shard.deadlines.disarm(Deadline::Block(pool));
        };
        let block = trial.block(self.shard.now);
        self.emit(Event::ArmTurned { pool, arm: trial.arm(block) });
        self.consider_pool(pool);
    }

    /// Another policy holds: who waits may have an agent by it, and who is free may have work.
    pub(super) fn consider_pool(&mut self, pool: PoolKey) {
        self.shard.hold_anew(pool);
        for agent in self.shard.agents_of_pool(pool) {
            if self.shard.agents[agent.index()].ready.is_some() {
                self.seek_work(agent);
            }
        }
        for interaction in self.shard.waiting_of_pool(pool) {
            self.try_again(interaction);
        }
    }
}

impl Shard {
    fn trial(&self, pool: PoolKey) -> Option<Trial> {
        self.floor.pools.live(u32::from(pool.0))?.spec.trial
    }

    /// How a pool decides now.
    pub(super) fn policy(&self, pool: PoolKey) -> &Policy {
        let spec = &self.floor.pools.get(u32::from(pool.0)).expect("a pool in use was defined").spec;
        match (self.arms.get(&pool), &spec.trial) {
            (Some(Arm::Other), Some(trial)) => &trial.other,
            _ => &spec.policy,
        }
    }

    /// A pool is defined anew: its trial begins, goes on with other figures, or is over.
    pub(super) fn begin_trial(&mut self, pool: PoolKey) {
        self.deadlines.disarm(Deadline::Block(pool));
        match self.trial(pool) {
            Some(trial) => self.turn(pool, trial, trial.arm(trial.block(self.now))),
            None => {
                self.arms.remove(&pool);
                self.decide_anew(pool);
            }
        }
    }

    pub(super) fn arm_turned(&mut self, pool: PoolKey, arm: Arm) {
        if let Some(trial) = self.trial(pool) {
            self.turn(pool, trial, arm);
        }
    }

    fn turn(&mut self, pool: PoolKey, trial: Trial, arm: Arm) {
        self.arms.insert(pool, arm);
        self.deadlines.arm(Deadline::Block(pool), trial.next_block(self.now));
        self.decide_anew(pool);
    }

    /// Ready agents stand in the order of the policy, and prices are those of pools that have any.
    fn decide_anew(&mut self, pool: PoolKey) {
        self.price_anew();
        for agent in self.agents_of_pool(pool) {
            self.reindex(agent);
        }
    }

    fn waiting_of_pool(&self, pool: PoolKey) -> Vec<InteractionId> {
        let lanes = self.lines.lanes().filter(|(_, lane)| self.floor.pool_of(lane.id.queue) == pool);
        let mut places: Vec<_> = lanes.flat_map(|(_, lane)| lane.waiting().copied()).collect();
        places.sort_unstable();
        places.into_iter().map(|place| place.3).collect()
    }

    fn hold_anew(&mut self, pool: PoolKey) {
        for interaction in self.waiting_of_pool(pool) {
            self.deadlines.disarm(Deadline::Hold(interaction));
            self.arm_hold(interaction);
        }
    }

    /// The agents of a pool, in the order of their keys.
    pub(super) fn agents_of_pool(&self, pool: PoolKey) -> Vec<AgentKey> {
        let of = |agent: &&std::sync::Arc<super::agent::Agent>| self.spec(agent.key).pool == pool;
        self.agents.iter().filter(of).map(|agent| agent.key).collect()
    }
}
