//! Recovery and snapshots of a large floor: how long a start takes from the events alone and from a snapshot, how long a
//! snapshot takes and what it is in bytes, and what submits notice while one is written. Printed; every figure of one run.
//!
//! Load: 10,000 agents who are signed in, 50 skills and queues, and `BATON_WAITING` interactions (1,000,000 if nothing is
//! said) that wait, each with a sealed message and an idempotency key, submitted by 512 at a time through the inbox of a
//! shard with its journal and customers on disk, in a folder made for the run where temporary files go. Starts are
//! measured from opening the files to a shard that answers, with the files in the system's cache. Beside a snapshot submits go
//! on, as many as it takes and then 1,000 a second, each cancelled when it is answered, so that as many wait as before. Beside
//! the latter a file of 4 KiB is written over and synced 100 times a second, which shows what the disk itself makes wait.
//! Left out: the API. What is left without a disk shows `TMPDIR=/dev/shm`.

mod common;

use baton::engine::agent::Presence;
use baton::engine::command::{Command, Leaving, Write};
use baton::engine::event::EndedBy;
use baton::engine::floor::Definition;
use baton::engine::ids::{AgentKey, SessionId};
use baton::journal::Snapshots;
use baton::runtime::inbox::ShardHandle;
use common::house::{AT_ONCE, House, for_good, median, submitted};
use common::{Centre, Size, Submissions, definitions};
use std::fs::File;
use std::io::{Seek, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// As baton has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AGENTS: u32 = 10_000;
/// Submits a second where they are no flood: a busy hour of a large centre.
const RATE: f64 = 1_000.0;
/// How long submits come and go alone; and beside a snapshot, where they are as many as it takes.
const STRETCH: Duration = Duration::from_secs(5);
/// Longer than any snapshot takes.
const WHOLE: Duration = Duration::from_secs(300);
const REPEATS: usize = 5;

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
    let (took, _) = house.submit(&submissions, 0..waiting).await;
    println!("{waiting} submits, durable: {:.0} a second", waiting as f64 / took.as_secs_f64());
    house.close().await;

    let starts: Vec<Duration> = repeat(REPEATS, || timed(folder)).await;
    println!("start from the events alone: {}", told(&starts));
    let house = open(folder);
    house.settle().await;
    let began = Instant::now();
    write_snapshot(&house).await;
    let bytes = Snapshots::of(folder).list().ok().and_then(|mut all| all.pop()).map(|(_, path)| path);
    let bytes = bytes.and_then(|path| std::fs::metadata(path).ok()).map_or(0, |file| file.len());
    println!("first snapshot, from the events: {:.2?}, {} MiB", began.elapsed(), bytes >> 20);
    house.close().await;
    let starts: Vec<Duration> = repeat(REPEATS, || timed(folder)).await;
    println!("start from a snapshot: {}", told(&starts));

    let house = open(folder);
    let flood = beside(&house, &submissions, 1, STRETCH, turn_over).await;
    let rate = |all: &[(f64, Duration)]| median_of(all.iter().map(|(rate, _)| *rate).collect());
    let slowest = |all: &[(f64, Duration)]| median(&all.iter().map(|(_, slow)| *slow).collect::<Vec<_>>());
    let (without, with) = (rate(&flood.without), rate(&flood.with));
    println!(
        "submits a second, {AT_ONCE} at once, each cancelled: {without:.0} without, {with:.0} beside a snapshot, ratio \
         {:.2}; slowest {:.1?} and {:.1?}",
        with / without,
        slowest(&flood.without),
        slowest(&flood.with)
    );
    let file = folder.join("synced");
    let calm = beside(&house, &submissions, 2, WHOLE, |handle, submissions, first, until| {
        let (file, ended) = (file.clone(), Until::told());
        let end = ended.clone();
        let syncs = tokio::task::spawn_blocking(move || bare_syncs(&file, &end));
        async move {
            let submits = steadily(handle, submissions, first, until).await;
            ended.end();
            (submits, syncs.await.expect("no panic"))
        }
    })
    .await;
    println!(
        "{RATE} submits a second, each cancelled, answered after (p50, p99, p99.9, slowest); bare syncs beside them:"
    );
    for (what, turns) in [("without a snapshot", calm.without), ("beside one", calm.with)] {
        let (submits, syncs) = turns.into_iter().unzip();
        println!("  {what}: {}; {}", spread(submits), spread(syncs));
    }
    house.close().await;
}

/// What a load showed each time, alone and beside a snapshot.
struct Compared<T> {
    without: Vec<T>,
    with: Vec<T>,
}

/// When a load ends: when it is told, or after a while.
#[derive(Clone)]
struct Until {
    told: Arc<AtomicBool>,
    latest: Instant,
}

impl Until {
    fn after(most: Duration) -> Until {
        Until { told: Arc::default(), latest: Instant::now() + most }
    }

    fn told() -> Until {
        Until::after(WHOLE)
    }

    fn end(&self) {
        self.told.store(true, Ordering::Relaxed);
    }

    fn has_come(&self) -> bool {
        self.told.load(Ordering::Relaxed) || Instant::now() >= self.latest
    }
}

