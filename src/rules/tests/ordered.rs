//! Ordered rules: which apply, what they add, where they lead, and what becomes of one that cannot be asked.

use super::bank::{Bank, SAMPLE, document, rules, with};
use crate::engine::channel::Channel;
use crate::engine::circumstances::{Attribute, Circumstances, QueueFigures};
use crate::engine::fixed::Part;
use crate::engine::ids::{CustomerId, Text};
use crate::engine::journey::{Journey, Signals};
use crate::engine::money::Money;
use crate::engine::plan::{Facts, Plan};
use crate::engine::route::{Condition as WhenFull, Exit, Overflow};
use crate::engine::time::Time;
use crate::rules::{Applied, Asked, Outcome, RuleSet, Told, Verdict};

const SHOP: &str = include_str!("../samples/shop.yaml");
const TELECOM: &str = include_str!("../samples/telecom.yaml");

/// One contact, as the rules are told of it.
#[derive(Default)]
struct Contact {
    facts: Facts,
    made_in: Circumstances,
}

impl Contact {
    fn about(intent: &str) -> Contact {
        Contact { facts: Facts { intent: intent.into(), ..Facts::default() }, ..Contact::default() }
    }

    fn of(journey: Journey) -> Contact {
        let customer = Some(CustomerId(7));
        let facts = Facts { customer, journey: Some(journey.into()), ..Facts::default() };
        Contact { facts, ..Contact::default() }
    }

    fn with(mut self, name: &str, value: Attribute) -> Contact {
        self.made_in.attributes.push((name.into(), value));
        self
    }

    fn told(&self) -> Told<'_> {
        Told {
            channel: Channel::Voice,
            source: "pbx",
            facts: &self.facts,
            journey: self.facts.journey.as_deref(),
            circumstances: &self.made_in,
        }
    }

    fn verdict(&self, bank: &Bank, rules: &RuleSet) -> Verdict {
        rules.judge(bank.0.floor(), &self.told(), &mut |_| 0)
    }

    /// The names of the rules that apply.
    fn rules(&self, bank: &Bank, rules: &RuleSet) -> Vec<String> {
        let applied = self.verdict(bank, rules).applied;
        applied.iter().map(|one| rules.rule_name(one.rule).to_owned()).collect()
    }

    fn plan(&self, bank: &Bank, rules: &RuleSet) -> Plan {
        let applied = self.verdict(bank, rules).applied;
        let asked = Asked {
            requirements: &self.made_in.requirements,
            applied: &applied,
            ..Asked::plain(Channel::Voice, bank.key("general"), &self.facts)
        };
        rules.plan(bank.0.floor(), &asked)
    }
}

fn texts(all: &[Text]) -> Vec<&str> {
    all.iter().map(|text| &**text).collect()
}

/// Rules of this form, with a queue to fall back to.
fn ordered(list: &str) -> RuleSet {
    with(&format!("rules:\n{list}\nfallback: {{ queue: general }}"))
}

fn said(list: &str) -> String {
    let text = document(&format!("rules:\n{list}\nfallback: {{ queue: general }}"));
    RuleSet::read(&text).expect_err("it has a mistake").to_string()
}

#[test]
fn a_rule_that_matches_says_where_it_goes_what_it_asks_for_and_what_people_read() {
    let (bank, rules) = (Bank::new(), rules(SAMPLE));
    let contact = Contact::about("blocked").with("fraud_suspected", Attribute::Truth(true));
    let plan = contact.plan(&bank, &rules);
    assert_eq!(bank.names(&plan)[0], "cards-lost");
    assert_eq!(plan.priority, 30, "10 of its queue, 20 of the rule");
    assert_eq!(plan.weight, Part::thousandths(4_000));
    assert!(plan.entry().requirements().contains(&bank.needs("credit", 5)));
    assert_eq!(texts(&plan.tags), ["fraud"]);
    let instruction = "The fraud engine has marked this. Ask for the two passwords before anything else.";
    assert_eq!(texts(&plan.instructions), [instruction]);
}

#[test]
fn no_rule_below_one_that_stops_is_looked_at() {
    let (bank, rules) = (Bank::new(), rules(SAMPLE));
    let angry = Journey { signals: Signals { complaint: true, ..Signals::default() }, ..Journey::default() };
    let contact = Contact::of(angry);
    assert_eq!(contact.rules(&bank, &rules), ["a complaint is nobody's second job"]);
    let marked = contact.with("fraud_suspected", Attribute::Truth(true));
    assert_eq!(marked.rules(&bank, &rules), ["suspected fraud"]);
    let trace = rules.trace(bank.0.floor(), &marked.told());
    assert_eq!(trace[0].outcome, Outcome::Matched { share: None });
    assert!(trace[1..].iter().all(|one| one.outcome == Outcome::NotReached), "{trace:?}");
}

