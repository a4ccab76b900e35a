//! The hand-over to a shard: bounded, lock-free, many producers, one consumer. Full is an answer, not a wait. New
//! interactions are refused first, so that accepts, completions and sign-outs still get through.

use super::erase::Destroying;
use super::outbox::{AgentFollower, WatchFeed};
use super::payload::Secret;
use super::pipe::{Pipe, PipeEnd, PipeId, pipe};
use super::told::{Look, Shown, Told};
use crate::engine::command::{Answer, Command, Refusal};
use crate::engine::floor::Floor;
use crate::engine::ids::{AgentKey, InteractionId, Sequence, SessionId};
use crate::engine::shard::Shard;
use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, TrySendError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;
use tokio::sync::oneshot;

/// Most commands and questions that may wait for a shard.
pub const INBOX_MAX: usize = 16_384;
/// Beyond this many, new interactions are refused.
pub const INTAKE_MAX: usize = INBOX_MAX / 4 * 3;

/// An answer and the last event it has seen. It left only when that event was durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen<T> {
    pub value: T,
    pub sequence: Sequence,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AskError {
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("{INBOX_MAX} requests are waiting for this shard already, the most there may be")]
    Busy,
    #[error("the server is stopping")]
    Stopped,
}

/// Answers a question about the state, when what it saw is durable.
pub(super) type Answered = Box<dyn FnOnce(Sequence) + Send>;
/// Looks at the state.
pub(super) type Question = Box<dyn FnOnce(&Shard) -> Answered + Send>;

/// What a shard's thread takes from its inbox.
#[allow(clippy::large_enum_variant, reason = "most asks are commands: a box would cost each an allocation")]
pub(super) enum Ask {
    Do {
        command: Command,
        secret: Option<Secret>,
        look: Look,
        reply: Reply,
    },
    Read(Question),
    /// A bulk stream begins.
    Open(Pipe),
    /// The changes of an interaction are to be told on a pipe.
    Route {
        pipe: PipeId,
        interaction: InteractionId,
    },
    FollowAgent(AgentFollower),
    /// The stream of a follower ended.
    Unfollow {
        agent: AgentKey,
        session: SessionId,
        stream: u64,
        /// Whether it was the agent's newest, and the session was lost with it.
        lost: oneshot::Sender<bool>,
    },
    Watch {
        interaction: InteractionId,
        feed: WatchFeed,
    },
    Destroy(Destroying),
    /// What the journal may drop: it is in the archive up to here.
    LetGo(u64),
    /// So many erasures have been seen by the keys.
    NoteErasures(u64),
    Stop,
}

/// Where an answer goes.
pub(super) enum Reply {
    One(oneshot::Sender<Told>),
    /// With others of the same stream.
    Pipe {
        pipe: PipeId,
        tag: u64,
        /// Whether changes of what is submitted are told there as well.
        watch: bool,
    },
}

/// A command of a stream, under its tag.
pub struct Tagged {
    pub tag: u64,
    pub command: Command,
    pub secret: Option<Secret>,
    pub look: Look,
    /// Whether changes of what is submitted are told on the stream as well.
    pub watch: bool,
}

/// The shard's end of the hand-over. The channel keeps what nobody takes any more, and with it the replies that
/// somebody waits for; so whatever is left is turned away when this end goes.
pub(super) struct Inbox {
    pub asks: Receiver<Ask>,
    closed: Arc<AtomicBool>,
}

impl Drop for Inbox {
    fn drop(&mut self) {
        // Closed before it is emptied: whoever puts something in behind our back sees it afterwards.
        self.closed.store(true, Ordering::SeqCst);
        while self.asks.try_recv().is_ok() {}
    }
}

/// Everybody's way to one shard.
#[derive(Clone)]
pub struct ShardHandle {
    inbox: Sender<Ask>,
    closed: Arc<AtomicBool>,
    floor: Arc<ArcSwap<Floor>>,
}

impl ShardHandle {
    /// Both ends.
    pub(super) fn open(floor: Arc<ArcSwap<Floor>>) -> (ShardHandle, Inbox) {
        let (inbox, asks) = crossbeam_channel::bounded(INBOX_MAX);
        let closed = Arc::new(AtomicBool::new(false));
        (ShardHandle { inbox, closed: closed.clone(), floor }, Inbox { asks, closed })
    }

    /// What exists, as of the last committed change.
    pub fn floor(&self) -> Arc<Floor> {
        self.floor.load_full()
    }

    /// Asks for a change. The answer comes when it, and everything it saw, is durable.
    pub async fn ask(&self, command: Command, secret: Option<Secret>) -> Result<Seen<Answer>, AskError> {
        Ok(self.ask_and_look(command, secret, Look::Nothing).await?.0)
    }

    /// The same on a thread that may wait.
    pub(super) fn ask_waiting(&self, command: Command) -> Result<Answer, AskError> {
        let (reply, answer) = oneshot::channel();
        self.send(Ask::Do { command, secret: None, look: Look::Nothing, reply: Reply::One(reply) })?;
        Ok(answer.blocking_recv().map_err(|_| AskError::Stopped)?.answer?)
    }

    /// The same, and a look at what the change left.
    pub async fn ask_and_look(
        &self,
        command: Command,
        secret: Option<Secret>,
        look: Look,
    ) -> Result<(Seen<Answer>, Shown), AskError> {
        self.has_room_for(&command)?;
        let (reply, answer) = oneshot::channel();
        self.send(Ask::Do { command, secret, look, reply: Reply::One(reply) })?;
        let Told { sequence, answer, shown } = answer.await.map_err(|_| AskError::Stopped)?;
        Ok((Seen { value: answer?, sequence }, shown))
    }

