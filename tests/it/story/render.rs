//! Says what happened, one line an event, in the words of the house. Below an offer or a wait stands its why: each
//! agent who was looked at, with the one reason.

use super::world::{START, World};
use baton::engine::agent::Presence;
use baton::engine::command::{Answer, Refusal};
use baton::engine::event::{AbandonCause, EndedBy, Event, RescindCause, Stamped};
use baton::engine::explain::{Decision, chosen_sentence, exclusion_sentence};
use baton::engine::floor::Kind;
use baton::engine::ids::{AgentKey, InteractionId, OfferId, QueueKey, Text};
use baton::engine::interaction::State;
use baton::engine::time::Time;

/// What is told of events; an admission says nothing of its own.
pub fn events(world: &World, events: &[Stamped]) -> Vec<String> {
    let mut told = Vec::new();
    for stamped in events {
        let Some(text) = event(world, &stamped.event) else { continue };
        let time = seconds(stamped.time);
        told.push(format!("{time} {text}"));
        let indent = " ".repeat(time.len() + 1);
        told.extend(why(world, &stamped.event).into_iter().map(|line| format!("{indent}{line}")));
    }
    told
}

/// A refusal in its own words.
pub fn refused(world: &World, refusal: &Refusal) -> String {
    format!("{} refused: {}", seconds(world.shard.now()), with_story_times(refusal))
}

/// An answer that nothing happened for.
pub fn answered(world: &World, answer: Answer) -> Option<String> {
    let text = match answer {
        Answer::Done | Answer::Defined { .. } | Answer::SessionOpened { .. } => "nothing changes".to_owned(),
        Answer::Admitted { interaction, .. } => {
            format!("the first answer again: {}", name(world, interaction))
        }
        Answer::Accepted { assignment, interaction } => {
            format!("the first answer again: a{assignment}, {}", name(world, interaction))
        }
        Answer::Cancelled { state } => format!("nothing changes: it is {}", state_word(state)),
    };
    Some(format!("{} {text}", seconds(world.shard.now())))
}

/// Each agent of the floor as a candidate for an interaction now.
pub fn judged(world: &World, interaction: InteractionId) -> Vec<String> {
    let Some(subject) = world.shard.interaction(interaction) else {
        return vec!["there is no such interaction".into()];
    };
    let mut told = vec![match world.shard.wait_reason(interaction) {
        Some(reason) => format!("{} waits: {}", name(world, interaction), reason.sentence()),
        None => format!("{} is {}", name(world, interaction), state_word(subject.state)),
    }];
    for candidate in world.shard.judge(interaction) {
        let reason = candidate
            .exclusion
            .map_or("could take it".into(), |exclusion| exclusion_sentence(exclusion, world.shard.floor()));
        told.push(format!("  {}  {reason}", agent(world, candidate.agent)));
    }
    told
}

/// Who waits, first served first.
pub fn line(world: &World, queue: QueueKey) -> Vec<String> {
    let waiting: Vec<&str> =
        world.shard.lines().in_order(queue).into_iter().map(|id| name(world, id)).collect();
    let waiting = if waiting.is_empty() { "nobody".into() } else { waiting.join(", ") };
    vec![format!("{} holds {waiting}", queue_name(world, queue))]
}

