//! Documents nobody meant: the samples with lines swapped, doubled, shifted and cut, and with scraps of YAML, of conditions
//! and of huge numbers put into them.

use super::bank::SAMPLE;
use crate::rules::condition::tests::chance::Chance;
use crate::rules::facts::FACTS;

pub const SHOP: &str = include_str!("../samples/shop.yaml");
pub const TELECOM: &str = include_str!("../samples/telecom.yaml");

/// What means something to the parser of documents, or might.
const SCRAPS: &[&str] = &[
    "&a ",
    "*a",
    "&b [*a, *a]",
    "<<: *a",
    "<<: [*a, *b]",
    "!!str ",
    "!!binary aGVsbG8=",
    "!!python/object:os.system x",
    "!rule ",
    "---",
    "...",
    "%YAML 1.1",
    "%TAG ! x",
    "? ",
    ": ",
    "- ",
    "- - - ",
    "|",
    ">-",
    "|2+",
    "# ",
    "\"",
    "'",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    "\t",
    "\r",
    "\u{0}",
    "\u{feff}",
    "\u{85}",
    "\u{202e}",
    "\u{1f600}",
    "~",
    "null",
    "true",
    "yes",
    ".nan",
    "-.inf",
    "0",
    "-1",
    "0x7f",
    "0o17",
    "1_000",
    "1e400",
    "9223372036854775807",
    "18446744073709551616",
    "99999999999999999999999999999999999999",
    "366d",
    "1000000d",
    "100%",
    "33.3333%",
    "1.0000001",
    "never",
    "unlimited",
    "keep",
    "refuse",
    "then: { stop: true }",
    "then: { queue: general }",
    "split: [{ share: 50%, then: { tags: [a] } }, { share: 50%, then: { tags: [b] } }]",
    "{ name: x, then: { priority: 1 } }",
    "fallback: { queue: general }",
    "time_zone: Mars/Olympus",
    "facts: { x: { type: number, meaning: y } }",
];

/// What a rule might say, too.
const DONE: &[&str] = &[
    "queue: partner",
    "queue: nowhere",
    "require: { credit: 10, french: 1, nothing: 3 }",
    "authority: 10",
    "priority: -100",
    "priority: 100",
    "weight: 8",
    "weight: 0.25",
    "deadline: 366d",
    "deadline: 1ms",
    "preferred_agent: { agent: maria, budget: { any: 366d }, overdraw: true }",
    "instruction: \"\u{1f600} speak slowly\"",
    "tags: [a, b, c, d, e, f, g, h]",
    "stop: true",
    "goals: { answer_within: 0s, service_level: 100%, waiting_per_minute: 1000000000, patience: 1ms }",
    "hold_at_most: { any: unlimited }",
    "head_start: 366d",
    "prefer: { mortgages: 10 }",
    "better_with: { french: { worth: 1000000000 } }",
    "groups: [branch, nowhere]",
    "expected_handle: { any: 366d }",
    "max_wait: { any: 0s }",
    "relaxation: [{ after: 1s, lower: { credit: 1 } }, { after: 2s, drop: [credit], add_groups: [branch] }]",
    "last_step: { then: keep }",
    "last_step: { after: 1s, then: { queue: general } }",
    "relax_own: [credit]",
    "overflow: [{ when: { waiting: 0 }, to: [general, partner, loans] }]",
    "last_agent: { budget: { any: 1h }, overdraw: true }",
    "familiar: { worth: 1000000000, half_life: 1ms }",
];

/// What stands in a condition, or might.
const SAID: &[&str] = &[
    "true",
    "!true",
    "has(attribute.amount)",
    "attribute.amount >= 9223372036854775807",
    "attribute.amount * attribute.amount > 0",
    "attribute.product.contains('')",
    "customer.tier in ['gold', 'gold']",
    "queues['loans'].waiting > queues['nowhere'].waiting",
    "hours['nowhere']",
    "interaction.requires",
    "journey.sentiment / 0 == 1",
    "time.hour == 24",
    "interaction.intent == ",
    "(((((((((((interaction.intent)))))))))))) == 'x'",
    "x.map(y, y)",
];

/// One of the samples.
pub fn sample(chance: &mut Chance) -> &'static str {
    chance.one_of(&[SAMPLE, SHOP, TELECOM])
}

/// One of them, changed in a few places.
pub fn document(chance: &mut Chance) -> String {
    let mut lines: Vec<String> = sample(chance).lines().map(str::to_owned).collect();
    // One change in most, since what is wrong for one reason is not looked at for another.
    for _ in 0..chance.one_of(&[1, 1, 1, 2, 4]) {
        match chance.coin() {
            true => mean(chance, &mut lines),
            false => change(chance, &mut lines),
        }
    }
    lines.join("\n")
}

