//! Chooses in money (ALGORITHM.md 9): every pair has a net value, the best pair is acted on, and an interaction whose
//! free agents are all worth more to others waits a little for a cheaper one. Read-only, like all of matching.

use super::agent::{Agent, Rank};
use super::averages::Takes;
use super::deadline::Deadline;
use super::explain::{
    CANDIDATES_STORED_MAX, Candidate, Decision, Exclusion, Net, Rival, Trigger, WaitReason,
};
use super::few::Few;
use super::fixed::Part;
use super::found::{Found, Pair, Weighed};
use super::ids::{AgentKey, InteractionId, LaneKey, ProfileKey};
use super::interaction::Interaction;
use super::line::check_after;
use super::matching::SHORT_LIST;
use super::money::per_hour;
use super::plan::Familiar;
use super::prices::{PoolPrices, crowd, has_many_profiles};
use super::profile::keep;
use super::queue::Lane;
use super::score::{Place, Turn};
use super::shard::Shard;
use super::stakes::Horizon;
use super::time::Time;
use arrayvec::ArrayVec;
use std::cmp::Reverse;
use std::sync::Arc;

/// What can be done later is looked at so often while it waits, ms.
pub const DUE_CHECK_MS: u64 = 30_000;

/// Of a profile with more agents than this who are free, the first are looked at: idle longest first.
const CANDIDATES_MAX: usize = 32;

/// One lane, as it is weighed now.
#[derive(Clone, Copy)]
struct Scale<'a> {
    key: LaneKey,
    lane: &'a Lane,
    pool: &'a PoolPrices,
    horizon: Horizon,
    /// More weight for those in a long line.
    crowd: Part,
    /// The cheapest way to serve one.
    cheapest: i64,
}

/// Value for an hour of the agent's time, the best first; those beyond their maximum wait before all.
type Rates = ArrayVec<(Turn, Reverse<i64>, Place), SHORT_LIST>;

impl Shard {
    /// The prices of the pool an interaction is decided in; `None` if that pool decides by lists.
    pub(super) fn pool_prices(&self, subject: &Interaction) -> Option<&PoolPrices> {
        self.prices.pool(self.floor.pool_of(self.sought_queue_of(subject)))
    }

    fn scale<'a>(&'a self, key: LaneKey, pool: &'a PoolPrices) -> Scale<'a> {
        let lane = self.lines.lane(key);
        let horizon = self.prices.lane(key).horizon(pool, lane.patience_ms);
        let crowd = crowd(lane, lane.len().saturating_sub(1), horizon.ms);
        // What can be done later is done when it costs others nothing: that is the cheapest way.
        let cheapest = match lane.id.stakes.by_due() {
            true => self.least_lacking(lane),
            false => self.cheapest(key, lane),
        };
        Scale { key, lane, pool, horizon, crowd, cheapest }
    }

    fn weighed(&self, scale: &Scale, subject: &Interaction) -> Weighed {
        let stakes = &scale.lane.id.stakes;
        let from = if stakes.by_due() { subject.counts_from() } else { subject.waits_from };
        Weighed {
            relief: stakes.relief(self.now().since(from), scale.horizon).times(scale.crowd),
            held_enough: subject.overdue || self.now() >= self.held_until(subject),
            familiar: subject.familiar(),
        }
    }

    /// From then on it is held no longer for a cheaper agent.
    pub(super) fn held_until(&self, subject: &Interaction) -> Time {
        let stakes = &self.lines.lane(subject.sought().0).id.stakes;
        // A call-back may be asked for before its time: it is held no longer for that.
        let enough = subject.waits_from.min(self.now()).after(stakes.hold_max_ms());
        match stakes.by_due() {
            true => enough.min(subject.counts_from().after(stakes.target_ms())),
            false => enough,
        }
    }

    /// What giving an interaction to this agent is worth, term by term.
    fn net(&self, scale: &Scale, weighed: Weighed, agent: &Agent) -> Net {
        let profile = agent.profile.expect("who qualifies has a profile");
        let (price, takes, resolution) = self.doing(scale, agent, profile);
        let usual = self.prices.averages.usual(scale.key);
        let more = resolution.map_or(0, |own| i64::from(own.0) - i64::from(usual.0));
        let believed = (i64::from(scale.pool.marginal.match_share.0) * more) >> 16;
        let idle_ms = if agent.ledger.used() == 0 { self.now().since(agent.idle_since) } else { 0 };
        let net = Net {
            matching: scale.lane.id.stakes.resolution(believed),
            familiar: weighed.familiar.filter(|one| one.agent == agent.key).map_or(0, |one| one.worth.0),
            ..scale.net(weighed, takes.worth(price), takes.ms, idle_ms, self.lacks(profile, scale.lane))
        };
        let acceptance = self.spec(agent.key).acceptance;
        if acceptance >= Part::ONE {
            return net;
        }
        let ring_ms = self.queue(scale.lane.id.queue).offer_expiry_ms;
        net.with_ringing(acceptance, ring_ms, price)
    }

