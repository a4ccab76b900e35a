//! How the program's own commands reach a server: as any client would, over gRPC, with a token where one is asked for.

use crate::rules::DOCUMENT_MAX;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use thiserror::Error;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_types::StatusExt;

/// A server takes a connection within so long, or it is not there.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Why a server did not do what it was asked.
#[derive(Debug, Error)]
pub enum ClientError {
    #[error("{address} is not an address such as http://127.0.0.1:7700: {why}")]
    Address { address: String, why: String },
    #[error("no server at {address}: {why}")]
    Unreachable { address: String, why: String },
    #[error("the token has characters that cannot be sent")]
    Token,
    #[error("{} ({:?}){}", .0.message(), .0.code(), told(.0))]
    Refused(Box<Status>),
    #[error("cannot read {file}: {source}")]
    File { file: String, source: io::Error },
    #[error("{0}")]
    Rules(String),
    #[error("what came cannot be printed: {0}")]
    Print(#[from] std::io::Error),
}

/// Wrong usage.
const EXIT_USAGE: u8 = 2;
/// No server (EX_UNAVAILABLE).
const EXIT_UNAVAILABLE: u8 = 69;

impl ClientError {
    /// What the program ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            ClientError::Address { .. } | ClientError::Token | ClientError::Rules(_) => EXIT_USAGE,
            _ => EXIT_UNAVAILABLE,
        }
    }
}

/// What a refusal tells beside its message, for people to read below it.
fn told(status: &Status) -> String {
    let details = status.get_error_details();
    let Some(info) = details.error_info() else { return String::new() };
    let of_use = ["errors", "difference", "interactions"].map(|what| info.metadata.get(what));
    of_use.into_iter().flatten().fold(String::new(), |told, more| format!("{told}\n{more}"))
}

/// A document of rules as it lies in a file; at most a byte more than any server takes.
pub fn text_of(file: &Path) -> Result<String, ClientError> {
    let most = u64::try_from(DOCUMENT_MAX).expect("a limit of one MiB") + 1;
    let mut text = String::new();
    let read = File::open(file).and_then(|file| file.take(most).read_to_string(&mut text));
    read.map_err(|source| ClientError::File { file: file.display().to_string(), source })?;
    Ok(text)
}

/// Runs a command that asks a server and prints what came; says what went wrong.
pub fn run(name: &str, command: impl Future<Output = Result<(), ClientError>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(ClientError::from).and_then(|runtime| runtime.block_on(command));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads us has seen enough, as `head` has.
        Err(ClientError::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if this cannot be written.
            let _ = writeln!(io::stderr(), "baton {name}: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> ClientError {
        ClientError::Refused(Box::new(status))
    }
}

/// A connection to a server at an address such as `http://127.0.0.1:7700`.
pub async fn connect(address: &str) -> Result<Channel, ClientError> {
    let endpoint = Endpoint::from_shared(address.to_owned())
        .map_err(|error| ClientError::Address { address: address.to_owned(), why: error.to_string() })?
        .connect_timeout(CONNECT_MAX);
    endpoint.connect().await.map_err(|error| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        ClientError::Unreachable { address: address.to_owned(), why }
    })
}

/// A request with its token, if there is one.
pub fn bearing<T>(message: T, token: Option<&str>) -> Result<Request<T>, ClientError> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        let bearer: MetadataValue<Ascii> =
            format!("Bearer {token}").parse().map_err(|_| ClientError::Token)?;
        request.metadata_mut().insert("authorization", bearer);
    }
    Ok(request)
}
