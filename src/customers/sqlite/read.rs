//! The reads, each by an index: a card must not cost more for a customer with a long history.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::super::address::{Address, AddressKind};
use super::super::card::{
    CONTACTS_KEPT, ContactTime, LOOKED_UP, PINNED_MAX, RELATIVES_MAX, Recalled, Relative,
};
use super::super::details::{Details, Feedback, Measure};
use super::super::entry::{Contact, EntryKind, Filter, HistoryEntry, Outcome, Page, Position};
use super::super::erase::Erased;
use super::super::model::{Customer, CustomerId};
use super::super::preference::Changed;
use super::super::promise::Promise;
use super::super::store::{CustomerReads, Known, StoreFault, Ties};
use super::{erase, from_sql, people, promises, to_sql, unavailable};

/// A connection that only reads.
pub(super) struct SqliteReads {
    connection: Connection,
}

impl SqliteReads {
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// Several statements that must see the same moment.
    fn at_once<T>(
        &mut self,
        doing: &'static str,
        read: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreFault> {
        self.connection.transaction().and_then(|moment| read(&moment)).map_err(unavailable(doing))
    }
}

impl CustomerReads for SqliteReads {
    fn find(&mut self, address: &Address) -> Result<Option<Known>, StoreFault> {
        find(&self.connection, address).map_err(unavailable("finding an address"))
    }

    fn customer(&mut self, id: CustomerId) -> Result<Option<Customer>, StoreFault> {
        self.at_once("reading a customer", |moment| people::person(moment, id))
    }

