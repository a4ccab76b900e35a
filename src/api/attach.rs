//! Many agents on one stream. Requests are taken one after the other; each is answered under its tag, and what
//! happens to the agents goes out as it comes.

use super::conversation;
use super::desk;
use super::status::ApiError;
use super::tenant::Tenant;
use super::work::{self, Opened};
use crate::proto;
use crate::proto::attach_request::Request as Asked;
use crate::proto::attach_response::Response as Answered;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tonic::{Code, Status, Streaming};

/// Messages that may wait for the reader of one stream.
const OUT_MAX: usize = 1_024;

/// Where a stream's answers come out.
pub type Out = mpsc::Receiver<Result<proto::AttachResponse, Status>>;
type Sender = mpsc::Sender<Result<proto::AttachResponse, Status>>;

/// Serves one stream until the platform ends it.
pub fn serve(tenant: Arc<Tenant>, requests: Streaming<proto::AttachRequest>) -> Out {
    let (send, out) = mpsc::channel(OUT_MAX);
    tokio::spawn(run(tenant, requests, send));
    out
}

async fn run(tenant: Arc<Tenant>, mut requests: Streaming<proto::AttachRequest>, send: Sender) {
    // Ends with this task: a platform that says nothing more has no agents here either.
    let mut desks = JoinSet::new();
    loop {
        let next = tokio::select! {
            next = requests.message() => next,
            () = send.closed() => return,
            Some(ended) = desks.join_next() => match ended {
                Ok(Ended::ServerStops) => return,
                _ => continue,
            },
        };
        // A broken stream ends like one that was closed: the agents' sessions go with it.
        let Ok(Some(request)) = next else { return };
        let tag = request.tag;
        let answer = match request.request {
            Some(asked) => answer(&tenant, asked, tag, &send, &mut desks).await,
            None => Err(ApiError::missing("request", "one of the requests")),
        };
        let response = answer.unwrap_or_else(|error| failure(tag, String::new(), error));
        if send.send(Ok(response)).await.is_err() {
            return;
        }
    }
}

async fn answer(
    tenant: &Arc<Tenant>,
    asked: Asked,
    tag: u64,
    send: &Sender,
    desks: &mut JoinSet<Ended>,
) -> Result<proto::AttachResponse, ApiError> {
    let respond = |agent: String, response| proto::AttachResponse { tag, agent, response: Some(response) };
    let by_status = |status: proto::AgentStatus| respond(status.agent.clone(), Answered::Status(status));
    Ok(match asked {
        Asked::Open(request) => {
            let opened = work::open(tenant, &request).await?;
            desks.spawn(forward(opened, request.agent.clone(), send.clone()));
            by_status(desk::status_of(tenant, &request.agent).await?)
        }
        Asked::Heartbeat(request) => {
            respond(String::new(), Answered::Heartbeat(desk::heartbeat(tenant, &request)?))
        }
        Asked::SetPresence(request) => by_status(desk::set_presence(tenant, &request).await?),
        Asked::Accept(request) => {
            respond(String::new(), Answered::Accepted(desk::accept(tenant, &request).await?))
        }
        Asked::Decline(request) => by_status(desk::decline(tenant, &request).await?),
        Asked::Complete(request) => by_status(desk::complete(tenant, &request).await?),
        Asked::FinishWrapUp(request) => by_status(desk::finish_wrap_up(tenant, &request).await?),
        Asked::ExtendWrapUp(request) => by_status(conversation::extend_wrap_up(tenant, &request).await?),
        Asked::Transfer(request) => by_status(conversation::transfer(tenant, &request).await?),
        Asked::Consult(request) => by_status(conversation::consult(tenant, &request).await?),
        Asked::Conference(request) => by_status(conversation::conference(tenant, &request).await?),
        Asked::StopSeeking(request) => by_status(conversation::stop_seeking(tenant, &request).await?),
        Asked::Park(request) => by_status(conversation::park(tenant, &request).await?),
        Asked::Pull(request) => {
            respond(request.agent.clone(), Answered::Accepted(conversation::pull(tenant, &request).await?))
        }
        Asked::Requeue(request) => by_status(conversation::requeue(tenant, &request).await?),
    })
}

/// Why an agent's stream ended.
enum Ended {
    /// Another stream took over, this one was cut off, or the platform went.
    ThisAgent,
    ServerStops,
}

/// Passes an agent's stream on. When the platform's stream ends, so does the agent's session.
async fn forward(opened: Opened, agent: String, send: Sender) -> Ended {
    let (feed, mut messages) = mpsc::channel(OUT_MAX);
    tokio::spawn(opened.run(feed));
    loop {
        let next = tokio::select! {
            next = messages.recv() => next,
            () = send.closed() => return Ended::ThisAgent,
        };
        let (response, stops) = match next {
            Some(Ok(message)) => {
                let work = Some(Answered::Work(message));
                (proto::AttachResponse { tag: 0, agent: agent.clone(), response: work }, false)
            }
            Some(Err(error)) => {
                let stops = error.code() == Code::Unavailable;
                (failure(0, agent.clone(), error), stops)
            }
            None => return Ended::ThisAgent,
        };
        if send.send(Ok(response)).await.is_err() {
            return Ended::ThisAgent;
        }
        if stops {
            return Ended::ServerStops;
        }
    }
}

fn failure(tag: u64, agent: String, error: ApiError) -> proto::AttachResponse {
    proto::AttachResponse { tag, agent, response: Some(Answered::Failure(error.into())) }
}
