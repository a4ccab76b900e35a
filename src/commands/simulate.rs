//! `baton simulate`: days in the real engine, in simulated time, under several policies side by side.
//!
//! Results go to standard output, the progress bar and what went wrong to standard error. Exit code 1: the floor or the
//! files could not be used; 2, by clap: the options are not understood.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::bar::with_bar;
use super::hold::{self, Hold};
use super::printed::{Output, complain, print};
use crate::engine::policy::Marginal;
use crate::simulate::{self, Choice, DaysOptions, Scenario, SimulateError, Terms};

/// Days of each random floor, unless asked otherwise.
const RANDOM_DAYS: u32 = 4;

/// What a floor is run under unless asked otherwise; of recorded days, the first and the last of them.
pub(super) const USUAL: [Choice; 4] =
    [Choice::LongestIdle, Choice::PrioritySkill, Choice::CmuTheta, Choice::MarginalCost];

/// Take days through the engine in simulated time, under several policies side by side
///
/// FLOOR describes a contact centre: what comes over the day, how long it takes, how long customers wait and what it
/// costs if they wait in vain; and the agents, with their skills and how they differ. It is a YAML file, or the name of
/// a floor that comes with baton (see --list). Its days are drawn from a seed, and every policy has exactly the same
/// days, customers and agents: differences are told with 95 % intervals.
///
/// With --random, floors are drawn too. With --days, nothing is drawn: a centre is two files, NAME_types.csv and
/// NAME_agents.csv, and a file NAME_day*.csv (or .csv.gz) for each day; or types_NAME.csv, agents_NAME.csv and
/// trace_NAME_*.csv.
///
/// The engine sees what a router may see, which is estimates: never how long one customer will wait, or how much work
/// one customer is.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  \
    baton simulate S1\n  \
    baton simulate my-floor.yaml --policy longest-idle,marginal-cost --draw 100 --output json\n  \
    baton simulate --random 40\n  \
    baton simulate --days ../shared/reference/queueing/routing_days --center S1_base --max-hold 120s")]
pub struct SimulateArgs {
    /// A floor file, or the name of a floor that comes with baton
    #[arg(required_unless_present_any = ["days", "random", "list"])]
    floor: Option<String>,
    /// List the floors that come with baton, and do nothing else
    #[arg(long, conflicts_with_all = ["floor", "days", "random"])]
    list: bool,
    /// Draw so many floors, 3 to 12 kinds and 10 to 200 agents each, and tell what marginal cost saves on each of them,
    /// against longest idle and against the best of the other policies
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["floor", "days", "policy"],
        value_parser = clap::value_parser!(u32).range(1..=i64::from(simulate::FLOORS_MAX)))]
    random: Option<u32>,
    /// Folder with the files of a recorded centre and its days
    #[arg(long, value_name = "DIR", conflicts_with = "floor", requires = "center")]
    days: Option<PathBuf>,
    /// Name of the recorded centre: what its files are named after
    #[arg(long, value_name = "NAME", requires = "days")]
    center: Option<String>,
    /// Policies, with commas between, the first being the one the others are compared with: longest-idle,
    /// least-occupied, round-robin, most-skilled, fewest-skills, priority, priority-skill, cmu-theta, marginal-cost
    /// [default: longest-idle, priority-skill, cmu-theta and marginal-cost; with --days the first and the last of them]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    policy: Option<Vec<Choice>>,
    /// Longest time an interaction is held for a cheaper agent, for example 60s; 0s: never held; unlimited: as long as it
    /// pays
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = hold::parse)]
    max_hold: Hold,
    /// Days that are drawn [default: as many as the floor says; 4 of each random floor]
    #[arg(long, value_name = "NUMBER", conflicts_with = "days",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(*simulate::DAYS.end())))]
    draw: Option<u32>,
    /// What days, agents and random floors are drawn from: the same number, the same days [default: as the floor says; 1]
    #[arg(long, value_name = "NUMBER", conflicts_with = "days")]
    seed: Option<u64>,
    /// Runs of each recorded day, with another order between equal agents each; the figures are their means. 1: the order
    /// of the file
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "days",
        value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

/// Runs, prints the result, and says what went wrong.
pub fn run(args: SimulateArgs) -> ExitCode {
    let output = args.output;
    let shown = if args.list {
        printed(&Shipped::all(), output)
    } else if let Some(count) = args.random {
        let (days, seed) = (args.draw.unwrap_or(RANDOM_DAYS), args.seed.unwrap_or(1));
        let floors = with_bar(|progress| simulate::random_floors(count, days, seed, &args.terms(), progress));
        floors.map_or_else(|error| Ok(failed(&error)), |floors| printed(&floors, output))
    } else if let Some(options) = args.recorded() {
        let days = with_bar(|progress| simulate::days(&options, progress));
        days.map_or_else(|error| Ok(failed(&error)), |days| printed(&days, output))
    } else {
        let compared = with_bar(|progress| {
            let floor = simulate::floor(args.floor.as_deref().unwrap_or_default())?;
            let scenario = Scenario::new(&floor, args.draw, args.seed)?;
            Ok(simulate::compare(&scenario, &args.terms(), progress))
        });
        compared.map_or_else(|error: SimulateError| Ok(failed(&error)), |compared| printed(&compared, output))
    };
    match shown {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

impl SimulateArgs {
    fn terms(&self) -> Terms {
        let choices = self.policy.clone().unwrap_or_else(|| USUAL.to_vec());
        Terms { choices, marginal: Marginal::default(), hold_max_ms: self.max_hold.0 }
    }

    fn recorded(&self) -> Option<DaysOptions> {
        let usual = || vec![Choice::LongestIdle, Choice::MarginalCost];
        Some(DaysOptions {
            folder: self.days.clone()?,
            centre: self.center.clone()?,
            choices: self.policy.clone().unwrap_or_else(usual),
            hold_max_ms: self.max_hold.0,
            marginal: Marginal::default(),
            seeds: self.seeds,
        })
    }
}

/// The floors that come with baton.
#[derive(Serialize)]
struct Shipped {
    floors: Vec<ShippedFloor>,
}

#[derive(Serialize)]
struct ShippedFloor {
    name: &'static str,
    about: String,
}

impl Shipped {
    fn all() -> Shipped {
        let floor = |(name, about)| ShippedFloor { name, about };
        Shipped { floors: simulate::shipped().into_iter().map(floor).collect() }
    }
}

impl Display for Shipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.floors.iter().try_for_each(|floor| writeln!(f, "{:<10} {}", floor.name, floor.about))
    }
}

fn printed(result: &(impl Display + Serialize), output: Output) -> io::Result<ExitCode> {
    print(result, output).map(|()| ExitCode::SUCCESS)
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    complain(format_args!("baton simulate: {error}"));
    ExitCode::FAILURE
}
