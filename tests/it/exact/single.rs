//! One line, or lines with priorities before one group of equal agents.

use super::formulas::{ErlangA, ErlangC};
use super::*;
use baton::simulate::{Piece, Stream, day};

const ONE: f64 = 3_600.0;
const EXPONENTIAL: Spread = Spread::Exponential { mean: 1.0 };

/// Equal agents before lines of equal work: kinds by their rates per hour.
fn equal(agents: u32, handle_s: f64, kinds: usize) -> Centre {
    let kinds: Vec<usize> = (0..kinds).collect();
    Centre {
        kinds: kinds.iter().map(|number| kind(&format!("k{number}"), handle_s)).collect(),
        agents: vec![member(handle_s, &kinds); agents as usize],
        staffing: Vec::new(),
    }
}

/// So many arrivals in all, whoever they are.
fn coming(per_hour: &[f64], patience: Spread, arrivals: u64, seed: u64) -> Day {
    let until_s = arrivals as f64 / per_hour.iter().sum::<f64>() * ONE;
    let stream = |(kind, per_hour): (usize, &f64)| {
        Stream::steady(kind, Piece { until_s, per_hour: *per_hour, patience, work: EXPONENTIAL })
    };
    day(&per_hour.iter().enumerate().map(stream).collect::<Vec<_>>(), 1.0, seed)
}

#[test]
fn patient_customers_wait_as_erlang_says() {
    let rows: [(f64, f64, u32); 12] = [
        (18.0, 120.0, 1),
        (96.0, 120.0, 4),
        (255.0, 120.0, 10),
        (285.0, 120.0, 10),
        (675.0, 120.0, 25),
        (2_850.0, 120.0, 100),
        (9.0, 240.0, 1),
        (48.0, 240.0, 4),
        (127.5, 240.0, 10),
        (142.5, 240.0, 10),
        (337.5, 240.0, 25),
        (1_425.0, 240.0, 100),
    ];
    let mut wrong = Vec::new();
    for (row, (per_hour, handle_s, agents)) in (0..).zip(rows) {
        let centre = equal(agents, handle_s, 1);
        let day = coming(&[per_hour], Spread::NEVER, arrivals(30_000), 100 + row);
        let observed = Observed::of(&day, &outcome(&centre, &day, Choice::LongestIdle));
        let exact = ErlangC::new(per_hour, handle_s, agents);
        wrong.extend(observed.check(
            &format!("{per_hour} an hour of {handle_s} s for {agents}:"),
            vec![
                figure("must wait", exact.must_wait(), must_wait(0)),
                figure("mean wait", exact.mean_wait_s(), mean_wait(0)),
                figure("mean queue", exact.mean_queue(), mean_queue(0)),
                figure("occupancy", exact.occupancy(), occupancy(f64::from(agents))),
                figure("within 20 s", exact.answered_within(20.0), share(0, answered_within(20.0))),
                figure("below the ninth decile", 0.9, share(0, answered_within(exact.quantile_s(0.9)))),
            ],
        ));
    }
    assert_exact(wrong);
}

/// Per hour, patience and agents; then what is not in the formulas: mean wait of those answered and of those who left,
/// answered within 20 s of all, and of all but those who left before.
type Impatient = (f64, f64, u32, [f64; 4]);

