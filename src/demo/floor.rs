//! Sets up the floor through the public API: skills, queues, agents. What is there from an earlier run stays.

use std::future::Future;
use std::time::Duration;

use tonic::{Code, Response, Status};

use super::calls::{Server, TENANT, repeated};
use super::constants::{AGENTS, INTENTS, IntentFacts, WRAP_UP_S};
use super::error::DemoError;
use crate::proto::{
    Agent, AgentSkill, Channel, ChannelCapacity, CreateAgentRequest, CreateQueueRequest, CreateSkillRequest,
    Queue, Requirement, Skill, queue,
};

/// Served by whoever knows this, whatever they are about.
const WRITTEN_SKILL: &str = "ps";
/// Served calls of an intent, in thousandths, from which an agent counts as knowing it.
const KNOWN_THOUSANDTHS: u16 = 5;

/// The queue of a contact. Calls and chats go to their intent's own, whatever is answered later to one of two.
pub fn queue_of(facts: &IntentFacts, channel: Channel) -> String {
    let id = match channel {
        Channel::Message => "messages",
        Channel::Email => "mail",
        _ => facts.code,
    };
    format!("{TENANT}/queues/{id}")
}

/// The ids of the agents: the thirteen, as often as the scale says.
pub fn agent_ids(scale: u32) -> Vec<String> {
    (0..scale).flat_map(|floor| AGENTS.iter().map(move |(name, _)| agent_id(name, floor))).collect()
}

/// Creates everything that is not there yet.
pub async fn provision(server: &Server, scale: u32) -> Result<(), DemoError> {
    for facts in &INTENTS {
        create_skill(server, facts).await?;
    }
    for facts in &INTENTS {
        create_queue(server, facts.code, facts.title, facts.code, 20).await?;
    }
    create_queue(server, "messages", "Messages", WRITTEN_SKILL, 30).await?;
    create_queue(server, "mail", "Mail", WRITTEN_SKILL, 60).await?;
    for floor in 0..scale {
        for (name, served) in &AGENTS {
            create_agent(server, &agent_id(name, floor), name, served).await?;
        }
    }
    Ok(())
}

fn agent_id(name: &str, floor: u32) -> String {
    if floor == 0 { name.to_owned() } else { format!("{name}-{}", floor + 1) }
}

async fn create_skill(server: &Server, facts: &IntentFacts) -> Result<(), DemoError> {
    let request = CreateSkillRequest {
        parent: TENANT.to_owned(),
        skill_id: facts.code.to_owned(),
        skill: Some(Skill { display_name: facts.title.to_owned(), ..Skill::default() }),
    };
    created("skill", facts.code, || {
        let (mut client, request) = (server.floor(), request.clone());
        async move { client.create_skill(request).await }
    })
    .await
}

async fn create_queue(
    server: &Server,
    id: &str,
    title: &str,
    skill: &str,
    offer_expiry_s: u64,
) -> Result<(), DemoError> {
    let queue = Queue {
        display_name: title.to_owned(),
        requirements: vec![Requirement { skill: format!("{TENANT}/skills/{skill}"), proficiency: 1 }],
        offer_expiry: prost_duration(Duration::from_secs(offer_expiry_s)),
        wrap_up: queue::WrapUp::Timed as i32,
        wrap_up_time: prost_duration(Duration::from_secs(WRAP_UP_S.into())),
        ..Queue::default()
    };
    let request =
        CreateQueueRequest { parent: TENANT.to_owned(), queue_id: id.to_owned(), queue: Some(queue) };
    created("queue", id, || {
        let (mut client, request) = (server.floor(), request.clone());
        async move { client.create_queue(request).await }
    })
    .await
}

async fn create_agent(server: &Server, id: &str, name: &str, served: &[u16; 5]) -> Result<(), DemoError> {
    // A call sets an email aside; it is parked meanwhile and comes back to the same agent.
    let email = ChannelCapacity {
        channel: Channel::Email as i32,
        units: 10,
        limit: 1_000,
        daily_max: 0,
        interruptible_by: vec![Channel::Voice as i32],
    };
    let agent = Agent {
        display_name: capitalised(name),
        skills: skills(served),
        channels: vec![email],
        ..Agent::default()
    };
    let request =
        CreateAgentRequest { parent: TENANT.to_owned(), agent_id: id.to_owned(), agent: Some(agent) };
    created("agent", id, || {
        let (mut client, request) = (server.floor(), request.clone());
        async move { client.create_agent(request).await }
    })
    .await
}

/// An id that exists is what we wanted: an earlier run made it, or our own first attempt.
async fn created<T, A, F>(kind: &str, id: &str, attempt: A) -> Result<(), DemoError>
where
    A: FnMut() -> F,
    F: Future<Output = Result<Response<T>, Status>>,
{
    match repeated(attempt).await {
        Ok(_) => Ok(()),
        Err(status) if status.code() == Code::AlreadyExists => Ok(()),
        Err(status) => Err(DemoError::Provision { what: format!("{kind} {id}"), status: Box::new(status) }),
    }
}

fn skills(served: &[u16; 5]) -> Vec<AgentSkill> {
    INTENTS
        .iter()
        .zip(served)
        .filter(|&(_, &thousandths)| thousandths >= KNOWN_THOUSANDTHS)
        .map(|(facts, &thousandths)| AgentSkill {
            skill: format!("{TENANT}/skills/{}", facts.code),
            proficiency: proficiency(thousandths),
            expire_time: None,
        })
        .collect()
}

/// Whoever does much of something does it well. *Invented*: the log says how often, not how well.
fn proficiency(thousandths: u16) -> u32 {
    match thousandths {
        0..50 => 4,
        50..200 => 6,
        200..600 => 8,
        _ => 9,
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn prost_duration(length: Duration) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::constants::Intent;

    #[test]
    fn somebody_knows_each_intent() {
        for facts in &INTENTS {
            let skill = format!("{TENANT}/skills/{}", facts.code);
            let knowing = AGENTS
                .iter()
                .filter(|(_, served)| skills(served).iter().any(|known| known.skill == skill))
                .count();
            assert!(knowing >= 3, "{knowing} know {}", facts.code);
        }
    }

    #[test]
    fn a_scale_makes_more_agents_of_the_same_kinds() {
        let ids = agent_ids(2);
        assert_eq!((ids.len(), ids[0].as_str(), ids[13].as_str()), (26, "ana", "ana-2"));
    }

    #[test]
    fn written_contacts_have_queues_of_their_own() {
        let facts = Intent::Stocks.facts();
        assert_eq!(queue_of(facts, Channel::Chat), "tenants/default/queues/ne");
        assert_eq!(queue_of(facts, Channel::Email), "tenants/default/queues/mail");
    }
}
