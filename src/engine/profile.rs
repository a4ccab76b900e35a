//! Agents with equal skills, group and pool are one profile: whoever of them is asked, the requirements are judged
//! once. Each profile keeps its ready agents in the order of their rank; a lane knows the profiles that meet it, so
//! choosing looks at heads and never at agents who lack a skill.

use super::agent::Rank;
use super::explain::CANDIDATES_STORED_MAX;
use super::floor::AgentSpec;
use super::ids::{AgentKey, GroupKey, LaneKey, PoolKey, ProfileKey, SkillKey};
use super::skill::Proficiency;
use super::sorted::Sorted;
use arrayvec::ArrayVec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the agents of a profile have in common.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct ProfileId {
    pub pool: PoolKey,
    pub group: Option<GroupKey>,
    pub skills: Vec<(SkillKey, Proficiency)>,
}

impl ProfileId {
    /// The profile of an agent as configured.
    pub(super) fn of(spec: &AgentSpec) -> ProfileId {
        let skills = spec.skills.iter().map(|held| (held.skill, held.proficiency)).collect();
        ProfileId { pool: spec.pool, group: spec.group, skills }
    }
}

/// One profile. A cache: which agents there are and how they are is said by the floor and the agents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Profile {
    pub id: ProfileId,
    /// The agents who may have room for something, best first.
    ready: Sorted<Rank>,
    /// How many of them have nothing in hand.
    free: u32,
    members: u32,
    /// How many of its agents are on duty.
    pub on_duty: u32,
    /// The lanes its agents can serve, in order.
    pub lanes: Vec<LaneKey>,
}

impl Profile {
    /// How many may have room for something: those with nothing in hand, and all of them.
    pub fn free(&self) -> (u32, u32) {
        (self.free, u32::try_from(self.ready.len()).expect("agents are counted in 32 bits"))
    }

    /// How many agents have it.
    pub fn members(&self) -> u64 {
        self.members.into()
    }

    /// Where those stand who may have room for something, best first.
    pub fn ranks(&self) -> impl Iterator<Item = &Rank> {
        self.ready.iter()
    }

    /// The agents who may have room for something, best first.
    pub fn ready(&self) -> impl Iterator<Item = AgentKey> {
        self.ready.iter().map(|rank| rank.agent())
    }
}

/// Every profile that somebody has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Profiles {
    all: Vec<Profile>,
    /// The first of each profile's ready agents. Apart from the rest, so that looking at many touches little memory.
    heads: Vec<Rank>,
    /// Those behind them, as many as are ever looked at of one profile.
    followers: Vec<[Rank; CANDIDATES_STORED_MAX - 1]>,
    /// By profile: whether an agent of it is on duty; and by pool, how many are.
    works: Vec<bool>,
    working: Vec<u32>,
    /// By agent: holds nothing, and has room for one of any channel.
    empty_handed: Vec<bool>,
    by_id: BTreeMap<ProfileId, ProfileKey>,
    free: Vec<ProfileKey>,
    ready: u32,
}

impl Profiles {
    /// How many agents are ready for work.
    pub fn ready(&self) -> u32 {
        self.ready
    }

    /// One profile.
    pub fn get(&self, key: ProfileKey) -> &Profile {
        &self.all[key.index()]
    }

    /// The profiles somebody has.
    pub fn iter(&self) -> impl Iterator<Item = (ProfileKey, &Profile)> {
        self.by_id.values().map(|key| (*key, self.get(*key)))
    }

    /// One more agent has this profile; true if nobody had it before.
    pub fn join(&mut self, id: ProfileId) -> (ProfileKey, bool) {
        if let Some(key) = self.by_id.get(&id).copied() {
            self.all[key.index()].members += 1;
            return (key, false);
        }
        let profile = Profile {
            id: id.clone(),
            ready: Sorted::default(),
            free: 0,
            members: 1,
            on_duty: 0,
            lanes: Vec::new(),
        };
        let key = match self.free.pop() {
            Some(key) => {
                self.all[key.index()] = profile;
                key
            }
            None => {
                self.all.push(profile);
                self.heads.push(Rank::NOBODY);
                self.followers.push([Rank::NOBODY; CANDIDATES_STORED_MAX - 1]);
                self.works.push(false);
                let index = self.all.len() - 1;
                ProfileKey(u32::try_from(index).expect("profiles are no more than agents"))
            }
        };
        self.by_id.insert(id, key);
        (key, true)
    }

    /// One agent less has it; the lanes that knew it, if that was the last.
    pub fn part(&mut self, key: ProfileKey) -> Vec<LaneKey> {
        let profile = &mut self.all[key.index()];
        profile.members -= 1;
        if profile.members > 0 {
            return Vec::new();
        }
        self.by_id.remove(&profile.id);
        self.free.push(key);
        std::mem::take(&mut profile.lanes)
    }

