//! What a floor is judged by, counted the same way for the record and for the engine.
//!
//! Waits and shares are over the calls offered: who gave up waited too, and counts as not answered.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use super::record::{Call, Kind};

/// Answered within this many milliseconds counts for `within_20s`, the limit included.
const WITHIN_MS: u64 = 20_000;

/// What became of one offered call, in the record or in the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// An agent took it; otherwise the customer left.
    pub served: bool,
    /// From its arrival until then, in milliseconds.
    pub wait_ms: u64,
}

impl Fate {
    /// What the log says became of a call.
    pub fn recorded(call: &Call) -> Fate {
        Fate { served: call.served(), wait_ms: u64::from(call.wait_s) * 1000 }
    }
}

/// The figures of a set of offered calls.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Figures {
    /// Calls that queued or were served.
    pub offered: u64,
    /// Calls an agent took.
    pub served: u64,
    /// Calls whose customer left the queue.
    pub abandoned: u64,
    /// Mean time in the queue over the offered, in seconds.
    pub mean_wait_s: f64,
    /// Answered within 20 s, as a share of the offered, 0 to 1.
    pub within_20s: f64,
}

impl Figures {
    /// Of these fates.
    pub fn of(fates: impl Iterator<Item = Fate>) -> Figures {
        let mut tally = Tally::default();
        fates.for_each(|fate| tally.count(fate));
        tally.figures()
    }
}

/// The figures of one day.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DayFigures {
    /// The day.
    pub date: Date,
    /// Whether the availability factor was fitted on it; such a day proves nothing.
    pub calibration: bool,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Figures in all, by day and by type.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Books {
    /// Everything counted here.
    #[serde(flatten)]
    pub all: Figures,
    /// By day, in order.
    pub days: Vec<DayFigures>,
    /// By type of call.
    pub types: BTreeMap<Kind, Figures>,
}

impl Books {
    /// Counts calls with what became of them. `calibration` says on which days the factor was fitted.
    pub fn of<'a>(
        fates: impl IntoIterator<Item = (&'a Call, Fate)>,
        calibration: impl Fn(Date) -> bool,
    ) -> Books {
        let mut all = Tally::default();
        let mut days: BTreeMap<Date, Tally> = BTreeMap::new();
        let mut types: BTreeMap<Kind, Tally> = BTreeMap::new();
        for (call, fate) in fates {
            all.count(fate);
            days.entry(call.day).or_default().count(fate);
            types.entry(call.kind).or_default().count(fate);
        }
        let day = |(date, tally): (Date, Tally)| DayFigures {
            date,
            calibration: calibration(date),
            figures: tally.figures(),
        };
        Books {
            all: all.figures(),
            days: days.into_iter().map(day).collect(),
            types: types.into_iter().map(|(kind, tally)| (kind, tally.figures())).collect(),
        }
    }
}

/// Sums, from which the figures follow.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    offered: u64,
    served: u64,
    within: u64,
    wait_ms: u64,
}

impl Tally {
    fn count(&mut self, fate: Fate) {
        self.offered += 1;
        self.served += u64::from(fate.served);
        self.within += u64::from(fate.served && fate.wait_ms <= WITHIN_MS);
        self.wait_ms += fate.wait_ms;
    }

    fn figures(self) -> Figures {
        let offered = self.offered.max(1) as f64;
        Figures {
            offered: self.offered,
            served: self.served,
            abandoned: self.offered - self.served,
            mean_wait_s: self.wait_ms as f64 / 1000.0 / offered,
            within_20s: self.within as f64 / offered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_left_counts_in_the_wait_but_not_as_answered() {
        let mut tally = Tally::default();
        tally.count(Fate { served: true, wait_ms: 20_000 });
        tally.count(Fate { served: true, wait_ms: 20_001 });
        tally.count(Fate { served: false, wait_ms: 1_999 });
        tally.count(Fate { served: true, wait_ms: 0 });
        let expected = Figures { offered: 4, served: 3, abandoned: 1, mean_wait_s: 10.5, within_20s: 0.5 };
        assert_eq!(tally.figures(), expected);
    }
}
