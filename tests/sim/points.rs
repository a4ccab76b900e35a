//! Crash points, one after the other, in short runs: after every event, and at every byte of one commit. Wherever it dies,
//! everything that was answered is there, nothing is there twice, the state is that of the durable events, and the run goes on
//! to its end as any other does (`world`).
//!
//! `BATON_CRASH_SEEDS=n` runs n seeds here, too.

use super::asked;
use super::dice::Dice;
use super::server::Fate;
use super::world::World;
use baton::engine::command::Command;
use baton::engine::event::Stamped;
use baton::engine::ids::Sequence;
use baton::engine::shard::Shard;
use baton::journal::recover;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// As many as the test command has time for.
const EVENT_SEEDS: u64 = 3;
const BYTE_SEEDS: u64 = 12;

/// The last event of the opening, and the last of a run without a crash.
fn events(seed: u64) -> (u64, u64) {
    let mut world = World::short(seed, false, None);
    world.run();
    (world.opened, world.witness.log.len() as u64)
}

/// A run with one crash, to its end; told with its last steps if something does not hold.
fn dies(seed: u64, fate: Fate) {
    let mut world = World::short(seed, false, Some(fate));
    match catch_unwind(AssertUnwindSafe(|| world.run())) {
        Ok(()) => assert_eq!(world.server.life, 1, "it died once, seed {seed}, {fate:?}"),
        Err(_) => super::tell(seed, World::short(seed, true, Some(fate))),
    }
}

#[test]
fn after_whichever_event_it_dies_nothing_is_lost_doubled_or_stuck() {
    for seed in 0..asked("BATON_CRASH_SEEDS").unwrap_or(EVENT_SEEDS) {
        let (opening, last) = events(seed);
        assert!(last > opening + 20, "seed {seed} is a run: {last} events");
        for event in opening + 1..=last {
            dies(seed, Fate::AfterEvent(event));
        }
    }
}

#[test]
fn at_whichever_byte_a_commit_is_cut_it_is_there_whole_or_not_at_all() {
    for seed in 0..asked("BATON_CRASH_SEEDS").unwrap_or(BYTE_SEEDS) {
        let (opening, last) = events(seed);
        let event = Dice::new(seed).between(opening + 1, last);
        dies(seed, Fate::AtEveryByte(event));
    }
}

impl World {
    /// What would be found if the crash left so many bytes, for each number of them.
    pub(super) fn try_every_byte(&self, events: &[Stamped], all: usize) {
        let none = self.found_after(0, &[]);
        assert_eq!(none.shard.digest(), self.server.digest_at_commit, "as it was before the commit");
        for kept in 1..all {
            let cut = self.found_after(kept, &[]);
            assert_eq!(cut.shard.digest(), self.server.digest_at_commit, "cut at byte {kept} of {all}");
            assert_eq!(cut.next, none.next, "it goes on alike, cut at byte {kept} of {all}");
        }
        let whole = self.found_after(all, events);
        assert_eq!(whole.shard.digest(), self.server.shard.digest(), "as it was when it was written");
    }

    /// Recovers from what a crash leaves; `more` is all there may be besides what was committed.
    fn found_after(&self, kept: usize, more: &[Stamped]) -> Found {
        let mut heard = 0;
        let log = &self.witness.log;
        let recovered = recover(
            |visit| self.server.disk.read_after_crash(kept, visit),
            Sequence(u64::MAX),
            |_, stamped, _| {
                let committed = log.get(heard).map(|(stamped, _)| &**stamped);
                let expected = committed.or_else(|| more.get(heard - log.len()));
                assert_eq!(Some(stamped), expected, "the journal says what was written");
                heard += 1;
            },
        );
        let shard = recovered.expect("the journal can be read");
        assert_eq!(heard, log.len() + more.len(), "nothing is lost, {kept} bytes kept");
        self.witness.check_recovered(&shard);
        let mut next = Vec::new();
        let answer = shard.clone().step(self.now.max(shard.now()), Command::Restart, &mut next);
        answer.expect("it suits every state");
        Found { shard, next }
    }
}

/// What was recovered, and what happens next.
struct Found {
    shard: Shard,
    next: Vec<Stamped>,
}
