//! One snapshot: what was true after an event, in a file that appears complete or not at all. Chunks are checked one by
//! one, so a reader sees pieces as they were written or an error that says where.
//!
//! Layout, little endian: magic `btns`, format (4 bytes), sequence (8), time in ms (8), CRC-32C of these (4). Then chunks:
//! length (4), CRC-32C of the chunk's number (4 bytes, not written) and its body (4), body. A body holds whole pieces, each
//! encoded by itself. A chunk without a body is the end, and nothing follows it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::steady::Steady;
use super::{Fault, RecordRef, file, parting};
use crate::engine::kept::{Keep, Kept};

const MAGIC: &[u8; 4] = b"btns";
/// The format this release writes, and the only one it reads: another one is passed over for the events.
pub(super) const FORMAT: u32 = 1;
const HEADER: usize = 28;
/// A chunk ends after the piece that reaches this.
const CHUNK_BYTES: usize = 1 << 20;
/// Pieces are no longer than this: a length beyond it was never written.
const CHUNK_MAX: u32 = 1 << 31;

/// What tells an event from any other that has its number in another journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Mark {
    time_ms: u64,
    body: u32,
}

impl Mark {
    /// Of one record.
    pub fn of(record: &RecordRef<'_>) -> Mark {
        Mark { time_ms: record.time_ms, body: crc32c::crc32c(record.body) }
    }
}

/// Which journal a snapshot belongs to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Origin {
    pub tenant: String,
    /// Of the last event that is in it.
    pub mark: Mark,
}

/// Writes a snapshot.
pub struct SnapshotWriter {
    file: BufWriter<Steady>,
    draft: PathBuf,
    path: PathBuf,
    chunk: Vec<u8>,
    number: u32,
}

impl SnapshotWriter {
    /// Begins one of the state after an event, at this path. Nothing is there before `finish`.
    pub(super) fn begin(
        path: &Path,
        sequence: u64,
        time_ms: u64,
        origin: &Origin,
    ) -> Result<SnapshotWriter, Fault> {
        let draft = file::draft_of(path);
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&FORMAT.to_le_bytes());
        header.extend_from_slice(&sequence.to_le_bytes());
        header.extend_from_slice(&time_ms.to_le_bytes());
        header.extend_from_slice(&crc32c::crc32c(&header).to_le_bytes());
        let begun = File::create(&draft).and_then(|file| {
            let mut file = BufWriter::with_capacity(CHUNK_BYTES, Steady::new(file));
            file.write_all(&header)?;
            Ok(file)
        });
        let file = begun.map_err(Fault::io(path, "create"))?;
        let mut begun = SnapshotWriter { file, draft, path: path.to_owned(), chunk: Vec::new(), number: 0 };
        begun.keep(origin)?;
        Ok(begun)
    }

    /// What comes next begins a chunk of its own.
    pub fn begin_chunk(&mut self) -> Result<(), Fault> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        self.put().map_err(Fault::io(&self.path, "write"))
    }

    /// Makes it durable and visible. Its size in bytes.
    pub fn finish(mut self) -> Result<u64, Fault> {
        let last = if self.chunk.is_empty() { Ok(()) } else { self.put() };
        let ended = last.and_then(|()| self.put()).and_then(|()| {
            self.file.flush()?;
            self.file.get_mut().sync_all()?;
            let size = self.file.get_ref().size()?;
            std::fs::rename(&self.draft, &self.path)?;
            file::sync_folder(self.path.parent().expect("the file lies in a folder"))?;
            Ok(size)
        });
        ended.map_err(Fault::io(&self.path, "write"))
    }

    /// Writes the chunk that is full; without pieces it is the end.
    fn put(&mut self) -> io::Result<()> {
        let length = u32::try_from(self.chunk.len()).ok().filter(|length| *length <= CHUNK_MAX);
        let length = length.ok_or_else(|| io::Error::other("a piece is longer than 2 GiB"))?;
        self.file.write_all(&length.to_le_bytes())?;
        self.file.write_all(&checksum(self.number, &self.chunk).to_le_bytes())?;
        self.file.write_all(&self.chunk)?;
        self.chunk.clear();
        self.number += 1;
        Ok(())
    }
}

impl Keep for SnapshotWriter {
    type Error = Fault;

    fn keep(&mut self, piece: &impl Serialize) -> Result<(), Fault> {
        self.chunk = postcard::to_extend(piece, std::mem::take(&mut self.chunk))
            .expect("a state has no part that cannot be encoded");
        if self.chunk.len() < CHUNK_BYTES {
            return Ok(());
        }
        self.put().map_err(Fault::io(&self.path, "write"))
    }
}

impl Drop for SnapshotWriter {
    fn drop(&mut self) {
        // After `finish` it has another name. What cannot be removed is written over by the next one.
        let _ = std::fs::remove_file(&self.draft);
    }
}

/// Reads a snapshot, piece by piece.
pub struct SnapshotReader {
    file: BufReader<File>,
    path: PathBuf,
    sequence: u64,
    time_ms: u64,
    origin: Origin,
    chunk: Vec<u8>,
    at: usize,
    number: u32,
    ended: bool,
}

