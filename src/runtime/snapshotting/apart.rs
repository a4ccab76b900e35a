//! A snapshot written by a process of its own, which is the same program. So nothing of it is in the way of those who serve:
//! the memory it takes comes from the system and goes back in one piece, without the shard's threads, and where memory is
//! short the system ends it first.
//!
//! It works for a moment and rests for a moment, by signals. The lowest priority is not enough: it counts among the threads of
//! one session or one group, and a thread of the kernel, which a sync of the journal may wait for, was seen to wait for
//! 200 ms behind it.

use super::step_back;
use super::writing::{Wanted, Written};
use rustix::process::{Pid, Signal, getppid, kill_process, set_parent_process_death_signal};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use thiserror::Error;

/// Of the command that the program knows for it.
pub const COMMAND: &str = "write-snapshot";
/// How a program of Rust ends that broke an assumption.
const EXIT_PANIC: i32 = 101;
/// Until it has tied itself to its parent it does not rest: nobody would wake it if that ended.
const BEGINNING: Duration = Duration::from_millis(50);
/// How long it works at a time, and rests.
const WORK: Duration = Duration::from_millis(2);
const REST: Duration = Duration::from_millis(6);

/// Why there is none.
#[derive(Debug, Error)]
pub(super) enum ApartError {
    #[error("no process can be started for a snapshot: {0}")]
    Start(io::Error),
    #[error("the process that was to write it cannot be followed: {0}")]
    Follow(io::Error),
    #[error("the process that was to write it ended before it had: {0}")]
    Ended(ExitStatus),
    #[error("{0}")]
    Writing(String),
}

impl ApartError {
    /// No process can do it here: it was not started, or refused before it began.
    pub fn is_of_the_surroundings(&self) -> bool {
        match self {
            ApartError::Start(_) => true,
            // A broken assumption would break here, too.
            ApartError::Ended(status) => status.code().is_some_and(|code| code != EXIT_PANIC),
            ApartError::Follow(_) | ApartError::Writing(_) => false,
        }
    }
}

/// What the process says in the end, as JSON on its standard output.
pub type Said = Result<Written, String>;

/// Has it written, and waits for that; without a rest as long as there is a hurry.
pub(super) fn write(
    program: &Path,
    wanted: &Wanted,
    hurry: &dyn Fn() -> bool,
) -> Result<Written, ApartError> {
    let Wanted { folder, tenant, learns, upto, limits } = wanted;
    let mut command = Command::new(program);
    command.arg(COMMAND).arg("--folder").arg(folder).args(["--tenant", tenant]);
    for (option, value) in [
        ("--upto", *upto),
        ("--archive-days", limits.days.into()),
        ("--archive-bytes", limits.bytes),
        ("--parent", std::process::id().into()),
    ] {
        command.args([option, &value.to_string()]);
    }
    for (option, wanted) in [("--learns", *learns), ("--urgent", hurry())] {
        command.args(wanted.then_some(option));
    }
    // It ends soon: what it frees need not go back before. And the system need not find large pages for it.
    command.env("MIMALLOC_PURGE_DELAY", "-1").env("MIMALLOC_ALLOW_THP", "0");
    // A key pressed to end the server is not for it: it ends with the server.
    command.arg0("baton").process_group(0).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(ApartError::Start)?;
    if let Err(error) = pace(&mut child, hurry) {
        // Else it might rest for good.
        let _ = child.kill().and_then(|()| child.wait());
        return Err(ApartError::Follow(error));
    }
    let ended = child.wait_with_output().map_err(ApartError::Follow)?;
    match serde_json::from_slice::<Said>(&ended.stdout) {
        Ok(said) => said.map_err(ApartError::Writing),
        Err(_) => Err(ApartError::Ended(ended.status)),
    }
}

/// Lets it work and rest, until it ends.
#[allow(clippy::disallowed_methods, reason = "nothing is waited for: it is its turn, or that of others")]
fn pace(child: &mut Child, hurry: &dyn Fn() -> bool) -> io::Result<()> {
    let (id, began) = (Pid::from_child(child), Instant::now());
    while child.try_wait()?.is_none() {
        std::thread::sleep(WORK);
        if began.elapsed() > BEGINNING && !hurry() {
            // Until it is waited for, its number is nobody else's.
            kill_process(id, Signal::STOP)?;
            std::thread::sleep(REST);
            kill_process(id, Signal::CONT)?;
        }
    }
    Ok(())
}

/// Makes this process one that nobody notices: it ends with its parent, takes what time is left, and is the first to go where
/// memory is short.
///
/// # Errors
/// The parent has ended already, or the system refuses to tie this process to it.
pub fn belong_to(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid().map(Pid::as_raw_nonzero).map(|found| found.get().cast_unsigned()) != Some(parent) {
        return Err(io::Error::other(format!("process {parent}, whose snapshot it was, has ended")));
    }
    // Where the system does not let it be marked, whatever it chooses is as good.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    step_back();
    Ok(())
}
