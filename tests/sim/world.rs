//! The simulated world: one clock, one agenda, a network that delays, doubles, reorders and drops, and everybody who
//! talks over it. Nothing happens but what the agenda says, in its order; time is the time of what happens.

use super::desk::{Desk, Errand};
use super::dice::Dice;
use super::drawn::Drawn;
use super::platform::Platform;
use super::server::{Batch, Fate, Message, Server};
use super::streams::Stream;
use super::witness::Witness;
use baton::engine::command::{Answer, Command, Refusal};
use baton::engine::ids::Text;
use baton::engine::time::Time;
use std::collections::{BTreeMap, VecDeque};

/// Wednesday, 25 November 2026, 09:00 UTC.
pub const START: Time = Time(1_795_597_200_000);
/// So many lines of history are kept.
const HISTORY_MAX: usize = 120;
/// More happenings than this are a loop.
const HAPPENINGS_MAX: u64 = 60_000;

pub type StreamId = u64;

/// Who talks to the process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Who {
    Desk(usize),
    Platform(usize),
    Boss,
}

/// What may happen.
pub(super) enum Happening {
    Arrives(Message),
    Answered(u64, u64, Result<Answer, Refusal>),
    Retry(u64),
    Delivered(StreamId),
    Alarm(u64),
    Commit(u64),
    Start,
    Lease(Who, StreamId),
    Errand(usize, Errand),
    Customer(usize, usize, super::platform::Step),
    Reconnect(usize),
    Boss,
    Break,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub drop_percent: u64,
    pub double_percent: u64,
    pub slow_percent: u64,
    pub crash_permille: u64,
}

pub struct World {
    pub now: Time,
    pub dice: Dice,
    agenda: BTreeMap<(Time, u64), Happening>,
    pub(super) number: u64,
    happened: u64,
    pub faults: Faults,
    /// The traffic has stopped: whoever is left works on.
    pub calm: bool,
    pub traffic_until: Time,
    /// The last event of the opening.
    pub opened: u64,
    pub drawn: Drawn,
    pub server: Server,
    pub(super) streams: BTreeMap<StreamId, Stream>,
    pub outstanding: BTreeMap<u64, (Who, Command)>,
    asked: BTreeMap<u64, (Who, Command)>,
    /// How long to wait for the next answer before it is asked again.
    patience_ms: BTreeMap<u64, u64>,
    pub desks: Vec<Desk>,
    pub platforms: Vec<Platform>,
    pub witness: Witness,
    /// `Some`: it is written down.
    pub history: Option<VecDeque<String>>,
    /// And said at once, for those that end in no panic.
    aloud: bool,
}

impl World {
    pub fn new(seed: u64, history: bool) -> World {
        World::lasting(seed, history, (60_000, 900_000))
    }

    /// With traffic for so many milliseconds.
    fn lasting(seed: u64, history: bool, (least_ms, most_ms): (u64, u64)) -> World {
        let mut dice = Dice::new(seed);
        let drawn = Drawn::new(&mut dice);
        let kind = dice.below(5);
        let faults = Faults {
            drop_percent: if kind == 0 { 0 } else { dice.below(8) },
            double_percent: if kind == 0 { 0 } else { dice.below(8) },
            slow_percent: if kind == 0 { 0 } else { dice.below(6) },
            crash_permille: if kind < 2 { 0 } else { dice.between(1, 20) },
        };
        let traffic_until = START.after(dice.between(least_ms, most_ms));
        let desks = (0..drawn.agents.len()).map(|number| Desk::new(number, &mut dice)).collect();
        let platforms = (0..dice.pick(&[1, 1, 2]))
            .map(|number| Platform::new(number, traffic_until, &mut dice))
            .collect();
        World {
            now: START,
            dice,
            agenda: BTreeMap::new(),
            number: 0,
            happened: 0,
            faults,
            calm: false,
            traffic_until,
            opened: 0,
            drawn,
            server: Server::default(),
            streams: BTreeMap::new(),
            outstanding: BTreeMap::new(),
            asked: BTreeMap::new(),
            patience_ms: BTreeMap::new(),
            desks,
            platforms,
            witness: Witness::default(),
            history: history.then(VecDeque::new),
            aloud: std::env::var_os("BATON_TELL").is_some(),
        }
    }

    /// One of a minute at most, in which the process dies when it is told to and not by luck.
    pub fn short(seed: u64, history: bool, fated: Option<Fate>) -> World {
        let mut world = World::lasting(seed, history, (10_000, 60_000));
        world.faults.crash_permille = 0;
        world.server.fated = fated;
        world
    }

    /// A whole run: opening, traffic with faults, calm, the end.
    pub fn run(&mut self) {
        self.open();
        let traffic_until = self.traffic_until;
        self.pass_until(traffic_until);
        self.calm_down();
        self.settle();
        self.check_quiet();
        self.send_everybody_home();
        self.settle();
        self.check_over();
    }

