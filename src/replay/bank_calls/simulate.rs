//! One run of the recorded customers and agents through the engine, in simulated time.
//!
//! What happens in the same second happens in the order of `Happening`: agents leave before they could be
//! given another call, calls end before new ones look for somebody, and a customer whose patience ends in
//! the second of an answer is answered.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use super::duty::Stretch;
use super::figures::Fate;
use super::floor::{Floor, Terms};
use super::record::{AgentNo, Call, Kind, Second};
use super::told::Listener;
use crate::engine::ids::{AssignmentId, InteractionId};
use crate::engine::time::Time;

/// Everything one run needs. Lists of calls run in parallel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cast<'a> {
    /// The offered calls, by row.
    pub(super) calls: &'a [Call],
    /// Seconds after which each customer leaves unanswered.
    pub(super) patience_s: &'a [u32],
    /// Seconds each call keeps an agent.
    pub(super) work_s: &'a [u32],
    /// The types each agent serves.
    pub(super) skills: &'a BTreeMap<AgentNo, BTreeSet<Kind>>,
    /// When each agent takes calls.
    pub(super) available: &'a BTreeMap<AgentNo, Vec<Stretch>>,
    /// How the floor decides.
    pub(super) terms: Terms<'a>,
}

/// What is to happen. The order of the variants is that within one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    SignOut(AgentNo),
    Complete(AssignmentId),
    SignIn(AgentNo),
    Arrive(usize),
    Leave(usize),
}

/// Runs to the end and says what became of each call. `listener` hears every event, `progress` is called once a call.
pub(super) fn run(cast: Cast<'_>, listener: Option<&mut Listener>, progress: &mut dyn FnMut()) -> Vec<Fate> {
    let mut run = Run::new(cast, listener);
    while let Some(Reverse((next, _))) = run.agenda.peek().copied() {
        // Our own agenda must not jump over a timer of the engine: an offer it makes is answered at once, and what
        // follows from that may come first.
        if let Some(due) = run.floor.next_deadline().filter(|due| *due < next) {
            run.floor.pass_time(due);
            run.answer_offers(due);
            continue;
        }
        let Some(Reverse((now, happening))) = run.agenda.pop() else { break };
        run.happen(now, happening, progress);
        run.answer_offers(now);
    }
    run.fates.into_iter().map(|fate| fate.expect("who arrives is answered or leaves")).collect()
}

struct Run<'a> {
    cast: Cast<'a>,
    floor: Floor,
    agenda: BinaryHeap<Reverse<(Time, Happening)>>,
    interactions: Vec<Option<InteractionId>>,
    calls: HashMap<InteractionId, usize>,
    listener: Option<&'a mut Listener>,
    fates: Vec<Option<Fate>>,
}

impl<'a> Run<'a> {
    fn new(cast: Cast<'a>, listener: Option<&'a mut Listener>) -> Run<'a> {
        let arrivals = cast.calls.iter().enumerate();
        let mut agenda: BinaryHeap<_> =
            arrivals.map(|(index, call)| Reverse((time(call.arrival), Happening::Arrive(index)))).collect();
        for (agent, stretches) in cast.available {
            for stretch in stretches {
                agenda.push(Reverse((time(stretch.from), Happening::SignIn(*agent))));
                agenda.push(Reverse((time(stretch.to), Happening::SignOut(*agent))));
            }
        }
        let start = agenda.peek().map_or(Time(0), |Reverse((at, _))| *at);
        Run {
            cast,
            floor: Floor::open(start, cast.skills, cast.terms),
            agenda,
            interactions: vec![None; cast.calls.len()],
            calls: HashMap::new(),
            listener,
            fates: vec![None; cast.calls.len()],
        }
    }

    fn happen(&mut self, now: Time, happening: Happening, progress: &mut dyn FnMut()) {
        match happening {
            Happening::SignOut(agent) => self.floor.sign_out(now, agent),
            Happening::Complete(assignment) => self.floor.complete(now, assignment),
            Happening::SignIn(agent) => self.floor.sign_in(now, agent),
            Happening::Arrive(index) => {
                self.arrive(now, index);
                progress();
            }
            Happening::Leave(index) => self.leave(now, index),
        }
    }

    fn arrive(&mut self, now: Time, index: usize) {
        let call = &self.cast.calls[index];
        let interaction = self.floor.submit(now, call);
        self.interactions[index] = Some(interaction);
        self.calls.insert(interaction, index);
        let leaves = now.after(u64::from(self.cast.patience_s[index]) * 1000);
        self.agenda.push(Reverse((leaves, Happening::Leave(index))));
    }

    fn leave(&mut self, now: Time, index: usize) {
        if self.fates[index].is_none() {
            let interaction = self.interactions[index].expect("a customer arrives before leaving");
            self.floor.leave(now, interaction);
            self.fates[index] = Some(self.fate(index, now, false));
        }
    }

    /// The bank's agents had calls put through; nobody declined.
    fn answer_offers(&mut self, now: Time) {
        if let Some(listener) = &mut self.listener {
            let (events, shard) = self.floor.happened();
            listener.hear(events, shard);
        }
        for offered in self.floor.offers() {
            let index = self.calls[&offered.interaction];
            let assignment = self.floor.accept(now, offered.offer);
            self.fates[index] = Some(self.fate(index, now, true));
            let ends = now.after(u64::from(self.cast.work_s[index]) * 1000);
            self.agenda.push(Reverse((ends, Happening::Complete(assignment))));
        }
    }

    fn fate(&self, index: usize, now: Time, served: bool) -> Fate {
        Fate { served, wait_ms: now.since(time(self.cast.calls[index].arrival)) }
    }
}

