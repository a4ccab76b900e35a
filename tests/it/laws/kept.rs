//! A state in pieces, as a snapshot has it, but without a file.

use baton::engine::kept::{Keep, Kept};
use baton::engine::shard::Shard;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[derive(Default)]
struct Pieces(Vec<u8>);

impl Keep for Pieces {
    type Error = postcard::Error;

    fn keep(&mut self, piece: &impl Serialize) -> Result<(), postcard::Error> {
        self.0 = postcard::to_extend(piece, std::mem::take(&mut self.0))?;
        Ok(())
    }
}

struct Read<'a>(&'a [u8]);

impl Kept for Read<'_> {
    type Error = postcard::Error;

    fn next<T: DeserializeOwned>(&mut self) -> Result<T, postcard::Error> {
        let (piece, rest) = postcard::take_from_bytes(self.0)?;
        self.0 = rest;
        Ok(piece)
    }

    fn unfit(&self, what: &'static str) -> postcard::Error {
        panic!("{what}")
    }
}

/// The same state, from its pieces. Kept once more it gives the same pieces.
pub fn read_again(shard: &Shard) -> Shard {
    let mut kept = Pieces::default();
    shard.keep(&mut kept).expect("a state has no part that cannot be encoded");
    let mut read = Read(&kept.0);
    let again = Shard::from_kept(&mut read).expect("what was kept can be read");
    assert!(read.0.is_empty(), "nothing is left over");
    let mut twice = Pieces::default();
    again.keep(&mut twice).expect("a state has no part that cannot be encoded");
    assert!(kept.0 == twice.0, "what was read again is kept alike");
    again
}
