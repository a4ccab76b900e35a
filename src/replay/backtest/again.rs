//! The period decided again by a rule set, in simulated time through the real engine. What came from outside happens as
//! recorded; what agents and customers do about what is decided is drawn.

use super::agenda::{Agenda, Todo};
use super::asked::Tickets;
use super::column::Column;
use super::drawn::Drawn;
use super::error::BacktestError;
use super::fates::Fate;
use super::people::Ends;
use super::recorded::Recorded;
use super::script::{Act, Turn};
use crate::engine::command::{Answer, Command, Refusal, Submit, Write};
use crate::engine::event::{Event, Stamped};
use crate::engine::fixed::Part as Weight;
use crate::engine::floor::Definition;
use crate::engine::ids::{AgentKey, AssignmentId, InteractionId, Text};
use crate::engine::interaction::{Part, State};
use crate::engine::plan::{Facts, Goals};
use crate::engine::shard::Shard;
use crate::engine::time::Time;
use crate::rules::RuleSet;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// What an interaction asks for and what it is worth under one rule set, by the number of its life.
#[derive(Debug, Clone)]
pub(super) struct Worth {
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

/// A period in the middle of being decided again.
pub(super) struct Run<'a> {
    pub recorded: &'a Recorded,
    pub drawn: &'a Drawn,
    pub judge: Judge<'a>,
    pub seed: u64,
    pub shard: Shard,
    events: Vec<Stamped>,
    column: Column,
    pub agenda: Agenda,
    /// Of lives that are in: the interaction here, and back.
    pub interactions: Vec<Option<InteractionId>>,
    pub lives: HashMap<InteractionId, usize>,
    /// How often an agent was asked for an interaction.
    pub asked: HashMap<(usize, AgentKey), u64>,
    /// When conversations end.
    pub ends: HashMap<AssignmentId, Ends>,
    /// Which part of the recorded work comes next, by life.
    pub legs: Vec<usize>,
    /// What a hand-over is judged by, in the step that is taken.
    pub handed_goals: Option<Goals>,
    /// Those who were not let in, or joined others.
    outside: HashMap<usize, Fate>,
    /// What nobody drew in the record.
    pub tickets: Tickets,
    worth: Vec<Option<Worth>>,
    /// Whose plan is judged by what, in the step that is taken.
    coming: Option<usize>,
    pub refused: u64,
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
            ends: HashMap::new(),
            legs: vec![0; count],
            handed_goals: None,
            outside: HashMap::new(),
            tickets: Tickets::default(),
            worth: vec![None; count],
            coming: None,
            refused: 0,
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
        let planned = contact.plan(self.judge.rules, &self.shard, &contact.facts, &mut self.tickets);
        let Some((plan, made_in)) = planned else {
            self.outside.insert(number, Fate::refused());
            return;
        };
        let plan = Arc::new(plan);
        self.worth[number] = Some(Worth { goals: plan.goals.clone(), weight: plan.weight });
        let submit = Submit {
            keys: [None, None],
            content: 0,
            source: contact.source.clone(),
            external_id: Text::default(),
            channel: contact.channel,
            facts: Facts { circumstances: Some(made_in.into()), ..contact.facts.clone() },
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
        let planned = life.contact.plan(self.judge.rules, &self.shard, &facts, &mut self.tickets);
        if let Some((plan, made_in)) = planned
            && Some(&plan) != self.shard.interaction(interaction).map(|one| &*one.plan)
        {
            let circumstances = Some(made_in.into());
            self.try_step(now, Command::Replan { interaction, plan: plan.into(), replaces, circumstances });
        }
    }

    /// A command that another past may have made impossible: then it is counted.
    pub fn try_step(&mut self, now: Time, command: Command) {
        let refused = self.step(now, command).is_err();
        self.refused += u64::from(refused);
    }

    /// Takes a step, tells its events, and puts on the agenda what agents and customers will do about them.
    pub fn step(&mut self, now: Time, command: Command) -> Result<Answer, Refusal> {
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
        let handed = || self.handed_goals.as_ref().filter(|_| matches!(stamped.event, Event::Transferred(_)));
        let yardstick = worth.map(|worth| &worth.goals).or_else(handed);
        self.column.hear_judged(stamped, yardstick);
    }

    pub fn enter(&mut self, number: usize, interaction: InteractionId) {
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
            Event::Interrupted { assignment } => self.pause(*assignment, now),
            Event::Continued { assignment } => self.go_on(*assignment, now),
            Event::Expired { not_responding: true, recovers: None, offer } => {
                if let Some(ended) = self.shard.ended_offer(*offer) {
                    let back = now.after(self.recorded.answers.away_ms());
                    self.agenda.put(back, Turn::Floor, Todo::Back(ended.agent));
                }
            }
            _ => {}
        }
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
