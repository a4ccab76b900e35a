//! The way back of bulk streams. While a batch is stepped, answers and changes gather here by stream; once it is
//! durable each stream gets all of its own with one send. Answers are bounded by what may be under way on a stream,
//! changes by `CHANGES_MAX`: a reader who leaves more lying is cut off. Changes on streams that serve a source are kept for a
//! while, so that the source can go on with another stream.

use super::backlog::{After, Backlog, Limits, Position, Told as Kept};
use super::notice::AgentNotice;
use super::outbox::AgentFeed;
use super::told::Told;
use crate::engine::few::Few;
use crate::engine::ids::{AgentKey, InteractionId, Sequence, Text};
use crate::engine::interaction::State;
use crate::engine::shard::Shard;
use crate::engine::source::SOURCES_MAX;
use hashbrown::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Most changes that may wait for the reader of one stream.
pub const CHANGES_MAX: usize = 16_384;
/// Most changes that are kept, of all sources together, and those that one is told again.
pub const CHANGES: Limits = Limits { count: 65_536, text_bytes: 0, missed: CHANGES_MAX / 2 };

static PIPES: AtomicU64 = AtomicU64::new(1);

/// Tells streams apart; no two are alike.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub struct PipeId(u64);

/// What comes back on a stream.
#[derive(Debug)]
pub enum Return {
    Answer {
        tag: u64,
        told: Told,
    },
    Changed(Change),
    /// A source goes on: so many changes follow that it missed, or `None`: not all of them are kept.
    Resumed {
        missed: Option<usize>,
        sequence: Sequence,
    },
    /// What an agent is told who works on the stream.
    Notice(ToAgent),
    /// Too many changes were waiting; nothing more comes.
    CutOff,
    /// The shard has gone.
    Stopping,
}

/// A notice with the agent it is for.
#[derive(Debug)]
pub struct ToAgent {
    pub agent: AgentKey,
    /// As in `AgentFollower`: a late one may be for a session that was opened again since.
    pub stream: u64,
    pub notice: AgentNotice,
}

/// An interaction that was submitted on the stream has another state or another agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    pub interaction: InteractionId,
    pub state: State,
    /// As in `InteractionView`.
    pub agent: Option<AgentKey>,
    pub sequence: Sequence,
}

/// The shard's end of a pipe.
pub(super) struct Pipe {
    id: PipeId,
    send: mpsc::UnboundedSender<Vec<Return>>,
    /// Changes sent and not received yet.
    waiting: Arc<AtomicUsize>,
    /// For the end of this batch.
    gathered: Vec<Return>,
    /// The source that it serves.
    source: Option<SourceNumber>,
}

/// A source that is served by bulk streams.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct SourceNumber(usize);

/// A stream serves a source from now on, which may want to go on after what it was told on another.
pub(super) struct Serving {
    pub pipe: PipeId,
    pub source: Text,
    pub after: Option<Sequence>,
}

/// The stream's end of a pipe.
pub struct PipeEnd {
    pub id: PipeId,
    receive: mpsc::UnboundedReceiver<Vec<Return>>,
    waiting: Arc<AtomicUsize>,
}

/// Both ends.
pub(super) fn pipe() -> (Pipe, PipeEnd) {
    let id = PipeId(PIPES.fetch_add(1, Ordering::Relaxed));
    let (send, receive) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let pipe = Pipe { id, send, waiting: waiting.clone(), gathered: Vec::new(), source: None };
    (pipe, PipeEnd { id, receive, waiting })
}

impl PipeEnd {
    /// For an agent who is to be told here.
    pub fn feed(&self) -> AgentFeed {
        AgentFeed::Pipe(self.id)
    }

    /// What one batch brought. A pipe says that the shard has gone before it ends.
    pub fn poll(&mut self, context: &mut Context) -> Poll<Vec<Return>> {
        self.receive.poll_recv(context).map(|batch| {
            let batch = batch.unwrap_or_else(|| vec![Return::Stopping]);
            let changes =
                batch.iter().filter(|one| matches!(one, Return::Changed(_) | Return::Notice(_))).count();
            if changes > 0 {
                self.waiting.fetch_sub(changes, Ordering::Relaxed);
            }
            batch
        })
    }
}

