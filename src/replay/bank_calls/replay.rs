//! The recorded customers meet the recorded agents again, with the engine between them.
//!
//! What the log does not hold is estimated once, from the whole log (patience, work times, duty, skills), or
//! calibrated on the first ten days (availability). So only the later days say anything about the engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::duty::Duty;
use super::error::RecordError;
use super::figures::{Books, Fate};
use super::floor::Terms;
use super::parse::read;
use super::patience::Patience;
use super::record::Call;
use super::simulate::{self, Cast};
use super::told::Listener;
use super::work::WorkTimes;

/// The availability factor is calibrated on the days of the first month up to this one.
pub const CALIBRATION_LAST_DAY: i8 = 10;

/// Runs of the calibration: each halves the interval the factor lies in, from 1 down to 1 in 4,096.
const CALIBRATION_RUNS: u32 = 12;

/// Who is taken first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// As the bank documented it: time in queue, priority customers starting with a credit of 90 s.
    #[default]
    Documented,
    /// Time in queue alone.
    LongestWait,
}

/// What to replay, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayOptions {
    /// The log, plain or gzipped.
    pub file: PathBuf,
    /// The share of their time on duty in which agents take calls, 0 to 1. `None`: calibrated.
    pub availability: Option<f64>,
    /// Who is taken first.
    pub order: Order,
    /// Seed of every draw.
    pub seed: u64,
}

/// Why a replay did not take place.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log could not be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Not a share of time.
    #[error("availability is {got}, expected a share of the time on duty from 0 to 1")]
    Availability {
        /// The number that came.
        got: f64,
    },
    /// Nothing to calibrate on.
    #[error(
        "{}: begins on {first}, but availability is calibrated on the 1st to 10th of its first month: \
         give --availability with a share from 0 to 1", file.display()
    )]
    NothingToCalibrateOn {
        /// The log.
        file: PathBuf,
        /// Its first day.
        first: Date,
    },
    /// An interval of days that ends before it begins.
    #[error("--from is {from} and --to is {to}, expected --to on the same day or later")]
    DaysReversed {
        /// First day asked for.
        from: Date,
        /// Last day asked for.
        to: Date,
    },
}

/// The same calls as recorded and as the engine had them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// What the log says.
    pub recorded: Books,
    /// What became of them with the engine.
    pub engine: Books,
}

/// How the availability factor was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// First day it was fitted on.
    pub from: Date,
    /// Last day it was fitted on.
    pub to: Date,
    /// The figure that was matched: mean wait over the offered of these days, in seconds.
    pub recorded_mean_wait_s: f64,
    /// How near the engine came, in seconds.
    pub engine_mean_wait_s: f64,
}

/// A replay's result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replay {
    /// All days of the log, those of the calibration included.
    #[serde(flatten)]
    pub month: Comparison,
    /// The days that were not calibrated on: the result. `None` if there are no others.
    pub result: Option<Comparison>,
    /// The share of their time on duty in which agents take calls, 0 to 1.
    pub availability: f64,
    /// `None` if the factor was given.
    pub calibration: Option<Calibration>,
    /// Who was taken first.
    pub order: Order,
    /// Seed of every draw.
    pub seed: u64,
    /// Agents the log names.
    pub agents: usize,
    /// Served calls that name no agent.
    pub served_by_nobody: usize,
    /// Customers whose patience was drawn, since they were served.
    pub patience_drawn: u64,
    /// Calls whose work time was drawn, since their customer left.
    pub work_drawn: u64,
}

/// Replays a log. `progress` hears how many calls are done, and of how many; the calibration counts.
pub fn replay(options: &ReplayOptions, progress: &mut dyn FnMut(u64, u64)) -> Result<Replay, ReplayError> {
    let (scene, availability, calibration, mut progress) = set(options, 1, progress)?;
    let fates = scene.run(scene.calls.len(), availability, Terms::bank(options.order), &mut progress);
    Ok(scene.report(&fates, availability, calibration, options))
}

/// Everything that stands before the replays, of which there will be so many.
pub(super) fn set<'a>(
    options: &ReplayOptions,
    replays: u64,
    progress: &'a mut dyn FnMut(u64, u64),
) -> Result<(Scene, f64, Option<Calibration>, Progress<'a>), ReplayError> {
    if let Some(got) = options.availability.filter(|share| !(0.0..=1.0).contains(share)) {
        return Err(ReplayError::Availability { got });
    }
    let scene = Scene::of(offered_in(&options.file)?, options);
    let first_days = scene.first_days();
    let runs = options.availability.map_or(CALIBRATION_RUNS, |_| 0);
    let mut progress =
        Progress::new(progress, u64::from(runs) * first_days as u64 + replays * scene.calls.len() as u64);
    let (availability, calibration) = match options.availability {
        Some(given) => (given, None),
        None if first_days == 0 => {
            let (file, first) = (options.file.clone(), scene.calls[0].day);
            return Err(ReplayError::NothingToCalibrateOn { file, first });
        }
        None => scene.calibrate(first_days, &mut progress),
    };
    Ok((scene, availability, calibration, progress))
}

fn offered_in(file: &Path) -> Result<Vec<Call>, RecordError> {
    let mut calls = read(file)?;
    calls.retain(Call::offered);
    // By day even if the rows are not: the days of the calibration are then the first calls.
    calls.sort_by_key(|call| (call.day, call.row));
    match calls.is_empty() {
        true => Err(RecordError::Empty { file: file.to_owned(), within: String::new() }),
        false => Ok(calls),
    }
}

