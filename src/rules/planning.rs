//! From a document, a floor and what is known of an interaction to its plan: a route for the queue it enters, and one
//! for every queue that overflow and exits may lead to from there. Equal inputs give equal plans.

use super::compiled::Applied;
use super::document::{Better, Leave, OverflowRule, Same, When};
use super::names::Names;
use super::needs::Demand;
use super::repeats;
use super::section::Layers;
use super::validate::OVERFLOW_MAX;
use super::values::Limit;
use crate::engine::channel::Channel;
use crate::engine::circumstances::Wish;
use crate::engine::fixed::{Part, half_after};
use crate::engine::ids::{AgentKey, QueueKey};
use crate::engine::money::Money;
use crate::engine::plan::{CallbackTerms, Duplicates, Facts, Familiar, Plan, Preferred, TransferTerms};
use crate::engine::route::{BetterWith, Condition, Exit, LastStep, Overflow, ROUTES_MAX, Route};
use crate::engine::skill::Requirement;
use crate::engine::stakes::costs_of_waiting;
use std::sync::Arc;

/// What is known of an interaction when it is planned.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub channel: Channel,
    /// The queue it is meant for. In use on the floor.
    pub queue: QueueKey,
    pub facts: &'a Facts,
    /// What the interaction itself asks for; rides on every route.
    pub requirements: &'a [Requirement],
    /// The agent the source names, and on which terms.
    pub wish: Option<Wish>,
    /// Who served the customer last.
    pub last: Option<Served>,
    /// The rules that apply, as `RuleSet::judge` says.
    pub applied: &'a [Applied],
    /// Somebody sends it there: no rule leads it elsewhere.
    pub queue_is_final: bool,
}

/// An agent who served a customer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Served {
    pub agent: AgentKey,
    /// So long ago, ms.
    pub ago_ms: u64,
}

