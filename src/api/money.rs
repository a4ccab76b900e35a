//! The floor in money as supervisors see it, and what trials have come to.

use super::convert::millis;
use super::policy_parts::show_trial;
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::board::{AtRisk, SkillPrice};
use crate::engine::fixed::Part;
use crate::engine::ids::PoolKey;
use crate::engine::shard::Shard;
use crate::engine::stakes::Relief;
use crate::learning::{Lift, Lifts};
use crate::proto;
use crate::spread::gini;
use std::sync::Arc;
use tonic::Code;

/// What is taken from the shard for it.
pub struct Board {
    at_risk: Vec<AtRisk>,
    prices: Vec<SkillPrice>,
    occupancies: Vec<Part>,
}

impl Board {
    /// As it is now.
    pub fn of(shard: &Shard) -> Board {
        Board { at_risk: shard.at_risk(), prices: shard.skill_prices(), occupancies: shard.occupancies() }
    }
}

/// The floor in money.
pub fn show(tenant: &Tenant, board: &Board) -> proto::MoneyView {
    let floor = tenant.shard.floor();
    let (held, before) = tenant.outlook.holds();
    let at_risk = board.at_risk.iter().map(|one| proto::QueueAtRisk {
        queue: tenant.queue_name(one.queue, &floor),
        per_minute: Some(relief(one.per_minute)),
        held: one.held,
    });
    let prices = board.prices.iter().filter_map(|one| {
        let skill = floor.skills.live(u32::from(one.skill.0))?;
        Some(proto::SkillPrice {
            skill: tenant.name_of_chosen("skills", &skill.name),
            per_minute: one.per_minute,
            saves_per_hour: one.per_minute.saturating_mul(60),
            free: one.free,
            on_duty: one.on_duty,
        })
    });
    let (gini, mean) = spread(&board.occupancies);
    proto::MoneyView {
        at_risk: at_risk.collect(),
        prices: prices.collect(),
        held,
        held_before: before.count,
        held_lost: before.lost,
        held_time: Some(millis(before.held_ms)),
        held_saved: (before.saved * 1e6).round() as i64,
        occupancy_gini_ppm: (gini * 1e6).round() as u32,
        occupancy_mean_ppm: (mean * 1e6).round() as u32,
    }
}

/// What leaving somebody waiting costs, layer by layer.
pub fn relief(relief: Relief) -> proto::Relief {
    proto::Relief { waiting: relief.waiting, hang_up: relief.hang_up, target: relief.target }
}

/// How unevenly agents are busy, and how much in the mean, 0 to 1.
fn spread(shares: &[Part]) -> (f64, f64) {
    let shares: Vec<u64> = shares.iter().map(|part| part.0.into()).collect();
    let whole = shares.len() as f64 * f64::from(Part::ONE.0);
    let mean = if whole > 0.0 { shares.iter().sum::<u64>() as f64 / whole } else { 0.0 };
    (gini(&shares), mean)
}

/// What the trial of a pool has come to.
pub fn report_trial(tenant: &Arc<Tenant>, pool: &str) -> Result<proto::ReportTrialResponse, ApiError> {
    let id = tenant.id("pool", pool, "pools")?;
    let floor = tenant.shard.floor();
    let key = floor.pools.key(id).ok_or_else(|| {
        ApiError::not_found("pool", "POOL_NOT_FOUND", &format!("pool {}", super::names::shown(id)))
    })?;
    let key = PoolKey(u16::try_from(key).expect("pool keys are u16"));
    let trial = floor.pools.live(u32::from(key.0)).and_then(|entry| entry.spec.trial);
    let trial = trial.ok_or_else(|| {
        ApiError::new(Code::FailedPrecondition, "NO_TRIAL", "no other policy is tried on this pool")
    })?;
    let (all, queues) = tenant.outlook.trial(key).unwrap_or_default();
    let queues = queues.into_iter().map(|(queue, lifts)| figures(tenant.queue_name(queue, &floor), lifts));
    Ok(proto::ReportTrialResponse {
        trial: Some(show_trial(&trial)),
        all: Some(figures(String::new(), all)),
        queues: queues.collect(),
    })
}

fn figures(queue: String, lifts: Lifts) -> proto::TrialFigures {
    let shown = |lift: Option<Lift>| {
        lift.map(|lift| proto::Lift {
            usual: lift.usual,
            other: lift.other,
            difference: lift.difference,
            half_width: lift.half_width,
            pairs: lift.pairs,
            contacts: lift.contacts,
        })
    };
    proto::TrialFigures {
        queue,
        cost: shown(lifts.cost),
        in_time: shown(lifts.in_time),
        abandoned: shown(lifts.abandoned),
        solved: shown(lifts.solved),
        wait: shown(lifts.wait_s),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_whom_one_is_always_busy_are_spread_as_far_as_two_can_be() {
        let (gini, mean) = spread(&[Part::ONE, Part::ZERO]);
        assert!((gini - 0.5).abs() < 1e-9 && (mean - 0.5).abs() < 1e-9, "{gini} {mean}");
        assert_eq!(spread(&[]), (0.0, 0.0));
    }
}
