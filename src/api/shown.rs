//! State as the protocol shows it.

use super::convert::timestamp;
use super::tenant::Tenant;
use crate::engine::agent::{Liveness, Presence, RoutingState};
use crate::engine::event::{EndedBy, Ending, RescindCause};
use crate::engine::explain::{Exclusion, WaitReason};
use crate::engine::floor::Floor;
use crate::engine::ids::{AgentKey, QueueKey};
use crate::engine::interaction::State;
use crate::engine::skill::Requirement;
use crate::proto;
use crate::runtime::notice::End;
use crate::runtime::view::AgentView;

impl Tenant {
    /// How an agent is.
    pub fn show_status(&self, view: &AgentView) -> proto::AgentStatus {
        let agent = &view.agent;
        proto::AgentStatus {
            agent: self.agent_name(agent.key, &self.shard.floor()),
            presence: presence(agent.presence).into(),
            break_reason: agent.reason.to_string(),
            liveness: liveness(agent.liveness).into(),
            routing_state: routing_state(agent.routing_state()).into(),
            draining: agent.pending.is_some(),
            capacity_used: agent.ledger.used(),
            capacity: view.capacity.into(),
            since: Some(timestamp(agent.since)),
            sequence: view.sequence.0,
        }
    }

    /// The name of a queue.
    pub fn queue_name(&self, queue: QueueKey, floor: &Floor) -> String {
        let entry = floor.queues.get(u32::from(queue.0));
        entry.map_or_else(String::new, |entry| self.name_of_chosen("queues", &entry.name))
    }

    /// The name of an agent.
    pub fn agent_name(&self, agent: AgentKey, floor: &Floor) -> String {
        let entry = floor.agents.get(agent.0);
        entry.map_or_else(String::new, |entry| self.name_of_chosen("agents", &entry.name))
    }

    /// Requirements by name.
    pub fn requirements(&self, needs: &[Requirement], floor: &Floor) -> Vec<proto::Requirement> {
        let named = needs.iter().filter_map(|need| {
            let entry = floor.skills.get(u32::from(need.skill.0))?;
            Some(proto::Requirement {
                skill: self.name_of_chosen("skills", &entry.name),
                proficiency: need.proficiency.into(),
            })
        });
        named.collect()
    }
}

/// Where it is in its life.
pub fn interaction_state(state: State) -> proto::InteractionState {
    match state {
        State::Waiting => proto::InteractionState::Waiting,
        State::Offered => proto::InteractionState::Offered,
        State::Handling => proto::InteractionState::Handling,
        State::WrappingUp => proto::InteractionState::WrappingUp,
        State::Closed => proto::InteractionState::Closed,
        State::Abandoned => proto::InteractionState::Abandoned,
        State::Cancelled => proto::InteractionState::Cancelled,
        State::Scheduled => proto::InteractionState::Scheduled,
        State::Parked => proto::InteractionState::Parked,
        State::TimedOut => proto::InteractionState::TimedOut,
        State::SentAway => proto::InteractionState::SentAway,
    }
}

/// Why it waits.
pub fn wait_reason(reason: WaitReason) -> proto::WaitReason {
    match reason {
        WaitReason::NoAgentQualifies => proto::WaitReason::NoAgentQualifies,
        WaitReason::AllAgentsBusy => proto::WaitReason::AllAgentsBusy,
        WaitReason::CoolingDown => proto::WaitReason::CoolingDown,
        WaitReason::WaitsForAgent => proto::WaitReason::WaitsForAgent,
        WaitReason::ShiftsEnd => proto::WaitReason::ShiftsEnd,
        WaitReason::Held => proto::WaitReason::Held,
    }
}

