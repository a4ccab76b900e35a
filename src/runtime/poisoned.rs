//! Commands that broke an assumption of the engine. The process ends after one and comes back without it, since it was
//! never committed; but its client asks again. So it is written down before the process ends, and refused from then on,
//! until an operator releases it.
//!
//! What is written is a fingerprint, and what the broken assumption said: of a submit the hash of the request as received,
//! of anything else a hash of the command. That time passes and the restart are never set aside: they would come again.

use super::driver::Driver;
use crate::broken;
use crate::engine::command::{Answer, Command, Refusal};
use crate::engine::event::Stamped;
use crate::engine::ids::SessionId;
use crate::engine::time::Time;
use crate::journal::set_aside::{FILE, SetAside, append, read};
use crate::journal::{Fault, Reserve};
use ring::digest::{SHA256, digest};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of a fingerprint.
const ID_BYTES: usize = 8;

/// What is kept of a command while it is stepped.
pub(super) enum Suspect {
    /// The hash of the request.
    Submit(u128),
    Other(Command),
}

impl Suspect {
    /// `None` for those that would come again.
    pub fn of(command: &Command) -> Option<Suspect> {
        match command {
            Command::Tick | Command::Restart => None,
            // Whoever tries again comes with another session.
            Command::OpenSession { agent, .. } => {
                Some(Suspect::Other(Command::OpenSession { agent: *agent, session: SessionId(0) }))
            }
            Command::LoseSession { agent, .. } => {
                Some(Suspect::Other(Command::LoseSession { agent: *agent, session: SessionId(0) }))
            }
            Command::Submit(submit) => Some(Suspect::Submit(submit.content)),
            other => Some(Suspect::Other(other.clone())),
        }
    }

    /// Its kind and its id.
    fn told(&self) -> (String, String) {
        let text = match self {
            Suspect::Submit(content) => format!("Submit {content:032x}"),
            Suspect::Other(command) => format!("{command:?}"),
        };
        let kind = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
        let hash = digest(&SHA256, text.as_bytes());
        let id = hash.as_ref().iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect();
        (kind, id)
    }
}

/// The commands of one tenant that were set aside.
#[derive(Default)]
pub struct Poisoned {
    /// `None` beside a journal in memory: nothing comes back.
    path: Option<PathBuf>,
    reserve: Option<Arc<Reserve>>,
    entries: Vec<SetAside>,
    /// What a test has break.
    #[cfg(test)]
    pub(super) trap: Option<fn(&str)>,
}

impl Poisoned {
    /// Reads what was set aside in the folder of a tenant. On a full disk the reserve makes room for another one.
    pub fn open(folder: &Path, reserve: Option<Arc<Reserve>>) -> Result<Poisoned, Fault> {
        let entries = read(folder)?;
        Ok(Poisoned {
            path: Some(folder.join(FILE)),
            reserve,
            entries,
            #[cfg(test)]
            trap: None,
        })
    }

    /// What was set aside.
    pub fn entries(&self) -> &[SetAside] {
        &self.entries
    }

    pub(super) fn refusal(&self, suspect: &Suspect) -> Option<Refusal> {
        if self.entries.is_empty() {
            return None;
        }
        let (_, id) = suspect.told();
        let found = self.entries.iter().any(|one| one.id == id);
        found.then(|| Refusal::Poisoned { id: id.as_str().into() })
    }

    /// Steps. If that breaks an assumption the command is set aside, and the thread goes the way it was going.
    pub(super) fn watch<T>(&mut self, suspect: &Suspect, time: Time, step: impl FnOnce() -> T) -> T {
        #[cfg(test)]
        let trap = self.trap;
        let step = || {
            #[cfg(test)]
            trap.inspect(|trap| trap(&suspect.told().0));
            step()
        };
        match catch_unwind(AssertUnwindSafe(step)) {
            Ok(stepped) => stepped,
            Err(panic) => {
                self.set_aside(suspect, time, broken::why(&*panic));
                resume_unwind(panic)
            }
        }
    }

