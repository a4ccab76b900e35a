//! A floor as people describe it: what comes, who serves it, how agents differ, and how well the router knows them.
//!
//! `floors/S1.yaml` has every field. What is wrong is told with the line, the field, what came and what would be right.

use super::centre::{AGENTS_MAX, KINDS_MAX};
use super::plain::Plain;
use crate::rules::parse::{self, Lines};
use crate::rules::values::{Amount, Duration, Share};
use crate::rules::{DocumentError, DocumentErrors, Field};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// Days of one simulation.
pub const DAYS: RangeInclusive<u32> = 1..=100_000;
/// Groups of agents.
pub const GROUPS_MAX: usize = 200;
/// Parts a day has for its rates.
pub const PARTS_MAX: usize = 1_440;
/// Customers of one day, in the mean.
pub const CUSTOMERS_MAX: f64 = 5_000_000.0;
/// Levels of a skill: 1 is the best.
const LEVELS: RangeInclusive<u8> = 1..=10;
const FACTORS: RangeInclusive<f64> = 0.0..=10.0;
const WORK_CVS: RangeInclusive<f64> = 0.0..=5.0;
const RATES: RangeInclusive<f64> = 0.0..=1_000_000.0;

/// A floor file.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    pub name: String,
    /// One line about it, for lists.
    #[serde(default)]
    pub about: String,
    /// How long customers come. Agents stay until the last is served.
    pub lasts: Duration,
    /// Days that are simulated, unless asked otherwise.
    #[serde(default = "ten")]
    pub days: Plain<u32>,
    #[serde(default = "one")]
    pub seed: Plain<u64>,
    /// Over equal parts of the day: what `share`s are of what the agents can take, or `per_hour`s are multiplied with.
    #[serde(default = "as_it_is")]
    pub load: Vec<Plain<f64>>,
    /// How much days differ: the deviation of the factor of a day, which is gamma with mean 1.
    #[serde(default)]
    pub day_cv: Share,
    /// How much the work of one customer differs from that of another: deviation over mean, lognormal.
    #[serde(default = "even")]
    pub work_cv: Plain<f64>,
    /// By name. Kinds are in the order of their names.
    pub kinds: BTreeMap<String, KindOfContact>,
    pub groups: BTreeMap<String, Group>,
    #[serde(default)]
    pub agents: Differences,
    #[serde(default)]
    pub router: Knowledge,
}

/// One kind of contact.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindOfContact {
    /// Its part of all that comes. All kinds have it, or all have `per_hour`.
    pub share: Option<Share>,
    /// How many come in an hour, before `load`.
    pub per_hour: Option<Plain<f64>>,
    /// How long an average agent of the first level takes.
    pub handle: Duration,
    /// Mean of how long customers wait: exponential.
    pub patience: Duration,
    pub answer_within: Duration,
    pub waiting_per_minute: Amount,
    pub abandon: Amount,
    pub late: Amount,
    #[serde(default = "nothing")]
    pub unresolved: Amount,
    /// For policies that know nothing but points.
    #[serde(default = "no_points")]
    pub priority: Plain<i16>,
    /// Most who may be in line.
    #[serde(default = "no_limit")]
    pub line_max: Plain<u32>,
}

/// Agents with the same skills.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub agents: Plain<u32>,
    /// Level by kind, 1 being the best.
    pub skills: BTreeMap<String, Plain<u8>>,
}

/// How agents differ. Of times, shares of the mean; of solving, points of a hundred.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Differences {
    pub speed_cv: Share,
    /// Beside that, of one agent from kind to kind.
    pub speed_cv_by_kind: Share,
    /// So much more time each level below the first takes.
    pub level_slower: Share,
    /// Mean chance to solve a matter at once, on the first level.
    pub resolution: Share,
    pub resolution_sd: Share,
    pub resolution_sd_by_kind: Share,
    /// So much less is solved on each level below the first.
    pub level_solves_less: Share,
}

/// How far what the router believes of an agent is from the truth.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knowledge {
    pub handle_error_cv: Share,
    pub resolution_error_sd: Share,
}

impl Description {
    /// Reads a floor file.
    pub fn parse(text: &str) -> Result<Description, DocumentErrors> {
        let read: Result<Description, DocumentError> = parse::read(text);
        let description = read.map_err(|error| DocumentErrors(vec![error]))?;
        let mut wrong = description.wrong();
        if wrong.is_empty() {
            return Ok(description);
        }
        let lines = Lines::of(text);
        wrong.iter_mut().for_each(|error| error.line = lines.line(&error.field));
        Err(DocumentErrors(wrong))
    }

