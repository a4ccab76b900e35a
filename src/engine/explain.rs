//! Every decision leaves its why: each candidate is chosen, ranked lower, or excluded for one reason. Stored are
//! the terms and the best few; the whole list is judged again on demand from the same state.

use super::agent::{Liveness, Presence};
use super::floor::Floor;
use super::ids::{AgentKey, InteractionId, SkillKey};
use super::interaction::WantedBy;
use super::shard::Shard;
use super::skill::{Proficiency, Requirement, proficiency};
use serde::{Deserialize, Serialize};

/// Why an interaction waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum WaitReason {
    NoAgentQualifies,
    AllAgentsBusy,
    CoolingDown,
    /// For one agent alone.
    WaitsForAgent,
    /// Those who are free are off shift, would not be done before it ends, or have had the day's maximum.
    ShiftsEnd,
}

impl WaitReason {
    /// Every reason.
    pub const ALL: [WaitReason; 5] = [
        WaitReason::NoAgentQualifies,
        WaitReason::AllAgentsBusy,
        WaitReason::CoolingDown,
        WaitReason::WaitsForAgent,
        WaitReason::ShiftsEnd,
    ];

    /// As a supervisor reads it.
    pub fn sentence(self) -> &'static str {
        match self {
            WaitReason::NoAgentQualifies => "no agent on duty has the skills",
            WaitReason::AllAgentsBusy => "every agent on duty who has the skills is busy",
            WaitReason::CoolingDown => {
                "every free agent who has the skills had it, or was asked for it, a short while ago"
            }
            WaitReason::WaitsForAgent => "it waits for one agent, who cannot take it now",
            WaitReason::ShiftsEnd => {
                "every free agent who has the skills is off shift, about to end it, or has had the day's maximum"
            }
        }
    }
}

/// Why an agent was not chosen: the first that holds, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Exclusion {
    OtherPool,
    SignedOut,
    SessionLost,
    OnBreak,
    NotResponding,
    SkillMissing {
        skill: SkillKey,
        needs: Proficiency,
    },
    ProficiencyTooLow {
        skill: SkillKey,
        has: Proficiency,
        needs: Proficiency,
    },
    OtherGroup,
    /// In the conversation already.
    AlreadyOnIt,
    /// Is being asked for it already.
    AlreadyAsked,
    /// It waits for another agent.
    WaitsForAnother,
    CoolingDown,
    OffShift,
    ShiftEnds,
    DailyMaximum,
    ChannelLimit,
    CapacityFull,
    AnsweringAnOffer,
    RankedLower,
}

impl Exclusion {
    /// The reason without names.
    pub fn word(self) -> &'static str {
        match self {
            Exclusion::OtherPool => "works in another pool",
            Exclusion::SignedOut => "signed out",
            Exclusion::SessionLost => "connection lost",
            Exclusion::OnBreak => "on break",
            Exclusion::NotResponding => "not responding since an offer expired",
            Exclusion::SkillMissing { .. } => "a skill is missing",
            Exclusion::ProficiencyTooLow { .. } => "a proficiency is too low",
            Exclusion::OtherGroup => "in none of the groups that serve it",
            Exclusion::AlreadyOnIt => "in the conversation already",
            Exclusion::AlreadyAsked => "being asked for it already",
            Exclusion::WaitsForAnother => "it waits for another agent",
            Exclusion::CoolingDown => "had it, or was asked for it, a short while ago",
            Exclusion::OffShift => "outside the shift",
            Exclusion::ShiftEnds => "would not be done before the shift ends",
            Exclusion::DailyMaximum => "has taken as many of this channel as allowed a day",
            Exclusion::ChannelLimit => "has as many of this channel as allowed",
            Exclusion::CapacityFull => "not enough capacity left",
            Exclusion::AnsweringAnOffer => "another offer is open",
            Exclusion::RankedLower => "ranked lower: more in use, idle for less time, or just missed it",
        }
    }
}

/// One agent as a candidate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Candidate {
    pub agent: AgentKey,
    /// `None` for the chosen one.
    pub exclusion: Option<Exclusion>,
    /// Capacity in use: the first part of the rank.
    pub used: u32,
    /// Idle for so long, ms: the second part.
    pub idle_ms: u64,
}

/// Another interaction the same agent could have taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rival {
    pub interaction: InteractionId,
    pub score: i64,
}

/// Who was looking for whom.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Trigger {
    InteractionWaits,
    AgentFree,
    /// The agent took it from the line.
    Pulled,
}

/// Of the agents who qualify, so many are stored with a decision.
pub const CANDIDATES_STORED_MAX: usize = 4;
/// Of the rivals, so many.
pub const RIVALS_STORED_MAX: usize = 3;

/// A decision with its terms.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    pub trigger: Trigger,
    /// Wait in ms + 60,000 × priority points + head start.
    pub score: i64,
    pub wait_ms: u64,
    /// `Some` if it was for one agent alone.
    pub wanted: Option<WantedBy>,
    /// `Some` if nobody could take it.
    pub wait_reason: Option<WaitReason>,
    /// How many agents were ready for work.
    pub ready: u32,
    /// The first of those who are ready and qualify, in the order of their rank, the chosen one among them.
    pub agents: Box<[Candidate]>,
    /// Better work the agent could not have taken is not listed; what it could have, best first.
    pub rivals: Box<[Rival]>,
}

