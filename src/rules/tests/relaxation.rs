//! Who may serve, and how that loosens: the queue's demands, and which of the interaction's own may be touched.

use super::bank::{Bank, SAMPLE, rules, with};
use crate::engine::channel::Channel;
use crate::engine::plan::{Facts, Plan};
use crate::engine::route::{Exit, LastStep, Needs, Relaxation};
use crate::engine::skill::Requirement;
use crate::rules::{Asked, RuleSet};

fn plan_for(bank: &Bank, rules: &RuleSet, queue: &str, own: &[Requirement]) -> Plan {
    let facts = Facts::default();
    let asked = Asked { requirements: own, ..Asked::plain(Channel::Voice, bank.key(queue), &facts) };
    rules.plan(bank.0.floor(), &asked)
}

fn at(after_ms: u64, needs: Vec<Needs>) -> Relaxation {
    Relaxation { after_ms, needs }
}

#[test]
fn steps_add_up_lower_drop_groups_and_the_agents_of_another_queue() {
    let bank = Bank::new();
    let plan = plan_for(&bank, &rules(SAMPLE), "loans", &[]);
    let route = plan.entry();
    assert_eq!(route.needs, [bank.way(&[("credit", 5), ("mortgages", 6), ("french", 4)], &["loan-desk"])]);
    let both = ["loan-desk", "branch"];
    assert_eq!(
        route.relaxation,
        [
            at(20_000, vec![bank.way(&[("credit", 5), ("mortgages", 3), ("french", 4)], &["loan-desk"])]),
            at(45_000, vec![bank.way(&[("credit", 5), ("mortgages", 3)], &both)]),
            at(120_000, vec![bank.way(&[("credit", 5)], &both), bank.way(&[], &[])]),
        ]
    );
    let exit = Exit::Callback { within_ms: 7_200_000 };
    assert_eq!(route.last_step, LastStep { after_ms: 480_000, exit });
}

#[test]
fn what_the_interaction_itself_asks_for_rides_on_every_route() {
    let bank = Bank::new();
    let own = [bank.needs("cards", 2)];
    let plan = plan_for(&bank, &rules(SAMPLE), "general", &own);
    for route in plan.routes.iter() {
        let all = route.needs.iter().chain(route.relaxation.iter().flat_map(|step| &step.needs));
        for needs in all {
            assert!(needs.requirements.contains(&own[0]), "{needs:?}");
        }
    }
}

#[test]
fn relaxation_touches_of_the_interactions_own_only_what_the_section_lists() {
    let bank = Bank::new();
    let own = [bank.needs("french", 8), bank.needs("mortgages", 7)];
    let plan = plan_for(&bank, &rules(SAMPLE), "loans", &own);
    let route = plan.entry();
    assert_eq!(route.needs, [bank.way(&[("credit", 5), ("mortgages", 7), ("french", 8)], &["loan-desk"])]);
    let last = &route.relaxation.last().expect("there are steps").needs;
    let kept = [("credit", 5), ("mortgages", 7)];
    assert_eq!(last[0], bank.way(&kept, &["loan-desk", "branch"]), "french may go, mortgages may not");
    assert_eq!(last[1], bank.way(&[("mortgages", 7)], &[]), "also with the agents of general");
}

#[test]
fn a_step_that_loosens_nothing_for_this_interaction_is_no_step() {
    let bank = Bank::new();
    let rules = with(
        "queues:\n  general:\n    prefer: { french: 5 }\n    relaxation:\n      - { after: 10s, lower: { french: 2 } }\n    last_step: { then: keep }",
    );
    let eased = plan_for(&bank, &rules, "general", &[]);
    assert_eq!(eased.entry().relaxation, [at(10_000, vec![bank.way(&[("french", 2)], &[])])]);
    let strict = plan_for(&bank, &rules, "general", &[bank.needs("french", 9)]);
    assert!(strict.entry().relaxation.is_empty(), "it asks for french 9 itself");
}

#[test]
fn the_agents_of_another_queue_come_with_what_that_queue_asks_of_them() {
    let bank = Bank::new();
    let rules = with(
        "queues:\n  loans:\n    groups: [loan-desk]\n  general:\n    groups: [branch]\n    relaxation:\n      - { after: 30s, add_agents_of: [loans] }\n    last_step: { then: keep }",
    );
    let plan = plan_for(&bank, &rules, "general", &[]);
    let ways = vec![bank.way(&[], &["branch"]), bank.way(&[("credit", 5)], &["loan-desk"])];
    assert_eq!(plan.entry().relaxation, [at(30_000, ways)]);
}

#[test]
fn a_section_with_a_last_step_takes_no_relaxation_from_the_default_section() {
    let bank = Bank::new();
    let rules = with(
        "default:\n  relaxation:\n    - { after: 10s, lower: { credit: 1 } }\n  last_step: { after: 1m, then: refuse }\nqueues:\n  partner:\n    last_step: { then: keep }",
    );
    let loans = plan_for(&bank, &rules, "loans", &[]);
    assert_eq!(loans.entry().relaxation, [at(10_000, vec![bank.way(&[("credit", 1)], &[])])]);
    assert_eq!(loans.entry().last_step, LastStep { after_ms: 60_000, exit: Exit::Refuse });
    let partner = plan_for(&bank, &rules, "partner", &[]);
    assert!(partner.entry().relaxation.is_empty());
    assert_eq!(partner.entry().last_step, LastStep::keep());
}
