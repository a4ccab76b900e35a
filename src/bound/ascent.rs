//! The best prices of time, by subgradients: the Lagrangian bound.
//!
//! For any prices that are not negative, everybody served as is cheapest for them alone, paying for time, less what all time
//! is worth, costs no more than the best plan (ALGORITHM.md, 7): L = sum over calls of min(left, cheapest start) - sum over
//! groups of agents x all time at its price. Where more time is taken of a group than it has, its price goes up; where
//! less, down. A step is as long as would lead to the best so far and a hope, which grows when half of it came true and
//! halves when nothing came of it for a while (Brännlund 1995; Goffin and Kiwiel 1999). How near the best prices are in
//! the end is not known; every bound on the way is one.

use super::prices::Prices;
use super::problem::{Call, Problem};

/// Cells of the grid: first of this length, ms, then of half, as often as follows. From 10 to 5 s the bound of an hour with
/// 60 agents still rises by a twentieth, from 5 to 2.5 s by a fiftieth.
const COARSE_MS: i64 = 40_000;
const HALVINGS: u32 = 3;
/// Cells of the finest grid, over all groups, at most: 64 bytes each. Where there would be more, all are longer.
const CELLS_MAX: usize = 4_000_000;
/// Time this long after the last arrival is free: beyond, nothing is scarce.
const AFTER_MAX_MS: i64 = 4 * 3_600_000;
/// What is hoped for at the beginning of a grid, and at least as long as it goes on: shares of the bound.
const HOPE: f64 = 0.02;
const HOPE_MIN: f64 = 1e-4;
/// So many steps a hope is kept up.
const PATIENT: u32 = 60;
/// How much of the last direction goes into the next (Camerini, Fratta and Maffioli 1975). The last direction is kept long,
/// for there are thousands of prices and most steps know of a few only.
const KEEPS: f64 = 0.97;

/// How long to climb.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Effort {
    /// Steps on each grid at most.
    pub steps: u32,
}

impl Default for Effort {
    /// Of what ten times as many give, all but a fiftieth, for an hour with 60 agents.
    fn default() -> Effort {
        Effort { steps: 600 }
    }
}

/// A bound below the cost of every plan.
pub fn lagrangian(problem: &Problem, effort: Effort) -> f64 {
    let mut ascent = Ascent::new(problem);
    // Without prices the bound may be nothing, so the first share is of what it costs to serve nobody.
    let nobody = problem.calls.iter().map(|call| call.left).filter(|left| left.is_finite()).sum();
    ascent.climb(effort.steps, nobody);
    for _ in 0..HALVINGS {
        ascent.refine();
        ascent.climb(effort.steps, ascent.best.abs());
    }
    // Nothing is paid for anybody's call.
    (ascent.best - problem.rounding).max(0.0)
}

struct Ascent<'a> {
    problem: &'a Problem,
    longest_ms: i64,
    step_ms: i64,
    /// By group.
    prices: Vec<Prices>,
    best_prices: Vec<Prices>,
    best: f64,
    /// By group and cell.
    direction: Vec<Vec<f64>>,
}

/// What is aimed at on one grid.
struct Hope {
    /// The best when this hope began.
    record: f64,
    hope: f64,
    steps: u32,
}

impl Hope {
    fn new(best: f64, worth: f64) -> Hope {
        Hope { record: best, hope: HOPE * worth, steps: 0 }
    }

    fn aim(&self) -> f64 {
        self.record + self.hope
    }

    /// One step more, after which this is the best. `false`: there is no hope left.
    fn goes_on(&mut self, best: f64) -> bool {
        let least = HOPE_MIN * best.abs();
        self.steps += 1;
        if best >= self.record + self.hope / 2.0 && best > self.record {
            *self = Hope { record: best, hope: 2.0 * self.hope, steps: 0 };
        } else if self.steps > PATIENT {
            let came_true = best - self.record;
            *self = Hope { record: best, hope: (self.hope / 2.0).max(least), steps: 0 };
            return self.hope > least || came_true > 0.0;
        }
        true
    }
}

/// What prices lead to.
struct Answer {
    bound: f64,
    /// By group and cell: agents that are wanted more than there are, over the cell's length.
    wanted: Vec<Vec<f64>>,
}

