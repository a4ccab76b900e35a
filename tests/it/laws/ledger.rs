//! Every claim has its holder, every holder its claim, and nobody holds more than they can, but by an overdraw.

use super::run::Run;
use baton::engine::agent::Agent;
use baton::engine::capacity::{Claim, Holder};
use baton::engine::channel::Channel;
use baton::engine::ids::AssignmentId;
use std::collections::{BTreeMap, BTreeSet};

impl Run {
    pub fn check_ledger(&self) {
        let mut claims = BTreeMap::new();
        let mut interrupted = BTreeSet::new();
        for agent in self.shard.agents() {
            let held = agent.ledger.claims();
            assert_eq!(agent.ledger.used(), held.iter().map(|claim| u32::from(claim.units)).sum::<u32>());
            for claim in held {
                let known = claims.insert(claim.holder, (agent.key, *claim));
                assert!(known.is_none(), "a holder claims once");
            }
            interrupted.extend(agent.interrupted.iter().map(|id| (agent.key, *id)));
        }
        for subject in self.interactions() {
            for id in &subject.offers {
                let offer = self.shard.offer(*id).expect("it is open");
                let (agent, claim) = claims.remove(&Holder::Offer(*id)).expect("an offer claims");
                assert_eq!(
                    (agent, claim.channel, claim.overdraw),
                    (offer.agent, subject.channel, offer.overdraw)
                );
            }
            for id in &subject.assignments {
                let part = self.shard.assignment(*id).expect("it is not over");
                let holder = if part.talks() { Holder::Assignment(*id) } else { Holder::WrapUp(*id) };
                if part.interrupted {
                    assert!(interrupted.remove(&(part.agent, *id)), "{id} comes back to its agent");
                    continue;
                }
                let (agent, claim) = claims.remove(&holder).expect("an assignment claims");
                assert_eq!((agent, claim.channel), (part.agent, part.channel));
                assert!(if part.talks() { claim.units == part.units } else { claim.units <= part.units });
            }
        }
        assert!(claims.is_empty(), "claims without work: {claims:?}");
        assert!(interrupted.is_empty(), "interrupted without work: {interrupted:?}");
    }

    /// Beside overdraws nobody holds more than they can, but what they held when that was lowered.
    pub fn check_capacity(&mut self, configures: bool) {
        for agent in self.shard.agents() {
            let (held, allowed) = (self.held(agent), self.allowed(agent));
            let nothing = || vec![0; held.len()];
            let excused = self.excused.entry(agent.key).or_insert_with(nothing);
            for index in 0..held.len() {
                excused[index] = if configures {
                    excused[index].max(held[index])
                } else {
                    excused[index].min(held[index])
                };
                let most = allowed[index].max(excused[index]);
                assert!(held[index] <= most, "agent {} holds {held:?} of {allowed:?}", agent.key);
            }
        }
    }

    /// Units, open offers, and interactions by channel.
    fn allowed(&self, agent: &Agent) -> Vec<u32> {
        let spec = self.shard.capacity_of(agent.key);
        let mut allowed = vec![u32::from(spec.units), u32::from(spec.open_offers_max)];
        allowed.extend(Channel::ALL.iter().map(|channel| u32::from(spec.of(*channel).limit)));
        allowed
    }

    /// The same as held, but by overdraws. What was interrupted comes back, and counts among its channel.
    fn held(&self, agent: &Agent) -> Vec<u32> {
        let claims = agent.ledger.claims().iter().filter(|claim| claim.overdraw.is_none());
        let plain: Vec<&Claim> = claims.collect();
        let offer = |claim: &&&Claim| matches!(claim.holder, Holder::Offer(_));
        let mut held = vec![plain.iter().map(|claim| u32::from(claim.units)).sum()];
        held.push(count(plain.iter().filter(offer).count()));
        let comes_back = |channel: Channel| {
            let on =
                |id: &&AssignmentId| self.shard.assignment(**id).is_some_and(|part| part.channel == channel);
            agent.interrupted.iter().filter(on).count()
        };
        held.extend(Channel::ALL.iter().map(|channel| {
            let claims = plain.iter().filter(|claim| claim.channel == *channel).count();
            count(claims + comes_back(*channel))
        }));
        held
    }
}

fn count(few: usize) -> u32 {
    u32::try_from(few).expect("it is small")
}
