//! Many whole life cycles through one shard, durable, as fast as it takes them: what they cost in time, memory and disk, whether
//! the archive stays within its bound, and whether the books balance, also after a restart.
//!
//! Load: 1,000 agents with 500 profiles of two skills, 50 skills and queues, voice, callers nobody knows; `BATON_IN_SYSTEM` (900)
//! interactions are in the system at any time, and each is submitted, matched, offered, accepted, completed and wrapped up
//! through the inbox of the shard and a pipe, as the streams of agents and platforms do it. Journal, snapshots, archive and
//! customers are on disk, in `BATON_FOLDER` or a folder made for the run where temporary files go. Left out: the API.
//! `BATON_CYCLES` (100,000 if nothing is said) are made; 100,000,000 were. Engine time goes `BATON_SPEED` (400) times as
//! fast as the wall's, so that a run of an hour has as many days as the archive needs to let some go;
//! `BATON_ARCHIVE_BYTES` (10 GiB) is its bound, `BATON_SNAPSHOT_EVENTS` (20,000,000) lie between two snapshots.

mod common;

use baton::engine::agent::Presence;
use baton::engine::command::{Answer, Command, Refusal, Write};
use baton::engine::event::{EndedBy, Ending};
use baton::engine::floor::{Definition, QueueSpec, WrapUp};
use baton::engine::ids::{AgentKey, AssignmentId, SessionId};
use baton::journal::Limits;
use baton::runtime::inbox::{AskError, ShardHandle, Tagged};
use baton::runtime::notice::Notice;
use baton::runtime::outbox::AgentFollower;
use baton::runtime::pipe::{PipeEnd, Return, ToAgent};
use baton::runtime::snapshotting::Keeping;
use baton::runtime::told::Look;
use common::house::{House, for_good};
use common::{Centre, Size, Submissions, definitions};
use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// As baton has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AGENTS: u32 = 1_000;
/// Neither an offer nor a wrap-up of a fast clock must run out while a batch is written: half an hour of engine time.
const PATIENCE_MS: u64 = 1_800_000;
/// Lines of progress in a run.
const LINES: u64 = 50;

struct Wanted {
    cycles: u64,
    in_system: u64,
    speed: u32,
    archive_bytes: u64,
    snapshot_events: u64,
}

