//! Which keys of idempotency were used, for which content: in the order they came, in chunks, with a table of their
//! numbers beside it, so that a key costs about 40 bytes. Forgotten by the time of events only, so recovery forgets
//! alike.

use super::ids::InteractionId;
use super::time::Time;
use hashbrown::{DefaultHashBuilder, HashTable};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::hash::BuildHasher;

/// How long ids are remembered at least, ms.
pub const REMEMBERED_MS: u64 = 24 * 60 * 60 * 1000;
/// Most ids that may be remembered. At the limit intake is refused; nothing is forgotten early.
pub const REMEMBERED_MAX: u32 = 20_000_000;

/// A row's number is that of its chunk, then its place in it: of 32 bits so many.
const ROW_BITS: u32 = 12;
const CHUNK_ROWS: usize = 1 << ROW_BITS;
/// Chunks are numbered around; there are far fewer at once.
const CHUNK_NUMBERS: u32 = 1 << (u32::BITS - ROW_BITS);
/// How far below the first of a chunk an interaction may lie: one that stays open comes again after newer ones.
const BELOW_MAX: u64 = 1 << 31;

/// One key. Interaction and time are counted from those of the chunk.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Row {
    /// In two halves, so that a row is no wider than what it holds.
    key: [u64; 2],
    content: u64,
    interaction: u32,
    at_ms: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Chunk {
    lowest: InteractionId,
    began: Time,
    rows: Vec<Row>,
}

/// What is remembered of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Remembered {
    pub key: u128,
    /// As `fingerprint` makes it.
    pub content: u64,
    pub interaction: InteractionId,
}

/// Which ids were used, for which content.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct IntakeMemory {
    chunks: VecDeque<Chunk>,
    /// The number of the first chunk, and how many of its rows are forgotten.
    first: u32,
    gone: usize,
    #[serde(skip)]
    by_key: HashTable<u32>,
    #[serde(skip)]
    hasher: DefaultHashBuilder,
}

impl IntakeMemory {
    /// How many ids are remembered.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// True if none is.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    pub(super) fn get(&self, key: u128) -> Option<Remembered> {
        let key = halves(key);
        let number = self.by_key.find(self.hasher.hash_one(key), |number| self.row(*number).key == key)?;
        Some(self.chunk(*number).remembered(row_of(*number)))
    }

    pub(super) fn remember(&mut self, remembered: Remembered, now: Time) {
        let number = self.append(remembered, now);
        self.find_by(halves(remembered.key), number);
    }

    /// Finds keys again, after all of it was read from somewhere.
    pub(super) fn index_again(&mut self) {
        let rows: usize = self.chunks.iter().map(|chunk| chunk.rows.len()).sum();
        self.by_key = HashTable::with_capacity(rows.saturating_sub(self.gone));
        for at in 0..self.chunks.len() {
            let from = if at == 0 { self.gone } else { 0 };
            for row in from..self.chunks[at].rows.len() {
                self.find_by(self.chunks[at].rows[row].key, self.number(at, row));
            }
        }
    }

    /// Of the row of a chunk that is so many behind the first.
    fn number(&self, chunk: usize, row: usize) -> u32 {
        let chunk = u32::try_from(chunk).expect("chunks are far fewer than keys");
        let row = u32::try_from(row).expect("a chunk has few rows");
        (((self.first + chunk) % CHUNK_NUMBERS) << ROW_BITS) | row
    }

    fn find_by(&mut self, key: [u64; 2], number: u32) {
        let hash = self.hasher.hash_one(key);
        // Taken out and put in again, the same key twice in one request stands for the later one.
        let mut by_key = std::mem::take(&mut self.by_key);
        if let Ok(known) = by_key.find_entry(hash, |number| self.row(*number).key == key) {
            known.remove();
        }
        by_key.insert_unique(hash, number, |other| self.hasher.hash_one(self.row(*other).key));
        self.by_key = by_key;
    }

    /// True if the oldest key may be forgotten.
    pub(super) fn expires(&self, now: Time) -> bool {
        let oldest = self.chunks.front().and_then(|chunk| Some(chunk.time(chunk.rows.get(self.gone)?)));
        oldest.is_some_and(|at| now.since(at) > REMEMBERED_MS)
    }

    /// Forgets the oldest key; what it was, unless the key stands for a later request already.
    pub(super) fn forget_oldest(&mut self) -> Option<Remembered> {
        let remembered = self.chunks.front()?.remembered(self.gone);
        let number = self.first << ROW_BITS | u32::try_from(self.gone).expect("a chunk has few rows");
        let hash = self.hasher.hash_one(halves(remembered.key));
        let known = self.by_key.find_entry(hash, |other| *other == number).ok();
        let forgotten = known.map(|known| known.remove()).map(|_| remembered);
        self.gone += 1;
        if self.gone == self.chunks[0].rows.len() {
            self.chunks.pop_front();
            (self.first, self.gone) = ((self.first + 1) % CHUNK_NUMBERS, 0);
        }
        forgotten
    }

    /// The number of the new row.
    fn append(&mut self, remembered: Remembered, now: Time) -> u32 {
        let Remembered { key, content, interaction } = remembered;
        if self.chunks.back().is_none_or(|last| !last.takes(interaction, now)) {
            let lowest = InteractionId(interaction.0.saturating_sub(BELOW_MAX));
            self.chunks.push_back(Chunk { lowest, began: now, rows: Vec::new() });
        }
        let last = self.chunks.len() - 1;
        let chunk = &mut self.chunks[last];
        let (interaction, at_ms) = chunk.distance(interaction, now).expect("it takes this one");
        let row = chunk.rows.len();
        chunk.rows.push(Row { key: halves(key), content, interaction, at_ms });
        self.number(last, row)
    }

    fn chunk(&self, number: u32) -> &Chunk {
        let at = ((number >> ROW_BITS) + CHUNK_NUMBERS - self.first) % CHUNK_NUMBERS;
        &self.chunks[at as usize]
    }

    fn row(&self, number: u32) -> &Row {
        &self.chunk(number).rows[row_of(number)]
    }
}