    fn history(
        &mut self,
        id: CustomerId,
        filter: &Filter,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Option<Page>, StoreFault> {
        self.at_once("reading a history", |moment| {
            let members = people::members(moment, id)?;
            let found = newest(moment, &members, filter, after, limit.saturating_add(1))?;
            Ok((!members.is_empty()).then(|| Page::of(found, limit)))
        })
    }

    fn recall(&mut self, id: CustomerId, since_ms: i64) -> Result<Option<Recalled>, StoreFault> {
        self.at_once("recalling a customer", |moment| {
            let Some(customer) = people::person(moment, id)? else { return Ok(None) };
            let members: Vec<CustomerId> =
                std::iter::once(customer.id).chain(customer.linked.iter().copied()).collect();
            let (entries, lifetime_contacts) = counts(moment, &members)?;
            Ok(Some(Recalled {
                newest: newest(moment, &members, &Filter::default(), None, LOOKED_UP)?,
                pinned: newest_of(moment, &members, PINNED, PINNED_MAX)?,
                last_contact: newest_of(moment, &members, LAST_CONTACT, 1)?.pop(),
                entries,
                lifetime_contacts,
                contacts: contacts(moment, &members, since_ms)?,
                applied: applied(moment)?,
                promises: promises::of(moment, &members, &customer.tier)?,
                household: household(moment, &members)?,
                customer,
            }))
        })
    }

    fn promises(&mut self, id: CustomerId) -> Result<Option<Vec<Promise>>, StoreFault> {
        self.at_once("reading promises", |moment| promises_to(moment, id))
    }

    fn tier_promises(&mut self) -> Result<Vec<Promise>, StoreFault> {
        promises::of_tiers(&self.connection).map_err(unavailable("reading promises to tiers"))
    }

    fn changes(&mut self, id: CustomerId) -> Result<Option<Vec<Changed>>, StoreFault> {
        self.at_once("reading changes", |moment| people::changes(moment, id))
    }

    fn ties(&mut self) -> Result<Vec<Ties>, StoreFault> {
        self.at_once("reading who is linked", |moment| people::all_ties(moment))
    }

    fn erasable(&mut self, id: CustomerId) -> Result<Option<Erased>, StoreFault> {
        self.at_once("looking at what would be erased", |moment| erase::erasable(moment, id))
    }

    fn applied_sequence(&mut self) -> Result<u64, StoreFault> {
        applied(&self.connection).map_err(unavailable("reading the applied sequence"))
    }
}

macro_rules! entries {
    () => {
        "SELECT number, kind, time_ms, channel, summary, text, interaction, queue, intent, agent,
        outcome, disposition, wait_ms, matter, pinned, outbound, measure, score, sentiment FROM history "
    };
}
const FIND: &str = "SELECT customer FROM addresses WHERE kind = ?1 AND value = ?2";
const COUNTS: &str = "SELECT entries, contacts FROM customers WHERE number = ?1";
const CONTACT_TIMES: &str = "SELECT time_ms, interaction, about FROM history
    WHERE kind = 1 AND customer = ?1 AND time_ms >= ?2 ORDER BY time_ms DESC LIMIT ?3";
const NEWEST: &str = concat!(
    entries!(),
    "WHERE customer = ?1 AND (time_ms, number) < (?2, ?3)
        AND (1 << kind) & ?5 AND (1 << channel) & ?6 AND ?7 IN ('', matter)
    ORDER BY time_ms DESC, number DESC LIMIT ?4"
);
const PINNED: &str =
    concat!(entries!(), "WHERE customer = ?1 AND pinned = 1 ORDER BY time_ms DESC, number DESC LIMIT ?2");
const LAST_CONTACT: &str =
    concat!(entries!(), "WHERE kind = 1 AND customer = ?1 ORDER BY time_ms DESC, interaction DESC LIMIT ?2");
/// With whose each is.
pub(super) const IN_TURN: &str =
    "SELECT number, kind, time_ms, channel, summary, text, interaction, queue, intent, agent, outcome, disposition,
        wait_ms, matter, pinned, outbound, measure, score, sentiment, customer FROM history
    WHERE number > ?1 AND number <= ?2";
/// The last number that was ever given.
pub(super) const LAST: &str = "SELECT seq FROM sqlite_sequence WHERE name = 'history'";
const BY_REQUEST: &str = concat!(entries!(), "WHERE customer = ?1 AND request_id = ?2");
const APPLIED: &str = "SELECT applied FROM projection";

pub(super) fn find(db: &Connection, address: &Address) -> rusqlite::Result<Option<Known>> {
    let found = db
        .prepare_cached(FIND)?
        .query_row(params![address.kind() as u8, address.value()], |row| row.get(0).map(from_sql))
        .optional()?;
    let Some(found) = found else { return Ok(None) };
    Ok(people::person(db, CustomerId(found))?
        .map(|person| Known { customer: person.id, named: !person.display_name.is_empty() }))
}

pub(super) fn applied(db: &Connection) -> rusqlite::Result<u64> {
    db.prepare_cached(APPLIED)?.query_row([], |row| row.get(0)).map(from_sql)
}

pub(super) fn by_request(
    db: &Connection,
    id: CustomerId,
    request_id: &str,
) -> rusqlite::Result<Option<HistoryEntry>> {
    db.prepare_cached(BY_REQUEST)?.query_row(params![to_sql(id.0), request_id], entry).optional()
}

fn counts(db: &Connection, members: &[CustomerId]) -> rusqlite::Result<(u64, u64)> {
    let mut sum = (0, 0);
    for member in members {
        let (entries, contacts): (i64, i64) =
            db.prepare_cached(COUNTS)?.query_row([to_sql(member.0)], |row| Ok((row.get(0)?, row.get(1)?)))?;
        sum = (sum.0 + from_sql(entries), sum.1 + from_sql(contacts));
    }
    Ok(sum)
}

fn contacts(db: &Connection, members: &[CustomerId], since_ms: i64) -> rusqlite::Result<Vec<ContactTime>> {
    let mut all = Vec::new();
    for member in members {
        let mut found = db.prepare_cached(CONTACT_TIMES)?;
        let theirs = found.query_map(params![to_sql(member.0), since_ms, CONTACTS_KEPT as i64], |row| {
            let (interaction, about) = (from_sql(row.get(1)?), from_sql(row.get(2)?));
            Ok(ContactTime { time_ms: row.get(0)?, interaction, about })
        })?;
        all.extend(theirs.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    if members.len() > 1 {
        all.sort_by_key(|contact| std::cmp::Reverse((contact.time_ms, contact.interaction)));
        all.truncate(CONTACTS_KEPT);
    }
    Ok(all)
}

fn newest(
    db: &Connection,
    members: &[CustomerId],
    filter: &Filter,
    after: Option<Position>,
    most: usize,
) -> rusqlite::Result<Vec<HistoryEntry>> {
    let (time_ms, number) = after.map_or((i64::MAX, i64::MAX), |at| (at.time_ms, to_sql(at.number)));
    let (kinds, channels) = filter.bits();
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let mut all = Vec::new();
    for member in members {
        let mut found = db.prepare_cached(NEWEST)?;
        let wanted = params![to_sql(member.0), time_ms, number, limit, kinds, channels, filter.matter];
        all.extend(found.query_map(wanted, entry)?.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    Ok(in_order(all, members, most))
}

fn newest_of(
    db: &Connection,
    members: &[CustomerId],
    sql: &str,
    most: usize,
) -> rusqlite::Result<Vec<HistoryEntry>> {
    let mut all = Vec::new();
    for member in members {
        let mut found = db.prepare_cached(sql)?;
        let theirs = found.query_map(params![to_sql(member.0), most as i64], entry)?;
        all.extend(theirs.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    Ok(in_order(all, members, most))
}

/// What was found of each, newest first, becomes the history of all of them.
fn in_order(mut all: Vec<HistoryEntry>, members: &[CustomerId], most: usize) -> Vec<HistoryEntry> {
    if members.len() > 1 {
        all.sort_by_key(|entry| std::cmp::Reverse(entry.position()));
        all.truncate(most);
    }
    all
}

fn promises_to(db: &Connection, id: CustomerId) -> rusqlite::Result<Option<Vec<Promise>>> {
    let Some(person) = people::person(db, id)? else { return Ok(None) };
    promises::of(db, &people::members(db, id)?, &person.tier).map(Some)
}

fn household(db: &Connection, members: &[CustomerId]) -> rusqlite::Result<Vec<Relative>> {
    let dependents = people::dependents(db, members, RELATIVES_MAX)?;
    let relative = |id: CustomerId| {
        let Some(customer) = people::person(db, id)? else { return Ok(None) };
        let promises = promises::of(db, &people::members(db, id)?, &customer.tier)?;
        Ok(Some(Relative { customer, promises }))
    };
    dependents.into_iter().filter_map(|id| relative(id).transpose()).collect()
}

/// A row that no release of ours can have written is a fault of the file, told with its column.
pub(super) fn strange(column: usize, value: i64) -> rusqlite::Error {
    rusqlite::Error::IntegralValueOutOfRange(column, value)
}

pub(super) fn address(row: &Row<'_>) -> rusqlite::Result<Address> {
    let (code, value): (u8, String) = (row.get(0)?, row.get(1)?);
    let kind = AddressKind::from_code(code).ok_or_else(|| strange(0, code.into()))?;
    Ok(Address::stored(kind, value))
}

fn entry(row: &Row<'_>) -> rusqlite::Result<HistoryEntry> {
    let code: u8 = row.get(1)?;
    let kind = EntryKind::from_code(code).ok_or_else(|| strange(1, code.into()))?;
    let channel = row.get(3)?;
    let contact = if kind == EntryKind::Contact { Some(contact(row)?) } else { None };
    let summary = match &contact {
        Some(contact) => contact.summary(channel),
        None => row.get(4)?,
    };
    Ok(HistoryEntry {
        number: from_sql(row.get(0)?),
        kind,
        time_ms: row.get(2)?,
        channel,
        summary,
        text: row.get(5)?,
        details: details(row)?,
        contact,
    })
}

/// With the number of whose it is.
pub(super) fn owned_entry(row: &Row<'_>) -> rusqlite::Result<(i64, HistoryEntry)> {
    Ok((row.get(19)?, entry(row)?))
}

fn details(row: &Row<'_>) -> rusqlite::Result<Details> {
    let measure: Option<u8> = row.get(16)?;
    let feedback = match measure {
        None => None,
        Some(code) => {
            let measure = Measure::from_code(code).ok_or_else(|| strange(16, code.into()))?;
            Some(Feedback { measure, score: row.get(17)? })
        }
    };
    Ok(Details {
        matter: row.get(13)?,
        pinned: row.get(14)?,
        outbound: row.get(15)?,
        feedback,
        sentiment: row.get(18)?,
    })
}

fn contact(row: &Row<'_>) -> rusqlite::Result<Contact> {
    let code: u8 = row.get(10)?;
    Ok(Contact {
        interaction: from_sql(row.get(6)?),
        queue: row.get(7)?,
        intent: row.get(8)?,
        agent: row.get(9)?,
        outcome: Outcome::from_code(code).ok_or_else(|| strange(10, code.into()))?,
        disposition: row.get(11)?,
        wait_ms: row.get::<_, Option<i64>>(12)?.map(from_sql),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::store::CustomerStore;
    use super::super::{SqliteStore, connect};
    use super::*;
    use rusqlite::{OpenFlags, StatementStatus};

    #[test]
    fn every_read_goes_by_an_index_and_none_sorts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(folder.path()).expect("a new store");
        for sql in [
            FIND,
            COUNTS,
            CONTACT_TIMES,
            NEWEST,
            PINNED,
            LAST_CONTACT,
            IN_TURN,
            BY_REQUEST,
            people::HEAD,
            people::MEMBERS,
            people::PROFILE,
            people::ADDRESSES,
            people::CONSENTS,
            people::CHANGES,
            people::DEPENDENTS,
            people::TIES_BY_HEAD,
            people::TIES_BY_CONTACT,
            promises::OF,
            promises::OF_TIER,
            promises::OF_TIERS,
            promises::ONE,
            promises::BY_REQUEST,
            promises::BY_TIER_REQUEST,
            promises::REDEMPTION,
        ]
        .into_iter()
        .chain(erase::STATEMENTS)
        {
            let plan = plan(&store.connection, sql);
            assert!(!plan.is_empty(), "{sql}");
            assert!(plan.iter().all(|step| by_index(step)), "{sql}: {plan:?}");
        }
        let contacts = plan(&store.connection, CONTACT_TIMES).join(", ");
        assert!(contacts.contains("COVERING INDEX contacts_by_time"), "{contacts}");
    }

    #[test]
    fn a_read_that_is_asked_again_is_not_planned_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut store = SqliteStore::open(folder.path()).expect("a new store");
        let ana = super::super::super::contract::resolution("+972501234567", None);
        store.commit(&[ana]).expect("it is written");
        let connection = connect(&store.path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("it can be read");
        let mut reads = SqliteReads::new(connection);
        for since_ms in 0..3 {
            assert!(reads.recall(CustomerId(1), since_ms).expect("it works").is_some());
        }
        for sql in [
            people::ADDRESSES,
            people::CONSENTS,
            people::DEPENDENTS,
            NEWEST,
            PINNED,
            LAST_CONTACT,
            CONTACT_TIMES,
            promises::OF,
        ] {
            let statement = reads.connection.prepare_cached(sql).expect("it is in the cache");
            assert!(statement.get_status(StatementStatus::Run) >= 3, "{sql}");
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{sql}");
        }
    }

    /// The rows that a limited subquery has found are counted, which SQLite calls a scan of it.
    fn by_index(step: &str) -> bool {
        step.starts_with("SEARCH")
            || step.to_lowercase().contains("subquery")
            || step.starts_with("CO-ROUTINE")
    }

    fn plan(db: &Connection, sql: &str) -> Vec<String> {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("the statement is valid");
        let nothing = vec![0i64; statement.parameter_count()];
        statement
            .query_map(rusqlite::params_from_iter(nothing), |row| row.get(3))
            .and_then(Iterator::collect)
            .expect("SQLite explains its plans")
    }
}
