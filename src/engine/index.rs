//! The caches that matching looks at: who is ready by profile, which lanes each profile can serve, and how many are on
//! duty for each. All of it follows from the floor and the agents; every change of either comes through here.

use super::agent::{Agent, Rank};
use super::capacity::{CapacitySpec, Claim, Held};
use super::channel::Channel;
use super::explain::off_duty;
use super::ids::{AgentKey, LaneKey, ProfileKey};
use super::profile::ProfileId;
use super::queue::{LaneId, LaneRef};
use super::route::Needs;
use super::shard::Shard;
use super::skill::Requirement;

impl Shard {
    /// Where an agent stands among those who may have room for something; `None` if they take nothing now.
    fn rank(&self, agent: &Agent, spec: &CapacitySpec, held: Held, empty_handed: bool) -> Option<Rank> {
        let room = |used: u32| used + spec.least_units() <= u32::from(spec.units);
        // Mostly nothing in hand may be interrupted by anything, and nobody asks by what.
        let gives_way = |claim: &Claim| !spec.of(claim.channel).interruptible_by.is_empty();
        let makes_room = |channel| room(agent.ledger.used_beside(channel, spec));
        let can_work = off_duty(agent.presence, agent.pending.is_some(), agent.liveness).is_none()
            && !agent.not_responding
            && held.offers < spec.open_offers_max
            && (empty_handed
                || room(held.used)
                || agent.ledger.claims().iter().any(gives_way) && Channel::ALL.into_iter().any(makes_room));
        can_work.then(|| Rank::new(held.used, self.measure(agent), agent.key))
    }

    /// Brings the caches up to date with an agent that changed: its place among the ready of its profile, and the
    /// counts of who is on duty.
    pub(super) fn reindex(&mut self, key: AgentKey) {
        self.count_work(key);
        let (agent, spec) = (&self.agents[key.index()], self.capacity_of(key));
        let held = agent.ledger.held();
        let empty_handed = agent.is_empty_handed() && spec.has_room_for_any();
        let rank = agent.profile.and_then(|_| self.rank(agent, spec, held, empty_handed));
        let on_duty = agent.profile.is_some() && agent.on_duty();
        let (state, now) = (agent.routing_state_with(held), self.now());
        self.profiles.note_empty_handed(key, empty_handed);
        let agent = &self.agents[key.index()];
        if (agent.seen, agent.ready, agent.counted) == (state, rank, on_duty) {
            return;
        }
        let agent = self.agent_mut(key);
        if agent.seen != state {
            (agent.seen, agent.since) = (state, now);
        }
        let Some(profile) = agent.profile else { return };
        let ready = std::mem::replace(&mut agent.ready, rank);
        let counted = std::mem::replace(&mut agent.counted, on_duty);
        if ready != rank {
            self.rank_ready(profile, ready, rank);
        }
        if counted != on_duty {
            self.count_on_duty(profile, if on_duty { 1 } else { -1 });
        }
    }

    /// Counts the time in which something is in hand.
    fn count_work(&mut self, key: AgentKey) {
        let (agent, now) = (&self.agents[key.index()], self.now());
        let busy = !agent.ledger.is_empty();
        match agent.busy_since {
            Some(since) if !busy => {
                let agent = self.agent_mut(key);
                (agent.busy_since, agent.worked_ms) = (None, agent.worked_ms + now.since(since));
            }
            None if busy => self.agent_mut(key).busy_since = Some(now),
            _ => {}
        }
    }

    fn count_on_duty(&mut self, profile: ProfileKey, change: i32) {
        self.profiles.count_on_duty(profile, change);
        self.lines.count_on_duty(&self.profiles.get(profile).lanes, change);
        // The cheapest way may be another.
        self.prices.moved = true;
    }

    /// Finds the profile of an agent anew, after its skills, group or pool changed, or the agent was removed. The
    /// caller brings its other caches up to date.
    pub(super) fn find_profile(&mut self, key: AgentKey) {
        self.prices.averages.forget();
        let there = self.floor.agents.live(key.0).is_some();
        let new = there.then(|| self.profiles.join(ProfileId::of(self.spec(key))));
        if let Some((profile, true)) = new {
            self.find_lanes(profile);
        }
        let agent = self.agent_mut(key);
        let (old, rank) = (agent.profile, agent.ready.take());
        agent.profile = new.map(|(profile, _)| profile);
        let counted = std::mem::take(&mut agent.counted);
        let Some(old) = old else { return };
        self.rank_ready(old, rank, None);
        if counted {
            self.count_on_duty(old, -1);
        }
        for lane in self.profiles.part(old) {
            self.lines.forget_profile(lane, old);
        }
    }

    fn find_lanes(&mut self, profile: ProfileKey) {
        let id = &self.profiles.get(profile).id;
        let lanes: Vec<LaneKey> = self
            .lines
            .lanes()
            .filter(|(_, lane)| self.meets(id, lane.id.as_ref()))
            .map(|(lane, _)| lane)
            .collect();
        for lane in &lanes {
            self.lines.add_profile(*lane, profile);
        }
        *self.profiles.lanes_mut(profile) = lanes;
    }

    /// Opens a lane and finds the profiles that meet its needs.
    pub(super) fn open_lane(&mut self, id: LaneId) -> LaneKey {
        let lane = self.lines.open(id);
        self.lines.learn_one(lane, &self.learned);
        self.prices.open_lane(lane);
        self.checked.forget_all();
        let known: Vec<ProfileKey> = self.profiles.iter().map(|(key, _)| key).collect();
        for profile in known {
            let meets = self.meets(&self.profiles.get(profile).id, self.lines.lane(lane).id.as_ref());
            let lanes = self.profiles.lanes_mut(profile);
            // The key may have been that of a lane nobody needs any more.
            lanes.retain(|known| *known != lane);
            if meets {
                lanes.push(lane);
                self.lines.add_profile(lane, profile);
                let on_duty = i32::try_from(self.profiles.get(profile).on_duty).expect("below AGENTS_MAX");
                self.lines.count_on_duty(&[lane], on_duty);
            }
        }
        lane
    }

    /// The lanes an agent can serve.
    pub(super) fn lanes_of(&self, agent: &Agent) -> &[LaneKey] {
        agent.profile.map_or(&[], |profile| &self.profiles.get(profile).lanes)
    }

    /// Whether the agents of a profile qualify for a lane.
    pub(super) fn meets(&self, profile: &ProfileId, lane: LaneRef) -> bool {
        let has = |need: &Requirement| {
            let held = profile.skills.iter().find(|(skill, _)| *skill == need.skill);
            held.is_some_and(|(_, proficiency)| *proficiency >= need.proficiency)
        };
        let fits = |needs: &Needs| {
            let group =
                needs.groups.is_empty() || profile.group.is_some_and(|own| needs.groups.contains(&own));
            group && needs.requirements.iter().all(has)
        };
        profile.pool == self.queue(lane.queue).pool && lane.needs.iter().any(fits)
    }
}
