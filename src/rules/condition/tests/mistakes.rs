//! What is said about mistakes: line, column, what came and what would be right; all of them, in the order of the text.

use super::given::declared;
use crate::rules::condition::{BYTES_MAX, Condition, DEPTH_MAX, LIST_MAX, NODES_MAX, TEXT_MAX};

fn said(text: &str) -> Vec<String> {
    let wrong = Condition::compile(text, &declared()).expect_err(text);
    wrong.iter().map(ToString::to_string).collect()
}

/// One mistake, with this in what is said.
fn says(text: &str, part: &str) {
    let said = said(text);
    assert!(said.len() == 1 && said[0].contains(part), "{text}: {said:#?} does not say {part}");
}

#[test]
fn a_name_that_is_no_fact_suggests_the_one_that_was_meant() {
    for (text, want) in [
        (
            "interaction.chanel == 'voice'",
            "line 1, column 1: got interaction.chanel, which is no fact, want interaction.channel",
        ),
        (
            "customer.known && interactoin.channel == 'voice'",
            "column 19: got interactoin.channel, which is no fact, want interaction.channel",
        ),
        ("interaction.weather == 'x'", "want interaction. and one of channel, source, queue"),
        ("weather.rain", "want a fact of interaction, customer"),
        (
            "voice == interaction.channel",
            "got voice, want a fact such as interaction.channel, or a text in quotes: \"voice\"",
        ),
        ("interaction", "want interaction. and one of channel"),
        ("hours == 'x'", "want hours[\"head office\"]"),
        ("hours.night", "want hours[\"head office\"]"),
        ("hours[1]", "want a fact such as"),
        ("queues['loans'] == 1", "want queues[\"loans\"].waiting"),
        (
            "queues['loans'].wating > 1",
            "got queues['loans'].wating, which is no fact, want queues[\"loans\"].waiting",
        ),
        ("attribute.contrat == 'x'", "which the document does not declare, want attribute.contract"),
        ("attribute.shoe_size == 1", "want shoe_size under facts of the document"),
        ("interaction.channel.name == 'x'", "want a fact such as"),
        ("interaction['channel'] == 'voice'", "want a fact such as"),
        ("interaction.requires[0] == 'x'", "want a fact such as"),
    ] {
        says(text, want);
    }
}

#[test]
fn a_word_that_a_fact_never_is_is_no_condition() {
    for (text, want) in [
        (
            "interaction.channel == 'phone'",
            "column 24: got \"phone\", which interaction.channel never is, want one of voice, video",
        ),
        (
            "'voce' != interaction.channel",
            "column 1: got \"voce\", which interaction.channel never is, want \"voice\"",
        ),
        (
            "interaction.channel in ['voice', 'mail']",
            "column 34: got \"mail\", which interaction.channel never is, want \"email\"",
        ),
        ("journey.last_outcome == 'abandoned'", "want one of open, served, left"),
        ("customer.preferred_channel == 'fax'", "want one of voice"),
        ("time.date > '24.12.2026'", "got \"24.12.2026\", want a date as 2026-12-24"),
        ("time.date == '2026-02-30'", "want a date as 2026-12-24"),
    ] {
        says(text, want);
    }
}

#[test]
fn kinds_that_do_not_go_together_are_told_with_both_sides() {
    for (text, want) in [
        (
            "interaction.priority == 'high'",
            "column 1: got interaction.priority, which is a whole number, and 'high', which is a text, want the same kind",
        ),
        ("queue.longest_wait > 300", "want a duration, as in duration(\"90s\"), on both sides"),
        ("interaction.channel", "got interaction.channel, which is a text, want what is true or false"),
        ("3 + 4", "got 3 + 4, which is a whole number, want what is true or false"),
        ("customer.known && 1", "column 19: got 1, which is a whole number, want what is true or false"),
        ("!interaction.priority", "column 2: got interaction.priority"),
        ("-interaction.channel == 'x'", "want a whole number or a duration behind -"),
        ("interaction.intent + 'x' == 'y'", "want two whole numbers"),
        ("duration('1m') * 2 > duration('1m')", "want two whole numbers, or two durations with + or -"),
        ("customer.known < true", "want == or != between what is true or false"),
        ("interaction.requires == 'mortgage'", "want in, as in"),
        (
            "interaction.priority.startsWith('1')",
            "got interaction.priority, which is a whole number, want a text",
        ),
        ("1 in ['a']", "want texts in a list of texts"),
        (
            "interaction.priority in [1, 'a']",
            "column 29: got 'a', which is a text, want a whole number like the first",
        ),
        ("interaction.channel in 'voice'", "want a list behind in"),
        ("'a' in []", "got an empty list"),
        ("customer.known in [true]", "want a list of texts, whole numbers or durations"),
        ("['a'] == ['a']", "got a list, want lists behind in alone"),
        ("customer.known ? 1 : 'a'", "want the same kind on both sides of :"),
        ("1 < 2 < 3", "the same kind on both sides"),
        ("size(3) == 1", "want a text or a list of texts"),
    ] {
        let said = said(text);
        assert!(said[0].contains(want), "{text}: {said:#?} does not say {want}");
    }
}

