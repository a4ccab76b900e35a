//! The writes, within the transaction of their group. An error here undoes the whole group.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::address::Address;
use super::super::entry::{EntryKind, HistoryEntry, Outcome, TEXT_CHARS_MAX, with_note};
use super::super::model::{CustomerId, DisplayName, cut};
use super::super::store::{
    Change, Gap, NotRecorded, Opened, Projected, Projection, Purged, Purging, Recording, Resolved,
    StoreFault, Write, Written,
};
use super::{erase, from_sql, people, promises, read, to_sql, unavailable};

pub(super) fn write(db: &Connection, write: &Write) -> Result<Written, StoreFault> {
    match write {
        Write::Resolve { address, display_name, now_ms } => {
            resolve(db, address, display_name.as_ref(), *now_ms)
                .map(Written::Resolved)
                .map_err(unavailable("resolving an address"))
        }
        Write::Record(recording) => record(db, recording)
            .map(|recorded| Written::Recorded(recorded.map(Box::new)))
            .map_err(unavailable("recording an entry")),
        Write::Promise(promising) => promises::promise(db, promising)
            .map(|promised| Written::Promised(promised.map(Box::new)))
            .map_err(unavailable("making a promise")),
        Write::Redeem(redeeming) => promises::redeem(db, redeeming)
            .map(|redeemed| Written::Redeemed(redeemed.map(Box::new)))
            .map_err(unavailable("redeeming a promise")),
        Write::Withdraw(withdrawing) => promises::withdraw(db, withdrawing)
            .map(|withdrawn| Written::Withdrawn(withdrawn.map(Box::new)))
            .map_err(unavailable("withdrawing a promise")),
        Write::Link(linking) => {
            people::link(db, linking).map(Written::Linked).map_err(unavailable("linking two customers"))
        }
        Write::Unlink(unlinking) => {
            people::unlink(db, unlinking).map(Written::Unlinked).map_err(unavailable("undoing a link"))
        }
        Write::Prefer(preferring) => people::prefer(db, preferring)
            .map(Written::Preferred)
            .map_err(unavailable("setting a preference")),
        Write::Purge(purging) => {
            purge(db, purging).map(Written::Purged).map_err(unavailable("letting go of old entries"))
        }
        Write::Erase(erasing) => {
            erase::erase(db, erasing).map(Written::Erased).map_err(unavailable("erasing a person"))
        }
        Write::Project(projection) => project(db, projection)
            .map(Written::Projected)
            .map_err(unavailable("projecting committed events")),
    }
}

fn resolve(
    db: &Connection,
    address: &Address,
    name: Option<&DisplayName>,
    now_ms: i64,
) -> rusqlite::Result<Resolved> {
    let name = name.map_or("", DisplayName::as_str);
    if let Some(known) = read::find(db, address)? {
        if !known.named {
            db.prepare_cached("UPDATE customers SET display_name = ?2 WHERE number = ?1")?
                .execute(params![to_sql(known.customer.0), name])?;
        }
        return Ok(Resolved { customer: known.customer, created: false });
    }
    db.prepare_cached("INSERT INTO customers (display_name, created_ms) VALUES (?1, ?2)")?
        .execute(params![name, now_ms])?;
    let customer = db.last_insert_rowid();
    db.prepare_cached("INSERT INTO addresses (kind, value, customer) VALUES (?1, ?2, ?3)")?
        .execute(params![address.kind() as u8, address.value(), customer])?;
    Ok(Resolved { customer: CustomerId(from_sql(customer)), created: true })
}

fn record(db: &Connection, recording: &Recording) -> rusqlite::Result<Result<HistoryEntry, NotRecorded>> {
    let Recording { customer, entry, to, request_id, now_ms } = recording;
    let request_id = request_id.as_ref().map(|id| id.as_str());
    if let Some(id) = request_id
        && let Some(first) = read::by_request(db, *customer, id)?
    {
        return Ok(Ok(first));
    }
    if entry.details.outbound {
        let Some(person) = people::person(db, *customer)? else {
            return Ok(Err(NotRecorded::Unknown(*customer)));
        };
        let to = to.as_ref();
        let owner = to.map(|to| read::find(db, to)).transpose()?.flatten();
        let owner = owner.map(|owner| people::person(db, owner.customer)).transpose()?.flatten();
        let owner_allows = owner.map_or(Ok(()), |owner| owner.may_be_sent(entry.channel, to));
        if let Err(refused) = person.may_be_sent(entry.channel, to).and(owner_allows) {
            return Ok(Err(NotRecorded::NotAllowed(refused)));
        }
    }
    if !count_entry(db, *customer, 0)? {
        return Ok(Err(NotRecorded::Unknown(*customer)));
    }
    let time_ms = entry.time_ms.unwrap_or(*now_ms);
    let details = &entry.details;
    db.prepare_cached(
        "INSERT INTO history (customer, kind, time_ms, channel, summary, text, request_id, matter, pinned,
             outbound, measure, score, sentiment)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        to_sql(customer.0),
        entry.kind as u8,
        time_ms,
        entry.channel,
        entry.summary,
        entry.text,
        request_id,
        details.matter,
        details.pinned,
        details.outbound,
        details.feedback.map(|feedback| feedback.measure as u8),
        details.feedback.map(|feedback| feedback.score),
        details.sentiment,
    ])?;
    Ok(Ok(entry.numbered(from_sql(db.last_insert_rowid()), *now_ms)))
}

