//! `baton serve`: the server alone, until SIGTERM or Ctrl-C.

use super::log;
use super::printed::complain;
use crate::assembly::{self, ServerError};
use crate::config::{Config, Settings};
use crate::observe;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Wrong usage or settings.
const EXIT_USAGE: u8 = 2;
/// The server could not start: port, folder, files (EX_UNAVAILABLE).
const EXIT_UNAVAILABLE: u8 = 69;
/// Something durable failed, or an assumption was broken (EX_IOERR). Start it again: it recovers from its journal.
const EXIT_FAILED: u8 = 74;

/// The program that this process runs, also when another release has been put in its place.
const OWN_PROGRAM: &str = "/proc/self/exe";
/// Told to end twice, or before it served: the journal is as after kill -9, which loses nothing that was answered.
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
            Ok(config) => Config { program: Some(OWN_PROGRAM.into()), ..config },
            Err(error) => return failed(&error, EXIT_USAGE),
        };
    if let Err(error) = log::begin(&config.log) {
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
    let ending = Ending::hear();
    let ready = match assembly::prepare(config).await {
        Ok(ready) => ready,
        Err(error @ ServerError::Rules { .. }) => return failed(&error, EXIT_USAGE),
        Err(error) => return failed(&error, EXIT_UNAVAILABLE),
    };
    // Before anybody is told that it serves: who is told may ask it to end in order.
    ending.serves.store(true, Ordering::Release);
    tracing::info!(
        address = %ready.address,
        data = %config.data.display(),
        journal = ?config.journal,
        speed = config.speed,
        pid = std::process::id(),
        "baton is serving"
    );
    let stop = async {
        // Told, or nobody is left who could.
        let _ = ending.asked.await;
    };
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

/// Hears when the process is asked to end.
struct Ending {
    serves: Arc<AtomicBool>,
    asked: oneshot::Receiver<()>,
}

impl Ending {
    /// From here on it is heard; of process 1 the system drops a signal that nobody hears. Before it serves there is nothing
    /// to end in order, and who asks again does not want to wait: then the process ends at once.
    fn hear() -> Ending {
        let heard = |kind| signal(kind).expect("the system lets a process hear SIGTERM and SIGINT");
        let (mut terminate, mut interrupt) = (heard(SignalKind::terminate()), heard(SignalKind::interrupt()));
        let (tell, asked) = oneshot::channel();
        let serves = Arc::new(AtomicBool::new(false));
        let begun = serves.clone();
        tokio::spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            if !begun.load(Ordering::Acquire) {
                end_at_once("told to end before it serves");
            }
            // If nobody waits for it any more, it ends already.
            let _ = tell.send(());
            either(&mut terminate, &mut interrupt).await;
            end_at_once("told to end again");
        });
        Ending { serves, asked }
    }
}

fn end_at_once(why: &str) -> ! {
    complain(format_args!("baton: {why}: ends at once"));
    std::process::exit(EXIT_AT_ONCE)
}

async fn either(first: &mut Signal, second: &mut Signal) {
    tokio::select! {
        _ = first.recv() => {}
        _ = second.recv() => {}
    }
}
