//! `baton rules versions`, `show`, `diff` and `preview`: what there is, what changes, and what would change for whom.

use crate::client::{ClientError, text_of};
use crate::commands::at::{At, last, moment};
use crate::commands::printed::{Output, print};
use crate::proto::document::Document as Named;
use crate::proto::{
    DiffRequest, Document, GetVersionRequest, ListVersionsRequest, PreviewRequest, RulesVersion,
};
use crate::rules::diff;
use clap::Args;
use serde::Serialize;
use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
pub(super) struct VersionsArgs {
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ShowArgs {
    /// The version
    #[arg(value_name = "NUMBER")]
    number: u32,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Clone, Args)]
pub(super) struct DiffArgs {
    /// A file, the number of a version, or `draft` or `in-force`
    #[arg(value_name = "FROM")]
    from: String,
    /// Likewise
    #[arg(value_name = "TO")]
    to: String,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Clone, Args)]
pub(super) struct PreviewArgs {
    /// YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "text")]
    output: Output,
    #[command(flatten)]
    at: At,
}

#[derive(Serialize)]
struct Versions(Vec<Version>);

#[derive(Serialize)]
struct Version {
    number: u32,
    name: String,
    published: String,
    by: String,
    written_by: String,
    reason: String,
    in_force: bool,
}

impl From<RulesVersion> for Version {
    fn from(version: RulesVersion) -> Version {
        Version {
            number: version.number,
            name: version.display_name,
            published: moment(version.publish_time),
            by: version.publisher,
            written_by: version.author,
            reason: version.reason,
            in_force: version.in_force,
        }
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.0 {
            let mark = if one.in_force { '*' } else { ' ' };
            let Version { number, name, published, by, written_by, reason, .. } = one;
            write!(f, "{mark} {number:>5}  {published}  {by}")?;
            if by != written_by {
                write!(f, " (written by {written_by})")?;
            }
            writeln!(f, "  {name:?}: {reason}")?;
        }
        writeln!(f, "* is in force")
    }
}

/// All of them, the newest first.
pub(super) async fn versions(args: VersionsArgs) -> Result<(), ClientError> {
    let (mut client, mut all, mut page_token) = (args.at.rules().await?, Vec::new(), String::new());
    loop {
        let request = ListVersionsRequest { parent: args.at.parent(), page_size: 1_000, page_token };
        let page = client.list_versions(args.at.asked(request)?).await?.into_inner();
        all.extend(page.versions.into_iter().map(Version::from));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(print(&Versions(all), args.output)?);
        }
    }
}

/// The text as it was published.
pub(super) async fn show(args: ShowArgs) -> Result<(), ClientError> {
    let request = GetVersionRequest { name: args.at.version(args.number) };
    let told = args.at.rules().await?.get_version(args.at.asked(request)?).await?.into_inner();
    let mut out = io::stdout().lock();
    out.write_all(told.text.as_bytes())?;
    Ok(out.flush()?)
}

#[derive(Serialize)]
struct Changes {
    changes: Vec<String>,
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            return writeln!(f, "nothing changes");
        }
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

/// Two files are compared here; a server is asked only where one has a number.
pub(super) async fn compare(args: DiffArgs) -> Result<(), ClientError> {
    let (from, to) = (document(&args.at, &args.from)?, document(&args.at, &args.to)?);
    let changes = match (&from, &to) {
        (Named::Text(from), Named::Text(to)) => {
            diff::changes(from, to).map_err(|error| ClientError::Rules(error.to_string()))?
        }
        _ => {
            let whole = |document| Some(Document { document: Some(document) });
            let request = DiffRequest { parent: args.at.parent(), from: whole(from), to: whole(to) };
            args.at.rules().await?.diff(args.at.asked(request)?).await?.into_inner().changes
        }
    };
    Ok(print(&Changes { changes }, args.output)?)
}

fn document(at: &At, named: &str) -> Result<Named, ClientError> {
    Ok(match named {
        "draft" | "in-force" => Named::Name(format!("{}/rules/{named}", at.parent())),
        named => match named.parse() {
            Ok(number) => Named::Name(at.version(number)),
            Err(_) => Named::Text(text_of(named.as_ref())?),
        },
    })
}

#[derive(Serialize)]
struct Preview {
    waiting: u64,
    plan_changes: u64,
    queue_changes: u64,
    without_queue: u64,
    interactions: Vec<Previewed>,
}

#[derive(Serialize)]
struct Previewed {
    interaction: String,
    queue_before: String,
    queue_after: String,
    changes: Vec<String>,
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Preview { waiting, plan_changes, queue_changes, without_queue, interactions } = self;
        writeln!(
            f,
            "{waiting} wait; planned again, {plan_changes} would have another plan, {queue_changes} of them in another queue"
        )?;
        if *without_queue > 0 {
            writeln!(f, "{without_queue} would have no queue: these rules are refused as long as they wait")?;
        }
        for one in interactions {
            writeln!(f, "  {} in {}: {}", one.interaction, one.queue_before, one.changes.join("; "))?;
        }
        let (listed, all) = (u64::try_from(interactions.len()).unwrap_or(u64::MAX), *plan_changes);
        if listed < all { writeln!(f, "  and {} more", all - listed) } else { Ok(()) }
    }
}

/// What publishing would change for those who wait.
pub(super) async fn preview(args: PreviewArgs) -> Result<(), ClientError> {
    let document = Some(Document { document: Some(Named::Text(text_of(&args.file)?)) });
    let request = PreviewRequest { parent: args.at.parent(), document };
    let told = args.at.rules().await?.preview(args.at.asked(request)?).await?.into_inner();
    let interactions = told.interactions.into_iter().map(|one| Previewed {
        interaction: last(&one.interaction).to_owned(),
        queue_before: last(&one.queue_before).to_owned(),
        queue_after: last(&one.queue_after).to_owned(),
        changes: one.changes,
    });
    let preview = Preview {
        waiting: told.waiting,
        plan_changes: told.plan_changes,
        queue_changes: told.queue_changes,
        without_queue: told.without_queue,
        interactions: interactions.collect(),
    };
    Ok(print(&preview, args.output)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_in_force_is_marked_and_who_wrote_it_is_named_if_another_published_it() {
        let version = |number, by: &str, in_force| Version {
            number,
            name: "winter".into(),
            published: "2026-01-01 00:00:00 UTC".into(),
            by: by.into(),
            written_by: "ana".into(),
            reason: "snow".into(),
            in_force,
        };
        let said = Versions(vec![version(2, "bo", true), version(1, "ana", false)]).to_string();
        assert_eq!(
            said,
            "*     2  2026-01-01 00:00:00 UTC  bo (written by ana)  \"winter\": snow\n      1  2026-01-01 00:00:00 UTC  ana  \"winter\": snow\n* is in force\n"
        );
        assert_eq!(Changes { changes: Vec::new() }.to_string(), "nothing changes\n");
    }
}