/// Runs a load alone, then beside a snapshot for so long at most, `REPEATS` times. Numbers of submissions begin with `part`.
async fn beside<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    house: &House,
    submissions: &Arc<Submissions>,
    part: u64,
    most: Duration,
    load: impl Fn(ShardHandle, Arc<Submissions>, u64, Until) -> F,
) -> Compared<T> {
    let mut found = Compared { without: Vec::new(), with: Vec::new() };
    for turn in 1..=REPEATS as u64 {
        // Numbers of their own, however many it are.
        let first = (part << 50) + (turn << 40);
        let loaded =
            |first, until| tokio::spawn(load(house.handle().clone(), submissions.clone(), first, until));
        found.without.push(loaded(first, Until::after(STRETCH)).await.expect("no panic"));
        house.settle().await;
        let ended = Until::after(most);
        let meanwhile = loaded(first + (1 << 39), ended.clone());
        let began = Instant::now();
        write_snapshot(house).await;
        ended.end();
        let took = began.elapsed();
        found.with.push(meanwhile.await.expect("no panic"));
        println!("  a snapshot took {took:.2?}, with submits beside it for at most {most:?}");
    }
    found
}

fn open(folder: &Path) -> House {
    House::open(folder, for_good(folder), 1)
}

async fn write_snapshot(house: &House) {
    let snapshots = house.running.snapshots.as_ref().expect("it keeps some");
    tokio::task::block_in_place(|| snapshots.write_now());
}

async fn timed(folder: &Path) -> Duration {
    let began = Instant::now();
    let house = open(folder);
    house.handle().read(|shard| shard.sequence()).await.expect("it runs");
    let took = began.elapsed();
    house.close().await;
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
    let handle = house.handle();
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

/// Submits and cancels until then: how many a second, and the slowest of them.
async fn turn_over(
    handle: ShardHandle,
    submissions: Arc<Submissions>,
    first: u64,
    until: Until,
) -> (f64, Duration) {
    let began = Instant::now();
    let (mut under_way, mut slowest) = (JoinSet::new(), Duration::ZERO);
    let mut next = first;
    while !until.has_come() {
        if under_way.len() >= AT_ONCE {
            slowest = slowest.max(under_way.join_next().await.expect("some are").expect("no panic"));
        }
        let (handle, submissions) = (handle.clone(), submissions.clone());
        under_way.spawn(async move {
            let (interaction, took) = submitted(&handle, &submissions, next).await;
            let cancel = Command::Cancel { interaction, leaving: Leaving::CustomerLeft };
            handle.ask(cancel, None).await.expect("it waits");
            took
        });
        next += 1;
    }
    let rate = (next - first) as f64 / began.elapsed().as_secs_f64();
    while let Some(took) = under_way.join_next().await {
        slowest = slowest.max(took.expect("no panic"));
    }
    (rate, slowest)
}

/// How long each took, until it is told to end.
#[allow(clippy::disallowed_methods, reason = "at a rate")]
fn bare_syncs(path: &Path, until: &Until) -> Vec<Duration> {
    let mut file = File::create(path).expect("the disk works");
    let mut took = Vec::new();
    while !until.has_come() {
        std::thread::sleep(Duration::from_millis(10));
        let began = Instant::now();
        let synced = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&[7; 4_096]));
        synced.and_then(|()| file.sync_data()).expect("the disk works");
        took.push(began.elapsed());
    }
    took
}

/// Submits and cancels at an even rate until then: how long each submit took, from the moment it was due.
async fn steadily(
    handle: ShardHandle,
    submissions: Arc<Submissions>,
    first: u64,
    until: Until,
) -> Vec<Duration> {
    let began = Instant::now();
    let (mut under_way, mut took, mut next) = (JoinSet::new(), Vec::new(), 0);
    while !until.has_come() {
        while next as f64 <= began.elapsed().as_secs_f64() * RATE {
            let due = began + Duration::from_secs_f64(next as f64 / RATE);
            let (handle, submissions) = (handle.clone(), submissions.clone());
            under_way.spawn(async move {
                let (interaction, _) = submitted(&handle, &submissions, first + next).await;
                let took = due.elapsed();
                let cancel = Command::Cancel { interaction, leaving: Leaving::CustomerLeft };
                handle.ask(cancel, None).await.expect("it waits");
                took
            });
            next += 1;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        while let Some(done) = under_way.try_join_next() {
            took.push(done.expect("no panic"));
        }
    }
    while let Some(done) = under_way.join_next().await {
        took.push(done.expect("no panic"));
    }
    took
}

/// The medians of each turn's p50, p99, p99.9 and slowest, in ms.
fn spread(turns: Vec<Vec<Duration>>) -> String {
    let of = |share: f64| {
        let at = |turn: &Vec<Duration>| {
            let mut sorted = turn.clone();
            sorted.sort_unstable();
            sorted[((sorted.len() - 1) as f64 * share) as usize]
        };
        median(&turns.iter().map(at).collect::<Vec<_>>()).as_secs_f64() * 1_000.0
    };
    let [p50, p99, p999, slowest] = [0.5, 0.99, 0.999, 1.0].map(of);
    format!("{p50:.2}, {p99:.2}, {p999:.2}, {slowest:.2} ms")
}

fn median_of(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

fn told(all: &[Duration]) -> String {
    let least = all.iter().min().expect("there are some");
    let most = all.iter().max().expect("there are some");
    format!("median {:.2?} of {} ({least:.2?} to {most:.2?})", median(all), all.len())
}
