//! Another version of the rules beside the one in force: in shadow it plans what comes and is compared, and nobody acts on
//! it; as a canary it plans a share of what comes, always the same interactions, and is taken back by itself when a named
//! figure falls below its bound.

use super::in_force::Ruling;
use super::tickets::Tickets;
use crate::engine::floor::Floor;
use crate::engine::ids::Text;
use crate::engine::plan::Plan;
use crate::runtime::fates::Fates;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Interactions that were planned otherwise, and are shown.
const SHOWN_MAX: usize = 100;
/// A share of all, in parts per million.
const WHOLE_PPM: u64 = 1_000_000;

/// How a version runs beside the one in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Shadow,
    /// For this share of what comes, in parts per million.
    Canary {
        share_ppm: u32,
    },
}

/// A figure that may not fall below, or rise above, a bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    pub of: Of,
    /// Parts per million, or ms.
    pub at: u64,
    /// Not judged before so many were answered or lost.
    pub after: u64,
}

/// The figures that can be bounded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Of {
    /// Not below, parts per million.
    ServiceLevel,
    /// Not above, parts per million.
    Abandoned,
    /// Not above, ms.
    MeanWait,
}

impl Of {
    /// Every one.
    pub const ALL: [Of; 3] = [Of::ServiceLevel, Of::Abandoned, Of::MeanWait];

    /// As people say it.
    pub fn word(self) -> &'static str {
        match self {
            Of::ServiceLevel => "service level",
            Of::Abandoned => "abandoned",
            Of::MeanWait => "mean wait",
        }
    }
}

impl Bound {
    /// What it has come to, if that is beyond the bound.
    pub fn broken(&self, fates: &Fates) -> Option<u64> {
        if fates.ended() < self.after {
            return None;
        }
        match self.of {
            Of::ServiceLevel => fates.service_level_ppm().filter(|level| *level < self.at),
            Of::Abandoned => fates.abandoned_ppm().filter(|lost| *lost > self.at),
            Of::MeanWait => fates.mean_wait_ms().filter(|wait| *wait > self.at),
        }
    }
}

/// A version beside the one in force.
pub struct Beside {
    pub ruling: Arc<Ruling>,
    pub mode: Mode,
    pub bound: Option<Bound>,
    /// What a shadow draws for its splits.
    pub tickets: Tickets,
    compared: Mutex<Compared>,
}

/// What a shadow would have done otherwise.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Planned by both.
    pub planned: u64,
    /// In the same way.
    pub same: u64,
    /// Not compared: too many came at once.
    pub passed_over: u64,
    /// In how many what is otherwise, by name.
    pub otherwise: BTreeMap<&'static str, u64>,
    /// The newest that were planned otherwise, newest first.
    pub newest: VecDeque<Otherwise>,
}

/// One that was planned otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Otherwise {
    pub source: Text,
    pub external_id: Text,
    /// What is otherwise.
    pub what: Vec<&'static str>,
    /// The queues it begins in, by the version in force and by the shadow.
    pub queues: (Text, Text),
}

impl Beside {
    /// Begins with nothing compared.
    pub fn new(ruling: Arc<Ruling>, mode: Mode, bound: Option<Bound>) -> Beside {
        Beside { ruling, mode, bound, tickets: Tickets::default(), compared: Mutex::default() }
    }

    /// Whether it plans the interaction of this number, which is the same whenever it is asked for.
    pub fn plans(&self, number: u128) -> bool {
        let Mode::Canary { share_ppm } = self.mode else { return false };
        // The upper half is spread as evenly as the whole.
        let upper = (number >> 64) as u64;
        (u128::from(upper) * u128::from(WHOLE_PPM)) >> 64 < u128::from(share_ppm)
    }

    /// Notes how one was planned by both.
    pub fn compare(
        &self,
        (source, external_id): (&Text, &Text),
        floor: &Floor,
        acted_on: &Plan,
        shadow: &Plan,
    ) {
        let what = otherwise(acted_on, shadow);
        let mut compared = self.locked();
        compared.planned += 1;
        if what.is_empty() {
            compared.same += 1;
            return;
        }
        for one in &what {
            *compared.otherwise.entry(one).or_default() += 1;
        }
        let queue = |plan: &Plan| {
            let entry = floor.queues.get(u32::from(plan.entry().queue.0));
            entry.map_or_else(Text::default, |entry| entry.name.clone())
        };
        let queues = (queue(acted_on), queue(shadow));
        let (source, external_id) = (source.clone(), external_id.clone());
        compared.newest.truncate(SHOWN_MAX - 1);
        compared.newest.push_front(Otherwise { source, external_id, what, queues });
    }

