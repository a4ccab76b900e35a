//! The loop of one shard: take what has arrived, step, commit, and only then answer and publish. It owns the engine
//! and the journal's writer; nobody else touches either.

use super::admission::Delays;
use super::clock::Clock;
use super::erase::Destroying;
use super::fates::ByVersion;
use super::follow::{Follow, over};
use super::forgotten::Forgotten;
use super::history::History;
use super::inbox::{Answered, Ask, Inbox, Reply};
use super::leases::Leases;
use super::lessons::Lessons;
use super::outbox::{AgentFollower, Follower, Outbox};
use super::payload::{Held, Plain, Secret, Speaker, put_key};
use super::pipe::PipeId;
use super::poisoned::Poisoned;
use super::snapshotting::Progress;
use super::told::{Look, Shown, Told, submitted};
use crate::engine::command::{Answer, Command, Refusal};
use crate::engine::event::{EndedBy, Event, Stamped};
use crate::engine::floor::Floor;
use crate::engine::ids::{InteractionId, Sequence};
use crate::engine::interaction::State;
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use crate::journal::{BatchWriter, Fault, Journal, Key};
use crate::observe;
use arc_swap::ArcSwap;
use crossbeam_channel::RecvTimeoutError;
use dashmap::DashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most commands that share one commit.
const BATCH_MAX: usize = 1_024;
/// A batch is stepped for about as long as the commit before it took, within these bounds. Longer, and everybody waits
/// for the last of it while the sockets have nothing to do; shorter, and most of the time goes into commits.
const STEPPING: RangeInclusive<Duration> = Duration::from_micros(500)..=Duration::from_millis(5);
/// So many commands between two looks at the clock.
const LOOK_EVERY: usize = 16;
/// About what a record takes: room is made for so much.
const RECORD_BYTES: usize = 256;
/// The loop comes round at least this often, for the gauges.
const ROUND_MAX: Duration = Duration::from_millis(500);

/// One event of the batch, with what rides beside it.
struct Written {
    stamped: Stamped,
    sealed: Option<Vec<u8>>,
    plain: Option<Plain>,
}

/// What a batch will say once it is durable.
#[derive(Default)]
struct Batch {
    written: Vec<Written>,
    keys: Vec<(u64, Key)>,
    answers: Vec<(Reply, Told)>,
    reads: Vec<(Answered, Sequence)>,
    followers: Vec<Follower>,
    routed: Vec<(PipeId, InteractionId)>,
    destroying: Vec<Destroying>,
    stop: bool,
}

/// One shard's thread.
pub(super) struct Driver {
    pub shard: Shard,
    pub journal: Box<dyn Journal>,
    pub inbox: Inbox,
    pub clock: Clock,
    pub floor: Arc<ArcSwap<Floor>>,
    pub payloads: Arc<DashMap<InteractionId, Held>>,
    pub follow: Follow,
    pub history: History,
    pub lessons: Lessons,
    pub by_version: ByVersion,
    pub progress: Arc<Progress>,
    pub outbox: Outbox,
    pub leases: Leases,
    pub forgotten: Arc<Forgotten>,
    /// Interactions that were learned to be of somebody forgotten, whose keys are to be destroyed.
    pub late: Vec<u64>,
    pub poisoned: Poisoned,
    pub gauges: observe::Gauges,
    /// How long commands have waited, measured from `began` on.
    pub delays: Delays,
    pub began: Instant,
    /// How long the next batch may be stepped.
    pub stepping: Duration,
    /// For the events of one step; empty between two.
    pub events: Vec<Stamped>,
}

