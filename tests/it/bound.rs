//! The bound below every policy: against cheapest plans that are known, and against policies in the engine.
//!
//! `BATON_STEPS` is the number of steps towards the best bound of recorded traces; 3000 finds what the grid can give.

use baton::bound::{BoundOptions, Bounds, Effort, bound, bounds, lagrangian};
use baton::engine::policy::Marginal;
use baton::simulate::{Centre, Choice, Day, Does, Kind, Member, Run, Visit, run};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::path::PathBuf;

/// Seven calls of two kinds for two agents, with what the cheapest plan costs, and a bound by prices that is known.
struct Tiny {
    at_s: [f64; 7],
    kinds: [usize; 7],
    patience_s: [f64; 7],
    work: [f64; 7],
    /// By kind and agent.
    handle_s: [[Option<f64>; 2]; 2],
    optimum: f64,
    by_prices: f64,
}

const TINY: [Tiny; 4] = [
    Tiny {
        at_s: [12.9, 86.7, 178.9, 179.0, 237.1, 250.5, 292.1],
        kinds: [1, 1, 0, 1, 1, 0, 1],
        patience_s: [73.2, 107.8, 312.7, 222.1, 148.4, 413.3, 121.5],
        work: [0.781, 0.425, 0.558, 3.721, 1.65, 0.513, 1.533],
        handle_s: [[Some(120.0), Some(150.0)], [Some(140.0), Some(110.0)]],
        optimum: 22.0594,
        by_prices: 21.290_739,
    },
    Tiny {
        at_s: [88.3, 107.8, 177.4, 235.4, 260.8, 276.8, 283.1],
        kinds: [0, 0, 0, 1, 1, 0, 1],
        patience_s: [129.5, 66.8, 11.6, 936.6, 602.2, 43.3, 179.9],
        work: [1.749, 1.755, 1.397, 0.838, 0.252, 0.533, 4.45],
        handle_s: [[Some(120.0), Some(150.0)], [Some(140.0), None]],
        optimum: 26.8614,
        by_prices: 26.858_647,
    },
    Tiny {
        at_s: [48.0, 89.2, 139.2, 175.8, 205.5, 247.2, 267.4],
        kinds: [1, 1, 1, 1, 0, 0, 0],
        patience_s: [48.7, 272.6, 206.3, 308.7, 27.9, 25.7, 349.4],
        work: [3.853, 0.494, 0.676, 0.268, 0.615, 1.223, 0.431],
        handle_s: [[Some(120.0), Some(150.0)], [Some(140.0), Some(110.0)]],
        optimum: 16.8939,
        by_prices: 16.287_704,
    },
    Tiny {
        at_s: [31.1, 54.6, 67.3, 86.7, 93.8, 257.3, 258.1],
        kinds: [1, 1, 1, 1, 1, 0, 0],
        patience_s: [262.9, 50.3, 41.5, 38.9, 150.3, 16.0, 42.7],
        work: [0.602, 0.363, 0.256, 2.477, 0.301, 0.46, 0.617],
        handle_s: [[Some(120.0), Some(150.0)], [Some(140.0), None]],
        optimum: 29.1314,
        by_prices: 29.123_374,
    },
];

fn kind(name: &str, target_s: f64, costs: [f64; 4]) -> Kind {
    let [waiting_per_minute, late, abandon, unresolved] = costs;
    Kind {
        name: name.to_owned(),
        target_s,
        abandon,
        waiting_per_minute,
        late,
        unresolved,
        patience_s: 200.0,
        handle_s: 120.0,
        priority: 0,
        line_max: u32::MAX,
    }
}

/// Two kinds, and agents who take so long for each of them.
fn centre(handle_s: &[[Option<f64>; 2]; 2]) -> Centre {
    const RESOLUTION: [[f64; 2]; 2] = [[0.8, 0.7], [0.75, 0.8]];
    let does = |kind: usize, agent: usize| {
        let handle_s = handle_s[kind][agent]?;
        Some(Does { kind, proficiency: 1, handle_s, resolution: RESOLUTION[kind][agent], known: None })
    };
    let member = |agent| Member { group: agent, does: (0..2).filter_map(|kind| does(kind, agent)).collect() };
    Centre {
        kinds: vec![kind("a", 20.0, [0.6, 1.0, 4.0, 3.0]), kind("b", 15.0, [1.2, 2.0, 9.0, 5.0])],
        agents: vec![member(0), member(1)],
        staffing: Vec::new(),
    }
}

