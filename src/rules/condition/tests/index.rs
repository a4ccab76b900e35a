//! The index leaves out what does not hold and nothing else, and makes many rules nearly as cheap as few.

use super::chance::{Chance, rounds};
use super::given::{Drawn, compiled, complained, declared, grounds};
use crate::rules::condition::{Condition, Index};

fn candidates(conditions: &[Condition], grounds: &crate::rules::facts::Grounds) -> Vec<u16> {
    let mut candidates = vec![7];
    Index::new(conditions).candidates(grounds, &mut candidates);
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
                let said = format!("{} && {}", chance.truth(0).ours, chance.truth(depth).ours);
                Condition::compile(&said, &declared()).ok()
            })
            .collect();
        for _ in 0..10 {
            let drawn = Drawn::new(&mut chance);
            let candidates = candidates(&conditions, &drawn.grounds());
            assert!(candidates.is_sorted_by(|one, other| one < other), "in order, each once");
            for (number, condition) in conditions.iter().enumerate() {
                let number = u16::try_from(number).expect("20 at most");
                let is_candidate = candidates.contains(&number);
                left_out += u32::from(!is_candidate);
                let holds = condition.holds(&drawn.grounds());
                assert!(is_candidate || holds == Ok(false), "{} is left out: {holds:?}", condition.text());
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
