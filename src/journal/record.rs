//! The encoding of a batch: the records of one group commit in one buffer, with one CRC-32C over everything.
//! Knows nothing of events: it writes whatever serialises and gives back the bytes. Nothing of a batch is handed
//! out before all of it was checked, so a reader sees the batch as written or an error.
//!
//! Layout, little endian: magic `btn`, format (1 byte), CRC-32C of everything else (4), first sequence (8),
//! count (4), length of the records (4), then the records. A record: length of its body, with the top bit set
//! when a sealed payload follows (4), time as zigzag varint difference to the record before, body, and where
//! there is one the length of the sealed payload (4) and the payload.

use serde::Serialize;
use serde::de::DeserializeOwned;

const MAGIC: &[u8; 3] = b"btn";
const FORMAT: u8 = 7;
const CHECKSUM_AT: usize = 4;
pub(super) const HEADER: usize = 24;
const SEALED: u32 = 1 << 31;

/// Bytes that are not a batch as we wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Corruption {
    /// Too short for a header, or another magic.
    #[error("not a batch: it does not begin with a batch header")]
    NotABatch,
    /// Written by another release.
    #[error("batch format {found}, this release reads {supported}")]
    OtherFormat {
        /// The format found.
        found: u8,
        /// The one this release reads.
        supported: u8,
    },
    /// Cut, or with something behind its end.
    #[error("the batch has {found} bytes where its header says {expected}")]
    Length {
        /// What the header says.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// Changed since it was written.
    #[error("checksum {found:08x} where {expected:08x} was written")]
    Checksum {
        /// What was written.
        expected: u32,
        /// What the bytes have now.
        found: u32,
    },
    /// The checksum holds and the records do not fit it: a defect of the writer.
    #[error("record {index} of the batch does not lie within it")]
    Record {
        /// Counted from 0.
        index: u32,
    },
    /// The body is not an event of the type asked for.
    #[error("record {sequence} is not an event of this release: {reason}")]
    Event {
        /// Sequence of the record.
        sequence: u64,
        /// What the decoder said.
        reason: String,
    },
}

/// The records of one group commit, encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    first: u64,
    last: u64,
    last_time_ms: u64,
    bytes: Vec<u8>,
}

impl Batch {
    /// One that was read, of its records and its bytes.
    pub(super) fn of(records: &[RecordRef<'_>], bytes: &[u8]) -> Batch {
        let (first, last) = (records[0], records[records.len() - 1]);
        Batch {
            first: first.sequence,
            last: last.sequence,
            last_time_ms: last.time_ms,
            bytes: bytes.to_vec(),
        }
    }

    /// Sequence of its first record.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Sequence of its last record.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Engine time of its last record.
    pub fn last_time_ms(&self) -> u64 {
        self.last_time_ms
    }

    /// The encoded form, as `decode` takes it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Collects the records of one group commit.
#[derive(Debug)]
pub struct BatchWriter {
    first: u64,
    count: u32,
    last_time_ms: u64,
    bytes: Vec<u8>,
}

impl BatchWriter {
    /// Begins a batch; `first_sequence` is the sequence of the first record pushed, the others follow without gap.
    pub fn new(first_sequence: u64) -> Self {
        Self { first: first_sequence, count: 0, last_time_ms: 0, bytes: vec![0; HEADER] }
    }

    /// The same with room for about so many bytes of records.
    pub fn with_room(first_sequence: u64, bytes: usize) -> Self {
        let mut begun = Vec::with_capacity(HEADER + bytes);
        begun.resize(HEADER, 0);
        Self { bytes: begun, ..Self::new(first_sequence) }
    }

    /// Adds a record: what happened at `time_ms` of engine time, and the sealed personal payload that goes with it.
    ///
    /// # Panics
    /// When the event cannot be encoded (a sequence of unknown length) or is 2 GiB long: both are bugs of its type.
    pub fn push(&mut self, time_ms: u64, event: &impl Serialize, sealed: Option<&[u8]>) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&[0; 4]);
        push_varint(&mut self.bytes, zigzag(time_ms.wrapping_sub(self.last_time_ms)));
        let body_at = self.bytes.len();
        self.bytes = postcard::to_extend(event, std::mem::take(&mut self.bytes))
            .expect("events hold only what postcard can encode: sequences of known length");
        let flag = if sealed.is_some() { SEALED } else { 0 };
        let length = short_length(self.bytes.len() - body_at) | flag;
        self.bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        if let Some(sealed) = sealed {
            self.bytes.extend_from_slice(&short_length(sealed.len()).to_le_bytes());
            self.bytes.extend_from_slice(sealed);
        }
        self.last_time_ms = time_ms;
        self.count += 1;
    }

