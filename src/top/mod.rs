//! The floor in a terminal, live: queues with what their lines cost by the minute, what an agent's minute is worth by skill,
//! agents, holds and the newest decisions. A client like any other: everything it shows comes from `WatchFloor`.

mod screen;
mod tables;

pub use screen::Screen;
pub use tables::{Table, tables};

use crate::proto::supervision_client::SupervisionClient;
use crate::proto::{FloorView, WatchFloorRequest};
use std::time::Duration;
use thiserror::Error;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

/// Where the floor is watched.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `http://127.0.0.1:7700`.
    pub address: String,
    pub tenant: String,
    /// Sent as a bearer token, where the server asks for one.
    pub token: Option<String>,
    pub interval: Duration,
}

/// Why the floor cannot be watched.
#[derive(Debug, Error)]
pub enum TopError {
    #[error("{address} is not an address such as http://127.0.0.1:7700: {why}")]
    Address { address: String, why: String },
    #[error("no server at {address}: {why}")]
    Unreachable { address: String, why: String },
    #[error("the token has characters that cannot be sent")]
    Token,
    #[error("{} ({:?})", .0.message(), .0.code())]
    Refused(Box<Status>),
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] std::io::Error),
}

/// Wrong usage.
const EXIT_USAGE: u8 = 2;
/// No server (EX_UNAVAILABLE).
const EXIT_UNAVAILABLE: u8 = 69;

impl TopError {
    /// What the program ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            TopError::Address { .. } | TopError::Token => EXIT_USAGE,
            _ => EXIT_UNAVAILABLE,
        }
    }
}

/// A connection to the server.
pub(crate) async fn connect(address: &str) -> Result<Channel, TopError> {
    let address = address.to_owned();
    let endpoint = Endpoint::from_shared(address.clone())
        .map_err(|error| TopError::Address { address: address.clone(), why: error.to_string() })?
        .connect_timeout(Duration::from_secs(5));
    endpoint.connect().await.map_err(|error| {
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        TopError::Unreachable { address, why: cause }
    })
}

/// A request that says who asks, where the server wants to know.
pub(crate) fn request<T>(token: Option<&str>, message: T) -> Result<Request<T>, TopError> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        let bearer: MetadataValue<Ascii> = format!("Bearer {token}").parse().map_err(|_| TopError::Token)?;
        request.metadata_mut().insert("authorization", bearer);
    }
    Ok(request)
}

/// The stream of views.
pub async fn watch(settings: &Settings, messages_max: u32) -> Result<Streaming<FloorView>, TopError> {
    let channel = connect(&settings.address).await?;
    let interval = prost_types::Duration::try_from(settings.interval).unwrap_or_default();
    let asked = WatchFloorRequest {
        parent: format!("tenants/{}", settings.tenant),
        interval: Some(interval),
        messages_max,
        waiting_listed: 0,
    };
    let request = request(settings.token.as_deref(), asked)?;
    let answer = SupervisionClient::new(channel).watch_floor(request).await;
    Ok(answer.map_err(|status| TopError::Refused(Box::new(status)))?.into_inner())
}
