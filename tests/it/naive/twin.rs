//! The twin's state and its time: lists of everything that ever was, and what is due next among them.

use baton::engine::agent::{Liveness, Presence};
use baton::engine::capacity::Overdraw;
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Command, Refusal};
use baton::engine::event::{EndedBy, Ending, Event, RescindCause, Stamped};
use baton::engine::floor::{AgentSpec, GroupSpec, QueueSpec};
use baton::engine::hours::{HoursSpec, Phase};
use baton::engine::ids::{
    AgentKey, AssignmentId, CustomerId, InteractionId, OfferId, QueueKey, Sequence, SessionId, SkillKey, Text,
};
use baton::engine::interaction::{Callback, Part, State, Until, Wanted};
use baton::engine::plan::Plan;
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
    pub pending: Option<(Presence, Text, EndedBy)>,
    pub liveness: Liveness,
    pub session: Option<SessionId>,
    pub not_responding: bool,
    pub recovers: Option<Time>,
    pub idle_since: Time,
    /// When the day counted is over, and what was accepted in it by channel.
    pub day_ends: Time,
    pub accepted: [u16; 7],
    pub new_day: Option<Time>,
    /// Jobs that gave way, oldest first.
    pub interrupted: Vec<usize>,
}

/// A pair after a decline. `due` while its timer runs.
pub struct Cool {
    pub agent: AgentKey,
    pub declines: u32,
    pub until: Time,
    pub due: bool,
}

/// A second agent is looked for.
#[derive(Clone)]
pub struct Seeking {
    pub by: usize,
    pub part: Part,
    pub plan: Plan,
    pub wanted: Option<Wanted>,
    pub since: Time,
    pub until: Time,
}

/// One stay in a queue.
pub struct Visit {
    pub queue: QueueKey,
    /// Whether in target, once answered.
    pub answered: Option<bool>,
    /// Whether within the short-abandon time, if the customer left.
    pub abandoned: Option<bool>,
}

pub struct Item {
    pub channel: Channel,
    pub customer: Option<CustomerId>,
    /// Whether anything is known of them.
    pub known: bool,
    pub matter: Text,
    pub due: Option<Time>,
    pub not_before: Option<Time>,
    pub plan: Plan,
    /// How often it got another plan or other points, or was offered.
    pub revision: u32,
    pub route: usize,
    pub source: Text,
    pub state: State,
    pub entered: Time,
    pub waits_from: Time,
    pub in_queue_from: Time,
    /// Whether somebody accepted it once, and that was not undone.
    pub answered: bool,
    pub visits: Vec<Visit>,
    pub wanted: Option<Wanted>,
    pub seek: Option<Seeking>,
    pub owner: Option<usize>,
    pub agent: Option<AgentKey>,
    pub scheduled: Option<Until>,
    pub callback: Option<Callback>,
    pub step: usize,
    pub overdue: bool,
    pub declines: u32,
    pub transfers: u16,
    pub hops: u8,
    pub attached: usize,
    pub cools: Vec<Cool>,
    /// When it leaves because its source is lost.
    pub gone: Option<Time>,
    pub overdue_at: Option<Time>,
    pub window: Option<Time>,
    pub look: Option<Time>,
}

pub struct Ring {
    pub item: usize,
    pub agent: AgentKey,
    pub part: Part,
    pub channel: Channel,
    pub units: u16,
    pub expires: Time,
    /// The order in which capacity was claimed.
    pub claim: u64,
    pub ending: Option<(Ending, Option<RescindCause>)>,
    pub job: Option<usize>,
}

pub struct Job {
    pub item: usize,
    pub agent: AgentKey,
    pub part: Part,
    pub channel: Channel,
    pub queue: QueueKey,
    pub units: u16,
    /// What it holds now, unless it is interrupted.
    pub held: u16,
    pub claim: u64,
    pub started: Time,
    /// Until then the platform is to say whether they are connected.
    pub connect_until: Option<Time>,
    pub answered_visit: bool,
    pub answered_first: bool,
    pub interrupted: bool,
    pub wrap_up_until: Option<Time>,
    pub extensions: u8,
    /// When it goes to somebody else because its agent is lost.
    pub lost: Option<Time>,
    pub over: Option<Time>,
    /// It was taken away as if it had not been.
    pub undone: bool,
}

