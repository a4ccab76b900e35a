//! Expected waits: against figures that are known exactly, and against waits in the engine.

use super::assert_digits;
use baton::engine::policy::Marginal;
use baton::engine::time::Time;
use baton::learning::{Accuracy, Calibration, Starts, Told, Wait, gamma_quantile};
use baton::simulate::{
    Centre, Choice, Day, Does, Fate, Kind, Member, Piece, Run, Spread, Stream, Visit, day, run,
};

/// Agents, mean handle time s, mean patience s, customers ahead, expected wait s.
#[rustfmt::skip]
const WAITS: [(f64, f64, f64, u32, f64); 14] = [
    (3.0, 200.0, f64::INFINITY, 0, 66.666_667),
    (3.0, 200.0, f64::INFINITY, 1, 133.33333),
    (3.0, 200.0, f64::INFINITY, 2, 200.0),
    (3.0, 200.0, f64::INFINITY, 5, 400.0),
    (3.0, 200.0, f64::INFINITY, 10, 733.33333),
    (3.0, 200.0, f64::INFINITY, 25, 1733.3333),
    (3.0, 200.0, f64::INFINITY, 60, 4066.6667),
    (10.0, 240.0, 120.0, 0, 24.0),
    (10.0, 240.0, 120.0, 1, 44.0),
    (10.0, 240.0, 120.0, 2, 61.142_857),
    (10.0, 240.0, 120.0, 5, 101.47619),
    (10.0, 240.0, 120.0, 10, 148.18748),
    (10.0, 240.0, 120.0, 25, 229.39846),
    (10.0, 240.0, 120.0, 60, 321.11306),
];

#[test]
fn expected_waits_are_those_of_the_tables() {
    for (agents, handle_s, patience_s, ahead, wait_s) in WAITS {
        let wait = Wait::behind(ahead, agents / (handle_s * 1_000.0), 1.0 / (patience_s * 1_000.0));
        assert_digits("wait", wait.mean_ms / 1_000.0, wait_s);
    }
}

#[test]
fn the_variance_is_that_of_independent_steps() {
    // Without hanging up it is an Erlang distribution: of three steps of 10 s each.
    let wait = Wait::behind(2, 0.000_1, 0.0);
    assert_digits("mean", wait.mean_ms, 30_000.0);
    assert_digits("variance", wait.variance, 3.0e8);
    let wait = Wait::behind(1, 0.000_1, 0.000_1);
    assert_digits("variance with hanging up", wait.variance, 1.25e8);
}

#[test]
fn a_very_long_line_is_summed_as_well_as_a_short_one() {
    let (starts, abandons) = (0.01, 0.000_003);
    let terms = (0..=30_000).map(|place| 1.0 / (starts + f64::from(place) * abandons));
    let wait = Wait::behind(30_000, starts, abandons);
    assert!((wait.mean_ms / terms.clone().sum::<f64>() - 1.0).abs() < 1e-8);
    assert!((wait.variance / terms.map(|term| term * term).sum::<f64>() - 1.0).abs() < 1e-8);
    assert!((Wait::behind(3_000_000, 0.01, 0.0).mean_ms / 300_000_100.0 - 1.0).abs() < 1e-9);
}

/// Share of an Erlang distribution of so many steps of mean 1 that lies below.
fn erlang_below(steps: u32, value: f64) -> f64 {
    let mut term = (-value).exp();
    let mut above = term;
    for step in 1..steps {
        term *= value / f64::from(step);
        above += term;
    }
    1.0 - above
}

#[test]
fn quantiles_are_as_near_as_they_say() {
    for steps in 1..60 {
        for share in [0.1, 0.5, 0.9] {
            let mean = f64::from(steps);
            let below = erlang_below(steps, gamma_quantile(mean, mean, share));
            assert!((below - share).abs() < 0.007, "{steps} steps, {share}: {below}");
        }
    }
    assert!((gamma_quantile(30.0, 0.0, 0.9) - 30.0).abs() < 1e-9);
}

