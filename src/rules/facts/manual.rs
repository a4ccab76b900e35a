//! The table of facts as a page for supervisors, or as one JSON object for those who print it elsewhere.

use super::{FACTS, Fact, Words};
use serde::Serialize;
use std::fmt;

/// Facts whose names are not in the table because the floor or the document has them.
const FAMILIES: &[(&str, &str, &str, &str)] = &[
    (
        r#"hours["NAME"]"#,
        "true or false",
        "Those opening hours are open now. A name that the floor does not have is a failure, and the rule is skipped",
        r#"!hours["head office"]"#,
    ),
    (
        r#"queues["NAME"].*"#,
        "as queue.*",
        "The figures of any queue: open, waiting, longest_wait, free_agents, service_level, estimated_wait. A name that \
         the floor does not have is a failure, and the rule is skipped",
        r#"queues["loans"].waiting > 20"#,
    ),
    (
        "attribute.NAME",
        "as the document declares it under facts: text, number or truth",
        "An attribute that came with the interaction; may be missing. One that does not read as what was declared is a \
         failure, and the rule is skipped",
        r#"has(attribute.contract) && attribute.contract == "business""#,
    ),
];

const OPENING: &str = "\
What a condition may ask for. A condition is an expression such as
    interaction.channel == \"voice\" && journey.about_24h >= 2
of facts, texts in quotes, whole numbers, durations as duration(\"1h30m\"), true and false, with
    == != < <= > >=     + - * / %     && || !     a ? b : c     x in [a, b]
    startsWith endsWith contains size has
A fact that may be missing is asked for behind has(...): without it, and it being missing, the rule is skipped.
The figures of queue.* are those of the queue the interaction is meant for; they are missing where it names none.
A condition has up to 2048 bytes, 256 parts (names, values, signs) and 64 elements in a list.
";

/// Lines of the manual are no longer than this, characters.
const WIDTH: usize = 100;

/// The manual of facts.
#[derive(Debug, Serialize)]
pub struct Manual {
    facts: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    name: &'static str,
    #[serde(rename = "type")]
    kind: String,
    unit: &'static str,
    /// Empty where it can be any.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    words: &'static [&'static str],
    meaning: &'static str,
    source: &'static str,
    may_be_missing: bool,
    example: &'static str,
}

impl Entry {
    fn of(fact: &Fact) -> Entry {
        let Words::Of(words) = fact.words else { return Entry::saying(fact, &[]) };
        Entry::saying(fact, words)
    }

    fn saying(fact: &Fact, words: &'static [&'static str]) -> Entry {
        Entry {
            name: fact.name,
            kind: fact.kind.to_string(),
            unit: fact.unit,
            words,
            meaning: fact.meaning,
            source: fact.source,
            may_be_missing: fact.may_be_missing,
            example: fact.example,
        }
    }
}

impl Manual {
    /// All there is to ask for.
    pub fn new() -> Manual {
        let families = FAMILIES.iter().map(|&(name, kind, meaning, example)| Entry {
            name,
            kind: kind.to_owned(),
            unit: "",
            words: &[],
            meaning,
            source: if name.starts_with("attribute") {
                "the source, with the interaction"
            } else {
                "the floor"
            },
            may_be_missing: name.starts_with("attribute"),
            example,
        });
        Manual { facts: FACTS.iter().map(Entry::of).chain(families).collect() }
    }
}

impl Default for Manual {
    fn default() -> Manual {
        Manual::new()
    }
}

impl fmt::Display for Manual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OPENING)?;
        self.facts.iter().try_for_each(|entry| entry.fmt(f))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}  ({}", self.name, self.kind)?;
        if !self.unit.is_empty() {
            write!(f, ", {}", self.unit)?;
        }
        f.write_str(if self.may_be_missing { "; may be missing)\n" } else { ")\n" })?;
        wrapped(f, &format!("{}.", self.meaning))?;
        let words: Vec<String> = self.words.iter().map(|word| format!("{word:?}")).collect();
        if !words.is_empty() {
            writeln!(f, "    One of: {}", words.join(", "))?;
        }
        writeln!(f, "    From: {}", self.source)?;
        writeln!(f, "    Example: {}", self.example)
    }
}

/// Indented, in lines that a terminal has room for.
fn wrapped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut line = String::from("   ");
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(f, "{line}")?;
            line = String::from("   ");
        }
        line = line + " " + word;
    }
    writeln!(f, "{line}")
}