    /// Asks for a change on behalf of a stream. The answer comes out of its pipe.
    pub fn hand_over(&self, pipe: PipeId, tagged: Tagged) -> Result<(), AskError> {
        let Tagged { tag, command, secret, look, watch } = tagged;
        self.has_room_for(&command)?;
        self.send(Ask::Do { command, secret, look, reply: Reply::Pipe { pipe, tag, watch } })
    }

    /// Opens the way back of a stream.
    pub fn open_pipe(&self) -> Result<PipeEnd, AskError> {
        let (shards, streams) = pipe();
        self.send(Ask::Open(shards))?;
        Ok(streams)
    }

    /// Tells the changes of an interaction on a pipe.
    pub fn route(&self, pipe: PipeId, interaction: InteractionId) -> Result<(), AskError> {
        self.send(Ask::Route { pipe, interaction })
    }

    fn has_room_for(&self, command: &Command) -> Result<(), AskError> {
        let full = matches!(command, Command::Submit(_)) && self.inbox.len() >= INTAKE_MAX;
        if full { Err(AskError::Busy) } else { Ok(()) }
    }

    /// Looks at the state between two commands.
    pub async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Shard) -> T + Send + 'static,
    ) -> Result<Seen<T>, AskError> {
        let (reply, answer) = oneshot::channel();
        self.send(Ask::Read(Box::new(move |shard| {
            let value = look(shard);
            Box::new(move |sequence| {
                // Whoever asked may have gone.
                let _ = reply.send(Seen { value, sequence });
            })
        })))?;
        answer.await.map_err(|_| AskError::Stopped)
    }

    /// Sends an agent's snapshot and everything after it into a feed, as long as the session is the agent's.
    pub fn follow_agent(&self, follower: AgentFollower) -> Result<(), AskError> {
        self.send(Ask::FollowAgent(follower))
    }

    /// The agent's stream ended: unless another took over, the session is lost with it, and the answer is true.
    pub async fn unfollow(&self, agent: AgentKey, session: SessionId, stream: u64) -> bool {
        let (lost, answer) = oneshot::channel();
        let ask = Ask::Unfollow { agent, session, stream, lost };
        if let Err(TrySendError::Full(ask)) = self.inbox.try_send(ask) {
            // Waits for room: offers to a stream that ended unnoticed would ring nobody.
            let inbox = self.inbox.clone();
            let sent = tokio::task::spawn_blocking(move || inbox.send(ask).is_ok()).await;
            sent.expect("sending does not panic");
        }
        !self.closed.load(Ordering::SeqCst) && answer.await.unwrap_or(false)
    }

    /// Sends an interaction as it is, and after each change, into a feed.
    pub fn watch(&self, interaction: InteractionId, feed: WatchFeed) -> Result<(), AskError> {
        self.send(Ask::Watch { interaction, feed })
    }

    /// Ends the shard's thread after what it has taken already.
    pub fn stop(&self) {
        // A full inbox of a thread that lives is drained sooner or later; one that is gone needs no stop.
        let _ = self.inbox.send(Ask::Stop);
    }

    pub(super) fn send(&self, ask: Ask) -> Result<(), AskError> {
        self.inbox.try_send(ask).map_err(|error| match error {
            TrySendError::Full(_) => AskError::Busy,
            TrySendError::Disconnected(_) => AskError::Stopped,
        })?;
        // What went in after the shard had gone stays there unheard.
        if self.closed.load(Ordering::SeqCst) { Err(AskError::Stopped) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    fn both_ends() -> (ShardHandle, Inbox) {
        ShardHandle::open(Arc::new(ArcSwap::from_pointee(Floor::default())))
    }

    #[tokio::test]
    async fn what_waits_when_the_shard_goes_is_turned_away() {
        let (handle, inbox) = both_ends();
        let asked = handle.ask(Command::Tick, None);
        let looked = handle.read(|shard| shard.now());
        let unfollowed = handle.unfollow(AgentKey(0), SessionId(1), 1);
        let (feed, mut changes) = mpsc::channel(1);
        handle.watch(InteractionId(1), feed).expect("there is room");
        let gone = async {
            assert_eq!(inbox.asks.len(), 4);
            drop(inbox);
        };
        let (asked, looked, unfollowed, ()) = tokio::join!(asked, looked, unfollowed, gone);
        assert_eq!(asked, Err(AskError::Stopped));
        assert_eq!(looked, Err(AskError::Stopped));
        assert!(!unfollowed);
        assert!(changes.recv().await.is_none(), "the feed ends");
    }

    #[tokio::test]
    async fn who_comes_after_the_shard_has_gone_is_turned_away() {
        let (handle, inbox) = both_ends();
        // As if it had been put in while the shard went: the channel is still there.
        let _asks = inbox.asks.clone();
        drop(inbox);
        assert_eq!(handle.ask(Command::Tick, None).await, Err(AskError::Stopped));
        assert!(!handle.unfollow(AgentKey(0), SessionId(1), 1).await);
        let (feed, _changes) = mpsc::channel(1);
        assert_eq!(handle.watch(InteractionId(1), feed).err(), Some(AskError::Stopped));
    }
}
