//! `baton rules`: what a rule document says, without a server.

use super::printed::{Output, print};
use crate::assembly::{ServerError, read_rules};
use crate::rules::DEFAULT;
use crate::rules::facts::Manual;
use clap::{Args, Subcommand};
use std::path::PathBuf;
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
}

/// Checks or prints.
pub fn run(args: RulesArgs) -> ExitCode {
    let file = match args.command {
        Command::Default => {
            print!("{DEFAULT}");
            return ExitCode::SUCCESS;
        }
        Command::Facts { output } => return facts(output),
        Command::Check { file } => file,
    };
    match read_rules(&file) {
        Ok(rules) => {
            let (name, version) = (rules.name(), rules.version());
            let sections = rules.document().queues.len();
            println!(
                "{}: right: {name:?}, version {version}, sections for {sections} queues",
                file.display()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("baton: {error}");
            let wrong = matches!(error, ServerError::Rules { .. });
            ExitCode::from(if wrong { EXIT_WRONG } else { EXIT_UNAVAILABLE })
        }
    }
}

fn facts(output: Output) -> ExitCode {
    match print(&Manual::new(), output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("baton: cannot print the facts: {error}");
            ExitCode::from(EXIT_UNAVAILABLE)
        }
    }
}
