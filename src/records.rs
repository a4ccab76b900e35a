//! Files of records, plain or gzipped.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// Opens one. Whether it is gzipped is seen from its first two bytes, since names lie.
pub(crate) fn open(file: &Path) -> io::Result<Box<dyn Read>> {
    let mut plain = BufReader::new(File::open(file)?);
    let gzipped = plain.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if gzipped { Box::new(MultiGzDecoder::new(plain)) } else { Box::new(plain) })
}
