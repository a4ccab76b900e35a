//! Chooses in money (ALGORITHM.md 9): every pair has a net value, the best pair is acted on, and an interaction whose
//! free agents are all worth more to others waits a little for a cheaper one. Read-only, like all of matching.

use super::agent::{Agent, Rank};
use super::explain::{
    CANDIDATES_STORED_MAX, Candidate, Decision, Exclusion, Net, Rival, Trigger, WaitReason,
};
use super::few::Few;
use super::fixed::{Part, narrow};
use super::ids::{AgentKey, InteractionId, LaneKey, ProfileKey};
use super::interaction::Interaction;
use super::matching::{Barred, SHORT_LIST};
use super::prices::{LanePrices, PoolPrices, crowd, price, worth};
use super::profile::keep;
use super::queue::Lane;
use super::score::{Place, Turn};
use super::shard::Shard;
use super::stakes::Relief;
use super::time::Time;
use arrayvec::ArrayVec;
use std::cmp::Reverse;
use std::sync::Arc;

/// Of a profile with more agents than this who are free, the first are looked at: idle longest first.
const CANDIDATES_MAX: usize = 32;

/// How one interaction stands in its lane now.
#[derive(Clone, Copy)]
pub(super) struct Weighed<'a> {
    key: LaneKey,
    prices: LanePrices,
    pool: &'a PoolPrices,
    lane: &'a Lane,
    relief: Relief,
    /// It has waited so long that it is held no longer.
    held_enough: bool,
    queue_rings_ms: u64,
}

/// The best pairs so far, best first: net, then least in use, then the lower key.
type Pairs = ArrayVec<(Reverse<i64>, Rank), CANDIDATES_STORED_MAX>;

impl Shard {
    /// The prices of the pool an interaction is decided in; `None` if that pool decides by lists.
    pub(super) fn pool_prices(&self, subject: &Interaction) -> Option<&PoolPrices> {
        self.prices.pool(self.queue(self.sought_queue_of(subject)).pool)
    }

    fn weighed<'a>(&'a self, subject: &Interaction, key: LaneKey, pool: &'a PoolPrices) -> Weighed<'a> {
        let (lane, prices) = (self.lines.lane(key), self.prices.lane(key));
        let wait_ms = self.now().since(subject.waits_from);
        let horizon = prices.horizon(pool);
        let crowd = crowd(lane, lane.len().saturating_sub(1), horizon.ms);
        Weighed {
            key,
            prices,
            pool,
            lane,
            relief: lane.id.stakes.relief(wait_ms, horizon).times(crowd),
            held_enough: subject.overdue || wait_ms >= lane.id.stakes.hold_max_ms(),
            queue_rings_ms: self.queue(lane.id.queue).offer_expiry_ms,
        }
    }

    /// What giving the interaction to this agent is worth, term by term.
    fn net(&self, weighed: &Weighed, agent: &Agent) -> Net {
        let Weighed { prices, pool, lane, .. } = weighed;
        let (handle_ms, price, resolution) = self.doing(weighed, agent);
        let worth = worth(price, handle_ms);
        let more = resolution.map_or(0, |own| i64::from(own.0) - i64::from(prices.usual.0));
        let believed = (i64::from(pool.marginal.match_share.0) * more) >> 16;
        let idle_ms = if agent.ledger.is_empty() { self.now().since(agent.idle_since) } else { 0 };
        let fairness = i128::from(pool.marginal.fairness_per_second.0) * i128::from(idle_ms) / 1_000;
        let net = Net {
            relief: weighed.relief.sum(),
            matching: lane.id.stakes.resolution(believed),
            opportunity: worth - prices.cheapest.min(worth),
            fairness: narrow(fairness),
            ringing: 0,
            handle_ms,
        };
        let acceptance = self.spec(agent.key).acceptance;
        if acceptance >= Part::ONE {
            net
        } else {
            net.with_ringing(acceptance, weighed.queue_rings_ms, price)
        }
    }

    /// How long this agent takes for one of the lane, what their time is worth, and how often they solve it.
    fn doing(&self, weighed: &Weighed, agent: &Agent) -> (u64, i64, Option<Part>) {
        let profile = agent.profile.expect("who qualifies has a profile");
        let expected = (weighed.lane.id.expected_handle_ms, self.prices.of_profile(profile), None);
        let Some(own) = self.prices.own(agent.key) else { return expected };
        let lanes = &self.profiles.get(profile).lanes;
        let Some(at) = lanes.iter().position(|lane| *lane == weighed.key) else { return expected };
        let dearest = |(lane, own): (&LaneKey, &super::prices::Own)| {
            price(self.prices.lane(*lane).scarcity, own.handle_ms)
        };
        let price = lanes.iter().zip(own).map(dearest).max().unwrap_or(0);
        let known = own.get(at);
        (known.map_or(expected.0, |own| own.handle_ms), price, known.and_then(|own| own.resolution))
    }

