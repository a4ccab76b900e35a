//! Policies side by side on the same days, and how they differ.

use super::choice::Choice;
use super::interval::half_width;
use super::outcome::Figures;
use super::parallel;
use super::run::{Run, run};
use super::scenario::Scenario;
use crate::engine::policy::Marginal;
use serde::Serialize;

/// How a scenario is run.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The first is what the others are compared with.
    pub choices: Vec<Choice>,
    pub marginal: Marginal,
    /// `None`: an interaction is held as long as it pays.
    pub hold_max_ms: Option<u64>,
}

/// A floor under several policies.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Comparison {
    pub floor: String,
    pub days: u32,
    pub seed: u64,
    pub agents: usize,
    /// In the mean of the days, as are all figures.
    pub calls: f64,
    pub policies: Vec<PolicyFigures>,
    pub differences: Vec<Difference>,
}

/// What a day costs and how it goes.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PolicyFigures {
    pub policy: &'static str,
    pub cost: f64,
    /// Half the width of the 95 % interval, as with every `_ci`.
    pub cost_ci: f64,
    pub service_cost: f64,
    pub service_cost_ci: f64,
    /// Answered in time, of all but those who left before the target.
    pub sl: f64,
    pub abandoned: f64,
    pub asa_s: f64,
    pub p95_s: f64,
    pub gini: f64,
    pub resolution: f64,
}

/// A policy less the first on the same days. Costs in per cent of the first's, shares in points of a hundred.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Difference {
    pub policy: &'static str,
    pub against: &'static str,
    pub cost_percent: f64,
    pub cost_percent_ci: f64,
    pub service_cost_percent: f64,
    pub service_cost_percent_ci: f64,
    pub sl_points: f64,
    pub sl_points_ci: f64,
    pub abandoned_points: f64,
    pub abandoned_points_ci: f64,
    pub resolution_points: f64,
    pub resolution_points_ci: f64,
    pub asa_s: f64,
    pub asa_s_ci: f64,
}

/// Runs every day under every policy.
pub fn compare(scenario: &Scenario, terms: &Terms, progress: &mut dyn FnMut(u64, u64)) -> Comparison {
    let policies = terms.choices.len();
    let figures = parallel::all(
        scenario.days as usize * policies,
        |number| {
            let day = scenario.day(u32::try_from(number / policies).expect("days are counted in 32 bits"));
            let choice = terms.choices[number % policies];
            let (marginal, hold_max_ms) = (terms.marginal, terms.hold_max_ms);
            let how = Run { choice, marginal, hold_max_ms, seed: 0 };
            run(&scenario.centre, &day, how).figures(&scenario.centre, &day)
        },
        progress,
    );
    let of = |policy: usize| figures.iter().skip(policy).step_by(policies).copied().collect();
    let by_policy: Vec<Vec<Figures>> = (0..policies).map(of).collect();
    let named = || terms.choices.iter().zip(&by_policy);
    Comparison {
        floor: scenario.name.clone(),
        days: scenario.days,
        seed: scenario.seed,
        agents: scenario.centre.agents.len(),
        calls: mean(&by_policy[0], |day| day.calls as f64),
        policies: named().map(|(choice, days)| PolicyFigures::new(*choice, days)).collect(),
        differences: named()
            .skip(1)
            .map(|(choice, days)| Difference::new(*choice, days, terms.choices[0], &by_policy[0]))
            .collect(),
    }
}

impl PolicyFigures {
    fn new(choice: Choice, days: &[Figures]) -> PolicyFigures {
        PolicyFigures {
            policy: choice.name(),
            cost: mean(days, |day| day.cost),
            cost_ci: half_width(days.iter().map(|day| day.cost)),
            service_cost: mean(days, |day| day.service_cost),
            service_cost_ci: half_width(days.iter().map(|day| day.service_cost)),
            sl: mean(days, |day| day.service_level),
            abandoned: mean(days, |day| day.abandoned),
            asa_s: mean(days, |day| day.mean_wait_s),
            p95_s: mean(days, |day| day.p95_wait_s),
            gini: mean(days, |day| day.gini),
            resolution: mean(days, |day| day.resolution),
        }
    }
}

impl Difference {
    fn new(choice: Choice, days: &[Figures], first: Choice, firsts: &[Figures]) -> Difference {
        let differences = |of: fn(&Figures) -> f64, unit: f64| {
            let less = move |(day, first): (&Figures, &Figures)| (of(day) - of(first)) * unit;
            let all: Vec<f64> = days.iter().zip(firsts).map(less).collect();
            (all.iter().sum::<f64>() / all.len() as f64, half_width(all.into_iter()))
        };
        let percent = |of: fn(&Figures) -> f64| match mean(firsts, of) {
            base if base > 0.0 => differences(of, 100.0 / base),
            _ => (0.0, 0.0),
        };
        let (cost_percent, cost_percent_ci) = percent(|day| day.cost);
        let (service_cost_percent, service_cost_percent_ci) = percent(|day| day.service_cost);
        let (sl_points, sl_points_ci) = differences(|day| day.service_level, 100.0);
        let (abandoned_points, abandoned_points_ci) = differences(|day| day.abandoned, 100.0);
        let (resolution_points, resolution_points_ci) = differences(|day| day.resolution, 100.0);
        let (asa_s, asa_s_ci) = differences(|day| day.mean_wait_s, 1.0);
        Difference {
            policy: choice.name(),
            against: first.name(),
            cost_percent,
            cost_percent_ci,
            service_cost_percent,
            service_cost_percent_ci,
            sl_points,
            sl_points_ci,
            abandoned_points,
            abandoned_points_ci,
            resolution_points,
            resolution_points_ci,
            asa_s,
            asa_s_ci,
        }
    }
}

fn mean(days: &[Figures], of: impl Fn(&Figures) -> f64) -> f64 {
    days.iter().map(of).sum::<f64>() / days.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_has_the_same_days_and_a_seed_gives_the_same_figures() {
        let floor = crate::simulate::floor("bank").expect("it is shipped");
        let scenario = Scenario::new(&floor, Some(2), Some(5)).expect("it can be run");
        let choices = vec![Choice::LongestIdle, Choice::LongestIdle, Choice::MarginalCost];
        let terms = Terms { choices, marginal: Marginal::default(), hold_max_ms: Some(60_000) };
        let mut last = (0, 0);
        let once = compare(&scenario, &terms, &mut |done, total| last = (done, total));
        assert_eq!(last, (6, 6));
        assert_eq!(once, compare(&scenario, &terms, &mut |_, _| {}));
        let itself = &once.differences[0];
        assert!(itself.cost_percent.abs() < 1e-12 && itself.cost_percent_ci.abs() < 1e-12);
        assert!(once.differences[1].cost_percent < 0.0, "marginal cost saves something");
    }
}
