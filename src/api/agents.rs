//! `Agents`: sign in, get offers with the whole story, work.

use super::access::Service;
use super::attach;
use super::conversation;
use super::desk;
use super::in_hand::Counted;
use super::tenant::{Gate, Tenants};
use super::work;
use crate::proto;
use crate::proto::agents_server::Agents;
use std::pin::Pin;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

/// Messages that may wait for the reader of one stream, beyond its feed.
const OUT_MAX: usize = 16;

/// The service.
pub struct Api {
    gate: Gate,
}

impl Api {
    /// The service for all tenants of a server.
    pub fn new(tenants: Tenants) -> Api {
        Api { gate: Gate::new(tenants, Service::Agents) }
    }
}

/// Messages to one reader.
type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Agents for Api {
    type WorkStream = Messages<proto::WorkResponse>;

    async fn work(&self, request: Request<proto::WorkRequest>) -> Result<Response<Self::WorkStream>, Status> {
        let (metadata, _, request) = request.into_parts();
        let stream = self.gate.of(&metadata, "agent", &request.agent)?.stream()?;
        let opened = work::open(&stream.tenant, &request).await?;
        let (send, out) = mpsc::channel(OUT_MAX);
        tokio::spawn(opened.run(send));
        let out = ReceiverStream::new(out).map(|message| message.map_err(Status::from));
        Ok(Response::new(Box::pin(stream.telling(out))))
    }

    type AttachStream = Counted<attach::Answers>;

    async fn attach(
        &self,
        request: Request<Streaming<proto::AttachRequest>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let stream = self.gate.caller(request.metadata())?.stream()?;
        let answers = attach::Answers::open(stream.tenant.clone(), request.into_inner())?;
        Ok(Response::new(stream.telling(answers)))
    }

    async fn heartbeat(
        &self,
        request: Request<proto::HeartbeatRequest>,
    ) -> Result<Response<proto::HeartbeatResponse>, Status> {
        let tenant = self.gate.caller(request.metadata())?;
        Ok(Response::new(desk::heartbeat(&tenant, request.get_ref())?))
    }

    async fn set_presence(
        &self,
        request: Request<proto::SetPresenceRequest>,
    ) -> Result<Response<proto::AgentStatus>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "agent", &request.agent)?;
        Ok(Response::new(desk::set_presence(&tenant, &request).await?))
    }

    async fn accept(
        &self,
        request: Request<proto::AcceptRequest>,
    ) -> Result<Response<proto::AcceptResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "offer", &request.offer)?;
        Ok(Response::new(desk::accept(&tenant, &request).await?))
    }

    async fn decline(
        &self,
        request: Request<proto::DeclineRequest>,
    ) -> Result<Response<proto::AgentStatus>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "offer", &request.offer)?;
        Ok(Response::new(desk::decline(&tenant, &request).await?))
    }

    async fn complete(
        &self,
        request: Request<proto::CompleteRequest>,
    ) -> Result<Response<proto::AgentStatus>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "assignment", &request.assignment)?;
        Ok(Response::new(desk::complete(&tenant, &request).await?))
    }

    async fn finish_wrap_up(
        &self,
        request: Request<proto::FinishWrapUpRequest>,
    ) -> Result<Response<proto::AgentStatus>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "assignment", &request.assignment)?;
        Ok(Response::new(desk::finish_wrap_up(&tenant, &request).await?))
    }

    async fn extend_wrap_up(
        &self,
        request: Request<proto::ExtendWrapUpRequest>,
    ) -> Result<Response<proto::AgentStatus>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "assignment", &request.assignment)?;
        Ok(Response::new(conversation::extend_wrap_up(&tenant, &request).await?))
    }

    async fn transfer(
        &self,
        request: Request<proto::TransferRequest>,
    ) -> Result<Response<proto::AgentStatus>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "assignment", &request.assignment)?;
        Ok(Response::new(conversation::transfer(&tenant, &request).await?))
    }

    async fn consult(
        &self,
        request: Request<proto::ConsultRequest>,
    ) -> Result<Response<proto::AgentStatus>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "assignment", &request.assignment)?;
        Ok(Response::new(conversation::consult(&tenant, &request).await?))
    }

    async fn conference(
        &self,
        request: Request<proto::ConferenceRequest>,
    ) -> Result<Response<proto::AgentStatus>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "assignment", &request.assignment)?;
        Ok(Response::new(conversation::conference(&tenant, &request).await?))
    }

    async fn stop_seeking(
        &self,
        request: Request<proto::StopSeekingRequest>,
    ) -> Result<Response<proto::AgentStatus>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "assignment", &request.assignment)?;
        Ok(Response::new(conversation::stop_seeking(&tenant, &request).await?))
    }

    async fn park(
        &self,
        request: Request<proto::ParkRequest>,
    ) -> Result<Response<proto::AgentStatus>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "assignment", &request.assignment)?;
        Ok(Response::new(conversation::park(&tenant, &request).await?))
    }

    async fn pull(
        &self,
        request: Request<proto::PullRequest>,
    ) -> Result<Response<proto::AcceptResponse>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "agent", &request.agent)?;
        Ok(Response::new(conversation::pull(&tenant, &request).await?))
    }

    async fn requeue(
        &self,
        request: Request<proto::RequeueRequest>,
    ) -> Result<Response<proto::AgentStatus>, Status> {
        let (metadata, _, request) = request.into_parts();
        let tenant = self.gate.of(&metadata, "assignment", &request.assignment)?;
        Ok(Response::new(conversation::requeue(&tenant, &request).await?))
    }
}
