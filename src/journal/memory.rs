//! The journal in memory, for simulation and tests: what may go goes at once, nothing survives the process.
//! It keeps the encoded batches, so what reads from it goes through the same decoding as from disk.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use super::keys::Pad;
use super::record::{self, Batch, RecordRef};
use super::sealed::random;
use super::{Fault, Journal, Key, WrappedKey};

/// A journal that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct Memory {
    batches: Vec<Batch>,
    pads: BTreeMap<u64, Pad>,
    erasures_seen: u64,
}

impl Memory {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Journal for Memory {
    fn append(&mut self, batch: &Batch) -> Result<(), Fault> {
        super::assert_follows(self.last_sequence(), batch);
        self.batches.push(batch.clone());
        Ok(())
    }

    fn read(
        &self,
        from_sequence: u64,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), Fault> {
        let start = self.batches.partition_point(|batch| batch.last() < from_sequence);
        for batch in &self.batches[start..] {
            let records =
                record::decode(batch.bytes()).map_err(Fault::batch(Path::new("memory"), batch.first()))?;
            for record in records {
                if record.sequence >= from_sequence && visit(record).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn first_sequence(&self) -> u64 {
        self.batches.first().map_or(1, Batch::first)
    }

    fn let_go(&mut self, upto: u64) {
        let gone = self.batches.partition_point(|batch| batch.last() <= upto);
        self.batches.drain(..gone.min(self.batches.len().saturating_sub(1)));
    }

    fn last_sequence(&self) -> u64 {
        self.batches.last().map_or(0, Batch::last)
    }

    fn last_time_ms(&self) -> u64 {
        self.batches.last().map_or(0, Batch::last_time_ms)
    }

    fn wrap(&mut self, interaction: u64, key: &Key) -> Result<WrappedKey, Fault> {
        let pad = self.pads.entry(interaction).or_insert_with(random);
        Ok(key.under(pad))
    }

    fn key(&self, interaction: u64, wrapped: &WrappedKey) -> Result<Option<Key>, Fault> {
        Ok(self.pads.get(&interaction).map(|pad| Key::unwrapped(wrapped, pad)))
    }

    fn erasures_seen(&self) -> Result<u64, Fault> {
        Ok(self.erasures_seen)
    }

    fn note_erasures(&mut self, count: u64) -> Result<(), Fault> {
        self.erasures_seen = count;
        Ok(())
    }

    fn destroy_keys(&mut self, interactions: &[u64]) -> Result<(), Fault> {
        for interaction in interactions {
            self.pads.remove(interaction);
        }
        Ok(())
    }
}
