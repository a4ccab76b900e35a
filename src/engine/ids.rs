//! Identities. Keys are small and dense: the engine gives them to what the floor defines, and they index its
//! tables. Ids are never used twice; they are numbered by the shard that made them.

use serde::{Deserialize, Serialize};

macro_rules! identity {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl From<$name> for u64 {
            fn from(id: $name) -> u64 {
                u64::from(id.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

identity! {
    /// A pool: queues and agents that are decided together.
    PoolKey(u16);
    /// A skill.
    SkillKey(u16);
    /// A queue.
    QueueKey(u16);
    /// An agent.
    AgentKey(u32);
    /// A group of agents.
    GroupKey(u16);
    /// Opening hours.
    HoursKey(u16);
    /// A lane: the waiting interactions of one queue and channel with equal requirements.
    LaneKey(u32);
    /// A profile: agents with equal skills, group and pool.
    ProfileKey(u32);
    /// An interaction.
    InteractionId(u64);
    /// An offer.
    OfferId(u64);
    /// One agent's part in an interaction.
    AssignmentId(u64);
    /// A live connection of an agent.
    SessionId(u64);
    /// A customer, as the customer store knows them. Says nothing about the person.
    CustomerId(u64);
    /// The number of an event. The first is 1.
    Sequence(u64);
}

macro_rules! indexes {
    ($($name:ident),*) => {$(
        impl $name {
            /// Where its table holds it.
            pub fn index(self) -> usize {
                usize::try_from(self.0).expect("keys are far below the address space")
            }
        }
    )*};
}

indexes!(PoolKey, SkillKey, QueueKey, GroupKey, HoursKey, AgentKey, LaneKey, ProfileKey);

/// A short text shared between an event and the state it made: names, codes, ids of others.
pub type Text = std::sync::Arc<str>;