    fn open(&mut self) {
        self.server_starts();
        // The floor is there before anybody comes.
        let mut batch = Batch::default();
        for command in self.drawn.opening() {
            self.server_step(command, &mut batch).expect("a floor that is drawn can be defined");
        }
        self.write(&batch.events);
        self.server.disk.sync();
        self.publish(batch);
        self.opened = self.server.shard.sequence().0;
        for number in 0..self.desks.len() {
            let at = self.now.after(self.dice.below(20_000));
            self.plan(at, Happening::Errand(number, Errand::Connect));
        }
        for number in 0..self.platforms.len() {
            self.open_platform(number);
        }
        self.plan(START.after(5_000), Happening::Boss);
        self.plan(START.after(10_000), Happening::Break);
    }

    fn pass_until(&mut self, until: Time) {
        while self.agenda.first_key_value().is_some_and(|((at, _), _)| *at <= until) {
            self.happen();
        }
        self.now = until;
    }

    /// No new traffic, no faults: those who are there work on until nothing more happens by itself.
    fn calm_down(&mut self) {
        self.say(|| "the traffic stops, and the faults".to_owned());
        self.calm = true;
        self.faults = Faults::default();
        // What is on its way arrives, and does not undo what is said now.
        self.outstanding.retain(|_, (who, _)| *who != Who::Boss);
        self.pass_until(self.now.after(10_000));
        for command in self.drawn.always_open() {
            self.send(Who::Boss, command);
        }
        for number in 0..self.desks.len() {
            self.desk_calms(number);
        }
        for number in 0..self.platforms.len() {
            self.platform_calms(number);
        }
    }

    /// Until only the clock on the wall is left.
    fn settle(&mut self) {
        loop {
            let mut alarms = 0;
            let others = self.agenda.values().any(|one| match one {
                Happening::Alarm(_) => {
                    alarms += 1;
                    false
                }
                Happening::Boss | Happening::Break => false,
                _ => true,
            });
            let wall = |deadline| {
                use baton::engine::deadline::Deadline;
                matches!(deadline, Deadline::Hours(_) | Deadline::Skill(..))
            };
            let timers = self.server.shard.deadlines().sorted();
            if !others && timers.iter().all(|(_, deadline)| wall(*deadline)) {
                return;
            }
            assert!(others || alarms > 0, "timers are armed and nobody wakes: {timers:?}");
            self.happen();
        }
    }

    fn happen(&mut self) {
        let ((at, _), happening) = self.agenda.pop_first().expect("something is left to happen");
        self.happened += 1;
        assert!(self.happened < HAPPENINGS_MAX, "it never comes to rest");
        self.now = at;
        match happening {
            Happening::Arrives(message) => self.arrives(message),
            Happening::Answered(request, sequence, answer) => self.answered(request, sequence, answer),
            Happening::Retry(request) if self.outstanding.contains_key(&request) => self.transmit(request),
            Happening::Retry(_) => {}
            Happening::Delivered(stream) => self.delivered(stream),
            Happening::Alarm(life) if life == self.server.life => self.server_rouse(),
            Happening::Commit(life) if life == self.server.life => self.server_commits(),
            Happening::Alarm(_) | Happening::Commit(_) => {}
            Happening::Start => self.server_starts(),
            Happening::Lease(who, stream) => self.server_receives(Message::Lose { who, stream }),
            Happening::Errand(number, errand) => self.desk_does(number, errand),
            Happening::Customer(platform, customer, step) => self.customer_does(platform, customer, step),
            Happening::Reconnect(platform) => self.platform_connects(platform),
            Happening::Boss if self.calm => {}
            Happening::Boss => {
                self.boss_decides();
                let at = self.now.after(self.dice.between(3_000, 40_000));
                self.plan(at, Happening::Boss);
            }
            Happening::Break if self.calm => {}
            Happening::Break => {
                self.something_breaks();
                let at = self.now.after(self.dice.between(5_000, 120_000));
                self.plan(at, Happening::Break);
            }
        }
    }

    // The network.

    /// Sends a request until it is answered.
    pub fn send(&mut self, who: Who, command: Command) -> u64 {
        self.number += 1;
        let request = self.number;
        self.asked.insert(request, (who, command.clone()));
        self.outstanding.insert(request, (who, command));
        self.transmit(request);
        request
    }

    fn transmit(&mut self, request: u64) {
        let (_, command) = self.outstanding[&request].clone();
        for _ in 0..self.copies() {
            let message = Message::Do { request, command: command.clone() };
            let at = self.now.after(self.delay_ms());
            self.plan(at, Happening::Arrives(message));
        }
        let patience_ms =
            self.patience_ms.get(&request).copied().unwrap_or_else(|| self.dice.between(1_500, 4_000));
        self.patience_ms.insert(request, (2 * patience_ms).min(20_000));
        self.plan(self.now.after(patience_ms), Happening::Retry(request));
    }

