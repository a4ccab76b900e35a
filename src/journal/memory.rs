//! The journal in memory, for simulation and tests: everything is kept, nothing survives the process.
//! It keeps the encoded batches, so what reads from it goes through the same decoding as from disk.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use super::record::{self, Batch, RecordRef};
use super::{Fault, Journal, Key};

/// A journal that forgets everything when it is dropped.
#[derive(Debug, Default)]
pub struct Memory {
    batches: Vec<Batch>,
    keys: BTreeMap<u64, Key>,
}

impl Memory {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Journal for Memory {
    fn append(&mut self, batch: &Batch, keys: &[(u64, Key)]) -> Result<(), Fault> {
        super::assert_follows(self.last_sequence(), batch);
        self.keys.extend(keys.iter().cloned());
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

    fn last_sequence(&self) -> u64 {
        self.batches.last().map_or(0, Batch::last)
    }

    fn last_time_ms(&self) -> u64 {
        self.batches.last().map_or(0, Batch::last_time_ms)
    }

    fn key(&self, interaction: u64) -> Result<Option<Key>, Fault> {
        Ok(self.keys.get(&interaction).cloned())
    }

    fn destroy_key(&mut self, interaction: u64) -> Result<(), Fault> {
        self.keys.remove(&interaction);
        Ok(())
    }
}