/// The calls of a log with everything drawn that the log does not hold.
pub(super) struct Scene {
    pub(super) calls: Vec<Call>,
    patience_s: Vec<u32>,
    work_s: Vec<u32>,
    pub(super) duty: Duty,
    order: Order,
    seed: u64,
}

impl Scene {
    fn of(calls: Vec<Call>, options: &ReplayOptions) -> Scene {
        let (patience, work) = (Patience::fit(&calls), WorkTimes::fit(&calls));
        Scene {
            patience_s: calls.iter().map(|call| patience.of(call, options.seed)).collect(),
            work_s: calls.iter().map(|call| work.of(call, options.seed)).collect(),
            duty: Duty::seen_in(&calls),
            order: options.order,
            seed: options.seed,
            calls,
        }
    }

    /// How many calls lie in the days of the calibration.
    fn first_days(&self) -> usize {
        self.calls.partition_point(|call| self.calibrates(call.day))
    }

    pub(super) fn calibrates(&self, day: Date) -> bool {
        let first = self.calls[0].day;
        (day.year(), day.month()) == (first.year(), first.month()) && day.day() <= CALIBRATION_LAST_DAY
    }

    /// The fates of the first so many calls.
    pub(super) fn run(
        &self,
        calls: usize,
        availability: f64,
        terms: Terms<'_>,
        progress: &mut Progress<'_>,
    ) -> Vec<Fate> {
        self.heard(calls, availability, terms, None, progress)
    }

    /// The same with somebody who hears every event.
    pub(super) fn heard(
        &self,
        calls: usize,
        availability: f64,
        terms: Terms<'_>,
        listener: Option<&mut Listener>,
        progress: &mut Progress<'_>,
    ) -> Vec<Fate> {
        let agents = self.duty.stretches.keys();
        let available: BTreeMap<_, _> =
            agents.map(|agent| (*agent, self.duty.available(*agent, availability, self.seed))).collect();
        let cast = Cast {
            calls: &self.calls[..calls],
            patience_s: &self.patience_s[..calls],
            work_s: &self.work_s[..calls],
            skills: &self.duty.skills,
            available: &available,
            terms,
        };
        simulate::run(cast, listener, &mut || progress.one())
    }

    /// Halves the interval of the factor until the mean wait of the first days is that of the record, and
    /// keeps the best factor seen: the wait falls with it, but not at every single step.
    fn calibrate(&self, calls: usize, progress: &mut Progress<'_>) -> (f64, Option<Calibration>) {
        let goal = mean_wait_s(self.calls[..calls].iter().map(Fate::recorded));
        let (mut low, mut high, mut best) = (0.0, 1.0, (1.0, f64::INFINITY));
        for _ in 0..CALIBRATION_RUNS {
            // Four decimals are what the report prints, and what gives the same run again.
            let factor = f64::round((low + high) / 2.0 * 10_000.0) / 10_000.0;
            let wait_s = mean_wait_s(self.run(calls, factor, Terms::bank(self.order), progress).into_iter());
            if (wait_s - goal).abs() < f64::abs(best.1 - goal) {
                best = (factor, wait_s);
            }
            if wait_s > goal { low = factor } else { high = factor }
        }
        let calibration = Calibration {
            from: self.calls[0].day,
            to: self.calls[calls - 1].day,
            recorded_mean_wait_s: goal,
            engine_mean_wait_s: best.1,
        };
        (best.0, Some(calibration))
    }

    fn report(
        &self,
        fates: &[Fate],
        availability: f64,
        calibration: Option<Calibration>,
        options: &ReplayOptions,
    ) -> Replay {
        let all = self.compare(fates, &calibration, |_| true);
        let others = self.compare(fates, &calibration, |day| calibration.is_none() || !self.calibrates(day));
        let unnamed = |call: &&Call| call.service.is_some_and(|service| service.agent.is_none());
        Replay {
            availability,
            order: options.order,
            seed: options.seed,
            agents: self.duty.stretches.len(),
            served_by_nobody: self.calls.iter().filter(unnamed).count(),
            patience_drawn: all.recorded.all.served,
            work_drawn: all.recorded.all.abandoned,
            result: (others.recorded.all.offered > 0).then_some(others),
            month: all,
            calibration,
        }
    }

    fn compare(
        &self,
        fates: &[Fate],
        calibration: &Option<Calibration>,
        counts: impl Fn(Date) -> bool,
    ) -> Comparison {
        let calibrated_on = |day| calibration.is_some() && self.calibrates(day);
        let pairs = || self.calls.iter().zip(fates).filter(|(call, _)| counts(call.day));
        Comparison {
            recorded: Books::of(pairs().map(|(call, _)| (call, Fate::recorded(call))), calibrated_on),
            engine: Books::of(pairs().map(|(call, fate)| (call, *fate)), calibrated_on),
        }
    }
}

fn mean_wait_s(fates: impl Iterator<Item = Fate>) -> f64 {
    let (count, ms) = fates.fold((0_u64, 0_u64), |(count, ms), fate| (count + 1, ms + fate.wait_ms));
    ms as f64 / 1000.0 / count.max(1) as f64
}

/// Counts calls over several runs and speaks now and then.
pub(super) struct Progress<'a> {
    tell: &'a mut dyn FnMut(u64, u64),
    done: u64,
    total: u64,
}

impl<'a> Progress<'a> {
    fn new(tell: &'a mut dyn FnMut(u64, u64), total: u64) -> Progress<'a> {
        Progress { tell, done: 0, total }
    }

    fn one(&mut self) {
        self.done += 1;
        if self.done.is_multiple_of(256) || self.done == self.total {
            (self.tell)(self.done, self.total);
        }
    }
}