#[test]
fn where_two_say_different_things_the_first_is_right_and_what_adds_up_is_added() {
    let bank = Bank::new();
    let rules = ordered(
        "  - { name: one, then: { queue: loans, priority: 2, weight: 2, require: { cards: 3 }, tags: [a], goals: { abandon: 7 } } }
  - { name: two, then: { queue: partner, priority: 3, weight: 1.5, require: { cards: 5, french: 1 }, tags: [b, a], goals: { abandon: 9, late: 4 } } }",
    );
    let plan = Contact::default().plan(&bank, &rules);
    assert_eq!(bank.names(&plan)[0], "loans");
    assert_eq!((plan.priority, plan.weight), (5, Part::thousandths(3_000)));
    assert_eq!((plan.goals.abandon, plan.goals.late), (Money(7_000_000), Money(4_000_000)));
    let needs = plan.entry().requirements().to_vec();
    let wanted = [bank.needs("credit", 5), bank.needs("cards", 5), bank.needs("french", 1)];
    assert!(wanted.iter().all(|need| needs.contains(need)), "{needs:?}");
    assert_eq!(texts(&plan.tags), ["a", "b"]);
}

#[test]
fn what_a_rule_says_of_waiting_holds_where_it_comes_in_and_not_where_it_overflows_to() {
    let bank = Bank::new();
    let text = "rules:
  - name: loans by phone
    then:
      queue: loans
      prefer: { mortgages: 4 }
      relaxation: [{ after: 10s, drop: [mortgages] }]
      last_step: { after: 1m, then: { call_back_within: 1h } }
      overflow: [{ when: { waiting: 5 }, to: [partner] }]
fallback: { queue: general }
queues:
  loans: { last_step: { after: 9m, then: refuse } }
  partner: { last_step: { after: 2m, then: refuse } }";
    let plan = Contact::default().plan(&bank, &with(text));
    assert_eq!(bank.names(&plan), ["loans", "partner", "general"]);
    let [loans, partner, _] = &*plan.routes else { panic!("and the way back") };
    assert_eq!(loans.last_step.exit, Exit::Callback { within_ms: 3_600_000 });
    assert_eq!((loans.relaxation.len(), loans.overflow.len()), (1, 2));
    let back = Overflow { when: vec![WhenFull::Closed], to: vec![bank.key("general")] };
    assert_eq!(loans.overflow[1], back, "where loans is closed or full");
    assert_eq!((partner.last_step.exit.clone(), partner.last_step.after_ms), (Exit::Refuse, 120_000));
}

