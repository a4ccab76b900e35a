//! Readers on threads of their own beside the one that tells: whatever they do, each is told everything in order from its
//! snapshot on, up to where it left, or to where it was cut off, which is known.

use super::tests::{ANA, SESSION, define, floor, status_changed};
use super::*;
use crate::engine::floor::Definition;
use crate::engine::ids::Sequence;
use std::thread::JoinHandle;

const STREAMS: u64 = 30;
const CHANGES: u64 = 20;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Has room for everything.
    Patient,
    /// Has room for two, and reads as fast as it may.
    Hasty,
    /// The same, and goes after so many.
    Leaves(usize),
    /// Reads nothing before it is over.
    Sleeps,
}

impl Kind {
    fn room(self) -> usize {
        if self == Kind::Patient { FEED_MAX } else { 2 }
    }
}

/// What came, until the feed ended or the reader left.
fn read(mut feed: mpsc::Receiver<AgentNotice>, kind: Kind) -> Vec<AgentNotice> {
    let most = if let Kind::Leaves(after) = kind { after } else { usize::MAX };
    std::iter::from_fn(|| feed.blocking_recv()).take(most).collect()
}

/// One stream: what it was told, and whether it was cut off.
struct Stream {
    kind: Kind,
    expected: Vec<Sequence>,
    cut_off: bool,
    reader: JoinHandle<Vec<AgentNotice>>,
}

impl Stream {
    fn told(outbox: &mut Outbox, shard: &mut Shard, number: u64, kind: Kind) -> Stream {
        let (feed, notices) = mpsc::channel(kind.room());
        let follower =
            AgentFollower { agent: ANA, session: SESSION, stream: number, after: None, feed: feed.into() };
        let (wake, woken) = std::sync::mpsc::channel::<()>();
        let reader = std::thread::spawn(move || {
            if kind == Kind::Sleeps {
                // Ends when the other end goes.
                let _ = woken.recv();
            }
            read(notices, kind)
        });
        outbox.announce(&follower);
        outbox.follow(shard, Follower::Agent(follower));
        let mut expected = Vec::new();
        for change in 0..CHANGES {
            let skill = Definition::Skill { display_name: "".into() };
            define(shard, &format!("s{}", number * CHANGES + change), skill);
            status_changed(outbox, shard);
            expected.push(shard.sequence());
        }
        drop(wake);
        let cut_off = outbox.take_cut_off(shard).iter().any(|(agent, _)| *agent == ANA);
        assert_eq!(cut_off, !outbox.agents.contains_key(&ANA), "who is cut off is told nothing more");
        Stream { kind, expected, cut_off, reader }
    }

    fn check(self) {
        let Stream { kind, expected, cut_off, reader } = self;
        let mut told = reader.join().expect("reading does not panic");
        if told.last().is_some_and(|last| matches!(last.notice, Notice::TakenOver)) {
            told.pop();
            assert!(!cut_off, "{kind:?}: nothing is told to who was cut off");
        }
        let Some((snapshot, changes)) = told.split_first() else {
            panic!("{kind:?}: a feed begins with a snapshot");
        };
        assert!(matches!(snapshot.notice, Notice::Snapshot { .. }), "{kind:?}: {snapshot:?}");
        assert!(changes.iter().all(|change| matches!(change.notice, Notice::Status(_))), "{kind:?}");
        let sequences: Vec<Sequence> = changes.iter().map(|change| change.position.sequence).collect();
        assert_eq!(sequences, expected[..sequences.len()], "{kind:?}: in order and without a gap");
        let all = sequences.len() == expected.len();
        match kind {
            Kind::Patient => assert!(all && !cut_off, "who has room is told everything"),
            Kind::Hasty => assert_eq!(all, !cut_off, "who is not told everything is cut off"),
            Kind::Sleeps => assert!(cut_off && sequences.len() == 1, "as much as there is room for"),
            Kind::Leaves(after) => assert!(cut_off && told.len() <= after, "who left is found out"),
        }
    }
}

#[test]
fn whatever_readers_do_they_are_told_all_in_order_or_cut_off() {
    let (mut shard, mut outbox) = (floor(), Outbox::default());
    let kinds = [Kind::Patient, Kind::Hasty, Kind::Leaves(1), Kind::Sleeps, Kind::Hasty, Kind::Leaves(5)];
    let tell = |number| {
        let kind = kinds[usize::try_from(number).expect("a few") % kinds.len()];
        Stream::told(&mut outbox, &mut shard, number, kind)
    };
    let streams: Vec<Stream> = (0..STREAMS).map(tell).collect();
    // The last feed ends with it.
    drop(outbox);
    streams.into_iter().for_each(Stream::check);
}