#[test]
fn what_conditions_do_not_have_is_refused_by_its_own_sentence() {
    for (text, want) in [
        ("queue.service_level < 0.8", "column 23: got 0.8, want a whole number such as 3"),
        ("1e3 == 1", "got 1e3, want a whole number"),
        ("0x10 == 16", "got 0x10, want a whole number"),
        ("3u == 3", "got 3u, want a whole number"),
        ("interaction.priority == 1.", "got 1., want a whole number"),
        ("9223372036854775808 == 1", "want a whole number up to 9223372036854775807"),
        ("b'x' == 'x'", "want a text without letters before its quotes"),
        ("r\"x\" == 'x'", "want a text without letters before its quotes"),
        ("'''x''' == 'x'", "three quotes"),
        ("{'a': 1}.a == 1", "want no maps or messages"),
        ("interaction.source == null", "got null, want has(...)"),
        ("interaction.channel = 'voice'", "got =, want == to compare"),
        ("customer.known & journey.cancel", "got &, want && for and"),
        ("customer.known | journey.cancel", "got |, want || for or"),
        ("customer.known and journey.cancel", "got and, want &&"),
        ("customer.known or journey.cancel", "got or, want ||"),
        ("not customer.known", "got not, want !"),
        ("interaction.channel is 'voice'", "got is, want =="),
        ("interaction.channel == \u{201c}voice\u{201d}", "straight quotes"),
        ("if customer.known", "got if, want another word"),
        ("attribute.while == 1", "got while, want another word"),
        ("customer.known // loyal", "want no comment here"),
        ("interaction.source == 'a\\n'", "got \\n, want \\\\, \\\" or \\': a text has no other escapes"),
        ("interaction.source == 'a", "got a text that does not end, want ' at its end"),
        ("interaction.source == 'a\u{7}'", "the control character"),
        ("interaction.intent.matches('a.*')", "want startsWith, endsWith or contains"),
        ("interaction.requires.exists(s, s == 'a')", "got the call interaction.requires.exists(s, s == 'a')"),
        ("interaction.intent.startWith('a')", "want startsWith"),
        ("lower(interaction.intent) == 'a'", "want one of has, size, duration"),
        ("has(interaction.due_in, 1)", "want has(interaction.due_in): one fact"),
        ("has('x')", "want a fact with a dot"),
        ("has(hours['night'])", "want a fact with a dot"),
        ("duration(interaction.intent) == duration('1m')", "want a duration in quotes"),
        ("queue.longest_wait > duration('5 minutes')", "got '5 minutes', want a duration such as 30s"),
        ("queue.longest_wait > duration('1.5h')", "want a duration such as 30s"),
        ("1 / 0 == 1", "got 1 / 0: a number is divided by zero"),
        ("interaction.priority % 0 == 1", "a number is divided by zero"),
        ("9223372036854775807 + 1 == 1", "a number is beyond 64 bits"),
        ("customer.known \u{2713}", "want a fact, a value or a sign"),
        ("`a` == 1", "want a fact, a value or a sign"),
    ] {
        let said = said(text);
        assert!(said.iter().any(|said| said.contains(want)), "{text}: {said:#?} does not say {want}");
    }
}

