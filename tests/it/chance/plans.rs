//! Random plans: several routes, relaxation, every exit, every condition of overflow, preferred agents.

use super::dice::Dice;
use super::floor::group_key;
use baton::engine::circumstances::Circumstances;
use baton::engine::fixed::Part;
use baton::engine::floor::Estimate;
use baton::engine::ids::{AgentKey, PoolKey, QueueKey, SkillKey};
use baton::engine::journey::{Journey, LastOutcome};
use baton::engine::learned::{AgentParameters, Parameters, PoolParameters, QueueParameters};
use baton::engine::money::Money;
use baton::engine::plan::{CallbackTerms, Duplicates, Familiar, Goals, Plan, Preferred, TransferTerms};
use baton::engine::route::{BetterWith, Condition, Exit, LastStep, Needs, Overflow, Relaxation, Route};
use baton::engine::skill::Requirement;
use baton::engine::time::Time;
use std::sync::Arc;

/// A plan that enters `queue`; `queues` and `agents` there are, and sometimes one more.
pub fn plan(dice: &mut Dice, queue: QueueKey, queues: u16, agents: u32) -> Plan {
    let mut line = vec![queue];
    for _ in 0..dice.choose(&[0, 1, 1, 2, 3]) {
        let other = any_queue(dice, queues);
        if !line.contains(&other) {
            line.push(other);
        }
    }
    let routes: Vec<Route> = line.iter().map(|queue| route(dice, *queue, &line, queues)).collect();
    Plan {
        rule_set: 1,
        routes: routes.into(),
        priority: dice.choose(&[0, 0, 0, 1, 2, -1, 5, -10]),
        head_start_ms: if dice.one_in(13) { 30_000 } else { 0 },
        weight: dice.choose(&[Part::ONE, Part::thousandths(250), Part::thousandths(3_000)]),
        goals: goals(dice),
        preferred: dice.one_in(5).then(|| preferred(dice, agents)),
        familiar: (agents > 0 && dice.one_in(4)).then(|| familiar(dice, agents)),
        by_due: dice.one_in(2),
        deadline_ms: dice.one_in(4).then(|| dice.choose(&[60_000, 600_000])),
        duplicates: dice.choose(&[Duplicates::KeepBoth, Duplicates::Attach, Duplicates::Replace]),
        callback: CallbackTerms {
            attempts_max: dice.choose(&[3, 2, 1, 0]),
            retry_ms: dice.choose(&[30_000, 0, 900_000]),
        },
        transfers: TransferTerms {
            max: dice.choose(&[5, 1, 2, 0]),
            beyond: dice.one_in(2).then(|| dice.choose(&line)),
        },
        hops_max: dice.choose(&[3, 3, 1, 0]),
        instructions: Arc::default(),
        tags: Arc::default(),
    }
}

/// What a plan was made in, if that is recorded.
pub fn circumstances(at: u32) -> Option<Arc<Circumstances>> {
    let made_at = Circumstances { at: Time(at.into()), ..Circumstances::default() };
    (at > 3).then(|| made_at.into())
}

/// What is known of a customer, if anything is.
pub fn journey(seed: [u32; 3]) -> Option<Arc<Journey>> {
    let mut dice = Dice::new(seed);
    let about_within = dice.of(5);
    let known = Journey {
        contacts_7d: about_within + dice.of(3),
        about_within,
        last_outcome: dice.choose(&[None, Some(LastOutcome::Served), Some(LastOutcome::Left)]),
        last_ago_ms: dice.one_in(2).then_some(86_400_000),
        sentiment: dice.choose(&[None, Some(-100), Some(40)]),
        ..Journey::default()
    };
    dice.one_in(3).then(|| known.into())
}

/// What it costs to wait. Lists do not look at it.
fn goals(dice: &mut Dice) -> Goals {
    Goals {
        waiting_per_minute: Money(dice.choose(&[200_000, 0, 3_000_000])),
        abandon: Money(dice.choose(&[5_000_000, 0, 40_000_000])),
        late: Money(dice.choose(&[1_000_000, 0, 5_000_000])),
        unresolved: Money(dice.choose(&[5_000_000, 0, 30_000_000])),
        patience_ms: dice.choose(&[300_000, 1, 20_000]),
        hold_max_ms: dice.choose(&[Some(60_000), Some(0), Some(5_000), None]),
        dial: dice.choose(&[4, 0, 16]),
        ..Goals::plain()
    }
}

fn any_queue(dice: &mut Dice, queues: u16) -> QueueKey {
    let known = queues.max(1) + u16::from(dice.one_in(40));
    QueueKey(u16::try_from(dice.of(u32::from(known))).expect("a floor of few queues"))
}

fn preferred(dice: &mut Dice, agents: u32) -> Preferred {
    let known = agents + u32::from(dice.one_in(20));
    Preferred {
        agent: AgentKey(dice.of(known)),
        budget_ms: dice.choose(&[20_000, 60_000, 0, 600_000]),
        overdraw: dice.one_in(2),
    }
}

fn familiar(dice: &mut Dice, agents: u32) -> Familiar {
    Familiar { agent: AgentKey(dice.of(agents)), worth: Money(dice.choose(&[1_000_000, 1, 50_000_000])) }
}

fn better_with(dice: &mut Dice) -> Vec<BetterWith> {
    let worth = Money(dice.choose(&[2_000_000, 0, 40_000_000]));
    let skill = Requirement { skill: SkillKey(dice.choose(&[0, 1])), proficiency: dice.choose(&[1, 5]) };
    if dice.one_in(4) { vec![BetterWith { skill, worth }] } else { Vec::new() }
}

