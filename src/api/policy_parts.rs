//! The policy of a pool, and what is known of how agents do, from the protocol and back.

use super::convert::{duration_ms, millis};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::fixed::Part;
use crate::engine::floor::{Estimate, Floor};
use crate::engine::ids::QueueKey;
use crate::engine::money::Money;
use crate::engine::policy::{AgentOrder, LineOrder, Listed, Marginal, Policy, Trial};
use crate::proto;
use crate::proto::policy::Kind;
use std::ops::RangeInclusive;

/// Queues an agent may have figures for.
const ESTIMATES_MAX: usize = 64;
const DAY_MS: u64 = 86_400_000;

/// How a pool decides; marginal cost if nothing is said.
pub fn policy(asked: Option<&proto::Policy>) -> Result<Policy, ApiError> {
    match asked.and_then(|policy| policy.kind.as_ref()) {
        None => Ok(Policy::MarginalCost(Marginal::default())),
        Some(Kind::MarginalCost(asked)) => marginal(asked).map(Policy::MarginalCost),
        Some(Kind::Lists(asked)) => lists(asked).map(Policy::Listed),
    }
}

/// Another policy that is tried.
pub fn trial(asked: Option<&proto::Trial>) -> Result<Option<Trial>, ApiError> {
    let Some(asked) = asked else { return Ok(None) };
    if asked.other.is_none() {
        return Err(ApiError::missing("pool.trial.other", "the policy that is tried"));
    }
    let block_ms = duration_ms("pool.trial.block", asked.block, 300_000..=14_400_000, 1_800_000)?;
    let wash_out_ms =
        duration_ms("pool.trial.wash_out", asked.wash_out, 0..=block_ms / 2, 300_000.min(block_ms / 2))?;
    Ok(Some(Trial { other: policy(asked.other.as_ref())?, block_ms, wash_out_ms, seed: asked.seed }))
}

/// A trial for the protocol.
pub fn show_trial(trial: &Trial) -> proto::Trial {
    proto::Trial {
        other: Some(show_policy(&trial.other)),
        block: Some(millis(trial.block_ms)),
        wash_out: Some(millis(trial.wash_out_ms)),
        seed: trial.seed,
    }
}

fn marginal(asked: &proto::MarginalCost) -> Result<Marginal, ApiError> {
    const FIELD: &str = "pool.policy.marginal_cost";
    let known = Marginal::default();
    let part = |name: &str, value: Option<f64>, range: RangeInclusive<f64>, default: Part| match value {
        None => Ok(default),
        Some(value) => bounded(&format!("{FIELD}.{name}"), value, range)
            .map(|value| Part((value * 65_536.0).round() as u32)),
    };
    let fairness = match asked.fairness_per_second {
        None => known.fairness_per_second,
        Some(value) => {
            let value = bounded(&format!("{FIELD}.fairness_per_second"), value, 0.0..=0.05)?;
            Money((value * 1_000_000.0).round() as i64)
        }
    };
    let horizon = "pool.policy.marginal_cost.horizon";
    let window = "pool.policy.marginal_cost.target_window";
    Ok(Marginal {
        scarcity: part("scarcity", asked.scarcity, 0.0..=2.0, known.scarcity)?,
        depletion: part("depletion", asked.depletion, 0.4..=0.95, known.depletion)?,
        fairness_per_second: fairness,
        match_share: part("match_share", asked.match_share, 0.0..=1.0, known.match_share)?,
        horizon_ms: match asked.horizon {
            None => None,
            some => Some(duration_ms(horizon, some, 30_000..=600_000, 0)?),
        },
        target_ms: duration_ms(window, asked.target_window, 1_000..=600_000, known.target_ms)?,
        load: part("load", asked.load, 0.0..=1.0, known.load)?,
    })
}

fn bounded(field: &str, value: f64, range: RangeInclusive<f64>) -> Result<f64, ApiError> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(ApiError::field(field, &value.to_string(), &format!("{} to {}", range.start(), range.end())))
}

fn lists(asked: &proto::Lists) -> Result<Listed, ApiError> {
    use proto::lists::{AgentOrder as Agents, LineOrder as Lines};
    let agents = match Agents::try_from(asked.agents) {
        Ok(Agents::Unspecified | Agents::LongestIdle) => AgentOrder::LongestIdle,
        Ok(Agents::LeastOccupied) => AgentOrder::LeastOccupied,
        Ok(Agents::RoundRobin) => AgentOrder::RoundRobin,
        Ok(Agents::MostSkilled) => AgentOrder::MostSkilled,
        Ok(Agents::FewestSkills) => AgentOrder::FewestSkills,
        Ok(Agents::GroupOrder) => AgentOrder::GroupOrder,
        Err(_) => return Err(unknown("pool.policy.lists.agents", asked.agents)),
    };
    let lines = match Lines::try_from(asked.lines) {
        Ok(Lines::Unspecified | Lines::Score) => LineOrder::Score,
        Ok(Lines::Priority) => LineOrder::Priority,
        Ok(Lines::Value) => LineOrder::Value,
        Err(_) => return Err(unknown("pool.policy.lists.lines", asked.lines)),
    };
    Ok(Listed { agents, lines })
}

