//! What is configured; agents come, pause and go; sources come and go; supervisors decide; hours turn.

use super::state::{Person, Thing, Twin};
use baton::engine::agent::{Liveness, Presence};
use baton::engine::command::{Answer, Refusal, Write};
use baton::engine::event::{Event, ExitCause};
use baton::engine::floor::{Definition, Kind};
use baton::engine::hours::{phase, time_zone};
use baton::engine::ids::{GroupKey, HoursKey, PoolKey, SkillKey, Text};
use baton::engine::interaction::State;
use baton::engine::route::Exit;
use baton::engine::time::Time;

fn find<T>(things: &[Thing<T>], name: &str) -> Option<(usize, u64)> {
    let at = things.iter().position(|thing| !thing.removed && &*thing.name == name)?;
    Some((at, things[at].revision))
}

fn live<T>(things: &[Thing<T>], index: usize) -> bool {
    things.get(index).is_some_and(|thing| !thing.removed)
}

fn put<T>(things: &mut Vec<Thing<T>>, at: usize, thing: Thing<T>) {
    if at < things.len() {
        things[at] = thing;
    } else {
        things.push(thing);
    }
}

fn small(at: usize) -> u16 {
    u16::try_from(at).expect("few")
}

fn unknown(kind: Kind) -> Refusal {
    Refusal::NotDefined { kind, name: "".into() }
}

impl Twin {
    pub fn current(&self, kind: Kind, name: &str) -> Option<(usize, u64)> {
        match kind {
            Kind::Pool => find(&self.pools, name),
            Kind::Skill => find(&self.skills, name),
            Kind::Queue => find(&self.queues, name),
            Kind::Agent => find(&self.agents, name),
            Kind::Group => find(&self.groups, name),
            Kind::Hours => find(&self.hours, name),
        }
    }

    pub fn define(&mut self, name: Text, definition: Definition, write: Write) -> Result<Answer, Refusal> {
        let kind = definition.kind();
        let there = [
            self.pools.len(),
            self.skills.len(),
            self.queues.len(),
            self.agents.len(),
            self.groups.len(),
            self.hours.len(),
        ];
        let at = match (self.current(kind, &name), write) {
            (Some(_), Write::Create) => return Err(Refusal::AlreadyDefined { kind, name }),
            (None, Write::Update { .. }) => return Err(Refusal::NotDefined { kind, name }),
            (None, Write::Create) => there[kind as usize],
            (Some((_, current)), Write::Update { revision: Some(got) }) if got != current => {
                return Err(Refusal::EtagMismatch { kind, name, got, current });
            }
            (Some((at, _)), Write::Update { .. }) => at,
        };
        self.check(at, &definition)?;
        let key = u32::try_from(at).expect("few");
        self.tell(Event::Defined { key, name: name.clone(), definition: definition.clone() });
        let revision = self.sequence;
        self.write(at, name, definition, revision);
        self.consider(kind, at);
        Ok(Answer::Defined { key, revision })
    }

