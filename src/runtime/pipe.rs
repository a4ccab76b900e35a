//! The way back of bulk streams. While a batch is stepped, answers and changes gather here by stream; once it is
//! durable each stream gets all of its own with one send. Answers are bounded by what may be under way on a stream,
//! changes by `CHANGES_MAX`: a reader who leaves more lying is cut off.

use super::notice::AgentNotice;
use super::outbox::AgentFeed;
use super::told::Told;
use crate::engine::ids::{AgentKey, InteractionId, Sequence};
use crate::engine::interaction::State;
use crate::engine::shard::Shard;
use hashbrown::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Most changes that may wait for the reader of one stream.
pub const CHANGES_MAX: usize = 16_384;

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
    (Pipe { id, send, waiting: waiting.clone(), gathered: Vec::new() }, PipeEnd { id, receive, waiting })
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
    last: (State, Option<AgentKey>),
}

/// All pipes of a shard.
#[derive(Default)]
pub(super) struct Pipes {
    open: HashMap<PipeId, Pipe>,
    watched: HashMap<InteractionId, Watched>,
    /// Watched, and part of this batch; may name one twice.
    touched: Vec<InteractionId>,
    /// Pipes that gathered something in this batch.
    filled: Vec<PipeId>,
    /// Pipes whose readers left too much lying.
    cut_off: Vec<PipeId>,
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
    pub fn open(&mut self, pipe: Pipe) {
        self.open.retain(|_, known| !known.send.is_closed());
        self.open.insert(pipe.id, pipe);
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
        self.watched.insert(interaction, Watched { pipe, last: (state, None) });
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
        let mut touched = std::mem::take(&mut self.touched);
        for interaction in touched.drain(..) {
            self.settle_one(shard, interaction);
        }
        self.touched = touched;
        for id in self.filled.drain(..) {
            let Some(pipe) = self.open.get_mut(&id) else { continue };
            let room = Vec::with_capacity(pipe.gathered.len());
            let gathered = std::mem::replace(&mut pipe.gathered, room);
            let cut_off = matches!(gathered.last(), Some(Return::CutOff));
            if pipe.send.send(gathered).is_err() || cut_off {
                self.open.remove(&id);
            }
        }
    }

    fn settle_one(&mut self, shard: &Shard, interaction: InteractionId) {
        let Some(watched) = self.watched.get_mut(&interaction) else { return };
        let pipe = watched.pipe;
        let Some(now) = glance(shard, interaction).filter(|_| self.open.contains_key(&pipe)) else {
            self.watched.remove(&interaction);
            return;
        };
        if now != watched.last {
            watched.last = now;
            let (state, agent) = now;
            let change = Change { interaction, state, agent, sequence: shard.sequence() };
            self.tell(pipe, Return::Changed(change));
        }
        if now.0.is_over() {
            self.watched.remove(&interaction);
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
        pipes.open(shards);
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
    fn a_pipe_tells_that_the_shard_has_gone() {
        let (shards, mut end) = pipe();
        let mut pipes = Pipes::default();
        pipes.open(shards);
        drop(pipes);
        assert!(matches!(received(&mut end)[..], [Return::Stopping]));
    }
}
