//! What agents and customers do about what is decided: they answer, talk, wrap up and hang up, as recorded or as drawn.

use super::again::Run;
use super::agenda::Todo;
use super::answers::Says;
use super::asked::Tickets;
use super::lives::Life;
use super::script::Turn;
use crate::engine::agent::Presence;
use crate::engine::command::{Answer, Command, Handover, Leaving, Target};
use crate::engine::event::EndedBy;
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId, Text};
use crate::engine::interaction::{Interaction, Part, State};
use crate::engine::source::{Source, SourceSession};
use crate::engine::time::Time;

/// When a conversation ends.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    at: Time,
    /// How long the wrap-up takes then.
    wrap_up_ms: u64,
    /// `Some` while it is interrupted: what is left of it.
    left_ms: Option<u64>,
}

impl Run<'_> {
    /// Those who were there when the period began go on from where they were.
    pub fn carry_on(&mut self) {
        let start = self.recorded.from;
        let lost =
            |(name, source): (&Text, &Source)| (source.session == SourceSession::Lost).then(|| name.clone());
        // Customers hang up when they did, not with a source that may have come back.
        for source in self.shard.sources().iter().filter_map(lost).collect::<Vec<_>>() {
            self.try_step(start, Command::OpenSource { source });
        }
        for (number, life) in self.recorded.lives.iter().enumerate().filter(|(_, life)| life.carried) {
            let Some(one) = self.shard.interaction(life.id).cloned() else { continue };
            self.enter(number, life.id);
            match one.state {
                State::Scheduled | State::Waiting | State::Offered => {
                    self.legs[number] = life.next_leg();
                    self.expect_end(number, life.id);
                    for offer in one.offers.iter() {
                        let asked = self.shard.offer(*offer).map(|open| (open.agent, open.opened));
                        if let Some((agent, opened)) = asked {
                            self.expect_answer(*offer, number, agent, opened);
                        }
                    }
                }
                _ => self.expect_rest(&one, number, life),
            }
        }
    }

    /// What was in hand is over when it was over, or is handed on after its own time.
    fn expect_rest(&mut self, one: &Interaction, number: usize, life: &Life) {
        let (handed_on, last) = (life.leg_to_hand_on(), life.work().len().saturating_sub(1));
        self.legs[number] = handed_on.map_or(last, |(at, _)| at);
        let Some(over) = life.over else { return };
        let wrap_up_ms = life.work().last().map_or(0, |leg| leg.wrap_up_ms);
        for assignment in one.assignments.iter() {
            let talks = self.shard.assignment(*assignment).filter(|part| part.talks());
            let (ends, wrap_up_ms) = match (talks.map(|part| (part.part, part.started)), handed_on) {
                (Some((Part::Owner, started)), Some((_, leg))) => {
                    (started.after(leg.talk_ms), leg.wrap_up_ms)
                }
                (Some(_), _) => (Time(over.0.saturating_sub(wrap_up_ms)), wrap_up_ms),
                (None, _) => {
                    self.agenda.put(over, Turn::Ends, Todo::Finish(*assignment));
                    continue;
                }
            };
            self.expect_completion(*assignment, ends.max(self.recorded.from), wrap_up_ms);
        }
    }

    pub fn does(&mut self, now: Time, todo: Todo) {
        match todo {
            Todo::Accept(offer) => self.accept(now, offer),
            Todo::Decline(offer) => {
                if self.shard.offer(offer).is_some() {
                    self.try_step(now, Command::Decline { offer, reason: Text::default() });
                }
            }
            Todo::Complete(assignment) => self.complete(now, assignment),
            Todo::Finish(assignment) => self.end_wrap_up(now, assignment),
            Todo::HangUp(number) => self.leave(now, number, Leaving::CustomerLeft),
            Todo::Withdraw(number) => self.leave(now, number, Leaving::Withdrawn),
            Todo::AskCallback(number) => self.ask_callback(now, number),
            Todo::Back(agent) => self.come_back(now, agent),
        }
    }

    fn accept(&mut self, now: Time, offer: OfferId) {
        if self.shard.offer(offer).is_none() {
            return;
        }
        let Ok(Answer::Accepted { interaction, .. }) = self.step(now, Command::Accept { offer }) else {
            return;
        };
        // Whoever accepts is put through.
        if self.shard.interaction(interaction).is_some_and(|one| one.channel.is_connected_by_platform()) {
            self.try_step(now, Command::Connected { interaction });
        }
    }

    fn complete(&mut self, now: Time, assignment: AssignmentId) {
        // Whatever was interrupted ends at another time than was thought.
        let due = self.ends.get(&assignment).filter(|ends| ends.at == now && ends.left_ms.is_none());
        let Some(Ends { wrap_up_ms, .. }) = due.copied() else { return };
        self.ends.remove(&assignment);
        if self.shard.assignment(assignment).is_none_or(|part| !part.talks()) {
            return;
        }
        if !self.hand_on(now, assignment) {
            self.try_step(now, Command::Complete { assignment, disposition: Text::default(), solved: None });
        }
        let until = now.after(wrap_up_ms);
        // The queue's time for it may be shorter: agents of the record asked for more, as often as they may.
        while let Some(over) = self.shard.assignment(assignment).and_then(|part| part.wrap_up_until)
            && over < until
            && self.step(now, Command::ExtendWrapUp { assignment }).is_ok()
        {}
        if self.shard.assignment(assignment).is_some() {
            self.agenda.put(until, Turn::Ends, Todo::Finish(assignment));
        }
    }

    /// To the queue, or the agent, it was handed to in the record. True if that is done.
    fn hand_on(&mut self, now: Time, assignment: AssignmentId) -> bool {
        let interaction = self.shard.assignment(assignment).map(|part| part.interaction);
        let number = interaction.and_then(|interaction| self.lives.get(&interaction).copied());
        let Some((interaction, number)) = interaction.zip(number) else { return false };
        let (Some(next), Some(one)) = (
            self.drawn.legs(number).get(self.legs[number] + 1).copied(),
            self.shard.interaction(interaction),
        ) else {
            return false;
        };
        let contact = &self.recorded.lives[number].contact;
        let floor = self.shard.floor();
        if floor.queues.live(u32::from(next.queue.0)).is_none() {
            return false;
        }
        let to = (next.queue, &one.facts);
        let mut plan = contact.handed_on(self.judge.rules, &self.shard, to, &mut self.tickets);
        // A supervisor may have changed it since; it goes with the customer.
        plan.priority = one.plan.priority;
        let published = self.judge.published;
        let by_published = contact.handed_on(published, &self.shard, to, &mut Tickets::default());
        self.handed_goals = Some(by_published.goals);
        let target = Target::Line { plan: plan.into(), agent: next.asked_for };
        let done =
            self.step(now, Command::Transfer { assignment, target, handover: Handover::Blind }).is_ok();
        self.handed_goals = None;
        self.refused += u64::from(!done);
        self.legs[number] += usize::from(done);
        done
    }

    /// Where it is mandatory it ends when its time is over: then this is refused, as it is meant to be.
    fn end_wrap_up(&mut self, now: Time, assignment: AssignmentId) {
        if self.shard.assignment(assignment).is_some() {
            let _ = self.step(now, Command::FinishWrapUp { assignment, by: EndedBy::Agent });
        }
    }

    fn come_back(&mut self, now: Time, agent: AgentKey) {
        let known = self.shard.agent(agent);
        if known.is_some_and(|one| one.not_responding && one.presence == Presence::Available) {
            let (presence, reason, by) = (Presence::Available, Text::default(), EndedBy::Agent);
            self.try_step(now, Command::SetPresence { agent, presence, reason, by });
        }
    }

    fn leave(&mut self, now: Time, number: usize, leaving: Leaving) {
        // Whoever is called back has hung up already.
        let holds_on = |one: &Interaction| one.callback().is_none() || leaving == Leaving::Withdrawn;
        if let Some(interaction) = self.waits(number).filter(|one| holds_on(one)).map(|one| one.id) {
            self.try_step(now, Command::Cancel { interaction, leaving });
        }
    }

    fn ask_callback(&mut self, now: Time, number: usize) {
        let waiting = self.waits(number).map(|one| one.id);
        if let Some((interaction, asked)) = waiting.zip(self.recorded.lives[number].callback) {
            let (channel, window) = (asked.channel, asked.window);
            self.try_step(now, Command::RequestCallback { interaction, channel, window });
        }
    }

    /// The interaction, if nobody has answered it so far.
    fn waits(&self, number: usize) -> Option<&Interaction> {
        let one = self.shard.interaction(self.interactions[number]?)?;
        (one.state.is_unanswered() && one.answered.is_none()).then_some(one)
    }

    /// How this one's wait will end if nobody answers.
    pub fn expect_end(&mut self, number: usize, interaction: InteractionId) {
        let life = &self.recorded.lives[number];
        let entered = self.shard.interaction(interaction).map_or(life.entered, |one| one.entered);
        if let Some(patience_ms) = self.drawn.patience_ms[number] {
            self.agenda.put(entered.after(patience_ms), Turn::Leaves, Todo::HangUp(number));
        }
        if let Some(at) = life.withdrawn {
            self.agenda.put(at, Turn::Leaves, Todo::Withdraw(number));
        }
        if let Some(asked) = life.callback {
            self.agenda.put(asked.at, Turn::Leaves, Todo::AskCallback(number));
        }
    }

    pub fn expect_answer(&mut self, offer: OfferId, number: usize, agent: AgentKey, opened: Time) {
        let times = self.asked.entry((number, agent)).or_default();
        let answer = self.recorded.answers.of(self.recorded.lives[number].id, agent, *times, self.seed);
        *times += 1;
        // Who was being asked when the period began has had part of the time.
        let at = opened.after(answer.after_ms).max(self.recorded.from);
        // An answer at once comes before whatever else happens in that moment.
        let turn = if answer.after_ms == 0 { Turn::AtOnce } else { Turn::Answers };
        match answer.says {
            Says::Yes => self.agenda.put(at, turn, Todo::Accept(offer)),
            Says::No => self.agenda.put(at, turn, Todo::Decline(offer)),
            Says::Nothing => {}
        }
    }

    pub fn expect_work(&mut self, assignment: AssignmentId, now: Time) {
        let Some(part) = self.shard.assignment(assignment) else { return };
        let Some(number) = self.lives.get(&part.interaction).copied() else { return };
        let (talk_ms, wrap_up_ms) = self.drawn.work_of(number, self.legs[number], part.agent);
        self.expect_completion(assignment, now.after(talk_ms), wrap_up_ms);
    }

    fn expect_completion(&mut self, assignment: AssignmentId, at: Time, wrap_up_ms: u64) {
        self.ends.insert(assignment, Ends { at, wrap_up_ms, left_ms: None });
        self.agenda.put(at, Turn::Ends, Todo::Complete(assignment));
    }

    /// What gave way to other work ends later by as long as that took.
    pub fn pause(&mut self, assignment: AssignmentId, now: Time) {
        if let Some(ends) = self.ends.get_mut(&assignment) {
            ends.left_ms = Some(ends.at.since(now));
        }
    }

    pub fn go_on(&mut self, assignment: AssignmentId, now: Time) {
        let Some(Ends { left_ms: Some(left_ms), wrap_up_ms, .. }) = self.ends.get(&assignment).copied()
        else {
            return;
        };
        self.expect_completion(assignment, now.after(left_ms), wrap_up_ms);
    }
}
