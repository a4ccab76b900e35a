//! The two figures of marginal cost that hold for a whole centre, tried on past days (ALGORITHM.md 9.8): how dearly scarce
//! skills are protected, and how likely one more free agent does not help.
//!
//! Every setting has the same days. Nothing is changed: what comes of it is advice with its interval, who gains and who
//! pays, and the lines of the pool's policy that a person may set.

use super::choice::Choice;
use super::error::SimulateError;
use super::interval::{differences, percent};
use super::outcome::KindFigures;
use super::parallel;
use super::past::Past;
use super::run::{Run, run};
use crate::engine::fixed::Part;
use crate::engine::policy::Marginal;
use serde::Serialize;

/// What is tried of the scarcity, thousandths: off, low, normal, high, and the most there is.
const SCARCITIES: [u32; 5] = [0, 500, 1_000, 1_500, 2_000];
/// What is tried of the depletion, thousandths: from the least to the most there is.
const DEPLETIONS: [u32; 6] = [400, 550, 700, 800, 900, 950];
/// Fewer days tell nothing of how far a mean may be off.
const DAYS_MIN: usize = 2;

/// The two figures, of [`Marginal`].
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Setting {
    /// 0 to 2.
    pub scarcity: f64,
    /// 0.4 to 0.95.
    pub depletion: f64,
}

/// What is tried, and against what.
#[derive(Clone, Copy, Debug)]
pub struct TuneTerms {
    /// The pool as it is now; what is tried differs in the two figures alone.
    pub present: Marginal,
    /// Longest hold, ms; `None`: as long as it pays.
    pub hold_max_ms: Option<u64>,
}

/// One setting on all days.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Tried {
    #[serde(flatten)]
    pub setting: Setting,
    /// Of a day, in the mean.
    pub cost: f64,
    pub service_cost: f64,
    /// Less the present setting's on the same days, per cent of it.
    pub against_present_percent: f64,
    /// Half the width of the 95 % interval of the paired differences, as with every `_ci`.
    pub against_present_percent_ci: f64,
}

/// One way to decide less another on the same days. Shares in points of a hundred, cost in per cent of the other's.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Change {
    pub in_time_points: f64,
    pub in_time_points_ci: f64,
    pub wait_s: f64,
    pub wait_s_ci: f64,
    pub abandoned_points: f64,
    pub abandoned_points_ci: f64,
    pub cost_percent: f64,
    pub cost_percent_ci: f64,
}

/// One kind of contact under the best setting, and what has changed for it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct KindChange {
    pub kind: String,
    /// Of a day, in the mean, as are all figures.
    pub calls: f64,
    /// Answered in time of all but those who left before the target, 0 to 1.
    pub in_time: f64,
    /// Mean wait of those who were served.
    pub wait_s: f64,
    /// Share of all who left, 0 to 1.
    pub abandoned: f64,
    pub cost: f64,
    pub against_present: Change,
    pub against_longest_idle: Change,
}

/// What past days say.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Tuning {
    pub floor: String,
    pub days: usize,
    /// `None`: the days are recorded.
    pub seed: Option<u64>,
    pub agents: usize,
    pub calls: f64,
    /// By scarcity, then depletion.
    pub tried: Vec<Tried>,
    pub present: Setting,
    /// The cheapest in the mean.
    pub best: Tried,
    /// The cheapest on all days but one, on the one that is left, less the present setting, per cent: what choosing saves
    /// on days it has not seen.
    pub held_out_percent: f64,
    pub held_out_percent_ci: f64,
    /// The best if it surely saves something, else the present one.
    pub recommended: Setting,
    pub longest_idle_cost: f64,
    /// What the best setting costs less than longest idle on the same days, per cent.
    pub against_longest_idle_percent: f64,
    pub against_longest_idle_percent_ci: f64,
    /// Under the best setting.
    pub kinds: Vec<KindChange>,
}

