//! What is configured; agents come, pause and go; sources come and go; supervisors decide; hours turn.

use super::state::{Job, Person, Thing, Twin, agent_key, item_id};
use baton::engine::agent::{Liveness, Pending, Presence};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Refusal, Write};
use baton::engine::event::{EndedBy, Event, ExitCause, RescindCause};
use baton::engine::floor::{Definition, Kind, OnAgentLost};
use baton::engine::hours::{phase, time_zone};
use baton::engine::ids::{AgentKey, GroupKey, HoursKey, InteractionId, PoolKey, SessionId, SkillKey, Text};
use baton::engine::interaction::{State, Wanted, WantedBy};
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
    fn current(&self, kind: Kind, name: &str) -> Option<(usize, u64)> {
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

    fn check(&self, at: usize, definition: &Definition) -> Result<(), Refusal> {
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

    fn write(&mut self, at: usize, name: Text, definition: Definition, revision: u64) {
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

    fn consider(&mut self, kind: Kind, at: usize) {
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

    fn is_used(&self, kind: Kind, at: usize) -> bool {
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

    fn close_queues(&mut self, hours: HoursKey) {
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

    // ---- agents ----

    pub fn open_session(&mut self, key: AgentKey, session: SessionId) -> Result<Answer, Refusal> {
        let agent = self.live_agent(key).ok_or(Refusal::AgentUnknown)?;
        let person = &self.people[agent];
        let resumed = person.session == Some(session);
        if !resumed || person.liveness != Liveness::Live {
            self.tell(Event::SessionOpened { agent: key, session });
            for job in self.jobs.iter_mut().filter(|job| job.agent == agent) {
                job.lost = None;
            }
            (self.people[agent].session, self.people[agent].liveness) = (Some(session), Liveness::Live);
            self.seek_work(agent);
        }
        Ok(Answer::SessionOpened { resumed })
    }

    pub fn lose_session(&mut self, key: AgentKey, session: SessionId) -> Result<Answer, Refusal> {
        let agent = self.live_agent(key).ok_or(Refusal::AgentUnknown)?;
        if self.people[agent].session != Some(session) {
            return Err(Refusal::SessionUnknown);
        }
        if self.people[agent].liveness == Liveness::Live {
            self.tell(Event::SessionLost { agent: key });
            self.lose(agent);
            let taken_back = self.take_back(agent, RescindCause::SessionLost);
            self.seek_again(taken_back);
        }
        Ok(Answer::Done)
    }

    pub fn lose(&mut self, agent: usize) {
        self.start_agent_grace(agent, self.now);
        self.disconnect(agent);
    }

    fn disconnect(&mut self, agent: usize) {
        let person = &mut self.people[agent];
        let gone = person.presence == Presence::SignedOut;
        person.liveness = if gone { Liveness::Offline } else { Liveness::Lost };
    }

    pub fn start_agent_grace(&mut self, agent: usize, from: Time) {
        for job in 0..self.jobs.len() {
            let Job { agent: of, queue, channel, .. } = self.jobs[job];
            let requeues = self.queue(queue).on_agent_lost == OnAgentLost::Requeue;
            if of != agent || !requeues || !self.jobs[job].talks() {
                continue;
            }
            let grace_ms = match channel {
                Channel::Voice | Channel::Video => 20_000,
                Channel::Chat => 60_000,
                Channel::Message | Channel::Social => 3_600_000,
                Channel::Email | Channel::Task => 28_800_000,
            };
            self.jobs[job].lost = Some(from.after(grace_ms));
        }
    }

    pub fn responds(&mut self, agent: usize, by: EndedBy) {
        self.tell(Event::Responding { agent: agent_key(agent), by });
        (self.people[agent].not_responding, self.people[agent].recovers) = (false, None);
    }

    pub fn set_presence(
        &mut self,
        key: AgentKey,
        presence: Presence,
        reason: Text,
        by: EndedBy,
    ) -> Result<Answer, Refusal> {
        let agent = self.live_agent(key).ok_or(Refusal::AgentUnknown)?;
        let person = &self.people[agent];
        let comes = presence == Presence::Available;
        if comes && person.liveness == Liveness::Offline {
            return Err(Refusal::NoSession);
        }
        let unchanged = person.presence == presence && person.reason == reason && person.pending.is_none();
        if comes && person.not_responding {
            self.responds(agent, by);
        }
        if unchanged || comes {
            if !unchanged {
                self.change_presence(agent, presence, reason, by);
            }
            self.seek_work(agent);
            return Ok(Answer::Done);
        }
        let taken_back = self.take_back(agent, RescindCause::AgentUnavailable);
        if self.empty_handed(agent) {
            self.change_presence(agent, presence, reason, by);
        } else {
            let wish = reason.clone();
            self.tell(Event::PresencePending { agent: key, presence, reason: wish, by });
            self.people[agent].pending = Some(Pending { presence, reason, by });
            while self.go_on(agent) {}
        }
        self.seek_again(taken_back);
        Ok(Answer::Done)
    }

    pub fn drained(&mut self, agent: usize) {
        if let Some(Pending { presence, reason, by }) = self.people[agent].pending.clone()
            && self.empty_handed(agent)
        {
            self.change_presence(agent, presence, reason, by);
        }
    }

    fn change_presence(&mut self, agent: usize, presence: Presence, reason: Text, by: EndedBy) {
        let told = reason.clone();
        self.tell(Event::PresenceChanged { agent: agent_key(agent), presence, reason: told, by });
        let empty_handed = self.empty_handed(agent);
        let (now, person) = (self.now, &mut self.people[agent]);
        if presence == Presence::Available && person.presence != presence && empty_handed {
            person.idle_since = now;
        }
        if presence == Presence::SignedOut {
            (person.not_responding, person.recovers) = (false, None);
        }
        (person.presence, person.reason, person.pending) = (presence, reason, None);
        if person.liveness == Liveness::Lost {
            self.disconnect(agent);
        }
        if presence == Presence::SignedOut {
            self.release_line(agent);
        }
    }

    fn take_back(&mut self, agent: usize, cause: RescindCause) -> Vec<usize> {
        let rings = self.rings_at(agent);
        let mut back: Vec<_> =
            rings.iter().map(|ring| self.rings[*ring].item).map(|item| (self.order(item), item)).collect();
        rings.into_iter().for_each(|ring| self.rescind(ring, cause));
        back.sort();
        back.into_iter().map(|(_, item)| item).collect()
    }

    fn seek_again(&mut self, items: Vec<usize>) {
        for item in items {
            if !self.items[item].state.is_over() && self.stands(item) {
                self.seek_agent(item);
            }
        }
    }

    // ---- sources ----

    pub fn open_source(&mut self, source: Text) -> Result<Answer, Refusal> {
        let known = self.sources.iter().position(|(name, _)| *name == source);
        if known.is_none_or(|at| self.sources[at].1 != Some(true)) {
            self.tell(Event::SourceOpened { source: source.clone() });
            for item in self.items.iter_mut().filter(|item| item.source == source) {
                item.gone = None;
            }
            match known {
                Some(at) => self.sources[at].1 = Some(true),
                None => self.sources.push((source, Some(true))),
            }
        }
        Ok(Answer::Done)
    }

    pub fn lose_source(&mut self, source: Text) -> Result<Answer, Refusal> {
        let known = self.sources.iter().position(|(name, _)| *name == source);
        let at = known.ok_or(Refusal::SessionUnknown)?;
        if self.sources[at].1 == Some(true) {
            self.tell(Event::SourceLost { source: source.clone() });
            self.sources[at].1 = Some(false);
            self.start_source_grace(&source, self.now);
        }
        Ok(Answer::Done)
    }

    // ---- people decide ----

    pub fn assign(
        &mut self,
        interaction: InteractionId,
        key: AgentKey,
        overdraw: bool,
    ) -> Result<Answer, Refusal> {
        let agent = self.live_agent(key).ok_or(Refusal::AgentUnknown)?;
        let item = self.item_at(interaction)?;
        let state = self.items[item].state;
        if !matches!(state, State::Waiting | State::Offered) {
            return Err(Refusal::WrongState { state, wanted: "" });
        }
        let (by, until) = (WantedBy::Supervisor, self.now.after(120_000));
        let wanted = Wanted { agent: key, by, until, overdraw };
        let asked = self.rings_of(item).iter().any(|ring| self.rings[*ring].agent == agent);
        let asked = asked.then_some(baton::engine::explain::Exclusion::AlreadyAsked);
        if let Some(exclusion) = asked.or_else(|| self.excluded(agent, item, Some(wanted), false)) {
            return Err(Refusal::AgentCannot { exclusion });
        }
        let freed = self.rescind_all(item, RescindCause::Supervisor);
        self.tell(Event::Assigned { interaction, wanted });
        self.items[item].wanted = Some(wanted);
        self.stood(item);
        self.seek_agent(item);
        self.seek_works(freed);
        Ok(Answer::Done)
    }

    pub fn reprioritise(&mut self, interaction: InteractionId, priority: i16) -> Result<Answer, Refusal> {
        if priority.abs() > 10 {
            return Err(Refusal::PriorityOutOfRange { got: priority });
        }
        let item = self.item_at(interaction)?;
        let state = self.items[item].state;
        if !state.is_unanswered() {
            return Err(Refusal::WrongState { state, wanted: "" });
        }
        if self.items[item].plan.priority != priority {
            self.tell(Event::Reprioritised { interaction, priority });
            self.items[item].plan.priority = priority;
            if self.stands(item) {
                self.stood(item);
            }
        }
        Ok(Answer::Done)
    }

    pub fn pull(&mut self, key: AgentKey, interaction: InteractionId) -> Result<Answer, Refusal> {
        let agent = self.live_agent(key).ok_or(Refusal::AgentUnknown)?;
        let item = self.item_at(interaction)?;
        let one = self.items[item].clone();
        let own = one.state == State::Parked && one.agent == Some(key);
        if !own && !self.queue(one.queue()).pull {
            return Err(Refusal::PullNotAllowed);
        }
        let parked = one.state == State::Parked && one.owner.is_none();
        if !parked && one.state != State::Waiting {
            return Err(Refusal::WrongState { state: one.state, wanted: "" });
        }
        let (by, until) = (WantedBy::Colleague, self.now);
        let wanted = if parked && own {
            Some(Wanted { agent: key, by, until, overdraw: false })
        } else {
            one.sought_wanted()
        };
        if let Some(exclusion) = self.excluded(agent, item, wanted, true) {
            return Err(Refusal::AgentCannot { exclusion });
        }
        if parked {
            self.resumes(item, None);
        }
        let decision = self.pulled(item, agent);
        self.offer(item, agent, decision);
        self.accept(super::state::offer_id(self.rings.len() - 1))
    }

    pub fn identify(
        &mut self,
        interaction: InteractionId,
        customer: baton::engine::ids::CustomerId,
    ) -> Result<Answer, Refusal> {
        let item = self.item_at(interaction)?;
        if self.items[item].customer.is_none() {
            self.tell(Event::Identified { interaction: item_id(item), customer });
            self.items[item].customer = Some(customer);
        }
        Ok(Answer::Done)
    }
}
