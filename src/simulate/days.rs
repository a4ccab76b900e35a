//! Recorded days of a centre under several policies.

use super::choice::Choice;
use super::error::SimulateError;
use super::outcome::Figures;
use super::read;
use super::report::{Days, Row};
use super::run::{Run, run};
use crate::engine::policy::Marginal;
use std::path::PathBuf;

/// What is to be run.
#[derive(Clone, Debug)]
pub struct DaysOptions {
    /// Folder of the files.
    pub folder: PathBuf,
    /// Name of the centre: what the files' names begin with.
    pub centre: String,
    pub choices: Vec<Choice>,
    pub hold_max_ms: Option<u64>,
    pub marginal: Marginal,
    /// Each day is run so many times, every time with another order between equal agents; figures are the means.
    pub seeds: u64,
}

/// Runs every day under every policy. `progress` is told how many runs are done, of how many.
pub fn days(options: &DaysOptions, progress: &mut dyn FnMut(u64, u64)) -> Result<Days, SimulateError> {
    let centre = read::centre(&options.folder, &options.centre)?;
    let files = read::days_of(&options.folder, &options.centre)?;
    let total = files.len() as u64 * options.choices.len() as u64 * options.seeds;
    let (mut rows, mut done) = (Vec::new(), 0);
    for (name, file) in files {
        let day = read::day(&file, &centre)?;
        for choice in &options.choices {
            let mut figures = Vec::new();
            for seed in 0..options.seeds {
                let how = Run {
                    choice: *choice,
                    marginal: options.marginal,
                    hold_max_ms: options.hold_max_ms,
                    // As they stand in the file, if there is but one.
                    seed: if options.seeds > 1 { seed + 1 } else { 0 },
                };
                figures.push(run(&centre, &day, how).figures(&centre, &day));
                done += 1;
                progress(done, total);
            }
            rows.push(Row::new(&options.centre, &name, *choice, mean(&figures)));
        }
    }
    Ok(Days { rows })
}

fn mean(all: &[Figures]) -> Figures {
    let mean = |of: fn(&Figures) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
    Figures {
        calls: all[0].calls,
        cost: mean(|one| one.cost),
        service_cost: mean(|one| one.service_cost),
        service_level: mean(|one| one.service_level),
        abandoned: mean(|one| one.abandoned),
        mean_wait_s: mean(|one| one.mean_wait_s),
        p95_wait_s: mean(|one| one.p95_wait_s),
        resolution: mean(|one| one.resolution),
        gini: mean(|one| one.gini),
    }
}
