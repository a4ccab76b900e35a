//! The journal: what happened, durable, in order. An event is true once it is here, and nothing is told to anybody
//! before. Records carry encoded events of any type; personal payload lies beside them, sealed.
//!
//! Two implementations keep one contract (`contract.rs`): [`Memory`] for simulation, [`Sqlite`] for a real floor.
//! Beside it lie snapshots of the state, so that a start reads little, and the archive, where events go that no start needs;
//! `past.rs` reads over both. Deliberately absent: repair. A damaged journal is refused by name, because a guess would be told
//! to customers.

mod archive;
mod batches;
pub(crate) mod copy;
pub(crate) mod copy_past;
pub(crate) mod cut;
mod erasures;
mod fault;
pub(crate) mod file;
mod keys;
mod lock;
mod memory;
mod parting;
mod past;
mod reader;
mod record;
mod recovery;
mod reserve;
mod sealed;
pub mod set_aside;
mod snapshot;
mod snapshots;
mod sqlite;
pub(crate) mod steady;
mod wal;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod damage_short;

use std::ops::ControlFlow;
use std::path::Path;

pub use archive::{Adding, Archive, Day, Limits};
pub use erasures::{Erasure, Erasures};
pub use fault::Fault;
pub(crate) use keys::check_keys;
pub use lock::FolderLock;
pub use memory::Memory;
pub use past::Past;
pub use reader::SqliteReader;
pub use record::{Batch, BatchWriter, Corruption, RecordRef, decode};
pub(crate) use recovery::check_snapshot;
#[cfg(feature = "server")]
pub(crate) use recovery::read_state;
pub use recovery::{RecoveryError, Visit, before_period, periods_from, recover, recover_from, state_after};
#[cfg(feature = "server")]
pub(crate) use reserve::free;
pub use reserve::{RESERVE, Reserve};
pub use sealed::{KEY_LENGTH, Key, WrappedKey, open, seal};
pub use snapshot::{Mark, Origin, SnapshotReader, SnapshotWriter};
pub use snapshots::Snapshots;
pub use sqlite::Sqlite;

/// The number under which the secret of a journal is kept. No interaction ever has it.
const SECRET: u64 = u64::MAX;

/// A durable, ordered record of what happened, with one writer.
pub trait Journal: Send {
    /// Adds a batch. `Ok` means it is on stable storage; after an error nobody may be told of it, and the writer must
    /// stop: what the file holds is known only after it is opened again.
    ///
    /// # Panics
    /// When the batch does not begin at `last_sequence() + 1`: a hole or a repetition would be a bug of the writer.
    fn append(&mut self, batch: &Batch) -> Result<(), Fault>;

    /// Shows every record from `from_sequence` to the last, in order, until `visit` breaks. Never skips one: a
    /// record that cannot be read ends the reading with a fault.
    fn read(
        &self,
        from_sequence: u64,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Fault>;

    /// Sequence of the first record it still has, 1 when there was none yet.
    fn first_sequence(&self) -> u64;

    /// Records up to this one are kept elsewhere: it may drop them, bit by bit, as others are appended. The last batch stays.
    fn let_go(&mut self, upto: u64);

    /// Sequence of the last record, 0 when there is none.
    fn last_sequence(&self) -> u64;

    /// Engine time of the last record in milliseconds, 0 when there is none.
    fn last_time_ms(&self) -> u64;

    /// The key of a new interaction as it is to lie beside its payload. What unwraps it is on stable storage when this
    /// returns.
    fn wrap(&mut self, interaction: u64, key: &Key) -> Result<WrappedKey, Fault>;

    /// The key of an interaction again; `None` when it was destroyed, or no key was ever wrapped for it.
    fn key(&self, interaction: u64, wrapped: &WrappedKey) -> Result<Option<Key>, Fault>;

    /// Destroys what unwraps the keys of interactions: what was sealed with them can never be opened again. `Ok` means that
    /// the keys are gone from our files. An older copy that is put back brings them back: see [`Erasures`].
    fn destroy_keys(&mut self, interactions: &[u64]) -> Result<(), Fault>;

    /// How many of the tenant's erasures these keys are known to have seen: 0 when nobody said.
    fn erasures_seen(&self) -> Result<u64, Fault>;

    /// Says that the keys of so many erasures, the first ones, are destroyed. An older copy of the keys says less.
    fn note_erasures(&mut self, count: u64) -> Result<(), Fault>;

    /// A secret that is the same as long as the keys are. What is hashed with it tells nothing to whoever has the journal
    /// without its keys, not even by guessing.
    fn secret(&mut self) -> Result<[u8; KEY_LENGTH], Fault> {
        // Nothing, wrapped for a number that no interaction ever has, is what wraps it.
        self.wrap(SECRET, &Key::nothing())
    }
}

/// Looks at the logs of a tenant's files before SQLite would take damage in one for its end. Nothing has them open.
pub(crate) fn scan_logs(dir: &Path) -> Result<(), Fault> {
    ["journal.db", "keys.db", "rules.db", "erasures.db"]
        .iter()
        .try_for_each(|name| scan_log(&dir.join(name)).map(drop))
}

/// The same for one file: how many frames of an unfinished commit are in its log.
pub(crate) fn scan_log(path: &Path) -> Result<usize, Fault> {
    wal::scan(path).map(|tail| match tail {
        wal::Tail::Whole => 0,
        wal::Tail::Torn { frames } => frames,
    })
}

fn assert_follows(last: u64, batch: &Batch) {
    assert_eq!(batch.first(), last + 1, "a batch begins right after the last record");
}
