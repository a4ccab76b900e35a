//! The sentences for what people change, word for word; and whatever is changed anywhere is told.

use super::changes;
use super::tree::Tree;
use crate::rules::DEFAULT;
use proptest::prelude::*;

fn told(before: &str, after: &str) -> Vec<String> {
    changes(before, after).expect("both can be read")
}

#[test]
fn a_supervisor_reads_what_changes_with_its_units() {
    let before = "name: x\nqueues:\n  cards-lost: { max_wait: { voice: 10m } }\n  loans: { goals: { waiting_per_minute: 2 }, prefer: { es: 3 } }\n";
    let after = "name: x\nqueues:\n  loans: { goals: { waiting_per_minute: 4, abandon: 40 }, prefer: { es: 5 } }\n  cards-lost: { max_wait: { voice: 1m } }\n";
    assert_eq!(
        told(before, after),
        [
            "queue loans: urgency 2 → 4 per minute",
            "queue loans: abandon 5 → 40",
            "queue loans: asks for skill es of 3 → 5 or better",
            "queue cards-lost: taken before every other on voice after 10m → 1m",
        ]
    );
}

#[test]
fn what_is_left_out_is_told_as_what_holds_instead() {
    let before = "name: x\ndefault: { goals: { abandon: 7 } }\nqueues: { a: { goals: { abandon: 9, late: 2 } }, b: {} }\n";
    let after = "name: z\ndefault: { goals: { abandon: 7 } }\nqueues: { a: {}, c: { weight: 2, goals: { abandon: 7 } } }\n";
    assert_eq!(
        told(before, after),
        [
            "the document: called x → z",
            "queue a: abandon 9 → 7, as elsewhere",
            "queue a: late answer 2 → 1, as elsewhere",
            "queue c: weight 1 → 2",
            "queue c: abandon 7, said here now",
            "queue b: a section, empty, no more",
        ]
    );
}

#[test]
fn what_is_said_elsewhere_as_well_is_told_in_one_sentence() {
    let own = "name: mine\nqueues: { sales: { priority: 4 } }\n";
    let told = told(DEFAULT, own);
    assert_eq!(told[..2], ["the document: called default → mine", "queue sales: priority points 0 → 4"]);
    assert_eq!(told[2], "words that: 3 parts are no longer said here and stay as they were");
    assert!(
        told[3].starts_with("every queue: ")
            && told[3].ends_with("are no longer said here and stay as they were")
    );
    assert_eq!(told.len(), 4, "{told:?}");
}

#[test]
fn lists_are_told_by_what_came_went_and_moved() {
    let before = "name: x\nsignals: { complaint: [a, b], cancel: [c, d] }\nqueues:\n  q:\n    relaxation: [{ after: 30s, lower: { es: 3 } }]\n    last_step: { after: 1m, then: { queue: other } }\n";
    let after = "name: x\nsignals: { complaint: [b, e], cancel: [d, c] }\nqueues:\n  q:\n    relaxation: [{ after: 20s, lower: { es: 3 } }, { after: 40s, drop: [es] }]\n    last_step: { after: 1m, then: { send_away: voicemail } }\n";
    assert_eq!(
        told(before, after),
        [
            "words that: announce a complaint: e added; a removed",
            "words that: announce that a customer leaves in another order: c, d → d, c",
            "queue q, relaxation step 1: after 30s → 20s",
            "queue q: relaxation step 2 added: after 40s, drop es",
            "queue q: last step queue other → send away voicemail",
        ]
    );
}

#[test]
fn rules_are_found_again_by_their_names() {
    let before = "rules:\n  - { name: gold first, when: a, then: { weight: 2 } }\n  - { name: lost cards, when: b }\n  - { name: old, when: c }\n";
    let after = "rules:\n  - { name: lost cards, when: b }\n  - { name: gold first, when: a && d, then: { weight: 4 } }\n  - { name: new, when: e }\n";
    assert_eq!(
        told(before, after),
        [
            "rule 1 `lost cards` moved from 2 to 1",
            "rule 2 `gold first` moved from 1 to 2",
            "rule 2 `gold first`: when a → a && d",
            "rule 2 `gold first`: then weight 2 → 4",
            "rule 3 `new` added: name new, when e",
            "rule 3 `old` removed: name old, when c",
        ]
    );
}

#[test]
fn the_number_other_spellings_and_the_same_document_are_no_change() {
    assert_eq!(told(DEFAULT, DEFAULT), [""; 0]);
    let one = "version: 3\nname: x\ndefault: { head_start: 5m, goals: { abandon: 5, service_level: 80% } }\n";
    let other = "version: 9\nname: x\ndefault: { goals: { service_level: 80.0%, abandon: 5.00 }, head_start: 300s }\n";
    assert_eq!(told(one, other), [""; 0]);
    assert!(changes("name: [", "name: x").is_err(), "what cannot be read is an error");
}

fn any_tree() -> impl Strategy<Value = Tree> {
    let leaf = "[a-z]{1,4}".prop_map(Tree::Leaf);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let map = proptest::collection::btree_map(
            "(goals|abandon|relaxation|after|name|[a-z]{1,6})",
            inner.clone(),
            0..4,
        );
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Tree::List),
            map.prop_map(|parts| Tree::Map(parts.into_iter().collect())),
        ]
    })
}

fn any_document() -> impl Strategy<Value = Tree> {
    let queues = proptest::collection::btree_map("[a-z]{1,3}", any_tree(), 1..4);
    (queues, any_tree(), any_tree()).prop_map(|(queues, default, other)| {
        let queues = Tree::Map(queues.into_iter().collect());
        Tree::Map(vec![("default".into(), default), ("queues".into(), queues), ("other".into(), other)])
    })
}

/// Changes the leaf of this number, and gives what it was.
fn change(tree: &mut Tree, number: &mut usize) -> Option<String> {
    match tree {
        Tree::Leaf(text) if *number == 0 => Some(std::mem::replace(text, "CHANGED".to_owned())),
        Tree::Leaf(_) => {
            *number -= 1;
            None
        }
        Tree::List(parts) => parts.iter_mut().find_map(|part| change(part, number)),
        Tree::Map(parts) => parts.iter_mut().find_map(|(_, part)| change(part, number)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_changes_from_a_document_to_itself(tree in any_document()) {
        prop_assert_eq!(super::compare::documents(&tree, &tree, &tree), [""; 0]);
    }

    #[test]
    fn every_changed_leaf_is_told(tree in any_document(), number in 0_usize..40) {
        let mut after = tree.clone();
        let Some(was) = change(&mut after, &mut number.clone()) else { return Ok(()) };
        let told = super::compare::documents(&tree, &after, &Tree::Map(Vec::new())).join("\n");
        prop_assert!(told.contains("CHANGED") && told.contains(&was), "{was} → CHANGED: {told}");
        let back = super::compare::documents(&after, &tree, &Tree::Map(Vec::new())).join("\n");
        prop_assert!(back.contains("CHANGED") && back.contains(&was), "CHANGED → {was}: {back}");
    }
}
