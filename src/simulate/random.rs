//! Floors nobody designed a policy on: drawn, many of them, and what marginal cost saves on each.

use super::choice::Choice;
use super::compare::{Terms, compare};
use super::description::{Description, Differences, Group, KindOfContact, Knowledge};
use super::draw::{Luck, Spread};
use super::error::SimulateError;
use super::plain::Plain;
use super::scenario::Scenario;
use crate::engine::money::Money;
use crate::rules::values::{Amount, Duration, Share};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is set side by side on every floor: first the rule most centres have, last ours.
pub const CHOICES: [Choice; 4] =
    [Choice::LongestIdle, Choice::PrioritySkill, Choice::CmuTheta, Choice::MarginalCost];
/// Floors at most.
pub const FLOORS_MAX: u32 = 10_000;

const KINDS: (usize, usize) = (3, 12);
const GROUPS: (usize, usize) = (2, 10);
const AGENTS: (usize, usize) = (10, 200);
/// A group has no fewer agents than this, in the mean.
const GROUP_MIN: usize = 4;
/// Of two peaks over the day, every half an hour: 0 is the quietest, 1 the busiest.
const SHAPE: [f64; 20] = [
    0.0, 0.09, 0.27, 0.55, 0.8, 0.97, 1.0, 0.8, 0.45, 0.28, 0.25, 0.28, 0.45, 0.68, 0.87, 0.85, 0.58, 0.3,
    0.12, 0.0,
];
const DAY_MS: u64 = 36_000_000;

/// What became of one floor: service cost of a day by policy, in the order of `CHOICES`.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct FloorCosts {
    pub floor: String,
    pub kinds: usize,
    pub groups: usize,
    pub agents: usize,
    pub calls: f64,
    pub longest_idle: f64,
    pub priority_skill: f64,
    pub cmu_theta: f64,
    pub marginal_cost: f64,
    /// Service cost of marginal cost, per cent.
    pub against_longest_idle: f64,
    pub against_longest_idle_ci: f64,
    /// The same with matters not solved.
    pub cost_against_longest_idle: f64,
    /// Against the one of the others that is best on this floor.
    pub against_best_other: f64,
}

/// How a figure lies over all floors.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Lie {
    pub median: f64,
    pub p10: f64,
    pub p90: f64,
    pub worst: f64,
}

/// All floors.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct RandomFloors {
    pub days: u32,
    pub seed: u64,
    pub floors: Vec<FloorCosts>,
    pub against_longest_idle: Lie,
    pub against_best_other: Lie,
}

/// Draws floors and runs each for so many days.
pub fn random_floors(
    count: u32,
    days: u32,
    seed: u64,
    terms: &Terms,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<RandomFloors, SimulateError> {
    let terms = Terms { choices: CHOICES.to_vec(), ..terms.clone() };
    let total = u64::from(count) * u64::from(days) * CHOICES.len() as u64;
    let (mut floors, mut before) = (Vec::new(), 0);
    for number in 0..u64::from(count) {
        let description = description(seed, number);
        let scenario = Scenario::new(&description, Some(days), None)?;
        let compared = compare(&scenario, &terms, &mut |done, _| progress(before + done, total));
        before += u64::from(days) * CHOICES.len() as u64;
        floors.push(FloorCosts::new(&description, &compared));
    }
    let against_longest_idle = Lie::of(floors.iter().map(|one| one.against_longest_idle));
    let against_best_other = Lie::of(floors.iter().map(|one| one.against_best_other));
    Ok(RandomFloors { days, seed, floors, against_longest_idle, against_best_other })
}

impl FloorCosts {
    fn new(description: &Description, compared: &super::compare::Comparison) -> FloorCosts {
        let cost = |policy: usize| compared.policies[policy].service_cost;
        let best = (0..CHOICES.len() - 1).map(cost).fold(f64::INFINITY, f64::min);
        let ours = compared.differences.last().expect("there are four policies");
        FloorCosts {
            floor: description.name.clone(),
            kinds: description.kinds.len(),
            groups: description.groups.len(),
            agents: compared.agents,
            calls: compared.calls,
            longest_idle: cost(0),
            priority_skill: cost(1),
            cmu_theta: cost(2),
            marginal_cost: cost(3),
            against_longest_idle: ours.service_cost_percent,
            against_longest_idle_ci: ours.service_cost_percent_ci,
            cost_against_longest_idle: ours.cost_percent,
            against_best_other: if best > 0.0 { (cost(3) / best - 1.0) * 100.0 } else { 0.0 },
        }
    }
}

impl Lie {
    fn of(values: impl Iterator<Item = f64>) -> Lie {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = share * (sorted.len() - 1) as f64;
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            sorted[below] + (sorted[above] - sorted[below]) * place.fract()
        };
        Lie { median: at(0.5), p10: at(0.1), p90: at(0.9), worst: at(1.0) }
    }
}

