//! The process that is simulated: the engine, its journal on a disk, and the loop around them as the runtime has it:
//! take what arrived, step, write, sync, and only then answer and tell. It may die at any of these points, and while it writes
//! at any byte.

use super::disk::Disk;
use super::witness::EVENTS_OF_A_STEP_MAX;
use super::world::{StreamId, Who, World};
use baton::engine::command::{Answer, Command, Refusal};
use baton::engine::event::Stamped;
use baton::engine::ids::{AgentKey, Sequence, SessionId, Text};
use baton::engine::shard::Shard;
use baton::engine::source::SourceSession;
use baton::engine::time::Time;
use baton::journal::{BatchWriter, recover};
use std::collections::{BTreeMap, VecDeque};

/// What comes in.
#[derive(Clone, Debug)]
pub enum Message {
    Do {
        request: u64,
        command: Command,
    },
    Follow {
        who: Who,
        stream: StreamId,
        session: SessionId,
        cursor: Option<Sequence>,
    },
    /// The lease of a stream is over.
    Lose {
        who: Who,
        stream: StreamId,
    },
}

/// Who wants to be told, from the commit on.
pub struct Follower {
    pub who: Who,
    pub stream: StreamId,
    pub cursor: Option<Sequence>,
}

/// What a batch says once it is durable.
#[derive(Default)]
pub struct Batch {
    pub events: Vec<Stamped>,
    pub answers: Vec<(u64, u64, Result<Answer, Refusal>)>,
    pub followers: Vec<Follower>,
    dies: Option<Death>,
}

/// When the process dies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Death {
    BeforeCommit,
    /// The first bytes are there: none, some or all.
    Writing,
    /// Committed, and nobody was told.
    AfterCommit,
}

/// A crash that was chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Everything up to this event is written, and nothing behind it.
    AfterEvent(u64),
    /// The same, after every byte of that commit has been tried.
    AtEveryByte(u64),
}

impl Fate {
    fn event(self) -> u64 {
        match self {
            Fate::AfterEvent(event) | Fate::AtEveryByte(event) => event,
        }
    }
}

#[derive(Default)]
pub struct Server {
    pub shard: Shard,
    /// One that was recovered while the other went on: from then on both must do the same.
    twin: Option<Shard>,
    pub disk: Disk,
    pub up: bool,
    /// Counts lives: what was meant for an earlier one is void.
    pub life: u64,
    pub inbox: VecDeque<Message>,
    pub batch: Option<Batch>,
    /// Its clock is behind everybody's by so much, as it was set when it started.
    behind_ms: u64,
    /// When it wakes by itself.
    alarm: Option<Time>,
    pub digest_at_commit: u64,
    /// It dies while it writes this event, however good its luck is.
    pub fated: Option<Fate>,
    /// The newest stream of each.
    pub streams: BTreeMap<Who, StreamId>,
    /// Sessions as the last stream of an agent opened them.
    pub sessions: BTreeMap<Who, SessionId>,
}

impl World {
    pub fn server_receives(&mut self, message: Message) {
        if self.server.up {
            self.server.inbox.push_back(message);
            self.server_rouse();
        }
    }

    /// Begins a batch if there is something to do, or sets the alarm.
    pub fn server_rouse(&mut self) {
        if !self.server.up || self.server.batch.is_some() {
            return;
        }
        let (due, now) = (self.server.shard.next_deadline(), self.server_now());
        if !self.server.inbox.is_empty() || due.is_some_and(|due| due <= now) {
            return self.server_begin();
        }
        let Some(due) = due else { return };
        if self.server.alarm.is_none_or(|alarm| due < alarm || alarm <= now) {
            // Somebody has to notice, and may be late.
            let late = if self.dice.percent(5) { self.dice.below(2_000) } else { 0 };
            self.server.alarm = Some(due);
            self.plan_alarm(due.after(self.server.behind_ms + late), self.server.life);
        }
    }

    /// What its clock says, never before what it has seen.
    fn server_now(&self) -> Time {
        Time(self.now.0 - self.server.behind_ms).max(self.server.shard.now())
    }

    fn server_begin(&mut self) {
        let mut batch = Batch::default();
        let dies = self.faults.crash_permille > 0 && self.dice.permille(self.faults.crash_permille);
        let most = self.dice.pick(&[1, 3, 20]);
        if dies || self.server.fated.is_some() {
            self.server.digest_at_commit = self.server.shard.digest();
        }
        if dies {
            let deaths = [Death::BeforeCommit, Death::Writing, Death::Writing, Death::AfterCommit];
            batch.dies = Some(self.dice.pick(&deaths));
        }
        if self.server.inbox.is_empty() {
            self.server_step(Command::Tick, &mut batch).expect("time passes for every state");
        }
        for _ in 0..most {
            let Some(message) = self.server.inbox.pop_front() else { break };
            self.server_takes(message, &mut batch);
        }
        self.server.batch = Some(batch);
        let takes_ms = if self.dice.percent(2) { self.dice.below(3_000) } else { self.dice.below(20) };
        self.plan_commit(self.now.after(takes_ms), self.server.life);
    }

