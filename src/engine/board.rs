//! What supervisors see of money (ALGORITHM.md 9.7): what the lines cost by the minute, what an agent's minute is worth by
//! skill, how evenly agents are busy. Read-only.

use super::agent::Agent;
use super::explain::WaitReason;
use super::fixed::Part;
use super::ids::{QueueKey, SkillKey};
use super::queue::Lane;
use super::shard::Shard;
use super::stakes::Relief;
use super::time::Time;
use std::sync::Arc;

const MINUTE_MS: u64 = 60_000;

/// What a queue's line costs in the next minute, as far as goals and patience tell, in millionths of the currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AtRisk {
    pub queue: QueueKey,
    pub per_minute: Relief,
    /// Of those who wait, whom somebody free could take but for being worth more to others.
    pub held: u32,
}

/// A skill, as dear as it is now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SkillPrice {
    pub skill: SkillKey,
    /// What a minute of whoever has it is worth to those who may come, in millionths of the currency.
    pub per_minute: i64,
    /// Who has it, with nothing in hand, and on duty.
    pub free: u32,
    pub on_duty: u32,
}

impl Shard {
    /// Every queue somebody waits in, in the order of the keys. What lists decide costs as much.
    pub fn at_risk(&self) -> Vec<AtRisk> {
        let mut all: Vec<AtRisk> = Vec::new();
        for (_, lane) in self.lines.lanes().filter(|(_, lane)| !lane.is_empty()) {
            let risk = self.lane_at_risk(lane);
            // Those of a lane are alike: if the first is held, so are the others.
            let first = lane.waiting().next().and_then(|place| self.wait_reason(place.3));
            let held = first == Some(WaitReason::Held);
            let held = if held { u32::try_from(lane.len()).unwrap_or(u32::MAX) } else { 0 };
            match all.iter_mut().find(|one| one.queue == lane.id.queue) {
                Some(one) => {
                    one.per_minute = sum(one.per_minute, risk);
                    one.held = one.held.saturating_add(held);
                }
                None => all.push(AtRisk { queue: lane.id.queue, per_minute: risk, held }),
            }
        }
        all.sort_unstable_by_key(|one| one.queue);
        all
    }

    fn lane_at_risk(&self, lane: &Lane) -> Relief {
        let waiting = i64::try_from(lane.len()).unwrap_or(i64::MAX);
        let each = lane.id.stakes.per_minute(lane.patience_ms);
        let late = i64::try_from(self.soon_late(lane)).unwrap_or(i64::MAX);
        Relief {
            waiting: each.waiting.saturating_mul(waiting),
            hang_up: each.hang_up.saturating_mul(waiting),
            target: each.target.saturating_mul(late),
        }
    }

    /// How many of a lane miss their target within a minute.
    fn soon_late(&self, lane: &Lane) -> usize {
        let Some(first) = lane.waiting().next() else { return 0 };
        let from = self.subject(first.3).counts_from();
        let late_by = |now: Time| lane.late_before(first, from, now);
        late_by(self.now.after(MINUTE_MS)) - late_by(self.now)
    }

    /// Every skill somebody on duty has or some line asks for, in the order of the keys.
    pub fn skill_prices(&self) -> Vec<SkillPrice> {
        let mut all: Vec<SkillPrice> = Vec::new();
        let mut of = |skill: SkillKey, change: &mut dyn FnMut(&mut SkillPrice)| {
            let at = all.iter().position(|one| one.skill == skill).unwrap_or_else(|| {
                all.push(SkillPrice { skill, per_minute: 0, free: 0, on_duty: 0 });
                all.len() - 1
            });
            change(&mut all[at]);
        };
        for (key, lane) in self.lines.lanes() {
            let price = super::money::per_hour(self.prices.scarcity(key), lane.handle_ms) / 60;
            for needed in lane.id.needs.iter().flat_map(|needs| &needs.requirements) {
                of(needed.skill, &mut |one| one.per_minute = one.per_minute.max(price));
            }
        }
        for (_, profile) in self.profiles.iter().filter(|(_, profile)| profile.on_duty > 0) {
            for (skill, _) in &profile.id.skills {
                of(*skill, &mut |one| {
                    one.free += profile.free().0;
                    one.on_duty += profile.on_duty;
                });
            }
        }
        all.sort_unstable_by_key(|one| one.skill);
        all
    }

    /// Shares of their time in which agents on duty had something in hand since they came, in 65,536ths.
    pub fn occupancies(&self) -> Vec<Part> {
        let on_duty = self.agents.iter().filter(|agent| agent.on_duty());
        on_duty.filter_map(|agent| self.occupancy(agent)).collect()
    }

    fn occupancy(&self, agent: &Arc<Agent>) -> Option<Part> {
        let there_ms = self.now.since(agent.came);
        let busy_ms = agent.worked_ms + agent.busy_since.map_or(0, |since| self.now.since(since));
        (there_ms > 0).then(|| Part::quotient(busy_ms, there_ms).min(Part::ONE))
    }
}

fn sum(one: Relief, other: Relief) -> Relief {
    Relief {
        waiting: one.waiting.saturating_add(other.waiting),
        hang_up: one.hang_up.saturating_add(other.hang_up),
        target: one.target.saturating_add(other.target),
    }
}