/// A queue's counters.
pub fn books(world: &World, queue: QueueKey) -> Vec<String> {
    let books = world.shard.tally().of(queue);
    let waiting = world.shard.lines().waiting(queue);
    let mut lines = vec![
        format!(
            "{}: entered {} = answered {} + abandoned {} + cancelled {} + waiting {waiting} + offered {}",
            queue_name(world, queue),
            books.entered,
            books.answered,
            books.abandoned,
            books.cancelled,
            books.offered,
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
    if books.returned > 0 || books.left_after_answer > 0 {
        lines.push(format!(
            "  answered and in line again {}, left from there {}",
            books.returned, books.left_after_answer
        ));
    }
    lines
}

fn event(world: &World, event: &Event) -> Option<String> {
    Some(match event {
        Event::Admitted(_) => return None,
        Event::Restarted { down_to, .. } => format!("restarted: away until {}", seconds(*down_to)),
        Event::Defined { name, definition, .. } => format!("defined {} {name}", definition.kind().word()),
        Event::Removed { kind, key } => format!("removed {} {}", kind.word(), removed(world, *kind, *key)),
        Event::SessionOpened { agent: key, .. } => format!("{} connected", agent(world, *key)),
        Event::SessionLost { agent: key } => format!("{} lost the connection", agent(world, *key)),
        Event::PresenceChanged { agent: key, presence, reason } => {
            format!("{} {}", agent(world, *key), presence_words(*presence, reason))
        }
        Event::PresencePending { agent: key, presence, reason } => {
            format!("{} wants to be {}", agent(world, *key), presence_words(*presence, reason))
        }
        Event::Responding { agent: key } => format!("{} responds again", agent(world, *key)),
        Event::Waits { interaction, decision } => {
            let reason = decision.wait_reason.map_or("for no reason", |reason| reason.sentence());
            format!("{} waits: {reason}", name(world, *interaction))
        }
        Event::Offered { offer, interaction, agent: key, expires, .. } => format!(
            "offer o{offer}: {} -> {}, open until {}",
            name(world, *interaction),
            agent(world, *key),
            seconds(*expires)
        ),
        Event::Accepted { offer, assignment } => {
            format!("accepted o{offer}: a{assignment}, {}", pair(world, *offer))
        }
        Event::Declined { offer, reason, cools_down_until } => format!(
            "declined o{offer}{}: {} cool down until {}",
            with(reason),
            pair(world, *offer),
            seconds(*cools_down_until)
        ),
        Event::Expired { offer, not_responding: true } => {
            format!("expired o{offer}: {}, who is not responding now", pair(world, *offer))
        }
        Event::Expired { offer, not_responding: false } => {
            format!("expired o{offer}: {}, who stays available", pair(world, *offer))
        }
        Event::Rescinded { offer, cause } => {
            format!("rescinded o{offer}: {}, {}", pair(world, *offer), rescind_words(*cause))
        }
        Event::CooledDown { interaction, agent: key } => {
            format!("cooled down: {} and {}", name(world, *interaction), agent(world, *key))
        }
        Event::ConversationEnded { assignment, by, disposition, wrap_up_until } => {
            let then =
                wrap_up_until.map_or("no wrap-up".into(), |at| format!("wrap-up until {}", seconds(at)));
            format!("ended a{assignment}{} by {}: {then}", with(disposition), by_words(*by))
        }
        Event::WrapUpEnded { assignment, by } => format!("wrapped up a{assignment} by {}", by_words(*by)),
        Event::Abandoned { interaction, cause } => {
            let cause = match cause {
                AbandonCause::CustomerLeft => "the customer left",
                AbandonCause::SourceLost => "the source is lost",
            };
            format!("abandoned {}: {cause}", name(world, *interaction))
        }
        Event::Cancelled { interaction } => format!("cancelled {}: withdrawn", name(world, *interaction)),
        Event::Closed { interaction } => format!("closed {}", name(world, *interaction)),
        Event::SourceOpened { source } => format!("source {source} connected"),
        Event::SourceLost { source } => format!("source {source} lost the connection"),
        Event::AssignmentLost { assignment } => {
            format!("lost a{assignment}: its agent did not come back, the customer is in line again")
        }
        Event::Identified { interaction, customer } => {
            format!("identified {}: customer {customer}", name(world, *interaction))
        }
    })
}

fn why(world: &World, event: &Event) -> Vec<String> {
    match event {
        Event::Offered { interaction, agent: key, decision, .. } => {
            let mut lines = vec![format!(
                "{}  chosen: {}",
                agent(world, *key),
                chosen(world, *interaction, *key, decision)
            )];
            lines.extend(others(world, decision));
            let rivals = decision.rivals.iter();
            lines.extend(rivals.map(|rival| {
                format!(
                    "{}  waits on: score {} < {}",
                    name(world, rival.interaction),
                    rival.score,
                    decision.score
                )
            }));
            lines
        }
        Event::Waits { decision, .. } => others(world, decision),
        _ => Vec::new(),
    }
}

fn chosen(world: &World, interaction: InteractionId, key: AgentKey, decision: &Decision) -> String {
    let subject = world.shard.interaction(interaction).expect("what is offered exists");
    chosen_sentence(decision, key, &subject.plan.requirements, world.shard.floor())
}

fn others(world: &World, decision: &Decision) -> Vec<String> {
    let excluded =
        decision.agents.iter().filter_map(|one| one.exclusion.map(|exclusion| (one.agent, exclusion)));
    excluded
        .map(|(key, exclusion)| {
            format!("{}  {}", agent(world, key), exclusion_sentence(exclusion, world.shard.floor()))
        })
        .collect()
}

fn presence_words(presence: Presence, reason: &Text) -> String {
    let word = match presence {
        Presence::Available => "available",
        Presence::OnBreak => "on break",
        Presence::SignedOut => "signed out",
    };
    format!("{word}{}", with(reason))
}

fn rescind_words(cause: RescindCause) -> &'static str {
    match cause {
        RescindCause::CustomerLeft => "the customer left",
        RescindCause::Withdrawn => "it was withdrawn",
        RescindCause::AgentUnavailable => "the agent is unavailable",
        RescindCause::SessionLost => "the agent's connection is lost",
        RescindCause::EngineRestart => "we restarted",
        RescindCause::SourceLost => "the source is lost",
    }
}

fn by_words(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Agent => "the agent",
        EndedBy::Customer => "the customer",
        EndedBy::Source => "the source",
        EndedBy::Clock => "the clock",
    }
}