    fn set_aside(&mut self, suspect: &Suspect, time: Time, why: String) {
        let (command, id) = suspect.told();
        tracing::error!(command, id, why, "a command broke an assumption and is set aside");
        let one = SetAside { id, command, time_ms: time.0, why };
        let Some(path) = &self.path else { return };
        let written = append(path, &one).or_else(|error| {
            let full = error.kind() == ErrorKind::StorageFull;
            self.reserve.as_ref().filter(|_| full).map_or(Err(error), |reserve| {
                reserve.release();
                append(path, &one)
            })
        });
        if let Err(error) = written {
            tracing::error!(path = %path.display(), %error, "it could not be written down: it will not be refused");
        }
        self.entries.push(one);
    }
}

impl Driver {
    /// Steps a command, unless it was set aside.
    pub(super) fn obey(&mut self, command: Command, events: &mut Vec<Stamped>) -> Result<Answer, Refusal> {
        let now = self.now();
        let Some(suspect) = Suspect::of(&command) else { return self.shard.step(now, command, events) };
        // What falls due is no part of the command, and must not be held against it.
        if self.shard.next_deadline().is_some_and(|due| due <= now) {
            self.shard.step(now, Command::Tick, events).expect("time passes for every state");
        }
        if let Some(refusal) = self.poisoned.refusal(&suspect) {
            return Err(refusal);
        }
        let shard = &mut self.shard;
        self.poisoned.watch(&suspect, now, || shard.step(now, command, events))
    }
}

#[cfg(test)]
mod tests {
    use super::super::start::{Beside, MAIN_POOL, Running, first_commands, start};
    use super::*;
    use crate::customers::{Customers, MemoryStore};
    use crate::engine::command::Write;
    use crate::engine::floor::Definition;
    use crate::engine::ids::AgentKey;
    use crate::engine::policy::PoolSpec;
    use crate::engine::shard::Shard;
    use crate::journal::set_aside::release;
    use crate::journal::{Memory, Sqlite};
    use crate::runtime::inbox::AskError;

    fn started(folder: &Path, poisoned: Poisoned) -> Running {
        let customers = Customers::start(Box::new(MemoryStore::new())).expect("memory cannot fail");
        let journal = Sqlite::open(folder, "t").expect("the lock is ours");
        start(Box::new(journal), customers, &[], 1, false, "t", Beside { poisoned, ..Beside::default() })
            .expect("it recovers")
    }

    fn define(name: &str) -> Command {
        let definition = Definition::Pool(PoolSpec::plain(name.into()).into());
        Command::Define { name: name.into(), definition, write: Write::Create }
    }

    fn breaks_at_open_source(kind: &str) {
        assert!(kind != "OpenSource", "a source is no source");
    }

