//! The orders of agents that pools may decide by, each by what it is for, on a day when agents are mostly free.

use baton::engine::policy::Marginal;
use baton::simulate::{Centre, Choice, Day, Does, Fate, Kind, Member, Run, Visit, run};

const AGENTS: usize = 6;

fn kind() -> Kind {
    Kind {
        name: "calls".to_owned(),
        target_s: 20.0,
        abandon: 0.0,
        waiting_per_minute: 0.0,
        late: 0.0,
        unresolved: 0.0,
        patience_s: 100_000.0,
        handle_s: 30.0,
        priority: 0,
        line_max: u32::MAX,
    }
}

/// Six agents; the first three are better at it, and the last three know something else as well.
fn centre() -> Centre {
    let does = |kind: usize, proficiency: u8| Does {
        kind,
        proficiency,
        handle_s: 30.0,
        resolution: 1.0,
        known: None,
    };
    let member = |at: usize| {
        let proficiency = if at < AGENTS / 2 { 8 } else { 3 };
        let own = does(0, proficiency);
        let other = (at >= AGENTS / 2).then(|| does(1, 5));
        Member { group: 0, does: std::iter::once(own).chain(other).collect() }
    };
    let other = Kind { name: "others".to_owned(), ..kind() };
    Centre { kinds: vec![kind(), other], agents: (0..AGENTS).map(member).collect(), staffing: Vec::new() }
}

/// A call every minute, every third of them ten times as long: never more than three at once.
fn day() -> Day {
    let visit = |number: u32| {
        let work = if number.is_multiple_of(3) { 4.0 } else { 0.5 };
        Visit { at_s: f64::from(number) * 60.0, kind: 0, patience_s: 100_000.0, work }
    };
    Day { visits: (0..600).map(visit).collect() }
}

/// How many calls each agent had, and for how long, s.
fn shares(choice: Choice) -> ([u32; AGENTS], [f64; AGENTS]) {
    let how = Run { choice, marginal: Marginal::default(), hold_max_ms: Some(0), seed: 0 };
    let (mut calls, mut busy_s) = ([0; AGENTS], [0.0; AGENTS]);
    for fate in run(&centre(), &day(), how).fates {
        let Fate::Served { agent, work_s, .. } = fate else { panic!("everybody is served: {fate:?}") };
        calls[agent] += 1;
        busy_s[agent] += work_s;
    }
    (calls, busy_s)
}

fn spread<T: Copy + PartialOrd + std::ops::Sub<Output = T>>(all: [T; AGENTS]) -> T {
    let least = all.into_iter().reduce(|a, b| if b < a { b } else { a }).expect("six agents");
    let most = all.into_iter().reduce(|a, b| if b > a { b } else { a }).expect("six agents");
    most - least
}

#[test]
fn in_turn_everybody_has_as_many_calls() {
    let (calls, _) = shares(Choice::RoundRobin);
    assert!(spread(calls) <= 2, "{calls:?}");
}

#[test]
fn whoever_has_worked_least_is_next_so_all_work_equally_long() {
    let (_, least) = shares(Choice::LeastOccupied);
    let (_, in_turn) = shares(Choice::RoundRobin);
    assert!(spread(least) <= 150.0, "{least:?}");
    assert!(spread(least) < spread(in_turn), "{least:?} and, in turn, {in_turn:?}");
}

#[test]
fn the_most_proficient_have_the_calls_while_they_are_free() {
    let (calls, _) = shares(Choice::MostSkilled);
    let (better, worse) = calls.split_at(AGENTS / 2);
    assert!(better.iter().sum::<u32>() > 590 && worse.iter().sum::<u32>() < 10, "{calls:?}");
}

#[test]
fn who_can_do_more_is_kept_for_others() {
    let (calls, _) = shares(Choice::FewestSkills);
    let (plain, able) = calls.split_at(AGENTS / 2);
    assert!(plain.iter().sum::<u32>() > 590 && able.iter().sum::<u32>() < 10, "{calls:?}");
}
