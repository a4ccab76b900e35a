//! Random commands, shared by the laws and the naive twin. A move is five numbers; what it asks depends on what is
//! open, so most commands mean something and some never do. The floor is small and full, which is where it hurts.

use baton::engine::agent::Presence;
use baton::engine::capacity::{ChannelCapacity, channels_default};
use baton::engine::command::{Command, Leaving, Submit, Write};
use baton::engine::event::{Event, Stamped};
use baton::engine::floor::{AgentSpec, Definition, Kind, OnAgentLost, OnExpiry, QueueSpec, WrapUp};
use baton::engine::ids::{
    AgentKey, AssignmentId, CustomerId, InteractionId, OfferId, PoolKey, QueueKey, SessionId, SkillKey, Text,
};
use baton::engine::money::Money;
use baton::engine::plan::{Channel, Facts, Goals, LastStep, Plan};
use baton::engine::skill::{Requirement, Skill};
use baton::engine::time::Time;
use std::collections::BTreeMap;

/// What chance decided: kind, whom, what, how, and how long before.
pub type Move = [u32; 5];

const START: Time = Time(1_000_000_000_000);
const AGENTS_AT_FIRST: u32 = 6;
const QUEUES_AT_FIRST: u32 = 3;
const SOURCES: [&str; 3] = ["pbx", "web", "mail"];

/// How many runs: as many as the test command has time for, or as many as `BATON_RUNS` says.
pub fn runs(usually: u32) -> u32 {
    let asked = std::env::var("BATON_RUNS").ok();
    asked.map_or(usually, |runs| runs.parse().expect("BATON_RUNS is a whole number"))
}

/// What was seen so far, as far as the next command needs it.
pub struct Chance {
    now: Time,
    agents: u32,
    queues: u32,
    interactions: u64,
    offers: u64,
    assignments: u64,
    open: Vec<InteractionId>,
    open_offers: Vec<OfferId>,
    open_assignments: Vec<AssignmentId>,
}

impl Chance {
    pub fn new() -> Chance {
        Chance {
            now: START,
            agents: 0,
            queues: 0,
            interactions: 0,
            offers: 0,
            assignments: 0,
            open: Vec::new(),
            open_offers: Vec::new(),
            open_assignments: Vec::new(),
        }
    }

    /// A floor on which something can happen.
    pub fn opening() -> Vec<(Time, Command)> {
        let thing = |name: &str| Text::from(name);
        let mut commands = vec![
            define("default", Definition::Pool { display_name: thing("default") }, Write::Create),
            define("branch", Definition::Pool { display_name: thing("branch") }, Write::Create),
            define("es", Definition::Skill { display_name: thing("es") }, Write::Create),
            define("de", Definition::Skill { display_name: thing("de") }, Write::Create),
        ];
        for key in 0..QUEUES_AT_FIRST {
            commands.push(define(
                &format!("q{key}"),
                Definition::Queue(queue_spec(key, key, key)),
                Write::Create,
            ));
        }
        for key in 0..AGENTS_AT_FIRST {
            let agent = AgentKey(key);
            let spec = Definition::Agent(agent_spec(key * 7, key * 5, key));
            commands.push(define(&format!("a{key}"), spec, Write::Create));
            commands.push(Command::OpenSession { agent, session: SessionId(1) });
            let reason = Text::default();
            commands.push(Command::SetPresence { agent, presence: Presence::Available, reason });
        }
        commands.into_iter().map(|command| (START, command)).collect()
    }

    /// What the events mean for what may come next.
    pub fn saw(&mut self, events: &[Stamped]) {
        for stamped in events {
            match &stamped.event {
                Event::Defined { key, definition: Definition::Agent(_), .. } => {
                    self.agents = self.agents.max(key + 1)
                }
                Event::Defined { key, definition: Definition::Queue(_), .. } => {
                    self.queues = self.queues.max(key + 1)
                }
                Event::Admitted(admitted) => {
                    self.interactions += 1;
                    self.open.push(admitted.interaction);
                }
                Event::Offered { offer, .. } => {
                    self.offers += 1;
                    self.open_offers.push(*offer);
                }
                Event::Accepted { offer, assignment } => {
                    self.assignments += 1;
                    self.open_assignments.push(*assignment);
                    self.open_offers.retain(|open| open != offer);
                }
                Event::Declined { offer, .. }
                | Event::Expired { offer, .. }
                | Event::Rescinded { offer, .. } => {
                    self.open_offers.retain(|open| open != offer);
                }
                Event::ConversationEnded { assignment, wrap_up_until: None, .. }
                | Event::WrapUpEnded { assignment, .. } => {
                    self.open_assignments.retain(|open| open != assignment);
                }
                Event::Closed { interaction }
                | Event::Cancelled { interaction }
                | Event::Abandoned { interaction, .. } => self.open.retain(|open| open != interaction),
                _ => {}
            }
        }
    }

