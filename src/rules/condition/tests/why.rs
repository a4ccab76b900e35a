//! What a trace says of a condition: the part that does not hold, in the words of its author, and what its facts were.

use super::given::{compiled, complained, grounds, unknown};
use crate::rules::condition::Why;

fn why(text: &str) -> String {
    compiled(text).why(&grounds(&complained())).to_string()
}

#[test]
fn the_first_part_that_does_not_hold_is_told_with_its_facts() {
    for (text, want) in [
        ("customer.tier == 'gold'", "matched"),
        ("customer.tier == 'gold' && time.hour >= 18", "not matched: time.hour >= 18; time.hour is 9"),
        (
            "customer.known\n  && (interaction.channel == \"chat\"\n    || queue.longest_wait > duration('5m'))",
            "not matched: interaction.channel == \"chat\" || queue.longest_wait > duration('5m'); \
             interaction.channel is \"voice\", queue.longest_wait is 3m5s",
        ),
        ("!(customer.known)", "not matched: !(customer.known); customer.known is true"),
        ("-1 > interaction.priority", "not matched: -1 > interaction.priority; interaction.priority is 3"),
        (
            "interaction.intent.startsWith('open')",
            "not matched: interaction.intent.startsWith('open'); interaction.intent is \"cancel_card\"",
        ),
        ("has(attribute.absent)", "not matched: has(attribute.absent); attribute.absent is missing"),
        (
            "'dutch' in interaction.requires",
            "not matched: 'dutch' in interaction.requires; interaction.requires is [\"mortgage\", \"spanish\"]",
        ),
        ("hours['night'] && attribute.absent > 1", "not matched: hours['night']; hours[\"night\"] is false"),
        ("attribute.absent > 1 && hours['night']", "not matched: hours['night']; hours[\"night\"] is false"),
        ("(time.hour + 1) * 2 > 90", "not matched: (time.hour + 1) * 2 > 90; time.hour is 9"),
        (
            "queues['cards'].waiting > 2 && true",
            "not matched: queues['cards'].waiting > 2; queues[\"cards\"].waiting is 0",
        ),
        (
            "interaction.due_in > duration('1h')",
            "not matched: interaction.due_in > duration('1h'); interaction.due_in is -1m30s",
        ),
        ("false", "not matched: false"),
        (
            "has(attribute.strange) && attribute.strange > 2",
            "skipped: attribute.strange came as something else than a whole number",
        ),
        ("attribute.absent > 1", "skipped: attribute.absent is missing"),
        ("hours['moon']", "skipped: the floor has no opening hours \"moon\""),
        (
            "false || (size(customer.tier) == 3)",
            "not matched: false || (size(customer.tier) == 3); customer.tier is \"gold\"",
        ),
    ] {
        assert_eq!(why(text), want, "{text}");
    }
    let unknown = compiled("queue.open || !has(queue.open) && false").why(&unknown());
    assert_eq!(unknown.to_string(), "skipped: queue.open is missing");
    assert!(matches!(unknown, Why::Skipped(failure) if failure.reason() == "missing_fact"));
}
