//! Chooses an agent for an interaction, or an interaction for an agent, by one ranking key each: agents by
//! capacity in use, then longest idle; interactions by score. Changes nothing and reads no clock: the stages
//! ask, and act on the answer. What it looks at is kept by `index.rs`.

use super::agent::{Agent, Rank};
use super::capacity::CapacitySpec;
use super::channel::Channel;
use super::explain::{
    By, CANDIDATES_STORED_MAX, Candidate, Decision, Exclusion, RIVALS_STORED_MAX, Rival, Trigger, WaitReason,
    off_duty,
};
use super::few::Few;
use super::ids::{AgentKey, InteractionId, ProfileKey};
use super::interaction::{Interaction, WantedBy};
use super::policy::{AgentOrder, LineOrder, Policy};
use super::profile::keep;
use super::queue::Lane;
use super::route::Needs;
use super::score::{Place, score, score_at};
use super::shard::Shard;
use super::skill::{Requirement, proficiency};
use arrayvec::ArrayVec;
use std::sync::Arc;

impl Shard {
    /// Whom an interaction in line would be offered to now, with the why: as many as its queue asks at once. Read-only.
    pub fn agents_for(&self, interaction: InteractionId) -> (Few<AgentKey>, Arc<Decision>) {
        self.choose(interaction, None)
    }

    /// The same, but the agent who just missed it comes last. Missing an offer resets nobody's idle time, so under the
    /// policy `Stay` the same agent would be first again and again.
    pub(super) fn agents_for_rather(
        &self,
        interaction: InteractionId,
        missed: AgentKey,
    ) -> (Few<AgentKey>, Arc<Decision>) {
        self.choose(interaction, Some(missed))
    }

    /// Looks at no more agents than needed: who qualifies, best first, until enough are chosen and enough are stored.
    fn choose(&self, interaction: InteractionId, last: Option<AgentKey>) -> (Few<AgentKey>, Arc<Decision>) {
        let subject = self.subject(interaction);
        if let Some(wanted) = subject.sought().1 {
            return self.choose_among(subject, last, &[self.rank_now(wanted.agent)]);
        }
        if let Some(pool) = self.pool_prices(subject) {
            return self.choose_by_value(subject, last, pool);
        }
        let order = self.lists(self.queue(self.sought_queue_of(subject)).pool).agents;
        if matches!(order, AgentOrder::MostSkilled | AgentOrder::FewestSkills | AgentOrder::GroupOrder) {
            return self.choose_by_profile(subject, last, order);
        }
        let profiles = &self.lines.lane(subject.sought().0).profiles;
        if last.is_none() {
            // Nearly always these are enough, and nobody else is put in order.
            let few = self.profiles.first(profiles);
            let all_there_are = !few.is_full();
            let found = self.choose_among(subject, last, &few);
            if all_there_are || found.0.len() == self.asked_at_once(subject) {
                return found;
            }
        }
        let mut all = self.profiles.all(profiles, last);
        all.extend(last.and_then(|key| self.ready_among(key, profiles)));
        self.choose_among(subject, last, &all)
    }

    pub(super) fn ready_among(&self, agent: AgentKey, profiles: &[ProfileKey]) -> Option<Rank> {
        let agent = &self.agents[agent.index()];
        agent.ready.filter(|_| agent.profile.is_some_and(|own| profiles.contains(&own)))
    }

    /// Where an agent would stand among the ready, ready or not.
    fn rank_now(&self, agent: AgentKey) -> Rank {
        let agent = &self.agents[agent.index()];
        Rank::new(agent.ledger.used(), self.measure(agent), agent.key)
    }

