//! Whatever is written is refused with a place, or judges, explains and plans within the limits of a plan, whoever comes.
//!
//! The seed is fixed and the count small; `BATON_FUZZ_SECONDS` goes on for so long, with one seed after the other.

use super::bank::Bank;
use super::mutated::{document, sample};
use crate::engine::channel::Channel;
use crate::engine::circumstances::{Attribute, Circumstances, QueueFigures};
use crate::engine::ids::CustomerId;
use crate::engine::journey::{Journey, Signals};
use crate::engine::plan::{Facts, Plan};
use crate::engine::route::{RELAXATION_MAX, ROUTES_MAX};
use crate::engine::stakes::{WEIGHT_MAX, WEIGHT_MIN};
use crate::engine::time::Time;
use crate::rules::compiled::RULES_MAX;
use crate::rules::condition::tests::chance::{Chance, rounds};
use crate::rules::overlay::{INSTRUCTIONS_MAX, TAGS_MAX};
use crate::rules::{Applied, Asked, DocumentErrors, Outcome, RuleSet, Told, Traced, diff, parse};
use serde_json::Value;

/// Documents of one seed.
const DOCUMENTS: u32 = 400;

/// The floor of the three samples.
fn floor() -> Bank {
    let mut bank = Bank::new();
    for queue in
        ["service", "advice", "complaints", "branches", "technics", "outage", "business", "retention"]
    {
        bank.queue(queue, vec![]);
    }
    bank
}

/// Somebody who comes.
struct Comer {
    channel: Channel,
    facts: Facts,
    made_in: Circumstances,
}

impl Comer {
    fn drawn(chance: &mut Chance) -> Comer {
        let journey = chance.maybe(journey);
        let facts = Facts {
            intent: chance.one_of(&["", "loan", "card-limit", "upgrade", "delivery", "no-connection"]).into(),
            language: chance.one_of(&["", "pt-PT", "es"]).into(),
            customer: journey.is_some().then_some(CustomerId(7)),
            journey: journey.map(Into::into),
            ..Facts::default()
        };
        Comer { channel: chance.one_of(&Channel::ALL), facts, made_in: circumstances(chance) }
    }

    fn told(&self) -> Told<'_> {
        let (facts, circumstances) = (&self.facts, &self.made_in);
        let journey = facts.journey.as_deref();
        Told { channel: self.channel, source: "bot", facts, journey, circumstances }
    }
}

fn journey(chance: &mut Chance) -> Journey {
    let signals = Signals { complaint: chance.coin(), competitor: chance.coin(), cancel: chance.coin() };
    Journey {
        tier: chance.one_of(&["", "gold", "silver"]).into(),
        open_promises: chance.one_of(&[0, 1, u32::MAX]),
        about_7d: chance.one_of(&[0, 2, u32::MAX]),
        about_within: chance.one_of(&[0, 1, 3, u32::MAX]),
        sentiment: chance.maybe(|chance| chance.one_of(&[-100, -41, 0, 100])),
        signals,
        ..Journey::default()
    }
}

fn circumstances(chance: &mut Chance) -> Circumstances {
    let truth = |chance: &mut Chance| Attribute::Truth(chance.coin());
    let number =
        |chance: &mut Chance| Attribute::Number(chance.one_of(&[i64::MIN, 0, 800, 250_000, i64::MAX]));
    let text = |chance: &mut Chance| {
        Attribute::Text(chance.one_of(&["", "mortgage", "business", "a branch"]).into())
    };
    let mut attributes = chance.some(&["fraud_suspected", "outage"], truth);
    attributes.extend(chance.some(&["amount", "cart"], number));
    attributes.extend(chance.some(&["product", "branch", "contract", "device"], text));
    let figures = |chance: &mut Chance| QueueFigures {
        open: chance.coin(),
        waiting: chance.one_of(&[0, 31, u32::MAX]),
        longest_wait_ms: chance.one_of(&[0, 60_000, u64::MAX]),
        estimated_wait_ms: chance.maybe(|chance| chance.one_of(&[0, u64::MAX])),
        ..QueueFigures::default()
    };
    let queues = chance.some(&["loans", "general"], figures);
    Circumstances {
        // From 1970 to the year 9999.
        at: Time(chance.one_of(&[0, 1_795_732_200_000, 253_370_764_800_000])),
        attributes: attributes.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        hours: chance
            .some(&["office"], Chance::coin)
            .into_iter()
            .map(|(name, open)| (name.into(), open))
            .collect(),
        queues: queues.into_iter().map(|(name, figures)| (name.into(), figures)).collect(),
        ..Circumstances::default()
    }
}

