//! `baton explain`: why an interaction is where it is, in words, asked of a running server.
//!
//! Results go to standard output, what went wrong to standard error. Exit code 2: the options make no sense; 69: there is
//! no server, or it refuses.

use crate::client::{self, bearing, connect};
use crate::proto::customer_facts::Outcome;
use crate::proto::rule_trace::Outcome as Became;
use crate::proto::supervision_client::SupervisionClient;
use crate::proto::{CustomerFacts, ExplainRequest, Explanation, RuleTrace};
use clap::Args;
use std::io::{self, Write};
use std::process::ExitCode;

/// Say why an interaction is where it is: what was known of the customer, its plans, and its decisions
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// The interaction: its number, or its whole name
    #[arg(value_name = "INTERACTION")]
    interaction: String,
    /// The server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7700")]
    addr: String,
    /// The tenant
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// Token of a supervisor, where the server asks for one
    #[arg(long, value_name = "TOKEN", env = "BATON_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Asks, prints, and says what went wrong.
pub fn run(args: ExplainArgs) -> ExitCode {
    client::run("explain", async {
        let interaction = match args.interaction.contains('/') {
            true => args.interaction.clone(),
            false => format!("tenants/{}/interactions/{}", args.tenant, args.interaction),
        };
        let asked = bearing(ExplainRequest { interaction, decision: 0 }, args.token.as_deref())?;
        let told = SupervisionClient::new(connect(&args.addr).await?).explain(asked).await?.into_inner();
        Ok(print(&told)?)
    })
}

fn print(told: &Explanation) -> io::Result<()> {
    let mut out = io::stdout().lock();
    lines(told).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Where it is, what was known of the customer, its plans, and its decisions, oldest first.
fn lines(told: &Explanation) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(it) = &told.interaction {
        let state = it.state().as_str_name().trim_start_matches("INTERACTION_STATE_");
        let state = state.to_lowercase().replace('_', " ");
        let agent = if it.agent.is_empty() { String::new() } else { format!(", agent {}", last(&it.agent)) };
        lines.push(format!("{}: {state} in {}{agent}", it.name, last(&it.queue)));
        lines.push(plans(told, it.rule_set_version));
    }
    lines.push(match (&told.customer_facts, told.customer_facts_unknown) {
        (Some(facts), false) => format!("customer: {}", customer(facts)),
        (Some(facts), true) => format!("customer: {} (known after it was planned)", customer(facts)),
        (None, true) => "customer: known, but what they did before was not known in time".to_owned(),
        (None, false) => "customer: nobody knows who it is".to_owned(),
    });
    lines.extend(told.rules.iter().map(rule));
    lines.extend(told.decisions.iter().map(|one| format!("decision {}: {}", one.sequence, one.sentence)));
    lines
}

/// What became of a rule.
fn rule(one: &RuleTrace) -> String {
    let (name, said) = (&one.rule, &one.sentence);
    match one.outcome() {
        Became::Matched if said.is_empty() => format!("rule {name:?}: matched"),
        Became::Matched => format!("rule {name:?}: matched, {said}"),
        Became::Skipped => format!("rule {name:?}: skipped, {said}"),
        Became::NotReached => format!("rule {name:?}: not reached, a rule above stops"),
        Became::NotMatched | Became::Unspecified => format!("rule {name:?}: not matched, {said}"),
    }
}

/// The versions of the rules, plan by plan.
fn plans(told: &Explanation, version: u32) -> String {
    let before = told.replaced_plans.iter().map(|one| {
        let (version, queue) = (one.rule_set_version, last(&one.queue));
        format!("rules {version} in {queue}")
    });
    let before: Vec<String> = before.collect();
    match before.as_slice() {
        [] => format!("planned by rules {version}"),
        before => format!("planned again by rules {version}, at its place; before: {}", before.join(", ")),
    }
}