/// An interaction whose changes are told on a pipe, with what was told last.
struct Watched {
    pipe: PipeId,
    /// Whom the pipe serves, or served.
    source: Option<SourceNumber>,
    /// Those that were watched later have higher ones.
    number: u64,
    last: (State, Option<AgentKey>),
}

impl Watched {
    /// Whether both are told to the same: a source is one, whichever stream serves it.
    fn is_for_the_same(&self, other: &Watched) -> bool {
        self.pipe == other.pipe || self.source.is_some() && self.source == other.source
    }
}

/// All pipes of a shard.
pub(super) struct Pipes {
    open: HashMap<PipeId, Pipe>,
    sources: HashMap<Text, SourceNumber>,
    /// What sources were told lately.
    kept: Backlog<SourceNumber, Change>,
    /// Contacts of several sources may be one interaction.
    watched: HashMap<InteractionId, Few<Watched>>,
    /// The number of the next.
    next: u64,
    /// Sources that went on with another stream, which is told of all that was watched for them below a number.
    moved: HashMap<SourceNumber, (PipeId, u64)>,
    /// Watched, and part of this batch; may name one twice.
    touched: Vec<InteractionId>,
    /// Pipes that gathered something in this batch.
    filled: Vec<PipeId>,
    /// Pipes whose readers left too much lying.
    cut_off: Vec<PipeId>,
}

impl Default for Pipes {
    fn default() -> Pipes {
        Pipes {
            open: HashMap::new(),
            sources: HashMap::new(),
            kept: Backlog::new(CHANGES),
            watched: HashMap::new(),
            next: 0,
            moved: HashMap::new(),
            touched: Vec::new(),
            filled: Vec::new(),
            cut_off: Vec::new(),
        }
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        for pipe in self.open.values() {
            // Its reader may have gone.
            let _ = pipe.send.send(vec![Return::Stopping]);
        }
    }
}

impl Pipes {
    /// Takes a new pipe in, and forgets those whose streams have ended.
    pub fn open(&mut self, shard: &Shard, pipe: Pipe) {
        let ended: Vec<Pipe> =
            self.open.extract_if(|_, known| known.send.is_closed()).map(|(_, pipe)| pipe).collect();
        for pipe in ended {
            self.left(shard, pipe.source);
        }
        self.open.insert(pipe.id, pipe);
    }

    /// A stream serves a source from now on.
    pub fn serves(&mut self, serving: &Serving) {
        let next = SourceNumber(self.sources.len());
        let source = match self.sources.get(&serving.source) {
            Some(known) => *known,
            // More than may have a session: nothing is kept for this one.
            None if next.0 >= SOURCES_MAX as usize => return,
            None => *self.sources.entry(serving.source.clone()).or_insert(next),
        };
        if let Some(pipe) = self.open.get_mut(&serving.pipe) {
            pipe.source = Some(source);
        }
    }

    /// After a batch: what the source of a stream missed, if it wants to go on. What was watched for it is told here from
    /// now on.
    pub fn resume(&mut self, shard: &Shard, serving: &Serving) {
        let Serving { pipe, source, after } = serving;
        // It may have ended before this was taken, and another one goes on by now.
        if !self.hears(*pipe) {
            return;
        }
        let (source, sequence) = (self.sources.get(source).copied(), shard.sequence());
        if let Some(after) = after {
            let missed = source.and_then(|source| self.missed(source, *after, sequence));
            self.gather(*pipe, Return::Resumed { missed: missed.as_ref().map(Vec::len), sequence });
            for change in missed.into_iter().flatten() {
                self.tell(*pipe, Return::Changed(change));
            }
            if let Some(source) = source {
                self.moved.insert(source, (*pipe, self.next));
            }
        }
        if let Some(source) = source {
            self.kept.begin(source, sequence, shard.now());
        }
    }

    /// `None` if not all of it is kept, or it was never told here.
    fn missed(&self, source: SourceNumber, after: Sequence, newest: Sequence) -> Option<Vec<Change>> {
        let from = After { position: Position { sequence: after, index: 0 }, time: None };
        let missed = self.kept.missed(source, &from).filter(|_| after <= newest)?;
        Some(missed.into_iter().map(|told| *told.what).collect())
    }

