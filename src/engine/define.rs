//! Configuration of the floor: checked against what is there, then told as an event like everything else.

use super::agent::{Agent, Presence};
use super::capacity::CapacitySpec;
use super::command::{Answer, Refusal, Write};
use super::deadline::Deadline;
use super::event::Event;
use super::floor::{Definition, Entry, Kind, Table};
use super::hours::time_zone;
use super::ids::{AgentKey, GroupKey, HoursKey, PoolKey, QueueKey, SkillKey, Text};
use super::shard::{Shard, Step};
use super::skill::Requirement;
use std::sync::Arc;

/// Most entries a floor may ever have had, by kind. Keys are not used again.
pub fn max(kind: Kind) -> u32 {
    match kind {
        Kind::Pool | Kind::Skill | Kind::Queue | Kind::Group | Kind::Hours => 60_000,
        Kind::Agent => 200_000,
    }
}

impl Step<'_> {
    pub fn define(&mut self, name: Text, definition: Definition, write: Write) -> Result<Answer, Refusal> {
        let kind = definition.kind();
        let key = match (self.shard.current(kind, &name), write) {
            (Some(_), Write::Create) => return Err(Refusal::AlreadyDefined { kind, name }),
            (None, Write::Update { .. }) => return Err(Refusal::NotDefined { kind, name }),
            (None, Write::Create) => self.shard.next_key(kind)?,
            (Some((key, current)), Write::Update { revision }) => {
                matches_etag(kind, &name, revision, current)?;
                key
            }
        };
        self.shard.check_references(&definition)?;
        self.shard.check_pool_change(key, &definition)?;
        self.emit(Event::Defined { key, name, definition: Box::new(definition) });
        let revision = self.shard.sequence.0;
        self.consider(kind, key);
        Ok(Answer::Defined { key, revision })
    }

    /// What was configured may let somebody work, or somebody in.
    fn consider(&mut self, kind: Kind, key: u32) {
        match kind {
            Kind::Agent => self.seek_work(AgentKey(key)),
            Kind::Group => {
                for agent in self.shard.agents_in(GroupKey(small(key))) {
                    self.seek_work(agent);
                }
            }
            Kind::Hours => self.look_up_hours(HoursKey(small(key))),
            Kind::Queue => {
                let in_line = self.release_held();
                in_line.into_iter().for_each(|interaction| self.line_up(interaction));
            }
            Kind::Pool => self.consider_pool(PoolKey(small(key))),
            Kind::Skill => {}
        }
    }

    pub fn remove(&mut self, kind: Kind, name: &Text, revision: Option<u64>) -> Result<Answer, Refusal> {
        let Some((key, current)) = self.shard.current(kind, name) else {
            return Err(Refusal::NotDefined { kind, name: name.clone() });
        };
        matches_etag(kind, name, revision, current)?;
        if let Some(by) = self.shard.user_of(kind, key) {
            return Err(Refusal::InUse { kind, name: name.clone(), by });
        }
        self.emit(Event::Removed { kind, key });
        Ok(Answer::Done)
    }
}

fn matches_etag(kind: Kind, name: &Text, revision: Option<u64>, current: u64) -> Result<(), Refusal> {
    match revision {
        Some(got) if got != current => Err(Refusal::EtagMismatch { kind, name: name.clone(), got, current }),
        _ => Ok(()),
    }
}

impl Shard {
    fn current(&self, kind: Kind, name: &str) -> Option<(u32, u64)> {
        fn of<T>(table: &Table<T>, name: &str) -> Option<(u32, u64)> {
            let key = table.key(name)?;
            table.get(key).map(|entry| (key, entry.revision))
        }
        match kind {
            Kind::Pool => of(&self.floor.pools, name),
            Kind::Skill => of(&self.floor.skills, name),
            Kind::Queue => of(&self.floor.queues, name),
            Kind::Agent => of(&self.floor.agents, name),
            Kind::Group => of(&self.floor.groups, name),
            Kind::Hours => of(&self.floor.hours, name),
        }
    }

    fn next_key(&self, kind: Kind) -> Result<u32, Refusal> {
        let key = match kind {
            Kind::Pool => self.floor.pools.next_key(),
            Kind::Skill => self.floor.skills.next_key(),
            Kind::Queue => self.floor.queues.next_key(),
            Kind::Agent => self.floor.agents.next_key(),
            Kind::Group => self.floor.groups.next_key(),
            Kind::Hours => self.floor.hours.next_key(),
        };
        let max = max(kind);
        if key < max { Ok(key) } else { Err(Refusal::TooMany { kind, max }) }
    }

