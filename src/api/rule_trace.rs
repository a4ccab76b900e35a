//! The rules behind the plan in force, as supervisors read them: each rule asked again on what was recorded.

use super::tenant::Tenant;
use crate::engine::circumstances::Circumstances;
use crate::engine::floor::Floor;
use crate::engine::interaction::Interaction;
use crate::proto;
use crate::proto::rule_trace::Outcome as Shown;
use crate::rules::{Outcome, Told, Traced};

/// Every ordered rule of the version that planned it. Nothing where that version is not known any more.
pub fn trace(tenant: &Tenant, interaction: &Interaction, floor: &Floor) -> Vec<proto::RuleTrace> {
    let ruling = tenant.rules.now();
    if ruling.rules.version() != interaction.plan.rule_set || !ruling.rules.has_rules() {
        return Vec::new();
    }
    let plain = Circumstances::default();
    let told = Told {
        channel: interaction.channel,
        source: &interaction.source,
        facts: &interaction.facts,
        journey: interaction.planned_with().map(|journey| &**journey),
        circumstances: interaction.facts.circumstances.as_deref().unwrap_or(&plain),
    };
    ruling.rules.trace(floor, &told).into_iter().map(shown).collect()
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
