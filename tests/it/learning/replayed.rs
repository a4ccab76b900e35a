//! A floor that learns, recorded and replayed: the same commands give the same decisions, and so do the events alone.

use crate::chance::Chance;
use baton::engine::command::Command;
use baton::engine::event::{Event, Stamped};
use baton::engine::shard::Shard;
use baton::engine::time::Time;
use baton::learning::{Eyes, HalfLife, Learner};
use rand::Rng;

/// Commands after which what was learned is told.
const TELLS: usize = 25;

/// What was asked, with what was learned in between, and what happened.
fn recorded(seed: u64) -> (Vec<(Time, Command)>, Vec<Stamped>, Shard) {
    let mut luck = super::draw(seed);
    let (mut shard, mut chance) = (Shard::new(), Chance::new());
    let (mut eyes, mut learner) = (Eyes::default(), Learner::new(HalfLife::USUAL));
    let (mut asked, mut journal) = (Vec::new(), Vec::new());
    let mut opening = Chance::opening_in_money().into_iter();
    for number in 0..500 {
        let next = opening.next();
        let (now, command) = next.unwrap_or_else(|| chance.next(std::array::from_fn(|_| luck.next_u32())));
        // Told by somebody else as well: who learns goes on from there.
        let told = (number % TELLS == TELLS - 1).then(|| learner.news(shard.floor(), shard.now())).flatten();
        let told = told.map(|news| (shard.now(), Command::SetParameters(news.into())));
        for (now, command) in told.into_iter().chain([(now, command)]) {
            let seen = journal.len();
            asked.push((now, command.clone()));
            // Some of what chance asks for is refused, which changes nothing.
            let _ = shard.step(now, command, &mut journal);
            chance.saw(&journal[seen..]);
            for stamped in &journal[seen..] {
                if let Event::ParametersSet(parameters) = &stamped.event {
                    learner.told(parameters);
                }
                let floor = shard.floor();
                eyes.look(stamped.time, &stamped.event, &mut |one| learner.note(stamped.time, one, floor));
            }
        }
    }
    (asked, journal, shard)
}

#[test]
fn a_floor_that_learned_is_replayed_to_the_last_decision() {
    let mut learned = 0;
    for seed in 0..6 {
        let (asked, journal, shard) = recorded(seed);
        learned += journal.iter().filter(|one| matches!(one.event, Event::ParametersSet(_))).count();
        let (mut again, mut events) = (Shard::new(), Vec::new());
        for (now, command) in asked {
            let _ = again.step(now, command, &mut events);
        }
        assert_eq!(events, journal, "the same commands, seed {seed}");
        let mut from_events = Shard::new();
        journal.iter().for_each(|stamped| from_events.apply(stamped));
        assert_eq!(from_events.digest(), shard.digest(), "the events alone, seed {seed}");
        // And from there on they decide alike.
        let later = shard.now().after(60_000);
        let after = |mut shard: Shard| {
            let mut events = Vec::new();
            let _ = shard.step(later, Command::Tick, &mut events);
            (events, shard.digest())
        };
        assert_eq!(after(from_events), after(shard), "a minute later, seed {seed}");
    }
    assert!(learned > 20, "{learned} tellings");
}
