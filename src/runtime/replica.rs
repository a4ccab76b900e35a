//! All that follows the events of a shard from the first on, and could not go on without what it heard: the engine's state,
//! whose history waits for what, what was learned, what is sealed of those who are here. A snapshot is this, written down;
//! a recovery begins with one. Nothing personal is in it that is not sealed.

use super::contacts::Contacts;
use super::follow::{About, Follow, over};
use super::payload::SAID_MAX;
use super::pupil::{Outlook, or_say};
use crate::engine::event::{Event, Stamped};
use crate::engine::ids::{CustomerId, InteractionId, Sequence};
use crate::engine::kept::{Keep, Kept};
use crate::engine::shard::Shard;
use crate::engine::table::Table;
use crate::engine::time::Time;
use crate::journal::{Fault, Mark, Origin, RecordRef, RecoveryError, SnapshotReader, Snapshots, read_state};
use crate::learning::{Eyes, HalfLife, Learner, Lesson, Seen};
use arrayvec::ArrayVec;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::path::Path;

/// What is sealed of an interaction that is not over.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sealed {
    /// When it came: numbers come again in a journal that was put back.
    pub came: Time,
    pub customer: Option<CustomerId>,
    pub content: u128,
    pub payload: Vec<u8>,
    /// The newest of what was said since.
    pub said: VecDeque<(Time, Vec<u8>)>,
}

/// Those that follow beside the engine.
#[derive(Serialize, Deserialize)]
pub(super) struct Followers {
    pub follow: Follow,
    pub contacts: Contacts,
    pub eyes: Eyes,
    /// `None`: nothing is learned.
    pub learner: Option<Learner>,
    pub outlook: Outlook,
    pub sealed: Table<InteractionId, Box<Sealed>>,
    /// Numbers are given in order: a store that knows this one knows all before.
    pub newest_customer: Option<CustomerId>,
}

impl Followers {
    /// Before the first event.
    pub fn new(learns: bool) -> Followers {
        Followers {
            follow: Follow::default(),
            contacts: Contacts::default(),
            eyes: Eyes::default(),
            learner: learns.then(|| Learner::new(HalfLife::USUAL)),
            outlook: Outlook::default(),
            sealed: Table::default(),
            newest_customer: None,
        }
    }

    /// Hears one event that is true in `shard`; what it is about. Contacts hear it apart: who has a store tells it more.
    pub fn hear(&mut self, shard: &Shard, stamped: &Stamped, sealed: Option<&[u8]>) -> About {
        self.learn(shard, stamped);
        let about = self.follow.about(&stamped.event);
        match &stamped.event {
            Event::Admitted(admitted) => {
                if let Some(sealed) = sealed {
                    let (came, payload, said) = (stamped.time, sealed.to_vec(), VecDeque::new());
                    let (customer, content) = (admitted.facts.customer, admitted.content);
                    let new = Sealed { came, customer, content, payload, said };
                    self.sealed.insert(admitted.interaction, new.into());
                }
            }
            Event::Identified { interaction, customer, .. } => {
                if let Some(open) = self.sealed.get_mut(interaction) {
                    open.customer = Some(*customer);
                }
            }
            event => {
                if let Some(interaction) = over(event) {
                    self.sealed.remove(&interaction);
                }
                let open = about.interaction.and_then(|interaction| self.sealed.get_mut(&interaction));
                if let Some((open, sealed)) = open.zip(sealed) {
                    open.said.push_back((stamped.time, sealed.to_vec()));
                    if open.said.len() > SAID_MAX {
                        open.said.pop_front();
                    }
                }
            }
        }
        about
    }

    /// Those that have the last chunk of a snapshot for themselves, and its number.
    fn at_the_end(path: &Path) -> Option<(u32, Followers)> {
        let mut reader = SnapshotReader::open(path).ok()?;
        let chunk = reader.seek_last().ok()?;
        let followers = reader.next().ok()?;
        // Whoever reads the rest comes to the same chunk, or these are none.
        reader.next_chunk().map(|_| (chunk, followers))
    }

    /// Whether it learns may be another thing than when it was written down.
    fn set_learning(&mut self, learns: bool) {
        let learner = self.learner.take().filter(|_| learns);
        self.learner = learner.or_else(|| learns.then(|| Learner::new(HalfLife::USUAL)));
    }

    /// A customer the journal names.
    pub fn meet(&mut self, customer: Option<CustomerId>) {
        self.newest_customer = self.newest_customer.max(customer);
    }

    /// Learning must not keep anybody from starting: if it breaks it is over, and begins again with the next start.
    fn learn(&mut self, shard: &Shard, stamped: &Stamped) {
        let Followers { learner: Some(learner), eyes, outlook, .. } = self else { return };
        let (now, floor) = (stamped.time, shard.floor());
        let learned = or_say(|| {
            let mut lessons = ArrayVec::<Lesson, 8>::new();
            eyes.look(now, &stamped.event, &mut |seen| {
                learner.note(now, seen, floor);
                // Returns of a week may come at once; they are nothing but learned from.
                if !matches!(seen, Seen::Ended { interaction: None, .. }) {
                    lessons.push(Lesson::new(now, seen, shard));
                }
            });
            outlook.learn(&lessons, learner, floor);
        });
        if learned.is_none() {
            self.learner = None;
        }
    }
}

/// Whose customer an event tells.
pub(super) fn customer_of(event: &Event) -> Option<CustomerId> {
    match event {
        Event::Admitted(admitted) => admitted.facts.customer,
        Event::Identified { customer, .. } => Some(*customer),
        _ => None,
    }
}