    /// Everything that can be read and makes no sense.
    fn wrong(&self) -> Vec<DocumentError> {
        let (mut checks, top) = (Checks::default(), Field::default());
        checks.name(&top.name("name"), &self.name);
        checks.needs(&top.name("lasts"), "0s", "more than 0s, up to 7d", within_a_week(self.lasts));
        checks.within(&top.name("days"), self.days.0, &DAYS);
        checks.count(
            &top.name("load"),
            self.load.len(),
            1..=PARTS_MAX,
            "part of the day",
            "parts of the day",
        );
        for (number, load) in self.load.iter().enumerate() {
            checks.within(&top.name("load").at(number), load.0, &FACTORS);
        }
        checks.within(&top.name("work_cv"), self.work_cv.0, &WORK_CVS);
        checks.count(&top.name("kinds"), self.kinds.len(), 1..=KINDS_MAX, "kind", "kinds");
        for (name, kind) in &self.kinds {
            self.kind(&mut checks, &top.name("kinds").name(name), name, kind);
        }
        self.shares(&mut checks, &top.name("kinds"));
        checks.count(&top.name("groups"), self.groups.len(), 1..=GROUPS_MAX, "group", "groups");
        for (name, group) in &self.groups {
            self.group(&mut checks, &top.name("groups").name(name), name, group);
        }
        let agents: u64 = self.groups.values().map(|group| u64::from(group.agents.0)).sum();
        let want = format!("at most {AGENTS_MAX} in all");
        checks.needs(&top.name("groups"), format!("{agents} agents"), want, agents <= AGENTS_MAX as u64);
        let resolution = &self.agents.resolution;
        let solved = self.kinds.values().all(|kind| kind.unresolved.0.0 == 0) || resolution.0 > 0;
        let want = "a share above 0%, since matters not solved cost something";
        checks.needs(&top.name("agents").name("resolution"), "0%", want, solved);
        checks.0
    }

    fn kind(&self, checks: &mut Checks, field: &Field, name: &str, kind: &KindOfContact) {
        checks.name(field, name);
        for (what, time) in [("handle", kind.handle), ("patience", kind.patience)] {
            checks.needs(&field.name(what), text(time), "more than 0s, up to 7d", within_a_week(time));
        }
        checks.within(&field.name("priority"), kind.priority.0, &(-100..=100));
        if let Some(per_hour) = kind.per_hour {
            checks.within(&field.name("per_hour"), per_hour.0, &RATES);
        }
        let want = "a kind that a group has the skill for";
        let served = self.groups.values().any(|group| group.skills.contains_key(name));
        checks.needs(field, "a kind nobody serves", want, served);
    }

    /// Either all kinds have a share, and the shares are everything; or all have a rate.
    fn shares(&self, checks: &mut Checks, field: &Field) {
        let shared = self.kinds.values().any(|kind| kind.share.is_some());
        for (name, kind) in &self.kinds {
            let field = field.name(name);
            match (kind.share, kind.per_hour) {
                (Some(_), Some(_)) => checks.wrong(&field, "share and per_hour", "one of them"),
                (None, None) => checks.wrong(&field, "neither share nor per_hour", "one of them"),
                (None, Some(_)) if shared => {
                    checks.wrong(&field.name("per_hour"), "a rate", "a share, since other kinds have one");
                }
                _ => {}
            }
        }
        let ppm: u64 =
            self.kinds.values().filter_map(|kind| kind.share).map(|share| u64::from(share.0)).sum();
        let got = format!("shares of {}% in all", ppm as f64 / 10_000.0);
        checks.needs(field, got, "shares of 100% in all", !shared || ppm == 1_000_000);
    }

    fn group(&self, checks: &mut Checks, field: &Field, name: &str, group: &Group) {
        checks.name(field, name);
        checks.within(&field.name("agents"), group.agents.0, &(1..=AGENTS_MAX as u32));
        checks.needs(&field.name("skills"), "no skill", "a skill at least", !group.skills.is_empty());
        let kinds: BTreeSet<&str> = self.kinds.keys().map(String::as_str).collect();
        for (skill, level) in &group.skills {
            let field = field.name("skills").name(skill);
            let want = || format!("one of {}", kinds.iter().copied().collect::<Vec<_>>().join(", "));
            checks.needs(&field, format!("{skill:?}"), want(), kinds.contains(skill.as_str()));
            checks.within(&field, level.0, &LEVELS);
        }
    }
}

fn within_a_week(time: Duration) -> bool {
    (1..=7 * 86_400_000).contains(&time.0)
}

fn text(time: Duration) -> String {
    format!("{}ms", time.0)
}

/// Collects what is wrong.
#[derive(Default)]
struct Checks(Vec<DocumentError>);

impl Checks {
    fn wrong(&mut self, field: &Field, got: impl Into<String>, want: impl Into<String>) {
        let (field, got, want) = (field.clone(), got.into(), want.into());
        self.0.push(DocumentError { line: None, column: None, field, got, want });
    }

    fn needs(&mut self, field: &Field, got: impl Into<String>, want: impl Into<String>, holds: bool) {
        if !holds {
            self.wrong(field, got, want);
        }
    }

    fn within<T: PartialOrd + Display>(&mut self, field: &Field, value: T, range: &RangeInclusive<T>) {
        let want = format!("{} to {}", range.start(), range.end());
        self.needs(field, value.to_string(), want, range.contains(&value));
    }

    fn count(&mut self, field: &Field, count: usize, range: RangeInclusive<usize>, one: &str, many: &str) {
        let got = format!("{count} {}", if count == 1 { one } else { many });
        self.needs(field, got, format!("{} to {}", range.start(), range.end()), range.contains(&count));
    }

    fn name(&mut self, field: &Field, name: &str) {
        let length = name.chars().count();
        let want = "a name of 1 to 64 characters";
        self.needs(field, format!("{length} characters"), want, (1..=64).contains(&length));
    }
}

fn ten() -> Plain<u32> {
    Plain(10)
}

fn one() -> Plain<u64> {
    Plain(1)
}

fn as_it_is() -> Vec<Plain<f64>> {
    vec![Plain(1.0)]
}

fn even() -> Plain<f64> {
    Plain(1.0)
}

fn nothing() -> Amount {
    Amount(crate::engine::money::Money(0))
}

fn no_points() -> Plain<i16> {
    Plain(0)
}

fn no_limit() -> Plain<u32> {
    Plain(u32::MAX)
}
