//! A floor that learns itself: the same days with what is known of everybody given, with nothing known and learned from the
//! days before, and under the order most systems have.

use super::centre::{Centre, Kind};
use super::choice::Choice;
use super::draw::Luck;
use super::outcome::Figures;
use super::run::{Pupil, Run, run, run_taught};
use super::scenario::Scenario;
use crate::engine::policy::Marginal;
use crate::engine::time::Time;
use crate::learning::{Accuracy, Eyes, Forecasts, HalfLife, Learner};
use serde::Serialize;

const DAY_MS: u64 = 86_400_000;
/// Beside the streams of a day's customers.
const SOLVED_STREAM: u64 = u64::MAX - 1;

/// What the router believes before it has seen anything.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Belief {
    /// All kinds take equally long, all customers wait equally long, all agents are alike.
    Flat,
    /// Times and patience of each kind are wrong by so much, one kind too high and the next too low; of agents nothing
    /// is known.
    Wrong(f64),
}

impl Belief {
    /// The centre as far as is believed; what is true in it stays.
    fn of(self, centre: &Centre) -> Centre {
        let mut believed = centre.clone();
        for does in believed.agents.iter_mut().flat_map(|agent| &mut agent.does) {
            does.known = None;
        }
        let count = centre.kinds.len() as f64;
        let mean = |of: fn(&Kind) -> f64| centre.kinds.iter().map(of).sum::<f64>() / count;
        let (handle_s, patience_s) = (mean(|kind| kind.handle_s), mean(|kind| kind.patience_s));
        for (at, kind) in believed.kinds.iter_mut().enumerate() {
            match self {
                Belief::Flat => (kind.handle_s, kind.patience_s) = (handle_s, patience_s),
                Belief::Wrong(by) => {
                    let factor = if at % 2 == 0 { 1.0 + by } else { 1.0 - by };
                    (kind.handle_s, kind.patience_s) = (kind.handle_s * factor, kind.patience_s * factor);
                }
            }
        }
        believed
    }
}

/// One day.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct TaughtDay {
    pub day: u32,
    pub longest_idle: f64,
    pub longest_idle_service: f64,
    /// With what is known of everybody.
    pub given: f64,
    pub given_service: f64,
    /// With what was learned until then.
    pub learned: f64,
    pub learned_service: f64,
    /// With what was believed at first, and never learned.
    pub believed: f64,
    pub believed_service: f64,
}

/// Runs the days of a floor one after the other.
pub fn taught(
    scenario: &Scenario,
    belief: Belief,
    hold_max_ms: Option<u64>,
    progress: &mut dyn FnMut(u64, u64),
) -> Vec<TaughtDay> {
    let believed = belief.of(&scenario.centre);
    let mut learner = Learner::new(HalfLife::USUAL);
    let (mut eyes, mut forecasts) = (Eyes::default(), Forecasts::default());
    let mut days = Vec::new();
    for number in 0..scenario.days {
        let day = scenario.day(number);
        let how = |choice| Run { choice, marginal: Marginal::default(), hold_max_ms, seed: 0 };
        let pupil = Pupil {
            eyes: &mut eyes,
            learner: &mut learner,
            forecasts: &mut forecasts,
            tells: true,
            from: Time(u64::from(number) * DAY_MS),
            luck: Luck::new(scenario.seed.wrapping_add(u64::from(number)), SOLVED_STREAM),
        };
        let learned = run_taught(&believed, &day, how(Choice::MarginalCost), pupil);
        let figures =
            |outcome: super::outcome::Outcome| -> Figures { outcome.figures(&scenario.centre, &day) };
        let learned = figures(learned);
        let longest_idle = figures(run(&scenario.centre, &day, how(Choice::LongestIdle)));
        let given = figures(run(&scenario.centre, &day, how(Choice::MarginalCost)));
        let never = figures(run(&believed, &day, how(Choice::MarginalCost)));
        days.push(TaughtDay {
            day: number,
            longest_idle: longest_idle.cost,
            longest_idle_service: longest_idle.service_cost,
            given: given.cost,
            given_service: given.service_cost,
            learned: learned.cost,
            learned_service: learned.service_cost,
            believed: never.cost,
            believed_service: never.service_cost,
        });
        progress(u64::from(number) + 1, u64::from(scenario.days));
    }
    days
}

/// How well waits are told on a floor that is run under one policy, over all its days.
pub fn told(scenario: &Scenario, choice: Choice, hold_max_ms: Option<u64>) -> Option<Accuracy> {
    let mut learner = Learner::new(HalfLife::USUAL);
    let (mut eyes, mut forecasts) = (Eyes::default(), Forecasts::default());
    for number in 0..scenario.days {
        let day = scenario.day(number);
        let pupil = Pupil {
            eyes: &mut eyes,
            learner: &mut learner,
            forecasts: &mut forecasts,
            tells: false,
            from: Time(u64::from(number) * DAY_MS),
            luck: Luck::new(scenario.seed.wrapping_add(u64::from(number)), SOLVED_STREAM),
        };
        let how = Run { choice, marginal: Marginal::default(), hold_max_ms, seed: 0 };
        run_taught(&scenario.centre, &day, how, pupil);
    }
    forecasts.accuracy(None)
}
