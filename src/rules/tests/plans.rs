//! What is planned: figures, ways out, the queues within reach, the agent who should have it.

use super::bank::{Bank, SAMPLE, rules, with};
use crate::engine::channel::Channel;
use crate::engine::circumstances::Wish;
use crate::engine::ids::AgentKey;
use crate::engine::money::Money;
use crate::engine::plan::{CallbackTerms, Duplicates, Facts, Preferred};
use crate::engine::route::{Condition, Exit, LastStep};
use crate::rules::{Asked, RuleSet, Served};

const ANA: AgentKey = AgentKey(4);
const BEN: AgentKey = AgentKey(5);

#[test]
fn who_has_said_nothing_gets_the_default_rules() {
    let bank = Bank::new();
    let plan = bank.plan(&RuleSet::default(), Channel::Voice, "loans");
    assert_eq!((plan.rule_set, plan.routes.len(), plan.hops_max), (1, 1, 3));
    assert_eq!(plan.goals.answer_within_ms, 20_000);
    assert_eq!(plan.goals.waiting_per_minute, Money(200_000));
    assert_eq!(plan.callback, CallbackTerms::default());
    let route = plan.entry();
    assert_eq!(route.needs, vec![bank.way(&[("credit", 5)], &[])]);
    assert_eq!(route.last_step, LastStep::keep());
    assert_eq!(route.max_wait_ms, Some(900_000), "the hard maximum for voice");
    assert_eq!(bank.plan(&RuleSet::default(), Channel::Email, "loans").entry().max_wait_ms, None);
}

#[test]
fn a_queue_says_only_what_differs_from_the_default_section() {
    let bank = Bank::new();
    let rules = rules(SAMPLE);
    let loans = bank.plan(&rules, Channel::Voice, "loans");
    assert_eq!((loans.rule_set, loans.priority, loans.head_start_ms), (7, 3, 30_000));
    assert_eq!((loans.goals.answer_within_ms, loans.goals.abandon), (10_000, Money(40_000_000)));
    assert_eq!(loans.goals.late, Money(1_000_000), "as the default section says");
    assert_eq!(loans.entry().expected_handle_ms, 240_000);
    assert_eq!(loans.entry().declines_max, 6);
    assert_eq!(loans.duplicates, Duplicates::Replace);
    let cards = bank.plan(&rules, Channel::Voice, "cards-lost");
    assert_eq!(cards.entry().max_wait_ms, Some(60_000));
    let chat = bank.plan(&rules, Channel::Chat, "cards-lost");
    assert_eq!(chat.entry().max_wait_ms, Some(900_000), "the section speaks of voice only");
}

#[test]
fn points_of_the_source_and_of_the_rules_add_up() {
    let bank = Bank::new();
    let facts = Facts { priority: 2, ..Facts::default() };
    let asked = Asked::plain(Channel::Voice, bank.key("loans"), &facts);
    assert_eq!(rules(SAMPLE).plan(bank.0.floor(), &asked).priority, 5);
}

#[test]
fn every_queue_within_reach_has_a_route_and_equal_questions_get_equal_plans() {
    let bank = Bank::new();
    let rules = rules(SAMPLE);
    let plan = bank.plan(&rules, Channel::Voice, "cards-lost");
    assert_eq!(bank.names(&plan), ["cards-lost", "supervisors", "general", "partner", "loans"]);
    assert_eq!(plan.transfers.beyond, Some(bank.key("supervisors")));
    assert_eq!(plan, bank.plan(&rules, Channel::Voice, "cards-lost"));
    for route in plan.routes.iter() {
        let to = route.overflow.iter().flat_map(|rule| &rule.to);
        assert!(to.into_iter().all(|queue| plan.route_to(*queue).is_some()));
    }
}