    pub(super) fn choose_among(
        &self,
        subject: &Interaction,
        last: Option<AgentKey>,
        candidates: &[Rank],
    ) -> (Few<AgentKey>, Arc<Decision>) {
        let asked_at_once = self.asked_at_once(subject);
        let mut agents: ArrayVec<Candidate, CANDIDATES_STORED_MAX> = ArrayVec::new();
        let mut chosen = Few::None;
        let mut barred = Barred::default();
        let wanted = subject.sought().1.is_some();
        let open_to_all = self.is_open_to_all(subject);
        for rank in candidates {
            let key = rank.agent();
            let mut exclusion = match wanted {
                true => self.exclusion(&self.agents[key.index()], subject),
                false if open_to_all && self.profiles.is_empty_handed(key) => None,
                false => self.exclusion_of_ready(&self.agents[key.index()], subject),
            };
            barred.note(exclusion);
            match exclusion {
                // Who just missed it is asked again only when nobody else can be.
                None if chosen.len() < asked_at_once && (chosen.is_empty() || Some(key) != last) => {
                    chosen.push(key);
                }
                None => exclusion = Some(Exclusion::RankedLower),
                Some(_) => {}
            }
            if !agents.is_full() || (exclusion.is_none() && agents.pop().is_some()) {
                agents.push(self.candidate_at(*rank, exclusion));
            }
            if chosen.len() == asked_at_once && agents.is_full() {
                break;
            }
        }
        let wait_reason = chosen.is_empty().then(|| self.reason_to_wait(subject, barred));
        (chosen, self.decision(Trigger::InteractionWaits, subject, wait_reason, &agents, Box::default()))
    }

    /// A second agent, or the one waited for, is asked alone.
    pub(super) fn asked_at_once(&self, subject: &Interaction) -> usize {
        if subject.seek().is_some() || subject.wanted.is_some() {
            return 1;
        }
        usize::from(self.queue(subject.queue()).broadcast.max(1))
    }

    /// Nothing about this interaction, or the time, keeps anybody from it who is ready and empty-handed.
    pub(super) fn is_open_to_all(&self, subject: &Interaction) -> bool {
        subject.offers.is_empty()
            && subject.assignments.is_empty()
            && subject.cool_downs().is_empty()
            && self.everybody_is_on_duty()
    }

    /// Nobody is off shift, or has had the day's maximum.
    pub(super) fn everybody_is_on_duty(&self) -> bool {
        self.phases.is_empty() && !self.daily_maxima
    }

    pub(super) fn candidate(&self, agent: &Agent, exclusion: Option<Exclusion>) -> Candidate {
        self.candidate_at(self.rank_now(agent.key), exclusion)
    }

    fn candidate_at(&self, rank: Rank, exclusion: Option<Exclusion>) -> Candidate {
        let idle_ms = self.now().since(self.agents[rank.agent().index()].idle_since);
        Candidate { agent: rank.agent(), exclusion, used: rank.used(), idle_ms, net: None }
    }

    /// What an agent would be offered now, with the why. `None` if there is nothing to take, or no capacity.
    /// Read-only.
    pub fn interaction_for(&self, agent: AgentKey) -> Option<(InteractionId, Arc<Decision>)> {
        if let Some(pool) = self.prices.pool(self.spec(agent).pool) {
            return self.most_worth(agent, pool);
        }
        let order = self.lists(self.spec(agent).pool).lines;
        if order != LineOrder::Score {
            return self.first_by(agent, order);
        }
        let agent = &self.agents[agent.index()];
        let mut best = Best::default();
        let takes = |place: &&Place| self.exclusion(agent, self.subject(place.3)).is_none();
        agent.line.iter().filter(takes).take(SHORT_LIST).for_each(|place| keep(&mut best, *place));
        if agent.ready.is_some() {
            for key in self.lanes_of(agent) {
                let lane = self.lines.lane(*key);
                if !lane.is_empty() && self.no_room(agent, lane.id.channel, false).is_none() {
                    self.heads(agent, lane, &mut best);
                }
            }
        }
        let (chosen, rivals) = best.split_first()?;
        let chosen = chosen.3;
        let rival = |place: &Place| Rival { interaction: place.3, score: score_at(*place, self.now()) };
        let rivals = rivals.iter().map(rival).collect();
        let candidate = self.candidate(agent, None);
        let subject = self.subject(chosen);
        Some((chosen, self.decision(Trigger::AgentFree, subject, None, &[candidate], rivals)))
    }

