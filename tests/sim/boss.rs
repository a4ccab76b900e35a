//! The supervisor: gives work to people, changes priorities, sends agents on a break, ends wrap-ups, and configures
//! queues and agents anew while everything runs.

use super::drawn::GHOST;
use super::world::{Who, World};
use baton::engine::agent::Presence;
use baton::engine::command::Command;
use baton::engine::event::EndedBy;
use baton::engine::floor::Kind;
use baton::engine::ids::{AssignmentId, InteractionId};

impl World {
    pub fn boss_decides(&mut self) {
        let interaction = InteractionId(self.dice.between(1, self.server.shard.last_interaction().0 + 1));
        let agent = self.drawn.some_agent(&mut self.dice);
        let command = match self.dice.below(14) {
            0..4 => {
                let waiting = self.somebody_in_line().unwrap_or(interaction);
                Command::Assign { interaction: waiting, agent, overdraw: self.dice.percent(40) }
            }
            4 | 5 => {
                let interaction = self.somebody_in_line().unwrap_or(interaction);
                let priority = self.dice.pick(&[-11, -2, 0, 3, 10]);
                Command::Reprioritise { interaction, priority }
            }
            6 | 7 if self.drawn.agents.len() > agent.index() => Command::SetPresence {
                agent,
                presence: self.dice.pick(&[Presence::Available, Presence::OnBreak, Presence::SignedOut]),
                reason: "meeting".into(),
                by: EndedBy::Supervisor,
            },
            8 => {
                let works = self.desks.iter().flat_map(|desk| desk.hand.work.keys().copied());
                let works: Vec<AssignmentId> = works.collect();
                let assignment = if works.is_empty() { AssignmentId(1) } else { self.dice.pick(&works) };
                Command::FinishWrapUp { assignment, by: EndedBy::Supervisor }
            }
            9 => {
                let number = self.dice.index(self.drawn.queues.len());
                self.drawn.another_queue(number, &mut self.dice)
            }
            10 => {
                let number = self.dice.index(self.drawn.agents.len());
                self.drawn.another_agent(number, &mut self.dice)
            }
            11 => Command::Resume { interaction },
            12 if self.dice.percent(25) => {
                Command::Remove { kind: Kind::Agent, name: GHOST.into(), revision: None }
            }
            _ => match self.drawn.another_group_or_hours(&mut self.dice) {
                Some(define) => define,
                None => return,
            },
        };
        self.send(Who::Boss, command);
    }

    fn somebody_in_line(&mut self) -> Option<InteractionId> {
        let open: Vec<InteractionId> =
            self.platforms.iter().flat_map(|platform| platform.open.keys().copied()).collect();
        (!open.is_empty()).then(|| self.dice.pick(&open))
    }
}
