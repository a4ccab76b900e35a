//! Recorded days, or parts of them: what they cost at least, and under policies in the engine.

use super::{Bound, Effort, bound};
use crate::engine::policy::Marginal;
use crate::simulate::{Centre, Choice, Day, Run, SimulateError, parallel, read, run};
use serde::Serialize;
use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

/// Calls x agents of a trace at most: so many ways to serve somebody are looked at in each step.
const WAYS_MAX: usize = 20_000_000;

/// What is to be bounded.
#[derive(Clone, Debug)]
pub struct BoundOptions {
    /// Folder of the files.
    pub folder: PathBuf,
    /// Name of the centre: what the files are named after.
    pub centre: String,
    /// Only the day of this name.
    pub day: Option<String>,
    /// Who comes from then on, s since the beginning of the day, and before then; to agents who are all idle.
    pub from_s: f64,
    pub to_s: f64,
    /// The first is what the others are compared with.
    pub choices: Vec<Choice>,
    /// Longest hold, ms; `None`: as long as it pays.
    pub hold_max_ms: Option<u64>,
    pub effort: Effort,
}

/// All traces.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Bounds {
    /// Name of the centre.
    pub scenario: String,
    pub agents: usize,
    pub traces: Vec<Trace>,
}

/// One day, or part of one.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Trace {
    pub day: String,
    pub calls: usize,
    /// No policy costs less.
    pub lower_bound: f64,
    /// Whether that is the cost of the best plan.
    pub exact: bool,
    pub policies: Vec<Policy>,
}

/// What a policy costs in the engine.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Policy {
    pub policy: &'static str,
    pub cost: f64,
    /// Of what the first policy costs more than the bound, the share that this one saves, per cent.
    pub gap_closed_percent: f64,
}

/// Bounds every day, and runs it under every policy. `progress` is told how much is done, of how much: a bound counts as a
/// run.
pub fn bounds(options: &BoundOptions, progress: &mut dyn FnMut(u64, u64)) -> Result<Bounds, SimulateError> {
    let centre = read::centre(&options.folder, &options.centre)?;
    let days = days(options, &centre)?;
    let pieces = options.choices.len() + 1;
    let costs = parallel::all(
        days.len() * pieces,
        |number| {
            let day = &days[number / pieces].1;
            match (number % pieces).checked_sub(1) {
                None => bound(&centre, day, options.effort),
                Some(choice) => {
                    Bound { cost: cost(&centre, day, options, options.choices[choice]), exact: true }
                }
            }
        },
        progress,
    );
    let traces = days.iter().zip(costs.chunks(pieces)).map(|(day, costs)| trace(day, options, costs));
    Ok(Bounds { scenario: options.centre.clone(), agents: centre.agents.len(), traces: traces.collect() })
}

/// The days that are asked for, cut to the hours that are.
fn days(options: &BoundOptions, centre: &Centre) -> Result<Vec<(String, Day)>, SimulateError> {
    let mut files = read::days_of(&options.folder, &options.centre)?;
    if let Some(wanted) = &options.day {
        let days: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
        files.retain(|(name, _)| name == wanted);
        if files.is_empty() {
            return Err(SimulateError::NoDay { centre: options.centre.clone(), day: wanted.clone(), days });
        }
    }
    let mut days = Vec::new();
    for (name, file) in files {
        let mut day = read::day(&file, centre)?;
        day.visits.retain(|visit| (options.from_s..options.to_s).contains(&visit.at_s));
        day.visits.iter_mut().for_each(|visit| visit.at_s -= options.from_s);
        if day.visits.len().saturating_mul(centre.agents.len()) > WAYS_MAX {
            let what = format!(
                "{} calls for {} agents, want at most {WAYS_MAX} calls x agents: bound part of the day",
                day.visits.len(),
                centre.agents.len()
            );
            return Err(SimulateError::Unusable { file, what });
        }
        days.push((name, day));
    }
    Ok(days)
}

fn cost(centre: &Centre, day: &Day, options: &BoundOptions, choice: Choice) -> f64 {
    let how = Run { choice, marginal: Marginal::default(), hold_max_ms: options.hold_max_ms, seed: 0 };
    run(centre, day, how).figures(centre, day).cost
}

/// Of the costs the first is the bound, then come the policies.
fn trace(day: &(String, Day), options: &BoundOptions, found: &[Bound]) -> Trace {
    let Bound { cost: lower_bound, exact } = found[0];
    let costs: Vec<f64> = found[1..].iter().map(|found| found.cost).collect();
    let gap = |cost: f64| costs[0] - cost;
    let closed = |cost: f64| match gap(lower_bound) {
        gap_of_first if gap_of_first > 0.0 => gap(cost) / gap_of_first * 100.0,
        _ => 0.0,
    };
    let policy = |(choice, cost): (&Choice, &f64)| Policy {
        policy: choice.name(),
        cost: *cost,
        gap_closed_percent: closed(*cost),
    };
    Trace {
        day: day.0.clone(),
        calls: day.1.visits.len(),
        lower_bound,
        exact,
        policies: options.choices.iter().zip(&costs).map(policy).collect(),
    }
}

impl Display for Bounds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} agents\n", self.scenario, self.agents)?;
        writeln!(
            f,
            "{:<16} {:>7} {:>12} {:<16} {:>12} {:>12}",
            "day", "calls", "lower bound", "policy", "cost", "gap closed"
        )?;
        for trace in &self.traces {
            for policy in &trace.policies {
                writeln!(
                    f,
                    "{:<16} {:>7} {:>12.2} {:<16} {:>12.2} {:>10.1} %",
                    trace.day,
                    trace.calls,
                    trace.lower_bound,
                    policy.policy,
                    policy.cost,
                    policy.gap_closed_percent
                )?;
            }
        }
        Ok(())
    }
}
