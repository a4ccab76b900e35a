//! Promises, within the transaction of their group. One to a customer carries its redemption in its row; one to a tier is
//! redeemed by each of its customers in a row of their own.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::model::CustomerId;
use super::super::promise::{
    NewPromise, NotRedeemed, PROMISES_LISTED_MAX, Promise, Promising, Redeeming, Redemption, To, Withdrawal,
    Withdrawing,
};
use super::super::store::UnknownCustomer;
use super::{from_sql, people, to_sql};

macro_rules! columns {
    () => {
        "SELECT number, customer, tier, made_ms, what, withdrawn_ms, withdrawn_by, withdrawn_reason,
        redeemed_ms, redeemed_by, redeemed_place, redeemed_note, redeemed_alternative, redeemed_request_id
        FROM promises "
    };
}
pub(super) const OF: &str = concat!(columns!(), "WHERE customer = ?1 ORDER BY number DESC LIMIT 500");
pub(super) const OF_TIER: &str = concat!(columns!(), "WHERE tier = ?1 ORDER BY number DESC LIMIT 500");
pub(super) const OF_TIERS: &str = concat!(columns!(), "WHERE tier > '' ORDER BY tier, number LIMIT 5000");
pub(super) const ONE: &str = concat!(columns!(), "WHERE number = ?1");
pub(super) const BY_REQUEST: &str =
    concat!(columns!(), "WHERE tier IS NULL AND customer = ?1 AND request_id = ?2");
pub(super) const BY_TIER_REQUEST: &str = concat!(columns!(), "WHERE tier = ?1 AND request_id = ?2");
pub(super) const REDEMPTION: &str = "SELECT redeemed_ms, redeemed_by, redeemed_place, redeemed_note,
        redeemed_alternative, request_id FROM redemptions WHERE promise = ?1 AND customer = ?2";

/// A promise as it stands with somebody, and the request that redeemed it.
struct Standing {
    promise: Promise,
    by_request: Option<String>,
}

