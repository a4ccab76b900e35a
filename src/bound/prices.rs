//! Prices of a group's time on a grid, and the cheapest start of a call at these prices.
//!
//! A price is constant within a cell, so what a stretch of time costs is linear between the times at which one of its ends
//! meets an edge of the grid. With what waiting costs, the cheapest start is at one of these, at the arrival, at the last
//! moment in time or at the last moment at all: looking at those is looking at every moment.

use super::problem::{Call, Way};

/// One group's prices, for an agent's millisecond. Beyond the last cell time is free, which is as good a price as any.
#[derive(Clone, PartialEq, Debug)]
pub struct Prices {
    step_ms: i64,
    cells: usize,
    /// By cell; behind the last some that stay 0, so that no start has to look where the end is.
    price: Vec<f64>,
    /// What all time up to the beginning of the cell costs.
    until: Vec<f64>,
}

/// When to start, and what it costs: waiting, what is not solved, and the time at its price.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Start {
    pub at_ms: i64,
    pub cost: f64,
}

impl Prices {
    /// Nothing costs anything. `longest_ms`: no work is longer, or it is longer than all cells.
    pub fn free(step_ms: i64, cells: usize, longest_ms: i64) -> Prices {
        let beyond = usize::try_from(longest_ms / step_ms).expect("work takes time") + 3;
        let all = cells + beyond;
        Prices { step_ms, cells, price: vec![0.0; all], until: vec![0.0; all] }
    }

    /// The same prices in cells of half the length.
    pub fn halved(&self, longest_ms: i64) -> Prices {
        let mut finer = Prices::free(self.step_ms / 2, self.cells * 2, longest_ms);
        for (half, price) in finer.price[..self.cells * 2].iter_mut().enumerate() {
            *price = self.price[half / 2];
        }
        finer.sum();
        finer
    }

    /// The prices of the cells.
    pub fn cells(&self) -> &[f64] {
        &self.price[..self.cells]
    }

    /// Changes them, by what each is and its number.
    pub fn change(&mut self, to: impl Fn(usize, f64) -> f64) {
        let cells = self.price[..self.cells].iter_mut().enumerate();
        cells.for_each(|(cell, price)| *price = to(cell, *price));
        self.sum();
    }

    /// What all time of one agent costs.
    pub fn total(&self) -> f64 {
        *self.until.last().expect("there are cells beyond the last")
    }

    fn sum(&mut self) {
        let mut sum = 0.0;
        for (until, price) in self.until.iter_mut().zip(&self.price) {
            *until = sum;
            sum += price * self.step_ms as f64;
        }
    }

    /// The cheapest start. At the end of the grid everything is free, so later starts need no look, and of longer work only
    /// so much.
    pub fn cheapest(&self, call: &Call, way: &Way) -> Start {
        let end_ms = self.step_ms * self.cells as i64;
        let last_ms = call.leaves_ms.unwrap_or(i64::MAX).min(end_ms).max(call.arrives_ms);
        let work_ms = way.work_ms.min(end_ms);
        let mut looking = Looking { prices: self, call, work_ms, unresolved: way.cost, best: None };
        looking.at(call.arrives_ms);
        if call.in_time_ms < last_ms {
            looking.at(call.in_time_ms.max(call.arrives_ms));
            looking.between(call.arrives_ms, call.in_time_ms, 0.0);
            looking.between(call.in_time_ms + 1, last_ms, call.late);
        } else {
            looking.between(call.arrives_ms, last_ms, 0.0);
        }
        looking.at(last_ms);
        looking.best.expect("the arrival was looked at")
    }

    /// What all time up to then costs.
    fn until(&self, at_ms: i64) -> f64 {
        let cell =
            usize::try_from(at_ms / self.step_ms).expect("time is not negative").min(self.until.len() - 1);
        self.until[cell] + self.price[cell] * (at_ms - cell as i64 * self.step_ms) as f64
    }
}

/// One call and one way, in search of the cheapest start.
struct Looking<'a> {
    prices: &'a Prices,
    call: &'a Call,
    work_ms: i64,
    unresolved: f64,
    best: Option<Start>,
}

