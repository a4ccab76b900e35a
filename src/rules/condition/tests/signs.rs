//! Every sign and function that a condition can have, on known grounds.

use super::given::{compiled, complained, grounds, holds, unknown};
use crate::rules::condition::{Failure, Named};

fn missing(name: &str) -> Result<bool, Failure> {
    Err(Failure::Missing(name.into()))
}

#[test]
fn signs_mean_what_they_mean_everywhere() {
    for (text, want) in [
        ("1 + 2 * 3 == 7 && 7 / 2 == 3 && -7 / 2 == -3 && 7 % 3 == 1 && -7 % 3 == -1", true),
        ("10 - 2 - 3 == 5", true),
        ("- 3 < -2 && -(-3) == 3 && 1 - -3 == 4 && !(!true)", true),
        ("time.hour * 60 + time.minute == time.minute_of_day", true),
        ("interaction.priority != 3", false),
        ("interaction.priority <= 3 && interaction.priority >= 3", true),
        ("interaction.priority < 3 || interaction.priority > 3", false),
        ("3 == interaction.priority", true),
        ("interaction.intent == 'cancel_card'", true),
        ("interaction.intent < \"d\" && 'd' >= interaction.intent", true),
        ("interaction.intent.startsWith('cancel') && interaction.intent.endsWith('card')", true),
        ("interaction.intent.contains('_') && !interaction.intent.contains('__')", true),
        ("'cancel_card_now'.startsWith(interaction.intent)", true),
        ("interaction.language in ['es', 'ca'] && !(interaction.language in ['pt'])", true),
        ("customer.language in [interaction.language, 'ca']", true),
        ("interaction.priority in [1, 2, 1 + 2]", true),
        ("interaction.due_in in [-duration('1m30s')]", true),
        ("'mortgage' in interaction.requires && !('dutch' in interaction.requires)", true),
        ("size(interaction.requires) == 2 && interaction.requires.size() == 2", true),
        ("size('caf\u{e9}') == 4 && interaction.language.size() == 2", true),
        ("queue.longest_wait > duration('3m') && queue.longest_wait < duration('1h30m')", true),
        ("queue.longest_wait + duration('55s') == queue.estimated_wait", true),
        ("duration('1h') - duration('30m') == duration('30m')", true),
        ("interaction.due_in < duration('0s')", true),
        ("customer.known == journey.complaint && customer.known != hours['night']", true),
        ("customer.tier == 'gold' ? time.hour < 10 : time.hour < 9", true),
        ("(customer.known ? 1 : 2) == 1 && (queue.open ? 'a' : 'b') == 'a'", true),
        ("(journey.cancel ? queue.estimated_wait : duration('1h')) < duration('5m')", true),
        ("false ? 1 == 2 : true", true),
        ("interaction.source == 'p\"bx' || interaction.source == \"p\\\"bx\" || 'it\\'s' == \"it's\"", true),
        ("interaction.channel == \"voice\"\n    && customer.tier == \"gold\"", true),
        ("time.date >= '2026-12-24' && time.date < '2026-12-25'", true),
        ("true", true),
        ("((true))", true),
    ] {
        assert_eq!(holds(text), Ok(want), "{text}");
    }
}

#[test]
fn a_side_that_decides_hides_the_failure_of_the_other_and_no_other_sign_does() {
    let gone = "attribute.absent > 1";
    for (text, want) in [
        (format!("false && {gone}"), Ok(false)),
        (format!("{gone} && customer.tier == 'tin'"), Ok(false)),
        (format!("{gone} || customer.known"), Ok(true)),
        (format!("customer.known || {gone}"), Ok(true)),
        (format!("customer.known && {gone}"), missing("attribute.absent")),
        (format!("{gone} || false"), missing("attribute.absent")),
        (format!("!({gone})"), missing("attribute.absent")),
        (format!("({gone}) ? true : true"), missing("attribute.absent")),
        (format!("customer.known ? true : {gone}"), Ok(true)),
        (format!("({gone}) == true"), missing("attribute.absent")),
        ("attribute.absent in [1, 2]".to_owned(), missing("attribute.absent")),
        ("interaction.priority in [3, attribute.absent]".to_owned(), missing("attribute.absent")),
        ("size(attribute.contract) == 8".to_owned(), Ok(true)),
    ] {
        assert_eq!(holds(&text), want, "{text}");
    }
    assert_eq!(compiled("queue.open").holds(&unknown()), missing("queue.open"));
}

#[test]
fn numbers_beyond_64_bits_and_zeros_below_fail_the_rule_alone() {
    let large = "9223372036854775807";
    for (text, want) in [
        (format!("interaction.priority + {large} > 0"), Failure::Overflow),
        (format!("interaction.priority * {large} > 0"), Failure::Overflow),
        (format!("-interaction.priority - {large} > 0"), Failure::Overflow),
        ("10 / queue.free_agents > 0".to_owned(), Failure::DivisionByZero),
        ("10 % queue.free_agents > 0".to_owned(), Failure::DivisionByZero),
    ] {
        assert_eq!(holds(&text), Err(want), "{text}");
    }
    assert_eq!(holds("queue.free_agents == 0 || 10 / queue.free_agents > 0"), Ok(true));
}

#[test]
fn a_condition_names_what_must_be_gathered_for_it() {
    let uses = |text: &str| compiled(text).uses().clone();
    let plain = uses("interaction.channel == 'voice'");
    assert!(!plain.time() && !plain.own_queue && !plain.customer() && !plain.moments());
    let mut all = uses("queue.waiting > 3 && queues['cards'].open && hours['night'] && attribute.vip");
    all.join(&uses("journey.cancel || time.hour > 3 || queues['loans'].open"));
    assert!(all.own_queue && all.time() && all.customer() && all.moments());
    assert_eq!(all.queues.iter().map(|name| &**name).collect::<Vec<_>>(), ["cards", "loans"]);
    assert_eq!(all.hours.iter().map(|name| &**name).collect::<Vec<_>>(), ["night"]);
    assert_eq!(all.attributes.iter().map(|name| &**name).collect::<Vec<_>>(), ["vip"]);
    assert!(all.facts.contains("queue.waiting") && all.facts.contains("queue.open"));
}

#[test]
fn names_that_a_floor_does_not_have_are_told() {
    let mut uses =
        compiled("interaction.queue in ['loans', 'laons'] || interaction.queue != ''").uses().clone();
    uses.join(compiled("'mortgage' in interaction.requires || 'dutch' in interaction.requires").uses());
    uses.join(
        compiled("hours['moon'] || hours['night'] || queues['cards'].open || queues['loans'].open").uses(),
    );
    let names = [Named::Queue("loans"), Named::Skill("mortgage"), Named::Hours("night")];
    let strangers = uses.strangers(|named| names.contains(&named));
    let said = ["hours \"moon\"", "queue \"cards\"", "queue \"laons\"", "skill \"dutch\""];
    assert_eq!(strangers.len(), said.len(), "{strangers:#?}");
    assert!(strangers.iter().zip(said).all(|(stranger, said)| stranger.contains(said)), "{strangers:#?}");
}

#[test]
fn a_rule_without_a_condition_always_holds() {
    let always = crate::rules::condition::Condition::always();
    assert_eq!(always.holds(&unknown()), Ok(true));
    assert_eq!(always.holds(&grounds(&complained())), Ok(true));
    assert!(always.always_holds() && !always.never_holds() && always.doubts().is_empty());
}
