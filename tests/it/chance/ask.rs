//! What a move asks: the choice among the commands, each aimed mostly at something it can be done to.

use super::dice::Dice;
use super::{Chance, define, floor, plans};
use baton::engine::agent::Presence;
use baton::engine::channel::Channel;
use baton::engine::command::{Command, Handover, Leaving, Submit, Target, Window, Write};
use baton::engine::event::{ConnectFailure, EndedBy};
use baton::engine::floor::{Definition, Kind};
use baton::engine::ids::{
    AgentKey, AssignmentId, CustomerId, InteractionId, OfferId, QueueKey, SessionId, Text,
};
use baton::engine::interaction::Part;
use baton::engine::plan::{Facts, Plan};

const SOURCES: [&str; 3] = ["pbx", "web", "mail"];
const CHANNELS: [Channel; 9] = [
    Channel::Voice,
    Channel::Voice,
    Channel::Chat,
    Channel::Chat,
    Channel::Message,
    Channel::Email,
    Channel::Video,
    Channel::Social,
    Channel::Task,
];

impl Chance {
    pub(super) fn command(&self, kind: u32, a: u32, b: u32, c: u32) -> Command {
        match kind {
            0..44 => Command::Submit(Box::new(self.submit(a, b, c))),
            44..80 => Command::Accept { offer: self.an_offer(a) },
            80..89 => Command::Decline { offer: self.an_offer(a), reason: Text::default() },
            89..109 => Command::Complete {
                assignment: self.talking(a),
                disposition: Text::default(),
                solved: [None, Some(true), Some(false)][b as usize % 3],
            },
            109..165 => self.in_conversation(kind, a, b, c),
            165..188 => self.about_agents(kind, a, b, c),
            188 => Command::OpenSource { source: SOURCES[a as usize % 3].into() },
            189 => Command::LoseSource { source: ["pbx", "web", "mail", "fax"][a as usize % 4].into() },
            190..198 => self.configure(kind, [a, b, c]),
            198 if c.is_multiple_of(2) => Command::Restart,
            199 if b.is_multiple_of(2) => {
                Command::SetParameters(plans::learned(self.now, self.agents, [a, b, c]).into())
            }
            200..203 => self.replan(a, b, c),
            _ => Command::Tick,
        }
    }

    fn in_conversation(&self, kind: u32, a: u32, b: u32, c: u32) -> Command {
        let interaction = self.an_interaction(a);
        let assignment = self.talking(a);
        match kind {
            109..114 => Command::FinishWrapUp { assignment: self.in_wrap_up(a), by: ended_by(b) },
            114..116 => Command::ExtendWrapUp { assignment: self.in_wrap_up(a) },
            116..119 => Command::Connected { interaction: self.to_connect(a) },
            119..123 => Command::ConnectFailed { interaction: self.to_connect(a), cause: failure(b) },
            123..137 => self.with_another(kind, [a, b, c]),
            137 => Command::StopSeeking { assignment },
            138..142 => Command::Park { assignment },
            142..145 => Command::Resume { interaction: self.a_parked(a).0 },
            145..147 => Command::Requeue { assignment },
            147 | 148 => Command::Pull { agent: self.agent(b), interaction },
            149 => {
                let (interaction, agent) = self.a_parked(a);
                Command::Pull { agent, interaction }
            }
            150..154 => self.request_callback(a, b, c),
            154..157 => Command::Assign { interaction, agent: self.agent(b), overdraw: c.is_multiple_of(2) },
            157 | 158 => {
                let priority = [0, 1, 5, 10, -10, 11][b as usize % 6];
                Command::Reprioritise { interaction, priority }
            }
            159 => {
                let customer = CustomerId(u64::from(b % 4));
                Command::Identify { interaction, customer, journey: plans::journey([a, b, c]) }
            }
            _ => Command::Cancel {
                interaction,
                leaving: if b.is_multiple_of(3) { Leaving::Withdrawn } else { Leaving::CustomerLeft },
            },
        }
    }

    fn about_agents(&self, kind: u32, a: u32, b: u32, c: u32) -> Command {
        let agent = self.agent(a);
        match kind {
            165..179 => Command::SetPresence {
                agent,
                presence: [
                    Presence::Available,
                    Presence::Available,
                    Presence::Available,
                    Presence::OnBreak,
                    Presence::SignedOut,
                ][b as usize % 5],
                reason: ["", "lunch"][c as usize % 2].into(),
                by: ended_by(c),
            },
            179..185 => Command::OpenSession { agent, session: session(b) },
            _ => Command::LoseSession { agent, session: session(b) },
        }
    }

