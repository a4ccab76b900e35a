//! Two policies on one floor: blocks of time tell the truth, a coin for each call does not. The floor is S4 with nothing at
//! stake but that matters are solved; the usual policy is longest idle, the other gives each call to whoever solves most.
//! `BATON_DAYS` is the number of days.

use baton::engine::policy::{Arm, Marginal, Trial};
use baton::learning::{Lift, Switchback};
use baton::simulate::{Centre, Choice, Day, Fate, Kind, Luck, Run, Scenario, floor, run, run_tried};

const BLOCK_MS: u64 = 900_000;
const WASH_OUT_MS: u64 = 300_000;

fn days(few: u32) -> u32 {
    let asked = std::env::var("BATON_DAYS").ok();
    asked.map_or(few, |asked| asked.parse().expect("BATON_DAYS is a whole number"))
}

/// S4, each kind twice: with what is at stake, and with nothing, which leaves it to who is idle longest.
fn scenario(days: u32) -> Scenario {
    let mut scenario =
        Scenario::new(&floor("S4").expect("it is shipped"), Some(days), Some(5)).expect("it can be run");
    let kinds = scenario.centre.kinds.len();
    let stake = |kind: &Kind, unresolved: f64, name: String| Kind {
        name,
        abandon: 0.0,
        waiting_per_minute: 0.0,
        late: 0.0,
        unresolved,
        ..kind.clone()
    };
    let centre = &scenario.centre;
    let on = centre.kinds.iter().map(|kind| stake(kind, 100.0, kind.name.clone()));
    let off = centre.kinds.iter().map(|kind| stake(kind, 0.0, format!("{}-off", kind.name)));
    let kinds_twice = on.chain(off).collect();
    let mut agents = centre.agents.clone();
    for agent in &mut agents {
        let off: Vec<_> = agent
            .does
            .iter()
            .map(|does| baton::simulate::Does { kind: does.kind + kinds, ..*does })
            .collect();
        agent.does.extend(off);
    }
    scenario.centre = Centre { kinds: kinds_twice, agents, staffing: Vec::new() };
    scenario
}

/// Whoever solves most, whatever their time is worth to others; between equals idle longest.
fn best() -> Marginal {
    use baton::engine::{fixed::Part, money::Money};
    Marginal {
        scarcity: Part::ZERO,
        match_share: Part::ONE,
        fairness_per_second: Money(1),
        ..Marginal::default()
    }
}

fn how(choice: Choice) -> Run {
    Run { choice, marginal: best(), hold_max_ms: Some(0), seed: 0 }
}

/// Solved, of the calls that were served, with the place of each among the day's.
fn solved(centre: &Centre, day: &Day, choice: Choice, trial: Option<Trial>) -> Vec<(usize, f64)> {
    let outcome = match trial {
        Some(trial) => run_tried(centre, day, how(choice), trial),
        None => run(centre, day, how(choice)),
    };
    let served = outcome.fates.iter().enumerate().filter_map(|(number, fate)| match fate {
        Fate::Served { resolution, .. } => Some((number, *resolution)),
        _ => None,
    });
    served.collect()
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, values: impl Iterator<Item = f64>) {
        for value in values {
            self.sum += value;
            self.count += 1.0;
        }
    }

    fn value(&self) -> f64 {
        self.sum / self.count
    }
}

/// What the other policy does to the share solved: in truth, by blocks of time, and by a coin for each call.
fn lifts(days: u32) -> (f64, Lift, f64) {
    let scenario = scenario(days);
    let (centre, kinds) = (&scenario.centre, scenario.centre.kinds.len() / 2);
    let (mut usual, mut other) = (Mean::default(), Mean::default());
    let (mut heads, mut tails) = (Mean::default(), Mean::default());
    let mut blocks = Switchback::default();
    for number in 0..days {
        let day = scenario.day(number);
        usual.add(solved(centre, &day, Choice::LongestIdle, None).into_iter().map(|one| one.1));
        other.add(solved(centre, &day, Choice::MarginalCost, None).into_iter().map(|one| one.1));

        let tried = Choice::MarginalCost.policy(best());
        let trial =
            Trial { other: tried, block_ms: BLOCK_MS, wash_out_ms: WASH_OUT_MS, seed: u64::from(number) };
        for (visit, value) in solved(centre, &day, Choice::LongestIdle, Some(trial)) {
            let at = baton::engine::time::Time((day.visits[visit].at_s * 1_000.0) as u64);
            if !trial.is_washed_out(at) {
                let block = trial.block(at);
                blocks.record(u64::from(number) * 1_000 + Trial::pair(block), trial.arm(block), value);
            }
        }

        let mut luck = Luck::new(u64::from(number), 77);
        let mut coin = day.clone();
        coin.visits.iter_mut().filter(|_| luck.uniform() < 0.5).for_each(|visit| visit.kind += kinds);
        for (visit, value) in solved(centre, &coin, Choice::MarginalCost, None) {
            let side = if coin.visits[visit].kind < kinds { &mut heads } else { &mut tails };
            side.add(std::iter::once(value));
        }
    }
    let lift = blocks.lift().expect("many pairs");
    (other.value() - usual.value(), lift, heads.value() - tails.value())
}

#[test]
fn blocks_of_time_tell_the_truth_and_a_coin_for_each_call_overstates_it() {
    let days = days(10);
    let (truth, lift, coin) = lifts(days);
    println!("{days} days: true lift {:.3} points, {lift:?}, coin {:.3}", truth * 100.0, coin * 100.0);
    assert!(truth > 0.01, "the other policy solves more: {truth}");
    assert!(
        (lift.difference - truth).abs() <= lift.half_width.max(0.05 * truth),
        "{lift:?}, in truth {truth}"
    );
    if days >= 200 {
        assert!((lift.difference / truth - 1.0).abs() < 0.05, "{lift:?}, in truth {truth}");
    }
    assert!(coin > 1.5 * truth, "the coin says {coin}, in truth {truth}");
}

#[test]
fn which_policy_has_the_first_block_of_a_pair_is_drawn_and_both_have_one() {
    let other = Choice::MarginalCost.policy(best());
    let trial = Trial { other, block_ms: BLOCK_MS, wash_out_ms: WASH_OUT_MS, seed: 3 };
    let firsts = (0..1_000).filter(|pair| trial.arm(2 * pair) == Arm::Other).count();
    assert!((430..570).contains(&firsts), "{firsts} of 1000 begin with the other");
    assert!((0..1_000).all(|pair| trial.arm(2 * pair) != trial.arm(2 * pair + 1)));
}