/// The engine's state with all that follows it.
pub struct Replica {
    pub(super) shard: Shard,
    pub(super) followers: Followers,
    /// Of the last event.
    mark: Mark,
}

impl Replica {
    /// Before the first event.
    pub fn new(learns: bool) -> Replica {
        Replica { shard: Shard::new(), followers: Followers::new(learns), mark: Mark::default() }
    }

    /// The engine's state.
    pub fn shard(&self) -> &Shard {
        &self.shard
    }

    /// Takes the next event, with nobody to tell what it means for histories.
    pub fn hear(&mut self, record: &RecordRef<'_>) -> Result<(), RecoveryError> {
        let sequence = record.sequence;
        let event = record.event().map_err(|corruption| RecoveryError::Event { sequence, corruption })?;
        let stamped = Stamped { sequence: Sequence(sequence), time: Time(record.time_ms), event };
        self.shard.apply(&stamped);
        let Replica { shard, followers, mark } = self;
        let about = followers.hear(shard, &stamped, record.sealed);
        followers.contacts.hear(&stamped, about, None, shard.floor(), &mut |_, _, _| {});
        followers.meet(customer_of(&stamped.event));
        *mark = Mark::of(record);
        Ok(())
    }

    /// Writes it down. The size of the file in bytes.
    pub fn keep(&self, snapshots: &Snapshots, tenant: &str) -> Result<u64, Fault> {
        let origin = Origin { tenant: tenant.to_owned(), mark: self.mark };
        let mut writer = snapshots.begin(self.shard.sequence().0, self.shard.now().0, &origin)?;
        self.shard.keep(&mut writer)?;
        writer.begin_chunk()?;
        writer.keep(&self.followers)?;
        writer.finish()
    }

    /// The newest that was written down of this tenant's state no later than an event, to learn from now on or not; what cannot be read, or is of
    /// another journal, is passed over and told. `is_ours` looks at the mark of an event.
    pub fn newest(
        snapshots: &Snapshots,
        tenant: &str,
        upto: u64,
        learns: bool,
        is_ours: &dyn Fn(u64, Mark) -> Result<bool, Fault>,
    ) -> Result<Option<Replica>, Fault> {
        for (_, path) in snapshots.list()?.iter().rev().filter(|(sequence, _)| *sequence <= upto) {
            match Replica::read(path, tenant, is_ours) {
                Ok(mut replica) => {
                    replica.followers.set_learning(learns);
                    return Ok(Some(replica));
                }
                Err(fault) => tracing::error!("a snapshot is passed over: {fault}"),
            }
        }
        Ok(None)
    }

    /// Reads one that was written down of this tenant's state, its halves at the same time. `is_ours` looks at the mark of an
    /// event.
    pub fn read(
        path: &Path,
        tenant: &str,
        is_ours: &dyn Fn(u64, Mark) -> Result<bool, Fault>,
    ) -> Result<Replica, Fault> {
        let mut reader = SnapshotReader::open(path)?;
        let mark = reader.origin().mark;
        std::thread::scope(|scope| {
            let beside = scope.spawn(|| Followers::at_the_end(path));
            let shard = read_state(&mut reader, tenant, is_ours);
            let beside = beside.join().unwrap_or_else(|broken| resume_unwind(broken));
            let shard = shard?;
            let followers = match beside {
                Some((chunk, followers)) if reader.next_chunk() == Some(chunk) => {
                    reader.pass_chunk()?;
                    followers
                }
                _ => reader.next()?,
            };
            reader.finish()?;
            Ok(Replica { shard, followers, mark })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::channel::Channel;
    use crate::engine::event::Admitted;
    use crate::engine::ids::QueueKey;
    use crate::engine::plan::{Facts, Goals, Plan};
    use crate::engine::route::Route;

    /// Into a queue that no floor has, which nothing in learning is prepared for.
    fn admitted() -> Stamped {
        let route = Route::plain(QueueKey(9), Vec::new());
        let admitted = Admitted {
            interaction: InteractionId(1),
            keys: [None; 2],
            content: 0,
            source: "pbx".into(),
            external_id: "1".into(),
            channel: Channel::Voice,
            facts: Facts::default(),
            plan: Plan::plain(0, route, 0, Goals::plain()).into(),
            route: 0,
            hops: 0,
            scheduled: None,
            replaces: None,
            wanted: None,
        };
        let event = Event::Admitted(admitted.into());
        Stamped { sequence: Sequence(1), time: Time(1_000), event }
    }

    #[test]
    fn what_breaks_in_learning_ends_the_learning_and_no_recovery() {
        let (mut followers, shard, admitted) = (Followers::new(true), Shard::new(), admitted());
        for sealed in [&b"one"[..], b"two"] {
            followers.hear(&shard, &admitted, Some(sealed));
            assert!(followers.learner.is_none(), "it broke");
            assert_eq!(followers.sealed[&InteractionId(1)].payload, sealed, "all else is followed");
        }
        followers.set_learning(true);
        assert!(followers.learner.is_some(), "the next start begins again");
    }

    #[test]
    fn whether_it_learns_is_for_the_start_to_say() {
        let mut followers = Followers::new(false);
        followers.set_learning(true);
        assert!(followers.learner.is_some(), "though it did not when it was written down");
        followers.set_learning(false);
        assert!(followers.learner.is_none(), "though it did");
    }
}
