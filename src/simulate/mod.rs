//! Simulated floors in the real engine: the same days under several policies, side by side.
//!
//! A `Centre` says what comes and who serves it, a `Day` what comes when: read from files, or drawn from `Stream`s of a
//! seed. `run` takes a day through a shard in simulated
//! time; `outcome` counts what became of everybody, in money. The engine knows what a router may know: estimates, never
//! the patience or the work of one customer.

mod centre;
mod choice;
mod days;
mod draw;
mod error;
mod floor;
mod generate;
mod outcome;
mod read;
mod report;
mod run;
mod staff;

pub use centre::{Centre, Day, Does, Kind, Member, Staffing, Visit};
pub use choice::Choice;
pub use days::{DaysOptions, days};
pub use draw::{Luck, Spread};
pub use error::SimulateError;
pub use generate::{Piece, Stream, day, day_factor};
pub use outcome::{Fate, Outcome};
pub use report::{Days, Row};
pub use run::{Run, run};