    fn server_takes(&mut self, message: Message, batch: &mut Batch) {
        match message {
            Message::Do { request, command } => {
                let answer = self.server_step(command, batch);
                batch.answers.push((request, self.server.shard.sequence().0, answer));
            }
            Message::Follow { who, stream, session, cursor } => {
                let open = match who {
                    Who::Desk(number) => Command::OpenSession { agent: agent_key(number), session },
                    Who::Platform(_) => Command::OpenSource { source: self.source(who) },
                    Who::Boss => return,
                };
                self.server_step(open, batch).expect("agents and sources may always come");
                self.server.streams.insert(who, stream);
                self.server.sessions.insert(who, session);
                batch.followers.push(Follower { who, stream, cursor });
            }
            Message::Lose { who, stream } => {
                if self.server.streams.get(&who) == Some(&stream) {
                    self.server.streams.remove(&who);
                    self.server_loses(who, batch);
                }
            }
        }
    }

    fn server_loses(&mut self, who: Who, batch: &mut Batch) {
        let lose = match who {
            Who::Desk(number) => {
                Command::LoseSession { agent: agent_key(number), session: self.server.sessions[&who] }
            }
            Who::Platform(_) => Command::LoseSource { source: self.source(who) },
            Who::Boss => return,
        };
        self.server_step(lose, batch).expect("only the newest session of an agent or source is lost");
    }

    pub fn server_step(&mut self, command: Command, batch: &mut Batch) -> Result<Answer, Refusal> {
        let now = self.server_now();
        let before = batch.events.len();
        self.say(|| format!("engine <- {}", super::words::command(&command)));
        let answer = self.server.shard.step(now, command.clone(), &mut batch.events);
        let events = &batch.events[before..];
        if let Some(twin) = &mut self.server.twin {
            let mut also = Vec::new();
            assert_eq!(twin.step(now, command, &mut also), answer, "the recovered one answers the same");
            assert_eq!(also, events, "the recovered one does the same");
        }
        assert!(events.len() <= EVENTS_OF_A_STEP_MAX, "{} events in one step", events.len());
        if self.history.is_some() {
            for line in events.iter().map(super::words::event).collect::<Vec<_>>() {
                self.say(|| format!("    {line}"));
            }
            self.say(|| format!("engine -> {answer:?}"));
        }
        super::witness::check_room(&self.server.shard, &batch.events[before..]);
        answer
    }

    /// The batch is to become durable now.
    pub fn server_commits(&mut self) {
        let batch = self.server.batch.take().expect("a commit follows a batch");
        if batch.dies == Some(Death::BeforeCommit) {
            return self.server_dies(&format!("{} events are lost", batch.events.len()));
        }
        let ends = self.write(&batch.events);
        if let Some(kept) = self.dies_writing(&batch, &ends) {
            return self.server_dies_writing(&batch.events, kept, &ends);
        }
        self.server.disk.sync();
        if batch.dies == Some(Death::AfterCommit) {
            self.hear_untold(&batch.events);
            return self.server_dies("committed, and nobody was told");
        }
        self.publish(batch);
        self.witness.check_books(&self.server.shard);
        if self.dice.percent(30) {
            self.witness.check_all(&self.server.shard);
        }
        if self.server.twin.is_none() && self.dice.permille(4) {
            self.server.twin = Some(self.recovered());
        }
        self.server_rouse();
    }

    /// Writes events as one batch; where each of them ends in it.
    pub fn write(&mut self, events: &[Stamped]) -> Vec<usize> {
        let Some(first) = events.first() else { return Vec::new() };
        let mut writer = BatchWriter::new(first.sequence.0);
        let push = |stamped: &Stamped| {
            writer.push(stamped.time.0, &stamped.event, None);
            writer.size()
        };
        let ends = events.iter().map(push).collect();
        self.server.disk.write(writer.finish());
        ends
    }