/// The floor of this number.
pub fn description(seed: u64, number: u64) -> Description {
    let mut luck = Luck::new(seed, number);
    let between = |luck: &mut Luck, (from, to): (usize, usize)| from + luck.below(to - from + 1);
    let kinds = between(&mut luck, KINDS);
    let agents = between(&mut luck, AGENTS);
    // A group is a few agents at least.
    let groups = between(&mut luck, GROUPS).min(agents / GROUP_MIN);
    let low = 0.65 + 0.2 * luck.uniform();
    let swing = 0.2 + 0.15 * luck.uniform();
    let kinds = kinds_of(kinds, &mut luck);
    let groups = groups_of(groups, &kinds, agents, &mut luck);
    Description {
        name: format!("random{number}"),
        about: String::new(),
        lasts: Duration(DAY_MS),
        days: Plain(4),
        seed: Plain(seed.wrapping_add(number)),
        load: SHAPE.iter().map(|peak| Plain(low + swing * peak)).collect(),
        day_cv: Share(60_000),
        work_cv: Plain(1.0),
        kinds,
        groups,
        agents: Differences {
            speed_cv: Share(120_000),
            speed_cv_by_kind: Share(100_000),
            level_slower: Share(200_000),
            resolution: Share(750_000),
            resolution_sd: Share(45_000),
            resolution_sd_by_kind: Share(40_000),
            level_solves_less: Share(70_000),
        },
        router: Knowledge { handle_error_cv: Share(60_000), resolution_error_sd: Share(30_000) },
    }
}

fn name(kind: usize) -> String {
    format!("kind{kind:02}")
}

/// Kinds of which some are rare; on half of the floors all are worth the same, on the others a few are worth much more.
fn kinds_of(count: usize, luck: &mut Luck) -> BTreeMap<String, KindOfContact> {
    const WITHIN_S: [u64; 6] = [10, 15, 20, 30, 45, 60];
    let alike = luck.uniform() < 0.5;
    let solving = luck.uniform() < 0.5;
    let shares = split(1_000_000, &(0..count).map(|_| 0.2 + luck.exponential()).collect::<Vec<_>>());
    let millionths = |amount: f64| Amount(Money((amount * 100.0).round() as i64 * 10_000));
    let kind = |(number, share): (usize, usize)| {
        let worth = Spread::Lognormal { mean: 1.6, cv: 1.5 }.draw(luck).clamp(0.3, 10.0);
        let worth = if alike { 1.0 } else { worth };
        let kind = KindOfContact {
            share: Some(Share(u32::try_from(share).expect("it is a part of a million"))),
            per_hour: None,
            handle: Duration((60.0 * 12_f64.powf(luck.uniform())).round() as u64 * 1_000),
            patience: Duration((100.0 * 12_f64.powf(luck.uniform())).round() as u64 * 1_000),
            answer_within: Duration(WITHIN_S[luck.below(WITHIN_S.len())] * 1_000),
            waiting_per_minute: millionths(0.3 * worth.sqrt()),
            abandon: millionths(6.0 * worth),
            late: millionths(1.2 * worth.sqrt()),
            unresolved: millionths(if solving { 8.0 * worth.sqrt() } else { 0.0 }),
            // What somebody would set who knows roughly what is worth more.
            priority: Plain(1 + [1.5, 3.0, 6.0].iter().filter(|bound| worth > **bound).count() as i16),
            line_max: Plain(u32::MAX),
        };
        (name(number), kind)
    };
    shares.into_iter().enumerate().map(kind).collect()
}