impl<'a> Asked<'a> {
    /// Nothing but a queue.
    pub fn plain(channel: Channel, queue: QueueKey, facts: &'a Facts) -> Asked<'a> {
        Asked {
            channel,
            queue,
            facts,
            requirements: &[],
            wish: None,
            last: None,
            applied: &[],
            queue_is_final: false,
        }
    }
}

/// Whoever comes again and again about the same matter may be planned for another queue, with more behind them.
pub(super) fn plan(names: Names, asked: &Asked) -> Plan {
    let names = names.entering(asked.queue);
    let Some(step) = repeats::step(names, asked) else { return plan_as_asked(names, asked) };
    let (queue, requirements) = (step.queue(names, asked), step.requirements(names, asked));
    let there = Asked { queue, requirements: &requirements, ..*asked };
    let mut plan = plan_as_asked(names.entering(queue), &there);
    step.raise(&mut plan);
    if queue != asked.queue {
        keep_a_way_back(names, &Asked { requirements: &requirements, ..*asked }, &mut plan);
    }
    plan
}

/// If the queue that rules or repeats lead to is closed or full, it is the queue that was asked for: nobody is turned away for
/// having come again, or for what a rule says.
pub(super) fn keep_a_way_back(names: Names, asked: &Asked, plan: &mut Plan) {
    let mut routes = plan.routes.to_vec();
    let there = routes.iter().any(|route| route.queue == asked.queue);
    if routes[0].overflow.len() >= OVERFLOW_MAX || (!there && routes.len() >= ROUTES_MAX) {
        return;
    }
    routes[0].overflow.push(Overflow { when: vec![Condition::Closed], to: vec![asked.queue] });
    if !there {
        routes.push(Route { overflow: Vec::new(), ..route(names, asked, asked.queue) });
    }
    plan.routes = routes.into();
}

fn plan_as_asked(names: Names, asked: &Asked) -> Plan {
    let layers = names.layers(asked.queue);
    let transfers = transfers(names, layers, asked.queue);
    Plan {
        rule_set: names.document.version,
        routes: routes(names, asked, transfers.beyond).into(),
        priority: asked.facts.priority.saturating_add(layers.first(|section| section.priority).unwrap_or(0)),
        head_start_ms: layers.first(|section| section.head_start).map_or(0, |head_start| head_start.0),
        weight: layers.first(|section| section.weight).map_or(Part::ONE, |weight| weight.0),
        goals: layers.goals(asked.channel),
        preferred: preferred(names, layers, asked),
        familiar: familiar(layers, asked),
        by_due: asked.facts.due.is_some(),
        deadline_ms: None,
        duplicates: duplicates(layers),
        callback: call_back(layers),
        transfers,
        hops_max: layers.first(|section| section.hops_max).expect("the built-in document has a hop limit"),
        instructions: Arc::default(),
        tags: Arc::default(),
    }
}

/// Breadth first, so that the nearest are there should there ever be too many.
fn routes(names: Names, asked: &Asked, beyond: Option<QueueKey>) -> Vec<Route> {
    let mut queues: Vec<QueueKey> = std::iter::once(asked.queue).chain(beyond).collect();
    let mut routes: Vec<Route> = Vec::new();
    while let Some(queue) = queues.get(routes.len()).copied() {
        let route = route(names, asked, queue);
        for next in leads_to(&route) {
            if queues.len() < ROUTES_MAX && !queues.contains(&next) {
                queues.push(next);
            }
        }
        routes.push(route);
    }
    routes
}

fn leads_to(route: &Route) -> impl Iterator<Item = QueueKey> {
    let exits = [&route.last_step.exit, &route.when_closed, &route.at_closing];
    let exits = exits.into_iter().filter_map(|exit| match exit {
        Exit::Queue(queue) => Some(*queue),
        _ => None,
    });
    route.overflow.iter().flat_map(|rule| rule.to.iter().copied()).chain(exits)
}

fn route(names: Names, asked: &Asked, queue: QueueKey) -> Route {
    let (layers, channel) = (names.layers(queue), asked.channel);
    let refuses = asked.facts.journey.as_ref().is_some_and(|journey| journey.refuses_calls);
    let demand = Demand::new(names, layers, queue, asked.requirements);
    let needs = demand.needs();
    let (steps, last) = layers.relaxation();
    let overflow = layers.overflow().iter().filter_map(|rule| overflow(names, rule, queue));
    let closed = layers.exits(channel, |section| &section.when_closed);
    let closing = layers.exits(channel, |section| &section.at_closing);
    let max_wait = layers.by_channel(channel, |section| &section.max_wait);
    let expected = layers.by_channel(channel, |section| &section.expected_handle);
    Route {
        queue,
        needs,
        better_with: better_with(names, layers, channel),
        relaxation: demand.relax(steps),
        last_step: last.map_or_else(LastStep::keep, |last| {
            let exit = exit(names, &last.then, queue, refuses).unwrap_or(Exit::Keep);
            let after_ms = last.after.filter(|_| exit != Exit::Keep).map_or(0, |after| after.0);
            LastStep { after_ms, exit }
        }),
        overflow: overflow.collect(),
        when_closed: first_exit(names, closed, queue, refuses).unwrap_or(Exit::Refuse),
        at_closing: first_exit(names, closing, queue, refuses).unwrap_or(Exit::Keep),
        declines_max: layers
            .first(|section| section.declines_max)
            .expect("the built-in document limits declines"),
        max_wait_ms: max_wait.and_then(|Limit(ms)| *ms),
        expected_handle_ms: expected.expect("the built-in document expects some time of handling").0,
    }
}

fn better_with(names: Names, layers: Layers, channel: Channel) -> Vec<BetterWith> {
    let goals = layers.goals(channel);
    let one = |(skill, better): (&String, &Better)| {
        let proficiency = better.proficiency.map_or(1, |level| level.0);
        let worth = match better.worth {
            Some(worth) => worth.0,
            None => costs_of_waiting(&goals, better.after.map_or(0, |after| after.0)),
        };
        Some(BetterWith { skill: Requirement { skill: names.skill(skill)?, proficiency }, worth })
    };
    let mut all: Vec<BetterWith> = layers.better_with().into_iter().flatten().filter_map(one).collect();
    all.sort_unstable();
    all
}

/// The first that can be taken.
fn first_exit<'a>(
    names: Names,
    mut exits: impl Iterator<Item = &'a Leave>,
    queue: QueueKey,
    refuses_calls: bool,
) -> Option<Exit> {
    exits.find_map(|leave| exit(names, leave, queue, refuses_calls))
}

/// As an exit of this queue; `None` where it cannot be taken: the other queue is not there, or it is this one, or the customer
/// does not want to be called.
fn exit(names: Names, leave: &Leave, queue: QueueKey, refuses_calls: bool) -> Option<Exit> {
    Some(match leave {
        Leave::Keep => Exit::Keep,
        Leave::Refuse => Exit::Refuse,
        Leave::Queue(other) => Exit::Queue(names.queue(other).filter(|other| *other != queue)?),
        Leave::CallBackWithin(_) if refuses_calls => return None,
        Leave::CallBackWithin(within) => Exit::Callback { within_ms: within.0 },
        Leave::SendAway(destination) => Exit::SendAway { destination: destination.as_str().into() },
    })
}

