//! The ledger of claims: the only holder of capacity. Used capacity is the sum of the claims of offers,
//! assignments and wrap-ups; nothing else counts units.

use super::channel::{Channel, ChannelSet};
use super::few::Few;
use super::ids::{AssignmentId, OfferId};
use serde::{Deserialize, Serialize};

/// What one interaction of a channel takes of an agent, and how many there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChannelCapacity {
    /// Units per interaction.
    pub units: u16,
    /// At most so many at once.
    pub limit: u16,
    /// At most so many accepted a day. `None`: as many as come.
    pub daily_max: Option<u16>,
    /// These may interrupt it: it is parked for them and comes back to the same agent. Not read of voice and video: a
    /// caller is not put aside.
    pub interruptible_by: ChannelSet,
}

/// What an agent can take at once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CapacitySpec {
    /// Units in all.
    pub units: u16,
    /// By channel.
    pub channels: [ChannelCapacity; 7],
    /// Offers that may be open to the agent at once.
    pub open_offers_max: u16,
    /// Handling may be expected to go on for so long after the end of the shift, ms.
    pub shift_overrun_ms: u64,
}

impl Default for CapacitySpec {
    fn default() -> CapacitySpec {
        CapacitySpec {
            units: CAPACITY_DEFAULT,
            channels: channels_default(),
            open_offers_max: 1,
            shift_overrun_ms: 0,
        }
    }
}

impl CapacitySpec {
    /// What a channel takes.
    pub fn of(&self, channel: Channel) -> ChannelCapacity {
        self.channels[channel.index()]
    }

    /// True if a conversation on a channel gives way to one on another. Never to one on the same: each would give way to
    /// the next.
    pub fn is_interrupted(&self, channel: Channel, by: Channel) -> bool {
        channel != by && !channel.is_connected_by_platform() && self.of(channel).interruptible_by.contains(by)
    }

    /// True if a channel is limited by the day.
    pub fn has_daily_maximum(&self) -> bool {
        self.channels.iter().any(|takes| takes.daily_max.is_some())
    }

    /// True if an agent who holds nothing can take one of any channel.
    pub fn has_room_for_any(&self) -> bool {
        let fits = |takes: &ChannelCapacity| takes.limit > 0 && takes.units <= self.units;
        self.open_offers_max > 0 && self.channels.iter().all(fits)
    }

    /// The least that any work takes. A channel may cost nothing: then a full agent has room for it still.
    pub fn least_units(&self) -> u32 {
        self.channels.iter().map(|takes| u32::from(takes.units)).min().unwrap_or_default()
    }
}

/// One full agent.
pub const CAPACITY_DEFAULT: u16 = 100;

/// What each channel takes by default. The limit is whatever fits: the units decide.
pub fn channels_default() -> [ChannelCapacity; 7] {
    Channel::ALL.map(|channel| ChannelCapacity {
        units: units_default(channel),
        limit: 1_000,
        daily_max: None,
        interruptible_by: ChannelSet::default(),
    })
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

/// Why an agent was given more than they can take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Overdraw {
    /// The rule that prefers this agent says so.
    PreferredAgent,
    /// A supervisor says so.
    Supervisor,
}

/// Capacity held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claim {
    pub holder: Holder,
    pub channel: Channel,
    pub units: u16,
    /// `Some`: the claim was allowed to go beyond the capacity.
    pub overdraw: Option<Overdraw>,
}

impl Claim {
    /// True if it is a conversation that this channel may interrupt.
    pub fn gives_way_to(&self, channel: Channel, spec: &CapacitySpec) -> bool {
        matches!(self.holder, Holder::Assignment(_))
            && self.units > 0
            && spec.is_interrupted(self.channel, channel)
    }
}

/// What an agent holds, in all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Held {
    /// Units in use.
    pub used: u32,
    /// Open offers.
    pub offers: u16,
    /// Whether a conversation is among it.
    pub talks: bool,
}

/// All claims on one agent.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    claims: Few<Claim>,
}

impl Ledger {
    /// The claims in all, counted at one go.
    pub fn held(&self) -> Held {
        self.claims.iter().fold(Held::default(), |held, claim| Held {
            used: held.used + u32::from(claim.units),
            offers: held.offers + u16::from(matches!(claim.holder, Holder::Offer(_))),
            talks: held.talks | matches!(claim.holder, Holder::Assignment(_)),
        })
    }

    /// Units in use.
    pub fn used(&self) -> u32 {
        self.claims.iter().map(|claim| u32::from(claim.units)).sum()
    }

    /// Units that would still be in use if a channel interrupted what it may.
    pub fn used_beside(&self, channel: Channel, spec: &CapacitySpec) -> u32 {
        let stays = |claim: &&Claim| !claim.gives_way_to(channel, spec);
        self.claims.iter().filter(stays).map(|claim| u32::from(claim.units)).sum()
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

    /// Units of one claim.
    pub fn units_of(&self, holder: Holder) -> u16 {
        self.claims[self.position(holder)].units
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

    /// How many offers of a channel are open.
    pub fn offers_on(&self, channel: Channel) -> u16 {
        let open = |claim: &&Claim| claim.channel == channel && matches!(claim.holder, Holder::Offer(_));
        u16::try_from(self.claims.iter().filter(open).count()).expect("open offers are limited by a u16")
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
        self.claims.as_mut()[at].holder = to;
    }

    /// Holds a share of it on, under the next holder.
    pub(super) fn pass_share(&mut self, from: Holder, to: Holder, percent: u8) {
        let at = self.position(from);
        let claim = &mut self.claims.as_mut()[at];
        claim.holder = to;
        let share = u32::from(claim.units) * u32::from(percent.min(100)) / 100;
        claim.units = u16::try_from(share).expect("a share is no more than the whole");
    }

    fn position(&self, holder: Holder) -> usize {
        self.claims
            .iter()
            .position(|claim| claim.holder == holder)
            .expect("a claim lives exactly as long as the offer, assignment or wrap-up that holds it")
    }
}