#[test]
fn an_order_that_means_nothing_is_told_where_it_ends_to() {
    for (text, want) in [
        ("", "line 1, column 1: got nothing, want a condition"),
        ("   ", "got nothing"),
        ("customer.known &&", "column 18: got the end, want a fact or a value"),
        ("&& customer.known", "column 1: got &&, want a fact, a value or a bracket"),
        ("(customer.known", "column 1: got (, want the bracket that closes it"),
        ("customer.known)", "column 15: got ), want a bracket that was opened before"),
        ("interaction.channel in ['voice')", "got ), want ]"),
        ("customer.known journey.cancel", "column 16: got journey, want a sign such as"),
        ("customer..known", "column 10: got ., want the name of a fact behind the dot"),
        ("customer.", "got the end"),
        ("customer.in", "want the name of a fact behind the dot"),
        ("customer.known ? true", "got the end, want : and what holds otherwise"),
        ("(customer.known ? true) : false", "want : and what holds otherwise, before it"),
        ("customer.known : true", "want a condition and ? before it"),
        ("customer.known, true", "want commas in lists and calls alone"),
        ("interaction.channel in ['voice',]", "got ], want a fact"),
        ("!!customer.known", "column 2: got !, want one ! or - before a value"),
        ("!-queue.waiting", "column 2: got -, want one ! or - before a value"),
        ("3(4) == 1", "got (, want a sign such as"),
        ("customer.known == true\n  &&\n  && journey.cancel", "line 3, column 3: got &&"),
    ] {
        says(text, want);
    }
}

#[test]
fn all_mistakes_are_told_at_once_in_their_order() {
    let text = "interaction.chanel == 'voice'\n  && queue.longest_wait > 5\n  && (customer.teir == 'gold' || journey.about_24h == 'x')";
    let said = said(text);
    assert_eq!(said.len(), 4, "{said:#?}");
    for (said, want) in
        said.iter().zip(["line 1, column 1:", "line 2, column 6:", "line 3, column 7:", "line 3, column 34:"])
    {
        assert!(said.starts_with(want), "{said}");
    }
    assert_eq!(self::said("a = 0.5 & {").len(), 4);
    assert_eq!(
        self::said("interaction.priority in [1, 'a', 2, true] && interaction.channel in ['fax', 'telex']")
            .len(),
        4
    );
}

#[test]
fn columns_count_characters() {
    assert!(
        said("'\u{1f600}\u{e9}' == interaction.sauce")[0]
            .starts_with("line 1, column 9: got interaction.sauce")
    );
}

#[test]
fn every_limit_is_named_where_it_is_passed() {
    let many = |part: &str, sign: &str, count: usize| vec![part; count].join(sign);
    for (text, want) in [
        (format!("'{}' == ''", "a".repeat(BYTES_MAX)), format!("{BYTES_MAX} at most")),
        (many("true", "||", 129), format!("{NODES_MAX} at most")),
        (format!("'{}' == ''", "a".repeat(TEXT_MAX + 1)), format!("{TEXT_MAX} at most")),
        (format!("1 in [{}]", many("1", ",", LIST_MAX + 1)), format!("{LIST_MAX} elements at most")),
        (format!("{}true{}", "(".repeat(33), ")".repeat(33)), format!("{DEPTH_MAX} deep at most")),
        (format!("{} > 1", many("time.hour", "+", 40)), format!("{DEPTH_MAX} deep at most")),
        (format!("{}true", "true?true:".repeat(33)), format!("{DEPTH_MAX} questions at most")),
        (format!("{}true", "!".repeat(99)), "one ! or -".to_owned()),
        (format!("{} == 1", "a.".repeat(99) + "a"), format!("{DEPTH_MAX} deep at most")),
        (format!("a{} == 1", "[1]".repeat(140)), format!("{NODES_MAX} at most")),
        (format!("a{} == 1", "[1]".repeat(70)), format!("{DEPTH_MAX} deep at most")),
    ] {
        let said = said(&text);
        assert!(said[0].contains(&want), "{text}: {said:#?} does not say {want}");
    }
    for right in [
        many("true", "||", 128),
        format!("'{}' == ''", "\u{e9}".repeat(TEXT_MAX)),
        format!("1 in [{}]", many("1", ",", LIST_MAX)),
        format!("{}true{}", "(".repeat(32), ")".repeat(32)),
        format!("{} > 1", many("time.hour", "+", 30)),
    ] {
        assert!(Condition::compile(&right, &declared()).is_ok(), "{right}");
    }
}