/// Every promise to a person, in their order.
pub(super) fn of(db: &Connection, members: &[CustomerId], tier: &str) -> rusqlite::Result<Vec<Promise>> {
    let mut all = Vec::new();
    for member in members {
        let mut found = db.prepare_cached(OF)?;
        let theirs = found.query_map([to_sql(member.0)], |row| Ok(standing(row)?.promise))?;
        all.extend(theirs.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    if !tier.is_empty() {
        let mut found = db.prepare_cached(OF_TIER)?;
        for one in found.query_map([tier], standing)? {
            all.push(with(db, one?, members)?.promise);
        }
    }
    Ok(sorted(all))
}

/// Every promise to a tier.
pub(super) fn of_tiers(db: &Connection) -> rusqlite::Result<Vec<Promise>> {
    let mut found = db.prepare_cached(OF_TIERS)?;
    let all = found.query_map([], |row| Ok(standing(row)?.promise))?;
    Ok(sorted(all.collect::<rusqlite::Result<_>>()?))
}

fn sorted(mut all: Vec<Promise>) -> Vec<Promise> {
    all.sort_by_key(Promise::order);
    all.truncate(PROMISES_LISTED_MAX);
    all
}

/// One to a tier, as it stands with a person.
fn with(db: &Connection, standing: Standing, members: &[CustomerId]) -> rusqlite::Result<Standing> {
    let Standing { promise, .. } = standing;
    let mut first: Option<(i64, Redemption, Option<String>)> = None;
    for member in members {
        let found = db
            .prepare_cached(REDEMPTION)?
            .query_row(params![to_sql(promise.number), to_sql(member.0)], |row| {
                Ok((row.get(0)?, redemption(row, 1)?, row.get(5)?))
            })
            .optional()?;
        first = match (first, found) {
            (Some(first), Some(found)) if first.0 <= found.0 => Some(first),
            (first, found) => found.or(first),
        };
    }
    let by_request = first.as_ref().and_then(|(_, _, request)| request.clone());
    Ok(Standing { promise: Promise { redeemed: first.map(|(at, how, _)| (at, how)), ..promise }, by_request })
}

pub(super) fn promise(
    db: &Connection,
    promising: &Promising,
) -> rusqlite::Result<Result<Promise, UnknownCustomer>> {
    let Promising { to, what, request_id, now_ms } = promising;
    let request_id = request_id.as_ref().map(|id| id.as_str());
    if let Some(id) = request_id
        && let Some(first) = by_request(db, to, id)?
    {
        return Ok(Ok(first));
    }
    let (customer, tier) = match to {
        To::Customer(customer) if people::members(db, *customer)?.is_empty() => {
            return Ok(Err(UnknownCustomer(*customer)));
        }
        To::Customer(customer) => (to_sql(customer.0), None),
        To::Tier(tier) => (0, Some(tier)),
    };
    db.prepare_cached(
        "INSERT INTO promises (customer, tier, made_ms, what, request_id) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![customer, tier, now_ms, encoded(what)?, request_id])?;
    let number = from_sql(db.last_insert_rowid());
    let (to, what) = (to.clone(), what.clone());
    Ok(Ok(Promise { number, to, made_ms: *now_ms, what, withdrawn: None, redeemed: None }))
}

fn by_request(db: &Connection, to: &To, id: &str) -> rusqlite::Result<Option<Promise>> {
    let found = match to {
        To::Customer(customer) => {
            db.prepare_cached(BY_REQUEST)?.query_row(params![to_sql(customer.0), id], standing).optional()
        }
        To::Tier(tier) => db.prepare_cached(BY_TIER_REQUEST)?.query_row([tier, id], standing).optional(),
    };
    Ok(found?.map(|standing| standing.promise))
}

/// One that is to a person, or to their tier, as it stands with them.
fn known(
    db: &Connection,
    number: u64,
    members: &[CustomerId],
    tier: &str,
) -> rusqlite::Result<Option<Standing>> {
    let found = db.prepare_cached(ONE)?.query_row([to_sql(number)], standing).optional()?;
    let Some(found) = found else { return Ok(None) };
    match &found.promise.to {
        To::Customer(to) if members.contains(to) => Ok(Some(found)),
        To::Tier(to) if to == tier => with(db, found, members).map(Some),
        _ => Ok(None),
    }
}

pub(super) fn redeem(
    db: &Connection,
    redeeming: &Redeeming,
) -> rusqlite::Result<Result<Promise, NotRedeemed>> {
    let Redeeming { customer, promise, how, request_id, now_ms } = redeeming;
    let request_id = request_id.as_ref().map(|id| id.as_str());
    let Some(person) = people::person(db, *customer)? else { return Ok(Err(NotRedeemed::Unknown)) };
    let members = people::members(db, *customer)?;
    let Some(Standing { promise: known, by_request }) = known(db, *promise, &members, &person.tier)? else {
        return Ok(Err(NotRedeemed::Unknown));
    };
    if request_id.is_some() && by_request.as_deref() == request_id {
        return Ok(Ok(known));
    }
    if let Err(refused) = known.may_be_redeemed(how, *now_ms) {
        return Ok(Err(refused));
    }
    let Redemption { by, place, note, alternative } = how;
    let number = to_sql(*promise);
    match known.to {
        To::Customer(_) => db
            .prepare_cached(
                "UPDATE promises SET redeemed_ms = ?2, redeemed_by = ?3, redeemed_place = ?4, redeemed_note = ?5,
                     redeemed_alternative = ?6, redeemed_request_id = ?7 WHERE number = ?1",
            )?
            .execute(params![number, now_ms, by, place, note, alternative, request_id])?,
        To::Tier(_) => db
            .prepare_cached("INSERT INTO redemptions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
            .execute(params![
                number,
                to_sql(customer.0),
                now_ms,
                by,
                place,
                note,
                alternative,
                request_id
            ])?,
    };
    Ok(Ok(Promise { redeemed: Some((*now_ms, how.clone())), ..known }))
}

pub(super) fn withdraw(
    db: &Connection,
    withdrawing: &Withdrawing,
) -> rusqlite::Result<Result<Promise, NotRedeemed>> {
    let Withdrawing { customer, promise, by, reason, alternative, now_ms } = withdrawing;
    let found = db.prepare_cached(ONE)?.query_row([to_sql(*promise)], standing).optional()?;
    let members = customer.map(|customer| people::members(db, customer)).transpose()?.unwrap_or_default();
    let theirs = |to: &To| match to {
        To::Customer(to) => members.contains(to),
        To::Tier(_) => customer.is_none(),
    };
    let Some(known) = found.map(|found| found.promise).filter(|known| theirs(&known.to)) else {
        return Ok(Err(NotRedeemed::Unknown));
    };
    if let Some((at_ms, how)) = known.redeemed {
        return Ok(Err(NotRedeemed::Before { at_ms, how }));
    }
    let mut what = known.what.clone();
    if !alternative.is_empty() {
        what.alternative.clone_from(alternative);
    }
    db.prepare_cached(
        "UPDATE promises SET withdrawn_ms = ?2, withdrawn_by = ?3, withdrawn_reason = ?4, what = ?5 WHERE number = ?1",
    )?
    .execute(params![to_sql(*promise), now_ms, by, reason, encoded(&what)?])?;
    let withdrawn = Withdrawal { at_ms: *now_ms, by: by.clone(), reason: reason.clone() };
    Ok(Ok(Promise { withdrawn: Some(withdrawn), what, ..known }))
}

fn standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    let what: Vec<u8> = row.get(4)?;
    let what: NewPromise = postcard::from_bytes(&what)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(4, Type::Blob, Box::new(error)))?;
    let tier: Option<String> = row.get(2)?;
    let customer = CustomerId(from_sql(row.get(1)?));
    let withdrawn_ms: Option<i64> = row.get(5)?;
    let withdrawn = match withdrawn_ms {
        Some(at_ms) => Some(Withdrawal { at_ms, by: row.get(6)?, reason: row.get(7)? }),
        None => None,
    };
    let redeemed_ms: Option<i64> = row.get(8)?;
    let redeemed = match redeemed_ms {
        Some(at_ms) => Some((at_ms, redemption(row, 9)?)),
        None => None,
    };
    let to = tier.map_or(To::Customer(customer), To::Tier);
    let (number, made_ms) = (from_sql(row.get(0)?), row.get(3)?);
    let promise = Promise { number, to, made_ms, what, withdrawn, redeemed };
    Ok(Standing { promise, by_request: row.get(13)? })
}

/// By, place, note and whether it was the alternative, in this order from a column on.
fn redemption(row: &Row<'_>, from: usize) -> rusqlite::Result<Redemption> {
    Ok(Redemption {
        by: row.get(from)?,
        place: row.get(from + 1)?,
        note: row.get(from + 2)?,
        alternative: row.get(from + 3)?,
    })
}

fn encoded(what: &NewPromise) -> rusqlite::Result<Vec<u8>> {
    postcard::to_stdvec(what).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
