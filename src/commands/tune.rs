//! `baton tune`: the figures of a pool's policy that past days speak for, beside who gains and who pays.
//!
//! Results go to standard output, the progress bar and what went wrong to standard error. Exit code 1: the floor or the
//! files could not be used; 2, by clap: the options are not understood.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::bar::with_bar;
use super::hold::{self, Hold};
use super::printed::{Output, complain, print};
use crate::engine::fixed::Part;
use crate::engine::policy::Marginal;
use crate::simulate::{self, DAYS, Past, Scenario, SimulateError, TuneTerms, Tuning};

/// Try how dearly scarce skills are best protected, on past days
///
/// Every setting of scarcity (0, 0.5, 1, 1.5, 2) and depletion (0.4 to 0.95) has the same days, customers and agents, and so
/// has longest idle. A change is recommended only if it saves money for certain: the 95 % interval of the paired differences
/// is below nothing, and settings chosen on all days but one save something on that one.
///
/// Nothing is changed by this. What is printed are the lines of the pool's policy that a person may set, with what they do to
/// each kind of contact.
///
/// FLOOR is as in baton simulate: a YAML file, or the name of a floor that comes with baton. With --days, nothing is drawn.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  \
    baton tune S1 --draw 10\n  \
    baton tune my-floor.yaml --scarcity 0.5 --output json\n  \
    baton tune --days ../shared/reference/queueing/routing_days --center S1_base")]
pub struct TuneArgs {
    /// A floor file, or the name of a floor that comes with baton
    #[arg(required_unless_present = "days")]
    floor: Option<String>,
    /// Folder with the files of a recorded centre and its days
    #[arg(long, value_name = "DIR", conflicts_with = "floor", requires = "center")]
    days: Option<PathBuf>,
    /// Name of the recorded centre: what its files are named after
    #[arg(long, value_name = "NAME", requires = "days")]
    center: Option<String>,
    /// Days that are drawn, two at least [default: as many as the floor says]
    #[arg(long, value_name = "NUMBER", conflicts_with = "days",
        value_parser = clap::value_parser!(u32).range(2..=i64::from(*DAYS.end())))]
    draw: Option<u32>,
    /// What days and agents are drawn from: the same number, the same days [default: as the floor says]
    #[arg(long, value_name = "NUMBER", conflicts_with = "days")]
    seed: Option<u64>,
    /// How dearly scarce skills are protected now, 0 to 2
    #[arg(long, value_name = "FIGURE", default_value = "1", value_parser = scarcity)]
    scarcity: Part,
    /// Chance that one more free agent does not help, as it is set now, 0.4 to 0.95
    #[arg(long, value_name = "FIGURE", default_value = "0.7", value_parser = depletion)]
    depletion: Part,
    /// Longest time an interaction is held for a cheaper agent, for example 60s; 0s: never held; unlimited: as long as it
    /// pays
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = hold::parse)]
    max_hold: Hold,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

/// Runs, prints the result, and says what went wrong.
pub fn run(args: TuneArgs) -> ExitCode {
    let tuning = match tuning(&args) {
        Ok(tuning) => tuning,
        Err(error) => return failed(&error),
    };
    match print(&tuning, args.output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn tuning(args: &TuneArgs) -> Result<Tuning, SimulateError> {
    let past = match (&args.days, &args.center) {
        (Some(folder), Some(centre)) => Past::recorded(folder, centre)?,
        _ => {
            let floor = simulate::floor(args.floor.as_deref().unwrap_or_default())?;
            Past::drawn(Scenario::new(&floor, args.draw, args.seed)?)
        }
    };
    let present = Marginal { scarcity: args.scarcity, depletion: args.depletion, ..Marginal::default() };
    let terms = TuneTerms { present, hold_max_ms: args.max_hold.0 };
    with_bar(|progress| simulate::tune(&past, &terms, progress))
}

fn scarcity(text: &str) -> Result<Part, String> {
    figure(text, 0, 2_000, "0 to 2")
}

fn depletion(text: &str) -> Result<Part, String> {
    figure(text, 400, 950, "0.4 to 0.95")
}

/// A figure in whole thousandths.
fn figure(text: &str, least: u32, most: u32, wanted: &str) -> Result<Part, String> {
    let thousandths = text.parse::<f64>().map(|figure| (figure * 1_000.0).round());
    match thousandths {
        Ok(found) if (f64::from(least)..=f64::from(most)).contains(&found) => {
            Ok(Part::thousandths(found as u32))
        }
        _ => Err(format!("expected a number from {wanted}")),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    complain(format_args!("baton tune: {error}"));
    ExitCode::FAILURE
}
