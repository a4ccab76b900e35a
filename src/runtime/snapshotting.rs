//! Writes snapshots beside the running shard: recovers in the background, from the last snapshot and the events behind it, and
//! writes down what comes of it (`writing`), in a process of its own where there is a program for it (`apart`). So what a start
//! needs is tried all day, and the shard is never held up: it does not even know. Events behind the older of two snapshots
//! move to the archive (`moving`). `keeping` says where it all lies, for starts too.

pub mod apart;
mod keeping;
mod memory;
mod moving;
pub mod writing;

pub use keeping::Keeping;

use self::apart::ApartError;
use self::memory::free_memory;
use self::writing::{Wanted, WritingError, Written};
use super::inbox::{Ask, AskError, ShardHandle};
use crate::customers::Customers;
use crate::engine::ids::Sequence;
use crate::journal::{Snapshots, free};
use crate::observe;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use thiserror::Error;

/// Between two looks whether a snapshot is due.
const ROUND: Duration = Duration::from_secs(1);
/// About what an event takes in a file: a snapshot is due when there are twice as many bytes of events behind the last one
/// as it has, so that writing them costs no more than a share of what comes in.
const EVENT_BYTES: u64 = 128;
/// When we are asked to stop, one is written if no more than this is to be read for it.
const LAST_EVENTS_MAX: u64 = 200_000;
const LAST_BYTES_MAX: u64 = 64 << 20;
/// Memory and disk that must be left when one is being made, beside what it takes.
const SPARE_BYTES: u64 = 256 << 20;
/// What a state takes in memory, in sizes of its snapshot; and what the files take on disk meanwhile.
const IN_MEMORY: u64 = 6;
const ON_DISK: u64 = 3;

/// How far the journal is, for whoever follows at a distance.
#[derive(Debug)]
pub(super) struct Progress(AtomicU64);

impl Progress {
    pub fn at(sequence: u64) -> Progress {
        Progress(AtomicU64::new(sequence))
    }