    /// Merges the first of a lane that this agent may be asked for into the best so far.
    fn heads(&self, agent: &Agent, lane: &Lane, best: &mut Best) {
        if !self.everybody_is_on_duty() {
            let head = lane.waiting().next().map(|place| self.subject(place.3));
            if head.is_none_or(|head| self.off_duty_for(agent, head).is_some()) {
                return;
            }
        }
        let allowed = |place: &&Place| {
            !lane.is_restricted() || self.barred_from(agent, self.subject(place.3)).is_none()
        };
        for place in lane.waiting().filter(allowed).take(SHORT_LIST) {
            if best.is_full() && *place > best[SHORT_LIST - 1] {
                return;
            }
            keep(best, *place);
        }
    }

    /// The one reason why this agent cannot take this interaction now; `None` if it can.
    pub fn exclusion(&self, agent: &Agent, interaction: &Interaction) -> Option<Exclusion> {
        let wanted = interaction.sought().1;
        let overdraws = wanted.is_some_and(|wanted| wanted.agent == agent.key && wanted.overdraw);
        self.other_pool(agent, self.sought_queue_of(interaction))
            .or_else(|| off_duty(agent.presence, agent.pending.is_some(), agent.liveness))
            .or_else(|| agent.not_responding.then_some(Exclusion::NotResponding))
            .or_else(|| self.unqualified(agent, interaction))
            .or_else(|| self.barred_from(agent, interaction))
            .or_else(|| self.off_duty_for(agent, interaction))
            .or_else(|| self.no_room(agent, interaction.channel, overdraws))
    }

    /// The same for somebody who stands among the ready of a profile that meets its needs.
    pub(super) fn exclusion_of_ready(&self, agent: &Agent, interaction: &Interaction) -> Option<Exclusion> {
        self.barred_from(agent, interaction)
            .or_else(|| self.off_duty_for(agent, interaction))
            .or_else(|| self.no_room(agent, interaction.channel, false))
    }

    /// The same if the agent asks for it: having declined it, or being asked for something else, is no reason then.
    pub(super) fn exclusion_from_pull(&self, agent: &Agent, interaction: &Interaction) -> Option<Exclusion> {
        let by_choice =
            |exclusion: &Exclusion| matches!(exclusion, Exclusion::CoolingDown | Exclusion::AnsweringAnOffer);
        self.other_pool(agent, self.sought_queue_of(interaction))
            .or_else(|| off_duty(agent.presence, agent.pending.is_some(), agent.liveness))
            .or_else(|| agent.not_responding.then_some(Exclusion::NotResponding))
            .or_else(|| self.unqualified(agent, interaction))
            .or_else(|| self.barred_from(agent, interaction).filter(|one| !by_choice(one)))
            .or_else(|| self.off_duty_for(agent, interaction))
            .or_else(|| self.no_room(agent, interaction.channel, false).filter(|one| !by_choice(one)))
    }

    /// Skills and groups, unless a person chose this agent.
    fn unqualified(&self, agent: &Agent, interaction: &Interaction) -> Option<Exclusion> {
        if chosen_by_person(agent, interaction) { None } else { self.unmet(agent, needs_of(interaction)) }
    }

    /// What keeps this agent from this very interaction, whatever its lane.
    pub(super) fn barred_from(&self, agent: &Agent, interaction: &Interaction) -> Option<Exclusion> {
        let asked = interaction.offers.iter().any(|offer| self.offers[offer].agent == agent.key);
        let talks = |id: &super::ids::AssignmentId| {
            let part = &self.assignments[id];
            part.agent == agent.key && part.talks()
        };
        if asked {
            Some(Exclusion::AlreadyAsked)
        } else if interaction.assignments.iter().any(talks) {
            Some(Exclusion::AlreadyOnIt)
        } else if interaction.sought().1.is_some_and(|wanted| wanted.agent != agent.key) {
            Some(Exclusion::WaitsForAnother)
        } else if chosen_by_person(agent, interaction) {
            None
        } else {
            interaction.cools_down_for(agent.key, self.now()).then_some(Exclusion::CoolingDown)
        }
    }

