//! `baton rules publish` and `rollback`: puts rules in force on a running server, and says what that changed.

use crate::client::{ClientError, text_of};
use crate::commands::at::{At, last, moment};
use crate::proto::publish_request::Document;
use crate::proto::{PublishRequest, PublishResponse, RollbackRequest, WaitingPolicy};
use clap::{Args, ValueEnum};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;

/// What happens to those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Waiting {
    /// Their plans stand
    Keep,
    /// They are planned again, and keep their places
    PlanAgain,
}

impl Waiting {
    fn code(self) -> i32 {
        match self {
            Waiting::Keep => WaitingPolicy::Keep.into(),
            Waiting::PlanAgain => WaitingPolicy::PlanAgain.into(),
        }
    }
}

#[derive(Debug, Clone, Args)]
pub(super) struct PublishArgs {
    /// YAML or JSON
    #[arg(value_name = "FILE", required_unless_present = "draft", conflicts_with = "draft")]
    file: Option<PathBuf>,
    /// The draft instead of a file, in the state that this etag names (`baton rules draft` tells it)
    #[arg(long, value_name = "ETAG")]
    draft: Option<String>,
    /// Why, for the audit trail: 1 to 500 characters
    #[arg(long, value_name = "WHY")]
    reason: String,
    /// What happens to those who wait
    #[arg(long, value_enum, default_value = "keep")]
    waiting: Waiting,
    /// The version the file was made from: refused if another one is in force meanwhile
    #[arg(long, value_name = "NUMBER", conflicts_with = "draft")]
    base: Option<u32>,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Clone, Args)]
pub(super) struct RollbackArgs {
    /// The version to put back [default: the one that was in force before]
    #[arg(long, value_name = "NUMBER")]
    to: Option<u32>,
    /// Why, for the audit trail: 1 to 500 characters
    #[arg(long, value_name = "WHY")]
    reason: String,
    /// What happens to those who wait
    #[arg(long, value_enum, default_value = "keep")]
    waiting: Waiting,
    #[command(flatten)]
    at: At,
}

pub(super) async fn publish(args: PublishArgs) -> Result<(), ClientError> {
    let document = match (args.file, args.draft) {
        (Some(file), _) => Document::Text(text_of(&file)?),
        (None, draft) => Document::DraftEtag(draft.unwrap_or_default()),
    };
    let request = PublishRequest {
        parent: args.at.parent(),
        document: Some(document),
        reason: args.reason,
        waiting: args.waiting.code(),
        base: args.base.map(|base| args.at.version(base)).unwrap_or_default(),
    };
    let told = args.at.rules().await?.publish(args.at.asked(request)?).await?.into_inner();
    Ok(print(&told, args.waiting)?)
}

pub(super) async fn rollback(args: RollbackArgs) -> Result<(), ClientError> {
    let request = RollbackRequest {
        parent: args.at.parent(),
        version: args.to.map(|to| args.at.version(to)).unwrap_or_default(),
        reason: args.reason,
        waiting: args.waiting.code(),
    };
    let told = args.at.rules().await?.rollback(args.at.asked(request)?).await?.into_inner();
    Ok(print(&told, args.waiting)?)
}

fn print(told: &PublishResponse, waiting: Waiting) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(said(told, waiting).as_bytes())?;
    out.flush()
}

fn said(told: &PublishResponse, waiting: Waiting) -> String {
    let version = told.version.clone().unwrap_or_default();
    let (number, name) = (version.number, &version.display_name);
    let mut said = format!("version {number} {name:?} is in force since {}", moment(told.effect_time));
    if !version.base.is_empty() && last(&version.base) != number.to_string() {
        let _ = write!(said, " (published after {})", last(&version.base));
    }
    said.push('\n');
    said.push_str(match told.changes.as_slice() {
        [] => "nothing changes\n",
        _ => "what changes:\n",
    });
    for change in &told.changes {
        let _ = writeln!(said, "  {change}");
    }
    let _ = match (waiting, told.not_planned_again) {
        (Waiting::Keep, _) => writeln!(said, "who waits keeps their plan"),
        (Waiting::PlanAgain, 0) => writeln!(said, "{} who waited were planned again", told.planned_again),
        (Waiting::PlanAgain, left) => {
            let planned = told.planned_again;
            writeln!(
                said,
                "{planned} who waited were planned again; {left} could not be: offered meanwhile, or no queue takes them"
            )
        }
    };
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::RulesVersion;

    #[test]
    fn what_came_in_force_and_what_that_changed_is_said_in_lines() {
        let version = RulesVersion {
            number: 7,
            display_name: "winter".into(),
            base: "tenants/default/rules/6".into(),
            ..RulesVersion::default()
        };
        let told = PublishResponse {
            version: Some(version),
            effect_time: Some(prost_types::Timestamp { seconds: 1_767_225_600, nanos: 0 }),
            planned_again: 12,
            not_planned_again: 1,
            changes: vec!["queue loans: abandon 5 → 40".into()],
        };
        assert_eq!(
            said(&told, Waiting::PlanAgain),
            "version 7 \"winter\" is in force since 2026-01-01 00:00:00 UTC (published after 6)\n\
            what changes:\n  queue loans: abandon 5 → 40\n\
            12 who waited were planned again; 1 could not be: offered meanwhile, or no queue takes them\n"
        );
        let same = PublishResponse { changes: Vec::new(), ..told };
        assert!(said(&same, Waiting::Keep).ends_with("\nnothing changes\nwho waits keeps their plan\n"));
    }
}
