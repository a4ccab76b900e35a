//! What a trial came to: two policies in blocks of time, block against block of the same pair (ALGORITHM.md 2.6).

use crate::engine::policy::Arm;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The 97.5 % point of the normal distribution.
const NORMAL: f64 = 1.959_964;

/// Values of the contacts of one block.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Sums {
    count: f64,
    sum: f64,
}

impl Sums {
    fn mean(self) -> f64 {
        self.sum / self.count
    }
}

/// One figure of the contacts, by pair of blocks and by policy.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Switchback {
    pairs: BTreeMap<u64, [Sums; 2]>,
}

/// What the other policy changes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lift {
    /// Mean of the contacts under the usual policy, and under the other.
    pub usual: f64,
    pub other: f64,
    /// Other less usual, pair by pair, each pair with the weight of its contacts.
    pub difference: f64,
    /// Half the width of the 95 % interval of the difference. Pairs are what is counted, not contacts: those of a block
    /// share its agents and its rush.
    pub half_width: f64,
    pub pairs: u64,
    pub contacts: u64,
}

impl Switchback {
    /// A contact that came in a block of this pair, under this policy.
    pub fn record(&mut self, pair: u64, arm: Arm, value: f64) {
        let sums = &mut self.pairs.entry(pair).or_default()[usize::from(arm == Arm::Other)];
        sums.count += 1.0;
        sums.sum += value;
    }

    /// The estimate. `None` before two pairs had contacts under both policies.
    pub fn lift(&self) -> Option<Lift> {
        let whole: Vec<[Sums; 2]> =
            self.pairs.values().copied().filter(|arms| arms.iter().all(|sums| sums.count > 0.0)).collect();
        if whole.len() < 2 {
            return None;
        }
        let all = |arm: usize| {
            let add = |all: Sums, arms: &[Sums; 2]| Sums {
                count: all.count + arms[arm].count,
                sum: all.sum + arms[arm].sum,
            };
            whole.iter().fold(Sums::default(), add)
        };
        let weight = |arms: &[Sums; 2]| arms[0].count * arms[1].count / (arms[0].count + arms[1].count);
        let difference = |arms: &[Sums; 2]| arms[1].mean() - arms[0].mean();
        let weights: f64 = whole.iter().map(weight).sum();
        let mean = whole.iter().map(|arms| weight(arms) * difference(arms)).sum::<f64>() / weights;
        let square = |arms: &[Sums; 2]| (weight(arms) * (difference(arms) - mean)).powi(2);
        let count = whole.len() as f64;
        let variance = whole.iter().map(square).sum::<f64>() / weights.powi(2) * count / (count - 1.0);
        let (usual, other) = (all(0), all(1));
        Some(Lift {
            usual: usual.mean(),
            other: other.mean(),
            difference: mean,
            half_width: NORMAL * variance.sqrt(),
            pairs: whole.len() as u64,
            contacts: (usual.count + other.count) as u64,
        })
    }
}
