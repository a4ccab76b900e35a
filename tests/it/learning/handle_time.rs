//! Handle times: against figures that are known exactly, and against agents whose speed is known.

use super::{assert_digits, draw, normal};
use baton::engine::ids::{AgentKey, QueueKey};
use baton::engine::time::Time;
use baton::learning::{Between, Few, HalfLife, HandleTimes};

const WITHIN: f64 = 0.6;
/// Calls, mean logarithm; weight on the agent's own, what is believed, and its variance.
#[rustfmt::skip]
const AGENTS: [(f64, f64, f64, f64, f64); 12] = [
    (78.0, 5.707, 0.695_541_13, 5.683_465_8, 0.005_350_316_4),
    (59.0, 5.9332, 0.633_435_29, 5.821_948_2, 0.006_441_714_8),
    (73.0, 5.6095, 0.681_333_06, 5.615_937_6, 0.005_599_997_7),
    (115.0, 5.5892, 0.771_072_57, 5.598_471_9, 0.004_022_987_3),
    (88.0, 5.376, 0.720_467_58, 5.446_917_8, 0.004_912_278_9),
    (40.0, 5.4698, 0.539_498_72, 5.543_434_9, 0.008_092_480_8),
    (52.0, 5.8195, 0.603_648_12, 5.744_273, 0.006_965_170_6),
    (50.0, 5.7949, 0.594_227_2, 5.727_867, 0.007_130_726_3),
    (20.0, 5.4479, 0.369_392_84, 5.562_545_3, 0.011_081_785),
    (3.0, 6.0137, 0.080_769_136, 5.660_716_8, 0.016_153_827),
    (95.0, 5.5609, 0.735_619_22, 5.579_089_8, 0.004_646_016_1),
    (52.0, 5.5337, 0.603_648_12, 5.571_750_4, 0.006_965_170_6),
];

const NOW: Time = Time(5_000_000_000);
const BILLING: QueueKey = QueueKey(0);
const SALES: QueueKey = QueueKey(1);
/// Root of the variance of a logarithm around its mean.
const SIGMA: f64 = 0.8;

/// Agents finish so many calls each of a class, whose mean logarithms are these.
fn record(times: &mut HandleTimes, now: Time, class: QueueKey, means: &[f64], calls: usize, seed: u64) {
    let mut luck = draw(seed);
    for (agent, mean) in (0..).zip(means) {
        for _ in 0..calls {
            let log = mean + SIGMA * normal(&mut luck);
            times.record(now, AgentKey(agent), class, log.exp() as u64);
        }
    }
}

/// A mean handle time, ms, by its mean logarithm.
fn mean_ms(log: f64) -> f64 {
    (log + SIGMA * SIGMA / 2.0).exp()
}

#[test]
fn shrinkage_is_that_of_the_tables() {
    let few: Vec<Few> = AGENTS.iter().map(|row| Few { count: row.0, mean: row.1, within: WITHIN }).collect();
    let between = Between::of(&few).expect("there are calls");
    assert_digits("tau squared", between.variance, 0.017_573_199);
    assert_digits("grand mean", between.mean, 5.629_701_5);
    for (few, row) in few.iter().zip(AGENTS) {
        let shrunk = between.shrink(few);
        assert_digits("weight", shrunk.weight, row.2);
        assert_digits("mean", shrunk.mean, row.3);
        assert_digits("variance", shrunk.variance, row.4);
    }
}

#[test]
fn agents_who_do_not_differ_are_all_alike() {
    let few = |mean| Few { count: 50.0, mean, within: 0.6 };
    let between = Between::of(&[few(5.60), few(5.61), few(5.62)]).expect("there are calls");
    assert!(between.variance == 0.0);
    assert_digits("mean", between.shrink(&few(5.60)).mean, 5.61);
    assert_eq!(Between::of(&[Few { count: 0.0, mean: 0.0, within: 0.6 }]), None);
}

#[test]
fn speeds_of_agents_are_found() {
    let means: Vec<f64> = (0..30).map(|agent| 12.0 + 0.3 * f64::from(agent % 5 - 2)).collect();
    let mut times = HandleTimes::new(HalfLife::USUAL);
    record(&mut times, NOW, BILLING, &means, 400, 11);
    let known = times.known(NOW);
    for (agent, mean) in (0..).zip(&means) {
        let found = known.handle_ms(AgentKey(agent), BILLING, 100_000.0);
        assert!((found / mean_ms(*mean) - 1.0).abs() < 0.14, "agent {agent}: {found} for {}", mean_ms(*mean));
    }
}