    fn submit(&self, a: u32, b: u32, c: u32) -> Submit {
        let mut dice = Dice::new([a, b, c]);
        let key =
            |space: u128, number: u32| number.is_multiple_of(3).then(|| space + u128::from(number / 3 % 25));
        let now = self.now;
        Submit {
            keys: [key(0, a / 7), key(1_000, c)],
            content: u128::from(b % 2),
            source: SOURCES[c as usize / 5 % 3].into(),
            external_id: Text::default(),
            channel: CHANNELS[b as usize / 7 % 9],
            facts: Facts {
                priority: dice.choose(&[0, 0, 1]),
                due: match dice.of(24) {
                    0 => Some(now),
                    1..3 => Some(now.after(60_000)),
                    3 | 4 => Some(floor::soon(&mut dice, now)),
                    _ => None,
                },
                customer: dice.one_in(2).then(|| CustomerId(u64::from(dice.of(4)))),
                matter: dice.choose(&["", "order", "order", "bill"]).into(),
                not_before: dice.one_in(12).then(|| floor::soon(&mut dice, now)),
                journey: plans::journey([c, a, b]),
                ..Facts::default()
            },
            plan: self.plan(&mut dice, a).into(),
        }
    }

    fn plan(&self, dice: &mut Dice, a: u32) -> Plan {
        let known = u32::from(self.queues.max(1)) + u32::from(dice.one_in(50));
        let queue = QueueKey(u16::try_from(a % known).expect("a floor of few queues"));
        plans::plan(dice, queue, self.queues, self.agents)
    }

    /// Mostly in place of the plan there is.
    fn replan(&self, a: u32, b: u32, c: u32) -> Command {
        let mut dice = Dice::new([a, b, c]);
        let interaction = self.an_interaction(a);
        let current = self.revisions.get(&interaction).copied().unwrap_or(0);
        let replaces = if dice.one_in(8) { current.saturating_sub(1) } else { current };
        let circumstances = plans::circumstances(dice.of(9));
        Command::Replan { interaction, plan: self.plan(&mut dice, b).into(), replaces, circumstances }
    }

    /// Hands on, or asks for a second agent: of a queue, one by name, or who is being consulted.
    fn with_another(&self, kind: u32, [a, b, c]: [u32; 3]) -> Command {
        let mut dice = Dice::new([a, b, c]);
        let advice = self.assigned.iter().filter(|(_, seen)| seen.part == Part::Consultant);
        let advice: Vec<(AssignmentId, InteractionId)> =
            advice.map(|(id, seen)| (*id, seen.interaction)).collect();
        let consulted = advice.get(a as usize % advice.len().max(1)).filter(|_| c.is_multiple_of(2));
        let (assignment, target) = match consulted {
            Some((other, interaction)) => (self.partner(*interaction, a), Target::Consulted(*other)),
            None if c.is_multiple_of(9) => (self.talking(a), Target::Consulted(self.talking(b))),
            None => {
                let plan = Box::new(self.plan(&mut dice, b));
                let agent = dice.one_in(2).then(|| self.agent(b / 2));
                (self.talking(a), Target::Line { plan: plan.into(), agent })
            }
        };
        match kind {
            123..129 => {
                let handover = if b.is_multiple_of(3) { Handover::Warm } else { Handover::Blind };
                Command::Transfer { assignment, target, handover }
            }
            129..133 => Command::Consult { assignment, target },
            _ => Command::Conference { assignment, target },
        }
    }

    /// Who talks in that conversation beside the consultants.
    fn partner(&self, interaction: InteractionId, a: u32) -> AssignmentId {
        let beside = |seen: &super::Seen| seen.interaction == interaction && seen.part != Part::Consultant;
        let talking = self.assigned.iter().find(|(id, seen)| beside(seen) && !self.wrapping_up.contains(id));
        talking.map_or_else(|| self.talking(a), |(id, _)| *id)
    }

    fn request_callback(&self, a: u32, b: u32, c: u32) -> Command {
        let mut dice = Dice::new([a, b, c]);
        let from = floor::soon(&mut dice, self.now);
        let until = from.after(dice.choose(&[60_000, 10_000, 600_000, 0]));
        let channel = dice.choose(&[Channel::Voice, Channel::Voice, Channel::Chat]);
        Command::RequestCallback {
            interaction: self.an_interaction(a),
            channel,
            window: Window { from, until },
        }
    }

