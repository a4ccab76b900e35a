//! Every decision leaves its why: each candidate is chosen, ranked lower, or excluded for one reason. Stored are
//! the terms and the best few; the whole list is judged again on demand from the same state.

use super::agent::{Agent, Liveness, Presence};
use super::fixed::{Part, narrow};
use super::floor::Floor;
use super::ids::{AgentKey, InteractionId, SkillKey};
use super::interaction::WantedBy;
use super::policy::{AgentOrder, LineOrder, Listed};
use super::shard::Shard;
use super::skill::{Proficiency, Requirement, proficiency};
use super::stakes::Relief;
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
    /// For an agent whom others need less: those who are free are worth more to them.
    Held,
}

impl WaitReason {
    /// Every reason.
    pub const ALL: [WaitReason; 6] = [
        WaitReason::NoAgentQualifies,
        WaitReason::AllAgentsBusy,
        WaitReason::CoolingDown,
        WaitReason::WaitsForAgent,
        WaitReason::ShiftsEnd,
        WaitReason::Held,
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
            WaitReason::Held => {
                "every free agent who has the skills is worth more to others: it is held for a while"
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
    /// Their time is worth more to others than the interaction loses by waiting.
    KeptForOthers,
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
            Exclusion::KeptForOthers => "worth more to others than this loses by waiting",
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
    /// What the pair is worth, where that decides.
    pub net: Option<Net>,
}

impl Candidate {
    /// What would change it: so much more value and this agent would have it, given what the best pair is worth. `None`
    /// where value is not what excludes them.
    pub fn short_by(&self, best: i64) -> Option<i64> {
        let net = self.net?;
        match self.exclusion? {
            Exclusion::RankedLower => Some((best - net.sum()).max(0)),
            // Waiting would have to cost as much as the agent is worth to others, and as what they lack.
            Exclusion::KeptForOthers => Some((net.opportunity + net.lacking - net.relief).max(0)),
            _ => None,
        }
    }
}

/// What giving an interaction to an agent is worth, in millionths of the currency: the score, term by term.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Net {
    /// What leaving it waiting for another horizon costs.
    pub relief: i64,
    /// What this agent is worth more for it than an average one.
    pub matching: i64,
    /// That this agent knows the customer.
    pub familiar: i64,
    /// For skills it had better be served with and this agent lacks. Taken off.
    pub lacking: i64,
    /// What this agent's time is worth to others, beyond the cheapest way to serve it. Taken off.
    pub opportunity: i64,
    /// For the agent's idle time.
    pub fairness: i64,
    /// What the risk costs that the agent does not answer. Not above zero.
    pub ringing: i64,
    /// The agent takes so long for it, ms.
    pub handle_ms: u64,
}

impl Net {
    /// The score.
    pub fn sum(self) -> i64 {
        self.relief + self.matching + self.familiar - self.lacking - self.opportunity
            + self.fairness
            + self.ringing
    }

