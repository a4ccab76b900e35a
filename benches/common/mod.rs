//! What the benches share: a centre of a stated size, and a hand that works it. Every number drawn is a fixed
//! function of a counter, so two runs ask the same things in the same order.
//!
//! Uses the public way in (`Shard::step`) and the public questions only: the inside may change under the benches.

// Each bench uses its part.
#![allow(dead_code, unused_imports)]

mod clock;
mod hand;
#[cfg(feature = "server")]
pub mod house;

pub use clock::{Clock, Moment};
pub use hand::Hand;

use baton::engine::agent::Presence;
use baton::engine::command::{Answer, Command, Submit, Write};
use baton::engine::event::{EndedBy, Stamped};
use baton::engine::floor::{AgentSpec, Definition, QueueSpec, WrapUp};
use baton::engine::ids::{AgentKey, PoolKey, QueueKey, SessionId, SkillKey, Text};
use baton::engine::money::Money;
use baton::engine::plan::{Channel, Facts, Goals, Plan};
use baton::engine::policy::PoolSpec;
use baton::engine::route::Route;
use baton::engine::shard::Shard;
use baton::engine::skill::{Requirement, Skill};
use baton::engine::time::Time;
use std::sync::Arc;

/// So many engine commands share a millisecond: a centre at 40,000 commands a second.
const COMMANDS_A_MS: u32 = 40;
/// The wrap-up a queue gives, ms. The hand ends it long before.
const WRAP_UP_MS: u64 = 30_000;

/// How large a centre is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub agents: u32,
    /// Skills there are; each is the one requirement of a queue of its own.
    pub skills: u16,
    /// Different combinations of skills and proficiencies among the agents.
    pub profiles: u32,
    /// Decided by longest idle and longest wait, instead of the default policy.
    pub lists: bool,
}

impl Size {
    /// The floor most figures are stated for.
    pub const USUAL: Size = Size { agents: 1_000, skills: 50, profiles: 500, lists: false };

    /// The same floor, decided by lists.
    pub fn by_lists(self) -> Size {
        Size { lists: true, ..self }
    }
}

/// A shard with its floor, and the time it is told.
#[derive(Clone)]
pub struct Centre {
    pub shard: Shard,
    pub submissions: Arc<Submissions>,
    now: Time,
    commands: u32,
}

impl Centre {
    /// A floor on which nobody is signed in yet. Interactions come in so many classes, in turn.
    pub fn new(size: Size, classes: u16) -> Centre {
        let submissions = Arc::new(Submissions::new(size.skills, classes));
        let mut centre =
            Centre { shard: Shard::new(), submissions, now: Time(1_700_000_000_000), commands: 0 };
        let pool = if size.lists { PoolSpec::listed("pool".into()) } else { PoolSpec::plain("pool".into()) };
        centre.define("pool", Definition::Pool(pool.into()));
        for (name, definition) in definitions(size) {
            centre.define(&name, definition);
        }
        centre
    }

    /// A class for each queue, and everybody there and available.
    pub fn staffed(size: Size) -> Centre {
        let mut centre = Centre::new(size, size.skills);
        (0..size.agents).for_each(|agent| drop(centre.sign_in(AgentKey(agent))));
        centre
    }

    /// One agent comes and is available, and what happened. Whoever waits may be offered at once.
    pub fn sign_in(&mut self, agent: AgentKey) -> Vec<Stamped> {
        let (session, presence) = (SessionId(u64::from(agent.0) + 1), Presence::Available);
        let mut events = Vec::new();
        self.step(Command::OpenSession { agent, session }, &mut events);
        self.step(
            Command::SetPresence { agent, presence, reason: "".into(), by: EndedBy::Agent },
            &mut events,
        );
        events
    }

    fn define(&mut self, name: &str, definition: Definition) {
        self.ask(Command::Define { name: name.into(), definition, write: Write::Create });
    }

    /// One command whose events nobody looks at.
    pub fn ask(&mut self, command: Command) -> Answer {
        self.step(command, &mut Vec::new())
    }

