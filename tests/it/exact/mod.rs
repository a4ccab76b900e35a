//! The engine against mathematics: queues whose figures are known exactly, run in simulated time.
//!
//! Every figure must lie within three standard errors of its exact value. Errors come from batch means: the first 2 %
//! of arrivals are dropped, the rest are 20 batches. `BATON_ARRIVALS` is the number of arrivals of each queue;
//! 1000000 takes minutes and finds errors of a tenth of a per cent.

mod formulas;
mod multi_skill;
mod optimal;
mod published;
mod single;

use baton::engine::policy::Marginal;
use baton::simulate::{Centre, Choice, Day, Does, Fate, Kind, Member, Outcome, Run, Spread, Visit, run};

const BATCHES: usize = 20;
/// How far a figure may lie from its exact value, in standard errors.
const ERRORS_MAX: f64 = 3.0;

/// Arrivals of each queue: as the environment says, or few enough for every day.
fn arrivals(few: u64) -> u64 {
    let asked = std::env::var("BATON_ARRIVALS").ok();
    asked.map_or(few, |asked| asked.parse().expect("BATON_ARRIVALS is a whole number"))
}

/// A kind that costs nothing and never fills its line.
fn kind(name: &str, handle_s: f64) -> Kind {
    Kind {
        name: name.to_owned(),
        target_s: 20.0,
        abandon: 0.0,
        waiting_per_minute: 0.0,
        late: 0.0,
        unresolved: 0.0,
        patience_s: 100_000.0,
        handle_s,
        priority: 0,
        line_max: u32::MAX,
    }
}

/// An agent who takes so long for these kinds.
fn member(handle_s: f64, kinds: &[usize]) -> Member {
    let does = |kind: &usize| Does { kind: *kind, proficiency: 1, handle_s, resolution: 1.0, known: None };
    Member { group: 0, does: kinds.iter().map(does).collect() }
}

fn outcome(centre: &Centre, day: &Day, choice: Choice) -> Outcome {
    run(centre, day, Run { choice, marginal: Marginal::default(), hold_max_ms: None, seed: 0 })
}

/// One batch of customers, in the order of their coming.
struct Batch<'a> {
    customers: &'a [(Visit, Fate)],
    /// Until the next batch begins.
    lasts_s: f64,
}

/// What is measured in a batch: so much of so much.
type Measure<'a> = Box<dyn Fn(&Batch) -> (f64, f64) + 'a>;

/// A figure, with its exact value.
struct Figure<'a> {
    name: String,
    exact: f64,
    measure: Measure<'a>,
}

/// Everybody who came, and what became of them, after the first 2 %.
struct Observed {
    customers: Vec<(Visit, Fate)>,
}

impl Observed {
    fn of(day: &Day, outcome: &Outcome) -> Observed {
        let all = day.visits.iter().copied().zip(outcome.fates.iter().copied());
        Observed { customers: all.skip(day.visits.len() / 50).collect() }
    }

    fn batches(&self) -> impl Iterator<Item = Batch<'_>> {
        // The last customer only marks the end of the last batch.
        let length = (self.customers.len() - 1) / BATCHES;
        (0..BATCHES).map(move |number| {
            let (from, until) = (number * length, (number + 1) * length);
            Batch {
                customers: &self.customers[from..until],
                lasts_s: self.customers[until].0.at_s - self.customers[from].0.at_s,
            }
        })
    }

    /// The quotient of all, and its standard error: of what the batches are beside it. The mean of the batches' own
    /// quotients would be off where a batch has few to divide by.
    fn estimate(&self, measure: &Measure) -> (f64, f64) {
        let batches: Vec<(f64, f64)> = self.batches().map(|batch| measure(&batch)).collect();
        let all = batches.iter().fold((0.0, 0.0), |sum, (part, of)| (sum.0 + part, sum.1 + of));
        let (quotient, count) = (all.0 / all.1, BATCHES as f64);
        let beside: f64 = batches.iter().map(|(part, of)| (part - quotient * of).powi(2)).sum();
        (quotient, (beside * count / (count - 1.0)).sqrt() / all.1)
    }

    /// The figures that are not where they must be.
    fn check(&self, what: &str, figures: Vec<Figure>) -> Vec<String> {
        let mut wrong = Vec::new();
        for figure in figures {
            let (mean, error) = self.estimate(&figure.measure);
            let off = (mean - figure.exact) / error;
            let said = format!(
                "{what} {}: {mean:.6} +- {error:.6}, exactly {:.6}, {off:+.2} errors off",
                figure.name, figure.exact
            );
            if std::env::var_os("BATON_ARRIVALS").is_some() {
                println!("{said}");
            }
            if off.abs() > ERRORS_MAX {
                wrong.push(said);
            }
        }
        wrong
    }
}

