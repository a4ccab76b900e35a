//! More comes than can be done: new work is refused first and told when to come back, what nobody waits for is not
//! done, and one tenant's calls have their bounds.

use super::expect::{assert_refused, fallback};
use super::faults::Failing;
use super::harness::{Server, name, seconds, settings, within};
use baton::config::Settings;
use baton::customers::{Customers, MemoryStore};
use baton::engine::channel::Channel;
use baton::engine::command::{Answer, Command, Submit, Write};
use baton::engine::floor::{AgentSpec, Definition, QueueSpec};
use baton::engine::ids::{InteractionId, PoolKey, QueueKey};
use baton::engine::plan::{Facts, Goals, Plan};
use baton::engine::route::Route;
use baton::proto;
use baton::runtime::inbox::{AskError, Seen};
use baton::runtime::start::{Beside, Running, start};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::Code;

type Asked<'a> = Pin<Box<dyn Future<Output = Result<Seen<Answer>, AskError>> + 'a>>;

/// A shard with the queue `sales`.
async fn shard(journal: Failing) -> Running {
    let customers = Customers::start(Box::new(MemoryStore::new())).expect("memory cannot fail");
    let running = start(Box::new(journal), customers, &[], 1, false, "overload", Beside::default())
        .expect("nothing to recover");
    let queue =
        QueueSpec { waiting_max: 1_000_000, ..QueueSpec::plain("sales".into(), PoolKey(0), Vec::new()) };
    running.handle.ask(define("sales", Definition::Queue(queue)), None).await.expect("a new queue");
    running
}

fn define(name: &str, definition: Definition) -> Command {
    Command::Define { name: name.into(), definition, write: Write::Create }
}

fn agent(name: &str) -> Command {
    define(name, Definition::Agent(AgentSpec::plain(name.into(), PoolKey(0), Vec::new())))
}

fn submit(number: u64) -> Command {
    let key = u128::from(number) + 1;
    Command::Submit(Box::new(Submit {
        keys: [Some(key), None],
        content: key,
        source: "pbx".into(),
        external_id: number.to_string().into(),
        channel: Channel::Chat,
        facts: Facts::default(),
        plan: Plan::plain(1, Route::plain(QueueKey(0), Vec::new()), 0, Goals::plain()).into(),
    }))
}

/// Hands it in and does not wait yet.
fn hand_in(running: &Running, command: Command) -> Asked<'_> {
    let mut asked: Asked<'_> = Box::pin(running.handle.ask(command, None));
    let polled = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "there is room, and nothing is answered yet: {polled:?}");
    asked
}

#[tokio::test]
async fn new_work_whose_caller_has_gone_is_not_done_and_what_an_agent_did_is() {
    let journal = Failing::default();
    let gate = journal.gate();
    let running = shard(journal).await;
    gate.close();
    let first = hand_in(&running, submit(1));
    gate.somebody_waits();
    drop(hand_in(&running, submit(2)));
    drop(hand_in(&running, agent("ana")));
    let last = hand_in(&running, submit(3));
    gate.open();
    let admitted =
        |interaction| Answer::Admitted { interaction: InteractionId(interaction), repeated: false };
    assert_eq!(within("the first", first).await.expect("it was taken").value, admitted(1));
    assert_eq!(
        within("the last", last).await.expect("it was taken").value,
        admitted(2),
        "no number was spent"
    );
    assert_eq!(running.handle.door().abandoned.load(Ordering::Relaxed), 1);
    assert!(running.handle.floor().agents.key("ana").is_some(), "nobody waited, and it counts all the same");
    // Whoever went may come again, and is not taken for a repetition.
    let again = within("the second again", running.handle.ask(submit(2), None)).await;
    assert_eq!(again.expect("it was not taken before").value, admitted(3));
}

/// Lets more and more submissions wait until intake is shed. Gives those who still wait.
async fn overload(running: &Running) -> VecDeque<Asked<'_>> {
    let (mut waiting, mut most) = (VecDeque::new(), 1_000);
    for number in 0.. {
        if running.handle.door().sheds() {
            break;
        }
        let mut asked: Asked<'_> = Box::pin(running.handle.ask(submit(number), None));
        if asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            waiting.push_back(asked);
        }
        if waiting.len() > most
            && let Some(oldest) = waiting.pop_front()
        {
            oldest.await.expect("it was taken");
            most += 1;
        }
    }
    waiting
}

