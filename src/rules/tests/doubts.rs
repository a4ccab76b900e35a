//! What is right but hardly meant: rules nobody gets to, circles of queues, and what no agent can meet.

use super::bank::{Bank, SAMPLE, document, rules};
use crate::engine::floor::{AgentSpec, Definition};
use crate::engine::hours::{HoursSpec, Span, WeeklySpan};
use crate::engine::ids::{HoursKey, PoolKey};
use crate::engine::skill::Skill;
use crate::rules::RuleSet;

fn said(rules: &RuleSet, bank: Option<&Bank>) -> Vec<String> {
    rules.doubts(bank.map(|bank| bank.0.floor())).iter().map(ToString::to_string).collect()
}

fn of(list: &str) -> RuleSet {
    rules(&document(&format!("rules:\n{list}\nfallback: {{ queue: general }}")))
}

/// An agent of the bank with these skills.
fn with_agent(bank: &mut Bank, name: &str, skills: &[(&str, u8)], shift: Option<HoursKey>) {
    let skill = |(name, level): &(&str, u8)| {
        let needed = bank.needs(name, *level);
        Skill { skill: needed.skill, proficiency: needed.proficiency, expires: None }
    };
    let mut skills: Vec<Skill> = skills.iter().map(skill).collect();
    skills.sort_by_key(|skill| skill.skill);
    let spec = AgentSpec { shift, ..AgentSpec::plain(name.into(), PoolKey(0), skills) };
    bank.define(name, Definition::Agent(spec));
}

#[test]
fn the_samples_raise_no_doubt_about_their_conditions() {
    for text in [SAMPLE, include_str!("../samples/shop.yaml"), include_str!("../samples/telecom.yaml")] {
        let doubts = said(&rules(text), None);
        let conditions: Vec<_> = doubts.iter().filter(|doubt| doubt.contains("when")).collect();
        assert!(conditions.is_empty(), "{conditions:?}");
    }
}

#[test]
fn a_rule_behind_one_that_stops_whoever_it_is_for_never_applies() {
    let rules = of("  - { name: voice, when: interaction.channel == 'voice', then: { priority: 1, stop: true } }
  - { name: gold by phone, when: interaction.channel == 'voice' && customer.tier == 'gold', then: { priority: 2 } }
  - { name: gold, when: customer.tier == 'gold', then: { priority: 2 } }");
    assert_eq!(
        said(&rules, None),
        ["line 5, rules[1]: never applies: \"voice\" above stops whoever it is for"]
    );
}

#[test]
fn a_condition_that_cannot_hold_and_a_fact_that_may_be_missing_are_told_with_their_column() {
    let rules = of(
        "  - { name: a, when: interaction.priority > 3 && interaction.priority < 2, then: { priority: 1 } }
  - { name: b, when: journey.sentiment < 0, then: { priority: 1 } }",
    );
    let said = said(&rules, None);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("line 4, column 29 of rules[0].when: interaction.priority < 2 never holds"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("line 5, column 1 of rules[1].when: journey.sentiment may be missing"),
        "{said:?}"
    );
}

#[test]
fn queues_that_send_in_a_circle_are_told_once() {
    let text = document(
        "queues:
  loans: { overflow: [{ when: { waiting: 5 }, to: [partner, cards] }] }
  partner: { last_step: { after: 1m, then: { queue: general } } }
  general: { overflow: [{ when: { waiting: 9 }, to: [loans] }] }
  cards: {}",
    );
    let circle = "line 6, queues.general: sends in a circle, general → loans → partner → general: only the limit of hops ends it";
    assert_eq!(said(&rules(&text), None), [circle]);
}

#[test]
fn what_no_agent_can_meet_is_told_and_until_when() {
    let mut bank = Bank::new();
    with_agent(&mut bank, "ana", &[("credit", 5), ("mortgages", 3)], None);
    let rules = of("  - { name: dear, then: { queue: loans, authority: 4 } }
  - name: mortgages
    then:
      queue: loans
      prefer: { mortgages: 6 }
      relaxation: [{ after: 45s, lower: { mortgages: 2 } }]
      last_step: { then: keep }
  - { name: easy, then: { queue: loans } }");
    assert_eq!(
        said(&rules, Some(&bank)),
        [
            "line 4, rules[0]: no agent can serve what it sends to loans, which asks for credit 5, authority 4",
            "line 5, rules[1]: nobody can serve what it sends to loans in the first 45 s, which asks for credit 5, mortgages 6",
        ]
    );
}

#[test]
fn hours_in_which_nobody_on_shift_can_are_told() {
    let mut bank = Bank::new();
    let days = |days: std::ops::RangeInclusive<u8>, from: u16, to: u16| {
        days.map(move |weekday| WeeklySpan { weekday, span: Span { from: from * 60, to: to * 60 } })
    };
    let weekly = days(1..=5, 8, 18).chain(days(6..=6, 9, 24)).collect();
    let (time_zone, special) = ("UTC".into(), Vec::new());
    let shift = HoursSpec { display_name: "Days".into(), time_zone, weekly, special };
    bank.define("days", Definition::Hours(shift));
    let key = bank.0.floor().hours.key("days").and_then(|key| u16::try_from(key).ok()).map(HoursKey);
    with_agent(&mut bank, "ana", &[("credit", 5)], key);
    let rules = of("  - { name: loans, then: { queue: loans } }");
    let gaps =
        "Monday 00:00 to 08:00, Monday 18:00 to Tuesday 08:00, Tuesday 18:00 to Wednesday 08:00, and 4 more";
    let told = format!(
        "line 4, rules[0]: nobody on shift can serve what it sends to loans, which asks for credit 5: {gaps}"
    );
    assert_eq!(said(&rules, Some(&bank)), [told]);
    with_agent(&mut bank, "bo", &[("credit", 5)], None);
    assert_eq!(said(&rules, Some(&bank)), [""; 0], "somebody without a shift is always there");
}
