//! The recorded month under several policies beside the record: the same customers, agents and work each time.
//!
//! What it costs is by the goals of a rule document, whose queues are the types of the log. Whether a matter was solved
//! is not in the log, so only waiting, hanging up and late answers are counted.

use super::figures::{Fate, Figures};
use super::floor::{Floor, Terms};
use super::record::Call;
use super::replay::{Calibration, ReplayError, ReplayOptions, set};
use crate::engine::plan::Goals;
use crate::engine::policy::Marginal;
use crate::engine::time::Time;
use crate::rules::RuleSet;
use crate::simulate::Choice;
use serde::Serialize;
use std::fmt::{self, Display, Formatter};

/// The days that were not calibrated on, under one policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnderPolicy {
    /// Its name, or `record`.
    pub policy: &'static str,
    #[serde(flatten)]
    pub figures: Figures,
    /// Waiting, hanging up and late answers, in the currency of the goals.
    pub cost_service: f64,
}

/// The month under several policies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Policies {
    /// The share of their time on duty in which agents take calls, 0 to 1.
    pub availability: f64,
    /// `None` if the share was given.
    pub calibration: Option<Calibration>,
    /// Seed of every draw.
    pub seed: u64,
    /// The record first.
    pub rows: Vec<UnderPolicy>,
}

/// Replays a log under each policy. `progress` hears how many calls are done, and of how many.
pub fn policies(
    options: &ReplayOptions,
    choices: &[Choice],
    rules: &RuleSet,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Policies, ReplayError> {
    let (scene, availability, calibration, mut progress) = set(options, choices.len() as u64, progress)?;
    let counts = |call: &Call| calibration.is_none() || !scene.calibrates(call.day);
    let terms = |choice: Choice| Terms { policy: choice.policy(Marginal::default()), rules: Some(rules) };
    let goals = Floor::open(Time(0), &scene.duty.skills, terms(Choice::LongestIdle)).goals();
    let row = |policy, fates: &mut dyn Iterator<Item = (&Call, Fate)>| {
        let fates: Vec<(&Call, Fate)> = fates.filter(|(call, _)| counts(call)).collect();
        let cost_service = fates.iter().map(|(call, fate)| cost(&goals[&call.kind], *fate)).sum();
        UnderPolicy { policy, figures: Figures::of(fates.into_iter().map(|(_, fate)| fate)), cost_service }
    };
    let recorded = scene.calls.iter().map(|call| (call, Fate::recorded(call)));
    let mut rows = vec![row("record", &mut { recorded })];
    for choice in choices {
        let fates = scene.run(scene.calls.len(), availability, terms(*choice), &mut progress);
        rows.push(row(choice.name(), &mut scene.calls.iter().zip(fates)));
    }
    Ok(Policies { availability, calibration, seed: options.seed, rows })
}

/// What one customer's wait cost.
fn cost(goals: &Goals, fate: Fate) -> f64 {
    let units = |millionths: i64| millionths as f64 / 1_000_000.0;
    let waiting = units(goals.waiting_per_minute.0) * fate.wait_ms as f64 / 60_000.0;
    let late = if fate.wait_ms > goals.answer_within_ms { units(goals.late.0) } else { 0.0 };
    waiting + late + if fate.served { 0.0 } else { units(goals.abandon.0) }
}

impl Display for Policies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let days = if self.calibration.is_some() { "after those of the calibration" } else { "of the log" };
        writeln!(
            f,
            "the days {days}; agents take calls {:.1} % of their time on duty",
            self.availability * 100.0
        )?;
        writeln!(
            f,
            "{:<16} {:>8} {:>8} {:>9} {:>9} {:>9} {:>12}",
            "policy", "offered", "served", "abandoned", "wait s", "in 20 s", "service cost"
        )?;
        for UnderPolicy { policy, figures, cost_service } in &self.rows {
            writeln!(
                f,
                "{policy:<16} {:>8} {:>8} {:>9} {:>9.1} {:>8.1} % {:>11.2}",
                figures.offered,
                figures.served,
                figures.abandoned,
                figures.mean_wait_s,
                figures.within_20s * 100.0,
                cost_service
            )?;
        }
        Ok(())
    }
}
