//! What publishing costs those who submit meanwhile. A server in this process, asked over loopback; so many wait (1,000, of
//! 100 intents), and submits come at a fixed rate (300 a second over 4 connections, each cancelled when it was answered) under
//! 100 ordered rules. Each round has three stretches of 5 s: nobody publishes; every 500 ms somebody publishes other points and
//! who waits keeps their plan; the same, and all who wait are planned again.
//!
//! Latency is measured from when a submit was due to its answer. `while published` is of those that were due between the
//! request to publish and its answer. The figures are medians over the rounds, since other work on the machine comes and goes;
//! a batch of the shard is stepped for 5 ms at most. Load and server share the processors.
//!
//! `BATON_WAITING`, `BATON_RATE`, `BATON_RULES_COUNT`, `BATON_ROUNDS` and `BATON_JOURNAL` (memory, sqlite) change the load.

#[path = "publishing/centre.rs"]
mod centre;

use baton::config::JournalKind;
use baton::proto::WaitingPolicy;
use centre::{Centre, cancel, contact, of, until};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// As baton has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: usize = 4;
const STRETCH: Duration = Duration::from_secs(5);
const PUBLISH_EVERY: Duration = Duration::from_millis(500);
/// What is done in a stretch, in turn.
const STRETCHES: [(&str, Option<WaitingPolicy>); 3] = [
    ("nobody publishes", None),
    ("plans are kept", Some(WaitingPolicy::Keep)),
    ("planned again", Some(WaitingPolicy::PlanAgain)),
];

struct Load {
    waiting: usize,
    rate: u32,
    rules: usize,
    rounds: usize,
    journal: JournalKind,
}

/// What one stretch came to.
#[derive(Default)]
struct Stretch {
    all: Vec<Duration>,
    while_published: Vec<Duration>,
    publishes: Vec<Duration>,
    planned_again: u64,
}

fn main() {
    let load = Load {
        waiting: number("BATON_WAITING", 1_000),
        rate: number("BATON_RATE", 300) as u32,
        rules: number("BATON_RULES_COUNT", 100),
        rounds: number("BATON_ROUNDS", 5),
        journal: match std::env::var("BATON_JOURNAL").as_deref() {
            Ok("sqlite") => JournalKind::Sqlite,
            _ => JournalKind::Memory,
        },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("the system can wait for sockets").block_on(measure(&load));
}

fn number(name: &str, usual: usize) -> usize {
    let asked = std::env::var(name).ok();
    let asked = asked.map(|asked| asked.parse().expect("a whole number"));
    asked.filter(|asked| (1..=1_000_000).contains(asked)).unwrap_or(usual)
}

async fn measure(load: &Load) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let centre = Arc::new(Centre::open(load.journal, folder.path(), CONNECTIONS).await);
    centre.publish(load.rules, 0, WaitingPolicy::Keep).await;
    centre.fill(load.waiting).await;
    let Load { waiting, rate, rules, rounds, journal } = load;
    println!("{waiting} wait, {rate} submits a second, {rules} rules, journal {}", journal.name());
    let (mut figure, mut seen) = (0, STRETCHES.map(|_| Vec::new()));
    for round in 0..*rounds {
        for (number, (_, policy)) in STRETCHES.into_iter().enumerate() {
            seen[number].push(stretch(&centre, load, policy, (round, number), &mut figure).await);
        }
    }
    for ((what, _), rounds) in STRETCHES.into_iter().zip(&mut seen) {
        print(what, rounds);
    }
    Arc::into_inner(centre).expect("all submits are answered").close().await;
}

/// One stretch of submits, and of publishing if somebody does.
async fn stretch(
    centre: &Arc<Centre>,
    load: &Load,
    policy: Option<WaitingPolicy>,
    place: (usize, usize),
    figure: &mut u32,
) -> Stretch {
    let begin = Instant::now() + PUBLISH_EVERY / 5;
    let submits = tokio::spawn(submits(centre.clone(), load.rate, begin, place));
    let (mut published, mut planned_again) = (Vec::new(), 0);
    if let Some(policy) = policy {
        let mut due = begin + PUBLISH_EVERY / 2;
        while due < begin + STRETCH {
            until(due).await;
            *figure += 1;
            let (from, to, count) = centre.publish(load.rules, *figure, policy).await;
            published.push((from, to));
            planned_again += count;
            due = (due + PUBLISH_EVERY).max(Instant::now());
        }
    }
    let seen = submits.await.expect("no panic");
    let during = |due: &Instant| published.iter().any(|(from, to)| from <= due && due <= to);
    Stretch {
        while_published: seen.iter().filter(|(due, _)| during(due)).map(|(_, took)| *took).collect(),
        all: seen.into_iter().map(|(_, took)| took).collect(),
        publishes: published.iter().map(|(from, to)| *to - *from).collect(),
        planned_again,
    }
}

/// When each was due, and how long after that its answer came.
async fn submits(
    centre: Arc<Centre>,
    rate: u32,
    begin: Instant,
    (round, number): (usize, usize),
) -> Vec<(Instant, Duration)> {
    let mut under_way = JoinSet::new();
    let count = (STRETCH.as_millis() as u32 * rate / 1_000) as usize;
    for at in 0..count {
        let due = begin + Duration::from_secs(at as u64) / rate;
        until(due).await;
        let mut source = centre.source(at);
        let request = contact(&format!("{round}-{number}-{at}"), at * 7);
        under_way.spawn(async move {
            let answer = source.submit(request).await.expect("taken").into_inner();
            let took = due.elapsed();
            cancel(source, answer.interaction.expect("an interaction").name).await;
            (due, took)
        });
    }
    under_way.join_all().await
}

fn print(what: &str, rounds: &mut [Stretch]) {
    let ms = |length: Duration| length.as_secs_f64() * 1e3;
    let middle = |share: f64, take: fn(&mut Stretch) -> &mut Vec<Duration>, rounds: &mut [Stretch]| {
        let mut each: Vec<Duration> = rounds.iter_mut().map(|one| of(take(one), share)).collect();
        ms(of(&mut each, 0.5))
    };
    let [p50, p99, most] = [0.5, 0.99, 1.0].map(|share| middle(share, |one| &mut one.all, rounds));
    print!("{what:17} submit p50 {p50:7.2} ms, p99 {p99:7.2}, longest {most:7.2}");
    if rounds.iter().any(|one| !one.publishes.is_empty()) {
        let [p50, p99] = [0.5, 0.99].map(|share| middle(share, |one| &mut one.while_published, rounds));
        print!("; while published p50 {p50:7.2}, p99 {p99:7.2}");
        let took = middle(0.5, |one| &mut one.publishes, rounds);
        let publishes: usize = rounds.iter().map(|one| one.publishes.len()).sum();
        let planned: u64 = rounds.iter().map(|one| one.planned_again).sum();
        print!("; {publishes} publishes of {took:.1} ms (median), {planned} planned again");
    }
    println!();
}
