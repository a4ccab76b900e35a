//! Shares: how often a matter is solved, and how much of its time a floor is brought.

use super::assert_digits;
use baton::engine::time::Time;
use baton::learning::{HalfLife, Load, Rate, Resolution};

const NOW: Time = Time(1_000);

#[test]
fn few_cases_are_drawn_towards_the_wider_group() {
    let mut agent = Resolution::new(HalfLife::USUAL);
    assert_digits("nothing seen", agent.share(NOW, Resolution::PRIOR), 0.75);
    agent.unsolved(NOW);
    assert_digits("one case", agent.share(NOW, 0.75), 30.0 / 41.0);
    (0..39).for_each(|_| agent.unsolved(NOW));
    assert_digits("as many as the prior weighs", agent.share(NOW, 0.75), 0.375);
    assert_digits("drawn towards its class", agent.share(NOW, 0.9), 0.45);
    assert_digits("as a belief", agent.variance(NOW, 0.75), 0.375 * 0.625 / 81.0);
    (0..4_000).for_each(|_| agent.solved(NOW));
    assert!(agent.share(NOW, 0.1) > 0.97);
}

#[test]
fn cases_of_long_ago_count_less() {
    let mut agent = Resolution::new(HalfLife::of_ms(1_000));
    (0..40).for_each(|_| agent.unsolved(Time(0)));
    assert_digits("after a half-life", agent.share(Time(1_000), 0.75), 0.5);
    assert!((agent.share(Time(60_000), 0.75) - 0.75).abs() < 1e-6);
    (0..40).for_each(|_| agent.solved(Time(60_000)));
    assert!((agent.share(Time(60_000), 0.75) - 0.875).abs() < 1e-6);
    // What is told late is told as of now, and takes nothing away.
    agent.solved(Time(0));
    assert!(agent.share(Time(60_000), 0.75) > 0.875);
}

#[test]
fn load_is_work_over_agents() {
    let mut load = Load::new(Time(0));
    assert_digits("nothing came", load.share(Time(0), 10), 0.0);
    // A call of 240 s each half a minute is work for eight.
    for call in 0..200 {
        load.arrive(Time(call * 30_000), 240_000);
    }
    let now = Time(200 * 30_000);
    assert!((load.share(now, 10) - 0.8).abs() < 0.03, "{}", load.share(now, 10));
    assert!((load.share(now, 16) - 0.5).abs() < 0.02);
    assert_digits("more than all their time", load.share(now, 5), 1.0);
    assert_digits("nobody there", load.share(now, 0), 1.0);
    // Ten minutes later it is e times less, and an hour later nearly nothing.
    let later = load.share(now.after(600_000), 10) / load.share(now, 10);
    assert!((later - (-1.0_f64).exp()).abs() < 0.01, "{later}");
    assert!(load.share(now.after(3_600_000), 10) < 0.005);
}

#[test]
fn a_rate_is_right_from_the_beginning() {
    let mut rate = Rate::new(600_000);
    rate.add(1.0);
    // Of a time that was hardly watched, a minute is taken for empty.
    assert_digits("at once", rate.per_ms(), 1.0 / 60_000.0);
    for _ in 0..60 {
        rate.pass(2_000);
        rate.add(1.0);
    }
    assert!((rate.per_ms() * 2_000.0 - 1.0).abs() < 0.03, "{}", rate.per_ms());
}
