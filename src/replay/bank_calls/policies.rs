//! The recorded month under several ways to decide beside the record: the same customers, agents and work each time.
//!
//! What it costs is by the goals of a rule document, whose queues are the types of the log and, where the document tells
//! them apart, their priority customers. Whether a matter was solved is not in the log, so only waiting, hanging up and
//! late answers are counted. Patience and duty of the record were made by the bank's own rule, so the record is shown
//! beside the simulated ways and never held against one.

use super::class::Class;
use super::figures::{Fate, Figures};
use super::floor::{Floor, PRIORITY_CREDIT_MS, Terms};
use super::record::Call;
use super::replay::{Calibration, Order, ReplayError, ReplayOptions, Scene, set};
use crate::engine::plan::Plan;
use crate::engine::policy::Marginal;
use crate::engine::time::Time;
use crate::replay::cost::Cost;
use crate::rules::RuleSet;
use crate::simulate::Choice;
use crate::simulate::interval::{differences, percent};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;
use std::str::FromStr;

/// How the month is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As the bank documented its own rule: time in queue, priority customers with a credit of 90 s; longest idle.
    BankRule,
    /// By a policy of the pool, without a credit for anybody.
    Policy(Choice),
}

/// The days that were not calibrated on, or a class of their calls, under one way to decide.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnderPolicy {
    /// Its name, or `record`.
    pub policy: &'static str,
    #[serde(flatten)]
    pub figures: Figures,
    /// Of that, the minutes of waiting, in the currency of the goals.
    pub cost_waiting: f64,
    /// And those who hung up.
    pub cost_abandoned: f64,
    /// Waiting, hanging up and late answers.
    pub cost_service: f64,
    /// Whatever the goals say, what the order of the bank's rule keeps small: of each customer half of (wait + credit)² less
    /// credit², hung up or not, square minutes.
    pub squared_minutes: f64,
}

/// The last way less another on the same days: means of the days, with half the widths of their 95 % intervals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Less {
    /// The last way.
    pub policy: &'static str,
    /// The other.
    pub against: &'static str,
    /// Service cost, per cent of the other's.
    pub cost_percent: f64,
    pub cost_percent_ci: f64,
    /// Who hung up, points of a hundred of the offered.
    pub abandoned_points: f64,
    pub abandoned_points_ci: f64,
    /// Mean time in the queue over the offered, seconds.
    pub wait_s: f64,
    pub wait_s_ci: f64,
}

/// Some of the calls under each way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// `all`, `regular`, `priority`, or a type as `PS` or `PS-priority`.
    pub calls: String,
    /// The record first, then in the order asked for.
    pub rows: Vec<UnderPolicy>,
    /// The last way against every other simulated one.
    pub less: Vec<Less>,
}

/// The month under several ways to decide.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Policies {
    /// First and last day that counts.
    pub from: Date,
    pub to: Date,
    /// How many there are between.
    pub days: usize,
    /// The share of their time on duty in which agents take calls, 0 to 1.
    pub availability: f64,
    /// `None` if the share was given.
    pub calibration: Option<Calibration>,
    /// Seed of every draw.
    pub seed: u64,
    /// The name of the goals.
    pub goals: String,
    /// Of the offered, those who were never in the queue of the record, so that nobody knows the customer.
    pub customer_unknown: u64,
    /// First all calls, then regular and priority customers, then every class there is.
    pub groups: Vec<Group>,
}

impl Way {
    /// What is run unless asked otherwise; the last is held against the others.
    pub const USUAL: [Way; 3] =
        [Way::BankRule, Way::Policy(Choice::LongestIdle), Way::Policy(Choice::MarginalCost)];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Way::BankRule => "bank-rule",
            Way::Policy(choice) => choice.name(),
        }
    }

    pub(super) fn terms(self, rules: &RuleSet) -> Terms<'_> {
        match self {
            Way::BankRule => Terms { rules: Some(rules), ..Terms::bank(Order::Documented) },
            Way::Policy(choice) => {
                let policy = choice.policy(Marginal::default());
                Terms { policy, rules: Some(rules), ..Terms::BANK }
            }
        }
    }
}

impl FromStr for Way {
    type Err = String;

    fn from_str(name: &str) -> Result<Way, String> {
        match name {
            "bank-rule" => Ok(Way::BankRule),
            other => other.parse().map(Way::Policy).map_err(|error: String| format!("{error}, bank-rule")),
        }
    }
}

