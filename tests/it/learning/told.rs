//! Waits as they are told: on a simulated floor eight in ten end in the band that was told, and the mean is nearer to
//! the truth than what simpler systems say.

use baton::learning::Accuracy;
use baton::simulate::{Choice, Scenario, floor, told};

fn accuracy(choice: Choice, hold_s: u64) -> Accuracy {
    let floor = floor("S1").expect("it is shipped");
    let scenario = Scenario::new(&floor, Some(3), Some(11)).expect("it can be run");
    let found = told(&scenario, choice, Some(hold_s * 1_000)).expect("many have waited");
    println!("{}: {found:?}", choice.name());
    found
}

fn assert_told_well(found: Accuracy) {
    assert!(found.waits > 1_000, "{found:?}");
    assert!((0.76..=0.84).contains(&found.within), "{found:?}");
    assert!(found.rms_error_ms < found.by_position_rms_error_ms, "{found:?}");
    assert!(found.rms_error_ms < found.by_last_rms_error_ms, "{found:?}");
}

#[test]
fn in_money_eight_in_ten_wait_as_long_as_they_were_told() {
    assert_told_well(accuracy(Choice::MarginalCost, 60));
}

#[test]
fn by_longest_idle_eight_in_ten_wait_as_long_as_they_were_told() {
    assert_told_well(accuracy(Choice::LongestIdle, 60));
}
