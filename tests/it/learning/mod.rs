//! What is learned from a floor: against figures that are known exactly, and against floors whose truth is known.

mod handle_time;
mod january;
mod patience;
mod replayed;
mod shares;
mod switchback;
mod taught;
mod told;
mod waiting;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Equal in the eight digits that are given.
fn assert_digits(what: &str, found: f64, given: f64) {
    let unit = 10_f64.powf(given.abs().max(1e-300).log10().floor() - 7.0);
    assert!((found - given).abs() <= 0.5001 * unit + 1e-12, "{what}: {found} instead of {given}");
}

fn draw(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn exponential(luck: &mut ChaCha8Rng, mean: f64) -> f64 {
    -mean * (1.0 - luck.random::<f64>()).ln()
}

/// Box and Muller.
fn normal(luck: &mut ChaCha8Rng) -> f64 {
    let (radius, turn): (f64, f64) = (exponential(luck, 2.0).sqrt(), luck.random());
    radius * (turn * std::f64::consts::TAU).cos()
}