    pub(super) fn copies(&mut self) -> u64 {
        if self.dice.percent(self.faults.drop_percent) {
            0
        } else if self.dice.percent(self.faults.double_percent) {
            2
        } else {
            1
        }
    }

    pub(super) fn delay_ms(&mut self) -> u64 {
        if self.dice.percent(self.faults.slow_percent) {
            self.dice.between(50, 8_000)
        } else {
            self.dice.between(1, 40)
        }
    }

    fn arrives(&mut self, message: Message) {
        if let Message::Follow { who, stream, .. } = &message
            && self.stream_of(*who) != Some(*stream)
        {
            // The connection it came by is gone.
            return;
        }
        self.server_receives(message);
    }

    fn answered(&mut self, request: u64, sequence: u64, answer: Result<Answer, Refusal>) {
        self.witness.told(sequence);
        // Every copy is answered, and every answer is true.
        let Some((_, command)) = self.asked.get(&request).cloned() else { return };
        self.check_answer(&command, &answer);
        let Some((who, command)) = self.outstanding.remove(&request) else { return };
        match who {
            Who::Desk(number) => self.desk_hears_answer(number, &command, &answer),
            Who::Platform(number) => self.platform_hears_answer(number, &command, &answer),
            Who::Boss => {}
        }
    }

    fn check_answer(&mut self, command: &Command, answer: &Result<Answer, Refusal>) {
        use baton::engine::event::Ending;
        match (command, answer) {
            (
                Command::Submit(submit),
                Ok(Answer::Admitted { interaction, .. } | Answer::Attached { interaction }),
            ) => {
                self.witness.admission_told(&submit.source, &submit.external_id, *interaction);
            }
            (Command::Accept { offer }, Ok(Answer::Accepted { assignment, .. })) => {
                self.witness.accept_told(*offer, *assignment);
            }
            (Command::Accept { .. } | Command::Submit(_), Ok(other)) => panic!("a strange answer: {other:?}"),
            (Command::Decline { offer, .. }, Ok(_)) => self.witness.check_ending(*offer, Ending::Declined),
            (Command::Accept { offer } | Command::Decline { offer, .. }, Err(refusal)) => match refusal {
                Refusal::OfferExpired => self.witness.check_ending(*offer, Ending::Expired),
                Refusal::OfferDeclined => self.witness.check_ending(*offer, Ending::Declined),
                Refusal::OfferAccepted => self.witness.check_ending(*offer, Ending::Accepted),
                Refusal::OfferRescinded => self.witness.check_taken(*offer, false),
                Refusal::OfferTaken => self.witness.check_taken(*offer, true),
                other => panic!("offer {offer} was told, and the answer to it is {other:?}"),
            },
            _ => {}
        }
    }

    fn something_breaks(&mut self) {
        let ids: Vec<StreamId> = self.streams.keys().copied().collect();
        if !ids.is_empty() && self.faults.slow_percent + self.faults.drop_percent > 0 {
            let id = self.dice.pick(&ids);
            self.say(|| format!("a connection breaks: stream {id}"));
            self.stream_breaks(id);
        }
    }

    // The agenda.

    pub(super) fn plan(&mut self, at: Time, happening: Happening) {
        self.number += 1;
        self.agenda.insert((at.max(self.now), self.number), happening);
    }

    pub fn plan_alarm(&mut self, at: Time, life: u64) {
        self.plan(at, Happening::Alarm(life));
    }

    pub fn plan_commit(&mut self, at: Time, life: u64) {
        self.plan(at, Happening::Commit(life));
    }

    pub fn plan_start(&mut self, at: Time) {
        self.plan(at, Happening::Start);
    }

    pub fn plan_lease(&mut self, who: Who, stream: StreamId, after_ms: u64) {
        self.plan(self.now.after(after_ms), Happening::Lease(who, stream));
    }

    pub fn plan_errand(&mut self, number: usize, errand: Errand, after_ms: u64) {
        self.plan(self.now.after(after_ms), Happening::Errand(number, errand));
    }

    pub fn plan_customer(
        &mut self,
        platform: usize,
        customer: usize,
        step: super::platform::Step,
        after_ms: u64,
    ) {
        self.plan(self.now.after(after_ms), Happening::Customer(platform, customer, step));
    }

    pub fn plan_reconnect(&mut self, platform: usize, after_ms: u64) {
        self.plan(self.now.after(after_ms), Happening::Reconnect(platform));
    }

    pub fn source(&self, who: Who) -> Text {
        match who {
            Who::Platform(number) => self.platforms[number].source.clone(),
            Who::Desk(_) | Who::Boss => panic!("only platforms submit"),
        }
    }

    /// Writes a line of history, if somebody will read it.
    pub fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(history) = &mut self.history {
            if history.len() == HISTORY_MAX {
                history.pop_front();
            }
            let ms = self.now.since(START);
            let line = format!("{:>6}.{:03} {}", ms / 1000, ms % 1000, line());
            if self.aloud {
                eprintln!("{line}");
            }
            history.push_back(line);
        }
    }
}
