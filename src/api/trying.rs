//! Trying a version out beside the one in force: begun by a supervisor, looked at, ended by a supervisor or by its bound.

use super::beside::{Beside, Bound, Compared, Mode, Of};
use super::convert::{duration_ms, millis};
use super::in_force::Ruling;
use super::publishing::{What, recorded_beside};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::proto;
use crate::proto::figure_bound::Figure;
use crate::rulebook::{Bounded, By, Refused};
use crate::rules::RuleSet;
use crate::runtime::fates::Fates;
use std::sync::Arc;
use std::time::Duration;

/// Largest share of a canary, in parts per million: half of what comes.
pub const SHARE_MAX_PPM: u32 = 500_000;
/// Answered or lost before a bound is judged, unless asked otherwise.
const AFTER_USUAL: u64 = 100;
/// Longest mean wait of a bound, ms.
const WAIT_MAX_MS: u64 = 24 * 60 * 60 * 1_000;
/// A bound is judged so often.
const JUDGED_EVERY: Duration = Duration::from_secs(1);

/// How a version is to run.
pub fn mode(share_ppm: u32) -> Result<Mode, ApiError> {
    match share_ppm {
        0 => Ok(Mode::Shadow),
        share_ppm if share_ppm <= SHARE_MAX_PPM => Ok(Mode::Canary { share_ppm }),
        more => Err(ApiError::field("share_ppm", &more.to_string(), &format!("0 to {SHARE_MAX_PPM}"))),
    }
}

/// What ends it by itself.
pub fn bound(mode: Mode, asked: Option<&proto::FigureBound>) -> Result<Option<Bound>, ApiError> {
    let Some(asked) = asked else { return Ok(None) };
    if mode == Mode::Shadow {
        return Err(ApiError::field("bound", "a bound in shadow", "none: nobody acts on a shadow"));
    }
    let after = match asked.after {
        0 => AFTER_USUAL,
        after @ 1..=1_000_000 => after.into(),
        more => return Err(ApiError::field("bound.after", &more.to_string(), "0 to 1000000")),
    };
    let ppm = || match asked.at_ppm {
        at @ 1..=1_000_000 => Ok(u64::from(at)),
        other => Err(ApiError::field("bound.at_ppm", &other.to_string(), "1 to 1000000")),
    };
    let (of, at) = match asked.figure() {
        Figure::ServiceLevel => (Of::ServiceLevel, ppm()?),
        Figure::Abandoned => (Of::Abandoned, ppm()?),
        Figure::MeanWait => (Of::MeanWait, duration_ms("bound.at_wait", asked.at_wait, 1..=WAIT_MAX_MS, 0)?),
        Figure::Unspecified => {
            return Err(ApiError::missing("bound.figure", "SERVICE_LEVEL, ABANDONED or MEAN_WAIT"));
        }
    };
    Ok(Some(Bound { of, at, after }))
}

/// Lets a version run beside the one in force.
pub async fn run(
    tenant: &Arc<Tenant>,
    what: What,
    by: By,
    (mode, bound): (Mode, Option<Bound>),
) -> Result<proto::Beside, ApiError> {
    let share_ppm = match mode {
        Mode::Shadow => None,
        Mode::Canary { share_ppm } => Some(share_ppm),
    };
    let begin = |ruling| begin(tenant, ruling, mode, bound);
    recorded_beside(tenant, what, by, (share_ppm, bound.map(kept)), begin).await?;
    shown(tenant).await
}

fn begin(tenant: &Tenant, ruling: Ruling, mode: Mode, bound: Option<Bound>) {
    tenant.by_version.begin();
    tenant.rules.stand_beside(Some(Arc::new(Beside::new(ruling.into(), mode, bound))));
}

/// Goes on with what ran beside when the server went.
pub async fn take_up(tenant: &Tenant) {
    let found = tenant.publishing.look(|book| {
        let running = book.beside()?;
        let version = running.as_ref().map(|one| book.version(one.number)).transpose()?.flatten();
        Ok::<_, crate::journal::Fault>(running.zip(version))
    });
    let (running, version) = match found.await {
        Ok(Some(found)) => found,
        Ok(None) => return,
        Err(fault) => return tracing::error!(tenant = tenant.name, "the rulebook cannot be read: {fault}"),
    };
    let Ok(rules) = RuleSet::read(&version.text) else {
        return tracing::error!(
            tenant = tenant.name,
            version = version.number,
            "what ran beside cannot be read"
        );
    };
    let mode = running.share_ppm.map_or(Mode::Shadow, |share_ppm| Mode::Canary { share_ppm });
    let bound = running.bound.and_then(|bound| {
        let of = Of::ALL.into_iter().find(|of| of.word() == bound.figure)?;
        Some(Bound { of, at: bound.at, after: bound.after })
    });
    begin(tenant, Ruling::new(rules.numbered(version.number).into()), mode, bound);
}