    fn check_references(&self, definition: &Definition) -> Result<(), Refusal> {
        match definition {
            Definition::Pool(_) | Definition::Skill { .. } | Definition::Group(_) => Ok(()),
            Definition::Hours(hours) => match time_zone(&hours.time_zone) {
                Some(_) => Ok(()),
                None => Err(Refusal::TimeZoneUnknown { name: hours.time_zone.clone() }),
            },
            Definition::Queue(queue) => {
                self.check_pool(queue.pool)?;
                self.check_hours(queue.hours)?;
                self.check_skills(&queue.requirements)
            }
            Definition::Agent(agent) => {
                self.check_pool(agent.pool)?;
                self.check_hours(agent.shift)?;
                agent.group.map_or(Ok(()), |group| self.check_group(group))?;
                agent.estimates.iter().try_for_each(|known| self.check_queue(known.queue))?;
                agent.skills.iter().try_for_each(|held| self.check_skill(held.skill))
            }
        }
    }

    fn check_pool(&self, pool: PoolKey) -> Result<(), Refusal> {
        let known = self.floor.pools.live(u32::from(pool.0)).is_some();
        known.then_some(()).ok_or_else(|| Refusal::NotDefined { kind: Kind::Pool, name: numbered(pool.0) })
    }

    fn check_queue(&self, queue: QueueKey) -> Result<(), Refusal> {
        let known = self.floor.queues.live(u32::from(queue.0)).is_some();
        known.then_some(()).ok_or_else(|| Refusal::NotDefined { kind: Kind::Queue, name: numbered(queue.0) })
    }

    fn check_skill(&self, skill: SkillKey) -> Result<(), Refusal> {
        let known = self.floor.skills.live(u32::from(skill.0)).is_some();
        known.then_some(()).ok_or_else(|| Refusal::NotDefined { kind: Kind::Skill, name: numbered(skill.0) })
    }

    pub(super) fn check_group(&self, group: GroupKey) -> Result<(), Refusal> {
        let known = self.floor.groups.live(u32::from(group.0)).is_some();
        known.then_some(()).ok_or_else(|| Refusal::NotDefined { kind: Kind::Group, name: numbered(group.0) })
    }

    fn check_hours(&self, hours: Option<HoursKey>) -> Result<(), Refusal> {
        let Some(hours) = hours else { return Ok(()) };
        let known = self.floor.hours.live(u32::from(hours.0)).is_some();
        known.then_some(()).ok_or_else(|| Refusal::NotDefined { kind: Kind::Hours, name: numbered(hours.0) })
    }

    pub(super) fn check_skills(&self, needs: &[Requirement]) -> Result<(), Refusal> {
        needs.iter().try_for_each(|need| self.check_skill(need.skill))
    }

    /// Work in hand and work in line belong to the pool they were taken in.
    fn check_pool_change(&self, key: u32, definition: &Definition) -> Result<(), Refusal> {
        match definition {
            Definition::Agent(spec) => match self.agents.get(key as usize) {
                Some(agent)
                    if agent.presence != Presence::SignedOut && self.spec(agent.key).pool != spec.pool =>
                {
                    Err(Refusal::SignedIn)
                }
                _ => Ok(()),
            },
            Definition::Queue(spec) => match self.floor.queues.get(key) {
                Some(entry) if !entry.removed && entry.spec.pool != spec.pool => Err(Refusal::InUse {
                    kind: Kind::Pool,
                    name: entry.name.clone(),
                    by: "the queue itself".into(),
                }),
                _ => Ok(()),
            },
            Definition::Pool(_) | Definition::Skill { .. } | Definition::Group(_) | Definition::Hours(_) => {
                Ok(())
            }
        }
    }

    /// Something that would break if this were removed.
    fn user_of(&self, kind: Kind, key: u32) -> Option<Text> {
        match kind {
            Kind::Pool => self.pool_user(key),
            Kind::Skill => self.skill_user(key),
            Kind::Queue => self.queue_user(key),
            Kind::Agent => {
                let agent = &self.agents[key as usize];
                let busy = agent.presence != Presence::SignedOut || !agent.is_empty_handed();
                busy.then(|| "the agent, who is signed in or has work in hand".into())
            }
            Kind::Group => self.group_user(GroupKey(small(key))),
            Kind::Hours => self.hours_user(HoursKey(small(key))),
        }
    }

    fn pool_user(&self, key: u32) -> Option<Text> {
        if key == 0 {
            return Some("everything that names no other pool".into());
        }
        let queue = self.floor.queues.by_name().find(|(_, queue)| u32::from(queue.spec.pool.0) == key);
        let agent = self.floor.agents.by_name().find(|(_, agent)| u32::from(agent.spec.pool.0) == key);
        queue.map(|(_, entry)| entry.name.clone()).or_else(|| agent.map(|(_, entry)| entry.name.clone()))
    }

