//! Recovery and snapshots of a large floor: how long a start takes from the events alone and from a snapshot, how long a
//! snapshot takes and what it is in bytes, and what submits notice while one is written. Printed; every figure of one run.
//!
//! Load: 10,000 agents who are signed in, 50 skills and queues, and `BATON_WAITING` interactions (1,000,000 if nothing is
//! said) that wait, each with a sealed message and an idempotency key, submitted by 512 at a time through the inbox of a
//! shard with its journal and customers on disk, in a folder made for the run where temporary files go. Starts are
//! measured from opening the files to a shard that answers, with the files in the system's cache. Left out: the API.

mod common;

use baton::customers::{Customers, SqliteStore};
use baton::engine::agent::Presence;
use baton::engine::command::{Command, Write};
use baton::engine::event::EndedBy;
use baton::engine::floor::Definition;
use baton::engine::ids::{AgentKey, SessionId};
use baton::journal::{Limits, Snapshots, Sqlite};
use baton::runtime::inbox::ShardHandle;
use baton::runtime::payload::{Payload, Secret};
use baton::runtime::snapshotting::Keeping;
use baton::runtime::start::{Beside, Running, start};
use common::{Centre, Size, Submissions, definitions};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

const AGENTS: u32 = 10_000;
/// Submits under way at once.
const AT_ONCE: usize = 512;
/// Submits of one measurement beside a snapshot.
const BESIDE: u64 = 50_000;
const REPEATS: usize = 5;

struct House {
    running: Running,
    customers: Customers,
}

fn main() {
    let waiting =
        std::env::var("BATON_WAITING").ok().and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started");
    let folder = tempfile::tempdir().expect("a folder can be made");
    runtime.block_on(measure(folder.path(), waiting));
}

async fn measure(folder: &Path, waiting: u64) {
    let house = open(folder);
    let submissions = furnish(&house).await;
    let (took, _) = submit(&house, &submissions, 0..waiting).await;
    println!("{waiting} submits, durable: {:.0} a second", waiting as f64 / took.as_secs_f64());
    close(house).await;

    let starts: Vec<Duration> = repeat(REPEATS, || timed(folder)).await;
    println!("start from the events alone: {}", told(&starts));
    let house = open(folder);
    settle(&house).await;
    let began = Instant::now();
    write_snapshot(&house).await;
    let bytes = Snapshots::of(folder).list().ok().and_then(|mut all| all.pop()).map(|(_, path)| path);
    let bytes = bytes.and_then(|path| std::fs::metadata(path).ok()).map_or(0, |file| file.len());
    println!("first snapshot, from the events: {:.2?}, {} MiB", began.elapsed(), bytes >> 20);
    close(house).await;
    let starts: Vec<Duration> = repeat(REPEATS, || timed(folder)).await;
    println!("start from a snapshot: {}", told(&starts));

    let house = open(folder);
    let mut next = waiting;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let (took, slowest) = submit(&house, &submissions, next..next + BESIDE).await;
        without.push((took, slowest));
        next += BESIDE;
        settle(&house).await;
        let snapshot = async {
            let began = Instant::now();
            write_snapshot(&house).await;
            began.elapsed()
        };
        let beside = submit(&house, &submissions, next..next + BESIDE);
        let ((took, slowest), snapshot) = tokio::join!(beside, snapshot);
        println!("  {BESIDE} submits in {took:.2?} while a snapshot took {snapshot:.2?}");
        with.push((took, slowest));
        next += BESIDE;
    }
    let rate = |all: &[(Duration, Duration)]| {
        BESIDE as f64 / median(&all.iter().map(|(took, _)| *took).collect::<Vec<_>>()).as_secs_f64()
    };
    let slowest =
        |all: &[(Duration, Duration)]| median(&all.iter().map(|(_, slow)| *slow).collect::<Vec<_>>());
    println!(
        "submits a second: {:.0} without, {:.0} beside a snapshot, ratio {:.2}; slowest {:.1?} and {:.1?}",
        rate(&without),
        rate(&with),
        rate(&with) / rate(&without),
        slowest(&without),
        slowest(&with)
    );
    close(house).await;
}

fn open(folder: &Path) -> House {
    let store = SqliteStore::open(folder).expect("the disk works");
    let customers = Customers::start(Box::new(store)).expect("the disk works");
    let journal = Sqlite::open(folder, "bench").expect("the disk works");
    let limits = Limits { days: 400, bytes: 1 << 40 };
    let keeping = Keeping { folder: folder.to_owned(), snapshot_events: u64::MAX, limits };
    let beside = Beside { keeping: Some(keeping), ..Beside::default() };
    let running = start(Box::new(journal), customers.clone(), &[], 1, false, "bench", beside);
    House { running: running.expect("it can start"), customers }
}

