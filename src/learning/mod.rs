//! What a floor teaches: handle times, patience, resolution, load and waits, from what was seen to what is estimated.
//!
//! Pure: no input or output, no clock (time is an argument), nothing asynchronous; floating point is allowed here and
//! leaves as parameters. What is seen is kept in sums that fade, so that an estimate costs no look at the past:
//! `forgetting` says how fast, `rate` is an amount an hour of lately. Where there is little to go by, every estimate is
//! drawn towards that of a wider group. The formulas are those of ALGORITHM.md, 5.

mod blend;
mod calibration;
mod forecast;
mod forgetting;
mod handle_time;
mod hazard;
mod holds;
mod learner;
mod load;
mod note;
mod patience;
mod quantile;
mod rate;
mod resolution;
mod seen;
mod shrinkage;
mod starts;
mod survival;
mod switchback;
mod trials;
mod waiting;

pub use blend::{Blend, WAYS};
pub use calibration::{Accuracy, Calibration, Told};
pub use forecast::{Expectation, Forecasts};
pub use forgetting::HalfLife;
pub use handle_time::{HandleTimes, Known};
pub use hazard::{BUCKETS, Bucket, HazardTable};
pub use holds::{Held, Holds};
pub use learner::Learner;
pub use load::Load;
pub use note::{Lesson, note};
pub use patience::{Ending, Patience, Prior};
pub use quantile::gamma_quantile;
pub use rate::Rate;
pub use resolution::Resolution;
pub use seen::{AGAIN_MS, Costs, Expected, Eyes, Seen};
pub use shrinkage::{Between, Few, Shrunk};
pub use starts::Starts;
pub use survival::{Curve, Step};
pub use switchback::{Lift, Switchback};
pub use trials::{Lifts, Trials};
pub use waiting::Wait;
