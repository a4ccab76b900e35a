//! What is said to be certain is certain: of a condition that never or always holds, and of one that holds wherever another
//! does. By examples, and against chance.

use super::chance::{Chance, rounds};
use super::given::{Drawn, compiled, declared};
use crate::rules::condition::Condition;

#[test]
fn what_never_holds_is_found() {
    for text in [
        "false",
        "1 > 2",
        "customer.known && false",
        "customer.tier == 'gold' && customer.tier == 'silver'",
        "customer.tier in ['gold', 'silver'] && customer.tier == 'tin'",
        "customer.tier == 'gold' && customer.tier != 'gold'",
        "journey.contacts_24h > 5 && journey.contacts_24h < 3",
        "journey.contacts_24h > 5 && journey.contacts_24h < 6",
        "journey.contacts_24h < 0",
        "interaction.priority > 10",
        "interaction.priority in [11, 12]",
        "25 == time.hour",
        "queue.service_level > 100",
        "queue.longest_wait < duration('0s')",
        "customer.known && !customer.known",
        "time.weekday in [6, 7] && time.weekday <= 5",
        "interaction.channel != 'voice' && !(interaction.channel in ['video', 'chat', 'message', 'email', 'social', 'task'])",
        "(customer.tier == 'a' || customer.tier == 'b') && customer.tier == 'c'",
        "!(customer.tier == 'a' || customer.tier != 'a')",
        "!has(interaction.due_in) && interaction.due_in < duration('1h')",
        "interaction.intent.startsWith('a') && !interaction.intent.startsWith('a')",
        "customer.known ? customer.tier == 'a' && customer.tier == 'b' : time.hour > 23",
    ] {
        assert!(compiled(text).never_holds(), "{text}");
        assert!(!compiled(text).always_holds(), "{text}");
    }
}

#[test]
fn what_always_holds_is_found() {
    for text in [
        "true",
        "1 < 2",
        "interaction.priority <= 10",
        "journey.contacts_24h >= 0",
        "customer.known || !customer.known",
        "customer.tier == 'gold' || customer.tier != 'gold'",
        "time.hour < 12 || time.hour >= 12",
        "has(customer.tier)",
        "has(interaction.due_in) || !has(interaction.due_in)",
        "interaction.channel in ['voice', 'video', 'chat', 'message', 'email', 'social', 'task']",
    ] {
        assert!(compiled(text).always_holds(), "{text}");
        assert!(!compiled(text).never_holds(), "{text}");
    }
}

#[test]
fn what_may_be_either_way_is_left_alone() {
    for text in [
        "customer.known",
        "customer.tier == 'gold' && interaction.priority > 3",
        "customer.tier == 'gold' || customer.tier == 'silver'",
        "interaction.requires == 1 ? true : false",
        "'a' in interaction.requires && 'b' in interaction.requires",
        "queues['loans'].waiting > 3 && queues['cards'].waiting < 2",
        "interaction.intent.startsWith('a') && interaction.intent.startsWith('b')",
        "time.date > '2026-12-01' && time.date < '2026-01-01'",
    ] {
        let Ok(condition) = Condition::compile(text, &declared()) else { continue };
        assert!(!condition.never_holds() && !condition.always_holds(), "{text}");
    }
}

#[test]
fn a_rule_that_another_hides_is_found() {
    for (one, other, want) in [
        ("customer.tier == 'gold' && time.hour > 3", "customer.tier == 'gold'", true),
        ("customer.tier == 'gold'", "customer.tier in ['gold', 'silver']", true),
        ("customer.tier == 'gold'", "customer.tier != 'silver'", true),
        ("journey.about_24h >= 3", "journey.about_24h > 1", true),
        ("journey.about_24h >= 3", "journey.about_24h > 1 || customer.known", true),
        ("customer.tier == 'a' || customer.tier == 'b'", "customer.tier in ['b', 'a', 'c']", true),
        ("customer.known", "true", true),
        ("customer.known", "interaction.priority <= 10", true),
        ("interaction.due_in < duration('1h')", "has(interaction.due_in)", true),
        ("interaction.due_in < duration('1h')", "interaction.due_in < duration('2h')", true),
        ("interaction.intent.startsWith('a') && customer.known", "interaction.intent.startsWith('a')", true),
        ("false", "customer.known", true),
        ("customer.tier == 'gold'", "customer.tier == 'gold' && time.hour > 3", false),
        ("customer.tier in ['gold', 'silver']", "customer.tier == 'gold'", false),
        ("journey.about_24h > 1", "journey.about_24h >= 3", false),
        // Where nobody told the due time, the other fails and does not hold.
        (
            "customer.known",
            "interaction.due_in >= duration('0s') || interaction.due_in < duration('0s')",
            false,
        ),
        ("customer.known", "queue.service_level <= 100", false),
        ("interaction.intent.startsWith('ab')", "interaction.intent.startsWith('a')", false),
        ("customer.tier == 'a' || customer.known", "customer.tier == 'a'", false),
    ] {
        assert_eq!(compiled(one).implies(&compiled(other)), want, "{one} / {other}");
    }
}

