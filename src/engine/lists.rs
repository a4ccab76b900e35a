//! Chooses by lists: the policies most centres come from (`policy.rs`). One key orders the agents, one the
//! interactions; a profile's agents are alike but for their rank, so profiles are put in order and not agents.

use super::agent::{Agent, Rank};
use super::averages::estimate;
use super::explain::{Candidate, Decision, Rival, Trigger};
use super::few::Few;
use super::ids::{AgentKey, InteractionId, PoolKey, ProfileKey};
use super::interaction::Interaction;
use super::matching::SHORT_LIST;
use super::policy::{AgentOrder, LineOrder, Listed, Policy};
use super::profile::{ProfileId, keep};
use super::queue::Lane;
use super::route::Needs;
use super::score::{Place, Turn};
use super::shard::Shard;
use super::skill::PROFICIENCY_MAX;
use super::time::Time;
use arrayvec::ArrayVec;
use std::cmp::Reverse;
use std::sync::Arc;

/// Where an interaction stands among those an agent could take: beyond its maximum or not, what the order goes by, how
/// well the agent knows it, its place.
type Turns = ArrayVec<(Turn, Reverse<i64>, u32, Place), SHORT_LIST>;

impl Shard {
    /// How a pool decides.
    /// The lists of a pool; the usual ones if it decides otherwise.
    pub(super) fn lists(&self, pool: PoolKey) -> Listed {
        match self.policy(pool) {
            Policy::Listed(listed) => *listed,
            Policy::MarginalCost(_) => Listed::longest_idle(),
        }
    }

    /// What tells agents apart who have equally much in use: less comes first.
    pub(super) fn measure(&self, agent: &Agent) -> Time {
        match self.lists(self.spec(agent.key).pool).agents {
            AgentOrder::LeastOccupied => Time(agent.worked_ms),
            AgentOrder::RoundRobin => agent.asked,
            AgentOrder::LongestIdle
            | AgentOrder::MostSkilled
            | AgentOrder::FewestSkills
            | AgentOrder::GroupOrder => agent.idle_since,
        }
    }

    /// Whom an interaction goes to, where profiles have an order: those of the first that have somebody.
    pub(super) fn choose_by_profile(
        &self,
        subject: &Interaction,
        last: Option<AgentKey>,
        order: AgentOrder,
    ) -> (Few<AgentKey>, Arc<Decision>) {
        let lane = self.lines.lane(subject.sought().0);
        let of = |key: &ProfileKey| (standing(order, &self.profiles.get(*key).id, &lane.id.needs), *key);
        let mut profiles: Vec<(u32, ProfileKey)> = lane.profiles.iter().map(of).collect();
        profiles.sort_unstable();
        let keys: Vec<ProfileKey> = profiles.iter().map(|(_, key)| *key).collect();
        let classes = || {
            let mut from = 0;
            profiles.chunk_by(|one, next| one.0 == next.0).map(move |class| {
                from += class.len();
                from - class.len()..from
            })
        };
        if last.is_none() {
            let few: Vec<Rank> = classes().flat_map(|class| self.profiles.first(&keys[class])).collect();
            let found = self.choose_among(subject, last, &few);
            if found.0.len() == self.asked_at_once(subject) {
                return found;
            }
        }
        let mut all: Vec<Rank> = classes().flat_map(|class| self.profiles.all(&keys[class], last)).collect();
        all.extend(last.and_then(|key| self.ready_among(key, &keys)));
        self.choose_among(subject, last, &all)
    }

