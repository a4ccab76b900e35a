//! The index leaves out what does not hold and nothing else, and makes many rules nearly as cheap as few.

use super::chance::{Chance, rounds};
use super::given::{Drawn, compiled, complained, declared, grounds};
use crate::rules::condition::{Condition, Index};
use crate::rules::facts::Grounds;

fn candidates(conditions: &[Condition], grounds: &Grounds) -> Vec<u16> {
    found(&Index::new(conditions), grounds)
}

fn found(index: &Index, grounds: &Grounds) -> Vec<u16> {
    let mut candidates = vec![7];
    index.candidates(grounds, &mut candidates);
    candidates
}

#[test]
fn a_rule_is_found_by_the_guard_that_leaves_out_most() {
    let texts = [
        "interaction.channel == 'voice' && customer.tier == 'gold'",
        "interaction.channel == 'voice' && customer.tier == 'silver'",
        "interaction.channel == 'chat' && attribute.absent > 1",
        "attribute.absent > 1 && interaction.channel == 'chat'",
        "queue.waiting > 3",
        "time.weekday <= 5 && !customer.known",
        "time.weekday >= 6",
        "interaction.channel in ['voice', 'video'] || true",
        "interaction.priority == 3",
        "customer.tier == 'gold' && customer.tier == 'silver'",
        "interaction.intent != 'x'",
    ];
    let conditions: Vec<Condition> = texts.iter().map(|text| compiled(text)).collect();
    assert_eq!(candidates(&conditions, &grounds(&complained())), [0, 4, 7, 8, 10]);
}

/// The law: with the index, the same rules hold, in the same order, and the same fail.
#[test]
fn with_the_index_the_same_rules_hold_and_the_same_are_skipped() {
    rounds(11, the_same_rules_hold);
}

fn the_same_rules_hold(seed: u64) {
    let mut chance = Chance::new(seed);
    let mut left_out = 0;
    for _ in 0..60 {
        let conditions: Vec<Condition> = (0..20)
            .filter_map(|_| {
                let depth = u32::try_from(chance.below(3)).expect("below 3");
                let first = if chance.coin() { chance.threshold() } else { chance.truth(0).ours };
                let second = if chance.coin() { chance.threshold() } else { chance.truth(0).ours };
                let said = format!("{first} && {second} && {}", chance.truth(depth).ours);
                Condition::compile(&said, &declared()).ok()
            })
            .collect();
        let index = Index::new(&conditions);
        for _ in 0..10 {
            let drawn = Drawn::new(&mut chance);
            let candidates = found(&index, &drawn.grounds());
            assert!(candidates.is_sorted_by(|one, other| one < other), "in order, each once");
            for (number, condition) in conditions.iter().enumerate() {
                let number = u16::try_from(number).expect("20 at most");
                let is_candidate = candidates.contains(&number);
                left_out += u32::from(!is_candidate);
                let holds = condition.holds(&drawn.grounds());
                assert!(is_candidate || holds == Ok(false), "{} is left out: {holds:?}", condition.text());
                if is_candidate {
                    let judged = index.holds(number, condition, &drawn.grounds());
                    assert_eq!(judged, holds, "{} without what is settled", condition.text());
                }
            }
        }
    }
    assert!(left_out > 1_000, "chance makes guards: {left_out}");
}

/// Counted in conditions that are judged, which is what costs: of a thousand rules with a guard no more than of ten.
#[test]
fn of_a_thousand_rules_with_guards_as_few_are_judged_as_of_ten() {
    let rules = |count: usize| -> Vec<Condition> {
        let rule = |number| {
            compiled(&format!("interaction.channel == 'voice' && interaction.intent == 'i{number}'"))
        };
        (0..count).map(rule).collect()
    };
    let journey = complained();
    let mut grounds = grounds(&journey);
    grounds.interaction.intent = "i7";
    assert_eq!(candidates(&rules(10), &grounds), [7]);
    assert_eq!(candidates(&rules(1_000), &grounds), [7]);
}

/// A threshold is found by the number: rules whose bound is not reached are not judged, and of two guards the one that holds
/// more rarely is taken.
#[test]
fn of_rules_with_thresholds_those_are_judged_that_are_reached() {
    let texts = [
        "journey.about_24h > 3 && time.hour >= 0",
        "time.hour >= 0 && journey.about_24h >= 3",
        "journey.about_24h < 3",
        "!(journey.about_24h < 3)",
        "journey.about_24h >= 2 && journey.about_24h <= 4",
        "journey.about_24h > 1 && journey.about_24h != 3",
        "4 > journey.about_24h && journey.about_24h > 2",
        "journey.about_24h > 3 && journey.about_24h < 3",
    ];
    let conditions: Vec<Condition> = texts.iter().map(|text| compiled(text)).collect();
    let mut journey = complained();
    let mut with = |count| {
        journey.about_24h = count;
        candidates(&conditions, &grounds(&journey))
    };
    assert_eq!(with(0), [2]);
    assert_eq!(with(2), [2, 4, 5]);
    assert_eq!(with(3), [1, 3, 4, 6]);
    assert_eq!(with(4), [0, 1, 3, 4, 5]);
    assert_eq!(with(u32::MAX), [0, 1, 3, 5]);
}

/// Counted as above: a thousand rules with thresholds, of which ten are reached.
#[test]
fn of_a_thousand_rules_with_thresholds_as_few_are_judged_as_are_reached() {
    let rule = |number| compiled(&format!("journey.about_24h > {number} && time.hour >= 0"));
    let rules: Vec<Condition> = (0..1_000).map(rule).collect();
    let mut journey = complained();
    journey.about_24h = 10;
    assert_eq!(candidates(&rules, &grounds(&journey)), (0..10).collect::<Vec<u16>>());
}
