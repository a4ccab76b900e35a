//! The floor of a seed: pools, skills, groups, hours, queues and agents, and the plans its interactions are routed by.
//! Drawn generously: everything the engine can be told occurs in some seed.

use super::dice::Dice;
use super::world::START;
use baton::engine::capacity::CapacitySpec;
use baton::engine::channel::{Channel, ChannelSet};
use baton::engine::command::{Command, Write};
use baton::engine::floor::{
    AgentSpec, Definition, GroupSpec, OnAgentLost, OnExpiry, QueueSpec, WrapUp, WrapUpMode,
};
use baton::engine::hours::{HoursSpec, Span, WeeklySpan};
use baton::engine::ids::{AgentKey, GroupKey, HoursKey, PoolKey, QueueKey, SkillKey, Text};
use baton::engine::plan::{CallbackTerms, Duplicates, Goals, Plan, Preferred, TransferTerms};
use baton::engine::policy::PoolSpec;
use baton::engine::route::{Condition, Exit, LastStep, Needs, Overflow, Relaxation, Route};
use baton::engine::skill::{Requirement, Skill};
use baton::engine::time::Time;

/// Who never comes.
pub const GHOST: &str = "ghost";
const MINUTE_MS: u64 = 60_000;

/// What a seed's floor is made of.
pub struct Drawn {
    pub queues: Vec<QueueSpec>,
    pub agents: Vec<AgentSpec>,
    pub groups: Vec<GroupSpec>,
    hours: Vec<HoursSpec>,
    pools: u16,
    skills: u16,
    /// What interactions are routed by.
    pub plans: Vec<Plan>,
}

impl Drawn {
    pub fn new(dice: &mut Dice) -> Drawn {
        let mut drawn = Drawn {
            queues: Vec::new(),
            agents: Vec::new(),
            groups: Vec::new(),
            hours: Vec::new(),
            pools: if dice.percent(15) { 2 } else { 1 },
            skills: short(dice.between(1, 3)),
            plans: Vec::new(),
        };
        for _ in 0..dice.below(3) {
            let hours = hours(dice);
            drawn.hours.push(hours);
        }
        for number in 0..dice.below(3) {
            let capacity = capacity(dice);
            drawn.groups.push(GroupSpec { display_name: format!("group {number}").into(), capacity });
        }
        for number in 0..dice.between(1, 4) {
            let queue = drawn.queue(number, dice);
            drawn.queues.push(queue);
        }
        for number in 0..dice.between(1, 6) {
            let agent = drawn.agent(number, dice);
            drawn.agents.push(agent);
        }
        for _ in 0..dice.between(2, 7) {
            let plan = drawn.plan(dice);
            drawn.plans.push(plan);
        }
        drawn
    }

    /// How all of it is told to the engine.
    pub fn opening(&self) -> Vec<Command> {
        let text = |name: String| Text::from(name);
        let mut all = Vec::new();
        for pool in 0..self.pools {
            let display_name = text(format!("pool {pool}"));
            all.push((text(format!("p{pool}")), Definition::Pool(PoolSpec::listed(display_name).into())));
        }
        for skill in 0..self.skills {
            let display_name = text(format!("skill {skill}"));
            all.push((text(format!("s{skill}")), Definition::Skill { display_name }));
        }
        let named = |kind: &str, number: usize| text(format!("{kind}{number}"));
        for (number, hours) in self.hours.iter().enumerate() {
            all.push((named("h", number), Definition::Hours(hours.clone())));
        }
        for (number, group) in self.groups.iter().enumerate() {
            all.push((named("g", number), Definition::Group(group.clone())));
        }
        for (number, queue) in self.queues.iter().enumerate() {
            all.push((named("q", number), Definition::Queue(queue.clone())));
        }
        for (number, agent) in self.agents.iter().enumerate() {
            all.push((named("a", number), Definition::Agent(agent.clone())));
        }
        // One who never comes, and may be taken off the floor while somebody is meant to wait for them.
        let ghost = AgentSpec::plain("ghost".into(), PoolKey(0), Vec::new());
        all.push((GHOST.into(), Definition::Agent(ghost)));
        let define = |(name, definition)| Command::Define { name, definition, write: Write::Create };
        all.into_iter().map(define).collect()
    }

