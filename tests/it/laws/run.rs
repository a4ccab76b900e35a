//! An engine, and what was written down outside of it: from events alone, beside it.

use super::kept::read_again;
use crate::chance::Chance;
use baton::engine::command::{Answer, Command, Refusal};
use baton::engine::event::{Event, Stamped};
use baton::engine::explain::{By, Trigger};
use baton::engine::ids::{AgentKey, InteractionId, OfferId, QueueKey};
use baton::engine::interaction::{CoolDown, Interaction};
use baton::engine::score::place;
use baton::engine::shard::Shard;
use baton::engine::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// Between two times that the shadow is kept and read again, events.
const KEPT_EVERY: usize = 64;

/// An engine, and what was written down outside of it.
pub struct Run {
    pub shard: Shard,
    pub chance: Chance,
    pub journal: Vec<Stamped>,
    /// Follows by events, one at a time; now and then it is kept and read again.
    pub shadow: Shard,
    pub entered: BTreeMap<InteractionId, Time>,
    pub open_offers: BTreeSet<OfferId>,
    /// First accepts that were not undone.
    pub answered: BTreeSet<InteractionId>,
    /// What an agent may hold beyond capacity and limits, since those were lowered.
    pub excused: BTreeMap<AgentKey, Vec<u32>>,
}

impl Run {
    pub fn opened(in_money: bool) -> Run {
        let mut run = Run {
            shard: Shard::new(),
            chance: Chance::new(),
            journal: Vec::new(),
            shadow: Shard::new(),
            entered: BTreeMap::new(),
            open_offers: BTreeSet::new(),
            answered: BTreeSet::new(),
            excused: BTreeMap::new(),
        };
        let opening = if in_money { Chance::opening_in_money() } else { Chance::opening() };
        for (now, command) in opening {
            run.ask(now, command);
        }
        run
    }

