//! What a supervisor decides: who gets an interaction, how urgent it is, how an agent is; and the line to decide by.

use super::conversation::in_hand;
use super::convert::{code, page_size};
use super::desk::{CODE_MAX, agent_at, presence, status};
use super::names::shown;
use super::platform::{ask, now};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::command::{Command, Refusal};
use crate::engine::event::EndedBy;
use crate::engine::ids::{AssignmentId, InteractionId, QueueKey};
use crate::proto;
use crate::proto::set_agent_state_request::Change;
use crate::runtime::view;
use std::sync::Arc;

/// So far down a line can be looked.
const LISTED_MAX: usize = 10_000;

/// Gives an interaction to one agent.
pub async fn assign(
    tenant: &Arc<Tenant>,
    request: &proto::AssignRequest,
) -> Result<proto::Interaction, ApiError> {
    let id = InteractionId(tenant.number("interaction", &request.interaction, "interactions")?);
    let agent = agent_at(tenant, "agent", &request.agent)?;
    let command = Command::Assign { interaction: id, agent, overdraw: request.overdraw };
    ask(tenant, id, command, None).await.map_err(|error| error.naming("interaction"))?;
    now(tenant, id).await
}

/// Changes how urgent an interaction is.
pub async fn reprioritise(
    tenant: &Arc<Tenant>,
    request: &proto::ReprioritiseRequest,
) -> Result<proto::Interaction, ApiError> {
    let id = InteractionId(tenant.number("interaction", &request.interaction, "interactions")?);
    let points = i16::try_from(request.priority).ok().filter(|points| (-10..=10).contains(points));
    let wrong = || ApiError::field("priority", &request.priority.to_string(), "-10 to 10");
    let command = Command::Reprioritise { interaction: id, priority: points.ok_or_else(wrong)? };
    ask(tenant, id, command, None).await.map_err(|error| error.naming("interaction"))?;
    now(tenant, id).await
}

/// Changes how an agent is.
pub async fn set_agent_state(
    tenant: &Arc<Tenant>,
    request: &proto::SetAgentStateRequest,
) -> Result<proto::AgentStatus, ApiError> {
    let agent = agent_at(tenant, "agent", &request.agent)?;
    let by = EndedBy::Supervisor;
    let command = match &request.change {
        None => return Err(ApiError::missing("change", "a presence, or a wrap-up to finish")),
        Some(Change::Presence(asked)) => {
            let reason = code("break_reason", &request.break_reason, CODE_MAX)?.into();
            Command::SetPresence { agent, presence: presence(*asked)?, reason, by }
        }
        Some(Change::FinishWrapUp(name)) => {
            let assignment = AssignmentId(tenant.number("finish_wrap_up", name, "assignments")?);
            let (part, _) =
                in_hand(tenant, assignment).await.map_err(|error| error.naming("finish_wrap_up"))?;
            if part.agent != agent {
                return Err(ApiError::from(Refusal::AssignmentUnknown).blaming("finish_wrap_up"));
            }
            Command::FinishWrapUp { assignment, by }
        }
    };
    tenant.shard.ask(command, None).await?;
    status(tenant, agent).await
}

/// Who waits in a queue.
pub async fn list_waiting(
    tenant: &Arc<Tenant>,
    request: &proto::ListWaitingRequest,
) -> Result<proto::ListWaitingResponse, ApiError> {
    let id = tenant.id("queue", &request.queue, "queues")?;
    let key = tenant.shard.floor().queues.key(id).and_then(|key| u16::try_from(key).ok()).map(QueueKey);
    let missing = || ApiError::not_found("queue", "QUEUE_NOT_FOUND", &format!("queue {}", shown(id)));
    let queue = key.ok_or_else(missing)?;
    let size = page_size("page_size", request.page_size, 100, 1_000)?;
    let token = &request.page_token;
    let passed = if token.is_empty() { Some(0) } else { token.parse::<usize>().ok() };
    let passed = passed.filter(|passed| *passed < LISTED_MAX).ok_or_else(|| {
        ApiError::field("page_token", &shown(token), "the next_page_token of an earlier answer")
    })?;
    let upto = passed.saturating_add(size).min(LISTED_MAX);
    let look = move |shard: &crate::engine::shard::Shard| {
        let line: Vec<InteractionId> = view::first_in_line(shard, queue, upto + 1).collect();
        let page = line.iter().take(upto).skip(passed);
        let views: Vec<_> = page.filter_map(|id| view::interaction(shard, *id)).collect();
        (views, line.len() > upto)
    };
    let seen = tenant.shard.read(look).await?;
    let (views, more) = seen.value;
    let next = (more && upto < LISTED_MAX).then(|| upto.to_string());
    Ok(proto::ListWaitingResponse {
        interactions: views.iter().map(|view| tenant.show_interaction(view)).collect(),
        next_page_token: next.unwrap_or_default(),
        sequence: seen.sequence.0,
    })
}