/// Ends without a snapshot.
async fn close(house: House) {
    settle(&house).await;
    house.running.handle.stop();
    tokio::task::spawn_blocking(move || {
        house.running.thread.join().expect("no panic").expect("the disk works");
        std::mem::forget(house.running.snapshots);
    })
    .await
    .expect("no panic");
}

/// Until the histories hold everything.
async fn settle(house: &House) {
    let sequence = house.running.handle.read(|_| ()).await.expect("it runs").sequence.0;
    let (reply, answer) = oneshot::channel();
    house.customers.wait_applied(sequence, move |applied| drop(reply.send(applied)));
    answer.await.expect("an answer").expect("the disk works");
}

async fn write_snapshot(house: &House) {
    let snapshots = house.running.snapshots.as_ref().expect("it keeps some");
    tokio::task::block_in_place(|| snapshots.write_now());
}

async fn timed(folder: &Path) -> Duration {
    let began = Instant::now();
    let house = open(folder);
    house.running.handle.read(|shard| shard.sequence()).await.expect("it runs");
    let took = began.elapsed();
    close(house).await;
    took
}

async fn repeat<T, F: Future<Output = T>>(times: usize, mut once: impl FnMut() -> F) -> Vec<T> {
    let mut all = Vec::new();
    for _ in 0..times {
        all.push(once().await);
    }
    all
}

/// The floor of the benches, in the pool that is always there, and everybody signed in.
async fn furnish(house: &House) -> Arc<Submissions> {
    let size = Size { agents: AGENTS, ..Size::USUAL };
    let handle = &house.running.handle;
    for (name, definition) in definitions(Size { agents: 0, ..size }) {
        let define = Command::Define { name: name.into(), definition, write: Write::Create };
        handle.ask(define, None).await.expect("a new name");
    }
    // All at once: each batch publishes the floor anew, as large as it is by then.
    let agents = definitions(size).filter(|(_, definition)| matches!(definition, Definition::Agent(_)));
    let define = |(name, definition): (String, Definition)| Command::Define {
        name: name.into(),
        definition,
        write: Write::Create,
    };
    all_at_once(handle, agents.map(define)).await;
    let keys = (0..AGENTS).map(AgentKey);
    let session = |agent: AgentKey| SessionId(u64::from(agent.0) + 1);
    all_at_once(handle, keys.clone().map(|agent| Command::OpenSession { agent, session: session(agent) }))
        .await;
    let (presence, by) = (Presence::Available, EndedBy::Agent);
    let present = |agent| Command::SetPresence { agent, presence, reason: "".into(), by };
    all_at_once(handle, keys.map(present)).await;
    Centre::new(Size { agents: 0, ..size }, size.skills).submissions
}

async fn all_at_once(handle: &ShardHandle, commands: impl Iterator<Item = Command>) {
    let mut asked = JoinSet::new();
    for command in commands {
        let handle = handle.clone();
        asked.spawn(async move { handle.ask(command, None).await.expect("the floor is right") });
    }
    while let Some(done) = asked.join_next().await {
        done.expect("no panic");
    }
}

/// How long all took, and the slowest of them.
async fn submit(
    house: &House,
    submissions: &Arc<Submissions>,
    numbers: std::ops::Range<u64>,
) -> (Duration, Duration) {
    let began = Instant::now();
    let (mut under_way, mut slowest) = (JoinSet::new(), Duration::ZERO);
    for number in numbers {
        if under_way.len() >= AT_ONCE {
            slowest = slowest.max(under_way.join_next().await.expect("some are").expect("no panic"));
        }
        let (handle, submissions) = (house.running.handle.clone(), submissions.clone());
        under_way.spawn(async move {
            let began = Instant::now();
            let payload = Payload {
                message: "Where is my parcel? It should have come on Monday.".into(),
                ..Payload::default()
            };
            let command = submissions.command(number);
            let Command::Submit(submit) = &command else { panic!("a submission is one") };
            let secret = Secret::payload(payload, submit.content);
            handle.ask(command, Some(secret)).await.expect("there is room");
            began.elapsed()
        });
    }
    while let Some(took) = under_way.join_next().await {
        slowest = slowest.max(took.expect("no panic"));
    }
    (began.elapsed(), slowest)
}

fn median(all: &[Duration]) -> Duration {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

fn told(all: &[Duration]) -> String {
    let least = all.iter().min().expect("there are some");
    let most = all.iter().max().expect("there are some");
    format!("median {:.2?} of {} ({least:.2?} to {most:.2?})", median(all), all.len())
}