impl Shard {
    /// Each agent of the floor as a candidate for an interaction now, in the order of their keys. Of those who could
    /// take it, all but the first in rank are ranked lower.
    pub fn judge(&self, interaction: InteractionId) -> Vec<Candidate> {
        let Some(subject) = self.interaction(interaction) else { return Vec::new() };
        let mut candidates: Vec<Candidate> = self
            .agents
            .iter()
            .filter(|agent| self.floor.agents.live(agent.key.0).is_some())
            .map(|agent| self.candidate(agent, self.exclusion(agent, subject)))
            .collect();
        let rank =
            |candidate: &Candidate| (candidate.used, std::cmp::Reverse(candidate.idle_ms), candidate.agent);
        let best = candidates.iter().filter(|one| one.exclusion.is_none()).map(rank).min();
        for candidate in &mut candidates {
            if candidate.exclusion.is_none() && Some(rank(candidate)) != best {
                candidate.exclusion = Some(Exclusion::RankedLower);
            }
        }
        candidates
    }
}

/// The exclusion in words: `es 1 < 3`.
pub fn exclusion_sentence(exclusion: Exclusion, floor: &Floor) -> String {
    match exclusion {
        Exclusion::SkillMissing { skill, needs } => {
            format!("no {} (needs {needs})", skill_name(skill, floor))
        }
        Exclusion::ProficiencyTooLow { skill, has, needs } => {
            format!("{} {has} < {needs}", skill_name(skill, floor))
        }
        other => other.word().into(),
    }
}

/// Why the chosen agent was chosen: `only candidate; es 3 >= 1`.
pub fn chosen_sentence(decision: &Decision, agent: AgentKey, needs: &[Requirement], floor: &Floor) -> String {
    let mut parts = vec![rank_sentence(decision, agent)];
    let skills = floor.agents.get(agent.0).map(|entry| entry.spec.skills.as_slice()).unwrap_or_default();
    for need in needs {
        if let Some(has) = proficiency(skills, need.skill) {
            parts.push(format!("{} {has} >= {}", skill_name(need.skill, floor), need.proficiency));
        }
    }
    parts.join("; ")
}

fn rank_sentence(decision: &Decision, agent: AgentKey) -> String {
    match decision.trigger {
        Trigger::AgentFree if decision.rivals.is_empty() => "became free; nothing else to take".into(),
        Trigger::AgentFree if decision.rivals[0].score >= decision.score => {
            "became free; first in line".into()
        }
        Trigger::AgentFree => {
            format!("became free; highest score {} before {}", decision.score, decision.rivals[0].score)
        }
        Trigger::Pulled => "took it from the line".into(),
        Trigger::InteractionWaits => match decision.wanted {
            Some(by) => whose_wish(by).into(),
            None => first_of_all(decision, agent),
        },
    }
}

/// Why this one, of all who were ready and qualified.
fn first_of_all(decision: &Decision, agent: AgentKey) -> String {
    let lower = |one: &&Candidate| one.exclusion == Some(Exclusion::RankedLower);
    let Some(chosen) = decision.agents.iter().find(|one| one.agent == agent) else {
        return "chosen".into();
    };
    let rank = |one: &Candidate| (one.used, std::cmp::Reverse(one.idle_ms));
    let passed_over = decision.agents.iter().filter(lower).any(|one| rank(one) < rank(chosen));
    match (decision.agents.iter().filter(lower).count(), chosen.used) {
        (0, _) => "only candidate".into(),
        _ if passed_over => "first of those who did not just miss it".into(),
        (_, 0) => format!("idle longest, {}.{:03} s", chosen.idle_ms / 1000, chosen.idle_ms % 1000),
        (_, used) => format!("least in use, {used}"),
    }
}

fn whose_wish(by: WantedBy) -> &'static str {
    match by {
        WantedBy::Rule => "the rules prefer this agent",
        WantedBy::LastAgent => "had it before",
        WantedBy::Colleague => "a colleague asked for this agent",
        WantedBy::Supervisor => "a supervisor gave it to this agent",
    }
}

/// The decision about an interaction in one sentence, with the agent's name.
pub fn sentence(
    decision: &Decision,
    agent: Option<AgentKey>,
    needs: &[Requirement],
    floor: &Floor,
) -> String {
    match (agent, decision.wait_reason) {
        (Some(agent), _) => {
            format!("{}: {}", agent_name(agent, floor), chosen_sentence(decision, agent, needs, floor))
        }
        (None, Some(reason)) => format!("waits: {}", reason.sentence()),
        (None, None) => "waits".into(),
    }
}

/// The presence and liveness part of the exclusions.
pub(super) fn off_duty(presence: Presence, pending: bool, liveness: Liveness) -> Option<Exclusion> {
    match (presence, liveness) {
        (Presence::SignedOut, _) => Some(Exclusion::SignedOut),
        (_, Liveness::Offline | Liveness::Lost) => Some(Exclusion::SessionLost),
        (Presence::OnBreak, Liveness::Live) => Some(Exclusion::OnBreak),
        (Presence::Available, Liveness::Live) => pending.then_some(Exclusion::OnBreak),
    }
}

fn skill_name(skill: SkillKey, floor: &Floor) -> &str {
    floor.skills.get(u32::from(skill.0)).map_or("?", |entry| &entry.name)
}

fn agent_name(agent: AgentKey, floor: &Floor) -> &str {
    floor.agents.get(agent.0).map_or("?", |entry| &entry.name)
}
