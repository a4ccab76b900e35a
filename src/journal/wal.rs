//! Reads the `-wal` file of a database before SQLite does. SQLite ends its recovery silently at the first bad frame,
//! taking it for the torn end of an unfinished commit; had a later commit followed, answered work would be gone
//! without a word. So: a bad frame with frames of a *later* commit behind it is damage and refused; within the last
//! commit it is a torn tail, which was never answered.
//!
//! How a later commit is told from the rest of a torn one. A frame is of this generation when it carries the salts
//! of the header, or continues the checksum of a frame that does; others are remains from before the log restarted.
//! Among the frames of this generation, from the bad one on, a commit ended and another began when
//! - a frame has its commit mark (database size not zero), or had it before one bit of that field flipped, which
//!   its checksum shows, and another frame follows; or
//! - the page numbers do not ascend: SQLite writes one commit in ascending page order (`file.rs` turns off spilling,
//!   the exception). A commit that allocates or frees a page begins with page 1; one that does not rewrites a page
//!   of the commit before it, in `journal.db` always, in `keys.db` as long as interactions are numbered upwards.
//!
//! A damaged header with anything behind it is refused as well: SQLite syncs a header before it writes frames.
//!
//! What nobody can tell, and we do not claim to:
//! - damage within the last commit from a torn tail: that commit is taken for unfinished and dropped;
//! - a log cut at the end of a commit, emptied, or removed, from a shorter one;
//! - damage to every frame from some place to the end, their salts included, from the same;
//! - a commit of a single frame wiped out whole, salts and all, right before the last commit, from a write of that
//!   last commit which a power cut lost: both commits are dropped. With any of its header left it is refused.
//!
//! The other way, a power cut may leave a half-written frame header that refuses a log which was only torn: it has to
//! lose one sector boundary that falls within the header (one frame in 64) onto an older frame's commit mark.
//! We prefer asking to guessing.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::Fault;

pub(super) const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
const MAGIC: u32 = 0x377f_0682;
const VERSION: u32 = 3_007_000;

/// How the log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// At the end of a commit, or there is no log.
    Whole,
    /// In an unfinished commit, of which this many whole frames are left.
    Torn { frames: usize },
}

/// Scans the log of `database`. Nothing else may have the database open.
pub(super) fn scan(database: &Path) -> Result<Tail, Fault> {
    let path = path_of(database);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Tail::Whole),
        Err(error) => return Err(Fault::io(&path, "open")(error)),
    };
    let length = file.metadata().map_err(Fault::io(&path, "read"))?.len();
    examine(BufReader::with_capacity(1 << 16, file), length)
        .map_err(Fault::io(&path, "read"))?
        .map_err(|damage| Fault::damaged(&path, damage))
}

/// The path of the log of `database`.
pub(super) fn path_of(database: &Path) -> PathBuf {
    let mut path = OsString::from(database);
    path.push("-wal");
    path.into()
}

fn examine(mut log: impl Read, length: u64) -> io::Result<Result<Tail, String>> {
    // Exactly a header or less holds no commit, so nothing can be lost; SQLite looks at none of it either.
    if length <= HEADER as u64 {
        return Ok(Ok(Tail::Whole));
    }
    let mut bytes = [0; HEADER];
    log.read_exact(&mut bytes)?;
    let header = match Header::parse(&bytes) {
        Ok(header) => header,
        Err(what) => return Ok(Err(format!("its header at byte 0 {what}, with {length} bytes of log"))),
    };
    let frames = read_frames(&mut log, &header, length)?;
    Ok(judge(&frames).map_err(|(bad, later)| {
        let offset = |index: usize| HEADER + index * header.frame_size();
        format!(
            "frame {} at byte {} is bad, and a later commit follows in frame {} at byte {}",
            bad + 1,
            offset(bad),
            later + 1,
            offset(later)
        )
    }))
}

