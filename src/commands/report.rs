//! `baton report`: figures of a period from a server's journal, stopped or running.
//!
//! Results go to standard output, what went wrong to standard error. Exit code 2: the options make no sense; 69: the
//! journal cannot be read.

use super::printed::complain;
use crate::engine::time::Time;
use crate::report::{By, ReadError, Report, Request, csv, from_folder, json, table};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Figures of a period from a server's journal: by queue, channel, agent and interval
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// The server's data folder; the server may be running
    #[arg(long, value_name = "DIR", env = "BATON_DATA", default_value = "baton-data")]
    data: PathBuf,
    /// The tenant
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// The first moment that counts: 2026-11-25T09:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Timestamp,
    /// The first moment that counts no more [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// What rows are told apart by
    #[arg(long, value_enum, value_delimiter = ',', default_value = "queue")]
    by: Vec<Dimension>,
    /// Length of an interval; intervals begin on the hour, UTC
    #[arg(long, value_enum, default_value = "30m")]
    interval: Interval,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "table")]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Dimension {
    Queue,
    Channel,
    /// In rows of their own, beside the others
    Agent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Interval {
    #[value(name = "15m")]
    Quarter,
    #[value(name = "30m")]
    Half,
    #[value(name = "1h")]
    Hour,
    #[value(name = "1d")]
    Day,
    /// The whole period
    All,
}

impl Interval {
    fn ms(self) -> Option<u64> {
        let minutes = match self {
            Interval::Quarter => 15,
            Interval::Half => 30,
            Interval::Hour => 60,
            Interval::Day => 24 * 60,
            Interval::All => return None,
        };
        Some(minutes * 60_000)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people: the figures most asked for
    Table,
    /// Every figure, a line a row
    Csv,
    /// Every figure, one JSON object
    Json,
}

/// Reads, adds up, prints, and says what went wrong.
pub fn run(args: ReportArgs) -> ExitCode {
    let now = time(Timestamp::now());
    let by = By {
        queue: args.by.contains(&Dimension::Queue),
        channel: args.by.contains(&Dimension::Channel),
        agent: args.by.contains(&Dimension::Agent),
    };
    let to = args.to.map_or(now, time);
    let request = Request { from: time(args.from), to, interval_ms: args.interval.ms(), by };
    let folder = args.data.join("tenants").join(&args.tenant);
    // Up to the last event: of a server that is stopped, nobody knows what would have gone on.
    match from_folder(&folder, request, Time::default()) {
        Ok(report) => printed(print(&report, args.output)),
        Err(error) => {
            complain(format_args!("baton report: {error}"));
            ExitCode::from(if matches!(error, ReadError::Question(_)) { 2 } else { 69 })
        }
    }
}

fn print(report: &Report, output: Output) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match output {
        Output::Table => write!(out, "{}", table(report))?,
        Output::Csv => write!(out, "{}", csv(report).map_err(io::Error::other)?)?,
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, &json(report)).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    out.flush()
}

fn printed(result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads us has seen enough, as `head` has.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("baton report: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn time(at: Timestamp) -> Time {
    Time(u64::try_from(at.as_millisecond()).unwrap_or_default())
}
