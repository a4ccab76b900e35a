//! The four kinds of things on a floor, from the protocol and back.

use super::convert::{channel, code, duration_ms, millis};
use super::intake::{proficiency, requirements, skill};
use super::names::shown;
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::capacity::{CAPACITY_DEFAULT, CapacitySpec, ChannelCapacity, channels_default};
use crate::engine::channel::ChannelSet;
use crate::engine::floor::{
    AgentSpec, Definition, Entry, Floor, OnAgentLost, OnExpiry, QueueSpec, WrapUp, WrapUpMode,
};
use crate::engine::ids::{PoolKey, Text};
use crate::engine::plan::Channel;
use crate::engine::skill::Skill;
use crate::proto;
use crate::runtime::start::MAIN_POOL;

/// How long an offer stays open unless the queue says so, ms.
const OFFER_EXPIRY_MS: u64 = 15_000;
/// How long wrap-up lasts unless the queue says so, ms.
const WRAP_UP_MS: u64 = 30_000;
/// Most that may wait in a queue unless it says so.
const WAITING_MAX: u32 = 100_000;
/// And at most this.
const WAITING_LIMIT: u32 = 10_000_000;
/// Most skills of one agent.
const SKILLS_MAX: usize = 64;

fn display_name(field: &'static str, value: &str) -> Result<Text, ApiError> {
    Ok(code(field, value, 128)?.into())
}

fn pool(field: &'static str, name: &str, tenant: &Tenant, floor: &Floor) -> Result<PoolKey, ApiError> {
    let id = if name.is_empty() { MAIN_POOL } else { tenant.id(field, name, "pools")? };
    let key = floor.pools.key(id).and_then(|key| u16::try_from(key).ok());
    key.map(PoolKey)
        .ok_or_else(|| ApiError::not_found(field, "POOL_NOT_FOUND", &format!("pool {}", shown(id))))
}

/// A pool as configured.
pub fn define_pool(pool: &proto::Pool) -> Result<Definition, ApiError> {
    Ok(Definition::Pool { display_name: display_name("pool.display_name", &pool.display_name)? })
}

/// A skill as configured.
pub fn define_skill(skill: &proto::Skill) -> Result<Definition, ApiError> {
    Ok(Definition::Skill { display_name: display_name("skill.display_name", &skill.display_name)? })
}

/// A queue as configured.
pub fn define_queue(queue: &proto::Queue, tenant: &Tenant) -> Result<Definition, ApiError> {
    let floor = &*tenant.shard.floor();
    use proto::queue::{OnAgentLost as Lost, OnExpiry as Policy, WrapUp as Mode};
    let wrap_up_ms = duration_ms("queue.wrap_up_time", queue.wrap_up_time, 0..=3_600_000, WRAP_UP_MS)?;
    let wrap_up = match Mode::try_from(queue.wrap_up) {
        Ok(Mode::Unspecified | Mode::None) => WrapUp::none(),
        Ok(Mode::Timed) => WrapUp::optional(wrap_up_ms),
        Err(_) => {
            return Err(ApiError::field("queue.wrap_up", &queue.wrap_up.to_string(), "1 NONE or 2 TIMED"));
        }
    };
    let on_expiry = match Policy::try_from(queue.on_expiry) {
        Ok(Policy::Unspecified | Policy::NotRespondingUntilBack) => OnExpiry::NotResponding,
        Ok(Policy::Stay) => OnExpiry::Stay,
        Err(_) => {
            let wanted = "1 NOT_RESPONDING_UNTIL_BACK or 2 STAY";
            return Err(ApiError::field("queue.on_expiry", &queue.on_expiry.to_string(), wanted));
        }
    };
    let on_agent_lost = match Lost::try_from(queue.on_agent_lost) {
        Ok(Lost::Unspecified | Lost::Requeue) => OnAgentLost::Requeue,
        Ok(Lost::Keep) => OnAgentLost::Keep,
        Err(_) => {
            let got = queue.on_agent_lost.to_string();
            return Err(ApiError::field("queue.on_agent_lost", &got, "1 REQUEUE or 2 KEEP"));
        }
    };
    let waiting_max = match queue.waiting_max {
        0 => WAITING_MAX,
        max if max <= WAITING_LIMIT => max,
        max => {
            let wanted = format!("1 to {WAITING_LIMIT}, or 0 for {WAITING_MAX}");
            return Err(ApiError::field("queue.waiting_max", &max.to_string(), &wanted));
        }
    };
    Ok(Definition::Queue(QueueSpec {
        display_name: display_name("queue.display_name", &queue.display_name)?,
        pool: pool("queue.pool", &queue.pool, tenant, floor)?,
        requirements: requirements("queue.requirements", &queue.requirements, tenant, floor)?,
        offer_expiry_ms: duration_ms(
            "queue.offer_expiry",
            queue.offer_expiry,
            1_000..=600_000,
            OFFER_EXPIRY_MS,
        )?,
        on_expiry,
        on_agent_lost,
        wrap_up,
        broadcast: 1,
        hours: None,
        pull: false,
        waiting_max,
    }))
}

