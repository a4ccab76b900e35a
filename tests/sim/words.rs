//! Commands and events in readable words, for the history of a run that failed.

use baton::engine::command::{Command, Target};
use baton::engine::event::{Event, Stamped};
use baton::engine::plan::Plan;

const LINE_MAX: usize = 200;

pub fn command(command: &Command) -> String {
    match command {
        Command::Define { name, .. } => format!("define {name}"),
        Command::Submit(submit) => {
            let customer = submit.facts.customer.map(|customer| customer.0);
            let (external, matter) = (&submit.external_id, &submit.facts.matter);
            let plan = plan(&submit.plan);
            format!("submit {external}, {:?}, customer {customer:?} about {matter:?}, {plan}", submit.channel)
        }
        Command::Transfer { assignment, target, handover } => {
            format!("transfer {assignment}, {handover:?}, to {}", target_words(target))
        }
        Command::Consult { assignment, target } => format!("consult {assignment} {}", target_words(target)),
        Command::Conference { assignment, target } => {
            format!("conference {assignment} {}", target_words(target))
        }
        other => short(format!("{other:?}")),
    }
}

pub fn event(stamped: &Stamped) -> String {
    let ms = stamped.time.since(super::world::START);
    let at = format!("{} at {}.{:03}", stamped.sequence, ms / 1000, ms % 1000);
    let words = match &stamped.event {
        Event::Admitted(admitted) => {
            let (external, id, route) = (&admitted.external_id, admitted.interaction, admitted.route);
            let (scheduled, wanted) = (admitted.scheduled, admitted.wanted.map(|wanted| wanted.agent.0));
            format!("admitted {external} as interaction {id}, route {route}, {scheduled:?}, for {wanted:?}")
        }
        Event::Waits { interaction, decision } => {
            format!("interaction {interaction} waits: {:?}", decision.wait_reason)
        }
        Event::Offered { offer, interaction, agent, part, .. } => {
            format!("offer {offer}: interaction {interaction} to agent {agent} as {part:?}")
        }
        Event::Transferred(handed) => {
            let (id, wanted) = (handed.assignment, handed.wanted.map(|wanted| wanted.agent.0));
            format!("assignment {id} handed on, {}, for {wanted:?}", plan(&handed.plan))
        }
        Event::Sought(sought) => {
            let wanted = sought.wanted.map(|wanted| wanted.agent.0);
            let (id, by, part) = (sought.interaction, sought.by, sought.part);
            format!("interaction {id}: {by} seeks a {part:?}, {}, {wanted:?}", plan(&sought.plan))
        }
        Event::Defined { name, .. } => format!("defined {name}"),
        other => short(format!("{other:?}")),
    };
    format!("{at} {words}")
}

fn target_words(target: &Target) -> String {
    match target {
        Target::Line { plan: whole, agent } => format!("{}, agent {agent:?}", plan(whole)),
        Target::Consulted(other) => format!("the consulted {other}"),
    }
}

fn plan(plan: &Plan) -> String {
    let queues: Vec<String> = plan.routes.iter().map(|route| format!("q{}", route.queue)).collect();
    format!("by {}", queues.join(", "))
}

fn short(mut words: String) -> String {
    if let Some((at, _)) = words.char_indices().nth(LINE_MAX) {
        words.truncate(at);
        words.push('…');
    }
    words
}