fn kept(bound: Bound) -> Bounded {
    Bounded { figure: bound.of.word().to_owned(), at: bound.at, after: bound.after }
}

/// Ends what runs beside, if it is this one; what had come of it.
pub async fn end(
    tenant: &Arc<Tenant>,
    by: By,
    detail: String,
    only: Option<&Arc<Beside>>,
) -> Result<proto::Beside, ApiError> {
    let _turn = tenant.publishing.turn().await;
    let told = shown(tenant).await?;
    let same = |only: &Arc<Beside>| tenant.rules.beside().is_some_and(|now| Arc::ptr_eq(&now, only));
    if !only.is_none_or(same) {
        // Another has taken its place meanwhile.
        return Ok(told);
    }
    tenant.publishing.book(move |book| book.end_beside(&by, &detail)).await?;
    stop(tenant);
    Ok(told)
}

/// Nothing runs beside any more.
pub fn stop(tenant: &Tenant) {
    tenant.rules.stand_beside(None);
    tenant.by_version.end();
}

/// Ends a canary whose figure is beyond its bound, as long as the server runs.
pub async fn watch(tenant: Arc<Tenant>) {
    let mut turns = tokio::time::interval(JUDGED_EVERY);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let Some(beside) = tenant.rules.beside() else { continue };
        if let Some((number, said)) = broken(&tenant, &beside) {
            tracing::warn!(tenant = tenant.name, version = number, "the canary is taken back: {said}");
            let by = tenant.publishing.server_by(tenant.clock.now(), "beyond its bound");
            if let Err(error) = end(&tenant, by, said, Some(&beside)).await {
                // It plans nothing any more, and is looked at again at the next start.
                stop(&tenant);
                tracing::error!(tenant = tenant.name, "the rulebook does not say so: {}", error.message());
            }
        }
    }
}

/// The version whose bound is broken, and in words by what.
fn broken(tenant: &Tenant, beside: &Beside) -> Option<(u32, String)> {
    let bound = beside.bound?;
    let number = beside.ruling.rules.version();
    let fates = tenant.by_version.of(number);
    let got = bound.broken(&fates)?;
    Some((number, format!("{} of {} is {got}, its bound {}", bound.of.word(), fates.ended(), bound.at)))
}

/// What runs beside, and what came of it.
pub async fn shown(tenant: &Tenant) -> Result<proto::Beside, ApiError> {
    let nothing = || ApiError::from(crate::rulebook::BookError::from(Refused::NothingBeside));
    let beside = tenant.rules.beside().ok_or_else(nothing)?;
    let number = beside.ruling.rules.version();
    let version = tenant.publishing.look(move |book| book.version(number)).await?;
    let in_force = tenant.rules.now().rules.version();
    let (share_ppm, comparison) = match beside.mode {
        Mode::Shadow => (0, Some(compared(beside.compared()))),
        Mode::Canary { share_ppm } => (share_ppm, None),
    };
    Ok(proto::Beside {
        version: version.map(|version| tenant.show_version_briefly(&version)),
        share_ppm,
        bound: beside.bound.map(shown_bound),
        own: Some(fates(tenant.by_version.of(number))),
        in_force: Some(fates(tenant.by_version.of(in_force))),
        comparison,
    })
}

fn shown_bound(bound: Bound) -> proto::FigureBound {
    let figure = match bound.of {
        Of::ServiceLevel => Figure::ServiceLevel,
        Of::Abandoned => Figure::Abandoned,
        Of::MeanWait => Figure::MeanWait,
    };
    let waits = bound.of == Of::MeanWait;
    proto::FigureBound {
        figure: figure.into(),
        at_ppm: if waits { 0 } else { u32::try_from(bound.at).unwrap_or(u32::MAX) },
        at_wait: waits.then(|| millis(bound.at)),
        after: u32::try_from(bound.after).unwrap_or(u32::MAX),
    }
}

fn fates(fates: Fates) -> proto::VersionFates {
    proto::VersionFates {
        entered: fates.entered,
        answered: fates.answered,
        abandoned: fates.abandoned,
        service_level_ppm: fates.service_level_ppm().and_then(|ppm| u32::try_from(ppm).ok()),
        mean_wait: fates.mean_wait_ms().map(millis),
    }
}

fn compared(compared: Compared) -> proto::ShadowComparison {
    let otherwise = |(what, count): (&str, u64)| (what.to_owned(), count);
    let newest = compared.newest.into_iter().map(|one| proto::PlannedOtherwise {
        source: one.source.to_string(),
        external_id: one.external_id.to_string(),
        what: one.what.into_iter().map(str::to_owned).collect(),
        queue: one.queues.0.to_string(),
        shadow_queue: one.queues.1.to_string(),
    });
    proto::ShadowComparison {
        planned: compared.planned,
        same: compared.same,
        passed_over: compared.passed_over,
        newest: newest.collect(),
        otherwise: compared.otherwise.into_iter().map(otherwise).collect(),
    }
}
