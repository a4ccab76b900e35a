//! Batches one after the other in a plain file, as the archive has them. Read from the first on; each has its checksum, and
//! its length in front, so that one may be skipped.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::record::{self, HEADER, Span};
use super::{Fault, parting};

/// The batches of one file, from the first. One that is not all there is the end: it is being written, or a crash cut it.
pub(super) struct Batches {
    file: BufReader<File>,
    path: PathBuf,
    size: u64,
    /// Where the batch that is looked at begins, and behind it.
    from: u64,
    at: u64,
    header: [u8; HEADER],
    bytes: Vec<u8>,
}

impl Batches {
    pub fn open(path: &Path) -> Result<Batches, Fault> {
        let open = parting::open(path).and_then(|file| Ok((file.metadata()?.len(), BufReader::new(file))));
        let (size, file) = open.map_err(Fault::io(path, "open"))?;
        let path = path.to_owned();
        Ok(Batches { file, path, size, from: 0, at: 0, header: [0; HEADER], bytes: Vec::new() })
    }

    /// The next one, if it is all there. Then either `body` or `skip`.
    pub fn next(&mut self) -> Result<Option<Span>, Fault> {
        self.from = self.at;
        if self.size - self.from < HEADER as u64 {
            return Ok(None);
        }
        self.file.read_exact(&mut self.header).map_err(Fault::io(&self.path, "read"))?;
        let span = record::span(&self.header).map_err(|error| self.damaged(&error.to_string()))?;
        self.at = self.from + span.bytes;
        Ok((self.at <= self.size).then_some(span))
    }

    pub fn body(&mut self) -> Result<&[u8], Fault> {
        let length = usize::try_from(self.at - self.from).expect("batches are far below 2 GiB");
        self.bytes.resize(length, 0);
        self.bytes[..HEADER].copy_from_slice(&self.header);
        self.file.read_exact(&mut self.bytes[HEADER..]).map_err(Fault::io(&self.path, "read"))?;
        Ok(&self.bytes)
    }

    pub fn skip(&mut self) -> Result<(), Fault> {
        let rest = self.at - self.from - HEADER as u64;
        let rest = i64::try_from(rest).expect("batches are far below 2 GiB");
        self.file.seek_relative(rest).map_err(Fault::io(&self.path, "read"))
    }

    /// Behind the last one that was read or skipped.
    pub fn end(&self) -> u64 {
        self.at
    }

    /// So many bytes are behind the last batch that is all there, after `next` gave none.
    pub fn left(&self) -> u64 {
        self.size - self.from
    }

    pub fn damaged(&self, what: &str) -> Fault {
        Fault::damaged(&self.path, format!("the batch at byte {}: {what}", self.from))
    }
}

/// The first batch of a file, if it is all there, and the size of the file.
pub(super) fn first_of(path: &Path) -> Result<Option<(Span, u64)>, Fault> {
    match Batches::open(path) {
        // It was removed meanwhile.
        Err(Fault::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
        Ok(mut batches) => Ok(batches.next()?.map(|span| (span, batches.size))),
    }
}
