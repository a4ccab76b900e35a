//! Work after the conversation: for so long, by an absolute time that survives restarts. Ended by the agent, the
//! clock or a supervisor; extended so often.

use super::capacity::Holder;
use super::command::{Answer, Refusal};
use super::deadline::Deadline;
use super::event::{EndedBy, Event};
use super::few::Few;
use super::floor::{WrapUp, WrapUpMode};
use super::ids::AssignmentId;
use super::interaction::Part;
use super::outcome::Assignment;
use super::shard::{Shard, Step};
use super::time::Time;

impl Step<'_> {
    pub fn finish_wrap_up(&mut self, assignment: AssignmentId, by: EndedBy) -> Result<Answer, Refusal> {
        let (part, until) = self.shard.wrapping_up(assignment)?;
        let mandatory = self.shard.queue(part.queue).wrap_up.mode == WrapUpMode::Mandatory;
        if mandatory && by == EndedBy::Agent {
            return Err(Refusal::WrapUpMandatory { until_ms: until.0 });
        }
        self.end_wrap_up(assignment, by);
        Ok(Answer::Done)
    }

    pub fn extend_wrap_up(&mut self, assignment: AssignmentId) -> Result<Answer, Refusal> {
        let (part, until) = self.shard.wrapping_up(assignment)?;
        let WrapUp { extensions_max, extension_ms, .. } = self.shard.queue(part.queue).wrap_up;
        if part.extensions >= extensions_max {
            return Err(Refusal::NoExtensionLeft { max: extensions_max });
        }
        self.emit(Event::WrapUpExtended { assignment, until: until.after(extension_ms) });
        Ok(Answer::Done)
    }

    pub fn end_wrap_up(&mut self, assignment: AssignmentId, by: EndedBy) {
        let Assignment { interaction, agent, .. } = self.shard.assignments[&assignment];
        self.emit(Event::WrapUpEnded { assignment, by });
        let mut freed = Few::One(agent);
        freed.extend(self.settle(interaction, Some(assignment)));
        self.free_all(freed);
    }
}

impl Shard {
    fn wrapping_up(&self, id: AssignmentId) -> Result<(Assignment, Time), Refusal> {
        match self.assignments.get(&id) {
            Some(part) => part.wrap_up_until.map(|until| (*part, until)).ok_or(Refusal::NotWrappingUp),
            None => Err(self.no_assignment(id)),
        }
    }

    /// Until when an agent wraps up if the conversation ends now. Advice needs none, nor does what was interrupted.
    pub(super) fn wrap_up_after(&self, part: &Assignment) -> Option<Time> {
        if part.part == Part::Consultant || part.interrupted {
            return None;
        }
        self.queue(part.queue).wrap_up.length_ms().map(|ms| self.now.after(ms))
    }

    pub(super) fn wrap_up_ended(&mut self, id: AssignmentId) {
        let until = self.assignments[&id].wrap_up_until.expect("whose wrap-up ends is in it");
        self.deadlines.disarm_owned(Deadline::WrapUp(id), until);
        self.release(id, Holder::WrapUp(id));
    }

    pub(super) fn wrap_up_extended(&mut self, id: AssignmentId, until: Time) {
        let part = self.assignments.get_mut(&id).expect("who extends wraps up");
        let before = part.wrap_up_until.replace(until).expect("who extends wraps up");
        part.extensions += 1;
        self.deadlines.disarm_owned(Deadline::WrapUp(id), before);
        self.deadlines.arm_owned(Deadline::WrapUp(id), until);
    }
}
