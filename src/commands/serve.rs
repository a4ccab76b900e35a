//! `baton serve`: the server alone, until SIGTERM or Ctrl-C.

use super::printed::complain;
use crate::assembly::{self, ServerError};
use crate::config::{Config, Settings};
use crate::observe;
use clap::Args;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Wrong usage or settings.
const EXIT_USAGE: u8 = 2;
/// The server could not start: port, folder, files (EX_UNAVAILABLE).
const EXIT_UNAVAILABLE: u8 = 69;
/// Something durable failed, or an assumption was broken (EX_IOERR). Start it again: it recovers from its journal.
const EXIT_FAILED: u8 = 74;

/// Told to end twice: the journal is as after kill -9, which loses nothing that was answered.
const EXIT_AT_ONCE: i32 = 143;
/// What runs beside has so long to notice that it is over.
const GIVE_UP: Duration = Duration::from_millis(500);

/// Options of `baton serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// A TOML file with the same names as the options below; those given on the command line or in the environment
    /// win.
    #[arg(long, env = "BATON_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

/// Runs the server.
pub fn run(args: ServeArgs) -> ExitCode {
    let file = args.config.map(|path| Settings::read(&path)).transpose();
    let config =
        match file.map(|file| args.settings.or(file.unwrap_or_default())).and_then(Settings::validate) {
            Ok(config) => config,
            Err(error) => return failed(&error, EXIT_USAGE),
        };
    if let Err(error) = log(&config) {
        return failed(&error, EXIT_USAGE);
    }
    observe::tell_what_breaks();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(serve(&config));
            // What still runs was given up: a disk that does not answer must not keep the process.
            runtime.shutdown_timeout(GIVE_UP);
            code
        }
        Err(error) => failed(&error, EXIT_UNAVAILABLE),
    }
}

async fn serve(config: &Config) -> ExitCode {
    let ready = match assembly::prepare(config).await {
        Ok(ready) => ready,
        Err(error @ ServerError::Rules { .. }) => return failed(&error, EXIT_USAGE),
        Err(error) => return failed(&error, EXIT_UNAVAILABLE),
    };
    // Before anybody is told that it serves: who is told may ask it to end at once.
    let stop = stop();
    tracing::info!(
        address = %ready.address,
        data = %config.data.display(),
        journal = ?config.journal,
        speed = config.speed,
        pid = std::process::id(),
        "baton is serving"
    );
    match ready.serve(stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(
            error @ (ServerError::ShardEnded { .. }
            | ServerError::TaskEnded(_)
            | ServerError::StopTooLong { .. }),
        ) => failed(&error, EXIT_FAILED),
        Err(error) => failed(&error, EXIT_UNAVAILABLE),
    }
}

fn failed(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    complain(format_args!("baton: {error}"));
    ExitCode::from(code)
}

/// When the process is asked to end. From the call on it is heard, whenever it is waited for. Who asks again does not
/// want to wait, and the process ends then.
fn stop() -> impl Future<Output = ()> {
    let heard = |kind| signal(kind).expect("the system lets a process hear SIGTERM and SIGINT");
    let (mut terminate, mut interrupt) = (heard(SignalKind::terminate()), heard(SignalKind::interrupt()));
    async move {
        either(&mut terminate, &mut interrupt).await;
        tokio::spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            complain(format_args!("baton: told to end again: ends at once"));
            std::process::exit(EXIT_AT_ONCE);
        });
    }
}

async fn either(first: &mut Signal, second: &mut Signal) {
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
    }
}

/// Lines for people on a terminal, JSON otherwise.
fn log(config: &Config) -> Result<(), String> {
    let filter = EnvFilter::builder().parse(&config.log).map_err(|error| {
        format!("log: got {:?}, want a filter such as info or baton=debug,warn: {error}", config.log)
    })?;
    // A line that cannot be written would be told on standard error too, and break whoever wrote it.
    let lines = tracing_subscriber::fmt().log_internal_errors(false);
    let lines = lines.with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        lines.init();
    } else {
        lines.json().init();
    }
    Ok(())
}
