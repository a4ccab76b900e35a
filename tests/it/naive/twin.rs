//! The twin's state and its time: lists of everything that ever was, and what is due next among them.

use baton::engine::agent::{Liveness, Presence};
use baton::engine::command::{Answer, Command, Refusal};
use baton::engine::event::{AbandonCause, EndedBy, Ending, Event, RescindCause, Stamped};
use baton::engine::floor::{AgentSpec, QueueSpec};
use baton::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId, Sequence, SessionId, Text};
use baton::engine::interaction::State;
use baton::engine::plan::{Channel, Plan};
use baton::engine::time::Time;

/// Something configured.
#[derive(Clone)]
pub struct Thing<T> {
    pub name: Text,
    pub spec: T,
    pub revision: u64,
    pub removed: bool,
}

/// An agent's day.
pub struct Person {
    pub presence: Presence,
    pub reason: Text,
    pub pending: Option<(Presence, Text)>,
    pub liveness: Liveness,
    pub session: Option<SessionId>,
    pub not_responding: bool,
    pub idle_since: Time,
}

/// A pair after a decline. `due` while its timer runs.
pub struct Cool {
    pub agent: AgentKey,
    pub declines: u32,
    pub until: Time,
    pub due: bool,
}

pub struct Item {
    pub channel: Channel,
    /// Whether somebody accepted it once.
    pub answered: bool,
    /// Whether it is known whose it is.
    pub known: bool,
    pub plan: Plan,
    pub source: Text,
    pub entered: Time,
    pub state: State,
    pub cools: Vec<Cool>,
    /// When it leaves because its source is lost.
    pub gone: Option<Time>,
}

pub struct Ring {
    pub interaction: InteractionId,
    pub agent: AgentKey,
    pub units: u16,
    pub expires: Time,
    pub ending: Option<Ending>,
    pub assignment: Option<AssignmentId>,
}

pub struct Job {
    pub interaction: InteractionId,
    pub agent: AgentKey,
    pub units: u16,
    pub wrap_up_until: Option<Time>,
    /// When it goes to somebody else because its agent is lost.
    pub lost: Option<Time>,
    pub over: bool,
}

pub struct Key {
    pub key: u128,
    pub content: u128,
    pub interaction: InteractionId,
    pub at: Time,
}

/// Everything.
#[derive(Default)]
pub struct Twin {
    pub now: Time,
    pub sequence: u64,
    pub pools: Vec<Thing<()>>,
    pub skills: Vec<Thing<()>>,
    pub queues: Vec<Thing<QueueSpec>>,
    pub agents: Vec<Thing<AgentSpec>>,
    pub people: Vec<Person>,
    pub items: Vec<Item>,
    pub rings: Vec<Ring>,
    /// Of the rings, those that have not ended: a day of an agent who never answers has thousands that have.
    pub open: Vec<usize>,
    pub jobs: Vec<Job>,
    pub keys: Vec<Key>,
    /// Name, and whether its session lives: `None` if it never had one.
    pub sources: Vec<(Text, Option<bool>)>,
    told: Vec<Stamped>,
}

/// What is due, in the order in which equals fire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Offer(usize),
    WrapUp(usize),
    CoolDown(usize, AgentKey),
    Agent(usize),
    Source(usize),
}

impl Twin {
    pub fn step(&mut self, now: Time, command: Command) -> (Result<Answer, Refusal>, Vec<Stamped>) {
        if now < self.now {
            return (Err(Refusal::TimeRunsBack { time_ms: now.0, now_ms: self.now.0 }), Vec::new());
        }
        if command == Command::Restart {
            self.restart(now);
        }
        while let Some((at, due)) = self.due().filter(|(at, _)| *at <= now) {
            self.now = self.now.max(at);
            self.fire(due);
        }
        self.now = now;
        (self.honour(command), std::mem::take(&mut self.told))
    }

    pub fn next_deadline(&self) -> Option<Time> {
        self.due().map(|(at, _)| at)
    }

    pub fn tell(&mut self, event: Event) {
        self.sequence += 1;
        self.told.push(Stamped { sequence: Sequence(self.sequence), time: self.now, event });
    }

