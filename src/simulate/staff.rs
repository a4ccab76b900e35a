//! Who is there: agents of a group come and go as the staffing says.

use super::centre::{Centre, Staffing};
use super::floor::Floor;
use crate::engine::ids::AgentKey;
use crate::engine::time::Time;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Home,
    Idle,
    Work,
}

/// The agents of a centre, in the order of the engine.
pub(super) struct Staff<'a> {
    centre: &'a Centre,
    /// Which member each agent of the engine is.
    members: Vec<usize>,
    at: Vec<At>,
    /// By group: so many are at work who are to go when they finish.
    leaving: Vec<usize>,
}

impl<'a> Staff<'a> {
    pub fn new(centre: &'a Centre, members: Vec<usize>) -> Staff<'a> {
        let groups = centre.agents.iter().map(|agent| agent.group + 1).max().unwrap_or(0);
        Staff { centre, at: vec![At::Idle; members.len()], leaving: vec![0; groups], members }
    }

    /// An agent has work. Returns which member it is.
    pub fn begin(&mut self, agent: AgentKey) -> usize {
        self.at[agent.index()] = At::Work;
        self.members[agent.index()]
    }

    /// An agent's work is about to end.
    pub fn finish(&mut self, floor: &mut Floor, now: Time, agent: AgentKey) {
        let leaving = &mut self.leaving[self.centre.agents[self.members[agent.index()]].group];
        self.at[agent.index()] = match *leaving {
            0 => At::Idle,
            _ => {
                *leaving -= 1;
                floor.go(now, agent);
                At::Home
            }
        };
    }

    pub fn change(&mut self, floor: &mut Floor, now: Time, change: Staffing) {
        let of_group = |member: &usize| self.centre.agents[*member].group == change.group;
        let group: Vec<usize> =
            (0..).zip(&self.members).filter(|one| of_group(one.1)).map(|one| one.0).collect();
        let there = group.iter().filter(|agent| self.at[**agent] != At::Home).count();
        let leaving = &mut self.leaving[change.group];
        let staying = there - *leaving;
        // Who was to go stays before others come.
        let recalled = change.agents.saturating_sub(staying).min(*leaving);
        *leaving -= recalled;
        let mut coming = change.agents.saturating_sub(staying + recalled);
        let mut going = staying.saturating_sub(change.agents);
        for agent in group {
            let key = AgentKey(u32::try_from(agent).expect("agents are limited"));
            match self.at[agent] {
                At::Home if coming > 0 => {
                    coming -= 1;
                    self.at[agent] = At::Idle;
                    floor.come(now, key);
                }
                At::Idle if going > 0 => {
                    going -= 1;
                    self.at[agent] = At::Home;
                    floor.go(now, key);
                }
                _ => {}
            }
        }
        self.leaving[change.group] += going;
    }
}
