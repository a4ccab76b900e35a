//! The period decided again by a rule set, in simulated time through the real engine. What came from outside happens as
//! recorded; what agents and customers do about what is decided is drawn.

use super::agenda::{Agenda, Todo};
use super::answers::Says;
use super::column::Column;
use super::drawn::Drawn;
use super::error::BacktestError;
use super::fates::Fate;
use super::recorded::Recorded;
use super::script::{Act, Turn};
use crate::engine::agent::Presence;
use crate::engine::command::{Answer, Command, Leaving, Refusal, Submit, Write};
use crate::engine::event::{EndedBy, Event, Stamped};
use crate::engine::fixed::Part as Weight;
use crate::engine::floor::Definition;
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId, OfferId, Text};
use crate::engine::interaction::{Interaction, Part, State};
use crate::engine::plan::{Facts, Goals};
use crate::engine::shard::Shard;
use crate::engine::skill::Requirement;
use crate::engine::time::Time;
use crate::rules::RuleSet;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// What an interaction asks for and what it is worth under one rule set, by the number of its life.
#[derive(Debug, Clone)]
pub(super) struct Worth {
    /// What the contact asks for itself.
    pub own: Vec<Requirement>,
    pub goals: Goals,
    pub weight: Weight,
}

/// A period that has been decided again.
pub(super) struct Again {
    pub column: Column,
    /// By the number of the life; `None` for those who were there before.
    pub fates: Vec<Option<Fate>>,
    pub worth: Vec<Option<Worth>>,
    /// Commands of the record that could not be honoured, since what was decided before was another thing.
    pub refused: u64,
}

/// Who decides, and what the result is judged by.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub rules: &'a RuleSet,
    /// The published rules: what a contact asked for itself is what it needed beyond them.
    pub published: &'a RuleSet,
    /// What each interaction is worth by the rules both are judged by; `None`: by these rules themselves.
    pub worth: Option<&'a [Option<Worth>]>,
}

/// Decides the period again. `tick` is called with each interaction that comes, and may stop it.
pub(super) fn decide(
    recorded: &Recorded,
    drawn: &Drawn,
    judge: Judge<'_>,
    seed: u64,
    tick: &mut dyn FnMut() -> ControlFlow<()>,
) -> Result<Again, BacktestError> {
    let mut run = Run::new(recorded, drawn, judge, seed);
    run.carry_on();
    let mut cues = recorded.script.iter().peekable();
    loop {
        let cue = cues.peek().map(|cue| (cue.at, cue.turn));
        let next = cue.into_iter().chain(run.agenda.next()).min();
        // What is to happen must not jump over a timer of the engine, nor over what follows from that.
        let due = run.shard.next_deadline().map(|due| due.max(run.shard.now()));
        if let Some(due) = due.filter(|due| next.is_none_or(|(now, _)| *due < now)) {
            if due >= recorded.end {
                break;
            }
            run.try_step(due, Command::Tick);
            continue;
        }
        let Some((now, _)) = next.filter(|(now, _)| *now < recorded.end) else { break };
        match cues.next_if(|_| cue == next) {
            Some(cue) => run.act(now, &cue.act, tick)?,
            None => {
                let todo = run.agenda.pop().expect("what comes next is a cue or on the agenda");
                run.does(now, todo);
            }
        }
    }
    Ok(run.finish())
}

struct Run<'a> {
    recorded: &'a Recorded,
    drawn: &'a Drawn,
    judge: Judge<'a>,
    seed: u64,
    shard: Shard,
    events: Vec<Stamped>,
    column: Column,
    agenda: Agenda,
    /// Of lives that are in: the interaction here, and back.
    interactions: Vec<Option<InteractionId>>,
    lives: HashMap<InteractionId, usize>,
    /// How often an agent was asked for an interaction.
    asked: HashMap<(usize, AgentKey), u64>,
    /// Those who were not let in, or joined others.
    outside: HashMap<usize, Fate>,
    worth: Vec<Option<Worth>>,
    /// Whose plan is judged by what, in the step that is taken.
    coming: Option<usize>,
    refused: u64,
}

