//! Pasts made by chance, with everything in them that a floor can do: the record is counted as a report counts it, and any
//! of them can be decided again.

use super::tell;
use crate::chance::{Chance, Move, runs};
use baton::engine::event::Stamped;
use baton::engine::shard::Shard;
use baton::engine::time::Time;
use baton::replay::backtest::{Backtest, BacktestError, Cell, Recorded};
use baton::report::{By, Figures, Projection, Report, Request};
use baton::rules::RuleSet;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const COMMANDS: usize = 400;

/// What a floor lived through by chance.
pub fn journal(seed: u64) -> Vec<Stamped> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut shard, mut chance, mut journal) = (Shard::new(), Chance::new(), Vec::new());
    let mut ask = |chance: &mut Chance, now, command| {
        let seen = journal.len();
        let _ = shard.step(now, command, &mut journal);
        chance.saw(&journal[seen..]);
    };
    for (now, command) in Chance::opening() {
        ask(&mut chance, now, command);
    }
    for _ in 0..COMMANDS {
        let one: Move = std::array::from_fn(|_| random.next_u32());
        let (now, command) = chance.next(one);
        ask(&mut chance, now, command);
    }
    journal
}

/// The middle half of a past; `None` if nobody came in it.
fn middle(journal: &[Stamped]) -> Option<(Time, Time, Recorded)> {
    let at = |quarter: usize| journal[journal.len() * quarter / 4].time;
    let (from, to) = (at(1), at(3).after(1));
    match Recorded::from_events(journal, from, to) {
        Ok(recorded) => Some((from, to, recorded)),
        Err(BacktestError::NobodyCame { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

fn report(journal: &[Stamped], from: Time, to: Time, by: By) -> Report {
    let request = Request { from, to, interval_ms: None, by };
    let mut projection = Projection::new(request);
    journal.iter().filter(|stamped| stamped.time < to).for_each(|stamped| projection.apply(stamped));
    projection.report(request, to).expect("a good question")
}

fn assert_as_reported(cell: &Cell, figures: &Figures) {
    let answered = u64::try_from(figures.answered).unwrap_or_default();
    assert_eq!((cell.entered, cell.answered, cell.abandoned), (figures.entered, answered, figures.abandoned));
    assert_eq!(cell.short_abandoned, figures.short_abandoned);
    let level = figures.service_levels().without_short_abandons_ppm;
    assert_eq!(cell.service_level, level.map(|ppm| f64::from(ppm) / 1e6));
    assert_eq!(cell.mean_wait_s, figures.mean_wait_ms().map(|ms| ms as f64 / 1e3));
}

fn assert_record_is_as_reported(result: &Backtest, journal: &[Stamped], (from, to): (Time, Time)) {
    let by_queue = report(journal, from, to, By { queue: true, ..By::default() });
    let mut sum = Figures::default();
    for row in &by_queue.rows {
        let name = row.queue.as_deref().expect("rows are of queues");
        let own = result.queues.iter().find(|own| own.name == name).expect("every queue is there");
        assert_as_reported(&own.recorded, &row.figures);
        sum.add(&row.figures);
    }
    assert_as_reported(&result.all.recorded, &sum);
    let mut agents = Figures::default();
    let by_agent = report(journal, from, to, By { agent: true, ..By::default() });
    by_agent.rows.iter().for_each(|row| agents.add(&row.figures));
    let busy = |ppm: u32| (f64::from(ppm) / 1e4).floor();
    let own = result.all.recorded.occupancy.map(|share| (share * 100.0 + 1e-9).floor());
    assert_eq!(own, agents.time.occupancy_ppm().map(busy));
}

#[test]
fn the_record_is_what_a_report_says_and_the_same_rules_twice_are_the_same() {
    let rules = RuleSet::default();
    let mut told = 0;
    for seed in 0..u64::from(runs(40)) {
        let journal = journal(seed);
        let Some((from, to, recorded)) = middle(&journal) else { continue };
        let result = tell(&recorded, &rules, &rules);
        assert_record_is_as_reported(&result, &journal, (from, to));
        assert_eq!(result.all.published, result.all.draft, "seed {seed}");
        assert_eq!(result.changed, 0, "seed {seed}");
        let same = tell(&recorded, &rules, &rules);
        let bytes = |result: &Backtest| serde_json::to_vec(result).expect("it can be written");
        assert_eq!(bytes(&result), bytes(&same), "seed {seed}");
        assert!(!result.to_string().is_empty());
        told += 1;
    }
    assert!(4 * told > runs(40), "{told} of the pasts had somebody in their middle");
}
