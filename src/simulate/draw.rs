//! Luck from a seed: the same numbers for the same seed, whatever else is drawn elsewhere.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A source of random numbers.
#[derive(Clone, Debug)]
pub struct Luck(ChaCha8Rng);

impl Luck {
    /// Each stream of a seed is independent of its others, so that one more stream changes nothing in the rest.
    pub fn new(seed: u64, stream: u64) -> Luck {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        source.set_stream(stream);
        Luck(source)
    }

    /// Evenly from 0 to 1, 1 excluded.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of so many, the first being 0.
    pub fn below(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// Exponential, mean 1, by inversion.
    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.uniform()).ln()
    }

    /// Normal, mean 0 and deviation 1: one half of what Box and Muller give for two numbers.
    pub fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Gamma of this shape, mean the shape (Marsaglia and Tsang 2000).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let smaller = self.uniform().powf(1.0 / shape);
            return smaller * self.gamma(shape + 1.0);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            // A uniform number that is exactly 0 has a logarithm of minus infinity, and is taken.
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

/// How a quantity is spread.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Spread {
    /// Always the same; without end, it never happens.
    Fixed(f64),
    Exponential {
        mean: f64,
    },
    /// Evenly between 0 and twice the mean.
    Uniform {
        mean: f64,
    },
    /// The sum of two exponential halves.
    Erlang2 {
        mean: f64,
    },
    /// `cv` is the deviation over the mean.
    Lognormal {
        mean: f64,
        cv: f64,
    },
    Gamma {
        mean: f64,
        cv: f64,
    },
}

impl Spread {
    /// What never happens, as a time.
    pub const NEVER: Spread = Spread::Fixed(f64::INFINITY);

    /// One of it.
    pub fn draw(self, luck: &mut Luck) -> f64 {
        match self {
            Spread::Fixed(value) => value,
            Spread::Exponential { mean } => mean * luck.exponential(),
            Spread::Uniform { mean } => 2.0 * mean * luck.uniform(),
            Spread::Erlang2 { mean } => mean / 2.0 * (luck.exponential() + luck.exponential()),
            Spread::Lognormal { mean, cv } => mean * lognormal(luck, cv),
            Spread::Gamma { mean, cv } if cv > 0.0 => {
                let shape = 1.0 / (cv * cv);
                mean / shape * luck.gamma(shape)
            }
            Spread::Gamma { mean, .. } => mean,
        }
    }
}

/// Lognormal with mean 1.
fn lognormal(luck: &mut Luck, cv: f64) -> f64 {
    let variance = (1.0 + cv * cv).ln();
    (variance.sqrt() * luck.normal() - variance / 2.0).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean and cv of many.
    fn moments(spread: Spread) -> (f64, f64) {
        let (mut luck, many) = (Luck::new(1, 0), 200_000);
        let drawn: Vec<f64> = (0..many).map(|_| spread.draw(&mut luck)).collect();
        let mean = drawn.iter().sum::<f64>() / f64::from(many);
        let variance = drawn.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / f64::from(many);
        (mean, variance.sqrt() / mean)
    }

    #[test]
    fn every_spread_has_its_mean_and_its_deviation() {
        for (spread, cv) in [
            (Spread::Fixed(90.0), 0.0),
            (Spread::Exponential { mean: 90.0 }, 1.0),
            (Spread::Uniform { mean: 90.0 }, 1.0 / 3.0_f64.sqrt()),
            (Spread::Erlang2 { mean: 90.0 }, 0.5_f64.sqrt()),
            (Spread::Lognormal { mean: 90.0, cv: 1.0 }, 1.0),
            (Spread::Gamma { mean: 90.0, cv: 0.06 }, 0.06),
            (Spread::Gamma { mean: 90.0, cv: 2.0 }, 2.0),
        ] {
            let (mean, deviation) = moments(spread);
            assert!((mean - 90.0).abs() < 90.0 * 0.015, "{spread:?}: mean {mean}");
            assert!((deviation - cv).abs() < 0.03 * cv + 1e-9, "{spread:?}: cv {deviation}");
        }
    }

    #[test]
    fn a_seed_gives_the_same_numbers_and_its_streams_are_apart() {
        let first = |seed, stream| Luck::new(seed, stream).uniform();
        assert_eq!(first(7, 1), first(7, 1));
        assert_ne!(first(7, 1), first(7, 2));
        assert_ne!(first(7, 1), first(8, 1));
    }
}