/// What somebody could have meant: rules in another order, something else done, something else asked.
fn mean(chance: &mut Chance, lines: &mut Vec<String>) {
    let starting = |with: &str| {
        let found = lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with(with));
        found.map(|(at, _)| at).collect::<Vec<usize>>()
    };
    let (rules, thens, whens) = (starting("- name:"), starting("then:"), starting("when:"));
    match chance.below(4) {
        0 if rules.len() > 1 => {
            let (one, other) = (chance.one_of(&rules), chance.one_of(&rules));
            let end = rules.iter().find(|next| **next > one).copied().unwrap_or(one + 1);
            let moved: Vec<String> = lines.drain(one..end).collect();
            let at = if other > one { other - moved.len() } else { other };
            drop(lines.splice(at..at, moved));
        }
        1 if !whens.is_empty() => {
            let at = chance.one_of(&whens);
            said(chance, &mut lines[at]);
        }
        _ if !thens.is_empty() => {
            let at = chance.one_of(&thens);
            does(chance, &mut lines[at]);
        }
        _ => change(chance, lines),
    }
}

/// Something else; where what it does follows in lines of its own, something more.
fn does(chance: &mut Chance, line: &mut String) {
    let indent = line[..line.len() - line.trim_start().len()].to_owned();
    let done: Vec<&str> = (0..=chance.below(3)).map(|_| chance.one_of(DONE)).collect();
    match line.ends_with("then:") {
        true => done.iter().for_each(|done| *line += &format!("\n{indent}  {done}")),
        false => *line = format!("{indent}then: {{ {} }}", done.join(", ")),
    }
}

fn change(chance: &mut Chance, lines: &mut Vec<String>) {
    if lines.is_empty() {
        return lines.push(chance.one_of(SCRAPS).to_owned());
    }
    let (one, other) = (chance.index(lines.len()), chance.index(lines.len()));
    let (from, to) = (one.min(other), one.max(other).min(one.min(other) + 12));
    match chance.below(12) {
        0 => lines.swap(one, other),
        1 => drop(lines.drain(from..to)),
        2 => {
            let twice = lines[from..to].to_vec();
            drop(lines.splice(other..other, twice));
        }
        3 => shifted(chance, &mut lines[from..=to]),
        4 => {
            let foreign: Vec<&str> = sample(chance).lines().collect();
            let at = chance.index(foreign.len());
            lines.insert(one, foreign[at].to_owned());
        }
        5 => nested(chance, &mut lines[one]),
        6 => said(chance, &mut lines[one]),
        7..=9 => instead(chance, &mut lines[one]),
        _ => scrap(chance, &mut lines[one]),
    }
}

/// Further in, or further out.
fn shifted(chance: &mut Chance, lines: &mut [String]) {
    let by = chance.one_of(&["", "  ", "    ", " "]);
    for line in lines {
        *line = match line.strip_prefix("  ") {
            Some(rest) if by.is_empty() => rest.to_owned(),
            _ => format!("{by}{line}"),
        };
    }
}

/// A value that goes deep, up to some hundreds of levels.
fn nested(chance: &mut Chance, line: &mut String) {
    let deep = 1 + chance.index(300);
    let (open, close) =
        chance.one_of(&[("[", "]"), ("{a: ", "}"), ("- ", ""), ("&a [", ", *a]"), ("!!seq [", "]")]);
    let closed = if chance.coin() { close.repeat(deep) } else { String::new() };
    let before = line.split_inclusive(": ").next().unwrap_or_default().to_owned();
    *line = format!("{before}{}x{closed}", open.repeat(deep));
}

/// Another condition.
fn said(chance: &mut Chance, line: &mut String) {
    let fact = chance.index(FACTS.len());
    let depth = u32::try_from(chance.below(6)).expect("below 6");
    let said = match chance.below(4) {
        0 => chance.one_of(SAID).to_owned(),
        1 => FACTS[fact].example.to_owned(),
        2 => chance.truth(depth).ours,
        _ => format!("{} && {}", chance.one_of(SAID), chance.one_of(SAID)),
    };
    let indent = line.len() - line.trim_start().len();
    *line = format!("{}when: '{}'", &line[..indent], said.replace('\'', "''"));
}

/// Another value where one stands.
fn instead(chance: &mut Chance, line: &mut String) {
    let values: Vec<usize> = line.match_indices(": ").map(|(at, sign)| at + sign.len()).collect();
    if values.is_empty() {
        return scrap(chance, line);
    }
    let from = values[chance.index(values.len())];
    let rest = &line[from..];
    let to = from + rest.find([',', '}', ']']).unwrap_or(rest.len());
    line.replace_range(from..to, chance.one_of(SCRAPS));
}

/// Something put in somewhere, once or many times.
fn scrap(chance: &mut Chance, line: &mut String) {
    let places: Vec<usize> = line.char_indices().map(|(at, _)| at).chain([line.len()]).collect();
    let at = places[chance.index(places.len())];
    let often = if chance.below(8) == 0 { 1 + chance.index(200) } else { 1 };
    line.insert_str(at, &chance.one_of(SCRAPS).repeat(often));
}