impl Driver {
    /// Runs until told to stop or until something durable fails. After a fault nothing of the last batch was told
    /// to anybody.
    pub fn run(mut self) -> Result<(), Fault> {
        loop {
            let mut batch = Batch::default();
            self.lose_cut_off(&mut batch);
            if self.inbox.asks.is_empty() {
                self.measure(None);
            }
            match self.inbox.asks.recv_timeout(self.patience(&batch)) {
                Ok(oldest) => {
                    self.measure(Some(oldest.since));
                    self.take(oldest.ask, &mut batch);
                }
                Err(RecvTimeoutError::Timeout) => self.tick(&mut batch),
                Err(RecvTimeoutError::Disconnected) => batch.stop = true,
            }
            self.fill(&mut batch);
            let (stop, destroying) = (batch.stop, std::mem::take(&mut batch.destroying));
            let commit = Instant::now();
            self.commit(&mut batch)?;
            self.stepping = commit.elapsed().clamp(*STEPPING.start(), *STEPPING.end());
            self.publish(batch);
            self.destroy(destroying)?;
            self.gauges.refresh(&self.shard, self.inbox.asks.len(), &self.inbox.door);
            if stop {
                return Ok(());
            }
        }
    }

    /// Takes what else has come, as long as there is time.
    fn fill(&mut self, batch: &mut Batch) {
        let began = Instant::now();
        for taken in 1..BATCH_MAX {
            if batch.stop || (taken % LOOK_EVERY == 0 && began.elapsed() > self.stepping) {
                return;
            }
            let Ok(next) = self.inbox.asks.try_recv() else { return };
            self.take(next.ask, batch);
        }
    }

    /// The first command after recovery, before anything else is taken. It comes with every start, so it is neither set aside
    /// nor refused, also if a client's that was like it broke something.
    pub fn begin(&mut self, first: Vec<Command>) -> Result<(), Fault> {
        let mut events = Vec::new();
        for command in first {
            let now = self.now();
            self.shard.step(now, command, &mut events).expect("the first commands suit every state");
        }
        let written = events.into_iter().map(|stamped| Written { stamped, sealed: None, plain: None });
        let mut batch = Batch { written: written.collect(), ..Batch::default() };
        self.commit(&mut batch)?;
        self.publish(batch);
        Ok(())
    }

    fn patience(&self, batch: &Batch) -> Duration {
        if !batch.written.is_empty() {
            return Duration::ZERO;
        }
        let due = self.shard.next_deadline().map(|due| self.clock.until(due));
        due.map_or(ROUND_MAX, |due| due.min(ROUND_MAX))
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now().max(self.shard.now())
    }

    fn take(&mut self, ask: Ask, batch: &mut Batch) {
        if self.drops(&ask) {
            return;
        }
        match ask {
            Ask::Do { command, secret, look, reply } => {
                let look = look.resolved(&self.shard);
                let answer = self.step(command, secret, batch);
                // What falls due at once belongs to what the asker sees.
                if look != Look::Nothing
                    && self.shard.next_deadline().is_some_and(|due| due <= self.shard.now())
                {
                    self.tick(batch);
                }
                let shown = look.shown(&self.shard, &answer);
                batch.answers.push((reply, Told { sequence: self.shard.sequence(), answer, shown }));
            }
            Ask::Open(pipe) => self.outbox.pipes.open(&self.shard, pipe),
            Ask::Serve(serving) => {
                self.outbox.pipes.serves(&serving);
                batch.followers.push(Follower::Source(serving));
            }
            Ask::Route { pipe, interaction } => batch.routed.push((pipe, interaction)),
            Ask::Read(question) => {
                self.tick(batch);
                batch.reads.push((question(&self.shard), self.shard.sequence()));
            }
            Ask::FollowAgent(follower) => self.take_in(follower, batch),
            Ask::Unfollow { agent, session, stream, lost } => {
                let newest = self.outbox.forget(&self.shard, agent, stream);
                if newest {
                    // Another session may have replaced it meanwhile; then there is nothing to lose.
                    let _ = self.step(Command::LoseSession { agent, session }, None, batch);
                }
                // Not an answer to a client: it need not wait for the commit.
                let _ = lost.send(newest);
            }
            Ask::Watch { interaction, watch, feed } => {
                batch.followers.push(Follower::Watch { interaction, watch, feed });
            }
            Ask::Destroy(asked) => batch.destroying.push(asked),
            Ask::LetGo(upto) => self.journal.let_go(upto),
            Ask::Stop => batch.stop = true,
        }
    }

