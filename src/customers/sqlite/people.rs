//! Who is one person, and what is known of them. Customers who are not linked are the rule: for them one row says it.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::super::address::Address;
use super::super::link::{self, LINKED_MAX, Linking, NotLinked, NotUnlinked, Tie, Unlinking};
use super::super::model::{Customer, CustomerId};
use super::super::preference::{
    CHANGES_LISTED_MAX, CONSENTS_MAX, Changed, Consent, NotPreferred, Preference, Preferring, Reason,
};
use super::super::store::Ties;
use super::read::{address, strange};
use super::{from_sql, to_sql};

pub(super) const HEAD: &str = "SELECT head FROM customers WHERE number = ?1";
pub(super) const MEMBERS: &str = "SELECT number, linked_to FROM customers WHERE head = ?1";
pub(super) const PROFILE: &str = "SELECT display_name, created_ms, tier, language, preferred_channel, minor,
        contact_person FROM customers WHERE number = ?1";
pub(super) const ADDRESSES: &str =
    "SELECT kind, value FROM addresses WHERE customer = ?1 ORDER BY kind, value";
pub(super) const CONSENTS: &str = "SELECT channel, address_kind, address_value, allowed, since_ms, said_to
    FROM consents WHERE customer = ?1 ORDER BY channel, address_kind, address_value";
pub(super) const CHANGES: &str =
    "SELECT number, customer, time_ms, what, by, why FROM changes WHERE customer = ?1
    ORDER BY number DESC LIMIT ?2";
pub(super) const DEPENDENTS: &str = "SELECT number FROM customers WHERE contact_person = ?1 LIMIT ?2";
pub(super) const TIES_BY_HEAD: &str =
    "SELECT number, head, contact_person FROM customers WHERE head IS NOT NULL AND head > -1";
pub(super) const TIES_BY_CONTACT: &str = "SELECT number, head, contact_person FROM customers
    WHERE contact_person IS NOT NULL AND contact_person > -1 AND head IS NULL";

fn id(number: i64) -> CustomerId {
    CustomerId(from_sql(number))
}

/// Everybody who is the same person, the head first and then by number; nobody if there is no such customer.
pub(super) fn members(db: &Connection, of: CustomerId) -> rusqlite::Result<Vec<CustomerId>> {
    Ok(ties(db, of)?.into_iter().map(|tie| tie.customer).collect())
}

fn ties(db: &Connection, of: CustomerId) -> rusqlite::Result<Vec<Tie>> {
    let head: Option<Option<i64>> =
        db.prepare_cached(HEAD)?.query_row([to_sql(of.0)], |row| row.get(0)).optional()?;
    let head = match head {
        None => return Ok(Vec::new()),
        Some(None) => return Ok(vec![Tie { customer: of, linked_to: None }]),
        Some(Some(head)) => head,
    };
    let tie = |row: &Row<'_>| {
        let linked_to: Option<i64> = row.get(1)?;
        Ok(Tie { customer: id(row.get(0)?), linked_to: linked_to.map(id) })
    };
    let mut all: Vec<Tie> =
        db.prepare_cached(MEMBERS)?.query_map([head], tie)?.collect::<rusqlite::Result<_>>()?;
    all.sort_by_key(|tie| (tie.linked_to.is_some(), tie.customer));
    Ok(all)
}

/// What is known of a customer and all who are linked with them.
pub(super) fn person(db: &Connection, of: CustomerId) -> rusqlite::Result<Option<Customer>> {
    let members = members(db, of)?;
    let Some(head) = members.first().copied() else { return Ok(None) };
    let all = members.iter().filter_map(|member| alone(db, *member).transpose());
    Ok(link::merged(all.collect::<rusqlite::Result<_>>()?, head))
}

fn alone(db: &Connection, of: CustomerId) -> rusqlite::Result<Option<Customer>> {
    let profile = |row: &Row<'_>| {
        let contact_person: Option<i64> = row.get(6)?;
        Ok(Customer {
            display_name: row.get(0)?,
            tier: row.get(2)?,
            language: row.get(3)?,
            preferred_channel: row.get(4)?,
            minor: row.get(5)?,
            contact_person: contact_person.map(id),
            ..Customer::thin(of, row.get(1)?)
        })
    };
    let number = to_sql(of.0);
    let found = db.prepare_cached(PROFILE)?.query_row([number], profile).optional()?;
    let Some(found) = found else { return Ok(None) };
    let addresses =
        db.prepare_cached(ADDRESSES)?.query_map([number], address)?.collect::<rusqlite::Result<_>>()?;
    let consents =
        db.prepare_cached(CONSENTS)?.query_map([number], consent)?.collect::<rusqlite::Result<_>>()?;
    Ok(Some(Customer { addresses, consents, ..found }))
}

