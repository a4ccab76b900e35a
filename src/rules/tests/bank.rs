//! A small bank: its floor, and words for planning on it.

use crate::engine::capacity::CapacitySpec;
use crate::engine::channel::Channel;
use crate::engine::command::{Command, Write};
use crate::engine::floor::{AgentSpec, Definition, GroupSpec, QueueSpec};
use crate::engine::hours::HoursSpec;
use crate::engine::ids::{GroupKey, PoolKey, QueueKey, SkillKey};
use crate::engine::plan::{Facts, Plan};
use crate::engine::policy::PoolSpec;
use crate::engine::route::Needs;
use crate::engine::shard::Shard;
use crate::engine::skill::Requirement;
use crate::rules::{Asked, RuleSet};

pub const SAMPLE: &str = include_str!("../samples/bank.yaml");

/// The floor of the sample: its skills, groups, queues, hours, and Maria.
pub struct Bank(pub Shard);

impl Bank {
    /// Queues `general`, `loans` (credit 5), `cards-lost` (cards 1), `partner` and `supervisors` in one pool.
    pub fn new() -> Bank {
        let mut bank = Bank(Shard::new());
        bank.define("retail", Definition::Pool(PoolSpec::plain("Retail".into()).into()));
        for skill in ["credit", "cards", "mortgages", "french", "authority"] {
            bank.define(skill, Definition::Skill { display_name: skill.into() });
        }
        for group in ["loan-desk", "branch"] {
            let capacity = CapacitySpec::default();
            bank.define(group, Definition::Group(GroupSpec { display_name: group.into(), capacity }));
        }
        bank.queue("general", vec![]);
        bank.queue("loans", vec![bank.needs("credit", 5)]);
        bank.queue("cards-lost", vec![bank.needs("cards", 1)]);
        bank.queue("partner", vec![]);
        bank.queue("supervisors", vec![]);
        bank.define("maria", Definition::Agent(AgentSpec::plain("Maria".into(), PoolKey(0), vec![])));
        let (weekly, special) = (Vec::new(), Vec::new());
        let hours = HoursSpec { display_name: "Office".into(), time_zone: "UTC".into(), weekly, special };
        bank.define("office", Definition::Hours(hours));
        bank
    }

    pub fn define(&mut self, name: &str, definition: Definition) {
        let command = Command::Define { name: name.into(), definition, write: Write::Create };
        self.0.step(self.0.now(), command, &mut Vec::new()).expect("it suits the floor");
    }

    pub fn queue(&mut self, name: &str, requirements: Vec<Requirement>) {
        self.define(name, Definition::Queue(QueueSpec::plain(name.into(), PoolKey(0), requirements)));
    }

    pub fn key(&self, queue: &str) -> QueueKey {
        let key = self.0.floor().queues.key(queue).expect("the bank has this queue");
        QueueKey(u16::try_from(key).expect("it is small"))
    }

    pub fn group(&self, group: &str) -> GroupKey {
        let key = self.0.floor().groups.key(group).expect("the bank has this group");
        GroupKey(u16::try_from(key).expect("it is small"))
    }

    pub fn needs(&self, skill: &str, proficiency: u8) -> Requirement {
        let key = self.0.floor().skills.key(skill).expect("the bank knows this skill");
        Requirement { skill: SkillKey(u16::try_from(key).expect("it is small")), proficiency }
    }

    /// One way to qualify.
    pub fn way(&self, skills: &[(&str, u8)], groups: &[&str]) -> Needs {
        let mut requirements: Vec<Requirement> =
            skills.iter().map(|(skill, level)| self.needs(skill, *level)).collect();
        requirements.sort_by_key(|needed| needed.skill);
        let mut groups: Vec<GroupKey> = groups.iter().map(|group| self.group(group)).collect();
        groups.sort_unstable();
        Needs { requirements, groups }
    }

    /// The plan of an interaction that asks for nothing itself.
    pub fn plan(&self, rules: &RuleSet, channel: Channel, queue: &str) -> Plan {
        rules.plan(self.0.floor(), &Asked::plain(channel, self.key(queue), &Facts::default()))
    }

    /// The queues a plan knows, by name.
    pub fn names(&self, plan: &Plan) -> Vec<String> {
        let name = |key: QueueKey| {
            self.0.floor().queues.get(u32::from(key.0)).expect("it is there").name.to_string()
        };
        plan.routes.iter().map(|route| name(route.queue)).collect()
    }
}

/// Rules that are right.
pub fn rules(text: &str) -> RuleSet {
    RuleSet::read(text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// A document with these sections, indented by two.
pub fn with(sections: &str) -> RuleSet {
    rules(&document(sections))
}

pub fn document(sections: &str) -> String {
    format!("version: 2\nname: test\n{sections}\n")
}
