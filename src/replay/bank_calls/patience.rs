//! How long customers would wait: Kaplan–Meier survival of the queue, by type.
//!
//! A customer who was served tells only that their patience was longer than the wait they had. The
//! estimator uses that, and the draw for such a customer is from what lies beyond that wait.

use std::collections::BTreeMap;

use super::record::{Call, Kind};
use crate::replay::draw::{self, Purpose};

/// A type with fewer customers who left is drawn from the curve of all types: five steps are no curve.
const LEFT_MIN: usize = 20;

/// The survival curves of a log.
#[derive(Debug, Clone)]
pub struct Patience {
    by_kind: BTreeMap<Kind, Curve>,
    all: Curve,
}

/// Steps of one survival curve.
#[derive(Debug, Clone)]
struct Curve {
    /// (seconds, share still waiting after them), in order, shares falling.
    steps: Vec<(u32, f64)>,
    /// The longest wait seen. Where the curve ends above zero, the rest leaves here: nobody is known to
    /// have waited longer, and somebody who never leaves would wait all night.
    longest_s: u32,
}

impl Patience {
    /// Fits the curves on the offered calls of a log.
    pub fn fit<'a>(offered: impl IntoIterator<Item = &'a Call>) -> Patience {
        let mut waits: BTreeMap<Kind, Vec<(u32, bool)>> = BTreeMap::new();
        for call in offered {
            waits.entry(call.kind).or_default().push((call.wait_s, !call.served()));
        }
        let all = Curve::fit(waits.values().flatten().copied().collect());
        let enough = |waits: &[(u32, bool)]| waits.iter().filter(|(_, left)| *left).count() >= LEFT_MIN;
        let by_kind =
            waits.into_iter().filter(|(_, w)| enough(w)).map(|(kind, w)| (kind, Curve::fit(w))).collect();
        Patience { by_kind, all }
    }

    /// Seconds after which this customer leaves if nobody takes them: the wait recorded for those who left,
    /// a seeded draw beyond the wait they had for those who were served.
    pub fn of(&self, call: &Call, seed: u64) -> u32 {
        if !call.served() {
            return call.wait_s;
        }
        let share = draw::unit(seed, Purpose::Patience, u64::from(call.row));
        self.by_kind.get(&call.kind).unwrap_or(&self.all).beyond(call.wait_s, share)
    }
}

impl Curve {
    /// `waits`: seconds, and whether the customer left then (otherwise the wait ended by an answer).
    fn fit(mut waits: Vec<(u32, bool)>) -> Curve {
        waits.sort_unstable();
        let longest_s = waits.last().map_or(0, |(wait_s, _)| *wait_s);
        let mut waiting = waits.len();
        let (mut share, mut steps) = (1.0, Vec::new());
        for same in waits.chunk_by(|a, b| a.0 == b.0) {
            let left = same.iter().filter(|(_, left)| *left).count();
            if left > 0 {
                share *= 1.0 - left as f64 / waiting as f64;
                steps.push((same[0].0, share));
            }
            waiting -= same.len();
        }
        Curve { steps, longest_s }
    }

    /// The first moment after `had_s` at which the survival falls to `share` (0 to 1) of what it is there.
    fn beyond(&self, had_s: u32, share: f64) -> u32 {
        let passed = self.steps.partition_point(|(at_s, _)| *at_s <= had_s);
        let now = passed.checked_sub(1).map_or(1.0, |last| self.steps[last].1);
        let leaves = self.steps[passed..].iter().find(|(_, survive)| *survive <= share * now);
        leaves.map_or(self.longest_s.max(had_s + 1), |(at_s, _)| *at_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_kaplan_and_meiers() {
        // Five customers: left at 10, answered at 10, left at 20, answered at 25, left at 40.
        let curve = Curve::fit(vec![(20, true), (10, true), (10, false), (40, true), (25, false)]);
        let shares: Vec<(u32, f64)> = curve.steps.iter().map(|(s, v)| (*s, (v * 1000.0).round())).collect();
        assert_eq!(shares, [(10, 800.0), (20, 533.0), (40, 0.0)]);
    }

    #[test]
    fn a_draw_lies_beyond_the_wait_had() {
        let curve = Curve::fit(vec![(10, true), (20, true), (30, true), (30, false)]);
        assert_eq!(curve.beyond(0, 0.9), 10);
        assert_eq!(curve.beyond(10, 0.9), 20);
        assert_eq!(curve.beyond(10, 0.1), 30, "what is left of the curve leaves at the longest wait");
        assert_eq!(curve.beyond(30, 0.5), 31);
    }
}