    /// One of the queues, configured anew within its pool.
    pub fn another_queue(&mut self, number: usize, dice: &mut Dice) -> Command {
        let pool = self.queues[number].pool;
        self.queues[number] = QueueSpec { pool, ..self.queue(number as u64, dice) };
        self.update_queue(number)
    }

    /// One of the agents, configured anew within their pool.
    pub fn another_agent(&mut self, number: usize, dice: &mut Dice) -> Command {
        let pool = self.agents[number].pool;
        self.agents[number] = AgentSpec { pool, ..self.agent(number as u64, dice) };
        self.update_agent(number)
    }

    /// One of the groups, or of the hours, configured anew, if there is any.
    pub fn another_group_or_hours(&mut self, dice: &mut Dice) -> Option<Command> {
        let (kind, number, definition) = if dice.percent(50) && !self.groups.is_empty() {
            let number = dice.index(self.groups.len());
            self.groups[number].capacity = capacity(dice);
            ("g", number, Definition::Group(self.groups[number].clone()))
        } else if !self.hours.is_empty() {
            let number = dice.index(self.hours.len());
            self.hours[number] = hours(dice);
            ("h", number, Definition::Hours(self.hours[number].clone()))
        } else {
            return None;
        };
        let name = format!("{kind}{number}").into();
        Some(Command::Define { name, definition, write: Write::Update { revision: None } })
    }

    /// Everything open, everybody at work: so that what is left can be done.
    pub fn always_open(&mut self) -> Vec<Command> {
        for queue in &mut self.queues {
            queue.hours = None;
        }
        for agent in &mut self.agents {
            agent.shift = None;
        }
        let queues: Vec<Command> = (0..self.queues.len()).map(|number| self.update_queue(number)).collect();
        let agents = (0..self.agents.len()).map(|number| self.update_agent(number));
        queues.into_iter().chain(agents).collect()
    }

    fn update_queue(&self, number: usize) -> Command {
        let definition = Definition::Queue(self.queues[number].clone());
        Command::Define {
            name: format!("q{number}").into(),
            definition,
            write: Write::Update { revision: None },
        }
    }

    fn update_agent(&self, number: usize) -> Command {
        let definition = Definition::Agent(self.agents[number].clone());
        Command::Define {
            name: format!("a{number}").into(),
            definition,
            write: Write::Update { revision: None },
        }
    }

    fn queue(&self, number: u64, dice: &mut Dice) -> QueueSpec {
        let pool = if self.pools > 1 && dice.percent(30) { PoolKey(1) } else { PoolKey(0) };
        QueueSpec {
            offer_expiry_ms: dice.pick(&[5_000, 15_000, 15_000, 40_000]),
            on_expiry: dice.pick(&[
                OnExpiry::NotResponding,
                OnExpiry::Stay,
                OnExpiry::Recover { after_ms: 30_000 },
            ]),
            on_agent_lost: dice.pick(&[OnAgentLost::Requeue, OnAgentLost::Requeue, OnAgentLost::Keep]),
            wrap_up: wrap_up(dice),
            broadcast: dice.pick(&[1, 1, 1, 2, 3]),
            hours: self.some_hours(25, dice),
            pull: dice.percent(40),
            waiting_max: dice.pick(&[1_000, 1_000, 30, 6, 2]),
            ..QueueSpec::plain(format!("queue {number}").into(), pool, Vec::new())
        }
    }

    fn agent(&self, number: u64, dice: &mut Dice) -> AgentSpec {
        let pool = if self.pools > 1 && dice.percent(30) { PoolKey(1) } else { PoolKey(0) };
        let mut skills = Vec::new();
        for skill in 0..self.skills {
            if dice.percent(75) {
                let expires = dice.percent(6).then(|| START.after(dice.between(60_000, 900_000)));
                let proficiency = u8::try_from(dice.between(1, 10)).expect("it is at most 10");
                skills.push(Skill { skill: SkillKey(skill), proficiency, expires });
            }
        }
        AgentSpec {
            group: (!self.groups.is_empty() && dice.percent(60))
                .then(|| GroupKey(short(dice.below(self.groups.len() as u64)))),
            capacity: dice.percent(40).then(|| capacity(dice)),
            shift: self.some_hours(15, dice),
            bot: dice.percent(5),
            ..AgentSpec::plain(format!("agent {number}").into(), pool, skills)
        }
    }