    fn skill_user(&self, key: u32) -> Option<Text> {
        let asks = |needs: &[Requirement]| needs.iter().any(|need| u32::from(need.skill.0) == key);
        let queue = self.floor.queues.by_name().find(|(_, queue)| asks(&queue.spec.requirements));
        let agent = self
            .floor
            .agents
            .by_name()
            .find(|(_, agent)| agent.spec.skills.iter().any(|held| u32::from(held.skill.0) == key));
        let lane = self.lines.lanes().find(|(_, lane)| {
            lane.is_needed() && lane.id.needs.iter().any(|needs| asks(&needs.requirements))
        });
        queue
            .map(|(_, entry)| entry.name.clone())
            .or_else(|| agent.map(|(_, entry)| entry.name.clone()))
            .or_else(|| lane.map(|_| "waiting interactions".into()))
    }

    fn group_user(&self, group: GroupKey) -> Option<Text> {
        let agent = self.floor.agents.by_name().find(|(_, agent)| agent.spec.group == Some(group));
        let asks = |(_, lane): &(_, &super::queue::Lane)| {
            lane.is_needed() && lane.id.needs.iter().any(|needs| needs.groups.contains(&group))
        };
        let lane = self.lines.lanes().find(asks);
        agent.map(|(_, entry)| entry.name.clone()).or_else(|| lane.map(|_| "waiting interactions".into()))
    }

    fn hours_user(&self, hours: HoursKey) -> Option<Text> {
        let queue = self.floor.queues.by_name().find(|(_, queue)| queue.spec.hours == Some(hours));
        let agent = self.floor.agents.by_name().find(|(_, agent)| agent.spec.shift == Some(hours));
        queue.map(|(_, entry)| entry.name.clone()).or_else(|| agent.map(|(_, entry)| entry.name.clone()))
    }

    /// The agents of a group, in the order of their keys.
    fn agents_in(&self, group: GroupKey) -> Vec<AgentKey> {
        let of = |agent: &&Arc<Agent>| self.spec(agent.key).group == Some(group);
        self.agents.iter().filter(of).map(|agent| agent.key).collect()
    }

    fn queue_user(&self, key: u32) -> Option<Text> {
        let open = self.tally.of(QueueKey(small(key))).open();
        (open > 0).then(|| format!("{open} open interactions").into())
    }

    pub(super) fn defined(&mut self, key: u32, name: &Text, definition: &Definition) {
        self.checked.forget_all();
        let revision = self.sequence.0;
        match definition {
            Definition::Pool(spec) => {
                self.floor.pools.put(key, entry(name, *spec.clone(), revision));
                self.begin_trial(PoolKey(small(key)));
            }
            Definition::Skill { display_name } => {
                self.floor.skills.put(key, entry(name, display_name.clone(), revision));
            }
            Definition::Queue(spec) => self.floor.queues.put(key, entry(name, spec.clone(), revision)),
            Definition::Group(spec) => {
                self.daily_maxima |= spec.capacity.has_daily_maximum();
                self.floor.groups.put(key, entry(name, spec.clone(), revision));
                for agent in self.agents_in(GroupKey(small(key))) {
                    self.reindex(agent);
                }
            }
            Definition::Hours(spec) => self.floor.hours.put(key, entry(name, spec.clone(), revision)),
            Definition::Agent(spec) => {
                self.daily_maxima |= spec.capacity.as_ref().is_some_and(CapacitySpec::has_daily_maximum);
                let old = self.floor.agents.get(key).map(|known| known.spec.skills.clone());
                self.floor.agents.put(key, entry(name, spec.clone(), revision));
                if self.agents.len() == key as usize {
                    self.agents.push(Arc::new(Agent::new(AgentKey(key), self.now)));
                }
                self.arm_skills(AgentKey(key), &old.unwrap_or_default());
                self.find_profile(AgentKey(key));
                self.reindex(AgentKey(key));
            }
        }
    }

    pub(super) fn removed(&mut self, kind: Kind, key: u32) {
        self.checked.forget_all();
        match kind {
            Kind::Pool => {
                self.floor.pools.remove(key);
                let pool = PoolKey(small(key));
                self.arms.remove(&pool);
                self.deadlines.disarm(Deadline::Block(pool));
            }
            Kind::Skill => self.floor.skills.remove(key),
            Kind::Queue => self.floor.queues.remove(key),
            Kind::Group => self.floor.groups.remove(key),
            Kind::Hours => {
                self.floor.hours.remove(key);
                let hours = HoursKey(small(key));
                self.phases.remove(&hours);
                self.deadlines.disarm(Deadline::Hours(hours));
            }
            Kind::Agent => {
                self.floor.agents.remove(key);
                self.find_profile(AgentKey(key));
                self.reindex(AgentKey(key));
            }
        }
    }
}

fn entry<T>(name: &Text, spec: T, revision: u64) -> Entry<T> {
    Entry { name: name.clone(), spec, revision, removed: false }
}

fn small(key: u32) -> u16 {
    u16::try_from(key).expect("but for agents, keys are u16")
}

fn numbered(key: u16) -> Text {
    format!("number {key}").into()
}
