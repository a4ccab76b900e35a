//! Deterministic simulation: a seed draws a floor, its traffic, its people and its bad luck, around the real engine,
//! journal and recovery. What must hold is checked all along, and once everything has come to rest.
//!
//! `BATON_SEEDS=n` runs n seeds instead of what the test command has time for; `BATON_SEED=s` repeats one, and with
//! `BATON_TELL=1` says each step at once.

mod boss;
mod desk;
mod dice;
mod disk;
mod drawn;
mod ends;
mod hand;
mod kept;
mod platform;
mod points;
mod server;
mod streams;
mod witness;
mod words;
mod world;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use world::World;

/// As many as the test command has time for.
const SEEDS: u64 = 2_000;
const WORKERS: u64 = 2;
/// A seed that takes longer than this many seconds is taken to loop inside one step.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happened in a run, or its panic.
type Outcome = std::thread::Result<BTreeSet<&'static str>>;

#[test]
fn whatever_happens_nothing_is_lost_doubled_or_stuck() {
    if let Some(seed) = asked("BATON_SEED") {
        return repeat(seed);
    }
    let seeds = asked("BATON_SEEDS").unwrap_or(SEEDS);
    let next = std::sync::Arc::new(AtomicU64::new(0));
    let (done, results) = mpsc::channel();
    for _ in 0..WORKERS {
        let (next, done) = (next.clone(), done.clone());
        std::thread::spawn(move || {
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds || done.send((seed, None)).is_err() {
                    return;
                }
                // A thread of its own, by whose name an overflow of the stack says which seed it was.
                let thread = std::thread::Builder::new().name(format!("BATON_SEED={seed}"));
                let run = thread.spawn(move || {
                    let mut world = World::new(seed, false);
                    world.run();
                    world.witness.log.iter().map(|(stamped, _)| stamped.event.name()).collect()
                });
                let result: Outcome = run.expect("the system has threads").join();
                if done.send((seed, Some(result))).is_err() {
                    return;
                }
            }
        });
    }
    drop(done);
    let (mut running, mut happened) = (BTreeSet::new(), BTreeSet::new());
    loop {
        match results.recv_timeout(PATIENCE) {
            Ok((seed, None)) => _ = running.insert(seed),
            Ok((seed, Some(Ok(names)))) => {
                running.remove(&seed);
                happened.extend::<BTreeSet<&str>>(names);
            }
            // Once more, with every word written down.
            Ok((seed, Some(Err(_)))) => return repeat(seed),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("these seeds never end: {running:?}"),
        }
    }
    let missing: Vec<_> = EVENTS.split_whitespace().filter(|name| !happened.contains(name)).collect();
    assert!(seeds < SEEDS || missing.is_empty(), "what never happens is not tried: {missing:?}");
}

/// Every event.
const EVENTS: &str = "Restarted Defined Removed SessionOpened SessionLost PresenceChanged PresencePending Responding \
    Admitted Waits Offered Accepted Declined Expired Rescinded CooledDown ConversationEnded WrapUpEnded Abandoned \
    Cancelled Closed SourceOpened SourceLost AssignmentLost Identified HoursTurned SkillExpired Due Held Relaxed \
    Overdue PreferenceEnded Overflowed SentAway TimedOut Connected ConnectFailed Transferred Sought SeekEnded \
    OwnerChanged Joined Parked Resumed Interrupted Continued Requeued WrapUpExtended CallbackPlanned WindowMissed \
    AttachedTo Reprioritised Assigned Replanned";

#[test]
fn the_same_seed_is_the_same_run() {
    let digest = |seed| {
        let mut world = World::new(seed, false);
        world.run();
        (world.server.shard.digest(), world.now, world.witness.log.len())
    };
    for seed in 0..5 {
        assert_eq!(digest(seed), digest(seed));
    }
}

fn repeat(seed: u64) {
    tell(seed, World::new(seed, true));
}

/// Runs a world that is written down; its panic is told with what came before.
fn tell(seed: u64, mut world: World) {
    let Err(why) = catch_unwind(AssertUnwindSafe(|| world.run())) else { return };
    let why = why.downcast_ref::<String>().map(String::as_str).or(why.downcast_ref::<&str>().copied());
    let lines: Vec<String> = world.history.into_iter().flatten().collect();
    panic!(
        "seed {seed}: {}\nits last steps:\n{}\nto repeat it:\nBATON_SEED={seed} cargo test --no-default-features --test it sim",
        why.unwrap_or("it panicked"),
        lines.join("\n")
    );
}

fn asked(name: &str) -> Option<u64> {
    let asked = std::env::var(name).ok()?;
    Some(asked.parse().unwrap_or_else(|_| panic!("{name} is a whole number, not {asked:?}")))
}
