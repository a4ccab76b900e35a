//! Facts that a document declares: the section `facts:`. They come as attributes of the interaction, so each may be
//! missing, and one that does not read as what was declared is a failure of the rule that asks for it.

use super::{Attribute, Kind};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Most facts of a document.
pub const FACTS_MAX: usize = 64;
/// Longest name of a fact, characters.
pub const NAME_MAX: usize = 64;
/// Longest meaning of a fact, characters.
const MEANING_MAX: usize = 256;

/// Words that CEL keeps for itself: a fact of that name could not be asked for.
pub(in crate::rules) const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// What an attribute of the interaction is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttributeKind {
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Truth,
}

impl From<AttributeKind> for Kind {
    fn from(kind: AttributeKind) -> Kind {
        match kind {
            AttributeKind::Text => Kind::Text,
            AttributeKind::Number => Kind::Number,
            AttributeKind::Truth => Kind::Truth,
        }
    }
}

/// One entry of the section.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredFact {
    #[serde(rename = "type")]
    pub kind: AttributeKind,
    /// For people.
    #[serde(default)]
    pub meaning: String,
}

/// The section `facts:`, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Declarations(pub BTreeMap<String, DeclaredFact>);

impl Declarations {
    /// What was declared of that name.
    pub fn kind(&self, name: &str) -> Option<AttributeKind> {
        self.0.get(name).map(|declared| declared.kind)
    }

    /// An attribute as text, read as what it was declared to be. One that does not read so stays a text, and the rule that
    /// asks for it fails; one that was not declared is none of the rules' business.
    pub fn read<'a>(&self, name: &str, text: &'a str) -> Option<Attribute<'a>> {
        let as_text = Attribute::Text(text);
        Some(match self.kind(name)? {
            AttributeKind::Text => as_text,
            AttributeKind::Number => text.parse().map_or(as_text, Attribute::Number),
            AttributeKind::Truth => text.parse().map_or(as_text, Attribute::Truth),
        })
    }

    /// Each entry that is wrong: its name, what came and what would be right. The name is empty where the section as a
    /// whole is.
    pub fn wrong(&self) -> Vec<(&str, String, String)> {
        let mut wrong = Vec::new();
        if self.0.len() > FACTS_MAX {
            wrong.push(("", format!("{} facts", self.0.len()), format!("{FACTS_MAX} at most")));
        }
        for (name, declared) in &self.0 {
            if !is_name(name) {
                let want = format!(
                    "a name of a-z, 0-9 and _ that begins with a letter, up to {NAME_MAX} characters, and no word of CEL"
                );
                wrong.push((name.as_str(), format!("{name:?}"), want));
            }
            let length = declared.meaning.chars().count();
            if length > MEANING_MAX {
                wrong.push((
                    name,
                    format!("a meaning of {length} characters"),
                    format!("{MEANING_MAX} at most"),
                ));
            }
        }
        wrong
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.len() <= NAME_MAX
        && !RESERVED.contains(&name)
}
