//! The floor of a run: a queue for each skill, agents with two skills each, and customers who are known before the
//! first of them calls. What an earlier run left is brought up to date.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tonic::{Code, Response, Status};

use super::error::LoadError;
use super::settings::Settings;
use crate::demo::calls::{Server, TENANT, once, repeated};
use crate::proto::{
    Address, Agent, AgentSkill, CreateAgentRequest, CreateQueueRequest, CreateSkillRequest, Queue,
    Requirement, ResolveRequest, UpdateAgentRequest, UpdateQueueRequest, address, queue,
};

/// What the names of everything we make begin with.
pub const PREFIX: &str = "load";
/// Requests under way at once while the floor is made.
const AT_ONCE: usize = 64;
/// Wrap-up ends by itself only long after an agent of ours would have ended it.
const WRAP_UP_SPARE: Duration = Duration::from_secs(60);

pub fn queue_name(number: u32) -> String {
    format!("{TENANT}/queues/{PREFIX}-{number}")
}

pub fn agent_name(number: u32) -> String {
    format!("{TENANT}/agents/{PREFIX}-{number}")
}

/// The number of an agent of ours.
pub fn agent_number(name: &str) -> Option<u32> {
    name.rsplit_once('-')?.1.parse().ok()
}

/// The address of a customer of ours.
pub fn phone(number: u32) -> Address {
    Address { kind: address::Kind::Phone as i32, value: format!("+1555{number:07}") }
}

/// Makes the floor. `done` is told of each thing that is there.
pub async fn provision(server: &Server, settings: &Settings, done: impl Fn(u64)) -> Result<(), LoadError> {
    let (skills, think) = (settings.skills, settings.think);
    let make = |server: Server, number| async move { skill(&server, number).await };
    each(server, skills, &done, make).await?;
    let make = move |server: Server, number| async move { queue(&server, number, think).await };
    each(server, skills, &done, make).await?;
    let make = move |server: Server, number| async move { agent(&server, number, skills).await };
    each(server, settings.agents, &done, make).await?;
    let make = |server: Server, number| async move { customer(&server, number).await };
    each(server, settings.customers, &done, make).await
}

/// Does something for each number, some at once, and ends with the first refusal.
async fn each<F>(
    server: &Server,
    count: u32,
    done: &impl Fn(u64),
    make: impl Fn(Server, u32) -> F,
) -> Result<(), LoadError>
where
    F: Future<Output = Result<(), LoadError>> + Send + 'static,
{
    let mut under_way = JoinSet::new();
    for number in 0..count {
        if under_way.len() == AT_ONCE {
            next(&mut under_way).await?;
            done(1);
        }
        under_way.spawn(make(server.clone(), number));
    }
    while !under_way.is_empty() {
        next(&mut under_way).await?;
        done(1);
    }
    Ok(())
}

async fn next(under_way: &mut JoinSet<Result<(), LoadError>>) -> Result<(), LoadError> {
    match under_way.join_next().await {
        Some(ended) => ended.expect("making a floor does not panic"),
        None => Ok(()),
    }
}

async fn skill(server: &Server, number: u32) -> Result<(), LoadError> {
    let skill_id = format!("{PREFIX}-{number}");
    let request = CreateSkillRequest { parent: TENANT.to_owned(), skill_id: skill_id.clone(), skill: None };
    let made = repeated(|| {
        let (mut client, request) = (server.floor(), request.clone());
        async move { client.create_skill(request).await }
    });
    match made.await {
        Err(status) if status.code() != Code::AlreadyExists => Err(refused("skill", &skill_id, status)),
        _ => Ok(()),
    }
}

