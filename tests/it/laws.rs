//! What holds after every command, whatever was asked: books, ledger, states, lines, and that events alone lead to
//! the same state. Proptest prints the commands of a failure and makes them few.

use crate::chance::{Chance, Move, runs};
use baton::engine::capacity::Holder;
use baton::engine::command::{Answer, Command, Refusal};
use baton::engine::event::{Event, Stamped};
use baton::engine::ids::{InteractionId, OfferId, QueueKey};
use baton::engine::interaction::{Interaction, State};
use baton::engine::shard::Shard;
use baton::engine::time::Time;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

proptest! {
    #![proptest_config(ProptestConfig { cases: runs(128), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_after_every_command(moves in prop::collection::vec(any::<Move>(), 1..250)) {
        let mut run = Run::opened();
        for one in moves {
            let (now, command) = run.chance.next(one);
            run.ask(now, command);
            run.check();
        }
        run.check_replay();
    }

    #[test]
    fn it_makes_no_difference_who_notices_a_deadline(moves in prop::collection::vec(any::<Move>(), 1..150)) {
        let (mut late, mut punctual) = (Run::opened(), Run::opened());
        for one in moves {
            let (now, command) = late.chance.next(one);
            late.ask(now, command.clone());
            // While we are down nobody notices anything.
            while let Some(at) = punctual.shard.next_deadline().filter(|at| *at <= now && command != Command::Restart) {
                punctual.ask(at, Command::Tick);
            }
            punctual.ask(now, command);
        }
        prop_assert_eq!(late.journal, punctual.journal);
        prop_assert_eq!(late.shard.digest(), punctual.shard.digest());
    }
}

/// An engine, and what was written down outside of it.
struct Run {
    shard: Shard,
    chance: Chance,
    journal: Vec<Stamped>,
    entered: BTreeMap<InteractionId, Time>,
    open_offers: BTreeSet<OfferId>,
}

impl Run {
    fn opened() -> Run {
        let mut run = Run {
            shard: Shard::new(),
            chance: Chance::new(),
            journal: Vec::new(),
            entered: BTreeMap::new(),
            open_offers: BTreeSet::new(),
        };
        for (now, command) in Chance::opening() {
            run.ask(now, command);
        }
        run
    }

    fn ask(&mut self, now: Time, command: Command) {
        let seen = self.journal.len();
        let before = (self.shard.digest(), self.shard.now());
        let configures = matches!(command, Command::Define { .. });
        let answer = self.shard.step(now, command, &mut self.journal);
        let events = &self.journal[seen..];
        self.chance.saw(events);
        if answer.is_err() && events.is_empty() {
            assert_eq!(self.shard.digest(), before.0, "a refusal changes nothing: {answer:?}");
        }
        if matches!(answer, Err(Refusal::TimeRunsBack { .. })) {
            assert_eq!(self.shard.now(), before.1, "time does not run back");
        }
        self.check_order(seen, before.1);
        self.check_maximum(&answer);
        self.follow_offers(seen);
        for stamped in &self.journal[seen..] {
            if let Event::Admitted(admitted) = &stamped.event {
                self.entered.insert(admitted.interaction, stamped.time);
            }
        }
        if !configures {
            self.check_capacity(seen);
        }
    }

    /// Lowering capacity below what is held drains, so it is looked at where an offer claims it.
    fn check_capacity(&self, seen: usize) {
        for stamped in &self.journal[seen..] {
            if let Event::Offered { agent, units: 1.., .. } = stamped.event {
                let used = self.shard.agent(agent).expect("it was defined").ledger.used();
                let capacity = self.shard.floor().agents.get(agent.0).expect("it was defined").spec.capacity;
                assert!(used <= capacity, "agent {agent} uses {used} of {capacity}");
            }
        }
    }

    fn check_order(&self, seen: usize, from: Time) {
        let mut time = from;
        for (index, stamped) in self.journal.iter().enumerate().skip(seen) {
            assert_eq!(stamped.sequence.0, index as u64 + 1, "sequences have no gap");
            assert!(stamped.time >= time, "times never go back");
            time = stamped.time;
        }
        assert!(self.shard.now() >= time);
    }