    /// Whom an interaction goes to: of all who are free and qualify, those with the greatest net value.
    pub(super) fn choose_by_value(
        &self,
        subject: &Interaction,
        last: Option<AgentKey>,
        pool: &PoolPrices,
    ) -> (Few<AgentKey>, Arc<Decision>) {
        let weighed = self.weighed(subject, subject.sought().0, pool);
        let (asked_at_once, open_to_all) = (self.asked_at_once(subject), self.is_open_to_all(subject));
        let mut found = Found::default();
        for profile in &weighed.lane.profiles {
            for rank in self.looked_at_of(*profile) {
                let agent = &self.agents[rank.agent().index()];
                let exclusion = match open_to_all && self.profiles.is_empty_handed(agent.key) {
                    true => None,
                    false => self.exclusion_of_ready(agent, subject),
                };
                match exclusion {
                    Some(_) => found.excluded(*rank, exclusion),
                    None => {
                        found.weighed(*rank, self.net(&weighed, agent), &weighed, Some(agent.key) == last)
                    }
                }
            }
        }
        let chosen: Few<AgentKey> =
            found.eligible.iter().take(asked_at_once).map(|one| one.1.agent()).collect();
        let wait_reason = chosen.is_empty().then(|| match found.dear.is_empty() {
            true => self.reason_to_wait(subject, found.barred),
            false => WaitReason::Held,
        });
        let agents = self.stored(&found, &chosen, &weighed);
        let decision = Decision {
            relief: Some(weighed.relief),
            score: found.eligible.first().map_or(weighed.relief.sum(), |one| one.0.0),
            ..self.decision_of(Trigger::InteractionWaits, subject, wait_reason, agents, Box::default())
        };
        (chosen, Arc::new(decision))
    }

    /// Equal agents differ by how long they are idle alone: then the first few will do.
    fn looked_at_of(&self, profile: ProfileKey) -> impl Iterator<Item = &Rank> {
        let ready = self.profiles.get(profile).ranks();
        let differ = self.agents_differ;
        ready.take(if differ { CANDIDATES_MAX } else { CANDIDATES_STORED_MAX })
    }

    fn stored(&self, found: &Found, chosen: &Few<AgentKey>, weighed: &Weighed) -> Box<[Candidate]> {
        let of = |rank: Rank, exclusion| {
            let agent = &self.agents[rank.agent().index()];
            Candidate { net: Some(self.net(weighed, agent)), ..self.candidate(agent, exclusion) }
        };
        let lower = |rank: Rank| {
            let exclusion = (!chosen.contains(&rank.agent())).then_some(Exclusion::RankedLower);
            of(rank, exclusion)
        };
        let best = found.eligible.iter().map(|one| lower(one.1));
        let dear = found.dear.iter().map(|one| of(one.1, Some(Exclusion::KeptForOthers)));
        let others = found
            .others
            .iter()
            .map(|(rank, exclusion)| self.candidate(&self.agents[rank.agent().index()], *exclusion));
        best.chain(dear).chain(others).take(CANDIDATES_STORED_MAX).collect()
    }

    /// The net value of a pair, or what excludes it: for those who ask about everybody.
    pub(super) fn judged(&self, agent: &Agent, subject: &Interaction, pool: &PoolPrices) -> Candidate {
        let weighed = self.weighed(subject, subject.sought().0, pool);
        let exclusion = self.exclusion(agent, subject);
        let plain = self.candidate(agent, exclusion);
        if exclusion.is_some() || agent.profile.is_none() {
            return plain;
        }
        let net = self.net(&weighed, agent);
        let wanted = subject.sought().1.is_some();
        let dear = !wanted && !weighed.allows(&net);
        Candidate { net: Some(net), exclusion: dear.then_some(Exclusion::KeptForOthers), ..plain }
    }

