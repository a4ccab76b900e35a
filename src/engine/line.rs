//! Standing in line: the one place where an interaction is put into a lane, or the line of one agent, and taken out;
//! and where the counters of states are kept right.

use super::deadline::Deadline;
use super::ids::{InteractionId, LaneKey, QueueKey};
use super::interaction::{Interaction, Standing, State};
use super::plan::Plan;
use super::queue::LaneRef;
use super::route::Exit;
use super::score::{Place, place};
use super::shard::Shard;
use super::stakes::Stakes;
use super::time::Time;
use std::collections::BTreeSet;

/// Whether an interaction overflows, or can leave after its last step, is looked at so often while it waits, ms.
pub const OVERFLOW_CHECK_MS: u64 = 5_000;

impl Shard {
    /// Changes an interaction with its queue's gauges: state, queue, and whether this visit was answered move in here
    /// only.
    pub(super) fn change_state(&mut self, id: InteractionId, change: impl FnOnce(&mut Interaction)) {
        let subject = self.subject_mut(id);
        let before = Gauged::of(subject);
        change(subject);
        let after = Gauged::of(subject);
        if before != after {
            self.gauge(before, |gauge| *gauge -= 1);
            self.gauge(after, |gauge| *gauge += 1);
        }
    }

    pub(super) fn gauge(&mut self, gauged: Gauged, count: impl Fn(&mut u32)) {
        let books = self.tally.books(gauged.queue);
        if let Some(gauge) = books.gauge(gauged.state) {
            count(gauge);
        }
        if gauged.returned {
            count(&mut books.returned);
        }
    }

    /// Puts it in line where it belongs now, and arms what runs while it stands there.
    pub(super) fn stand(&mut self, id: InteractionId) {
        let subject = self.subject(id);
        let (lane, wanted, _) = subject.sought();
        let (place, waits, queue) = (place(subject), subject.state == State::Waiting, subject.queue());
        let new_in_queue = subject.in_queue_from == self.now;
        let standing = match wanted {
            Some(wanted) => {
                let new = self.agent_mut(wanted.agent).line.insert(place);
                assert!(new, "an interaction stands in one line, once");
                Standing::Agent(wanted.agent)
            }
            None => {
                self.lines.enqueue(lane, place);
                if new_in_queue {
                    self.note_arrival(lane);
                }
                self.line_changed(lane);
                self.tell_familiar(id, |known| known.insert(place));
                Standing::Lane(lane)
            }
        };
        if waits {
            self.lines.came(queue, place);
        }
        self.subject_mut(id).standing = Some(standing);
        self.note_restricted(id);
        self.arm_line_timers(id);
    }

    /// Takes it out of the line, if it stands there.
    pub(super) fn step_out(&mut self, id: InteractionId) {
        let subject = self.subject_mut(id);
        let Some(standing) = subject.standing.take() else { return };
        let restricted = std::mem::take(&mut subject.restricted);
        let (place, waits, queue) = (place(subject), subject.state == State::Waiting, subject.queue());
        match standing {
            Standing::Lane(lane) => {
                self.lines.dequeue(lane, place);
                self.lines.count_restricted(lane, if restricted { -1 } else { 0 });
                self.line_changed(lane);
                self.tell_familiar(id, |known| known.remove(&place));
            }
            Standing::Agent(agent) => {
                assert!(self.agent_mut(agent).line.remove(&place), "it stands in that agent's line");
            }
        }
        if waits {
            self.lines.went(queue, place);
        }
        let own = [Deadline::Relax(id), Deadline::Preference(id), Deadline::Overflow(id), Deadline::Hold(id)];
        for deadline in own {
            self.deadlines.disarm(deadline);
        }
    }

    /// The agent who knows the customer may take it though others of its lane come first.
    fn tell_familiar(&mut self, id: InteractionId, tell: impl FnOnce(&mut BTreeSet<Place>) -> bool) {
        if let Some(familiar) = self.subject(id).familiar() {
            assert!(
                tell(&mut self.agent_mut(familiar.agent).familiar),
                "it is told once, and taken back once"
            );
        }
    }