    /// Notes that one was not compared.
    pub fn pass_over(&self) {
        self.locked().passed_over += 1;
    }

    /// What has come of it so far.
    pub fn compared(&self) -> Compared {
        self.locked().clone()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Compared> {
        self.compared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What two plans say differently, in a supervisor's words.
fn otherwise(one: &Plan, other: &Plan) -> Vec<&'static str> {
    let (here, there) = (one.entry(), other.entry());
    let all = [
        ("queue", here.queue != there.queue),
        ("who may serve", here.needs != there.needs || here.better_with != there.better_with),
        ("urgency", one.priority != other.priority || one.weight != other.weight),
        ("goals", one.goals != other.goals || one.deadline_ms != other.deadline_ms),
        ("the agent waited for", one.preferred != other.preferred || one.familiar != other.familiar),
        ("relaxation", here.relaxation != there.relaxation || here.last_step != there.last_step),
        ("overflow", here.overflow != there.overflow || one.hops_max != other.hops_max),
        ("what agents read", one.instructions != other.instructions || one.tags != other.tags),
    ];
    let mut what: Vec<&'static str> =
        all.iter().filter(|(_, differs)| *differs).map(|(what, _)| *what).collect();
    let rest = Plan { rule_set: one.rule_set, ..other.clone() };
    if what.is_empty() && *one != rest {
        what.push("something else");
    }
    what
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::QueueKey;
    use crate::engine::plan::Goals;
    use crate::engine::route::Route;
    use crate::rules::RuleSet;

    fn beside(mode: Mode) -> Beside {
        Beside::new(Ruling::new(RuleSet::default().into()).into(), mode, None)
    }

    fn plan(queue: u16) -> Plan {
        Plan::plain(1, Route::plain(QueueKey(queue), Vec::new()), 0, Goals::plain())
    }

    #[test]
    fn a_canary_plans_its_share_and_always_the_same_interactions() {
        let canary = beside(Mode::Canary { share_ppm: 250_000 });
        let number = |n: u64| u128::from(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)) << 64;
        let planned = (0..10_000).filter(|n| canary.plans(number(*n))).count();
        assert!((2_450..=2_550).contains(&planned), "{planned}");
        assert!(canary.plans(0) && !canary.plans(u128::MAX));
        assert!(!beside(Mode::Canary { share_ppm: 0 }).plans(0));
        assert!(beside(Mode::Canary { share_ppm: 1_000_000 }).plans(u128::MAX), "all of them");
        assert!(!beside(Mode::Shadow).plans(0), "a shadow plans nothing that is acted on");
    }

    #[test]
    fn a_bound_is_broken_when_enough_have_come_to_an_end_beyond_it() {
        let fates = |answered, in_time, abandoned| Fates { answered, in_time, abandoned, ..Fates::default() };
        let bound = Bound { of: Of::ServiceLevel, at: 700_000, after: 10 };
        assert_eq!(bound.broken(&fates(9, 0, 0)), None, "too few to say");
        assert_eq!(bound.broken(&fates(10, 7, 0)), None, "just at it");
        assert_eq!(bound.broken(&fates(10, 6, 0)), Some(600_000));
        let lost = Bound { of: Of::Abandoned, at: 100_000, after: 1 };
        assert_eq!((lost.broken(&fates(9, 9, 1)), lost.broken(&fates(8, 8, 2))), (None, Some(200_000)));
        let wait = Bound { of: Of::MeanWait, at: 20_000, after: 1 };
        let waited = |wait_ms| Fates { wait_ms, ..fates(2, 1, 0) };
        assert_eq!((wait.broken(&waited(40_000)), wait.broken(&waited(40_002))), (None, Some(20_001)));
    }

    #[test]
    fn a_shadow_is_compared_plan_by_plan_and_says_what_is_otherwise() {
        let shadow = beside(Mode::Shadow);
        let (source, id) = (Text::from("pbx"), Text::from("c1"));
        let floor = Floor::default();
        shadow.compare((&source, &id), &floor, &plan(1), &Plan { rule_set: 2, ..plan(1) });
        shadow.compare((&source, &id), &floor, &plan(1), &Plan { priority: 3, ..plan(2) });
        shadow.pass_over();
        let compared = shadow.compared();
        assert_eq!((compared.planned, compared.same, compared.passed_over), (2, 1, 1));
        assert_eq!(compared.newest[0].what, ["queue", "urgency"]);
        assert_eq!(compared.otherwise["queue"], 1);
        (0..200).for_each(|_| shadow.compare((&source, &id), &floor, &plan(1), &plan(2)));
        assert_eq!(shadow.compared().newest.len(), SHOWN_MAX);
    }
}
