//! Promises: made, kept and shown.

use super::convert::{channel, moment, timestamp};
use super::customers::{asked, input, not_found, now_ms};
use super::names::shown;
use super::status::ApiError;
use super::tenant::Tenant;
use crate::customers::{
    ChannelCode, CustomerId, Instruction, NewPromise, NotRedeemed, Promise, Promising, Redeeming, Redemption,
    RequestId,
};
use crate::engine::channel::Channel;
use crate::engine::time::Time;
use crate::proto;
use std::sync::Arc;
use tonic::Code;

/// Makes a promise.
pub async fn make(
    tenant: &Arc<Tenant>,
    request: &proto::MakePromiseRequest,
) -> Result<proto::Promise, ApiError> {
    let customer = CustomerId(tenant.number("parent", &request.parent, "customers")?);
    let promise = request.promise.as_ref().ok_or_else(|| ApiError::missing("promise", "a promise"))?;
    let what = what(promise, tenant.clock.now())?;
    let request_id = request_id(&request.request_id)?;
    let promising = Promising { customer, what, request_id, now_ms: now_ms(tenant) };
    let recents = tenant.recents.clone();
    let made = asked(|reply| {
        tenant.customers.promise(promising, move |made| {
            recents.forget(customer);
            reply(made);
        });
    });
    let made = made.await?.map_err(|_| not_found(customer))?;
    Ok(show(tenant, &made, None, now_ms(tenant)))
}

/// Keeps a promise.
pub async fn redeem(
    tenant: &Arc<Tenant>,
    request: &proto::RedeemPromiseRequest,
) -> Result<proto::Promise, ApiError> {
    let (customer, promise) = numbers(tenant, &request.name)?;
    let how = Redemption { by: request.by.clone(), place: request.place.clone(), note: request.note.clone() };
    let how = how.checked().map_err(input("by"))?;
    let request_id = request_id(&request.request_id)?;
    let redeeming = Redeeming { customer, promise, how, request_id, now_ms: now_ms(tenant) };
    let recents = tenant.recents.clone();
    let redeemed = asked(|reply| {
        tenant.customers.redeem(redeeming, move |redeemed| {
            recents.forget(customer);
            reply(redeemed);
        });
    });
    let redeemed = redeemed.await?.map_err(|refused| not_redeemed(&request.name, &refused))?;
    Ok(show(tenant, &redeemed, None, now_ms(tenant)))
}

/// Every promise to a customer.
pub async fn list(
    tenant: &Arc<Tenant>,
    request: &proto::ListPromisesRequest,
) -> Result<proto::ListPromisesResponse, ApiError> {
    let customer = CustomerId(tenant.number("parent", &request.parent, "customers")?);
    let found = asked(|reply| tenant.customers.promises(customer, reply)).await?;
    let found = found.ok_or_else(|| not_found(customer))?;
    let now = now_ms(tenant);
    Ok(proto::ListPromisesResponse {
        promises: found.iter().map(|promise| show(tenant, promise, None, now)).collect(),
    })
}

/// A promise; on a card, with what to do on this channel.
pub fn show(tenant: &Tenant, promise: &Promise, on: Option<Channel>, now_ms: i64) -> proto::Promise {
    let Promise { number, customer, made_ms, what, redeemed } = promise;
    let instructions = what
        .instructions
        .iter()
        .map(|one| proto::promise::Instruction { place: one.place.clone(), text: one.text.clone() });
    let (redeemed_ms, how) = redeemed.clone().unzip();
    let how = how.unwrap_or(Redemption { by: String::new(), place: String::new(), note: String::new() });
    proto::Promise {
        name: tenant.name_of("customers", format_args!("{customer}/promises/{number}")),
        summary: what.summary.clone(),
        terms: what.terms.clone(),
        instructions: instructions.collect(),
        alternative: what.alternative.clone(),
        made_by: what.made_by.clone(),
        channel: i32::from(what.channel),
        expire_time: what.expires_ms.map(time),
        make_time: Some(time(*made_ms)),
        redeem_time: redeemed_ms.map(time),
        redeemed_by: how.by,
        redeemed_at: how.place,
        redeemed_note: how.note,
        how: on.and_then(|on| promise.instruction(on.word())).unwrap_or_default().to_owned(),
        expired: promise.is_expired(now_ms),
    }
}

fn what(promise: &proto::Promise, now: Time) -> Result<NewPromise, ApiError> {
    let code: ChannelCode = match promise.channel {
        0 => 0,
        code => channel("promise.channel", code)? as u8,
    };
    let expires = promise.expire_time.map(|time| moment("promise.expire_time", time)).transpose()?;
    if expires.is_some_and(|expires| expires <= now) {
        return Err(ApiError::field("promise.expire_time", "a moment that is past", "a later one, or none"));
    }
    let instructions = promise
        .instructions
        .iter()
        .map(|one| Instruction { place: one.place.clone(), text: one.text.clone() });
    let what = NewPromise {
        summary: promise.summary.clone(),
        terms: promise.terms.clone(),
        instructions: instructions.collect(),
        alternative: promise.alternative.clone(),
        made_by: promise.made_by.clone(),
        channel: code,
        expires_ms: expires.map(|at| i64::try_from(at.0).expect("moments end with the year 9999")),
    };
    what.checked().map_err(input("promise"))
}

fn request_id(text: &str) -> Result<Option<RequestId>, ApiError> {
    (!text.is_empty()).then(|| RequestId::parse(text).map_err(input("request_id"))).transpose()
}

/// `tenants/{t}/customers/{number}/promises/{number}`.
fn numbers(tenant: &Tenant, name: &str) -> Result<(CustomerId, u64), ApiError> {
    let wanted = || ApiError::field("name", &shown(name), "tenants/{t}/customers/{number}/promises/{number}");
    let (customer, promise) = name.rsplit_once("/promises/").ok_or_else(wanted)?;
    let customer = CustomerId(tenant.number("name", customer, "customers")?);
    Ok((customer, promise.parse().map_err(|_| wanted())?))
}

fn not_redeemed(name: &str, refused: &NotRedeemed) -> ApiError {
    let message = refused.to_string();
    match refused {
        NotRedeemed::Unknown => ApiError::not_found("name", "PROMISE_NOT_FOUND", &shown(name)),
        NotRedeemed::Before { at_ms, how } => {
            ApiError::new(Code::FailedPrecondition, "PROMISE_REDEEMED", message)
                .telling("redeem_time", &written(*at_ms))
                .telling("by", &how.by)
                .telling("place", &how.place)
        }
        NotRedeemed::Expired { at_ms } => ApiError::new(Code::FailedPrecondition, "PROMISE_EXPIRED", message)
            .telling("expire_time", &written(*at_ms)),
    }
}

fn written(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|time| time.to_string()).unwrap_or_default()
}

fn time(ms: i64) -> prost_types::Timestamp {
    timestamp(Time(u64::try_from(ms).unwrap_or_default()))
}