    /// Whether anybody hears what is said on a pipe.
    pub fn hears(&self, pipe: PipeId) -> bool {
        self.open.get(&pipe).is_some_and(|pipe| !pipe.send.is_closed())
    }

    /// Gathers an answer. One whose stream has ended is dropped.
    pub fn answer(&mut self, pipe: PipeId, tag: u64, told: Told) {
        self.gather(pipe, Return::Answer { tag, told });
    }

    /// Tells the changes of an interaction from now on, and at once if it is not `state` without an agent.
    pub fn watch(&mut self, pipe: PipeId, interaction: InteractionId, state: State) {
        let source = self.open.get(&pipe).and_then(|pipe| pipe.source);
        let number = self.next;
        self.next += 1;
        let new = Watched { pipe, source, number, last: (state, None) };
        let all = self.watched.entry(interaction).or_default();
        all.retain(|one| !one.is_for_the_same(&new));
        all.push(new);
        self.touched.push(interaction);
    }

    /// An event was about this interaction.
    pub fn touch(&mut self, interaction: InteractionId) {
        if !self.watched.is_empty() && self.watched.contains_key(&interaction) {
            self.touched.push(interaction);
        }
    }

    /// After a batch: sends what was gathered, and what became of the watched.
    pub fn settle(&mut self, shard: &Shard) {
        self.kept.forget_old(shard.now());
        let mut touched = std::mem::take(&mut self.touched);
        for interaction in touched.drain(..) {
            self.settle_one(shard, interaction);
        }
        self.touched = touched;
        let mut filled = std::mem::take(&mut self.filled);
        for id in filled.drain(..) {
            self.send(shard, id);
        }
        self.filled = filled;
    }

    fn send(&mut self, shard: &Shard, id: PipeId) {
        let Some(pipe) = self.open.get_mut(&id) else { return };
        let room = Vec::with_capacity(pipe.gathered.len());
        let gathered = std::mem::replace(&mut pipe.gathered, room);
        let cut_off = matches!(gathered.last(), Some(Return::CutOff));
        if pipe.send.send(gathered).is_err() || cut_off {
            let source = self.open.remove(&id).and_then(|pipe| pipe.source);
            self.left(shard, source);
        }
    }

    /// A stream that served a source has ended.
    fn left(&mut self, shard: &Shard, source: Option<SourceNumber>) {
        let Some(source) = source else { return };
        if self.open.values().all(|pipe| pipe.source != Some(source)) {
            self.kept.left(source, shard.now());
        }
    }

    fn settle_one(&mut self, shard: &Shard, interaction: InteractionId) {
        let Pipes { watched, open, moved, .. } = self;
        let Some(all) = watched.get_mut(&interaction) else { return };
        let goes_to = |one: &Watched| {
            let moved = one.source.and_then(|source| moved.get(&source));
            moved.filter(|(_, upto)| one.number < *upto).map_or(one.pipe, |(pipe, _)| *pipe)
        };
        // A source comes back, however long that takes.
        all.retain(|one| one.source.is_some() || open.contains_key(&goes_to(one)));
        let Some(now) = glance(shard, interaction).filter(|_| !all.is_empty()) else {
            self.watched.remove(&interaction);
            return;
        };
        let mut told = Few::None;
        for one in all.as_mut().iter_mut().filter(|one| one.last != now) {
            one.last = now;
            told.push((goes_to(one), one.source));
        }
        let (state, agent) = now;
        if state.is_over() {
            self.watched.remove(&interaction);
        }
        let change = Change { interaction, state, agent, sequence: shard.sequence() };
        for (pipe, source) in told.iter().copied() {
            if let Some(source) = source {
                self.keep(shard, source, change);
            }
            self.tell(pipe, Return::Changed(change));
        }
    }

    fn keep(&mut self, shard: &Shard, source: SourceNumber, what: Change) {
        if let Some(position) = self.kept.next(source, what.sequence) {
            self.kept.keep(source, Kept { position, time: shard.now(), what }, 0);
        }
    }

    /// Gathers a notice. False if it cannot arrive: the stream has ended, or its reader is cut off.
    pub fn notice(&mut self, id: PipeId, to: ToAgent) -> bool {
        self.tell(id, Return::Notice(to))
    }