/// Every kind is a skill of the first level of some group; beside that, groups know some others more or less well. A
/// group is about as large as the work it is there for.
fn groups_of(
    count: usize,
    kinds: &BTreeMap<String, KindOfContact>,
    agents: usize,
    luck: &mut Luck,
) -> BTreeMap<String, Group> {
    let more = 0.1 + 0.3 * luck.uniform();
    let mut all: Vec<BTreeMap<String, Plain<u8>>> = Vec::new();
    for number in 0..count {
        let mut skills = BTreeMap::new();
        for (place, kind) in kinds.keys().enumerate() {
            if place % count == number || place == number % kinds.len() {
                skills.insert(kind.clone(), Plain(1));
            } else if luck.uniform() < more {
                skills.insert(kind.clone(), Plain(1 + u8::from(luck.uniform() < 0.6)));
            }
        }
        all.push(skills);
    }
    let sizes = split(
        agents,
        &all.iter().map(|skills| work(skills, kinds, &all) * planned(luck)).collect::<Vec<_>>(),
    );
    let group = |(number, (skills, size)): (usize, (BTreeMap<String, Plain<u8>>, usize))| {
        let agents = Plain(u32::try_from(size).expect("agents are limited"));
        (format!("group{number:02}"), Group { agents, skills })
    };
    all.into_iter().zip(sizes).enumerate().map(group).collect()
}

/// What comes for a group, if groups of the first level share a kind equally.
fn work(
    skills: &BTreeMap<String, Plain<u8>>,
    kinds: &BTreeMap<String, KindOfContact>,
    all: &[BTreeMap<String, Plain<u8>>],
) -> f64 {
    let of_kind = |(name, kind): (&String, &KindOfContact)| {
        let share = kind.share.map_or(0.0, |share| f64::from(share.0));
        share * kind.handle.0 as f64 / all.iter().filter(|skills| is_first(skills, name)).count() as f64
    };
    kinds.iter().filter(|(name, _)| is_first(skills, name)).map(of_kind).sum()
}

fn is_first(skills: &BTreeMap<String, Plain<u8>>, kind: &str) -> bool {
    skills.get(kind) == Some(&Plain(1))
}

/// Nobody plans exactly.
fn planned(luck: &mut Luck) -> f64 {
    0.75 + 0.5 * luck.uniform()
}

/// A whole in parts of these weights, none of them nothing.
fn split(whole: usize, weights: &[f64]) -> Vec<usize> {
    let sum: f64 = weights.iter().sum();
    let rest = whole - weights.len();
    let mut parts: Vec<usize> =
        weights.iter().map(|weight| 1 + (weight / sum * rest as f64).floor() as usize).collect();
    let missing = whole - parts.iter().sum::<usize>();
    parts[0] += missing;
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_floor_is_the_same_for_the_same_seed_and_can_be_run() {
        for number in 0..200 {
            let description = description(1, number);
            assert_eq!(description, super::description(1, number));
            let agents: u32 = description.groups.values().map(|group| group.agents.0).sum();
            assert!((10..=200).contains(&agents), "{agents}");
            let shares: u32 = description.kinds.values().filter_map(|kind| kind.share).map(|one| one.0).sum();
            assert_eq!(shares, 1_000_000);
            Scenario::new(&description, Some(1), None).expect("somebody serves every kind");
        }
        assert_ne!(description(1, 0), description(2, 0));
    }

    #[test]
    fn percentiles_lie_where_they_should() {
        let lie = Lie::of((0..=10).map(f64::from));
        assert_eq!(lie, Lie { median: 5.0, p10: 1.0, p90: 9.0, worst: 10.0 });
    }
}
