//! Pools, skills and queues, from the protocol and back.

use super::capacity_parts::hours;
use super::convert::{code, duration_ms, millis};
use super::intake::requirements;
use super::names::shown;
use super::policy_parts::{policy, show_policy, show_trial, trial};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::floor::{
    Definition, Entry, Floor, OFFER_EXPIRY_MS, OnAgentLost, OnExpiry, QueueSpec, WAITING_MAX_DEFAULT, WrapUp,
    WrapUpMode,
};
use crate::engine::ids::{PoolKey, Text};
use crate::engine::policy::PoolSpec;
use crate::proto;
use crate::proto::queue::{OnAgentLost as Lost, OnExpiry as Policy, WrapUp as Mode};
use crate::runtime::start::MAIN_POOL;

/// How long wrap-up lasts unless the queue says so, and how much longer with each extension, ms.
const WRAP_UP_MS: u64 = 30_000;
/// After which an agent who let an offer expire counts as back, where the queue says so and not when, ms.
const RECOVER_MS: u64 = 60_000;
/// Most that may wait in a queue.
const WAITING_LIMIT: u32 = 10_000_000;
/// Most agents who are asked at once.
const BROADCAST_MAX: u16 = 100;

/// What people call it: at most 128 characters, one line.
pub fn display_name(field: &'static str, value: &str) -> Result<Text, ApiError> {
    Ok(code(field, value, 128)?.into())
}

/// A pool that exists; the pool `main` if none is named.
pub fn pool(field: &'static str, name: &str, tenant: &Tenant, floor: &Floor) -> Result<PoolKey, ApiError> {
    let id = if name.is_empty() { MAIN_POOL } else { tenant.id(field, name, "pools")? };
    let key = floor.pools.key(id).and_then(|key| u16::try_from(key).ok());
    key.map(PoolKey)
        .ok_or_else(|| ApiError::not_found(field, "POOL_NOT_FOUND", &format!("pool {}", shown(id))))
}

/// A number up to `max`.
pub fn bounded(field: impl Into<String>, value: u32, max: u16) -> Result<u16, ApiError> {
    let fits = u16::try_from(value).ok().filter(|value| *value <= max);
    fits.ok_or_else(|| ApiError::field(field, &value.to_string(), &format!("at most {max}")))
}

/// A number up to `max`, where 0 stands for a default.
pub fn or_default(field: &'static str, value: u32, default: u16, max: u16) -> Result<u16, ApiError> {
    if value == 0 { Ok(default) } else { bounded(field, value, max) }
}

/// The etag of a revision.
pub fn etag(revision: u64) -> String {
    revision.to_string()
}

/// A pool as configured.
pub fn define_pool(pool: &proto::Pool) -> Result<Definition, ApiError> {
    let display_name = display_name("pool.display_name", &pool.display_name)?;
    let (policy, trial) = (policy(pool.policy.as_ref())?, trial(pool.trial.as_ref())?);
    Ok(Definition::Pool(PoolSpec { display_name, policy, trial }.into()))
}

/// A skill as configured.
pub fn define_skill(skill: &proto::Skill) -> Result<Definition, ApiError> {
    Ok(Definition::Skill { display_name: display_name("skill.display_name", &skill.display_name)? })
}

/// A queue as configured.
pub fn define_queue(queue: &proto::Queue, tenant: &Tenant) -> Result<Definition, ApiError> {
    let floor = &*tenant.shard.floor();
    let waiting_max = match queue.waiting_max {
        0 => WAITING_MAX_DEFAULT,
        max if max <= WAITING_LIMIT => max,
        max => {
            let wanted = format!("1 to {WAITING_LIMIT}, or 0 for {WAITING_MAX_DEFAULT}");
            return Err(ApiError::field("queue.waiting_max", &max.to_string(), &wanted));
        }
    };
    let expiry = queue.offer_expiry;
    Ok(Definition::Queue(QueueSpec {
        display_name: display_name("queue.display_name", &queue.display_name)?,
        pool: pool("queue.pool", &queue.pool, tenant, floor)?,
        requirements: requirements("queue.requirements", &queue.requirements, tenant, floor)?,
        offer_expiry_ms: duration_ms("queue.offer_expiry", expiry, 1_000..=600_000, OFFER_EXPIRY_MS)?,
        on_expiry: on_expiry(queue)?,
        on_agent_lost: on_agent_lost(queue)?,
        wrap_up: wrap_up(queue)?,
        broadcast: or_default("queue.broadcast", queue.broadcast, 1, BROADCAST_MAX)?,
        hours: hours("queue.hours", &queue.hours, tenant, floor)?,
        pull: queue.pull,
        waiting_max,
    }))
}