    /// The lanes its agents can serve, to change them.
    pub fn lanes_mut(&mut self, key: ProfileKey) -> &mut Vec<LaneKey> {
        &mut self.all[key.index()].lanes
    }

    pub fn count_on_duty(&mut self, key: ProfileKey, change: i32) {
        let profile = &mut self.all[key.index()];
        profile.on_duty = profile.on_duty.checked_add_signed(change).expect("each agent is counted once");
        self.works[key.index()] = profile.on_duty > 0;
        let pool = profile.id.pool.index();
        if self.working.len() <= pool {
            self.working.resize(pool + 1, 0);
        }
        self.working[pool] =
            self.working[pool].checked_add_signed(change).expect("each agent is counted once");
    }

    /// Whether an agent of a profile is on duty.
    pub fn works(&self, key: ProfileKey) -> bool {
        self.works[key.index()]
    }

    /// How many agents of a pool are on duty.
    pub fn working_in(&self, pool: usize) -> u32 {
        self.working.get(pool).copied().unwrap_or_default()
    }

    /// Moves an agent among the ready of its profile, in or out.
    pub fn rank(&mut self, key: ProfileKey, old: Option<Rank>, new: Option<Rank>) {
        let Profile { ready, free, .. } = &mut self.all[key.index()];
        let is_free = |rank: Option<Rank>| u32::from(rank.is_some_and(|rank| rank.used() == 0));
        *free = *free + is_free(new) - is_free(old);
        if let Some(old) = old {
            assert!(ready.remove(&old), "an agent stands among the ready of its profile");
            self.ready -= 1;
        }
        if let Some(new) = new {
            ready.insert(new);
            self.ready += 1;
        }
        let at = |at: usize| ready.get(at).copied().unwrap_or(Rank::NOBODY);
        self.heads[key.index()] = at(0);
        self.followers[key.index()] = std::array::from_fn(|behind| at(behind + 1));
    }

    /// The first of a profile's ready agents, or nobody.
    pub fn head(&self, key: ProfileKey) -> Rank {
        self.heads[key.index()]
    }

    /// The profiles with the best first ready agents, best first.
    pub fn heads<const N: usize>(&self, profiles: &[ProfileKey]) -> ArrayVec<(Rank, ProfileKey), N> {
        let mut best = ArrayVec::new();
        let mut last = Rank::NOBODY;
        for profile in profiles {
            let head = self.heads[profile.index()];
            if head < last {
                keep(&mut best, (head, *profile));
                last = if best.is_full() { best[N - 1].0 } else { Rank::NOBODY };
            }
        }
        best
    }

    /// Whether an agent holds nothing and has room for one of any channel.
    pub fn is_empty_handed(&self, agent: AgentKey) -> bool {
        self.empty_handed.get(agent.index()).copied().unwrap_or_default()
    }

    pub fn note_empty_handed(&mut self, agent: AgentKey, empty_handed: bool) {
        if self.empty_handed.len() <= agent.index() {
            self.empty_handed.resize(agent.index() + 1, false);
        }
        self.empty_handed[agent.index()] = empty_handed;
    }

    /// The first ready agents of these profiles, best first.
    pub fn first(&self, profiles: &[ProfileKey]) -> ArrayVec<Rank, CANDIDATES_STORED_MAX> {
        let mut best: ArrayVec<Rank, CANDIDATES_STORED_MAX> = ArrayVec::new();
        let mut last = Rank::NOBODY;
        for profile in profiles {
            let head = self.heads[profile.index()];
            if head >= last {
                continue;
            }
            keep(&mut best, head);
            for rank in &self.followers[profile.index()] {
                last = best.get(CANDIDATES_STORED_MAX - 1).copied().unwrap_or(Rank::NOBODY);
                if *rank >= last {
                    break;
                }
                keep(&mut best, *rank);
            }
            last = best.get(CANDIDATES_STORED_MAX - 1).copied().unwrap_or(Rank::NOBODY);
        }
        best
    }

    /// All ready agents of these profiles but one, best first.
    pub fn all(&self, profiles: &[ProfileKey], but: Option<AgentKey>) -> Vec<Rank> {
        let of = |profile: &ProfileKey| self.all[profile.index()].ready.iter();
        let mut all: Vec<Rank> =
            profiles.iter().flat_map(of).filter(|rank| Some(rank.agent()) != but).copied().collect();
        all.sort_unstable();
        all
    }
}

/// Into a short sorted list; the last falls out if it is full.
pub(super) fn keep<T: Ord, const N: usize>(best: &mut ArrayVec<T, N>, one: T) {
    let at = best.iter().take_while(|other| **other < one).count();
    if best.is_full() {
        if at == N {
            return;
        }
        best.pop();
    }
    best.insert(at, one);
}