    pub fn ask(&mut self, now: Time, command: Command) {
        let seen = self.journal.len();
        // That time passes is not refused.
        let passes = command == Command::Tick && now >= self.shard.now();
        let digest = (!passes).then(|| self.shard.digest());
        let before = self.shard.now();
        let configures = matches!(command, Command::Define { .. });
        let handed_on = self.handed_on(&command);
        let answer = self.shard.step(now, command, &mut self.journal);
        self.chance.saw(&self.journal[seen..]);
        if answer.is_err() && self.journal.len() == seen {
            assert_eq!(Some(self.shard.digest()), digest, "a refusal changes nothing: {answer:?}");
        }
        if matches!(answer, Err(Refusal::TimeRunsBack { .. })) {
            assert_eq!(self.shard.now(), before, "time does not run back");
        }
        self.check_order(seen, before);
        for index in seen..self.journal.len() {
            let stamped = self.journal[index].clone();
            // What gave way for an offer had done so by no decision of its own.
            let made_room =
                index > seen && matches!(self.journal[index - 1].event, Event::Interrupted { .. });
            if !made_room {
                self.check_taken_in_order(&stamped);
                self.check_value(&stamped, &self.journal[seen..index]);
            }
            self.shadow.apply(&stamped);
            self.follow(&stamped);
        }
        if seen / KEPT_EVERY < self.journal.len() / KEPT_EVERY {
            self.shadow = read_again(&self.shadow);
        }
        self.check_maximum(seen, &answer);
        if answer.is_ok() {
            self.check_transfer_limit(handed_on);
        }
        self.check_capacity(configures);
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
    fn check_maximum(&self, seen: usize, answer: &Result<Answer, Refusal>) {
        let Ok(Answer::Admitted { interaction, repeated: false }) = answer else { return };
        let admitted = self.journal[seen..].iter().find_map(|stamped| match &stamped.event {
            Event::Admitted(admitted) if admitted.interaction == *interaction => Some(admitted),
            _ => None,
        });
        let admitted = admitted.expect("what was not repeated was admitted");
        // Sent away at the door it takes nobody's place.
        if self.subject(*interaction).state.is_over() {
            return;
        }
        let queue = admitted.plan.routes[usize::from(admitted.route)].queue;
        let unanswered = self.unanswered(queue);
        let max = self.shard.floor().queues.get(u32::from(queue.0)).expect("it was defined").spec.waiting_max;
        assert!(unanswered <= max as usize, "{unanswered} unanswered of at most {max}");
    }

    /// How often it was handed on, and may be.
    fn handed_on(&self, command: &Command) -> Option<(InteractionId, u16, u16, Option<QueueKey>)> {
        let Command::Transfer { assignment, .. } = command else { return None };
        let subject = self.subject(self.shard.assignment(*assignment)?.interaction);
        let terms = subject.plan.transfers;
        Some((subject.id, subject.transfers, terms.max, terms.beyond))
    }

    fn check_transfer_limit(&self, before: Option<(InteractionId, u16, u16, Option<QueueKey>)>) {
        let Some((id, transfers, max, beyond)) = before else { return };
        let subject = self.subject(id);
        if subject.transfers > transfers && transfers >= max {
            assert_eq!(Some(subject.plan.entry().queue), beyond, "beyond the limit there is one way");
        }
    }

    /// Nobody is offered anything while something before it waits that they could take: above all nothing overdue.
    fn check_taken_in_order(&self, stamped: &Stamped) {
        let Event::Offered { interaction, agent, decision, .. } = &stamped.event else { return };
        if decision.trigger == Trigger::Pulled {
            return;
        }
        let (shadow, key) = (&self.shadow, *agent);
        // Events do not say that time passed, so the shadow would judge in the past.
        if shadow.now() != stamped.time {
            return;
        }
        let agent = shadow.agent(key).expect("it was defined");
        let own = place(shadow.interaction(*interaction).expect("it was admitted"));
        for subject in standing(shadow) {
            // A cool-down or a day that ends at this very moment may be told after.
            let just_now = |pair: &CoolDown| pair.agent == key && pair.until == stamped.time;
            let lifted = subject.cool_downs().iter().any(just_now) || agent.today.ends == stamped.time;
            // Money knows no order but this: beyond the maximum before all others.
            let before = match decision.by {
                By::Lists(_) => place(subject) < own,
                By::Value => place(subject).0 < own.0,
            };
            if before && subject.id != *interaction && !lifted {
                let exclusion = shadow.exclusion(agent, subject);
                assert!(exclusion.is_some(), "{} is before {interaction}: {stamped:?}", subject.id);
            }
        }
    }

    fn follow(&mut self, stamped: &Stamped) {
        match &stamped.event {
            Event::Admitted(admitted) => {
                let subject = self.shadow.interaction(admitted.interaction).expect("it was admitted");
                self.entered.insert(subject.id, subject.entered);
            }
            Event::Offered { offer, .. } => assert!(self.open_offers.insert(*offer), "an offer opens once"),
            Event::Accepted { offer, assignment, .. } => {
                self.ended(*offer);
                let part = self.shadow.assignment(*assignment).expect("it was accepted");
                if part.answered_first {
                    assert!(self.answered.insert(part.interaction), "a first answer is the first");
                }
            }
            Event::Declined { offer, .. } | Event::Expired { offer, .. } | Event::Rescinded { offer, .. } => {
                self.ended(*offer);
            }
            Event::ConnectFailed { .. } => {
                let shadow = &self.shadow;
                let still = |id: &InteractionId| {
                    shadow.interaction(*id).is_some_and(|subject| subject.answered.is_some())
                };
                self.answered.retain(still);
            }
            _ => {}
        }
    }

    fn ended(&mut self, offer: OfferId) {
        assert!(self.open_offers.remove(&offer), "an offer ends once, and only when it is open");
    }

    pub fn check(&self) {
        self.check_states();
        self.check_ledger();
        self.check_books();
        self.check_lines();
        self.check_nobody_waits_in_vain();
    }

    pub fn interactions(&self) -> impl Iterator<Item = &Interaction> {
        all(&self.shard)
    }

    pub fn subject(&self, id: InteractionId) -> &Interaction {
        self.shard.interaction(id).expect("it was admitted")
    }

    pub fn unanswered(&self, queue: QueueKey) -> usize {
        self.interactions()
            .filter(|one| one.queue() == queue && one.state.is_unanswered() && !one.visit_answered)
            .count()
    }
}

/// Every interaction there is.
pub fn all(shard: &Shard) -> impl Iterator<Item = &Interaction> {
    (1..=shard.last_interaction().0).filter_map(|id| shard.interaction(InteractionId(id)))
}

/// Those that stand in line.
pub fn standing(shard: &Shard) -> impl Iterator<Item = &Interaction> {
    all(shard).filter(|subject| subject.standing.is_some())
}
