//! Stage 6: what became of it. An agent accepted; conversations end, for one agent or for all; interactions close.

use super::capacity::Holder;
use super::command::{Answer, Refusal};
use super::deadline::Deadline;
use super::event::{EndedBy, Ending, Event, RescindCause, SeekEnd};
use super::few::Few;
use super::ids::{AgentKey, AssignmentId, InteractionId, OfferId, QueueKey, Text};
use super::interaction::{Part, State};
use super::offer::{Ended, Offer};
use super::plan::Channel;
use super::shard::{Shard, Step};
use super::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Of the interactions that are over, so many stay readable in memory; older ones are in the journal.
pub const OVER_KEPT_MAX: usize = 100_000;

/// The interactions that were over last.
pub type Over = VecDeque<InteractionId>;

/// Whether agent and customer are connected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Connection {
    /// The platform has not said yet.
    Pending,
    /// It has said so, or there is nothing to connect.
    Made,
    /// It has said nothing in time.
    Assumed,
}

/// One agent's part in an interaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Assignment {
    pub id: AssignmentId,
    pub interaction: InteractionId,
    pub agent: AgentKey,
    pub part: Part,
    pub channel: Channel,
    /// The queue it came from.
    pub queue: QueueKey,
    pub started: Time,
    pub connection: Connection,
    /// Whether it answered this visit of its queue, and the interaction at all: what a failed connection undoes.
    pub answered_visit: bool,
    pub answered_first: bool,
    /// It gave way to other work: it holds nothing until it goes on.
    pub interrupted: bool,
    /// What it holds while it is not interrupted.
    pub units: u16,
    /// `Some` exactly while in wrap-up.
    pub wrap_up_until: Option<Time>,
    pub extensions: u8,
}

impl Assignment {
    /// In conversation, or interrupted in one.
    pub fn talks(&self) -> bool {
        self.wrap_up_until.is_none()
    }
}

/// How a conversation ended.
pub(super) struct Finish {
    pub by: EndedBy,
    pub disposition: Text,
    pub solved: Option<bool>,
}

impl Finish {
    /// Nobody said more about it.
    pub fn by(by: EndedBy) -> Finish {
        Finish { by, disposition: Text::default(), solved: None }
    }
}

