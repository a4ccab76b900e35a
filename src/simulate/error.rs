//! What keeps a simulation from being run.

use crate::rules::DocumentErrors;
use std::path::PathBuf;

/// Each names the file, the place, what is there and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    #[error("cannot read {}: {source}", file.display())]
    Unreadable { file: PathBuf, source: std::io::Error },
    #[error("{} line {line}, {field}: got {got:?}, want {want}", file.display())]
    Wrong { file: PathBuf, line: u64, field: &'static str, got: String, want: &'static str },
    #[error("{}: {what}", file.display())]
    Unusable { file: PathBuf, what: String },
    #[error("no days of {centre} in {}: want files named {centre}_day*.csv or trace_{centre}_*.csv, or .csv.gz", folder.display())]
    NoDays { folder: PathBuf, centre: String },
    #[error("no day {day} of {centre}: want one of {}", days.join(", "))]
    NoDay { centre: String, day: String, days: Vec<String> },
    #[error("{} is no floor:\n{errors}", file.display())]
    Described { file: PathBuf, errors: DocumentErrors },
    #[error("floor {name}: {what}")]
    Floor { name: String, what: String },
}
