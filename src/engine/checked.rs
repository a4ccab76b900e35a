//! Plans that came in lately and passed the check, each with the lane it leads to: most come again and again, shared,
//! and are neither checked nor looked up anew. A cache: it decides nothing, and forgets all when the floor changes.

use super::channel::Channel;
use super::ids::LaneKey;
use super::plan::Plan;
use std::sync::Arc;

/// So many at once; one more takes the place of another.
const KEPT: usize = 256;

#[derive(Clone, Debug)]
struct Known {
    plan: Arc<Plan>,
    channel: Channel,
    lane: LaneKey,
}

/// Plans by where they lie in memory. Each is held, so nothing else can lie there.
#[derive(Clone, Debug, Default)]
pub(super) struct Checked {
    known: Vec<Option<Known>>,
}

impl Checked {
    /// The lane of a plan's first route and step, if the plan came lately.
    pub fn lane(&self, plan: &Arc<Plan>, channel: Channel) -> Option<LaneKey> {
        let known = self.known.get(slot(plan, channel))?.as_ref()?;
        (Arc::ptr_eq(&known.plan, plan) && known.channel == channel).then_some(known.lane)
    }

    pub fn note(&mut self, plan: &Arc<Plan>, channel: Channel, lane: LaneKey) {
        self.known.resize(KEPT, None);
        self.known[slot(plan, channel)] = Some(Known { plan: plan.clone(), channel, lane });
    }

    /// What a plan names may have gone, or a lane have another's key.
    pub fn forget_all(&mut self) {
        self.known.clear();
    }
}

fn slot(plan: &Arc<Plan>, channel: Channel) -> usize {
    // Plans lie some hundred bytes apart: the bits above those, folded once, spread them.
    let place = Arc::as_ptr(plan).addr() >> 4;
    (place ^ place >> 8 ^ channel.index() << 5) % KEPT
}
