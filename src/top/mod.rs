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

/// The stream of views.
pub async fn watch(settings: &Settings, messages_max: u32) -> Result<Streaming<FloorView>, TopError> {
    let address = settings.address.clone();
    let endpoint = Endpoint::from_shared(address.clone())
        .map_err(|error| TopError::Address { address: address.clone(), why: error.to_string() })?
        .connect_timeout(Duration::from_secs(5));
    let channel: Channel = endpoint.connect().await.map_err(|error| {
        let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        TopError::Unreachable { address, why: cause }
    })?;
    let interval = prost_types::Duration::try_from(settings.interval).unwrap_or_default();
    let mut request = Request::new(WatchFloorRequest {
        parent: format!("tenants/{}", settings.tenant),
        interval: Some(interval),
        messages_max,
        waiting_listed: 0,
    });
    if let Some(token) = &settings.token {
        let bearer: MetadataValue<Ascii> = format!("Bearer {token}").parse().map_err(|_| TopError::Token)?;
        request.metadata_mut().insert("authorization", bearer);
    }
    let answer = SupervisionClient::new(channel).watch_floor(request).await;
    Ok(answer.map_err(|status| TopError::Refused(Box::new(status)))?.into_inner())
}