impl Tiny {
    fn day(&self) -> Day {
        let visit = |call: usize| Visit {
            at_s: self.at_s[call],
            kind: self.kinds[call],
            patience_s: self.patience_s[call],
            work: self.work[call],
        };
        Day { visits: (0..7).map(visit).collect() }
    }
}

fn cost(centre: &Centre, day: &Day, choice: Choice, hold_max_ms: Option<u64>) -> f64 {
    let how = Run { choice, marginal: Marginal::default(), hold_max_ms, seed: 0 };
    run(centre, day, how).figures(centre, day).cost
}

fn assert_below_every_policy(what: &str, least: f64, centre: &Centre, day: &Day) {
    for choice in Choice::ALL {
        for hold_max_ms in [Some(0), Some(60_000), None] {
            let cost = cost(centre, day, choice, hold_max_ms);
            assert!(least <= cost + 1e-9, "{what}: {choice} costs {cost}, the bound is {least}");
        }
    }
}

#[test]
fn the_cheapest_plans_of_seven_calls_are_those_of_the_tables() {
    for tiny in TINY {
        let (centre, day) = (centre(&tiny.handle_s), tiny.day());
        let found = bound(&centre, &day, Effort::default());
        assert!(
            found.exact && (found.cost - tiny.optimum).abs() < 0.000_051,
            "{found:?}, want {}",
            tiny.optimum
        );
        assert_below_every_policy("seven calls", found.cost, &centre, &day);
        let by_prices = lagrangian(&centre, &day, Effort::default());
        assert!(by_prices <= found.cost + 1e-9, "{by_prices} is above {}", found.cost);
        assert!(by_prices > 0.99 * tiny.by_prices, "{by_prices}, known is {}", tiny.by_prices);
    }
}

/// Few calls, close together, some of whom wait for ever.
fn few(luck: &mut ChaCha8Rng, calls: usize) -> Day {
    let mut ms = |below: u32| f64::from(luck.random_range(0..below)) / 1_000.0;
    let mut visit = || Visit {
        at_s: ms(200_000),
        kind: usize::from(ms(2_000) < 1.0),
        patience_s: if ms(5_000) < 1.0 { 1e9 } else { ms(300_000) },
        work: 0.05 + ms(3_000),
    };
    let mut visits: Vec<Visit> = (0..calls).map(|_| visit()).collect();
    visits.sort_by(|one, other| one.at_s.total_cmp(&other.at_s));
    Day { visits }
}

/// Every order of everybody, and for each of them every agent or nobody, served as soon as can be.
fn every_plan(centre: &Centre, day: &Day, open: &mut Vec<usize>, free_s: [f64; 2]) -> f64 {
    let left = |visit: &Visit| {
        let kind = &centre.kinds[visit.kind];
        let late = if visit.patience_s > kind.target_s { kind.late } else { 0.0 };
        let ever = kind.abandon + kind.waiting_per_minute / 60.0 * visit.patience_s + late;
        if visit.patience_s < 1e9 { ever } else { f64::INFINITY }
    };
    let mut best: f64 = open.iter().map(|call| left(&day.visits[*call])).sum();
    for place in 0..open.len() {
        let call = open.remove(place);
        let visit = &day.visits[call];
        let kind = &centre.kinds[visit.kind];
        for agent in 0..2 {
            let Some(does) = centre.agents[agent].does.iter().find(|does| does.kind == visit.kind) else {
                continue;
            };
            let start_s = visit.at_s.max(free_s[agent]);
            let wait_s = start_s - visit.at_s;
            if wait_s > visit.patience_s + 1e-7 {
                continue;
            }
            let mut free_s = free_s;
            free_s[agent] = start_s + (does.handle_s * visit.work * 1_000.0).round() / 1_000.0;
            let late = if wait_s > kind.target_s + 1e-7 { kind.late } else { 0.0 };
            let unresolved = kind.unresolved * (1.0 - does.resolution);
            let own = kind.waiting_per_minute / 60.0 * wait_s + late + unresolved;
            best = best.min(own + every_plan(centre, day, open, free_s));
        }
        open.insert(place, call);
    }
    best
}

