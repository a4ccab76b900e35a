//! Shows the events of a journal that no server uses. What is personal stays sealed: only how much of it there is, is said.

use super::UpkeepError;
use crate::engine::event::Event;
use crate::journal::{Fault, FolderLock, SqliteReader};
use jiff::Timestamp;
use serde::Serialize;
use std::io;
use std::ops::{ControlFlow, RangeInclusive};
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

/// Shows the events of a tenant with these numbers, in order, until `see` fails. The error of `see` comes back as it is.
pub fn dump(
    data: &Path,
    tenant: &str,
    numbers: RangeInclusive<u64>,
    mut see: impl FnMut(Record) -> io::Result<()>,
) -> Result<io::Result<()>, UpkeepError> {
    let dir = data.join("tenants").join(tenant);
    if !dir.is_dir() {
        return Err(UpkeepError::NoTenants(data.to_owned()));
    }
    let _lock = FolderLock::acquire(data)?;
    let path = dir.join("journal.db");
    let mut shown = Ok(());
    SqliteReader::alone(&dir)?.batches(*numbers.start(), &mut |_, records| {
        for record in records.iter().filter(|record| record.sequence >= *numbers.start()) {
            if record.sequence > *numbers.end() {
                return Ok(ControlFlow::Break(()));
            }
            let event = record.event().map_err(|corruption| Fault::damaged(&path, corruption.to_string()))?;
            let sealed_bytes = record.sealed.map_or(0, <[u8]>::len);
            let (sequence, time_ms) = (record.sequence, record.time_ms);
            shown = see(Record { sequence, time: moment(time_ms), time_ms, event, sealed_bytes });
            if shown.is_err() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(shown)
}

/// Engine time for people.
pub(super) fn moment(time_ms: u64) -> String {
    let at = i64::try_from(time_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| format!("{time_ms} ms"), |at| at.to_string())
}