fn assert_exact(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "not within three standard errors:\n{}", wrong.join("\n"));
}

fn figure<'a>(name: &str, exact: f64, measure: impl Fn(&Batch) -> (f64, f64) + 'a) -> Figure<'a> {
    Figure { name: name.to_owned(), exact, measure: Box::new(measure) }
}

fn waited(fate: &Fate) -> f64 {
    match fate {
        Fate::Served { wait_s, .. } | Fate::Left { wait_s } => *wait_s,
        Fate::TurnedAway => 0.0,
    }
}

fn worked(fate: &Fate) -> f64 {
    match fate {
        Fate::Served { work_s, .. } => *work_s,
        _ => 0.0,
    }
}

/// Share of those of a kind for whom something holds, of all of the kind who got into the line.
fn share(kind: usize, holds: impl Fn(&Fate) -> bool) -> impl Fn(&Batch) -> (f64, f64) {
    move |batch| {
        let admitted = |(visit, fate): &&(Visit, Fate)| visit.kind == kind && *fate != Fate::TurnedAway;
        let of = batch.customers.iter().filter(admitted);
        (of.clone().filter(|(_, fate)| holds(fate)).count() as f64, of.count() as f64)
    }
}

/// Share of those of a kind who do not get an agent at once.
fn must_wait(kind: usize) -> impl Fn(&Batch) -> (f64, f64) {
    share(kind, |fate| waited(fate) > 0.0)
}

/// Mean wait of everybody of a kind who got into the line.
fn mean_wait(kind: usize) -> impl Fn(&Batch) -> (f64, f64) {
    move |batch| {
        let of =
            batch.customers.iter().filter(|(visit, fate)| visit.kind == kind && *fate != Fate::TurnedAway);
        (of.clone().map(|(_, fate)| waited(fate)).sum(), of.count() as f64)
    }
}

/// Mean wait of those of a kind who were answered.
fn mean_wait_of_answered(kind: usize) -> impl Fn(&Batch) -> (f64, f64) {
    move |batch| {
        let served =
            |(visit, fate): &&(Visit, Fate)| visit.kind == kind && matches!(fate, Fate::Served { .. });
        let of = batch.customers.iter().filter(served);
        (of.clone().map(|(_, fate)| waited(fate)).sum(), of.count() as f64)
    }
}

/// Mean number of a kind in line: what all their waits come to, over the time (Little).
fn mean_queue(kind: usize) -> impl Fn(&Batch) -> (f64, f64) {
    move |batch| (mean_wait(kind)(batch).0, batch.lasts_s)
}

/// Share of their time that so many agents work.
fn occupancy(agents: f64) -> impl Fn(&Batch) -> (f64, f64) {
    move |batch| (batch.customers.iter().map(|(_, fate)| worked(fate)).sum(), agents * batch.lasts_s)
}

fn answered_within(target_s: f64) -> impl Fn(&Fate) -> bool {
    move |fate| matches!(fate, Fate::Served { wait_s, .. } if *wait_s <= target_s)
}
