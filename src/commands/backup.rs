//! `baton backup`: copies a data folder while a server uses it. The copy is a data folder: a server started on it goes on
//! from there.
//!
//! Exit code 2: what was looked through is damaged, or the folder is there already; 69: it cannot be read or written.

use super::journal::{NotDone, verify};
use super::printed::{Output, complain, print};
use crate::upkeep::{Backup, backup};
use clap::{Args, Subcommand};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Options of `baton backup`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BackupArgs {
    #[command(subcommand)]
    command: Option<Command>,
    /// The new folder to copy to
    #[arg(value_name = "FOLDER", required = true)]
    to: Option<PathBuf>,
    /// The server's data folder; the server may be running
    #[arg(long, value_name = "DATA", env = "BATON_DATA", default_value = "baton-data")]
    data: PathBuf,
    /// Another new folder for the keys: without them nothing personal in the journal can be read
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look through a copy, as `baton journal verify` does. Keys that were copied apart are put back first.
    Verify {
        /// The copy
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        /// How the result is printed
        #[arg(long, value_enum, default_value = "text")]
        output: Output,
    },
}

impl fmt::Display for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tenants.iter().try_for_each(|one| {
            writeln!(f, "tenant {}: everything up to event {} is copied", one.tenant, one.events)
        })
    }
}

/// Copies, or looks through a copy.
pub fn run(args: BackupArgs) -> ExitCode {
    let done = match (args.command, args.to) {
        (Some(Command::Verify { folder, output }), _) => verify(&folder, output),
        (None, Some(to)) => copy(&args.data, &to, args.keys.as_deref(), args.output),
        (None, None) => unreachable!("clap demands the folder"),
    };
    done.unwrap_or_else(|error| {
        complain(format_args!("baton backup: {error}"));
        ExitCode::from(error.exit_code())
    })
}

fn copy(data: &Path, to: &Path, keys: Option<&Path>, output: Output) -> Result<ExitCode, NotDone> {
    let copied = backup(data, to, keys)?;
    print(&copied, output)?;
    Ok(ExitCode::SUCCESS)
}
