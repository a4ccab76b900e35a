//! `baton backtest`: what a rule change would have done to a recorded period.
//!
//! Results go to standard output, the progress bar and what went wrong to standard error. Exit code 2: the options or a rule
//! document make no sense; 65: there is nothing to decide again in that period; 69: something cannot be read.

use super::bar::Bar;
use super::printed::{Output, complain, print};
use crate::assembly::{ServerError, read_rules};
use crate::engine::policy::Marginal;
use crate::engine::time::Time;
use crate::journal::Fault;
use crate::replay::backtest::{
    BANK_RULE, Backtest, BacktestError, BankLog, CHANGED_MAX, Options, Recorded, backtest,
};
use crate::replay::bank_calls::{Order, ReplayOptions};
use crate::rulebook::Rulebook;
use crate::rules::RuleSet;
use crate::simulate::Choice;
use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

/// Say what a rule change would have done to a recorded period, before it is published
///
/// The period is told three times: as recorded, decided again by the published rules, and decided again by the draft. The
/// second against the first is the error of the simulation, the third against the second is the draft.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  \
    baton backtest draft.yaml --data baton-data --from 2026-11-25 --to 2026-11-25\n  \
    baton backtest draft.yaml --import bank-calls ../shared/data/bank-calls-1999-01/calls-1999-01.csv.gz --from 1999-01-11")]
pub struct BacktestArgs {
    /// The draft: a rule document, YAML or JSON
    #[arg(value_name = "FILE")]
    draft: PathBuf,
    /// The published rules [default: the version in force in the data folder; with --import bank-calls the bank's own rule]
    #[arg(long, value_name = "FILE")]
    published: Option<PathBuf>,
    /// The server's data folder, unless another record is imported; the server may be running
    #[arg(long, value_name = "DIR", env = "BATON_DATA", default_value = "baton-data")]
    data: PathBuf,
    /// The tenant
    #[arg(long, value_name = "NAME", default_value = "default", conflicts_with = "import")]
    tenant: String,
    /// Another record than a journal: bank-calls, the call-by-call log of "Anonymous Bank", and its file
    #[arg(long, num_args = 2, value_names = ["FORMAT", "LOG"])]
    import: Option<Vec<String>>,
    /// The first moment that counts: 2026-11-25T09:00:00Z, or a day, UTC [default: the first of an imported log]
    #[arg(long, value_name = "TIME", required_unless_present = "import")]
    from: Option<Moment>,
    /// The first moment that counts no more, or the last day that counts [default: the end of the record]
    #[arg(long, value_name = "TIME")]
    to: Option<Moment>,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    /// So many of the interactions that change most are shown
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(0..=CHANGED_MAX as i64))]
    top: u16,
    /// Seed of what is drawn: patience, work, answers
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// What decides on the bank's floor: longest-idle, as it did, or another policy, as marginal-cost
    #[arg(long, value_name = "POLICY", default_value = "longest-idle", requires = "import")]
    policy: Choice,
    /// Share of their time on duty in which the bank's agents take calls, 0 to 1 [default: calibrated on the 1st to 10th]
    #[arg(long, value_name = "SHARE", requires = "import")]
    availability: Option<f64>,
}

/// A moment, or a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    At(Timestamp),
    Day(Date),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        let day = || text.parse().map(Moment::Day);
        let wanted =
            |_| "expected a moment such as 2026-11-25T09:00:00Z, or a day such as 2026-11-25".to_owned();
        text.parse().map(Moment::At).or_else(|_: jiff::Error| day()).map_err(wanted)
    }
}

impl Moment {
    /// When it begins.
    fn begins(self) -> Time {
        match self {
            Moment::At(at) => time(at),
            Moment::Day(day) => midnight(day),
        }
    }

    /// When it is over: a day as a whole.
    fn is_over(self) -> Time {
        match self {
            Moment::At(at) => time(at),
            Moment::Day(day) => midnight(day.saturating_add(1.day())),
        }
    }

    fn day(self) -> Date {
        match self {
            Moment::At(at) => at.to_zoned(TimeZone::UTC).date(),
            Moment::Day(day) => day,
        }
    }
}

fn midnight(day: Date) -> Time {
    day.to_zoned(TimeZone::UTC).map_or_else(|_| Time::default(), |at| time(at.timestamp()))
}

fn time(at: Timestamp) -> Time {
    Time(u64::try_from(at.as_millisecond()).unwrap_or_default())
}

/// What went wrong, and the exit code for it.
struct Failed(String, u8);

const EXIT_USAGE: u8 = 2;
const EXIT_DATA: u8 = 65;
const EXIT_UNAVAILABLE: u8 = 69;

impl From<ServerError> for Failed {
    fn from(error: ServerError) -> Failed {
        let wrong = matches!(error, ServerError::Rules { .. });
        Failed(error.to_string(), if wrong { EXIT_USAGE } else { EXIT_UNAVAILABLE })
    }
}

