//! Promises: made, kept and shown.

use super::card::time;
use super::convert::{channel, moment};
use super::customers::{asked, input, not_found, now_ms};
use super::names::shown;
use super::status::ApiError;
use super::tenant::Tenant;
use crate::customers::{
    ChannelCode, CustomerId, InputError, Instruction, NewPromise, NotRedeemed, Promise, Promising, Redeeming,
    Redemption, RequestId, StoreFault, TIER_CHARS_MAX, To, Withdrawing,
};
use crate::engine::time::Time;
use crate::proto;
use std::sync::Arc;
use tonic::Code;

/// Makes a promise.
pub async fn make(
    tenant: &Arc<Tenant>,
    request: &proto::MakePromiseRequest,
) -> Result<proto::Promise, ApiError> {
    let promise = request.promise.as_ref().ok_or_else(|| ApiError::missing("promise", "a promise"))?;
    let to = to(tenant, &request.parent, &promise.tier)?;
    let what = what(promise, tenant.clock.now())?;
    let request_id = request_id(&request.request_id)?;
    let promising = Promising { to: to.clone(), what, request_id, now_ms: now_ms(tenant) };
    let made = changing(tenant, whose(&to), |reply| tenant.customers.promise(promising, reply)).await?;
    let customer = whose(&to).unwrap_or(CustomerId(0));
    let made = made.map_err(|_| not_found(customer))?;
    Ok(show(tenant, customer, &made, None, now_ms(tenant)))
}

/// Keeps a promise.
pub async fn redeem(
    tenant: &Arc<Tenant>,
    request: &proto::RedeemPromiseRequest,
) -> Result<proto::Promise, ApiError> {
    let (customer, promise) = numbers(tenant, &request.name)?;
    let wanted =
        "tenants/{t}/customers/{number}/promises/{number}: each customer of a tier redeems it for themselves";
    let customer = customer.ok_or_else(|| ApiError::field("name", &shown(&request.name), wanted))?;
    let how = Redemption {
        by: request.by.clone(),
        place: request.place.clone(),
        note: request.note.clone(),
        alternative: request.alternative,
    };
    let how = how.checked().map_err(input("by"))?;
    let request_id = request_id(&request.request_id)?;
    let redeeming = Redeeming { customer, promise, how, request_id, now_ms: now_ms(tenant) };
    let redeemed =
        changing(tenant, Some(customer), |reply| tenant.customers.redeem(redeeming, reply)).await?;
    let redeemed = redeemed.map_err(|refused| not_redeemed(&request.name, &refused))?;
    Ok(show(tenant, customer, &redeemed, None, now_ms(tenant)))
}

/// Says that a promise cannot be honoured as it was made.
pub async fn withdraw(
    tenant: &Arc<Tenant>,
    request: &proto::WithdrawPromiseRequest,
) -> Result<proto::Promise, ApiError> {
    let (customer, promise) = numbers(tenant, &request.name)?;
    let withdrawing = Withdrawing {
        customer,
        promise,
        by: request.by.clone(),
        reason: request.reason.clone(),
        alternative: request.alternative.clone(),
        now_ms: now_ms(tenant),
    };
    let withdrawing = withdrawing.checked().map_err(input("by"))?;
    let withdrawn = changing(tenant, customer, |reply| tenant.customers.withdraw(withdrawing, reply)).await?;
    let withdrawn = withdrawn.map_err(|refused| not_redeemed(&request.name, &refused))?;
    Ok(show(tenant, customer.unwrap_or(CustomerId(0)), &withdrawn, None, now_ms(tenant)))
}

/// Every promise to a customer, or those to tiers.
pub async fn list(
    tenant: &Arc<Tenant>,
    request: &proto::ListPromisesRequest,
) -> Result<proto::ListPromisesResponse, ApiError> {
    let now = now_ms(tenant);
    let (customer, found) = if is_tenant(&request.parent) {
        (CustomerId(0), asked(|reply| tenant.customers.tier_promises(reply)).await?)
    } else {
        let customer = CustomerId(tenant.number("parent", &request.parent, "customers")?);
        let found = asked(|reply| tenant.customers.promises(customer, reply)).await?;
        (customer, found.ok_or_else(|| not_found(customer))?)
    };
    let promises = found.iter().map(|promise| show(tenant, customer, promise, None, now)).collect();
    Ok(proto::ListPromisesResponse { promises })
}

