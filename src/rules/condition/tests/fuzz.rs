//! Conditions that nobody would write: right ones with letters, words and halves of others cut out, put in and changed.
//! Whatever comes, it is taken or refused with a place in it, and what is taken can be judged, explained and indexed.
//!
//! The seed is fixed and the count small; `BATON_FUZZ_SECONDS` goes on for so long, with one seed after the other.

use super::chance::{Chance, rounds};
use super::given::{Drawn, declared};
use crate::rules::condition::{Condition, Index, NODES_MAX, Why};
use crate::rules::facts::FACTS;

const SCRAPS: &[&str] = &[
    "&&",
    "||",
    "!",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "?",
    ":",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ".",
    "\"",
    "'",
    "\\",
    "\n",
    " ",
    "in",
    "true",
    "has(",
    "size(",
    "duration('1h')",
    "attribute.limit",
    "interaction.channel",
    "'voice'",
    "hours['night']",
    "queues['loans'].open",
    "queue.waiting",
    "9223372036854775807",
    "0",
    "1",
    "-1",
    "0.5",
    "1u",
    "b'x'",
    "'''",
    "//",
    "null",
    "\u{e9}",
    "\u{1f600}",
    "\0",
    "`",
    "@",
    "#",
    "$",
    "_",
    "e1",
    "interaction",
    "a.b.c",
    "x.map(y, y)",
    ".?a",
    "[?a]",
    "{?a: 1}",
    "optional.of(1)",
    "if",
    "package",
    "as",
    "f()",
    "[]",
    "()",
    "- -",
    "?:",
    "\u{202e}",
    "\u{a0}",
];

fn corpus(chance: &mut Chance) -> String {
    match chance.coin() {
        true => {
            let fact = chance.index(FACTS.len());
            FACTS[fact].example.to_owned()
        }
        false => {
            let depth = u32::try_from(chance.below(5)).expect("below 5");
            chance.truth(depth).ours
        }
    }
}

fn mutated(chance: &mut Chance, text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..chance.below(4) {
        let (one, other) = (chance.index(chars.len() + 1), chance.index(chars.len() + 1));
        let (from, to) = (one.min(other), one.max(other));
        let near = to.min(from + chance.index(12));
        match chance.below(6) {
            0 => drop(chars.drain(from..near)),
            1 => drop(chars.splice(from..from, chance.one_of(SCRAPS).chars())),
            2 => drop(chars.splice(from..near, chance.one_of(SCRAPS).chars())),
            3 => {
                let twice = chars[from..to].to_vec();
                drop(chars.splice(to..to, twice));
            }
            4 => {
                let scrap = chance.one_of(SCRAPS).repeat(chance.index(300));
                drop(chars.splice(from..from, scrap.chars()));
            }
            _ => {
                let other = corpus(chance);
                drop(chars.splice(from..to, other.chars()));
            }
        }
    }
    chars.into_iter().collect()
}

/// Compiles it and, if it is right, does with it all that can be done. True if it is right.
fn is_right(text: &str, drawn: &[Drawn]) -> bool {
    let condition = match Condition::compile(text, &declared()) {
        Ok(condition) => condition,
        Err(wrong) => {
            assert!(!wrong.is_empty(), "{text:?} is refused without a reason");
            for wrong in wrong {
                let line = text.split('\n').nth(usize::try_from(wrong.line).expect("a line") - 1);
                let length = line.unwrap_or_else(|| panic!("{text:?}: {wrong} has no line")).chars().count();
                assert!(
                    (1..=length + 1).contains(&usize::try_from(wrong.column).expect("a column")),
                    "{text:?}: {wrong}"
                );
                // What the foreign parser could refuse has been refused before.
                assert!(!wrong.got.contains("cannot be read"), "{text:?}: {wrong}");
                assert!(!wrong.got.is_empty() && !wrong.want.is_empty(), "{text:?}: {wrong}");
            }
            return false;
        }
    };
    let mut asked = 0;
    condition.parts.iter().for_each(|part| part.truth.asks(&mut |_| asked += 1));
    assert!(asked <= NODES_MAX, "{text:?} asks for {asked} facts");
    // Each part stands in the text where it is said to, and is a condition of its own.
    for part in condition.parts.iter() {
        assert!(text.contains(&part.said), "{text:?}: {}", part.said);
        let alone = Condition::compile(&part.said, &declared())
            .unwrap_or_else(|_| panic!("{text:?}: {:?}", part.said));
        assert!(alone.parts.iter().map(|part| &part.truth).eq([&part.truth]), "{text:?}: {:?}", part.said);
    }
    let _ = (condition.doubts(), condition.never_holds(), condition.always_holds());
    let _ = condition.implies(&condition);
    let index = Index::new([&condition]);
    for drawn in drawn {
        let grounds = drawn.grounds();
        let holds = condition.holds(&grounds);
        let mut candidates = Vec::new();
        index.candidates(&grounds, &mut candidates);
        assert!(candidates == [0] || holds == Ok(false), "{text:?}");
        match (condition.why(&grounds), holds) {
            (Why::Matched, Ok(true)) | (Why::NotMatched { .. }, Ok(false)) => {}
            (Why::Skipped(why), Err(failure)) if why == failure => {}
            (why, holds) => panic!("{text:?}: {why} but {holds:?}"),
        }
    }
    true
}

#[test]
fn whatever_is_written_is_taken_or_refused() {
    rounds(100, |seed| {
        let right = round(seed);
        assert!(right > 300, "chance makes some that are right: {right}, seed {seed}");
    });
}

fn round(seed: u64) -> u32 {
    let mut chance = Chance::new(seed);
    let drawn: Vec<Drawn> = (0..3).map(|_| Drawn::new(&mut chance)).collect();
    let mut right = 0;
    for _ in 0..6_000 {
        let text = corpus(&mut chance);
        let text = mutated(&mut chance, &text);
        right += u32::from(is_right(&text, &drawn));
    }
    right
}