/// Counts one entry more, which is a contact or not; false if there is no such customer.
fn count_entry(db: &Connection, customer: CustomerId, contacts: i64) -> rusqlite::Result<bool> {
    let changed = db
        .prepare_cached(
            "UPDATE customers SET entries = entries + 1, contacts = contacts + ?2 WHERE number = ?1",
        )?
        .execute([to_sql(customer.0), contacts])?;
    Ok(changed == 1)
}

/// Walks the entries in the order in which they were written.
fn purge(db: &Connection, purging: &Purging) -> rusqlite::Result<Purged> {
    let upto = purging.after.saturating_add(purging.looked_at);
    let (mut gone, mut interactions) = (0, Vec::new());
    let numbers = [purging.after, upto].map(to_sql);
    for found in db.prepare_cached(read::IN_TURN)?.query_map(numbers, read::owned_entry)? {
        let (customer, entry) = found?;
        if !purging.takes(&entry) {
            continue;
        }
        gone += 1;
        interactions.extend(entry.contact.as_ref().map(|contact| contact.interaction));
        if purging.only_look {
            continue;
        }
        db.prepare_cached("DELETE FROM history WHERE number = ?1")?.execute([to_sql(entry.number)])?;
        // Contacts are counted for life.
        db.prepare_cached("UPDATE customers SET entries = entries - 1 WHERE number = ?1")?
            .execute([customer])?;
    }
    let last: Option<i64> = db.prepare_cached(read::LAST)?.query_row([], |row| row.get(0)).optional()?;
    let next = (upto < last.map_or(0, from_sql)).then_some(upto);
    interactions.sort_unstable();
    Ok(Purged { gone, interactions, next })
}

fn project(db: &Connection, projection: &Projection) -> rusqlite::Result<Result<u64, Gap>> {
    // Read in this transaction, never remembered: a store opened twice must not apply an event twice.
    let applied = read::applied(db)?;
    if projection.after > applied {
        return Ok(Err(Gap { applied, after: projection.after }));
    }
    for event in projection.events.iter().filter(|event| event.sequence > applied) {
        apply(db, event)?;
    }
    let applied = applied.max(projection.upto);
    db.prepare_cached("UPDATE projection SET applied = ?1")?.execute([to_sql(applied)])?;
    Ok(Ok(applied))
}

fn apply(db: &Connection, event: &Projected) -> rusqlite::Result<()> {
    match &event.change {
        Change::Opened(opened) => open(db, event.time_ms, opened),
        Change::Answered { interaction, agent, wait_ms } => db
            .prepare_cached(
                "UPDATE history SET agent = ?2, wait_ms = coalesce(wait_ms, ?3) WHERE interaction = ?1",
            )?
            .execute(params![to_sql(*interaction), agent, to_sql(*wait_ms)])
            .map(drop),
        Change::AnswerUndone { interaction, agent, wait_ms } => db
            .prepare_cached("UPDATE history SET agent = ?2, wait_ms = ?3 WHERE interaction = ?1")?
            .execute(params![to_sql(*interaction), agent, wait_ms.map(to_sql)])
            .map(drop),
        Change::NoteAdded { interaction, text } => add_note(db, *interaction, text),
        Change::Closed { interaction, outcome, disposition, wait_ms } => db
            .prepare_cached(
                "UPDATE history SET outcome = ?2, disposition = ?3, wait_ms = coalesce(wait_ms, ?4)
                 WHERE interaction = ?1",
            )?
            .execute(params![to_sql(*interaction), *outcome as u8, disposition, wait_ms.map(to_sql)])
            .map(drop),
    }
}

/// Writes the row of a contact, unless its customer is unknown or it is there already: neither may keep the
/// events behind it from being applied, for ever.
fn open(db: &Connection, time_ms: i64, opened: &Opened) -> rusqlite::Result<()> {
    let Opened { customer, interaction, channel, queue, intent, matter, message } = opened;
    let added = db
        .prepare_cached(
            "INSERT INTO history (customer, kind, time_ms, channel, summary, text,
                 interaction, queue, intent, agent, outcome, disposition, matter, about)
             SELECT number, ?2, ?3, ?4, '', ?5, ?6, ?7, ?8, '', ?9, '', ?10, ?11 FROM customers WHERE number = ?1
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            to_sql(customer.0),
            EntryKind::Contact as u8,
            time_ms,
            channel,
            cut(message.clone(), TEXT_CHARS_MAX),
            to_sql(*interaction),
            queue,
            intent,
            Outcome::Open as u8,
            matter,
            to_sql(opened.about()),
        ])?;
    if added == 1 {
        count_entry(db, *customer, 1)?;
    }
    Ok(())
}

fn add_note(db: &Connection, interaction: u64, note: &str) -> rusqlite::Result<()> {
    let text: Option<String> = db
        .prepare_cached("SELECT text FROM history WHERE interaction = ?1")?
        .query_row([to_sql(interaction)], |row| row.get(0))
        .optional()?;
    let Some(text) = text else { return Ok(()) };
    db.prepare_cached("UPDATE history SET text = ?2 WHERE interaction = ?1")?
        .execute(params![to_sql(interaction), with_note(&text, note)])
        .map(drop)
}
