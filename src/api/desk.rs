//! What an agent does, whoever asks: the unary methods and the stream of a platform alike.

use super::conversation::said;
use super::convert::{code, real, required, text};
use super::names::shown;
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::agent::Presence;
use crate::engine::command::{Answer, Command};
use crate::engine::event::EndedBy;
use crate::engine::ids::{AgentKey, AssignmentId, OfferId, SessionId};
use crate::proto;
use crate::runtime::inbox::Seen;
use crate::runtime::leases::LEASE;
use crate::runtime::payload::Speaker;
use crate::runtime::view;
use std::sync::Arc;

/// Longest code of a break, a decline or a disposition, in characters.
pub const CODE_MAX: usize = 64;
/// Longest note, in characters.
const NOTE_MAX: usize = 4_096;

/// The agent a name stands for.
pub fn agent(tenant: &Tenant, name: &str) -> Result<AgentKey, ApiError> {
    agent_at(tenant, "agent", name)
}

/// The agent a name in any field stands for.
pub fn agent_at(tenant: &Tenant, field: &'static str, name: &str) -> Result<AgentKey, ApiError> {
    let id = tenant.id(field, name, "agents")?;
    let key = tenant.shard.floor().agents.key(id).map(AgentKey);
    key.ok_or_else(|| ApiError::not_found(field, "AGENT_NOT_FOUND", &format!("agent {}", shown(id))))
}

/// How a session is written.
pub fn show_session(session: SessionId) -> String {
    format!("{:016x}", session.0)
}

/// A session as it was written; `None` for anything else.
pub fn parse_session(written: &str) -> Option<SessionId> {
    (written.len() == 16).then(|| u64::from_str_radix(written, 16).ok().map(SessionId)).flatten()
}

/// Renews a session.
pub fn heartbeat(
    tenant: &Tenant,
    request: &proto::HeartbeatRequest,
) -> Result<proto::HeartbeatResponse, ApiError> {
    required("session", &request.session, CODE_MAX)?;
    let renewed = parse_session(&request.session).and_then(|session| tenant.leases.renew_agent(session));
    match renewed {
        Some(_) => Ok(proto::HeartbeatResponse { lease: Some(real(LEASE)) }),
        None => Err(ApiError::not_found("session", "SESSION_NOT_FOUND", "the session")),
    }
}

/// What the agent chooses to be.
pub async fn set_presence(
    tenant: &Arc<Tenant>,
    request: &proto::SetPresenceRequest,
) -> Result<proto::AgentStatus, ApiError> {
    let agent = agent(tenant, &request.agent)?;
    let presence = presence(request.presence)?;
    let reason = code("break_reason", &request.break_reason, CODE_MAX)?.into();
    tenant.shard.ask(Command::SetPresence { agent, presence, reason, by: EndedBy::Agent }, None).await?;
    status(tenant, agent).await
}

/// A presence that can be chosen.
pub fn presence(code: i32) -> Result<Presence, ApiError> {
    match proto::Presence::try_from(code) {
        Ok(proto::Presence::Available) => Ok(Presence::Available),
        Ok(proto::Presence::OnBreak) => Ok(Presence::OnBreak),
        Ok(proto::Presence::SignedOut) => Ok(Presence::SignedOut),
        Ok(proto::Presence::Unspecified) | Err(_) => {
            let wanted = "1 AVAILABLE, 2 ON_BREAK or 3 SIGNED_OUT";
            Err(ApiError::field("presence", &code.to_string(), wanted))
        }
    }
}

/// Takes an offer.
pub async fn accept(
    tenant: &Arc<Tenant>,
    request: &proto::AcceptRequest,
) -> Result<proto::AcceptResponse, ApiError> {
    let offer = OfferId(tenant.number("offer", &request.offer, "offers")?);
    Ok(accepted(tenant, tenant.shard.ask(Command::Accept { offer }, None).await?))
}

/// What an agent has now who took something.
pub fn accepted(tenant: &Tenant, seen: Seen<Answer>) -> proto::AcceptResponse {
    let Answer::Accepted { assignment, interaction } = seen.value else {
        unreachable!("an accept is answered with its assignment");
    };
    proto::AcceptResponse {
        assignment: tenant.name_of("assignments", assignment),
        interaction: tenant.name_of("interactions", interaction),
        sequence: seen.sequence.0,
    }
}

/// Says no to an offer.
pub async fn decline(
    tenant: &Arc<Tenant>,
    request: &proto::DeclineRequest,
) -> Result<proto::AgentStatus, ApiError> {
    let offer = OfferId(tenant.number("offer", &request.offer, "offers")?);
    let reason = code("reason", &request.reason, CODE_MAX)?.into();
    tenant.shard.ask(Command::Decline { offer, reason }, None).await?;
    let agent = tenant
        .shard
        .read(move |shard| shard.ended_offer(offer).map(|ended| ended.agent))
        .await?
        .value
        .ok_or_else(|| ApiError::not_found("offer", "OFFER_NOT_FOUND", "the offer"))?;
    status(tenant, agent).await
}

/// Ends a conversation.
pub async fn complete(
    tenant: &Arc<Tenant>,
    request: &proto::CompleteRequest,
) -> Result<proto::AgentStatus, ApiError> {
    let assignment = AssignmentId(tenant.number("assignment", &request.assignment, "assignments")?);
    let disposition = code("disposition", &request.disposition, CODE_MAX)?.into();
    let note = text("note", &request.note, NOTE_MAX)?;
    let at_hand = assigned(tenant, assignment).await?;
    let secret = at_hand.and_then(|(_, interaction)| said(tenant, interaction, Speaker::Agent, note));
    tenant.shard.ask(Command::Complete { assignment, disposition }, secret).await?;
    after(tenant, at_hand).await
}

/// Ends wrap-up before its time.
pub async fn finish_wrap_up(
    tenant: &Arc<Tenant>,
    request: &proto::FinishWrapUpRequest,
) -> Result<proto::AgentStatus, ApiError> {
    let assignment = AssignmentId(tenant.number("assignment", &request.assignment, "assignments")?);
    let at_hand = assigned(tenant, assignment).await?;
    tenant.shard.ask(Command::FinishWrapUp { assignment, by: EndedBy::Agent }, None).await?;
    after(tenant, at_hand).await
}

type AtHand = Option<(AgentKey, crate::engine::ids::InteractionId)>;

async fn assigned(tenant: &Tenant, id: AssignmentId) -> Result<AtHand, ApiError> {
    let look = move |shard: &crate::engine::shard::Shard| {
        shard.assignment(id).map(|assignment| (assignment.agent, assignment.interaction))
    };
    Ok(tenant.shard.read(look).await?.value)
}

/// The status of the agent whose work was asked about. The engine has refused it already if there is none.
async fn after(tenant: &Tenant, at_hand: AtHand) -> Result<proto::AgentStatus, ApiError> {
    let (agent, _) =
        at_hand.ok_or_else(|| ApiError::from(crate::engine::command::Refusal::AssignmentEnded))?;
    status(tenant, agent).await
}

/// How an agent is.
pub async fn status_of(tenant: &Tenant, name: &str) -> Result<proto::AgentStatus, ApiError> {
    status(tenant, agent(tenant, name)?).await
}

/// The same, by key.
pub async fn status(tenant: &Tenant, agent: AgentKey) -> Result<proto::AgentStatus, ApiError> {
    let view = tenant.shard.read(move |shard| view::status(shard, agent)).await?.value;
    let view = view.ok_or_else(|| ApiError::not_found("agent", "AGENT_NOT_FOUND", "the agent"))?;
    Ok(tenant.show_status(&view))
}
