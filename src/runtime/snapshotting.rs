//! Writes snapshots beside the running shard: recovers in the background, from the last snapshot and the events behind it, and
//! writes down what comes of it. So what a start needs is tried all day, and the shard is never held up: it does not even
//! know. Events behind the older of two snapshots move to the archive.

use super::forgotten::Erased;
use super::inbox::{Ask, AskError, ShardHandle};
use super::replica::Replica;
use crate::customers::Customers;
use crate::engine::event::Stamped;
use crate::engine::ids::Sequence;
use crate::engine::time::Time;
use crate::journal::{
    Archive, Fault, Journal, Limits, Mark, Past, RecordRef, RecoveryError, Snapshots, Sqlite, SqliteReader,
    Visit, free,
};
use crate::observe;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use thiserror::Error;

/// Between two looks whether a snapshot is due.
const ROUND: Duration = Duration::from_secs(1);
/// So many events are read before the journal's log may be started over.
const SLICE_EVENTS: u64 = 65_536;
/// So many bytes are moved to the archive at once, for the same reason.
const SLICE_BYTES: u64 = 32 << 20;
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

/// Where a tenant's past is kept, and how much of it.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The folder of the tenant.
    pub folder: PathBuf,
    /// A snapshot is written after so many events, or later where the state is large.
    pub snapshot_events: u64,
    /// Of the archive.
    pub limits: Limits,
}

impl Keeping {
    /// What recovery begins with: the newest state that is good. Those newer than the journal go; those of another past are passed over.
    pub(super) fn newest(
        &self,
        journal: &dyn Journal,
        applied: u64,
        tenant: &str,
        learns: bool,
    ) -> Result<Option<Replica>, Fault> {
        let (snapshots, last) = (Snapshots::of(&self.folder), journal.last_sequence());
        // A damaged archive is no reason: recovery may do without it, and whoever reads it is told.
        let archived = Archive::of(&self.folder).last().ok().flatten().unwrap_or_default();
        if archived > last {
            return Err(Fault::ArchiveAhead { folder: self.folder.join("archive"), archived, last });
        }
        for (sequence, path) in snapshots.list()?.into_iter().filter(|(sequence, _)| *sequence > last) {
            tracing::warn!(
                sequence,
                last,
                "a snapshot is newer than the journal, which was put back: it goes"
            );
            snapshots.remove(&path)?;
        }
        let read = |from, visit: &mut Visit<'_>| journal.read(from, visit);
        Replica::newest(&snapshots, tenant, applied.min(last), learns, &|sequence, mark| {
            is_ours(&read, sequence, mark)
        })
    }

    /// The interactions, erased since, that anything is kept of: older keys may have been put back, which open them. Reads all
    /// of the past.
    pub(super) fn erased(&self, journal: &dyn Journal, mut erased: Erased) -> Result<Vec<u64>, Fault> {
        let first = Archive::of(&self.folder).first()?.unwrap_or(u64::MAX).min(journal.first_sequence());
        self.read(journal, first, &mut |record| {
            if let Ok(event) = record.event() {
                let (sequence, time) = (Sequence(record.sequence), Time(record.time_ms));
                erased.hear(&Stamped { sequence, time, event });
            }
            ControlFlow::Continue(())
        })?;
        Ok(erased.found)
    }

    /// Shows the events from one on; those the journal has let go are read from the archive.
    pub(super) fn read(&self, journal: &dyn Journal, from: u64, visit: &mut Visit<'_>) -> Result<(), Fault> {
        let first = journal.first_sequence();
        if from >= first {
            return journal.read(from, visit);
        }
        let archive = Archive::of(&self.folder);
        let archived = archive.first()?.unwrap_or(first);
        if from < archived {
            return Err(Fault::NotRetained { folder: self.folder.clone(), wanted: from, first: archived });
        }
        match archive.read(from, visit)? {
            Some(next) => journal.read(next, visit),
            None => Ok(()),
        }
    }
}

