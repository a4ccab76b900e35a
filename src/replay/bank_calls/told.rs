//! How well the recorded month's waits would have been told: whoever stands in line is told a wait as the server tells it,
//! from what the days before and the day so far have taught, and is asked afterwards.

use super::class::Class;
use super::policies::Way;
use super::replay::{ReplayError, ReplayOptions, set};
use crate::engine::event::Stamped;
use crate::engine::ids::QueueKey;
use crate::engine::shard::Shard;
use crate::learning::{Accuracy, Eyes, Forecasts, HalfLife, Learner, note};
use crate::rules::RuleSet;

/// How well waits were told.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitsTold {
    /// In all queues; `None` if nobody waited who was told something.
    pub all: Option<Accuracy>,
    /// By queue, in their order: `PS`, and `PS-priority` where the rules speak of it.
    pub queues: Vec<(String, Accuracy)>,
}

/// Replays a log in one way and asks those who were told. What they are told is learned from nothing, from the first day on.
/// `rules` as in [`super::policies`].
pub fn told(
    options: &ReplayOptions,
    way: Way,
    rules: &RuleSet,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<WaitsTold, ReplayError> {
    let (scene, availability, _, mut progress) = set(options, 1, progress)?;
    let mut listener = Listener::new();
    scene.heard(scene.calls.len(), availability, way.terms(rules), Some(&mut listener), &mut progress);
    let forecasts = listener.forecasts;
    let names = Class::all().filter(|class| class.has_queue(Some(rules))).map(Class::name);
    let queue = |(key, name)| Some((name, forecasts.accuracy(Some(QueueKey(key)))?));
    Ok(WaitsTold { all: forecasts.accuracy(None), queues: (0..).zip(names).filter_map(queue).collect() })
}

/// Learns from a floor as it goes.
pub(super) struct Listener {
    eyes: Eyes,
    learner: Learner,
    forecasts: Forecasts,
}

impl Listener {
    fn new() -> Listener {
        let (eyes, forecasts) = (Eyes::default(), Forecasts::default());
        Listener { eyes, learner: Learner::new(HalfLife::USUAL), forecasts }
    }

    /// Hears what happened in a step, right after it.
    pub(super) fn hear(&mut self, events: &[Stamped], shard: &Shard) {
        let Listener { eyes, learner, forecasts } = self;
        for stamped in events {
            let now = stamped.time;
            eyes.look(now, &stamped.event, &mut |seen| note(learner, forecasts, now, seen, shard));
        }
    }
}
