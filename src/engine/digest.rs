//! The routing state as one number. Equal digests mean equal futures; caches, estimates and the clock are
//! left out.

use super::ids::InteractionId;
use super::shard::Shard;
use serde::Serialize;

impl Shard {
    /// FNV-1a over the state in a fixed order. The same on every machine and in every build with this format.
    pub fn digest(&self) -> u64 {
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        hash.add(&(self.sequence, self.last_interaction, self.last_offer, self.last_assignment));
        hash.add(&(self.floor.pools.entries(), self.floor.skills.entries()));
        hash.add(&(self.floor.queues.entries(), self.floor.agents.entries()));
        for agent in &self.agents {
            hash.add(agent);
        }
        for id in self.interactions.ids() {
            if let Some(interaction) = self.interaction(InteractionId(id)) {
                hash.add(interaction);
                let offers = interaction.offers.iter().map(|offer| self.offer(*offer));
                hash.add(&offers.collect::<Vec<_>>());
                let parts = interaction.assignments.iter().map(|part| self.assignment(*part));
                hash.add(&parts.collect::<Vec<_>>());
            }
        }
        hash.add(&(self.floor.groups.entries(), self.floor.hours.entries(), &self.phases, &self.held));
        for (_, lane) in self.lines.lanes() {
            for place in lane.waiting() {
                hash.add(place);
            }
        }
        hash.add(&self.deadlines.sorted());
        hash.add(&self.sources);
        hash.add(&self.tally);
        hash.add(&self.learned);
        hash.add(&self.arms);
        hash.0
    }
}

struct Fnv(u64);

impl Fnv {
    fn add(&mut self, part: &impl Serialize) {
        let bytes = postcard::to_stdvec(part).expect("state has no part that cannot be encoded");
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