    /// The next command, and when.
    pub fn next(&mut self, [kind, a, b, c, wait]: Move) -> (Time, Command) {
        self.now = self.now.after(wait_ms(wait));
        let backwards = c % 97 == 0;
        let now = if backwards { Time(self.now.0 - 1) } else { self.now };
        (now, self.command(kind % 100, a, b, c))
    }

    fn command(&self, kind: u32, a: u32, b: u32, c: u32) -> Command {
        match kind {
            0..30 => Command::Submit(Box::new(self.submit(a, b, c))),
            30..44 => Command::Accept { offer: OfferId(pick(&self.open_offers, a, self.offers, |id| id.0)) },
            44..49 => {
                let offer = OfferId(pick(&self.open_offers, a, self.offers, |id| id.0));
                Command::Decline { offer, reason: Text::default() }
            }
            49..61 => {
                let assignment = AssignmentId(pick(&self.open_assignments, a, self.assignments, |id| id.0));
                Command::Complete { assignment, disposition: Text::default() }
            }
            61..66 => {
                let assignment = AssignmentId(pick(&self.open_assignments, a, self.assignments, |id| id.0));
                Command::FinishWrapUp { assignment }
            }
            66 => Command::Identify {
                interaction: InteractionId(pick(&self.open, a, self.interactions, |id| id.0)),
                customer: CustomerId(b.into()),
            },
            67..71 => Command::Cancel {
                interaction: InteractionId(pick(&self.open, a, self.interactions, |id| id.0)),
                leaving: if b.is_multiple_of(3) { Leaving::Withdrawn } else { Leaving::CustomerLeft },
            },
            71..80 => Command::SetPresence {
                agent: self.agent(a),
                presence: [Presence::Available, Presence::Available, Presence::OnBreak, Presence::SignedOut]
                    [b as usize % 4],
                reason: ["", "lunch"][c as usize % 2].into(),
            },
            80..85 => Command::OpenSession { agent: self.agent(a), session: session(b) },
            85..88 => Command::LoseSession { agent: self.agent(a), session: session(b) },
            88 => Command::OpenSource { source: SOURCES[a as usize % 3].into() },
            89 => Command::LoseSource { source: ["pbx", "web", "mail", "fax"][a as usize % 4].into() },
            90..93 => self.define_agent(a, b, c),
            93 => self.define_queue(a, b, c),
            94..96 => self.remove(a, b),
            96 if c.is_multiple_of(2) => Command::Restart,
            _ => Command::Tick,
        }
    }

    fn submit(&self, a: u32, b: u32, c: u32) -> Submit {
        let key =
            |space: u128, number: u32| number.is_multiple_of(3).then(|| space + u128::from(number / 3 % 25));
        let known = if c.is_multiple_of(50) { self.queues + 1 } else { self.queues.max(1) };
        let queue = QueueKey(u16::try_from(a % known).expect("a floor of few queues"));
        let channel = [
            Channel::Voice,
            Channel::Voice,
            Channel::Chat,
            Channel::Chat,
            Channel::Message,
            Channel::Email,
            Channel::Video,
            Channel::Social,
            Channel::Task,
        ][b as usize / 7 % 9];
        let due = match c / 3 % 20 {
            0 => Some(self.now),
            1 => Some(self.now.after(60_000)),
            _ => None,
        };
        let priority = [0, 0, 0, 1, 2, -1, 5, -10][a as usize / 11 % 8];
        let plan = Plan {
            rule_set: 1,
            queue,
            requirements: requirements(b),
            priority,
            head_start_ms: if b.is_multiple_of(13) { 30_000 } else { 0 },
            goals: goals(),
            last_step: LastStep::Keep,
        };
        Submit {
            keys: [key(0, a / 7), key(1_000, c)],
            content: u128::from(b % 2),
            source: SOURCES[c as usize / 5 % 3].into(),
            external_id: Text::default(),
            channel,
            facts: Facts { priority, due, ..Facts::default() },
            plan,
        }
    }

