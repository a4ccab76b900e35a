//! A document of any kind: texts, lists and named parts, in the order in which they are written.

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

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

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

macro_rules! a_leaf {
    ($($name:ident: $kind:ty),*) => {$(
        // Numbers are shown, and nothing is decided by them.
        fn $name<E>(self, value: $kind) -> Result<Tree, E> {
            Ok(Tree::Leaf(value.to_string()))
        }
    )*};
}

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    a_leaf!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Map(Vec::new()))
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Map(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Tree::Map(map))
    }
}