fn wrap_up(queue: &proto::Queue) -> Result<WrapUp, ApiError> {
    let ms = duration_ms("queue.wrap_up_time", queue.wrap_up_time, 0..=3_600_000, WRAP_UP_MS)?;
    let extension = queue.wrap_up_extension;
    let extension_ms = duration_ms("queue.wrap_up_extension", extension, 1_000..=3_600_000, WRAP_UP_MS)?;
    let percent = |field: &str, value: u32| {
        let fits = u8::try_from(value).ok().filter(|value| *value <= 100);
        fits.ok_or_else(|| ApiError::field(field, &value.to_string(), "0 to 100"))
    };
    let share_percent = percent("queue.wrap_up_share", queue.wrap_up_share.unwrap_or(100))?;
    let extensions_max = percent("queue.wrap_up_extensions_max", queue.wrap_up_extensions_max)?;
    let mode = match Mode::try_from(queue.wrap_up) {
        Ok(Mode::Unspecified | Mode::None) => WrapUpMode::None,
        Ok(Mode::Timed) => WrapUpMode::Optional,
        Ok(Mode::Mandatory) => WrapUpMode::Mandatory,
        Err(_) => {
            let wanted = "1 NONE, 2 TIMED or 3 MANDATORY";
            return Err(ApiError::field("queue.wrap_up", &queue.wrap_up.to_string(), wanted));
        }
    };
    Ok(WrapUp { mode, ms, share_percent, extensions_max, extension_ms })
}

fn on_expiry(queue: &proto::Queue) -> Result<OnExpiry, ApiError> {
    let after = queue.recover_after;
    let after_ms = duration_ms("queue.recover_after", after, 1_000..=8 * 3_600_000, RECOVER_MS)?;
    match Policy::try_from(queue.on_expiry) {
        Ok(Policy::Unspecified | Policy::NotRespondingUntilBack) => Ok(OnExpiry::NotResponding),
        Ok(Policy::Stay) => Ok(OnExpiry::Stay),
        Ok(Policy::Recover) => Ok(OnExpiry::Recover { after_ms }),
        Err(_) => {
            let wanted = "1 NOT_RESPONDING_UNTIL_BACK, 2 STAY or 3 RECOVER";
            Err(ApiError::field("queue.on_expiry", &queue.on_expiry.to_string(), wanted))
        }
    }
}

fn on_agent_lost(queue: &proto::Queue) -> Result<OnAgentLost, ApiError> {
    match Lost::try_from(queue.on_agent_lost) {
        Ok(Lost::Unspecified | Lost::Requeue) => Ok(OnAgentLost::Requeue),
        Ok(Lost::Keep) => Ok(OnAgentLost::Keep),
        Err(_) => {
            let got = queue.on_agent_lost.to_string();
            Err(ApiError::field("queue.on_agent_lost", &got, "1 REQUEUE or 2 KEEP"))
        }
    }
}

impl Tenant {
    /// The name of a pool.
    pub fn pool_name(&self, pool: PoolKey, floor: &Floor) -> String {
        let entry = floor.pools.get(u32::from(pool.0));
        entry.map_or_else(String::new, |entry| self.name_of("pools", &entry.name))
    }

    /// A pool.
    pub fn show_pool(&self, entry: &Entry<PoolSpec>) -> proto::Pool {
        proto::Pool {
            name: self.name_of("pools", &entry.name),
            display_name: entry.spec.display_name.to_string(),
            etag: etag(entry.revision),
            policy: Some(show_policy(&entry.spec.policy)),
            trial: entry.spec.trial.as_ref().map(show_trial),
        }
    }

    /// A skill.
    pub fn show_skill(&self, entry: &Entry<Text>) -> proto::Skill {
        proto::Skill {
            name: self.name_of("skills", &entry.name),
            display_name: entry.spec.to_string(),
            etag: etag(entry.revision),
        }
    }

    /// A queue.
    pub fn show_queue(&self, entry: &Entry<QueueSpec>, floor: &Floor) -> proto::Queue {
        let spec = &entry.spec;
        let mode = match spec.wrap_up.mode {
            WrapUpMode::None => Mode::None,
            WrapUpMode::Optional => Mode::Timed,
            WrapUpMode::Mandatory => Mode::Mandatory,
        };
        let (on_expiry, recover_after) = match spec.on_expiry {
            OnExpiry::NotResponding => (Policy::NotRespondingUntilBack, None),
            OnExpiry::Stay => (Policy::Stay, None),
            OnExpiry::Recover { after_ms } => (Policy::Recover, Some(millis(after_ms))),
        };
        let on_agent_lost = match spec.on_agent_lost {
            OnAgentLost::Requeue => Lost::Requeue,
            OnAgentLost::Keep => Lost::Keep,
        };
        let wraps_up = spec.wrap_up.mode != WrapUpMode::None;
        let extends = spec.wrap_up.extensions_max > 0;
        proto::Queue {
            name: self.name_of("queues", &entry.name),
            display_name: spec.display_name.to_string(),
            pool: self.pool_name(spec.pool, floor),
            requirements: self.requirements(&spec.requirements, floor),
            offer_expiry: Some(millis(spec.offer_expiry_ms)),
            on_expiry: on_expiry.into(),
            on_agent_lost: on_agent_lost.into(),
            wrap_up: mode.into(),
            wrap_up_time: wraps_up.then(|| millis(spec.wrap_up.ms)),
            waiting_max: spec.waiting_max,
            etag: etag(entry.revision),
            wrap_up_share: Some(spec.wrap_up.share_percent.into()),
            wrap_up_extensions_max: spec.wrap_up.extensions_max.into(),
            wrap_up_extension: extends.then(|| millis(spec.wrap_up.extension_ms)),
            recover_after,
            broadcast: spec.broadcast.into(),
            hours: self.hours_name(spec.hours, floor),
            pull: spec.pull,
        }
    }
}