    /// Everything up to here is durable.
    pub fn reached(&self, sequence: Sequence) {
        self.0.store(sequence.0, Ordering::Release);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// What it is made of.
pub(super) struct Parts {
    pub keeping: Keeping,
    pub tenant: String,
    pub learns: bool,
    pub progress: Arc<Progress>,
    /// A snapshot is no newer than what the histories hold: they are caught up from the events behind it.
    pub store: Customers,
    pub shard: ShardHandle,
}

/// The thread that writes snapshots.
pub struct Snapshotting {
    /// Whoever wants one at once, and is told when it is done. Closed, it is time to end.
    wanted: Sender<Sender<()>>,
    /// Nobody is served any more.
    ends: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Snapshotting {
    /// Writes one now, if there is anything to add, and waits until that is done.
    pub fn write_now(&self) {
        let (done, told) = bounded(1);
        // A thread that has ended writes none, and has said why.
        if self.wanted.send(done).is_ok() {
            let _ = told.recv();
        }
    }

    /// Nobody is served any more: what it does is to be done soon.
    pub fn hurry(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }

    /// Lets it finish, after the shard has ended. A last snapshot is written if that is quickly done.
    pub fn end(self) {
        self.hurry();
        drop(self.wanted);
        if self.thread.join().is_err() {
            tracing::error!("writing snapshots ended by a broken assumption; the journal has everything");
        }
    }
}

/// Begins to write snapshots.
pub(super) fn begin(parts: Parts) -> Snapshotting {
    let (wanted, asked) = bounded(0);
    let named = std::thread::Builder::new().name(format!("snapshot-{}", parts.tenant));
    let ends = Arc::new(AtomicBool::new(false));
    let writer = SnapshotThread { parts, ends: ends.clone(), size: 0, at: 0 };
    let thread = named.spawn(move || writer.run(&asked)).expect("the system can start a thread at start-up");
    Snapshotting { wanted, ends, thread }
}

/// Why there is no snapshot.
#[derive(Debug, Error)]
enum RoundError {
    #[error("{0}")]
    Writing(#[from] WritingError),
    #[error("{0}")]
    Apart(#[from] ApartError),
    #[error("{what} is short: {free} bytes are left, {wanted} are wanted")]
    Short { what: &'static str, free: u64, wanted: u64 },
}

struct SnapshotThread {
    parts: Parts,
    ends: Arc<AtomicBool>,
    /// Of the last one: its size in bytes and its last event.
    size: u64,
    at: u64,
}

impl SnapshotThread {
    fn run(mut self, asked: &Receiver<Sender<()>>) {
        self.look();
        loop {
            match asked.recv_timeout(ROUND) {
                Ok(done) => {
                    if self.behind() > 0 {
                        self.write();
                    }
                    // Whoever asked may have gone.
                    let _ = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => {
                    if self.behind() >= self.due() {
                        self.write();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if (1..=LAST_EVENTS_MAX).contains(&self.behind()) && self.size <= LAST_BYTES_MAX {
            self.write();
        }
    }

    /// What there is at the beginning.
    fn look(&mut self) {
        self.remove_drafts();
        let snapshots = Snapshots::of(&self.parts.keeping.folder);
        let newest = snapshots.list().ok().and_then(|mut all| all.pop());
        if let Some((sequence, path)) = newest {
            self.at = sequence;
            self.size = std::fs::metadata(path).map_or(0, |file| file.len());
        }
    }

    fn remove_drafts(&self) {
        if let Err(fault) = Snapshots::of(&self.parts.keeping.folder).remove_drafts() {
            tracing::warn!("what is left of a snapshot that was begun stays: {fault}");
        }
    }

    /// One is written when so many events can be added.
    fn due(&self) -> u64 {
        self.parts.keeping.snapshot_events.max(2 * self.size / EVENT_BYTES)
    }

    /// So many events could be added now.
    fn behind(&self) -> u64 {
        self.upto().saturating_sub(self.at)
    }

    fn upto(&self) -> u64 {
        self.parts.progress.get().min(self.parts.store.applied_sequence())
    }

    fn write(&mut self) {
        let began = Instant::now();
        match self.round() {
            Ok(()) => {
                let (tenant, sequence, bytes) = (&self.parts.tenant, self.at, self.size);
                observe::snapshot_written(tenant, bytes, began.elapsed());
                tracing::info!(tenant, sequence, bytes, took = ?began.elapsed(), "a snapshot is written");
            }
            Err(error) => {
                observe::snapshot_failed(&self.parts.tenant);
                tracing::error!(
                    tenant = self.parts.tenant,
                    "no snapshot is written, starting takes longer: {error}"
                );
                // Its process may have been ended.
                self.remove_drafts();
                // Tried again when there is as much to add once more.
                self.at = self.upto();
            }
        }
    }

    fn round(&mut self) -> Result<(), RoundError> {
        self.look_for_room()?;
        let Written { sequence, bytes, let_go, stays } = self.written()?;
        (self.at, self.size) = (sequence, bytes);
        if let Some(upto) = let_go {
            self.tell(Ask::LetGo(upto));
        }
        if let Some(why) = stays {
            let tenant = &self.parts.tenant;
            observe::archive_failed(tenant);
            tracing::error!(tenant, "events stay in the journal, or snapshots beside it, which grow: {why}");
        }
        Ok(())
    }

    fn written(&self) -> Result<Written, RoundError> {
        let Parts { keeping, tenant, learns, .. } = &self.parts;
        let Keeping { folder, limits, program, .. } = keeping;
        let (folder, tenant, learns, limits) = (folder.clone(), tenant.clone(), *learns, *limits);
        let wanted = Wanted { folder, tenant, learns, upto: self.upto(), limits };
        if let Some(program) = program {
            match apart::write(program, &wanted, &|| self.is_urgent()) {
                // Then it is written here: everybody notices more of that, and it is better than none.
                Err(error) if error.is_of_the_surroundings() => {
                    tracing::warn!(tenant = wanted.tenant, "{error}")
                }
                said => return Ok(said?),
            }
        }
        step_back();
        let (written, _) = wanted.write()?;
        Ok(written)
    }

    /// Nobody is served any more who could be disturbed, or the journal grows faster than this is written.
    fn is_urgent(&self) -> bool {
        self.ends.load(Ordering::Relaxed) || self.behind() >= self.due().saturating_mul(2)
    }

    /// It is the first to stand back when something runs short.
    fn look_for_room(&self) -> Result<(), RoundError> {
        let short = |what, free: Option<u64>, wanted: u64| match free {
            Some(free) if free < wanted => Err(RoundError::Short { what, free, wanted }),
            _ => Ok(()),
        };
        short("disk", free(&self.parts.keeping.folder).ok(), SPARE_BYTES + ON_DISK * self.size)?;
        short("memory", free_memory(), SPARE_BYTES + IN_MEMORY * self.size)
    }

    /// A shard that is too busy, or gone, is told the next time.
    fn tell(&self, ask: Ask) {
        if let Err(error @ AskError::Busy) = self.parts.shard.send(ask) {
            tracing::warn!(%error, "the journal keeps for longer what is in the archive");
        }
    }
}

/// Everybody else first: whoever serves must not notice that a snapshot is being made.
fn step_back() {
    let least = 19;
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), least) {
        tracing::warn!(%error, "snapshots are written at the priority of everything else");
    }
}