    fn configure(&self, kind: u32, [a, b, c]: [u32; 3]) -> Command {
        let mut dice = Dice::new([a, b, c]);
        let few = |letter: char, there: u32| format!("{letter}{}", a % (there + 1));
        let queues = u32::from(self.queues);
        let (name, definition, write) = match kind {
            190..193 if self.agents < 12 && c.is_multiple_of(5) => {
                let spec = floor::agent(&mut dice, self.now);
                (format!("a{}", self.agents), Definition::Agent(spec), Write::Create)
            }
            190..193 => {
                (few('a', self.agents), Definition::Agent(floor::agent(&mut dice, self.now)), write(c))
            }
            193 if queues < 6 && c.is_multiple_of(5) => {
                (format!("q{queues}"), Definition::Queue(floor::queue(&mut dice)), Write::Create)
            }
            193 => (few('q', queues), Definition::Queue(floor::queue(&mut dice)), write(c)),
            194 => {
                let groups = u32::from(floor::GROUPS);
                (few('g', groups), Definition::Group(floor::group(&mut dice)), write(c))
            }
            195 => {
                let hours = u32::from(floor::HOURS);
                (few('h', hours), Definition::Hours(floor::hours(&mut dice)), write(c))
            }
            _ => return self.remove(a, b),
        };
        define(&name, definition, write)
    }

    fn remove(&self, a: u32, b: u32) -> Command {
        let revision = b.is_multiple_of(4).then_some(u64::from(b % 40));
        let (kind, name) = match b / 8 % 10 {
            0..4 => (Kind::Agent, format!("a{}", a % (self.agents + 1))),
            4 | 5 => (Kind::Queue, format!("q{}", a % (u32::from(self.queues) + 1))),
            6 => (Kind::Skill, ["es", "de", "fr"][a as usize % 3].to_owned()),
            7 => (Kind::Group, format!("g{}", a % 3)),
            8 => (Kind::Hours, format!("h{}", a % 4)),
            _ => (Kind::Pool, ["default", "branch", "none"][a as usize % 3].to_owned()),
        };
        Command::Remove { kind, name: name.into(), revision }
    }

    /// One of those there ever were, or sometimes nobody.
    fn agent(&self, a: u32) -> AgentKey {
        AgentKey(a % (self.agents + u32::from((a / 64).is_multiple_of(16))).max(1))
    }

    fn an_offer(&self, a: u32) -> OfferId {
        let open: Vec<u64> = self.offered.keys().map(|id| id.0).collect();
        OfferId(pick(&open, a, self.offers))
    }

    fn an_interaction(&self, a: u32) -> InteractionId {
        let open: Vec<u64> = self.open.iter().map(|id| id.0).collect();
        InteractionId(pick(&open, a, self.interactions))
    }

    fn a_parked(&self, a: u32) -> (InteractionId, AgentKey) {
        let known = self.parked.get(a as usize % self.parked.len().max(1)).filter(|_| !a.is_multiple_of(9));
        known.copied().unwrap_or_else(|| (self.an_interaction(a), self.agent(a)))
    }

    fn to_connect(&self, a: u32) -> InteractionId {
        let waiting = self.connecting.iter().filter_map(|id| self.assigned.get(id));
        let waiting: Vec<u64> = waiting.map(|seen| seen.interaction.0).collect();
        InteractionId(pick(&waiting, a, self.interactions))
    }

    fn talking(&self, a: u32) -> AssignmentId {
        let talking = self.assigned.keys().filter(|id| !self.wrapping_up.contains(id));
        AssignmentId(pick(&talking.map(|id| id.0).collect::<Vec<_>>(), a, self.assignments))
    }

    fn in_wrap_up(&self, a: u32) -> AssignmentId {
        let wrapping_up: Vec<u64> = self.wrapping_up.iter().map(|id| id.0).collect();
        AssignmentId(pick(&wrapping_up, a, self.assignments))
    }
}

/// Mostly an open one, sometimes any that ever was, or the next one.
fn pick(open: &[u64], a: u32, last: u64) -> u64 {
    match open.get(a as usize % open.len().max(1)) {
        Some(one) if !a.is_multiple_of(9) => *one,
        _ => u64::from(a / 9) % (last + 2),
    }
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

fn ended_by(b: u32) -> EndedBy {
    if b.is_multiple_of(4) { EndedBy::Supervisor } else { EndedBy::Agent }
}

fn failure(b: u32) -> ConnectFailure {
    [
        ConnectFailure::AgentNoAnswer,
        ConnectFailure::AgentBusy,
        ConnectFailure::CustomerGone,
        ConnectFailure::CustomerNoAnswer,
        ConnectFailure::Network,
    ][b as usize % 5]
}