/// How many values stand in a document, once its aliases have been followed.
fn values(of: &Value) -> usize {
    match of {
        Value::Array(entries) => 1 + entries.iter().map(values).sum::<usize>(),
        Value::Object(parts) => 1 + parts.values().map(values).sum::<usize>(),
        _ => 1,
    }
}

/// Refused, it is with a reason, in a line that there is.
fn has_reasons(text: &str, DocumentErrors(errors): &DocumentErrors) {
    assert!(!errors.is_empty(), "refused without a reason\n{text}");
    // The parser counts a line after the last, where something is missing.
    let lines = u64::try_from(text.split(['\n', '\r', '\u{85}']).count()).expect("a few") + 1;
    for error in errors {
        assert!(!error.got.is_empty(), "{error:?}\n{text}");
        assert!(error.line.is_none_or(|line| line <= lines), "{error:?} in {lines} lines\n{text}");
    }
}

/// A plan is within its limits, whatever was asked for.
fn is_bounded(text: &str, plan: &Plan) {
    assert!((1..=ROUTES_MAX).contains(&plan.routes.len()), "{text}");
    for route in plan.routes.iter() {
        let steps = &route.relaxation;
        assert!(!route.needs.is_empty() && steps.len() <= RELAXATION_MAX, "{text}");
        assert!(steps.is_sorted_by(|one, next| one.after_ms < next.after_ms), "{text}");
    }
    assert!(plan.instructions.len() <= INSTRUCTIONS_MAX && plan.tags.len() <= TAGS_MAX, "{text}");
    assert!((WEIGHT_MIN..=WEIGHT_MAX).contains(&plan.weight), "{text}");
}

/// What the trace says matched is what was judged to apply.
fn is_traced(text: &str, applied: &[Applied], trace: &[Traced]) {
    let matched = (0..).zip(trace).filter_map(|(rule, traced)| match traced.outcome {
        Outcome::Matched { share } => Some(Applied { rule, arm: share.map_or(0, |share| share - 1) }),
        _ => None,
    });
    assert_eq!(matched.collect::<Vec<_>>(), applied, "{text}");
}

fn judges(bank: &Bank, text: &str, rules: &RuleSet, comer: &Comer) {
    let (floor, told) = (bank.0.floor(), comer.told());
    let verdict = rules.judge(floor, &told, &mut |_| 0);
    is_traced(text, &verdict.applied, &rules.trace(floor, &told));
    for queue in ["general", "loans"] {
        let plain = Asked::plain(comer.channel, bank.key(queue), &comer.facts);
        for queue_is_final in [false, true] {
            is_bounded(
                text,
                &rules.plan(floor, &Asked { applied: &verdict.applied, queue_is_final, ..plain }),
            );
        }
    }
}

/// True if it is right.
fn is_refused_or_rules(bank: &Bank, text: &str, comers: &[Comer]) -> bool {
    let rules = match RuleSet::read(text) {
        Ok(rules) => rules,
        Err(errors) => {
            has_reasons(text, &errors);
            return false;
        }
    };
    let read: Value = parse::read_untyped(text).expect("it was read before");
    assert!(values(&read) <= 4 * text.len() && rules.document().rules.len() <= RULES_MAX, "{text}");
    let floor = bank.0.floor();
    let _ = (rules.skipped(floor), rules.doubts(None), rules.doubts(Some(floor)));
    assert_eq!(diff::changes(text, text), Ok(Vec::new()), "{text}");
    comers.iter().for_each(|comer| judges(bank, text, &rules, comer));
    let unmatched = rules.unmatched(floor, comers.iter().map(Comer::told));
    assert!(unmatched.len() <= rules.document().rules.len(), "{text}");
    true
}

#[test]
fn whatever_becomes_of_a_document_is_refused_or_rules() {
    rounds(200, |seed| {
        let right = round(seed);
        assert!(right > DOCUMENTS / 10, "chance leaves some right: {right}, seed {seed}");
    });
}

fn round(seed: u64) -> u32 {
    let (bank, mut chance) = (floor(), Chance::new(seed));
    let comers: Vec<Comer> = (0..3).map(|_| Comer::drawn(&mut chance)).collect();
    let mut right = 0;
    for _ in 0..DOCUMENTS {
        let text = document(&mut chance);
        right += u32::from(is_refused_or_rules(&bank, &text, &comers));
        // Drafts need not be right to be compared.
        let _ = diff::changes(sample(&mut chance), &text);
    }
    right
}
