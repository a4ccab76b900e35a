//! What is wrong with a rule document: where, what came, and what would be right.

use std::fmt;
use thiserror::Error;

/// A place in a document, as `queues.loans.relaxation[0].after`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Field(Vec<Part>);

/// One step down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Name(String),
    At(usize),
}

impl Field {
    /// The field of this name in it.
    #[must_use]
    pub fn name(&self, name: &str) -> Field {
        self.down(Part::Name(name.to_owned()))
    }

    /// The entry of this number in it, the first being 0.
    #[must_use]
    pub fn at(&self, index: usize) -> Field {
        self.down(Part::At(index))
    }

    pub(super) fn down(&self, part: Part) -> Field {
        let mut parts = self.0.clone();
        parts.push(part);
        Field(parts)
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.0
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the document");
        }
        for (number, part) in self.0.iter().enumerate() {
            match part {
                Part::Name(name) if number == 0 => f.write_str(name)?,
                Part::Name(name) => write!(f, ".{name}")?,
                Part::At(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub struct DocumentError {
    /// The first is 1. `None` where the document came without lines, or the parser cannot tell.
    pub line: Option<u64>,
    /// In a condition: the line of it, the first being 1, and the column, the first being 1.
    pub column: Option<(u64, u64)>,
    pub field: Field,
    pub got: String,
    /// Empty where the parser says in `got` all there is to say.
    pub want: String,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        place(f, self.line, self.column)?;
        match self.want.as_str() {
            "" => write!(f, "{}: {}", self.field, self.got),
            want => write!(f, "{}: got {}, want {want}", self.field, self.got),
        }
    }
}

/// Where something stands in a document: before the field, if that is known.
pub(super) fn place(
    f: &mut fmt::Formatter<'_>,
    line: Option<u64>,
    column: Option<(u64, u64)>,
) -> fmt::Result {
    if let Some(line) = line {
        write!(f, "line {line}, ")?;
    }
    match column {
        Some((1, column)) => write!(f, "column {column} of "),
        Some((line, column)) => write!(f, "line {line}, column {column} of "),
        None => Ok(()),
    }
}

/// Everything that is wrong with a document. Never empty.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub struct DocumentErrors(pub Vec<DocumentError>);

impl fmt::Display for DocumentErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}
