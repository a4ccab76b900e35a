//! `baton rules draft`: prints the draft, writes a file over the state of it that was seen, or throws it away.

use crate::client::{ClientError, text_of};
use crate::commands::at::{At, last, moment};
use crate::proto::{DiscardDraftRequest, GetDraftRequest, RulesDraft, UpdateDraftRequest};
use clap::Args;
use std::io::{self, Write};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
pub(super) struct DraftArgs {
    /// Written as the draft [default: the draft is printed, and its etag to standard error]
    #[arg(value_name = "FILE", conflicts_with = "discard")]
    file: Option<PathBuf>,
    /// With a file: the etag of what it was made from. May be left out where there is no draft yet
    #[arg(long, value_name = "ETAG", requires = "file")]
    etag: Option<String>,
    /// Throws the draft away, in the state of this etag
    #[arg(long, value_name = "ETAG")]
    discard: Option<String>,
    /// Why, for the audit trail: up to 500 characters
    #[arg(long, value_name = "WHY", default_value = "")]
    reason: String,
    #[command(flatten)]
    at: At,
}

pub(super) async fn draft(args: DraftArgs) -> Result<(), ClientError> {
    match (&args.file, &args.discard) {
        (_, Some(etag)) => discard(&args, etag).await,
        (Some(file), None) => {
            let text = text_of(file)?;
            let etag = match &args.etag {
                Some(etag) => etag.clone(),
                None => of_no_draft(&now(&args.at).await?)?,
            };
            let (parent, reason) = (args.at.parent(), args.reason.clone());
            let request = UpdateDraftRequest { parent, text, etag, reason };
            let draft = args.at.rules().await?.update_draft(args.at.asked(request)?).await?.into_inner();
            Ok(writeln!(io::stdout().lock(), "the draft is written: etag {}", draft.etag)?)
        }
        (None, None) => {
            let draft = now(&args.at).await?;
            writeln!(io::stderr().lock(), "{}", said(&draft))?;
            let mut out = io::stdout().lock();
            out.write_all(draft.text.as_bytes())?;
            Ok(out.flush()?)
        }
    }
}

async fn now(at: &At) -> Result<RulesDraft, ClientError> {
    let request = GetDraftRequest { parent: at.parent() };
    Ok(at.rules().await?.get_draft(at.asked(request)?).await?.into_inner())
}

/// Whoever writes over a draft must have seen it.
fn of_no_draft(draft: &RulesDraft) -> Result<String, ClientError> {
    if draft.author.is_empty() {
        return Ok(draft.etag.clone());
    }
    let said = format!("there is a draft already, {}; look at it, and give its etag", said(draft));
    Err(ClientError::Rules(said))
}

fn said(draft: &RulesDraft) -> String {
    let RulesDraft { author, etag, .. } = draft;
    match author.as_str() {
        "" => format!("no draft: version {}, which is in force; etag {etag}", last(&draft.base)),
        author => format!(
            "by {author}, {}, on version {}; etag {etag}",
            moment(draft.update_time),
            last(&draft.base)
        ),
    }
}

async fn discard(args: &DraftArgs, etag: &str) -> Result<(), ClientError> {
    let (parent, reason) = (args.at.parent(), args.reason.clone());
    let request = DiscardDraftRequest { parent, etag: etag.to_owned(), reason };
    args.at.rules().await?.discard_draft(args.at.asked(request)?).await?;
    Ok(writeln!(io::stdout().lock(), "the draft is discarded")?)
}
