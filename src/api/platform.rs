//! What a platform says about an interaction after it was handed in: the customer wrote, the two are connected or
//! not, they are to be handed on, put back, or called back.

use super::calls::refuse_unwanted;
use super::conversation::{hand_on, said};
use super::convert::{channel, moment, required};
use super::handover::{handover, target};
use super::interactions::{look, not_retained};
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::command::{Answer, Command, Leaving, Refusal, Window};
use crate::engine::event::ConnectFailure;
use crate::engine::ids::InteractionId;
use crate::engine::outcome::Assignment;
use crate::engine::plan::Channel;
use crate::engine::time::Time;
use crate::proto;
use crate::runtime::inbox::AskError;
use crate::runtime::payload::{Secret, Speaker};
use crate::runtime::view::{self, InteractionView};

/// Longest message of a customer, in characters.
const MESSAGE_MAX: usize = 4_096;
/// Times that are asked for may lie this far ahead, ms.
pub const AHEAD_MAX_MS: u64 = 366 * 24 * 60 * 60 * 1000;

/// The interaction a name stands for.
pub fn interaction(tenant: &Tenant, name: &str) -> Result<InteractionId, ApiError> {
    Ok(InteractionId(tenant.number("name", name, "interactions")?))
}

/// Asks for something about an interaction; one there is no record of is told apart from one that never was.
pub async fn ask(
    tenant: &Tenant,
    id: InteractionId,
    command: Command,
    secret: Option<Secret>,
) -> Result<Answer, ApiError> {
    match tenant.shard.ask(command, secret).await {
        Ok(seen) => Ok(seen.value),
        Err(AskError::Refused(Refusal::InteractionUnknown)) => Err(not_retained(tenant, id).await),
        Err(error) => Err(error.into()),
    }
}

/// The interaction as it is now.
pub async fn now(tenant: &Tenant, id: InteractionId) -> Result<proto::Interaction, ApiError> {
    match look(tenant, id).await? {
        Some(view) => Ok(tenant.show_interaction(&view)),
        None => Err(not_retained(tenant, id).await),
    }
}

/// The customer wrote.
pub async fn update(
    tenant: &Tenant,
    request: &proto::UpdateInteractionRequest,
) -> Result<proto::Interaction, ApiError> {
    let id = interaction(tenant, &request.name)?;
    let (command, secret) = wrote(tenant, id, &request.message)?;
    ask(tenant, id, command, secret).await?;
    now(tenant, id).await
}

/// The command for what the customer wrote, and what rides beside it.
pub fn wrote(
    tenant: &Tenant,
    id: InteractionId,
    message: &str,
) -> Result<(Command, Option<Secret>), ApiError> {
    let message = required("message", message, MESSAGE_MAX)?;
    Ok((Command::Wrote { interaction: id }, said(tenant, id, Speaker::Customer, message)))
}

/// The command for a customer who left, or a source that takes it back.
pub fn cancel(id: InteractionId, cause: i32) -> Result<Command, ApiError> {
    use proto::cancel_request::Cause;
    let leaving = match Cause::try_from(cause) {
        Ok(Cause::Withdrawn) => Leaving::Withdrawn,
        Ok(_) => Leaving::CustomerLeft,
        Err(_) => {
            return Err(ApiError::field("cause", &cause.to_string(), "1 CUSTOMER_LEFT or 2 WITHDRAWN"));
        }
    };
    Ok(Command::Cancel { interaction: id, leaving })
}

/// Agent and customer are connected.
pub async fn connected(
    tenant: &Tenant,
    request: &proto::ConnectedRequest,
) -> Result<proto::Interaction, ApiError> {
    let id = interaction(tenant, &request.name)?;
    ask(tenant, id, Command::Connected { interaction: id }, None).await?;
    now(tenant, id).await
}

/// They could not be connected.
pub async fn connect_failed(
    tenant: &Tenant,
    request: &proto::ConnectFailedRequest,
) -> Result<proto::Interaction, ApiError> {
    let id = interaction(tenant, &request.name)?;
    ask(tenant, id, not_connected(id, request.cause)?, None).await?;
    now(tenant, id).await
}

