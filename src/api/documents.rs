//! Documents of rules as requests name them: a text, a version, the draft. What is wrong with one is told field by field.

use super::convert::{required, text as within};
use super::names::shown;
use super::status::ApiError;
use super::tenant::{Ruling, Tenant};
use crate::proto;
use crate::proto::document::Document as Named;
use crate::rules::{DOCUMENT_MAX, DocumentError, DocumentErrors, RuleSet, diff};
use std::collections::BTreeSet;
use std::sync::Arc;
use tonic::Code;

/// So many errors, warnings and changes are told.
pub const TOLD_MAX: usize = 1_000;

/// A text of 1 MiB at most.
pub fn checked<'a>(field: &'static str, text: &'a str) -> Result<&'a str, ApiError> {
    if text.is_empty() {
        return Err(ApiError::missing(field, "rules in YAML or JSON"));
    }
    if text.len() > DOCUMENT_MAX {
        let (got, want) = (format!("{} bytes", text.len()), format!("at most {DOCUMENT_MAX}"));
        return Err(ApiError::field(field, &got, &want));
    }
    Ok(text)
}

/// The text of a document; of the draft, if none is named.
pub async fn text_of(
    tenant: &Tenant,
    field: &'static str,
    document: Option<&proto::Document>,
) -> Result<String, ApiError> {
    match document.and_then(|document| document.document.as_ref()) {
        None => draft_of(tenant).await,
        Some(Named::Text(text)) => Ok(checked(field, text)?.to_owned()),
        Some(Named::Name(name)) => named(tenant, field, name).await,
    }
}

async fn named(tenant: &Tenant, field: &'static str, name: &str) -> Result<String, ApiError> {
    match tenant.id(field, name, "rules")? {
        "draft" => draft_of(tenant).await,
        "in-force" => Ok(tenant.rules.now().rules.text().to_owned()),
        _ => {
            let number = version_number(tenant, field, name)?;
            let version = tenant.publishing.look(move |book| book.version(number)).await?;
            Ok(version.ok_or_else(|| no_version(field, number))?.text)
        }
    }
}

async fn draft_of(tenant: &Tenant) -> Result<String, ApiError> {
    let draft = tenant.publishing.look(|book| book.draft()).await?;
    Ok(draft.expect("a server has a version in force, and a draft begins as that").text)
}

/// The number of `tenants/{t}/rules/{number}`.
pub fn version_number(tenant: &Tenant, field: &'static str, name: &str) -> Result<u32, ApiError> {
    let number = tenant.number(field, name, "rules")?;
    u32::try_from(number)
        .map_err(|_| ApiError::not_found(field, "VERSION_NOT_FOUND", &format!("version {}", shown(name))))
}

/// There is no version of this number.
pub fn no_version(field: &'static str, number: u32) -> ApiError {
    ApiError::not_found(field, "VERSION_NOT_FOUND", &format!("version {number}"))
}

/// The rules of a text.
pub async fn read(tenant: &Tenant, field: &'static str, text: String) -> Result<RuleSet, ApiError> {
    at_leisure(tenant, move || RuleSet::read(&text)).await.map_err(|errors| wrong(field, &errors))
}

/// The same, ready to plan.
pub async fn ruling(tenant: &Tenant, field: &'static str, text: String) -> Result<Arc<Ruling>, ApiError> {
    let ready = move || RuleSet::read(&text).map(|rules| Arc::new(Ruling::new(Arc::new(rules))));
    at_leisure(tenant, ready).await.map_err(|errors| wrong(field, &errors))
}

/// The rules of a version, as they plan: at work, or out of the rulebook. `None`: there is none of that number, or this release cannot read it.
pub async fn of_version(tenant: &Tenant, number: u32) -> Result<Option<RuleSet>, ApiError> {
    let at_work = [Some(tenant.rules.now()), tenant.rules.beside().map(|beside| beside.ruling.clone())];
    if let Some(ruling) = at_work.into_iter().flatten().find(|ruling| ruling.rules.version() == number) {
        return Ok(Some(ruling.rules.as_ref().clone()));
    }
    if let Some(known) = tenant.publishing.remembered(number) {
        return Ok(known);
    }
    let version = tenant.publishing.look(move |book| book.version(number)).await?;
    let read = move || Some(RuleSet::read(&version?.text).ok()?.numbered(number));
    let rules = at_leisure(tenant, read).await;
    tenant.publishing.remember(number, rules.clone());
    Ok(rules)
}

/// What takes long with a large document: one at a time, on a thread that serves nobody.
pub async fn at_leisure<T: Send + 'static>(tenant: &Tenant, act: impl FnOnce() -> T + Send + 'static) -> T {
    let turn = tenant.publishing.reading().await;
    aside(move || {
        let _turn = turn;
        act()
    })
    .await
}

/// What takes a moment that nobody else should wait for, on a thread that serves nobody.
pub async fn aside<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(act).await;
    done.expect("reading documents and planning do not panic")
}

/// A document that is not right, with as much of what is wrong as an error holds.
fn wrong(field: &'static str, DocumentErrors(errors): &DocumentErrors) -> ApiError {
    let first = errors.first().map(ToString::to_string).unwrap_or_default();
    let more = match errors.len() {
        0 | 1 => String::new(),
        many => format!(", and {} more", many - 1),
    };
    let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let message: String = format!("the rules are not right: {first}").chars().take(500).collect();
    ApiError::new(Code::InvalidArgument, "RULES_WRONG", format!("{message}{more}"))
        .blaming(field)
        .telling_at_length("errors", &all.join("\n"))
}

/// What is wrong, for the protocol.
pub fn error(DocumentError { line, column, field, got, want }: &DocumentError) -> proto::RulesError {
    proto::RulesError {
        line: line_number(*line),
        column: line_number(column.map(|(_, column)| column)),
        condition_line: line_number(column.map(|(line, _)| line)),
        field: field.to_string(),
        got: got.clone(),
        want: want.clone(),
    }
}

/// The number of a line; 0 where there is none.
pub fn line_number(line: Option<u64>) -> u32 {
    line.and_then(|line| u32::try_from(line).ok()).unwrap_or_default()
}

/// Longest reason, in characters.
const REASON_MAX: usize = 500;

/// Why somebody does something, if they say: up to 500 characters of one line, since it stands in a list of such lines.
pub fn reason(value: &str) -> Result<&str, ApiError> {
    let value = within("reason", value, REASON_MAX)?;
    if value.chars().any(char::is_control) {
        return Err(ApiError::field("reason", "a control character", "one line of printable characters"));
    }
    Ok(value)
}

/// The same where it must be said.
pub fn given_reason(value: &str) -> Result<&str, ApiError> {
    required("reason", value, REASON_MAX)?;
    reason(value)
}

/// What changed between two texts, in words for an error. Drafts need not be right, and some cannot be read at all.
pub fn difference(before: &str, after: &str) -> String {
    match diff::changes(before, after) {
        Ok(changes) if changes.is_empty() => "nothing but how it is written".to_owned(),
        Ok(changes) => changes.join("\n"),
        Err(_) => lines_that_differ(before, after),
    }
}

fn lines_that_differ(before: &str, after: &str) -> String {
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (before.lines().collect(), after.lines().collect());
    let added = after.lines().filter(|line| !old.contains(line)).map(|line| format!("+ {line}"));
    let removed = before.lines().filter(|line| !new.contains(line)).map(|line| format!("- {line}"));
    let lines: Vec<String> = added.chain(removed).take(40).collect();
    lines.join("\n")
}
