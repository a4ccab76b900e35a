//! Versions, the draft and the audit trail as the protocol shows them, page by page.

use super::convert::{page_size, timestamp};
use super::documents::{no_version, version_number};
use super::names::shown;
use super::status::ApiError;
use super::tenant::Tenant;
use crate::proto;
use crate::rulebook::{Audited, Draft, Version, Waiting};
use std::str::FromStr;

/// Versions and rows on a page, unless the caller asks for fewer or more.
const PAGE: usize = 100;
/// Most of them.
const PAGE_MAX: usize = 1_000;

impl Tenant {
    /// The name of a version.
    pub fn version_name(&self, number: u32) -> String {
        self.name_of("rules", number)
    }

    /// A version, with its text.
    pub fn show_version(&self, version: &Version) -> proto::RulesVersion {
        proto::RulesVersion { text: version.text.clone(), ..self.show_version_briefly(version) }
    }

    /// A version without its text.
    pub fn show_version_briefly(&self, version: &Version) -> proto::RulesVersion {
        proto::RulesVersion {
            name: self.version_name(version.number),
            number: version.number,
            display_name: version.name.clone(),
            text: String::new(),
            publisher: version.published.who.clone(),
            reason: version.published.reason.clone(),
            publish_time: Some(timestamp(version.published.time)),
            author: version.author.clone(),
            base: version.base.map(|base| self.version_name(base)).unwrap_or_default(),
            waiting: policy_code(version.waiting),
            in_force: self.rules.now().rules.version() == version.number,
        }
    }

    /// The draft.
    pub fn show_draft(&self, draft: Draft) -> proto::RulesDraft {
        proto::RulesDraft {
            name: self.name_of("rules", "draft"),
            text: draft.text,
            etag: draft.etag,
            base: self.version_name(draft.base),
            author: draft.author,
            update_time: Some(timestamp(draft.time)),
        }
    }
}

/// What happens to those who wait.
pub fn policy(code: i32) -> Result<Waiting, ApiError> {
    match proto::WaitingPolicy::try_from(code) {
        Ok(proto::WaitingPolicy::Unspecified | proto::WaitingPolicy::Keep) => Ok(Waiting::Keep),
        Ok(proto::WaitingPolicy::PlanAgain) => Ok(Waiting::PlanAgain),
        Err(_) => Err(ApiError::field("waiting", &code.to_string(), "1 KEEP or 2 PLAN_AGAIN")),
    }
}

fn policy_code(waiting: Waiting) -> i32 {
    match waiting {
        Waiting::Keep => proto::WaitingPolicy::Keep.into(),
        Waiting::PlanAgain => proto::WaitingPolicy::PlanAgain.into(),
    }
}

/// A page of the versions.
pub async fn list(
    tenant: &Tenant,
    request: &proto::ListVersionsRequest,
) -> Result<proto::ListVersionsResponse, ApiError> {
    let size = page_size("page_size", request.page_size, PAGE, PAGE_MAX)?;
    let below: u32 = below(&request.page_token)?.unwrap_or(u32::MAX);
    let mut found = tenant.publishing.look(move |book| book.versions(below, size + 1)).await?;
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|last| last.number.to_string());
    Ok(proto::ListVersionsResponse {
        versions: found.iter().map(|version| tenant.show_version_briefly(version)).collect(),
        next_page_token: next.unwrap_or_default(),
    })
}

/// One version; also by the word `in-force`.
pub async fn get(tenant: &Tenant, name: &str) -> Result<proto::RulesVersion, ApiError> {
    let number = match tenant.id("name", name, "rules")? {
        "in-force" => tenant.rules.now().rules.version(),
        _ => version_number(tenant, "name", name)?,
    };
    let version = tenant.publishing.look(move |book| book.version(number)).await?;
    Ok(tenant.show_version(&version.ok_or_else(|| no_version("name", number))?))
}

/// A page of the audit trail.
pub async fn audit(
    tenant: &Tenant,
    request: &proto::ListAuditRequest,
) -> Result<proto::ListAuditResponse, ApiError> {
    let size = page_size("page_size", request.page_size, PAGE, PAGE_MAX)?;
    let below: u64 = below(&request.page_token)?.unwrap_or(u64::MAX);
    let mut found = tenant.publishing.look(move |book| book.audited(below, size + 1)).await?;
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|last| last.sequence.to_string());
    let entries = found.into_iter().map(entry).collect();
    Ok(proto::ListAuditResponse { entries, next_page_token: next.unwrap_or_default() })
}

/// Whether everything is as it was written.
pub async fn verify(tenant: &Tenant) -> Result<proto::VerifyAuditResponse, ApiError> {
    let verdict = tenant.publishing.look(|book| book.verify()).await?;
    Ok(proto::VerifyAuditResponse {
        intact: verdict.trouble.is_none(),
        rows: verdict.rows,
        head: verdict.head,
        trouble: verdict.trouble.map(|trouble| trouble.to_string()).unwrap_or_default(),
    })
}

fn entry(row: Audited) -> proto::AuditEntry {
    proto::AuditEntry {
        sequence: row.sequence,
        time: Some(timestamp(row.by.time)),
        who: row.by.who,
        what: row.what,
        subject: row.subject,
        reason: row.by.reason,
        detail: row.detail,
        hash: row.hash,
    }
}

fn below<T: FromStr>(token: &str) -> Result<Option<T>, ApiError> {
    let wrong = || ApiError::field("page_token", &shown(token), "the next_page_token of an earlier answer");
    if token.is_empty() { Ok(None) } else { token.parse().map(Some).map_err(|_| wrong()) }
}
