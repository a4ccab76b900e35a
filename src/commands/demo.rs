//! `baton demo`: a simulated contact centre on a real server, in one command.

use super::printed::complain;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::demo::{self, Settings};

/// Starts a server, fills it with simulated agents and customers, shows what happens, and closes the books.
///
/// The arrivals, service times and patience follow a real telephone centre (“Anonymous Bank”, Technion).
/// Exit codes: 0 all well, 1 the books do not balance, 2 wrong usage, 69 the server could not be started.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Seconds of engine time in one second: 60 runs a day in 24 minutes
    #[arg(long, value_name = "FACTOR", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1000))]
    speed: u32,
    /// Real time after which it ends by itself, such as 30s or 10m [default: until q or Ctrl-C]
    #[arg(long = "for", value_name = "TIME", value_parser = length)]
    length: Option<Duration>,
    /// Folder for the server's data, kept afterwards [default: a temporary one, removed afterwards]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where the server listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7710")]
    listen: SocketAddr,
    /// Time of day at the start, such as 10:00
    #[arg(long, value_name = "TIME", default_value = "10:00", value_parser = time_of_day_s)]
    from: u32,
    /// Seed of everything drawn
    #[arg(long, value_name = "NUMBER", default_value_t = 1999)]
    seed: u64,
    /// Times the bank's 13 agents and its arrivals
    #[arg(long, value_name = "FACTOR", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
    scale: u32,
}

/// The system refused to start threads (EX_OSERR).
const EXIT_SYSTEM: u8 = 71;

/// Runs the command and tells how it went.
pub fn run(args: DemoArgs) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(demonstrate(args)),
        Err(error) => {
            complain(format_args!("baton demo: {error}"));
            ExitCode::from(EXIT_SYSTEM)
        }
    }
}

async fn demonstrate(args: DemoArgs) -> ExitCode {
    let settings = Settings {
        listen: args.listen,
        data: args.data,
        speed: args.speed,
        length: args.length,
        from_s: args.from,
        seed: args.seed,
        scale: args.scale,
    };
    match demo::run(settings).await {
        Ok(summary) => {
            demo::say(&format!("\n{}", summary.text()));
            ExitCode::from(u8::from(!summary.adds_up()))
        }
        Err(error) => {
            complain(format_args!("baton demo: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}

fn length(text: &str) -> Result<Duration, String> {
    let wanted = "a positive time such as 30s, 10m or 1h";
    let parsed: jiff::SignedDuration = text.parse().map_err(|error| format!("{error}; expected {wanted}"))?;
    match Duration::try_from(parsed) {
        Ok(length) if !length.is_zero() => Ok(length),
        _ => Err(format!("expected {wanted}")),
    }
}

fn time_of_day_s(text: &str) -> Result<u32, String> {
    let time: jiff::civil::Time =
        text.parse().map_err(|error| format!("{error}; expected a time of day such as 10:00"))?;
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    u32::try_from(i32::from(hour) * 3_600 + i32::from(minute) * 60 + i32::from(second))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_people_do() {
        assert_eq!(length("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(length("10m"), Ok(Duration::from_secs(600)));
        assert!(length("0s").is_err() && length("-5s").is_err() && length("soon").is_err());
    }

    #[test]
    fn times_of_day_count_from_midnight() {
        assert_eq!(time_of_day_s("10:00"), Ok(36_000));
        assert!(time_of_day_s("25:00").is_err() && time_of_day_s("ten").is_err());
    }
}
