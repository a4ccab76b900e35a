//! What holds after every command, whatever was asked: books, ledger, states, lines, and that events alone lead to
//! the same state. Proptest prints the moves of a failure and makes them few.

mod books;
mod kept;
mod ledger;
mod lines;
mod replay;
mod run;
mod states;
mod value;

use crate::chance::{Move, runs};
use baton::engine::command::Command;
use proptest::prelude::*;
use run::Run;

proptest! {
    #![proptest_config(ProptestConfig { cases: runs(16), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_after_every_command(
        in_money in any::<bool>(),
        moves in prop::collection::vec(any::<Move>(), 1..500),
    ) {
        let mut run = Run::opened(in_money);
        for one in moves {
            let (now, command) = run.chance.next(one);
            run.ask(now, command);
            run.check();
        }
        run.check_replay();
        // For whoever runs many: BATON_COUNT=1, and the last line counts.
        if std::env::var_os("BATON_COUNT").is_some() {
            println!("{}", value::looked_at());
        }
    }

    #[test]
    fn it_makes_no_difference_who_notices_a_deadline(
        in_money in any::<bool>(),
        moves in prop::collection::vec(any::<Move>(), 1..200),
    ) {
        let (mut late, mut punctual) = (Run::opened(in_money), Run::opened(in_money));
        for one in moves {
            let (now, command) = late.chance.next(one);
            late.ask(now, command.clone());
            // While we are down nobody notices anything, and who would set time back is not heard.
            let notices = command != Command::Restart && now >= punctual.shard.now();
            while let Some(at) = punctual.shard.next_deadline().filter(|at| notices && *at <= now) {
                punctual.ask(at.max(punctual.shard.now()), Command::Tick);
            }
            punctual.ask(now, command);
        }
        prop_assert_eq!(late.journal, punctual.journal);
        prop_assert_eq!(late.shard.digest(), punctual.shard.digest());
    }
}