    /// One command, at the centre's time. A bench asks nothing that is refused.
    pub fn step(&mut self, command: Command, events: &mut Vec<Stamped>) -> Answer {
        self.commands += 1;
        if self.commands == COMMANDS_A_MS {
            (self.commands, self.now) = (0, Time(self.now.0 + 1));
        }
        self.shard.step(self.now, command, events).expect("a bench asks nothing that is refused")
    }
}

/// What a floor of this size has beside its pool, in order.
pub fn definitions(size: Size) -> impl Iterator<Item = (String, Definition)> {
    let skills = (0..size.skills)
        .map(|skill| (format!("s{skill}"), Definition::Skill { display_name: "skill".into() }));
    let queues = (0..size.skills).map(|queue| (format!("q{queue}"), Definition::Queue(queue_for(queue))));
    let agents = (0..size.agents).map(move |agent| {
        let skills = profile(agent % size.profiles, size.skills);
        let spec = AgentSpec::plain("agent".into(), PoolKey(0), skills);
        (format!("a{agent}"), Definition::Agent(spec))
    });
    skills.chain(queues).chain(agents)
}

/// What is handed in: classes of equal requirements, in turn.
pub struct Submissions {
    plans: Vec<Arc<Plan>>,
    source: Text,
    external_id: Text,
}

impl Submissions {
    /// A class for each queue first, then the same queues with a proficiency higher by one, and so on.
    fn new(queues: u16, classes: u16) -> Submissions {
        let plan = |class: u16| {
            let proficiency = u8::try_from(1 + class / queues).expect("proficiencies are few");
            let needs = vec![Requirement { skill: SkillKey(class % queues), proficiency }];
            Plan::plain(1, Route::plain(QueueKey(class % queues), needs), 0, goals())
        };
        let plans = (0..classes).map(|class| Arc::new(plan(class))).collect();
        Submissions { plans, source: "pbx-1".into(), external_id: "2f1e7c40-0001".into() }
    }

    /// The command that hands in the interaction of a number; its class is the number's.
    pub fn command(&self, number: u64) -> Command {
        let class = number % self.plans.len() as u64;
        Command::Submit(Box::new(Submit {
            keys: [Some(key(number)), None],
            content: key(number ^ (1 << 63)),
            source: self.source.clone(),
            external_id: self.external_id.clone(),
            channel: Channel::Voice,
            facts: Facts::default(),
            plan: self.plans[usize::try_from(class).expect("classes are few")].clone(),
        }))
    }
}

/// What is assumed of a business that has said nothing.
fn goals() -> Goals {
    Goals {
        waiting_per_minute: Money(200_000),
        abandon: Money(5_000_000),
        late: Money(1_000_000),
        unresolved: Money(5_000_000),
        hold_max_ms: Some(60_000),
        dial: 4,
        ..Goals::plain()
    }
}

fn queue_for(skill: u16) -> QueueSpec {
    let needs = vec![Requirement { skill: SkillKey(skill), proficiency: 1 }];
    QueueSpec {
        wrap_up: WrapUp::optional(WRAP_UP_MS),
        waiting_max: u32::MAX,
        ..QueueSpec::plain("queue".into(), PoolKey(0), needs)
    }
}

/// Two skills with proficiencies, different for as many numbers as `100 * skills * (skills / 2 - 1)`.
fn profile(number: u32, skills: u16) -> Vec<Skill> {
    let (all, half) = (u32::from(skills), u32::from(skills).div_ceil(2) - 1);
    let (first, rest) = (number % all, number / all);
    let (one, rest) = (rest % 10, rest / 10);
    // Never more than half way round: otherwise two numbers would give the same pair from its two ends.
    let second = (first + 1 + (one * 7 + rest) % half) % all;
    let two = rest / half % 10;
    let held = |skill: u32, proficiency: u32| Skill {
        skill: SkillKey(u16::try_from(skill).expect("skills are few")),
        proficiency: u8::try_from(1 + proficiency).expect("proficiencies are few"),
        expires: None,
    };
    let mut held = vec![held(first, one), held(second, two)];
    held.sort_unstable();
    held
}

/// Stands for a hash: spread over all bits, different for different numbers.
fn key(number: u64) -> u128 {
    let mixed = |seed: u64| {
        let mut bits = number.wrapping_add(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits ^ (bits >> 27)
    };
    (u128::from(mixed(1)) << 64) | u128::from(mixed(2))
}