#[test]
fn the_cheapest_of_all_plans_is_found_and_prices_stay_below() {
    let mut luck = ChaCha8Rng::seed_from_u64(4);
    for round in 0..60 {
        let handle_s =
            [[Some(90.0), Some(150.0)], [if round % 3 == 0 { None } else { Some(60.0) }, Some(110.0)]];
        let centre = centre(&handle_s);
        let day = few(&mut luck, 5);
        let cheapest = every_plan(&centre, &day, &mut (0..5).collect(), [0.0; 2]);
        let found = bound(&centre, &day, Effort::default()).cost;
        assert!((found - cheapest).abs() < 1e-6, "round {round}: {found} instead of {cheapest}");
        let by_prices = lagrangian(&centre, &day, Effort { steps: 50 });
        assert!(by_prices <= cheapest + 1e-9, "round {round}: {by_prices} is above {cheapest}");
        assert_below_every_policy("five calls", found, &centre, &day);
    }
}

#[test]
fn prices_stay_below_every_policy_of_a_busy_hour() {
    let mut luck = ChaCha8Rng::seed_from_u64(9);
    for round in 0..6 {
        let centre = centre(&[[Some(30.0), Some(40.0)], [Some(20.0), Some(50.0)]]);
        let mut day = few(&mut luck, 60);
        // Times that are no whole milliseconds.
        day.visits.iter_mut().for_each(|visit| visit.at_s = visit.at_s * 10.0 + 0.000_4);
        let found = bound(&centre, &day, Effort { steps: 60 });
        assert!(!found.exact && found.cost > 0.0, "round {round}: {found:?}");
        assert_below_every_policy("sixty calls", found.cost, &centre, &day);
    }
}

#[test]
fn nobody_there_is_everybody_gone() {
    let centre = Centre { agents: Vec::new(), ..centre(&[[None; 2]; 2]) };
    let visit = |at_s| Visit { at_s, kind: 0, patience_s: 30.0, work: 1.0 };
    for calls in [1, 20] {
        let day = Day { visits: (0..calls).map(|call| visit(f64::from(call))).collect() };
        let want = f64::from(calls) * (4.0 + 0.01 * 30.0 + 1.0);
        assert!((bound(&centre, &day, Effort { steps: 5 }).cost - want).abs() < 1e-9);
    }
    assert!(bound(&centre, &Day { visits: Vec::new() }, Effort::default()).cost.abs() < 1e-9);
}

#[test]
fn plans_that_are_too_many_are_bounded_by_prices() {
    let mut centre = centre(&[[Some(90.0), Some(150.0)], [Some(60.0), Some(110.0)]]);
    let like = centre.agents[0].clone();
    let other = |number: usize| {
        let mut agent = like.clone();
        agent.does.iter_mut().for_each(|does| does.resolution -= number as f64 * 0.01);
        agent
    };
    centre.agents = (0..40).map(other).collect();
    let visit = |call: u32| Visit { at_s: f64::from(call), kind: 0, patience_s: 300.0, work: 1.0 };
    let day = Day { visits: (0..8).map(visit).collect() };
    let found = bound(&centre, &day, Effort { steps: 200 });
    // Best is who solves most: 0.80, 0.79 and so on, all at once.
    let all: f64 = (0..8).map(|number| 3.0 * (0.2 + f64::from(number) * 0.01)).sum();
    assert!(found.cost <= all + 1e-9 && found.cost > 0.98 * all, "{found:?}, the best plan costs {all}");
    assert_below_every_policy("eight calls", found.cost, &centre, &day);
}

fn options(folder: PathBuf) -> BoundOptions {
    let asked = std::env::var("BATON_STEPS").ok();
    let steps = asked.map_or(100, |asked| asked.parse().expect("BATON_STEPS is a whole number"));
    BoundOptions {
        folder,
        centre: String::new(),
        day: None,
        from_s: 0.0,
        to_s: f64::INFINITY,
        choices: vec![Choice::LongestIdle, Choice::PrioritySkill, Choice::CmuTheta, Choice::MarginalCost],
        hold_max_ms: Some(60_000),
        effort: Effort { steps },
    }
}