/// What was known, in a line of words; what was not is left out.
fn customer(facts: &CustomerFacts) -> String {
    let mut words = vec![format!(
        "{} contacts in 24 h, {} in 7 d, {} ever",
        facts.contacts_24h, facts.contacts_7d, facts.lifetime_contacts
    )];
    words.push(match facts.about_within {
        0 => format!("{} in 7 d about the matter", facts.about_7d),
        within => format!("about the matter contact {} by the rules", u64::from(within) + 1),
    });
    if let Some(ago) = facts.last_ago {
        words.push(format!("the newest {} ago{}", span(ago.seconds), ended(facts.last_outcome())));
    }
    if let Some(ago) = facts.served_ago {
        words.push(format!("served last by {} {} ago", facts.last_agent, span(ago.seconds)));
    }
    let counted = |count: u32, word: &str| (count > 0).then(|| format!("{count} {word}"));
    words.extend(counted(facts.open_promises, "promises open"));
    for (what, value) in [("tier", &facts.tier), ("language", &facts.language)] {
        words.extend((!value.is_empty()).then(|| format!("{what} {value}")));
    }
    let signals = [
        (facts.complaint, "complained"),
        (facts.competitor, "spoke of a competitor"),
        (facts.cancel, "wants to end it"),
    ];
    words.extend(signals.iter().filter(|(given, _)| *given).map(|(_, word)| (*word).to_owned()));
    if let Some(sentiment) = facts.sentiment {
        words.push(format!("sentiment {sentiment} ({:+})", facts.sentiment_trend));
    }
    words.join("; ")
}

fn ended(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unspecified => "",
        Outcome::Open => ", not over yet",
        Outcome::Served => ", served",
        Outcome::Left => ", left unanswered",
        Outcome::TakenBack => ", taken back",
        Outcome::TimedOut => ", timed out",
        Outcome::SentAway => ", sent away",
    }
}

/// A length of time by its largest unit.
fn span(seconds: i64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// The last part of a name.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{Decision, Interaction, InteractionState, ReplacedPlan};

    fn told() -> Explanation {
        Explanation {
            interaction: Some(Interaction {
                name: "tenants/default/interactions/7".into(),
                queue: "tenants/default/queues/complaints".into(),
                state: InteractionState::Waiting.into(),
                rule_set_version: 8,
                ..Interaction::default()
            }),
            decisions: vec![Decision {
                sequence: 40,
                sentence: "waits: every agent is busy".into(),
                ..Decision::default()
            }],
            ..Explanation::default()
        }
    }

    #[test]
    fn what_was_known_and_the_plans_are_said_in_a_line_each() {
        let facts = CustomerFacts {
            about_within: 2,
            contacts_24h: 3,
            contacts_7d: 4,
            lifetime_contacts: 31,
            last_outcome: Outcome::Left.into(),
            last_agent: "ana".into(),
            last_ago: Some(prost_types::Duration { seconds: 7_300, nanos: 0 }),
            served_ago: Some(prost_types::Duration { seconds: 18_100, nanos: 0 }),
            open_promises: 2,
            tier: "gold".into(),
            complaint: true,
            sentiment: Some(-40),
            sentiment_trend: -25,
            ..CustomerFacts::default()
        };
        let queue = "tenants/default/queues/sales".to_owned();
        let replaced = ReplacedPlan { rule_set_version: 7, queue, replace_time: None };
        let told = Explanation { customer_facts: Some(facts), replaced_plans: vec![replaced], ..told() };
        assert_eq!(
            lines(&told),
            [
                "tenants/default/interactions/7: waiting in complaints",
                "planned again by rules 8, at its place; before: rules 7 in sales",
                "customer: 3 contacts in 24 h, 4 in 7 d, 31 ever; about the matter contact 3 by the rules; the newest 2 h ago, left unanswered; served last by ana 5 h ago; 2 promises open; tier gold; complained; sentiment -40 (-25)",
                "decision 40: waits: every agent is busy",
            ]
        );
    }

    #[test]
    fn what_was_not_known_is_said_too() {
        let late = Explanation { customer_facts_unknown: true, ..told() };
        assert_eq!(lines(&late)[1], "planned by rules 8");
        assert_eq!(lines(&late)[2], "customer: known, but what they did before was not known in time");
        assert_eq!(lines(&told())[2], "customer: nobody knows who it is");
    }
}
