//! The naive twin: the simplest correct engine. Plain lists, full scans, nothing remembered that could be looked up,
//! no index, no cache, no timer: time is what is due next in all lists. Written from SEMANTICS.md and the words of
//! commands and events; of the engine it uses the vocabulary only. Whatever the engine does fast must be the same.

mod again;
mod choose;
mod door;
mod floor;
mod hand;
mod later;
mod learned;
mod look;
mod offers;
mod out;
mod overflow;
mod parts;
mod twin;

use crate::chance::{Chance, runs};
use baton::engine::event::Stamped;
use baton::engine::shard::Shard;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use twin::Twin;

const COMMANDS: u32 = 500;

#[test]
fn the_naive_twin_gives_the_same_events() {
    for seed in 0..runs(16) {
        compare(u64::from(seed));
    }
}

/// Points at the first event that differs.
fn same(here: &str, events: &[Stamped], twins: &[Stamped]) {
    for (one, other) in events.iter().zip(twins) {
        assert_eq!(one, other, "{here}: the engine on the left, the twin on the right");
    }
    let (more, whose) = if events.len() > twins.len() { (events, "engine") } else { (twins, "twin") };
    let rest = &more[events.len().min(twins.len())..];
    assert!(rest.is_empty(), "{here}: only the {whose} says {rest:#?}");
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
        let here = format!("seed {seed}, command {number} at {now:?}: {command:?}");
        same(&here, &events, &same_events);
        match (answer, same_answer) {
            (Ok(answer), Ok(same)) => assert_eq!(answer, same, "{here}"),
            // The twin knows why, not every figure of the sentence.
            (Err(refusal), Err(same)) => {
                assert_eq!(
                    std::mem::discriminant(&refusal),
                    std::mem::discriminant(&same),
                    "{here}: {refusal}"
                );
            }
            (answer, same) => panic!("{here}: {answer:?}, the twin says {same:?}"),
        }
        chance.saw(&events);
    }
}
