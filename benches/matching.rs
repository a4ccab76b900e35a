//! Matching in both directions, asked as the engine's public questions: each answer carries its why (candidates,
//! reasons, rivals), which is part of what is measured. Nothing changes between questions, so caches are warm;
//! `step` below and the bench `step` have the cold part.
//!
//! `agents_for`: one interaction for each of 250 classes (50 skills, proficiency 1 to 5 wanted) is being offered; the
//! question is who would be next, in turn over the classes; all other agents are free. `interaction_for`: 1,000
//! agents with two of 64 skills, none busy; so many wait in 64 classes. `cycle`: whole life cycles as in the bench
//! `step`, so many waiting all the time. For comparison: the same choice by a scan over all agents, or over all who
//! wait; and taking the best of 64 heads and putting one in, over `priority-queue` and over sorted sets.

mod common;
#[path = "matching/naive.rs"]
#[allow(dead_code)]
mod naive;

use baton::engine::command::{Answer, Command};
use baton::engine::event::Stamped;
use baton::engine::ids::{AgentKey, InteractionId};
use baton::engine::shard::Shard;
use common::{Centre, Clock, Hand, Size};
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use naive::{Heaps, Line, Lines, Roster, Sets};
use std::hint::black_box;
use std::time::Duration;

const WAITING_CLASSES: u16 = 64;
const WAITING_SIZE: Size = Size { agents: 1_000, skills: WAITING_CLASSES, profiles: 640, lists: false };

fn agents_for(criterion: &mut Criterion<Clock>) {
    let mut group = bounded(criterion, "agents_for");
    let floors = [(100, 50), (10_000, 500), (100_000, 500), (10_000, 10_000), (100_000, 100_000)];
    for ((agents, profiles), lists) in floors.into_iter().flat_map(|floor| [(floor, false), (floor, true)]) {
        let size = Size { agents, skills: 50, profiles, lists };
        let (mut shard, mut asked, mut at) = (None, Vec::new(), 0);
        let by = if lists { ", by lists" } else { "" };
        group.bench_function(format!("{agents} agents, {profiles} profiles{by}"), |bencher| {
            let shard = shard.get_or_insert_with(|| offering(size, &mut asked));
            bencher.iter(|| {
                at = (at + 1) % asked.len();
                black_box(shard.agents_for(asked[at]))
            });
        });
    }
    for agents in [10_000, 100_000] {
        let roster = Roster::new(agents);
        let mut at = 0;
        group.bench_function(format!("naive scan, {agents} agents"), |bencher| {
            bencher.iter(|| {
                at = (at + 1) % 250;
                black_box(roster.best(at % 50, 1 + (at / 50) as u8))
            });
        });
    }
    group.finish();
}

/// A shard in which one interaction of each class is on offer, and these.
fn offering(size: Size, asked: &mut Vec<InteractionId>) -> Shard {
    let mut centre = Centre::new(size, 250);
    (0..size.agents).for_each(|agent| drop(centre.sign_in(AgentKey(agent))));
    let submissions = centre.submissions.clone();
    asked.extend((0..250).map(|number| admitted(centre.ask(submissions.command(number)))));
    centre.shard
}

fn admitted(answer: Answer) -> InteractionId {
    let Answer::Admitted { interaction, .. } = answer else { panic!("a submit is answered as one") };
    interaction
}

fn interaction_for(criterion: &mut Criterion<Clock>) {
    let mut group = bounded(criterion, "interaction_for");
    let lines = [(1_000, false), (1_000, true), (1_000_000, false), (1_000_000, true)];
    for (waiting, lists) in lines {
        let (mut shard, mut agent) = (None, 0);
        let by = if lists { ", by lists" } else { "" };
        group.bench_function(format!("{waiting} waiting in 64 classes{by}"), |bencher| {
            let shard = shard.get_or_insert_with(|| waiting_for_nobody(waiting, lists));
            bencher.iter(|| {
                agent = (agent + 1) % WAITING_SIZE.agents;
                black_box(shard.interaction_for(AgentKey(agent)).expect("enough wait"))
            });
        });
    }
    let line = Line::new(1_000_000);
    let mut agent = 0;
    group.sample_size(10).bench_function("naive scan, 1000000 waiting", |bencher| {
        bencher.iter(|| {
            agent = (agent + 1) % 64;
            black_box(line.best([agent, (agent + 1) % 64]))
        });
    });
    group.finish();
}

/// So many wait, and every agent is free. The engine never lets it come to that, so the agents are brought in by
/// the events of another centre's sign-ins, as recovery would.
fn waiting_for_nobody(waiting: u64, lists: bool) -> Shard {
    let mut centre = Centre::new(Size { lists, ..WAITING_SIZE }, WAITING_CLASSES);
    let mut other = centre.clone();
    let submissions = centre.submissions.clone();
    for number in 0..waiting {
        centre.ask(submissions.command(number));
    }
    for agent in 0..WAITING_SIZE.agents {
        for Stamped { event, .. } in other.sign_in(AgentKey(agent)) {
            let sequence = baton::engine::ids::Sequence(centre.shard.sequence().0 + 1);
            centre.shard.apply(&Stamped { sequence, time: centre.shard.now(), event });
        }
    }
    centre.shard
}

fn cycles(criterion: &mut Criterion<Clock>) {
    let mut group = bounded(criterion, "cycle");
    for waiting in [1_000, 1_000_000] {
        let mut work = None;
        group.bench_function(format!("{waiting} waiting in 64 classes"), |bencher| {
            let (centre, hand) = work.get_or_insert_with(|| {
                let mut centre = Centre::staffed(WAITING_SIZE);
                let (mut hand, submissions) = (Hand::from(0), centre.submissions.clone());
                let in_system = u64::from(WAITING_SIZE.agents) + waiting;
                hand.fill(in_system, &submissions, &mut |command: Command, events| {
                    centre.step(command, events)
                });
                (centre, hand)
            });
            let submissions = centre.submissions.clone();
            bencher.iter_custom(|count| {
                hand.cycles(count, &submissions, &mut |command, events| centre.step(command, events))
            });
        });
    }
    group.finish();
}

/// Best of 64 lines out, one in: what the lanes rest on, against what they could rest on.
fn lines(criterion: &mut Criterion<Clock>) {
    let mut group = bounded(criterion, "lines, 1000000 waiting, best of 64 out and one in");
    exchange(&mut group, "sorted sets", Sets::new(1_000_000));
    exchange(&mut group, "priority-queue", Heaps::new(1_000_000));
    group.finish();
}

fn exchange(group: &mut BenchmarkGroup<'_, Clock>, name: &str, mut lines: impl Lines) {
    group.bench_function(name, |bencher| bencher.iter(|| black_box(lines.exchange())));
}

fn bounded<'a>(criterion: &'a mut Criterion<Clock>, name: &str) -> BenchmarkGroup<'a, Clock> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    group
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(Clock::chosen());
    targets = agents_for, interaction_for, cycles, lines
}
criterion_main!(benches);