/// Replays a log in each of these ways, the same days for all. `progress` hears how many calls are done, and of how many.
pub fn policies(
    options: &ReplayOptions,
    ways: &[Way],
    rules: &RuleSet,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Policies, ReplayError> {
    let (scene, availability, calibration, mut progress) = set(options, ways.len() as u64, progress)?;
    let mut month = Month::new(&scene, ways, rules, |day| calibration.is_some() && scene.calibrates(day));
    for way in ways {
        let fates = scene.run(scene.calls.len(), availability, way.terms(rules), &mut progress);
        month.enter(way.name(), &fates);
    }
    let days: Vec<Date> = month.days();
    Ok(Policies {
        from: days[0],
        to: days[days.len() - 1],
        days: days.len(),
        availability,
        calibration,
        seed: options.seed,
        goals: rules.name().to_owned(),
        customer_unknown: month.calls.iter().filter(|(_, call)| !call.queued).count() as u64,
        groups: month.groups(),
    })
}

/// The calls that count, what they are worth, and what became of each in every way.
struct Month<'a> {
    /// With their numbers in the scene.
    calls: Vec<(usize, &'a Call)>,
    plans: BTreeMap<Class, Plan>,
    /// The record first.
    fates: Vec<(&'static str, Vec<Fate>)>,
}

impl<'a> Month<'a> {
    fn new(scene: &'a Scene, ways: &[Way], rules: &RuleSet, left_out: impl Fn(Date) -> bool) -> Month<'a> {
        let counts = |(_, call): &(usize, &Call)| !left_out(call.day);
        let mut calls: Vec<(usize, &Call)> = scene.calls.iter().enumerate().filter(counts).collect();
        // A log that ends with its calibration is shown as a whole.
        if calls.is_empty() {
            calls = scene.calls.iter().enumerate().collect();
        }
        let floor = Floor::open(Time(0), &scene.duty.skills, Way::BankRule.terms(rules));
        let plans = Class::all().map(|class| (class, floor.plan_of(class).clone())).collect();
        let mut month = Month { calls, plans, fates: Vec::with_capacity(ways.len() + 1) };
        let recorded: Vec<Fate> = scene.calls.iter().map(Fate::recorded).collect();
        month.enter("record", &recorded);
        month
    }

    fn enter(&mut self, way: &'static str, fates: &[Fate]) {
        self.fates.push((way, self.calls.iter().map(|(number, _)| fates[*number]).collect()));
    }

    fn days(&self) -> Vec<Date> {
        let mut days: Vec<Date> = self.calls.iter().map(|(_, call)| call.day).collect();
        days.sort_unstable();
        days.dedup();
        days
    }

    fn groups(&self) -> Vec<Group> {
        let everybody = [
            self.group("all".to_owned(), |_| true),
            self.group("regular".to_owned(), |class| !class.priority),
            self.group("priority".to_owned(), |class| class.priority),
        ];
        let classes = Class::all().map(|class| self.group(class.name(), |other| other == class));
        everybody.into_iter().chain(classes).flatten().collect()
    }

    /// `None` if there is no such call.
    fn group(&self, calls: String, of: impl Fn(Class) -> bool) -> Option<Group> {
        let members: Vec<usize> =
            (0..self.calls.len()).filter(|number| of(Class::of(self.calls[*number].1))).collect();
        let rows: Vec<UnderPolicy> =
            self.fates.iter().map(|(way, fates)| self.row(way, fates, &members)).collect();
        let by_way: Vec<Vec<DayOf>> =
            self.fates.iter().map(|(_, fates)| self.by_day(fates, &members)).collect();
        let (last, others) = by_way.split_last()?;
        let name = |number: usize| self.fates[number].0;
        // Whatever is simulated: the record comes first and is no opponent.
        let less = (1..others.len()).map(|other| less(name(others.len()), last, name(other), &others[other]));
        (!members.is_empty()).then(|| Group { calls, rows, less: less.collect() })
    }

    fn row(&self, policy: &'static str, fates: &[Fate], members: &[usize]) -> UnderPolicy {
        let mut row = UnderPolicy {
            policy,
            figures: Figures::of(members.iter().map(|number| fates[*number])),
            cost_waiting: 0.0,
            cost_abandoned: 0.0,
            cost_service: 0.0,
            squared_minutes: 0.0,
        };
        for number in members {
            let cost = self.cost(*number, fates[*number]);
            row.squared_minutes += squared_minutes(self.calls[*number].1, fates[*number]);
            row.cost_waiting += cost.waiting;
            row.cost_abandoned += cost.abandoned;
            row.cost_service += cost.all();
        }
        row
    }

    fn by_day(&self, fates: &[Fate], members: &[usize]) -> Vec<DayOf> {
        let mut days: BTreeMap<Date, DayOf> = BTreeMap::new();
        for number in members {
            let (fate, day) = (fates[*number], days.entry(self.calls[*number].1.day).or_default());
            day.offered += 1.0;
            day.left += if fate.served { 0.0 } else { 1.0 };
            day.wait_s += fate.wait_ms as f64 / 1_000.0;
            day.cost += self.cost(*number, fate).all();
        }
        days.into_values().collect()
    }

    fn cost(&self, number: usize, fate: Fate) -> Cost {
        let plan = &self.plans[&Class::of(self.calls[number].1)];
        Cost::of(&plan.goals, plan.weight, fate.wait_ms, !fate.served)
    }
}

/// One day of a group.
#[derive(Debug, Clone, Copy, Default)]
struct DayOf {
    offered: f64,
    left: f64,
    wait_s: f64,
    cost: f64,
}

fn less(policy: &'static str, days: &[DayOf], against: &'static str, others: &[DayOf]) -> Less {
    let pairs = |of: fn(&DayOf) -> f64| -> Vec<(f64, f64)> {
        days.iter().zip(others).map(|(day, other)| (of(day), of(other))).collect()
    };
    let (cost_percent, cost_percent_ci) = percent(&pairs(|day| day.cost));
    let (abandoned_points, abandoned_points_ci) = differences(&pairs(|day| day.left / day.offered), 100.0);
    let (wait_s, wait_s_ci) = differences(&pairs(|day| day.wait_s / day.offered), 1.0);
    Less {
        policy,
        against,
        cost_percent,
        cost_percent_ci,
        abandoned_points,
        abandoned_points_ci,
        wait_s,
        wait_s_ci,
    }
}

/// The integral of the bank's own order over a wait: a minute weighs as much as the order counts at it.
fn squared_minutes(call: &Call, fate: Fate) -> f64 {
    let credit_ms = if call.priority_customer { PRIORITY_CREDIT_MS } else { 0 };
    let square = |ms: u64| (ms as f64 / 60_000.0).powi(2);
    (square(fate.wait_ms + credit_ms) - square(credit_ms)) / 2.0
}