fn main() {
    let number = |name: &str, usual: u64| {
        std::env::var(name)
            .map_or(usual, |said| said.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
    };
    let wanted = Wanted {
        cycles: number("BATON_CYCLES", 100_000),
        in_system: number("BATON_IN_SYSTEM", 900),
        speed: u32::try_from(number("BATON_SPEED", 400)).expect("BATON_SPEED is below 2^32"),
        archive_bytes: number("BATON_ARCHIVE_BYTES", 10 << 30),
        snapshot_events: number("BATON_SNAPSHOT_EVENTS", 20_000_000),
    };
    let made = tempfile::tempdir().expect("a folder can be made");
    let folder = std::env::var_os("BATON_FOLDER").map_or_else(|| made.path().to_owned(), Into::into);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it can start");
    runtime.block_on(measure(&folder, &wanted));
}

async fn measure(folder: &Path, wanted: &Wanted) {
    let house = open(folder, wanted);
    let end = house.handle().open_pipe().expect("it runs");
    let submissions = furnish(house.handle(), &end).await;
    let mut work = Work::new(house.handle(), end, &submissions, wanted, folder);
    work.go_on().await;
    let Books { done, admitted, accepted, completed, late, shed } = work.books;
    let took = work.began.elapsed();
    println!("{done} life cycles in {took:.0?}, {:.0} a second; {}", rate(done, took), sizes(folder));
    println!(
        "{admitted} admitted, {accepted} accepted, {completed} completed; {late} late accepts, {shed} submits refused at first"
    );
    assert_eq!([admitted, accepted, completed], [done; 3], "the books balance");
    house.end().await;

    let began = Instant::now();
    let house = open(folder, wanted);
    let left = house.handle().read(|shard| {
        let idle =
            |agent: &u32| shard.agent(AgentKey(*agent)).is_some_and(|agent| agent.busy_since.is_none());
        let busy = (0..AGENTS).filter(|agent| !idle(agent));
        (shard.last_interaction().0, busy.count(), shard.sequence().0)
    });
    let (last, busy, events) = left.await.expect("it runs").value;
    println!("started again in {:.2?}, after {events} events; {}", began.elapsed(), sizes(folder));
    assert_eq!((last, busy), (done, 0), "nothing is lost, nothing is twice, nobody holds anything");
    house.end().await;
}

fn open(folder: &Path, wanted: &Wanted) -> House {
    let limits = Limits { days: 400, bytes: wanted.archive_bytes };
    let keeping = Keeping { snapshot_events: wanted.snapshot_events, limits, ..for_good(folder) };
    House::open(folder, keeping, wanted.speed)
}

/// The floor, everybody signed in, and each told on the pipe.
async fn furnish(handle: &ShardHandle, end: &PipeEnd) -> Arc<Submissions> {
    let size = Size { agents: AGENTS, ..Size::USUAL };
    for (name, definition) in definitions(size) {
        let definition = match definition {
            Definition::Queue(queue) => Definition::Queue(QueueSpec {
                offer_expiry_ms: PATIENCE_MS,
                wrap_up: WrapUp::optional(PATIENCE_MS),
                ..queue
            }),
            other => other,
        };
        let define = Command::Define { name: name.into(), definition, write: Write::Create };
        handle.ask(define, None).await.expect("a new name");
    }
    for number in 0..AGENTS {
        let (agent, session) = (AgentKey(number), SessionId(u64::from(number) + 1));
        handle.ask(Command::OpenSession { agent, session }, None).await.expect("the agent is there");
        let follower = AgentFollower { agent, session, stream: session.0, after: None, feed: end.feed() };
        handle.follow_agent(follower).expect("there is room");
        handle.ask(available(agent), None).await.expect("the agent is there");
    }
    Centre::new(Size { agents: 0, ..size }, size.skills).submissions
}

fn available(agent: AgentKey) -> Command {
    Command::SetPresence { agent, presence: Presence::Available, reason: "".into(), by: EndedBy::Agent }
}

/// What was answered.
#[derive(Default)]
struct Books {
    done: u64,
    admitted: u64,
    accepted: u64,
    completed: u64,
    /// The offer was another's by then, or nobody's.
    late: u64,
    /// Refused for the time requests waited, and handed in again.
    shed: u64,
}

/// What a request was, as its tag says.
#[derive(Clone, Copy)]
enum Asked {
    Submit,
    Accept,
    Complete(AssignmentId),
    Finish,
    Presence,
}

impl Asked {
    fn tag(self) -> u64 {
        match self {
            Asked::Submit => 0,
            Asked::Accept => 1,
            Asked::Finish => 2,
            Asked::Presence => 3,
            Asked::Complete(assignment) => assignment.0 + 4,
        }
    }

    fn of(tag: u64) -> Asked {
        match tag {
            0 => Asked::Submit,
            1 => Asked::Accept,
            2 => Asked::Finish,
            3 => Asked::Presence,
            more => Asked::Complete(AssignmentId(more - 4)),
        }
    }
}

/// All callers and all agents at once.
struct Work<'a> {
    handle: &'a ShardHandle,
    end: PipeEnd,
    submissions: &'a Submissions,
    wanted: &'a Wanted,
    folder: &'a Path,
    next: u64,
    books: Books,
    began: Instant,
    last: (Instant, u64),
}