    fn take_in(&mut self, follower: AgentFollower, batch: &mut Batch) {
        let AgentFollower { agent, session, .. } = follower;
        if self.shard.agent(agent).and_then(|known| known.session) != Some(session) {
            return self.outbox.turn_away(&self.shard, follower);
        }
        self.outbox.announce(&follower);
        // The stream before this one may have ended since the session was opened, and taken it along. An agent who
        // was removed meanwhile has no session to keep.
        let _ = self.step(Command::OpenSession { agent, session }, None, batch);
        batch.followers.push(Follower::Agent(follower));
    }

    /// Whoever does not read what they are sent is gone, however lively their heartbeat.
    fn lose_cut_off(&mut self, batch: &mut Batch) {
        for (agent, stream) in self.outbox.take_cut_off(&self.shard) {
            let Some(session) = self.shard.agent(agent).and_then(|known| known.session) else { continue };
            self.leases.drop_stream(session, stream);
            // An agent who was removed meanwhile has no session to lose.
            let _ = self.step(Command::LoseSession { agent, session }, None, batch);
        }
    }

    fn tick(&mut self, batch: &mut Batch) {
        self.step(Command::Tick, None, batch).expect("time passes for every state");
    }

    fn step(
        &mut self,
        command: Command,
        mut secret: Option<Secret>,
        batch: &mut Batch,
    ) -> Result<Answer, Refusal> {
        let mut events = std::mem::take(&mut self.events);
        let answer = self.obey(command, &mut events);
        for stamped in events.drain(..) {
            let carried = match &stamped.event {
                Event::Admitted(admitted) => {
                    let taken = secret.take().filter(|_| !self.forgotten.has(admitted.facts.customer));
                    if let Some(key) = taken.as_ref().and_then(|secret| secret.key.clone()) {
                        batch.keys.push((admitted.interaction.0, key));
                    }
                    taken
                }
                Event::AttachedTo(attached) => {
                    secret.take().and_then(|taken| self.sealed_for(attached.interaction, &taken, batch))
                }
                event if carries(event, secret.as_ref()) => secret.take(),
                _ => None,
            };
            let of = carried.as_ref().and_then(|secret| secret.of);
            let erased = of.is_some_and(|of| self.payloads.get(&of).is_some_and(|held| held.erased));
            let (sealed, plain) = carried.map(|secret| (secret.sealed, secret.plain)).unzip();
            let sealed = sealed.filter(|_| !erased);
            batch.written.push(Written { stamped, sealed, plain });
        }
        self.events = events;
        answer
    }

    /// What came with a contact that joined another interaction is sealed anew, with the key of that one.
    fn sealed_for(&self, interaction: InteractionId, taken: &Secret, batch: &Batch) -> Option<Secret> {
        let Plain::Payload(payload) = &taken.plain else { return None };
        let new = batch.keys.iter().find(|(id, _)| *id == interaction.0).map(|(_, key)| key.clone());
        let key = new.or_else(|| self.payloads.get(&interaction).map(|held| held.key.clone()))?;
        let text = payload.message.as_str();
        (!text.is_empty()).then(|| Secret::said(interaction, Speaker::Customer, text, &key))
    }

    fn commit(&mut self, batch: &mut Batch) -> Result<(), Fault> {
        let Some(first) = batch.written.first() else { return Ok(()) };
        let mut writer = BatchWriter::with_room(first.stamped.sequence.0, batch.written.len() * RECORD_BYTES);
        let timer = observe::commit_started();
        let mut keys = batch.keys.iter();
        for one in &mut batch.written {
            if let (Event::Admitted(admitted), Some(sealed)) = (&one.stamped.event, &mut one.sealed) {
                let (interaction, key) = keys.next().expect("each payload came with its key");
                debug_assert_eq!(*interaction, admitted.interaction.0);
                put_key(sealed, self.journal.wrap(*interaction, key)?);
            }
            writer.push(one.stamped.time.0, &one.stamped.event, one.sealed.as_deref());
        }
        self.journal.append(&writer.finish())?;
        observe::committed(timer, batch.written.len());
        Ok(())
    }