    /// Exact at the door, whatever was lowered or came back afterwards.
    fn check_maximum(&self, answer: &Result<Answer, Refusal>) {
        if let Ok(Answer::Admitted { interaction, repeated: false }) = answer {
            let queue = self.subject(*interaction).plan.queue;
            let unanswered = self.unanswered(queue);
            let max =
                self.shard.floor().queues.get(u32::from(queue.0)).expect("it was defined").spec.waiting_max;
            assert!(unanswered <= max as usize, "{unanswered} unanswered of at most {max}");
        }
    }

    /// Each offer has one ending.
    fn follow_offers(&mut self, seen: usize) {
        for stamped in &self.journal[seen..] {
            match &stamped.event {
                Event::Offered { offer, .. } => {
                    assert!(self.open_offers.insert(*offer), "an offer opens once")
                }
                Event::Accepted { offer, .. }
                | Event::Declined { offer, .. }
                | Event::Expired { offer, .. }
                | Event::Rescinded { offer, .. } => {
                    assert!(self.open_offers.remove(offer), "an offer ends once, and only when it is open");
                }
                _ => {}
            }
        }
        let open: BTreeSet<OfferId> = self.interactions().filter_map(|subject| subject.offer).collect();
        assert_eq!(open, self.open_offers, "whoever is offered has the offer that is open");
    }

    fn check(&self) {
        let mut standing: BTreeMap<InteractionId, u32> = BTreeMap::new();
        for (key, lane) in self.shard.lines().lanes() {
            for place in lane.waiting() {
                *standing.entry(place.2).or_default() += 1;
                assert_eq!(self.subject(place.2).lane, key, "it stands in its own lane");
            }
        }
        for subject in self.interactions() {
            self.check_state(subject, standing.get(&subject.id).copied().unwrap_or(0));
            assert_eq!(subject.entered, self.entered[&subject.id], "the place is that of first entry");
        }
        self.check_ledger();
        self.check_books();
        self.check_nobody_waits_in_vain();
    }

    fn check_state(&self, subject: &Interaction, lanes: u32) {
        let waits = u32::from(subject.state == State::Waiting);
        assert_eq!(lanes, waits, "{:?} stands in {lanes} lanes", subject.state);
        assert_eq!(subject.offer.is_some(), subject.state == State::Offered);
        let assigned = matches!(subject.state, State::Handling | State::WrappingUp);
        assert_eq!(subject.assignment.is_some(), assigned);
        assert_eq!(subject.over.is_some(), subject.state.is_over());
        let served = assigned || subject.state == State::Closed;
        assert!(!served || subject.answered.is_some());
        let back_in_line = subject.answered.is_some() && !served;
        assert!(!back_in_line || subject.requeues > 0, "only a lost agent undoes an assignment");
        if let Some(offer) = subject.offer {
            let offer = self.shard.offer(offer).expect("it is open");
            assert_eq!(offer.interaction, subject.id);
        }
        if let Some(assignment) = subject.assignment {
            let assignment = self.shard.assignment(assignment).expect("it is not over");
            assert_eq!(assignment.interaction, subject.id);
            assert_eq!(assignment.wrap_up_until.is_some(), subject.state == State::WrappingUp);
        }
        assert_eq!(self.shard.wait_reason(subject.id).is_some(), subject.state == State::Waiting);
    }

    /// Every claim has its holder, every holder its claim, and nobody holds more than they can.
    fn check_ledger(&self) {
        let mut claims = BTreeSet::new();
        for agent in self.shard.agents() {
            let held = agent.ledger.claims();
            let used: u16 = held.iter().map(|claim| claim.units).sum();
            assert_eq!(agent.ledger.used(), used);
            for claim in held {
                assert!(claims.insert(claim.holder), "a holder claims once");
                let (interaction, by) = match claim.holder {
                    Holder::Offer(id) => self.shard.offer(id).map(|offer| (offer.interaction, offer.agent)),
                    Holder::Assignment(id) | Holder::WrapUp(id) => {
                        self.shard.assignment(id).map(|assignment| (assignment.interaction, assignment.agent))
                    }
                }
                .expect("a claim has its holder");
                assert_eq!(by, agent.key);
                assert_eq!(self.subject(interaction).channel, claim.channel);
            }
        }
        for subject in self.interactions() {
            let holder = match subject.state {
                State::Offered => subject.offer.map(Holder::Offer),
                State::Handling => subject.assignment.map(Holder::Assignment),
                State::WrappingUp => subject.assignment.map(Holder::WrapUp),
                State::Waiting | State::Closed | State::Abandoned | State::Cancelled => None,
            };
            assert!(holder.is_none_or(|holder| claims.remove(&holder)), "{holder:?} claims nothing");
        }
        assert!(claims.is_empty(), "claims without work: {claims:?}");
    }

