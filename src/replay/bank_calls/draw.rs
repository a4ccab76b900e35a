//! Seeded draws, one stream of random numbers per call and purpose.
//!
//! A draw depends on the seed, the row and the purpose only: not on which other calls are replayed, nor in
//! which order, so one day can be replayed alone and find the same customers.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What is drawn. Each has random numbers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// How much longer a served customer would have waited.
    Patience,
    /// How long the call of a customer who left would have taken.
    Work,
    /// Whether an agent is available in a slot of time.
    Availability,
}

/// A number in [0, 1) that belongs to one subject (a row, an agent's slot) and purpose.
pub(super) fn unit(seed: u64, purpose: Purpose, subject: u64) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ (purpose as u64) << 56);
    random.set_stream(subject);
    random.random()
}