    /// A folder in which opening the source `pbx` broke an assumption, with one pool defined before.
    async fn broken_by_pbx() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut poisoned = Poisoned::open(folder.path(), None).expect("nothing there");
        poisoned.trap = Some(breaks_at_open_source);
        let running = started(folder.path(), poisoned);
        running.handle.ask(define("es"), None).await.expect("a new pool");
        let breaks = running.handle.ask(Command::OpenSource { source: "pbx".into() }, None);
        let beside = running.handle.ask(define("en"), None);
        let (breaks, beside) = tokio::join!(breaks, beside);
        assert_eq!(breaks, Err(AskError::Stopped));
        assert_eq!(beside, Err(AskError::Stopped), "whoever shared the batch was told nothing");
        assert_eq!(running.handle.ask(Command::Tick, None).await, Err(AskError::Stopped), "nothing is taken");
        let panic = running.thread.join().expect_err("its thread ended in the middle");
        assert_eq!(broken::why(&*panic), "an assumption is broken: a source is no source");
        folder
    }

    #[tokio::test]
    async fn a_command_that_broke_an_assumption_is_refused_after_the_restart() {
        let folder = broken_by_pbx().await;
        let poisoned = Poisoned::open(folder.path(), None).expect("readable");
        let [one] = poisoned.entries() else { panic!("one was set aside: {:?}", poisoned.entries()) };
        let (id, told) = (one.id.clone(), (one.command.as_str(), one.why.as_str()));
        assert_eq!(told, ("OpenSource", "an assumption is broken: a source is no source"));
        let running = started(folder.path(), poisoned);
        let floor = running.handle.floor();
        assert!(floor.pools.key("es").is_some() && floor.pools.key("en").is_none());
        let refused = running.handle.ask(Command::OpenSource { source: "pbx".into() }, None).await;
        let refusal = Refusal::Poisoned { id: id.as_str().into() };
        assert_eq!(refused, Err(AskError::Refused(refusal)));
        running.handle.ask(Command::OpenSource { source: "web".into() }, None).await.expect("another one");
        running.handle.ask(define("en"), None).await.expect("it is tried again");
        running.handle.stop();
        running.thread.join().expect("no panic").expect("no fault");

        assert!(release(folder.path(), &id).expect("written"), "it was set aside");
        assert!(!release(folder.path(), &id).expect("written"), "it was released");
        let running = started(folder.path(), Poisoned::open(folder.path(), None).expect("readable"));
        running
            .handle
            .ask(Command::OpenSource { source: "pbx".into() }, None)
            .await
            .expect("it is tried again");
    }

    #[tokio::test]
    async fn beside_a_journal_in_memory_it_ends_the_shard_all_the_same() {
        let customers = Customers::start(Box::new(MemoryStore::new())).expect("memory cannot fail");
        let poisoned = Poisoned { trap: Some(breaks_at_open_source), ..Poisoned::default() };
        let running = start(
            Box::new(Memory::new()),
            customers,
            &[],
            1,
            false,
            "t",
            Beside { poisoned, ..Beside::default() },
        );
        let running = running.expect("nothing to recover");
        running.handle.ask(define("es"), None).await.expect("a trap for another command");
        let breaks = running.handle.ask(Command::OpenSource { source: "pbx".into() }, None).await;
        assert_eq!(breaks, Err(AskError::Stopped));
        running.thread.join().expect_err("its thread ended in the middle");
    }

    #[tokio::test]
    async fn the_first_command_of_a_start_is_no_request_that_could_have_been_set_aside() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let first = first_commands(&Shard::new()).pop().expect("a new floor begins with one");
        let (command, id) = Suspect::of(&first).expect("a client may send the same").told();
        let one = SetAside { id, command, time_ms: 0, why: "broken".to_owned() };
        append(&folder.path().join(FILE), &one).expect("written");
        let mut poisoned = Poisoned::open(folder.path(), None).expect("readable");
        poisoned.trap = Some(|kind| assert!(kind != "Define", "it is not looked at"));
        let running = started(folder.path(), poisoned);
        assert!(running.handle.floor().pools.key(MAIN_POOL).is_some());
        let again = running.handle.ask(first, None).await;
        assert!(
            matches!(again, Err(AskError::Refused(Refusal::Poisoned { .. }))),
            "a client's is refused: {again:?}"
        );
    }

    #[test]
    fn who_opens_a_session_again_is_recognised_though_it_is_another_session() {
        let id = |command: &Command| Suspect::of(command).expect("it may be set aside").told();
        let open =
            |agent, session| Command::OpenSession { agent: AgentKey(agent), session: SessionId(session) };
        assert_eq!(id(&open(1, 7)), id(&open(1, 8)));
        assert_ne!(id(&open(1, 7)), id(&open(2, 7)));
    }

    #[test]
    fn the_same_command_has_the_same_id_and_time_has_none() {
        let id = |command: &Command| Suspect::of(command).expect("a client's").told().1;
        assert_eq!(id(&define("es")), id(&define("es")));
        assert_ne!(id(&define("es")), id(&define("en")));
        assert!(Suspect::of(&Command::Tick).is_none() && Suspect::of(&Command::Restart).is_none());
    }
}
