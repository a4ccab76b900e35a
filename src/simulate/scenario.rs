//! A floor with its days: made of a description, or drawn.

use super::capacity::capacity_per_hour;
use super::centre::{Centre, Day, Does, Kind, Member};
use super::description::{CUSTOMERS_MAX, Description, Differences, Group, Knowledge};
use super::draw::{Luck, Spread};
use super::error::SimulateError;
use super::generate::{self, Piece, Stream};
use super::plain::Plain;
use crate::engine::money::Money;
use crate::rules::values::{Duration, Share};

/// What the luck of agents is drawn from; days have the numbers of their seeds.
const AGENTS_STREAM: u64 = u64::MAX;
/// Nobody solves everything or nothing.
const RESOLUTION_MIN: f64 = 0.02;
const RESOLUTION_MAX: f64 = 0.99;

/// A floor that can be run for as many days as one likes.
#[derive(Clone, PartialEq, Debug)]
pub struct Scenario {
    pub name: String,
    pub centre: Centre,
    pub streams: Vec<Stream>,
    /// The factor of a day.
    pub day_factor: Spread,
    pub days: u32,
    pub seed: u64,
}

impl Scenario {
    /// The floor that is described, with these days.
    pub fn new(
        description: &Description,
        days: Option<u32>,
        seed: Option<u64>,
    ) -> Result<Scenario, SimulateError> {
        let (days, seed) = (days.unwrap_or(description.days.0), seed.unwrap_or(description.seed.0));
        let per_hour = per_hour(description);
        let mean_load =
            description.load.iter().map(|load| load.0).sum::<f64>() / description.load.len() as f64;
        let customers = per_hour.iter().sum::<f64>() * mean_load * seconds(description.lasts) / 3_600.0;
        if !(customers > 0.0 && customers <= CUSTOMERS_MAX) {
            let what =
                format!("{customers:.0} customers come on a day, want more than 0, at most {CUSTOMERS_MAX}");
            return Err(SimulateError::Floor { name: description.name.clone(), what });
        }
        Ok(Scenario {
            name: description.name.clone(),
            centre: Centre {
                kinds: kinds(description),
                agents: agents(description, seed),
                staffing: Vec::new(),
            },
            streams: per_hour
                .iter()
                .enumerate()
                .map(|(kind, rate)| stream(description, kind, *rate))
                .collect(),
            day_factor: Spread::Gamma { mean: 1.0, cv: part(description.day_cv) },
            days,
            seed,
        })
    }

    /// One of its days, the first being 0.
    pub fn day(&self, number: u32) -> Day {
        // Seeds of floors that are next to each other share no day.
        let seed = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(number));
        generate::day(&self.streams, generate::day_factor(self.day_factor, seed), seed)
    }
}

pub(super) fn seconds(time: Duration) -> f64 {
    time.0 as f64 / 1_000.0
}

pub(super) fn part(share: Share) -> f64 {
    f64::from(share.0) / 1_000_000.0
}

fn units(money: Money) -> f64 {
    money.0 as f64 / 1_000_000.0
}

fn kinds(description: &Description) -> Vec<Kind> {
    let kind = |(name, kind): (&String, &super::description::KindOfContact)| Kind {
        name: name.clone(),
        target_s: seconds(kind.answer_within),
        abandon: units(kind.abandon.0),
        waiting_per_minute: units(kind.waiting_per_minute.0),
        late: units(kind.late.0),
        unresolved: units(kind.unresolved.0),
        patience_s: seconds(kind.patience),
        handle_s: seconds(kind.handle),
        priority: kind.priority.0,
        line_max: kind.line_max.0,
    };
    description.kinds.iter().map(kind).collect()
}

/// Of each kind, before the load: what comes, or what the agents could take of it in this mix.
fn per_hour(description: &Description) -> Vec<f64> {
    let rates: Vec<f64> = description.kinds.values().filter_map(|kind| Some(kind.per_hour?.0)).collect();
    if rates.len() == description.kinds.len() {
        return rates;
    }
    let shares: Vec<f64> = description.kinds.values().filter_map(|kind| kind.share).map(part).collect();
    let agents: Vec<f64> = description.groups.values().map(|group| f64::from(group.agents.0)).collect();
    let handle_s: Vec<Vec<Option<f64>>> = description
        .kinds
        .iter()
        .map(|(name, kind)| {
            let of_group = |group: &Group| {
                let level = group.skills.get(name)?.0;
                Some(seconds(kind.handle) * slower(&description.agents, level))
            };
            description.groups.values().map(of_group).collect()
        })
        .collect();
    let all = capacity_per_hour(&shares, &agents, &handle_s);
    shares.iter().map(|share| share * all).collect()
}

fn slower(differences: &Differences, level: u8) -> f64 {
    1.0 + part(differences.level_slower) * f64::from(level - 1)
}

fn stream(description: &Description, kind: usize, per_hour: f64) -> Stream {
    let of = description.kinds.values().nth(kind).expect("there is a rate for each kind");
    let length_s = seconds(description.lasts) / description.load.len() as f64;
    let piece = |(number, load): (usize, &Plain<f64>)| Piece {
        until_s: (number as f64 + 1.0) * length_s,
        per_hour: per_hour * load.0,
        patience: Spread::Exponential { mean: seconds(of.patience) },
        work: Spread::Lognormal { mean: 1.0, cv: description.work_cv.0 },
    };
    let pieces = description.load.iter().enumerate().map(piece).collect();
    Stream { kind, pieces, factor: Spread::Fixed(1.0) }
}

fn agents(description: &Description, seed: u64) -> Vec<Member> {
    let mut luck = Luck::new(seed, AGENTS_STREAM);
    let mut agents = Vec::new();
    for (number, group) in description.groups.values().enumerate() {
        for _ in 0..group.agents.0 {
            agents.push(member(description, number, group, &mut luck));
        }
    }
    agents
}

fn member(description: &Description, group: usize, of: &Group, luck: &mut Luck) -> Member {
    let differences = &description.agents;
    let speed = |cv: Share, luck: &mut Luck| Spread::Lognormal { mean: 1.0, cv: part(cv) }.draw(luck);
    let (own_speed, own_resolution) =
        (speed(differences.speed_cv, luck), part(differences.resolution_sd) * luck.normal());
    let mut does = Vec::new();
    for (kind, (name, contact)) in description.kinds.iter().enumerate() {
        let Some(Plain(level)) = of.skills.get(name).copied() else { continue };
        let speed = own_speed * speed(differences.speed_cv_by_kind, luck);
        let handle_s = seconds(contact.handle) * slower(differences, level) * speed;
        let solves = part(differences.resolution)
            - part(differences.level_solves_less) * f64::from(level - 1)
            + own_resolution
            + part(differences.resolution_sd_by_kind) * luck.normal();
        // Without a mean nothing is said of solving.
        let known_of = part(differences.resolution) > 0.0;
        let resolution = if known_of { solves.clamp(RESOLUTION_MIN, RESOLUTION_MAX) } else { 1.0 };
        let known = Some(believed(&description.router, handle_s, resolution, luck));
        does.push(Does { kind, proficiency: 11 - level, handle_s, resolution, known });
    }
    Member { group, does }
}

/// What the router believes.
fn believed(router: &Knowledge, handle_s: f64, resolution: f64, luck: &mut Luck) -> (f64, f64) {
    let handle = Spread::Lognormal { mean: 1.0, cv: part(router.handle_error_cv) }.draw(luck);
    let error = part(router.resolution_error_sd) * luck.normal();
    (handle_s * handle, (resolution + error).clamp(0.0, 1.0))
}