/// The command for two who could not be connected.
pub fn not_connected(id: InteractionId, cause: i32) -> Result<Command, ApiError> {
    use proto::connect_failed_request::Cause;
    let cause = match Cause::try_from(cause) {
        Ok(Cause::AgentNoAnswer) => ConnectFailure::AgentNoAnswer,
        Ok(Cause::AgentBusy) => ConnectFailure::AgentBusy,
        Ok(Cause::CustomerGone) => ConnectFailure::CustomerGone,
        Ok(Cause::CustomerNoAnswer) => ConnectFailure::CustomerNoAnswer,
        Ok(Cause::Network) => ConnectFailure::Network,
        Ok(Cause::Unspecified) | Err(_) => {
            let wanted =
                "1 AGENT_NO_ANSWER, 2 AGENT_BUSY, 3 CUSTOMER_GONE, 4 CUSTOMER_NO_ANSWER or 5 NETWORK";
            return Err(ApiError::field("cause", &cause.to_string(), wanted));
        }
    };
    Ok(Command::ConnectFailed { interaction: id, cause })
}

/// Who serves the customer now.
async fn served(tenant: &Tenant, id: InteractionId) -> Result<(Assignment, InteractionView), ApiError> {
    let seen = tenant
        .shard
        .read(move |shard| {
            let view = view::interaction(shard, id)?;
            let owner = view.interaction.owner.and_then(|owner| shard.assignment(owner).copied());
            let state = view.interaction.state;
            Some(match owner {
                Some(owner) => Ok((owner, view)),
                None => Err(Refusal::WrongState { state, wanted: "an agent serves the customer" }),
            })
        })
        .await?;
    match seen.value {
        Some(found) => Ok(found?),
        None => Err(not_retained(tenant, id).await),
    }
}

/// Hands the customer on.
pub async fn transfer(
    tenant: &Tenant,
    request: &proto::TransferInteractionRequest,
) -> Result<proto::Interaction, ApiError> {
    let id = interaction(tenant, &request.name)?;
    let (part, view) = served(tenant, id).await?;
    let target = target(tenant, request.target.as_ref(), &view.interaction)?;
    hand_on(tenant, &part, target, handover(request.handover)?, &request.transcript).await?;
    now(tenant, id).await
}

/// Back in line.
pub async fn requeue(
    tenant: &Tenant,
    request: &proto::RequeueInteractionRequest,
) -> Result<proto::Interaction, ApiError> {
    let id = interaction(tenant, &request.name)?;
    let (part, _) = served(tenant, id).await?;
    ask(tenant, id, Command::Requeue { assignment: part.id }, None).await?;
    now(tenant, id).await
}

/// A time at most 366 days ahead.
pub fn ahead(field: &'static str, time: prost_types::Timestamp, now: Time) -> Result<Time, ApiError> {
    let time = moment(field, time)?;
    if time.since(now) > AHEAD_MAX_MS {
        let got = format!("{} ms since 1970", time.0);
        return Err(ApiError::field(field, &got, "a time within 366 days"));
    }
    Ok(time)
}

/// The customer wants to be called back.
pub async fn request_callback(
    tenant: &Tenant,
    request: &proto::RequestCallbackRequest,
) -> Result<proto::RequestCallbackResponse, ApiError> {
    let id = interaction(tenant, &request.name)?;
    let clock = tenant.clock.now();
    let from = request.from_time.map(|time| ahead("from_time", time, clock)).transpose()?;
    let until = request.until_time.ok_or_else(|| ApiError::missing("until_time", "a time"))?;
    let until = ahead("until_time", until, clock)?;
    let channel = match request.channel {
        0 => Channel::Voice,
        code => channel("channel", code)?,
    };
    refuse_unwanted(tenant, id, channel).await?;
    let window = Window { from: from.unwrap_or(Time(0)), until };
    let command = Command::RequestCallback { interaction: id, channel, window };
    let Answer::CallbackPlanned { interaction } = ask(tenant, id, command, None).await? else {
        unreachable!("a call-back is answered with the interaction it belongs to");
    };
    Ok(proto::RequestCallbackResponse {
        interaction: Some(now(tenant, interaction).await?),
        merged: interaction != id,
    })
}