impl Chunk {
    fn takes(&self, interaction: InteractionId, now: Time) -> bool {
        self.rows.len() < CHUNK_ROWS && self.distance(interaction, now).is_some()
    }

    /// How far from the chunk's own, if that can be told in a row.
    fn distance(&self, interaction: InteractionId, now: Time) -> Option<(u32, u32)> {
        let above = u32::try_from(interaction.0.checked_sub(self.lowest.0)?).ok()?;
        Some((above, u32::try_from(now.since(self.began)).ok()?))
    }

    fn remembered(&self, row: usize) -> Remembered {
        let Row { key: [high, low], content, interaction, .. } = self.rows[row];
        Remembered {
            key: u128::from(high) << 64 | u128::from(low),
            content,
            interaction: InteractionId(self.lowest.0 + u64::from(interaction)),
        }
    }

    fn time(&self, row: &Row) -> Time {
        self.began.after(u64::from(row.at_ms))
    }
}

/// What is kept of a content's hash. A repeated key with other content is refused, but for a chance of 2^-64 each time:
/// it would get the first answer, as if it were the repetition it claims to be.
pub(super) fn fingerprint(content: u128) -> u64 {
    let [high, low] = halves(content);
    high ^ low
}

fn halves(whole: u128) -> [u64; 2] {
    let low = whole & u128::from(u64::MAX);
    [whole >> 64, low].map(|half| u64::try_from(half).expect("half of it has 64 bits"))
}

fn row_of(number: u32) -> usize {
    number as usize % CHUNK_ROWS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(number: u64) -> Remembered {
        Remembered { key: u128::from(number) << 32, content: number, interaction: InteractionId(number) }
    }

    #[test]
    fn keys_are_forgotten_in_the_order_they_came() {
        let mut memory = IntakeMemory::default();
        let count = 3 * CHUNK_ROWS as u64 + 5;
        (0..count).for_each(|number| memory.remember(remembered(number), Time(number)));
        assert_eq!(memory.len() as u64, count);
        for number in 0..count {
            assert!(
                !memory.expires(Time(number + REMEMBERED_MS))
                    && memory.expires(Time(number + REMEMBERED_MS + 1))
            );
            assert_eq!(memory.get(remembered(number).key), Some(remembered(number)));
            assert_eq!(memory.forget_oldest(), Some(remembered(number)));
            assert_eq!(memory.get(remembered(number).key), None);
        }
        assert!(memory.is_empty() && memory.chunks.is_empty() && !memory.expires(Time(u64::MAX)));
    }

    #[test]
    fn what_stays_open_is_remembered_anew_among_newer_ones() {
        let mut memory = IntakeMemory::default();
        let (old, new) = (remembered(1), remembered(1 << 40));
        memory.remember(old, Time(0));
        memory.remember(new, Time(1 << 40));
        let again = memory.forget_oldest().expect("it is the only one of its key");
        memory.remember(again, Time(1 << 41));
        assert_eq!((memory.get(old.key), memory.get(new.key)), (Some(old), Some(new)));
        assert_eq!(memory.chunks.len(), 2, "too far apart for one");
        assert_eq!([memory.forget_oldest(), memory.forget_oldest()], [Some(new), Some(old)]);
    }

    #[test]
    fn a_key_used_twice_in_one_request_is_one_key() {
        let mut memory = IntakeMemory::default();
        memory.remember(remembered(1), Time(0));
        memory.remember(remembered(1), Time(0));
        assert_eq!(memory.len(), 1);
        assert_eq!((memory.forget_oldest(), memory.forget_oldest()), (None, Some(remembered(1))));
    }

    #[test]
    fn a_row_is_no_wider_than_what_it_holds() {
        assert_eq!(size_of::<Row>(), 32);
    }

    #[test]
    fn chunk_numbers_go_around() {
        let mut memory = IntakeMemory { first: CHUNK_NUMBERS - 1, ..IntakeMemory::default() };
        let count = 2 * CHUNK_ROWS as u64;
        (0..count).for_each(|number| memory.remember(remembered(number), Time(0)));
        assert!((0..count).all(|number| memory.get(remembered(number).key) == Some(remembered(number))));
        assert!((0..count).all(|number| memory.forget_oldest() == Some(remembered(number))));
        assert_eq!(memory.first, 1);
    }
}
