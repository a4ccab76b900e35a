//! A day as a problem of whom to serve when: who may be served from when to when, by whom, and what it costs.
//!
//! Times are whole milliseconds, rounded as a run rounds them, so that whatever a policy does in the engine is a plan here
//! and costs no less.

use crate::simulate::{Centre, Day, FOR_EVER_S, Visit, millis};
use std::collections::BTreeMap;

/// Agents who are all alike: they take as long for the same, and solve as much where that costs anything.
#[derive(Clone, PartialEq, Debug)]
pub struct Group {
    pub agents: usize,
}

/// One way to serve a call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Way {
    /// By an agent of this group.
    pub group: usize,
    pub work_ms: i64,
    /// What comes out unresolved.
    pub cost: f64,
}

/// One who comes.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// Served from here on; what waiting costs is counted from here too.
    pub arrives_ms: i64,
    /// Served up to here; `None`: waits for ever.
    pub leaves_ms: Option<i64>,
    /// Served after this is late.
    pub in_time_ms: i64,
    pub waiting_per_ms: f64,
    pub late: f64,
    /// What it costs not to be served.
    pub left: f64,
    pub ways: Vec<Way>,
}

/// A day.
#[derive(Clone, PartialEq, Debug)]
pub struct Problem {
    pub groups: Vec<Group>,
    /// In the order of their coming.
    pub calls: Vec<Call>,
    /// By so much all plans may look dearer here than in the record, since arrivals are rounded to milliseconds.
    pub rounding: f64,
}

impl Problem {
    /// Of a centre and one of its days. Who is not there the whole day is taken to be: that makes a plan no dearer.
    pub fn new(centre: &Centre, day: &Day) -> Problem {
        let (groups, ways) = groups(centre);
        let calls: Vec<Call> = day.visits.iter().map(|visit| call(centre, day, visit, &ways)).collect();
        let rounded = |(visit, call): (&Visit, &Call)| {
            (visit.at_s * 1_000.0 - call.arrives_ms as f64).max(0.0) * call.waiting_per_ms
        };
        let rounding = day.visits.iter().zip(&calls).map(rounded).sum();
        Problem { groups, calls, rounding }
    }
}

impl Call {
    /// What it costs to wait until then, late answers included.
    pub fn waiting(&self, start_ms: i64) -> f64 {
        let late = if start_ms > self.in_time_ms { self.late } else { 0.0 };
        self.waiting_per_ms * (start_ms - self.arrives_ms) as f64 + late
    }
}

/// How one group serves one kind: group, handle time in s, cost of what is not solved.
type Serves = (usize, f64, f64);

/// The groups of like agents, and for each kind how they serve it.
fn groups(centre: &Centre) -> (Vec<Group>, Vec<Vec<Serves>>) {
    let mut known: BTreeMap<Vec<(usize, u64, u64)>, usize> = BTreeMap::new();
    let (mut groups, mut ways) = (Vec::<Group>::new(), vec![Vec::new(); centre.kinds.len()]);
    for agent in &centre.agents {
        let unresolved =
            |does: &crate::simulate::Does| centre.kinds[does.kind].unresolved * (1.0 - does.resolution);
        let alike =
            agent.does.iter().map(|does| (does.kind, does.handle_s.to_bits(), unresolved(does).to_bits()));
        let next = groups.len();
        let group = *known.entry(alike.collect()).or_insert(next);
        if group == next {
            groups.push(Group { agents: 0 });
            agent.does.iter().for_each(|does| ways[does.kind].push((group, does.handle_s, unresolved(does))));
        }
        groups[group].agents += 1;
    }
    (groups, ways)
}

fn call(centre: &Centre, day: &Day, visit: &Visit, ways: &[Vec<Serves>]) -> Call {
    let kind = &centre.kinds[visit.kind];
    let (per_s, arrives_ms) = (kind.waiting_per_minute / 60.0, whole(visit.at_s));
    let late = if visit.patience_s > kind.target_s { kind.late } else { 0.0 };
    let left = match visit.patience_s < FOR_EVER_S {
        // Who may find the line full costs nothing then.
        _ if (kind.line_max as usize) < day.visits.len() => 0.0,
        true => kind.abandon + per_s * visit.patience_s + late,
        false => f64::INFINITY,
    };
    let way = |(group, handle_s, cost): &Serves| Way {
        group: *group,
        work_ms: whole(handle_s * visit.work),
        cost: *cost,
    };
    Call {
        arrives_ms,
        leaves_ms: (visit.patience_s < FOR_EVER_S).then(|| whole(visit.at_s + visit.patience_s)),
        // A hair more, for what seconds lose as fractions of two.
        in_time_ms: ((visit.at_s + kind.target_s) * 1_000.0 + 1e-6).floor() as i64,
        waiting_per_ms: per_s / 1_000.0,
        late: kind.late,
        left,
        ways: ways[visit.kind].iter().map(way).collect(),
    }
}

/// As a run rounds.
fn whole(seconds: f64) -> i64 {
    i64::try_from(millis(seconds)).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}
