//! The part of the end-to-end comparison that needs no socket: whole life cycles (submit, match, offer, accept,
//! complete, wrap-up) for so many seconds, or the naive choice alone. Prints one line of JSON.
//!
//! Load: 1,000 agents with 500 profiles of two skills, 50 skills in turn, voice, 500 in the system. `naive` scans
//! 1,000 agents for the longest idle with the skill and marks it used: no lines, no events, no explanation.

#[path = "../common/mod.rs"]
mod common;
#[path = "../matching/naive.rs"]
#[allow(dead_code)]
mod naive;

use common::{Centre, Hand, Size};
use naive::Roster;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Cycles between two looks at the time.
const LOOK: u64 = 1_000;
/// A thread's submissions are numbered apart from the others'.
const APART: u64 = 1 << 40;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [what, seconds] = words[..] else {
        // Whoever runs all benches runs this one too, and there is nothing to do then.
        return println!("in_process engine|two_shards|mutex|naive SECONDS");
    };
    let length = Duration::from_secs(seconds.parse().ok().filter(|n| *n <= 60).expect("SECONDS is 1 to 60"));
    let start = Instant::now();
    let rate = match what {
        "engine" => engine(length),
        "two_shards" => two_shards(length),
        "mutex" => mutex(length),
        "naive" => naive(length),
        _ => panic!("no such thing to measure"),
    };
    assert!(start.elapsed() < length + Duration::from_secs(30), "setting up takes moments");
    println!("{{\"completed_per_s\":{rate:.0}}}");
}

fn engine(length: Duration) -> f64 {
    let (mut centre, mut hand) = (Centre::staffed(Size::USUAL), Hand::from(0));
    let submissions = centre.submissions.clone();
    hand.fill(500, &submissions, &mut |command, events| centre.step(command, events));
    repeated(length, || {
        hand.cycles(LOOK, &submissions, &mut |command, events| centre.step(command, events));
    })
}

/// A pool of its own on each of two threads.
fn two_shards(length: Duration) -> f64 {
    std::thread::scope(|scope| {
        let both = [scope.spawn(|| engine(length)), scope.spawn(|| engine(length))];
        both.map(|one| one.join().expect("no thread panics")).iter().sum()
    })
}

/// One pool, two threads, a lock for each command.
fn mutex(length: Duration) -> f64 {
    let mut centre = Centre::staffed(Size::USUAL);
    let submissions = centre.submissions.clone();
    let mut hands = [Hand::from(0), Hand::from(APART)];
    for hand in &mut hands {
        hand.fill(250, &submissions, &mut |command, events| centre.step(command, events));
    }
    let centre = Mutex::new(centre);
    std::thread::scope(|scope| {
        let both = hands.map(|mut hand| {
            let (centre, submissions) = (&centre, &submissions);
            scope.spawn(move || {
                repeated(length, || {
                    hand.cycles(LOOK, submissions, &mut |command, events| {
                        centre.lock().expect("no thread panics").step(command, events)
                    });
                })
            })
        });
        both.map(|one| one.join().expect("no thread panics")).iter().sum()
    })
}

fn naive(length: Duration) -> f64 {
    let mut roster = Roster::new(1_000);
    let mut now = u64::from(u32::MAX);
    repeated(length, || {
        for number in 0..LOOK {
            now += 1;
            let best = roster.best((number % 50) as u16, 1).expect("every skill is there");
            roster.served(best, now);
        }
    })
}

/// How many a second, of what does `LOOK` at a time.
fn repeated(length: Duration, mut work: impl FnMut()) -> f64 {
    let (start, mut rounds) = (Instant::now(), 0);
    while start.elapsed() < length {
        work();
        rounds += 1;
    }
    (rounds * LOOK) as f64 / start.elapsed().as_secs_f64()
}