impl Step<'_> {
    pub fn complete(
        &mut self,
        assignment: AssignmentId,
        disposition: Text,
        solved: Option<bool>,
    ) -> Result<Answer, Refusal> {
        self.shard.talking(assignment)?;
        self.end_conversation(assignment, Finish { by: EndedBy::Agent, disposition, solved });
        Ok(Answer::Done)
    }

    /// Ends one agent's conversation. If that was the owner, the next in the conference has the customer; if there is
    /// none, the interaction's conversation is over for everybody.
    pub(super) fn end_conversation(&mut self, assignment: AssignmentId, finish: Finish) {
        let (agent, interaction) = self.end_part(assignment, finish);
        let mut freed = Few::One(agent);
        freed.extend(self.settle(interaction, Some(assignment)));
        self.free_all(freed);
    }

    /// Tells that one part is over. Who is free now, and of which interaction.
    fn end_part(&mut self, assignment: AssignmentId, finish: Finish) -> (AgentKey, InteractionId) {
        let Finish { by, disposition, solved } = finish;
        let part = self.shard.assignments[&assignment];
        let wrap_up_until = self.shard.wrap_up_after(&part);
        self.emit(Event::ConversationEnded { assignment, by, disposition, solved, wrap_up_until });
        (part.agent, part.interaction)
    }

    /// Brings an interaction in order after somebody left it: who asked for a second agent and is gone asks no more;
    /// the customer is somebody's, or nobody talks. Who is free by that.
    pub(super) fn settle(&mut self, interaction: InteractionId, gone: Option<AssignmentId>) -> Few<AgentKey> {
        let mut freed = Few::None;
        let subject = self.shard.subject(interaction);
        let asker_gone = subject.seek().is_some_and(|seek| gone.is_none_or(|gone| gone == seek.by));
        if asker_gone {
            freed.extend(self.end_seek(interaction, SeekEnd::ConversationEnded));
        }
        if self.shard.has_lost_its_owner(interaction) {
            match self.shard.next_owner(interaction) {
                Some(assignment) => self.emit(Event::OwnerChanged { interaction, assignment }),
                None => freed.extend(self.end_rest(interaction)),
            }
        }
        let subject = self.shard.subject(interaction);
        if subject.state == State::WrappingUp && subject.assignments.is_empty() {
            self.emit(Event::Closed { interaction });
        }
        freed
    }

    /// Whoever is left without the customer: consultants, and the search for one.
    pub(super) fn end_rest(&mut self, interaction: InteractionId) -> Few<AgentKey> {
        let mut freed = Few::None;
        if self.shard.subject(interaction).seek().is_some() {
            freed.extend(self.end_seek(interaction, SeekEnd::ConversationEnded));
        }
        for assignment in self.shard.talking_parts(interaction) {
            freed.push(self.end_part(assignment, Finish::by(EndedBy::Engine)).0);
        }
        freed
    }

    /// Nobody is looked for any more. Who was asked is free.
    pub(super) fn end_seek(&mut self, interaction: InteractionId, cause: SeekEnd) -> Few<AgentKey> {
        let freed = self.rescind_all(interaction, RescindCause::NotSoughtAnyMore);
        self.emit(Event::SeekEnded { interaction, cause });
        freed
    }

    /// The agent did not come back in time: the customer gets another one, at the old place.
    pub fn agent_gone(&mut self, assignment: AssignmentId) {
        let Assignment { interaction, agent, .. } = self.shard.assignments[&assignment];
        let owned = self.shard.subject(interaction).owner == Some(assignment);
        let alone = owned && self.shard.next_owner(interaction).is_none();
        let mut freed = Few::One(agent);
        if alone {
            freed.extend(self.end_rest_but(interaction, assignment));
        }
        self.emit(Event::AssignmentLost { assignment });
        freed.extend(self.settle(interaction, Some(assignment)));
        self.free_all(freed);
        if self.shard.subject(interaction).state == State::Waiting {
            self.skip_absent_agent(interaction);
            self.seek_agent(interaction);
        }
    }

    /// Capacity came free: the next work, or a wish for a break comes true. Who wishes for one gets no work.
    pub fn free(&mut self, agent: AgentKey) {
        self.free_all(Few::One(agent));
    }

    /// All of them look for work before one who leaves lets go who waited for them.
    pub fn free_all(&mut self, agents: Few<AgentKey>) {
        for agent in &agents {
            self.seek_work(*agent);
        }
        let mut in_line = Vec::new();
        for agent in agents {
            if self.shard.agents[agent.index()].pending.is_some() {
                in_line.extend(self.drained(agent));
            }
        }
        if !in_line.is_empty() {
            self.seek_agents(in_line);
        }
    }
}

impl Shard {
    /// An assignment whose conversation goes on.
    pub(super) fn talking(&self, id: AssignmentId) -> Result<Assignment, Refusal> {
        match self.assignments.get(&id) {
            Some(known) if known.talks() => Ok(*known),
            Some(_) => Err(Refusal::AssignmentEnded),
            None => Err(self.no_assignment(id)),
        }
    }

    /// Why there is no such assignment.
    pub fn no_assignment(&self, assignment: AssignmentId) -> Refusal {
        let existed = assignment.0 >= 1 && assignment <= self.last_assignment;
        if existed { Refusal::AssignmentEnded } else { Refusal::AssignmentUnknown }
    }

    /// Those in conversation, oldest first.
    pub(super) fn talking_parts(&self, interaction: InteractionId) -> Vec<AssignmentId> {
        self.talking_in(interaction).collect()
    }

    pub(super) fn talking_in(&self, interaction: InteractionId) -> impl Iterator<Item = AssignmentId> {
        let parts = self.subject(interaction).assignments.iter().copied();
        parts.filter(|id| self.assignments[id].talks())
    }

    /// Somebody is in the conversation still, and the customer is nobody's.
    fn has_lost_its_owner(&self, interaction: InteractionId) -> bool {
        let subject = self.subject(interaction);
        let going_on = matches!(subject.state, State::Handling | State::Parked);
        going_on && subject.owner.is_none() && self.talking_in(interaction).next().is_some()
    }

