//! Says what happened, one line an event, in the words of the house. Below an offer or a wait stands its why: each
//! agent who was looked at, with the one reason.

use super::happened;
use super::world::World;
use baton::engine::agent::Presence;
use baton::engine::command::{Answer, Refusal};
use baton::engine::event::{Event, Stamped};
use baton::engine::explain::{Decision, Exclusion, chosen_sentence, exclusion_sentence};
use baton::engine::floor::Kind;
use baton::engine::ids::{
    AgentKey, AssignmentId, HoursKey, InteractionId, OfferId, QueueKey, Sequence, SkillKey, Text,
};
use baton::engine::interaction::{Part, Wanted, WantedBy};
use baton::engine::time::Time;

/// What is told of events; an admission says nothing of its own.
pub fn events(world: &World, events: &[Stamped]) -> Vec<String> {
    let mut told = Vec::new();
    for stamped in events {
        let Some(text) = happened::event(world, &stamped.event) else { continue };
        let time = seconds(world, stamped.time);
        told.push(format!("{time} {text}"));
        let indent = " ".repeat(time.len() + 1);
        told.extend(why(world, stamped).into_iter().map(|line| format!("{indent}{line}")));
    }
    told
}

/// A refusal in its own words.
pub fn refused(world: &World, refusal: &Refusal) -> String {
    format!("{} refused: {}", seconds(world, world.shard.now()), with_story_times(world, refusal))
}

/// An answer that nothing happened for.
pub fn answered(world: &World, answer: Answer) -> String {
    let text = match answer {
        Answer::Done | Answer::Defined { .. } | Answer::SessionOpened { .. } => "nothing changes".to_owned(),
        Answer::Admitted { interaction, .. } | Answer::Attached { interaction } => {
            format!("the first answer again: {}", name(world, interaction))
        }
        Answer::Accepted { assignment, interaction } => {
            format!("the first answer again: a{assignment}, {}", name(world, interaction))
        }
        Answer::CallbackPlanned { interaction } => {
            format!("nothing changes: {} is to be called back", name(world, interaction))
        }
        Answer::Cancelled { state } => format!("nothing changes: it is {}", state.word()),
    };
    format!("{} {text}", seconds(world, world.shard.now()))
}

fn why(world: &World, stamped: &Stamped) -> Vec<String> {
    match &stamped.event {
        Event::Offered { interaction, agent: key, part, decision, .. } => {
            let chosen = chosen(world, *interaction, *key, *part, decision);
            let mut lines = vec![format!("{}  chosen: {chosen}", agent(world, *key))];
            lines.extend(others(world, decision, stamped.sequence));
            let rivals = decision.rivals.iter();
            lines.extend(rivals.map(|rival| {
                let (other, theirs, own) = (name(world, rival.interaction), rival.score, decision.score);
                match theirs < own {
                    true => format!("{other}  waits on: score {theirs} < {own}"),
                    false => format!("{other}  waits on: score {theirs}, behind it in line"),
                }
            }));
            lines
        }
        Event::Waits { decision, .. } => others(world, decision, stamped.sequence),
        _ => Vec::new(),
    }
}

fn chosen(
    world: &World,
    interaction: InteractionId,
    key: AgentKey,
    part: Part,
    decision: &Decision,
) -> String {
    let subject = world.shard.interaction(interaction).expect("what is offered exists");
    // A second agent's needs are those of the search, which may be over by the time it is told.
    let needs = if part == Part::Owner { subject.requirements() } else { &[] };
    chosen_sentence(decision, key, needs, world.shard.floor())
}

/// Those who were looked at, and of everybody else those who do not qualify.
fn others(world: &World, decision: &Decision, sequence: Sequence) -> Vec<String> {
    let judged = world.judged[&sequence].iter().filter(|one| one.exclusion.is_some_and(unqualified));
    let excluded = decision.agents.iter().chain(judged);
    excluded
        .filter_map(|one| one.exclusion.map(|exclusion| (one.agent, exclusion)))
        .map(|(key, exclusion)| {
            format!("{}  {}", agent(world, key), exclusion_sentence(exclusion, world.shard.floor()))
        })
        .collect()
}

fn unqualified(exclusion: Exclusion) -> bool {
    matches!(
        exclusion,
        Exclusion::OtherPool
            | Exclusion::SkillMissing { .. }
            | Exclusion::ProficiencyTooLow { .. }
            | Exclusion::OtherGroup
    )
}

