//! `Floor`: what exists. Standard methods over six kinds; the engine says what may be changed.

use super::access::Service;
use super::capacity_parts::{define_agent, define_group};
use super::floor_parts as parts;
use super::hours_parts::define_hours;
use super::names::{chosen_id, shown};
use super::status::ApiError;
use super::tenant::{Gate, Tenant, Tenants};
use crate::engine::command::{Answer, Command, Refusal, Write};
use crate::engine::floor::{Definition, Entry, Kind, Table};
use crate::engine::ids::{AgentKey, HoursKey};
use crate::proto;
use crate::proto::floor_server::Floor;
use crate::runtime::inbox::AskError;
use crate::runtime::view;
use tonic::{Request, Response, Status};

/// The service.
pub struct Api {
    gate: Gate,
}

impl Api {
    /// The service for all tenants of a server.
    pub fn new(tenants: Tenants) -> Api {
        Api { gate: Gate::new(tenants, Service::Floor) }
    }
}

/// Writes a definition and answers with its key, once the new floor is published.
async fn write(tenant: &Tenant, id: &str, definition: Definition, write: Write) -> Result<u32, ApiError> {
    let kind = definition.kind();
    let command = Command::Define { name: id.into(), definition, write };
    match tenant.shard.ask(command, None).await.map_err(|error| in_resource(kind, error))?.value {
        Answer::Defined { key, .. } => Ok(key),
        other => unreachable!("a definition is answered with its key, not {other:?}"),
    }
}

async fn remove(tenant: &Tenant, kind: Kind, id: &str, etag: &str) -> Result<Response<()>, Status> {
    let command = Command::Remove { kind, name: id.into(), revision: revision("etag", etag)? };
    tenant.shard.ask(command, None).await.map_err(named)?;
    Ok(Response::new(()))
}

/// Blames the field of the resource that was sent.
fn in_resource(kind: Kind, error: AskError) -> ApiError {
    let [name, etag] = match kind {
        Kind::Pool => ["pool.name", "pool.etag"],
        Kind::Skill => ["skill.name", "skill.etag"],
        Kind::Queue => ["queue.name", "queue.etag"],
        Kind::Agent => ["agent.name", "agent.etag"],
        Kind::Group => ["group.name", "group.etag"],
        Kind::Hours => ["hours.name", "hours.etag"],
    };
    match &error {
        AskError::Refused(Refusal::NotDefined { kind: missing, .. }) if *missing == kind => {
            ApiError::from(error).blaming(name)
        }
        AskError::Refused(Refusal::EtagMismatch { .. }) => ApiError::from(error).blaming(etag),
        _ => error.into(),
    }
}

/// Blames the name of what was to be taken away.
fn named(error: AskError) -> ApiError {
    match &error {
        AskError::Refused(Refusal::NotDefined { .. }) => ApiError::from(error).blaming("name"),
        _ => error.into(),
    }
}

fn revision(field: &'static str, etag: &str) -> Result<Option<u64>, ApiError> {
    let parsed = if etag.is_empty() { Ok(None) } else { etag.parse().map(Some) };
    parsed.map_err(|_| ApiError::field(field, &shown(etag), "an etag that was read"))
}

fn update(field: &'static str, etag: &str) -> Result<Write, ApiError> {
    Ok(Write::Update { revision: revision(field, etag)? })
}

fn found<'a, T>(
    table: &'a Table<T>,
    id: &str,
    reason: &'static str,
) -> Result<(u32, &'a Entry<T>), ApiError> {
    let found = table.key(id).and_then(|key| Some((key, table.live(key)?)));
    found.ok_or_else(|| ApiError::not_found("name", reason, &shown(id)))
}

fn given<T>(field: &'static str, value: Option<T>) -> Result<T, ApiError> {
    value.ok_or_else(|| ApiError::missing(field, "the resource"))
}

async fn agent_with_status(tenant: &Tenant, id: &str) -> Result<proto::Agent, ApiError> {
    let floor = tenant.shard.floor();
    let (key, entry) = found(&floor.agents, id, "AGENT_NOT_FOUND")?;
    let status = tenant.shard.read(move |shard| view::status(shard, AgentKey(key))).await?.value;
    Ok(proto::Agent {
        status: status.map(|view| tenant.show_status(&view)),
        ..tenant.show_agent(entry, &floor)
    })
}