#[test]
fn doubts_name_the_part_and_what_to_ask_first() {
    let doubts = |text: &str| compiled(text).doubts().iter().map(ToString::to_string).collect::<Vec<_>>();
    for (text, want) in [
        ("customer.known && time.hour > 23", "line 1, column 19: time.hour > 23 never holds"),
        (
            "customer.tier == 'a'\n && customer.tier == 'b'",
            "line 2, column 5: customer.tier == 'b' never holds beside what stands before it",
        ),
        (
            "customer.known && interaction.priority <= 10",
            "column 19: interaction.priority <= 10 always holds",
        ),
        (
            "interaction.due_in < duration('1h')",
            "interaction.due_in may be missing, and the rule is skipped then; has(interaction.due_in) && ... asks first",
        ),
        ("attribute.vip || customer.known", "attribute.vip may be missing"),
        (
            "queue.waiting > 3",
            "queue.waiting may be missing, where no queue is named; ask for interaction.queue first",
        ),
        (
            "queues['loans'].estimated_wait > duration('1m')",
            "has(queues[\"loans\"].estimated_wait) && ... asks first",
        ),
        ("has(attribute.contract) || attribute.limit > 3", "attribute.limit may be missing"),
        ("has(attribute.limit) ? customer.known : attribute.limit > 3", "attribute.limit may be missing"),
    ] {
        let doubts = doubts(text);
        assert!(doubts.len() == 1 && doubts[0].contains(want), "{text}: {doubts:#?} does not say {want}");
    }
    for text in [
        "has(interaction.due_in) && interaction.due_in < duration('1h')",
        "attribute.vip && has(attribute.vip)",
        "!has(attribute.limit) || attribute.limit > 3",
        "has(attribute.limit) ? attribute.limit > 3 : customer.known",
        "(has(attribute.contract) ? attribute.contract : '') == 'business'",
        "(has(attribute.limit) ? attribute.limit + 1 : 0) > 3",
        "interaction.queue == 'loans' && queue.waiting > 3",
        "interaction.queue in ['loans', 'cards'] && queue.waiting > 3",
        "interaction.queue != '' && queue.waiting > 3",
        "has(queue.open) && queue.waiting > 3",
        "queues['loans'].waiting > 3",
    ] {
        assert!(doubts(text).is_empty(), "{text}: {:?}", doubts(text));
    }
}

/// Nothing that is said to be certain is otherwise on any of many grounds.
#[test]
fn what_is_certain_is_so_whatever_the_facts() {
    rounds(7, is_so_whatever_the_facts);
}

fn is_so_whatever_the_facts(seed: u64) {
    let mut chance = Chance::new(seed);
    let drawn: Vec<Drawn> = (0..60).map(|_| Drawn::new(&mut chance)).collect();
    let (mut never, mut always, mut hidden) = (0, 0, 0);
    let mut before = Condition::always();
    for _ in 0..1_500 {
        let depth = u32::try_from(chance.below(4)).expect("below 4");
        let Ok(condition) = Condition::compile(&chance.truth(depth).ours, &declared()) else { continue };
        let (is_never, is_always) = (condition.never_holds(), condition.always_holds());
        let (implies, implied) = (condition.implies(&before), before.implies(&condition));
        for drawn in &drawn {
            let (this, other) = (condition.holds(&drawn.grounds()), before.holds(&drawn.grounds()));
            assert!(!is_never || this != Ok(true), "{} never holds", condition.text());
            assert!(!is_always || this != Ok(false), "{} always holds", condition.text());
            assert!(
                !implies || this != Ok(true) || other == Ok(true),
                "{} / {}",
                condition.text(),
                before.text()
            );
            assert!(
                !implied || other != Ok(true) || this == Ok(true),
                "{} / {}",
                before.text(),
                condition.text()
            );
        }
        never += u32::from(is_never);
        always += u32::from(is_always);
        hidden += u32::from(implies && !is_never && !before.always_holds());
        before = condition;
    }
    assert!(
        never > 20 && always > 20 && hidden > 3,
        "chance makes some of each: {never}, {always}, {hidden}"
    );
}
