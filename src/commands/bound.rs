//! `baton bound`: what recorded days cost at least, beside what policies cost in the engine.
//!
//! Results go to standard output, the progress bar and what went wrong to standard error. Exit code 1: the files could not
//! be used; 2, by clap: the options are not understood.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::bar::with_bar;
use super::hold::{self, Hold};
use super::printed::{Output, complain, print};
use super::simulate::USUAL;
use crate::bound::{self, BoundOptions, Effort};
use crate::simulate::Choice;

/// Say how cheap recorded days could have been: a cost that no policy goes below
///
/// A centre is two files, NAME_types.csv and NAME_agents.csv, and a file NAME_day*.csv (or .csv.gz) for each day; or
/// types_NAME.csv, agents_NAME.csv and trace_NAME_*.csv. Every day, or what is left of it between --from and --to, meets
/// agents who are all idle.
///
/// The bound knows everything beforehand: who will come, how long they will wait and how much work they are. No router can
/// know that, so the bound is loose: the gap to it cannot be closed. Of eight calls or fewer it is the cost of the best plan.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  \
    baton bound --days ../shared/reference/queueing/clairvoyant --center S3_homogeneous\n  \
    baton bound --days ../shared/reference/queueing/routing_days --center S1_base --day 20 --from 7200 --to 14400")]
pub struct BoundArgs {
    /// Folder with the files of a recorded centre and its days
    #[arg(long, value_name = "DIR")]
    days: PathBuf,
    /// Name of the recorded centre: what its files are named after
    #[arg(long, value_name = "NAME")]
    center: String,
    /// Only the day of this name: what its file is named besides
    #[arg(long, value_name = "NAME")]
    day: Option<String>,
    /// Only who comes from then on, in seconds since the beginning of the day
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    from: u32,
    /// Only who comes before then, in seconds since the beginning of the day
    #[arg(long, value_name = "SECONDS", default_value_t = u32::MAX, hide_default_value = true)]
    to: u32,
    /// Policies, with commas between, the first being the one the others are compared with; see baton simulate
    /// [default: longest-idle, priority-skill, cmu-theta and marginal-cost]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    policy: Option<Vec<Choice>>,
    /// Longest time an interaction is held for a cheaper agent, for example 60s; 0s: never held; unlimited: as long as it
    /// pays
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = hold::parse)]
    max_hold: Hold,
    /// Steps towards the best bound on each of four grids: more is nearer, and takes longer
    #[arg(long, value_name = "NUMBER", default_value_t = Effort::default().steps,
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: u32,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

/// Runs, prints the result, and says what went wrong.
pub fn run(args: BoundArgs) -> ExitCode {
    let bounds = match with_bar(|progress| bound::bounds(&args.options(), progress)) {
        Ok(bounds) => bounds,
        Err(error) => return failed(&error),
    };
    match print(&bounds, args.output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

impl BoundArgs {
    fn options(&self) -> BoundOptions {
        BoundOptions {
            folder: self.days.clone(),
            centre: self.center.clone(),
            day: self.day.clone(),
            from_s: f64::from(self.from),
            to_s: f64::from(self.to),
            choices: self.policy.clone().unwrap_or_else(|| USUAL.to_vec()),
            hold_max_ms: self.max_hold.0,
            effort: Effort { steps: self.steps },
        }
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    complain(format_args!("baton bound: {error}"));
    ExitCode::FAILURE
}
