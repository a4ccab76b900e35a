//! `baton journal`: looks through a data folder that no server uses, shows its events, saves what lies before damage, and
//! lists and releases commands that were set aside. A folder that is in use is refused by its lock, but for the list.
//!
//! Exit code 2: something is damaged, or was not done; 69: it cannot be read or written.

use super::printed::{Output, complain, print, read};
use crate::journal::set_aside::{self, SetAside};
use crate::journal::{Fault, FolderLock};
use crate::upkeep::{self, Checked, LeftOut, Record, Saving, UpkeepError, tenants};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt;
use std::io::{self, Write};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Something is damaged, or was not done.
const EXIT_WRONG: u8 = 2;
/// It cannot be read or written (EX_UNAVAILABLE).
const EXIT_UNAVAILABLE: u8 = 69;

/// Options of `baton journal`.
#[derive(Debug, Args)]
pub struct JournalArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look through every file of a data folder: headers, logs, pages, batches, events, snapshots, archive.
    Verify {
        /// The data folder
        #[arg(value_name = "DATA")]
        data: PathBuf,
        /// How the result is printed
        #[arg(long, value_enum, default_value = "text")]
        output: Output,
    },
    /// Show events. What is personal stays sealed.
    Dump {
        /// The data folder
        #[arg(value_name = "DATA")]
        data: PathBuf,
        /// The tenant
        #[arg(long, value_name = "NAME", default_value = "default")]
        tenant: String,
        /// The first event [default: the first that is kept]
        #[arg(long, value_name = "NUMBER")]
        from: Option<u64>,
        /// The last event [default: the last there is]
        #[arg(long, value_name = "NUMBER")]
        to: Option<u64>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Copy everything before the first damage to a new folder, with what is good of snapshots and archive. The damaged one
    /// stays as it is.
    Repair {
        /// The data folder
        #[arg(value_name = "DATA")]
        data: PathBuf,
        /// The new folder
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
        /// Do it; without it, what would be kept and lost is said and nothing is written
        #[arg(long)]
        yes: bool,
        /// How the result is printed
        #[arg(long, value_enum, default_value = "text")]
        output: Output,
    },
    /// List the commands that broke an assumption and are refused.
    Poisoned {
        /// The data folder
        #[arg(value_name = "DATA")]
        data: PathBuf,
        /// How the result is printed
        #[arg(long, value_enum, default_value = "text")]
        output: Output,
    },
    /// Have a command that was set aside tried again when it comes again.
    Release {
        /// The data folder
        #[arg(value_name = "DATA")]
        data: PathBuf,
        /// Its id, as `baton journal poisoned` lists it
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// Does it, and says what came of it.
pub fn run(args: JournalArgs) -> ExitCode {
    let done = match args.command {
        Command::Verify { data, output } => verify(&data, output),
        Command::Dump { data, tenant, from, to, json } => {
            let from = from.map_or(Bound::Unbounded, Bound::Included);
            dump(&data, &tenant, (from, to.map_or(Bound::Unbounded, Bound::Included)), json)
        }
        Command::Repair { data, to, yes, output } => repair(&data, &to, yes, output),
        Command::Poisoned { data, output } => poisoned(&data, output),
        Command::Release { data, id } => release(&data, &id),
    };
    done.unwrap_or_else(|error| {
        complain(format_args!("baton journal: {error}"));
        ExitCode::from(error.exit_code())
    })
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotDone {
    #[error("{0}")]
    Upkeep(#[from] UpkeepError),
    #[error("what was found cannot be printed: {0}")]
    Print(#[from] io::Error),
    #[error("no command was set aside as {0}: baton journal poisoned lists them")]
    NotSetAside(String),
}

impl NotDone {
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            NotDone::NotSetAside(_)
            | NotDone::Upkeep(
                UpkeepError::InTheWay(_)
                | UpkeepError::NotApart { .. }
                | UpkeepError::Fault(Fault::Damaged { .. } | Fault::Foreign { .. }),
            ) => EXIT_WRONG,
            NotDone::Upkeep(_) | NotDone::Print(_) => EXIT_UNAVAILABLE,
        }
    }
}

#[derive(Serialize)]
pub(super) struct Found(Vec<Checked>);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Checked { tenant, file, holds, damage } in &self.0 {
            let holds = if holds.is_empty() { "nothing could be read" } else { holds };
            match damage {
                None => writeln!(f, "tenant {tenant}: {file}: as written: {holds}")?,
                Some(damage) => {
                    writeln!(f, "tenant {tenant}: {file}: DAMAGED: {damage}; before that: {holds}")?
                }
            }
        }
        Ok(())
    }
}

/// Also of a backup: it is a data folder.
pub(super) fn verify(data: &Path, output: Output) -> Result<ExitCode, NotDone> {
    let found = Found(upkeep::verify(data)?);
    print(&found, output)?;
    let intact = found.0.iter().all(|checked| checked.damage.is_none());
    Ok(if intact { ExitCode::SUCCESS } else { ExitCode::from(EXIT_WRONG) })
}

fn dump(
    data: &Path,
    tenant: &str,
    numbers: (Bound<u64>, Bound<u64>),
    json: bool,
) -> Result<ExitCode, NotDone> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let shown = upkeep::dump(data, tenant, numbers, |record| {
        if json {
            serde_json::to_writer(&mut out, &record).map_err(io::Error::from)?;
            return writeln!(out);
        }
        let Record { sequence, time, event, sealed_bytes, .. } = record;
        write!(out, "{sequence:>8}  {time}  {event:?}")?;
        if sealed_bytes > 0 {
            write!(out, "  + {sealed_bytes} bytes sealed")?;
        }
        writeln!(out)
    });
    // What lies before damage is shown.
    let flushed = out.flush();
    read(shown?.and(flushed))?;
    Ok(ExitCode::SUCCESS)
}

