//! How long customers would have waited: as recorded for those who hung up; for the others a draw beyond the wait they had,
//! from the share who would still wait by Kaplan and Meier.

use super::lives::Life;
use crate::engine::ids::QueueKey;
use crate::engine::plan::Channel;
use crate::learning::{Curve, Ending};
use crate::replay::draw::{Purpose, unit};
use std::collections::BTreeMap;

/// Of a queue that fewer customers left, the curve is that of its channel: five steps are no curve.
const LEFT_MIN: usize = 20;

/// The curves of a record.
#[derive(Debug)]
pub(super) struct Patience {
    by_queue: BTreeMap<QueueKey, Class>,
    by_channel: BTreeMap<Channel, Class>,
}

impl Patience {
    pub fn seen_in(lives: &[Life]) -> Patience {
        let mut by_queue: BTreeMap<QueueKey, Vec<(u64, Ending)>> = BTreeMap::new();
        let mut by_channel: BTreeMap<Channel, Vec<(u64, Ending)>> = BTreeMap::new();
        for life in lives {
            let Some(waited_ms) = life.waited_ms else { continue };
            let ending = if life.hung_up { Ending::Abandoned } else { Ending::Answered };
            by_queue.entry(life.contact.queue).or_default().push((waited_ms, ending));
            by_channel.entry(life.contact.channel).or_default().push((waited_ms, ending));
        }
        let enough = |waits: &[(u64, Ending)]| {
            waits.iter().filter(|one| one.1 == Ending::Abandoned).count() >= LEFT_MIN
        };
        by_queue.retain(|_, waits| enough(waits));
        let class = |waits: Vec<(u64, Ending)>| Class::of(&waits);
        Patience {
            by_queue: by_queue.into_iter().map(|(queue, waits)| (queue, class(waits))).collect(),
            by_channel: by_channel.into_iter().map(|(channel, waits)| (channel, class(waits))).collect(),
        }
    }

    /// So long after entry the customer hangs up, ms. `None`: never, as on a channel on which nobody did.
    pub fn of(&self, life: &Life, seed: u64) -> Option<u64> {
        if life.hung_up {
            return life.waited_ms;
        }
        let class = self.by_queue.get(&life.contact.queue).or(self.by_channel.get(&life.contact.channel))?;
        // Never 0, at which nobody would be left for ever.
        let share = 1.0 - unit(seed, Purpose::Patience, life.id.0);
        class.beyond(life.waited_ms.unwrap_or(0), share)
    }
}

/// One curve, with the risk of those who outwait it.
#[derive(Debug)]
struct Class {
    curve: Curve,
    /// Hang-ups for each ms that was waited.
    per_ms: f64,
}

impl Class {
    fn of(waits: &[(u64, Ending)]) -> Class {
        let left = waits.iter().filter(|(_, ending)| *ending == Ending::Abandoned).count();
        let waited_ms: u64 = waits.iter().map(|(wait_ms, _)| wait_ms).sum();
        Class { curve: Curve::of(waits), per_ms: left as f64 / waited_ms.max(1) as f64 }
    }

    /// The first moment after `had_ms` at which the survival has fallen to `share` (above 0, up to 1) of what it is there.
    /// Beyond the longest wait seen, customers leave at the mean risk of all: nobody is known to have stayed, and a wall at
    /// the longest wait would let them all go at once.
    fn beyond(&self, had_ms: u64, share: f64) -> Option<u64> {
        let (steps, here) = (&self.curve.steps, self.curve.survival(had_ms));
        let wanted = share * here;
        let passed = steps.partition_point(|step| step.wait_ms <= had_ms);
        let at = passed + steps[passed..].partition_point(|step| step.survival > wanted);
        if let Some(step) = steps.get(at) {
            return Some(step.wait_ms);
        }
        if self.per_ms <= 0.0 {
            return None;
        }
        // What is left where the curve ends, over what is wanted; at the end of a curve that falls to nothing, the share.
        let (from_ms, left) = match steps.last() {
            Some(last) if passed < steps.len() => (last.wait_ms, last.survival / wanted),
            _ => (had_ms, 1.0 / share),
        };
        let beyond_ms = left.max(1.0).ln() / self.per_ms;
        Some(from_ms + (beyond_ms.ceil() as u64).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(waits: &[(u64, bool)]) -> Class {
        let ending = |left: bool| if left { Ending::Abandoned } else { Ending::Answered };
        Class::of(&waits.iter().map(|(ms, left)| (*ms, ending(*left))).collect::<Vec<_>>())
    }

    #[test]
    fn a_draw_lies_beyond_the_wait_that_was_had() {
        let class = class(&[(10, true), (20, true), (30, true), (30, false)]);
        assert_eq!(class.beyond(0, 0.9), Some(10));
        assert_eq!(class.beyond(10, 0.9), Some(20));
        assert_eq!(class.beyond(20, 0.6), Some(30));
        assert!(class.beyond(10, 0.1) > Some(30), "what outwaits the curve leaves later");
        assert!(class.beyond(30, 0.5) > Some(30));
    }

    #[test]
    fn whoever_outwaits_the_curve_leaves_at_the_mean_risk() {
        // One of two hung up; 200 ms were waited: 1 in 200 for each ms, and e^-1 of those who stay stay 200 ms more.
        let class = class(&[(100, true), (100, false)]);
        assert_eq!(class.beyond(100, (-1.0_f64).exp()), Some(300));
    }

    #[test]
    fn where_nobody_hung_up_nobody_does() {
        assert_eq!(class(&[(10, false), (90, false)]).beyond(5, 0.01), None);
    }
}
