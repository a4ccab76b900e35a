//! Events alone lead to the same state, and from there to the same future.

use super::kept::read_again;
use super::run::{Run, standing};
use crate::chance::Move;
use baton::engine::command::{Command, Write};
use baton::engine::floor::Definition;
use baton::engine::ids::QueueKey;
use baton::engine::policy::PoolSpec;
use baton::engine::shard::Shard;

impl Run {
    pub fn check_replay(&mut self) {
        // An event now: a recovered engine knows no later time.
        let (name, display_name) = ("last".into(), "".into());
        let last = Command::Define {
            name,
            definition: Definition::Pool(PoolSpec::listed(display_name).into()),
            write: Write::Create,
        };
        self.ask(self.shard.now().after(7), last);
        let mut again = Shard::new();
        self.journal.iter().for_each(|stamped| again.apply(stamped));
        assert_eq!(again.digest(), self.shard.digest());
        assert_eq!(self.shadow.digest(), self.shard.digest());
        assert_eq!(again.deadlines().sorted(), self.shard.deadlines().sorted());
        assert_eq!(again.tally(), self.shard.tally());
        // Caches are rebuilt too: the next decision is the same.
        for subject in standing(&self.shard) {
            assert_eq!(again.agents_for(subject.id), self.shard.agents_for(subject.id));
            assert_eq!(again.wait_reason(subject.id), self.shard.wait_reason(subject.id));
        }
        for agent in self.shard.agents() {
            assert_eq!(again.interaction_for(agent.key), self.shard.interaction_for(agent.key));
        }
        for key in 0..self.shard.floor().queues.entries().len() {
            let queue = QueueKey(u16::try_from(key).expect("a floor of few queues"));
            let order = |shard: &Shard| shard.lines().by_entry(queue).collect::<Vec<_>>();
            assert_eq!(order(&again), order(&self.shard));
        }
        // One was kept and read again all along, one is just now.
        let kept = read_again(&self.shard);
        self.check_future([again, self.shadow.clone(), kept]);
    }

    /// The same commands do the same to all.
    fn check_future(&mut self, mut others: [Shard; 3]) {
        for number in 0..40_u32 {
            let salts: Move = [0x9e37_79b9, 0x85eb_ca6b, 0xc2b2_ae35, 0x27d4_eb2f, 0x1656_67b1];
            let next = salts.map(|salt| salt.wrapping_mul(number + 1).rotate_left(number));
            let (now, command) = self.chance.next(next);
            let (now, seen) = (now.max(self.shard.now()), self.journal.len());
            let answer = self.shard.step(now, command.clone(), &mut self.journal);
            for other in &mut others {
                let mut events = Vec::new();
                let same = other.step(now, command.clone(), &mut events);
                assert_eq!(events, self.journal[seen..], "{command:?}");
                assert_eq!(same, answer, "{command:?}");
            }
            self.chance.saw(&self.journal[seen..]);
        }
    }
}
