//! Skills: what an agent can do, how well, and what an interaction asks for.

use super::ids::SkillKey;
use super::time::Time;
use serde::{Deserialize, Serialize};

/// How well somebody can do something, 1 to 10.
pub type Proficiency = u8;

/// The best proficiency there is.
pub const PROFICIENCY_MAX: Proficiency = 10;

/// One skill an agent has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Skill {
    /// Which.
    pub skill: SkillKey,
    /// How well, 1 to 10.
    pub proficiency: Proficiency,
    /// Until when: a licence that runs out. `None`: for good.
    pub expires: Option<Time>,
}

/// One skill an interaction asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Requirement {
    /// Which.
    pub skill: SkillKey,
    /// The least that will do, 1 to 10.
    pub proficiency: Proficiency,
}

/// The proficiency of `skills` in `skill`, if it is there at all.
pub fn proficiency(skills: &[Skill], skill: SkillKey) -> Option<Proficiency> {
    skills.iter().find(|held| held.skill == skill).map(|held| held.proficiency)
}

/// Joins requirements, the higher proficiency winning, in the order of the skills: equal needs are equal lists.
pub fn merged(lists: &[&[Requirement]]) -> Vec<Requirement> {
    let mut all: Vec<Requirement> = lists.iter().flat_map(|list| list.iter().copied()).collect();
    all.sort_by_key(|needed| (needed.skill, std::cmp::Reverse(needed.proficiency)));
    all.dedup_by_key(|needed| needed.skill);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_of_two_demands_for_one_skill_holds() {
        let low = Requirement { skill: SkillKey(1), proficiency: 2 };
        let high = Requirement { skill: SkillKey(1), proficiency: 5 };
        let other = Requirement { skill: SkillKey(0), proficiency: 1 };
        assert_eq!(merged(&[&[low, other], &[high]]), vec![other, high]);
    }
}
