//! What a rule change would have done to a recorded period, before it is published. The period is told three times: as it
//! was, as the published rules decide it again, and as the draft does. The second against the first is the simulation's
//! own error; the third against the second is the draft. In reading order: `recorded` is the past, read by `lives` (what
//! became of each), `script` (what happened from outside) and `answers`; `asked` is what rules are asked; `drawn` is what no
//! record holds; `again` decides, with what `people` do about it; `result` compares.

mod again;
mod agenda;
mod answers;
mod asked;
mod bank;
mod changed;
mod column;
mod conventions;
mod difference;
mod drawn;
mod error;
mod fates;
mod figures;
mod lives;
mod patience;
mod people;
mod recorded;
mod result;
mod script;
mod text;

pub use bank::{BANK_RULE, BankLog};
pub use changed::{Changed, Told};
pub use difference::{Change, Difference};
pub use error::BacktestError;
pub use fates::Ending;
pub use figures::Cell;
pub use recorded::Recorded;
pub use result::{Backtest, Named, Row};

use crate::engine::time::Time;
use crate::rules::RuleSet;
use again::{Judge, decide};
use drawn::Drawn;
use std::ops::ControlFlow;

/// Most interactions that are shown with their explanations.
pub const CHANGED_MAX: usize = 1_000;

/// How a period is decided again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Seed of every draw: the same seed, record and rules give the same result, on every machine with the same
    /// arithmetic of floating point.
    pub seed: u64,
    /// So many of the interactions that change most are shown, up to [`CHANGED_MAX`].
    pub changed_max: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { seed: 1, changed_max: 20 }
    }
}

/// Decides a recorded period again by the published rules and by a draft. `progress` hears how many interactions are done, of
/// how many, both rule sets counting, and may stop it.
///
/// # Errors
/// `Stopped`, or `FloorDiffers` where the floor's definitions cannot be repeated.
pub fn backtest(
    recorded: &Recorded,
    published: &RuleSet,
    draft: &RuleSet,
    options: &Options,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Backtest, BacktestError> {
    let options = &Options { changed_max: options.changed_max.min(CHANGED_MAX), ..*options };
    let (total, mut done) = (2 * recorded.interactions(), 0);
    let mut tick = || {
        done += 1;
        progress(done, total)
    };
    let drawn = Drawn::of(&recorded.lives, options.seed);
    let judge = Judge { rules: published, published, worth: None };
    let again = decide(recorded, &drawn, judge, options.seed, &mut tick)?;
    let judge = Judge { rules: draft, published, worth: Some(&again.worth) };
    let drafted = decide(recorded, &drawn, judge, options.seed, &mut tick)?;
    result::result(recorded, &drawn, (published, draft), (&again, &drafted), options)
}

/// A moment, for people and machines: UTC.
fn moment(time: Time) -> String {
    let ms = i64::try_from(time.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| time.0.to_string(), |at| at.to_string())
}