fn state_word(state: State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Offered => "offered",
        State::Handling => "in conversation",
        State::WrappingUp => "in wrap-up",
        State::Closed => "closed",
        State::Abandoned => "abandoned",
        State::Cancelled => "cancelled",
    }
}

fn with(detail: &Text) -> String {
    if detail.is_empty() { String::new() } else { format!(" ({detail})") }
}

/// An offer that ended is still known, with its pair.
fn pair(world: &World, offer: OfferId) -> String {
    let ended = world.shard.ended_offer(offer).expect("an offer that just ended is remembered");
    format!("{} and {}", name(world, ended.interaction), agent(world, ended.agent))
}

fn name(world: &World, interaction: InteractionId) -> &str {
    world.names.get(&interaction).map_or("?", String::as_str)
}

fn agent(world: &World, key: AgentKey) -> &str {
    world.shard.floor().agents.get(key.0).map_or("?", |entry| &entry.name)
}

fn queue_name(world: &World, key: QueueKey) -> &str {
    world.shard.floor().queues.get(u32::from(key.0)).map_or("?", |entry| &entry.name)
}

fn removed(world: &World, kind: Kind, key: u32) -> Text {
    let floor = world.shard.floor();
    let name = match kind {
        Kind::Pool => floor.pools.get(key).map(|entry| entry.name.clone()),
        Kind::Skill => floor.skills.get(key).map(|entry| entry.name.clone()),
        Kind::Queue => floor.queues.get(key).map(|entry| entry.name.clone()),
        Kind::Agent => floor.agents.get(key).map(|entry| entry.name.clone()),
    };
    name.expect("what was removed has been there")
}

/// Seconds and ms since the story began.
fn seconds(time: Time) -> String {
    let ms = time.since(START);
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// The times in a refusal are those of the engine; a story counts from its beginning.
fn with_story_times(refusal: &Refusal) -> String {
    match *refusal {
        Refusal::DuePast { due_ms, now_ms } => {
            format!("the deadline {} is already past, it is {}", seconds(Time(due_ms)), seconds(Time(now_ms)))
        }
        _ => refusal.to_string(),
    }
}