    /// One of those there ever were, or sometimes nobody.
    fn agent(&self, a: u32) -> AgentKey {
        AgentKey(a % (self.agents + u32::from((a / 64).is_multiple_of(16))).max(1))
    }

    fn define_agent(&self, a: u32, b: u32, c: u32) -> Command {
        let spec = Definition::Agent(agent_spec(b, c, a / 8));
        if self.agents < 12 && c.is_multiple_of(5) {
            return define(&format!("a{}", self.agents), spec, Write::Create);
        }
        define(&format!("a{}", a % (self.agents + 1)), spec, write(c))
    }

    fn define_queue(&self, a: u32, b: u32, c: u32) -> Command {
        let spec = Definition::Queue(queue_spec(a, b, c));
        if self.queues < 5 && c.is_multiple_of(5) {
            return define(&format!("q{}", self.queues), spec, Write::Create);
        }
        define(&format!("q{}", a % (self.queues + 1)), spec, write(c))
    }

    fn remove(&self, a: u32, b: u32) -> Command {
        let revision = b.is_multiple_of(4).then_some(u64::from(b % 40));
        let (kind, name) = match b / 8 % 8 {
            0..4 => (Kind::Agent, format!("a{}", a % (self.agents + 1))),
            4 | 5 => (Kind::Queue, format!("q{}", a % (self.queues + 1))),
            6 => (Kind::Skill, ["es", "de", "fr"][a as usize % 3].to_owned()),
            _ => (Kind::Pool, ["default", "branch", "none"][a as usize % 3].to_owned()),
        };
        Command::Remove { kind, name: name.into(), revision }
    }
}

/// Mostly an open one, sometimes any that ever was, or the next one.
fn pick<T>(open: &[T], a: u32, last: u64, number: impl Fn(&T) -> u64) -> u64 {
    match open.get(a as usize % open.len().max(1)) {
        Some(one) if !a.is_multiple_of(9) => number(one),
        _ => u64::from(a / 9) % (last + 2),
    }
}

fn define(name: &str, definition: Definition, write: Write) -> Command {
    Command::Define { name: name.into(), definition, write }
}

fn write(c: u32) -> Write {
    match c % 12 {
        0 => Write::Create,
        1 => Write::Update { revision: Some(u64::from(c) % 40) },
        _ => Write::Update { revision: None },
    }
}

fn session(b: u32) -> SessionId {
    SessionId([1, 1, 1, 2][b as usize % 4])
}

/// Half the time none; then seconds, minutes, or a day, often on a grid where deadlines fall together.
fn wait_ms(wait: u32) -> u64 {
    let length = u64::from(wait / 32);
    match wait % 32 {
        0..14 => 0,
        14..20 => length % 5_000,
        20..25 => length % 10 * 1_000,
        25..28 => length % 10 * 5_000,
        28..31 => length % 120_000,
        _ if length.is_multiple_of(24) => 25 * 3_600_000,
        _ => length % 20 * 30_000,
    }
}

fn requirements(b: u32) -> Vec<Requirement> {
    let need = |skill, proficiency| Requirement { skill: SkillKey(skill), proficiency };
    match b / 3 % 16 {
        0..6 => Vec::new(),
        6..9 => vec![need(0, 1)],
        9 | 10 => vec![need(0, 4)],
        11 | 12 => vec![need(1, 2)],
        13 => vec![need(0, 2), need(1, 1)],
        14 => vec![need(1, 10)],
        _ => vec![need(if b.is_multiple_of(5) { 9 } else { 0 }, 9)],
    }
}

fn agent_spec(a: u32, b: u32, c: u32) -> AgentSpec {
    let mut skills = Vec::new();
    for (index, level) in [(0, a % 12), (1, b % 14)] {
        if (1..=10).contains(&level) {
            let proficiency = u8::try_from(level).expect("it is at most 10");
            skills.push(Skill { skill: SkillKey(index), proficiency });
        }
    }
    let mut channels = channels_default();
    match c % 8 {
        0 => channels[Channel::Chat.index()].limit = 2,
        1 => channels[Channel::Task.index()].units = 0,
        2 => channels[Channel::Voice.index()] = ChannelCapacity { units: 60, limit: 1 },
        3 => channels[Channel::Email.index()].limit = 0,
        _ => {}
    }
    AgentSpec {
        display_name: Text::default(),
        pool: PoolKey(u16::from(a.is_multiple_of(11))),
        skills,
        capacity: [100, 100, 50, 200][b as usize % 4],
        channels,
        open_offers_max: [1, 1, 1, 2, 3][c as usize % 5],
    }
}