fn read_frames(log: &mut impl Read, header: &Header, length: u64) -> io::Result<Vec<Frame>> {
    let count = (length - HEADER as u64) / header.frame_size() as u64;
    let mut bytes = vec![0; header.frame_size()];
    let mut frames: Vec<Frame> = Vec::new();
    let (mut seed, mut ours) = (header.checksum, true);
    for _ in 0..count {
        log.read_exact(&mut bytes)?;
        let frame = Frame::read(&bytes, header, seed, ours);
        seed = stored_checksum(&bytes[16..]);
        ours = frame.ours;
        frames.push(frame);
    }
    Ok(frames)
}

/// `Err` with the indexes of the bad frame and of one in a later commit.
fn judge(frames: &[Frame]) -> Result<Tail, (usize, usize)> {
    let bad = frames.iter().position(|frame| !frame.good).unwrap_or(frames.len());
    let committed = frames[..bad].iter().rposition(|frame| frame.commit).map_or(0, |last| last + 1);
    if let Some(later) = later_commit(frames, committed, bad) {
        return Err((bad, later));
    }
    match frames[committed..].iter().filter(|frame| frame.ours).count() {
        0 => Ok(Tail::Whole),
        frames => Ok(Tail::Torn { frames }),
    }
}

/// The first frame after `bad` that cannot be of the commit that begins at `committed`.
fn later_commit(frames: &[Frame], committed: usize, bad: usize) -> Option<usize> {
    let mut ended = false;
    let mut page_above = 0;
    for (index, frame) in frames.iter().enumerate().skip(committed) {
        // An unreadable frame held some page too, so the one after it is at least two above the one before.
        page_above += 1;
        if !frame.ours {
            continue;
        }
        if index > bad && (ended || frame.page < page_above) {
            return Some(index);
        }
        ended |= frame.commit;
        page_above = frame.page;
    }
    None
}

type Checksum = [u32; 2];

struct Header {
    page_size: usize,
    big_endian: bool,
    salts: [u8; 8],
    checksum: Checksum,
}

impl Header {
    fn parse(bytes: &[u8; HEADER]) -> Result<Self, String> {
        let magic = u32_at(bytes, 0);
        if magic & !1 != MAGIC {
            return Err(format!("begins with {magic:08x} and not with {MAGIC:08x} or the number after it"));
        }
        let big_endian = magic & 1 == 1;
        let checksum = checksum(big_endian, [0, 0], &bytes[..24]);
        if checksum != stored_checksum(&bytes[24..]) {
            return Err("does not fit its checksum".to_owned());
        }
        if u32_at(bytes, 4) != VERSION {
            return Err(format!("has version {}, known is {VERSION}", u32_at(bytes, 4)));
        }
        let page_size = u32_at(bytes, 8) as usize;
        if !page_size.is_power_of_two() || !(512..=65_536).contains(&page_size) {
            return Err(format!("has page size {page_size}, possible is a power of two from 512 to 65536"));
        }
        let salts = bytes[16..24].try_into().expect("eight bytes");
        Ok(Self { page_size, big_endian, salts, checksum })
    }

    fn frame_size(&self) -> usize {
        FRAME_HEADER + self.page_size
    }
}

/// What the judgement needs to know of a frame.
#[derive(Debug, Clone, Copy)]
struct Frame {
    page: u64,
    /// Ends a commit, as far as can be told.
    commit: bool,
    /// As SQLite demands it: salts, page number, and a checksum that continues the frame before.
    good: bool,
    /// Written since the log last restarted.
    ours: bool,
}

impl Frame {
    /// `seed` is the checksum stored in the frame before, or in the header; `follows_ours` says whether that one is
    /// of this generation. A frame vouches for itself from the *stored* checksum, so damage does not spread.
    fn read(bytes: &[u8], header: &Header, seed: Checksum, follows_ours: bool) -> Self {
        let page = u32_at(bytes, 0);
        let linked = header.frame_checksum(seed, bytes) == stored_checksum(&bytes[16..]);
        let salted = bytes[8..16] == header.salts;
        let ours = salted || (follows_ours && linked);
        let marked = u32_at(bytes, 4) != 0;
        let commit = marked || (ours && !linked && lost_its_mark(bytes, header, seed));
        Self { page: page.into(), commit, good: linked && salted && page != 0, ours }
    }
}

