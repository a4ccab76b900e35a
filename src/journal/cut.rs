//! Whether a SQLite file was cut.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::wal;

/// A SQLite file that ends before the pages its header counts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Bytes.
    length: u64,
    pages: u64,
    /// Bytes of each.
    page_size: u64,
}

impl Cut {
    /// Looks at the file's header (format: offsets 16 and 28) and its length. SQLite itself would read what is missing
    /// as empty, or find it out at the first page that is not there, long after we had begun to serve.
    ///
    /// A file whose log has something in it is taken for whole: when the log is moved into the file, the page with the
    /// header is the first that arrives, and whoever is killed meanwhile leaves the rest in the log.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        let logged = fs::metadata(wal::path_of(path)).is_ok_and(|log| log.len() > wal::HEADER as u64);
        let mut header = [0; 32];
        let mut file = File::open(path)?;
        file.read_exact(&mut header)?;
        let length = file.metadata()?.len();
        let page_size = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            size => u64::from(size),
        };
        let pages = u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]));
        let whole = logged || length >= pages * page_size;
        Ok(header.starts_with(MAGIC).then_some(Self { length, pages, page_size }).filter(|_| !whole))
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { length, pages, page_size } = self;
        write!(f, "it has {length} bytes, its header counts {pages} pages of {page_size}: it was cut")
    }
}

/// What every SQLite file begins with.
pub(super) const MAGIC: &[u8; 16] = b"SQLite format 3\0";
