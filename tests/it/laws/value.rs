//! Value: what decides in money adds up, and is the best there was among all who could have had it.

use super::run::Run;
use baton::engine::event::{Event, Stamped};
use baton::engine::explain::{By, Candidate, Decision, Exclusion, Net, Trigger};
use baton::engine::ids::InteractionId;
use std::sync::Arc;

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

    /// Everybody looked at, one by one: nobody is worth more than the first, nor than the second if it is stored.
    fn check_best(&self, interaction: InteractionId, decision: &Decision) {
        let judged = self.shadow.judge(interaction);
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
