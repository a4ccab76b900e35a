//! Where a conversation is handed, or who is asked to help: from the protocol to the engine's target. Plans are made
//! here, by the rules, as for what is submitted.

use super::desk;
use super::intake::requirements;
use super::names::shown;
use super::planned;
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::command::{Handover, Target};
use crate::engine::floor::Floor;
use crate::engine::ids::{AssignmentId, QueueKey};
use crate::engine::interaction::Interaction;
use crate::proto;
use crate::rules::Asked;

/// The target of a transfer, a consult or a conference of an interaction.
pub fn target(
    tenant: &Tenant,
    asked: Option<&proto::Target>,
    interaction: &Interaction,
) -> Result<Target, ApiError> {
    let wanted = "a queue, an agent or an assignment";
    let asked = asked.ok_or_else(|| ApiError::missing("target", wanted))?;
    let names_line = !asked.queue.is_empty() || !asked.agent.is_empty() || !asked.requirements.is_empty();
    match (asked.assignment.as_str(), names_line) {
        ("", false) => Err(ApiError::missing("target", wanted)),
        ("", true) => line(tenant, asked, interaction),
        (assignment, false) => {
            let number = tenant.number("target.assignment", assignment, "assignments")?;
            Ok(Target::Consulted(AssignmentId(number)))
        }
        (assignment, true) => {
            let alone = "nothing beside a queue, agent or requirements";
            Err(ApiError::field("target.assignment", &shown(assignment), alone))
        }
    }
}

fn line(tenant: &Tenant, asked: &proto::Target, interaction: &Interaction) -> Result<Target, ApiError> {
    let floor = tenant.shard.floor();
    let queue = queue(tenant, &floor, &asked.queue, interaction)?;
    let agent = match asked.agent.as_str() {
        "" => None,
        name => Some(desk::agent_at(tenant, "target.agent", name)?),
    };
    let requirements = requirements("target.requirements", &asked.requirements, tenant, &floor)?;
    let (ruling, facts) = (tenant.rules.now(), &interaction.facts);
    let applied = planned::applied(tenant, &ruling, &floor, interaction);
    let plain = Asked::plain(interaction.channel, queue, facts);
    let asked = Asked { requirements: &requirements, applied: &applied, queue_is_final: true, ..plain };
    let mut plan = ruling.rules.plan(&floor, &asked);
    // A supervisor may have changed it since; it goes with the customer.
    plan.priority = interaction.plan.priority;
    Ok(Target::Line { plan: plan.into(), agent })
}

fn queue(
    tenant: &Tenant,
    floor: &Floor,
    name: &str,
    interaction: &Interaction,
) -> Result<QueueKey, ApiError> {
    let missing =
        |what: &str| ApiError::not_found("target.queue", "QUEUE_NOT_FOUND", &format!("queue {what}"));
    if name.is_empty() {
        let key = interaction.queue();
        let live = floor.queues.live(u32::from(key.0));
        return live.map(|_| key).ok_or_else(|| missing("the interaction is in"));
    }
    let id = tenant.id("target.queue", name, "queues")?;
    let key = floor.queues.key(id).and_then(|key| u16::try_from(key).ok());
    key.map(QueueKey).ok_or_else(|| missing(&shown(id)))
}

/// How it is handed on.
pub fn handover(code: i32) -> Result<Handover, ApiError> {
    match proto::Handover::try_from(code) {
        Ok(proto::Handover::Unspecified | proto::Handover::Blind) => Ok(Handover::Blind),
        Ok(proto::Handover::Warm) => Ok(Handover::Warm),
        Err(_) => Err(ApiError::field("handover", &code.to_string(), "1 BLIND or 2 WARM")),
    }
}
