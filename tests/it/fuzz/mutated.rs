//! Changes to bytes, such as they hurt: bits, lengths that say too much, pieces lost, doubled and moved.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Bytes at which decoders go wrong, if they do: numbers of many bytes among them.
const SHARP: [&[u8]; 8] = [
    &[0],
    &[1],
    &[0x7f],
    &[0x80],
    &[0xff],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
];

/// Draws that follow from a seed.
pub struct Luck(ChaCha8Rng);

impl Luck {
    pub fn new(seed: u64) -> Luck {
        Luck(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 0 to `bound` - 1, and 0 for none.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).expect("a size of memory");
        usize::try_from(self.number() % bound).expect("it is below a size")
    }

    pub fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    pub fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; self.below(most + 1)];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// As a move of `chance` wants them.
    pub fn numbers(&mut self) -> [u32; 5] {
        [(); 5].map(|()| self.0.next_u32())
    }

    /// Changes bytes in one to four places, behind the first `from`.
    pub fn change(&mut self, bytes: &mut Vec<u8>, from: usize) {
        for _ in 0..1 + self.below(4) {
            if bytes.len() > from {
                self.change_once(bytes, from);
            }
        }
    }

    fn change_once(&mut self, bytes: &mut Vec<u8>, from: usize) {
        let at = from + self.below(bytes.len() - from);
        let end = bytes.len().min(at + 1 + self.below(32));
        match self.below(8) {
            0 | 1 => bytes[at] ^= 1 << self.below(8),
            2 => bytes[at] = self.bytes(1).pop().unwrap_or(at.to_le_bytes()[0]),
            3 | 4 => {
                let sharp = self.one_of(&SHARP);
                let end = bytes.len().min(at + self.below(sharp.len() + 1));
                drop(bytes.splice(at..end, sharp.iter().copied()));
            }
            5 => drop(bytes.drain(at..end)),
            6 => {
                let piece = bytes[at..end].to_vec();
                let to = from + self.below(bytes.len() - from);
                drop(bytes.splice(to..to, piece));
            }
            _ => bytes.truncate(at),
        }
    }
}
