//! A document of any kind: texts, lists and named parts, in the order in which they are written.

use crate::rules::error::DocumentError;
use crate::rules::parse;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;
use std::fmt;
use std::ops::Range;

/// What stands at a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Tree {
    /// A text or a number, as it is written.
    Leaf(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// The part of this name, if it has one.
    pub fn get(&self, name: &str) -> Option<&Tree> {
        let Tree::Map(parts) = self else { return None };
        parts.iter().find(|(key, _)| key == name).map(|(_, part)| part)
    }

    /// What is written there, if that is a text or a number.
    pub fn leaf(&self) -> Option<&str> {
        match self {
            Tree::Leaf(text) => Some(text),
            Tree::List(_) | Tree::Map(_) => None,
        }
    }

    /// True if nothing is written in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Tree::Leaf(_) => false,
            Tree::List(parts) => parts.is_empty(),
            Tree::Map(parts) => parts.is_empty(),
        }
    }
}

/// In one line.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |parts: Vec<String>| parts.join(", ");
        match self {
            Tree::Leaf(text) => f.write_str(text),
            _ if self.is_empty() => f.write_str("nothing"),
            Tree::List(parts) => f.write_str(&joined(parts.iter().map(Tree::to_string).collect())),
            Tree::Map(parts) => {
                let part = |(name, part): &(String, Tree)| format!("{} {part}", name.replace('_', " "));
                f.write_str(&joined(parts.iter().map(part).collect()))
            }
        }
    }
}

impl Tree {
    /// Of a document in YAML or JSON.
    pub fn read(text: &str) -> Result<Tree, DocumentError> {
        Ok(parse::read_untyped::<Read>(text)?.in_words_of(text))
    }
}

/// As the parser gives it, which takes `1.10` for a number and `y` for a truth: where such a thing stands in the text, since
/// a tag may be called so.
enum Read {
    Text(String),
    Guessed { value: String, place: Option<Range<usize>> },
    List(Vec<Read>),
    Map(Vec<(String, Read)>),
}

impl Read {
    fn of(spanned: Spanned<Read>) -> Read {
        let Read::Guessed { value, .. } = spanned.value else { return spanned.value };
        let span = spanned.defined.span();
        let bytes = |number: Option<u64>| usize::try_from(number?).ok();
        let place = bytes(span.byte_offset()).zip(bytes(span.byte_len()));
        Read::Guessed { value, place: place.map(|(from, length)| from..from.saturating_add(length)) }
    }

    fn in_words_of(self, text: &str) -> Tree {
        match self {
            Read::Text(said) => Tree::Leaf(said),
            Read::Guessed { value, place } => {
                let said =
                    place.and_then(|place| text.get(place)).map(str::trim).filter(|said| !said.is_empty());
                Tree::Leaf(said.map_or(value, str::to_owned))
            }
            Read::List(parts) => Tree::List(parts.into_iter().map(|part| part.in_words_of(text)).collect()),
            Read::Map(parts) => {
                Tree::Map(parts.into_iter().map(|(name, part)| (name, part.in_words_of(text))).collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Read, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

macro_rules! a_guess {
    ($($name:ident: $kind:ty),*) => {$(
        fn $name<E>(self, value: $kind) -> Result<Read, E> {
            Ok(Read::Guessed { value: value.to_string(), place: None })
        }
    )*};
}

impl<'de> Visitor<'de> for Reader {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    a_guess!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64);

    fn visit_str<E>(self, value: &str) -> Result<Read, E> {
        Ok(Read::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Read, E> {
        Ok(Read::Map(Vec::new()))
    }

    fn visit_none<E>(self) -> Result<Read, E> {
        Ok(Read::Map(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Read, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element::<Spanned<Read>>()? {
            list.push(Read::of(entry));
        }
        Ok(Read::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Read, A::Error> {
        let mut map = Vec::new();
        while let Some((name, part)) = entries.next_entry::<String, Spanned<Read>>()? {
            map.push((name, Read::of(part)));
        }
        Ok(Read::Map(map))
    }
}
