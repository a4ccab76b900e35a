//! What a telling of the period is judged by, for all, a queue or a segment. Shares are from 0 to 1, times seconds, money
//! units of the currency of the goals.

use super::again::Worth;
use super::column::Counted;
use super::fates::{Ending, Fate};
use crate::engine::plan::Goals;
use crate::replay::cost::Cost;
use crate::report::Figures;
use crate::spread::gini;
use serde::Serialize;

/// The figures of one telling. Of the whole period and of queues, what a report has is counted as a report counts it:
/// where and when it happened. Everything else is of those who entered in the period, under the queue they came to.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Cell {
    pub entered: u64,
    pub answered: u64,
    pub abandoned: u64,
    /// Of the abandoned: so soon that it is counted apart.
    pub short_abandoned: u64,
    /// Taken back, timed out, sent away, or joined to another contact.
    pub otherwise_left: u64,
    /// Of those who entered: neither answered nor gone by the end.
    pub still_waiting: u64,
    /// Not let in. A record holds none: a refusal leaves no event.
    pub refused: u64,
    /// Answered in time of answered and abandoned, without short abandons. `None`: of nobody.
    pub service_level: Option<f64>,
    /// Of the answered.
    pub mean_wait_s: Option<f64>,
    /// So long or less waited 95 % of the answered who entered in the period.
    pub p95_wait_s: Option<f64>,
    /// Waiting, late answers and leaving unanswered, by the goals of the published rules.
    pub cost: f64,
    /// The same by the goals of the draft, where they differ.
    pub cost_by_draft: Option<f64>,
    /// Handling and wrap-up of the time agents were there for work. Of all agents, so of the whole period only.
    pub occupancy: Option<f64>,
    /// How unevenly that is spread over the agents, 0 being evenly.
    pub occupancy_gini: Option<f64>,
}

/// By whose goals money is counted.
#[derive(Clone, Copy)]
pub(super) struct Yardsticks<'a> {
    pub published: &'a [Option<Worth>],
    pub draft: &'a [Option<Worth>],
}

/// One interaction's fate under the yardstick of the published rules.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Judged {
    pub cost: f64,
    pub in_time: bool,
    pub short: bool,
}

impl Judged {
    pub fn of(worth: Option<&Worth>, fate: &Fate) -> Judged {
        let Some(worth) = worth else { return Judged::default() };
        let (answered, left) = (fate.ending == Ending::Answered, fate.ending == Ending::Abandoned);
        Judged {
            cost: cost(worth, fate),
            in_time: answered && fate.wait_ms <= worth.goals.answer_within_ms,
            short: left && fate.wait_ms <= worth.goals.short_abandon_ms,
        }
    }
}

/// What a fate's cost is made of.
fn price(worth: &Worth) -> impl PartialEq + use<> {
    let Goals { waiting_per_minute, abandon, late, answer_within_ms, .. } = worth.goals;
    (waiting_per_minute, abandon, late, answer_within_ms, worth.weight)
}

/// What one fate costs.
pub(super) fn cost(worth: &Worth, fate: &Fate) -> f64 {
    Cost::of(&worth.goals, worth.weight, fate.wait_ms, fate.ending.is_unanswered()).all()
}

impl Cell {
    /// Of these, by the number of their lives.
    pub(super) fn of(members: &[usize], fates: &[Option<Fate>], by: Yardsticks<'_>) -> Cell {
        let mut cell = Cell::default();
        let (mut waits, mut in_time, mut by_draft, mut differ) = (Vec::new(), 0, 0.0, false);
        for number in members {
            let (Some(fate), worth) = (&fates[*number], by.published[*number].as_ref()) else { continue };
            let judged = Judged::of(worth, fate);
            cell.count(fate, judged);
            in_time += u64::from(judged.in_time);
            if fate.ending == Ending::Answered {
                waits.push(fate.wait_ms);
            }
            if let (Some(published), Some(draft)) = (worth, &by.draft[*number]) {
                differ |= price(published) != price(draft);
                by_draft += cost(draft, fate);
            }
        }
        cell.service_level = share(in_time, cell.answered + cell.abandoned - cell.short_abandoned);
        cell.mean_wait_s =
            (!waits.is_empty()).then(|| seconds(waits.iter().sum::<u64>()) / waits.len() as f64);
        cell.p95_wait_s = quantile_s(&mut waits, 0.95);
        cell.cost_by_draft = differ.then_some(by_draft);
        cell
    }

    fn count(&mut self, fate: &Fate, judged: Judged) {
        self.cost += judged.cost;
        self.short_abandoned += u64::from(judged.short);
        *match fate.ending {
            Ending::Waiting => &mut self.still_waiting,
            Ending::Answered => &mut self.answered,
            Ending::Abandoned => &mut self.abandoned,
            Ending::Refused => &mut self.refused,
            Ending::Cancelled | Ending::TimedOut | Ending::SentAway | Ending::Joined => {
                &mut self.otherwise_left
            }
        } += 1;
        self.entered += u64::from(!matches!(fate.ending, Ending::Refused | Ending::Joined));
    }

    /// Puts in what a report counts.
    pub(super) fn reported(mut self, figures: &Figures) -> Cell {
        self.entered = figures.entered;
        self.answered = u64::try_from(figures.answered).unwrap_or_default();
        self.abandoned = figures.abandoned;
        self.short_abandoned = figures.short_abandoned;
        self.otherwise_left = figures.cancelled + figures.timed_out + figures.sent_away;
        let level = figures.service_levels().without_short_abandons_ppm;
        self.service_level = level.map(|ppm| f64::from(ppm) / 1_000_000.0);
        self.mean_wait_s = figures.mean_wait_ms().map(seconds);
        self
    }

    /// Puts in what agents did.
    pub(super) fn with_agents(mut self, counted: &Counted) -> Cell {
        let times = || counted.agents.values().map(|figures| &figures.time);
        let busy: u64 = times().map(|time| time.handling_ms + time.wrapping_up_ms).sum();
        let there: u64 = times().map(|time| time.ringing_ms + time.idle_ms).sum::<u64>() + busy;
        self.occupancy = share(busy, there);
        let each: Vec<u64> = times().filter_map(|time| time.occupancy_ppm()).map(u64::from).collect();
        self.occupancy_gini = (!each.is_empty()).then(|| gini(&each));
        self
    }
}

/// Part of a whole, if there is one.
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Milliseconds as seconds.
pub(super) fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

fn quantile_s(waits: &mut [u64], share: f64) -> Option<f64> {
    waits.sort_unstable();
    let at = (waits.len() as f64 * share).ceil() as usize;
    waits.get(at.saturating_sub(1)).copied().map(seconds)
}
