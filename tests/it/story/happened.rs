//! One event in one line, as a supervisor would say it.

use super::render::{
    agent, hours, name, pair, part, presence_words, queue, removed, seconds, skill, wanted_words, with,
    wrap_up_words,
};
use super::world::World;
use baton::engine::capacity::Overdraw;
use baton::engine::event::{CancelCause, EndedBy, Event, Replanned, Sought, Transferred};
use baton::engine::ids::InteractionId;
use baton::engine::interaction::{Part, Until};
use baton::engine::time::Time;

/// `None` for what says nothing of its own.
pub fn event(world: &World, event: &Event) -> Option<String> {
    Some(match event {
        Event::Restarted { down_to, .. } => format!("restarted: away until {}", seconds(world, *down_to)),
        Event::Defined { name, definition, .. } => format!("defined {} {name}", definition.kind().word()),
        Event::Removed { kind, key } => format!("removed {} {}", kind.word(), removed(world, *kind, *key)),
        Event::SourceOpened { source } => format!("source {source} connected"),
        Event::SourceLost { source } => format!("source {source} lost the connection"),
        Event::HoursTurned { hours: key, phase } => {
            let word = if phase.open { "open" } else { "closed" };
            let until = phase.until.map(|at| format!(" until {}", seconds(world, at))).unwrap_or_default();
            format!("{} is {word}{until}", hours(world, *key))
        }
        other => return of_agents(world, other),
    })
}

fn of_agents(world: &World, event: &Event) -> Option<String> {
    Some(match event {
        Event::SessionOpened { agent: key, .. } => format!("{} connected", agent(world, *key)),
        Event::SessionLost { agent: key } => format!("{} lost the connection", agent(world, *key)),
        Event::PresenceChanged { agent: key, presence, reason, by } => {
            format!("{} {}{}", agent(world, *key), presence_words(*presence, reason), said_by(*by))
        }
        Event::PresencePending { agent: key, presence, reason, by } => {
            let (presence, by) = (presence_words(*presence, reason), said_by(*by));
            format!("{} wants to be {presence}{by}", agent(world, *key))
        }
        Event::Responding { agent: key, by: EndedBy::Clock } => {
            format!("{} counts as responding again, by the clock", agent(world, *key))
        }
        Event::Responding { agent: key, by } => {
            format!("{} responds again{}", agent(world, *key), said_by(*by))
        }
        Event::SkillExpired { agent: key, skill: lost } => {
            format!("{} has {} no longer", agent(world, *key), skill(world, *lost))
        }
        Event::CooledDown { interaction, agent: key } => {
            format!("cooled down: {} and {}", name(world, *interaction), agent(world, *key))
        }
        other => return of_offers(world, other),
    })
}

fn of_offers(world: &World, event: &Event) -> Option<String> {
    Some(match event {
        Event::Offered { offer, interaction, agent: key, part, overdraw, expires, .. } => format!(
            "offer o{offer}: {} -> {}{}{}, open until {}",
            name(world, *interaction),
            agent(world, *key),
            part_words(*part),
            overdraw_words(*overdraw),
            seconds(world, *expires)
        ),
        Event::Accepted { offer, assignment, connect_until } => {
            let connect = connect_until
                .map(|at| format!("; to be connected by {}", seconds(world, at)))
                .unwrap_or_default();
            format!("accepted o{offer}: a{assignment}, {}{connect}", pair(world, *offer))
        }
        Event::Declined { offer, reason, cools_down_until } => format!(
            "declined o{offer}{}: {} cool down until {}",
            with(reason),
            pair(world, *offer),
            seconds(world, *cools_down_until)
        ),
        Event::Expired { offer, not_responding: true, recovers } => {
            let recovers = until_words(world, *recovers);
            format!("expired o{offer}: {}, who is not responding now{recovers}", pair(world, *offer))
        }
        Event::Expired { offer, not_responding: false, .. } => {
            format!("expired o{offer}: {}, who stays available", pair(world, *offer))
        }
        Event::Rescinded { offer, cause } => {
            format!("rescinded o{offer}: {}, {}", pair(world, *offer), cause.sentence())
        }
        other => return of_conversations(world, other),
    })
}

