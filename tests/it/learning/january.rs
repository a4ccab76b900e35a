//! Waits as they would have been told in the bank's January: runs where the log is.

use baton::learning::Accuracy;
use baton::replay::bank_calls::{Order, ReplayOptions, WaitsTold, Way, told};
use baton::rules::RuleSet;
use baton::simulate::Choice;
use std::path::PathBuf;

/// What the calibration on 1 to 10 January finds.
const AVAILABILITY: f64 = 0.7273;
/// What the bank's own rule valued, in money.
const GOALS: &str = include_str!("../../../src/replay/bank_calls/goals.yaml");

fn january(way: Way, rules: &RuleSet) -> Option<WaitsTold> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data/bank-calls-1999-01/calls-1999-01.csv.gz");
    if !file.exists() {
        println!("skipped: ../shared/data/bank-calls-1999-01 is not there");
        return None;
    }
    let order = Order::Documented;
    let options = ReplayOptions { file, availability: Some(AVAILABILITY), order, seed: 1 };
    let found = told(&options, way, rules, &mut |_, _| {}).expect("the log can be replayed");
    println!("{}:", way.name());
    print("all", found.all.as_ref().expect("many have waited"));
    found.queues.iter().for_each(|(queue, accuracy)| print(queue, accuracy));
    Some(found)
}

fn print(what: &str, of: &Accuracy) {
    let seconds = |ms: f64| ms / 1_000.0;
    println!(
        "  {what:<12} {:>6} waits, {:.1} % within the band; off by {:.1} s, by place {:.1} s, by the last wait {:.1} s",
        of.waits,
        of.within * 100.0,
        seconds(of.rms_error_ms),
        seconds(of.by_position_rms_error_ms),
        seconds(of.by_last_rms_error_ms)
    );
}

fn assert_told_well(told: Option<WaitsTold>) {
    let Some(found) = told.map(|told| told.all.expect("many have waited")) else { return };
    assert!(found.waits > 1_000, "{found:?}");
    assert!((0.76..=0.84).contains(&found.within), "{found:?}");
    assert!(found.rms_error_ms < found.by_position_rms_error_ms, "{found:?}");
    assert!(found.rms_error_ms < found.by_last_rms_error_ms, "{found:?}");
}

#[test]
fn by_the_banks_rule_eight_in_ten_wait_as_long_as_they_were_told() {
    assert_told_well(january(Way::BankRule, &RuleSet::default()));
}

#[test]
fn in_money_eight_in_ten_of_the_banks_customers_wait_as_long_as_they_were_told() {
    let rules = RuleSet::read(GOALS).expect("it is a rule document");
    assert_told_well(january(Way::Policy(Choice::MarginalCost), &rules));
}