    /// The oldest member of the conference who is still there.
    fn next_owner(&self, interaction: InteractionId) -> Option<AssignmentId> {
        let member = |id: &AssignmentId| self.assignments[id].part == Part::Member;
        self.talking_in(interaction).find(member)
    }

    pub(super) fn accepted(&mut self, id: OfferId, assignment: AssignmentId, connect_until: Option<Time>) {
        let Offer { interaction, agent, part, .. } = self.offers[&id];
        let ended =
            Ended { interaction, agent, ending: Ending::Accepted, cause: None, assignment: Some(assignment) };
        self.end_offer(id, ended);
        self.last_assignment = assignment;
        let queue = self.sought_queue(interaction);
        self.tally.books(queue).offers_accepted += 1;
        let (answered_visit, answered_first) = match part {
            Part::Owner => self.owned(interaction, agent, assignment),
            Part::Consultant | Part::Member => (false, false),
        };
        self.forget_seek(interaction);
        match connect_until {
            Some(until) => self.deadlines.arm(Deadline::Connect(assignment), until),
            None if part == Part::Owner => self.promise_kept(interaction),
            None => {}
        }
        let ledger = &mut self.agent_mut(agent).ledger;
        ledger.pass(Holder::Offer(id), Holder::Assignment(assignment));
        let units = ledger.units_of(Holder::Assignment(assignment));
        let channel = self.subject(interaction).channel;
        self.count_today(agent, channel);
        self.subject_mut(interaction).assignments.push(assignment);
        self.assignments.insert(
            assignment,
            Assignment {
                id: assignment,
                interaction,
                agent,
                part,
                channel,
                queue,
                started: self.now,
                connection: connect_until.map_or(Connection::Made, |_| Connection::Pending),
                answered_visit,
                answered_first,
                interrupted: false,
                units,
                wrap_up_until: None,
                extensions: 0,
            },
        );
        self.note_who_talks(interaction);
        self.reindex(agent);
    }

    /// The customer is this agent's now: answered, if it was not before. Whether that answered this visit, and the
    /// interaction at all.
    fn owned(&mut self, id: InteractionId, agent: AgentKey, assignment: AssignmentId) -> (bool, bool) {
        self.arrive_by_transfer(id);
        self.unschedule(id);
        self.deadlines.disarm(Deadline::Source(id));
        self.deadlines.disarm(Deadline::MaxWait(id));
        self.forget_cool_downs(id);
        let now = self.now;
        let (first, first_of_visit) = (self.subject(id).answered.is_none(), !self.subject(id).visit_answered);
        self.change_state(id, |subject| {
            subject.state = State::Handling;
            subject.visit_answered = true;
            subject.answered.get_or_insert(now);
            subject.owner = Some(assignment);
            subject.agent = Some(agent);
            subject.wanted = None;
        });
        if first_of_visit {
            self.count_answer(id);
        }
        (first_of_visit, first)
    }

    fn count_answer(&mut self, id: InteractionId) {
        let subject = self.subject(id);
        let (queue, wait_ms) = (subject.queue(), self.now.since(subject.waits_from));
        let in_target = wait_ms <= subject.plan.goals.answer_within_ms;
        let books = self.tally.books(queue);
        books.answered += 1;
        books.answered_in_target += u64::from(in_target);
        books.wait_ms += wait_ms;
        self.prices.note_answer(queue, in_target);
    }

    pub(super) fn conversation_ended(
        &mut self,
        id: AssignmentId,
        disposition: &Text,
        wrap_up_until: Option<Time>,
    ) {
        let interaction = self.assignments[&id].interaction;
        self.stop_talking(id, wrap_up_until);
        let others = self.talking_in(interaction).next().is_some();
        self.change_state(interaction, |subject| {
            if subject.owner == Some(id) {
                subject.owner = None;
                subject.disposition = disposition.clone();
            }
            if !others && matches!(subject.state, State::Handling | State::Parked) {
                subject.state = State::WrappingUp;
            }
        });
        self.note_who_talks(interaction);
    }