    /// The pipes that were cut off since this was asked last.
    pub fn take_cut_off(&mut self) -> Vec<PipeId> {
        std::mem::take(&mut self.cut_off)
    }

    /// Gathers what nobody asked for, as far as there is room for it.
    fn tell(&mut self, id: PipeId, one: Return) -> bool {
        let Some(pipe) = self.open.get(&id).filter(|pipe| !pipe.send.is_closed()) else { return false };
        if matches!(pipe.gathered.last(), Some(Return::CutOff)) {
            return false;
        }
        let room = pipe.waiting.fetch_add(1, Ordering::Relaxed) < CHANGES_MAX;
        if room {
            self.gather(id, one);
        } else {
            self.gather(id, Return::CutOff);
            self.cut_off.push(id);
        }
        room
    }

    fn gather(&mut self, id: PipeId, one: Return) {
        let Some(pipe) = self.open.get_mut(&id) else { return };
        if matches!(pipe.gathered.last(), Some(Return::CutOff)) {
            return;
        }
        if pipe.gathered.is_empty() {
            self.filled.push(id);
        }
        pipe.gathered.push(one);
    }
}

/// The state, and before an answer the agent of the oldest offer, then whoever serves the customer, or did last.
fn glance(shard: &Shard, id: InteractionId) -> Option<(State, Option<AgentKey>)> {
    let interaction = shard.interaction(id)?;
    let offered =
        || interaction.offers.first().and_then(|offer| shard.offer(*offer)).map(|offer| offer.agent);
    let agent = if interaction.state.is_unanswered() { offered() } else { interaction.agent };
    Some((interaction.state, agent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn change(sequence: u64) -> Return {
        let interaction = InteractionId(1);
        Return::Changed(Change {
            interaction,
            state: State::Offered,
            agent: None,
            sequence: Sequence(sequence),
        })
    }

    fn received(end: &mut PipeEnd) -> Vec<Return> {
        match end.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(returned) => returned,
            Poll::Pending => Vec::new(),
        }
    }

    #[test]
    fn a_reader_who_leaves_too_many_changes_lying_is_cut_off() {
        let (shards, mut end) = pipe();
        let (mut pipes, shard) = (Pipes::default(), Shard::new());
        pipes.open(&shard, shards);
        pipes.tell(end.id, change(1));
        pipes.settle(&shard);
        assert!(matches!(received(&mut end)[..], [Return::Changed(_)]));
        let most = u64::try_from(CHANGES_MAX).expect("a small number");
        for sequence in 0..most + 2 {
            pipes.tell(end.id, change(sequence));
        }
        pipes.settle(&shard);
        let returned = received(&mut end);
        assert_eq!(returned.len(), CHANGES_MAX + 1, "what was read does not count");
        assert!(matches!(returned.last(), Some(Return::CutOff)));
        pipes.tell(end.id, change(9));
        pipes.settle(&shard);
        assert!(matches!(received(&mut end)[..], [Return::Stopping]), "nothing more comes");
    }

    #[test]
    fn a_source_goes_on_with_no_stream_that_has_ended() {
        let (mut pipes, shard) = (Pipes::default(), Shard::new());
        let goes_on = |pipes: &mut Pipes, pipe| {
            let serving = Serving { pipe, source: "pbx".into(), after: Some(Sequence(0)) };
            pipes.serves(&serving);
            pipes.resume(&shard, &serving);
            pipes.moved.values().map(|(pipe, _)| *pipe).collect::<Vec<_>>()
        };
        let ([ended, lives], mut ends) = ([pipe(), pipe()], Vec::new());
        let ids = [ended.1.id, lives.1.id];
        for (shards, end) in [ended, lives] {
            pipes.open(&shard, shards);
            ends.push(end);
        }
        assert_eq!(goes_on(&mut pipes, ids[1]), [ids[1]]);
        drop(ends.remove(0));
        assert_eq!(goes_on(&mut pipes, ids[0]), [ids[1]], "it came late, and nobody hears it");
    }

    #[test]
    fn a_pipe_tells_that_the_shard_has_gone() {
        let (shards, mut end) = pipe();
        let mut pipes = Pipes::default();
        pipes.open(&Shard::new(), shards);
        drop(pipes);
        assert!(matches!(received(&mut end)[..], [Return::Stopping]));
    }
}