impl Looking<'_> {
    fn at(&mut self, at_ms: i64) {
        let time = self.prices.until(at_ms + self.work_ms) - self.prices.until(at_ms);
        self.offer(at_ms, time + self.call.waiting(at_ms) + self.unresolved);
    }

    fn offer(&mut self, at_ms: i64, cost: f64) {
        if self.best.is_none_or(|best| cost < best.cost) {
            self.best = Some(Start { at_ms, cost });
        }
    }

    /// All starts from here to there at which the beginning or the end of the work meets an edge.
    fn between(&mut self, from_ms: i64, to_ms: i64, late: f64) {
        let (step_ms, work_ms) = (self.prices.step_ms, self.work_ms);
        let cost = late + self.unresolved;
        let least = cost + self.call.waiting_per_ms * (from_ms - self.call.arrives_ms) as f64;
        // Time costs nothing at best.
        if from_ms > to_ms || self.best.is_some_and(|best| best.cost <= least) {
            return;
        }
        let cells = usize::try_from(work_ms / step_ms).expect("work takes time");
        let more_ms = work_ms % step_ms;
        let last = self.prices.until.len() - 1 - cells;
        // The beginning meets edge number `edge`: it ends `more_ms` after edge `edge + cells`.
        let (first, end) = (above(from_ms, step_ms), (to_ms / step_ms) as usize + 1);
        let end = end.min(last);
        if first < end {
            let (price, until) = (&self.prices.price, &self.prices.until);
            let stretches =
                until[first..end].iter().zip(&until[first + cells..]).zip(&price[first + cells..]);
            let times = stretches.map(|((from, to), price)| to - from + price * more_ms as f64);
            self.offer_least(times, first as i64 * step_ms, cost);
        }
        // The end meets edge `edge + cells + 1`: it begins `more_ms` before edge `edge + 1`.
        let ahead_ms = step_ms - more_ms;
        let first = above(from_ms - ahead_ms, step_ms);
        let end = usize::try_from((to_ms - ahead_ms).div_euclid(step_ms) + 1).unwrap_or(0).min(last);
        if more_ms > 0 && first < end {
            let (price, until) = (&self.prices.price, &self.prices.until);
            let stretches =
                until[first + 1..=end].iter().zip(&until[first + cells + 1..]).zip(&price[first..]);
            let times = stretches.map(|((from, to), price)| to - from + price * more_ms as f64);
            self.offer_least(times, first as i64 * step_ms + ahead_ms, cost);
        }
    }

    /// Times at their price, of starts one cell after the other from here on.
    fn offer_least(&mut self, times: impl Iterator<Item = f64>, from_ms: i64, cost: f64) {
        let step_ms = self.prices.step_ms;
        let a_cell = self.call.waiting_per_ms * step_ms as f64;
        let mut waiting = self.call.waiting_per_ms * (from_ms - self.call.arrives_ms) as f64;
        let (mut least, mut least_at) = (f64::INFINITY, 0);
        for (number, time) in (0..).zip(times) {
            if time + waiting < least {
                (least, least_at) = (time + waiting, number);
            }
            waiting += a_cell;
        }
        self.offer(from_ms + least_at * step_ms, least + cost);
    }
}

/// The first edge that is not before.
fn above(at_ms: i64, step_ms: i64) -> usize {
    usize::try_from((at_ms + step_ms - 1).div_euclid(step_ms)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    /// Every start, and time summed up millisecond by millisecond.
    fn cheapest_of_all(price: &[f64], step_ms: i64, call: &Call, way: &Way) -> f64 {
        let price = |at_ms: i64| price.get((at_ms / step_ms) as usize).copied().unwrap_or(0.0);
        let last_ms = call.leaves_ms.unwrap_or(2_000);
        let cost = |at_ms: i64| {
            let time: f64 = (at_ms..at_ms + way.work_ms).map(price).sum();
            time + call.waiting(at_ms) + way.cost
        };
        (call.arrives_ms..=last_ms).map(cost).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn no_start_is_cheaper_than_the_one_that_is_found() {
        let mut luck = ChaCha8Rng::seed_from_u64(1);
        for round in 0..400 {
            let (step_ms, cells, longest_ms) = (luck.random_range(1..30) * 2, 30, 300);
            let mut prices = Prices::free(step_ms, cells, longest_ms);
            let drawn: Vec<f64> = (0..cells).map(|_| f64::from(luck.random_range(0..6_u32)) * 0.2).collect();
            prices.change(|cell, _| drawn[cell]);
            let arrives_ms = luck.random_range(0..step_ms * cells as i64);
            let patience_ms = luck.random_range(0..400);
            let call = Call {
                arrives_ms,
                leaves_ms: (round % 7 > 0).then_some(arrives_ms + patience_ms),
                in_time_ms: arrives_ms + luck.random_range(0..200),
                waiting_per_ms: 0.1 * f64::from(luck.random_range(0..4_u32)),
                late: 5.0 * f64::from(luck.random_range(0..3_u32)),
                left: 100.0,
                ways: Vec::new(),
            };
            let way = Way { group: 0, work_ms: luck.random_range(0..longest_ms), cost: 1.5 };
            let want = cheapest_of_all(&drawn, step_ms, &call, &way);
            for prices in [&prices, &prices.halved(longest_ms)] {
                let found = prices.cheapest(&call, &way);
                assert!((found.cost - want).abs() < 1e-6, "round {round}: {found:?} instead of {want}");
                let there = cheapest_of_all(
                    &drawn,
                    step_ms,
                    &Call { arrives_ms: found.at_ms, leaves_ms: Some(found.at_ms), ..call.clone() },
                    &way,
                );
                let waited = call.waiting_per_ms * (found.at_ms - arrives_ms) as f64;
                assert!(
                    (there + waited - found.cost).abs() < 1e-6,
                    "round {round}: it is not what it costs there"
                );
            }
        }
    }
}
