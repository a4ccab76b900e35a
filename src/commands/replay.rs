//! `baton replay`: a recorded log through the engine, printed beside the record.
//!
//! Results go to standard output, the progress bar and what went wrong to standard error. Exit code 1: the log
//! could not be replayed; 2, by clap: the options are not understood.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use jiff::civil::Date;

use super::bar::Bar;
use super::printed::{Output, complain, print};
use crate::replay::bank_calls::{self, CheckOptions, Kind, Order, ReplayError, ReplayOptions, Way};
use crate::rules::RuleSet;

/// Replay a recorded log through the engine in simulated time, beside the record
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// The log: CSV, plain or gzipped
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How the log is written
    #[arg(long, value_enum)]
    format: Format,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    /// Follow the recorded history instead, and ask the engine at each recorded start of service whom it would
    /// have taken, under longest wait first
    #[arg(long, conflicts_with_all = ["order", "availability", "seed"])]
    check_choices: bool,
    /// First day of the choices, YYYY-MM-DD [default: the first of the log]
    #[arg(long, value_name = "DATE", requires = "check_choices")]
    from: Option<Date>,
    /// Last day of the choices, YYYY-MM-DD, included [default: the last of the log]
    #[arg(long, value_name = "DATE", requires = "check_choices")]
    to: Option<Date>,
    /// Type of the choices, one of PS PE IN NE NW TT AA [default: PS]
    #[arg(long = "type", value_name = "TYPE", value_parser = kind, requires = "check_choices")]
    kind: Option<Kind>,
    /// The month in each of these ways beside the record, with commas between, the last held against the others:
    /// bank-rule (time in queue, priority customers with a credit of 90 s), longest-idle (longest wait first),
    /// priority, priority-skill, cmu-theta, marginal-cost, … [default with --goals: bank-rule, longest-idle and
    /// marginal-cost]
    #[arg(long, value_name = "LIST", value_delimiter = ',', conflicts_with = "check_choices")]
    policy: Vec<Way>,
    /// Rule document with the goals: its queues are the types PS PE IN NE NW TT AA, and PS-priority and so on for their
    /// priority customers [default: the built-in rules]
    #[arg(long, value_name = "FILE", conflicts_with = "check_choices")]
    goals: Option<PathBuf>,
    /// Who is taken first: time in queue with the bank's credit of 90 s for priority customers, or time alone; with
    /// --policy or --goals in the calibration only
    #[arg(long, value_enum, default_value = "documented")]
    order: OrderArg,
    /// Share of their time on duty in which agents take calls, 0 to 1 [default: calibrated on the 1st to 10th]
    #[arg(long, value_name = "SHARE")]
    availability: Option<f64>,
    /// Seed of what is drawn: patience, work times, availability
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// Formats of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The call-by-call log of "Anonymous Bank", one row a call
    BankCalls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OrderArg {
    /// Time in queue, priority customers starting with a credit of 90 s
    Documented,
    /// Time in queue
    LongestWait,
}

/// Replays or checks, prints the result, and says what went wrong.
pub fn run(args: ReplayArgs) -> ExitCode {
    let Format::BankCalls = args.format;
    let printed = match args.check_choices {
        true => check_choices(&args).map(|check| print(&check, args.output)),
        false if args.policy.is_empty() && args.goals.is_none() => {
            replay(&args).map(|replay| print(&replay, args.output))
        }
        false => match goals(&args) {
            Ok(rules) => policies(&args, &rules).map(|policies| print(&policies, args.output)),
            Err(fault) => {
                complain(format_args!("baton replay: {fault}"));
                return ExitCode::FAILURE;
            }
        },
    };
    match printed {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error),
    }
}

fn check_choices(args: &ReplayArgs) -> Result<bank_calls::ChoiceCheck, ReplayError> {
    let kind = args.kind.unwrap_or(Kind::Ps);
    let options = CheckOptions { file: args.file.clone(), kind, from: args.from, to: args.to };
    let bar = Bar::new("choices");
    bank_calls::check_choices(&options, &mut |done, total| bar.show(done, total))
}

fn goals(args: &ReplayArgs) -> Result<RuleSet, String> {
    let Some(file) = &args.goals else { return Ok(RuleSet::default()) };
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    RuleSet::read(&text).map_err(|errors| format!("{}: {errors}", file.display()))
}

fn policies(args: &ReplayArgs, rules: &RuleSet) -> Result<bank_calls::Policies, ReplayError> {
    let bar = Bar::new("calls, those of the calibration included");
    let ways = if args.policy.is_empty() { &Way::USUAL[..] } else { &args.policy };
    bank_calls::policies(&options(args), ways, rules, &mut |done, total| bar.show(done, total))
}

fn replay(args: &ReplayArgs) -> Result<bank_calls::Replay, ReplayError> {
    let bar = Bar::new("calls, those of the calibration included");
    bank_calls::replay(&options(args), &mut |done, total| bar.show(done, total))
}

fn options(args: &ReplayArgs) -> ReplayOptions {
    let order = match args.order {
        OrderArg::Documented => Order::Documented,
        OrderArg::LongestWait => Order::LongestWait,
    };
    ReplayOptions { file: args.file.clone(), availability: args.availability, order, seed: args.seed }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    complain(format_args!("baton replay: {error}"));
    ExitCode::FAILURE
}

fn kind(code: &str) -> Result<Kind, String> {
    Kind::from_code(code).ok_or_else(|| "expected one of PS PE IN NE NW TT AA".to_owned())
}