/// Why not this agent.
pub fn exclusion(exclusion: Exclusion) -> proto::Exclusion {
    match exclusion {
        Exclusion::OtherPool => proto::Exclusion::OtherPool,
        Exclusion::SignedOut => proto::Exclusion::SignedOut,
        Exclusion::SessionLost => proto::Exclusion::SessionLost,
        Exclusion::OnBreak => proto::Exclusion::OnBreak,
        Exclusion::NotResponding => proto::Exclusion::NotResponding,
        Exclusion::SkillMissing { .. } => proto::Exclusion::SkillMissing,
        Exclusion::ProficiencyTooLow { .. } => proto::Exclusion::ProficiencyTooLow,
        Exclusion::OtherGroup => proto::Exclusion::OtherGroup,
        Exclusion::AlreadyOnIt => proto::Exclusion::AlreadyOnIt,
        Exclusion::AlreadyAsked => proto::Exclusion::AlreadyAsked,
        Exclusion::WaitsForAnother => proto::Exclusion::WaitsForAnother,
        Exclusion::CoolingDown => proto::Exclusion::CoolingDownAfterDecline,
        Exclusion::OffShift => proto::Exclusion::OffShift,
        Exclusion::ShiftEnds => proto::Exclusion::ShiftEnds,
        Exclusion::DailyMaximum => proto::Exclusion::DailyMaximum,
        Exclusion::ChannelLimit => proto::Exclusion::ChannelLimitReached,
        Exclusion::CapacityFull => proto::Exclusion::CapacityFull,
        Exclusion::AnsweringAnOffer => proto::Exclusion::AnsweringAnOffer,
        Exclusion::KeptForOthers => proto::Exclusion::KeptForOthers,
        Exclusion::RankedLower => proto::Exclusion::RankedLower,
    }
}

/// How an offer ended.
pub fn ending(ending: Ending) -> proto::offer_ended::Ending {
    match ending {
        Ending::Accepted => proto::offer_ended::Ending::Accepted,
        Ending::Declined => proto::offer_ended::Ending::Declined,
        Ending::Expired => proto::offer_ended::Ending::Expired,
        Ending::Rescinded => proto::offer_ended::Ending::Rescinded,
    }
}

/// Why an offer was taken back.
pub fn rescind_cause(cause: RescindCause) -> proto::offer_ended::RescindCause {
    match cause {
        RescindCause::CustomerLeft => proto::offer_ended::RescindCause::CustomerLeft,
        RescindCause::Withdrawn => proto::offer_ended::RescindCause::Withdrawn,
        RescindCause::AgentUnavailable => proto::offer_ended::RescindCause::AgentUnavailable,
        RescindCause::SessionLost => proto::offer_ended::RescindCause::SessionLost,
        RescindCause::EngineRestart => proto::offer_ended::RescindCause::EngineRestart,
        RescindCause::SourceLost => proto::offer_ended::RescindCause::SourceLost,
        RescindCause::TakenByAnother => proto::offer_ended::RescindCause::TakenByAnother,
        RescindCause::Supervisor => proto::offer_ended::RescindCause::Supervisor,
        RescindCause::CallbackRequested => proto::offer_ended::RescindCause::CallbackRequested,
        RescindCause::Replaced => proto::offer_ended::RescindCause::Replaced,
        RescindCause::NotSoughtAnyMore => proto::offer_ended::RescindCause::NotSoughtAnyMore,
    }
}

/// Who or what ended it.
pub fn ended_by(end: End) -> proto::assignment::EndedBy {
    match end {
        End::By(EndedBy::Agent) => proto::assignment::EndedBy::Agent,
        End::By(EndedBy::Customer) => proto::assignment::EndedBy::Customer,
        End::By(EndedBy::Source) => proto::assignment::EndedBy::Source,
        End::By(EndedBy::Clock) => proto::assignment::EndedBy::Clock,
        End::By(EndedBy::Supervisor) => proto::assignment::EndedBy::Supervisor,
        End::By(EndedBy::Transfer) => proto::assignment::EndedBy::Transfer,
        End::By(EndedBy::Engine) => proto::assignment::EndedBy::NobodyLeft,
        End::Parked => proto::assignment::EndedBy::Parked,
        End::Requeued => proto::assignment::EndedBy::Requeued,
        End::NotConnected => proto::assignment::EndedBy::NotConnected,
        End::AgentLost => proto::assignment::EndedBy::AgentLost,
    }
}

fn presence(presence: Presence) -> proto::Presence {
    match presence {
        Presence::Available => proto::Presence::Available,
        Presence::OnBreak => proto::Presence::OnBreak,
        Presence::SignedOut => proto::Presence::SignedOut,
    }
}

fn liveness(liveness: Liveness) -> proto::Liveness {
    match liveness {
        Liveness::Offline => proto::Liveness::Offline,
        Liveness::Live => proto::Liveness::Live,
        Liveness::Lost => proto::Liveness::Lost,
    }
}

fn routing_state(state: RoutingState) -> proto::RoutingState {
    match state {
        RoutingState::Idle => proto::RoutingState::Idle,
        RoutingState::Ringing => proto::RoutingState::Ringing,
        RoutingState::Handling => proto::RoutingState::Handling,
        RoutingState::WrappingUp => proto::RoutingState::InWrapUp,
        RoutingState::NotResponding => proto::RoutingState::NotResponding,
    }
}
