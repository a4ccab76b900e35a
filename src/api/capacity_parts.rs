//! What agents can take at once, and the groups and agents that have it: from the protocol and back.

use super::convert::{channel, channel_code, duration_ms, millis, moment, timestamp};
use super::floor_parts::{bounded, display_name, etag, or_default, pool};
use super::intake::{proficiency, skill};
use super::names::shown;
use super::policy_parts::{estimates, share, show_estimates};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::capacity::{CAPACITY_DEFAULT, CapacitySpec, ChannelCapacity, channels_default};
use crate::engine::channel::{Channel, ChannelSet};
use crate::engine::fixed::Part;
use crate::engine::floor::{AgentSpec, Definition, Entry, Floor, GroupSpec};
use crate::engine::ids::{GroupKey, HoursKey};
use crate::engine::skill::Skill;
use crate::proto;

/// Most skills of one agent.
const SKILLS_MAX: usize = 64;
/// Most accepted of a channel a day that can be asked for.
const DAILY_LIMIT: u16 = 10_000;
/// Longest overrun of a shift, ms.
const OVERRUN_MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// The fields of one capacity, wherever they stand.
struct Fields {
    units: &'static str,
    open_offers_max: &'static str,
    channels: &'static str,
    channel: &'static str,
    interruptible_by: &'static str,
    shift_overrun: &'static str,
}

const OF_AGENT: Fields = Fields {
    units: "agent.capacity",
    open_offers_max: "agent.open_offers_max",
    channels: "agent.channels",
    channel: "agent.channels.channel",
    interruptible_by: "agent.channels.interruptible_by",
    shift_overrun: "agent.shift_overrun",
};
const OF_GROUP: Fields = Fields {
    units: "group.capacity.units",
    open_offers_max: "group.capacity.open_offers_max",
    channels: "group.capacity.channels",
    channel: "group.capacity.channels.channel",
    interruptible_by: "group.capacity.channels.interruptible_by",
    shift_overrun: "group.capacity.shift_overrun",
};

/// A group as configured.
pub fn define_group(group: &proto::Group) -> Result<Definition, ApiError> {
    let capacity = group.capacity.clone().unwrap_or_default();
    Ok(Definition::Group(GroupSpec {
        display_name: display_name("group.display_name", &group.display_name)?,
        capacity: capacity_spec(&OF_GROUP, &capacity)?,
    }))
}

/// An agent as configured.
pub fn define_agent(agent: &proto::Agent, tenant: &Tenant) -> Result<Definition, ApiError> {
    let floor = &*tenant.shard.floor();
    let group = group(&agent.group, tenant, floor)?;
    let own = proto::Capacity {
        units: agent.capacity,
        open_offers_max: agent.open_offers_max,
        channels: agent.channels.clone(),
        shift_overrun: agent.shift_overrun,
    };
    let inherits = group.is_some() && own == proto::Capacity::default();
    Ok(Definition::Agent(AgentSpec {
        display_name: display_name("agent.display_name", &agent.display_name)?,
        pool: pool("agent.pool", &agent.pool, tenant, floor)?,
        skills: skills(&agent.skills, tenant, floor)?,
        group,
        capacity: if inherits { None } else { Some(capacity_spec(&OF_AGENT, &own)?) },
        shift: hours("agent.shift", &agent.shift, tenant, floor)?,
        bot: agent.bot,
        estimates: estimates(&agent.estimates, tenant, floor)?,
        acceptance: share("agent.acceptance", agent.acceptance)?,
    }))
}

fn group(name: &str, tenant: &Tenant, floor: &Floor) -> Result<Option<GroupKey>, ApiError> {
    if name.is_empty() {
        return Ok(None);
    }
    let id = tenant.id("agent.group", name, "groups")?;
    let key = floor.groups.key(id).and_then(|key| u16::try_from(key).ok()).map(GroupKey);
    let missing = || ApiError::not_found("agent.group", "GROUP_NOT_FOUND", &format!("group {}", shown(id)));
    key.map(Some).ok_or_else(missing)
}

/// Opening hours or a shift that exist; `None` for always.
pub fn hours(
    field: &'static str,
    name: &str,
    tenant: &Tenant,
    floor: &Floor,
) -> Result<Option<HoursKey>, ApiError> {
    if name.is_empty() {
        return Ok(None);
    }
    let id = tenant.id(field, name, "hours")?;
    let key = floor.hours.key(id).and_then(|key| u16::try_from(key).ok()).map(HoursKey);
    let missing = || ApiError::not_found(field, "HOURS_NOT_FOUND", &format!("hours {}", shown(id)));
    key.map(Some).ok_or_else(missing)
}