impl<'a> Work<'a> {
    fn new(
        handle: &'a ShardHandle,
        end: PipeEnd,
        submissions: &'a Submissions,
        wanted: &'a Wanted,
        folder: &'a Path,
    ) -> Work<'a> {
        let (now, books) = (Instant::now(), Books::default());
        Work { handle, end, submissions, wanted, folder, next: 0, books, began: now, last: (now, 0) }
    }

    async fn go_on(&mut self) {
        while self.books.done < self.wanted.cycles {
            self.submit();
            for one in poll_fn(|context| self.end.poll(context)).await {
                match one {
                    Return::Answer { tag, told } => self.answered(Asked::of(tag), told.answer),
                    Return::Notice(ToAgent { agent, notice, .. }) => self.told(agent, notice.notice),
                    Return::Changed(_) | Return::Resumed { .. } => {}
                    Return::CutOff | Return::Stopping => panic!("it reads in time, and the shard goes on"),
                }
            }
            self.tell();
        }
    }

    /// As many as are to be in the system.
    fn submit(&mut self) {
        let upto = self.wanted.cycles.min(self.books.done + self.wanted.in_system);
        while self.next < upto {
            match self.ask(Asked::Submit, self.submissions.command(self.next)) {
                Ok(()) => self.next += 1,
                Err(AskError::Busy | AskError::Delayed { .. }) => {
                    self.books.shed += 1;
                    return;
                }
                Err(other) => panic!("{other}"),
            }
        }
    }

    fn ask(&self, asked: Asked, command: Command) -> Result<(), AskError> {
        let tagged = Tagged { tag: asked.tag(), command, secret: None, look: Look::Nothing, watch: false };
        self.handle.hand_over(self.end.id, tagged)
    }

    /// What agents do is never refused for want of room.
    fn must(&self, asked: Asked, command: Command) {
        self.ask(asked, command).expect("few requests are under way");
    }

    fn told(&mut self, agent: AgentKey, notice: Notice) {
        match notice {
            Notice::Offered { offer, .. } => self.must(Asked::Accept, Command::Accept { offer: offer.id }),
            Notice::OfferEnded { ending: Ending::Expired, .. } => {
                self.must(Asked::Presence, available(agent))
            }
            _ => {}
        }
    }

    fn answered(&mut self, asked: Asked, answer: Result<Answer, Refusal>) {
        match (asked, answer) {
            (Asked::Submit, Ok(Answer::Admitted { repeated: false, .. })) => self.books.admitted += 1,
            (Asked::Accept, Ok(Answer::Accepted { assignment, .. })) => {
                self.books.accepted += 1;
                let complete = Command::Complete { assignment, disposition: "".into(), solved: None };
                self.must(Asked::Complete(assignment), complete);
            }
            (Asked::Accept, Err(_)) => self.books.late += 1,
            (Asked::Complete(assignment), Ok(_)) => {
                self.books.completed += 1;
                self.must(Asked::Finish, Command::FinishWrapUp { assignment, by: EndedBy::Agent });
            }
            (Asked::Finish, Ok(_)) => self.books.done += 1,
            (Asked::Presence, Ok(_)) => {}
            (_, answer) => panic!("an answer nobody expects: {answer:?}"),
        }
    }

    fn tell(&mut self) {
        let (at, before) = self.last;
        let made = self.books.done - before;
        if made < (self.wanted.cycles / LINES).max(1) {
            return;
        }
        println!(
            "{:>7.0?} {:>10} cycles, {:.0} a second; {}",
            self.began.elapsed(),
            self.books.done,
            rate(made, at.elapsed()),
            sizes(self.folder)
        );
        self.last = (Instant::now(), self.books.done);
    }
}

fn rate(cycles: u64, took: Duration) -> f64 {
    cycles as f64 / took.as_secs_f64()
}

/// Memory of the process, and what is on the disk.
fn sizes(folder: &Path) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = |name| status.lines().find_map(|line| line.strip_prefix(name)).map_or("?", str::trim);
    let (now, most) = (kib("VmRSS:"), kib("VmHWM:"));
    let mib = |bytes: u64| bytes >> 20;
    let (all, archive) = (bytes_in(folder), bytes_in(&folder.join("archive")));
    let snapshots = bytes_in(&folder.join("snapshots"));
    format!(
        "memory {now}, at most {most}; {} MiB on the disk: archive {}, snapshots {}, the rest {}",
        mib(all),
        mib(archive),
        mib(snapshots),
        mib(all - archive - snapshots)
    )
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(found) if found.is_dir() => bytes_in(&entry.path()),
            Ok(found) => found.len(),
            // It has just been removed.
            Err(_) => 0,
        })
        .sum()
}
