//! The cheapest plan of a few calls, by branch and bound over who is served next, and by whom.
//!
//! Nothing gets cheaper by starting later, so each agent starts at once what they serve next, or as soon as it comes; a
//! plan is the order of the starts.

use super::problem::{Call, Problem};

/// Calls that are planned exactly at most.
pub const CALLS_MAX: usize = 8;
/// Plans that are begun at most: less than a second. Seven calls for two agents take about a thousand at most.
const PLANS_MAX: u32 = 300_000;

/// What the cheapest plan costs, knowing everything beforehand; infinite if nobody can serve somebody who waits for ever.
/// `None`: too many calls, or too many agents who differ too little to be told apart by their cost.
pub fn optimum(problem: &Problem) -> Option<f64> {
    if problem.calls.len() > CALLS_MAX {
        return None;
    }
    let agent =
        |(group, of): (usize, &super::problem::Group)| (0..of.agents).map(move |_| (group, 0)).collect();
    let agents: Vec<Vec<(usize, i64)>> = problem.groups.iter().enumerate().map(agent).collect();
    let mut search = Search {
        calls: &problem.calls,
        agents: agents.concat(),
        open: vec![true; problem.calls.len()],
        best: problem.calls.iter().map(|call| call.left).sum(),
        plans: 0,
    };
    search.go_on(0.0, i64::MIN);
    (search.plans < PLANS_MAX).then_some(search.best - problem.rounding)
}

struct Search<'a> {
    calls: &'a [Call],
    /// Group, and free from when on, ms.
    agents: Vec<(usize, i64)>,
    /// Not served yet.
    open: Vec<bool>,
    best: f64,
    plans: u32,
}

impl Search<'_> {
    /// `cost` so far; the next start is not before `last_ms`.
    fn go_on(&mut self, cost: f64, last_ms: i64) {
        let rest: f64 = self.open_calls().map(|number| self.calls[number].left).sum();
        self.best = self.best.min(cost + rest);
        self.plans += 1;
        if self.plans >= PLANS_MAX || cost + self.at_least(last_ms) >= self.best {
            return;
        }
        for number in 0..self.calls.len() {
            if self.open[number] {
                self.serve(number, cost, last_ms);
            }
        }
    }

    fn serve(&mut self, number: usize, cost: f64, last_ms: i64) {
        let call = &self.calls[number];
        self.open[number] = false;
        for agent in 0..self.agents.len() {
            let (group, free_ms) = self.agents[agent];
            let start_ms = call.arrives_ms.max(free_ms);
            let Some(way) = call.ways.iter().find(|way| way.group == group) else { continue };
            let gone = call.leaves_ms.is_some_and(|leaves_ms| start_ms > leaves_ms);
            // Of agents who are alike and free by the same time, one will do; of orders of starts, that of time.
            if gone || start_ms < last_ms || self.agents[..agent].contains(&(group, free_ms)) {
                continue;
            }
            self.agents[agent].1 = start_ms + way.work_ms;
            self.go_on(cost + way.cost + call.waiting(start_ms), start_ms);
            self.agents[agent].1 = free_ms;
        }
        self.open[number] = true;
    }

    /// What the calls that are left cost in any case: each as if it had every agent for itself from now on.
    fn at_least(&self, last_ms: i64) -> f64 {
        let least = |number| {
            let call: &Call = &self.calls[number];
            let start_ms = call.arrives_ms.max(last_ms);
            if call.leaves_ms.is_some_and(|leaves_ms| start_ms > leaves_ms) {
                return call.left;
            }
            let cheapest = call.ways.iter().map(|way| way.cost).fold(f64::INFINITY, f64::min);
            call.left.min(cheapest + call.waiting(start_ms))
        };
        self.open_calls().map(least).sum()
    }

    fn open_calls(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.open.len()).filter(|number| self.open[*number])
    }
}