fn skills(asked: &[proto::AgentSkill], tenant: &Tenant, floor: &Floor) -> Result<Vec<Skill>, ApiError> {
    let field = "agent.skills";
    if asked.len() > SKILLS_MAX {
        return Err(ApiError::field(field, &asked.len().to_string(), &format!("at most {SKILLS_MAX}")));
    }
    let mut skills = Vec::with_capacity(asked.len());
    for one in asked {
        let skill = skill(field, &one.skill, tenant, floor)?;
        let expires = one.expire_time.map(|at| moment("agent.skills.expire_time", at)).transpose()?;
        skills.push(Skill { skill, proficiency: proficiency(field, one.proficiency)?, expires });
    }
    skills.sort();
    match skills.windows(2).find(|pair| pair[0].skill == pair[1].skill) {
        Some(_) => Err(ApiError::field(field, "a skill twice", "each skill once")),
        None => Ok(skills),
    }
}

fn capacity_spec(fields: &Fields, asked: &proto::Capacity) -> Result<CapacitySpec, ApiError> {
    Ok(CapacitySpec {
        units: or_default(fields.units, asked.units, CAPACITY_DEFAULT, 1_000)?,
        channels: channels(fields, &asked.channels)?,
        open_offers_max: or_default(fields.open_offers_max, asked.open_offers_max, 1, 1_000)?,
        shift_overrun_ms: duration_ms(fields.shift_overrun, asked.shift_overrun, 0..=OVERRUN_MAX_MS, 0)?,
    })
}

fn channels(fields: &Fields, asked: &[proto::ChannelCapacity]) -> Result<[ChannelCapacity; 7], ApiError> {
    let field = fields.channels;
    let mut channels = channels_default();
    let mut named = Vec::new();
    for one in asked {
        let channel = channel(fields.channel, one.channel)?;
        if named.contains(&channel) {
            return Err(ApiError::field(field, "a channel twice", "each channel once"));
        }
        named.push(channel);
        let interruptible_by: Result<Vec<Channel>, ApiError> = one
            .interruptible_by
            .iter()
            .take(Channel::ALL.len() + 1)
            .map(|code| super::convert::channel(fields.interruptible_by, *code))
            .collect();
        let daily_max = match one.daily_max {
            0 => None,
            max => Some(bounded(format!("{field}.daily_max"), max, DAILY_LIMIT)?),
        };
        channels[channel.index()] = ChannelCapacity {
            units: bounded(format!("{field}.units"), one.units, 1_000)?,
            limit: bounded(format!("{field}.limit"), one.limit, 1_000)?,
            daily_max,
            interruptible_by: ChannelSet::of(&interruptible_by?),
        };
    }
    Ok(channels)
}

fn show_channels(spec: &CapacitySpec) -> Vec<proto::ChannelCapacity> {
    let shown = Channel::ALL.into_iter().map(|channel| {
        let takes = spec.of(channel);
        proto::ChannelCapacity {
            channel: channel_code(channel),
            units: takes.units.into(),
            limit: takes.limit.into(),
            daily_max: takes.daily_max.unwrap_or_default().into(),
            interruptible_by: takes.interruptible_by.channels().map(channel_code).collect(),
        }
    });
    shown.collect()
}

fn show_capacity(spec: &CapacitySpec) -> proto::Capacity {
    proto::Capacity {
        units: spec.units.into(),
        open_offers_max: spec.open_offers_max.into(),
        channels: show_channels(spec),
        shift_overrun: Some(millis(spec.shift_overrun_ms)),
    }
}

impl Tenant {
    /// A group of agents.
    pub fn show_group(&self, entry: &Entry<GroupSpec>) -> proto::Group {
        proto::Group {
            name: self.name_of("groups", &entry.name),
            display_name: entry.spec.display_name.to_string(),
            capacity: Some(show_capacity(&entry.spec.capacity)),
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
                expire_time: held.expires.map(timestamp),
            })
        });
        let group = spec.group.and_then(|group| floor.groups.get(u32::from(group.0)));
        let own = spec.capacity.as_ref().map(show_capacity).unwrap_or_default();
        proto::Agent {
            name: self.name_of("agents", &entry.name),
            display_name: spec.display_name.to_string(),
            pool: self.pool_name(spec.pool, floor),
            skills: skills.collect(),
            capacity: own.units,
            channels: own.channels,
            etag: etag(entry.revision),
            status: None,
            open_offers_max: own.open_offers_max,
            group: group.map(|entry| self.name_of("groups", &entry.name)).unwrap_or_default(),
            shift: self.hours_name(spec.shift, floor),
            shift_overrun: own.shift_overrun,
            bot: spec.bot,
            estimates: show_estimates(&spec.estimates, self, floor),
            acceptance: (spec.acceptance < Part::ONE).then(|| f64::from(spec.acceptance.0) / 65_536.0),
        }
    }
}
