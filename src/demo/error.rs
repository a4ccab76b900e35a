//! Why a demo ends badly, and with which exit code.

use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;
use tonic::Status;

/// What can go wrong. Each says what came and what would help.
#[derive(Debug, Error)]
pub enum DemoError {
    #[error("cannot use the data folder {}: {source}", folder.display())]
    Folder { folder: PathBuf, source: std::io::Error },
    #[error("cannot listen on {address}: {source}; choose another address with --listen")]
    Address { address: SocketAddr, source: std::io::Error },
    #[error("cannot start the server: {0}")]
    Spawn(std::io::Error),
    #[error("the server ended before it was ready ({status}); it said:\n{said}")]
    EndedEarly { status: std::process::ExitStatus, said: String },
    #[error("the server (process {pid}) did not answer within {seconds} s; it said:\n{said}")]
    NotReady { pid: u32, seconds: u64, said: String },
    #[error("the server died {0} times; giving up")]
    DiesAgain(u32),
    #[error("the server refused to set up the floor: {what}: {:?}: {}", status.code(), status.message())]
    Provision { what: String, status: Box<Status> },
    #[error("the server gave no last figures: {:?}: {}", .0.code(), .0.message())]
    NoFigures(Box<Status>),
    #[error("cannot draw on the terminal: {0}")]
    Terminal(std::io::Error),
}

impl DemoError {
    /// 69 (`EX_UNAVAILABLE`) where the server could not be started or kept up, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            DemoError::Folder { .. }
            | DemoError::Address { .. }
            | DemoError::Spawn(_)
            | DemoError::EndedEarly { .. }
            | DemoError::NotReady { .. }
            | DemoError::DiesAgain(_) => 69,
            DemoError::Provision { .. } | DemoError::NoFigures(_) | DemoError::Terminal(_) => 1,
        }
    }
}
