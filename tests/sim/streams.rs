//! What is told over the network: notices on streams that may be slow, break, or be taken over, and what whoever reads
//! them believes.

use super::hand::Hand;
use super::platform::View;
use super::server::{Batch, Follower, Message, agent_key};
use super::world::{Happening, StreamId, Who, World};
use baton::engine::event::Stamped;
use baton::engine::ids::{InteractionId, Sequence, SessionId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// What travels down a stream.
#[derive(Clone, Debug)]
pub enum Notice {
    Snapshot(Sequence, Hand),
    Event(Rc<Stamped>),
    /// Everything up to here was told.
    UpTo(Sequence),
    Listed(Vec<View>),
    View(View),
    /// The reader was too slow, or the session is lost: the stream ends here.
    End,
}

/// A stream from the process to somebody.
pub(super) struct Stream {
    pub(super) who: Who,
    pub(super) notices: VecDeque<Notice>,
    /// Something is on its way already.
    pub(super) moving: bool,
    pub(super) room: usize,
}

impl World {
    /// What a commit makes known.
    pub fn publish(&mut self, batch: Batch) {
        assert!(self.server.disk.is_synced(), "nothing is told before it is durable");
        let mut touched: BTreeSet<InteractionId> = BTreeSet::new();
        for stamped in &batch.events {
            let about = self.witness.hear(stamped);
            touched.extend(about.interaction);
            let told = self.witness.log.last().expect("it was heard a moment ago").0.clone();
            if let Some(agent) = about.agent {
                self.tell(Who::Desk(agent.index()), Notice::Event(told));
            }
        }
        for id in touched {
            let Some(view) = View::of(&self.server.shard, id) else { continue };
            if let Some(number) = self.platforms.iter().position(|one| one.source == view.source) {
                self.tell(Who::Platform(number), Notice::View(view));
            }
        }
        for (request, sequence, answer) in batch.answers {
            for _ in 0..self.copies() {
                let at = self.now.after(self.delay_ms());
                self.plan(at, Happening::Answered(request, sequence, answer.clone()));
            }
        }
        for follower in batch.followers {
            self.follow(follower);
        }
    }

    /// First the state, or what was missed; then every change.
    fn follow(&mut self, follower: Follower) {
        let Follower { who, stream, cursor } = follower;
        if self.server.streams.get(&who) != Some(&stream) || self.stream_of(who) != Some(stream) {
            return;
        }
        let room = usize::try_from(self.dice.pick(&[6, 20, 100])).expect("it is small");
        let opened = Stream { who, notices: VecDeque::new(), moving: false, room };
        self.streams.insert(stream, opened);
        let sequence = self.server.shard.sequence();
        match (who, cursor) {
            (Who::Desk(number), Some(cursor)) if sequence.0 - cursor.0 < 60 => {
                let from = usize::try_from(cursor.0).expect("journals of tests are short");
                let missed: Vec<Rc<Stamped>> = self.witness.log[from..]
                    .iter()
                    .filter(|(_, about)| about.agent == Some(agent_key(number)))
                    .map(|(stamped, _)| stamped.clone())
                    .collect();
                self.streams.get_mut(&stream).expect("it was opened a moment ago").room += missed.len() + 1;
                for stamped in missed {
                    self.tell(who, Notice::Event(stamped));
                }
                self.tell(who, Notice::UpTo(sequence));
            }
            (Who::Desk(number), _) => {
                let hand = Hand::of(&self.server.shard, agent_key(number));
                self.tell(who, Notice::Snapshot(sequence, hand));
            }
            (Who::Platform(number), _) => {
                let listed = self.open_views(number);
                self.tell(who, Notice::Listed(listed));
            }
            (Who::Boss, _) => {}
        }
    }

    pub fn open_views(&self, platform: usize) -> Vec<View> {
        let source = self.server.shard.sources().get(&self.platforms[platform].source);
        let open = source.into_iter().flat_map(|source| source.open.iter());
        open.filter_map(|id| View::of(&self.server.shard, *id)).collect()
    }

    fn tell(&mut self, who: Who, notice: Notice) {
        let Some(id) = self.server.streams.get(&who).copied() else { return };
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if stream.notices.len() > stream.room {
            // Too slow: cut off, and the session goes with it.
            self.say(|| format!("{who:?} reads too slowly and is cut off"));
            let stream = self.streams.get_mut(&id).expect("it was there a moment ago");
            stream.notices.truncate(1);
            stream.notices.push_back(Notice::End);
            // Taken up after the commit that is being told.
            self.server.inbox.push_back(Message::Lose { who, stream: id });
            return;
        }
        stream.notices.push_back(notice);
        self.move_on(id);
    }

    fn move_on(&mut self, id: StreamId) {
        let at = self.now.after(self.delay_ms());
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if !stream.moving && !stream.notices.is_empty() {
            stream.moving = true;
            self.plan(at, Happening::Delivered(id));
        }
    }

    pub(super) fn delivered(&mut self, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.moving = false;
        let (who, notice) = (stream.who, stream.notices.pop_front().expect("something moved"));
        if self.stream_of(who) != Some(id) {
            self.streams.remove(&id);
            return;
        }
        if matches!(notice, Notice::End) {
            self.streams.remove(&id);
            self.stream_ended(who);
            return;
        }
        match who {
            Who::Desk(number) => self.desk_hears(number, notice),
            Who::Platform(number) => self.platform_hears(number, notice),
            Who::Boss => {}
        }
        self.move_on(id);
        self.check_belief(who, id);
    }

    /// What somebody believes is so, if everything told has arrived.
    fn check_belief(&mut self, who: Who, id: StreamId) {
        let arrived = self.streams.get(&id).is_some_and(|stream| stream.notices.is_empty());
        let told = self.server.streams.get(&who) == Some(&id);
        if !arrived || !told || !self.server.up || self.server.batch.is_some() {
            return;
        }
        match who {
            Who::Desk(number) => {
                let hand = Hand::of(&self.server.shard, agent_key(number));
                assert_eq!(self.desks[number].hand, hand, "what desk {number} believes, and what is so");
            }
            Who::Platform(number) => {
                let open: BTreeMap<_, _> =
                    self.open_views(number).into_iter().map(|view| (view.id, view)).collect();
                assert_eq!(
                    self.platforms[number].open, open,
                    "what platform {number} believes, and what is so"
                );
            }
            Who::Boss => {}
        }
    }

    pub fn stream_of(&self, who: Who) -> Option<StreamId> {
        match who {
            Who::Desk(number) => self.desks[number].stream,
            Who::Platform(number) => self.platforms[number].stream,
            Who::Boss => None,
        }
    }

    pub fn new_stream_id(&mut self) -> StreamId {
        self.number += 1;
        self.number
    }

    /// Asks for a stream.
    pub fn ask_to_follow(
        &mut self,
        who: Who,
        stream: StreamId,
        session: SessionId,
        cursor: Option<Sequence>,
    ) {
        if self.dice.percent(self.faults.drop_percent) {
            return;
        }
        let at = self.now.after(self.delay_ms());
        self.plan(at, Happening::Arrives(Message::Follow { who, stream, session, cursor }));
    }

    /// The connection is gone. Whoever was told by it learns so; the process when the lease is over.
    pub fn stream_breaks(&mut self, id: StreamId) {
        let Some(stream) = self.streams.remove(&id) else { return };
        if self.stream_of(stream.who) == Some(id) {
            self.stream_ended(stream.who);
        }
        self.abandoned_stream(stream.who, id);
    }

    /// The process does not know yet that nobody reads this any more.
    pub fn abandoned_stream(&mut self, who: Who, id: StreamId) {
        let lease_ms = self.dice.between(100, 15_000);
        self.plan_lease(who, id, lease_ms);
    }

    fn stream_ended(&mut self, who: Who) {
        match who {
            Who::Desk(number) => self.desk_is_cut(number),
            Who::Platform(number) => self.platform_is_cut(number),
            Who::Boss => {}
        }
    }
}