fn route(dice: &mut Dice, queue: QueueKey, line: &[QueueKey], queues: u16) -> Route {
    let mut relaxation = Vec::new();
    let mut after_ms = 0;
    for _ in 0..dice.choose(&[0, 0, 1, 2, 3]) {
        after_ms += dice.choose(&[5_000, 0, 20_000, 60_000]);
        relaxation.push(Relaxation { after_ms, needs: needs(dice) });
    }
    let last_after_ms = after_ms + dice.choose(&[10_000, 0, 60_000, 300_000]);
    let exit = if dice.one_in(2) { Exit::Keep } else { exit(dice, line, queues) };
    Route {
        queue,
        needs: needs(dice),
        better_with: better_with(dice),
        relaxation,
        last_step: LastStep { after_ms: last_after_ms, exit },
        overflow: (0..dice.choose(&[0, 0, 1, 2])).map(|_| overflow(dice, line, queues)).collect(),
        when_closed: exit_or(dice, Exit::Refuse, line, queues),
        at_closing: exit_or(dice, Exit::Keep, line, queues),
        declines_max: dice.choose(&[10, 10, 3, 1, 0]),
        max_wait_ms: dice.choose(&[None, None, Some(30_000), Some(90_000), Some(0)]),
        expected_handle_ms: dice.choose(&[180_000, 60_000, 600_000]),
    }
}

fn exit_or(dice: &mut Dice, usual: Exit, line: &[QueueKey], queues: u16) -> Exit {
    if dice.one_in(2) { usual } else { exit(dice, line, queues) }
}

fn exit(dice: &mut Dice, line: &[QueueKey], queues: u16) -> Exit {
    match dice.of(7) {
        0 => Exit::Keep,
        1 => Exit::Callback { within_ms: dice.choose(&[0, 60_000, 600_000]) },
        2 => Exit::SendAway { destination: "voicemail".into() },
        3 => Exit::Refuse,
        4 => Exit::Queue(any_queue(dice, queues)),
        _ => Exit::Queue(dice.choose(line)),
    }
}

fn overflow(dice: &mut Dice, line: &[QueueKey], queues: u16) -> Overflow {
    let when = (0..dice.choose(&[1, 1, 1, 2])).map(|_| condition(dice)).collect();
    let to = (0..dice.choose(&[1, 1, 2]))
        .map(|_| if dice.one_in(6) { any_queue(dice, queues) } else { dice.choose(line) })
        .collect();
    Overflow { when, to }
}

fn condition(dice: &mut Dice) -> Condition {
    match dice.of(6) {
        0 => Condition::Waiting { at_least: dice.of(4) },
        1 => Condition::LongestWait { at_least_ms: dice.choose(&[0, 10_000, 60_000]) },
        2 => Condition::EstimatedWait { at_least_ms: dice.choose(&[0, 60_000, 400_000]) },
        3 => Condition::ServiceLevel { below_ppm: dice.choose(&[500_000, 800_000, 1_000_001]) },
        4 => Condition::FreeAgents { at_most: dice.of(3) },
        _ => Condition::Closed,
    }
}

fn needs(dice: &mut Dice) -> Vec<Needs> {
    let ways = dice.choose(&[1, 1, 1, 2]);
    (0..ways).map(|_| one_way(dice)).collect()
}

fn one_way(dice: &mut Dice) -> Needs {
    let groups = match dice.of(12) {
        0 => {
            let mut groups = vec![group_key(dice), group_key(dice)];
            groups.sort();
            groups.dedup();
            groups
        }
        1 => vec![group_key(dice)],
        _ => Vec::new(),
    };
    Needs { requirements: requirements(dice), groups }
}

fn requirements(dice: &mut Dice) -> Vec<Requirement> {
    let need = |skill, proficiency| Requirement { skill: SkillKey(skill), proficiency };
    match dice.of(48) {
        0..24 => Vec::new(),
        24..30 => vec![need(0, 1)],
        30..34 => vec![need(0, 4)],
        34..39 => vec![need(1, 2)],
        39..42 => vec![need(0, 2), need(1, 1)],
        42..44 => vec![need(1, 10)],
        44..47 => vec![need(0, 9)],
        _ => vec![need(9, 1)],
    }
}

/// What might have been learned by now, mostly of what there is.
pub fn learned(now: Time, agents: u32, seeds: [u32; 3]) -> Parameters {
    let mut dice = Dice::new(seeds);
    let queue = QueueKey(dice.choose(&[0, 0, 1, 1, 60]));
    let resolution = Part::thousandths(dice.choose(&[500, 900, 1_000]));
    let estimate = Estimate { queue, handle_ms: dice.choose(&[60_000, 240_000]), resolution };
    let known = agents.max(1) + u32::from(dice.one_in(20));
    let agent = AgentKey(dice.of(known));
    let (patience_ms, handle_ms) = (dice.choose(&[300_000, 1, 20_000]), dice.choose(&[180_000, 30_000]));
    Parameters {
        version: if dice.one_in(10) { 1 } else { now.0 },
        agents: vec![AgentParameters { agent, estimates: vec![estimate] }],
        queues: vec![QueueParameters { queue, patience_ms, handle_ms }],
        pools: vec![PoolParameters {
            pool: PoolKey(0),
            load: Part::thousandths(dice.choose(&[0, 700, 1_000])),
        }],
    }
}