impl SnapshotReader {
    /// Opens one, and looks whether it is ours.
    pub fn open(path: &Path) -> Result<SnapshotReader, Fault> {
        let mut file = parting::open(path).map_err(Fault::io(path, "open"))?;
        let mut header = [0; HEADER];
        match file.read_exact(&mut header) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                return Err(Fault::damaged(path, "it is shorter than the header of a snapshot"));
            }
            read => read.map_err(Fault::io(path, "read"))?,
        }
        let number = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
        let long = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("eight bytes"));
        if &header[..4] != MAGIC {
            return Err(Fault::damaged(path, "it does not begin like a snapshot"));
        }
        if number(24) != crc32c::crc32c(&header[..24]) {
            return Err(Fault::damaged(path, "its header is not as it was written"));
        }
        if number(4) != FORMAT {
            let (found, supported) = (number(4).into(), FORMAT.into());
            return Err(Fault::OtherFormat { path: path.to_owned(), found, supported });
        }
        let (path, file) = (path.to_owned(), BufReader::with_capacity(CHUNK_BYTES, file));
        let (sequence, time_ms) = (long(8), long(16));
        let origin = Origin { tenant: String::new(), mark: Mark::default() };
        let mut reader = SnapshotReader {
            file,
            path,
            sequence,
            time_ms,
            origin,
            chunk: Vec::new(),
            at: 0,
            number: 0,
            ended: false,
        };
        reader.origin = reader.next()?;
        Ok(reader)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which journal it belongs to.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The last event of what is in it.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Engine time of that event in milliseconds.
    pub fn time_ms(&self) -> u64 {
        self.time_ms
    }

    /// The number of the chunk that comes next, where one has been read to its end.
    pub fn next_chunk(&self) -> Option<u32> {
        (self.at == self.chunk.len() && !self.ended).then_some(self.number)
    }

    /// Checks a chunk and goes on behind it: its pieces were read by somebody else.
    pub fn pass_chunk(&mut self) -> Result<(), Fault> {
        self.fill()?;
        self.at = self.chunk.len();
        Ok(())
    }

    /// Goes to the last chunk that has pieces, past the others unseen, and checks that one. Its number.
    pub fn seek_last(&mut self) -> Result<u32, Fault> {
        let failed = |path: &Path, error| Fault::io(path, "read")(error);
        let mut head = [0; 8];
        let mut last: Option<(u32, i64)> = None;
        loop {
            self.file.read_exact(&mut head).map_err(|error| failed(&self.path, error))?;
            let length = u32::from_le_bytes(head[..4].try_into().expect("four bytes"));
            if length == 0 {
                break;
            }
            self.file.seek_relative(length.into()).map_err(|error| failed(&self.path, error))?;
            last = Some((self.number, i64::from(length) + 8));
            self.number += 1;
        }
        let (number, back) = last.ok_or_else(|| self.unfit("it has one chunk, or none"))?;
        self.file.seek_relative(-(back + 8)).map_err(|error| failed(&self.path, error))?;
        self.number = number;
        self.fill()?;
        Ok(number)
    }

    /// Reads on to the end: an error if something is left, or missing.
    pub fn finish(mut self) -> Result<(), Fault> {
        if self.at < self.chunk.len() {
            return Err(self.unfit("it holds more than it should"));
        }
        if !self.ended {
            self.fill()?;
        }
        let mut behind = [0];
        match (self.ended, self.file.read(&mut behind)) {
            (true, Ok(0)) => Ok(()),
            (_, Err(error)) => Err(Fault::io(&self.path, "read")(error)),
            _ => Err(self.unfit("it holds more than it should")),
        }
    }

    /// Checks every chunk, and that nothing is behind the last; pieces are not looked at.
    pub fn check(mut self) -> Result<(), Fault> {
        while !self.ended {
            self.fill()?;
        }
        self.finish()
    }

    fn fill(&mut self) -> Result<(), Fault> {
        let number = self.number;
        let damaged = |path: &Path, what: &str| Fault::damaged(path, format!("chunk {number}: {what}"));
        let mut head = [0; 8];
        let cut = |path: &Path, error: io::Error| match error.kind() {
            ErrorKind::UnexpectedEof => damaged(path, "the file ends within it"),
            _ => Fault::io(path, "read")(error),
        };
        self.file.read_exact(&mut head).map_err(|error| cut(&self.path, error))?;
        let [length, expected] =
            [0, 4].map(|at| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes")));
        if length > CHUNK_MAX {
            return Err(damaged(&self.path, "it is longer than any that was ever written"));
        }
        self.chunk.clear();
        // No more is reserved than is there: a false length must not take all memory.
        let read = (&mut self.file).take(length.into()).read_to_end(&mut self.chunk);
        let read = read.map_err(Fault::io(&self.path, "read"))?;
        if read < length as usize {
            return Err(damaged(&self.path, "the file ends within it"));
        }
        let found = checksum(self.number, &self.chunk);
        if found != expected {
            return Err(damaged(
                &self.path,
                &format!("checksum {found:08x} where {expected:08x} was written"),
            ));
        }
        (self.at, self.ended) = (0, length == 0);
        self.number += 1;
        Ok(())
    }
}