#[test]
fn who_has_few_calls_is_as_fast_as_the_others() {
    let mut times = HandleTimes::new(HalfLife::USUAL);
    let means: Vec<f64> = (0..20).map(|agent| 12.0 + 0.1 * f64::from(agent % 3 - 1)).collect();
    record(&mut times, NOW, BILLING, &means, 200, 5);
    let novice = AgentKey(99);
    // Two calls of a tenth of the usual.
    (0..2).for_each(|_| times.record(NOW, novice, BILLING, 20_000));
    let known = times.known(NOW);
    let class = known.class_ms(BILLING, 200_000.0);
    let found = known.handle_ms(novice, BILLING, 200_000.0);
    assert!(found < class && found > 0.85 * class, "{found} of {class}");
    assert!((known.handle_ms(AgentKey(100), BILLING, 200_000.0) - class).abs() < 1e-6);
}

#[test]
fn what_an_agent_is_like_in_one_class_is_expected_in_another() {
    let mut times = HandleTimes::new(HalfLife::USUAL);
    let means: Vec<f64> = (0..20).map(|agent| 12.0 + 0.4 * f64::from(agent % 3 - 1)).collect();
    record(&mut times, NOW, BILLING, &means, 200, 6);
    let others: Vec<f64> = means[..10].iter().map(|mean| mean + 1.0).collect();
    record(&mut times, NOW, SALES, &others, 200, 8);
    let known = times.known(NOW);
    // Agents 15 to 17 never sold: slow, usual and fast ones in turn.
    let sells = |agent| known.handle_ms(AgentKey(agent), SALES, 500_000.0) / known.class_ms(SALES, 500_000.0);
    assert!(sells(15) < 0.8 && (sells(16) - 1.0).abs() < 0.15 && sells(17) > 1.25);
}

#[test]
fn an_estimate_stays_near_its_class() {
    let mut times = HandleTimes::new(HalfLife::USUAL);
    record(&mut times, NOW, BILLING, &[8.0, 8.0, 12.0, 16.0, 16.0], 500, 9);
    let known = times.known(NOW);
    let class = known.class_ms(BILLING, 100_000.0);
    assert!((known.handle_ms(AgentKey(0), BILLING, 100_000.0) / class - 0.25).abs() < 1e-9);
    assert!((known.handle_ms(AgentKey(4), BILLING, 100_000.0) / class - 4.0).abs() < 1e-9);
}

#[test]
fn what_was_expected_of_a_class_gives_way_to_what_is_seen() {
    let mut times = HandleTimes::new(HalfLife::USUAL);
    let expected = 60_000.0;
    assert!((times.known(NOW).handle_ms(AgentKey(0), BILLING, expected) - expected).abs() < 1e-6);
    record(&mut times, NOW, BILLING, &[12.0], 3, 1);
    let little = times.known(NOW).class_ms(BILLING, expected);
    record(&mut times, NOW, BILLING, &[12.0], 997, 2);
    let much = times.known(NOW).class_ms(BILLING, expected);
    assert!(little < 0.7 * mean_ms(12.0) && (much / mean_ms(12.0) - 1.0).abs() < 0.1, "{little}, {much}");
}

#[test]
fn an_agent_who_has_learned_is_known_to_be_faster() {
    let half_life_ms = 100_000_000;
    let mut times = HandleTimes::new(HalfLife::of_ms(half_life_ms));
    let others = [12.0; 12];
    record(&mut times, Time(0), BILLING, &[&[13.0], &others[..]].concat(), 300, 21);
    let later = Time(5 * half_life_ms);
    record(&mut times, later, BILLING, &[&[12.0], &others[..]].concat(), 300, 22);
    let found = times.known(later).handle_ms(AgentKey(0), BILLING, 200_000.0);
    assert!((found / mean_ms(12.0) - 1.0).abs() < 0.15, "{found}");
    // Long after the last call nothing is left but what was expected.
    let known = times.known(Time(60 * half_life_ms));
    assert!((known.class_ms(BILLING, 77_000.0) / 77_000.0 - 1.0).abs() < 1e-3);
}