async fn hours_now(tenant: &Tenant, id: &str) -> Result<proto::Hours, ApiError> {
    let floor = tenant.shard.floor();
    let (key, entry) = found(&floor.hours, id, "HOURS_NOT_FOUND")?;
    let phase = tenant.shard.read(move |shard| shard.phase(hours_key(key))).await?.value;
    Ok(tenant.show_hours(entry, phase))
}

fn hours_key(key: u32) -> HoursKey {
    HoursKey(u16::try_from(key).expect("keys of hours are u16"))
}

#[tonic::async_trait]
impl Floor for Api {
    async fn create_pool(
        &self,
        request: Request<proto::CreatePoolRequest>,
    ) -> Result<Response<proto::Pool>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let id = chosen_id("pool_id", &request.pool_id)?;
        write(&tenant, id, parts::define_pool(&request.pool.unwrap_or_default())?, Write::Create).await?;
        Ok(Response::new(tenant.show_pool(found(&tenant.shard.floor().pools, id, "POOL_NOT_FOUND")?.1)))
    }

    async fn get_pool(
        &self,
        request: Request<proto::GetFloorRequest>,
    ) -> Result<Response<proto::Pool>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        let id = tenant.id("name", &request.name, "pools")?;
        Ok(Response::new(tenant.show_pool(found(&tenant.shard.floor().pools, id, "POOL_NOT_FOUND")?.1)))
    }

    async fn list_pools(
        &self,
        request: Request<proto::ListFloorRequest>,
    ) -> Result<Response<proto::ListPoolsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let floor = tenant.shard.floor();
        let pools = floor.pools.by_name().map(|(_, entry)| tenant.show_pool(entry)).collect();
        Ok(Response::new(proto::ListPoolsResponse { pools }))
    }

    async fn update_pool(
        &self,
        request: Request<proto::UpdatePoolRequest>,
    ) -> Result<Response<proto::Pool>, Status> {
        let (metadata, _, request) = request.into_parts();
        let pool = given("pool", request.pool)?;
        let tenant = self.gate.of(&metadata, "pool.name", &pool.name)?;
        let id = tenant.id("pool.name", &pool.name, "pools")?;
        write(&tenant, id, parts::define_pool(&pool)?, update("pool.etag", &pool.etag)?).await?;
        Ok(Response::new(tenant.show_pool(found(&tenant.shard.floor().pools, id, "POOL_NOT_FOUND")?.1)))
    }

    async fn delete_pool(&self, request: Request<proto::DeleteFloorRequest>) -> Result<Response<()>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        remove(&tenant, Kind::Pool, tenant.id("name", &request.name, "pools")?, &request.etag).await
    }

    async fn create_skill(
        &self,
        request: Request<proto::CreateSkillRequest>,
    ) -> Result<Response<proto::Skill>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let id = chosen_id("skill_id", &request.skill_id)?;
        write(&tenant, id, parts::define_skill(&request.skill.unwrap_or_default())?, Write::Create).await?;
        Ok(Response::new(tenant.show_skill(found(&tenant.shard.floor().skills, id, "SKILL_NOT_FOUND")?.1)))
    }

    async fn get_skill(
        &self,
        request: Request<proto::GetFloorRequest>,
    ) -> Result<Response<proto::Skill>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        let id = tenant.id("name", &request.name, "skills")?;
        Ok(Response::new(tenant.show_skill(found(&tenant.shard.floor().skills, id, "SKILL_NOT_FOUND")?.1)))
    }

    async fn list_skills(
        &self,
        request: Request<proto::ListFloorRequest>,
    ) -> Result<Response<proto::ListSkillsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let floor = tenant.shard.floor();
        let skills = floor.skills.by_name().map(|(_, entry)| tenant.show_skill(entry)).collect();
        Ok(Response::new(proto::ListSkillsResponse { skills }))
    }

    async fn update_skill(
        &self,
        request: Request<proto::UpdateSkillRequest>,
    ) -> Result<Response<proto::Skill>, Status> {
        let (metadata, _, request) = request.into_parts();
        let skill = given("skill", request.skill)?;
        let tenant = self.gate.of(&metadata, "skill.name", &skill.name)?;
        let id = tenant.id("skill.name", &skill.name, "skills")?;
        write(&tenant, id, parts::define_skill(&skill)?, update("skill.etag", &skill.etag)?).await?;
        Ok(Response::new(tenant.show_skill(found(&tenant.shard.floor().skills, id, "SKILL_NOT_FOUND")?.1)))
    }

    async fn delete_skill(
        &self,
        request: Request<proto::DeleteFloorRequest>,
    ) -> Result<Response<()>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        remove(&tenant, Kind::Skill, tenant.id("name", &request.name, "skills")?, &request.etag).await
    }

    async fn create_queue(
        &self,
        request: Request<proto::CreateQueueRequest>,
    ) -> Result<Response<proto::Queue>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let id = chosen_id("queue_id", &request.queue_id)?;
        let definition = parts::define_queue(&request.queue.unwrap_or_default(), &tenant)?;
        write(&tenant, id, definition, Write::Create).await?;
        let floor = tenant.shard.floor();
        Ok(Response::new(tenant.show_queue(found(&floor.queues, id, "QUEUE_NOT_FOUND")?.1, &floor)))
    }

    async fn get_queue(
        &self,
        request: Request<proto::GetFloorRequest>,
    ) -> Result<Response<proto::Queue>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        let id = tenant.id("name", &request.name, "queues")?;
        let floor = tenant.shard.floor();
        Ok(Response::new(tenant.show_queue(found(&floor.queues, id, "QUEUE_NOT_FOUND")?.1, &floor)))
    }

    async fn list_queues(
        &self,
        request: Request<proto::ListFloorRequest>,
    ) -> Result<Response<proto::ListQueuesResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let floor = tenant.shard.floor();
        let queues = floor.queues.by_name().map(|(_, entry)| tenant.show_queue(entry, &floor)).collect();
        Ok(Response::new(proto::ListQueuesResponse { queues }))
    }

    async fn update_queue(
        &self,
        request: Request<proto::UpdateQueueRequest>,
    ) -> Result<Response<proto::Queue>, Status> {
        let (metadata, _, request) = request.into_parts();
        let queue = given("queue", request.queue)?;
        let tenant = self.gate.of(&metadata, "queue.name", &queue.name)?;
        let id = tenant.id("queue.name", &queue.name, "queues")?;
        write(&tenant, id, parts::define_queue(&queue, &tenant)?, update("queue.etag", &queue.etag)?).await?;
        let floor = tenant.shard.floor();
        Ok(Response::new(tenant.show_queue(found(&floor.queues, id, "QUEUE_NOT_FOUND")?.1, &floor)))
    }

    async fn delete_queue(
        &self,
        request: Request<proto::DeleteFloorRequest>,
    ) -> Result<Response<()>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        remove(&tenant, Kind::Queue, tenant.id("name", &request.name, "queues")?, &request.etag).await
    }

    async fn create_agent(
        &self,
        request: Request<proto::CreateAgentRequest>,
    ) -> Result<Response<proto::Agent>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let id = chosen_id("agent_id", &request.agent_id)?;
        let definition = define_agent(&request.agent.unwrap_or_default(), &tenant)?;
        write(&tenant, id, definition, Write::Create).await?;
        Ok(Response::new(agent_with_status(&tenant, id).await?))
    }

    async fn get_agent(
        &self,
        request: Request<proto::GetFloorRequest>,
    ) -> Result<Response<proto::Agent>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        let id = tenant.id("name", &request.name, "agents")?;
        Ok(Response::new(agent_with_status(&tenant, id).await?))
    }

    async fn list_agents(
        &self,
        request: Request<proto::ListFloorRequest>,
    ) -> Result<Response<proto::ListAgentsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let read = tenant.shard.read(|shard| {
            let keys = shard.floor().agents.by_name().map(|(key, _)| key);
            keys.filter_map(|key| view::status(shard, AgentKey(key))).collect::<Vec<_>>()
        });
        let views = read.await.map_err(ApiError::from)?.value;
        let floor = tenant.shard.floor();
        let agents = views.iter().filter_map(|view| {
            let entry = floor.agents.live(view.agent.key.0)?;
            Some(proto::Agent { status: Some(tenant.show_status(view)), ..tenant.show_agent(entry, &floor) })
        });
        Ok(Response::new(proto::ListAgentsResponse { agents: agents.collect() }))
    }

    async fn update_agent(
        &self,
        request: Request<proto::UpdateAgentRequest>,
    ) -> Result<Response<proto::Agent>, Status> {
        let (metadata, _, request) = request.into_parts();
        let agent = given("agent", request.agent)?;
        let tenant = self.gate.of(&metadata, "agent.name", &agent.name)?;
        let id = tenant.id("agent.name", &agent.name, "agents")?;
        write(&tenant, id, define_agent(&agent, &tenant)?, update("agent.etag", &agent.etag)?).await?;
        Ok(Response::new(agent_with_status(&tenant, id).await?))
    }

    async fn delete_agent(
        &self,
        request: Request<proto::DeleteFloorRequest>,
    ) -> Result<Response<()>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        remove(&tenant, Kind::Agent, tenant.id("name", &request.name, "agents")?, &request.etag).await
    }

    async fn create_group(
        &self,
        request: Request<proto::CreateGroupRequest>,
    ) -> Result<Response<proto::Group>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let id = chosen_id("group_id", &request.group_id)?;
        write(&tenant, id, define_group(&request.group.unwrap_or_default())?, Write::Create).await?;
        Ok(Response::new(tenant.show_group(found(&tenant.shard.floor().groups, id, "GROUP_NOT_FOUND")?.1)))
    }

    async fn get_group(
        &self,
        request: Request<proto::GetFloorRequest>,
    ) -> Result<Response<proto::Group>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        let id = tenant.id("name", &request.name, "groups")?;
        Ok(Response::new(tenant.show_group(found(&tenant.shard.floor().groups, id, "GROUP_NOT_FOUND")?.1)))
    }

    async fn list_groups(
        &self,
        request: Request<proto::ListFloorRequest>,
    ) -> Result<Response<proto::ListGroupsResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let floor = tenant.shard.floor();
        let groups = floor.groups.by_name().map(|(_, entry)| tenant.show_group(entry)).collect();
        Ok(Response::new(proto::ListGroupsResponse { groups }))
    }

    async fn update_group(
        &self,
        request: Request<proto::UpdateGroupRequest>,
    ) -> Result<Response<proto::Group>, Status> {
        let (metadata, _, request) = request.into_parts();
        let group = given("group", request.group)?;
        let tenant = self.gate.of(&metadata, "group.name", &group.name)?;
        let id = tenant.id("group.name", &group.name, "groups")?;
        write(&tenant, id, define_group(&group)?, update("group.etag", &group.etag)?).await?;
        Ok(Response::new(tenant.show_group(found(&tenant.shard.floor().groups, id, "GROUP_NOT_FOUND")?.1)))
    }

    async fn delete_group(
        &self,
        request: Request<proto::DeleteFloorRequest>,
    ) -> Result<Response<()>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        remove(&tenant, Kind::Group, tenant.id("name", &request.name, "groups")?, &request.etag).await
    }

    async fn create_hours(
        &self,
        request: Request<proto::CreateHoursRequest>,
    ) -> Result<Response<proto::Hours>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let id = chosen_id("hours_id", &request.hours_id)?;
        write(&tenant, id, define_hours(&request.hours.unwrap_or_default())?, Write::Create).await?;
        Ok(Response::new(hours_now(&tenant, id).await?))
    }

    async fn get_hours(
        &self,
        request: Request<proto::GetFloorRequest>,
    ) -> Result<Response<proto::Hours>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        let id = tenant.id("name", &request.name, "hours")?;
        Ok(Response::new(hours_now(&tenant, id).await?))
    }

    async fn list_hours(
        &self,
        request: Request<proto::ListFloorRequest>,
    ) -> Result<Response<proto::ListHoursResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "parent", &request.parent)?;
        let read = tenant.shard.read(|shard| {
            let keys = shard.floor().hours.by_name().map(|(key, _)| key);
            keys.map(|key| (key, shard.phase(hours_key(key)))).collect::<Vec<_>>()
        });
        let phases = read.await.map_err(ApiError::from)?.value;
        let floor = tenant.shard.floor();
        let hours = phases
            .into_iter()
            .filter_map(|(key, phase)| Some(tenant.show_hours(floor.hours.live(key)?, phase)))
            .collect();
        Ok(Response::new(proto::ListHoursResponse { hours }))
    }

    async fn update_hours(
        &self,
        request: Request<proto::UpdateHoursRequest>,
    ) -> Result<Response<proto::Hours>, Status> {
        let (metadata, _, request) = request.into_parts();
        let hours = given("hours", request.hours)?;
        let tenant = self.gate.of(&metadata, "hours.name", &hours.name)?;
        let id = tenant.id("hours.name", &hours.name, "hours")?;
        write(&tenant, id, define_hours(&hours)?, update("hours.etag", &hours.etag)?).await?;
        Ok(Response::new(hours_now(&tenant, id).await?))
    }

    async fn delete_hours(
        &self,
        request: Request<proto::DeleteFloorRequest>,
    ) -> Result<Response<()>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "name", &request.name)?;
        remove(&tenant, Kind::Hours, tenant.id("name", &request.name, "hours")?, &request.etag).await
    }
}
