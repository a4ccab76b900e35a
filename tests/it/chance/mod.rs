//! Random commands, shared by the laws and the naive twin. A move is five numbers; what it asks depends on what is
//! open, so most commands mean something and some never do. The floor is small and full, which is where it hurts.

mod ask;
mod dice;
mod floor;
mod plans;
mod reach;

use baton::engine::agent::Presence;
use baton::engine::command::{Command, Write};
use baton::engine::event::{EndedBy, Event, Stamped};
use baton::engine::floor::{Definition, Kind};
use baton::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId, SessionId, Text};
use baton::engine::interaction::Part;
use baton::engine::policy::{PoolSpec, Trial};
use baton::engine::time::Time;
pub use dice::Dice;
use std::collections::{BTreeMap, BTreeSet};

/// What chance decided: kind, whom, what, how, and how long before.
pub type Move = [u32; 5];

const START: Time = Time(1_000_000_000_000);
const AGENTS_AT_FIRST: u32 = 6;
const QUEUES_AT_FIRST: u16 = 4;

/// How many runs: as many as the test command has time for, or as many as `BATON_RUNS` says.
pub fn runs(usually: u32) -> u32 {
    let asked = std::env::var("BATON_RUNS").ok();
    asked.map_or(usually, |runs| runs.parse().expect("BATON_RUNS is a whole number"))
}

/// One agent's part, as far as it was seen.
#[derive(Clone, Copy)]
struct Seen {
    interaction: InteractionId,
    agent: AgentKey,
    part: Part,
}