impl Header {
    fn frame_checksum(&self, seed: Checksum, frame: &[u8]) -> Checksum {
        let seed = checksum(self.big_endian, seed, &frame[..8]);
        checksum(self.big_endian, seed, &frame[FRAME_HEADER..])
    }
}

/// Whether the frame fits its checksum once a single bit of its empty commit mark is set.
fn lost_its_mark(bytes: &[u8], header: &Header, seed: Checksum) -> bool {
    let stored = stored_checksum(&bytes[16..]);
    (0..32).any(|bit| {
        let mut start: [u8; 8] = bytes[..8].try_into().expect("eight bytes");
        start[4..].copy_from_slice(&(1u32 << bit).to_be_bytes());
        let seed = checksum(header.big_endian, seed, &start);
        checksum(header.big_endian, seed, &bytes[FRAME_HEADER..]) == stored
    })
}

/// The checksum of SQLite's log format; `bytes` are a multiple of eight.
fn checksum(big_endian: bool, seed: Checksum, bytes: &[u8]) -> Checksum {
    let word = |bytes: &[u8]| {
        let bytes = bytes.try_into().expect("four bytes");
        if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    bytes.chunks_exact(8).fold(seed, |[one, two], pair| {
        let one = one.wrapping_add(word(&pair[..4])).wrapping_add(two);
        let two = two.wrapping_add(word(&pair[4..])).wrapping_add(one);
        [one, two]
    })
}

// Checksums are stored big-endian whatever the order of the words they were computed over.
fn stored_checksum(bytes: &[u8]) -> Checksum {
    [u32_at(bytes, 0), u32_at(bytes, 4)]
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 512;
    const FRAME: usize = FRAME_HEADER + PAGE;

    /// Writes logs as SQLite does; the tests of `damage.rs` show that SQLite agrees.
    struct Log {
        bytes: Vec<u8>,
        seed: Checksum,
        salts: [u8; 8],
        big_endian: bool,
    }

    impl Log {
        fn new(big_endian: bool, salts: [u8; 8]) -> Self {
            let mut bytes = Vec::new();
            for word in [MAGIC + u32::from(big_endian), VERSION, PAGE as u32, 0] {
                bytes.extend_from_slice(&word.to_be_bytes());
            }
            bytes.extend_from_slice(&salts);
            let seed = checksum(big_endian, [0, 0], &bytes);
            seed.iter().for_each(|word| bytes.extend_from_slice(&word.to_be_bytes()));
            Self { bytes, seed, salts, big_endian }
        }

        fn commit(mut self, pages: &[u32]) -> Self {
            for (index, page) in pages.iter().enumerate() {
                let size = if index + 1 == pages.len() { 8u32 } else { 0 };
                let start = [page.to_be_bytes(), size.to_be_bytes()].concat();
                let content = vec![self.bytes.len() as u8 | 1; PAGE];
                self.seed = checksum(self.big_endian, self.seed, &start);
                self.seed = checksum(self.big_endian, self.seed, &content);
                self.bytes.extend_from_slice(&start);
                self.bytes.extend_from_slice(&self.salts);
                self.seed.iter().for_each(|word| self.bytes.extend_from_slice(&word.to_be_bytes()));
                self.bytes.extend_from_slice(&content);
            }
            self
        }
    }

    fn verdict(bytes: &[u8]) -> Result<Tail, String> {
        examine(bytes, bytes.len() as u64).expect("memory reads")
    }

    fn flipped(bytes: &[u8], at: usize, bit: u8) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1 << bit;
        bytes
    }

    #[test]
    fn a_whole_log_is_whole_in_both_byte_orders() {
        for big_endian in [false, true] {
            let log = Log::new(big_endian, [7; 8]).commit(&[1, 2, 5]).commit(&[5]).commit(&[1, 5, 6]);
            assert_eq!(verdict(&log.bytes), Ok(Tail::Whole));
        }
    }

    #[test]
    fn a_log_cut_anywhere_is_whole_or_torn() {
        let log = Log::new(false, [7; 8]).commit(&[1, 2, 5]).commit(&[5]).commit(&[1, 5]);
        for length in 0..=log.bytes.len() {
            let frames = length.saturating_sub(HEADER) / FRAME;
            let torn = [0, 1, 2, 0, 0, 1, 0][frames];
            let expected = if torn == 0 { Tail::Whole } else { Tail::Torn { frames: torn } };
            assert_eq!(verdict(&log.bytes[..length]), Ok(expected), "cut at {length}");
        }
    }

    #[test]
    fn any_bit_flipped_before_the_last_commit_is_refused_even_where_page_order_shows_nothing() {
        // Ascending single pages: the order of pages hides the boundaries, only marks and checksums show them.
        let log = Log::new(false, [7; 8]).commit(&[2]).commit(&[3]).commit(&[4, 5]).commit(&[6]);
        let last = log.bytes.len() - FRAME;
        for bit in 0..last * 8 {
            let damaged = flipped(&log.bytes, bit / 8, (bit % 8) as u8);
            assert!(verdict(&damaged).is_err(), "bit {bit}");
        }
        let damaged = flipped(&log.bytes, HEADER + FRAME + 100, 3);
        let message = verdict(&damaged).expect_err("in the second of four commits");
        assert!(
            message.contains("frame 2 at byte 568") && message.contains("frame 3 at byte 1104"),
            "{message}"
        );
    }

    #[test]
    fn a_hole_in_the_last_commit_is_a_torn_tail() {
        let log = Log::new(false, [7; 8]).commit(&[1, 2]).commit(&[1, 3, 4, 5]);
        for frame in 2..6 {
            let mut bytes = log.bytes.clone();
            bytes[HEADER + frame * FRAME..][..FRAME].fill(0);
            assert_eq!(verdict(&bytes), Ok(Tail::Torn { frames: 3 }), "frame {frame}");
        }
    }

    #[test]
    fn a_frame_wiped_out_before_a_later_commit_is_refused_by_page_order() {
        let log = Log::new(false, [7; 8]).commit(&[1, 4]).commit(&[4]).commit(&[1, 4, 5]);
        for frame in 0..3 {
            let mut bytes = log.bytes.clone();
            bytes[HEADER + frame * FRAME..][..FRAME].fill(0);
            assert!(verdict(&bytes).is_err(), "frame {frame}");
        }
    }

    #[test]
    fn frames_of_an_older_generation_are_not_taken_for_commits() {
        let old = Log::new(false, [6; 8]).commit(&[1, 2]).commit(&[2]).commit(&[1, 2, 3]).commit(&[3]);
        let new = Log::new(false, [7; 8]).commit(&[1, 3]).commit(&[3]);
        let restarted = [&new.bytes[..], &old.bytes[new.bytes.len()..]].concat();
        assert_eq!(verdict(&restarted), Ok(Tail::Whole));
        let torn = [&new.bytes[..HEADER + FRAME], &old.bytes[HEADER + FRAME..]].concat();
        assert_eq!(verdict(&torn), Ok(Tail::Torn { frames: 1 }));
        let damaged = flipped(&restarted, HEADER + FRAME + 7, 3);
        assert!(verdict(&damaged).is_err());
    }

    #[test]
    fn a_damaged_header_is_refused_when_anything_lies_behind_it() {
        let log = Log::new(false, [7; 8]).commit(&[1]);
        for at in 0..HEADER {
            let damaged = flipped(&log.bytes, at, 0);
            assert!(verdict(&damaged).is_err(), "byte {at}");
            assert_eq!(verdict(&damaged[..HEADER]), Ok(Tail::Whole), "byte {at}");
        }
    }
}