fn consent(row: &Row<'_>) -> rusqlite::Result<Consent> {
    let (kind, value): (u8, String) = (row.get(1)?, row.get(2)?);
    let address = match kind {
        0 => None,
        code => {
            let kind = super::super::address::AddressKind::from_code(code);
            let kind = kind.ok_or_else(|| strange(1, code.into()))?;
            Some(Address::stored(kind, value))
        }
    };
    Ok(Consent {
        channel: row.get(0)?,
        address,
        allowed: row.get(3)?,
        since_ms: row.get(4)?,
        by: row.get(5)?,
    })
}

/// Those whose contact person somebody of these is, but for these themselves.
pub(super) fn dependents(
    db: &Connection,
    of: &[CustomerId],
    most: usize,
) -> rusqlite::Result<Vec<CustomerId>> {
    let mut all = Vec::new();
    for one in of {
        let found = db.prepare_cached(DEPENDENTS)?;
        let mut found = found;
        // Each may stand there with all who are one with them.
        let theirs = params![to_sql(one.0), count(most * LINKED_MAX)];
        let theirs = found.query_map(theirs, |row| row.get(0).map(id))?;
        all.extend(theirs.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    let mut heads = Vec::new();
    for one in all {
        heads.extend(members(db, one)?.first());
    }
    // Those who are one person are one, and nobody is their own.
    heads.retain(|head| !of.contains(head));
    heads.sort_unstable();
    heads.dedup();
    heads.truncate(most);
    Ok(heads)
}

pub(super) fn changes(db: &Connection, of: CustomerId) -> rusqlite::Result<Option<Vec<Changed>>> {
    let members = members(db, of)?;
    let mut all = Vec::new();
    for member in &members {
        let change = |row: &Row<'_>| {
            Ok(Changed {
                number: from_sql(row.get(0)?),
                customer: id(row.get(1)?),
                time_ms: row.get(2)?,
                what: row.get(3)?,
                reason: Reason { by: row.get(4)?, why: row.get(5)? },
            })
        };
        let mut found = db.prepare_cached(CHANGES)?;
        let theirs = found.query_map(params![to_sql(member.0), count(CHANGES_LISTED_MAX)], change)?;
        all.extend(theirs.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    all.sort_by_key(|change| std::cmp::Reverse(change.number));
    all.truncate(CHANGES_LISTED_MAX);
    Ok((!members.is_empty()).then_some(all))
}

pub(super) fn all_ties(db: &Connection) -> rusqlite::Result<Vec<Ties>> {
    let one = |row: &Row<'_>| {
        let (customer, head, contact_person): (i64, Option<i64>, Option<i64>) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        let head = head.map_or(id(customer), id);
        Ok(Ties { customer: id(customer), head, contact_person: contact_person.map(id) })
    };
    let mut all = Vec::new();
    for sql in [TIES_BY_HEAD, TIES_BY_CONTACT] {
        all.extend(db.prepare(sql)?.query_map([], one)?.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    for ties in &mut all {
        if ties.head != ties.customer || ties.contact_person.is_none() {
            ties.contact_person = person(db, ties.head)?.and_then(|person| person.contact_person);
        }
    }
    all.retain(|ties| ties.head != ties.customer || ties.contact_person.is_some());
    all.sort_by_key(|ties| ties.customer);
    Ok(all)
}

/// What is known of somebody who is there.
fn here(db: &Connection, of: CustomerId) -> rusqlite::Result<Customer> {
    person(db, of)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

pub(super) fn link(db: &Connection, linking: &Linking) -> rusqlite::Result<Result<Box<Customer>, NotLinked>> {
    let Linking { customer, into, reason, now_ms } = linking;
    let (own, others) = (members(db, *customer)?, members(db, *into)?);
    let (Some(from), Some(head)) = (own.first().copied(), others.first().copied()) else {
        let unknown = if own.is_empty() { customer } else { into };
        return Ok(Err(NotLinked::Unknown(*unknown)));
    };
    if from == head {
        return Ok(Ok(here(db, head)?.into()));
    }
    let count = own.len() + others.len();
    if count > LINKED_MAX {
        return Ok(Err(NotLinked::TooMany { count }));
    }
    tie(db, from, Some(head))?;
    for member in own.iter().chain(&others) {
        see_under(db, *member, Some(head))?;
    }
    changed(db, from, &format!("linked to customer {head}"), reason, *now_ms)?;
    Ok(Ok(here(db, head)?.into()))
}

pub(super) fn unlink(
    db: &Connection,
    unlinking: &Unlinking,
) -> rusqlite::Result<Result<Box<[Customer; 2]>, NotUnlinked>> {
    let Unlinking { customer, reason, now_ms } = unlinking;
    let mut ties = ties(db, *customer)?;
    let Some(head) = ties.first().map(|tie| tie.customer) else {
        return Ok(Err(NotUnlinked::Unknown(*customer)));
    };
    let Some(own) = ties.iter_mut().find(|tie| tie.customer == *customer && tie.linked_to.is_some()) else {
        return Ok(Err(NotUnlinked::NotLinked(*customer)));
    };
    let from = own.linked_to.take().unwrap_or(head);
    tie(db, *customer, None)?;
    let heads: Vec<CustomerId> = ties.iter().map(|tie| link::head(tie.customer, &ties)).collect();
    for (tie, under) in ties.iter().zip(&heads) {
        // Whoever is alone is as if they had never been linked.
        let alone = heads.iter().filter(|head| *head == under).count() == 1;
        see_under(db, tie.customer, (!alone).then_some(*under))?;
    }
    changed(db, *customer, &format!("no longer linked to customer {from}"), reason, *now_ms)?;
    Ok(Ok([here(db, *customer)?, here(db, head)?].into()))
}

fn tie(db: &Connection, customer: CustomerId, to: Option<CustomerId>) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE customers SET linked_to = ?2 WHERE number = ?1")?
        .execute(params![to_sql(customer.0), to.map(|to| to_sql(to.0))])
        .map(drop)
}

fn see_under(db: &Connection, customer: CustomerId, head: Option<CustomerId>) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE customers SET head = ?2 WHERE number = ?1")?
        .execute(params![to_sql(customer.0), head.map(|head| to_sql(head.0))])
        .map(drop)
}

/// Who is left of a person of whom somebody is erased is on their own.
pub(super) fn part(db: &Connection, of: CustomerId) -> rusqlite::Result<()> {
    for member in members(db, of)? {
        tie(db, member, None)?;
        see_under(db, member, None)?;
    }
    Ok(())
}

pub(super) fn prefer(
    db: &Connection,
    preferring: &Preferring,
) -> rusqlite::Result<Result<Box<Customer>, NotPreferred>> {
    let Preferring { customer, preference, reason, now_ms } = preferring;
    let own = members(db, *customer)?;
    if own.is_empty() {
        return Ok(Err(NotPreferred::Unknown(*customer)));
    }
    if let Preference::ContactPerson(Some(other)) = preference {
        if members(db, *other)?.is_empty() {
            return Ok(Err(NotPreferred::UnknownContactPerson(*other)));
        }
        if own.contains(other) {
            return Ok(Err(NotPreferred::OwnContactPerson));
        }
    }
    if let Preference::Consent { channel, address, .. } = preference {
        let said = alone(db, *customer)?.map(|own| own.consents).unwrap_or_default();
        let again = said.iter().any(|one| (one.channel, &one.address) == (*channel, address));
        if said.len() >= CONSENTS_MAX && !again {
            return Ok(Err(NotPreferred::TooManyConsents));
        }
    }
    set(db, to_sql(customer.0), preference, &reason.by, *now_ms)?;
    changed(db, *customer, &preference.words(), reason, *now_ms)?;
    Ok(Ok(here(db, *customer)?.into()))
}

fn set(
    db: &Connection,
    customer: i64,
    preference: &Preference,
    by: &str,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let column = |column: &str, value: &dyn rusqlite::ToSql| {
        db.prepare_cached(&format!("UPDATE customers SET {column} = ?2 WHERE number = ?1"))?
            .execute(params![customer, value])
            .map(drop)
    };
    match preference {
        Preference::PreferredChannel(channel) => column("preferred_channel", channel),
        Preference::Language(language) => column("language", language),
        Preference::Tier(tier) => column("tier", tier),
        Preference::DisplayName(name) => column("display_name", name),
        Preference::Minor(minor) => column("minor", minor),
        Preference::ContactPerson(other) => column("contact_person", &other.map(|other| to_sql(other.0))),
        Preference::Consent { channel, address, allowed } => db
            .prepare_cached("INSERT OR REPLACE INTO consents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute(params![
                customer,
                channel,
                address.as_ref().map_or(0, |address| address.kind() as u8),
                address.as_ref().map_or("", |address| address.value()),
                allowed,
                now_ms,
                by
            ])
            .map(drop),
    }
}

fn changed(
    db: &Connection,
    customer: CustomerId,
    what: &str,
    reason: &Reason,
    now_ms: i64,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO changes (customer, time_ms, what, by, why) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![to_sql(customer.0), now_ms, what, reason.by, reason.why])
        .map(drop)
}

fn count(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