    /// entered = answered + abandoned + cancelled + not yet answered.
    fn check_books(&self) {
        for entry in 0..self.shard.floor().queues.entries().len() {
            let queue = QueueKey(u16::try_from(entry).expect("a floor of few queues"));
            let books = self.shard.tally().of(queue);
            let in_line = u64::from(self.shard.lines().waiting(queue)) + u64::from(books.offered);
            let unanswered = in_line - u64::from(books.returned);
            assert_eq!(
                books.entered,
                books.answered + books.abandoned + books.cancelled + unanswered,
                "{books:?}"
            );
            assert_eq!(unanswered as usize, self.unanswered(queue));
            let count = |state| {
                self.interactions().filter(|one| one.plan.queue == queue && one.state == state).count()
            };
            assert_eq!(books.handling as usize, count(State::Handling));
            assert_eq!(books.wrapping_up as usize, count(State::WrappingUp));
            assert_eq!(books.closed as usize, count(State::Closed));
            let fresh = |state| {
                let of = self.interactions().filter(|one| one.plan.queue == queue && one.state == state);
                of.filter(|one| one.answered.is_none()).count()
            };
            assert_eq!(books.abandoned as usize, fresh(State::Abandoned));
            assert_eq!(books.cancelled as usize, fresh(State::Cancelled));
            let left = count(State::Abandoned) + count(State::Cancelled);
            assert_eq!(books.left_after_answer + books.abandoned + books.cancelled, left as u64);
        }
    }

    fn check_nobody_waits_in_vain(&self) {
        let waiting: Vec<&Interaction> =
            self.interactions().filter(|subject| subject.state == State::Waiting).collect();
        for agent in self.shard.agents() {
            if self.shard.floor().agents.live(agent.key.0).is_none() {
                continue;
            }
            for subject in &waiting {
                let exclusion = self.shard.exclusion(agent, subject);
                assert!(exclusion.is_some(), "{} waits beside agent {}, who is free", subject.id, agent.key);
            }
        }
    }

    fn check_replay(&self) {
        let mut again = Shard::new();
        self.journal.iter().for_each(|stamped| again.apply(stamped));
        assert_eq!(again.digest(), self.shard.digest());
        assert_eq!(again.next_deadline(), self.shard.next_deadline());
        assert_eq!(again.tally(), self.shard.tally());
        // Caches are rebuilt too: the next decision is the same.
        for subject in self.interactions().filter(|subject| subject.state == State::Waiting) {
            assert_eq!(again.agent_for(subject.id).0, self.shard.agent_for(subject.id).0);
            assert_eq!(again.wait_reason(subject.id), self.shard.wait_reason(subject.id));
        }
        for key in 0..self.shard.floor().queues.entries().len() {
            let queue = QueueKey(u16::try_from(key).expect("a floor of few queues"));
            assert_eq!(again.lines().in_order(queue), self.shard.lines().in_order(queue));
        }
    }

    fn interactions(&self) -> impl Iterator<Item = &Interaction> {
        (1..=self.shard.last_interaction().0).filter_map(|id| self.shard.interaction(InteractionId(id)))
    }

    fn subject(&self, id: InteractionId) -> &Interaction {
        self.shard.interaction(id).expect("it was admitted")
    }

    fn unanswered(&self, queue: QueueKey) -> usize {
        self.interactions()
            .filter(|one| one.plan.queue == queue && one.state.is_unanswered() && one.answered.is_none())
            .count()
    }
}