    /// An agent who answers with some chance alone: otherwise the ring time is lost for both (ALGORITHM.md 4).
    pub(super) fn with_ringing(self, accepts: Part, ring_ms: u64, price: i64) -> Net {
        let lost = super::averages::worth(price, ring_ms);
        let waited = i128::from(self.relief) * i128::from(ring_ms) / i128::from(self.handle_ms.max(1));
        let all = narrow(i128::from(self.sum()) + i128::from(lost) + waited);
        let missed = accepts.rest().of(all).clamp(0, super::averages::WORTH_MAX);
        Net { ringing: -missed, ..self }
    }
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

/// What decides in a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum By {
    /// Value in money.
    Value,
    Lists(Listed),
}

/// Of the agents who qualify, so many are stored with a decision.
pub const CANDIDATES_STORED_MAX: usize = 4;
/// Of the rivals, so many.
pub const RIVALS_STORED_MAX: usize = 3;

/// A decision with its terms.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    pub trigger: Trigger,
    /// Where lists decide: wait in ms + 60,000 × priority points + head start. Where money does, in millionths of the
    /// currency: with `InteractionWaits` the net value of the best pair, or the relief if nobody can have it; with
    /// `AgentFree` the net value for an hour of the agent's time, fairness left out.
    pub score: i64,
    /// What decided.
    pub by: By,
    /// What leaving it waiting costs, in layers. `Some` where money decides.
    pub relief: Option<Relief>,
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
        let prices = self.pool_prices(subject);
        let judged = |agent: &Agent| match prices {
            Some(pool) => self.judged(agent, subject, pool),
            None => self.candidate(agent, self.exclusion(agent, subject)),
        };
        let there = |agent: &&std::sync::Arc<Agent>| self.floor.agents.live(agent.key.0).is_some();
        let mut candidates: Vec<Candidate> =
            self.agents.iter().filter(there).map(|agent| judged(agent)).collect();
        let lists = self.lists(self.floor.pool_of(self.sought_queue_of(subject)));
        if prices.is_none() && lists.agents != AgentOrder::LongestIdle && subject.standing.is_some() {
            // Another order than that of the rank: whoever would be asked now.
            let first = self.agents_for(interaction).0.first().copied();
            for one in candidates.iter_mut().filter(|one| Some(one.agent) != first) {
                one.exclusion = one.exclusion.or(Some(Exclusion::RankedLower));
            }
            return candidates;
        }
        let rank = |one: &Candidate| {
            let net = std::cmp::Reverse(one.net.map(Net::sum));
            (net, one.used, std::cmp::Reverse(one.idle_ms), one.agent)
        };
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
        Trigger::AgentFree if decision.by != By::Lists(Listed::longest_idle()) => best_rate(decision),
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

fn best_rate(decision: &Decision) -> String {
    let (own, next) = (decision.score, decision.rivals[0].score);
    match decision.by {
        By::Lists(Listed { lines: LineOrder::Priority, .. }) if own == next => {
            "became free; as many points as the next, better known or longer in line".into()
        }
        By::Lists(Listed { lines: LineOrder::Priority, .. }) => {
            format!("became free; {own} priority points before {next}")
        }
        By::Lists(Listed { lines: LineOrder::Score, .. }) => {
            format!("became free; highest score {own} before {next}")
        }
        By::Lists(_) | By::Value => {
            format!("became free; {} for an hour of their time before {}", money(own), money(next))
        }
    }
}

/// An amount with two decimals, rounded towards zero: `4.10`.
pub fn money(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let cents = millionths.unsigned_abs() / 10_000;
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// The terms of a net value: `net 4.10 = relief 4.10 + match 0.00 - opportunity 0.00 + idle 0.02`.
pub fn net_sentence(net: Net) -> String {
    let rarely = |sign: char, word: &str, amount: i64| match amount {
        0 => String::new(),
        amount => format!(" {sign} {word} {}", money(amount)),
    };
    format!(
        "net {} = relief {} + match {}{}{} - opportunity {} + idle {}{}",
        money(net.sum()),
        money(net.relief),
        money(net.matching),
        rarely('+', "knows the customer", net.familiar),
        rarely('-', "lacks skills", net.lacking),
        money(net.opportunity),
        money(net.fairness),
        rarely('-', "ringing", -net.ringing),
    )
}

/// Why this one, of all who were ready and qualified.
fn first_of_all(decision: &Decision, agent: AgentKey) -> String {
    let lower = |one: &&Candidate| one.exclusion == Some(Exclusion::RankedLower);
    let Some(chosen) = decision.agents.iter().find(|one| one.agent == agent) else {
        return "chosen".into();
    };
    if let (Some(net), By::Value) = (chosen.net, decision.by) {
        let others = decision.agents.iter().filter(lower).count();
        let first = if others == 0 { "only candidate" } else { "worth most" };
        return format!("{first}; {}", net_sentence(net));
    }
    let rank = |one: &Candidate| (one.used, std::cmp::Reverse(one.idle_ms));
    let passed_over = decision.agents.iter().filter(lower).any(|one| rank(one) < rank(chosen));
    match (decision.agents.iter().filter(lower).count(), chosen.used) {
        (0, _) => "only candidate".into(),
        _ if passed_over => "first of those who did not just miss it".into(),
        (_, 0) if order(decision) != AgentOrder::LongestIdle => order(decision).sentence().into(),
        (_, 0) => format!("idle longest, {}.{:03} s", chosen.idle_ms / 1000, chosen.idle_ms % 1000),
        (_, used) => format!("least in use, {used}"),
    }
}

fn order(decision: &Decision) -> AgentOrder {
    match decision.by {
        By::Lists(listed) => listed.agents,
        By::Value => AgentOrder::LongestIdle,
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