/// Tries every setting on every day. `progress` is told how many runs are done, of how many. An error if there are fewer
/// than two days.
pub fn tune(
    past: &Past,
    terms: &TuneTerms,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Tuning, SimulateError> {
    let days = past.count();
    if days < DAYS_MIN {
        let what = format!("{days} days, want at least {DAYS_MIN}: of one nobody can tell luck from gain");
        return Err(SimulateError::Floor { name: past.name.clone(), what });
    }
    let present = Setting::of(&terms.present);
    let settings = settings(present);
    let ways = settings.len() + 1;
    let trials = parallel::all(
        days * ways,
        |number| {
            let choice = (number % ways).checked_sub(1).map(|setting| settings[setting]);
            trial(past, number / ways, choice, terms)
        },
        progress,
    );
    let of_way = |way: usize| trials.iter().skip(way).step_by(ways).collect();
    let mut by_way: Vec<Vec<&Trial>> = (0..ways).map(of_way).collect();
    let longest_idle = by_way.remove(0);
    Ok(Trials { settings, by_setting: by_way, longest_idle, present }.tuning(past))
}

impl Setting {
    fn of(marginal: &Marginal) -> Setting {
        let thousandths = |part: Part| (f64::from(part.0) / 65.536).round() / 1_000.0;
        Setting { scarcity: thousandths(marginal.scarcity), depletion: thousandths(marginal.depletion) }
    }

    fn thousandths(scarcity: u32, depletion: u32) -> Setting {
        Setting { scarcity: f64::from(scarcity) / 1_000.0, depletion: f64::from(depletion) / 1_000.0 }
    }

    /// A pool with these figures that is otherwise like this one.
    pub fn in_pool(self, pool: Marginal) -> Marginal {
        let part = |figure: f64| Part::thousandths((figure * 1_000.0).round() as u32);
        Marginal { scarcity: part(self.scarcity), depletion: part(self.depletion), ..pool }
    }
}

/// All that are tried, and the present one. Without scarcity the depletion says nothing, so it is tried once.
fn settings(present: Setting) -> Vec<Setting> {
    let own = (present.depletion * 1_000.0).round() as u32;
    let mut all = Vec::new();
    for scarcity in SCARCITIES {
        let depletions = if scarcity == 0 { vec![own] } else { DEPLETIONS.to_vec() };
        all.extend(depletions.into_iter().map(|depletion| Setting::thousandths(scarcity, depletion)));
    }
    if !all.contains(&present) {
        all.push(present);
        all.sort_by(|a, b| a.scarcity.total_cmp(&b.scarcity).then(a.depletion.total_cmp(&b.depletion)));
    }
    all
}

/// One way to decide on one day.
struct Trial {
    calls: f64,
    cost: f64,
    service_cost: f64,
    kinds: Vec<KindFigures>,
}

/// With these figures, or by longest idle.
fn trial(past: &Past, day: usize, setting: Option<Setting>, terms: &TuneTerms) -> Trial {
    let choice = setting.map_or(Choice::LongestIdle, |_| Choice::MarginalCost);
    let marginal = setting.map_or(terms.present, |setting| setting.in_pool(terms.present));
    let day = past.day(day);
    let how = Run { choice, marginal, hold_max_ms: terms.hold_max_ms, seed: 0 };
    let outcome = run(&past.centre, &day, how);
    let figures = outcome.figures(&past.centre, &day);
    Trial {
        calls: figures.calls as f64,
        cost: figures.cost,
        service_cost: figures.service_cost,
        kinds: outcome.by_kind(&past.centre, &day),
    }
}

/// All of them; of each way, by day.
struct Trials<'a> {
    settings: Vec<Setting>,
    by_setting: Vec<Vec<&'a Trial>>,
    longest_idle: Vec<&'a Trial>,
    present: Setting,
}

