//! Results as rows: a day and a policy each.

use super::choice::Choice;
use super::outcome::Figures;
use serde::Serialize;
use std::fmt::{self, Display, Formatter};

/// One day under one policy.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    /// Name of the centre.
    pub scenario: String,
    /// Name of the day.
    pub day: String,
    /// Name of the policy.
    pub policy: &'static str,
    pub calls: u64,
    /// Everything, in the currency of the file.
    pub cost: f64,
    /// Without matters not solved.
    pub cost_service: f64,
    /// Answered in time, of all but those who left before the target.
    pub sl: f64,
    pub abandoned: f64,
    pub asa_s: f64,
    pub resolution: f64,
    pub gini_occupancy: f64,
}

impl Row {
    pub(super) fn new(scenario: &str, day: &str, choice: Choice, figures: Figures) -> Row {
        let rounded = |value: f64, places: i32| (value * 10_f64.powi(places)).round() / 10_f64.powi(places);
        Row {
            scenario: scenario.to_owned(),
            day: day.to_owned(),
            policy: choice.name(),
            calls: figures.calls,
            cost: rounded(figures.cost, 2),
            cost_service: rounded(figures.service_cost, 2),
            sl: rounded(figures.service_level, 5),
            abandoned: rounded(figures.abandoned, 5),
            asa_s: rounded(figures.mean_wait_s, 3),
            resolution: rounded(figures.resolution, 5),
            gini_occupancy: rounded(figures.gini, 5),
        }
    }
}

/// All rows.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Days {
    pub rows: Vec<Row>,
}

impl Display for Days {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<8} {:<16} {:>7} {:>12} {:>12} {:>7} {:>9} {:>7} {:>10} {:>6}",
            "day",
            "policy",
            "calls",
            "cost",
            "service",
            "in time",
            "abandoned",
            "wait s",
            "resolution",
            "gini"
        )?;
        for row in &self.rows {
            writeln!(
                f,
                "{:<8} {:<16} {:>7} {:>12.2} {:>12.2} {:>7.4} {:>9.4} {:>7.2} {:>10.4} {:>6.3}",
                row.day,
                row.policy,
                row.calls,
                row.cost,
                row.cost_service,
                row.sl,
                row.abandoned,
                row.asa_s,
                row.resolution,
                row.gini_occupancy
            )?;
        }
        self.write_sums(f)
    }
}

impl Days {
    /// The sums over all days, by policy, and what they are against the first.
    fn write_sums(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut policies: Vec<&'static str> = Vec::new();
        for row in &self.rows {
            if !policies.contains(&row.policy) {
                policies.push(row.policy);
            }
        }
        let sum = |policy: &str, of: fn(&Row) -> f64| -> f64 {
            self.rows.iter().filter(|row| row.policy == policy).map(of).sum()
        };
        let Some(first) = policies.first().copied() else { return Ok(()) };
        writeln!(f, "\nall days, against {first}")?;
        for policy in policies {
            let (cost, service) = (sum(policy, |row| row.cost), sum(policy, |row| row.cost_service));
            let against = |value: f64, base: f64| if base > 0.0 { (value / base - 1.0) * 100.0 } else { 0.0 };
            writeln!(
                f,
                "{policy:<16} cost {cost:>12.2} ({:>+6.1} %)   service {service:>12.2} ({:>+6.1} %)",
                against(cost, sum(first, |row| row.cost)),
                against(service, sum(first, |row| row.cost_service)),
            )?;
        }
        Ok(())
    }
}
