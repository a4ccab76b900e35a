//! Money as the goals state it. The engine compares integers; the currency is whatever the business states.

use serde::{Deserialize, Serialize};

/// Millionths of one unit of the currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Money(pub i64);