/// An agent as configured.
pub fn define_agent(agent: &proto::Agent, tenant: &Tenant) -> Result<Definition, ApiError> {
    let floor = &*tenant.shard.floor();
    let open_offers_max = match agent.open_offers_max {
        0 => 1,
        max => bounded("agent.open_offers_max", max, 1_000)?,
    };
    let capacity = match agent.capacity {
        0 => CAPACITY_DEFAULT,
        units => bounded("agent.capacity", units, 1_000)?,
    };
    Ok(Definition::Agent(AgentSpec {
        display_name: display_name("agent.display_name", &agent.display_name)?,
        pool: pool("agent.pool", &agent.pool, tenant, floor)?,
        skills: skills(&agent.skills, tenant, floor)?,
        group: None,
        capacity: Some(CapacitySpec {
            units: capacity,
            channels: channels(&agent.channels)?,
            open_offers_max,
            shift_overrun_ms: 0,
        }),
        shift: None,
        bot: false,
    }))
}

fn skills(asked: &[proto::AgentSkill], tenant: &Tenant, floor: &Floor) -> Result<Vec<Skill>, ApiError> {
    let field = "agent.skills";
    if asked.len() > SKILLS_MAX {
        return Err(ApiError::field(field, &asked.len().to_string(), &format!("at most {SKILLS_MAX}")));
    }
    let mut skills = Vec::with_capacity(asked.len());
    for one in asked {
        let skill = skill(field, &one.skill, tenant, floor)?;
        skills.push(Skill { skill, proficiency: proficiency(field, one.proficiency)?, expires: None });
    }
    skills.sort();
    match skills.windows(2).find(|pair| pair[0].skill == pair[1].skill) {
        Some(_) => Err(ApiError::field(field, "a skill twice", "each skill once")),
        None => Ok(skills),
    }
}

fn channels(asked: &[proto::ChannelCapacity]) -> Result<[ChannelCapacity; 7], ApiError> {
    let mut channels = channels_default();
    let mut named = Vec::new();
    for one in asked {
        let channel = channel("agent.channels.channel", one.channel)?;
        if named.contains(&channel) {
            return Err(ApiError::field("agent.channels", "a channel twice", "each channel once"));
        }
        named.push(channel);
        channels[channel.index()] = ChannelCapacity {
            units: bounded("agent.channels.units", one.units, 1_000)?,
            limit: bounded("agent.channels.limit", one.limit, 1_000)?,
            daily_max: None,
            interruptible_by: ChannelSet::default(),
        };
    }
    Ok(channels)
}

fn bounded(field: &'static str, value: u32, max: u16) -> Result<u16, ApiError> {
    let fits = u16::try_from(value).ok().filter(|value| *value <= max);
    fits.ok_or_else(|| ApiError::field(field, &value.to_string(), &format!("at most {max}")))
}

fn etag(revision: u64) -> String {
    revision.to_string()
}

impl Tenant {
    fn pool_name(&self, pool: PoolKey, floor: &Floor) -> String {
        let entry = floor.pools.get(u32::from(pool.0));
        entry.map_or_else(String::new, |entry| self.name_of("pools", &entry.name))
    }

    /// A pool.
    pub fn show_pool(&self, entry: &Entry<Text>) -> proto::Pool {
        proto::Pool {
            name: self.name_of("pools", &entry.name),
            display_name: entry.spec.to_string(),
            etag: etag(entry.revision),
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
        use proto::queue::{OnAgentLost as Lost, OnExpiry as Policy, WrapUp as Mode};
        let spec = &entry.spec;
        let (wrap_up, wrap_up_time) = match spec.wrap_up.mode {
            WrapUpMode::None => (Mode::None, None),
            WrapUpMode::Optional | WrapUpMode::Mandatory => (Mode::Timed, Some(millis(spec.wrap_up.ms))),
        };
        let on_expiry = match spec.on_expiry {
            OnExpiry::NotResponding | OnExpiry::Recover { .. } => Policy::NotRespondingUntilBack,
            OnExpiry::Stay => Policy::Stay,
        };
        let on_agent_lost = match spec.on_agent_lost {
            OnAgentLost::Requeue => Lost::Requeue,
            OnAgentLost::Keep => Lost::Keep,
        };
        proto::Queue {
            name: self.name_of("queues", &entry.name),
            display_name: spec.display_name.to_string(),
            pool: self.pool_name(spec.pool, floor),
            requirements: self.requirements(&spec.requirements, floor),
            offer_expiry: Some(millis(spec.offer_expiry_ms)),
            on_expiry: on_expiry.into(),
            on_agent_lost: on_agent_lost.into(),
            wrap_up: wrap_up.into(),
            wrap_up_time,
            waiting_max: spec.waiting_max,
            etag: etag(entry.revision),
        }
    }

    /// An agent, without how they are right now.
    pub fn show_agent(&self, entry: &Entry<AgentSpec>, floor: &Floor) -> proto::Agent {
        let spec = &entry.spec;
        let skills = spec.skills.iter().filter_map(|held| {
            let skill = floor.skills.get(u32::from(held.skill.0))?;
            Some(proto::AgentSkill {
                skill: self.name_of("skills", &skill.name),
                proficiency: held.proficiency.into(),
            })
        });
        let capacity = spec.capacity.clone().unwrap_or_default();
        let channels = Channel::ALL.iter().map(|channel| proto::ChannelCapacity {
            channel: super::convert::channel_code(*channel),
            units: capacity.of(*channel).units.into(),
            limit: capacity.of(*channel).limit.into(),
        });
        proto::Agent {
            name: self.name_of("agents", &entry.name),
            display_name: spec.display_name.to_string(),
            pool: self.pool_name(spec.pool, floor),
            skills: skills.collect(),
            capacity: capacity.units.into(),
            channels: channels.collect(),
            etag: etag(entry.revision),
            status: None,
            open_offers_max: capacity.open_offers_max.into(),
        }
    }
}
