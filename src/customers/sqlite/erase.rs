//! Erasing, within the transaction of its group. What is deleted is overwritten with zeros (`secure_delete`); what is left of
//! it elsewhere, in the log and between rows, is wiped before anybody is told (`traces.rs`).

use rusqlite::{Connection, OptionalExtension, params};

use super::super::erase::{Erased, Erasing};
use super::super::model::CustomerId;
use super::super::store::UnknownCustomer;
use super::{from_sql, people, to_sql, traces};

const CREATED: &str = "SELECT created_ms FROM customers WHERE number = ?1";
const CONTACTS: &str = "SELECT interaction, time_ms FROM history WHERE kind = 1 AND customer = ?1";
const DELETIONS: [&str; 9] = [
    // What others said of an address of theirs.
    "DELETE FROM consents WHERE address_kind > 0 AND (address_kind, address_value) IN
        (SELECT kind, value FROM addresses WHERE customer = ?1)",
    "UPDATE customers SET contact_person = NULL WHERE contact_person = ?1",
    "DELETE FROM addresses WHERE customer = ?1",
    "DELETE FROM consents WHERE customer = ?1",
    "DELETE FROM changes WHERE customer = ?1",
    "DELETE FROM redemptions WHERE customer = ?1",
    "DELETE FROM history WHERE customer = ?1",
    "DELETE FROM promises WHERE customer = ?1",
    "DELETE FROM customers WHERE number = ?1",
];
/// All that looks for rows.
#[cfg(test)]
pub(super) const STATEMENTS: [&str; 11] = [
    CREATED,
    CONTACTS,
    DELETIONS[0],
    DELETIONS[1],
    DELETIONS[2],
    DELETIONS[3],
    DELETIONS[4],
    DELETIONS[5],
    DELETIONS[6],
    DELETIONS[7],
    DELETIONS[8],
];

/// What erasing a customer would erase.
pub(super) fn erasable(db: &Connection, id: CustomerId) -> rusqlite::Result<Option<Erased>> {
    let mut customers = Vec::new();
    for member in people::members(db, id)? {
        customers.extend(created(db, member)?.map(|created_ms| (member, created_ms)));
    }
    customers.sort_unstable();
    if customers.is_empty() { Ok(None) } else { found(db, customers).map(Some) }
}

pub(super) fn erase(db: &Connection, erasing: &Erasing) -> rusqlite::Result<Result<Erased, UnknownCustomer>> {
    let erased = match erasing {
        Erasing::Person(id) => match erasable(db, *id)? {
            Some(erased) => erased,
            None => return Ok(Err(UnknownCustomer(*id))),
        },
        Erasing::Again(before) => {
            let mut customers = Vec::new();
            for (id, created_ms) in before {
                if created(db, *id)?.is_none_or(|found| found == *created_ms) {
                    never_give_again(db, *id)?;
                    customers.push((*id, *created_ms));
                }
            }
            found(db, customers)?
        }
    };
    let mut deleted = 0;
    for (id, _) in &erased.customers {
        people::part(db, *id)?;
        for deletion in DELETIONS {
            deleted += db.prepare_cached(deletion)?.execute([to_sql(id.0)])?;
        }
    }
    if deleted > 0 {
        traces::note(db)?;
    }
    Ok(Ok(erased))
}

fn created(db: &Connection, id: CustomerId) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(CREATED)?.query_row([to_sql(id.0)], |row| row.get(0)).optional()
}

fn found(db: &Connection, customers: Vec<(CustomerId, i64)>) -> rusqlite::Result<Erased> {
    let mut contacts = db.prepare_cached(CONTACTS)?;
    let mut interactions = Vec::new();
    for (id, _) in &customers {
        let rows = contacts.query_map([to_sql(id.0)], |row| Ok((from_sql(row.get(0)?), row.get(1)?)))?;
        for row in rows {
            interactions.push(row?);
        }
    }
    interactions.sort_unstable();
    Ok(Erased { customers, interactions })
}

/// An older copy of the file may not have come to this number yet. Journals name it, so nobody else may get it.
fn never_give_again(db: &Connection, id: CustomerId) -> rusqlite::Result<()> {
    let number = to_sql(id.0);
    let given = db
        .prepare_cached("UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'customers'")?
        .execute([number])?;
    if given == 0 {
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('customers', ?1)", params![number])?;
    }
    Ok(())
}
