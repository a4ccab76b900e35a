//! Value: what decides in money adds up, and is the best there was among all who could have had it.

use super::run::Run;
use baton::engine::event::{Event, Stamped};
use baton::engine::explain::{By, Candidate, Decision, Exclusion, Net, Trigger};
use baton::engine::ids::InteractionId;
use baton::engine::money::Money;
use baton::engine::plan::Familiar;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many decisions added up, were the best of all there were, and were changed by what would change them.
static SUMMED: AtomicU64 = AtomicU64::new(0);
static COMPARED: AtomicU64 = AtomicU64::new(0);
static FLIPPED: AtomicU64 = AtomicU64::new(0);

/// What was looked at, for whoever runs many.
pub fn looked_at() -> String {
    let [summed, compared, flipped] =
        [&SUMMED, &COMPARED, &FLIPPED].map(|count| count.load(Ordering::Relaxed));
    format!(
        "{summed} decisions in money added up, {compared} were the best of all pairs, {flipped} were changed"
    )
}

impl Run {
    /// `before` is what the same step has said already.
    pub fn check_value(&self, stamped: &Stamped, before: &[Stamped]) {
        let (interaction, agent, decision) = match &stamped.event {
            Event::Offered { interaction, agent, decision, .. } => (*interaction, Some(*agent), decision),
            Event::Waits { interaction, decision } => (*interaction, None, decision),
            _ => return,
        };
        if decision.by != By::Value || decision.trigger == Trigger::Pulled {
            return;
        }
        self.check_sums(decision);
        SUMMED.fetch_add(1, Ordering::Relaxed);
        // Who just missed it comes last, whatever the value; and events do not say that time passed.
        let missed = before.iter().any(|one| matches!(one.event, Event::Expired { .. }));
        let asked_already = before.iter().any(|one| match &one.event {
            Event::Offered { decision: other, .. } => Arc::ptr_eq(other, decision),
            _ => false,
        });
        if decision.trigger != Trigger::InteractionWaits
            || decision.wanted.is_some()
            || missed
            || asked_already
            || self.shadow.now() != stamped.time
        {
            return;
        }
        self.check_best(interaction, decision);
        self.check_what_would_change_it(interaction, decision);
        if let Some(agent) = agent {
            let chosen = decision.agents.iter().find(|one| one.agent == agent).expect("it is stored");
            assert_eq!(chosen.net.map(Net::sum), Some(decision.score), "{stamped:?}");
        }
    }

    fn check_sums(&self, decision: &Decision) {
        let relief = decision.relief.expect("money decides").sum();
        for one in &decision.agents {
            let Some(net) = one.net else { continue };
            assert_eq!(net.relief, relief);
            assert!(net.opportunity >= 0 && net.ringing <= 0 && net.fairness >= 0, "{net:?}");
        }
        if decision.trigger == Trigger::AgentFree {
            let rate = |score: i64| decision.rivals.iter().all(|rival| rival.score <= score);
            // But for those who are beyond their maximum, and come first whatever they are worth.
            let overdue = decision.agents.len() == 1 && rate(i64::MAX);
            assert!(rate(decision.score) || overdue, "{decision:?}");
        }
    }

    /// With so much more value an agent who was not chosen is, and with one millionth less than that is not.
    fn check_what_would_change_it(&self, interaction: InteractionId, decision: &Decision) {
        let Some(subject) = self.shadow.interaction(interaction) else { return };
        // Whoever does not always answer loses a share of it; and where many are asked, more than the first are chosen.
        let alone = self.shadow.agents_for(interaction).0.len() <= 1;
        for one in decision.agents.iter().filter(|one| alone && one.net.is_some_and(|net| net.ringing == 0)) {
            let (agent, Some(short)) = (one.agent, one.short_by(decision.score)) else { continue };
            let known = subject.familiar().filter(|familiar| familiar.agent == agent);
            if known.is_none() && subject.familiar().is_some() {
                continue;
            }
            let first_with = |more: i64| {
                let worth = Money(known.map_or(0, |known| known.worth.0) + more);
                let chosen = match one.exclusion {
                    Some(Exclusion::RankedLower) => {
                        self.shadow.agents_supposing(interaction, 0, Some(Familiar { agent, worth }))
                    }
                    _ => self.shadow.agents_supposing(interaction, more, None),
                };
                chosen.expect("money decides, among all").first().copied()
            };
            let kept = one.exclusion == Some(Exclusion::KeptForOthers);
            let flipped = first_with(if kept { short } else { short + 1 });
            let changed = if kept { flipped.is_some() } else { flipped == Some(agent) };
            assert!(changed, "{agent} with {short} more: {flipped:?} in {decision:?}");
            if short > 1 {
                assert_ne!(
                    first_with(short - 1),
                    Some(agent),
                    "{agent} with less than {short} more in {decision:?}"
                );
            }
            FLIPPED.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Everybody looked at, one by one: nobody is worth more than the first, nor than the second if it is stored.
    fn check_best(&self, interaction: InteractionId, decision: &Decision) {
        let judged = self.shadow.judge(interaction);
        COMPARED.fetch_add(1, Ordering::Relaxed);
        let could = |one: &&Candidate| matches!(one.exclusion, None | Some(Exclusion::RankedLower));
        let mut nets: Vec<i64> =
            judged.iter().filter(could).filter_map(|one| one.net.map(Net::sum)).collect();
        nets.sort_unstable_by(|one, other| other.cmp(one));
        let stored: Vec<i64> =
            decision.agents.iter().filter(could).filter_map(|one| one.net.map(Net::sum)).collect();
        assert_eq!(stored, nets[..stored.len().min(nets.len())], "{decision:?} of {judged:#?}");
        assert_eq!(stored.is_empty(), nets.is_empty(), "{decision:?} of {judged:#?}");
        if let Some(best) = nets.first() {
            assert_eq!(decision.score, *best);
        }
    }
}
