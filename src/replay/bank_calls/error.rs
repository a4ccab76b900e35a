//! What can be wrong with a file that claims to be a bank call log, each with the place and the cure.

use std::path::{Path, PathBuf};

/// Why a call log was not read. Lines count from 1, the header being line 1.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file could not be opened, read or unpacked.
    #[error("{}: cannot be read: {source}", file.display())]
    Io {
        /// The file asked for.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The first line is not the header of this format.
    #[error("{}: line 1: column {position} is `{got}`, expected `{expected}`; --format bank-calls reads the columns {}", file.display(), super::parse::COLUMNS.join(","))]
    Header {
        /// The file asked for.
        file: PathBuf,
        /// Which column, counted from 1.
        position: usize,
        /// Its name in the file, empty when it ends before.
        got: String,
        /// Its name in this format, `the end of the line` when there is none.
        expected: &'static str,
    },
    /// A row with too few or too many columns.
    #[error("{}: line {line}: {got} columns, expected {}", file.display(), super::parse::COLUMNS.len())]
    Width {
        /// The file asked for.
        file: PathBuf,
        /// Where.
        line: u64,
        /// Columns found.
        got: usize,
    },
    /// A value this column cannot have.
    #[error("{}: line {line}: {column} is `{got}`, expected {expected}", file.display())]
    Field {
        /// The file asked for.
        file: PathBuf,
        /// Where.
        line: u64,
        /// Which column, by name.
        column: &'static str,
        /// The value that came.
        got: String,
        /// What is accepted there.
        expected: String,
    },
    /// Not text in columns at all.
    #[error("{}: line {line}: not a row of UTF-8 text, expected comma-separated columns", file.display())]
    NotText {
        /// The file asked for.
        file: PathBuf,
        /// Where.
        line: u64,
    },
    /// More rows than a replay holds in memory.
    #[error("{}: more than {} rows, expected a log of a few months", file.display(), super::parse::ROWS_MAX)]
    TooLong {
        /// The file asked for.
        file: PathBuf,
    },
    /// A header and nothing a floor had to answer.
    #[error("{}: no call{within} queued or was served, expected at least one", file.display())]
    Empty {
        /// The file asked for.
        file: PathBuf,
        /// The days or the type it was narrowed to, starting with a space, or nothing.
        within: String,
    },
}

impl RecordError {
    pub(super) fn io(file: &Path, source: std::io::Error) -> Self {
        RecordError::Io { file: file.to_owned(), source }
    }
}