    pub(super) fn off_duty_for(&self, agent: &Agent, interaction: &Interaction) -> Option<Exclusion> {
        if self.everybody_is_on_duty() {
            return None;
        }
        self.off_shift(agent.key, interaction).or_else(|| self.daily_maximum(agent, interaction.channel))
    }

    fn other_pool(&self, agent: &Agent, queue: super::ids::QueueKey) -> Option<Exclusion> {
        (self.spec(agent.key).pool != self.queue(queue).pool).then_some(Exclusion::OtherPool)
    }

    pub(super) fn sought_queue_of(&self, interaction: &Interaction) -> super::ids::QueueKey {
        interaction.seek().map_or_else(|| interaction.queue(), |seek| seek.plan.entry().queue)
    }

    /// `None` if the agent meets one of these; otherwise what is missing from the first.
    fn unmet(&self, agent: &Agent, needs: &[Needs]) -> Option<Exclusion> {
        let missing = |needs: &Needs| {
            let group = self.spec(agent.key).group;
            self.unskilled(agent, &needs.requirements).or_else(|| {
                let any = needs.groups.is_empty() || group.is_some_and(|own| needs.groups.contains(&own));
                (!any).then_some(Exclusion::OtherGroup)
            })
        };
        let first = missing(&needs[0])?;
        needs[1..].iter().all(|other| missing(other).is_some()).then_some(first)
    }

    fn unskilled(&self, agent: &Agent, requirements: &[Requirement]) -> Option<Exclusion> {
        let skills = &self.spec(agent.key).skills;
        requirements.iter().find_map(|need| match proficiency(skills, need.skill) {
            None => Some(Exclusion::SkillMissing { skill: need.skill, needs: need.proficiency }),
            Some(has) if has < need.proficiency => {
                Some(Exclusion::ProficiencyTooLow { skill: need.skill, has, needs: need.proficiency })
            }
            Some(_) => None,
        })
    }

    /// What the agent can take at once: by their own figures, the group's, or the default.
    pub fn capacity_of(&self, agent: AgentKey) -> &CapacitySpec {
        let spec = self.spec(agent);
        let group = || {
            let group = self.floor.groups.get(u32::from(spec.group?.0))?;
            Some(&group.spec.capacity)
        };
        spec.capacity.as_ref().or_else(group).unwrap_or(&self.capacity_default)
    }

    pub(super) fn no_room(&self, agent: &Agent, channel: Channel, overdraws: bool) -> Option<Exclusion> {
        let spec = self.capacity_of(agent.key);
        let takes = spec.of(channel);
        let used = agent.ledger.used_beside(channel, spec) + u32::from(takes.units);
        // What was interrupted comes back.
        let comes_back =
            agent.interrupted.iter().filter(|id| self.assignments[*id].channel == channel).count();
        if usize::from(agent.ledger.count(channel)) + comes_back >= usize::from(takes.limit) && !overdraws {
            Some(Exclusion::ChannelLimit)
        } else if used > u32::from(spec.units) && !overdraws {
            Some(Exclusion::CapacityFull)
        } else if agent.ledger.offers() >= spec.open_offers_max {
            Some(Exclusion::AnsweringAnOffer)
        } else {
            None
        }
    }

    pub(super) fn reason_to_wait(&self, interaction: &Interaction, barred: Barred) -> WaitReason {
        let (lane, wanted, _) = interaction.sought();
        if wanted.is_some() {
            WaitReason::WaitsForAgent
        } else if self.lines.lane(lane).on_duty() == 0 {
            WaitReason::NoAgentQualifies
        } else if barred.cooling {
            WaitReason::CoolingDown
        } else if barred.shift_ends {
            WaitReason::ShiftsEnd
        } else {
            WaitReason::AllAgentsBusy
        }
    }

