//! Money as the goals state it. The engine compares integers; the currency is whatever the business states.

use serde::{Deserialize, Serialize};

/// Millionths of one unit of the currency.
#[derive(Hash, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Money(pub i64);

/// What so much in so long comes to in an hour.
pub(super) fn per_hour(amount: i64, in_ms: u64) -> i64 {
    const HOUR_MS: i64 = 3_600_000;
    let ms = in_ms.max(1);
    // 128 bits are slow to divide.
    match amount.checked_mul(HOUR_MS) {
        Some(product) => product / i64::try_from(ms).unwrap_or(i64::MAX),
        None => super::fixed::narrow(i128::from(amount) * i128::from(HOUR_MS) / i128::from(ms)),
    }
}
