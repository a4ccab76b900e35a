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
fn rules_are_found_again_by_their_names_and_only_those_out_of_order_have_moved() {
    let before = "rules:\n  - { name: gold first, when: a, then: { weight: 2 } }\n  - { name: lost cards, when: b }\n  - { name: loans, when: b }\n  - { name: old, when: c }\n";
    let after = "rules:\n  - { name: new, when: e, then: { tags: [x] } }\n  - { name: lost cards, when: b }\n  - { name: loans, when: b }\n  - { name: gold first, when: a && d, then: { weight: 4 } }\n";
    assert_eq!(
        told(before, after),
        [
            "rule `new`: added as number 1: when e, then tags x",
            "rule `gold first`: moved from 1 to 4",
            "rule `gold first`: when a → a && d",
            "rule `gold first`: weight times 2 → 4",
            "rule `old`: removed: when c",
        ]
    );
}

/// One rule that says this, as JSON.
fn rule(says: &str) -> String {
    format!("rules: [{{ name: r, {says} }}]")
}

#[test]
fn whatever_a_rule_says_has_words_for_people() {
    let table = [
        ("queue: a", "queue: b", "goes to queue a → b"),
        ("require: { es: 3 }", "require: { es: 4 }", "requires skill es of 3 → 4 or better"),
        ("authority: 2", "authority: 3", "asks for authority of 2 → 3 or better"),
        ("priority: 2", "priority: 3", "priority points added 2 → 3"),
        ("deadline: 1h", "deadline: 2h", "to be done within 1h → 2h"),
        ("preferred_agent: { agent: ana }", "preferred_agent: { agent: bo }", "waits for agent ana → bo"),
        (
            "preferred_agent: { budget: { voice: 1s } }",
            "preferred_agent: { budget: { voice: 2s } }",
            "waits for that agent on voice for 1s → 2s",
        ),
        (
            "preferred_agent: { overdraw: true }",
            "preferred_agent: { overdraw: false }",
            "that agent takes it beyond capacity: true → false",
        ),
        ("instruction: hello", "instruction: be kind", "on the card hello → be kind"),
        ("tags: [a, b]", "tags: [b, c]", "tags: c added; a removed"),
        ("stop: true", "stop: false", "no rule below is looked at: true → false"),
        ("goals: { waiting_per_minute: 2 }", "goals: { waiting_per_minute: 4 }", "urgency 2 → 4 per minute"),
        (
            "max_wait: { voice: 1m }",
            "max_wait: { voice: 2m }",
            "taken before every other on voice after 1m → 2m",
        ),
        ("last_step: { then: keep }", "last_step: { then: refuse }", "last step keep → refuse"),
        (
            "last_agent: { budget: { voice: 1s } }",
            "last_agent: { budget: { voice: 2s } }",
            "waits for the last agent on voice for 1s → 2s",
        ),
        (
            "familiar: { worth: 1 }",
            "familiar: { worth: 2 }",
            "an agent who knows the customer is worth 1 → 2",
        ),
    ];
    for (before, after, wanted) in table {
        let [before, after] = [before, after].map(|says| rule(&format!("then: {{ {says} }}")));
        assert_eq!(told(&before, &after), [format!("rule `r`: {wanted}")]);
    }
}

#[test]
fn steps_shares_and_the_kinds_of_a_rule_are_told_part_by_part() {
    let before = rule("then: { relaxation: [{ after: 30s, drop: [es] }], tags: [a] }");
    let after = rule("then: { relaxation: [{ after: 20s, drop: [es] }] }");
    let wanted = ["rule `r`, relaxation step 1: after 30s → 20s", "rule `r`: tags: a removed"];
    assert_eq!(told(&before, &after), wanted);
    let split = |shares: [u8; 2], tag: &str| {
        let [one, other] = shares;
        rule(&format!(
            "split: [{{ share: {one}%, then: {{ tags: [{tag}] }} }}, {{ share: {other}%, then: {{ weight: 2 }} }}]"
        ))
    };
    assert_eq!(
        told(&split([20, 80], "a"), &split([30, 70], "b")),
        [
            "rule `r`, share 1: gets 20% → 30% of them",
            "rule `r`, share 1: tags: b added; a removed",
            "rule `r`, share 2: gets 80% → 70% of them",
        ]
    );
    assert_eq!(
        told(&rule("when: a, then: { weight: 2 }"), &split([20, 80], "a")),
        [
            "rule `r`: share 1 added: share 20%, then tags a",
            "rule `r`: share 2 added: share 80%, then weight 2",
            "rule `r`: when a, no more",
            "rule `r`: weight times 2, no more",
        ]
    );
}