#[test]
fn a_rule_whose_condition_fails_is_skipped_and_the_others_apply() {
    let bank = Bank::new();
    let rules = ordered(
        "  - { name: broken, when: journey.sentiment < 0, then: { queue: partner } }
  - { name: sound, when: interaction.channel == \"voice\", then: { queue: loans } }",
    );
    let contact = Contact::default();
    let verdict = contact.verdict(&bank, &rules);
    assert_eq!(verdict.applied, [Applied { rule: 1, arm: 0 }]);
    assert_eq!(verdict.failed.len(), 1);
    assert_eq!(bank.names(&contact.plan(&bank, &rules))[0], "loans");
    let trace = rules.trace(bank.0.floor(), &contact.told());
    assert_eq!(trace[0].outcome, Outcome::Skipped { why: "journey.sentiment is missing".to_owned() });
}

#[test]
fn the_trace_names_the_part_that_was_not_so_and_what_it_was_told() {
    let (bank, rules) = (Bank::new(), rules(SAMPLE));
    let contact = Contact::of(Journey { tier: "silver".into(), ..Journey::default() });
    let trace = rules.trace(bank.0.floor(), &contact.told());
    let private = trace.iter().find(|one| one.rule == "private banking").expect("it is traced");
    let because = r#"customer.tier in ["gold", "platinum"]; customer.tier is "silver""#.to_owned();
    assert_eq!(private.outcome, Outcome::NotMatched { because });
}

#[test]
fn shares_hold_exactly_over_time() {
    let (bank, rules) = (Bank::new(), rules(SAMPLE));
    let contact = Contact::about("card-limit");
    let mut next = 0;
    let mut partner = 0;
    for count in 1..=1_000_u32 {
        let verdict = rules.judge(bank.0.floor(), &contact.told(), &mut |rule| {
            assert_eq!(rule, "partner trial");
            next += 1;
            next - 1
        });
        partner += u32::from(verdict.applied[0].arm == 0);
        let off = (i64::from(partner) * 5 - i64::from(count)).abs();
        assert!(off <= 10, "{partner} of {count}");
    }
    assert_eq!(next, 1_000, "one number each");
    assert!((199..=201).contains(&partner), "{partner}");
}

#[test]
fn figures_hours_and_the_clock_are_as_they_were_told() {
    let (bank, rules) = (Bank::new(), rules(SAMPLE));
    let mut contact = Contact::about("loan");
    let crowded = QueueFigures { waiting: 31, ..QueueFigures::default() };
    contact.made_in.queues = vec![("loans".into(), crowded)];
    contact.made_in.hours = vec![("office".into(), false)];
    // Thursday, 26 November 2026, 23:30 in Madrid.
    contact.made_in.at = Time(1_795_732_200_000);
    assert_eq!(contact.rules(&bank, &rules), ["when the loan desk is full", "at night"]);
    contact.made_in.queues[0].1.waiting = 30;
    contact.made_in.hours[0].1 = true;
    assert_eq!(contact.rules(&bank, &rules), [""; 0]);
}

#[test]
fn a_deadline_makes_it_count_towards_the_time_when_it_should_be_done() {
    let bank = Bank::new();
    let rules = ordered("  - { name: by evening, then: { deadline: 8h } }");
    let plan = Contact::default().plan(&bank, &rules);
    assert_eq!((plan.by_due, plan.deadline_ms), (true, Some(28_800_000)));
}

#[test]
fn the_source_s_wish_comes_before_the_agent_a_rule_names_and_that_before_the_last() {
    let bank = Bank::new();
    let rules =
        ordered("  - { name: maria, then: { preferred_agent: { agent: maria, budget: { voice: 20s } } } }");
    let plan = Contact::default().plan(&bank, &rules);
    let maria = bank.0.floor().agents.key("maria");
    assert_eq!(plan.preferred.map(|one| (one.agent.0, one.budget_ms)), maria.map(|key| (key, 20_000)));
    let absent =
        ordered("  - { name: nobody, then: { preferred_agent: { agent: nobody, budget: { any: 20s } } } }");
    assert_eq!(Contact::default().plan(&bank, &absent).preferred, None, "the floor has no such agent");
}

#[test]
fn whatever_somebody_sends_to_a_queue_goes_there() {
    let bank = Bank::new();
    let rules = ordered("  - { name: loans, then: { queue: loans, tags: [loan] } }");
    let applied = [Applied { rule: 0, arm: 0 }];
    let facts = Facts::default();
    let plain = Asked::plain(Channel::Voice, bank.key("partner"), &facts);
    let plan = rules.plan(bank.0.floor(), &Asked { applied: &applied, queue_is_final: true, ..plain });
    assert_eq!((bank.names(&plan)[0].as_str(), texts(&plan.tags)), ("partner", vec!["loan"]));
}

#[test]
fn rules_that_match_nothing_of_what_was_recorded_are_named() {
    let (bank, rules) = (Bank::new(), rules(SAMPLE));
    let recorded = [
        Contact::of(Journey { tier: "gold".into(), ..Journey::default() }),
        Contact::about("card-limit"),
        Contact::default(),
    ];
    let unmatched = rules.unmatched(bank.0.floor(), recorded.iter().map(Contact::told));
    let complaint = "a complaint is nobody's second job";
    assert_eq!(unmatched, [complaint], "those that ask for attributes, figures and hours are passed over");
}

#[test]
fn the_samples_are_right() {
    for (text, count) in [(SAMPLE, 7), (SHOP, 5), (TELECOM, 7)] {
        let rules = rules(text);
        assert_eq!(rules.document().rules.len(), count, "{}", rules.name());
    }
}

#[test]
fn mistakes_in_rules_are_told_with_line_and_column() {
    let table = [
        (
            "  - { name: a, when: interaction.chanel == \"voice\", then: { priority: 1 } }",
            "rules[0].when: got interaction.chanel",
        ),
        (
            "  - { name: a, then: { priority: 1 } }\n  - { name: a, then: { priority: 1 } }",
            "rules[1].name: got \"a\" once more, want each once",
        ),
        ("  - { name: a }", "rules[0]: got neither then nor split, want one of them"),
        ("  - { name: a, then: {} }", "rules[0].then: got nothing, want at least one action"),
        ("  - { name: a, then: { queu: x } }", "unknown field `queu`"),
        (
            "  - { name: a, split: [{ share: 50%, then: { priority: 1 } }, { share: 40%, then: { priority: 2 } }] }",
            "rules[0].split: got shares of 90.0000% in all, want shares of 100% in all",
        ),
        (
            "  - { name: a, then: { overflow: [{ when: { waiting: 3 }, to: [] }] } }",
            "rules[0].then.overflow[0].to: got no queue",
        ),
        ("  - { name: a, then: { relaxation: [{ after: 10s, drop: [french] }] } }", "no last_step"),
        ("  - { name: a, then: { priority: 101 } }", "rules[0].then.priority: got 101"),
    ];
    for (list, wanted) in table {
        let said = said(list);
        assert!(said.contains(wanted), "{said}\nwanted {wanted}");
        assert!(said.starts_with("line "), "{said}");
    }
    let without = document("rules:\n  - { name: a, then: { priority: 1 } }");
    let said = RuleSet::read(&without).expect_err("no fallback").to_string();
    assert!(said.contains("rules: got no fallback, want a fallback beside them"), "{said}");
}