impl Trials<'_> {
    fn tuning(&self, past: &Past) -> Tuning {
        let tried: Vec<Tried> = (0..self.settings.len()).map(|number| self.tried(number)).collect();
        let number = self.cheapest(|_| true);
        let (best, under) = (tried[number], &self.by_setting[number]);
        let (held_out_percent, held_out_percent_ci) = self.held_out();
        // Of many settings one looks good by luck: it must do so on days it was not chosen on, too.
        let saves = best.against_present_percent + best.against_present_percent_ci < 0.0;
        let recommended = if saves && held_out_percent < 0.0 { best.setting } else { self.present };
        let (against, against_ci) = percent(&pairs(under, &self.longest_idle, |day| day.cost));
        let kind = |(kind, of): (usize, &super::centre::Kind)| self.kind(kind, &of.name, under);
        Tuning {
            floor: past.name.clone(),
            days: past.count(),
            seed: past.seed(),
            agents: past.centre.agents.len(),
            calls: mean(under, |day| day.calls),
            tried,
            present: self.present,
            best,
            held_out_percent,
            held_out_percent_ci,
            recommended,
            longest_idle_cost: mean(&self.longest_idle, |day| day.cost),
            against_longest_idle_percent: against,
            against_longest_idle_percent_ci: against_ci,
            kinds: past.centre.kinds.iter().enumerate().map(kind).collect(),
        }
    }

    fn present(&self) -> &[&Trial] {
        let at = self.settings.iter().position(|setting| *setting == self.present);
        &self.by_setting[at.expect("the present setting is tried, too")]
    }

    fn tried(&self, number: usize) -> Tried {
        let days = &self.by_setting[number];
        let (against, against_ci) = percent(&pairs(days, self.present(), |day| day.cost));
        Tried {
            setting: self.settings[number],
            cost: mean(days, |day| day.cost),
            service_cost: mean(days, |day| day.service_cost),
            against_present_percent: against,
            against_present_percent_ci: against_ci,
        }
    }

    /// The setting that costs least on these days; the present one of those that cost as much, else the first.
    fn cheapest(&self, counts: impl Fn(usize) -> bool) -> usize {
        let cost = |number: &usize| -> f64 {
            let days = self.by_setting[*number].iter().enumerate();
            days.filter(|(day, _)| counts(*day)).map(|(_, trial)| trial.cost).sum()
        };
        let other = |number: &usize| self.settings[*number] != self.present;
        let least =
            (0..self.settings.len()).min_by(|a, b| cost(a).total_cmp(&cost(b)).then(other(a).cmp(&other(b))));
        least.expect("some are tried")
    }

    fn held_out(&self) -> (f64, f64) {
        let chosen = |day: usize| self.by_setting[self.cheapest(|other| other != day)][day].cost;
        let costs = self.present().iter().enumerate().map(|(day, present)| (chosen(day), present.cost));
        percent(&costs.collect::<Vec<_>>())
    }

    fn kind(&self, kind: usize, name: &str, best: &[&Trial]) -> KindChange {
        let figures = |of: fn(&KindFigures) -> f64| mean(best, |day| of(&day.kinds[kind]));
        KindChange {
            kind: name.to_owned(),
            calls: figures(|kind| kind.calls as f64),
            in_time: figures(|kind| kind.service_level),
            wait_s: figures(|kind| kind.mean_wait_s),
            abandoned: figures(|kind| kind.abandoned),
            cost: figures(|kind| kind.cost),
            against_present: change(kind, best, self.present()),
            against_longest_idle: change(kind, best, &self.longest_idle),
        }
    }
}

fn change(kind: usize, days: &[&Trial], others: &[&Trial]) -> Change {
    let pairs = |of: fn(&KindFigures) -> f64| pairs(days, others, |day| of(&day.kinds[kind]));
    let (in_time_points, in_time_points_ci) = differences(&pairs(|kind| kind.service_level), 100.0);
    let (wait_s, wait_s_ci) = differences(&pairs(|kind| kind.mean_wait_s), 1.0);
    let (abandoned_points, abandoned_points_ci) = differences(&pairs(|kind| kind.abandoned), 100.0);
    let (cost_percent, cost_percent_ci) = percent(&pairs(|kind| kind.cost));
    Change {
        in_time_points,
        in_time_points_ci,
        wait_s,
        wait_s_ci,
        abandoned_points,
        abandoned_points_ci,
        cost_percent,
        cost_percent_ci,
    }
}