    /// True before the first `push`: nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Size so far in bytes, for whoever limits the size of a group commit.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Closes the batch.
    ///
    /// # Panics
    /// When it is empty: there is nothing to commit, and a batch without records has no last sequence.
    pub fn finish(mut self) -> Batch {
        assert!(self.count > 0, "a batch has at least one record");
        let length = short_length(self.bytes.len() - HEADER);
        self.bytes[..3].copy_from_slice(MAGIC);
        self.bytes[3] = FORMAT;
        self.bytes[8..16].copy_from_slice(&self.first.to_le_bytes());
        self.bytes[16..20].copy_from_slice(&self.count.to_le_bytes());
        self.bytes[20..24].copy_from_slice(&length.to_le_bytes());
        let checksum = checksum(&self.bytes);
        self.bytes[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&checksum.to_le_bytes());
        let last = self.first + u64::from(self.count) - 1;
        Batch { first: self.first, last, last_time_ms: self.last_time_ms, bytes: self.bytes }
    }
}

/// One record, borrowed from the batch it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// Its place in the journal, from 1, without gaps.
    pub sequence: u64,
    /// Engine time in milliseconds.
    pub time_ms: u64,
    /// The event, encoded.
    pub body: &'a [u8],
    /// Personal payload, sealed with the key of its interaction.
    pub sealed: Option<&'a [u8]>,
}

impl RecordRef<'_> {
    /// Decodes the body, all of it, as an event of type `T`.
    pub fn event<T: DeserializeOwned>(&self) -> Result<T, Corruption> {
        let corrupt = |reason| Corruption::Event { sequence: self.sequence, reason };
        let (event, rest) =
            postcard::take_from_bytes(self.body).map_err(|error| corrupt(error.to_string()))?;
        if !rest.is_empty() {
            return Err(corrupt(format!("{} bytes are left over", rest.len())));
        }
        Ok(event)
    }
}

/// What the header of a batch says of it. Not checked: the checksum is that of the whole batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub first: u64,
    pub last: u64,
    /// Of all of it, the header too.
    pub bytes: u64,
}

/// Where a batch ends, from its beginning.
pub(super) fn span(header: &[u8; HEADER]) -> Result<Span, Corruption> {
    if &header[..3] != MAGIC {
        return Err(Corruption::NotABatch);
    }
    if header[3] != FORMAT {
        return Err(Corruption::OtherFormat { found: header[3], supported: FORMAT });
    }
    let first = u64::from_le_bytes(header[8..16].try_into().expect("eight bytes"));
    let count = u64::from(u32_at(header, 16));
    let last =
        first.checked_add(count).and_then(|behind| behind.checked_sub(1)).filter(|last| *last >= first);
    let last = last.ok_or(Corruption::Record { index: 0 })?;
    Ok(Span { first, last, bytes: HEADER as u64 + u64::from(u32_at(header, 20)) })
}

/// Reads a batch back. Never panics, whatever the bytes; either all records as written or an error.
pub fn decode(bytes: &[u8]) -> Result<Vec<RecordRef<'_>>, Corruption> {
    if bytes.len() < HEADER || &bytes[..3] != MAGIC {
        return Err(Corruption::NotABatch);
    }
    if bytes[3] != FORMAT {
        return Err(Corruption::OtherFormat { found: bytes[3], supported: FORMAT });
    }
    let expected = HEADER as u64 + u64::from(u32_at(bytes, 20));
    if bytes.len() as u64 != expected {
        return Err(Corruption::Length { expected, found: bytes.len() as u64 });
    }
    let (expected, found) = (u32_at(bytes, CHECKSUM_AT), checksum(bytes));
    if expected != found {
        return Err(Corruption::Checksum { expected, found });
    }
    records(bytes)
}

fn records(bytes: &[u8]) -> Result<Vec<RecordRef<'_>>, Corruption> {
    let first = u64::from_le_bytes(bytes[8..16].try_into().expect("eight bytes"));
    let count = u32_at(bytes, 16);
    let mut cursor = Cursor { rest: &bytes[HEADER..], time_ms: 0 };
    // A record takes five bytes at least: a bound on what a false count may make us reserve.
    let mut records = Vec::with_capacity((count as usize).min(cursor.rest.len() / 5));
    for index in 0..count {
        let sequence = first.checked_add(u64::from(index)).ok_or(Corruption::Record { index })?;
        records.push(cursor.record(sequence).ok_or(Corruption::Record { index })?);
    }
    if records.is_empty() || !cursor.rest.is_empty() {
        return Err(Corruption::Record { index: count });
    }
    Ok(records)
}

