//! The server as a child process: started, waited for, restarted, ended.
//!
//! It runs in a process group of its own: a Ctrl-C meant for the demo must not reach it before the agents have
//! signed out.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::calls::{Server, TENANT, within};
use super::error::DemoError;
use crate::config::JournalKind;
use crate::proto::ListFloorRequest;

/// How long the server may take to answer for the first time, recovery included.
const READY_S: u64 = 60;
/// How long it may take to end after SIGTERM.
const END: Duration = Duration::from_secs(20);
/// How much of its log is shown when it fails.
const SAID_BYTES: u64 = 2_000;

/// How to start the server, the first time and again.
#[derive(Clone, Debug)]
pub struct Launch {
    pub listen: SocketAddr,
    pub data: PathBuf,
    pub speed: u32,
    pub journal: JournalKind,
}

/// A running server.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    pid: u32,
}

impl Launch {
    /// Starts the server and waits until it answers. If it does not, nothing is left running.
    pub async fn start(&self, server: &Server) -> Result<ServerProcess, DemoError> {
        let log = self.open_log()?;
        self.check_address()?;
        let said_from = log.metadata().map(|found| found.len()).unwrap_or(0);
        let child = self.command(log).spawn().map_err(DemoError::Spawn)?;
        let pid = child.id().expect("a process that was not waited for has an id");
        let mut process = ServerProcess { child, pid };
        match self.wait_ready(&mut process, server, said_from).await {
            Ok(()) => Ok(process),
            Err(error) => {
                // Not ready means not ours to keep: nothing half started stays behind.
                let _ = process.child.kill().await;
                Err(error)
            }
        }
    }

    fn command(&self, log: File) -> Command {
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("baton"));
        let mut command = Command::new(program);
        command
            .arg("serve")
            .arg("--listen")
            .arg(self.listen.to_string())
            .arg("--data")
            .arg(&self.data)
            .arg("--speed")
            .arg(self.speed.to_string())
            .arg("--journal")
            .arg(self.journal.name())
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_or_else(|_| Stdio::null(), Stdio::from))
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        // Settings meant for a server of the user's own, such as TLS, would shut the demo out of this one.
        for name in [
            "BATON_CONFIG",
            "BATON_JOURNAL",
            "BATON_METRICS",
            "BATON_TLS_CERT",
            "BATON_TLS_KEY",
            "BATON_TOKENS",
        ] {
            command.env_remove(name);
        }
        command
    }

    fn open_log(&self) -> Result<File, DemoError> {
        let folder = |source| DemoError::Folder { folder: self.data.clone(), source };
        std::fs::create_dir_all(&self.data).map_err(folder)?;
        OpenOptions::new().create(true).append(true).open(self.log_path()).map_err(folder)
    }

    fn log_path(&self) -> PathBuf {
        self.data.join("serve.log")
    }

    /// Asks before starting: with another server on the port, that one would answer and be taken for ours.
    fn check_address(&self) -> Result<(), DemoError> {
        TcpListener::bind(self.listen)
            .map(drop)
            .map_err(|source| DemoError::Address { address: self.listen, source })
    }

    async fn wait_ready(
        &self,
        process: &mut ServerProcess,
        server: &Server,
        said_from: u64,
    ) -> Result<(), DemoError> {
        let until = Instant::now() + Duration::from_secs(READY_S);
        loop {
            if let Ok(Some(status)) = process.child.try_wait() {
                return Err(DemoError::EndedEarly { status, said: said_since(&self.log_path(), said_from) });
            }
            let mut floor = server.floor();
            let asked = floor.list_pools(ListFloorRequest { parent: TENANT.to_owned() });
            if within(Duration::from_secs(2), asked).await.is_ok() {
                return Ok(());
            }
            if Instant::now() > until {
                let said = said_since(&self.log_path(), said_from);
                return Err(DemoError::NotReady { pid: process.pid, seconds: READY_S, said });
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl ServerProcess {
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns when the process has ended by itself.
    pub async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => format!("its end could not be read: {error}"),
        }
    }

    /// Ends the process in good order. The answer says how it ended; `None` if it had to be killed.
    pub async fn end(mut self) -> Option<ExitStatus> {
        terminate(self.pid).await;
        if let Ok(Ok(status)) = timeout(END, self.child.wait()).await {
            return Some(status);
        }
        let _ = self.child.kill().await;
        None
    }
}

/// Sends SIGTERM. The standard library can only kill; the shell's own `kill` is on every machine and spares a
/// dependency and an unsafe call.
async fn terminate(pid: u32) {
    let _ = Command::new("sh").arg("-c").arg("kill -TERM \"$0\"").arg(pid.to_string()).status().await;
}

/// The end of what was written to a log after a position.
fn said_since(path: &Path, from: u64) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(from.max(length.saturating_sub(SAID_BYTES))))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    };
    match read() {
        Ok(said) if said.is_empty() => "(nothing)".to_owned(),
        Ok(said) => said,
        Err(error) => format!("({}: {error})", path.display()),
    }
}