fn is_ours(
    read: &dyn Fn(u64, &mut Visit<'_>) -> Result<(), Fault>,
    sequence: u64,
    mark: Mark,
) -> Result<bool, Fault> {
    let mut found = None;
    read(sequence, &mut |record| {
        found = Some(Mark::of(&record));
        ControlFlow::Break(())
    })?;
    Ok(found == Some(mark))
}

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

    /// Lets it finish, after the shard has ended. A last snapshot is written if that is quickly done.
    pub fn end(self) {
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
    let writer = SnapshotThread { parts, size: 0, at: 0 };
    let thread = named.spawn(move || writer.run(&asked)).expect("the system can start a thread at start-up");
    Snapshotting { wanted, thread }
}

/// Why there is no snapshot.
#[derive(Debug, Error)]
enum RoundError {
    #[error("{0}")]
    Journal(#[from] Fault),
    #[error("{0}")]
    Recovery(#[from] RecoveryError),
    #[error("{what} is short: {free} bytes are left, {wanted} are wanted")]
    Short { what: &'static str, free: u64, wanted: u64 },
}

struct SnapshotThread {
    parts: Parts,
    /// Of the last one: its size in bytes and its last event.
    size: u64,
    at: u64,
}

impl SnapshotThread {
    fn run(mut self, asked: &Receiver<Sender<()>>) {
        step_back();
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
                    let due = self.parts.keeping.snapshot_events.max(2 * self.size / EVENT_BYTES);
                    if self.behind() >= due {
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
        let snapshots = Snapshots::of(&self.parts.keeping.folder);
        if let Err(fault) = snapshots.remove_drafts() {
            tracing::warn!("what a crash left of a snapshot stays: {fault}");
        }
        let newest = snapshots.list().ok().and_then(|mut all| all.pop());
        if let Some((sequence, path)) = newest {
            self.at = sequence;
            self.size = std::fs::metadata(path).map_or(0, |file| file.len());
        }
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
                // Tried again when there is as much to add once more.
                self.at = self.upto();
            }
        }
    }

    fn round(&mut self) -> Result<(), RoundError> {
        self.look_for_room()?;
        let Parts { keeping, tenant, .. } = &self.parts;
        let snapshots = Snapshots::of(&keeping.folder);
        let journal = Sqlite::open_read_only(&keeping.folder)?;
        let upto = self.upto();
        let replica = self.caught_up(&snapshots, upto)?;
        self.size = replica.keep(&snapshots, tenant)?;
        self.at = replica.shard.sequence().0;
        let now_ms = replica.shard.now().0;
        drop(replica);
        if let Err(fault) = self.archive(&snapshots, &journal, now_ms) {
            observe::archive_failed(tenant);
            tracing::error!(tenant, "events stay in the journal, which grows: {fault}");
        }
        // Whatever became of that: the journal has what is behind them.
        snapshots.remove_older()?;
        Ok(())
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

    fn caught_up(&self, snapshots: &Snapshots, upto: u64) -> Result<Replica, RoundError> {
        let Parts { keeping, tenant, learns, .. } = &self.parts;
        let past = Past::alone(&keeping.folder)?;
        let read = |from, visit: &mut Visit<'_>| past.read(from, visit);
        let newest = Replica::newest(snapshots, tenant, upto, *learns, &|sequence, mark| {
            is_ours(&read, sequence, mark)
        })?;
        let mut replica = newest.unwrap_or_else(|| Replica::new(*learns));
        loop {
            let next = replica.shard.sequence().0 + 1;
            if next > upto {
                return Ok(replica);
            }
            // The archive is read in one go: each time it is searched from the begin of a day.
            let in_journal = past.first_in_journal()?;
            let end = if next < in_journal { in_journal - 1 } else { next + SLICE_EVENTS };
            let (mut damage, end) = (None, upto.min(end));
            let mut visit = |record: RecordRef<'_>| {
                if record.sequence > end {
                    return ControlFlow::Break(());
                }
                match replica.hear(&record) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        damage = Some(error);
                        ControlFlow::Break(())
                    }
                }
            };
            past.read(next, &mut visit)?;
            if let Some(damage) = damage {
                return Err(damage.into());
            }
        }
    }

    /// Moves what is behind the older of the two newest snapshots, and lets the journal drop it.
    fn archive(&self, snapshots: &Snapshots, journal: &SqliteReader, now_ms: u64) -> Result<(), Fault> {
        let keeping = &self.parts.keeping;
        let all = snapshots.list()?;
        let Some([base @ .., (upto, _), _]) = Some(&all[..]) else { return Ok(()) };
        let (archive, upto) = (Archive::of(&keeping.folder), *upto);
        let mut adding = archive.open_to_add(journal.first()?)?;
        let mut turned = false;
        loop {
            let next = adding.next().map_or_else(|| journal.first(), Ok)?;
            let mut bytes = 0;
            journal.batches(next, &mut |batch, records| {
                if batch.last() > upto {
                    return Ok(ControlFlow::Break(()));
                }
                if !turned {
                    let base = base.last().filter(|(sequence, _)| *sequence < next).map(|(_, path)| &**path);
                    adding.turn_to(records[0].time_ms, base)?;
                    turned = true;
                }
                adding.add(&batch)?;
                bytes += batch.bytes().len() as u64;
                Ok(if bytes < SLICE_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            })?;
            if bytes == 0 {
                break;
            }
            // As it grows, so that it is never much larger than it may be.
            archive.forget(keeping.limits, now_ms)?;
        }
        adding.sync()?;
        // The last event of a snapshot stays in the journal: by it is seen that they belong together.
        self.tell(Ask::LetGo(upto - 1));
        archive.forget(keeping.limits, now_ms)?;
        Ok(())
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

/// What is left for the process, as far as the system says: of the machine, or of the group it may be confined to.
fn free_memory() -> Option<u64> {
    [of_machine(), of_group()].into_iter().flatten().min()
}

/// What it keeps of files counts as used there, and is given up when it is needed.
fn of_group() -> Option<u64> {
    let read = |name| std::fs::read_to_string(Path::new("/sys/fs/cgroup").join(name)).ok();
    let number = |name| read(name)?.trim().parse::<u64>().ok();
    let stat = read("memory.stat")?;
    let of_files = |name: &str| {
        let line = stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|bytes| bytes.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    let files = of_files("active_file") + of_files("inactive_file");
    let used = number("memory.current")?.saturating_sub(files);
    Some(number("memory.max")?.saturating_sub(used))
}

fn of_machine() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10)
}
