//! What is written to the journal is what happened: every event of random runs survives its encoding.

use crate::chance::{Chance, Move, runs};
use baton::engine::event::Stamped;
use baton::engine::shard::Shard;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: runs(64), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_survives_its_encoding(moves in prop::collection::vec(any::<Move>(), 0..200)) {
        let mut shard = Shard::new();
        let mut chance = Chance::new();
        let mut events = Vec::new();
        for (now, command) in Chance::opening() {
            shard.step(now, command, &mut events).expect("the opening is in order");
        }
        chance.saw(&events);
        for one in moves {
            let seen = events.len();
            let (now, command) = chance.next(one);
            // A refusal has no events of its own; those of deadlines count alike.
            let _ = shard.step(now, command, &mut events);
            chance.saw(&events[seen..]);
        }
        for stamped in &events {
            let bytes = postcard::to_stdvec(stamped).expect("every event can be encoded");
            let read: Stamped = postcard::from_bytes(&bytes).expect("what was encoded can be read");
            prop_assert_eq!(&read, stamped);
            let mut trailing = bytes.clone();
            trailing.push(0);
            let (_, rest) = postcard::take_from_bytes::<Stamped>(&trailing).expect("it ends where it ends");
            prop_assert_eq!(rest.len(), 1);
        }
    }
}