fn of_conversations(world: &World, event: &Event) -> Option<String> {
    Some(match event {
        Event::Connected { assignment, assumed: false } => format!("connected {}", part(world, *assignment)),
        Event::Connected { assignment, assumed: true } => {
            format!("connected {}: assumed, since nobody said otherwise", part(world, *assignment))
        }
        Event::ConnectFailed { assignment, cause, cools_down_until, not_responding, recovers, retry } => {
            let lost = match not_responding {
                true => format!(", the agent is not responding now{}", until_words(world, *recovers)),
                false => String::new(),
            };
            let then = match retry {
                Some(at) => format!("called again at {}", seconds(world, *at)),
                None => format!("they cool down until {}", seconds(world, *cools_down_until)),
            };
            format!("not connected {}: {}{lost}; {then}", part(world, *assignment), cause.sentence())
        }
        Event::ConversationEnded { assignment, by, disposition, wrap_up_until, .. } => {
            let then = wrap_up_words(world, *wrap_up_until);
            format!("ended a{assignment}{} by {}: {then}", with(disposition), by.sentence())
        }
        Event::WrapUpEnded { assignment, by } => format!("wrapped up a{assignment} by {}", by.sentence()),
        Event::WrapUpExtended { assignment, until } => {
            format!("extended the wrap-up of a{assignment} until {}", seconds(world, *until))
        }
        Event::AssignmentLost { assignment } => {
            format!("lost {}: the agent did not come back", part(world, *assignment))
        }
        Event::Transferred(transferred) => transferred_words(world, transferred),
        Event::Sought(sought) => sought_words(world, sought),
        Event::SeekEnded { interaction, cause } => {
            format!("no second agent for {} any more: {}", name(world, *interaction), cause.sentence())
        }
        Event::OwnerChanged { interaction, assignment } => {
            format!(
                "{} is served by {} now",
                name(world, *interaction),
                agent(world, world.parts[assignment].1)
            )
        }
        Event::Joined { assignment } => format!("joined the conversation: {}", part(world, *assignment)),
        Event::Parked { assignment } => format!("parked {}", part(world, *assignment)),
        Event::Interrupted { assignment } => format!("interrupted {}", part(world, *assignment)),
        Event::Continued { assignment } => format!("goes on: {}", part(world, *assignment)),
        Event::Requeued { assignment, wrap_up_until, cools_down_until } => format!(
            "back in line: {}, who cool down until {}; {}",
            part(world, *assignment),
            seconds(world, *cools_down_until),
            wrap_up_words(world, *wrap_up_until)
        ),
        other => return of_interactions(world, other),
    })
}

fn of_interactions(world: &World, event: &Event) -> Option<String> {
    let named = |interaction: &InteractionId| name(world, *interaction);
    Some(match event {
        Event::Admitted(admitted) => {
            return match admitted.scheduled {
                Some(Until::At(at)) => {
                    Some(format!("{} is scheduled for {}", named(&admitted.interaction), seconds(world, at)))
                }
                Some(Until::Opening) => Some(held(world, admitted.interaction)),
                None => None,
            };
        }
        Event::Waits { interaction, decision } => {
            let reason = decision.wait_reason.map_or("for no reason", |reason| reason.sentence());
            format!("{} waits: {reason}", named(interaction))
        }
        Event::Identified { interaction, customer, journey } => {
            let contact = journey.as_ref().map(|known| known.contact_number());
            let contact = contact.map_or(String::new(), |number| format!(", contact {number} about it"));
            format!("identified {}: customer {customer}{contact}", named(interaction))
        }
        Event::Replanned(replanned) => replanned_words(world, replanned),
        Event::Due { interaction } => format!("{} is due and stands in line", named(interaction)),
        Event::Held { interaction } => held(world, *interaction),
        Event::Relaxed { interaction, step } if past_last_step(world, *interaction, *step) => {
            format!("{} stays after the last step: there is nowhere to go now", named(interaction))
        }
        Event::Relaxed { interaction, step } => {
            format!("relaxed {}: step {step} of what it needs", named(interaction))
        }
        Event::Overdue { interaction } => {
            format!("{} has waited beyond its maximum and comes first", named(interaction))
        }
        Event::PreferenceEnded { interaction, cause } => {
            format!("{} waits for anybody now: {}", named(interaction), cause.sentence())
        }
        Event::Resumed { interaction, wanted } => {
            let wanted = wanted.map(|one| format!(", {}", wanted_words(world, one))).unwrap_or_default();
            format!("{} goes on{wanted}", named(interaction))
        }
        Event::CallbackPlanned { interaction, channel, from, until, by_rule } => {
            let by = if *by_rule { ", by rule" } else { "" };
            let (from, until) = (seconds(world, *from), seconds(world, *until));
            format!(
                "{} is called back by {} between {from} and {until}{by}",
                named(interaction),
                channel.word()
            )
        }
        Event::WindowMissed { interaction } => {
            format!("nobody called {} within the promised time", named(interaction))
        }
        Event::AttachedTo(attached) => {
            let (newcomer, channel) = (&world.newcomer, attached.contact.channel.word());
            format!("{newcomer} ({channel}) joins {}, about the same matter", named(&attached.interaction))
        }
        Event::Reprioritised { interaction, priority } => {
            format!("{} has priority {priority} now", named(interaction))
        }
        Event::Assigned { interaction, wanted } => {
            format!("{} is {}", named(interaction), wanted_words(world, *wanted))
        }
        other => return of_exits(world, other),
    })
}

