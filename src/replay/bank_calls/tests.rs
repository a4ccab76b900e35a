//! The figures the documentation of the record states, found again in the record itself.

use std::path::PathBuf;

use jiff::civil::{Date, date};

use super::duty::Duty;
use super::figures::Fate;
use super::parse::read;
use super::patience::Patience;
use super::record::{Call, Second};
use super::*;
use crate::rules::RuleSet;

/// The shared record, or `None` with a line that says what was skipped.
fn january(test: &str) -> Option<Vec<Call>> {
    january_file(test).map(|file| read(&file).expect("the shared record is in its own format"))
}

fn january_file(test: &str) -> Option<PathBuf> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data/bank-calls-1999-01/calls-1999-01.csv.gz");
    if !file.exists() {
        println!("skipped {test}: ../shared/data/bank-calls-1999-01 is not there");
        return None;
    }
    Some(file)
}

fn first_ten_days() -> (Date, Date) {
    (date(1999, 1, 1), date(1999, 1, 10))
}

#[test]
fn january_adds_up_to_what_its_documentation_states() {
    let Some(calls) = january("the figures of January") else { return };
    assert_eq!(calls.len(), 31_599);
    let offered = calls.iter().filter(|call| call.offered());
    let books = Books::of(offered.map(|call| (call, Fate::recorded(call))), |_| false);
    assert_eq!((books.all.offered, books.all.served, books.all.abandoned), (30_161, 27_060, 3_101));
    assert_eq!((books.days.len(), books.types[&Kind::Ps].offered), (29, 22_033));
    assert!((books.all.mean_wait_s - 37.67).abs() < 0.01, "{}", books.all.mean_wait_s);
    assert!((books.all.within_20s - 0.5438).abs() < 0.0001, "{}", books.all.within_20s);
}

#[test]
fn the_choices_of_the_first_ten_days_are_all_found() {
    let Some(calls) = january("the recorded choices") else { return };
    let (from, to) = first_ten_days();
    let found = choices::in_record(&calls, Kind::Ps, from, to);
    let first_taken = found.iter().filter(|choice| choice.waiting[0] == choice.taken).count();
    assert_eq!((found.len(), first_taken), (2_242, 2_235));
}

#[test]
fn agents_on_duty_cover_every_service_that_names_one() {
    let Some(calls) = january("agents on duty") else { return };
    let duty = Duty::seen_in(&calls);
    assert_eq!(duty.stretches.len(), 28);
    for service in calls.iter().filter_map(|call| call.service) {
        let Some(agent) = service.agent else { continue };
        let end = service.start + Second::from(service.work_s);
        assert!(duty.stretches[&agent].iter().any(|s| s.from <= service.start && end <= s.to));
    }
}

#[test]
fn a_served_customer_is_drawn_to_wait_longer_than_recorded() {
    let Some(calls) = january("patience") else { return };
    let offered: Vec<&Call> = calls.iter().filter(|call| call.offered()).collect();
    let patience = Patience::fit(offered.iter().copied());
    for call in offered {
        let would_wait = patience.of(call, 1);
        assert!(if call.served() { would_wait > call.wait_s } else { would_wait == call.wait_s });
        assert_eq!(would_wait, patience.of(call, 1), "the same seed draws the same customer");
    }
}

#[test]
fn the_engine_chooses_as_the_banks_switch_did() {
    let Some(file) = january_file("the engine's choices") else { return };
    let (from, to) = first_ten_days();
    let options = CheckOptions { file, kind: Kind::Ps, from: Some(from), to: Some(to) };
    let mut last = (0, 0);
    let check = check_choices(&options, &mut |done, total| last = (done, total)).expect("a good file");
    assert_eq!((check.choices, check.agree, last), (2_242, 2_235, (2_242, 2_242)));
    // Every disagreement is between two who had waited as long as the other to a second, give or take one.
    assert!(check.disagreements.iter().all(|d| d.engine.wait_s - d.recorded.wait_s <= 1));
}

#[test]
fn a_replayed_month_has_every_call_answered_or_gone() {
    let Some(file) = january_file("a replayed month") else { return };
    let options = ReplayOptions { file, availability: Some(0.8), order: Order::Documented, seed: 1 };
    let first = replay(&options, &mut |_, _| {}).expect("a good file");
    let (recorded, engine) = (&first.month.recorded.all, &first.month.engine.all);
    assert_eq!((recorded.offered, recorded.served), (30_161, 27_060));
    assert_eq!((engine.offered, engine.served + engine.abandoned), (30_161, 30_161));
    assert_eq!(
        first,
        replay(&options, &mut |_, _| {}).expect("a good file"),
        "the same seed, the same month"
    );
}

/// What the calibration on 1 to 10 January finds.
const AVAILABILITY: f64 = 0.7273;

fn january_in_ways(test: &str) -> Option<(ReplayOptions, Policies)> {
    let file = january_file(test)?;
    let (availability, order) = (Some(AVAILABILITY), Order::Documented);
    let options = ReplayOptions { file, availability, order, seed: 1 };
    let rules = RuleSet::read(include_str!("goals.yaml")).expect("the goals are a rule document");
    let policies = policies(&options, &Way::USUAL, &rules, &mut |_, _| {}).expect("a good file");
    Some((options, policies))
}

#[test]
fn under_the_goals_of_the_banks_rule_marginal_cost_is_cheaper_than_it_and_than_longest_wait() {
    let Some((options, month)) = january_in_ways("January in money") else { return };
    let all = &month.groups[0];
    let [_, bank, longest, ours] = &all.rows[..] else { panic!("the record, and three ways") };
    assert_eq!([bank.policy, longest.policy, ours.policy], ["bank-rule", "longest-idle", "marginal-cost"]);
    assert!(ours.cost_service < bank.cost_service.min(longest.cost_service));
    assert!(all.less.iter().all(|less| less.cost_percent + less.cost_percent_ci < 0.0), "{:?}", all.less);
    // Queues of their own change nothing for priority customers where longest wait decides.
    let engine = replay(&options, &mut |_, _| {}).expect("a good file").month.engine.all;
    assert_eq!(bank.figures, engine);
}

#[test]
fn classes_add_up_to_the_month() {
    let Some((_, month)) = january_in_ways("the classes of January") else { return };
    let (all, [regular, priority]) = (&month.groups[0], [&month.groups[1], &month.groups[2]]);
    for way in 0..all.rows.len() {
        let cost = |group: &Group| group.rows[way].cost_service;
        assert!((cost(all) - cost(regular) - cost(priority)).abs() < 1e-6);
        let classes: f64 = month.groups[3..].iter().map(cost).sum();
        assert!((cost(all) - classes).abs() < 1e-6);
        let row = &all.rows[way];
        assert!((row.cost_waiting + row.cost_abandoned - row.cost_service).abs() < 1e-6, "nothing is late");
    }
}
