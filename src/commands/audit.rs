//! `baton audit`: who changed rules, when and why; and whether the trail of that is as it was written. Looking through it
//! takes the data folder and no server; one that runs is not disturbed.
//!
//! Exit code 2: something is not as it was written; 69: it cannot be read, or there is no server, or it refuses.

use super::at::{At, moment};
use super::printed::{Output, complain, print};
use crate::client::{self, ClientError};
use crate::journal::Fault;
use crate::proto::{AuditEntry, ListAuditRequest};
use crate::rulebook::Rulebook;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Something is not as it was written.
const EXIT_WRONG: u8 = 2;
/// It cannot be read (EX_UNAVAILABLE).
const EXIT_UNAVAILABLE: u8 = 69;

/// Options of `baton audit`.
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Says whether the audit trails and versions in a data folder are as they were written; the server may be running.
    Verify {
        /// The server's data folder
        #[arg(value_name = "DATA")]
        data: PathBuf,
        /// How the result is printed
        #[arg(long, value_enum, default_value = "text")]
        output: Output,
    },
    /// Lists the audit trail of a running server, the newest first.
    List {
        /// At most so many rows
        #[arg(long, value_name = "ROWS", default_value_t = 100)]
        rows: usize,
        /// How the result is printed
        #[arg(long, value_enum, default_value = "text")]
        output: Output,
        #[command(flatten)]
        at: At,
    },
}

/// Looks through it, or lists it.
pub fn run(args: AuditArgs) -> ExitCode {
    match args.command {
        Command::Verify { data, output } => verify(&data, output),
        Command::List { rows, output, at } => client::run("audit list", list(rows, output, at)),
    }
}

#[derive(Serialize)]
struct Verdicts(Vec<Verdict>);

#[derive(Serialize)]
struct Verdict {
    tenant: String,
    intact: bool,
    rows: u64,
    head: String,
    trouble: Option<String>,
}

impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Verdict { tenant, rows, head, trouble, .. } in &self.0 {
            match trouble {
                None => writeln!(
                    f,
                    "tenant {tenant}: {rows} rows are as they were written; the newest hash is {head}"
                )?,
                Some(trouble) => writeln!(
                    f,
                    "tenant {tenant}: {trouble}; the {rows} rows before are as they were written"
                )?,
            }
        }
        Ok(())
    }
}

fn verify(data: &Path, output: Output) -> ExitCode {
    let failed = |why: &dyn fmt::Display| {
        complain(format_args!("baton audit verify: {why}"));
        ExitCode::from(EXIT_UNAVAILABLE)
    };
    let verdicts = match verdicts(data) {
        Ok(verdicts) => verdicts,
        Err(why) => return failed(&why),
    };
    let intact = verdicts.0.iter().all(|verdict| verdict.intact);
    match print(&verdicts, output) {
        Err(error) => failed(&error),
        Ok(()) if intact => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(EXIT_WRONG),
    }
}

/// Of every tenant in the folder, in the order of their names.
fn verdicts(data: &Path) -> Result<Verdicts, String> {
    let folder = data.join("tenants");
    let tenants =
        std::fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let folders = tenants.filter_map(|entry| Some(entry.ok()?.path()));
    let mut folders: Vec<PathBuf> = folders.filter(|folder| folder.join("rules.db").is_file()).collect();
    folders.sort();
    if folders.is_empty() {
        return Err(format!("there is no rulebook in {}", folder.display()));
    }
    let one = |folder: &PathBuf| verdict(folder).map_err(|fault| fault.to_string());
    folders.iter().map(one).collect::<Result<_, _>>().map(Verdicts)
}

fn verdict(folder: &Path) -> Result<Verdict, Fault> {
    let found = Rulebook::open_read_only(folder)?.verify()?;
    let tenant = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let trouble = found.trouble.map(|trouble| trouble.to_string());
    Ok(Verdict { tenant, intact: trouble.is_none(), rows: found.rows, head: found.head, trouble })
}

#[derive(Serialize)]
struct Trail(Vec<Row>);

#[derive(Serialize)]
struct Row {
    sequence: u64,
    time: String,
    who: String,
    what: String,
    subject: String,
    reason: String,
    detail: String,
    hash: String,
}

impl From<AuditEntry> for Row {
    fn from(entry: AuditEntry) -> Row {
        Row {
            sequence: entry.sequence,
            time: moment(entry.time),
            who: entry.who,
            what: entry.what,
            subject: entry.subject,
            reason: entry.reason,
            detail: entry.detail,
            hash: entry.hash,
        }
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Row { sequence, time, who, what, subject, reason, .. } in &self.0 {
            let reason = if reason.is_empty() { "no reason given" } else { reason };
            writeln!(f, "{sequence:>6}  {time}  {who}  {what} {subject}: {reason}")?;
        }
        Ok(())
    }
}

async fn list(rows: usize, output: Output, at: At) -> Result<(), ClientError> {
    let (mut client, mut all, mut page_token) = (at.rules().await?, Vec::new(), String::new());
    while all.len() < rows {
        let page_size = i32::try_from((rows - all.len()).min(1_000)).expect("at most a thousand");
        let request = ListAuditRequest { parent: at.parent(), page_size, page_token };
        let page = client.list_audit(at.asked(request)?).await?.into_inner();
        all.extend(page.entries.into_iter().map(Row::from));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    Ok(print(&Trail(all), output)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Time;
    use crate::rulebook::{By, Publication, Waiting};

    fn begun(data: &Path) -> Rulebook {
        let folder = data.join("tenants").join("acme");
        let mut book = Rulebook::open(&folder, "acme").expect("new");
        let by = By { who: "server".into(), time: Time(1), reason: "at start".into() };
        let (text, name, waiting) = ("name: x".to_owned(), "x".to_owned(), Waiting::Keep);
        let first =
            Publication { text, name, number: 1, by, waiting, draft: None, base: None, four_eyes: false };
        book.begin(&first).expect("begun");
        book
    }

    #[test]
    fn the_trails_of_a_folder_are_looked_through_while_a_server_has_them_open() {
        let data = tempfile::tempdir().expect("a temporary folder");
        let _book = begun(data.path());
        let said = verdicts(data.path()).expect("readable").to_string();
        assert!(
            said.starts_with("tenant acme: 1 rows are as they were written; the newest hash is "),
            "{said}"
        );
    }

    #[test]
    fn what_is_wrong_is_named_and_a_folder_without_a_rulebook_is_too() {
        let data = tempfile::tempdir().expect("a temporary folder");
        drop(begun(data.path()));
        let path = data.path().join("tenants/acme/rules.db");
        let file = rusqlite::Connection::open(path).expect("it is there");
        file.execute("UPDATE audit SET who = 'eve'", []).expect("changed");
        let said = verdicts(data.path()).expect("readable").to_string();
        assert!(
            said.contains("row 1 of the audit trail is not as it was written; the 0 rows before"),
            "{said}"
        );
        let nothing = tempfile::tempdir().expect("a temporary folder");
        assert!(verdicts(nothing.path()).is_err());
    }
}
