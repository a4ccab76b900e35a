//! `baton top`: the floor in a terminal, live, or once as text.
//!
//! Results go to standard output, what went wrong to standard error. Exit code 2: the options make no sense; 69: there is
//! no server, or it refuses.

use crate::client::ClientError;
use crate::top::{Screen, Settings, TopError, tables, watch};
use clap::Args;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;
use tokio_stream::StreamExt;

/// No terminal (EX_UNAVAILABLE).
const EXIT_UNAVAILABLE: u8 = 69;

/// Watch a floor: what its lines cost by the minute, what an agent's minute is worth by skill, holds, newest decisions
///
/// In a terminal it is drawn anew every second until q; anywhere else, or with --once, one view is printed as text.
#[derive(Debug, Clone, Args)]
pub struct TopArgs {
    /// The server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7700")]
    addr: String,
    /// The tenant
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// Token of a supervisor, where the server asks for one
    #[arg(long, value_name = "TOKEN", env = "BATON_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Milliseconds between two views, 100 to 60000
    #[arg(long, value_name = "MS", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    interval_ms: u64,
    /// Print one view as text and end
    #[arg(long)]
    once: bool,
}

/// Watches, and says what went wrong.
pub fn run(args: TopArgs) -> ExitCode {
    let settings = Settings {
        address: args.addr,
        tenant: args.tenant,
        token: args.token,
        interval: Duration::from_millis(args.interval_ms),
    };
    let live = !args.once && io::stdout().is_terminal();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&TopError::Terminal(error)),
    };
    let shown = runtime.block_on(if live { Shown::Live } else { Shown::Once }.show(&settings));
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(TopError::Terminal(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

#[derive(Clone, Copy)]
enum Shown {
    Live,
    Once,
}

impl Shown {
    async fn show(self, settings: &Settings) -> Result<(), TopError> {
        match self {
            Shown::Live => live(settings).await,
            Shown::Once => once(settings).await,
        }
    }
}

async fn once(settings: &Settings) -> Result<(), TopError> {
    let mut views = watch(settings, 1).await?;
    let Some(view) = views.next().await else { return Ok(()) };
    let view = view.map_err(ClientError::from)?;
    let mut out = io::stdout().lock();
    for table in tables(&view) {
        writeln!(out, "{table}")?;
    }
    Ok(())
}

async fn live(settings: &Settings) -> Result<(), TopError> {
    let mut views = watch(settings, 0).await?;
    let (newest, shown) = tokio::sync::watch::channel(None);
    let screen = Screen { views: shown, address: settings.address.clone() };
    let drawing = tokio::task::spawn_blocking(move || screen.show());
    let mut ended = Ok(());
    while let Some(view) = views.next().await {
        let told = match view {
            Ok(view) => newest.send(Some(view)).is_ok(),
            Err(status) => {
                ended = Err(ClientError::from(status).into());
                false
            }
        };
        // Whoever looked has seen enough, or there is no more to see.
        if !told {
            break;
        }
    }
    drop(newest);
    drawing.await.expect("drawing does not panic")?;
    ended
}

fn failed(error: &TopError) -> ExitCode {
    // Nobody is left to tell if this cannot be written.
    let _ = writeln!(io::stderr(), "baton top: {error}");
    ExitCode::from(match error {
        TopError::Server(error) => error.exit_code(),
        TopError::Terminal(_) => EXIT_UNAVAILABLE,
    })
}