fn mean(days: &[&Trial], of: impl Fn(&Trial) -> f64) -> f64 {
    days.iter().map(|day| of(day)).sum::<f64>() / days.len() as f64
}

/// Of each day the figure of the one and of the other.
fn pairs(days: &[&Trial], others: &[&Trial], of: impl Fn(&Trial) -> f64) -> Vec<(f64, f64)> {
    days.iter().zip(others).map(|(day, other)| (of(day), of(other))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of each day what it costs by longest idle, under the present setting and under another one.
    fn tuning(days: &[[f64; 3]]) -> Tuning {
        let trial = |cost: f64| Trial {
            calls: 1.0,
            cost,
            service_cost: cost,
            kinds: vec![KindFigures::default(); 16],
        };
        let trials: Vec<[Trial; 3]> = days.iter().map(|day| day.map(trial)).collect();
        let way = |way: usize| trials.iter().map(|day| &day[way]).collect::<Vec<_>>();
        let present = Setting::of(&Marginal::default());
        let settings = vec![present, Setting::thousandths(1_500, 800)];
        let floor = crate::simulate::floor("bank").expect("it is shipped");
        let count = u32::try_from(days.len()).expect("there are few");
        let scenario = crate::simulate::Scenario::new(&floor, Some(count), None).expect("it can be run");
        Trials { settings, by_setting: vec![way(1), way(2)], longest_idle: way(0), present }
            .tuning(&Past::drawn(scenario))
    }

    #[test]
    fn what_saves_something_on_every_day_is_recommended() {
        let tuning = tuning(&[[9.0, 8.0, 7.1], [12.0, 9.0, 8.0], [9.0, 8.0, 6.9]]);
        assert_eq!(tuning.recommended, Setting { scarcity: 1.5, depletion: 0.8 });
        assert!((tuning.best.against_present_percent + 12.0).abs() < 1e-9, "3 of 25 are saved");
        assert!((tuning.held_out_percent + 12.0).abs() < 1e-9, "it is chosen whichever day is left out");
        assert!((tuning.against_longest_idle_percent + 800.0 / 30.0).abs() < 1e-9);
    }

    #[test]
    fn what_saves_on_one_day_alone_may_be_luck() {
        let tuning = tuning(&[[9.0, 8.0, 8.1], [12.0, 9.0, 5.0], [9.0, 8.0, 8.1]]);
        assert_eq!(tuning.best.setting, Setting { scarcity: 1.5, depletion: 0.8 });
        assert_eq!(tuning.recommended, tuning.present);
        assert!(tuning.held_out_percent > 0.0, "without that day the other one is not chosen");
    }

    #[test]
    fn the_present_setting_is_tried_whatever_it_is() {
        let own = Setting { scarcity: 0.7, depletion: 0.6 };
        assert_eq!(settings(own).len(), 26);
        assert!(settings(own).contains(&own));
        assert_eq!(settings(Setting::of(&Marginal::default())).len(), 25);
        assert_eq!(Setting::of(&own.in_pool(Marginal::default())), own);
    }

    #[test]
    fn one_day_is_too_few() {
        let floor = crate::simulate::floor("bank").expect("it is shipped");
        let scenario = crate::simulate::Scenario::new(&floor, Some(1), None).expect("it can be run");
        let terms = TuneTerms { present: Marginal::default(), hold_max_ms: Some(60_000) };
        let error = tune(&Past::drawn(scenario), &terms, &mut |_, _| {}).expect_err("a day is no sample");
        assert!(error.to_string().contains("1 days, want at least 2"), "{error}");
    }
}