async fn queue(server: &Server, number: u32, think: Duration) -> Result<(), LoadError> {
    let queue = Queue {
        name: queue_name(number),
        requirements: vec![Requirement { skill: skill_name(number), proficiency: 1 }],
        wrap_up: queue::WrapUp::Timed as i32,
        wrap_up_time: prost_types::Duration::try_from(think + WRAP_UP_SPARE).ok(),
        // An agent who was slow because the server was is not to be missing from then on.
        on_expiry: queue::OnExpiry::Stay as i32,
        ..Queue::default()
    };
    let request = CreateQueueRequest {
        parent: TENANT.to_owned(),
        queue_id: format!("{PREFIX}-{number}"),
        queue: Some(Queue { name: String::new(), ..queue.clone() }),
    };
    let create = || {
        let (mut client, request) = (server.floor(), request.clone());
        async move { client.create_queue(request).await }
    };
    let update = || {
        let (mut client, request) = (server.floor(), UpdateQueueRequest { queue: Some(queue.clone()) });
        async move { client.update_queue(request).await }
    };
    ensured(create, update).await.map_err(|status| refused("queue", &queue.name, status))
}

async fn agent(server: &Server, number: u32, skills: u32) -> Result<(), LoadError> {
    let agent = Agent { name: agent_name(number), skills: skills_of(number, skills), ..Agent::default() };
    let request = CreateAgentRequest {
        parent: TENANT.to_owned(),
        agent_id: format!("{PREFIX}-{number}"),
        agent: Some(Agent { name: String::new(), ..agent.clone() }),
    };
    let create = || {
        let (mut client, request) = (server.floor(), request.clone());
        async move { client.create_agent(request).await }
    };
    let update = || {
        let (mut client, request) = (server.floor(), UpdateAgentRequest { agent: Some(agent.clone()) });
        async move { client.update_agent(request).await }
    };
    ensured(create, update).await.map_err(|status| refused("agent", &agent.name, status))
}

async fn customer(server: &Server, number: u32) -> Result<(), LoadError> {
    let request =
        ResolveRequest { parent: TENANT.to_owned(), address: Some(phone(number)), ..Default::default() };
    let found = repeated(|| {
        let (mut client, request) = (server.customers(), request.clone());
        async move { client.resolve(request).await }
    });
    found.await.map(drop).map_err(|status| refused("customer", &number.to_string(), status))
}

/// Creates something, or makes what has its name like it.
async fn ensured<C, U, A, B, T>(create: C, mut update: U) -> Result<(), Status>
where
    C: FnMut() -> A,
    A: Future<Output = Result<Response<T>, Status>>,
    U: FnMut() -> B,
    B: Future<Output = Result<Response<T>, Status>>,
{
    match repeated(create).await {
        Ok(_) => Ok(()),
        Err(status) if status.code() == Code::AlreadyExists => once(update()).await.map(drop),
        Err(status) => Err(status),
    }
}

fn refused(kind: &str, id: &str, status: Status) -> LoadError {
    LoadError::Floor { what: format!("the {kind} {id}"), status: Box::new(status) }
}

fn skill_name(number: u32) -> String {
    format!("{TENANT}/skills/{PREFIX}-{number}")
}

/// Every skill is somebody's first, as often as any other; the second ones make the agents differ.
fn skills_of(number: u32, skills: u32) -> Vec<AgentSkill> {
    let (first, second) = (number % skills, (number / skills * 7 + number * 3 + 1) % skills);
    let skill = |skill, proficiency| AgentSkill { skill: skill_name(skill), proficiency, expire_time: None };
    let mut known = vec![skill(first, 5 + number % 5)];
    if second != first {
        known.push(skill(second, 1 + number % 9));
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_queue_has_its_agents() {
        for skills in [1, 2, 50, 500] {
            let known: Vec<_> = (0..skills.max(10)).flat_map(|number| skills_of(number, skills)).collect();
            for number in 0..skills {
                assert!(known.iter().any(|one| one.skill == skill_name(number)), "{number} of {skills}");
            }
        }
    }

    #[test]
    fn an_agents_number_is_in_the_name() {
        assert_eq!(agent_number(&agent_name(17)), Some(17));
        assert_eq!(agent_number("tenants/default/agents/ana"), None);
    }
}
