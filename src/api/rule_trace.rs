//! The rules behind the plan in force, as supervisors read them: each rule asked again on what was recorded.

use super::documents::of_version;
use super::tenant::Tenant;
use crate::engine::circumstances::Circumstances;
use crate::engine::floor::Floor;
use crate::engine::interaction::Interaction;
use crate::proto;
use crate::proto::rule_trace::Outcome as Shown;
use crate::rules::{Outcome, Told, Traced};

/// Every ordered rule of the version that planned it. Nothing where that version is not known any more.
pub async fn trace(tenant: &Tenant, interaction: &Interaction, floor: &Floor) -> Vec<proto::RuleTrace> {
    // A plan by which somebody was handed on was made in other circumstances than those recorded.
    if interaction.transfers > 0 {
        return Vec::new();
    }
    // Rules that cannot be read any more have nothing to say.
    let Ok(Some(rules)) = of_version(tenant, interaction.plan.rule_set).await else { return Vec::new() };
    let mut made_in = interaction.made_in();
    if tenant.forgotten.has(interaction.facts.customer) {
        made_in.attributes.clear();
    }
    rules.trace(floor, &told(interaction, &made_in)).into_iter().map(shown).collect()
}

/// What the rules were told when the plan in force was made, in these circumstances.
pub fn told<'a>(interaction: &'a Interaction, made_in: &'a Circumstances) -> Told<'a> {
    Told {
        channel: interaction.channel,
        source: &interaction.source,
        facts: &interaction.facts,
        journey: interaction.planned_with().map(|journey| &**journey),
        circumstances: made_in,
    }
}

fn shown(traced: Traced) -> proto::RuleTrace {
    let (outcome, sentence) = match traced.outcome {
        Outcome::Matched { share: None } => (Shown::Matched, String::new()),
        Outcome::Matched { share: Some(share) } => (Shown::Matched, format!("by share {share}")),
        Outcome::NotMatched { because } => (Shown::NotMatched, because),
        Outcome::Skipped { why } => (Shown::Skipped, why),
        Outcome::NotReached => (Shown::NotReached, String::new()),
    };
    proto::RuleTrace { rule: traced.rule, outcome: outcome.into(), sentence }
}
