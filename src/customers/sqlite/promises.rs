//! Promises, within the transaction of their group.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::model::CustomerId;
use super::super::promise::{
    NewPromise, NotRedeemed, PROMISES_LISTED_MAX, Promise, Promising, Redeeming, Redemption,
};
use super::super::store::UnknownCustomer;
use super::{from_sql, to_sql};

pub(super) const OF: &str = "SELECT number, customer, made_ms, what, redeemed_ms, redeemed_by,
        redeemed_place, redeemed_note FROM promises WHERE customer = ?1";
pub(super) const ONE: &str = "SELECT number, customer, made_ms, what, redeemed_ms, redeemed_by,
        redeemed_place, redeemed_note, redeemed_request_id FROM promises WHERE number = ?1";
const BY_REQUEST: &str = "SELECT number, customer, made_ms, what, redeemed_ms, redeemed_by,
        redeemed_place, redeemed_note FROM promises WHERE customer = ?1 AND request_id = ?2";

/// Every promise to a customer, in their order.
pub(super) fn of(db: &Connection, id: CustomerId) -> rusqlite::Result<Vec<Promise>> {
    let mut all: Vec<Promise> =
        db.prepare_cached(OF)?.query_map([to_sql(id.0)], one)?.collect::<rusqlite::Result<_>>()?;
    all.sort_by_key(Promise::order);
    all.truncate(PROMISES_LISTED_MAX);
    Ok(all)
}

pub(super) fn promise(
    db: &Connection,
    promising: &Promising,
) -> rusqlite::Result<Result<Promise, UnknownCustomer>> {
    let Promising { customer, what, request_id, now_ms } = promising;
    let request_id = request_id.as_ref().map(|id| id.as_str());
    if let Some(id) = request_id {
        let first =
            db.prepare_cached(BY_REQUEST)?.query_row(params![to_sql(customer.0), id], one).optional()?;
        if let Some(first) = first {
            return Ok(Ok(first));
        }
    }
    let added = db
        .prepare_cached(
            "INSERT INTO promises (customer, made_ms, what, request_id)
             SELECT number, ?2, ?3, ?4 FROM customers WHERE number = ?1",
        )?
        .execute(params![to_sql(customer.0), now_ms, encoded(what)?, request_id])?;
    if added == 0 {
        return Ok(Err(UnknownCustomer(*customer)));
    }
    let number = from_sql(db.last_insert_rowid());
    Ok(Ok(Promise { number, customer: *customer, made_ms: *now_ms, what: what.clone(), redeemed: None }))
}

pub(super) fn redeem(
    db: &Connection,
    redeeming: &Redeeming,
) -> rusqlite::Result<Result<Promise, NotRedeemed>> {
    let Redeeming { customer, promise, how, request_id, now_ms } = redeeming;
    let request_id = request_id.as_ref().map(|id| id.as_str());
    let known = db
        .prepare_cached(ONE)?
        .query_row([to_sql(*promise)], |row| Ok((one(row)?, row.get::<_, Option<String>>(8)?)))
        .optional()?;
    let Some((known, by_request)) = known.filter(|(known, _)| known.customer == *customer) else {
        return Ok(Err(NotRedeemed::Unknown));
    };
    if request_id.is_some() && by_request.as_deref() == request_id {
        return Ok(Ok(known));
    }
    if let Err(refused) = known.may_be_redeemed(*now_ms) {
        return Ok(Err(refused));
    }
    db.prepare_cached(
        "UPDATE promises SET redeemed_ms = ?2, redeemed_by = ?3, redeemed_place = ?4, redeemed_note = ?5,
             redeemed_request_id = ?6 WHERE number = ?1",
    )?
    .execute(params![to_sql(*promise), now_ms, how.by, how.place, how.note, request_id])?;
    Ok(Ok(Promise { redeemed: Some((*now_ms, how.clone())), ..known }))
}

fn one(row: &Row<'_>) -> rusqlite::Result<Promise> {
    let what: Vec<u8> = row.get(3)?;
    let what: NewPromise = postcard::from_bytes(&what)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(3, Type::Blob, Box::new(error)))?;
    let redeemed_ms: Option<i64> = row.get(4)?;
    let how = |_| Ok(Redemption { by: row.get(5)?, place: row.get(6)?, note: row.get(7)? });
    let how: Option<rusqlite::Result<Redemption>> = redeemed_ms.map(how);
    Ok(Promise {
        number: from_sql(row.get(0)?),
        customer: CustomerId(from_sql(row.get(1)?)),
        made_ms: row.get(2)?,
        what,
        redeemed: redeemed_ms.zip(how.transpose()?),
    })
}

fn encoded(what: &NewPromise) -> rusqlite::Result<Vec<u8>> {
    postcard::to_stdvec(what).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