    fn some_hours(&self, percent: u64, dice: &mut Dice) -> Option<HoursKey> {
        let some = !self.hours.is_empty() && dice.percent(percent);
        some.then(|| HoursKey(short(dice.below(self.hours.len() as u64))))
    }

    /// A plan over some of the queues.
    pub fn plan(&self, dice: &mut Dice) -> Plan {
        let mut queues: Vec<QueueKey> =
            (0..self.queues.len() as u64).map(|key| QueueKey(short(key))).collect();
        let first = dice.index(queues.len());
        queues.swap(0, first);
        queues.truncate(1 + dice.index(3));
        let routes: Vec<Route> = queues.iter().map(|queue| self.route(*queue, &queues, dice)).collect();
        Plan {
            routes: routes.into(),
            head_start_ms: dice.pick(&[0, 0, 30_000]),
            preferred: dice.percent(25).then(|| Preferred {
                agent: self.some_agent(dice),
                budget_ms: dice.pick(&[0, 10_000, 60_000, 300_000]),
                overdraw: dice.percent(30),
            }),
            duplicates: dice.pick(&[Duplicates::KeepBoth, Duplicates::Attach, Duplicates::Replace]),
            callback: CallbackTerms {
                attempts_max: u8::try_from(dice.between(1, 3)).expect("it is at most 3"),
                retry_ms: dice.pick(&[20_000, 120_000]),
            },
            transfers: TransferTerms {
                max: short(dice.between(0, 3)),
                beyond: dice.percent(50).then(|| dice.pick(&queues)),
            },
            hops_max: u8::try_from(dice.between(0, 3)).expect("it is at most 3"),
            ..Plan::plain(
                1,
                Route::plain(queues[0], Vec::new()),
                dice.pick(&[0, 0, 0, 1, 5, -3]),
                Goals::plain(),
            )
        }
    }

    /// One who has a desk, or rarely the ghost.
    pub fn some_agent(&self, dice: &mut Dice) -> AgentKey {
        let known = self.agents.len() as u64 + u64::from(dice.percent(10));
        AgentKey(u32::from(short(dice.below(known))))
    }

    fn route(&self, queue: QueueKey, queues: &[QueueKey], dice: &mut Dice) -> Route {
        let ways = usize::from(dice.percent(20)) + 1;
        let mut after_ms = 0;
        let relaxation = (0..dice.pick(&[0, 0, 1, 2]))
            .map(|_| {
                after_ms += dice.between(1_000, 60_000);
                Relaxation { after_ms, needs: vec![self.needs(dice)] }
            })
            .collect();
        let exit = exit(queues, dice);
        Route {
            needs: (0..ways).map(|_| self.needs(dice)).collect(),
            relaxation,
            last_step: match exit {
                Exit::Keep => LastStep::keep(),
                exit => LastStep { after_ms: after_ms + dice.between(10_000, 300_000), exit },
            },
            overflow: (0..dice.pick(&[0, 0, 1, 2]))
                .map(|_| Overflow {
                    when: vec![condition(dice)],
                    to: queues.iter().copied().filter(|_| dice.percent(70)).collect(),
                })
                .collect(),
            when_closed: exit_or_keep(queues, dice),
            at_closing: exit_or_keep(queues, dice),
            declines_max: dice.pick(&[1, 2, 5, 10]),
            max_wait_ms: dice.percent(30).then(|| dice.between(10_000, 200_000)),
            expected_handle_ms: dice.pick(&[60_000, 180_000]),
            ..Route::plain(queue, Vec::new())
        }
    }

    fn needs(&self, dice: &mut Dice) -> Needs {
        let mut requirements = Vec::new();
        for skill in 0..self.skills {
            if dice.percent(35) {
                let proficiency = u8::try_from(dice.between(1, 7)).expect("it is at most 7");
                requirements.push(Requirement { skill: SkillKey(skill), proficiency });
            }
        }
        let grouped = !self.groups.is_empty() && dice.percent(15);
        let groups =
            if grouped { vec![GroupKey(short(dice.below(self.groups.len() as u64)))] } else { vec![] };
        Needs { requirements, groups }
    }
}