#[test]
fn starts_are_counted_by_the_time_somebody_waits() {
    let mut starts = Starts::new();
    assert_eq!(starts.wait(Time(0), 0, 0.0), None);
    let mut now = 0;
    // A start every 10 s while somebody waits; between, long hours with an empty line.
    for round in 0..40 {
        starts.line(Time(now), 5);
        for _ in 0..5 {
            now += 10_000;
            starts.start(Time(now), 4_000);
        }
        starts.line(Time(now), 0);
        if round == 0 {
            let told = starts.wait(Time(now), 3, 0.0).expect("somebody was taken");
            assert!((told.mean_ms - 4_000.0).abs() < 1e-9, "the last wait, before ten starts");
            assert_eq!(starts.per_ms(Time(now)), None);
        }
        now += 50_000_000;
        // Who finds a free agent says nothing of how fast the line moves.
        starts.start(Time(now), 0);
    }
    let per_ms = starts.per_ms(Time(now)).expect("many were taken");
    assert!((per_ms * 10_000.0 - 1.0).abs() < 0.03, "{per_ms}");
    let told = starts.wait(Time(now), 3, 0.0).expect("many were taken");
    assert!((told.mean_ms - 4.0 / per_ms).abs() < 1e-6);
}

#[test]
fn agents_who_come_are_noticed_within_minutes() {
    let mut starts = Starts::new();
    starts.line(Time(0), 9);
    (1..=60).for_each(|start| starts.start(Time(start * 10_000), 60_000));
    let ten_minutes = |from: u64| (1..=120).map(move |start| Time(from + start * 5_000));
    ten_minutes(600_000).for_each(|now| starts.start(now, 60_000));
    let per_ms = starts.per_ms(Time(1_200_000)).expect("many were taken");
    assert!(per_ms * 10_000.0 > 1.8 && per_ms * 10_000.0 < 2.05, "{per_ms}");
}

const AGENTS: usize = 10;
const HANDLE_S: f64 = 240.0;
const PATIENCE_S: f64 = 300.0;

/// A floor with a quarter more work than its agents can do: the others hang up.
fn busy_day() -> (Day, Vec<Fate>) {
    let kind = Kind {
        name: "a".to_owned(),
        target_s: 20.0,
        abandon: 0.0,
        waiting_per_minute: 0.0,
        late: 0.0,
        unresolved: 0.0,
        patience_s: PATIENCE_S,
        handle_s: HANDLE_S,
        priority: 0,
        line_max: u32::MAX,
    };
    let does = Does { kind: 0, proficiency: 1, handle_s: HANDLE_S, resolution: 1.0, known: None };
    let agents = vec![Member { group: 0, does: vec![does] }; AGENTS];
    let piece = Piece {
        until_s: 36_000.0,
        per_hour: 1.25 * AGENTS as f64 * 3_600.0 / HANDLE_S,
        patience: Spread::Exponential { mean: PATIENCE_S },
        work: Spread::Exponential { mean: 1.0 },
    };
    let stream = Stream { kind: 0, pieces: vec![piece], factor: Spread::Fixed(1.0) };
    let centre = Centre { kinds: vec![kind], agents, staffing: Vec::new() };
    let day = day(&[stream], 1.0, 17);
    let how = Run { choice: Choice::LongestIdle, marginal: Marginal::default(), hold_max_ms: None, seed: 0 };
    let fates = run(&centre, &day, how).fates;
    (day, fates)
}

/// One who leaves the line, in ms, with the wait if for an agent.
type Leaves = (u64, Option<u64>);

fn leaves(visit: &Visit, fate: &Fate) -> Leaves {
    let ms = |seconds: f64| (seconds * 1_000.0) as u64;
    match fate {
        Fate::Served { wait_s, .. } => (ms(visit.at_s + wait_s), Some(ms(*wait_s))),
        Fate::Left { wait_s } => (ms(visit.at_s + wait_s), None),
        Fate::TurnedAway => unreachable!("the line has no end"),
    }
}

