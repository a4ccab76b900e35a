//! What an agent does in a conversation beside ending it: hand it on, ask for help, park it, put it back; and how work
//! is taken from the line.

use super::convert::text;
use super::desk::{accepted, agent_at, status};
use super::handover::{handover, target};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::command::{Command, Handover, Target};
use crate::engine::ids::{AssignmentId, InteractionId};
use crate::engine::outcome::Assignment;
use crate::proto;
use crate::runtime::payload::{Secret, Speaker};
use crate::runtime::view::{self, InteractionView};
use std::sync::Arc;

/// Longest transcript, in characters.
const TRANSCRIPT_MAX: usize = 16_384;

/// An assignment that is not over, with its interaction.
pub async fn in_hand(tenant: &Tenant, id: AssignmentId) -> Result<(Assignment, InteractionView), ApiError> {
    let look = move |shard: &crate::engine::shard::Shard| {
        view::assignment(shard, id).ok_or_else(|| shard.no_assignment(id))
    };
    Ok(tenant.shard.read(look).await?.value?)
}

fn assignment(tenant: &Tenant, name: &str) -> Result<AssignmentId, ApiError> {
    Ok(AssignmentId(tenant.number("assignment", name, "assignments")?))
}

/// What rides beside a command about an interaction that is open; `None` if there is nothing to say.
pub fn said(tenant: &Tenant, interaction: InteractionId, by: Speaker, text: &str) -> Option<Secret> {
    let held = tenant.payloads.get(&interaction).filter(|_| !text.is_empty())?;
    Some(Secret::said(interaction, by, text, &held.key))
}

/// Hands a customer on.
pub async fn transfer(
    tenant: &Arc<Tenant>,
    request: &proto::TransferRequest,
) -> Result<proto::AgentStatus, ApiError> {
    let (part, view) = in_hand(tenant, assignment(tenant, &request.assignment)?).await?;
    let target = target(tenant, request.target.as_ref(), &view.interaction)?;
    hand_on(tenant, &part, target, handover(request.handover)?, &request.transcript).await?;
    status(tenant, part.agent).await
}

/// Hands a customer on, whoever asks for it.
pub async fn hand_on(
    tenant: &Tenant,
    part: &Assignment,
    target: Target,
    handover: Handover,
    transcript: &str,
) -> Result<(), ApiError> {
    let transcript = text("transcript", transcript, TRANSCRIPT_MAX)?;
    let secret = said(tenant, part.interaction, Speaker::Transcript, transcript);
    let consulted = matches!(target, Target::Consulted(_));
    let command = Command::Transfer { assignment: part.id, target, handover };
    let answer = tenant.shard.ask(command, secret).await;
    answer.map(drop).map_err(|error| about_target(error.into(), consulted))
}

/// An assignment that is not there is the one that was named as the target: one's own was looked up before.
fn about_target(error: ApiError, consulted: bool) -> ApiError {
    if consulted { error.naming("target.assignment") } else { error }
}

/// Asks for advice.
pub async fn consult(
    tenant: &Arc<Tenant>,
    request: &proto::ConsultRequest,
) -> Result<proto::AgentStatus, ApiError> {
    let (part, view) = in_hand(tenant, assignment(tenant, &request.assignment)?).await?;
    let target = target(tenant, request.target.as_ref(), &view.interaction)?;
    if matches!(target, Target::Consulted(_)) {
        let wanted = "nothing: a queue or an agent is consulted";
        return Err(ApiError::field("target.assignment", "an assignment", wanted));
    }
    tenant.shard.ask(Command::Consult { assignment: part.id, target }, None).await?;
    status(tenant, part.agent).await
}

/// Adds an agent to the conversation.
pub async fn conference(
    tenant: &Arc<Tenant>,
    request: &proto::ConferenceRequest,
) -> Result<proto::AgentStatus, ApiError> {
    let (part, view) = in_hand(tenant, assignment(tenant, &request.assignment)?).await?;
    let target = target(tenant, request.target.as_ref(), &view.interaction)?;
    let consulted = matches!(target, Target::Consulted(_));
    let answer = tenant.shard.ask(Command::Conference { assignment: part.id, target }, None).await;
    answer.map_err(|error| about_target(error.into(), consulted))?;
    status(tenant, part.agent).await
}

/// A command about an assignment, answered with how its agent is.
async fn plainly(
    tenant: &Arc<Tenant>,
    name: &str,
    command: impl FnOnce(AssignmentId) -> Command,
) -> Result<proto::AgentStatus, ApiError> {
    let (part, _) = in_hand(tenant, assignment(tenant, name)?).await?;
    tenant.shard.ask(command(part.id), None).await?;
    status(tenant, part.agent).await
}

/// Looks for a second agent no more.
pub async fn stop_seeking(
    tenant: &Arc<Tenant>,
    request: &proto::StopSeekingRequest,
) -> Result<proto::AgentStatus, ApiError> {
    plainly(tenant, &request.assignment, |assignment| Command::StopSeeking { assignment }).await
}

/// Nothing to do until the customer writes.
pub async fn park(
    tenant: &Arc<Tenant>,
    request: &proto::ParkRequest,
) -> Result<proto::AgentStatus, ApiError> {
    plainly(tenant, &request.assignment, |assignment| Command::Park { assignment }).await
}

/// Back in line.
pub async fn requeue(
    tenant: &Arc<Tenant>,
    request: &proto::RequeueRequest,
) -> Result<proto::AgentStatus, ApiError> {
    plainly(tenant, &request.assignment, |assignment| Command::Requeue { assignment }).await
}

/// More time for wrap-up.
pub async fn extend_wrap_up(
    tenant: &Arc<Tenant>,
    request: &proto::ExtendWrapUpRequest,
) -> Result<proto::AgentStatus, ApiError> {
    plainly(tenant, &request.assignment, |assignment| Command::ExtendWrapUp { assignment }).await
}

/// Takes work from the line.
pub async fn pull(
    tenant: &Arc<Tenant>,
    request: &proto::PullRequest,
) -> Result<proto::AcceptResponse, ApiError> {
    let agent = agent_at(tenant, "agent", &request.agent)?;
    let interaction = InteractionId(tenant.number("interaction", &request.interaction, "interactions")?);
    let seen = tenant.shard.ask(Command::Pull { agent, interaction }, None).await?;
    Ok(accepted(tenant, seen))
}
