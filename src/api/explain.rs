//! Why an interaction is where it is: the stored decisions, each agent now, or each agent as of one decision, judged
//! again from the recorded events. A decision is told with what it was made with, or without.

use super::convert::{millis, timestamp};
use super::customer_facts;
use super::rule_trace;
use super::shown;
use super::status::ApiError;
use super::tenant::Tenant;
use crate::engine::explain::{
    Candidate, Exclusion, Net, Trigger, chosen_sentence, exclusion_sentence, money, net_sentence, sentence,
};
use crate::engine::floor::Floor;
use crate::engine::ids::{InteractionId, Sequence};
use crate::engine::interaction::{Decided, Interaction};
use crate::engine::plan::Plan;
use crate::engine::skill::Requirement;
use crate::engine::time::Time;
use crate::journal::{Fault, RecoveryError, state_after};
use crate::proto;
use crate::runtime::view::{self, InteractionView};
use std::path::PathBuf;
use std::sync::Arc;
use tonic::Code;

/// Answers one question.
pub async fn explain(
    tenant: &Arc<Tenant>,
    request: &proto::ExplainRequest,
) -> Result<proto::Explanation, ApiError> {
    let id = InteractionId(tenant.number("interaction", &request.interaction, "interactions")?);
    let read = tenant.shard.read(move |shard| {
        let view = view::interaction(shard, id);
        let open = view.as_ref().is_some_and(|view| !view.interaction.state.is_over());
        (view, if open { shard.judge(id) } else { Vec::new() }, shard.last_interaction())
    });
    let seen = read.await?;
    let (view, now, last) = seen.value;
    let view = view.ok_or_else(|| gone(id, last))?;
    let then = match request.decision {
        0 => None,
        decision => Some(recomputed(tenant, &view, Sequence(decision)).await?),
    };
    let recomputed = then.is_some();
    let agents = then.as_ref().map_or(&now, |then| &then.agents);
    let floor = tenant.shard.floor();
    let needs = view.interaction.requirements();
    let waits = recomputed || view.interaction.standing.is_some();
    let first = if waits { First::WouldBe } else { First::CouldBe };
    Ok(proto::Explanation {
        decisions: view
            .interaction
            .decisions
            .iter()
            .map(|one| decision(tenant, one, MadeWith::of(one, &view.interaction, then.as_ref())))
            .collect(),
        agents: agents.iter().map(|one| candidate(tenant, one, first, best(agents), needs, &floor)).collect(),
        recomputed,
        sequence: seen.sequence.0,
        interaction: Some(tenant.show_interaction(&view)),
        customer_facts: customer_facts::known(&view.interaction),
        customer_facts_unknown: customer_facts::unknown(&view.interaction),
        replaced_plans: customer_facts::replaced(tenant, &view.interaction, &floor),
        rules: rule_trace::trace(tenant, &view.interaction, &floor).await,
    })
}

fn gone(id: InteractionId, last: InteractionId) -> ApiError {
    if id <= last {
        let message = format!("the record of interaction {id} is no longer in memory");
        return ApiError::new(Code::NotFound, "NOT_RETAINED", message).blaming("interaction");
    }
    ApiError::not_found("interaction", "INTERACTION_NOT_FOUND", &format!("interaction {id}"))
}

/// The moment before a decision.
struct Then {
    decision: Sequence,
    /// Every agent as of then.
    agents: Vec<Candidate>,
    interaction: Option<Arc<Interaction>>,
}

/// What a decision was made with.
#[derive(Clone, Copy)]
struct MadeWith<'a> {
    /// `None`: it may have been another than the one of now.
    plan: Option<&'a Plan>,
    needs: &'a [Requirement],
}

impl<'a> MadeWith<'a> {
    /// As the state of then says, of the decision that was asked for; of others the plan of now tells, if there was never
    /// another: then its revision rose with offers alone.
    fn of(decided: &Decided, now: &'a Interaction, then: Option<&'a Then>) -> MadeWith<'a> {
        let then = then.filter(|then| then.decision == decided.sequence);
        if let Some(one) = then.and_then(|then| then.interaction.as_deref()) {
            return MadeWith { plan: Some(&one.plan), needs: one.requirements() };
        }
        let offers = now.decisions.iter().filter(|decided| decided.agent.is_some()).count();
        let only_one = now.plan_revision as usize <= offers;
        MadeWith { plan: only_one.then_some(&now.plan), needs: now.requirements() }
    }
}

/// Looks at the moment before a decision.
async fn recomputed(tenant: &Tenant, view: &InteractionView, decision: Sequence) -> Result<Then, ApiError> {
    let decided =
        view.interaction.decisions.iter().find(|one| one.sequence == decision).ok_or_else(|| {
            let wanted = "the sequence of one of the interaction's decisions";
            ApiError::field("decision", &decision.to_string(), wanted)
        })?;
    let Some(folder) = tenant.folder.clone() else {
        let message = "the journal is in memory: there are no recorded events to judge from";
        return Err(ApiError::new(Code::FailedPrecondition, "NOT_RETAINED", message));
    };
    let (id, time) = (view.interaction.id, decided.time);
    let _turn = tenant.recompute.acquire().await.expect("it is never closed");
    let judged = tokio::task::spawn_blocking(move || judged_then(folder, id, decision, time)).await;
    judged.unwrap_or_else(|error| Err(ApiError::new(Code::Internal, "RECOMPUTE_FAILED", error.to_string())))
}

