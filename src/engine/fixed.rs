//! Fractions and the two functions prices need, in integers: the same on every machine.
//!
//! A fraction is in parts of `ONE`. e^(-x) is read off a table with linear interpolation, powers of a fraction off a
//! table of their own; both are within 10^-4 of the true value (tested against floating point).

use serde::{Deserialize, Serialize};

/// A fraction of 1, or a factor, in 65,536ths.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Part(pub u32);

impl Part {
    /// Nothing of it.
    pub const ZERO: Part = Part(0);
    /// All of it.
    pub const ONE: Part = Part(1 << 16);

    /// So many thousandths.
    pub const fn thousandths(thousandths: u32) -> Part {
        Part((((thousandths as u64) << 16) / 1_000) as u32)
    }

    /// This much of an amount, rounded down.
    pub fn of(self, amount: i64) -> i64 {
        narrow((i128::from(amount) * i128::from(self.0)) >> 16)
    }

    /// One fraction of another.
    pub fn times(self, other: Part) -> Part {
        Part(u32::try_from((u64::from(self.0) * u64::from(other.0)) >> 16).unwrap_or(u32::MAX))
    }

    /// What is left of 1; nothing if it is more than 1.
    pub fn rest(self) -> Part {
        Part(Part::ONE.0.saturating_sub(self.0))
    }

    /// A quotient as a fraction; the greatest there is if it is greater.
    pub fn quotient(part: u64, whole: u64) -> Part {
        // Dividing 128 bits takes several times as long.
        if part < 1 << 48 {
            let parts = (part << 16).checked_div(whole);
            return Part(parts.and_then(|parts| u32::try_from(parts).ok()).unwrap_or(u32::MAX));
        }
        let parts = (u128::from(part) << 16).checked_div(u128::from(whole));
        Part(parts.and_then(|parts| u32::try_from(parts).ok()).unwrap_or(u32::MAX))
    }
}

/// What is left of 1 if it halves with each half-life.
pub fn half_after(half_life_ms: u64, ms: u64) -> Part {
    /// ln 2, in 65,536ths.
    const LN_2: u128 = 45_426;
    let (ms, whole) = (u128::from(ms) * LN_2, u128::from(half_life_ms) << 16);
    // Beyond the table it is nothing.
    match u64::try_from(whole) {
        Ok(whole) => falling_by(u64::try_from(ms).unwrap_or(u64::MAX), whole),
        Err(_) => Part::ONE,
    }
}

/// An amount that a limit keeps within 64 bits.
pub(super) fn narrow(amount: i128) -> i64 {
    i64::try_from(amount).unwrap_or(if amount < 0 { i64::MIN } else { i64::MAX })
}

/// Steps of the table of e^(-x) in 1.
const STEPS: u64 = 64;
/// Beyond so much e^(-x) is nothing.
const FAR: u64 = 12;
const ENTRIES: usize = (STEPS * FAR) as usize + 2;
/// Bits of a table's entry behind the point.
const TABLE_BITS: u32 = 32;

/// e^(-k/64), in 2^-32.
static FALLING: [u64; ENTRIES] = falling();

/// By repeated multiplication with e^(-1/64), which is the series to its fourth term in 2^-62.
const fn falling() -> [u64; ENTRIES] {
    const BITS: u32 = 62;
    let one = 1_i128 << BITS;
    let step = one / STEPS as i128;
    let mut factor = one;
    let (mut term, mut n) = (one, 1);
    while n <= 8 {
        term = ((term * step) >> BITS) / n;
        factor += if n % 2 == 1 { -term } else { term };
        n += 1;
    }
    let mut all = [0; ENTRIES];
    let (mut value, mut k) = (one, 0);
    while k < ENTRIES {
        all[k] = (value >> (BITS - TABLE_BITS)) as u64;
        value = (value * factor) >> BITS;
        k += 1;
    }
    all
}

/// e^(-part/whole). `whole` 0 stands for a whole that is infinitely small.
pub fn falling_by(part: u64, whole: u64) -> Part {
    if part == 0 {
        return Part::ONE;
    }
    if whole == 0 || part / whole >= FAR {
        return Part::ZERO;
    }
    // x in 64ths, and what is beyond those in 2^-16. Times are far below 2^42 ms, and 128 bits are slow to divide.
    let x = match part < 1 << 42 {
        true => ((part * STEPS) << 16) / whole,
        false => u64::try_from(((u128::from(part) * u128::from(STEPS)) << 16) / u128::from(whole))
            .unwrap_or(u64::MAX),
    };
    let (entry, within) = ((x >> 16) as usize, x & 0xffff);
    let (Some(here), Some(next)) = (FALLING.get(entry), FALLING.get(entry + 1)) else { return Part::ZERO };
    let value = here - (((here - next) * within) >> 16);
    Part(((value + (1 << 15)) >> 16) as u32)
}

/// Powers that are kept: beyond the last a power counts as the last.
pub const POWERS: usize = 64;

/// 1, and a fraction once, twice, … multiplied by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Part", into = "Part")]
pub struct Powers([Part; POWERS]);

impl Powers {
    /// Of a fraction of 1.
    pub fn of(base: Part) -> Powers {
        let mut value = 1_u64 << 32;
        Powers(std::array::from_fn(|_| {
            let here = Part(((value + (1 << 15)) >> 16) as u32);
            value = (value * u64::from(base.0)) >> 16;
            here
        }))
    }

    /// To this power.
    pub fn to(&self, power: u32) -> Part {
        self.0[(power as usize).min(POWERS - 1)]
    }
}

impl From<Part> for Powers {
    fn from(base: Part) -> Powers {
        Powers::of(base)
    }
}

impl From<Powers> for Part {
    fn from(powers: Powers) -> Part {
        powers.to(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_an_amount_keeps_its_sign_and_never_overflows() {
        assert_eq!(Part::thousandths(500).of(-3_000_000), -1_500_000);
        assert_eq!(Part(u32::MAX).of(i64::MAX), i64::MAX);
        assert_eq!(Part::quotient(3, 0), Part(u32::MAX));
        assert_eq!(Part::quotient(1, 4), Part::thousandths(250));
    }
}
