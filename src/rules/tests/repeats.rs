//! Repeat contacts about the same matter: which step applies, what it adds, and where it leads.

use super::bank::{Bank, document, rules, with};
use crate::engine::channel::Channel;
use crate::engine::fixed::Part;
use crate::engine::journey::Journey;
use crate::engine::plan::{Facts, Plan};
use crate::engine::route::{Condition, Overflow, Relaxation, Route};
use crate::engine::skill::Requirement;
use crate::rules::{Asked, RuleSet};

const STEPS: &str = "queues:
  general:
    priority: 1
    weight: 1.5
    prefer: { french: 3 }
    relaxation:
      - { after: 30s, lower: { mortgages: 1, french: 1 } }
    last_step: { then: keep }
    repeats:
      within: 3d
      steps:
        - { contact: 2, priority: 2, weight: 2 }
        - { contact: 4, require: { mortgages: 5 } }
        - { contact: 6, priority: 4, weight: 8, queue: loans }
  loans:
    priority: 3
    repeats:
      within: 7d
      steps:
        - { contact: 2, queue: partner }
";

/// With so many contacts about the matter before this one; `None`: nothing is known.
fn known(about_within: Option<u32>) -> Facts {
    let journey = about_within.map(|about_within| Journey { about_within, ..Journey::default() }.into());
    Facts { journey, ..Facts::default() }
}

fn planned(bank: &Bank, rules: &RuleSet, facts: &Facts, own: &[Requirement]) -> Plan {
    let asked = Asked { requirements: own, ..Asked::plain(Channel::Voice, bank.key("general"), facts) };
    rules.plan(bank.0.floor(), &asked)
}

#[test]
fn the_last_step_that_is_reached_applies_alone() {
    let (bank, rules) = (Bank::new(), with(STEPS));
    // Contacts before, the step's contact, queue, points, weight, and whether it asks for mortgages.
    let table = [
        (None, None, "general", 1, 1_500, false),
        (Some(0), None, "general", 1, 1_500, false),
        (Some(1), Some(2), "general", 3, 3_000, false),
        (Some(2), Some(2), "general", 3, 3_000, false),
        (Some(3), Some(4), "general", 1, 1_500, true),
        (Some(5), Some(6), "loans", 7, 8_000, false),
        (Some(u32::MAX), Some(6), "loans", 7, 8_000, false),
    ];
    for (before, step, queue, points, weight, mortgages) in table {
        let facts = known(before);
        let plan = planned(&bank, &rules, &facts, &[]);
        let asked = Asked::plain(Channel::Voice, bank.key("general"), &facts);
        assert_eq!(rules.repeat_step(bank.0.floor(), &asked), step, "{before:?}");
        assert_eq!(bank.names(&plan)[0], queue, "{before:?}");
        assert_eq!((plan.priority, plan.weight), (points, Part::thousandths(weight)), "{before:?}");
        let asks = plan.entry().requirements().contains(&bank.needs("mortgages", 5));
        assert_eq!(asks, mortgages, "{before:?}");
    }
}

#[test]
fn where_it_goes_instead_the_section_of_that_queue_holds_and_a_closed_door_leads_back() {
    let (bank, rules) = (Bank::new(), with(STEPS));
    let plan = planned(&bank, &rules, &known(Some(9)), &[]);
    assert_eq!(bank.names(&plan), ["loans", "general"], "not on to partner");
    assert_eq!(plan.entry().needs, [bank.way(&[("credit", 5)], &[])]);
    let nothing = Facts::default();
    let asked = Asked::plain(Channel::Voice, bank.key("loans"), &nothing);
    let straight = rules.plan(bank.0.floor(), &asked);
    let back = Overflow { when: vec![Condition::Closed], to: vec![bank.key("general")] };
    assert_eq!(plan.entry().overflow, [back], "nobody is turned away for having come again");
    assert_eq!(Route { overflow: Vec::new(), ..plan.entry().clone() }, straight.routes[0]);
}

#[test]
fn what_a_step_requires_is_not_given_up_unless_relax_own_names_it() {
    let bank = Bank::new();
    let facts = known(Some(3));
    let own = [bank.needs("cards", 2), bank.needs("mortgages", 3)];
    let plan = planned(&bank, &with(STEPS), &facts, &own);
    let all = [("french", 3), ("cards", 2), ("mortgages", 5)];
    assert_eq!(plan.entry().needs, [bank.way(&all, &[])], "the higher of two demands");
    let kept = [("french", 1), ("cards", 2), ("mortgages", 5)];
    let relaxed = |kept: &[(&str, u8)]| Relaxation { after_ms: 30_000, needs: vec![bank.way(kept, &[])] };
    assert_eq!(plan.entry().relaxation, [relaxed(&kept)]);
    let named = STEPS.replace("    last_step", "    relax_own: [mortgages]\n    last_step");
    let plan = planned(&bank, &with(&named), &facts, &[]);
    assert_eq!(plan.entry().relaxation, [relaxed(&[("french", 1), ("mortgages", 1)])]);
}

