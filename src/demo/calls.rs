//! Calls to the server: a deadline for each attempt, and a bounded number of repetitions while it is away.
//!
//! Repeating is safe because every request carries ids that make it so (an external id, an offer, an
//! assignment). All times here are real time.

use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tonic::transport::{Channel as Connection, Endpoint};
use tonic::{Code, Response, Status};

use crate::proto::agents_client::AgentsClient;
use crate::proto::customers_client::CustomersClient;
use crate::proto::floor_client::FloorClient;
use crate::proto::interactions_client::InteractionsClient;
use crate::proto::supervision_client::SupervisionClient;

/// The tenant of a server on loopback.
pub const TENANT: &str = "tenants/default";

/// One attempt may take this long.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long a call is repeated: the time a restart of the server may take.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Connections for waiting calls. A connection carries about 200 calls at once, and waits are many.
const WAITING_CONNECTIONS: usize = 8;

/// Where the server is. Connections are made when first used, and again after a restart.
#[derive(Clone, Debug)]
pub struct Server {
    endpoint: Endpoint,
    shared: Connection,
    waiting: Vec<Connection>,
}

impl Server {
    pub fn at(address: SocketAddr) -> Server {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))
            .expect("an address makes a valid URI")
            .connect_timeout(Duration::from_secs(2))
            .tcp_nodelay(true);
        let waiting = (0..WAITING_CONNECTIONS).map(|_| endpoint.connect_lazy()).collect();
        Server { shared: endpoint.connect_lazy(), waiting, endpoint }
    }

    /// On a connection of its own, as a desk has.
    pub fn agents(&self) -> AgentsClient<Connection> {
        AgentsClient::new(self.endpoint.connect_lazy())
    }

    pub fn interactions(&self) -> InteractionsClient<Connection> {
        InteractionsClient::new(self.shared.clone())
    }

    /// For calls that stay open; `turn` spreads them.
    pub fn interactions_waiting(&self, turn: u64) -> InteractionsClient<Connection> {
        let index = (turn % WAITING_CONNECTIONS as u64) as usize;
        InteractionsClient::new(self.waiting[index].clone())
    }

    pub fn customers(&self) -> CustomersClient<Connection> {
        CustomersClient::new(self.shared.clone())
    }

    pub fn floor(&self) -> FloorClient<Connection> {
        FloorClient::new(self.shared.clone())
    }

    pub fn supervision(&self) -> SupervisionClient<Connection> {
        SupervisionClient::new(self.shared.clone())
    }
}

/// Makes one attempt under the deadline.
pub async fn once<T>(attempt: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
    within(ATTEMPT, attempt).await
}

/// Makes one attempt under a deadline of the caller's.
pub async fn within<T>(
    limit: Duration,
    attempt: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Status> {
    match timeout(limit, attempt).await {
        Ok(answer) => answer.map(Response::into_inner),
        Err(_) => Err(Status::deadline_exceeded(format!("no answer within {limit:?}"))),
    }
}

/// Repeats an attempt while the server is away or asks for a pause, at most for [`PATIENCE`].
pub async fn repeated<T, A, F>(mut attempt: A) -> Result<T, Status>
where
    A: FnMut() -> F,
    F: Future<Output = Result<Response<T>, Status>>,
{
    let until = Instant::now() + PATIENCE;
    let mut pause = PAUSE_MIN;
    loop {
        let status = match once(attempt()).await {
            Ok(answer) => return Ok(answer),
            Err(status) => status,
        };
        if !is_passing(&status) || Instant::now() + pause > until {
            return Err(status);
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Whether the same call may succeed a moment later. A status with a source is our own side's word for a broken
/// connection, whatever its code.
pub fn is_passing(status: &Status) -> bool {
    let code = status.code();
    status.source().is_some()
        || matches!(
            code,
            Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted | Code::Cancelled
        )
}

/// Whether the answer says that things have moved on meanwhile: the offer was taken back, the conversation is
/// over. No fault of either side.
pub fn is_overtaken(status: &Status) -> bool {
    matches!(status.code(), Code::NotFound | Code::FailedPrecondition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_absent_or_busy_server_is_asked_again() {
        assert!(is_passing(&Status::unavailable("away")) && is_passing(&Status::resource_exhausted("full")));
        assert!(!is_passing(&Status::invalid_argument("queue")) && !is_passing(&Status::internal("a bug")));
    }

    #[tokio::test]
    async fn a_refusal_is_not_repeated() {
        let mut attempts = 0;
        let answer: Result<u32, Status> = repeated(|| {
            attempts += 1;
            async { Err(Status::failed_precondition("offer expired")) }
        })
        .await;
        assert!(is_overtaken(&answer.expect_err("it is refused")));
        assert_eq!(attempts, 1);
    }
}
