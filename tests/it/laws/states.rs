//! One state each, and everything else about an interaction agrees with it.

use super::run::Run;
use baton::engine::deadline::Deadline;
use baton::engine::ids::OfferId;
use baton::engine::interaction::{Interaction, Part, Standing, State, Until};
use baton::engine::outcome::Assignment;
use baton::engine::score::place;
use std::collections::{BTreeMap, BTreeSet};

impl Run {
    pub fn check_states(&self) {
        for subject in self.interactions() {
            self.check_state(subject);
            self.check_parts(subject);
            self.check_search(subject);
            assert_eq!(subject.entered, self.entered[&subject.id], "the place is that of first entry");
            assert!(subject.hops <= subject.plan.hops_max, "{} hops", subject.hops);
        }
        self.check_standing();
        let open: BTreeSet<OfferId> =
            self.interactions().flat_map(|subject| subject.offers.iter().copied()).collect();
        assert_eq!(open, self.open_offers, "whoever is offered has the offers that are open");
    }

    fn check_state(&self, subject: &Interaction) {
        let (state, id) = (subject.state, subject.id);
        assert_eq!(subject.over.is_some(), state.is_over(), "{id}");
        let offered = !subject.offers.is_empty() && subject.seek().is_none();
        assert_eq!(offered, state == State::Offered, "{id} {state:?} {:?}", subject.offers);
        assert_eq!(subject.scheduled().is_some(), state == State::Scheduled, "{id} {state:?}");
        if let Some(Until::At(at)) = subject.scheduled() {
            let due = self.shard.deadlines().sorted().contains(&(at, Deadline::Due(id)));
            assert!(due, "{id}: what is scheduled becomes due");
        }
        let served = matches!(state, State::Handling | State::Parked | State::WrappingUp | State::Closed);
        assert!(!served || (subject.answered.is_some() && subject.visit_answered), "{id} {state:?}");
        assert!(subject.wanted.is_none() || !served, "{id} {state:?}: who is served waits for nobody");
        let back_in_line = subject.answered.is_some() && state.is_unanswered();
        assert!(!back_in_line || subject.requeues > 0 || subject.transfers > 0, "{id}");
        for offer in &subject.offers {
            let offer = self.shard.offer(*offer).expect("it is open");
            assert_eq!(offer.interaction, id);
            assert_eq!(offer.part, subject.sought().2);
        }
        let asked: BTreeSet<_> =
            subject.offers.iter().map(|offer| self.shard.offer(*offer).map(|offer| offer.agent)).collect();
        assert_eq!(asked.len(), subject.offers.len(), "{id}: nobody is asked twice at once");
    }

    /// Who talks, who owns, who wraps up.
    fn check_parts(&self, subject: &Interaction) {
        let (state, id) = (subject.state, subject.id);
        let parts: Vec<&Assignment> = subject
            .assignments
            .iter()
            .map(|id| self.shard.assignment(*id).expect("it is not over"))
            .collect();
        assert!(parts.iter().all(|part| part.interaction == id));
        let talking: Vec<&&Assignment> = parts.iter().filter(|part| part.talks()).collect();
        match state {
            State::Handling => {
                assert!(talking.iter().any(|part| !part.interrupted), "{id}: somebody talks");
                assert!(subject.owner.is_some(), "{id}: the customer is somebody's");
            }
            State::Parked => {
                assert!(talking.iter().all(|part| part.interrupted), "{id}: nobody works on it");
                assert_eq!(subject.owner.is_some(), !talking.is_empty(), "{id}");
            }
            State::WrappingUp => {
                assert!(!parts.is_empty() && talking.is_empty() && subject.owner.is_none(), "{id}");
            }
            // Also when closed: the wrap-up of an agent who handed it on may still run.
            _ => assert!(talking.is_empty() && subject.owner.is_none(), "{id} {state:?}"),
        }
        let owners: Vec<_> =
            talking.iter().filter(|part| part.part == Part::Owner).map(|part| part.id).collect();
        assert_eq!(owners, subject.owner.into_iter().collect::<Vec<_>>(), "{id}: one owner");
        if let Some(owner) = subject.owner.and_then(|owner| self.shard.assignment(owner)) {
            assert_eq!(subject.agent, Some(owner.agent), "{id}");
        }
        let agents: BTreeSet<_> = talking.iter().map(|part| part.agent).collect();
        assert_eq!(agents.len(), talking.len(), "{id}: nobody talks to themselves");
    }

    /// A second agent is looked for only while the one who asked talks.
    fn check_search(&self, subject: &Interaction) {
        let Some(seek) = subject.seek() else { return };
        assert!(
            matches!(subject.state, State::Handling | State::Parked),
            "{} {:?}",
            subject.id,
            subject.state
        );
        let by = self.shard.assignment(seek.by).expect("who asked is there");
        assert!(by.talks() && by.interaction == subject.id, "{}", subject.id);
        let until = self.shard.deadlines().sorted();
        assert!(until.iter().any(|(_, deadline)| *deadline == Deadline::Seek(subject.id)), "it ends");
    }

    /// In line exactly while it waits, or a second agent is sought and not being asked; in one line, once.
    fn check_standing(&self) {
        let mut stands: BTreeMap<_, Vec<Standing>> = BTreeMap::new();
        for (key, lane) in self.shard.lines().lanes() {
            lane.waiting().for_each(|place| stands.entry(*place).or_default().push(Standing::Lane(key)));
        }
        for agent in self.shard.agents() {
            let here = Standing::Agent(agent.key);
            agent.line.iter().for_each(|place| stands.entry(*place).or_default().push(here));
        }
        for subject in self.interactions() {
            let sought = subject.seek().is_some() && subject.offers.is_empty();
            let stands_there = subject.state == State::Waiting || sought;
            assert_eq!(subject.standing.is_some(), stands_there, "{} {:?}", subject.id, subject.state);
            let (lane, wanted, _) = subject.sought();
            let expected = wanted.map_or(Standing::Lane(lane), |wanted| Standing::Agent(wanted.agent));
            let found = stands.remove(&place(subject));
            assert_eq!(found, stands_there.then(|| vec![expected]), "{}", subject.id);
            assert_eq!(subject.standing, stands_there.then_some(expected), "{}", subject.id);
            assert_eq!(self.shard.wait_reason(subject.id).is_some(), stands_there, "{}", subject.id);
        }
        assert!(stands.is_empty(), "nobody else stands in line: {stands:?}");
    }
}
