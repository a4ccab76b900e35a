//! The hand-over to a shard: bounded, lock-free, many producers, one consumer. Full is an answer, not a wait. Intake is
//! refused first, for want of room or because what waits has waited too long (`admission`), so that accepts, completions
//! and sign-outs still get through.

use super::admission::{Door, TARGET};
use super::closing::{Closing, NotIn};
use super::erase::Destroying;
use super::outbox::AgentFollower;
use super::payload::Secret;
use super::pipe::{Pipe, PipeEnd, PipeId, Serving, pipe};
use super::told::{Look, Shown, Told};
use super::watchers::{Watch, WatchFeed};
use crate::engine::command::{Answer, Command, Refusal};
use crate::engine::floor::Floor;
use crate::engine::ids::{AgentKey, InteractionId, Sequence, SessionId, Text};
use crate::engine::shard::Shard;
use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, TrySendError};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::sync::oneshot;

/// Most commands and questions that may wait for a shard.
pub const INBOX_MAX: usize = 16_384;
/// Beyond this many, intake is refused.
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
    #[error(
        "requests wait {} ms for this shard, which should be {} ms: nothing new is taken until it is less",
        waited.as_millis(), target.as_millis()
    )]
    Delayed { waited: Duration, target: Duration },
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
    Serve(Serving),
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
        watch: Watch,
        feed: WatchFeed,
    },
    Destroy(Destroying),
    /// What the journal may drop: it is in the archive up to here.
    LetGo(u64),
    Stop,
}

impl Ask {
    /// New work, for which nobody waits any more. Whoever asked was answered nothing, so nothing is owed to them; what
    /// they would do with the work without an answer is to ask again.
    pub fn is_abandoned(&self, hears: impl Fn(PipeId) -> bool) -> bool {
        let Ask::Do { command, reply, .. } = self else { return false };
        is_intake(command)
            && match reply {
                Reply::One(reply) => reply.is_closed(),
                Reply::Pipe { pipe, .. } => !hears(*pipe),
            }
    }
}

/// What brings new work, and is refused first.
fn is_intake(command: &Command) -> bool {
    matches!(command, Command::Submit(_) | Command::RequestCallback { .. })
}

/// What waits, and since when.
pub(super) struct Waiting {
    pub since: Instant,
    pub ask: Ask,
}

impl From<Ask> for Waiting {
    fn from(ask: Ask) -> Waiting {
        Waiting { since: Instant::now(), ask }
    }
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
    pub asks: Receiver<Waiting>,
    pub door: Arc<Door>,
    closing: Arc<Closing>,
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.closing.close(|| self.asks.try_recv().ok());
    }
}

/// Everybody's way to one shard.
#[derive(Clone)]
pub struct ShardHandle {
    inbox: Sender<Waiting>,
    door: Arc<Door>,
    closing: Arc<Closing>,
    floor: Arc<ArcSwap<Floor>>,
}

#[allow(clippy::result_large_err, reason = "the channel gives back what it does not take")]
impl ShardHandle {
    /// Both ends.
    pub(super) fn open(floor: Arc<ArcSwap<Floor>>) -> (ShardHandle, Inbox) {
        let (inbox, asks) = crossbeam_channel::bounded(INBOX_MAX);
        let closing = Arc::new(Closing::default());
        let door = Arc::new(Door::new(TARGET));
        let handle = ShardHandle { inbox, door: door.clone(), closing: closing.clone(), floor };
        (handle, Inbox { asks, door, closing })
    }