#[test]
fn facts_the_fallback_and_the_time_zone_are_told() {
    let before = "time_zone: Europe/Madrid\nfallback: { queue: a }\nfacts: { product: { type: text, meaning: x }, old: { type: truth } }\n";
    let after = "time_zone: Europe/Berlin\nfallback: { queue: b }\nfacts: { product: { type: number, meaning: y } }\n";
    assert_eq!(
        told(before, after),
        [
            "clocks are read in Europe/Madrid → Europe/Berlin",
            "what names no queue goes to a → b",
            "fact product is a text → number",
            "fact product means x → y",
            "fact old is a truth, no more",
        ]
    );
}

const SAMPLES: [&str; 3] = [
    include_str!("../samples/bank.yaml"),
    include_str!("../samples/shop.yaml"),
    include_str!("../samples/telecom.yaml"),
];

#[test]
fn whatever_is_changed_in_a_sample_is_told_both_ways() {
    for sample in SAMPLES {
        assert_eq!(told(sample, sample), [""; 0]);
        let whole = Tree::read(sample).expect("a sample can be read");
        let Tree::Map(parts) = whole else { panic!("a document has parts") };
        // Publishing gives the number.
        let before = Tree::Map(parts.into_iter().filter(|(name, _)| name != "version").collect());
        let built_in = Tree::read(DEFAULT).expect("it is checked by a test");
        for number in 0.. {
            let mut after = before.clone();
            let Some(was) = change(&mut after, &mut number.clone()) else { break };
            for (one, other) in [(&before, &after), (&after, &before)] {
                let told = super::compare::documents(one, other, &built_in).join("\n");
                assert!(told.contains("CHANGED") && told.contains(&was), "{was} → CHANGED: {told}");
            }
        }
    }
}

/// A document of rules in this order.
fn ordered(names: &[usize]) -> String {
    let rules: Vec<String> = names.iter().map(|name| format!("{{ name: r{name}, when: a }}")).collect();
    format!("rules: [{}]", rules.join(", "))
}

#[test]
fn what_looks_like_a_number_or_a_truth_is_told_as_it_is_written() {
    for (before, after) in [
        ("1.10", "1.1"),
        ("0x10", "16"),
        ("yes", "true"),
        ("1e3", "1000"),
        (".inf", "-.inf"),
        ("1_000", "1000"),
    ] {
        let [one, other] = [before, after].map(|tag| rule(&format!("then: {{ tags: [{tag}] }}")));
        assert_eq!(told(&one, &other), [format!("rule `r`: tags: {after} added; {before} removed")]);
    }
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

    #[test]
    fn putting_back_what_has_moved_gives_the_order_that_was(order in Just((0..9).collect::<Vec<usize>>()).prop_shuffle()) {
        let told = told(&ordered(&[0, 1, 2, 3, 4, 5, 6, 7, 8]), &ordered(&order));
        let has_moved = |name: &usize| told.iter().any(|said| said.starts_with(&format!("rule `r{name}`: moved")));
        let stayed: Vec<usize> = order.iter().copied().filter(|name| !has_moved(name)).collect();
        prop_assert!(stayed.is_sorted(), "{order:?}: {told:?}");
        let places = |name: usize| order.iter().position(|other| *other == name).map(|at| at + 1);
        for name in order.iter().filter(|name| has_moved(name)) {
            let wanted = format!("rule `r{name}`: moved from {} to {}", name + 1, places(*name).unwrap_or(0));
            prop_assert!(told.contains(&wanted), "{wanted}: {told:?}");
        }
        // Nobody is said to have moved who could have stayed: one more beside these would be out of order.
        let longest = (0_u32..512).filter_map(|kept| {
            let kept: Vec<usize> = order.iter().copied().filter(|name| kept & (1 << name) != 0).collect();
            kept.is_sorted().then_some(kept.len())
        });
        prop_assert_eq!(longest.max(), Some(stayed.len()));
    }
}