pub fn presence_words(presence: Presence, reason: &Text) -> String {
    let word = match presence {
        Presence::Available => "available",
        Presence::OnBreak => "on break",
        Presence::SignedOut => "signed out",
    };
    format!("{word}{}", with(reason))
}

/// `for ana alone until 30.000, whom the rules prefer`.
pub fn wanted_words(world: &World, wanted: Wanted) -> String {
    let by = match wanted.by {
        WantedBy::Rule => "whom the rules prefer",
        WantedBy::LastAgent => "who had it before",
        WantedBy::Colleague => "as a colleague asked",
        WantedBy::Supervisor => "as a supervisor said",
    };
    format!("for {} alone until {}, {by}", agent(world, wanted.agent), seconds(world, wanted.until))
}

pub fn wrap_up_words(world: &World, until: Option<Time>) -> String {
    until.map_or("no wrap-up".into(), |at| format!("wrap-up until {}", seconds(world, at)))
}

pub fn with(detail: &Text) -> String {
    if detail.is_empty() { String::new() } else { format!(" ({detail})") }
}

/// An offer that ended is still known, with its pair.
pub fn pair(world: &World, offer: OfferId) -> String {
    let ended = world.shard.ended_offer(offer).expect("an offer that just ended is remembered");
    format!("{} and {}", name(world, ended.interaction), agent(world, ended.agent))
}

/// Who is, or was, in a conversation: `a1, c1 and ana`.
pub fn part(world: &World, assignment: AssignmentId) -> String {
    let (interaction, key) = world.parts[&assignment];
    format!("a{assignment}, {} and {}", name(world, interaction), agent(world, key))
}

pub fn name(world: &World, interaction: InteractionId) -> &str {
    world.names.get(&interaction).map_or("?", String::as_str)
}

pub fn agent(world: &World, key: AgentKey) -> &str {
    world.shard.floor().agents.get(key.0).map_or("?", |entry| &entry.name)
}

pub fn queue(world: &World, key: QueueKey) -> &str {
    world.shard.floor().queues.get(u32::from(key.0)).map_or("?", |entry| &entry.name)
}

pub fn hours(world: &World, key: HoursKey) -> &str {
    world.shard.floor().hours.get(u32::from(key.0)).map_or("?", |entry| &entry.name)
}

pub fn skill(world: &World, key: SkillKey) -> &str {
    world.shard.floor().skills.get(u32::from(key.0)).map_or("?", |entry| &entry.name)
}

/// The name of what was removed.
pub fn removed(world: &World, kind: Kind, key: u32) -> Text {
    let floor = world.shard.floor();
    let name = match kind {
        Kind::Pool => floor.pools.get(key).map(|entry| entry.name.clone()),
        Kind::Skill => floor.skills.get(key).map(|entry| entry.name.clone()),
        Kind::Queue => floor.queues.get(key).map(|entry| entry.name.clone()),
        Kind::Agent => floor.agents.get(key).map(|entry| entry.name.clone()),
        Kind::Group => floor.groups.get(key).map(|entry| entry.name.clone()),
        Kind::Hours => floor.hours.get(key).map(|entry| entry.name.clone()),
    };
    name.expect("what was removed has been there")
}

/// Seconds and ms since the story began.
pub fn seconds(world: &World, time: Time) -> String {
    let ms = time.since(world.start);
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// The times in a refusal are those of the engine; a story counts from its beginning.
fn with_story_times(world: &World, refusal: &Refusal) -> String {
    let at = |ms: u64| seconds(world, Time(ms));
    match *refusal {
        Refusal::DuePast { due_ms, now_ms } => {
            format!("the deadline {} is already past, it is {}", at(due_ms), at(now_ms))
        }
        Refusal::WrapUpMandatory { until_ms } => {
            format!(
                "the wrap-up is mandatory and lasts until {}: only a supervisor ends it early",
                at(until_ms)
            )
        }
        Refusal::WindowInvalid { from_ms, until_ms, now_ms } => {
            let (from, until) = (at(from_ms), at(until_ms));
            format!(
                "the window ends at {until}, which is not after its beginning {from} and after now, {}",
                at(now_ms)
            )
        }
        _ => refusal.to_string(),
    }
}