    /// One agent's conversation is over; the wrap-up begins, or the assignment is over too.
    pub(super) fn stop_talking(&mut self, id: AssignmentId, wrap_up_until: Option<Time>) {
        self.deadlines.disarm(Deadline::Agent(id));
        self.deadlines.disarm(Deadline::Connect(id));
        let part = self.assignments.get_mut(&id).expect("a conversation ends once");
        let (agent, queue, interrupted) = (part.agent, part.queue, part.interrupted);
        part.wrap_up_until = wrap_up_until;
        part.interrupted = false;
        if interrupted {
            self.agent_mut(agent).interrupted.retain(|other| *other != id);
        }
        match wrap_up_until {
            Some(until) => {
                self.deadlines.arm_owned(Deadline::WrapUp(id), until);
                let share = self.queue(queue).wrap_up.share_percent;
                let ledger = &mut self.agent_mut(agent).ledger;
                ledger.pass_share(Holder::Assignment(id), Holder::WrapUp(id), share);
                self.reindex(agent);
            }
            None if interrupted => self.part_over(id),
            None => self.release(id, Holder::Assignment(id)),
        }
    }

    pub(super) fn assignment_lost(&mut self, id: AssignmentId) {
        let (interaction, owned) = {
            let part = &self.assignments[&id];
            (part.interaction, self.subject(part.interaction).owner == Some(id))
        };
        self.stop_talking(id, None);
        if owned {
            self.lost_owner(interaction);
        } else {
            self.note_who_talks(interaction);
        }
    }

    /// Without anybody else for the customer, the interaction is back in line at its place.
    pub(super) fn lost_owner(&mut self, interaction: InteractionId) {
        self.subject_mut(interaction).owner = None;
        if self.next_owner(interaction).is_some() {
            self.note_who_talks(interaction);
            return;
        }
        let now = self.now;
        self.change_state(interaction, |subject| {
            subject.state = State::Waiting;
            subject.requeues += 1;
            // The conversation was no waiting: steps begin anew, and it is not thrown out for how long it took.
            (subject.in_queue_from, subject.step, subject.declines) = (now, 0, 0);
        });
        self.change_lane(interaction);
        self.arm_source_grace(interaction);
        self.arm_max_wait(interaction);
        self.stand(interaction);
    }

    /// Parked while everybody who is in it was interrupted. Nothing changes while nobody is in it.
    pub(super) fn note_who_talks(&mut self, id: InteractionId) {
        let going_on = matches!(self.subject(id).state, State::Handling | State::Parked);
        if !going_on {
            return;
        }
        let (mut talks, mut works) = (false, false);
        for part in self.talking_in(id) {
            (talks, works) = (true, works || !self.assignments[&part].interrupted);
        }
        if !talks {
            return;
        }
        let state = if works { State::Handling } else { State::Parked };
        if self.subject(id).state != state {
            self.change_state(id, |subject| subject.state = state);
        }
    }

    pub(super) fn owner_changed(&mut self, interaction: InteractionId, assignment: AssignmentId) {
        let part = self.assignments.get_mut(&assignment).expect("an owner has a part");
        part.part = Part::Owner;
        let agent = part.agent;
        let subject = self.subject_mut(interaction);
        // From one who is still there it is a transfer; after one who left it is none.
        subject.transfers += u16::from(subject.owner.is_some());
        subject.owner = Some(assignment);
        subject.agent = Some(agent);
    }

    pub(super) fn release(&mut self, id: AssignmentId, holder: Holder) {
        let agent = self.assignments[&id].agent;
        self.agent_mut(agent).ledger.release(holder);
        self.part_over(id);
    }

    fn part_over(&mut self, id: AssignmentId) {
        let part = self.assignments.remove(&id).expect("an assignment is over once");
        let books = self.tally.books(part.queue);
        books.handled += 1;
        books.handle_ms += self.now.since(part.started);
        self.subject_mut(part.interaction).assignments.retain(|other| *other != id);
        self.agent_mut(part.agent).idle_since = self.now;
        self.reindex(part.agent);
    }

    pub(super) fn closed(&mut self, id: InteractionId) {
        let now = self.now;
        self.change_state(id, |subject| (subject.state, subject.over) = (State::Closed, Some(now)));
        let queue = self.subject(id).queue();
        self.tally.books(queue).closed += 1;
        self.is_over(id);
    }
}