fn overflow(names: Names, rule: &OverflowRule, queue: QueueKey) -> Option<Overflow> {
    let mut to = Vec::with_capacity(rule.to.len());
    for other in rule.to.iter().filter_map(|other| names.queue(other)) {
        if other != queue && !to.contains(&other) {
            to.push(other);
        }
    }
    (!to.is_empty()).then(|| Overflow { when: conditions(&rule.when), to })
}

fn conditions(when: &When) -> Vec<Condition> {
    let ms = |duration: super::values::Duration| duration.0;
    let all = [
        when.closed.filter(|closed| *closed).map(|_| Condition::Closed),
        when.waiting.map(|at_least| Condition::Waiting { at_least }),
        when.longest_wait.map(ms).map(|at_least_ms| Condition::LongestWait { at_least_ms }),
        when.service_level_below.map(|share| Condition::ServiceLevel { below_ppm: share.0 }),
        when.free_agents_at_most.map(|at_most| Condition::FreeAgents { at_most }),
        // The dearest to judge comes last.
        when.estimated_wait.map(ms).map(|at_least_ms| Condition::EstimatedWait { at_least_ms }),
    ];
    all.into_iter().flatten().collect()
}

/// The plan depends on who served the customer last: that agent is waited for, or is worth more.
pub(super) fn asks_for_last_agent(names: Names, asked: &Asked) -> bool {
    let names = names.entering(asked.queue);
    let queue = repeats::step(names, asked).map_or(asked.queue, |step| step.queue(names, asked));
    let names = names.entering(queue);
    let (layers, anybody) = (names.layers(queue), Some(Served::default()));
    if layers.first(|section| section.familiar.as_ref()).is_some() {
        return true;
    }
    let without = preferred(names, layers, &Asked { last: None, ..*asked });
    without.is_none() && preferred(names, layers, &Asked { last: anybody, ..*asked }).is_some()
}

/// The agent the source names comes before the one a rule names, and that before the one who served the customer last.
fn preferred(names: Names, layers: Layers, asked: &Asked) -> Option<Preferred> {
    let named = asked
        .wish
        .map(|wish| wish.agent)
        .zip(layers.budget(asked.channel, |section| section.preferred_agent.as_ref()));
    let last = asked
        .last
        .map(|served| served.agent)
        .zip(layers.budget(asked.channel, |section| section.last_agent.as_ref()));
    let found = |(agent, (budget_ms, overdraw))| Preferred { agent, budget_ms, overdraw };
    let planned = named.map(found).or(names.ruled.preferred).or(last.map(found))?;
    Some(match asked.wish.filter(|wish| wish.agent == planned.agent) {
        // The source's own terms go before those of the rules.
        Some(wish) => Preferred {
            budget_ms: wish.budget_ms.unwrap_or(planned.budget_ms),
            overdraw: planned.overdraw || wish.overdraw,
            ..planned
        },
        None => planned,
    })
}

/// What it is worth halves with each half-life.
fn familiar(layers: Layers, asked: &Asked) -> Option<Familiar> {
    let (served, terms) = asked.last.zip(layers.first(|section| section.familiar.as_ref()))?;
    let worth = Money(half_after(terms.half_life.0, served.ago_ms).of(terms.worth.0.0));
    (worth.0 > 0).then_some(Familiar { agent: served.agent, worth })
}

fn duplicates(layers: Layers) -> Duplicates {
    match layers.first(|section| section.duplicates).unwrap_or(Same::KeepBoth) {
        Same::KeepBoth => Duplicates::KeepBoth,
        Same::Attach => Duplicates::Attach,
        Same::Replace => Duplicates::Replace,
    }
}

fn call_back(layers: Layers) -> CallbackTerms {
    let terms = layers.first(|section| section.call_back.as_ref());
    let terms = terms.expect("the built-in document says how customers are called back");
    CallbackTerms { attempts_max: terms.attempts_max, retry_ms: terms.retry_after.0 }
}

fn transfers(names: Names, layers: Layers, queue: QueueKey) -> TransferTerms {
    let terms = layers.first(|section| section.transfers.as_ref());
    let terms = terms.expect("the built-in document limits transfers");
    let beyond = terms.beyond.as_deref().and_then(|beyond| names.queue(beyond));
    TransferTerms { max: terms.max, beyond: beyond.filter(|beyond| *beyond != queue) }
}
