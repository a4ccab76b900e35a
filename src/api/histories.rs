//! What happened with a customer: told, and asked for.

use super::card::show_entry;
use super::convert::{channel, moment, page_size};
use super::customers::{asked, input, not_found, now_ms, profile};
use super::intake::parse_address;
use super::names::shown;
use super::people::{any_channel, not_allowed};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::customers::{
    CustomerId, Details, EntryKind, Feedback, Filter, History, MATTER_CHARS_MAX, Measure, NewEntry,
    NotRecorded, Position, Recording, RequestId,
};
use crate::engine::time::Time;
use crate::proto;
use std::sync::Arc;

/// How far ahead of ours the clock of whoever records an event may be, ms.
const AHEAD_MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// Part of a history.
pub async fn list(
    tenant: &Arc<Tenant>,
    request: &proto::ListHistoryRequest,
) -> Result<proto::ListHistoryResponse, ApiError> {
    let id = CustomerId(tenant.number("parent", &request.parent, "customers")?);
    let limit = page_size("page_size", request.page_size, 50, 500)?;
    let filter = filter(request)?;
    let after = match request.page_token.as_str() {
        "" => None,
        token => Some(Position::from_token(token).ok_or_else(|| {
            ApiError::field("page_token", &shown(token), "the next_page_token of an earlier answer")
        })?),
    };
    // What was answered OK is in the history that is asked for next.
    let committed = tenant.shard.read(|_| ()).await.map_err(ApiError::from)?.sequence;
    asked(|reply| tenant.customers.wait_applied(committed.0, reply)).await?;
    let customer = profile(tenant, id).await?;
    let page = asked(|reply| tenant.customers.history(History { id, filter, after, limit }, reply)).await?;
    let page = page.ok_or_else(|| not_found(id))?;
    Ok(proto::ListHistoryResponse {
        entries: page.entries.iter().map(|entry| show_entry(tenant, customer.id, entry)).collect(),
        next_page_token: page.next.map(Position::token).unwrap_or_default(),
    })
}

fn filter(request: &proto::ListHistoryRequest) -> Result<Filter, ApiError> {
    let kind = |code: &i32| {
        let known = u8::try_from(*code).ok().and_then(EntryKind::from_code);
        known.ok_or_else(|| ApiError::field("kinds", &code.to_string(), "1 CONTACT to 6 FEEDBACK"))
    };
    let chars = request.matter.chars().count();
    if chars > MATTER_CHARS_MAX {
        let wanted = format!("at most {MATTER_CHARS_MAX}");
        return Err(ApiError::field("matter", &format!("{chars} characters"), &wanted));
    }
    Ok(Filter {
        kinds: request.kinds.iter().map(kind).collect::<Result<_, _>>()?,
        channels: request
            .channels
            .iter()
            .map(|code| any_channel("channels", *code))
            .collect::<Result<_, _>>()?,
        matter: request.matter.clone(),
    })
}

/// Adds something that happened.
pub async fn record(
    tenant: &Arc<Tenant>,
    request: &proto::RecordEventRequest,
) -> Result<proto::HistoryEntry, ApiError> {
    let customer = CustomerId(tenant.number("parent", &request.parent, "customers")?);
    let entry = request.entry.as_ref().ok_or_else(|| ApiError::missing("entry", "an entry"))?;
    let entry = new_entry(entry, tenant.clock.now())?;
    let to = request.to.as_ref().map(|to| parse_address(tenant, "to", to)).transpose()?;
    let request_id = (!request.request_id.is_empty())
        .then(|| RequestId::parse(&request.request_id).map_err(input("request_id")))
        .transpose()?;
    let recording = Recording { customer, entry, to, request_id, now_ms: now_ms(tenant) };
    let recents = tenant.recents.clone();
    let recorded = asked(|reply| {
        tenant.customers.record(recording, move |recorded| {
            recents.forget(customer);
            reply(recorded);
        });
    });
    let entry = recorded.await?.map_err(|refused| match refused {
        NotRecorded::Unknown(id) => not_found(id),
        NotRecorded::NotAllowed(refused) => not_allowed(tenant, &refused),
    })?;
    let customer = profile(tenant, customer).await?;
    Ok(show_entry(tenant, customer.id, &entry))
}

fn new_entry(entry: &proto::HistoryEntry, now: Time) -> Result<NewEntry, ApiError> {
    let kind = u8::try_from(entry.kind).ok().and_then(EntryKind::from_code).ok_or_else(|| {
        let wanted = "2 VISIT, 3 PURCHASE, 4 MESSAGE, 5 NOTE or 6 FEEDBACK";
        ApiError::field("entry.kind", &entry.kind.to_string(), wanted)
    })?;
    let code = match entry.channel {
        0 => 0,
        code => channel("entry.channel", code)? as u8,
    };
    let time = entry.time.map(|time| moment("entry.time", time)).transpose()?;
    // What has not happened would stand above everything that has. Clocks of others may be a little ahead.
    if let Some(ahead) = time.filter(|time| time.since(now) > AHEAD_MAX_MS) {
        let got = format!("{} ms after now", ahead.since(now));
        return Err(ApiError::field("entry.time", &got, &format!("at most {AHEAD_MAX_MS} ms after now")));
    }
    let time_ms = time.map(|time| i64::try_from(time.0).expect("moments end with the year 9999"));
    let new = NewEntry::new(kind, time_ms, code, &entry.summary, &entry.text).map_err(input("entry.kind"))?;
    new.with(details(entry)?).map_err(input("entry"))
}

fn details(entry: &proto::HistoryEntry) -> Result<Details, ApiError> {
    let narrow = |field: &'static str, value: i32, wanted: &str| {
        i8::try_from(value).map_err(|_| ApiError::field(field, &value.to_string(), wanted))
    };
    let feedback = match &entry.feedback {
        None => None,
        Some(proto::Feedback { measure, score }) => {
            let known = u8::try_from(*measure).ok().and_then(Measure::from_code);
            let wanted = "1 SATISFACTION, 2 RECOMMENDATION or 3 EFFORT";
            let measure = known
                .ok_or_else(|| ApiError::field("entry.feedback.measure", &measure.to_string(), wanted))?;
            let score = narrow("entry.feedback.score", *score, "at most 10")?;
            Some(Feedback { measure, score })
        }
    };
    let sentiment =
        entry.sentiment.map(|value| narrow("entry.sentiment", value, "-100 to 100")).transpose()?;
    let (matter, pinned, outbound) = (entry.matter.clone(), entry.pinned, entry.outbound);
    Ok(Details { matter, pinned, outbound, feedback, sentiment })
}
