//! A report from the archive and the journal on disk, also beside a server that writes it: a second connection, which cannot change it.

use super::projection::Projection;
use super::rows::{Report, ReportError, Request};
use crate::engine::event::{Event, Stamped};
use crate::engine::ids::Sequence;
use crate::engine::time::Time;
use crate::journal::{Corruption, Fault, Past, before_period};
use std::ops::ControlFlow;
use std::path::Path;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{0}")]
    Question(#[from] ReportError),
    #[error("{0}")]
    Journal(#[from] Fault),
    #[error("event {sequence} of the journal cannot be read: {corruption}")]
    Event { sequence: u64, corruption: Corruption },
}

/// Reads a tenant's folder from the first event to the end of the period; where the first events are not kept any more, from
/// the newest snapshot before the period. What agents do is counted up to `now`, or the
/// last event, whichever is later.
pub fn from_folder(folder: &Path, request: Request, now: Time) -> Result<Report, ReadError> {
    Projection::check(&request)?;
    let past = Past::open(folder)?;
    let (shard, next) = before_period(&past, request.from)?;
    let mut projection = Projection::from_state(request, shard);
    let mut damage = None;
    past.read(next, &mut |record| {
        if record.time_ms >= request.to.0 {
            return ControlFlow::Break(());
        }
        let (sequence, time) = (Sequence(record.sequence), Time(record.time_ms));
        match record.event::<Event>() {
            Ok(event) => {
                projection.apply(&Stamped { sequence, time, event });
                ControlFlow::Continue(())
            }
            Err(corruption) => {
                damage = Some(ReadError::Event { sequence: record.sequence, corruption });
                ControlFlow::Break(())
            }
        }
    })?;
    match damage {
        Some(error) => Err(error),
        None => Ok(projection.report(request, now)?),
    }
}