#[test]
fn customers_with_exponential_patience_leave_as_palm_says() {
    let rows: [Impatient; 12] = [
        (54.0, 120.0, 4, [16.514065, 49.125592, 0.63701758, 0.67789671]),
        (60.0, 240.0, 4, [40.504244, 73.180168, 0.49567643, 0.51780519]),
        (66.0, 180.0, 4, [37.581693, 64.576127, 0.45939678, 0.48884344]),
        (135.0, 120.0, 10, [10.376713, 31.433749, 0.73802713, 0.77431809]),
        (150.0, 240.0, 10, [27.586349, 47.089654, 0.55686269, 0.57961513]),
        (165.0, 180.0, 10, [29.465956, 43.197516, 0.48628037, 0.5170409]),
        (675.0, 120.0, 50, [2.9238787, 13.033748, 0.91958656, 0.93902438]),
        (750.0, 240.0, 50, [13.057632, 21.231077, 0.69447262, 0.71778741]),
        (825.0, 180.0, 50, [20.354946, 21.884845, 0.51485312, 0.54970804]),
        (2_700.0, 120.0, 200, [0.39978483, 5.5504004, 0.99477303, 0.99818657]),
        (3_000.0, 240.0, 200, [6.6553761, 10.630112, 0.85872349, 0.87987312]),
        (3_300.0, 180.0, 200, [17.413216, 13.484879, 0.54216689, 0.58421139]),
    ];
    let mut wrong = Vec::new();
    for (row, (per_hour, patience_s, agents, [answered, left, of_all, of_others])) in (0..).zip(rows) {
        let centre = equal(agents, 240.0, 1);
        let patience = Spread::Exponential { mean: patience_s };
        let day = coming(&[per_hour], patience, arrivals(20_000), 200 + row);
        let observed = Observed::of(&day, &outcome(&centre, &day, Choice::LongestIdle));
        let exact = ErlangA::new(per_hour, 240.0, patience_s, agents);
        wrong.extend(observed.check(
            &format!("{per_hour} an hour with patience {patience_s} s for {agents}:"),
            vec![
                figure("must wait", exact.must_wait, must_wait(0)),
                figure("abandons", exact.abandons, share(0, |fate| matches!(fate, Fate::Left { .. }))),
                figure("mean wait", exact.mean_wait_s, mean_wait(0)),
                figure("mean queue", exact.mean_queue, mean_queue(0)),
                figure("occupancy", exact.occupancy, occupancy(f64::from(agents))),
                figure("mean wait of answered", answered, mean_wait_of_answered(0)),
                figure("mean wait of those who left", left, mean_wait_of_left),
                figure("within 20 s", of_all, share(0, answered_within(20.0))),
                figure("within 20 s, of who stayed", of_others, in_time_of_who_stayed),
            ],
        ));
    }
    assert_exact(wrong);
}

fn mean_wait_of_left(batch: &Batch) -> (f64, f64) {
    let left = batch.customers.iter().filter(|(_, fate)| matches!(fate, Fate::Left { .. }));
    (left.clone().map(|(_, fate)| waited(fate)).sum(), left.count() as f64)
}

fn in_time_of_who_stayed(batch: &Batch) -> (f64, f64) {
    let (in_time, all) = share(0, answered_within(20.0))(batch);
    let left = |fate: &Fate| matches!(fate, Fate::Left { wait_s } if *wait_s <= 20.0);
    (in_time, all - share(0, left)(batch).0)
}

#[test]
fn customers_with_any_patience_leave_as_they_must() {
    // M/M/n+G by the integrals of Zeltyn and Mandelbaum: 432 an hour of 200 s for 25 agents.
    // Must wait, abandons, mean wait of all and of those answered, mean queue, occupancy, within 20 s.
    let rows = [
        (
            Spread::Fixed(90.0),
            [0.57691887, 0.03793571, 25.855498, 23.326179, 3.1026597, 0.92358172, 0.56462366],
        ),
        (
            Spread::Uniform { mean: 120.0 },
            [0.45398253, 0.061066084, 13.069595, 12.230182, 1.5683514, 0.90137656, 0.71579656],
        ),
        (
            Spread::Erlang2 { mean: 120.0 },
            [0.47295221, 0.057496953, 14.133019, 12.899868, 1.6959623, 0.90480292, 0.69906744],
        ),
    ];
    let mut wrong = Vec::new();
    for (row, (patience, exact)) in (0..).zip(rows) {
        let centre = equal(25, 200.0, 1);
        let day = coming(&[432.0], patience, arrivals(30_000), 300 + row);
        let observed = Observed::of(&day, &outcome(&centre, &day, Choice::LongestIdle));
        wrong.extend(observed.check(
            &format!("{patience:?}:"),
            vec![
                figure("must wait", exact[0], must_wait(0)),
                figure("abandons", exact[1], share(0, |fate| matches!(fate, Fate::Left { .. }))),
                figure("mean wait", exact[2], mean_wait(0)),
                figure("mean wait of answered", exact[3], mean_wait_of_answered(0)),
                figure("mean queue", exact[4], mean_queue(0)),
                figure("occupancy", exact[5], occupancy(25.0)),
                figure("within 20 s", exact[6], share(0, answered_within(20.0))),
            ],
        ));
    }
    assert_exact(wrong);
}

