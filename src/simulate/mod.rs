//! Simulated floors in the real engine: the same days under several policies, side by side.
//!
//! A `Centre` says what comes and who serves it, a `Day` what comes when. Both are read from files (`read`), or a
//! `Scenario` draws them: from a `Description`, which is a floor file, shipped in `floors` or drawn itself (`random`).
//! `run` takes a day through a shard in simulated time; `outcome` counts what became of everybody, in money; `compare`
//! sets policies side by side, `tune` the figures of one policy. The engine knows what a router may know: estimates, never the patience or the work of one
//! customer.

mod capacity;
mod centre;
mod choice;
mod compare;
mod days;
mod description;
mod draw;
mod error;
mod floor;
mod floors;
mod generate;
pub(crate) mod interval;
mod outcome;
pub(crate) mod parallel;
mod past;
mod plain;
mod random;
pub(crate) mod read;
mod report;
mod run;
mod scenario;
mod staff;
mod table;
mod taught;
mod tune;
mod tune_report;

pub use centre::{Centre, Day, Does, Kind, Member, Staffing, Visit};
pub use choice::Choice;
pub use compare::{Comparison, Difference, PolicyFigures, Terms, compare};
pub use days::{DaysOptions, days};
pub use description::{DAYS, Description};
pub use draw::{Luck, Spread};
pub use error::SimulateError;
pub(crate) use floor::millis;
pub use floors::{floor, shipped};
pub use generate::{Piece, Stream, day, day_factor};
pub use outcome::{Fate, Figures, KindFigures, Outcome};
pub use past::Past;
pub use random::{CHOICES, FLOORS_MAX, RandomFloors, description as random_floor, random_floors};
pub use report::{Days, Row};
pub(crate) use run::FOR_EVER_S;
pub use run::{Pupil, Run, run, run_taught, run_tried};
pub use scenario::Scenario;
pub use taught::{Belief, TaughtDay, taught, told};
pub use tune::{Change, KindChange, Setting, Tried, TuneTerms, Tuning, tune};
