//! Several ways to tell one figure, blended by how well each has told it: recursive least squares with forgetting
//! (Plackett 1950), which in the long run is no worse than the best of them.

use serde::{Deserialize, Serialize};

/// Ways that are blended.
pub const WAYS: usize = 4;
/// What was seen some five hundred cases ago counts half.
const FORGETS: f64 = 0.9986;
/// How little the first weights are trusted: variance of each, against an error of 1.
const DOUBT: f64 = 0.05;

/// Weights, and how sure they are.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Blend {
    weights: [f64; WAYS],
    /// The inverse of the sum of what was seen, as a matrix.
    spread: [[f64; WAYS]; WAYS],
}

impl Blend {
    /// Trusts these weights at first.
    pub fn new(weights: [f64; WAYS]) -> Blend {
        let mut spread = [[0.0; WAYS]; WAYS];
        (0..WAYS).for_each(|at| spread[at][at] = DOUBT);
        Blend { weights, spread }
    }

    /// The figure, as these say it.
    pub fn of(&self, said: &[f64; WAYS]) -> f64 {
        self.weights.iter().zip(said).map(|(weight, said)| weight * said).sum()
    }

    /// What it came to when these said it.
    pub fn record(&mut self, said: &[f64; WAYS], came: f64) {
        let gain: [f64; WAYS] = std::array::from_fn(|row| dot(&self.spread[row], said));
        let scale = FORGETS + dot(&gain, said);
        let error = came - self.of(said);
        for (weight, gain) in self.weights.iter_mut().zip(gain) {
            *weight += gain / scale * error;
        }
        for (row, down) in self.spread.iter_mut().zip(gain) {
            for (spread, across) in row.iter_mut().zip(gain) {
                let kept = *spread - down * across / scale;
                // What is not seen any more is not forgotten for ever.
                *spread = (kept / FORGETS).clamp(-DOUBT, DOUBT);
            }
        }
    }
}

fn dot(one: &[f64; WAYS], other: &[f64; WAYS]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_tells_right_gets_the_weight() {
        let mut blend = Blend::new([1.0, 0.0, 0.0, 0.0]);
        for case in 0..2_000_u32 {
            let [one, two] = [f64::from(case % 7), f64::from(case % 11)];
            blend.record(&[one, two, 1.0, 0.0], 0.5 * two + 2.0);
        }
        let told = blend.of(&[3.0, 4.0, 1.0, 0.0]);
        assert!((told - 4.0).abs() < 0.01, "{told}");
    }
}