fn unknown(field: &str, got: i32) -> ApiError {
    ApiError::field(field, &got.to_string(), "one of the orders of this version of baton")
}

/// A policy for the protocol, every figure stated.
pub fn show_policy(policy: &Policy) -> proto::Policy {
    let float = |part: Part| f64::from(part.0) / 65_536.0;
    let kind = match policy {
        Policy::MarginalCost(marginal) => Kind::MarginalCost(proto::MarginalCost {
            scarcity: Some(float(marginal.scarcity)),
            depletion: Some(float(marginal.depletion)),
            fairness_per_second: Some(marginal.fairness_per_second.0 as f64 / 1_000_000.0),
            match_share: Some(float(marginal.match_share)),
            horizon: marginal.horizon_ms.map(millis),
            target_window: Some(millis(marginal.target_ms)),
            load: Some(float(marginal.load)),
        }),
        Policy::Listed(listed) => Kind::Lists(show_lists(*listed)),
    };
    proto::Policy { kind: Some(kind) }
}

fn show_lists(listed: Listed) -> proto::Lists {
    use proto::lists::{AgentOrder as Agents, LineOrder as Lines};
    let agents = match listed.agents {
        AgentOrder::LongestIdle => Agents::LongestIdle,
        AgentOrder::LeastOccupied => Agents::LeastOccupied,
        AgentOrder::RoundRobin => Agents::RoundRobin,
        AgentOrder::MostSkilled => Agents::MostSkilled,
        AgentOrder::FewestSkills => Agents::FewestSkills,
        AgentOrder::GroupOrder => Agents::GroupOrder,
    };
    let lines = match listed.lines {
        LineOrder::Score => Lines::Score,
        LineOrder::Priority => Lines::Priority,
        LineOrder::Value => Lines::Value,
    };
    proto::Lists { agents: agents.into(), lines: lines.into() }
}

/// How an agent does in some queues, in the order of the queues.
pub fn estimates(
    asked: &[proto::AgentEstimate],
    tenant: &Tenant,
    floor: &Floor,
) -> Result<Vec<Estimate>, ApiError> {
    let field = "agent.estimates";
    if asked.len() > ESTIMATES_MAX {
        return Err(ApiError::field(field, &asked.len().to_string(), &format!("at most {ESTIMATES_MAX}")));
    }
    let mut estimates = Vec::with_capacity(asked.len());
    for one in asked {
        let time = "agent.estimates.handle_time";
        if one.handle_time.is_none() {
            return Err(ApiError::missing(time, "1000 to 86400000 ms"));
        }
        estimates.push(Estimate {
            queue: queue(&one.queue, tenant, floor)?,
            handle_ms: duration_ms(time, one.handle_time, 1_000..=DAY_MS, 0)?,
            resolution: share("agent.estimates.resolution", Some(one.resolution))?,
        });
    }
    estimates.sort_by_key(|one| one.queue);
    match estimates.windows(2).any(|pair| pair[0].queue == pair[1].queue) {
        true => Err(ApiError::field(field, "a queue twice", "each queue once")),
        false => Ok(estimates),
    }
}

fn queue(name: &str, tenant: &Tenant, floor: &Floor) -> Result<QueueKey, ApiError> {
    let field = "agent.estimates.queue";
    let id = tenant.id(field, name, "queues")?;
    let key = floor.queues.key(id).and_then(|key| u16::try_from(key).ok()).map(QueueKey);
    key.ok_or_else(|| {
        ApiError::not_found(field, "QUEUE_NOT_FOUND", &format!("queue {}", super::names::shown(id)))
    })
}

/// A share, all of it if nothing is said.
pub fn share(field: &str, value: Option<f64>) -> Result<Part, ApiError> {
    match value {
        None => Ok(Part::ONE),
        Some(value) => Ok(Part((bounded(field, value, 0.0..=1.0)? * 65_536.0).round() as u32)),
    }
}

/// The figures of an agent for the protocol.
pub fn show_estimates(known: &[Estimate], tenant: &Tenant, floor: &Floor) -> Vec<proto::AgentEstimate> {
    let show = |one: &Estimate| {
        let entry = floor.queues.get(u32::from(one.queue.0))?;
        Some(proto::AgentEstimate {
            queue: tenant.name_of("queues", &entry.name),
            handle_time: Some(millis(one.handle_ms)),
            resolution: f64::from(one.resolution.0) / 65_536.0,
        })
    };
    known.iter().filter_map(show).collect()
}
