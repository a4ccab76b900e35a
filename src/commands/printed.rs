//! How a result is printed: for people, or as one JSON object.

use std::fmt::Display;
use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Tables for people
    Text,
    /// One JSON object
    Json,
}

/// Prints a result to standard output.
pub fn print(result: &(impl Serialize + Display), output: Output) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match output {
        Output::Text => write!(out, "{result}")?,
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, result).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    out.flush()
}