#[test]
fn overflow_takes_the_first_queue_of_the_list_when_all_its_conditions_hold() {
    let bank = Bank::new();
    let plan = bank.plan(&rules(SAMPLE), Channel::Voice, "general");
    let [busy, closed] = plan.entry().overflow.as_slice() else { panic!("general has two rules") };
    let long = [Condition::Waiting { at_least: 20 }, Condition::LongestWait { at_least_ms: 300_000 }];
    assert_eq!(busy.when, long);
    assert_eq!(busy.to, [bank.key("loans"), bank.key("partner")]);
    assert_eq!(closed.when, [Condition::Closed]);
    let loans = bank.plan(&rules(SAMPLE), Channel::Voice, "loans");
    let full = [Condition::FreeAgents { at_most: 0 }, Condition::EstimatedWait { at_least_ms: 600_000 }];
    assert_eq!(loans.entry().overflow[0].when, full);
    assert_eq!(loans.entry().overflow[1].when, [Condition::ServiceLevel { below_ppm: 600_000 }]);
}

#[test]
fn what_happens_at_closed_doors_differs_by_channel() {
    let bank = Bank::new();
    let rules = rules(SAMPLE);
    let exits = |channel| {
        let plan = bank.plan(&rules, channel, "general");
        (plan.entry().when_closed.clone(), plan.entry().at_closing.clone())
    };
    let voicemail = Exit::SendAway { destination: "sip:voicemail@pbx-1".into() };
    assert_eq!(exits(Channel::Voice), (voicemail, Exit::Keep));
    assert_eq!(exits(Channel::Chat), (Exit::Refuse, Exit::Callback { within_ms: 86_400_000 }));
    assert_eq!(exits(Channel::Email).0, Exit::Keep);
}

#[test]
fn without_rules_what_is_written_waits_for_the_opening_and_a_call_is_refused() {
    let bank = Bank::new();
    let at_door = |channel| bank.plan(&RuleSet::default(), channel, "general").entry().when_closed.clone();
    assert_eq!(at_door(Channel::Voice), Exit::Refuse);
    assert_eq!(at_door(Channel::Email), Exit::Keep);
}

#[test]
fn the_named_agent_is_waited_for_by_the_budget_of_the_channel_and_then_the_last_one() {
    let bank = Bank::new();
    let rules = rules(SAMPLE);
    let facts = Facts::default();
    let preferred = |channel, preferred: Option<AgentKey>, last: Option<AgentKey>| {
        let last = last.map(|agent| Served { agent, ago_ms: 0 });
        let wish = preferred.map(|agent| Wish { agent, budget_ms: None, overdraw: false });
        let asked = Asked { wish, last, ..Asked::plain(channel, bank.key("general"), &facts) };
        rules.plan(bank.0.floor(), &asked).preferred
    };
    let ana = Some(Preferred { agent: ANA, budget_ms: 30_000, overdraw: true });
    assert_eq!(preferred(Channel::Voice, Some(ANA), Some(BEN)), ana);
    let ben = Some(Preferred { agent: BEN, budget_ms: 600_000, overdraw: false });
    assert_eq!(preferred(Channel::Message, None, Some(BEN)), ben);
    assert_eq!(preferred(Channel::Message, Some(ANA), Some(BEN)), ben, "no budget for the named one here");
    assert_eq!(
        preferred(Channel::Voice, None, Some(BEN)),
        None,
        "nobody waits on the line for the last agent"
    );
    assert_eq!(preferred(Channel::Email, None, None), None);
}

#[test]
fn that_an_agent_knows_the_customer_is_worth_half_after_each_half_life() {
    let bank = Bank::new();
    let rules = rules(SAMPLE);
    let facts = Facts::default();
    let worth_after = |days: u64| {
        let last = Some(Served { agent: BEN, ago_ms: days * 86_400_000 });
        let asked = Asked { last, ..Asked::plain(Channel::Chat, bank.key("general"), &facts) };
        let familiar = rules.plan(bank.0.floor(), &asked).familiar;
        familiar.map_or(0, |familiar| {
            assert_eq!(familiar.agent, BEN);
            familiar.worth.0
        })
    };
    let near =
        |worth: i64, wanted: i64| assert!((worth - wanted).abs() <= wanted / 1_000, "{worth}, {wanted}");
    near(worth_after(0), 1_000_000);
    near(worth_after(7), 500_000);
    near(worth_after(14), 250_000);
    assert_eq!(worth_after(366), 0, "nobody remembers");
}

