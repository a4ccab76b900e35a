//! `baton write-snapshot`: writes a snapshot for the server that started it, and ends. Nobody else has a use for it.

use super::log;
use super::printed::{complain, say};
use crate::journal::{Limits, steady};
use crate::observe;
use crate::runtime::snapshotting::apart::{Said, belong_to};
use crate::runtime::snapshotting::writing::Wanted;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// It cannot be what it should be (EX_UNAVAILABLE).
const EXIT_UNAVAILABLE: u8 = 69;

/// Options of `baton write-snapshot`.
#[derive(Debug, Args)]
pub struct WriteSnapshotArgs {
    /// The folder of the tenant
    #[arg(long, allow_hyphen_values = true)]
    folder: PathBuf,
    #[arg(long, allow_hyphen_values = true)]
    tenant: String,
    /// Its last event
    #[arg(long)]
    upto: u64,
    /// Whether anything is learned of the events
    #[arg(long)]
    learns: bool,
    /// Nobody's commits wait for it
    #[arg(long)]
    urgent: bool,
    /// Limits of the archive
    #[arg(long)]
    archive_days: u32,
    #[arg(long)]
    archive_bytes: u64,
    /// The process id of the server
    #[arg(long)]
    parent: u32,
}

/// Writes it, and says what came of it.
pub fn run(args: WriteSnapshotArgs) -> ExitCode {
    let WriteSnapshotArgs { folder, tenant, upto, learns, urgent, archive_days, archive_bytes, parent } =
        args;
    let begun = log::begin("warn").and_then(|()| belong_to(parent).map_err(|error| error.to_string()));
    if let Err(error) = begun {
        complain(format_args!("baton write-snapshot: {error}"));
        return ExitCode::from(EXIT_UNAVAILABLE);
    }
    observe::tell_what_breaks();
    if urgent {
        steady::hurry();
    }
    let limits = Limits { days: archive_days, bytes: archive_bytes };
    let said: Said = match (Wanted { folder, tenant, learns, upto, limits }).write() {
        Ok((written, state)) => {
            // The end of the process is quicker.
            std::mem::forget(state);
            Ok(written)
        }
        Err(error) => Err(error.to_string()),
    };
    let text = serde_json::to_string(&said).expect("it is plain");
    match say(&text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("baton write-snapshot: {error}"));
            ExitCode::from(EXIT_UNAVAILABLE)
        }
    }
}
