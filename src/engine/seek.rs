//! A second agent for a conversation that goes on: for advice, for the conference, or to take it over warm. The
//! interaction stands in line for that while its first agent talks; it is found like anybody who waits.

use super::command::{Answer, Refusal, Target};
use super::deadline::Deadline;
use super::event::{Event, SeekEnd, Sought};
use super::ids::{AgentKey, AssignmentId, InteractionId};
use super::interaction::{Part, Seek};
use super::line::lane_of;
use super::outcome::Assignment;
use super::plan::Plan;
use super::shard::{Shard, Step};
use std::sync::Arc;

/// A second agent is looked for no longer than this, ms.
pub const SEEK_MS: u64 = 120_000;

impl Step<'_> {
    pub fn consult(&mut self, assignment: AssignmentId, target: Target) -> Result<Answer, Refusal> {
        let part = self.shard.owner_part(assignment)?;
        match target {
            Target::Line { plan, agent } => self.look_for(part, Part::Consultant, plan, agent),
            Target::Consulted(other) => self.shard.consulted(part.interaction, other).map(|()| Answer::Done),
        }
    }

    pub fn conference(&mut self, assignment: AssignmentId, target: Target) -> Result<Answer, Refusal> {
        let part = self.shard.owner_part(assignment)?;
        match target {
            Target::Line { plan, agent } => self.look_for(part, Part::Member, plan, agent),
            Target::Consulted(other) => {
                self.shard.consulted(part.interaction, other)?;
                self.emit(Event::Joined { assignment: other });
                Ok(Answer::Done)
            }
        }
    }

    pub(super) fn look_for(
        &mut self,
        by: Assignment,
        part: Part,
        plan: Arc<Plan>,
        agent: Option<AgentKey>,
    ) -> Result<Answer, Refusal> {
        let interaction = by.interaction;
        if self.shard.subject(interaction).seek().is_some() {
            return Err(Refusal::SeekingAlready);
        }
        self.shard.check_plan(&plan, by.channel)?;
        let wanted = self.shard.wanted_colleague(interaction, agent)?;
        let until = self.shard.now.after(SEEK_MS);
        self.emit(Event::Sought(Box::new(Sought { interaction, by: by.id, part, plan, wanted, until })));
        self.seek_agent(interaction);
        Ok(Answer::Done)
    }

    pub fn stop_seeking(&mut self, assignment: AssignmentId) -> Result<Answer, Refusal> {
        let part = self.shard.talking(assignment)?;
        let subject = self.shard.subject(part.interaction);
        if subject.seek().is_none_or(|seek| seek.by != assignment) {
            return Err(Refusal::NotSeeking);
        }
        let freed = self.end_seek(part.interaction, SeekEnd::TakenBack);
        self.seek_works(freed);
        Ok(Answer::Done)
    }

    /// Nobody was found in time.
    pub fn seek_timed_out(&mut self, interaction: InteractionId) {
        let freed = self.end_seek(interaction, SeekEnd::TimedOut);
        self.seek_works(freed);
    }
}

impl Shard {
    pub(super) fn sought(&mut self, sought: &Sought) {
        let id = sought.interaction;
        let lane = self.lane_for(lane_of(&sought.plan, 0, 0, self.subject(id).channel));
        self.lines.join(lane);
        let seek = Seek {
            by: sought.by,
            part: sought.part,
            plan: sought.plan.clone(),
            wanted: sought.wanted,
            since: self.now,
            lane,
        };
        self.subject_mut(id).change_extras(|extras| extras.seek = Some(seek));
        self.deadlines.arm(Deadline::Seek(id), sought.until);
        self.stand(id);
    }

    /// Takes the search away, out of the line too if it stands there.
    pub(super) fn forget_seek(&mut self, id: InteractionId) {
        if self.subject(id).seek().is_none() {
            return;
        }
        self.step_out(id);
        self.deadlines.disarm(Deadline::Seek(id));
        let seek = self.subject_mut(id).change_extras(|extras| extras.seek.take());
        self.lines.part(seek.expect("it was there a moment ago").lane);
    }

    pub(super) fn joined(&mut self, id: AssignmentId) {
        self.assignments.get_mut(&id).expect("who joins has a part").part = Part::Member;
    }
}