fn exit_or_keep(queues: &[QueueKey], dice: &mut Dice) -> Exit {
    if dice.percent(40) { Exit::Keep } else { exit(queues, dice) }
}

fn exit(queues: &[QueueKey], dice: &mut Dice) -> Exit {
    match dice.below(8) {
        0..3 => Exit::Keep,
        3 | 4 => Exit::Queue(dice.pick(queues)),
        5 => Exit::Callback { within_ms: dice.between(30_000, 300_000) },
        6 => Exit::SendAway { destination: "voicemail".into() },
        _ => Exit::Refuse,
    }
}

fn condition(dice: &mut Dice) -> Condition {
    match dice.below(6) {
        0 => Condition::Waiting { at_least: 2 },
        1 => Condition::LongestWait { at_least_ms: 30_000 },
        2 => Condition::EstimatedWait { at_least_ms: 60_000 },
        3 => Condition::ServiceLevel { below_ppm: 500_000 },
        4 => Condition::FreeAgents { at_most: 0 },
        _ => Condition::Closed,
    }
}

fn wrap_up(dice: &mut Dice) -> WrapUp {
    WrapUp {
        mode: dice.pick(&[WrapUpMode::None, WrapUpMode::Optional, WrapUpMode::Mandatory]),
        ms: dice.between(5_000, 60_000),
        share_percent: dice.pick(&[100, 100, 50, 0]),
        extensions_max: dice.pick(&[0, 1, 2]),
        extension_ms: 20_000,
    }
}

fn capacity(dice: &mut Dice) -> CapacitySpec {
    let mut spec = CapacitySpec {
        units: dice.pick(&[100, 100, 200, 50]),
        open_offers_max: dice.pick(&[1, 1, 2, 3]),
        shift_overrun_ms: dice.pick(&[0, 60_000]),
        ..CapacitySpec::default()
    };
    if dice.percent(50) {
        let by = ChannelSet::of(&[Channel::Voice, Channel::Chat]);
        spec.channels[Channel::Email.index()].interruptible_by = by;
        if dice.percent(20) {
            spec.channels[Channel::Voice.index()].interruptible_by = ChannelSet::of(&[Channel::Video]);
        }
        spec.channels[Channel::Task.index()].interruptible_by = ChannelSet::of(&Channel::ALL);
    }
    let takes = &mut spec.channels[dice.index(7)];
    match dice.below(6) {
        0 => takes.limit = 1,
        1 => takes.units = 0,
        2 => takes.daily_max = Some(2),
        3 => takes.units = 60,
        _ => {}
    }
    spec
}

/// Open now or not, turning once or twice within the time of a run.
fn hours(dice: &mut Dice) -> HoursSpec {
    let (zone, ahead) = dice.pick(&[("Etc/UTC", 0), ("Europe/Madrid", 60), ("America/Bogota", -300_i64)]);
    let minute = i64::try_from(START.0 / MINUTE_MS % 1_440).expect("minutes of a day") + ahead;
    let minute = u16::try_from(minute.rem_euclid(1_440)).expect("minutes of a day");
    let turn = (minute + short(dice.between(1, 15))).min(1_430);
    let again = turn + short(dice.between(1, 9));
    let spans = if dice.percent(70) {
        vec![Span { from: 0, to: turn }, Span { from: again, to: 1_440 }]
    } else {
        vec![Span { from: turn, to: 1_440 }]
    };
    let every_day = |span: Span| (1..=7).map(move |weekday| WeeklySpan { weekday, span });
    HoursSpec {
        display_name: "hours".into(),
        time_zone: zone.into(),
        weekly: spans.into_iter().flat_map(every_day).collect(),
        special: Vec::new(),
    }
}

fn short(number: u64) -> u16 {
    u16::try_from(number).expect("floors are small")
}

/// When scheduled work may be done, if it is for later.
pub fn not_before(now: Time, dice: &mut Dice) -> Option<Time> {
    dice.percent(8).then(|| now.after(dice.between(1_000, 400_000)))
}
