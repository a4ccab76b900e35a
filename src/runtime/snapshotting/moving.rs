//! Events that no start needs any more move from the journal to the archive.

use crate::journal::{Archive, Fault, Limits, Snapshots, SqliteReader};
use std::ops::ControlFlow;
use std::path::Path;

/// So many bytes are moved before the journal's log may be started over.
const SLICE_BYTES: u64 = 32 << 20;

/// Moves what is behind the older of the two newest snapshots. The last event that the journal may drop.
pub(super) fn move_events(folder: &Path, limits: Limits, now_ms: u64) -> Result<Option<u64>, Fault> {
    let all = Snapshots::of(folder).list()?;
    let Some([base @ .., (upto, _), _]) = Some(&all[..]) else { return Ok(None) };
    let (archive, upto) = (Archive::of(folder), *upto);
    let journal = SqliteReader::alone(folder)?;
    let mut adding = archive.open_to_add(journal.first()?)?;
    let mut turned = false;
    loop {
        let next = adding.next().map_or_else(|| journal.first(), Ok)?;
        let mut bytes = 0;
        journal.batches(next, &mut |batch, records| {
            if batch.last() > upto {
                return Ok(ControlFlow::Break(()));
            }
            if !turned {
                let base = base.last().filter(|(sequence, _)| *sequence < next).map(|(_, path)| &**path);
                adding.turn_to(records[0].time_ms, base)?;
                turned = true;
            }
            adding.add(&batch)?;
            bytes += batch.bytes().len() as u64;
            Ok(if bytes < SLICE_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        if bytes == 0 {
            break;
        }
        // As it grows, so that it is never much larger than it may be.
        archive.forget(limits, now_ms)?;
    }
    adding.sync()?;
    archive.forget(limits, now_ms)?;
    // The last event of a snapshot stays in the journal: by it is seen that they belong together.
    Ok(Some(upto - 1))
}
