//! Why a run does not come to its figures, and with which exit code.

use thiserror::Error;
use tonic::Status;

use crate::demo::DemoError;

/// What can go wrong around a run. What goes wrong within it is counted, and part of its figures.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The child process: its folder, its address, its start.
    #[error("{0}")]
    Server(#[from] DemoError),
    #[error("the server does not answer: {:?}: {}", .0.code(), .0.message())]
    Away(Box<Status>),
    #[error("the server refused {what}: {:?}: {}", status.code(), status.message())]
    Floor { what: String, status: Box<Status> },
    #[error("of {wanted} agents {signed_in} had signed in after {seconds} s; {why}")]
    SignIn { wanted: u32, signed_in: u64, seconds: u64, why: String },
    #[error("the server gave no figures: {:?}: {}", .0.code(), .0.message())]
    NoFigures(Box<Status>),
    #[error("stopped before the load began")]
    Stopped,
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

impl LoadError {
    /// 69 (`EX_UNAVAILABLE`) where there is no server, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            LoadError::Server(error) => error.exit_code(),
            LoadError::Away(_) => 69,
            LoadError::Floor { .. }
            | LoadError::SignIn { .. }
            | LoadError::NoFigures(_)
            | LoadError::Stopped
            | LoadError::Thread(_) => 1,
        }
    }
}