impl<'a> Ascent<'a> {
    fn new(problem: &'a Problem) -> Ascent<'a> {
        let work_ms = problem.calls.iter().flat_map(|call| &call.ways).map(|way| way.work_ms);
        let longest_ms = work_ms.max().unwrap_or(0);
        let last_ms = problem.calls.last().map_or(0, |call| call.arrives_ms);
        let over_ms = |call: &Call| call.leaves_ms.unwrap_or(i64::MAX / 2).saturating_add(longest_ms);
        let end_ms = problem.calls.iter().map(over_ms).max().unwrap_or(0).min(last_ms + AFTER_MAX_MS);
        let longest_ms = longest_ms.min(end_ms);
        let (step_ms, cells) = coarse(end_ms, problem.groups.len());
        let prices = vec![Prices::free(step_ms, cells, longest_ms); problem.groups.len()];
        let direction = vec![vec![0.0; cells]; prices.len()];
        let (best_prices, best) = (prices.clone(), f64::NEG_INFINITY);
        Ascent { problem, longest_ms, step_ms, prices, best_prices, best, direction }
    }

    /// Cells half as long: the best prices stay what they are, and have more room.
    fn refine(&mut self) {
        self.step_ms /= 2;
        self.best_prices = self.best_prices.iter().map(|prices| prices.halved(self.longest_ms)).collect();
        self.prices.clone_from(&self.best_prices);
        self.direction = self.prices.iter().map(|prices| vec![0.0; prices.cells().len()]).collect();
    }

    /// `worth` is what is hoped for a share of.
    fn climb(&mut self, steps: u32, worth: f64) {
        let mut hope: Option<Hope> = None;
        for _ in 0..steps {
            let answer = self.answer();
            if answer.bound > self.best {
                self.best = answer.bound;
                self.best_prices.clone_from(&self.prices);
            }
            let hope = hope.get_or_insert_with(|| Hope::new(self.best, worth));
            if !hope.goes_on(self.best) {
                return;
            }
            self.step(&answer, hope.aim() - answer.bound);
        }
    }

    /// One step along, so long that the bound would rise by so much if it were linear.
    fn step(&mut self, answer: &Answer, rise: f64) {
        let mut squares = 0.0;
        let groups = self.direction.iter_mut().zip(&answer.wanted).zip(&self.prices);
        for ((direction, wanted), prices) in groups {
            for ((direction, wanted), price) in direction.iter_mut().zip(wanted).zip(prices.cells()) {
                *direction = wanted + KEEPS * *direction;
                // A price of 0 goes no lower.
                if *price == 0.0 && *direction < 0.0 {
                    *direction = 0.0;
                }
                squares += *direction * *direction;
            }
        }
        if squares > 0.0 {
            let length = rise / squares;
            for (prices, direction) in self.prices.iter_mut().zip(&self.direction) {
                prices.change(|cell, price| (price + length * direction[cell]).max(0.0));
            }
        }
    }

    fn answer(&self) -> Answer {
        let step_ms = self.step_ms as f64;
        let mut wanted: Vec<Vec<f64>> = Vec::with_capacity(self.prices.len());
        let mut bound = 0.0;
        for (group, prices) in self.problem.groups.iter().zip(&self.prices) {
            let agents = group.agents as f64;
            bound -= agents * prices.total();
            wanted.push(vec![-agents * step_ms; prices.cells().len()]);
        }
        for call in &self.problem.calls {
            let starts = call.ways.iter().map(|way| (way, self.prices[way.group].cheapest(call, way)));
            let cheapest = starts.min_by(|one, other| one.1.cost.total_cmp(&other.1.cost));
            match cheapest.filter(|(_, start)| start.cost < call.left) {
                Some((way, start)) => {
                    bound += start.cost;
                    take(&mut wanted[way.group], self.step_ms, start.at_ms, start.at_ms + way.work_ms);
                }
                None => bound += call.left,
            }
        }
        Answer { bound, wanted }
    }
}

/// The length of a cell of the first grid, ms, and how many there are.
fn coarse(end_ms: i64, groups: usize) -> (i64, usize) {
    let cells = |step_ms: i64| usize::try_from(end_ms / step_ms + 1).expect("time goes on");
    let mut step_ms = COARSE_MS;
    while cells(step_ms).saturating_mul(groups) << HALVINGS > CELLS_MAX {
        step_ms *= 2;
    }
    (step_ms, cells(step_ms))
}

/// Takes a stretch of time.
fn take(wanted: &mut [f64], step_ms: i64, from_ms: i64, to_ms: i64) {
    let first = usize::try_from(from_ms / step_ms).expect("time is not negative");
    for (cell, wanted) in (first as i64..).zip(wanted.iter_mut().skip(first)) {
        let (begins_ms, ends_ms) = (cell * step_ms, (cell + 1) * step_ms);
        if begins_ms >= to_ms {
            return;
        }
        *wanted += (to_ms.min(ends_ms) - from_ms.max(begins_ms)) as f64;
    }
}
