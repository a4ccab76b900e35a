//! What is said about mistakes: the line, the field, what came and what would be right.

use super::bank::{Bank, SAMPLE, document, rules, with};
use crate::rules::{DEFAULT, RuleSet};
use std::fmt::Write;

fn said(text: &str) -> String {
    RuleSet::read(text).expect_err("it has a mistake").to_string()
}

fn said_of(sections: &str) -> String {
    said(&document(sections))
}

#[test]
fn the_default_and_the_sample_are_right_and_the_sample_fits_its_bank() {
    assert_eq!(rules(DEFAULT), RuleSet::default());
    assert_eq!(rules(SAMPLE).skipped(Bank::new().0.floor()), []);
}

#[test]
fn the_sample_says_everything_a_document_can_say() {
    for word in [
        "signals:",
        "goals:",
        "patience:",
        "service_level_dial:",
        "priority:",
        "weight:",
        "hold_at_most:",
        "head_start:",
        "prefer:",
        "groups:",
        "expected_handle:",
        "max_wait:",
        "relaxation:",
        "relax_own:",
        "last_step:",
        "overflow:",
        "when_closed:",
        "at_closing:",
        "declines_max:",
        "hops_max:",
        "transfers:",
        "beyond:",
        "call_back:",
        "preferred_agent:",
        "last_agent:",
        "familiar:",
        "better_with:",
        "overdraw:",
        "duplicates:",
        "repeats:",
        "within:",
        "steps:",
        "contact:",
        "require:",
        "lower:",
        "drop:",
        "add_groups:",
        "add_agents_of:",
        "waiting:",
        "longest_wait:",
        "estimated_wait:",
        "service_level_below:",
        "free_agents_at_most:",
        "closed:",
        "call_back_within:",
        "send_away:",
        "keep",
        "refuse",
        "queue:",
        "attach",
        "replace",
        "keep_both",
    ] {
        assert!(SAMPLE.contains(word), "the sample lacks {word}");
    }
}

#[test]
fn json_says_the_same_as_yaml() {
    let yaml = with(
        "queues:\n  loans:\n    priority: 3\n    last_step: { after: 8m, then: { queue: general } }\n    goals: { late: 0.5, service_level: 75% }",
    );
    let json = "{\n\t\"version\": 2, \"name\": \"test\",\n\t\"queues\": {\"loans\": {\n\t\t\"priority\": 3,\n\t\t\"last_step\": {\"after\": \"8m\", \"then\": {\"queue\": \"general\"}},\n\t\t\"goals\": {\"late\": \"0.5\", \"service_level\": \"75%\"}\n\t}}\n}\n";
    assert_eq!(rules(json).document(), yaml.document());
    assert_eq!(
        said(&json.replace("8m", "8")),
        "line 5, queues.loans.last_step.after: got \"8\", want a duration such as 30s, 15m or 1h30m, up to 366d"
    );
}

#[test]
fn a_value_that_cannot_be_read_is_told_with_its_line_and_field() {
    assert_eq!(
        said_of("queues:\n  loans:\n    goals:\n      answer_within: 20"),
        "line 6, queues.loans.goals.answer_within: got \"20\", want a duration such as 30s, 15m or 1h30m, up to 366d"
    );
    assert_eq!(
        said_of("default:\n  goals: { late: -1 }"),
        "line 4, default.goals.late: got \"-1\", want an amount such as 5 or 0.20, not negative, at most six decimals, up to 1000000000"
    );
}

#[test]
fn an_unknown_field_is_told_with_those_there_are() {
    let said = said_of("default:\n  gaols: { late: 1 }");
    assert!(said.starts_with("line 4, default"), "{said}");
    assert!(said.contains("gaols") && said.contains("goals"), "{said}");
    assert_eq!(
        said_of("default:\n  last_step: { then: queue }"),
        "line 4, default.last_step.then.queue: got something else, want string scalar"
    );
    let said = said_of("default:\n  when_closed: { any: hang_up }");
    assert!(said.starts_with("line 4, default.when_closed.any"), "{said}");
    assert!(said.contains("send_away"), "{said}");
}

#[test]
fn what_is_no_document_at_all_is_told_with_its_line() {
    let said = said("version: 2\nname: [broken\n");
    assert!(said.starts_with("line "), "{said}");
    let twice = said_of("default:\n  priority: 1\n  priority: 2");
    assert!(twice.starts_with("line 5") && twice.contains("priority"), "{twice}");
    let missing = RuleSet::read("version: 2").expect_err("a name is missing").to_string();
    assert!(missing.contains("name"), "{missing}");
    let empty = RuleSet::read("").expect_err("nothing is there").to_string();
    assert!(!empty.is_empty());
    let two = RuleSet::read("version: 1\nname: a\n---\nversion: 1\nname: b\n").expect_err("two documents");
    assert!(!two.0.is_empty());
}