    /// How long commands wait, and whether intake is shed for it.
    pub fn door(&self) -> &Door {
        &self.door
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

    /// Keeps what is told of the interactions of a stream for its source; `after`: where the source wants to go on.
    pub fn serve(&self, pipe: PipeId, source: Text, after: Option<Sequence>) -> Result<(), AskError> {
        self.send(Ask::Serve(Serving { pipe, source, after }))
    }

    fn has_room_for(&self, command: &Command) -> Result<(), AskError> {
        if !is_intake(command) {
            return Ok(());
        }
        if self.door.is_shut() {
            return Err(AskError::Stopped);
        }
        if self.inbox.len() >= INTAKE_MAX {
            self.door.full.fetch_add(1, Ordering::Relaxed);
            return Err(AskError::Busy);
        }
        let Some(waited) = self.door.too_long() else { return Ok(()) };
        self.door.delayed.fetch_add(1, Ordering::Relaxed);
        Err(AskError::Delayed { waited, target: self.door.target() })
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

    /// Sends an agent's snapshot, or what they missed, and everything after it into a feed, as long as the session is the agent's.
    pub fn follow_agent(&self, follower: AgentFollower) -> Result<(), AskError> {
        self.send(Ask::FollowAgent(follower))
    }

    /// The agent's stream ended: unless another took over, the session is lost with it, and the answer is true.
    pub async fn unfollow(&self, agent: AgentKey, session: SessionId, stream: u64) -> bool {
        let (lost, answer) = oneshot::channel();
        let ask = Ask::Unfollow { agent, session, stream, lost };
        let is_in = match self.closing.enter(|| self.inbox.try_send(ask.into())) {
            Err(NotIn::Refused(TrySendError::Full(ask))) => {
                // Waits for room: offers to a stream that ended unnoticed would ring nobody.
                let (inbox, closing) = (self.inbox.clone(), self.closing.clone());
                let sent = tokio::task::spawn_blocking(move || closing.enter(|| inbox.send(ask)).is_ok());
                sent.await.expect("sending does not panic")
            }
            sent => sent.is_ok(),
        };
        is_in && answer.await.unwrap_or(false)
    }

    /// Sends an interaction as it is, and after each change, into a feed.
    pub fn watch(&self, interaction: InteractionId, watch: Watch, feed: WatchFeed) -> Result<(), AskError> {
        self.send(Ask::Watch { interaction, watch, feed })
    }

    /// Takes no new work from now on; what is in hand goes on.
    pub fn refuse_intake(&self) {
        self.door.shut();
    }

    /// Ends the shard's thread after what it has taken already.
    pub fn stop(&self) {
        // A full inbox of a thread that lives is drained sooner or later; one that is gone needs no stop.
        let _ = self.inbox.send(Ask::Stop.into());
    }

    pub(super) fn send(&self, ask: Ask) -> Result<(), AskError> {
        self.closing.enter(|| self.inbox.try_send(ask.into())).map_err(|not_in| match not_in {
            NotIn::Refused(TrySendError::Full(_)) => AskError::Busy,
            NotIn::Refused(TrySendError::Disconnected(_)) | NotIn::Closed => AskError::Stopped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::admission::Change;
    use super::*;
    use crate::engine::command::Window;
    use crate::engine::ids::OfferId;
    use crate::engine::plan::Channel;
    use crate::engine::time::Time;
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
        handle.watch(InteractionId(1), Watch::Once, feed).expect("there is room");
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
        assert_eq!(handle.watch(InteractionId(1), Watch::Once, feed).err(), Some(AskError::Stopped));
    }
    /// New work that needs no plan to be made.
    fn callback() -> Command {
        let window = Window { from: Time(0), until: Time(1) };
        Command::RequestCallback { interaction: InteractionId(1), channel: Channel::Voice, window }
    }

    fn accept() -> Command {
        Command::Accept { offer: OfferId(1) }
    }

    #[tokio::test]
    async fn while_commands_wait_too_long_intake_is_refused_and_accepts_are_taken() {
        let (handle, inbox) = both_ends();
        inbox.door.measured(Duration::from_millis(250));
        inbox.door.changed(Change::Began);
        let refused = AskError::Delayed { waited: Duration::from_millis(250), target: TARGET };
        assert_eq!(handle.ask(callback(), None).await, Err(refused));
        let accepted = handle.ask(accept(), None);
        let gone = async {
            assert_eq!(inbox.asks.len(), 1, "the accept is there");
            drop(inbox);
        };
        assert_eq!(tokio::join!(accepted, gone).0, Err(AskError::Stopped));
        assert_eq!(handle.door().delayed.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn when_the_server_is_about_to_stop_intake_is_told_so_and_accepts_are_taken() {
        let (handle, inbox) = both_ends();
        handle.refuse_intake();
        assert_eq!(handle.ask(callback(), None).await, Err(AskError::Stopped));
        let (accepted, ()) = tokio::join!(handle.ask(accept(), None), async {
            assert_eq!(inbox.asks.len(), 1, "the accept is there");
            drop(inbox);
        });
        assert_eq!(accepted, Err(AskError::Stopped), "nobody was there to answer");
    }

    #[tokio::test]
    async fn the_last_quarter_of_the_room_is_not_for_intake() {
        let (handle, inbox) = both_ends();
        for _ in 0..INTAKE_MAX {
            handle.route(PipeId::default(), InteractionId(1)).expect("there is room");
        }
        assert_eq!(handle.ask(callback(), None).await, Err(AskError::Busy));
        for _ in INTAKE_MAX..INBOX_MAX {
            let (reply, _) = oneshot::channel();
            let reply = Reply::One(reply);
            handle
                .send(Ask::Do { command: accept(), secret: None, look: Look::Nothing, reply })
                .expect("there is room for accepts");
        }
        assert_eq!(handle.ask(accept(), None).await, Err(AskError::Busy), "all of it is taken");
        drop(inbox);
    }

    #[test]
    fn intake_nobody_waits_for_is_abandoned_and_nothing_else_is() {
        let ask = |command, reply| Ask::Do { command, secret: None, look: Look::Nothing, reply };
        let (waits, _answer) = oneshot::channel();
        let (gone, answer) = oneshot::channel();
        let (accepts, _) = oneshot::channel();
        drop(answer);
        assert!(!ask(callback(), Reply::One(waits)).is_abandoned(|_| true));
        assert!(ask(callback(), Reply::One(gone)).is_abandoned(|_| true));
        assert!(!ask(accept(), Reply::One(accepts)).is_abandoned(|_| true), "what an agent did, counts");
        let on = |tag| Reply::Pipe { pipe: PipeId::default(), tag, watch: false };
        assert!(ask(callback(), on(1)).is_abandoned(|_| false));
        assert!(!ask(callback(), on(2)).is_abandoned(|_| true));
    }
}