    /// How many bytes are there if it dies now.
    fn dies_writing(&mut self, batch: &Batch, ends: &[usize]) -> Option<usize> {
        let (first, all) = (batch.events.first()?.sequence.0, *ends.last()?);
        let fated = self.server.fated.filter(|fate| fate.event() < first + ends.len() as u64);
        if let Some(fate) = fated {
            self.server.fated = None;
            if matches!(fate, Fate::AtEveryByte(_)) {
                self.try_every_byte(&batch.events, all);
            }
            let index = fate.event().checked_sub(first).expect("what comes before was committed");
            return Some(ends[usize::try_from(index).expect("batches are short")]);
        }
        (batch.dies == Some(Death::Writing)).then(|| self.some_bytes(ends))
    }

    /// All of them in every fourth case.
    fn some_bytes(&mut self, ends: &[usize]) -> usize {
        let all = ends.last().copied().unwrap_or_default();
        if self.dice.percent(25) { all } else { self.dice.index(all + 1) }
    }

    /// Dies while events are written, of which so many bytes are there.
    fn server_dies_writing(&mut self, events: &[Stamped], kept: usize, ends: &[usize]) {
        let all = ends.last().copied().unwrap_or_default();
        self.server.disk.crash(kept);
        if !events.is_empty() && kept == all {
            self.hear_untold(events);
        }
        self.server_dies(&format!("{kept} of {all} bytes of {} events are there", events.len()));
    }

    /// What is durable, though nobody was told.
    fn hear_untold(&mut self, events: &[Stamped]) {
        for stamped in events {
            self.witness.hear(stamped);
        }
        self.server.digest_at_commit = self.server.shard.digest();
    }

    fn server_dies(&mut self, how: &str) {
        self.say(|| format!("the process dies: {how}"));
        let server = &mut self.server;
        (server.up, server.batch, server.alarm) = (false, None, None);
        server.life += 1;
        server.inbox.clear();
        (server.shard, server.twin) = (Shard::new(), None);
        let cut: Vec<StreamId> = std::mem::take(&mut server.streams).into_values().collect();
        for stream in cut {
            self.stream_breaks(stream);
        }
        let down_ms = match self.dice.below(10) {
            0..6 => self.dice.between(10, 5_000),
            6..9 => self.dice.between(5_000, 60_000),
            _ => self.dice.between(60_000, 900_000),
        };
        self.plan_start(self.now.after(down_ms));
    }

    /// What is in the journal is what there is.
    pub fn recovered(&self) -> Shard {
        let shard = recover(
            |visit| self.server.disk.read(visit),
            Sequence(u64::MAX),
            |_, stamped, _| {
                let (heard, _) = self
                    .witness
                    .log
                    .get(usize::try_from(stamped.sequence.0 - 1).expect("journals of tests are short"))
                    .expect("nothing is in the journal that was not committed");
                assert_eq!(**heard, *stamped, "the journal says what was committed");
            },
        );
        let shard = shard.expect("the journal can be read");
        assert_eq!(shard.sequence().0, self.witness.log.len() as u64, "nothing committed is lost");
        shard
    }

    /// The process is back.
    pub fn server_starts(&mut self) {
        self.server.disk.open();
        let shard = self.recovered();
        self.witness.check_recovered(&shard);
        if self.server.life > 0 {
            assert_eq!(
                shard.digest(),
                self.server.digest_at_commit,
                "recovered as it was at the last commit"
            );
        }
        self.server.shard = shard;
        self.server.up = true;
        if self.server.life > 0 {
            self.server.behind_ms = self.dice.pick(&[0, 0, 700, 20_000]);
        }
        self.say(|| "the process is back".to_owned());
        let live: Vec<Text> = (self.server.shard.sources().iter())
            .filter(|(_, source)| source.session == SourceSession::Live)
            .map(|(name, _)| name.clone())
            .collect();
        let mut batch = Batch::default();
        if self.server.shard.sequence().0 > 0 {
            self.server_step(Command::Restart, &mut batch).expect("it suits every state");
        }
        if self.server.life > 0 && self.faults.crash_permille > 0 && self.dice.percent(5) {
            let ends = self.write(&batch.events);
            let kept = self.some_bytes(&ends);
            return self.server_dies_writing(&batch.events, kept, &ends);
        }
        for source in live {
            // Its lease begins anew.
            self.expect_source(&source);
        }
        self.write(&batch.events);
        self.server.disk.sync();
        self.publish(batch);
        self.server_rouse();
    }

    pub fn expect_source(&mut self, source: &Text) {
        let number = self.platforms.iter().position(|platform| platform.source == *source);
        let who = Who::Platform(number.expect("only platforms open sources"));
        let stream = self.new_stream_id();
        self.server.streams.insert(who, stream);
        self.plan_lease(who, stream, 15_000);
    }
}

pub fn agent_key(number: usize) -> AgentKey {
    AgentKey(u32::try_from(number).expect("floors are small"))
}