    fn publish(&mut self, batch: Batch) {
        let defined = batch
            .written
            .iter()
            .any(|one| matches!(one.stamped.event, Event::Defined { .. } | Event::Removed { .. }));
        if defined {
            self.floor.store(Arc::new(self.shard.floor().clone()));
        }
        let mut keys = batch.keys.into_iter();
        self.history.begin(self.shard.sequence().0);
        for one in &batch.written {
            self.hold(one, &mut keys);
            let about = self.follow.about(&one.stamped.event);
            self.history.hear(&one.stamped, about, one.plain.as_ref(), self.shard.floor());
            self.lessons.hear(one.stamped.time, &one.stamped.event, &self.shard);
            self.by_version.hear(&one.stamped, about.interaction, &self.shard);
            let erased = self.hear_said(one.stamped.time, about.interaction, one.plain.as_ref());
            self.outbox.tell(&self.shard, &one.stamped, about, one.plain.as_ref(), erased);
            if let Some(interaction) = about.interaction {
                self.outbox.pipes.touch(interaction);
            }
        }
        self.history.flush(self.shard.sequence().0);
        self.progress.reached(self.shard.sequence());
        self.lessons.flush();
        // Answers first: an agent whose platform is answered need not be told the same again.
        for (reply, told) in batch.answers {
            self.answer(reply, told);
        }
        self.outbox.settle(&self.shard);
        for (pipe, interaction) in batch.routed {
            self.outbox.pipes.watch(pipe, interaction, State::Waiting);
        }
        for (answered, sequence) in batch.reads {
            answered(sequence);
        }
        for follower in batch.followers {
            self.outbox.follow(&self.shard, follower);
        }
        self.outbox.pipes.settle(&self.shard);
    }

    fn answer(&mut self, reply: Reply, told: Told) {
        match reply {
            Reply::One(reply) => {
                // Whoever asked may have gone.
                let _ = reply.send(told);
            }
            Reply::Pipe { pipe, tag, watch } => {
                if let (true, Ok(answer), Shown::State(state)) = (watch, &told.answer, &told.shown)
                    && let Some(interaction) = submitted(answer)
                {
                    self.outbox.pipes.watch(pipe, interaction, *state);
                }
                self.outbox.pipes.answer(pipe, tag, told);
            }
        }
    }

    /// Keeps the payload of an interaction at hand while it is open.
    fn hold(&mut self, one: &Written, keys: &mut impl Iterator<Item = (u64, Key)>) {
        match (&one.stamped.event, &one.plain) {
            (Event::Admitted(admitted), _) if self.forgotten.has(admitted.facts.customer) => {
                self.payloads.insert(admitted.interaction, Held::erased());
            }
            (Event::Identified { interaction, customer, .. }, _) if self.forgotten.has(Some(*customer)) => {
                self.drop_payload(*interaction);
                self.late.push(interaction.0);
            }
            (Event::Admitted(admitted), Some(Plain::Payload(payload))) => {
                let (_, key) = keys.next().expect("each payload came with its key");
                self.payloads.insert(admitted.interaction, Held::new(payload.clone(), key));
            }
            (event, _) => {
                if let Some(interaction) = over(event) {
                    self.payloads.remove(&interaction);
                }
            }
        }
    }
}

/// Whether an event is the one that something said rides beside. Deadlines that fall due within the same step may
/// bring events of other interactions, whose keys are others.
fn carries(event: &Event, secret: Option<&Secret>) -> bool {
    let Some(of) = secret.and_then(|secret| secret.of) else { return false };
    match event {
        Event::ConversationEnded { by: EndedBy::Agent, .. }
        | Event::Transferred(_)
        | Event::Requeued { .. } => true,
        Event::Wrote { interaction } | Event::OwnerChanged { interaction, .. } => *interaction == of,
        Event::Sought(sought) => sought.interaction == of,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