    fn due(&self) -> Option<(Time, Due)> {
        let mut all = Vec::new();
        all.extend(self.open.iter().map(|index| (self.rings[*index].expires, Due::Offer(*index))));
        for (index, job) in self.jobs.iter().enumerate().filter(|(_, job)| !job.over) {
            all.extend(job.wrap_up_until.map(|until| (until, Due::WrapUp(index))));
            all.extend(job.lost.map(|at| (at, Due::Agent(index))));
        }
        for (index, item) in self.items.iter().enumerate() {
            let due = item.cools.iter().filter(|cool| cool.due);
            all.extend(due.map(|cool| (cool.until, Due::CoolDown(index, cool.agent))));
            all.extend(item.gone.map(|at| (at, Due::Source(index))));
        }
        all.into_iter().min()
    }

    fn fire(&mut self, due: Due) {
        match due {
            Due::Offer(index) => self.expire(index),
            Due::WrapUp(index) => self.end_wrap_up(index, EndedBy::Clock),
            Due::CoolDown(index, agent) => {
                let pair = self.items[index].cools.iter_mut().find(|cool| cool.agent == agent);
                pair.expect("it is due").due = false;
                let interaction = InteractionId(index as u64 + 1);
                self.tell(Event::CooledDown { interaction, agent });
                if self.items[index].state == State::Waiting
                    && let (Some(agent), decision) = self.agent_for(index, None)
                {
                    self.offer(index, agent, decision);
                }
            }
            Due::Agent(index) => self.lose_job(index),
            Due::Source(index) => {
                let interaction = InteractionId(index as u64 + 1);
                let rung = self.ring_of(index);
                if let Some(ring) = rung {
                    self.rescind(ring, RescindCause::SourceLost);
                }
                self.tell(Event::Abandoned { interaction, cause: AbandonCause::SourceLost });
                self.leave_line(index, State::Abandoned);
                if let Some(ring) = rung {
                    self.seek_work(self.rings[ring].agent);
                }
            }
        }
    }

    /// Everybody is gone, nobody is blamed, and a lost source has its grace again.
    fn restart(&mut self, now: Time) {
        self.tell(Event::Restarted { down_from: self.now, down_to: now });
        for index in 0..self.people.len() {
            if self.people[index].liveness == Liveness::Live {
                self.lose(index);
            }
            if self.people[index].liveness == Liveness::Lost {
                self.lose_jobs(index, now);
            }
        }
        for (name, live) in self.sources.clone() {
            if live == Some(false) {
                self.start_grace(&name, now);
            }
        }
        for agent in 0..self.people.len() {
            for ring in self.rings_at(agent) {
                self.rescind(ring, RescindCause::EngineRestart);
            }
        }
    }

    pub fn start_grace(&mut self, source: &Text, from: Time) {
        for item in self.items.iter_mut().filter(|item| item.source == *source) {
            let grace_ms = match item.channel {
                Channel::Voice | Channel::Video => 10_000,
                Channel::Chat => 60_000,
                Channel::Message | Channel::Email | Channel::Social | Channel::Task => continue,
            };
            if matches!(item.state, State::Waiting | State::Offered) {
                item.gone = Some(Time(from.0 + grace_ms));
            }
        }
    }

    // ---- what is looked up by looking at everything ----

    /// The open offer of an interaction.
    pub fn ring_of(&self, item: usize) -> Option<usize> {
        let interaction = InteractionId(item as u64 + 1);
        self.open.iter().copied().find(|ring| self.rings[*ring].interaction == interaction)
    }

    /// The assignment of an interaction that is not over.
    pub fn job_of(&self, item: usize) -> Option<usize> {
        let interaction = InteractionId(item as u64 + 1);
        self.jobs.iter().position(|job| !job.over && job.interaction == interaction)
    }

    /// The offers open to an agent.
    pub fn rings_at(&self, agent: usize) -> Vec<usize> {
        let to = |ring: &usize| self.rings[*ring].agent.index() == agent;
        self.open.iter().copied().filter(to).collect()
    }

    /// Units held by an agent.
    pub fn used(&self, agent: usize) -> u16 {
        let rings = self.rings_at(agent).into_iter().map(|ring| self.rings[ring].units);
        let jobs =
            self.jobs.iter().filter(|job| !job.over && job.agent.index() == agent).map(|job| job.units);
        rings.chain(jobs).sum()
    }

    /// True if an agent holds nothing, not even something that costs nothing.
    pub fn empty_handed(&self, agent: usize) -> bool {
        self.rings_at(agent).is_empty()
            && !self.jobs.iter().any(|job| !job.over && job.agent.index() == agent)
    }

    pub fn offer_id(ring: usize) -> OfferId {
        OfferId(ring as u64 + 1)
    }
}