struct Cursor<'a> {
    rest: &'a [u8],
    time_ms: u64,
}

impl<'a> Cursor<'a> {
    fn record(&mut self, sequence: u64) -> Option<RecordRef<'a>> {
        let length = self.length()?;
        self.time_ms = self.time_ms.wrapping_add(unzigzag(self.varint()?));
        let body = self.take((length & !SEALED) as usize)?;
        let sealed = if length & SEALED == 0 {
            None
        } else {
            let length = self.length()?;
            Some(self.take(length as usize)?)
        };
        Some(RecordRef { sequence, time_ms: self.time_ms, body, sealed })
    }

    fn length(&mut self) -> Option<u32> {
        Some(u32_at(self.take(4)?, 0))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..CHECKSUM_AT]), &bytes[CHECKSUM_AT + 4..])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn short_length(length: usize) -> u32 {
    u32::try_from(length)
        .ok()
        .filter(|length| length & SEALED == 0)
        .expect("group commits are limited far below 2 GiB")
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

// Time is monotone in the engine, but the encoding must not depend on that: a difference may be negative.
fn zigzag(difference: u64) -> u64 {
    let signed = difference.cast_signed();
    ((signed << 1) ^ (signed >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> u64 {
    (value >> 1) ^ (value & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short_batch() -> Batch {
        let mut writer = BatchWriter::new(41);
        writer.push(1_000, &("queued", 7u64), None);
        writer.push(1_000, &("offered", u64::MAX), Some(b"sealed"));
        writer.push(u64::MAX, &("late", 0u64), Some(b""));
        writer.push(3, &("earlier", 1u64), None);
        writer.finish()
    }

    #[test]
    fn a_batch_reads_back_as_written() {
        let batch = short_batch();
        let records = decode(batch.bytes()).expect("as written");
        assert_eq!((batch.first(), batch.last(), batch.last_time_ms()), (41, 44, 3));
        assert_eq!(records.iter().map(|record| record.sequence).collect::<Vec<_>>(), [41, 42, 43, 44]);
        assert_eq!(
            records.iter().map(|record| record.time_ms).collect::<Vec<_>>(),
            [1_000, 1_000, u64::MAX, 3]
        );
        assert_eq!(records[1].event(), Ok(("offered".to_owned(), u64::MAX)));
        assert_eq!(records[1].sealed, Some(&b"sealed"[..]));
        assert_eq!((records[0].sealed, records[2].sealed), (None, Some(&b""[..])));
    }

    #[test]
    fn a_batch_cut_at_any_byte_or_followed_by_one_is_refused() {
        let batch = short_batch();
        for length in 0..batch.bytes().len() {
            assert!(decode(&batch.bytes()[..length]).is_err(), "cut at {length}");
        }
        let longer = [batch.bytes(), b"\0"].concat();
        assert!(matches!(decode(&longer), Err(Corruption::Length { .. })));
    }

    #[test]
    fn a_batch_with_any_bit_flipped_is_refused() {
        let batch = short_batch();
        for bit in 0..batch.bytes().len() * 8 {
            let mut bytes = batch.bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&bytes).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn records_that_do_not_fit_a_valid_checksum_are_refused_without_a_panic() {
        let batch = short_batch();
        for at in HEADER - 8..batch.bytes().len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bytes = batch.bytes().to_vec();
                bytes[at] = value;
                let checksum = checksum(&bytes);
                bytes[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&checksum.to_le_bytes());
                if let Ok(records) = decode(&bytes) {
                    let _ = records.iter().map(|record| record.event::<(String, u64)>()).collect::<Vec<_>>();
                }
            }
        }
    }

    #[test]
    fn another_format_is_refused_by_name() {
        for found in [FORMAT - 1, FORMAT + 1] {
            let mut bytes = short_batch().bytes().to_vec();
            bytes[3] = found;
            assert_eq!(decode(&bytes), Err(Corruption::OtherFormat { found, supported: FORMAT }));
        }
    }

    #[test]
    fn an_event_of_another_type_is_an_error_that_names_the_record() {
        let batch = short_batch();
        let records = decode(batch.bytes()).expect("as written");
        assert!(matches!(records[0].event::<u8>(), Err(Corruption::Event { sequence: 41, .. })));
        assert!(matches!(records[0].event::<[u64; 30]>(), Err(Corruption::Event { sequence: 41, .. })));
    }
}
