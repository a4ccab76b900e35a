//! The floor in a terminal, live: queues with what their lines cost by the minute, what an agent's minute is worth by skill,
//! agents, holds and the newest decisions. A client like any other: everything it shows comes from `WatchFloor`.

mod screen;
mod tables;

pub use screen::Screen;
pub use tables::{Table, tables};

use crate::client::{ClientError, bearing, connect};
use crate::proto::supervision_client::SupervisionClient;
use crate::proto::{FloorView, WatchFloorRequest};
use std::time::Duration;
use thiserror::Error;
use tonic::Streaming;

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
    #[error("{0}")]
    Server(#[from] ClientError),
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] std::io::Error),
}

/// The stream of views.
pub async fn watch(settings: &Settings, messages_max: u32) -> Result<Streaming<FloorView>, TopError> {
    let channel = connect(&settings.address).await?;
    let interval = prost_types::Duration::try_from(settings.interval).unwrap_or_default();
    let request = WatchFloorRequest {
        parent: format!("tenants/{}", settings.tenant),
        interval: Some(interval),
        messages_max,
        waiting_listed: 0,
    };
    let request = bearing(request, settings.token.as_deref())?;
    let answer = SupervisionClient::new(channel).watch_floor(request).await;
    Ok(answer.map_err(ClientError::from)?.into_inner())
}
