//! What must be true when nothing more happens by itself, and when everybody has gone.

use super::hand::Hand;
use super::server::agent_key;
use super::witness::never_served;
use super::world::{Who, World};
use baton::engine::agent::{Liveness, Presence};
use baton::engine::ids::{InteractionId, QueueKey};

impl World {
    /// Everything that can be served was served: whoever is left waits for somebody who does not exist.
    pub fn check_quiet(&mut self) {
        self.check_at_rest();
        let shard = &self.server.shard;
        for id in 1..=shard.last_interaction().0 {
            let Some(subject) = shard.interaction(InteractionId(id)) else { continue };
            if subject.state.is_over() {
                continue;
            }
            assert!(
                never_served(shard, subject),
                "interaction {id} is stuck, {:?}, in line {:?}, beside {:?}",
                subject.state,
                subject.standing,
                shard.judge(subject.id),
            );
        }
        for agent in shard.agents().iter().take(self.desks.len()) {
            assert_eq!(agent.presence, Presence::Available, "agent {} came back", agent.key);
            assert_eq!(agent.liveness, Liveness::Live, "agent {} came back", agent.key);
            assert!(agent.is_empty_handed(), "agent {} is stuck: {:?}", agent.key, agent.ledger);
            assert!(!agent.not_responding, "agent {} came back", agent.key);
        }
    }

    /// Everything ended.
    pub fn check_over(&mut self) {
        self.check_at_rest();
        let shard = &self.server.shard;
        for (name, source) in shard.sources() {
            assert!(source.open.is_empty(), "interactions of {name} never ended: {:?}", source.open);
        }
        for key in 0..shard.floor().queues.entries().len() {
            let books = shard.tally().of(QueueKey(u16::try_from(key).expect("floors are small")));
            assert_eq!(books.open() + books.returned, 0, "queue {key}: {books:?}");
        }
        assert!(shard.lines().lanes().all(|(_, lane)| lane.is_empty() && !lane.is_needed()), "empty lines");
        assert!(shard.agents().iter().all(|agent| agent.line.is_empty()), "empty lines of agents");
        let recovered = self.recovered();
        self.witness.check_recovered(&recovered);
        assert_eq!(recovered.digest(), self.server.shard.digest(), "recovered as it is");
        assert_eq!(recovered.tally(), self.server.shard.tally());
        assert_eq!(recovered.next_deadline(), self.server.shard.next_deadline());
    }

    /// Everybody is connected, and believes what is so.
    fn check_at_rest(&mut self) {
        assert!(self.outstanding.is_empty(), "unanswered: {:?}", self.outstanding);
        assert!(self.server.up && self.server.batch.is_none() && self.server.inbox.is_empty());
        self.witness.check_books(&self.server.shard);
        self.witness.check_all(&self.server.shard);
        for number in 0..self.desks.len() {
            assert!(self.stream_of(Who::Desk(number)).is_some(), "desk {number} came back");
            let hand = Hand::of(&self.server.shard, agent_key(number));
            assert_eq!(self.desks[number].hand, hand, "what desk {number} believes, and what is so");
        }
        for number in 0..self.platforms.len() {
            let open = self.open_views(number).into_iter().map(|view| (view.id, view)).collect();
            assert_eq!(self.platforms[number].open, open, "what platform {number} believes, and what is so");
        }
    }
}
