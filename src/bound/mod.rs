//! How cheap a day could have been: a bound below the cost of every policy, those that know the future among them.
//!
//! `problem` says what may be served when, and what it costs; few calls are planned exactly (`exact`), many are bounded by
//! prices of agents' time (`prices`, `ascent`). `traces` sets the bound beside what policies cost in the engine. Nothing
//! here decides anything.

mod ascent;
mod exact;
mod prices;
mod problem;
mod traces;

pub use ascent::Effort;
pub use traces::{BoundOptions, Bounds, Policy, Trace, bounds};

use crate::simulate::{Centre, Day};
use problem::Problem;

/// A bound, and what kind.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bound {
    /// In the currency of the centre: no policy costs less on this day.
    pub cost: f64,
    /// Whether that is what the cheapest plan costs, or only less.
    pub exact: bool,
}

/// What a day costs at least: waiting, hanging up, late answers and matters not solved, as `Outcome` counts them. Up to eight
/// calls exactly, if their plans can be counted, else by prices.
pub fn bound(centre: &Centre, day: &Day, effort: Effort) -> Bound {
    let problem = Problem::new(centre, day);
    match exact::optimum(&problem) {
        Some(cost) => Bound { cost, exact: true },
        None => Bound { cost: ascent::lagrangian(&problem, effort), exact: false },
    }
}

/// The same by prices alone, however few calls there are (ALGORITHM.md, 7).
pub fn lagrangian(centre: &Centre, day: &Day, effort: Effort) -> f64 {
    ascent::lagrangian(&Problem::new(centre, day), effort)
}
