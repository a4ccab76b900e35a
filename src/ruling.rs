//! The rules a tenant starts with. The rulebook decides: the version in force there holds, whatever the settings name; the
//! settings' document is only the first version of a tenant that has none.

use crate::api::access::SERVER;
use crate::engine::time::Time;
use crate::journal::Fault;
use crate::observe;
use crate::rulebook::{By, Publication, Rulebook, Waiting};
use crate::rules::{DocumentErrors, RuleSet};
use std::sync::Arc;
use thiserror::Error;

/// Why the rules in force cannot be put to work.
#[derive(Debug, Error)]
pub enum InForceError {
    #[error("{0}")]
    Fault(#[from] Fault),
    #[error(
        "version {number} of the rules, which is in force, cannot be read by this release; start the release that \
        published it, publish rules that `baton rules check` of this release finds right, and start this one again:\n{source}"
    )]
    Unreadable { number: u32, source: DocumentErrors },
    #[error(
        "version {number} of the rules, which is said to be in force, is missing; restore rules.db from a backup"
    )]
    Missing { number: u32 },
}

/// The rules in force, with their number.
pub fn at_start(
    book: &mut Rulebook,
    tenant: &str,
    given: Option<&RuleSet>,
    now: Time,
) -> Result<Arc<RuleSet>, InForceError> {
    let rules = match book.in_force()? {
        None => begin(book, given.cloned().unwrap_or_default(), now)?,
        Some(in_force) => in_the_book(book, in_force.number)?,
    };
    observe::rules_in_force(tenant, rules.version());
    if let Some(given) = given.filter(|given| given.text() != rules.text()) {
        tracing::warn!(
            tenant,
            "the rules {:?} of --rules are not in force, version {} is; to put them in force: baton rules publish FILE --reason WHY",
            given.name(),
            rules.version()
        );
    }
    say_if_changed(book, tenant)?;
    Ok(Arc::new(rules))
}

fn begin(book: &mut Rulebook, rules: RuleSet, now: Time) -> Result<RuleSet, Fault> {
    let by = By { who: SERVER.to_owned(), time: now, reason: "at start".to_owned() };
    let (text, name) = (rules.text().to_owned(), rules.name().to_owned());
    let (number, waiting) = (rules.version(), Waiting::Keep);
    book.begin(&Publication { text, name, number, by, waiting, draft: None, base: None, four_eyes: false })?;
    Ok(rules)
}

fn in_the_book(book: &Rulebook, number: u32) -> Result<RuleSet, InForceError> {
    let version = book.version(number)?.ok_or(InForceError::Missing { number })?;
    let rules = RuleSet::read(&version.text);
    rules.map(|rules| rules.numbered(number)).map_err(|source| InForceError::Unreadable { number, source })
}

/// The floor goes on with an audit trail that somebody changed; whoever reads the log hears of it.
fn say_if_changed(book: &Rulebook, tenant: &str) -> Result<(), Fault> {
    if let Some(trouble) = book.verify()?.trouble {
        tracing::error!(tenant, "the rulebook was changed by somebody else than this server: {trouble}");
    }
    Ok(())
}
