//! Documents nobody meant well, or nobody meant at all: refused or read, never more than that.

use super::bank::{Bank, SAMPLE};
use crate::engine::channel::Channel;
use crate::engine::route::{RELAXATION_MAX, ROUTES_MAX};
use crate::rules::parse::NESTING_MAX;
use crate::rules::{RuleSet, diff};
use proptest::prelude::*;
use std::fmt::Write;

/// The sample with some of its text replaced.
fn garbled(changes: &[(usize, usize, String)]) -> String {
    let mut text: Vec<char> = SAMPLE.chars().collect();
    for (from, length, instead) in changes {
        let from = from % text.len();
        let to = (from + length).min(text.len());
        text.splice(from..to, instead.chars());
    }
    text.into_iter().collect()
}

/// What can be read can be planned by, within the limits of a plan.
fn is_refused_or_plans(bank: &Bank, text: &str) {
    let Ok(rules) = RuleSet::read(text) else { return };
    rules.skipped(bank.0.floor());
    for queue in ["general", "loans", "cards-lost", "partner", "supervisors"] {
        for channel in Channel::ALL {
            let plan = bank.plan(&rules, channel, queue);
            assert!((1..=ROUTES_MAX).contains(&plan.routes.len()));
            for route in plan.routes.iter() {
                let steps = &route.relaxation;
                assert!(!route.needs.is_empty() && steps.len() <= RELAXATION_MAX);
                assert!(steps.is_sorted_by(|one, next| one.after_ms < next.after_ms));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_garbled_document_is_refused_or_plans(
        changes in prop::collection::vec((0_usize..5_000, 0_usize..12, "[a-z0-9:,{}\\[\\]&*!#|>%\"' \n-]{0,6}"), 1..4),
    ) {
        is_refused_or_plans(&Bank::new(), &garbled(&changes));
    }

    #[test]
    fn any_text_at_all_is_refused_or_plans(text in "\\PC{0,200}") {
        is_refused_or_plans(&Bank::new(), &text);
    }
}

#[test]
fn a_hostile_document_is_refused_in_time() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for number in 1..12 {
        let before = number - 1;
        let many = vec![format!("*a{before}"); 9].join(", ");
        writeln!(bomb, "a{number}: &a{number} [{many}]").expect("a string takes it");
    }
    assert!(RuleSet::read(&bomb).is_err());
    assert!(RuleSet::read(&"[".repeat(100_000)).is_err());
    assert!(RuleSet::read(&"{a: ".repeat(10_000)).is_err());
    assert!(diff::changes(&bomb, "name: x").is_err());
}

/// Nested so deep, with each level in sight, or each few of them behind a name.
fn nested(open: &str, close: &str, deep: usize) -> String {
    format!("name: {}x{}", open.repeat(deep), close.repeat(deep))
}

#[test]
fn a_document_is_as_deep_as_it_may_be_and_no_deeper_wherever_it_is_read() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        // Beside the document itself.
        let (deepest, too_deep) = (nested(open, close, NESTING_MAX - 1), nested(open, close, NESTING_MAX));
        assert!(diff::changes(&deepest, "name: x").is_ok());
        assert!(diff::changes(&too_deep, "name: x").is_err());
        assert!(RuleSet::read(&too_deep).is_err() && RuleSet::read(&deepest).is_err());
    }
}

#[test]
fn names_for_what_was_nested_before_do_not_make_it_deeper_than_it_may_be() {
    let mut chain = String::from("a0: &a0 [[[[[[x]]]]]]\n");
    for number in 1..400 {
        let before = number - 1;
        writeln!(chain, "a{number}: &a{number} [[[[[[*a{before}]]]]]]").expect("a string takes it");
    }
    assert!(diff::changes(&chain, "name: x").is_err());
    assert!(RuleSet::read(&chain).is_err());
}
