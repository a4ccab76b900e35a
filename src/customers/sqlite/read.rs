//! The reads, each by an index: a card must not cost more for a customer with a long history.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::super::address::{Address, AddressKind};
use super::super::card::{CONTACTS_KEPT, LOOKED_UP, Recalled};
use super::super::entry::{Contact, EntryKind, HistoryEntry, Outcome, Page, Position};
use super::super::erase::Erased;
use super::super::model::{Customer, CustomerId};
use super::super::promise::Promise;
use super::super::store::{CustomerReads, Known, StoreFault};
use super::{erase, from_sql, promises, to_sql, unavailable};

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
        self.at_once("reading a customer", |moment| customer(moment, id))
    }

    fn history(
        &mut self,
        id: CustomerId,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Option<Page>, StoreFault> {
        self.at_once("reading a history", |moment| {
            if entries(moment, id)?.is_none() {
                return Ok(None);
            }
            newest(moment, id, after, limit.saturating_add(1)).map(|found| Some(Page::of(found, limit)))
        })
    }

    fn recall(&mut self, id: CustomerId, since_ms: i64) -> Result<Option<Recalled>, StoreFault> {
        self.at_once("recalling a customer", |moment| {
            let Some(customer) = customer(moment, id)? else { return Ok(None) };
            Ok(Some(Recalled {
                customer,
                newest: newest(moment, id, None, LOOKED_UP)?,
                entries: entries(moment, id)?.unwrap_or(0),
                contacts: contacts(moment, id, since_ms)?,
                applied: applied(moment)?,
                promises: promises::of(moment, id)?,
            }))
        })
    }

    fn promises(&mut self, id: CustomerId) -> Result<Option<Vec<Promise>>, StoreFault> {
        self.at_once("reading promises", |moment| {
            if entries(moment, id)?.is_none() {
                return Ok(None);
            }
            promises::of(moment, id).map(Some)
        })
    }

    fn erasable(&mut self, id: CustomerId) -> Result<Option<Erased>, StoreFault> {
        self.at_once("looking at what would be erased", |moment| erase::erasable(moment, id))
    }

    fn applied_sequence(&mut self) -> Result<u64, StoreFault> {
        applied(&self.connection).map_err(unavailable("reading the applied sequence"))
    }
}

const FIND: &str = "SELECT customers.number, customers.display_name <> '' FROM addresses
    JOIN customers ON customers.number = addresses.customer WHERE kind = ?1 AND value = ?2";
const PROFILE: &str = "SELECT display_name, created_ms FROM customers WHERE number = ?1";
const ADDRESSES: &str = "SELECT kind, value FROM addresses WHERE customer = ?1 ORDER BY kind, value";
const ENTRIES: &str = "SELECT entries FROM customers WHERE number = ?1";
const CONTACT_TIMES: &str = "SELECT time_ms, interaction FROM history
    WHERE kind = 1 AND customer = ?1 AND time_ms >= ?2 ORDER BY time_ms DESC LIMIT ?3";
const NEWEST: &str =
    "SELECT number, kind, time_ms, channel, summary, text, interaction, queue, intent, agent,
        outcome, disposition, wait_ms FROM history
    WHERE customer = ?1 AND (time_ms, number) < (?2, ?3) ORDER BY time_ms DESC, number DESC LIMIT ?4";
const BY_REQUEST: &str =
    "SELECT number, kind, time_ms, channel, summary, text, interaction, queue, intent, agent,
        outcome, disposition, wait_ms FROM history WHERE customer = ?1 AND request_id = ?2";
const APPLIED: &str = "SELECT applied FROM projection";

pub(super) fn find(db: &Connection, address: &Address) -> rusqlite::Result<Option<Known>> {
    db.prepare_cached(FIND)?
        .query_row(params![address.kind() as u8, address.value()], |row| {
            Ok(Known { customer: CustomerId(from_sql(row.get(0)?)), named: row.get(1)? })
        })
        .optional()
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

fn customer(db: &Connection, id: CustomerId) -> rusqlite::Result<Option<Customer>> {
    let profile = db
        .prepare_cached(PROFILE)?
        .query_row([to_sql(id.0)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((display_name, created_ms)) = profile else { return Ok(None) };
    let addresses = db
        .prepare_cached(ADDRESSES)?
        .query_map([to_sql(id.0)], address)?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Some(Customer { id, display_name, addresses, created_ms }))
}

fn entries(db: &Connection, id: CustomerId) -> rusqlite::Result<Option<u64>> {
    let found = db.prepare_cached(ENTRIES)?.query_row([to_sql(id.0)], |row| row.get(0)).optional()?;
    Ok(found.map(from_sql))
}

fn contacts(db: &Connection, id: CustomerId, since_ms: i64) -> rusqlite::Result<Vec<(i64, u64)>> {
    db.prepare_cached(CONTACT_TIMES)?
        .query_map(params![to_sql(id.0), since_ms, CONTACTS_KEPT as i64], |row| {
            Ok((row.get(0)?, from_sql(row.get(1)?)))
        })?
        .collect()
}

fn newest(
    db: &Connection,
    id: CustomerId,
    after: Option<Position>,
    count: usize,
) -> rusqlite::Result<Vec<HistoryEntry>> {
    let (time_ms, number) = after.map_or((i64::MAX, i64::MAX), |at| (at.time_ms, to_sql(at.number)));
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    db.prepare_cached(NEWEST)?.query_map([to_sql(id.0), time_ms, number, count], entry)?.collect()
}

/// A row that no release of ours can have written is a fault of the file, told with its column.
fn strange(column: usize, value: i64) -> rusqlite::Error {
    rusqlite::Error::IntegralValueOutOfRange(column, value)
}

fn address(row: &Row<'_>) -> rusqlite::Result<Address> {
    let (code, value): (u8, String) = (row.get(0)?, row.get(1)?);
    let kind = AddressKind::from_code(code).ok_or_else(|| strange(0, code.into()))?;
    Address::parse(kind, &value).map_err(|_| strange(1, code.into()))
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
        contact,
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
    use super::super::SqliteStore;
    use super::*;

    #[test]
    fn every_read_goes_by_an_index_and_none_sorts() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = SqliteStore::open(folder.path()).expect("a new store");
        for sql in [
            FIND,
            PROFILE,
            ADDRESSES,
            ENTRIES,
            CONTACT_TIMES,
            NEWEST,
            BY_REQUEST,
            promises::OF,
            promises::ONE,
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

    /// The rows that a limited subquery has found are counted, which SQLite calls a scan of it.
    fn by_index(step: &str) -> bool {
        step.starts_with("SEARCH") || step.contains("subquery") || step.starts_with("CO-ROUTINE")
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
