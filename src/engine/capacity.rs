//! The ledger of claims: the only holder of capacity. Used capacity is the sum of the claims of offers,
//! assignments and wrap-ups; nothing else counts units.

use super::ids::{AssignmentId, OfferId};
use super::plan::Channel;
use serde::{Deserialize, Serialize};

/// What one interaction of a channel takes of an agent, and how many there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChannelCapacity {
    /// Units per interaction.
    pub units: u16,
    /// At most so many at once.
    pub limit: u16,
}

/// One full agent.
pub const CAPACITY_DEFAULT: u16 = 100;

/// What each channel takes by default. The limit is whatever fits: the units decide.
pub fn channels_default() -> [ChannelCapacity; 7] {
    Channel::ALL.map(|channel| ChannelCapacity { units: units_default(channel), limit: 1_000 })
}

fn units_default(channel: Channel) -> u16 {
    match channel {
        Channel::Voice | Channel::Video => 100,
        Channel::Chat | Channel::Message | Channel::Social => 25,
        Channel::Email | Channel::Task => 10,
    }
}

/// Who holds a claim. An accept turns the offer's into the assignment's, the end of the conversation into that of
/// the wrap-up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Holder {
    Offer(OfferId),
    Assignment(AssignmentId),
    WrapUp(AssignmentId),
}

/// Capacity held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claim {
    pub holder: Holder,
    pub channel: Channel,
    pub units: u16,
}

/// All claims on one agent.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    claims: Vec<Claim>,
}

impl Ledger {
    /// Units in use.
    pub fn used(&self) -> u16 {
        self.claims.iter().map(|claim| claim.units).sum()
    }

    /// How many claims there are on a channel.
    pub fn count(&self, channel: Channel) -> u16 {
        let count = self.claims.iter().filter(|claim| claim.channel == channel).count();
        u16::try_from(count).expect("each channel's limit is a u16")
    }

    /// Every claim, in the order they were made.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// True if nothing is held.
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    /// How many offers are open.
    pub fn offers(&self) -> u16 {
        let count = self.claims.iter().filter(|claim| matches!(claim.holder, Holder::Offer(_))).count();
        u16::try_from(count).expect("open offers are limited by a u16")
    }

    pub(super) fn claim(&mut self, claim: Claim) {
        self.claims.push(claim);
    }

    pub(super) fn release(&mut self, holder: Holder) {
        let at = self.position(holder);
        self.claims.remove(at);
    }

    /// The same claim under its next holder.
    pub(super) fn pass(&mut self, from: Holder, to: Holder) {
        let at = self.position(from);
        self.claims[at].holder = to;
    }

    fn position(&self, holder: Holder) -> usize {
        self.claims
            .iter()
            .position(|claim| claim.holder == holder)
            .expect("a claim lives exactly as long as the offer, assignment or wrap-up that holds it")
    }
}
