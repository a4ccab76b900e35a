//! Shows the events of a folder that no server uses, of the archive and of the journal. What is personal stays sealed: only how much of it there is, is said.

use super::UpkeepError;
use crate::engine::event::Event;
use crate::journal::{Corruption, Fault, FolderLock, Past, RecordRef, scan_log};
use jiff::Timestamp;
use serde::Serialize;
use std::io;
use std::ops::{Bound, ControlFlow, RangeBounds};
use std::path::Path;

/// One event.
#[derive(Debug, Serialize)]
pub struct Record {
    /// Its number.
    pub sequence: u64,
    /// Engine time, for people.
    pub time: String,
    /// The same in ms since 1970.
    pub time_ms: u64,
    /// What happened.
    pub event: Event,
    /// Bytes of personal payload that lie beside it, sealed.
    pub sealed_bytes: usize,
}

/// Shows the events of a tenant with these numbers, in order, from the first that is kept if no first is named, until `see`
/// fails. The error of `see` comes back as it is.
///
/// # Errors
/// `NotRetained` when an earlier one is named than is kept.
pub fn dump(
    data: &Path,
    tenant: &str,
    numbers: impl RangeBounds<u64>,
    mut see: impl FnMut(Record) -> io::Result<()>,
) -> Result<io::Result<()>, UpkeepError> {
    let dir = data.join("tenants").join(tenant);
    if !dir.is_dir() {
        return Err(UpkeepError::NoTenants(data.to_owned()));
    }
    let _lock = FolderLock::acquire(data)?;
    // What lies before damage in the log is shown all the same.
    let log = scan_log(&dir.join("journal.db"));
    let past = Past::alone(&dir)?;
    let from = match numbers.start_bound() {
        Bound::Included(first) => *first,
        Bound::Excluded(before) => before.saturating_add(1),
        Bound::Unbounded => past.first()?,
    };
    let mut shown = Ok(Ok(()));
    past.read(from, &mut |record| {
        if !numbers.contains(&record.sequence) {
            return ControlFlow::Break(());
        }
        shown = shown_as(&record).map(&mut see);
        if matches!(shown, Ok(Ok(()))) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let shown = shown.map_err(|corruption| Fault::damaged(&dir, corruption.to_string()))?;
    log?;
    Ok(shown)
}

fn shown_as(record: &RecordRef<'_>) -> Result<Record, Corruption> {
    let (sequence, time_ms) = (record.sequence, record.time_ms);
    let sealed_bytes = record.sealed.map_or(0, <[u8]>::len);
    Ok(Record { sequence, time: moment(time_ms), time_ms, event: record.event()?, sealed_bytes })
}

/// Engine time for people.
pub(super) fn moment(time_ms: u64) -> String {
    let at = i64::try_from(time_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| format!("{time_ms} ms"), |at| at.to_string())
}