/// What everybody who had to wait is told when they come, and how long they then waited. `how` tells, of the starts until
/// then, how many are ahead.
fn told(how: impl Fn(&Starts, Time, u32) -> Wait) -> Accuracy {
    let (day, fates) = busy_day();
    let (mut calibration, mut starts) = (Calibration::default(), Starts::new());
    let mut line: Vec<Leaves> = Vec::new();
    for (number, (visit, fate)) in day.visits.iter().zip(&fates).enumerate() {
        let now = Time((visit.at_s * 1_000.0) as u64);
        line.sort_unstable();
        let gone: Vec<Leaves> = line.extract_if(.., |leaves| leaves.0 <= now.0).collect();
        let mut waiting = u32::try_from(line.len() + gone.len()).expect("lines are short");
        for (at, waited_ms) in gone {
            if let Some(waited_ms) = waited_ms {
                starts.start(Time(at), waited_ms);
            }
            waiting -= 1;
            starts.line(Time(at), waiting);
        }
        let leaves = leaves(visit, fate);
        // Who found a free agent was told nothing, and the first hundred came to an empty floor.
        if let Some(waited_ms) = leaves.1.filter(|waited_ms| *waited_ms > 0 && number > 100) {
            let wait = how(&starts, now, waiting);
            let told = Told {
                mean_ms: wait.mean_ms,
                p10_ms: wait.quantile_ms(0.1),
                p90_ms: wait.quantile_ms(0.9),
                by_position_ms: f64::from(waiting + 1) * HANDLE_S * 1_000.0 / AGENTS as f64,
                by_last_ms: starts.last_wait_ms().expect("many were taken") as f64,
            };
            calibration.record(&told, waited_ms);
        }
        line.push(leaves);
        starts.line(now, waiting + 1);
    }
    calibration.accuracy().expect("most had to wait")
}

const LEAVES_PER_MS: f64 = 1.0 / (PATIENCE_S * 1_000.0);

#[test]
fn waits_in_the_engine_come_out_as_they_were_told() {
    let accuracy =
        told(|starts, now, ahead| starts.wait(now, ahead, LEAVES_PER_MS).expect("many were taken"));
    assert!(accuracy.waits > 800, "{accuracy:?}");
    assert!((0.74..0.86).contains(&accuracy.within), "{accuracy:?}");
    assert!(accuracy.rms_error_ms < accuracy.by_position_rms_error_ms, "{accuracy:?}");
    assert!(accuracy.rms_error_ms < 0.85 * accuracy.by_last_rms_error_ms, "{accuracy:?}");
}

#[test]
fn waits_for_agents_whose_speed_is_known_are_told_better() {
    let per_ms = AGENTS as f64 / (HANDLE_S * 1_000.0);
    let accuracy = told(|_, _, ahead| Wait::behind(ahead, per_ms, LEAVES_PER_MS));
    assert!((0.76..0.84).contains(&accuracy.within), "{accuracy:?}");
    // In theory the last one's wait has twice the squared error, for Poisson's arrivals.
    let squares = (accuracy.by_last_rms_error_ms / accuracy.rms_error_ms).powi(2);
    assert!((1.6..2.4).contains(&squares), "{squares}: {accuracy:?}");
}

#[test]
fn the_books_of_waits_are_right() {
    let told = Told { mean_ms: 10.0, p10_ms: 5.0, p90_ms: 20.0, by_position_ms: 13.0, by_last_ms: 6.0 };
    let mut calibration = Calibration::default();
    assert_eq!(calibration.accuracy(), None);
    [5, 10, 20, 21].iter().for_each(|waited_ms| calibration.record(&told, *waited_ms));
    let accuracy = calibration.accuracy().expect("four were told");
    assert_eq!(accuracy.waits, 4);
    assert_digits("within", accuracy.within, 0.75);
    assert_digits("ours", accuracy.rms_error_ms, (246.0_f64 / 4.0).sqrt());
    assert_digits("by position", accuracy.by_position_rms_error_ms, (186.0_f64 / 4.0).sqrt());
    assert_digits("by the last", accuracy.by_last_rms_error_ms, (438.0_f64 / 4.0).sqrt());
}
