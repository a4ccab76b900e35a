//! The naive twin: the simplest correct engine. Plain lists, full scans, nothing counted that could be looked up: no
//! lane, no index, no cache, no heap; time is what is due next in all lists. Of the engine it uses the vocabulary and
//! the calendar only. Whatever the engine does fast must be the same, event by event.

mod choose;
mod door;
mod due;
mod floor;
mod hand;
mod line;
mod offers;
mod people;
mod state;
mod talk;
mod wait;

use crate::chance::{Chance, runs};
use baton::engine::command::{Answer, Command, Refusal};
use baton::engine::event::Stamped;
use baton::engine::shard::Shard;
use baton::engine::time::Time;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use state::Twin;
use std::fmt::Write;

const COMMANDS: u32 = 500;

#[test]
fn the_naive_twin_gives_the_same_events() {
    let first = std::env::var("BATON_SEED").map_or(0, |seed| seed.parse().expect("BATON_SEED is a number"));
    for seed in 0..u64::from(runs(12)) {
        compare(first + seed);
    }
}

fn compare(seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut shard, mut twin, mut chance) = (Shard::new(), Twin::default(), Chance::new());
    let mut opening = Chance::opening().into_iter();
    for number in 0..COMMANDS {
        let (now, command) =
            opening.next().unwrap_or_else(|| chance.next(std::array::from_fn(|_| rng.next_u32())));
        let mut events = Vec::new();
        let answer = shard.step(now, command.clone(), &mut events);
        let (same_answer, same_events) = twin.step(now, command.clone());
        let here = format!("seed {seed}, command {number} at {}: {command:#?}", now.0);
        if events != same_events {
            panic!("{here}\n{}", difference(&events, &same_events));
        }
        match (&answer, &same_answer) {
            (Ok(answer), Ok(same)) => assert_eq!(answer, same, "{here}"),
            // The twin knows why, not every figure of the sentence.
            (Err(refusal), Err(same)) => {
                let alike = std::mem::discriminant(refusal) == std::mem::discriminant(same);
                assert!(alike, "{here}\nthe engine refuses: {refusal}\nthe twin refuses: {same}");
            }
            _ => panic!("{here}\nthe engine answers {answer:?}\nthe twin answers {same_answer:?}"),
        }
        assert_eq!(shard.next_deadline(), twin.due().map(|(at, _)| at), "{here}\nthe next deadline");
        chance.saw(&events);
    }
}

/// The first event that differs, after those of the command that do not.
fn difference(events: &[Stamped], same: &[Stamped]) -> String {
    let agreed = events.iter().zip(same).take_while(|(one, other)| one == other).count();
    let mut text = String::new();
    for stamped in &events[agreed.saturating_sub(6)..agreed] {
        writeln!(text, "both say: {stamped:?}").expect("a text takes everything");
    }
    for (who, all) in [("the engine", events), ("the twin", same)] {
        match all.get(agreed) {
            Some(stamped) => writeln!(text, "{who} says: {stamped:#?}"),
            None => writeln!(text, "{who} says nothing more"),
        }
        .expect("a text takes everything");
    }
    text
}

impl Twin {
    fn step(&mut self, now: Time, command: Command) -> (Result<Answer, Refusal>, Vec<Stamped>) {
        if now < self.now {
            return (Err(Refusal::TimeRunsBack { time_ms: now.0, now_ms: self.now.0 }), Vec::new());
        }
        if command == Command::Restart {
            self.restart(now);
        }
        self.pass_time(now);
        (self.honour(command), std::mem::take(&mut self.told))
    }

    fn honour(&mut self, command: Command) -> Result<Answer, Refusal> {
        match command {
            Command::Tick | Command::Restart => Ok(Answer::Done),
            Command::Define { name, definition, write } => self.define(name, definition, write),
            Command::Remove { kind, name, revision } => self.remove(kind, &name, revision),
            Command::OpenSession { agent, session } => self.open_session(agent, session),
            Command::LoseSession { agent, session } => self.lose_session(agent, session),
            Command::SetPresence { agent, presence, reason, by } => {
                self.set_presence(agent, presence, reason, by)
            }
            Command::Submit(submit) => self.admit(*submit),
            Command::Identify { interaction, customer } => self.identify(interaction, customer),
            Command::Cancel { interaction, leaving } => self.leave(interaction, leaving),
            Command::Accept { offer } => self.accept(offer),
            Command::Decline { offer, reason } => self.decline(offer, reason),
            Command::Complete { assignment, disposition } => self.complete(assignment, disposition),
            Command::FinishWrapUp { assignment, by } => self.finish_wrap_up(assignment, by),
            Command::ExtendWrapUp { assignment } => self.extend_wrap_up(assignment),
            Command::Connected { interaction } => self.connected(interaction),
            Command::ConnectFailed { interaction, cause } => self.connect_failed(interaction, cause),
            Command::Transfer { assignment, target, handover } => self.transfer(assignment, target, handover),
            Command::Consult { assignment, target } => self.consult(assignment, target),
            Command::Conference { assignment, target } => self.conference(assignment, target),
            Command::StopSeeking { assignment } => self.stop_seeking(assignment),
            Command::Park { assignment } => self.park(assignment),
            Command::Resume { interaction } => self.resume(interaction),
            Command::Wrote { interaction } => self.wrote(interaction),
            Command::Requeue { assignment } => self.requeue(assignment),
            Command::Pull { agent, interaction } => self.pull(agent, interaction),
            Command::RequestCallback { interaction, channel, window } => {
                self.request_callback(interaction, channel, window)
            }
            Command::Assign { interaction, agent, overdraw } => self.assign(interaction, agent, overdraw),
            Command::Reprioritise { interaction, priority } => self.reprioritise(interaction, priority),
            Command::OpenSource { source } => self.open_source(source),
            Command::LoseSource { source } => self.lose_source(source),
        }
    }
}
