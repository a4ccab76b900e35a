//! The call log of a bank, January 1999, against the engine.
//!
//! `replay` lets the recorded customers meet the recorded agents again, with the engine between them.
//! `policies` lets them meet under several ways to decide, and says who gains and who pays.
//! `check_choices` asks the engine, at each recorded choice of the bank's switch, whom it would have taken.
//! The log is that of "Anonymous Bank", Technion, Haifa (I. Guedj and A. Mandelbaum, 2000).

mod check;
mod choices;
mod class;
mod duty;
mod error;
mod events;
mod figures;
mod floor;
mod parse;
mod patience;
mod policies;
mod policies_report;
mod record;
mod replay;
mod report;
mod simulate;
mod told;
mod work;

pub use check::{CheckOptions, ChoiceCheck, Disagreement, Waiter, check_choices};
pub use error::RecordError;
pub(crate) use events::{AsEvents, as_events};
pub use figures::{Books, DayFigures, Figures};
pub use policies::{Group, Less, Policies, UnderPolicy, Way, policies};
pub use record::Kind;
pub(crate) use record::midnight;
pub use replay::{
    CALIBRATION_LAST_DAY, Calibration, Comparison, Order, Replay, ReplayError, ReplayOptions, replay,
};
pub(crate) use report::SOURCE;
pub(crate) use simulate::time;
pub use told::{WaitsTold, told};

#[cfg(test)]
mod tests;
