//! Small centres whose optimal routing is known: marginal cost, with the defaults and holds as long as they pay, comes
//! near it.
//!
//! The cost is measured beside that of a rule whose cost is known exactly too, the value of a second before agents with
//! few skills, on the same customers: what both have in common cancels out.

use super::*;
use baton::simulate::{Piece, Stream, day};

/// Mean gap to the optimum, per cent, and the greatest of one design.
const MEAN_MAX: f64 = 0.6;
const WORST_MAX: f64 = 1.5;

struct Design {
    name: &'static str,
    /// The kinds each agent serves.
    agents: &'static [&'static [usize]],
    per_hour: [f64; 2],
    patience_s: f64,
    /// What an hour of waiting costs, by kind.
    waiting: [f64; 2],
    /// Cost of an hour by value iteration: of the optimum, and of the known rule.
    optimum: f64,
    rule: f64,
}

const N: &[&[usize]] = &[&[0], &[0], &[0, 1], &[0, 1]];
const V: &[&[usize]] = &[&[0, 1], &[0, 1], &[0, 1], &[0, 1]];
const M: &[&[usize]] = &[&[0], &[0, 1], &[1]];

const DESIGNS: [Design; 6] = [
    Design {
        name: "N, load 0.85",
        agents: N,
        per_hour: [22.44, 18.36],
        patience_s: 750.0,
        waiting: [12.0, 48.0],
        optimum: 35.805489,
        rule: 39.555279,
    },
    Design {
        name: "V, load 0.85",
        agents: V,
        per_hour: [20.4, 20.4],
        patience_s: 1_200.0,
        waiting: [36.0, 12.0],
        optimum: 21.304498,
        rule: 21.304498,
    },
    Design {
        name: "M, load 0.85",
        agents: M,
        per_hour: [14.28, 14.28],
        patience_s: 750.0,
        waiting: [12.0, 12.0],
        optimum: 10.05399,
        rule: 10.139397,
    },
    Design {
        name: "N, load 1",
        agents: N,
        per_hour: [26.4, 21.6],
        patience_s: 750.0,
        waiting: [12.0, 48.0],
        optimum: 55.138483,
        rule: 60.512345,
    },
    Design {
        name: "V, load 1",
        agents: V,
        per_hour: [24.0, 24.0],
        patience_s: 1_200.0,
        waiting: [36.0, 12.0],
        optimum: 38.41061,
        rule: 38.41061,
    },
    Design {
        name: "M, load 1",
        agents: M,
        per_hour: [16.8, 16.8],
        patience_s: 750.0,
        waiting: [12.0, 12.0],
        optimum: 15.612088,
        rule: 15.772767,
    },
];

impl Design {
    fn centre(&self) -> Centre {
        let kind = |number: usize| Kind {
            waiting_per_minute: self.waiting[number] / 60.0,
            patience_s: self.patience_s,
            ..kind(["a", "b"][number], 300.0)
        };
        Centre {
            kinds: vec![kind(0), kind(1)],
            agents: self.agents.iter().map(|kinds| member(300.0, kinds)).collect(),
            staffing: Vec::new(),
        }
    }

    fn day(&self, arrivals: u64, seed: u64) -> Day {
        let until_s = arrivals as f64 / (self.per_hour[0] + self.per_hour[1]) * 3_600.0;
        let patience = Spread::Exponential { mean: self.patience_s };
        let work = Spread::Exponential { mean: 1.0 };
        let stream = |kind: usize| {
            Stream::steady(kind, Piece { until_s, per_hour: self.per_hour[kind], patience, work })
        };
        day(&[stream(0), stream(1)], 1.0, seed)
    }

    /// What an hour of the batch costs.
    fn cost(&self, batch: &Batch) -> f64 {
        let waits = batch.customers.iter().map(|(visit, fate)| self.waiting[visit.kind] * waited(fate));
        waits.sum::<f64>() / batch.lasts_s
    }

    /// The gap to the optimum and its standard error, per cent.
    fn gap(&self, arrivals: u64, seed: u64) -> (f64, f64) {
        let (centre, day) = (self.centre(), self.day(arrivals, seed));
        // Of two kinds that are worth the same the first comes first, as in the iteration.
        let mut ordered = centre.clone();
        ordered.kinds[0].waiting_per_minute += 0.000_01;
        let ours = Observed::of(&day, &outcome(&centre, &day, Choice::MarginalCost));
        let rule = Observed::of(&day, &outcome(&ordered, &day, Choice::CmuTheta));
        let costs: Vec<[f64; 2]> = ours
            .batches()
            .zip(rule.batches())
            .map(|(ours, rule)| [self.cost(&ours), self.cost(&rule)])
            .collect();
        let mean = |of: &dyn Fn(&[f64; 2]) -> f64| costs.iter().map(of).sum::<f64>() / BATCHES as f64;
        let (mean_ours, mean_rule) = (mean(&|both| both[0]), mean(&|both| both[1]));
        // As much of the rule's own luck as ours goes with.
        let shared = mean(&|both| (both[0] - mean_ours) * (both[1] - mean_rule))
            / mean(&|both| (both[1] - mean_rule).powi(2));
        let cost = mean_ours - shared * (mean_rule - self.rule);
        let rest = |both: &[f64; 2]| (both[0] - mean_ours - shared * (both[1] - mean_rule)).powi(2);
        let error = (mean(&rest) / (BATCHES - 2) as f64).sqrt();
        ((cost / self.optimum - 1.0) * 100.0, error / self.optimum * 100.0)
    }
}

#[test]
fn marginal_cost_comes_near_the_optimum() {
    let (mut sum, mut variance, mut wrong) = (0.0, 0.0, Vec::new());
    for (seed, design) in (700..).zip(&DESIGNS) {
        let (gap, error) = design.gap(arrivals(40_000), seed);
        if std::env::var_os("BATON_ARRIVALS").is_some() {
            println!("{}: {gap:+.3} % +- {error:.3}", design.name);
        }
        if gap - ERRORS_MAX * error > WORST_MAX {
            wrong.push(format!("{}: {gap:+.2} % above the optimum, +- {error:.2}", design.name));
        }
        (sum, variance) = (sum + gap, variance + error * error);
    }
    let (mean, error) = (sum / DESIGNS.len() as f64, variance.sqrt() / DESIGNS.len() as f64);
    if mean - ERRORS_MAX * error > MEAN_MAX {
        wrong.push(format!("in the mean {mean:+.2} % above, +- {error:.2}"));
    }
    assert!(wrong.is_empty(), "too far from the optimum:\n{}", wrong.join("\n"));
}
