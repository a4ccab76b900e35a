//! A shard with journal and customers, as the server has one for each tenant, without the API around it.

use super::Submissions;
use baton::customers::{Customers, MemoryStore, SqliteStore};
use baton::engine::command::{Answer, Command};
use baton::engine::ids::InteractionId;
use baton::journal::{self, Limits, Sqlite};
use baton::runtime::inbox::ShardHandle;
use baton::runtime::payload::{Payload, Secret};
use baton::runtime::snapshotting::{Keeping, Snapshotting};
use baton::runtime::start::{Beside, Running, start};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Submits under way at once.
pub const AT_ONCE: usize = 512;

/// Writes snapshots, as it does for a server.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_baton");

/// A shard that runs, and the customers' store beside it.
pub struct House {
    pub running: Running,
    pub customers: Customers,
}

impl House {
    /// On the disk, with what is kept as is said, and so many times as fast as the wall's clock.
    pub fn open(folder: &Path, keeping: Keeping, speed: u32) -> House {
        let store = SqliteStore::open(folder).expect("the disk works");
        let customers = Customers::start(Box::new(store)).expect("the disk works");
        let journal = Sqlite::open(folder, "bench").expect("the disk works");
        let beside = Beside { keeping: Some(keeping), ..Beside::default() };
        let running = start(Box::new(journal), customers.clone(), &[], speed, false, "bench", beside);
        House { running: running.expect("it can start"), customers }
    }

    /// Gone with the process.
    pub fn in_memory() -> House {
        let customers = Customers::start(Box::new(MemoryStore::new())).expect("nothing can fail");
        let journal = Box::new(journal::Memory::new());
        let running = start(journal, customers.clone(), &[], 1, false, "bench", Beside::default());
        House { running: running.expect("it can start"), customers }
    }

    pub fn handle(&self) -> &ShardHandle {
        &self.running.handle
    }

    /// Ends without a snapshot, where none is being written.
    pub async fn close(self) {
        self.close_with(std::mem::forget).await;
    }

    /// Ends when the snapshot that is being written has come to its end, as a server does.
    pub async fn end(self) {
        self.close_with(|snapshots| snapshots.into_iter().for_each(Snapshotting::end)).await;
    }

    async fn close_with(self, last: impl FnOnce(Option<Snapshotting>) + Send + 'static) {
        self.settle().await;
        self.running.handle.stop();
        tokio::task::spawn_blocking(move || {
            self.running.thread.join().expect("no panic").expect("the disk works");
            last(self.running.snapshots);
        })
        .await
        .expect("no panic");
    }

    /// Until the histories hold everything.
    pub async fn settle(&self) {
        let sequence = self.handle().read(|_| ()).await.expect("it runs").sequence.0;
        let (reply, answer) = oneshot::channel();
        self.customers.wait_applied(sequence, move |applied| drop(reply.send(applied)));
        answer.await.expect("an answer").expect("the disk works");
    }

    /// How long all took, and the slowest of them.
    pub async fn submit(&self, submissions: &Arc<Submissions>, numbers: Range<u64>) -> (Duration, Duration) {
        let began = Instant::now();
        let (mut under_way, mut slowest) = (JoinSet::new(), Duration::ZERO);
        for number in numbers {
            if under_way.len() >= AT_ONCE {
                slowest = slowest.max(under_way.join_next().await.expect("some are").expect("no panic"));
            }
            let (handle, submissions) = (self.handle().clone(), submissions.clone());
            under_way.spawn(async move { submitted(&handle, &submissions, number).await.1 });
        }
        while let Some(took) = under_way.join_next().await {
            slowest = slowest.max(took.expect("no panic"));
        }
        (began.elapsed(), slowest)
    }
}

/// What is kept, for good; snapshots are written when they are asked for.
pub fn for_good(folder: &Path) -> Keeping {
    let limits = Limits { days: 400, bytes: 1 << 40 };
    Keeping { folder: folder.to_owned(), snapshot_events: u64::MAX, program: Some(PROGRAM.into()), limits }
}

/// Submits one with a message that is sealed. Its number, and how long it took.
pub async fn submitted(
    handle: &ShardHandle,
    submissions: &Submissions,
    number: u64,
) -> (InteractionId, Duration) {
    let began = Instant::now();
    let message = "Where is my parcel? It should have come on Monday.".into();
    let payload = Payload { message, ..Payload::default() };
    let command = submissions.command(number);
    let Command::Submit(submit) = &command else { panic!("a submission is one") };
    let secret = Secret::payload(payload, submit.content);
    let answer = handle.ask(command, Some(secret)).await.expect("there is room").value;
    let Answer::Admitted { interaction, .. } = answer else { panic!("a new one is admitted") };
    (interaction, began.elapsed())
}

/// Of an even number the greater one.
pub fn median(all: &[Duration]) -> Duration {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}