    /// Why an interaction waits now; `None` if it does not.
    pub fn wait_reason(&self, interaction: InteractionId) -> Option<WaitReason> {
        let subject = self.interaction(interaction).filter(|subject| subject.standing.is_some())?;
        let mut barred = Barred::default();
        if let Some(pool) = self.pool_prices(subject).filter(|_| subject.sought().1.is_none()) {
            // If prices fell since it was looked at last it is held still: until somebody gets free, or long enough.
            return self.choose_by_value(subject, None, pool).1.wait_reason.or(Some(WaitReason::Held));
        }
        if self.everybody_is_on_duty() {
            for pair in subject.cool_downs() {
                let agent = &self.agents[pair.agent.index()];
                barred.note(agent.ready.and_then(|_| self.exclusion(agent, subject)));
            }
        } else {
            let wanted = subject.sought().1.map(|wanted| vec![wanted.agent]);
            let all = || {
                let profiles = &self.lines.lane(subject.sought().0).profiles;
                self.profiles.all(profiles, None).into_iter().map(Rank::agent).collect()
            };
            for key in wanted.unwrap_or_else(all) {
                barred.note(self.exclusion(&self.agents[key.index()], subject));
            }
        }
        Some(self.reason_to_wait(subject, barred))
    }

    /// The decision of a person, with the terms as they were.
    pub(super) fn decided_by_person(
        &self,
        interaction: InteractionId,
        agent: AgentKey,
        trigger: Trigger,
    ) -> Arc<Decision> {
        let candidate = self.candidate(&self.agents[agent.index()], None);
        self.decision(trigger, self.subject(interaction), None, &[candidate], Box::default())
    }

    fn decision(
        &self,
        trigger: Trigger,
        subject: &Interaction,
        wait_reason: Option<WaitReason>,
        agents: &[Candidate],
        rivals: Box<[Rival]>,
    ) -> Arc<Decision> {
        let plain = self.decision_of(trigger, subject, wait_reason, agents.into(), rivals);
        Arc::new(match self.pool_prices(subject) {
            Some(pool) => self.with_value(plain, subject, pool),
            None => plain,
        })
    }

    /// What decides about an interaction.
    fn by(&self, subject: &Interaction) -> By {
        match self.policy(self.queue(self.sought_queue_of(subject)).pool) {
            Policy::MarginalCost(_) => By::Value,
            Policy::Listed(listed) => By::Lists(*listed),
        }
    }

    pub(super) fn decision_of(
        &self,
        trigger: Trigger,
        subject: &Interaction,
        wait_reason: Option<WaitReason>,
        agents: Box<[Candidate]>,
        rivals: Box<[Rival]>,
    ) -> Decision {
        Decision {
            trigger,
            score: score(subject, self.now()),
            wait_ms: self.now().since(subject.entered),
            wanted: subject.sought().1.map(|wanted| wanted.by),
            wait_reason,
            ready: self.profiles.ready(),
            relief: None,
            by: self.by(subject),
            agents,
            rivals,
        }
    }
}

/// The one to take and its rivals.
pub(super) const SHORT_LIST: usize = RIVALS_STORED_MAX + 1;
type Best = ArrayVec<Place, SHORT_LIST>;

/// A colleague or a supervisor asked for this agent, and knows why.
fn chosen_by_person(agent: &Agent, interaction: &Interaction) -> bool {
    interaction.sought().1.is_some_and(|wanted| {
        wanted.agent == agent.key && matches!(wanted.by, WantedBy::Colleague | WantedBy::Supervisor)
    })
}

/// Who qualifies for what is sought now.
fn needs_of(interaction: &Interaction) -> &[Needs] {
    match interaction.seek() {
        Some(seek) => &seek.plan.entry().needs,
        None => interaction.route().needs_at(interaction.step),
    }
}

/// What kept agents who are ready from taking it.
#[derive(Clone, Copy, Default)]
pub(super) struct Barred {
    cooling: bool,
    shift_ends: bool,
}

impl Barred {
    pub(super) fn note(&mut self, exclusion: Option<Exclusion>) {
        self.cooling |= exclusion == Some(Exclusion::CoolingDown);
        let over = [Exclusion::OffShift, Exclusion::ShiftEnds, Exclusion::DailyMaximum];
        self.shift_ends |= exclusion.is_some_and(|exclusion| over.contains(&exclusion));
    }
}