impl Kept for SnapshotReader {
    type Error = Fault;

    fn next<T: DeserializeOwned>(&mut self) -> Result<T, Fault> {
        if self.at == self.chunk.len() && !self.ended {
            self.fill()?;
        }
        let decoded = postcard::take_from_bytes(&self.chunk[self.at..]);
        let (piece, rest) = decoded.map_err(|error| {
            let (chunk, at) = (self.number - 1, self.at);
            Fault::damaged(
                &self.path,
                format!("chunk {chunk}: the piece at byte {at} cannot be read: {error}"),
            )
        })?;
        self.at = self.chunk.len() - rest.len();
        Ok(piece)
    }

    fn unfit(&self, what: &'static str) -> Fault {
        Fault::damaged(&self.path, what)
    }
}

fn checksum(number: u32, body: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&number.to_le_bytes()), body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin { tenant: "acme".to_owned(), mark: Mark { time_ms: 7_000, body: 3 } }
    }

    fn written(folder: &Path, count: u64) -> PathBuf {
        let path = folder.join("one.snapshot");
        file::remove_if_there(&path).expect("removed");
        let mut writer = SnapshotWriter::begin(&path, 41, 7_000, &origin()).expect("begun");
        (0..count).for_each(|piece| writer.keep(&("piece", piece)).expect("kept"));
        assert!(!path.exists(), "it appears when it is whole");
        writer.finish().expect("finished");
        path
    }

    /// What a reader makes of it: the pieces, or why not.
    fn read(path: &Path, count: u64) -> Result<Vec<(String, u64)>, Fault> {
        let mut reader = SnapshotReader::open(path)?;
        let pieces = (0..count).map(|_| reader.next()).collect::<Result<_, _>>()?;
        assert_eq!((reader.sequence(), reader.time_ms(), reader.origin()), (41, 7_000, &origin()));
        reader.finish()?;
        Ok(pieces)
    }

    #[test]
    fn pieces_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // More than one chunk, so that pieces lie in several.
        for count in [0, 1, 3, 200_000] {
            let path = written(folder.path(), count);
            let pieces = read(&path, count).expect("as written");
            assert!(pieces.into_iter().eq((0..count).map(|piece| ("piece".to_owned(), piece))), "{count}");
            SnapshotReader::open(&path).and_then(SnapshotReader::check).expect("every chunk is right");
            std::fs::remove_file(&path).expect("removed");
        }
    }

    #[test]
    fn one_that_is_cut_anywhere_or_has_any_bit_flipped_or_a_byte_more_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = written(folder.path(), 3);
        let whole = std::fs::read(&path).expect("readable");
        let refused = |bytes: &[u8], what: &str| {
            std::fs::write(&path, bytes).expect("written");
            let said = read(&path, 3).expect_err(what).to_string();
            assert!(said.contains("one.snapshot"), "{what}: {said}");
        };
        for length in 0..whole.len() {
            refused(&whole[..length], &format!("cut at {length}"));
        }
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            refused(&bytes, &format!("bit {bit}"));
        }
        refused(&[&whole[..], b"\0"].concat(), "one byte more");
    }

    #[test]
    fn who_asks_for_other_pieces_than_were_written_gets_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = written(folder.path(), 3);
        assert!(read(&path, 4).is_err(), "one more");
        assert!(read(&path, 2).is_err(), "one is left");
        let mut reader = SnapshotReader::open(&path).expect("ours");
        assert!(reader.next::<[u64; 30]>().is_err(), "of another type");
    }

    #[test]
    fn what_has_a_chunk_of_its_own_at_the_end_can_be_read_beside_the_rest() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("one.snapshot");
        let mut writer = SnapshotWriter::begin(&path, 41, 7_000, &origin()).expect("begun");
        (0..200_000_u64).for_each(|piece| writer.keep(&piece).expect("kept"));
        writer.begin_chunk().expect("written");
        writer.keep(&"the last").expect("kept");
        writer.finish().expect("finished");

        let mut beside = SnapshotReader::open(&path).expect("ours");
        let number = beside.seek_last().expect("it is there");
        assert_eq!(beside.next::<String>().expect("as written"), "the last");
        let mut reader = SnapshotReader::open(&path).expect("ours");
        for piece in 0..200_000_u64 {
            assert_ne!(reader.next_chunk(), Some(number), "there are pieces before it");
            assert_eq!(reader.next::<u64>().expect("as written"), piece);
        }
        assert_eq!(reader.next_chunk(), Some(number));
        reader.pass_chunk().expect("it is whole");
        reader.finish().expect("nothing is left");
    }

    #[test]
    fn one_that_was_begun_and_left_is_not_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("one.snapshot");
        let mut writer = SnapshotWriter::begin(&path, 1, 1, &origin()).expect("begun");
        writer.keep(&1_u8).expect("kept");
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).expect("readable").count(), 0);
    }
}