impl fmt::Display for Saving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.tenants {
            let (tenant, from, kept) = (&one.tenant, one.from, one.kept);
            write!(f, "tenant {tenant}: events {from} to {kept} can be kept")?;
            if kept > 0 {
                write!(f, ", the last of {}", one.kept_until)?;
            }
            match &one.damage {
                None if one.left_out.is_empty() => writeln!(f, "; nothing is damaged")?,
                None => writeln!(f, "; the journal is not damaged")?,
                Some(damage) if one.reached > kept => writeln!(
                    f,
                    "; events {} to {} are lost, and whatever came after them: {damage}",
                    kept + 1,
                    one.reached
                )?,
                Some(damage) if one.damage_is_passed => {
                    writeln!(f, "; no start needs what is damaged before: {damage}")?
                }
                Some(damage) => writeln!(f, "; whatever came after them is lost: {damage}")?,
            }
            if let Some((from, to)) = one.lost_between {
                writeln!(
                    f,
                    "tenant {tenant}: events {from} to {to} are lost to explanations and reports, no start needs them"
                )?;
            }
            for LeftOut { file, why } in &one.left_out {
                writeln!(f, "tenant {tenant}: {file} is left out: {why}")?;
            }
        }
        Ok(())
    }
}

fn repair(data: &Path, to: &Path, yes: bool, output: Output) -> Result<ExitCode, NotDone> {
    if !yes {
        print(&upkeep::what_can_be_saved(data)?, output)?;
        complain(format_args!(
            "baton journal: nothing was written; with --yes it is written to {}",
            to.display()
        ));
        return Ok(ExitCode::from(EXIT_WRONG));
    }
    print(&upkeep::repair(data, to)?, output)?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Poisoned(Vec<OfTenant>);

#[derive(Serialize)]
struct OfTenant {
    tenant: String,
    #[serde(flatten)]
    one: SetAside,
}

impl fmt::Display for Poisoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for OfTenant { tenant, one: SetAside { id, command, time_ms, why } } in &self.0 {
            writeln!(f, "tenant {tenant}: {id}  {command} at {time_ms} ms since 1970: {why}")?;
        }
        if self.0.is_empty() { writeln!(f, "nothing is set aside") } else { Ok(()) }
    }
}

fn poisoned(data: &Path, output: Output) -> Result<ExitCode, NotDone> {
    let mut all = Vec::new();
    for tenant in tenants(data)? {
        let entries = set_aside::read(&tenant.path).map_err(UpkeepError::from)?;
        all.extend(entries.into_iter().map(|one| OfTenant { tenant: tenant.name.clone(), one }));
    }
    print(&Poisoned(all), output)?;
    Ok(ExitCode::SUCCESS)
}

fn release(data: &Path, id: &str) -> Result<ExitCode, NotDone> {
    let found = tenants(data)?;
    let _lock = FolderLock::acquire(data).map_err(UpkeepError::from)?;
    let mut released = false;
    for tenant in found {
        released |= set_aside::release(&tenant.path, id).map_err(UpkeepError::from)?;
    }
    if released { Ok(ExitCode::SUCCESS) } else { Err(NotDone::NotSetAside(id.to_owned())) }
}
