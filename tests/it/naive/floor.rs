//! What exists, and how agents come and go.

use super::twin::{Job, Person, Thing, Twin};
use baton::engine::agent::{Liveness, Presence};
use baton::engine::command::{Answer, Refusal, Write};
use baton::engine::event::{Event, RescindCause};
use baton::engine::floor::{Definition, Kind, OnAgentLost};
use baton::engine::ids::{AgentKey, PoolKey, SessionId, SkillKey, Text};
use baton::engine::interaction::State;
use baton::engine::plan::Channel;
use baton::engine::time::Time;

type Answered = Result<Answer, Refusal>;

impl Twin {
    pub fn define(&mut self, name: Text, definition: Definition, write: Write) -> Answered {
        let kind = definition.kind();
        let known = self.find(kind, &name);
        let key = match (known, write) {
            (Some(_), Write::Create) => return Err(Refusal::AlreadyDefined { kind, name }),
            (None, Write::Update { .. }) => return Err(Refusal::NotDefined { kind, name }),
            (None, Write::Create) => self.count(kind),
            (Some((key, current)), Write::Update { revision }) => {
                if let Some(got) = revision.filter(|got| *got != current) {
                    return Err(Refusal::EtagMismatch { kind, name, got, current });
                }
                key
            }
        };
        self.check_names(&definition)?;
        self.check_pool_stays(known.map(|_| key), &definition)?;
        let number = u32::try_from(key).expect("a small floor");
        let told = Event::Defined { key: number, name: name.clone(), definition: definition.clone() };
        self.tell(told);
        let (now, revision) = (self.now, self.sequence);
        match definition {
            Definition::Pool { .. } => put(&mut self.pools, key, name, (), revision),
            Definition::Skill { .. } => put(&mut self.skills, key, name, (), revision),
            Definition::Queue(spec) => put(&mut self.queues, key, name, spec, revision),
            Definition::Agent(spec) => {
                put(&mut self.agents, key, name, spec, revision);
                if known.is_none() {
                    self.people.push(newcomer(now));
                }
                self.seek_work(AgentKey(number));
            }
        }
        Ok(Answer::Defined { key: number, revision })
    }

    pub fn remove(&mut self, kind: Kind, name: Text, revision: Option<u64>) -> Answered {
        let Some((key, current)) = self.find(kind, &name) else {
            return Err(Refusal::NotDefined { kind, name });
        };
        if let Some(got) = revision.filter(|got| *got != current) {
            return Err(Refusal::EtagMismatch { kind, name, got, current });
        }
        if self.in_use(kind, key) {
            return Err(Refusal::InUse { kind, name, by: Text::default() });
        }
        self.tell(Event::Removed { kind, key: u32::try_from(key).expect("a small floor") });
        match kind {
            Kind::Pool => self.pools[key].removed = true,
            Kind::Skill => self.skills[key].removed = true,
            Kind::Queue => self.queues[key].removed = true,
            Kind::Agent => self.agents[key].removed = true,
        }
        Ok(Answer::Done)
    }

    fn find(&self, kind: Kind, name: &str) -> Option<(usize, u64)> {
        fn among<T>(things: &[Thing<T>], name: &str) -> Option<(usize, u64)> {
            let key = things.iter().position(|thing| !thing.removed && &*thing.name == name)?;
            Some((key, things[key].revision))
        }
        match kind {
            Kind::Pool => among(&self.pools, name),
            Kind::Skill => among(&self.skills, name),
            Kind::Queue => among(&self.queues, name),
            Kind::Agent => among(&self.agents, name),
        }
    }

    fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Pool => self.pools.len(),
            Kind::Skill => self.skills.len(),
            Kind::Queue => self.queues.len(),
            Kind::Agent => self.agents.len(),
        }
    }

    fn check_names(&self, definition: &Definition) -> Result<(), Refusal> {
        match definition {
            Definition::Pool { .. } | Definition::Skill { .. } => Ok(()),
            Definition::Queue(spec) => {
                self.check_pool(spec.pool)?;
                spec.requirements.iter().try_for_each(|need| self.check_skill(need.skill))
            }
            Definition::Agent(spec) => {
                self.check_pool(spec.pool)?;
                spec.skills.iter().try_for_each(|held| self.check_skill(held.skill))
            }
        }
    }

    fn check_pool(&self, pool: PoolKey) -> Result<(), Refusal> {
        let known = self.pools.get(pool.index()).is_some_and(|pool| !pool.removed);
        known.then_some(()).ok_or(Refusal::NotDefined { kind: Kind::Pool, name: Text::default() })
    }

    pub fn check_skill(&self, skill: SkillKey) -> Result<(), Refusal> {
        let known = self.skills.get(skill.index()).is_some_and(|skill| !skill.removed);
        known.then_some(()).ok_or(Refusal::NotDefined { kind: Kind::Skill, name: Text::default() })
    }

    fn check_pool_stays(&self, known: Option<usize>, definition: &Definition) -> Result<(), Refusal> {
        match (known, definition) {
            (Some(key), Definition::Agent(spec)) => {
                let moves = self.agents[key].spec.pool != spec.pool;
                let here = self.people[key].presence != Presence::SignedOut;
                if moves && here { Err(Refusal::SignedIn) } else { Ok(()) }
            }
            (Some(key), Definition::Queue(spec)) if self.queues[key].spec.pool != spec.pool => {
                Err(Refusal::InUse { kind: Kind::Pool, name: Text::default(), by: Text::default() })
            }
            _ => Ok(()),
        }
    }

    fn in_use(&self, kind: Kind, key: usize) -> bool {
        let queues = || self.queues.iter().filter(|queue| !queue.removed);
        let agents = || self.agents.iter().filter(|agent| !agent.removed);
        match kind {
            Kind::Pool => {
                key == 0
                    || queues().any(|queue| queue.spec.pool.index() == key)
                    || agents().any(|agent| agent.spec.pool.index() == key)
            }
            Kind::Skill => {
                queues().any(|queue| queue.spec.requirements.iter().any(|need| need.skill.index() == key))
                    || agents().any(|agent| agent.spec.skills.iter().any(|held| held.skill.index() == key))
                    || self.items.iter().any(|item| {
                        item.state == State::Waiting
                            && item.plan.requirements.iter().any(|need| need.skill.index() == key)
                    })
            }
            Kind::Queue => {
                self.items.iter().any(|item| item.plan.queue.index() == key && !item.state.is_over())
            }
            Kind::Agent => self.people[key].presence != Presence::SignedOut || !self.empty_handed(key),
        }
    }

    // ---- agents come and go ----

    fn known(&self, agent: AgentKey) -> Result<usize, Refusal> {
        let known = self.agents.get(agent.index()).is_some_and(|agent| !agent.removed);
        known.then_some(agent.index()).ok_or(Refusal::AgentUnknown)
    }

    pub fn open_session(&mut self, agent: AgentKey, session: SessionId) -> Answered {
        let index = self.known(agent)?;
        let person = &mut self.people[index];
        let resumed = person.session == Some(session);
        if !resumed || person.liveness != Liveness::Live {
            (person.session, person.liveness) = (Some(session), Liveness::Live);
            self.jobs.iter_mut().filter(|job| job.agent == agent).for_each(|job| job.lost = None);
            self.tell(Event::SessionOpened { agent, session });
            self.seek_work(agent);
        }
        Ok(Answer::SessionOpened { resumed })
    }

    pub fn lose_session(&mut self, agent: AgentKey, session: SessionId) -> Answered {
        let index = self.known(agent)?;
        if self.people[index].session != Some(session) {
            return Err(Refusal::SessionUnknown);
        }
        if self.people[index].liveness == Liveness::Live {
            self.lose(index);
            self.lose_jobs(index, self.now);
            self.tell(Event::SessionLost { agent });
            let back = self.take_back(index, RescindCause::SessionLost);
            back.into_iter().for_each(|item| self.seek_agent(item));
        }
        Ok(Answer::Done)
    }

    /// One who has signed out has gone; anybody else may come back.
    pub fn lose(&mut self, index: usize) {
        let person = &mut self.people[index];
        let gone = person.presence == Presence::SignedOut;
        person.liveness = if gone { Liveness::Offline } else { Liveness::Lost };
    }

    /// Starts the graces of an agent's conversations.
    pub fn lose_jobs(&mut self, index: usize, from: Time) {
        let mine = |job: &&mut Job| job.agent.index() == index && !job.over && job.wrap_up_until.is_none();
        for job in self.jobs.iter_mut().filter(mine) {
            let item = &self.items[job.interaction.0 as usize - 1];
            if self.queues[item.plan.queue.index()].spec.on_agent_lost == OnAgentLost::Keep {
                continue;
            }
            let seconds = match item.channel {
                Channel::Voice | Channel::Video => 20,
                Channel::Chat => 60,
                Channel::Message | Channel::Social => 3_600,
                Channel::Email | Channel::Task => 28_800,
            };
            job.lost = Some(Time(from.0 + seconds * 1_000));
        }
    }

    pub fn set_presence(&mut self, agent: AgentKey, presence: Presence, reason: Text) -> Answered {
        let index = self.known(agent)?;
        let person = &mut self.people[index];
        if presence == Presence::Available {
            if person.liveness == Liveness::Offline {
                return Err(Refusal::NoSession);
            }
            let same = person.presence == presence && person.reason == reason && person.pending.is_none();
            if std::mem::take(&mut person.not_responding) {
                self.tell(Event::Responding { agent });
            }
            if !same {
                self.change_presence(index, presence, reason);
            }
            self.seek_work(agent);
            return Ok(Answer::Done);
        }
        if person.presence == presence && person.reason == reason && person.pending.is_none() {
            self.seek_work(agent);
            return Ok(Answer::Done);
        }
        let back = self.take_back(index, RescindCause::AgentUnavailable);
        if self.empty_handed(index) {
            self.change_presence(index, presence, reason);
        } else {
            self.people[index].pending = Some((presence, reason.clone()));
            self.tell(Event::PresencePending { agent, presence, reason });
        }
        back.into_iter().for_each(|item| self.seek_agent(item));
        Ok(Answer::Done)
    }

    pub fn change_presence(&mut self, index: usize, presence: Presence, reason: Text) {
        let begins = presence == Presence::Available && self.people[index].presence != Presence::Available;
        if begins && self.empty_handed(index) {
            self.people[index].idle_since = self.now;
        }
        let person = &mut self.people[index];
        person.not_responding &= presence != Presence::SignedOut;
        (person.presence, person.reason, person.pending) = (presence, reason.clone(), None);
        if presence == Presence::SignedOut && person.liveness == Liveness::Lost {
            person.liveness = Liveness::Offline;
        }
        let agent = AgentKey(u32::try_from(index).expect("a small floor"));
        self.tell(Event::PresenceChanged { agent, presence, reason });
    }

    /// Who is back in line, in the order of the line.
    fn take_back(&mut self, agent: usize, cause: RescindCause) -> Vec<usize> {
        let mut back = Vec::new();
        for ring in self.rings_at(agent) {
            back.push(self.rings[ring].interaction.0 as usize - 1);
            self.rescind(ring, cause);
        }
        back.sort_by_key(|item| self.place(*item));
        back
    }
}

fn put<T>(things: &mut Vec<Thing<T>>, key: usize, name: Text, spec: T, revision: u64) {
    let thing = Thing { name, spec, revision, removed: false };
    match things.get_mut(key) {
        Some(old) => *old = thing,
        None => things.push(thing),
    }
}

fn newcomer(now: Time) -> Person {
    Person {
        presence: Presence::SignedOut,
        reason: Text::default(),
        pending: None,
        liveness: Liveness::Offline,
        session: None,
        not_responding: false,
        idle_since: now,
    }
}