/// Changes something and sees to it that the next card shows it: a customer's, or everybody's.
async fn changing<T: Send + 'static>(
    tenant: &Arc<Tenant>,
    customer: Option<CustomerId>,
    change: impl FnOnce(Box<dyn FnOnce(Result<T, StoreFault>) + Send>),
) -> Result<T, ApiError> {
    let recents = tenant.recents.clone();
    asked(|reply| {
        change(Box::new(move |changed| {
            match customer {
                Some(customer) => recents.forget(customer),
                None => recents.forget_all(),
            }
            reply(changed);
        }));
    })
    .await
}

/// `tenants/{t}`, and nothing of a tenant's.
pub fn is_tenant(name: &str) -> bool {
    name.split('/').count() == 2
}

/// Whom something is promised to.
fn to(tenant: &Tenant, parent: &str, tier: &str) -> Result<To, ApiError> {
    if !is_tenant(parent) {
        if !tier.is_empty() {
            let wanted = "nothing, or the tenant as the parent: a tier is everybody in it";
            return Err(ApiError::field("promise.tier", &shown(tier), wanted));
        }
        return Ok(To::Customer(CustomerId(tenant.number("parent", parent, "customers")?)));
    }
    if tier.is_empty() {
        let wanted = "1 to 64 characters, as customers have it, or a customer as the parent";
        return Err(ApiError::missing("promise.tier", wanted));
    }
    match tier.chars().count() {
        chars if chars > TIER_CHARS_MAX => {
            let (field, chars_max) = ("promise.tier", TIER_CHARS_MAX);
            Err(input(field)(InputError::TooLong { field, chars, chars_max }))
        }
        _ => Ok(To::Tier(tier.to_owned())),
    }
}

fn whose(to: &To) -> Option<CustomerId> {
    if let To::Customer(customer) = to { Some(*customer) } else { None }
}

/// A promise as it stands with a customer, 0 for nobody in particular; on a card, with what to do at this place.
pub fn show(
    tenant: &Tenant,
    customer: CustomerId,
    promise: &Promise,
    place: Option<&str>,
    now_ms: i64,
) -> proto::Promise {
    let Promise { number, to, made_ms, what, withdrawn, redeemed } = promise;
    let (whose, tier) = match to {
        To::Customer(own) => (*own, String::new()),
        To::Tier(tier) => (customer, tier.clone()),
    };
    let name = match whose {
        CustomerId(0) => tenant.name_of("promises", number),
        customer => tenant.name_of("customers", format_args!("{customer}/promises/{number}")),
    };
    let instructions = what
        .instructions
        .iter()
        .map(|one| proto::promise::Instruction { place: one.place.clone(), text: one.text.clone() });
    let (redeemed_ms, how) = redeemed.clone().unzip();
    let how = how.unwrap_or_default();
    let withdrawn = withdrawn.as_ref();
    proto::Promise {
        name,
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
        how: place.and_then(|place| promise.instruction(place)).unwrap_or_default().to_owned(),
        expired: promise.is_expired(now_ms),
        tier,
        redeemed_alternative: how.alternative,
        withdraw_time: withdrawn.map(|withdrawn| time(withdrawn.at_ms)),
        withdrawn_by: withdrawn.map(|withdrawn| withdrawn.by.clone()).unwrap_or_default(),
        withdraw_reason: withdrawn.map(|withdrawn| withdrawn.reason.clone()).unwrap_or_default(),
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

/// `tenants/{t}/customers/{number}/promises/{number}`, or without a customer for a promise to a tier.
fn numbers(tenant: &Tenant, name: &str) -> Result<(Option<CustomerId>, u64), ApiError> {
    let wanted = || ApiError::field("name", &shown(name), "tenants/{t}/customers/{number}/promises/{number}");
    let (parent, promise) = name.rsplit_once("/promises/").ok_or_else(wanted)?;
    if is_tenant(parent) {
        return Ok((None, tenant.number("name", name, "promises")?));
    }
    let customer = CustomerId(tenant.number("name", parent, "customers")?);
    Ok((Some(customer), promise.parse().map_err(|_| wanted())?))
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
        NotRedeemed::Withdrawn { reason, alternative } => {
            ApiError::new(Code::FailedPrecondition, "PROMISE_WITHDRAWN", message)
                .telling("reason", reason)
                .telling("alternative", alternative)
        }
        NotRedeemed::NoAlternative => ApiError::new(Code::FailedPrecondition, "NO_ALTERNATIVE", message),
    }
}

/// A moment of the store's, in words.
pub fn written(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|time| time.to_string()).unwrap_or_default()
}