fn queue_spec(a: u32, b: u32, c: u32) -> QueueSpec {
    QueueSpec {
        display_name: Text::default(),
        pool: PoolKey(u16::from(a % 7 == 6)),
        requirements: if b % 9 == 8 {
            vec![Requirement { skill: SkillKey(1), proficiency: 1 }]
        } else {
            Vec::new()
        },
        offer_expiry_ms: [15_000, 20_000, 10_000, 30_000][b as usize % 4],
        on_agent_lost: if c % 4 == 3 { OnAgentLost::Keep } else { OnAgentLost::Requeue },
        on_expiry: if c % 3 == 1 { OnExpiry::Stay } else { OnExpiry::NotResponding },
        wrap_up: [WrapUp::None, WrapUp::Timed { ms: 10_000 }, WrapUp::Timed { ms: 30_000 }][c as usize % 3],
        waiting_max: [8, 30, 3][a as usize % 3],
    }
}

fn goals() -> Goals {
    Goals {
        answer_within_ms: 20_000,
        service_level_ppm: 800_000,
        short_abandon_ms: 5_000,
        waiting_per_minute: Money(0),
        abandon: Money(0),
        late: Money(0),
        unresolved: Money(0),
    }
}

/// A generator that never gets somewhere proves nothing about it.
#[test]
fn chance_reaches_every_event_and_nearly_every_refusal() {
    use baton::engine::shard::Shard;
    use rand::{Rng, SeedableRng};
    let (mut happened, mut refused) = (BTreeMap::new(), BTreeMap::new());
    for seed in 0..60 {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let (mut shard, mut chance) = (Shard::new(), Chance::new());
        let mut opening = Chance::opening().into_iter();
        for _ in 0..400 {
            let next = opening.next();
            let (now, command) = next.unwrap_or_else(|| chance.next(std::array::from_fn(|_| rng.next_u32())));
            let mut events = Vec::new();
            if let Err(refusal) = shard.step(now, command, &mut events) {
                *refused.entry(variant(&refusal)).or_insert(0) += 1;
            }
            chance.saw(&events);
            for stamped in events {
                *happened.entry(variant(&stamped.event)).or_insert(0) += 1;
                if let Event::Waits { decision, .. } = &stamped.event {
                    *happened.entry(variant(&decision.wait_reason)).or_insert(0) += 1;
                }
            }
        }
    }
    let events = "Restarted Defined Removed SessionOpened SessionLost PresenceChanged PresencePending Responding \
        Admitted Waits Offered Accepted Declined Expired Rescinded CooledDown ConversationEnded WrapUpEnded \
        Abandoned Cancelled Closed SourceOpened SourceLost AssignmentLost Identified \
        Some(NoAgentQualifies) Some(AllAgentsBusy) Some(CoolingDown)";
    // Not among them: the limits that take thousands to reach.
    let refusals = "NotDefined AlreadyDefined EtagMismatch InUse SignedIn RequestIdReused QueueFull DuePast \
        InteractionUnknown AgentUnknown SessionUnknown NoSession OfferUnknown OfferExpired OfferRescinded \
        OfferDeclined OfferAccepted AssignmentUnknown AssignmentEnded NotWrappingUp TimeRunsBack";
    let missing = |wanted: &str, seen: &BTreeMap<String, u32>| {
        wanted
            .split_whitespace()
            .filter(|name| !seen.contains_key(*name))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(missing(events, &happened), Vec::<String>::new(), "{happened:?}");
    assert_eq!(missing(refusals, &refused), Vec::<String>::new(), "{refused:?}");
}

/// The name of an enum's variant, as `Debug` gives it.
fn variant(value: &impl std::fmt::Debug) -> String {
    let text = format!("{value:?}");
    text.split([' ', '{']).next().unwrap_or_default().split("(Admitted").next().unwrap_or_default().to_owned()
}
