//! Who serves. Presence is what the agent chose, liveness what the connection says, routing state what the
//! engine knows: three fields, never one.

use super::capacity::{Held, Ledger};
use super::event::EndedBy;
use super::ids::{AgentKey, AssignmentId, ProfileKey, SessionId, Text};
use super::score::Place;
use super::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the agent chose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Presence {
    Available,
    OnBreak,
    SignedOut,
}

/// What the connection says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Liveness {
    /// No session.
    Offline,
    /// The session is renewed.
    Live,
    /// It was not renewed in time, or we were restarted and the agent has not come back yet.
    Lost,
}

/// What the engine knows. Derived from the ledger and `not_responding`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum RoutingState {
    Idle,
    Ringing,
    Handling,
    WrappingUp,
    NotResponding,
}

/// A break or sign-out that waits for the work in hand to end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pending {
    pub presence: Presence,
    pub reason: Text,
    pub by: EndedBy,
}

/// What an agent accepted on one day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Today {
    /// When the day is over where the agent works.
    pub ends: Time,
    /// By channel.
    pub accepted: [u16; 7],
}

/// The order in which agents are asked: less in use first, then mostly longer idle, then the lower key. One number, since
/// ranks are compared more often than anything else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(super) struct Rank(u128);

impl Rank {
    /// After everybody: nobody is so much in use.
    pub const NOBODY: Rank = Rank(u128::MAX);

    /// `measure` tells apart those who have equally much in use: mostly since when they are idle.
    pub fn new(used: u32, measure: Time, key: AgentKey) -> Rank {
        Rank(u128::from(used) << 96 | u128::from(measure.0) << 32 | u128::from(key.0))
    }

    /// Capacity in use.
    pub fn used(self) -> u32 {
        u32::try_from(self.0 >> 96).expect("32 bits are left")
    }

    /// What tells apart those who have equally much in use.
    pub fn measure(self) -> Time {
        Time(u64::try_from(self.0 >> 32 & u128::from(u64::MAX)).expect("it is cut to that"))
    }

    /// Whose it is.
    pub fn agent(self) -> AgentKey {
        AgentKey(u32::try_from(self.0 & u128::from(u32::MAX)).expect("it is cut to that"))
    }
}

/// How an agent is right now. What was configured is in the floor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Agent {
    pub key: AgentKey,
    pub presence: Presence,
    pub reason: Text,
    pub pending: Option<Pending>,
    pub liveness: Liveness,
    /// The last session, also when it is lost: it can be resumed.
    pub session: Option<SessionId>,
    /// Let an offer expire and has not come back since.
    pub not_responding: bool,
    pub ledger: Ledger,
    /// Conversations that gave way to others, oldest first: they hold nothing and come back.
    pub interrupted: Vec<AssignmentId>,
    pub today: Today,
    /// Who waits for this agent alone, first served first.
    pub line: BTreeSet<Place>,
    /// Who stands in a line of many and knows this agent, first served first. A cache, kept by `line.rs`.
    #[serde(skip)]
    pub(super) familiar: BTreeSet<Place>,
    /// Since when idle: the end of the last work, or signing in. Offers that came to nothing do not touch it.
    pub idle_since: Time,
    /// Since when something is in hand, and how long it was before since signing in, ms.
    pub busy_since: Option<Time>,
    pub worked_ms: u64,
    /// When the agent signed in.
    pub came: Time,
    /// When the agent was asked last.
    pub asked: Time,
    /// Since when presence, liveness and routing state are as they are.
    pub since: Time,
    /// The routing state `since` speaks of.
    pub(super) seen: RoutingState,
    /// Whom the agent is like; nobody if the agent was removed. A cache, kept by `index.rs`.
    #[serde(skip)]
    pub(super) profile: Option<ProfileKey>,
    /// Where the agent stands in the order of those who are ready. A cache, kept by `index.rs`.
    #[serde(skip)]
    pub(super) ready: Option<Rank>,
    /// Whether the lanes count the agent as on duty. A cache, kept by `index.rs`.
    #[serde(skip)]
    pub(super) counted: bool,
}

impl Agent {
    pub(super) fn new(key: AgentKey, now: Time) -> Agent {
        Agent {
            key,
            presence: Presence::SignedOut,
            reason: Text::default(),
            pending: None,
            liveness: Liveness::Offline,
            session: None,
            not_responding: false,
            ledger: Ledger::default(),
            interrupted: Vec::new(),
            today: Today::default(),
            line: BTreeSet::new(),
            familiar: BTreeSet::new(),
            idle_since: now,
            busy_since: None,
            worked_ms: 0,
            came: now,
            asked: Time(0),
            since: now,
            seen: RoutingState::Idle,
            profile: None,
            ready: None,
            counted: false,
        }
    }

    /// The connection went. One who has signed out has gone; anybody else may come back.
    pub(super) fn lose_connection(&mut self) {
        self.liveness = match self.presence {
            Presence::SignedOut => Liveness::Offline,
            Presence::Available | Presence::OnBreak => Liveness::Lost,
        };
    }

    /// What the engine knows of the agent.
    pub fn routing_state(&self) -> RoutingState {
        self.routing_state_with(self.ledger.held())
    }

    pub(super) fn routing_state_with(&self, held: Held) -> RoutingState {
        if held.offers > 0 {
            RoutingState::Ringing
        } else if held.talks {
            RoutingState::Handling
        } else if !self.ledger.is_empty() {
            RoutingState::WrappingUp
        } else if self.not_responding {
            RoutingState::NotResponding
        } else {
            RoutingState::Idle
        }
    }

    /// Nothing in hand: no offer, no conversation, no wrap-up, nothing interrupted.
    pub fn is_empty_handed(&self) -> bool {
        self.ledger.is_empty() && self.interrupted.is_empty()
    }

    /// Signed in, with a connection that lives.
    pub fn on_duty(&self) -> bool {
        self.presence != Presence::SignedOut && self.liveness == Liveness::Live
    }
}
