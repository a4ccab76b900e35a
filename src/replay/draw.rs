//! Seeded draws, one stream of random numbers for each subject and purpose.
//!
//! A draw depends on the seed, the subject and the purpose only: not on what else is replayed, nor in which
//! order. So one day can be replayed alone and find the same customers, and so can another set of rules.

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
    /// How an agent answers an offer, and after how long.
    Answer,
}

/// A number in [0, 1) that belongs to one subject (a row, an interaction, an agent's slot) and purpose.
pub(super) fn unit(seed: u64, purpose: Purpose, subject: u64) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ (purpose as u64) << 56);
    random.set_stream(subject);
    random.random()
}