/// The engine's time of a moment of the log.
pub(crate) fn time(at: Second) -> Time {
    Time(u64::try_from(at).expect("the log is checked to begin after 1970") * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::bank_calls::record::{Outcome, midnight};
    use crate::replay::bank_calls::replay::Order;

    const A01: AgentNo = AgentNo { desk: 'A', number: 1 };

    fn arriving(at: Second, row: u32, priority_customer: bool) -> Call {
        let day = jiff::civil::date(1999, 1, 1);
        Call {
            row,
            kind: Kind::Ps,
            day,
            priority_customer,
            arrival: midnight(day) + at,
            queued: true,
            wait_s: 0,
            outcome: Outcome::Hang,
            service: None,
        }
    }

    /// Calls as (arrival, patience, work, credit), all in s, the credit 0 or 90; one agent takes calls in `on`. Says who was
    /// served and after how many seconds each was served or left.
    fn fates(calls: &[(Second, u32, u32, u64)], on: &[(Second, Second)]) -> Vec<(bool, u64)> {
        let rows: Vec<Call> = (2..).zip(calls).map(|(row, call)| arriving(call.0, row, call.3 > 0)).collect();
        let start = midnight(rows[0].day);
        let stretch = |(from, to): &(Second, Second)| Stretch { from: start + from, to: start + to };
        let cast = Cast {
            calls: &rows,
            patience_s: &calls.iter().map(|call| call.1).collect::<Vec<_>>(),
            work_s: &calls.iter().map(|call| call.2).collect::<Vec<_>>(),
            skills: &[(A01, [Kind::Ps].into())].into(),
            available: &[(A01, on.iter().map(stretch).collect())].into(),
            terms: Terms::bank(Order::Documented),
        };
        let fates = run(cast, None, &mut || ());
        fates.into_iter().map(|fate| (fate.served, fate.wait_ms / 1000)).collect()
    }

    #[test]
    fn the_line_is_served_in_order_and_impatience_leaves_it() {
        let calls = [(0, 99, 50, 0), (10, 99, 5, 0), (11, 20, 5, 0), (12, 99, 5, 0)];
        assert_eq!(fates(&calls, &[(0, 200)]), [(true, 0), (true, 40), (false, 20), (true, 43)]);
    }

    #[test]
    fn a_head_start_of_90_s_overtakes_a_wait_of_less() {
        let calls = [(0, 999, 100, 0), (5, 999, 10, 0), (94, 999, 10, 90), (96, 999, 10, 90)];
        assert_eq!(fates(&calls, &[(0, 999)]), [(true, 0), (true, 105), (true, 6), (true, 24)]);
    }

    #[test]
    fn an_agent_who_goes_finishes_the_call_in_hand_and_takes_no_other() {
        let calls = [(0, 99, 50, 0), (10, 300, 5, 0)];
        assert_eq!(fates(&calls, &[(0, 20), (100, 101)]), [(true, 0), (true, 90)]);
    }

    #[test]
    fn a_call_that_ends_in_the_second_patience_does_is_followed_by_an_answer() {
        assert_eq!(fates(&[(0, 99, 50, 0), (10, 40, 5, 0)], &[(0, 99)]), [(true, 0), (true, 40)]);
    }
}
