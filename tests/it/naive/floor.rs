//! What exists, and how agents come and go.

use super::door::Answered;
use super::look::needs_at;
use super::twin::{Job, Person, Thing, Twin, agent_key};
use baton::engine::agent::{Liveness, Presence};
use baton::engine::command::{Answer, Command, Refusal, Write};
use baton::engine::event::{EndedBy, Event, ExitCause, RescindCause};
use baton::engine::floor::{Definition, Kind, OnAgentLost};
use baton::engine::hours::{phase, time_zone};
use baton::engine::ids::{AgentKey, GroupKey, HoursKey, PoolKey, QueueKey, SessionId, SkillKey, Text};
use baton::engine::plan::Channel;
use baton::engine::route::{Exit, Needs};
use baton::engine::time::Time;

impl Twin {
    pub fn honour(&mut self, command: Command) -> Answered {
        match command {
            Command::Tick | Command::Restart => Ok(Answer::Done),
            Command::Define { name, definition, write } => self.define(name, definition, write),
            Command::Remove { kind, name, revision } => self.remove(kind, name, revision),
            Command::OpenSession { agent, session } => self.open_session(agent, session),
            Command::LoseSession { agent, session } => self.lose_session(agent, session),
            Command::SetPresence { agent, presence, reason, by } => {
                self.set_presence(agent, presence, reason, by)
            }
            Command::Submit(submit) => self.submit(*submit),
            Command::Identify { interaction, customer, journey } => {
                self.identify(interaction, customer, journey)
            }
            Command::Replan { interaction, plan, replaces, circumstances } => {
                self.replan(interaction, &plan, replaces, circumstances)
            }
            Command::Cancel { interaction, leaving } => self.cancel(interaction, leaving),
            Command::Accept { offer } => self.accept(offer),
            Command::Decline { offer, reason } => self.decline(offer, reason),
            Command::Complete { assignment, disposition, solved } => {
                self.complete(assignment, (disposition, solved))
            }
            Command::FinishWrapUp { assignment, by } => self.finish(assignment, by),
            Command::ExtendWrapUp { assignment } => self.extend(assignment),
            Command::Connected { interaction } => self.connected(interaction),
            Command::ConnectFailed { interaction, cause } => self.connect_failed(interaction, cause),
            Command::Transfer { assignment, target, handover } => self.transfer(assignment, target, handover),
            Command::Consult { assignment, target } => self.consult(assignment, target),
            Command::Conference { assignment, target } => self.conference(assignment, target),
            Command::StopSeeking { assignment } => self.stop_seeking(assignment),
            Command::Park { assignment } => self.park(assignment),
            Command::Resume { interaction } => self.resume(interaction),
            Command::Requeue { assignment } => self.requeue(assignment),
            Command::Wrote { interaction } => self.wrote(interaction),
            Command::Pull { agent, interaction } => self.pull(agent, interaction),
            Command::RequestCallback { interaction, channel, window } => {
                self.request_callback(interaction, channel, window)
            }
            Command::Assign { interaction, agent, overdraw } => self.assign(interaction, agent, overdraw),
            Command::Reprioritise { interaction, priority } => self.reprioritise(interaction, priority),
            Command::SetParameters(parameters) => self.set_parameters(*parameters),
            Command::OpenSource { source } => Ok(self.open_source(source)),
            Command::LoseSource { source } => self.lose_source(source),
        }
    }

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
        let told =
            Event::Defined { key: number, name: name.clone(), definition: Box::new(definition.clone()) };
        self.tell(told);
        let (now, revision) = (self.now, self.sequence);
        match definition {
            Definition::Pool(_) => put(&mut self.pools, key, name, (), revision),
            Definition::Skill { .. } => put(&mut self.skills, key, name, (), revision),
            Definition::Queue(spec) => {
                put(&mut self.queues, key, name, spec, revision);
                let in_line = self.release_held();
                in_line.into_iter().for_each(|item| self.line_up(item));
            }
            Definition::Group(spec) => {
                put(&mut self.groups, key, name, spec, revision);
                let of = |agent: &usize| self.agents[*agent].spec.group.is_some_and(|own| own.index() == key);
                let members: Vec<usize> = (0..self.agents.len()).filter(of).collect();
                self.seek_works(members);
            }
            Definition::Hours(spec) => {
                put(&mut self.hours, key, name, spec, revision);
                self.phases.resize(self.hours.len(), None);
                self.look_up_hours(key);
            }
            Definition::Agent(spec) => {
                put(&mut self.agents, key, name, spec, revision);
                if known.is_none() {
                    self.people.push(newcomer(now));
                }
                self.seek_work(key);
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
            Kind::Group => self.groups[key].removed = true,
            Kind::Hours => (self.hours[key].removed, self.phases[key]) = (true, None),
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
            Kind::Group => among(&self.groups, name),
            Kind::Hours => among(&self.hours, name),
        }
    }

    fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Pool => self.pools.len(),
            Kind::Skill => self.skills.len(),
            Kind::Queue => self.queues.len(),
            Kind::Agent => self.agents.len(),
            Kind::Group => self.groups.len(),
            Kind::Hours => self.hours.len(),
        }
    }

    fn check_names(&self, definition: &Definition) -> Result<(), Refusal> {
        match definition {
            Definition::Pool(_) | Definition::Skill { .. } | Definition::Group(_) => Ok(()),
            Definition::Hours(spec) if time_zone(&spec.time_zone).is_none() => {
                Err(Refusal::TimeZoneUnknown { name: spec.time_zone.clone() })
            }
            Definition::Hours(_) => Ok(()),
            Definition::Queue(spec) => {
                self.check_pool(spec.pool)?;
                self.check_hours(spec.hours)?;
                spec.requirements.iter().try_for_each(|need| self.check_skill(need.skill))
            }
            Definition::Agent(spec) => {
                self.check_pool(spec.pool)?;
                self.check_hours(spec.shift)?;
                spec.group.map_or(Ok(()), |group| self.check_group(group))?;
                spec.estimates.iter().try_for_each(|known| self.check_queue(known.queue))?;
                spec.skills.iter().try_for_each(|held| self.check_skill(held.skill))
            }
        }
    }

    fn check_pool(&self, pool: PoolKey) -> Result<(), Refusal> {
        let known = self.pools.get(pool.index()).is_some_and(|pool| !pool.removed);
        known.then_some(()).ok_or(Refusal::NotDefined { kind: Kind::Pool, name: Text::default() })
    }

    fn check_queue(&self, queue: QueueKey) -> Result<(), Refusal> {
        let known = self.queues.get(queue.index()).is_some_and(|queue| !queue.removed);
        known.then_some(()).ok_or(Refusal::NotDefined { kind: Kind::Queue, name: Text::default() })
    }

    pub fn check_skill(&self, skill: SkillKey) -> Result<(), Refusal> {
        let known = self.skills.get(skill.index()).is_some_and(|skill| !skill.removed);
        known.then_some(()).ok_or(Refusal::NotDefined { kind: Kind::Skill, name: Text::default() })
    }

    pub fn check_group(&self, group: GroupKey) -> Result<(), Refusal> {
        let known = self.groups.get(group.index()).is_some_and(|group| !group.removed);
        known.then_some(()).ok_or(Refusal::NotDefined { kind: Kind::Group, name: Text::default() })
    }

    fn check_hours(&self, hours: Option<HoursKey>) -> Result<(), Refusal> {
        let known = hours.is_none_or(|hours| self.hours.get(hours.index()).is_some_and(|one| !one.removed));
        known.then_some(()).ok_or(Refusal::NotDefined { kind: Kind::Hours, name: Text::default() })
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
                    || self.some_need(|needs| needs.requirements.iter().any(|need| need.skill.index() == key))
            }
            Kind::Queue => (0..self.items.len())
                .any(|item| self.queue(item).index() == key && !self.items[item].state.is_over()),
            Kind::Agent => self.people[key].presence != Presence::SignedOut || !self.empty_handed(key),
            Kind::Group => {
                agents().any(|agent| agent.spec.group.is_some_and(|own| own.index() == key))
                    || self.some_need(|needs| needs.groups.iter().any(|group| group.index() == key))
            }
            Kind::Hours => {
                queues().any(|queue| queue.spec.hours.is_some_and(|hours| hours.index() == key))
                    || agents().any(|agent| agent.spec.shift.is_some_and(|hours| hours.index() == key))
            }
        }
    }

    /// Whether somebody who is not gone needs this now, for themselves or for a second agent.
    fn some_need(&self, wanted: impl Fn(&Needs) -> bool) -> bool {
        (0..self.items.len()).filter(|item| !self.items[*item].state.is_over()).any(|item| {
            let own = needs_at(self.route(item), self.items[item].step);
            let second = self.items[item].seek.as_ref().map(|seek| seek.plan.routes[0].needs.clone());
            own.iter().chain(second.iter().flatten()).any(&wanted)
        })
    }

    // ---- hours ----

    pub fn look_up_hours(&mut self, key: usize) {
        if self.hours[key].removed {
            return;
        }
        let (before, now) = (self.phases[key], phase(&self.hours[key].spec, self.now));
        if before == Some(now) {
            return;
        }
        self.phases[key] = Some(now);
        let hours = HoursKey(u16::try_from(key).expect("few hours"));
        self.tell(Event::HoursTurned { hours, phase: now });
        let mut in_line = Vec::new();
        if now.open {
            in_line = self.release_held();
        } else if before.is_none_or(|before| before.open) {
            self.close_queues(hours);
        }
        let on = |agent: &usize| self.agents[*agent].spec.shift == Some(hours);
        let agents: Vec<usize> = (0..self.agents.len()).filter(on).collect();
        self.seek_works(agents);
        in_line.into_iter().for_each(|item| self.line_up(item));
    }

    fn close_queues(&mut self, hours: HoursKey) {
        let mut waiting = Vec::new();
        for queue in 0..self.queues.len() {
            if self.queues[queue].spec.hours == Some(hours) {
                let mut line = self.waiting(QueueKey(u16::try_from(queue).expect("few queues")));
                line.sort_by_key(|item| (self.items[*item].entered, *item));
                waiting.extend(line);
            }
        }
        for item in waiting {
            let exit = self.route(item).at_closing.clone();
            if self.is_waiting(item) && exit != Exit::Keep {
                self.take_exit(item, &exit, ExitCause::QueueClosed);
            }
        }
    }

    pub fn skill_expires(&mut self, agent: AgentKey, skill: SkillKey) {
        self.agents[agent.index()].spec.skills.retain(|held| held.skill != skill);
        self.tell(Event::SkillExpired { agent, skill });
        self.agents[agent.index()].revision = self.sequence;
    }

    pub fn recovered(&mut self, index: usize) {
        (self.people[index].not_responding, self.people[index].recovers) = (false, None);
        self.tell(Event::Responding { agent: agent_key(index), by: EndedBy::Clock });
        self.seek_work(index);
    }

    // ---- agents come and go ----

    pub fn known(&self, agent: AgentKey) -> Result<usize, Refusal> {
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
            self.seek_work(index);
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
            self.seek_back(back);
        }
        Ok(Answer::Done)
    }

    pub fn seek_back(&mut self, mut back: Vec<usize>) {
        back.sort_by_key(|item| self.spot(*item));
        for item in back {
            if self.stands(item) {
                self.seek_agent(item);
            }
        }
    }

    /// One who has signed out has gone; anybody else may come back.
    pub fn lose(&mut self, index: usize) {
        let person = &mut self.people[index];
        let gone = person.presence == Presence::SignedOut;
        person.liveness = if gone { Liveness::Offline } else { Liveness::Lost };
    }

    /// Starts the graces of an agent's conversations.
    pub fn lose_jobs(&mut self, index: usize, from: Time) {
        let mine = |job: &&mut Job| job.agent.index() == index && job.talks();
        for job in self.jobs.iter_mut().filter(mine) {
            if self.queues[job.queue.index()].spec.on_agent_lost == OnAgentLost::Keep {
                continue;
            }
            let seconds = match job.channel {
                Channel::Voice | Channel::Video => 20,
                Channel::Chat => 60,
                Channel::Message | Channel::Social => 3_600,
                Channel::Email | Channel::Task => 28_800,
            };
            job.lost = Some(Time(from.0 + seconds * 1_000));
        }
    }

    pub fn set_presence(
        &mut self,
        agent: AgentKey,
        presence: Presence,
        reason: Text,
        by: EndedBy,
    ) -> Answered {
        let index = self.known(agent)?;
        let person = &mut self.people[index];
        if presence == Presence::Available {
            if person.liveness == Liveness::Offline {
                return Err(Refusal::NoSession);
            }
            let same = person.presence == presence && person.reason == reason && person.pending.is_none();
            if std::mem::take(&mut person.not_responding) {
                person.recovers = None;
                self.tell(Event::Responding { agent, by });
            }
            if !same {
                self.change_presence(index, presence, reason, by);
            }
            self.seek_work(index);
            return Ok(Answer::Done);
        }
        if person.presence == presence && person.reason == reason && person.pending.is_none() {
            self.seek_work(index);
            return Ok(Answer::Done);
        }
        let mut back = self.take_back(index, RescindCause::AgentUnavailable);
        if self.empty_handed(index) {
            back.extend(self.change_presence(index, presence, reason, by));
        } else {
            self.people[index].pending = Some((presence, reason.clone(), by));
            self.tell(Event::PresencePending { agent, presence, reason, by });
            while self.go_on(index) {}
        }
        self.seek_back(back);
        Ok(Answer::Done)
    }

    /// Lets a wish for a break come true once nothing is in hand. Who looks for an agent by that.
    pub fn drain(&mut self, agent: usize) -> Vec<usize> {
        match self.people[agent].pending.clone() {
            Some((presence, reason, by)) if self.empty_handed(agent) => {
                self.change_presence(agent, presence, reason, by)
            }
            _ => Vec::new(),
        }
    }

    fn change_presence(&mut self, index: usize, presence: Presence, reason: Text, by: EndedBy) -> Vec<usize> {
        let begins = presence == Presence::Available && self.people[index].presence != Presence::Available;
        if begins && self.empty_handed(index) {
            self.people[index].idle_since = self.now;
        }
        let person = &mut self.people[index];
        if presence == Presence::SignedOut {
            (person.not_responding, person.recovers) = (false, None);
        }
        (person.presence, person.reason, person.pending) = (presence, reason.clone(), None);
        if presence == Presence::SignedOut && person.liveness == Liveness::Lost {
            person.liveness = Liveness::Offline;
        }
        self.tell(Event::PresenceChanged { agent: agent_key(index), presence, reason, by });
        if presence == Presence::SignedOut { self.release_line(index) } else { Vec::new() }
    }

    /// Who is back in line, in the order of the line.
    fn take_back(&mut self, agent: usize, cause: RescindCause) -> Vec<usize> {
        let mut back = Vec::new();
        for ring in self.rings_at(agent) {
            back.push(self.rings[ring].item);
            self.rescind(ring, cause);
        }
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
        recovers: None,
        idle_since: now,
        day_ends: Time::default(),
        accepted: [0; 7],
        new_day: None,
        interrupted: Vec::new(),
    }
}
