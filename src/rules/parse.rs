//! From text to a document. YAML and JSON, the one being a part of the other, are read by one parser; what it cannot
//! read is told with the line and the field.

use super::error::{DocumentError, Field, Part};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};
use serde_path_to_error::Segment;
use serde_saphyr::{Error, NonFiniteFloatPolicy, Options, Spanned, with_deserializer_from_str_with_options};

/// Longest document, bytes.
pub const DOCUMENT_MAX: usize = 1 << 20;
/// Deepest nesting in a document: twice what one needs. Each level takes some of the stack, the more the less is known of
/// what is to come.
pub const NESTING_MAX: usize = 16;

/// Reads a document, of rules or of another kind; whether it makes sense is not asked here.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, DocumentError> {
    read_with(text, options())
}

/// The same without knowing what is a text in it and what a number: whatever can be read as a document can be read so.
pub(super) fn read_untyped<T: DeserializeOwned>(text: &str) -> Result<T, DocumentError> {
    read_with(text, untyped())
}

fn read_with<T: DeserializeOwned>(text: &str, options: Options) -> Result<T, DocumentError> {
    if text.len() > DOCUMENT_MAX {
        return Err(DocumentError {
            line: None,
            column: None,
            field: Field::default(),
            got: format!("{} bytes", text.len()),
            want: format!("at most {DOCUMENT_MAX}"),
        });
    }
    let mut field = Field::default();
    let read = with_deserializer_from_str_with_options(text, options, |deserializer| {
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            field = field_of(error.path());
            error.into_inner()
        })
    });
    read.map_err(|error| wrong(&error, field))
}

fn options() -> Options {
    let mut options = Options::default();
    // A message is one line for a log; the line's number is in it.
    options.with_snippet = false;
    options.budget.get_or_insert_default().max_depth = NESTING_MAX;
    options
}

fn untyped() -> Options {
    let mut options = options();
    // A name may be `.inf`: nobody is to take it for a number.
    options.non_finite_float_policy = NonFiniteFloatPolicy::AsString;
    options
}

fn field_of(path: &serde_path_to_error::Path) -> Field {
    path.iter().fold(Field::default(), |field, segment| match segment {
        Segment::Seq { index } => field.at(*index),
        Segment::Map { key } => field.name(key),
        Segment::Enum { variant } => field.name(variant),
        Segment::Unknown => field,
    })
}

/// Ours say what came and what would be right; the parser's own sentences mostly do.
fn wrong(error: &Error, field: Field) -> DocumentError {
    let line = error.location().map(|location| location.line());
    let said = match error {
        Error::Message { msg, .. } => msg.clone(),
        other => {
            let said = other.to_string();
            // The place stands in front already.
            said.split(" at line ").next().unwrap_or_default().to_owned()
        }
    };
    let only_wanted = said.strip_prefix("expected ").map(|want| ("something else", want));
    let split = said.split_once(", want ").or_else(|| said.split_once(", expected ")).or(only_wanted);
    let (got, want) = split.unwrap_or((&said, ""));
    let got = got.strip_prefix("got ").unwrap_or(got).to_owned();
    DocumentError { line, column: None, field, got, want: want.to_owned() }
}

/// Where the fields of a document stand in its text.
#[derive(Debug)]
pub struct Lines(Option<Place>);

impl Lines {
    /// Finds them. A text that cannot be read has none.
    pub fn of(text: &str) -> Lines {
        #[allow(clippy::redundant_closure)] // The path alone is not general enough over lifetimes.
        let read = with_deserializer_from_str_with_options(text, untyped(), |text| Place::deserialize(text));
        Lines(read.ok())
    }

    /// The line of a field, or of what it would be in.
    pub fn line(&self, field: &Field) -> Option<u64> {
        let mut place = self.0.as_ref()?;
        let mut line = None;
        for part in field.parts() {
            let Some((at, below)) = place.below(part) else { break };
            (line, place) = (Some(at), below);
        }
        Some(line.unwrap_or(1))
    }
}

/// What stands at a place: the lines of what is below it.
#[derive(Debug, Default)]
enum Place {
    #[default]
    Value,
    List(Vec<(u64, Place)>),
    Map(Vec<(String, u64, Place)>),
}

impl Place {
    fn below(&self, part: &Part) -> Option<(u64, &Place)> {
        match (self, part) {
            (Place::List(entries), Part::At(index)) => {
                entries.get(*index).map(|(line, place)| (*line, place))
            }
            (Place::Map(entries), Part::Name(name)) => {
                let found = entries.iter().find(|(key, _, _)| key == name)?;
                Some((found.1, &found.2))
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Place, D::Error> {
        deserializer.deserialize_any(PlaceReader)
    }
}

struct PlaceReader;

macro_rules! a_value {
    ($($name:ident: $kind:ty),*) => {$(
        fn $name<E>(self, _: $kind) -> Result<Place, E> {
            Ok(Place::Value)
        }
    )*};
}

impl<'de> de::Visitor<'de> for PlaceReader {
    type Value = Place;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("anything")
    }

    a_value!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<Place, E> {
        Ok(Place::Value)
    }

    fn visit_none<E>(self) -> Result<Place, E> {
        Ok(Place::Value)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut entries: A) -> Result<Place, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element::<Spanned<Place>>()? {
            list.push((entry.referenced.line(), entry.value));
        }
        Ok(Place::List(list))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Place, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let place = entries.next_value::<Place>()?;
            map.push((key.value, key.referenced.line(), place));
        }
        Ok(Place::Map(map))
    }
}