/// What was seen so far, as far as the next command needs it.
pub struct Chance {
    now: Time,
    agents: u32,
    queues: u16,
    interactions: u64,
    offers: u64,
    assignments: u64,
    open: Vec<InteractionId>,
    parked: Vec<(InteractionId, AgentKey)>,
    connecting: Vec<AssignmentId>,
    offered: BTreeMap<OfferId, Seen>,
    assigned: BTreeMap<AssignmentId, Seen>,
    wrapping_up: BTreeSet<AssignmentId>,
    /// The revision of each plan, as the events say.
    revisions: BTreeMap<InteractionId, u32>,
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
            parked: Vec::new(),
            connecting: Vec::new(),
            offered: BTreeMap::new(),
            assigned: BTreeMap::new(),
            wrapping_up: BTreeSet::new(),
            revisions: BTreeMap::new(),
        }
    }

    /// A floor on which something can happen, decided by lists.
    pub fn opening() -> Vec<(Time, Command)> {
        Chance::opening_with(PoolSpec::listed)
    }

    /// The same floor, decided in money.
    pub fn opening_in_money() -> Vec<(Time, Command)> {
        Chance::opening_with(tried)
    }

    fn opening_with(pool: fn(Text) -> PoolSpec) -> Vec<(Time, Command)> {
        let named = |name: &str| Text::from(name);
        let mut dice = Dice::new([0; 3]);
        let mut commands = vec![
            define("default", Definition::Pool(pool(named("default")).into()), Write::Create),
            define("branch", Definition::Pool(pool(named("branch")).into()), Write::Create),
            define("es", Definition::Skill { display_name: named("es") }, Write::Create),
            define("de", Definition::Skill { display_name: named("de") }, Write::Create),
        ];
        for key in 0..floor::GROUPS {
            let group = Definition::Group(floor::group(&mut dice));
            commands.push(define(&format!("g{key}"), group, Write::Create));
        }
        for key in 0..floor::HOURS {
            let hours = Definition::Hours(floor::hours(&mut dice));
            commands.push(define(&format!("h{key}"), hours, Write::Create));
        }
        for key in 0..QUEUES_AT_FIRST {
            let queue = Definition::Queue(floor::queue(&mut dice));
            commands.push(define(&format!("q{key}"), queue, Write::Create));
        }
        for key in 0..AGENTS_AT_FIRST {
            let agent = AgentKey(key);
            let spec = Definition::Agent(floor::agent(&mut dice, START));
            commands.push(define(&format!("a{key}"), spec, Write::Create));
            commands.push(Command::OpenSession { agent, session: SessionId(1) });
            let (presence, reason) = (Presence::Available, Text::default());
            commands.push(Command::SetPresence { agent, presence, reason, by: EndedBy::Agent });
        }
        commands.into_iter().map(|command| (START, command)).collect()
    }

    /// The next command, and when.
    pub fn next(&mut self, [kind, a, b, c, wait]: Move) -> (Time, Command) {
        self.now = self.now.after(wait_ms(wait));
        let backwards = c % 97 == 0;
        let now = if backwards { Time(self.now.0 - 1) } else { self.now };
        (now, self.command(kind % 203, a, b, c))
    }

    /// What the events mean for what may come next.
    pub fn saw(&mut self, events: &[Stamped]) {
        for stamped in events {
            if let Some(interaction) = self.has_other_plan(&stamped.event) {
                *self.revisions.entry(interaction).or_insert(0) += 1;
            }
            self.saw_one(&stamped.event);
        }
    }

    /// Whose plan is another one now, or was offered.
    fn has_other_plan(&self, event: &Event) -> Option<InteractionId> {
        match event {
            Event::Offered { interaction, .. } | Event::Reprioritised { interaction, .. } => {
                Some(*interaction)
            }
            Event::Replanned(replanned) => Some(replanned.interaction),
            Event::Transferred(transferred) => Some(self.assigned[&transferred.assignment].interaction),
            _ => None,
        }
    }

    fn saw_one(&mut self, event: &Event) {
        match event {
            Event::Defined { key, definition, .. } if definition.kind() == Kind::Agent => {
                self.agents = self.agents.max(key + 1);
            }
            Event::Defined { key, definition, .. } if definition.kind() == Kind::Queue => {
                let queues = u16::try_from(key + 1).expect("a floor of few queues");
                self.queues = self.queues.max(queues);
            }
            Event::Admitted(admitted) => {
                self.interactions += 1;
                self.open.push(admitted.interaction);
            }
            Event::Offered { offer, interaction, agent, part, .. } => {
                self.offers += 1;
                let seen = Seen { interaction: *interaction, agent: *agent, part: *part };
                self.offered.insert(*offer, seen);
            }
            Event::Accepted { offer, assignment, connect_until } => {
                self.assignments += 1;
                let seen = self.offered.remove(offer).expect("an offer that is accepted was seen");
                self.assigned.insert(*assignment, seen);
                self.connecting.extend(connect_until.map(|_| *assignment));
            }
            Event::Declined { offer, .. } | Event::Expired { offer, .. } | Event::Rescinded { offer, .. } => {
                self.offered.remove(offer);
            }
            Event::Connected { assignment, .. } => self.connecting.retain(|known| known != assignment),
            Event::Joined { assignment } => {
                self.assigned.get_mut(assignment).expect("who joins was seen").part = Part::Member;
            }
            Event::Closed { interaction }
            | Event::Cancelled { interaction, .. }
            | Event::TimedOut { interaction, .. }
            | Event::SentAway { interaction, .. }
            | Event::Abandoned { interaction, .. } => {
                self.open.retain(|open| open != interaction);
                self.parked.retain(|(parked, _)| parked != interaction);
            }
            Event::Resumed { interaction, .. } => self.parked.retain(|(parked, _)| parked != interaction),
            _ => self.saw_part_end(event),
        }
    }

    fn saw_part_end(&mut self, event: &Event) {
        let (assignment, wrap_up_until) = match event {
            Event::ConversationEnded { assignment, wrap_up_until, .. }
            | Event::Requeued { assignment, wrap_up_until, .. } => (assignment, *wrap_up_until),
            Event::Transferred(transferred) => (&transferred.assignment, transferred.wrap_up_until),
            Event::WrapUpEnded { assignment, .. }
            | Event::AssignmentLost { assignment }
            | Event::ConnectFailed { assignment, .. } => (assignment, None),
            Event::Parked { assignment } => {
                let seen = self.assigned[assignment];
                self.parked.push((seen.interaction, seen.agent));
                (assignment, None)
            }
            _ => return,
        };
        self.connecting.retain(|known| known != assignment);
        if wrap_up_until.is_some() {
            self.wrapping_up.insert(*assignment);
        } else {
            self.wrapping_up.remove(assignment);
            self.assigned.remove(assignment);
        }
    }
}

fn define(name: &str, definition: Definition, write: Write) -> Command {
    Command::Define { name: name.into(), definition, write }
}

/// Half the time none; then seconds, minutes, or a day, often on a grid where deadlines fall together.
fn wait_ms(wait: u32) -> u64 {
    let length = u64::from(wait / 32);
    match wait % 32 {
        0..17 => 0,
        17..23 => length % 5_000,
        23..27 => length % 10 * 1_000,
        27..29 => length % 10 * 5_000,
        29 | 30 => length % 60_000,
        _ if length.is_multiple_of(96) => 25 * 3_600_000,
        _ => length % 10 * 30_000,
    }
}

/// In money, and by lists in half of the minutes.
fn tried(display_name: Text) -> PoolSpec {
    let other = PoolSpec::listed(display_name.clone()).policy;
    let trial = Trial { other, block_ms: 120_000, wash_out_ms: 10_000, seed: 7 };
    PoolSpec { trial: Some(trial), ..PoolSpec::plain(display_name) }
}
