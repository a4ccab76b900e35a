//! What an agent does, whoever asks: the unary methods and the stream of a platform alike.

use super::conversation::said;
use super::convert::{code, real, required, text};
use super::names::shown;
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::agent::Presence;
use crate::engine::command::{Answer, Command, Refusal};
use crate::engine::event::EndedBy;
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId, SessionId};
use crate::engine::shard::Shard;
use crate::proto;
use crate::runtime::inbox::Seen;
use crate::runtime::leases::LEASE;
use crate::runtime::payload::{Secret, Speaker};
use crate::runtime::told::{Look, Shown};
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
    let (agent, command) = presents(tenant, request)?;
    status_after(tenant, command, Look::Agent(agent), None).await
}

/// The command for it.
pub fn presents(
    tenant: &Tenant,
    request: &proto::SetPresenceRequest,
) -> Result<(AgentKey, Command), ApiError> {
    let agent = agent(tenant, &request.agent)?;
    let presence = presence(request.presence)?;
    let reason = code("break_reason", &request.break_reason, CODE_MAX)?.into();
    Ok((agent, Command::SetPresence { agent, presence, reason, by: EndedBy::Agent }))
}

/// Asks for a change, and shows how the agent is after it.
async fn status_after(
    tenant: &Tenant,
    command: Command,
    look: Look,
    secret: Option<Secret>,
) -> Result<proto::AgentStatus, ApiError> {
    match tenant.shard.ask_and_look(command, secret, look).await?.1 {
        Shown::Agent(view) => Ok(tenant.show_status(&view)),
        // Whose work it was is forgotten.
        _ => Err(Refusal::AssignmentEnded.into()),
    }
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
    Ok(accepted(tenant, tenant.shard.ask(accepts(tenant, request)?, None).await?))
}

/// The command for it.
pub fn accepts(tenant: &Tenant, request: &proto::AcceptRequest) -> Result<Command, ApiError> {
    Ok(Command::Accept { offer: OfferId(tenant.number("offer", &request.offer, "offers")?) })
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
    let (offer, command) = declines(tenant, request)?;
    status_after(tenant, command, Look::Asked(offer), None).await
}

/// The command for it.
pub fn declines(tenant: &Tenant, request: &proto::DeclineRequest) -> Result<(OfferId, Command), ApiError> {
    let offer = OfferId(tenant.number("offer", &request.offer, "offers")?);
    let reason = code("reason", &request.reason, CODE_MAX)?.into();
    Ok((offer, Command::Decline { offer, reason }))
}

/// Ends a conversation.
pub async fn complete(
    tenant: &Arc<Tenant>,
    request: &proto::CompleteRequest,
) -> Result<proto::AgentStatus, ApiError> {
    let (assignment, command) = completes(tenant, request)?;
    let note = text("note", &request.note, NOTE_MAX)?;
    let secret = match note {
        "" => None,
        note => {
            interaction_of(tenant, assignment).await?.and_then(|at| said(tenant, at, Speaker::Agent, note))
        }
    };
    status_after(tenant, command, Look::AtWork(assignment), secret).await
}

/// The command for it, without the note.
pub fn completes(
    tenant: &Tenant,
    request: &proto::CompleteRequest,
) -> Result<(AssignmentId, Command), ApiError> {
    let assignment = assignment(tenant, &request.assignment)?;
    let disposition = code("disposition", &request.disposition, CODE_MAX)?.into();
    let solved = match proto::Resolution::try_from(request.resolution) {
        Ok(proto::Resolution::Unspecified) => None,
        Ok(proto::Resolution::Solved) => Some(true),
        Ok(proto::Resolution::NotSolved) => Some(false),
        Err(_) => {
            let got = request.resolution.to_string();
            return Err(ApiError::field("resolution", &got, "one of Resolution, or nothing"));
        }
    };
    Ok((assignment, Command::Complete { assignment, disposition, solved }))
}

/// Ends wrap-up before its time.
pub async fn finish_wrap_up(
    tenant: &Arc<Tenant>,
    request: &proto::FinishWrapUpRequest,
) -> Result<proto::AgentStatus, ApiError> {
    let assignment = assignment(tenant, &request.assignment)?;
    let command = Command::FinishWrapUp { assignment, by: EndedBy::Agent };
    status_after(tenant, command, Look::AtWork(assignment), None).await
}

/// The assignment a name stands for.
pub fn assignment(tenant: &Tenant, name: &str) -> Result<AssignmentId, ApiError> {
    Ok(AssignmentId(tenant.number("assignment", name, "assignments")?))
}

async fn interaction_of(tenant: &Tenant, id: AssignmentId) -> Result<Option<InteractionId>, ApiError> {
    let look = move |shard: &Shard| shard.assignment(id).map(|assignment| assignment.interaction);
    Ok(tenant.shard.read(look).await?.value)
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
