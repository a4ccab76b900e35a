//! The draft less the published rules on the same days with the same customers: the mean of the days, and how far that mean
//! may be off.

use super::again::Worth;
use super::fates::{Ending, Fate};
use super::figures::{Judged, seconds};
use super::lives::Life;
use crate::simulate::interval::{differences, percent};
use serde::Serialize;
use std::collections::BTreeMap;

const DAY_MS: u64 = 86_400_000;

/// A mean over days.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Change {
    pub mean: f64,
    /// Half the width of its 95 % interval. `None`: one day tells nothing of others.
    pub ci: Option<f64>,
}

/// Draft less published, of those who entered. Days are UTC.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    pub days: usize,
    /// Answered in time, points of a hundred of those who entered.
    pub in_time_points: Change,
    /// Who hung up, points of a hundred of those who entered.
    pub abandoned_points: Change,
    /// Mean wait of all who entered, however it ended, seconds.
    pub wait_s: Change,
    /// By the goals of the published rules, units of the currency a day.
    pub cost_a_day: Change,
    /// The same, per cent of what the published rules cost.
    pub cost_percent: Change,
}

/// One day of a group under one rule set.
#[derive(Debug, Clone, Copy, Default)]
struct Day {
    entered: f64,
    in_time: f64,
    left: f64,
    wait_s: f64,
    cost: f64,
}

impl Day {
    fn count(&mut self, worth: Option<&Worth>, fate: &Fate) {
        let judged = Judged::of(worth, fate);
        self.entered += 1.0;
        self.in_time += f64::from(u8::from(judged.in_time));
        self.left += f64::from(u8::from(fate.ending == Ending::Abandoned));
        self.wait_s += seconds(fate.wait_ms);
        self.cost += judged.cost;
    }
}

/// Of these, by the number of their lives; `None` if there are none.
pub(super) fn difference(
    members: &[usize],
    lives: &[Life],
    worth: &[Option<Worth>],
    published: &[Option<Fate>],
    draft: &[Option<Fate>],
) -> Option<Difference> {
    let mut days: BTreeMap<u64, (Day, Day)> = BTreeMap::new();
    for number in members {
        let (Some(one), Some(other)) = (&draft[*number], &published[*number]) else { continue };
        let day = days.entry(lives[*number].came.0 / DAY_MS).or_default();
        day.0.count(worth[*number].as_ref(), one);
        day.1.count(worth[*number].as_ref(), other);
    }
    if days.is_empty() {
        return None;
    }
    let pairs = |of: fn(&Day) -> f64| -> Vec<(f64, f64)> {
        days.values().map(|(one, other)| (of(one), of(other))).collect()
    };
    let change = |(mean, ci): (f64, f64)| Change { mean, ci: (days.len() > 1).then_some(ci) };
    Some(Difference {
        days: days.len(),
        in_time_points: change(differences(&pairs(|day| day.in_time / day.entered), 100.0)),
        abandoned_points: change(differences(&pairs(|day| day.left / day.entered), 100.0)),
        wait_s: change(differences(&pairs(|day| day.wait_s / day.entered), 1.0)),
        cost_a_day: change(differences(&pairs(|day| day.cost), 1.0)),
        cost_percent: change(percent(&pairs(|day| day.cost))),
    })
}