    pub fn check(&self, at: usize, definition: &Definition) -> Result<(), Refusal> {
        let pool = |pool: PoolKey| live(&self.pools, pool.index()).then_some(()).ok_or(unknown(Kind::Pool));
        let skill =
            |skill: SkillKey| live(&self.skills, skill.index()).then_some(()).ok_or(unknown(Kind::Skill));
        let hours = |hours: Option<HoursKey>| {
            let known = hours.is_none_or(|hours| live(&self.hours, hours.index()));
            known.then_some(()).ok_or(unknown(Kind::Hours))
        };
        match definition {
            Definition::Hours(spec) if time_zone(&spec.time_zone).is_none() => {
                return Err(Refusal::TimeZoneUnknown { name: spec.time_zone.clone() });
            }
            Definition::Queue(spec) => {
                pool(spec.pool)?;
                hours(spec.hours)?;
                spec.requirements.iter().try_for_each(|need| skill(need.skill))?;
                if self.queues.get(at).is_some_and(|old| old.spec.pool != spec.pool) {
                    let kind = Kind::Pool;
                    return Err(Refusal::InUse { kind, name: "".into(), by: "".into() });
                }
            }
            Definition::Agent(spec) => {
                pool(spec.pool)?;
                hours(spec.shift)?;
                if spec.group.is_some_and(|group| !live(&self.groups, group.index())) {
                    return Err(unknown(Kind::Group));
                }
                spec.skills.iter().try_for_each(|held| skill(held.skill))?;
                let moves = self.agents.get(at).is_some_and(|old| old.spec.pool != spec.pool);
                if moves && self.people[at].presence != Presence::SignedOut {
                    return Err(Refusal::SignedIn);
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub fn write(&mut self, at: usize, name: Text, definition: Definition, revision: u64) {
        macro_rules! thing {
            ($spec:expr) => {
                Thing { name, spec: $spec, revision, removed: false }
            };
        }
        match definition {
            Definition::Pool { .. } => put(&mut self.pools, at, thing!(())),
            Definition::Skill { .. } => put(&mut self.skills, at, thing!(())),
            Definition::Queue(spec) => put(&mut self.queues, at, thing!(spec)),
            Definition::Group(spec) => put(&mut self.groups, at, thing!(spec)),
            Definition::Hours(spec) => put(&mut self.hours, at, thing!(spec)),
            Definition::Agent(spec) => {
                put(&mut self.agents, at, thing!(spec));
                if self.people.len() == at {
                    self.people.push(Person {
                        presence: Presence::SignedOut,
                        reason: Text::default(),
                        pending: None,
                        liveness: Liveness::Offline,
                        session: None,
                        not_responding: false,
                        recovers: None,
                        idle_since: self.now,
                        day_ends: Time::default(),
                        accepted: [0; 7],
                        new_day: None,
                    });
                }
            }
        }
    }

    pub fn consider(&mut self, kind: Kind, at: usize) {
        match kind {
            Kind::Agent => self.seek_work(at),
            Kind::Group => {
                let group = Some(GroupKey(small(at)));
                for agent in 0..self.people.len() {
                    if self.agents[agent].spec.group == group {
                        self.seek_work(agent);
                    }
                }
            }
            Kind::Hours => self.look_up(HoursKey(small(at))),
            Kind::Queue => {
                let in_line = self.release_held();
                in_line.into_iter().for_each(|item| self.line_up(item));
            }
            Kind::Pool | Kind::Skill => {}
        }
    }

    pub fn remove(&mut self, kind: Kind, name: &Text, revision: Option<u64>) -> Result<Answer, Refusal> {
        let (at, current) = self.current(kind, name).ok_or(unknown(kind))?;
        if let Some(got) = revision.filter(|got| *got != current) {
            return Err(Refusal::EtagMismatch { kind, name: name.clone(), got, current });
        }
        if self.is_used(kind, at) {
            return Err(Refusal::InUse { kind, name: name.clone(), by: "".into() });
        }
        self.tell(Event::Removed { kind, key: u32::try_from(at).expect("few") });
        match kind {
            Kind::Pool => self.pools[at].removed = true,
            Kind::Skill => self.skills[at].removed = true,
            Kind::Queue => self.queues[at].removed = true,
            Kind::Agent => self.agents[at].removed = true,
            Kind::Group => self.groups[at].removed = true,
            Kind::Hours => {
                self.hours[at].removed = true;
                self.phases.retain(|(hours, _)| hours.index() != at);
            }
        }
        Ok(Answer::Done)
    }

    pub fn is_used(&self, kind: Kind, at: usize) -> bool {
        let queue = |uses: &dyn Fn(&baton::engine::floor::QueueSpec) -> bool| {
            self.queues.iter().any(|queue| !queue.removed && uses(&queue.spec))
        };
        let agent = |uses: &dyn Fn(&baton::engine::floor::AgentSpec) -> bool| {
            self.agents.iter().any(|agent| !agent.removed && uses(&agent.spec))
        };
        // What is needed now by one that is not over, or of a second agent sought for it.
        let line = |uses: &dyn Fn(&baton::engine::route::Needs) -> bool| {
            let open = self.items.iter().filter(|item| !item.state.is_over());
            open.into_iter().any(|item| {
                item.needs().iter().any(uses)
                    || super::state::needs_at(item.way(), item.step).iter().any(uses)
            })
        };
        match kind {
            Kind::Pool => {
                at == 0 || queue(&|spec| spec.pool.index() == at) || agent(&|spec| spec.pool.index() == at)
            }
            Kind::Skill => {
                queue(&|spec| spec.requirements.iter().any(|need| need.skill.index() == at))
                    || agent(&|spec| spec.skills.iter().any(|held| held.skill.index() == at))
                    || line(&|needs| needs.requirements.iter().any(|need| need.skill.index() == at))
            }
            Kind::Queue => self.items.iter().any(|item| item.queue().index() == at && !item.state.is_over()),
            Kind::Agent => self.people[at].presence != Presence::SignedOut || !self.empty_handed(at),
            Kind::Group => {
                agent(&|spec| spec.group.is_some_and(|group| group.index() == at))
                    || line(&|needs| needs.groups.iter().any(|group| group.index() == at))
            }
            Kind::Hours => {
                queue(&|spec| spec.hours.is_some_and(|hours| hours.index() == at))
                    || agent(&|spec| spec.shift.is_some_and(|hours| hours.index() == at))
            }
        }
    }

    // ---- hours ----

    pub fn look_up(&mut self, hours: HoursKey) {
        let Some(thing) = self.hours.get(hours.index()).filter(|thing| !thing.removed) else { return };
        let (before, now) = (self.phase_of(Some(hours)), phase(&thing.spec, self.now));
        if before == Some(now) {
            return;
        }
        self.tell(Event::HoursTurned { hours, phase: now });
        self.phases.retain(|(key, _)| *key != hours);
        self.phases.push((hours, now));
        let mut in_line = Vec::new();
        if now.open {
            in_line = self.release_held();
        } else if before.is_none_or(|before| before.open) {
            self.close_queues(hours);
        }
        for agent in 0..self.people.len() {
            if self.agents[agent].spec.shift == Some(hours) {
                self.seek_work(agent);
            }
        }
        in_line.into_iter().for_each(|item| self.line_up(item));
    }

    pub fn close_queues(&mut self, hours: HoursKey) {
        let mut waiting = Vec::new();
        for item in 0..self.items.len() {
            let one = &self.items[item];
            if one.state == State::Waiting && self.queue(one.queue()).hours == Some(hours) {
                waiting.push((one.queue(), one.entered, item));
            }
        }
        waiting.sort();
        for (_, _, item) in waiting {
            let exit = self.items[item].way().at_closing.clone();
            if self.items[item].state == State::Waiting && exit != Exit::Keep {
                self.take_exit(item, &exit, ExitCause::QueueClosed);
            }
        }
    }
}