#[tokio::test]
async fn a_queue_that_stands_is_shed_while_an_agent_is_answered_and_then_no_more() {
    let running = shard(Failing::default()).await;
    let aim = Duration::from_millis(20);
    running.handle.door().aim_at(aim);
    let waiting = within("shedding", overload(&running)).await;
    let agents: Vec<Asked<'_>> = (0..100).map(|at| hand_in(&running, agent(&format!("a{at}")))).collect();
    let refused = within("a refusal", async {
        loop {
            match running.handle.ask(submit(u64::MAX), None).await {
                // The room for intake is still full.
                Err(AskError::Busy) => tokio::task::yield_now().await,
                other => return other,
            }
        }
    })
    .await;
    assert!(matches!(refused, Err(AskError::Delayed { target, .. }) if target == aim), "{refused:?}");
    for asked in waiting {
        within("what was let in", asked).await.expect("it is done");
    }
    for asked in agents {
        within("what is no intake", asked).await.expect("it is done, however long intake is shed");
    }
    within("the end of it", async {
        while running.handle.door().sheds() {
            // A look passes the time of a batch.
            running.handle.read(|_| ()).await.expect("the shard lives");
        }
    })
    .await;
    running.handle.ask(submit(u64::MAX), None).await.expect("it is taken again");
}

/// Waits for an interaction, as long as it takes.
async fn waits(server: &Server, name: &str) -> Result<(), tonic::Status> {
    let request =
        proto::WaitRequest { name: name.into(), max_wait: seconds(600), fallback: "voicemail".into() };
    server.interactions().wait(request).await.map(drop)
}

#[tokio::test]
async fn those_who_wait_for_long_leave_room_for_agents_and_sources() {
    let server = Server::with(Settings { calls_max: Some(16), ..settings() }).await;
    server.open_floor(&[("ana", 3)]).await;
    let (first, second) = (server.call("c1").await, server.call("c2").await);
    let mut waiting = JoinSet::new();
    for _ in 0..13 {
        let (mut client, name) = (server.interactions(), second.clone());
        waiting.spawn(async move {
            let (max_wait, fallback) = (seconds(600), "voicemail".into());
            client.wait(proto::WaitRequest { name, max_wait, fallback }).await.map(drop)
        });
    }
    let refused = within("a refusal", waiting.join_next()).await.expect("one of them").expect("no panic");
    let status = refused.clone().expect_err("only twelve of sixteen may wait");
    assert_eq!(fallback(&status).as_deref(), Some("voicemail"));
    let busy = (Code::ResourceExhausted, "TOO_MANY_CALLS", "");
    assert_refused("the thirteenth", refused, busy);
    assert_refused("one more", within("an answer", waits(&server, &first)).await, busy);
    let (_ana, assignment) = server.sign_in_and_accept("ana").await;
    server.complete(&assignment).await.expect("an agent's calls have room");
    server.cancel(&second).await;
    while let Some(answer) = within("the others", waiting.join_next()).await {
        answer.expect("no panic").expect("it is over, and they are told");
    }
    let third = server.call("c3").await;
    server.cancel(&third).await;
    waits(&server, &third).await.expect("there is room again");
}

#[tokio::test]
async fn a_tenant_has_so_many_streams_and_no_more() {
    let server = Server::with(Settings { streams_max: Some(16), ..settings() }).await;
    server.open_floor(&[]).await;
    let call = server.call("c1").await;
    let watch = || proto::WatchInteractionRequest { name: call.clone(), ..Default::default() };
    let mut open = Vec::new();
    for _ in 0..16 {
        open.push(within("a watch", server.interactions().watch(watch())).await.expect("there is room"));
    }
    let refused = within("an answer", server.interactions().watch(watch())).await.map(drop);
    assert_refused("the seventeenth", refused, (Code::ResourceExhausted, "TOO_MANY_STREAMS", ""));
    server.cancel(&call).await;
    for mut stream in open {
        while within("the end", stream.get_mut().message()).await.expect("no error").is_some() {}
    }
    assert_refused(
        "a watch of none",
        server
            .interactions()
            .watch(proto::WatchInteractionRequest { name: name("interactions", 9), ..Default::default() })
            .await
            .map(drop),
        (Code::NotFound, "INTERACTION_NOT_FOUND", "name"),
    );
}

#[tokio::test]
async fn a_connection_too_many_is_closed_at_once_and_the_others_live() {
    let server = Server::with(Settings { connections_max: Some(16), ..settings() }).await;
    server.open_floor(&[]).await;
    let connect = || async { TcpStream::connect(server.address()).await.expect("it listens") };
    let mut held = Vec::new();
    for _ in 0..15 {
        held.push(connect().await);
    }
    let mut one_more = connect().await;
    let mut heard = Vec::new();
    // Closed or reset, by how the system puts it.
    let _ = within("the close", one_more.read_to_end(&mut heard)).await;
    assert!(heard.is_empty(), "nothing is said");
    server.call("c1").await;
    drop(held);
}
