//! Questions a story asks without changing anything: who could take it, who waits, what the books say.

use super::render::{agent, name, part, presence_words, queue, seconds, wanted_words};
use super::world::{Told, World};
use baton::engine::agent::{Agent, Liveness, RoutingState};
use baton::engine::explain::exclusion_sentence;
use baton::engine::ids::{InteractionId, QueueKey};
use baton::engine::interaction::{Part, State};

/// Each agent of the floor as a candidate for an interaction now.
pub fn judged(world: &World, interaction: InteractionId) -> Vec<String> {
    let Some(subject) = world.shard.interaction(interaction) else {
        return vec!["there is no such interaction".into()];
    };
    let mut told = vec![match world.shard.wait_reason(interaction) {
        Some(reason) => format!("{} waits: {}", name(world, interaction), reason.sentence()),
        None => format!("{} is {}", name(world, interaction), subject.state.word()),
    }];
    for candidate in world.shard.judge(interaction) {
        let reason = candidate
            .exclusion
            .map_or("could take it".into(), |exclusion| exclusion_sentence(exclusion, world.shard.floor()));
        told.push(format!("  {}  {reason}", agent(world, candidate.agent)));
    }
    told
}

/// Who waits, first served first. Those who wait for one agent alone stand in a line of their own.
pub fn line(world: &World, key: QueueKey) -> Vec<String> {
    let mut waiting: Vec<_> = world
        .shard
        .lines()
        .by_entry(key)
        .filter_map(|id| world.shard.interaction(id))
        .map(|one| (baton::engine::score::place(one), one))
        .collect();
    waiting.sort_by_key(|(place, _)| *place);
    let alone = |one: &baton::engine::interaction::Interaction| {
        one.wanted.map(|wanted| format!(" (for {})", agent(world, wanted.agent))).unwrap_or_default()
    };
    let waiting: Vec<String> =
        waiting.iter().map(|(_, one)| format!("{}{}", name(world, one.id), alone(one))).collect();
    let waiting = if waiting.is_empty() { "nobody".into() } else { waiting.join(", ") };
    vec![format!("{} holds {waiting}", queue(world, key))]
}

/// A queue's counters. What is zero is left out but for the usual ones.
pub fn books(world: &World, key: QueueKey) -> Vec<String> {
    let books = world.shard.tally().of(key);
    let rare = |sign: &str, counts: &[(&str, u64)]| -> String {
        let told = counts.iter().filter(|(_, count)| *count > 0);
        told.map(|(word, count)| format!(" {sign} {word} {count}")).collect()
    };
    let mut lines = vec![
        format!(
            "{}: entered {}{} = answered {} + abandoned {} + cancelled {}{} + waiting {} + offered {}{}",
            queue(world, key),
            books.entered,
            rare("+", &[("moved in", books.moved_in), ("transferred in", books.transferred_in)]),
            books.answered,
            books.abandoned,
            books.cancelled,
            rare(
                "+",
                &[
                    ("timed out", books.timed_out),
                    ("sent away", books.sent_away),
                    ("moved out", books.moved_out),
                    ("scheduled", books.scheduled.into()),
                ]
            ),
            books.waiting,
            books.offered,
            rare("-", &[("back in line", books.returned.into())]),
        ),
        format!(
            "  offers: accepted {}, declined {}, expired {}, rescinded {}; short abandons {}",
            books.offers_accepted,
            books.offers_declined,
            books.offers_expired,
            books.offers_rescinded,
            books.short_abandoned,
        ),
    ];
    let more = [
        ("left after an answer", books.left_after_answer),
        ("connections failed", books.connects_failed),
        ("connections assumed", books.connects_assumed),
        ("windows missed", books.windows_missed),
    ];
    let more: Vec<String> =
        more.iter().filter(|(_, count)| *count > 0).map(|(word, count)| format!("{word} {count}")).collect();
    if !more.is_empty() {
        lines.push(format!("  {}", more.join(", ")));
    }
    lines
}

/// An agent, or an interaction, as it is now.
pub fn shown(world: &World, word: &str) -> Told {
    if let Some(key) = world.shard.floor().agents.key(word) {
        return Ok(vec![agent_now(world, &world.shard.agents()[key as usize])]);
    }
    let id = world.called(word).ok_or(format!("nobody and nothing is called {word}"))?;
    Ok(interaction_now(world, id))
}

fn agent_now(world: &World, known: &Agent) -> String {
    let liveness = match known.liveness {
        Liveness::Offline => "not connected",
        Liveness::Live => "connected",
        Liveness::Lost => "connection lost",
    };
    let state = match known.routing_state() {
        RoutingState::Idle => "idle",
        RoutingState::Ringing => "ringing",
        RoutingState::Handling => "handling",
        RoutingState::WrappingUp => "wrapping up",
        RoutingState::NotResponding => "not responding",
    };
    let (units, used) = (i64::from(world.shard.capacity_of(known.key).units), i64::from(known.ledger.used()));
    let rest = known.interrupted.len();
    let interrupted = if rest > 0 { format!("; {rest} interrupted") } else { String::new() };
    format!(
        "{} is {}, {liveness}, {state}; balance {} of {units}, idle since {}{interrupted}",
        agent(world, known.key),
        presence_words(known.presence, &known.reason),
        units - used,
        seconds(world, known.idle_since),
    )
}

fn interaction_now(world: &World, id: InteractionId) -> Vec<String> {
    let Some(subject) = world.shard.interaction(id) else { return vec!["it is forgotten".into()] };
    let mut first = format!(
        "{} is {} in {}, entered {}, back in line {} times",
        name(world, id),
        subject.state.word(),
        queue(world, subject.queue()),
        seconds(world, subject.entered),
        subject.requeues,
    );
    if let Some(wanted) = subject.wanted {
        first += &format!(", {}", wanted_words(world, wanted));
    }
    if let Some(estimate) = world.shard.estimate(id) {
        let wait = estimate.wait_ms.map_or("unknown".into(), |ms| format!("{} s", ms / 1000));
        first += &format!("; position {}, estimated wait {wait}", estimate.position);
    }
    let mut lines = vec![first];
    for assignment in subject.assignments.iter().filter(|_| subject.state != State::Closed) {
        let known = world.shard.assignment(*assignment).expect("an open interaction's parts are there");
        let role = match (known.wrap_up_until, known.part) {
            (Some(_), _) => "wraps up",
            _ if known.interrupted => "is interrupted",
            (None, Part::Owner) => "serves the customer",
            (None, Part::Consultant) => "advises",
            (None, Part::Member) => "is in the conversation",
        };
        lines.push(format!("  {} {role}", part(world, *assignment)));
    }
    lines
}
