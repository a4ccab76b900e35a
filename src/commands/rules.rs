//! `baton rules`: what a rule document says, without a server; and drafts and versions of a running one.
//!
//! Results go to standard output, what went wrong to standard error. Exit code 2: the options or the document are wrong;
//! 69: a file cannot be read, or there is no server, or it refuses.

mod beside;
mod draft;
mod look;
mod publish;

use super::printed::{Output, complain, print, say};
use crate::assembly::{ServerError, read_rules};
use crate::client;
use crate::rules::DEFAULT;
use crate::rules::facts::Manual;
use clap::{Args, Subcommand};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The document is not right.
const EXIT_WRONG: u8 = 2;
/// The file cannot be read (EX_UNAVAILABLE).
const EXIT_UNAVAILABLE: u8 = 69;

/// Options of `baton rules`.
#[derive(Debug, Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Says whether a rule document is right, or everything that is wrong with it, with line and field.
    Check {
        /// YAML or JSON.
        file: PathBuf,
    },
    /// Prints the rules that are built in: what holds where a document says nothing.
    Default,
    /// Prints the facts that conditions may ask for: what each is, who tells it, and an example.
    Facts {
        /// How they are printed
        #[arg(long, value_enum, default_value = "text")]
        output: Output,
    },
    /// Puts rules in force on a running server, as its next version.
    Publish(publish::PublishArgs),
    /// Puts an older version back in force.
    Rollback(publish::RollbackArgs),
    /// Lists the versions there are, the newest first.
    Versions(look::VersionsArgs),
    /// Prints the text of a version.
    Show(look::ShowArgs),
    /// Says in sentences what changes from one document to another; two files need no server.
    Diff(look::DiffArgs),
    /// Says what publishing would change for those who wait now.
    Preview(look::PreviewArgs),
    /// Lets a document run beside the version in force: in shadow, or for a share of what comes.
    Try(beside::TryArgs),
    /// Says what runs beside the version in force, and what came of it so far.
    Beside(beside::BesideArgs),
    /// Ends what runs beside the version in force.
    End(beside::EndArgs),
    /// Prints the draft, writes it, or throws it away.
    Draft(draft::DraftArgs),
}

/// Checks, prints, or asks a server.
pub fn run(args: RulesArgs) -> ExitCode {
    match args.command {
        Command::Default => printed("rules", say(&DEFAULT)),
        Command::Facts { output } => facts(output),
        Command::Check { file } => check(&file),
        Command::Publish(args) => client::run("rules publish", publish::publish(args)),
        Command::Rollback(args) => client::run("rules rollback", publish::rollback(args)),
        Command::Versions(args) => client::run("rules versions", look::versions(args)),
        Command::Show(args) => client::run("rules show", look::show(args)),
        Command::Diff(args) => client::run("rules diff", look::compare(args)),
        Command::Preview(args) => client::run("rules preview", look::preview(args)),
        Command::Try(args) => client::run("rules try", beside::run(args)),
        Command::Beside(args) => client::run("rules beside", beside::show(args)),
        Command::End(args) => client::run("rules end", beside::end(args)),
        Command::Draft(args) => client::run("rules draft", draft::draft(args)),
    }
}

fn check(file: &Path) -> ExitCode {
    match read_rules(file) {
        Ok(rules) => {
            let (name, version) = (rules.name(), rules.version());
            let (ordered, sections) = (rules.document().rules.len(), rules.document().queues.len());
            let file = file.display();
            let right = format!(
                "{file}: right: {name:?}, version {version}, {ordered} ordered rules, sections for {sections} queues\n"
            );
            let doubts = rules.doubts(None);
            let doubts: String = doubts.iter().map(|doubt| format!("{file}: doubt: {doubt}\n")).collect();
            printed("result", say(&(right + &doubts)))
        }
        Err(error) => {
            complain(format_args!("baton: {error}"));
            let wrong = matches!(error, ServerError::Rules { .. });
            ExitCode::from(if wrong { EXIT_WRONG } else { EXIT_UNAVAILABLE })
        }
    }
}

fn facts(output: Output) -> ExitCode {
    printed("facts", print(&Manual::new(), output))
}

fn printed(what: &str, result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(format_args!("baton: cannot print the {what}: {error}"));
            ExitCode::from(EXIT_UNAVAILABLE)
        }
    }
}