    /// The same for an agent of a profile whose agents are alike: nothing is known of them but since when they are idle.
    fn net_of_alike(&self, scale: &Scale, weighed: Weighed, profile: ProfileKey, rank: Rank) -> Net {
        let takes = self.prices.averages.takes(profile, scale.key, scale.lane.handle_ms);
        let worth = takes.worth(self.time_of(scale, profile));
        let idle_ms = if rank.used() == 0 { self.now().since(rank.measure()) } else { 0 };
        scale.net(weighed, worth, takes.ms, idle_ms, self.lacks(profile, scale.lane))
    }

    /// The price of this agent's time, how long they take for one of the lane, and how often they solve it.
    fn doing(&self, scale: &Scale, agent: &Agent, profile: ProfileKey) -> (i64, Takes, Option<Part>) {
        let expected_ms = scale.lane.handle_ms;
        let lanes = &self.profiles.get(profile).lanes;
        let known = self.prices.averages.own(agent.key).and_then(|own| {
            let at = lanes.iter().position(|lane| *lane == scale.key)?;
            Some((own, own.get(at)?))
        });
        match known {
            Some((own, here)) => {
                let pairs = lanes.iter().zip(own);
                let dearest = pairs.map(|(lane, own)| own.takes.price(self.scarcity_for(scale, *lane)));
                (dearest.max().unwrap_or(0), here.takes, here.resolution)
            }
            None => {
                let takes = self.prices.averages.takes(profile, scale.key, expected_ms);
                (self.time_of(scale, profile), takes, None)
            }
        }
    }

    /// The price of the time of a profile's agents. What can be done later waits for it to fall, which it also does while
    /// nothing happens: then it is taken as of now.
    fn time_of(&self, scale: &Scale, profile: ProfileKey) -> i64 {
        if !scale.lane.id.stakes.by_due() {
            return self.prices.time(profile);
        }
        let pairs = self.prices.averages.pairs(profile).iter();
        pairs.map(|(lane, takes)| takes.price(self.scarcity_now(*lane))).max().unwrap_or(0)
    }

    fn scarcity_for(&self, scale: &Scale, lane: LaneKey) -> i64 {
        match scale.lane.id.stakes.by_due() {
            true => self.scarcity_now(lane),
            false => self.prices.scarcity(lane),
        }
    }

    /// Whom an interaction goes to: of all who are free and qualify, those with the greatest net value.
    pub(super) fn choose_by_value(
        &self,
        subject: &Interaction,
        last: Option<AgentKey>,
        pool: &PoolPrices,
    ) -> (Few<AgentKey>, Arc<Decision>) {
        let scale = self.scale(subject.sought().0, pool);
        let weighed = self.weighed(&scale, subject);
        self.choose_weighed(subject, last, &scale, weighed)
    }

    /// Whom it would go to if waiting cost so much more and the agent knew the customer so much better: what would change
    /// a decision can be tried. `None` where lists decide, or one agent alone is asked. Read-only.
    pub fn agents_supposing(
        &self,
        interaction: InteractionId,
        relief: i64,
        familiar: Option<Familiar>,
    ) -> Option<Few<AgentKey>> {
        let subject = self.interaction(interaction).filter(|subject| subject.standing.is_some())?;
        let pool = self.pool_prices(subject).filter(|_| subject.sought().1.is_none())?;
        let scale = self.scale(subject.sought().0, pool);
        let mut weighed = self.weighed(&scale, subject);
        weighed.relief.waiting = weighed.relief.waiting.saturating_add(relief);
        weighed.familiar = familiar.or(weighed.familiar);
        Some(self.choose_weighed(subject, None, &scale, weighed).0)
    }

