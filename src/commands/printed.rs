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
    let json = |out: &mut io::StdoutLock<'_>| {
        serde_json::to_writer_pretty(&mut *out, result).map_err(io::Error::from)?;
        writeln!(out)
    };
    match output {
        Output::Text => say(result),
        Output::Json => read(write(json)),
    }
}

/// Prints a text to standard output.
pub fn say(text: &impl Display) -> io::Result<()> {
    read(write(|out| write!(out, "{text}")))
}

/// Tells what is wrong on standard error. Nobody may read it any more, and that is no reason to end in another way.
pub fn complain(what: impl Display) {
    let _ = writeln!(io::stderr(), "{what}");
}

/// Whoever reads us may have seen enough, as `head` has: what is done is done all the same.
pub fn read(printed: io::Result<()>) -> io::Result<()> {
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

fn write(what: impl FnOnce(&mut io::StdoutLock<'_>) -> io::Result<()>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    what(&mut out)?;
    out.flush()
}