impl<'a> Run<'a> {
    fn new(recorded: &'a Recorded, drawn: &'a Drawn, judge: Judge<'a>, seed: u64) -> Run<'a> {
        let count = recorded.lives.len();
        Run {
            recorded,
            drawn,
            judge,
            seed,
            shard: recorded.past.shard().clone(),
            events: Vec::new(),
            column: Column::after(&recorded.past),
            agenda: Agenda::default(),
            interactions: vec![None; count],
            lives: HashMap::new(),
            asked: HashMap::new(),
            outside: HashMap::new(),
            worth: vec![None; count],
            coming: None,
            refused: 0,
        }
    }

    /// Those who were there when the period began go on from where they were.
    fn carry_on(&mut self) {
        let start = self.recorded.from;
        for (number, life) in self.recorded.lives.iter().enumerate().filter(|(_, life)| life.carried) {
            let Some(one) = self.shard.interaction(life.id).cloned() else { continue };
            self.enter(number, life.id);
            match one.state {
                State::Scheduled | State::Waiting | State::Offered => {
                    self.expect_end(number, life.id);
                    for offer in one.offers.iter() {
                        let asked = self.shard.offer(*offer).map(|open| (open.agent, open.opened));
                        if let Some((agent, opened)) = asked {
                            self.expect_answer(*offer, number, agent, opened.max(start));
                        }
                    }
                }
                _ => self.expect_rest(&one, life.over, life.wrap_up_ms),
            }
        }
    }

    /// What was in hand is over when it was over.
    fn expect_rest(&mut self, one: &Interaction, over: Option<Time>, wrap_up_ms: u64) {
        let Some(over) = over else { return };
        for assignment in one.assignments.iter() {
            let talks = self.shard.assignment(*assignment).is_some_and(|part| part.talks());
            if talks {
                let ends = Time(over.0.saturating_sub(wrap_up_ms)).max(self.recorded.from);
                self.agenda.put(ends, Turn::Ends, Todo::Complete(*assignment, wrap_up_ms));
            } else {
                self.agenda.put(over, Turn::Ends, Todo::Finish(*assignment));
            }
        }
    }

    fn act(
        &mut self,
        now: Time,
        act: &Act,
        tick: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<(), BacktestError> {
        match act {
            Act::Command(command) => self.try_step(now, command.clone()),
            Act::Define { key, name, definition } => self.define(now, *key, name, definition)?,
            Act::Remove { kind, name } => {
                self.try_step(now, Command::Remove { kind: *kind, name: name.clone(), revision: None })
            }
            Act::Comes(life) => {
                if tick().is_break() {
                    return Err(BacktestError::Stopped);
                }
                self.comes(now, *life);
            }
            Act::Known(life) => self.known(now, *life),
            Act::Reprioritised { interaction, priority } => {
                if let Some(interaction) = self.here(*interaction) {
                    self.try_step(now, Command::Reprioritise { interaction, priority: *priority });
                }
            }
            Act::Assigned { interaction, agent, overdraw } => {
                if let Some(interaction) = self.here(*interaction) {
                    let (agent, overdraw) = (*agent, *overdraw);
                    self.try_step(now, Command::Assign { interaction, agent, overdraw });
                }
            }
        }
        Ok(())
    }

    /// The interaction here that was that one in the record.
    fn here(&self, recorded: InteractionId) -> Option<InteractionId> {
        let number = self.recorded.number_of(recorded)?;
        self.interactions[number]
    }

    fn define(
        &mut self,
        now: Time,
        key: u32,
        name: &Text,
        definition: &Definition,
    ) -> Result<(), BacktestError> {
        let command = |write| Command::Define { name: name.clone(), definition: definition.clone(), write };
        let answer = match self.step(now, command(Write::Update { revision: None })) {
            Err(Refusal::NotDefined { .. }) => self.step(now, command(Write::Create)),
            other => other,
        };
        match answer {
            Ok(Answer::Defined { key: got, .. }) if got == key => Ok(()),
            Ok(_) => Err(BacktestError::FloorDiffers { name: name.clone() }),
            // An agent who is signed in here may not change pools: they stay in the one they are in.
            Err(_) => {
                self.refused += 1;
                Ok(())
            }
        }
    }

    fn comes(&mut self, now: Time, number: usize) {
        let contact = &self.recorded.lives[number].contact;
        let floor = self.shard.floor();
        if floor.queues.live(u32::from(contact.queue.0)).is_none() {
            self.outside.insert(number, Fate::refused());
            return;
        }
        let own = match self.judge.worth.and_then(|worth| worth[number].as_ref()) {
            Some(worth) => worth.own.clone(),
            None => contact.own_requirements(self.judge.published, floor),
        };
        let plan = Arc::new(self.judge.rules.plan(floor, &contact.asked(&contact.facts, &own, floor)));
        self.worth[number] = Some(Worth { own, goals: plan.goals.clone(), weight: plan.weight });
        let submit = Submit {
            keys: [None, None],
            content: 0,
            source: contact.source.clone(),
            external_id: Text::default(),
            channel: contact.channel,
            facts: contact.facts.clone(),
            plan,
        };
        self.coming = Some(number);
        let answer = self.step(now, Command::Submit(Box::new(submit)));
        self.coming = None;
        match answer {
            Ok(Answer::Admitted { .. }) => {}
            Ok(_) => drop(self.outside.insert(number, Fate::joined())),
            Err(_) => drop(self.outside.insert(number, Fate::refused())),
        }
    }

    /// What was learned late may lead to another plan, as it does in the service.
    fn known(&mut self, now: Time, number: usize) {
        let life = &self.recorded.lives[number];
        let (Some(learned), Some(interaction)) = (&life.learned, self.interactions[number]) else { return };
        let (customer, journey) = (learned.customer, learned.journey.clone());
        self.try_step(now, Command::Identify { interaction, customer, journey });
        let Some(one) = self.shard.interaction(interaction) else { return };
        if !matches!(one.state, State::Waiting | State::Scheduled) || one.visit_answered {
            return;
        }
        let (replaces, facts): (u32, Facts) = (one.plan_revision, one.facts.clone());
        let floor = self.shard.floor();
        let own = self.worth[number].as_ref().map_or(&[][..], |worth| &worth.own);
        let plan = self.judge.rules.plan(floor, &life.contact.asked(&facts, own, floor));
        if plan != *one.plan {
            self.try_step(now, Command::Replan { interaction, plan: plan.into(), replaces });
        }
    }

    fn does(&mut self, now: Time, todo: Todo) {
        match todo {
            Todo::Accept(offer) => self.accept(now, offer),
            Todo::Decline(offer) => {
                if self.shard.offer(offer).is_some() {
                    self.try_step(now, Command::Decline { offer, reason: Text::default() });
                }
            }
            Todo::Complete(assignment, wrap_up_ms) => self.complete(now, assignment, wrap_up_ms),
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

    fn complete(&mut self, now: Time, assignment: AssignmentId, wrap_up_ms: u64) {
        if self.shard.assignment(assignment).is_none_or(|part| !part.talks()) {
            return;
        }
        self.try_step(now, Command::Complete { assignment, disposition: Text::default(), solved: None });
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

    /// A command that another past may have made impossible: then it is counted.
    fn try_step(&mut self, now: Time, command: Command) {
        let refused = self.step(now, command).is_err();
        self.refused += u64::from(refused);
    }

    /// Takes a step, tells its events, and puts on the agenda what agents and customers will do about them.
    fn step(&mut self, now: Time, command: Command) -> Result<Answer, Refusal> {
        let mut events = std::mem::take(&mut self.events);
        let answer = self.shard.step(now, command, &mut events);
        for stamped in &events {
            self.tell(stamped);
        }
        for stamped in events.drain(..) {
            self.follow(&stamped);
        }
        self.events = events;
        answer
    }

    fn tell(&mut self, stamped: &Stamped) {
        let number = match &stamped.event {
            Event::Admitted(admitted) => {
                if let Some(number) = self.coming {
                    self.enter(number, admitted.interaction);
                }
                self.coming
            }
            Event::Replanned(replanned) => self.lives.get(&replanned.interaction).copied(),
            _ => None,
        };
        let worth = number.and_then(|number| self.judge.worth?[number].as_ref());
        self.column.hear_judged(stamped, worth.map(|worth| &worth.goals));
    }

    fn enter(&mut self, number: usize, interaction: InteractionId) {
        self.interactions[number] = Some(interaction);
        self.lives.insert(interaction, number);
    }

    fn follow(&mut self, stamped: &Stamped) {
        let now = stamped.time;
        match &stamped.event {
            Event::Admitted(admitted) => {
                if let Some(number) = self.lives.get(&admitted.interaction).copied() {
                    self.expect_end(number, admitted.interaction);
                }
            }
            Event::Offered { offer, interaction, agent, part: Part::Owner, .. } => {
                if let Some(number) = self.lives.get(interaction).copied() {
                    self.expect_answer(*offer, number, *agent, now);
                }
            }
            Event::Accepted { assignment, .. } => self.expect_work(*assignment, now),
            Event::Expired { not_responding: true, recovers: None, offer } => {
                if let Some(ended) = self.shard.ended_offer(*offer) {
                    let back = now.after(self.recorded.answers.away_ms());
                    self.agenda.put(back, Turn::Floor, Todo::Back(ended.agent));
                }
            }
            _ => {}
        }
    }

    /// How this one's wait will end if nobody answers.
    fn expect_end(&mut self, number: usize, interaction: InteractionId) {
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

    fn expect_answer(&mut self, offer: OfferId, number: usize, agent: AgentKey, from: Time) {
        let times = self.asked.entry((number, agent)).or_default();
        let answer = self.recorded.answers.of(self.recorded.lives[number].id, agent, *times, self.seed);
        *times += 1;
        let at = from.after(answer.after_ms);
        // An answer at once comes before whatever else happens in that moment.
        let turn = if answer.after_ms == 0 { Turn::AtOnce } else { Turn::Answers };
        match answer.says {
            Says::Yes => self.agenda.put(at, turn, Todo::Accept(offer)),
            Says::No => self.agenda.put(at, turn, Todo::Decline(offer)),
            Says::Nothing => {}
        }
    }

    fn expect_work(&mut self, assignment: AssignmentId, now: Time) {
        let Some(part) = self.shard.assignment(assignment) else { return };
        let Some(number) = self.lives.get(&part.interaction).copied() else { return };
        let queue = self.recorded.lives[number].contact.queue;
        let (talk_ms, wrap_up_ms) = self.drawn.work_of(number, queue, part.agent);
        self.agenda.put(now.after(talk_ms), Turn::Ends, Todo::Complete(assignment, wrap_up_ms));
    }

    fn finish(self) -> Again {
        let until = self.recorded.until;
        let shard = self.column.projection.shard();
        let fate = |number: usize| {
            let inside = || self.interactions[number].map(|id| self.column.fates.of(id, shard, until));
            let fate = self.outside.get(&number).cloned().or_else(inside);
            fate.filter(|_| !self.recorded.lives[number].carried)
        };
        let fates = (0..self.recorded.lives.len()).map(fate).collect();
        Again { fates, column: self.column, worth: self.worth, refused: self.refused }
    }
}