fn of_exits(world: &World, event: &Event) -> Option<String> {
    let named = |interaction: &InteractionId| name(world, *interaction);
    Some(match event {
        Event::Abandoned { interaction, cause } => {
            format!("abandoned {}: {}", named(interaction), cause.sentence())
        }
        Event::Cancelled { interaction, cause } => {
            let other = match cause {
                CancelCause::Withdrawn => String::new(),
                CancelCause::Replaced { by: other } | CancelCause::Merged { into: other } => {
                    format!(", {}", named(other))
                }
            };
            format!("cancelled {}: {}{other}", named(interaction), cause.sentence())
        }
        Event::Closed { interaction } => format!("closed {}", named(interaction)),
        Event::Overflowed { interaction, to, cause } => {
            format!("{} moves to {}: {}", named(interaction), queue(world, *to), cause.sentence())
        }
        Event::SentAway { interaction, destination, cause } => {
            format!("sent {} to {destination}: {}", named(interaction), cause.sentence())
        }
        Event::TimedOut { interaction, cause } => {
            format!("gave up {}: {}", named(interaction), cause.sentence())
        }
        _ => return None,
    })
}

fn past_last_step(world: &World, interaction: InteractionId, step: u8) -> bool {
    let subject = world.shard.interaction(interaction).expect("what waits exists");
    usize::from(step) > subject.route().relaxation.len()
}

fn held(world: &World, interaction: InteractionId) -> String {
    format!("{} stands in line when the queue opens", name(world, interaction))
}

fn transferred_words(world: &World, transferred: &Transferred) -> String {
    let to = queue(world, transferred.plan.routes[usize::from(transferred.route)].queue);
    let wanted = transferred.wanted.map(|one| format!(", {}", wanted_words(world, one))).unwrap_or_default();
    let wrap_up = wrap_up_words(world, transferred.wrap_up_until);
    format!("transferred {}: to {to}{wanted}; {wrap_up}", part(world, transferred.assignment))
}

fn replanned_words(world: &World, replanned: &Replanned) -> String {
    let Replanned { interaction, plan, step, wanted, circumstances: _ } = replanned;
    let in_queue = queue(world, plan.entry().queue);
    let step = if *step > 0 { format!(", at step {step} of what it needs") } else { String::new() };
    let wanted = wanted.map(|one| format!(", {}", wanted_words(world, one))).unwrap_or_default();
    format!("planned again {}: in {in_queue}, at its place{step}{wanted}", name(world, *interaction))
}

fn sought_words(world: &World, sought: &Sought) -> String {
    let what = match sought.part {
        Part::Owner => "to take over",
        Part::Consultant => "to advise",
        Part::Member => "to join",
    };
    let whom = match sought.wanted {
        Some(wanted) => format!("{} alone", agent(world, wanted.agent)),
        None => format!("in {}", queue(world, sought.plan.entry().queue)),
    };
    let until = seconds(world, sought.until);
    format!("a second agent {what} is sought, {whom}, until {until}: {}", part(world, sought.by))
}

fn part_words(part: Part) -> &'static str {
    match part {
        Part::Owner => "",
        Part::Consultant => " to advise",
        Part::Member => " to join",
    }
}

fn overdraw_words(overdraw: Option<Overdraw>) -> &'static str {
    match overdraw {
        None => "",
        Some(Overdraw::PreferredAgent) => ", beyond the capacity since the rules prefer this agent",
        Some(Overdraw::Supervisor) => ", beyond the capacity since a supervisor says so",
    }
}

fn until_words(world: &World, until: Option<Time>) -> String {
    until.map(|at| format!(" until {}", seconds(world, at))).unwrap_or_default()
}

fn said_by(by: EndedBy) -> &'static str {
    if by == EndedBy::Supervisor { ", says a supervisor" } else { "" }
}