#[test]
fn relaxation_without_a_last_step_is_a_mistake() {
    assert_eq!(
        said_of(
            "queues:\n  loans:\n    prefer: { french: 3 }\n    relaxation:\n      - { after: 10s, drop: [french] }"
        ),
        "line 6, queues.loans.relaxation: got no last_step, want a last_step beside it that says what then, such as last_step: { then: keep }"
    );
}

#[test]
fn steps_come_in_the_order_of_their_times_and_the_last_one_last() {
    let said = said_of(
        "queues:\n  loans:\n    prefer: { french: 3 }\n    relaxation:\n      - { after: 20s, lower: { french: 2 } }\n      - { after: 20s, drop: [french] }\n    last_step: { after: 15s, then: refuse }",
    );
    assert_eq!(
        said,
        "line 8, queues.loans.relaxation[1].after: got 20s, want later than the step before, 20s\nline 9, queues.loans.last_step.after: got 15s, want later than the step before, 20s"
    );
}

#[test]
fn a_step_must_loosen_something() {
    let said = said_of(
        "queues:\n  loans:\n    prefer: { french: 3 }\n    relaxation:\n      - { after: 1s }\n      - { after: 2s, lower: { french: 5 } }\n      - { after: 3s, drop: [credit] }\n      - { after: 4s, add_groups: [branch] }\n      - { after: 5s, add_agents_of: [loans] }\n    last_step: { then: keep }",
    );
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with("line 7, queues.loans.relaxation[0]: got a step that loosens nothing"),
        "{said}"
    );
    assert_eq!(lines[1], "line 8, queues.loans.relaxation[1].lower.french: got 5, want less than 3");
    assert!(
        lines[2].starts_with(
            "line 9, queues.loans.relaxation[2].drop[0]: got \"credit\", want a skill of prefer"
        )
    );
    assert!(
        lines[3].starts_with("line 10, queues.loans.relaxation[3].add_groups: got groups to add"),
        "{said}"
    );
    assert!(lines[4].contains("the queue itself, want another queue"), "{said}");
    assert_eq!(lines.len(), 5);
}

#[test]
fn limits_are_named() {
    let said = said_of(
        "default:\n  priority: 1000\n  declines_max: 0\n  hops_max: 16\n  transfers: { max: 101 }\n  call_back: { attempts_max: 0, retry_after: 0s }\n  when_closed: { any: { send_away: \"\" } }\n  overflow:\n    - { when: {}, to: [] }",
    );
    for sentence in [
        "line 4, default.priority: got 1000, want -100 to 100",
        "line 5, default.declines_max: got 0, want 1 to 1000",
        "line 6, default.hops_max: got 16, want 0 to 15",
        "line 7, default.transfers.max: got 101, want 0 to 100",
        "line 8, default.call_back.attempts_max: got 0, want 1 to 20",
        "line 8, default.call_back.retry_after: got 0, want more than 0",
        "line 9, default.when_closed.any.send_away: got 0 characters, want 1 to 128, all printable",
        "line 11, default.overflow[0].when: got no condition, want at least one, such as waiting: 20",
        "line 11, default.overflow[0].to: got no queue, want at least one",
    ] {
        assert!(said.lines().any(|line| line == sentence), "{sentence} is not in\n{said}");
    }
    assert!(said_of(&format!("# {}", "x".repeat(1 << 20))).contains("at most 1048576"));
}

#[test]
fn no_interaction_can_be_led_to_more_queues_than_a_plan_has_routes() {
    let chain = |queues: usize| {
        let mut sections = String::from("queues:\n");
        for number in 1..queues {
            let next = number + 1;
            writeln!(sections, "  q{number}:\n    last_step: {{ after: 1m, then: {{ queue: q{next} }} }}")
                .expect("a string takes it");
        }
        document(&sections)
    };
    assert!(RuleSet::read(&chain(16)).is_ok());
    assert_eq!(
        said(&chain(17)),
        "line 4, queues.q1: got 17 queues within reach by overflow and exits (voice), want at most 16, itself included"
    );
}

#[test]
fn words_that_announce_something_are_few_and_not_empty() {
    let of = |words: &str| format!("version: 1\nname: x\nsignals: {{ cancel: [{words}] }}\n");
    let empty = said(&of("cancel, ''"));
    assert!(empty.starts_with("line 3, signals.cancel[1]: got"), "{empty}");
    let many = said(&of(&vec!["a"; 65].join(",")));
    assert!(many.starts_with("line 3, signals.cancel: got 65 words, want at most 64"), "{many}");
}

#[test]
fn a_list_of_words_takes_the_place_of_the_built_in_one() {
    let words = |text: &str| rules(text).words();
    let own = words("version: 1\nname: x\nsignals: { cancel: [goodbye], competitor: [Acme] }\n");
    assert!(words(DEFAULT).in_text("I want to cancel").cancel);
    assert!(!own.in_text("I want to cancel").cancel && own.in_text("goodbye").cancel);
    assert!(own.in_text("ACME is cheaper").competitor && own.in_text("a complaint").complaint);
}
