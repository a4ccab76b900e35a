//! What a shard's thread does with what it takes, without a server.

use super::super::notice::{AgentNotice, Notice};
use super::super::outbox::FEED_MAX;
use super::super::start::{Beside, Running, start};
use super::*;
use crate::customers::{Customers, MemoryStore};
use crate::engine::agent::{Liveness, Presence};
use crate::engine::command::Write;
use crate::engine::floor::{AgentSpec, Definition};
use crate::engine::ids::{AgentKey, PoolKey, SessionId};
use crate::journal::Memory;
use tokio::sync::mpsc;

const ANA: AgentKey = AgentKey(0);
const SESSION: SessionId = SessionId(7);

/// A shard with the agent `ana`, who has a session.
async fn shard_with_ana() -> Running {
    let customers = Customers::start(Box::new(MemoryStore::new())).expect("memory cannot fail");
    let running = start(Box::new(Memory::new()), customers, &[], 1, true, "t", Beside::default())
        .expect("nothing to recover");
    let definition = Definition::Agent(AgentSpec::plain("Ana".into(), PoolKey(0), Vec::new()));
    let define = Command::Define { name: "ana".into(), definition, write: Write::Create };
    running.handle.ask(define, None).await.expect("a new agent");
    open(&running, SESSION).await;
    running
}

async fn open(running: &Running, session: SessionId) {
    let open = Command::OpenSession { agent: ANA, session };
    running.handle.ask(open, None).await.expect("the agent exists");
}

fn follow(running: &Running, session: SessionId, stream: u64) -> mpsc::Receiver<AgentNotice> {
    let (feed, notices) = mpsc::channel(FEED_MAX);
    let follower = AgentFollower { agent: ANA, session, stream, after: None, feed: feed.into() };
    running.handle.follow_agent(follower).expect("there is room");
    notices
}

async fn first(notices: &mut mpsc::Receiver<AgentNotice>) -> Notice {
    notices.recv().await.expect("a follower is told something").notice
}

#[tokio::test]
async fn a_session_outlives_its_old_stream_if_a_new_one_is_on_its_way() {
    let running = shard_with_ana().await;
    let mut old = follow(&running, SESSION, 1);
    assert!(matches!(first(&mut old).await, Notice::Snapshot { .. }));
    open(&running, SESSION).await;
    assert!(running.handle.unfollow(ANA, SESSION, 1).await, "it was the newest so far");
    let mut new = follow(&running, SESSION, 2);
    let Notice::Snapshot { view, .. } = first(&mut new).await else { panic!("it begins with a snapshot") };
    assert_eq!(view.agent.liveness, Liveness::Live);
    assert!(!running.handle.unfollow(ANA, SESSION, 1).await, "an old stream takes nothing along");
}

#[tokio::test]
async fn who_does_not_read_loses_the_session_and_is_not_rung() {
    let running = shard_with_ana().await;
    let (feed, mut notices) = mpsc::channel(1);
    let follower = AgentFollower { agent: ANA, session: SESSION, stream: 1, after: None, feed: feed.into() };
    running.handle.follow_agent(follower).expect("there is room");
    running.leases.open_agent(SESSION, ANA, 1);
    // The second answer comes from a batch after the one that took the follower in.
    for _ in 0..2 {
        running.handle.read(|_| ()).await.expect("the shard lives");
    }
    let presence = Presence::Available;
    let present = Command::SetPresence { agent: ANA, presence, reason: "".into(), by: EndedBy::Agent };
    running.handle.ask(present, None).await.expect("she has a session");
    let look = running.handle.read(|shard| shard.agent(ANA).map(|agent| agent.liveness));
    assert_eq!(look.await.expect("the shard lives").value, Some(Liveness::Lost));
    assert_eq!(running.leases.renew_agent(SESSION), None, "renewing it fails");
    assert!(matches!(first(&mut notices).await, Notice::Snapshot { .. }));
    assert!(notices.recv().await.is_none(), "the feed ends");
}

#[tokio::test]
async fn a_session_that_is_lost_ends_its_stream() {
    let running = shard_with_ana().await;
    let mut notices = follow(&running, SESSION, 1);
    let lose = Command::LoseSession { agent: ANA, session: SESSION };
    running.handle.ask(lose, None).await.expect("it is hers");
    let mut told = Vec::new();
    while let Some(notice) = notices.recv().await {
        told.push(notice.notice);
    }
    assert!(matches!(told[..], [Notice::Snapshot { .. }, .., Notice::SessionLost]), "{told:?}");
}

#[tokio::test]
async fn a_stream_that_comes_late_does_not_push_a_newer_session_out() {
    let running = shard_with_ana().await;
    let newer = SessionId(8);
    open(&running, newer).await;
    let mut new = follow(&running, newer, 2);
    assert!(matches!(first(&mut new).await, Notice::Snapshot { .. }));
    let mut late = follow(&running, SESSION, 1);
    assert!(matches!(first(&mut late).await, Notice::TakenOver));
    assert!(!running.handle.unfollow(ANA, SESSION, 1).await);
    assert!(running.handle.unfollow(ANA, newer, 2).await, "still the newest");
}
