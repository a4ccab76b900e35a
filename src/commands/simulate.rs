//! `baton simulate`: days in the real engine, in simulated time, under several policies side by side.
//!
//! Results go to standard output, the progress bar and what went wrong to standard error. Exit code 1: the files could
//! not be used; 2, by clap: the options are not understood.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::policy::Marginal;
use crate::simulate::{self, Choice, DaysOptions};

/// Longest hold that can be asked for, ms: a day.
const HOLD_MAX_MS: u64 = 86_400_000;

/// Take days through the engine in simulated time, under several policies side by side
///
/// A centre is two files, NAME_types.csv and NAME_agents.csv, and a file NAME_day*.csv (or .csv.gz) for each day. The
/// engine sees what a router may see: the est_* columns and the figures of the types, never the patience_s or the
/// work_multiplier of a customer.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  \
    baton simulate --days ../shared/reference/queueing/routing_days --center S1_base \\\n    \
    --policy longest-idle,priority-skill,cmu-theta,marginal-cost --max-hold 120s")]
pub struct SimulateArgs {
    /// Folder with the files of the centre and its days
    #[arg(long, value_name = "DIR")]
    days: PathBuf,
    /// Name of the centre: what the names of its files begin with
    #[arg(long, value_name = "NAME")]
    center: String,
    /// Policies, with commas between: longest-idle, least-occupied, round-robin, most-skilled, fewest-skills, priority,
    /// priority-skill, cmu-theta, marginal-cost
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "longest-idle,marginal-cost")]
    policy: Vec<Choice>,
    /// Longest time an interaction is held for a cheaper agent, for example 60s; 0s: never held
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = hold)]
    max_hold: u64,
    /// Runs of each day, with another order between equal agents each; the figures are their means. 1: the order of the
    /// file
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// A table for people
    Text,
    /// One JSON object
    Json,
}

/// Runs, prints the result, and says what went wrong.
pub fn run(args: SimulateArgs) -> ExitCode {
    let options = DaysOptions {
        folder: args.days,
        centre: args.center,
        choices: args.policy,
        hold_max_ms: Some(args.max_hold),
        marginal: Marginal::default(),
        seeds: args.seeds,
    };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs of a day, {eta} left");
    let bar = ProgressBar::new(0).with_style(style.expect("the template is a constant"));
    let days = simulate::days(&options, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let days = match days {
        Ok(days) => days,
        Err(error) => return failed(&error),
    };
    match print(&days, args.output) {
        // Whoever reads us has seen enough, as `head` has.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => failed(&error),
        _ => ExitCode::SUCCESS,
    }
}

fn print(days: &simulate::Days, output: Output) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match output {
        Output::Text => write!(out, "{days}")?,
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, days).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    out.flush()
}

fn hold(text: &str) -> Result<u64, String> {
    let wanted = "expected a time such as 0s, 60s or 2m, up to 24h".to_owned();
    let parsed: jiff::SignedDuration = text.parse().map_err(|error| format!("{error}; {wanted}"))?;
    u64::try_from(parsed.as_millis()).ok().filter(|ms| *ms <= HOLD_MAX_MS).ok_or(wanted)
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("baton simulate: {error}");
    ExitCode::FAILURE
}
