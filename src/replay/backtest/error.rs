//! Why there is no back-test.

use crate::engine::ids::Text;
use crate::journal::{Corruption, Fault};
use crate::replay::bank_calls::ReplayError;
use crate::report::ReportError;

/// Why there is no back-test. Moments are UTC.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// It ends before it begins.
    #[error("the period ends at {to}, which is not after its beginning {from}")]
    PeriodEmpty { from: String, to: String },
    /// What lies before is not known, so neither is who was there then.
    #[error(
        "the period begins at {from}, but events are kept from {first} on: choose a beginning from then on"
    )]
    NotRetained { from: String, first: String },
    /// Nothing ever happened.
    #[error("the journal holds no events: there is nothing to decide again")]
    JournalEmpty,
    /// Nothing happened then.
    #[error(
        "nobody came between {from} and {to}: choose a period with interactions, events are kept from {first} to {last}"
    )]
    NobodyCame { from: String, to: String, first: String, last: String },
    #[error("{0}")]
    Journal(#[from] Fault),
    #[error("event {sequence} of the journal cannot be read: {corruption}")]
    Event { sequence: u64, corruption: Corruption },
    /// A definition of the record could not be made again under the same key.
    #[error(
        "{name:?}, which was defined in the period, cannot be defined again as it was: choose a period that begins later"
    )]
    FloorDiffers { name: Text },
    #[error("{0}")]
    Report(#[from] ReportError),
    #[error(transparent)]
    BankLog(#[from] ReplayError),
    /// Whoever asked wants no answer any more.
    #[error("stopped before it was done")]
    Stopped,
}

impl BacktestError {
    /// A stable name, for those who tell apart why.
    pub fn reason(&self) -> &'static str {
        match self {
            BacktestError::PeriodEmpty { .. } => "PERIOD_EMPTY",
            BacktestError::NotRetained { .. } | BacktestError::JournalEmpty => "NOT_RETAINED",
            BacktestError::NobodyCame { .. } => "NOBODY_CAME",
            BacktestError::Journal(Fault::NotRetained { .. }) => "NOT_RETAINED",
            BacktestError::Journal(_) | BacktestError::Event { .. } => "JOURNAL_UNREADABLE",
            BacktestError::FloorDiffers { .. } => "FLOOR_DIFFERS",
            BacktestError::Report(_) => "TOO_MANY_ROWS",
            BacktestError::BankLog(_) => "LOG_UNREADABLE",
            BacktestError::Stopped => "STOPPED",
        }
    }
}