fn judged_then(
    folder: PathBuf,
    interaction: InteractionId,
    decision: Sequence,
    time: Time,
) -> Result<Then, ApiError> {
    let before = Sequence(decision.0 - 1);
    let shard = state_after(&folder, before).map_err(|error| match error {
        RecoveryError::Journal(fault @ Fault::NotRetained { .. }) => {
            ApiError::new(Code::FailedPrecondition, "NOT_RETAINED", fault.to_string())
        }
        other => ApiError::new(Code::Internal, "RECOMPUTE_FAILED", other.to_string()),
    })?;
    let shard = shard.looked_at(time);
    let (agents, interaction) = (shard.judge(interaction), shard.interaction_shared(interaction));
    Ok(Then { decision, agents, interaction })
}

fn decision(tenant: &Tenant, decided: &Decided, with: MadeWith<'_>) -> proto::Decision {
    let floor = tenant.shard.floor();
    let MadeWith { plan, needs } = with;
    let made = &decided.decision;
    let best = best(&made.agents);
    let trigger = match made.trigger {
        Trigger::InteractionWaits => proto::decision::Trigger::InteractionWaits,
        Trigger::AgentFree => proto::decision::Trigger::AgentFree,
        Trigger::Pulled => proto::decision::Trigger::Pulled,
    };
    proto::Decision {
        sequence: decided.sequence.0,
        time: Some(timestamp(decided.time)),
        trigger: trigger.into(),
        agent: decided.agent.map(|agent| tenant.agent_name(agent, &floor)).unwrap_or_default(),
        wait_reason: made.wait_reason.map_or(0, |reason| shown::wait_reason(reason).into()),
        score: made.score,
        wait_time: Some(millis(made.wait_ms)),
        priority: plan.map(|plan| plan.priority.into()),
        agents: made
            .agents
            .iter()
            .map(|one| candidate(tenant, one, First::Chosen(decided), best, needs, &floor))
            .collect(),
        rivals: made
            .rivals
            .iter()
            .map(|rival| proto::Rival {
                interaction: tenant.name_of("interactions", rival.interaction),
                score: rival.score,
            })
            .collect(),
        agents_ready: made.ready,
        rule_set_version: plan.map_or(0, |plan| plan.rule_set),
        sentence: sentence(made, decided.agent, needs, &floor),
        relief: made.relief.map(super::money::relief),
    }
}

/// What the agent without a reason against is.
#[derive(Clone, Copy)]
enum First<'a> {
    Chosen(&'a Decided),
    /// It waits.
    WouldBe,
    /// It is with somebody already.
    CouldBe,
}

fn candidate(
    tenant: &Tenant,
    one: &Candidate,
    first: First,
    best: i64,
    needs: &[Requirement],
    floor: &Floor,
) -> proto::Candidate {
    let reason = |exclusion: Exclusion| exclusion_sentence(exclusion, floor);
    let sentence = match (one.exclusion, first) {
        (Some(exclusion), _) => match (one.net, one.short_by(best)) {
            (Some(net), Some(short)) => {
                format!("{}, short by {}: {}", reason(exclusion), money(short), net_sentence(net))
            }
            _ => reason(exclusion),
        },
        (None, First::Chosen(decided)) => chosen_sentence(&decided.decision, one.agent, needs, floor),
        (None, First::WouldBe) => "would be chosen: first in rank".to_owned(),
        (None, First::CouldBe) => "could take it now: first in rank".to_owned(),
    };
    proto::Candidate {
        agent: tenant.agent_name(one.agent, floor),
        exclusion: one.exclusion.map_or(0, |exclusion| shown::exclusion(exclusion).into()),
        sentence,
        capacity_used: one.used,
        idle: Some(millis(one.idle_ms)),
        net: one.net.map(net_value),
        short_by: one.short_by(best).unwrap_or_default(),
    }
}

/// What the best pair is worth, of those nobody is excluded from.
fn best(agents: &[Candidate]) -> i64 {
    let could = agents.iter().filter(|one| one.exclusion.is_none());
    could.filter_map(|one| one.net.map(Net::sum)).max().unwrap_or(0)
}

fn net_value(net: Net) -> proto::NetValue {
    proto::NetValue {
        net: net.sum(),
        relief: net.relief,
        r#match: net.matching,
        familiar: net.familiar,
        lacking: net.lacking,
        opportunity: net.opportunity,
        fairness: net.fairness,
        ringing: net.ringing,
        handle_time: Some(millis(net.handle_ms)),
    }
}
