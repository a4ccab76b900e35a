//! Works a centre: submits, accepts what is offered, completes the oldest conversation, ends the oldest wrap-up.
//!
//! The number of interactions in the system stays the same, so what is measured is a steady state: with fewer in the
//! system than agents every submit finds a free agent; with more, the rest wait and every agent who comes free takes
//! one from the lines.

use super::{Moment, Submissions};
use baton::engine::command::{Answer, Command};
use baton::engine::event::{EndedBy, Event, Stamped};
use baton::engine::ids::{AssignmentId, OfferId};
use std::collections::VecDeque;
use std::time::Duration;

/// So many agents are in wrap-up at once.
const WRAPPING: usize = 50;

/// What one producer of load knows of its own doings.
pub struct Hand {
    next: u64,
    active: VecDeque<AssignmentId>,
    wrapping: VecDeque<AssignmentId>,
    offers: Vec<OfferId>,
    events: Vec<Stamped>,
}

impl Hand {
    /// A hand that numbers its submissions from here.
    pub fn from(next: u64) -> Hand {
        let (active, wrapping) = (VecDeque::new(), VecDeque::new());
        Hand { next, active, wrapping, offers: Vec::new(), events: Vec::new() }
    }

    /// Conversations it has under way.
    pub fn active(&self) -> usize {
        self.active.len()
    }

    /// Submits so many that stay in the system, and accepts what is offered.
    pub fn fill(
        &mut self,
        in_system: u64,
        submissions: &Submissions,
        ask: &mut impl FnMut(Command, &mut Vec<Stamped>) -> Answer,
    ) {
        for _ in 0..in_system {
            self.submit(submissions, ask);
        }
    }

    /// So many whole life cycles: submit, match, offer, accept, complete, wrap-up. How long they took.
    pub fn cycles(
        &mut self,
        count: u64,
        submissions: &Submissions,
        ask: &mut impl FnMut(Command, &mut Vec<Stamped>) -> Answer,
    ) -> Duration {
        let start = Moment::now();
        for _ in 0..count {
            self.submit(submissions, ask);
            let oldest = self.active.pop_front().expect("more are in the system than are waiting");
            self.ask(Command::Complete { assignment: oldest, disposition: "".into(), solved: None }, ask);
            self.wrapping.push_back(oldest);
            if self.wrapping.len() > WRAPPING {
                let assignment = self.wrapping.pop_front().expect("it has just been counted");
                self.ask(Command::FinishWrapUp { assignment, by: EndedBy::Agent }, ask);
            }
            self.events.clear();
        }
        start.elapsed()
    }

    fn submit(
        &mut self,
        submissions: &Submissions,
        ask: &mut impl FnMut(Command, &mut Vec<Stamped>) -> Answer,
    ) {
        let command = submissions.command(self.next);
        self.next += 1;
        self.ask(command, ask);
    }

    /// Asks, and accepts whatever was offered because of it.
    fn ask(&mut self, command: Command, ask: &mut impl FnMut(Command, &mut Vec<Stamped>) -> Answer) {
        let seen = self.events.len();
        ask(command, &mut self.events);
        self.offers.extend(self.events[seen..].iter().filter_map(|stamped| match stamped.event {
            Event::Offered { offer, .. } => Some(offer),
            _ => None,
        }));
        while let Some(offer) = self.offers.pop() {
            let answer = ask(Command::Accept { offer }, &mut self.events);
            let Answer::Accepted { assignment, .. } = answer else { panic!("an accept is answered as one") };
            self.active.push_back(assignment);
        }
    }
}