impl From<BacktestError> for Failed {
    fn from(error: BacktestError) -> Failed {
        let code = match error {
            BacktestError::PeriodEmpty { .. } => EXIT_USAGE,
            BacktestError::Journal(Fault::NotRetained { .. }) => EXIT_DATA,
            BacktestError::Journal(_) | BacktestError::Event { .. } | BacktestError::BankLog(_) => {
                EXIT_UNAVAILABLE
            }
            _ => EXIT_DATA,
        };
        Failed(format!("{}: {error}", error.reason()), code)
    }
}

/// Reads, decides again, prints, and says what went wrong.
pub fn run(args: BacktestArgs) -> ExitCode {
    match compare(&args) {
        Ok(result) => match print(&result, args.output) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error.to_string(), 1),
        },
        Err(Failed(message, code)) => failed(&message, code),
    }
}

fn failed(message: &str, code: u8) -> ExitCode {
    complain(format_args!("baton backtest: {message}"));
    ExitCode::from(code)
}

fn compare(args: &BacktestArgs) -> Result<Backtest, Failed> {
    let draft = read_rules(&args.draft)?;
    let published = args.published.as_deref().map(read_rules).transpose()?;
    let published = match (published, &args.import) {
        (Some(published), _) => published,
        (None, None) => in_force(args)?,
        (None, Some(_)) => RuleSet::read(BANK_RULE).expect("the bank's rule is checked by a test"),
    };
    let recorded = match args.import.as_deref() {
        Some([format, log]) if format == "bank-calls" => bank_log(args, Path::new(log), &published, &draft)?,
        Some(other) => {
            let got = other.first().map_or("", |format| format.as_str());
            return Err(Failed(format!("--import is {got:?}, expected bank-calls and a file"), EXIT_USAGE));
        }
        None => journal(args)?,
    };
    let options = Options { seed: args.seed, changed_max: usize::from(args.top) };
    let bar = Bar::new("interactions decided again");
    let mut progress = |done, total| {
        bar.show(done, total);
        ControlFlow::Continue(())
    };
    Ok(backtest(&recorded, &published, &draft, &options, &mut progress)?)
}

/// The version in force of the tenant; where there never was one, the built-in rules.
fn in_force(args: &BacktestArgs) -> Result<RuleSet, Failed> {
    let folder = args.data.join("tenants").join(&args.tenant);
    let failed = |error: &dyn std::fmt::Display| Failed(error.to_string(), EXIT_UNAVAILABLE);
    if !folder.join("rules.db").exists() {
        return Ok(RuleSet::default());
    }
    let book = Rulebook::open_read_only(&folder).map_err(|fault| failed(&fault))?;
    let number = book.in_force().map_err(|fault| failed(&fault))?.map(|one| one.number);
    let version = number.map(|number| book.version(number)).transpose().map_err(|fault| failed(&fault))?;
    let Some(version) = version.flatten() else { return Ok(RuleSet::default()) };
    let rules = RuleSet::read(&version.text).map_err(|errors| failed(&errors))?;
    Ok(rules.numbered(version.number))
}

fn journal(args: &BacktestArgs) -> Result<Recorded, Failed> {
    let folder = args.data.join("tenants").join(&args.tenant);
    let from = args.from.map(Moment::begins).unwrap_or_default();
    let to = args.to.map_or_else(|| time(Timestamp::now()), Moment::is_over);
    Ok(Recorded::from_journal(&folder, from, to)?)
}

fn bank_log(
    args: &BacktestArgs,
    log: &Path,
    published: &RuleSet,
    draft: &RuleSet,
) -> Result<Recorded, Failed> {
    let (file, availability, seed) = (log.to_owned(), args.availability, args.seed);
    let log = BankLog {
        options: ReplayOptions { file, availability, order: Order::Documented, seed },
        policy: args.policy.policy(Marginal::default()),
        from: args.from.map(Moment::day),
        to: args.to.map(Moment::day),
    };
    let bar = Bar::new("calls of the calibration");
    Ok(Recorded::from_bank_log(&log, published, draft, &mut |done, total| bar.show(done, total))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_period_as_a_whole_and_a_moment_is_itself() {
        let of = |text: &str| text.parse::<Moment>().expect("it is a moment or a day");
        let day = of("2026-11-25");
        assert_eq!(day.is_over().since(day.begins()), 24 * 3_600_000);
        let nine = of("2026-11-25T09:00:00Z");
        assert_eq!((nine.begins(), nine.is_over()), (Time(1_795_597_200_000), Time(1_795_597_200_000)));
        assert_eq!(nine.begins().since(day.begins()), 9 * 3_600_000);
        assert_eq!(nine.day(), jiff::civil::date(2026, 11, 25));
        let error = "yesterday".parse::<Moment>().expect_err("it is neither");
        assert!(error.contains("a day such as 2026-11-25"), "{error}");
    }
}
