//! What became of everybody on a day, and what it cost.

use super::centre::{Centre, Day};
use crate::spread::gini;

/// What became of one customer.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fate {
    Served {
        wait_s: f64,
        resolution: f64,
        /// By whom, as their place among the centre's.
        agent: usize,
        /// How long it took, s.
        work_s: f64,
    },
    Left {
        wait_s: f64,
    },
    /// The line was full.
    TurnedAway,
}

/// A day, run.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// In the order of the visits.
    pub fates: Vec<Fate>,
    /// By member of the centre.
    pub busy_ms: Vec<u64>,
}

/// The figures of a day.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Figures {
    pub calls: u64,
    /// Waiting, hanging up, late answers, and matters not solved.
    pub cost: f64,
    /// The same without matters not solved.
    pub service_cost: f64,
    /// Answered in time of all but those who left before the target.
    pub service_level: f64,
    /// Share of all who left.
    pub abandoned: f64,
    /// Mean wait of those who were served, s.
    pub mean_wait_s: f64,
    /// So long or less waited 95 % of those who were served, s.
    pub p95_wait_s: f64,
    /// Mean chance to be solved, of those who were served.
    pub resolution: f64,
    /// Of the times agents were busy: 0 is all alike.
    pub gini: f64,
}

/// The figures of one kind of contact on a day; as in [`Figures`], but for this kind alone.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct KindFigures {
    pub calls: u64,
    pub cost: f64,
    pub service_cost: f64,
    pub service_level: f64,
    pub abandoned: f64,
    /// Mean wait of those who were served, s.
    pub mean_wait_s: f64,
}

impl Outcome {
    /// Its figures.
    pub fn figures(&self, centre: &Centre, day: &Day) -> Figures {
        let mut sums = Sums::default();
        for (visit, fate) in day.visits.iter().zip(&self.fates) {
            sums.add(&centre.kinds[visit.kind], fate);
        }
        let all = sums.kind_figures();
        Figures {
            calls: all.calls,
            cost: all.cost,
            service_cost: all.service_cost,
            service_level: all.service_level,
            abandoned: all.abandoned,
            mean_wait_s: all.mean_wait_s,
            p95_wait_s: self.wait_quantile_s(0.95),
            resolution: share(sums.resolution, sums.served),
            gini: gini(&self.busy_ms),
        }
    }

    /// Those of each kind, in the order of the centre's.
    pub fn by_kind(&self, centre: &Centre, day: &Day) -> Vec<KindFigures> {
        let mut sums: Vec<Sums> = centre.kinds.iter().map(|_| Sums::default()).collect();
        for (visit, fate) in day.visits.iter().zip(&self.fates) {
            sums[visit.kind].add(&centre.kinds[visit.kind], fate);
        }
        sums.iter().map(Sums::kind_figures).collect()
    }

    fn wait_quantile_s(&self, share: f64) -> f64 {
        let wait = |fate: &Fate| match fate {
            Fate::Served { wait_s, .. } => Some(*wait_s),
            _ => None,
        };
        let mut waits: Vec<f64> = self.fates.iter().filter_map(wait).collect();
        waits.sort_by(f64::total_cmp);
        let at = (waits.len() as f64 * share).ceil() as usize;
        waits.get(at.saturating_sub(1)).copied().unwrap_or(0.0)
    }
}

#[derive(Default)]
struct Sums {
    calls: u64,
    service: f64,
    unresolved: f64,
    served: f64,
    in_time: f64,
    left: f64,
    left_in_time: f64,
    wait_s: f64,
    resolution: f64,
}

impl Sums {
    fn add(&mut self, kind: &super::centre::Kind, fate: &Fate) {
        let late = |wait_s: f64| if wait_s > kind.target_s { kind.late } else { 0.0 };
        let waiting = |wait_s: f64| kind.waiting_per_minute / 60.0 * wait_s;
        self.calls += 1;
        match *fate {
            Fate::Served { wait_s, resolution, .. } => {
                self.service += waiting(wait_s) + late(wait_s);
                self.unresolved += kind.unresolved * (1.0 - resolution);
                self.served += 1.0;
                self.wait_s += wait_s;
                self.resolution += resolution;
                self.in_time += if wait_s > kind.target_s { 0.0 } else { 1.0 };
            }
            Fate::Left { wait_s } => {
                self.service += waiting(wait_s) + late(wait_s) + kind.abandon;
                self.left += 1.0;
                self.left_in_time += if wait_s > kind.target_s { 0.0 } else { 1.0 };
            }
            Fate::TurnedAway => {}
        }
    }

    fn kind_figures(&self) -> KindFigures {
        let calls = self.calls as f64;
        KindFigures {
            calls: self.calls,
            cost: self.service + self.unresolved,
            service_cost: self.service,
            service_level: share(self.in_time, calls - self.left_in_time),
            abandoned: share(self.left, calls),
            mean_wait_s: share(self.wait_s, self.served),
        }
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::{Does, Kind, Member, Visit};

    #[test]
    fn costs_are_those_of_the_definition() {
        let kind = Kind {
            name: "a".to_owned(),
            target_s: 20.0,
            abandon: 4.0,
            waiting_per_minute: 0.6,
            late: 1.0,
            unresolved: 5.0,
            patience_s: 100.0,
            handle_s: 100.0,
            priority: 0,
            line_max: 9,
        };
        let does = Does { kind: 0, proficiency: 1, handle_s: 100.0, resolution: 0.8, known: None };
        let agents = vec![Member { group: 0, does: vec![does] }; 2];
        let centre = Centre { kinds: vec![kind], agents, staffing: Vec::new() };
        let visit = Visit { at_s: 0.0, kind: 0, patience_s: 50.0, work: 1.0 };
        let day = Day { visits: vec![visit; 4] };
        let fates = vec![
            Fate::Served { wait_s: 10.0, resolution: 0.8, agent: 0, work_s: 100.0 },
            Fate::Served { wait_s: 30.0, resolution: 0.8, agent: 1, work_s: 300.0 },
            Fate::Left { wait_s: 50.0 },
            Fate::Left { wait_s: 5.0 },
        ];
        let outcome = Outcome { fates, busy_ms: vec![100, 300] };
        let figures = outcome.figures(&centre, &day);
        let service = 0.1 + (0.3 + 1.0) + (0.5 + 1.0 + 4.0) + (0.05 + 4.0);
        assert!((figures.service_cost - service).abs() < 1e-9);
        assert!((figures.cost - service - 2.0).abs() < 1e-9);
        assert!((figures.service_level - 1.0 / 3.0).abs() < 1e-9);
        assert!((figures.mean_wait_s - 20.0).abs() < 1e-9);
        assert!((figures.p95_wait_s - 30.0).abs() < 1e-9);
        assert!((figures.abandoned - 0.5).abs() < 1e-9);
        assert!((figures.gini - 0.25).abs() < 1e-9);
        let [alone] = outcome.by_kind(&centre, &day)[..] else { panic!("there is one kind") };
        assert_eq!((alone.calls, alone.cost, alone.abandoned), (4, figures.cost, figures.abandoned));
    }
}
