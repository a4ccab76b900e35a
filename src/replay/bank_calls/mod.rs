//! The call log of a bank, January 1999, against the engine.
//!
//! `replay` lets the recorded customers meet the recorded agents again, with the engine between them.
//! `check_choices` asks the engine, at each recorded choice of the bank's switch, whom it would have taken.
//! The log is that of "Anonymous Bank", Technion, Haifa (I. Guedj and A. Mandelbaum, 2000).

mod choices;
mod draw;
mod duty;
mod error;
mod figures;
mod parse;
mod patience;
mod record;
mod work;

pub use duty::{Duty, GAP_S, SLOT_S, Stretch};
pub use error::RecordError;
pub use figures::{Books, DayFigures, Fate, Figures};
pub use parse::read;
pub use patience::Patience;
pub use record::{AgentNo, Call, Kind, Outcome, Second, Service};
pub use work::WorkTimes;

#[cfg(test)]
mod tests;
