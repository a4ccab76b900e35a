//! What was known of a customer when an interaction was planned, and the plans that others took the place of, as
//! supervisors read them.

use super::convert::{channel_code, millis, timestamp};
use super::tenant::Tenant;
use crate::engine::floor::Floor;
use crate::engine::interaction::Interaction;
use crate::engine::journey::{Journey, LastOutcome};
use crate::proto;

/// What is known of the customer, in time for the plan in force or not.
pub fn known(interaction: &Interaction) -> Option<proto::CustomerFacts> {
    interaction.facts.journey.as_deref().map(shown)
}

/// Whose it is is known, and what they did before was not when it was planned.
pub fn unknown(interaction: &Interaction) -> bool {
    interaction.facts.customer.is_some() && interaction.planned_with().is_none()
}

/// The plans before the one in force, oldest first.
pub fn replaced(tenant: &Tenant, interaction: &Interaction, floor: &Floor) -> Vec<proto::ReplacedPlan> {
    let shown = |one: &crate::engine::interaction::Replaced| proto::ReplacedPlan {
        rule_set_version: one.rule_set,
        queue: tenant.queue_name(one.queue, floor),
        replace_time: Some(timestamp(one.at)),
    };
    interaction.replaced().iter().map(shown).collect()
}

fn shown(journey: &Journey) -> proto::CustomerFacts {
    proto::CustomerFacts {
        contacts_1h: journey.contacts_1h,
        contacts_24h: journey.contacts_24h,
        contacts_7d: journey.contacts_7d,
        about_1h: journey.about_1h,
        about_24h: journey.about_24h,
        about_7d: journey.about_7d,
        about_within: journey.about_within,
        lifetime_contacts: journey.lifetime_contacts,
        last_outcome: journey.last_outcome.map_or(0, |outcome| self::outcome(outcome).into()),
        last_agent: journey.last_agent.to_string(),
        last_ago: journey.last_ago_ms.map(millis),
        served_ago: journey.served_ago_ms.map(millis),
        open_promises: journey.open_promises,
        tier: journey.tier.to_string(),
        language: journey.language.to_string(),
        preferred_channel: journey.preferred_channel.map_or(0, channel_code),
        refuses_calls: journey.refuses_calls,
        complaint: journey.signals.complaint,
        competitor: journey.signals.competitor,
        cancel: journey.signals.cancel,
        sentiment: journey.sentiment.map(i32::from),
        sentiment_trend: journey.sentiment_trend.into(),
    }
}

fn outcome(outcome: LastOutcome) -> proto::customer_facts::Outcome {
    use proto::customer_facts::Outcome;
    match outcome {
        LastOutcome::Open => Outcome::Open,
        LastOutcome::Served => Outcome::Served,
        LastOutcome::Left => Outcome::Left,
        LastOutcome::TakenBack => Outcome::TakenBack,
        LastOutcome::TimedOut => Outcome::TimedOut,
        LastOutcome::SentAway => Outcome::SentAway,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::channel::Channel;
    use crate::engine::journey::Signals;

    #[test]
    fn everything_that_was_known_is_shown() {
        let journey = Journey {
            refuses_calls: true,
            contacts_1h: 1,
            contacts_24h: 2,
            contacts_7d: 3,
            about_1h: 4,
            about_24h: 5,
            about_7d: 6,
            about_within: 7,
            lifetime_contacts: 8,
            last_outcome: Some(LastOutcome::Left),
            last_agent: "ana".into(),
            served_ago_ms: Some(9_500),
            last_ago_ms: Some(9_500),
            open_promises: 10,
            tier: "gold".into(),
            language: "es".into(),
            preferred_channel: Some(Channel::Chat),
            signals: Signals { complaint: true, competitor: false, cancel: true },
            sentiment: Some(-11),
            sentiment_trend: -12,
        };
        let facts = shown(&journey);
        let counts = [facts.contacts_1h, facts.contacts_24h, facts.contacts_7d];
        assert_eq!(counts, [1, 2, 3]);
        let about = [facts.about_1h, facts.about_24h, facts.about_7d, facts.about_within];
        assert_eq!(about, [4, 5, 6, 7]);
        assert_eq!((facts.lifetime_contacts, facts.open_promises), (8, 10));
        assert_eq!(facts.last_outcome(), proto::customer_facts::Outcome::Left);
        assert_eq!((facts.last_agent.as_str(), facts.last_ago), ("ana", Some(millis(9_500))));
        assert_eq!((facts.tier.as_str(), facts.language.as_str()), ("gold", "es"));
        assert_eq!(facts.preferred_channel(), proto::Channel::Chat);
        assert_eq!([facts.complaint, facts.competitor, facts.cancel], [true, false, true]);
        assert_eq!((facts.sentiment, facts.sentiment_trend), (Some(-11), -12));
    }

    #[test]
    fn what_was_not_measured_is_absent_and_not_zero() {
        let facts = shown(&Journey::default());
        assert_eq!(facts, proto::CustomerFacts::default());
        assert_eq!((facts.last_outcome, facts.last_ago, facts.sentiment), (0, None, None));
    }
}
