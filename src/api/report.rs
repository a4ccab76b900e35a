//! `Supervision.Report`: figures of a period, read from archive and journal beside the server that writes it.

use super::convert::{channel_code, duration_ms, millis, moment, timestamp};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::time::Time;
use crate::journal::Fault;
use crate::proto;
use crate::report::{AgentTime, By, ReadError, ReportError, Request, Row, from_folder};
use tonic::Code;

const INTERVAL_MIN_MS: u64 = 60_000;
const INTERVAL_MAX_MS: u64 = 366 * 24 * 60 * 60 * 1000;

/// Reads and adds up; one report or recomputed explanation of a tenant at a time.
pub async fn report(
    tenant: &Tenant,
    asked: &proto::ReportRequest,
) -> Result<proto::ReportResponse, ApiError> {
    let now = tenant.shard.read(|shard| shard.now()).await?.value;
    let request = request(asked, now)?;
    let Some(folder) = tenant.folder.clone() else {
        let message = "the journal is in memory: there are no recorded events to add up";
        return Err(ApiError::new(Code::FailedPrecondition, "NOT_RETAINED", message));
    };
    let _turn = tenant.recompute.acquire().await.expect("it is never closed");
    let read = tokio::task::spawn_blocking(move || from_folder(&folder, request, now)).await;
    let report = read.map_err(|error| unreadable(error.to_string()))?.map_err(refused)?;
    Ok(proto::ReportResponse {
        from: Some(timestamp(report.from)),
        until: Some(timestamp(report.until)),
        rows: report.rows.iter().map(|row| show(tenant, row)).collect(),
    })
}

fn request(asked: &proto::ReportRequest, now: Time) -> Result<Request, ApiError> {
    let from = asked.from.ok_or_else(|| ApiError::missing("from", "the first moment that counts"))?;
    let from = moment("from", from)?;
    let to = asked.to.map_or(Ok(now), |to| moment("to", to))?;
    if to <= from {
        let got = format!("{} ms since 1970, not after `from`, {}", to.0, from.0);
        return Err(ApiError::field("to", &got, "a moment after `from`"));
    }
    let interval_ms = match asked.interval {
        None => None,
        some => Some(duration_ms("interval", some, INTERVAL_MIN_MS..=INTERVAL_MAX_MS, 0)?),
    };
    let by = By { queue: asked.by_queue, channel: asked.by_channel, agent: asked.by_agent };
    Ok(Request { from, to, interval_ms, by })
}

fn refused(error: ReadError) -> ApiError {
    match error {
        ReadError::Question(ReportError::TooManyRows { .. }) => {
            ApiError::new(Code::ResourceExhausted, "TOO_MANY_ROWS", error.to_string())
        }
        ReadError::Question(_) => ApiError::field("interval", "this period", "an interval that fits it"),
        ReadError::Journal(fault @ Fault::NotRetained { .. }) => {
            ApiError::new(Code::FailedPrecondition, "NOT_RETAINED", fault.to_string())
        }
        ReadError::Journal(_) | ReadError::Event { .. } => unreadable(error.to_string()),
    }
}

fn unreadable(message: String) -> ApiError {
    ApiError::new(Code::Internal, "RECOMPUTE_FAILED", message)
}

fn show(tenant: &Tenant, row: &Row) -> proto::ReportRow {
    let figures = &row.figures;
    let name = |kind: &str, name: &Option<crate::engine::ids::Text>| {
        name.as_ref().map(|name| tenant.name_of(kind, name)).unwrap_or_default()
    };
    proto::ReportRow {
        start: Some(timestamp(row.start)),
        end: Some(timestamp(row.end)),
        queue: name("queues", &row.queue),
        channel: row.channel.map_or(0, channel_code),
        agent: name("agents", &row.agent),
        entered: figures.entered,
        moved_in: figures.moved_in,
        moved_out: figures.moved_out,
        transferred_in: figures.transferred_in,
        answered: figures.answered,
        answered_in_target: figures.answered_in_target,
        abandoned: figures.abandoned,
        short_abandoned: figures.short_abandoned,
        cancelled: figures.cancelled,
        timed_out: figures.timed_out,
        sent_away: figures.sent_away,
        left_after_answer: figures.left_after_answer,
        closed: figures.closed,
        mean_wait: figures.mean_wait_ms().map(millis),
        longest_wait: Some(millis(figures.longest_wait_ms)),
        mean_abandon_wait: figures.mean_abandon_wait_ms().map(millis),
        longest_abandon_wait: Some(millis(figures.longest_abandon_wait_ms)),
        handled: figures.handled,
        talk_time: Some(millis(figures.talk_ms)),
        wrap_up_time: Some(millis(figures.wrap_up_ms)),
        mean_handle_time: figures.mean_handle_ms().map(millis),
        offers_accepted: figures.offers_accepted,
        offers_declined: figures.offers_declined,
        offers_expired: figures.offers_expired,
        offers_rescinded: figures.offers_rescinded,
        transfers: figures.transfers,
        callbacks_planned: figures.callbacks_planned,
        callback_windows_missed: figures.callback_windows_missed,
        callbacks_unreachable: figures.callbacks_unreachable,
        connects_failed: figures.connects_failed,
        connects_assumed: figures.connects_assumed,
        service_levels: Some(service_levels(row)),
        time: row.agent.is_some().then(|| time(&figures.time)),
    }
}

fn service_levels(row: &Row) -> proto::ServiceLevels {
    let levels = row.figures.service_levels();
    proto::ServiceLevels {
        of_answered_ppm: levels.of_answered_ppm,
        of_answered_and_abandoned_ppm: levels.of_answered_and_abandoned_ppm,
        without_short_abandons_ppm: levels.without_short_abandons_ppm,
        of_offered_ppm: levels.of_offered_ppm,
        short_abandons_as_served_ppm: levels.short_abandons_as_served_ppm,
    }
}

fn time(time: &AgentTime) -> proto::AgentTime {
    let reasons = time.break_by_reason_ms.iter();
    proto::AgentTime {
        idle: Some(millis(time.idle_ms)),
        ringing: Some(millis(time.ringing_ms)),
        handling: Some(millis(time.handling_ms)),
        wrapping_up: Some(millis(time.wrapping_up_ms)),
        not_responding: Some(millis(time.not_responding_ms)),
        on_break: Some(millis(time.break_ms)),
        break_by_reason: reasons.map(|(reason, ms)| (reason.to_string(), millis(*ms))).collect(),
        lost: Some(millis(time.lost_ms)),
        signed_out: Some(millis(time.signed_out_ms)),
        occupancy_ppm: time.occupancy_ppm(),
    }
}