impl Job {
    pub fn talks(&self) -> bool {
        self.over.is_none() && self.wrap_up_until.is_none()
    }
}

pub struct Key {
    pub key: u128,
    pub content: u128,
    pub item: usize,
    pub at: Time,
}

/// Everything.
/// What an agent said when a conversation ended: the disposition, and whether the matter is solved.
pub type Said = (Text, Option<bool>);

#[derive(Default)]
pub struct Twin {
    /// The version of what was learned.
    pub learned: u64,
    pub now: Time,
    pub sequence: u64,
    pub pools: Vec<Thing<()>>,
    pub skills: Vec<Thing<()>>,
    pub queues: Vec<Thing<QueueSpec>>,
    pub groups: Vec<Thing<GroupSpec>>,
    pub hours: Vec<Thing<HoursSpec>>,
    /// What the hours say, once they were looked up.
    pub phases: Vec<Option<Phase>>,
    pub agents: Vec<Thing<AgentSpec>>,
    pub people: Vec<Person>,
    pub items: Vec<Item>,
    pub rings: Vec<Ring>,
    pub jobs: Vec<Job>,
    /// Of all these, those that have not ended: a long day has thousands that have.
    pub open_items: Vec<usize>,
    pub open_rings: Vec<usize>,
    pub open_jobs: Vec<usize>,
    pub keys: Vec<Key>,
    pub claims: u64,
    /// Name, and whether its session lives: `None` if it never had one.
    pub sources: Vec<(Text, Option<bool>)>,
    told: Vec<Stamped>,
}