#[test]
fn a_line_that_is_full_turns_away_as_many_as_it_must() {
    // M/M/n/K, K lines in all: blocked; of those admitted must wait, mean wait, in time; mean queue, occupancy.
    let rows = [
        (162.0, 200.0, 10, 14, [0.072506979, 0.40976164, 19.412145, 0.8102083, 0.70329207, 0.83474372]),
        (576.0, 300.0, 50, 60, [0.033169591, 0.43239356, 13.397696, 2.072528, 0.72861137, 0.92815719]),
    ];
    let mut wrong = Vec::new();
    for (row, (per_hour, handle_s, agents, lines, exact)) in (0..).zip(rows) {
        let mut centre = equal(agents, handle_s, 1);
        // Who is served is not in line: the rest of the lines are for those who wait.
        centre.kinds[0].line_max = lines - agents;
        let day = coming(&[per_hour], Spread::NEVER, arrivals(30_000), 400 + row);
        let observed = Observed::of(&day, &outcome(&centre, &day, Choice::LongestIdle));
        wrong.extend(observed.check(
            &format!("{lines} lines for {agents}:"),
            vec![
                figure("turned away", exact[0], turned_away),
                figure("must wait", exact[1], must_wait(0)),
                figure("mean wait", exact[2], mean_wait(0)),
                figure("mean queue", exact[3], mean_queue(0)),
                figure("within 20 s", exact[4], share(0, answered_within(20.0))),
                figure("occupancy", exact[5], occupancy(f64::from(agents))),
            ],
        ));
    }
    assert_exact(wrong);
}

fn turned_away(batch: &Batch) -> (f64, f64) {
    let turned_away = batch.customers.iter().filter(|(_, fate)| *fate == Fate::TurnedAway);
    (turned_away.count() as f64, batch.customers.len() as f64)
}

#[test]
fn classes_with_priority_wait_as_cobham_says() {
    let rows: [(u32, f64, &[f64]); 2] = [(8, 300.0, &[36.0, 36.0]), (13, 180.0, &[72.0, 72.0, 72.0])];
    let mut wrong = Vec::new();
    for (row, (agents, handle_s, per_hour)) in (0..).zip(rows) {
        let mut centre = equal(agents, handle_s, per_hour.len());
        for (place, kind) in centre.kinds.iter_mut().enumerate() {
            kind.priority = 9 - i16::try_from(place).expect("there are few classes");
        }
        let day = coming(per_hour, Spread::NEVER, arrivals(40_000), 500 + row);
        let observed = Observed::of(&day, &outcome(&centre, &day, Choice::Priority));
        let all = ErlangC::new(per_hour.iter().sum(), handle_s, agents);
        // Cobham: the wait behind those present, over what the classes before and with it leave free.
        let (mut before, mut figures) = (0.0, Vec::new());
        for (class, rate) in per_hour.iter().enumerate() {
            let with = before + rate / 3_600.0 * handle_s / f64::from(agents);
            let wait_s = all.must_wait() * handle_s / f64::from(agents) / ((1.0 - before) * (1.0 - with));
            figures.push(figure(&format!("class {class} must wait"), all.must_wait(), must_wait(class)));
            figures.push(figure(&format!("class {class} mean wait"), wait_s, mean_wait(class)));
            before = with;
        }
        wrong.extend(observed.check(&format!("{agents} agents:"), figures));
    }
    assert_exact(wrong);
}