    /// Tells its lane if somebody may be kept from it from now on. Once told, it stays so as long as it stands there.
    pub(super) fn note_restricted(&mut self, id: InteractionId) {
        let subject = self.subject(id);
        if let Some(Standing::Lane(lane)) = subject.standing
            && !subject.restricted
            && subject.may_be_kept_from_somebody()
        {
            self.subject_mut(id).restricted = true;
            self.lines.count_restricted(lane, 1);
        }
    }

    /// Moves what its place is made of, wherever it stands.
    pub(super) fn change_place(&mut self, id: InteractionId, change: impl FnOnce(&mut Interaction)) {
        let stood = self.subject(id).standing.is_some();
        self.step_out(id);
        change(self.subject_mut(id));
        if stood {
            self.stand(id);
        }
    }

    /// What runs only while it stands in line: steps go on while offered, and one that came due meanwhile is taken
    /// after the best of the step before have been asked again.
    fn arm_line_timers(&mut self, id: InteractionId) {
        match self.subject(id).sought().1 {
            Some(wanted) => self.deadlines.arm(Deadline::Preference(id), wanted.until),
            None => self.arm_hold(id),
        }
        let subject = self.subject(id);
        if subject.state != State::Waiting {
            return;
        }
        let overflows = !subject.route().overflow.is_empty() || subject.is_past_last_step();
        let (relax, from) = (next_step_at(subject), subject.in_queue_from);
        if let Some(at) = relax {
            self.deadlines.arm(Deadline::Relax(id), at);
        }
        if overflows {
            self.deadlines.arm(Deadline::Overflow(id), self.next_overflow_check(from));
        }
    }

    /// The next check from now on.
    pub(super) fn next_overflow_check(&self, from: Time) -> Time {
        check_after(from, self.now, OVERFLOW_CHECK_MS)
    }

    /// The lane for what is needed; opens it if it is new.
    pub(super) fn lane_for(&mut self, wanted: LaneRef) -> LaneKey {
        self.lines.find(wanted).unwrap_or_else(|| self.open_lane(wanted.to_id()))
    }

    /// Gives an interaction the lane of its route and step.
    pub(super) fn change_lane(&mut self, id: InteractionId) {
        let subject = self.subject(id);
        let (old, plan, channel) = (subject.lane, subject.plan.clone(), subject.channel);
        let lane = self.lane_for(lane_of(&plan, subject.route, subject.step, channel));
        self.lines.join(lane);
        self.lines.part(old);
        self.subject_mut(id).lane = lane;
    }
}

/// What the gauges know of an interaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gauged {
    queue: QueueKey,
    state: State,
    returned: bool,
}

impl Gauged {
    pub fn of(subject: &Interaction) -> Gauged {
        Gauged { queue: subject.queue(), state: subject.state, returned: subject.is_returned() }
    }
}

/// Checks lie on a grid from entry, so their times follow from the time alone.
pub(super) fn check_after(entry: Time, now: Time, every_ms: u64) -> Time {
    entry.after((now.since(entry) / every_ms + 1) * every_ms)
}

/// When the next step of relaxation is due, the last one included.
pub(super) fn next_step_at(subject: &Interaction) -> Option<Time> {
    let (route, step) = (subject.route(), usize::from(subject.step));
    let after_ms = match route.relaxation.get(step) {
        Some(step) => Some(step.after_ms),
        None if subject.is_past_last_step() || route.last_step.exit == Exit::Keep => None,
        None => Some(route.last_step.after_ms),
    };
    after_ms.map(|ms| subject.in_queue_from.after(ms))
}

/// What the interactions of a lane have in common.
pub(super) fn lane_of(plan: &Plan, route: u8, step: u8, channel: super::channel::Channel) -> LaneRef<'_> {
    let route = &plan.routes[usize::from(route)];
    LaneRef {
        queue: route.queue,
        channel,
        needs: route.needs_at(step),
        better_with: &route.better_with,
        expected_handle_ms: route.expected_handle_ms,
        stakes: Stakes::of(plan),
    }
}