    fn choose_weighed(
        &self,
        subject: &Interaction,
        last: Option<AgentKey>,
        scale: &Scale,
        weighed: Weighed,
    ) -> (Few<AgentKey>, Arc<Decision>) {
        let asked_at_once = self.asked_at_once(subject);
        let mut found = Found { open_to_all: self.is_open_to_all(subject), last, ..Found::default() };
        found.all = (asked_at_once > CANDIDATES_STORED_MAX).then(Vec::new);
        let mut alike: ArrayVec<(Reverse<i64>, ProfileKey), CANDIDATES_STORED_MAX> = ArrayVec::new();
        self.look_at_familiar(scale, weighed, subject, &mut found);
        let mut look = |profile: ProfileKey, found: &mut Found| {
            if found.all.is_some() {
                let count = asked_at_once.max(CANDIDATES_MAX);
                self.look_at(scale, weighed, subject, profile, count, found);
                return;
            }
            let head = self.profiles.head(profile);
            let differ = self.prices.averages.differ(profile);
            if differ || found.met.is_some_and(|met| met == head.agent()) {
                self.look_at(scale, weighed, subject, profile, CANDIDATES_MAX, found);
            } else if found.open_to_all && self.profiles.is_empty_handed(head.agent()) {
                let net = self.net_of_alike(scale, weighed, profile, head);
                found.weighed(head, &net, weighed);
                keep(&mut alike, (Reverse(net.sum()), profile));
            } else if let Some(net) = self.look_at(scale, weighed, subject, profile, 1, found) {
                keep(&mut alike, (Reverse(net), profile));
            }
        };
        let many = has_many_profiles(scale.lane) && found.all.is_none();
        if many {
            let heads = self.profiles.heads::<CANDIDATES_MAX>(&scale.lane.profiles);
            heads.into_iter().for_each(|(_, key)| look(key, &mut found));
        }
        // Also if all of those are kept from it.
        if !many || found.is_empty() {
            let somebody = |profile: &&ProfileKey| self.profiles.head(**profile) != Rank::NOBODY;
            scale.lane.profiles.iter().filter(somebody).for_each(|profile| look(*profile, &mut found));
        }
        // Equal agents differ by how long they are idle alone: those behind the first come into it only if their first
        // is among the best.
        for (_, profile) in &alike {
            self.look_behind(scale, weighed, subject, *profile, &mut found);
        }
        let chosen = found.first(asked_at_once);
        let wait_reason = chosen.is_empty().then(|| match found.dear.is_empty() {
            true => self.reason_to_wait(subject, found.barred),
            false => WaitReason::Held,
        });
        let agents = self.stored(&found, &chosen);
        let best = agents.iter().find(|one| one.exclusion.is_none()).and_then(|one| one.net);
        let decision = Decision {
            relief: Some(weighed.relief),
            score: best.map_or(weighed.relief.sum(), Net::sum),
            ..self.decision_of(Trigger::InteractionWaits, subject, wait_reason, agents, Box::default())
        };
        (chosen, Arc::new(decision))
    }

    /// The agent who knows the customer is looked at wherever they stand among their like.
    fn look_at_familiar(&self, scale: &Scale, weighed: Weighed, subject: &Interaction, found: &mut Found) {
        let familiar = weighed.familiar.filter(|_| found.all.is_none());
        let Some(rank) = familiar.and_then(|one| self.ready_among(one.agent, &scale.lane.profiles)) else {
            return;
        };
        let agent = &self.agents[rank.agent().index()];
        match self.exclusion_of_ready(agent, subject) {
            None => found.weighed(rank, &self.net(scale, weighed, agent), weighed),
            exclusion => found.excluded(rank, exclusion),
        }
        found.met = Some(rank.agent());
    }

    /// The first agents of a profile who could have it, so many; the net value of the first.
    fn look_at(
        &self,
        scale: &Scale,
        weighed: Weighed,
        subject: &Interaction,
        profile: ProfileKey,
        count: usize,
        found: &mut Found,
    ) -> Option<i64> {
        let mut first = None;
        let mut seen = 0;
        for rank in self.profiles.get(profile).ranks() {
            if found.met == Some(rank.agent()) {
                continue;
            }
            let agent = &self.agents[rank.agent().index()];
            let exclusion = match found.open_to_all && self.profiles.is_empty_handed(rank.agent()) {
                true => None,
                false => self.exclusion_of_ready(agent, subject),
            };
            if exclusion.is_some() {
                found.excluded(*rank, exclusion);
                continue;
            }
            let net = match count {
                1 => self.net_of_alike(scale, weighed, profile, *rank),
                _ => self.net(scale, weighed, agent),
            };
            first = first.or(Some(net.sum()));
            found.weighed(*rank, &net, weighed);
            seen += 1;
            if seen == count {
                break;
            }
        }
        first
    }

