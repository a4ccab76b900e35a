//! One day through the engine in simulated time.
//!
//! What happens in the same millisecond happens in the order of `Happening`: whoever is served is served before
//! patience ends.

use super::centre::{Centre, Day};
use super::choice::Choice;
use super::draw::Luck;
use super::floor::{Floor, millis};
use super::outcome::{Fate, Outcome};
use super::staff::Staff;
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId};
use crate::engine::policy::{Marginal, Trial};
use crate::engine::time::Time;
use crate::learning::{Eyes, Forecasts, Learner, note};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Who would wait so long, s, waits for ever.
pub(crate) const FOR_EVER_S: f64 = 1e9;

/// How a day is run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub choice: Choice,
    pub marginal: Marginal,
    /// Longest hold, ms; `None`: as long as it pays.
    pub hold_max_ms: Option<u64>,
    /// The order of the agents, which decides between equals: 0 is as they stand, every other number is an order of its
    /// own.
    pub seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    /// The entry of the staffing.
    Staff(usize),
    /// With whether the matter is solved, if somebody learns from it.
    Complete(AssignmentId, AgentKey, Option<bool>),
    Arrive(usize),
    Leave(usize),
    /// What was learned is told.
    Learn,
}

/// What was learned is told so often, ms.
const LEARN_MS: u64 = 600_000;

/// Whoever learns from day to day.
pub struct Pupil<'a> {
    pub eyes: &'a mut Eyes,
    pub learner: &'a mut Learner,
    pub forecasts: &'a mut Forecasts,
    /// Whether the engine is told.
    pub tells: bool,
    /// The day begins there, on the learner's calendar.
    pub from: Time,
    /// What decides whether a matter is solved.
    pub luck: Luck,
}

/// Runs a day to its end: the line is emptied after the last has come.
pub fn run(centre: &Centre, day: &Day, how: Run) -> Outcome {
    Running::new(centre, day, how, None, None).until_the_end()
}

/// The same with another policy tried beside it.
pub fn run_tried(centre: &Centre, day: &Day, how: Run, trial: Trial) -> Outcome {
    Running::new(centre, day, how, None, Some(trial)).until_the_end()
}

/// The same with somebody who learns from it, and tells the engine.
pub fn run_taught(centre: &Centre, day: &Day, how: Run, pupil: Pupil) -> Outcome {
    Running::new(centre, day, how, Some(pupil), None).until_the_end()
}

struct Running<'a> {
    centre: &'a Centre,
    day: &'a Day,
    floor: Floor,
    agenda: BinaryHeap<Reverse<(Time, Happening)>>,
    next: usize,
    interactions: Vec<Option<InteractionId>>,
    visits: HashMap<InteractionId, usize>,
    staff: Staff<'a>,
    fates: Vec<Fate>,
    busy_ms: Vec<u64>,
    pupil: Option<Pupil<'a>>,
    /// So many of what happened has been learned from.
    looked: usize,
}

