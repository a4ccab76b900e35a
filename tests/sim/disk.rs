//! The disk under the journal of the process that is simulated: what is written is pending until it is synced, and a crash keeps
//! its first bytes, from none to all. Whoever opens it again finds whole batches: one that was cut is not there, one that is
//! whole is, though nobody was told.

use baton::journal::{Batch, Fault, Journal, Memory, RecordRef, decode};
use std::ops::ControlFlow;

#[derive(Default)]
pub struct Disk {
    durable: Memory,
    /// Written since, and how many bytes of it are there.
    pending: Option<(Batch, usize)>,
}

impl Disk {
    /// Writes a batch. It is there for sure after `sync`.
    pub fn write(&mut self, batch: Batch) {
        assert!(self.pending.is_none(), "one commit is under way at a time");
        let bytes = batch.bytes().len();
        self.pending = Some((batch, bytes));
    }

    pub fn sync(&mut self) {
        if let Some((batch, _)) = self.pending.take() {
            self.durable.append(&batch).expect("memory cannot fail");
        }
    }

    pub fn is_synced(&self) -> bool {
        self.pending.is_none()
    }

    /// The machine stops: so many bytes of what was pending are there.
    pub fn crash(&mut self, kept: usize) {
        if let Some((batch, there)) = &mut self.pending {
            assert!(kept <= batch.bytes().len(), "no more can be kept than was written");
            *there = kept;
        }
    }

    /// The machine is back. What is no batch goes.
    pub fn open(&mut self) {
        if let Some((batch, there)) = &self.pending
            && decode(&batch.bytes()[..*there]).is_err()
        {
            self.pending = None;
        }
        self.sync();
    }

    /// Every record that is durable, in order.
    pub fn read(&self, visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>) -> Result<(), Fault> {
        self.durable.read(1, visit)
    }

    /// The same as it would be after a crash that keeps so many bytes.
    pub fn read_after_crash(
        &self,
        kept: usize,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        self.read(visit)?;
        let (batch, _) = self.pending.as_ref().expect("a commit is under way");
        let whole = decode(&batch.bytes()[..kept]).unwrap_or_default();
        // Whether it breaks is for the visitor, and nothing follows.
        let _ = whole.into_iter().try_for_each(visit);
        Ok(())
    }
}
