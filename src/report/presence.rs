//! How an agent's time was spent: one state at a time, so the times of a row add up to its length.

use crate::engine::agent::{Agent, Liveness, Presence, RoutingState};
use crate::engine::ids::Text;
use serde::Serialize;
use std::collections::BTreeMap;

/// Reasons of breaks that are told apart in a row; others are added up as `other`.
pub const BREAK_REASONS_MAX: usize = 32;

/// What an agent does, as one state. Work in hand comes before a break that waits for its end, a lost connection before
/// everything: nobody knows what happens behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Doing {
    SignedOut,
    Lost,
    Ringing,
    Handling,
    WrappingUp,
    OnBreak(Text),
    NotResponding,
    Idle,
}

impl Doing {
    pub fn of(agent: &Agent) -> Doing {
        if agent.presence == Presence::SignedOut {
            return Doing::SignedOut;
        }
        if agent.liveness != Liveness::Live {
            return Doing::Lost;
        }
        match agent.routing_state() {
            RoutingState::Ringing => Doing::Ringing,
            RoutingState::Handling => Doing::Handling,
            RoutingState::WrappingUp => Doing::WrappingUp,
            _ if agent.presence == Presence::OnBreak => Doing::OnBreak(agent.reason.clone()),
            RoutingState::NotResponding => Doing::NotResponding,
            RoutingState::Idle => Doing::Idle,
        }
    }
}

/// Milliseconds by state.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct AgentTime {
    /// Ready, and nothing to do.
    pub idle_ms: u64,
    /// An offer was open.
    pub ringing_ms: u64,
    pub handling_ms: u64,
    pub wrapping_up_ms: u64,
    pub not_responding_ms: u64,
    pub break_ms: u64,
    /// Of the breaks, by reason.
    pub break_by_reason_ms: BTreeMap<Text, u64>,
    /// Signed in, and the connection was lost.
    pub lost_ms: u64,
    pub signed_out_ms: u64,
}

impl AgentTime {
    /// Handling and wrap-up ÷ (handling, wrap-up, ringing and idle), in parts per million: of the time an agent was
    /// there for work, what was work. Breaks, lost connections and not responding are not in it.
    pub fn occupancy_ppm(&self) -> Option<u32> {
        let busy = self.handling_ms + self.wrapping_up_ms;
        let there = busy + self.ringing_ms + self.idle_ms;
        let ppm = (u128::from(busy) * 1_000_000).checked_div(u128::from(there))?;
        u32::try_from(ppm).ok()
    }

    /// Signed in, whatever they did, ms.
    pub fn signed_in_ms(&self) -> u64 {
        self.idle_ms
            + self.ringing_ms
            + self.handling_ms
            + self.wrapping_up_ms
            + self.not_responding_ms
            + self.break_ms
            + self.lost_ms
    }

    pub(super) fn spend(&mut self, doing: &Doing, ms: u64) {
        *match doing {
            Doing::SignedOut => &mut self.signed_out_ms,
            Doing::Lost => &mut self.lost_ms,
            Doing::Ringing => &mut self.ringing_ms,
            Doing::Handling => &mut self.handling_ms,
            Doing::WrappingUp => &mut self.wrapping_up_ms,
            Doing::NotResponding => &mut self.not_responding_ms,
            Doing::Idle => &mut self.idle_ms,
            Doing::OnBreak(reason) => {
                self.spend_on_break(reason, ms);
                &mut self.break_ms
            }
        } += ms;
    }

    fn spend_on_break(&mut self, reason: &Text, ms: u64) {
        let known = self.break_by_reason_ms.contains_key(reason);
        let room = self.break_by_reason_ms.len() < BREAK_REASONS_MAX;
        let reason = if known || room { reason.clone() } else { "other".into() };
        *self.break_by_reason_ms.entry(reason).or_default() += ms;
    }

    pub(super) fn add(&mut self, other: &AgentTime) {
        self.idle_ms += other.idle_ms;
        self.ringing_ms += other.ringing_ms;
        self.handling_ms += other.handling_ms;
        self.wrapping_up_ms += other.wrapping_up_ms;
        self.not_responding_ms += other.not_responding_ms;
        self.break_ms += other.break_ms;
        self.lost_ms += other.lost_ms;
        self.signed_out_ms += other.signed_out_ms;
        for (reason, ms) in &other.break_by_reason_ms {
            let known = self.break_by_reason_ms.contains_key(reason);
            let room = self.break_by_reason_ms.len() < BREAK_REASONS_MAX;
            let reason = if known || room { reason.clone() } else { "other".into() };
            *self.break_by_reason_ms.entry(reason).or_default() += ms;
        }
    }
}