#[test]
fn files_may_be_named_either_way_and_a_day_must_be_there() {
    const TYPES: &str = "type,target_s,abandon_cost,wait_cost_per_min,sla_miss_cost,unresolved_cost,mean_patience_s,\
        mean_handle_s,priority\na,20,4,0.6,1,0,100,60,1\n";
    const AGENTS: &str = "agent,type,skill_level,mean_handle_s,resolution_prob,est_mean_handle_s,\
        est_resolution_prob\n0,a,1,60,0.8,60,0.8\n";
    // The second waits 50 s for the one agent, and is late.
    const CALLS: &str = "arrival_s,type,patience_s,work_multiplier\n100,a,90,1\n110,a,90,1\n190,a,90,1\n";
    let folder = tempfile::tempdir().expect("a folder can be made");
    let write =
        |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("it is writable");
    for (what, text) in [("types", TYPES), ("agents", AGENTS)] {
        write(&format!("{what}_x.csv"), text);
        write(&format!("y_{what}.csv"), text);
    }
    write("trace_x_1.csv", CALLS);
    write("y_day1.csv", CALLS);
    for centre in ["x", "y"] {
        let mut options = options(folder.path().to_owned());
        options.centre = centre.to_owned();
        let whole = bounds(&options, &mut |_, _| {}).expect("the files can be read");
        // The third waits 30 s behind the second, late too.
        assert!((whole.traces[0].lower_bound - 2.8).abs() < 1e-9 && whole.traces[0].exact, "{whole}");
        assert!(whole.traces[0].policies.iter().all(|policy| (policy.cost - 2.8).abs() < 1e-9), "{whole}");
        (options.from_s, options.to_s) = (105.0, 190.0);
        let part = bounds(&options, &mut |_, _| {}).expect("the files can be read");
        assert_eq!((part.traces[0].calls, part.traces[0].lower_bound), (1, 0.0));
        options.day = Some("2".to_owned());
        let refused = bounds(&options, &mut |_, _| {}).expect_err("there is no such day");
        assert_eq!(refused.to_string(), format!("no day 2 of {centre}: want one of 1"));
    }
}

/// Bounds of recorded traces, or a word that they are not there.
fn recorded(test: &str, folder: &str, change: impl FnOnce(&mut BoundOptions)) -> Option<Bounds> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/queueing").join(folder);
    if !folder.exists() {
        println!("skipped {test}: ../shared/reference/queueing is not there");
        return None;
    }
    let mut options = options(folder);
    change(&mut options);
    let bounds = bounds(&options, &mut |_, _| {}).expect("the files can be read");
    for trace in &bounds.traces {
        let least = trace.policies.iter().map(|policy| policy.cost).fold(f64::INFINITY, f64::min);
        assert!(trace.lower_bound <= least, "{trace:?}");
    }
    if std::env::var_os("BATON_STEPS").is_some() {
        println!("{bounds}");
    }
    Some(bounds)
}

#[test]
fn the_bound_of_the_recorded_hour_is_no_lower_than_is_known() {
    let hour = |options: &mut BoundOptions| options.centre = "S3_homogeneous".to_owned();
    let Some(bounds) = recorded("the recorded hour", "clairvoyant", hour) else { return };
    let trace = &bounds.traces[0];
    assert_eq!((bounds.traces.len(), trace.calls, bounds.agents), (1, 587, 60));
    // 121.27 is known, on a grid of 10 s.
    assert!(trace.lower_bound > 0.99 * 121.27, "{trace:?}");
    let longest_idle = trace.policies[0];
    assert!(longest_idle.gap_closed_percent.abs() < 1e-9);
    let closed = trace.policies[3].gap_closed_percent;
    assert!(closed > 20.0 && closed < 100.0, "{trace:?}");
}

#[test]
fn the_bound_of_agents_who_all_differ_is_below_every_policy() {
    let slice = |options: &mut BoundOptions| {
        options.centre = "S1_base".to_owned();
        options.day = Some("20".to_owned());
        options.from_s = 7_200.0;
        options.to_s = 7_800.0;
        options.effort.steps /= 5;
    };
    let Some(bounds) = recorded("agents who all differ", "routing_days", slice) else { return };
    let trace = &bounds.traces[0];
    assert!(trace.calls > 50 && trace.calls < 200 && !trace.exact, "{trace:?}");
    assert!(trace.lower_bound > 0.7 * trace.policies[3].cost, "{trace:?}");
}