#[test]
fn what_people_relax_by_the_clock_is_worth_what_so_long_a_wait_costs() {
    let bank = Bank::new();
    let plan = |text: &str| {
        let goals =
            "goals: { waiting_per_minute: 0.60, abandon: 10, late: 2, patience: 5m, answer_within: 20s }";
        let better = format!("better_with: {{ french: {{ {text} }} }}");
        let rules = rules(&format!("version: 1\nname: short\ndefault:\n  {goals}\n  {better}\n"));
        bank.plan(&rules, Channel::Voice, "general").entry().better_with[0].worth.0
    };
    assert_eq!(plan("worth: 3.50"), 3_500_000);
    assert_eq!(plan("after: 0s"), 0);
    // A tenth of the patience: 1 - e^(-0.1) = 0.0952 hang up. The minutes 0.30; and the answer is late.
    let after = plan("after: 30s");
    assert!((after - 3_251_626).abs() < 1_000, "{after}");
}

#[test]
fn what_the_floor_does_not_have_yet_is_reported_and_left_out_until_it_has() {
    let mut bank = Bank::new();
    let rules = with(
        "queues:\n  general:\n    groups: [night]\n    overflow:\n      - when: { waiting: 1 }\n        to: [abroad, loans]\n    when_closed: { any: { queue: abroad } }\n  abroad:\n    prefer: { dutch: 3 }",
    );
    let reports: Vec<String> = rules.skipped(bank.0.floor()).iter().map(ToString::to_string).collect();
    assert_eq!(
        reports,
        [
            "line 5, queues.general.groups[0]: the floor has no group \"night\"; left out until it has",
            "line 8, queues.general.overflow[0].to[0]: the floor has no queue \"abroad\"; left out until it has",
            "line 9, queues.general.when_closed.any.queue: the floor has no queue \"abroad\"; left out until it has",
            "line 10, queues.abroad: the floor has no queue \"abroad\"; left out until it has",
            "line 11, queues.abroad.prefer.dutch: the floor has no skill \"dutch\"; left out until it has",
        ]
    );
    let plan = bank.plan(&rules, Channel::Email, "general");
    assert_eq!(plan.entry().overflow[0].to, [bank.key("loans")]);
    assert_eq!(plan.entry().when_closed, Exit::Keep, "as the next section says");
    bank.queue("abroad", vec![]);
    let plan = bank.plan(&rules, Channel::Email, "general");
    assert_eq!(plan.entry().when_closed, Exit::Queue(bank.key("abroad")));
    assert_eq!(rules.skipped(bank.0.floor()).len(), 2, "the group and the skill");
}

#[test]
fn a_queue_the_default_section_sends_others_to_does_not_send_to_itself() {
    let bank = Bank::new();
    let rules = with(
        "default:\n  overflow:\n    - when: { waiting: 5 }\n      to: [general]\n  last_step: { after: 5m, then: { queue: general } }",
    );
    let loans = bank.plan(&rules, Channel::Voice, "loans");
    assert_eq!(bank.names(&loans), ["loans", "general"]);
    let general = bank.plan(&rules, Channel::Voice, "general");
    assert!(general.entry().overflow.is_empty());
    assert_eq!(general.entry().last_step, LastStep::keep());
}

#[test]
fn a_loop_of_queues_is_planned_once_each() {
    let bank = Bank::new();
    let rules = with(
        "queues:\n  general:\n    last_step: { after: 1m, then: { queue: loans } }\n  loans:\n    last_step: { after: 1m, then: { queue: general } }",
    );
    assert_eq!(bank.names(&bank.plan(&rules, Channel::Voice, "general")), ["general", "loans"]);
}