    /// What an agent would be offered now, where lines have an order of their own.
    pub(super) fn first_by(&self, key: AgentKey, order: LineOrder) -> Option<(InteractionId, Arc<Decision>)> {
        let agent = &self.agents[key.index()];
        let mut best = Turns::new();
        let takes = |place: &&Place| self.exclusion(agent, self.subject(place.3)).is_none();
        for place in agent.line.iter().filter(takes).take(SHORT_LIST) {
            // It waits for nobody else.
            keep(&mut best, (place.0, Reverse(i64::MAX), 0, *place));
        }
        if agent.ready.is_some() {
            for key in self.lanes_of(agent) {
                let lane = self.lines.lane(*key);
                if !lane.is_empty() && self.no_room(agent, lane.id.channel, false).is_none() {
                    self.first_of_lane(agent, lane, order, &mut best);
                }
            }
        }
        let (chosen, rivals) = best.split_first()?;
        let subject = self.subject(chosen.3.3);
        let rival = |one: &(Turn, Reverse<i64>, u32, Place)| Rival { interaction: one.3.3, score: one.1.0 };
        let agents: Box<[Candidate]> = [self.candidate(agent, None)].into();
        let decision = Decision {
            score: chosen.1.0,
            ..self.decision_of(Trigger::AgentFree, subject, None, agents, rivals.iter().map(rival).collect())
        };
        Some((subject.id, Arc::new(decision)))
    }

    fn first_of_lane(&self, agent: &Agent, lane: &Lane, order: LineOrder, best: &mut Turns) {
        let free_of_duty = self.everybody_is_on_duty();
        let allowed = |place: &&Place| {
            let subject = self.subject(place.3);
            (!lane.is_restricted() || self.barred_from(agent, subject).is_none())
                && (free_of_duty || self.off_duty_for(agent, subject).is_none())
        };
        for place in lane.waiting().filter(allowed).take(SHORT_LIST) {
            let (metric, level) = self.metric(agent, lane, order, place.3);
            let turn = (place.0, Reverse(metric), level, *place);
            if best.is_full() && turn > best[SHORT_LIST - 1] {
                return;
            }
            keep(best, turn);
        }
    }

    /// What a line goes by for this agent, greatest first, and then how well the agent knows it, least first.
    fn metric(&self, agent: &Agent, lane: &Lane, order: LineOrder, id: InteractionId) -> (i64, u32) {
        let profile = agent.profile.map(|profile| &self.profiles.get(profile).id);
        match order {
            LineOrder::Score => (0, 0),
            LineOrder::Priority => {
                let level = profile.map_or(0, |id| standing(AgentOrder::MostSkilled, id, &lane.id.needs));
                (self.subject(id).plan.priority.into(), level)
            }
            LineOrder::Value => {
                let known = estimate(self.spec(agent.key), lane.id.queue).map(|known| known.handle_ms);
                let handle_ms = known.unwrap_or(lane.id.expected_handle_ms);
                (super::money::per_hour(lane.id.stakes.loss(), handle_ms), 0)
            }
        }
    }
}

/// Where a profile stands in an order for a lane: less comes first.
fn standing(order: AgentOrder, profile: &ProfileId, needs: &[Needs]) -> u32 {
    match order {
        AgentOrder::LongestIdle | AgentOrder::LeastOccupied | AgentOrder::RoundRobin => 0,
        AgentOrder::FewestSkills => u32::try_from(profile.skills.len()).unwrap_or(u32::MAX),
        AgentOrder::MostSkilled => {
            let lacking = |needs: &Needs| {
                let of =
                    |skill| profile.skills.iter().find(|(held, _)| *held == skill).map(|(_, level)| *level);
                let lowest = needs.requirements.iter().map(|need| of(need.skill).unwrap_or(0)).min();
                u32::from(PROFICIENCY_MAX - lowest.unwrap_or(PROFICIENCY_MAX).min(PROFICIENCY_MAX))
            };
            needs.iter().map(lacking).min().unwrap_or(0)
        }
        AgentOrder::GroupOrder => {
            let listed = |needs: &Needs| needs.groups.iter().position(|group| Some(*group) == profile.group);
            let at = needs.iter().find_map(listed).unwrap_or(0);
            u32::try_from(at).unwrap_or(u32::MAX)
        }
    }
}
