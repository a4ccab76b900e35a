//! What supervisors see, kept up to date from `WatchFloor`: the only source of what the demo shows.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tonic::Status;

use super::calls::{Server, TENANT, is_passing, once, repeated};
use super::centre::Centre;
use super::clock::Clock;
use super::tally::Tally;
use crate::proto::{FloorView, WatchFloorRequest};

/// Time between two views, real.
const INTERVAL: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(250);

/// Everything a viewer may look at.
#[derive(Clone)]
pub struct Picture {
    pub clock: Clock,
    pub tally: Arc<Tally>,
    /// The server's process id; 0 while there is none.
    pub pid: watch::Receiver<u32>,
    /// The newest view. `None` until the first has come.
    pub floor: watch::Receiver<Option<FloorView>>,
}

impl Picture {
    /// `process 1234`, or that it is away.
    pub fn server(&self) -> String {
        match *self.pid.borrow() {
            0 => "server away, restarting".to_owned(),
            pid => format!("server process {pid}"),
        }
    }
}

/// Follows the floor until the demo ends.
pub async fn follow(centre: Centre, latest: watch::Sender<Option<FloorView>>) {
    tokio::select! {
        () = centre.stopped() => {}
        () = async {
            loop {
                if let Err(status) = follow_once(&centre.server, &latest).await
                    && !is_passing(&status)
                {
                    centre.tally.warn("watch the floor", &status);
                }
                sleep(PAUSE).await;
            }
        } => {}
    }
}

async fn follow_once(server: &Server, latest: &watch::Sender<Option<FloorView>>) -> Result<(), Status> {
    let request = WatchFloorRequest {
        parent: TENANT.to_owned(),
        interval: prost_types::Duration::try_from(INTERVAL).ok(),
        ..WatchFloorRequest::default()
    };
    let mut views = once(server.supervision().watch_floor(request)).await?;
    while let Some(view) = views.message().await? {
        latest.send_replace(Some(view));
    }
    Ok(())
}

/// The floor as it is now.
pub async fn look(server: &Server) -> Result<FloorView, Status> {
    let request =
        WatchFloorRequest { parent: TENANT.to_owned(), messages_max: 1, ..WatchFloorRequest::default() };
    let mut views = repeated(|| {
        let (mut client, request) = (server.supervision(), request.clone());
        async move { client.watch_floor(request).await }
    })
    .await?;
    views.message().await?.ok_or_else(|| Status::data_loss("the stream ended before its first view"))
}