impl<'a> Running<'a> {
    fn new(
        centre: &'a Centre,
        day: &'a Day,
        how: Run,
        pupil: Option<Pupil<'a>>,
        trial: Option<Trial>,
    ) -> Running<'a> {
        let mut members: Vec<usize> = (0..centre.agents.len()).collect();
        if how.seed > 0 {
            members.shuffle(&mut ChaCha8Rng::seed_from_u64(how.seed));
        }
        let policy = how.choice.policy(how.marginal);
        let mut running = Running {
            centre,
            day,
            floor: Floor::open(centre, policy, trial, how.choice.knows_points(), how.hold_max_ms, &members),
            agenda: BinaryHeap::new(),
            next: 0,
            interactions: vec![None; day.visits.len()],
            visits: HashMap::new(),
            staff: Staff::new(centre, members),
            fates: vec![Fate::TurnedAway; day.visits.len()],
            busy_ms: vec![0; centre.agents.len()],
            pupil,
            looked: 0,
        };
        if let Some(pupil) = &mut running.pupil {
            pupil.learner.begin_again();
            *pupil.eyes = Eyes::default();
            running.agenda.push(Reverse((Time(0), Happening::Learn)));
        }
        for (number, change) in centre.staffing.iter().enumerate() {
            running.agenda.push(Reverse((Time(change.at_ms), Happening::Staff(number))));
        }
        running.look_at_next();
        running
    }

    /// The line is emptied after the last has come.
    fn until_the_end(mut self) -> Outcome {
        while let Some(now) = self.next_on_agenda() {
            // Our own agenda must not jump over a timer of the engine: what it offers is answered at once, and may be done
            // before what is next on the agenda now.
            if let Some(due) = self.floor.next_deadline().filter(|due| *due < now) {
                self.floor.pass_time(due);
                self.answer_offers(due);
            } else if let Some(Reverse((now, happening))) = self.agenda.pop() {
                self.happen(now, happening);
                self.answer_offers(now);
            }
        }
        Outcome { fates: self.fates, busy_ms: self.busy_ms }
    }

    fn look_at_next(&mut self) {
        if let Some(visit) = self.day.visits.get(self.next) {
            self.agenda.push(Reverse((Time(millis(visit.at_s)), Happening::Arrive(self.next))));
            self.next += 1;
        }
    }

    fn next_on_agenda(&self) -> Option<Time> {
        self.agenda.peek().map(|Reverse((at, _))| *at)
    }

    fn happen(&mut self, now: Time, happening: Happening) {
        match happening {
            Happening::Staff(number) => self.staff.change(&mut self.floor, now, self.centre.staffing[number]),
            Happening::Complete(assignment, agent, solved) => {
                // Who is to go goes before the work ends: the engine looks for the next at once.
                self.staff.finish(&mut self.floor, now, agent);
                self.floor.complete(now, assignment, solved);
            }
            Happening::Learn => self.learn(now),
            Happening::Arrive(number) => self.arrive(now, number),
            Happening::Leave(number) => {
                if let Some(interaction) = self.interactions[number].take() {
                    self.floor.leave(now, interaction);
                    self.fates[number] = Fate::Left { wait_s: self.day.visits[number].patience_s };
                }
            }
        }
    }

    fn arrive(&mut self, now: Time, number: usize) {
        let visit = self.day.visits[number];
        if let Some(interaction) = self.floor.submit(now, number as u64, visit.kind) {
            self.visits.insert(interaction, number);
            self.interactions[number] = Some(interaction);
            if visit.patience_s < FOR_EVER_S {
                let leaves = Time(millis(visit.at_s + visit.patience_s));
                self.agenda.push(Reverse((leaves, Happening::Leave(number))));
            }
        }
        self.look_at_next();
    }

    fn learn(&mut self, now: Time) {
        self.look();
        let Some(pupil) = &mut self.pupil else { return };
        let news = pupil.learner.news(self.floor.happened().1.floor(), pupil.from.after(now.0));
        if let Some(news) = news.filter(|_| pupil.tells) {
            pupil.learner.told(&news);
            self.floor.learn(now, news);
        }
        // Nobody else comes: the day ends.
        if self.next < self.day.visits.len() {
            self.agenda.push(Reverse((now.after(LEARN_MS), Happening::Learn)));
        }
    }

    /// Whoever learns sees what happened.
    fn look(&mut self) {
        let Some(pupil) = &mut self.pupil else { return };
        let (events, shard) = self.floor.happened();
        let mut all = Vec::new();
        for stamped in &events[self.looked..] {
            let now = pupil.from.after(stamped.time.0);
            pupil.eyes.look(now, &stamped.event, &mut |seen| all.push((now, seen)));
        }
        self.looked = events.len();
        for (now, seen) in all {
            note(pupil.learner, pupil.forecasts, now, seen, shard);
        }
    }

    fn answer_offers(&mut self, now: Time) {
        self.look();
        self.looked = 0;
        for offered in self.floor.offers() {
            let number = self.visits.remove(&offered.interaction).expect("what is offered has come");
            self.interactions[number] = None;
            let visit = self.day.visits[number];
            let assignment = self.floor.accept(now, offered.offer);
            let member = self.staff.begin(offered.agent);
            let does = self.centre.agents[member].does.iter().find(|does| does.kind == visit.kind);
            let does = does.expect("who is asked has the skill");
            let work_ms = millis(does.handle_s * visit.work);
            self.busy_ms[member] += work_ms;
            let wait_s = (now.0 as f64 / 1_000.0 - visit.at_s).max(0.0);
            let work_s = work_ms as f64 / 1_000.0;
            self.fates[number] = Fate::Served { wait_s, resolution: does.resolution, agent: member, work_s };
            let solved = self.pupil.as_mut().map(|pupil| pupil.luck.uniform() < does.resolution);
            let complete = Happening::Complete(assignment, offered.agent, solved);
            self.agenda.push(Reverse((now.after(work_ms), complete)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::{Does, Kind, Member, Visit};

    fn kind(name: &str, abandon: f64) -> Kind {
        Kind {
            name: name.to_owned(),
            target_s: 20.0,
            abandon,
            waiting_per_minute: 0.0,
            late: 0.0,
            unresolved: 0.0,
            patience_s: 500.0,
            handle_s: 100.0,
            priority: 0,
            line_max: 9,
        }
    }

    #[test]
    fn what_is_offered_after_a_hold_may_be_done_before_anything_else_happens() {
        let does = |kind| Does { kind, proficiency: 1, handle_s: 100.0, resolution: 1.0, known: None };
        let centre = Centre {
            kinds: vec![kind("cheap", 1.0), kind("dear", 1_000.0)],
            agents: vec![
                Member { group: 0, does: vec![does(0)] },
                Member { group: 0, does: vec![does(0), does(1)] },
            ],
            staffing: Vec::new(),
        };
        let visit = |at_s, kind, work| Visit { at_s, kind, patience_s: 500.0, work };
        let day = Day { visits: vec![visit(0.0, 1, 0.001), visit(1.0, 0, 4.0), visit(2.0, 0, 0.001)] };
        let how = Run {
            choice: Choice::MarginalCost,
            marginal: Marginal::default(),
            hold_max_ms: Some(10_000),
            seed: 0,
        };
        // The second of the cheap kind is held for the first agent as long as it may be, then done in 0.1 s.
        let held = run(&centre, &day, how).fates[2];
        assert_eq!(held, Fate::Served { wait_s: 10.0, resolution: 1.0, agent: 1, work_s: 0.1 });
    }
}
