//! How long somebody will wait who has so many ahead.

use super::quantile::gamma_quantile;

/// Terms that are summed one by one; the rest is an integral, off by less than a hundred-millionth of it.
const TERMS_MAX: u32 = 10_000;

/// A wait that is not known yet.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Wait {
    pub mean_ms: f64,
    /// Its variance, ms squared.
    pub variance: f64,
}

impl Wait {
    /// Of who has so many ahead in routing order, if all agents who could serve them are busy: one after the other leaves
    /// the line, for an agent or because they hang up, each after an exponential time. `starts_per_ms`, above 0, is how fast
    /// agents take from the line (agents / mean handle time, if all work on nothing else), `abandons_per_ms`, 0 or more,
    /// how fast one who waits hangs up.
    ///
    /// Mean: sum over j = 0..=ahead of 1 / (starts + j x abandons) (Whitt 1999; ALGORITHM.md, 5); variance: sum of the
    /// squares, the times being independent.
    pub fn behind(ahead: u32, starts_per_ms: f64, abandons_per_ms: f64) -> Wait {
        let one_by_one = ahead.min(TERMS_MAX);
        let (mut mean_ms, mut variance) = (0.0, 0.0);
        for place in 0..=one_by_one {
            let step_ms = 1.0 / (starts_per_ms + f64::from(place) * abandons_per_ms);
            mean_ms += step_ms;
            variance += step_ms * step_ms;
        }
        let rest = f64::from(ahead - one_by_one);
        if rest > 0.0 {
            // Midpoint rule, backwards: each term stands for half a place on either side of it.
            let nearest = starts_per_ms + (f64::from(one_by_one) + 0.5) * abandons_per_ms;
            let farthest = nearest + rest * abandons_per_ms;
            let log_mean = if abandons_per_ms > 0.0 {
                (farthest / nearest).ln() / abandons_per_ms
            } else {
                rest / nearest
            };
            mean_ms += log_mean;
            variance += rest / (nearest * farthest);
        }
        Wait { mean_ms, variance }
    }

    /// As of one exponential time, of which nothing but the mean is known.
    pub fn about(mean_ms: f64) -> Wait {
        Wait { mean_ms, variance: mean_ms * mean_ms }
    }

    /// The same if how fast agents take is an estimate, whose variance over its square is `doubt`: what the mean changes by
    /// with the rate is the variance above, so (variance x rate)^2 x doubt is added to it.
    pub fn with_doubt(self, starts_per_ms: f64, doubt: f64) -> Wait {
        Wait { variance: self.variance + (self.variance * starts_per_ms).powi(2) * doubt, ..self }
    }

    /// The wait, ms, that this share (above 0, below 1) of those in this place stay below: of a gamma distribution with this
    /// mean and variance, see [`gamma_quantile`].
    pub fn quantile_ms(&self, share: f64) -> f64 {
        gamma_quantile(self.mean_ms, self.variance, share)
    }
}