/// What is due, in the order in which equals fire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Due {
    Offer(usize),
    WrapUp(usize),
    CoolDown(usize, AgentKey),
    Agent(usize),
    Hours(usize),
    Skill(AgentKey, SkillKey),
    Recover(usize),
    NewDay(usize),
    Connect(usize),
    Scheduled(usize),
    Preference(usize),
    MaxWait(usize),
    Relax(usize),
    Overflow(usize),
    Window(usize),
    Seek(usize),
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
            match due {
                // A look at the overflow that should have been made before is not made up for.
                Due::Overflow(item) if at < self.now => self.look_later(item),
                _ => {
                    self.now = self.now.max(at);
                    self.fire(due);
                }
            }
        }
        self.now = now;
        (self.honour(command), std::mem::take(&mut self.told))
    }

    /// Passes over what has ended.
    fn tidy(&mut self) {
        let Twin { items, rings, jobs, .. } = &*self;
        let (items, rings, jobs) = (
            self.open_items.iter().copied().filter(|item| !items[*item].state.is_over()).collect(),
            self.open_rings.iter().copied().filter(|ring| rings[*ring].ending.is_none()).collect(),
            self.open_jobs.iter().copied().filter(|job| jobs[*job].over.is_none()).collect(),
        );
        (self.open_items, self.open_rings, self.open_jobs) = (items, rings, jobs);
    }

    pub fn tell(&mut self, event: Event) {
        self.tidy();
        self.sequence += 1;
        self.told.push(Stamped { sequence: Sequence(self.sequence), time: self.now, event });
    }

    fn due(&self) -> Option<(Time, Due)> {
        let mut all = Vec::new();
        all.extend(self.open_rings.iter().map(|index| (self.rings[*index].expires, Due::Offer(*index))));
        for (index, job) in self.open_jobs.iter().map(|index| (*index, &self.jobs[*index])) {
            all.extend(job.wrap_up_until.map(|until| (until, Due::WrapUp(index))));
            all.extend(job.lost.map(|at| (at, Due::Agent(index))));
            all.extend(job.connect_until.map(|at| (at, Due::Connect(index))));
        }
        for (index, phase) in self.phases.iter().enumerate() {
            all.extend(phase.map(|phase| (phase.ends(), Due::Hours(index))));
        }
        for (index, agent) in self.agents.iter().enumerate() {
            let key = agent_key(index);
            let expiring = agent.spec.skills.iter().filter_map(|held| Some((held.expires?, held.skill)));
            all.extend(expiring.map(|(at, skill)| (at, Due::Skill(key, skill))));
            all.extend(self.people[index].recovers.map(|at| (at, Due::Recover(index))));
            all.extend(self.people[index].new_day.map(|at| (at, Due::NewDay(index))));
        }
        for index in &self.open_items {
            self.due_of(*index, &self.items[*index], &mut all);
        }
        all.into_iter().min()
    }

    fn due_of(&self, index: usize, item: &Item, all: &mut Vec<(Time, Due)>) {
        let cools = item.cools.iter().filter(|cool| cool.due);
        all.extend(cools.map(|cool| (cool.until, Due::CoolDown(index, cool.agent))));
        if let Some(Until::At(at)) = item.scheduled {
            all.push((at, Due::Scheduled(index)));
        }
        all.extend(item.overdue_at.map(|at| (at, Due::MaxWait(index))));
        all.extend(item.window.map(|at| (at, Due::Window(index))));
        all.extend(item.seek.as_ref().map(|seek| (seek.until, Due::Seek(index))));
        all.extend(item.gone.map(|at| (at, Due::Source(index))));
        if self.stands(index) {
            all.extend(self.sought(index).1.map(|wanted| (wanted.until, Due::Preference(index))));
            if item.state == State::Waiting {
                all.extend(self.next_step(index).map(|at| (at, Due::Relax(index))));
                all.extend(item.look.map(|at| (at, Due::Overflow(index))));
            }
        }
    }

    fn fire(&mut self, due: Due) {
        match due {
            Due::Offer(index) => self.expire(index),
            Due::WrapUp(index) => self.end_wrap_up(index, EndedBy::Clock),
            Due::CoolDown(index, agent) => self.cooled_down(index, agent),
            Due::Agent(index) => self.lose_job(index),
            Due::Hours(index) => self.look_up_hours(index),
            Due::Skill(agent, skill) => self.skill_expires(agent, skill),
            Due::Recover(index) => self.recovered(index),
            Due::NewDay(index) => {
                self.people[index].new_day = None;
                self.seek_work(index);
            }
            Due::Connect(index) => self.connect(index, true),
            Due::Scheduled(index) => self.come_due(index),
            Due::Preference(index) => self.preference_spent(index),
            Due::MaxWait(index) => self.become_overdue(index),
            Due::Relax(index) => self.relax(index),
            Due::Overflow(index) => self.look_at_overflow(index),
            Due::Window(index) => {
                self.items[index].window = None;
                self.tell(Event::WindowMissed { interaction: id(index) });
            }
            Due::Seek(index) => self.seek_timed_out(index),
            Due::Source(index) => self.source_gone(index),
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
        self.after_the_gap(now);
        for agent in 0..self.people.len() {
            for ring in self.rings_at(agent) {
                self.rescind(ring, RescindCause::EngineRestart);
            }
        }
    }
}

impl Twin {
    /// The platform has its time again to say who is connected; looks at the overflow are not made up for.
    fn after_the_gap(&mut self, now: Time) {
        for job in 0..self.jobs.len() {
            let promised = self.items[self.jobs[job].item].callback.is_some();
            let limit_ms = if promised { 120_000 } else { 30_000 };
            if self.jobs[job].over.is_none() && self.jobs[job].connect_until.is_some() {
                self.jobs[job].connect_until = Some(Time(now.0 + limit_ms));
            }
        }
        for item in 0..self.items.len() {
            if self.is_waiting(item) && self.items[item].look.is_some() {
                self.look_after(item, now);
            }
        }
    }
}

pub fn id(item: usize) -> InteractionId {
    InteractionId(item as u64 + 1)
}

pub fn offer_id(ring: usize) -> OfferId {
    OfferId(ring as u64 + 1)
}

pub fn job_id(job: usize) -> AssignmentId {
    AssignmentId(job as u64 + 1)
}

pub fn agent_key(index: usize) -> AgentKey {
    AgentKey(u32::try_from(index).expect("a small floor"))
}

/// Why an agent may take more than they can.
pub fn overdraw(wanted: &Wanted) -> Overdraw {
    use baton::engine::interaction::WantedBy;
    if wanted.by == WantedBy::Supervisor { Overdraw::Supervisor } else { Overdraw::PreferredAgent }
}