    /// Those behind the first of a profile whose agents are alike.
    fn look_behind(
        &self,
        scale: &Scale,
        weighed: Weighed,
        subject: &Interaction,
        profile: ProfileKey,
        found: &mut Found,
    ) {
        for rank in self.profiles.get(profile).ranks().skip(1).take(CANDIDATES_STORED_MAX - 1) {
            let agent = &self.agents[rank.agent().index()];
            let known = |pair: &Pair| pair.1 == *rank;
            let met = found.met == Some(rank.agent());
            let seen = met || found.eligible.iter().any(known) || found.dear.iter().any(known);
            let free = found.open_to_all && self.profiles.is_empty_handed(agent.key)
                || self.exclusion_of_ready(agent, subject).is_none();
            if free && !seen {
                found.weighed(*rank, &self.net_of_alike(scale, weighed, profile, *rank), weighed);
            }
        }
    }

    fn stored(&self, found: &Found, chosen: &Few<AgentKey>) -> Box<[Candidate]> {
        let of = |one: &Pair, exclusion| {
            let agent = &self.agents[one.1.agent().index()];
            Candidate { net: Some(one.2), ..self.candidate(agent, exclusion) }
        };
        let lower = |agent: AgentKey| (!chosen.contains(&agent)).then_some(Exclusion::RankedLower);
        let best = found.eligible.iter().map(|one| of(one, lower(one.1.agent())));
        let dear = found.dear.iter().map(|one| of(one, Some(Exclusion::KeptForOthers)));
        let others = found
            .others
            .iter()
            .map(|(rank, exclusion)| self.candidate(&self.agents[rank.agent().index()], *exclusion));
        best.chain(dear).chain(others).take(CANDIDATES_STORED_MAX).collect()
    }

    /// The net value of a pair, or what excludes it: for those who ask about everybody.
    pub(super) fn judged(&self, agent: &Agent, subject: &Interaction, pool: &PoolPrices) -> Candidate {
        let plain = self.candidate(agent, self.exclusion(agent, subject));
        if plain.exclusion.is_some() || agent.profile.is_none() {
            return plain;
        }
        let scale = self.scale(subject.sought().0, pool);
        let weighed = self.weighed(&scale, subject);
        let net = self.net(&scale, weighed, agent);
        let dear = subject.sought().1.is_none() && !weighed.allows(&net);
        Candidate { net: Some(net), exclusion: dear.then_some(Exclusion::KeptForOthers), ..plain }
    }

    /// What an agent would be offered now, by value for each second of theirs.
    pub(super) fn most_worth(
        &self,
        key: AgentKey,
        pool: &PoolPrices,
    ) -> Option<(InteractionId, Arc<Decision>)> {
        let agent = &self.agents[key.index()];
        let mut best = Rates::new();
        let takes = |place: &&Place| self.exclusion(agent, self.subject(place.3)).is_none();
        for place in agent.line.iter().filter(takes).take(SHORT_LIST) {
            // It waits for this agent whatever the agent could do for others.
            let subject = self.subject(place.3);
            let scale = self.scale(subject.sought().0, pool);
            let relief = self.weighed(&scale, subject).relief.sum();
            keep(&mut best, rate(*place, relief, scale.lane.handle_ms));
        }
        if agent.ready.is_some() {
            for key in self.lanes_of(agent) {
                let lane = self.lines.lane(*key);
                if !lane.is_empty() && self.no_room(agent, lane.id.channel, false).is_none() {
                    self.heads_by_value(agent, &self.scale(*key, pool), &mut best);
                }
            }
        }
        self.familiar_by_value(agent, &mut best);
        let (chosen, rivals) = best.split_first()?;
        let subject = self.subject(chosen.2.3);
        let scale = self.scale(subject.sought().0, pool);
        let weighed = self.weighed(&scale, subject);
        let net = agent.profile.map(|_| self.net(&scale, weighed, agent));
        let rival = |one: &(Turn, Reverse<i64>, Place)| Rival { interaction: one.2.3, score: one.1.0 };
        let agents = [Candidate { net, ..self.candidate(agent, None) }].into();
        let decision = Decision {
            relief: Some(weighed.relief),
            score: chosen.1.0,
            ..self.decision_of(Trigger::AgentFree, subject, None, agents, rivals.iter().map(rival).collect())
        };
        Some((subject.id, Arc::new(decision)))
    }

    /// Of a lane, whoever has waited longest, and whoever of those whose target has not passed: the one may have lost
    /// what the other can still win.
    fn heads_by_value(&self, agent: &Agent, scale: &Scale, best: &mut Rates) {
        let (lane, free_of_duty) = (scale.lane, self.everybody_is_on_duty());
        let allowed = |place: &&Place| {
            (!lane.is_restricted() || self.barred_from(agent, self.subject(place.3)).is_none())
                && (free_of_duty || self.off_duty_for(agent, self.subject(place.3)).is_none())
        };
        let Some(first) = lane.waiting().find(allowed) else { return };
        let counts_from = self.subject(first.3).counts_from();
        let second = lane
            .after_target(first, counts_from, self.now())
            .and_then(|from| lane.waiting_from(&from).find(allowed));
        for place in std::iter::once(first).chain(second) {
            self.keep_if_allowed(agent, scale, *place, best);
        }
    }