    /// What an agent would be offered now, by value for each second of theirs.
    pub(super) fn most_worth(
        &self,
        key: AgentKey,
        pool: &PoolPrices,
    ) -> Option<(InteractionId, Arc<Decision>)> {
        let agent = &self.agents[key.index()];
        let mut best: Rates = ArrayVec::new();
        let takes = |place: &&Place| self.exclusion(agent, self.subject(place.3)).is_none();
        for place in agent.line.iter().filter(takes).take(SHORT_LIST) {
            // It waits for this agent whatever the agent could do for others.
            let subject = self.subject(place.3);
            let weighed = self.weighed(subject, subject.sought().0, pool);
            keep(&mut best, rate(*place, weighed.relief.sum(), weighed.lane.id.expected_handle_ms));
        }
        if agent.ready.is_some() {
            for key in self.lanes_of(agent) {
                let lane = self.lines.lane(*key);
                if !lane.is_empty() && self.no_room(agent, lane.id.channel, false).is_none() {
                    self.heads_by_value(agent, *key, lane, pool, &mut best);
                }
            }
        }
        let (chosen, rivals) = best.split_first()?;
        let subject = self.subject(chosen.2.3);
        let rivals = rivals.iter().map(|one| Rival { interaction: one.2.3, score: one.1.0 });
        let weighed = self.weighed(subject, subject.sought().0, pool);
        let net = agent.profile.map(|_| self.net(&weighed, agent));
        let candidate = Candidate { net, ..self.candidate(agent, None) };
        let decision = Decision {
            relief: Some(weighed.relief),
            score: chosen.1.0,
            ..self.decision_of(Trigger::AgentFree, subject, None, [candidate].into(), rivals.collect())
        };
        Some((subject.id, Arc::new(decision)))
    }

    /// Of a lane, whoever has waited longest, and whoever of those whose target has not passed: the one may have lost
    /// what the other can still win.
    fn heads_by_value(&self, agent: &Agent, key: LaneKey, lane: &Lane, pool: &PoolPrices, best: &mut Rates) {
        let free_of_duty = self.everybody_is_on_duty();
        let allowed = |place: &&Place| {
            let subject = self.subject(place.3);
            (!lane.is_restricted() || self.barred_from(agent, subject).is_none())
                && (free_of_duty || self.off_duty_for(agent, subject).is_none())
        };
        let Some(first) = lane.waiting().find(allowed) else { return };
        let second =
            lane.after_target(first, self.now()).and_then(|from| lane.waiting_from(&from).find(allowed));
        for place in std::iter::once(first).chain(second) {
            let subject = self.subject(place.3);
            let weighed = self.weighed(subject, key, pool);
            let net = self.net(&weighed, agent);
            if weighed.allows(&net) {
                keep(best, rate(*place, net.sum() - net.fairness, net.handle_ms));
            }
        }
    }

    /// Until when an interaction is held for a cheaper agent.
    pub(super) fn held_until(&self, subject: &Interaction) -> Time {
        let stakes = &self.lines.lane(subject.sought().0).id.stakes;
        subject.waits_from.after(stakes.hold_max_ms())
    }
}

impl Weighed<'_> {
    /// Leaving it waiting costs no less than taking the agent from others, or it has been held long enough.
    fn allows(&self, net: &Net) -> bool {
        self.held_enough || net.relief >= net.opportunity
    }
}

/// Value for an hour of the agent's time, the best first; those beyond their maximum wait before all.
type Rates = ArrayVec<(Turn, Reverse<i64>, Place), SHORT_LIST>;

fn rate(place: Place, net: i64, handle_ms: u64) -> (Turn, Reverse<i64>, Place) {
    (place.0, Reverse(per_hour(net, handle_ms)), place)
}

/// What so much in so long comes to in an hour.
pub(super) fn per_hour(amount: i64, in_ms: u64) -> i64 {
    narrow(i128::from(amount) * 3_600_000 / i128::from(in_ms.max(1)))
}

/// What a look at everybody who is free has found.
#[derive(Default)]
struct Found {
    eligible: Pairs,
    /// Those who are worth more to others than the interaction loses by waiting.
    dear: Pairs,
    others: ArrayVec<(Rank, Option<Exclusion>), CANDIDATES_STORED_MAX>,
    barred: Barred,
}

impl Found {
    fn excluded(&mut self, rank: Rank, exclusion: Option<Exclusion>) {
        self.barred.note(exclusion);
        if !self.others.is_full() {
            self.others.push((rank, exclusion));
        }
    }

    /// Who just missed it comes last.
    fn weighed(&mut self, rank: Rank, net: Net, weighed: &Weighed, missed: bool) {
        let pair = (Reverse(if missed { i64::MIN } else { net.sum() }), rank);
        keep(if weighed.allows(&net) { &mut self.eligible } else { &mut self.dear }, pair);
    }
}