#[test]
fn how_far_is_looked_back_is_said_by_the_section_of_the_queue() {
    let bank = Bank::new();
    let within = |rules: &RuleSet, queue| rules.repeats_within(bank.0.floor(), bank.key(queue));
    assert_eq!(within(&RuleSet::default(), "general"), None, "the built-in document is silent");
    assert_eq!(within(&with(STEPS), "general"), Some(3 * 86_400_000));
    assert_eq!(within(&with(STEPS), "partner"), None);
    let all = with(
        "default:\n  repeats: { within: 12h, steps: [{ contact: 2, priority: 1, queue: partner }] }\nqueues:\n  loans:\n    priority: 3",
    );
    assert_eq!(within(&all, "loans"), Some(43_200_000));
    let facts = known(Some(1));
    let asked = Asked::plain(Channel::Voice, bank.key("partner"), &facts);
    let plan = all.plan(bank.0.floor(), &asked);
    assert_eq!((bank.names(&plan)[0].as_str(), plan.priority), ("partner", 1), "it is there already");
}

#[test]
fn what_the_floor_does_not_have_is_reported_and_left_out() {
    let bank = Bank::new();
    let rules = with(
        "queues:\n  general:\n    repeats:\n      within: 1d\n      steps:\n        - contact: 2\n          priority: 2\n          require: { decides: 3, cards: 2 }\n          queue: complaints",
    );
    let reports: Vec<String> = rules.skipped(bank.0.floor()).iter().map(ToString::to_string).collect();
    assert_eq!(
        reports,
        [
            "line 10, queues.general.repeats.steps[0].require.decides: the floor has no skill \"decides\"; left out until it has",
            "line 11, queues.general.repeats.steps[0].queue: the floor has no queue \"complaints\"; left out until it has",
        ]
    );
    let plan = planned(&bank, &rules, &known(Some(1)), &[]);
    assert_eq!((bank.names(&plan)[0].as_str(), plan.priority), ("general", 2));
    assert_eq!(plan.entry().needs, [bank.way(&[("cards", 2)], &[])]);
}

#[test]
fn the_last_agent_is_asked_for_where_it_goes_instead() {
    let bank = Bank::new();
    let rules = with(
        "queues:\n  general:\n    repeats: { within: 1d, steps: [{ contact: 2, queue: loans }] }\n  loans:\n    last_agent: { budget: { voice: 30s } }",
    );
    for (before, asks) in [(0, false), (1, true)] {
        let facts = known(Some(before));
        let asked = Asked::plain(Channel::Voice, bank.key("general"), &facts);
        assert_eq!(rules.asks_for_last_agent(bank.0.floor(), &asked), asks);
    }
}

#[test]
fn mistakes_are_told_with_field_got_and_want() {
    let said = |repeats: &str| {
        let text = document(&format!("queues:\n  loans:\n    repeats: {{ {repeats} }}"));
        RuleSet::read(&text).expect_err("it has a mistake").to_string()
    };
    let table = [
        ("within: 0s, steps: [{ contact: 2, priority: 1 }]", "within: got 0, want more than 0"),
        ("within: 8d, steps: [{ contact: 2, priority: 1 }]", "within: got 8d, want at most 7d"),
        (
            "within: 1d, steps: []",
            "steps: got no step, want at least one, such as { contact: 2, priority: 2 }",
        ),
        ("within: 1d, steps: [{ contact: 1, priority: 1 }]", "steps[0].contact: got 1, want 2 to 100"),
        ("within: 1d, steps: [{ contact: 101, priority: 1 }]", "steps[0].contact: got 101, want 2 to 100"),
        (
            "within: 1d, steps: [{ contact: 3, priority: 1 }, { contact: 3, priority: 2 }]",
            "steps[1].contact: got 3, want more than in the step before, 3",
        ),
        (
            "within: 1d, steps: [{ contact: 2 }]",
            "steps[0]: got a step that changes nothing, want at least one of priority, weight, require, queue",
        ),
        (
            "within: 1d, steps: [{ contact: 2, priority: 101 }]",
            "steps[0].priority: got 101, want -100 to 100",
        ),
        (
            "within: 1d, steps: [{ contact: 2, queue: loans }]",
            "steps[0].queue: got the queue itself, want another queue",
        ),
        (
            "within: 1d, steps: [{ contact: 2, weight: 9 }]",
            "steps[0].weight: got \"9\", want a weight, 0.25 to 8, at most three decimals",
        ),
        (
            "within: 1d, steps: [{ contact: 2, require: { credit: 11 } }]",
            "steps[0].require.credit: got \"11\", want a proficiency, 1 to 10",
        ),
    ];
    for (repeats, sentence) in table {
        assert_eq!(said(repeats), format!("line 5, queues.loans.repeats.{sentence}"), "{repeats}");
    }
    assert!(said("steps: []").contains("within"), "how far is to be said");
    assert!(rules(&document(STEPS)).document().queues.contains_key("loans"));
}