    fn keep_if_allowed(&self, agent: &Agent, scale: &Scale, place: Place, best: &mut Rates) {
        let weighed = self.weighed(scale, self.subject(place.3));
        let net = self.net(scale, weighed, agent);
        if weighed.allows(&net) {
            keep(best, rate(place, net.sum() - net.fairness, net.handle_ms));
        }
    }

    /// Of those who know this agent, whoever is not looked at as the first of a lane.
    fn familiar_by_value(&self, agent: &Agent, best: &mut Rates) {
        if agent.ready.is_none() {
            return;
        }
        let allowed = |place: &&Place| self.exclusion(agent, self.subject(place.3)).is_none();
        for place in agent.familiar.iter().filter(allowed).take(SHORT_LIST) {
            let subject = self.subject(place.3);
            let known = best.iter().any(|one| one.2 == *place);
            if let Some(pool) = self.pool_prices(subject).filter(|_| !known) {
                self.keep_if_allowed(agent, &self.scale(subject.sought().0, pool), *place, best);
            }
        }
    }

    /// The terms of a decision that money did not make: for one agent alone, or by a person.
    pub(super) fn with_value(&self, plain: Decision, subject: &Interaction, pool: &PoolPrices) -> Decision {
        let scale = self.scale(subject.sought().0, pool);
        let weighed = self.weighed(&scale, subject);
        let agents: Box<[Candidate]> = plain
            .agents
            .iter()
            .map(|one| {
                let agent = &self.agents[one.agent.index()];
                let could = one.exclusion.is_none() && agent.profile.is_some();
                Candidate { net: could.then(|| self.net(&scale, weighed, agent)), ..*one }
            })
            .collect();
        let net = agents.iter().find_map(|one| one.net);
        let score = net.map_or(weighed.relief.sum(), Net::sum);
        Decision { relief: Some(weighed.relief), score, agents, ..plain }
    }

    /// Looks at it again when it has been held long enough.
    pub(super) fn arm_hold(&mut self, id: InteractionId) {
        let subject = self.subject(id);
        if self.pool_prices(subject).is_none() {
            return;
        }
        let (stakes, until) = (&self.lines.lane(subject.sought().0).id.stakes, self.held_until(subject));
        // What can be done later is looked at again and again: prices fall also when nobody gets free.
        let next = match stakes.by_due() {
            true => until.min(check_after(subject.entered, self.now, DUE_CHECK_MS)),
            false => until,
        };
        if until > self.now && next < Time(u64::MAX) {
            self.deadlines.arm(Deadline::Hold(id), next);
        }
    }

    /// The first of each line beside which agents are free, in pools that decide in money.
    pub(super) fn heads_beside_free_agents(&self) -> Vec<InteractionId> {
        let lanes = self.lines.lanes().filter(|(_, lane)| !lane.is_empty());
        let in_money = |lane: &Lane| self.prices.pool(self.floor.pool_of(lane.id.queue)).is_some();
        let beside = lanes.filter(|(key, lane)| in_money(lane) && self.prices.lane(*key).somebody_is_free());
        beside.filter_map(|(_, lane)| lane.waiting().next()).map(|place| place.3).collect()
    }
}

impl Scale<'_> {
    /// For an agent whose time is worth so much for one of this lane, without what this agent solves more.
    fn net(&self, weighed: Weighed, worth: i64, handle_ms: u64, idle_ms: u64, lacking: i64) -> Net {
        let per_second = self.pool.marginal.fairness_per_second.0;
        // The cheapest way may be one that lacks something, too: then that is not what waiting would save.
        let dearer = worth.saturating_add(lacking).saturating_sub(self.cheapest).max(0);
        let lacking = lacking.min(dearer);
        Net {
            relief: weighed.relief.sum(),
            matching: 0,
            familiar: 0,
            lacking,
            opportunity: dearer - lacking,
            fairness: per_second.saturating_mul(idle_ms.cast_signed()) / 1_000,
            ringing: 0,
            handle_ms,
        }
    }
}

fn rate(place: Place, net: i64, handle_ms: u64) -> (Turn, Reverse<i64>, Place) {
    (place.0, Reverse(per_hour(net, handle_ms)), place)
}
