//! What the generator reads of the server's answers, and the calls that answer with it. It shares its cores with the
//! server, so it decodes what it needs and lets prost pass over the rest; the numbers are those of `proto/baton/v1`.

use prost::{Message, Oneof};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{IntoRequest, IntoStreamingRequest, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::proto;

/// Of an `Interaction`.
#[derive(Clone, PartialEq, Message)]
pub struct Seen {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub source: String,
    #[prost(string, tag = "3")]
    pub external_id: String,
    #[prost(enumeration = "proto::InteractionState", tag = "20")]
    pub state: i32,
}

/// Of a `SubmitResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct Submitted {
    #[prost(message, optional, tag = "1")]
    pub interaction: Option<Seen>,
}

/// Of an `AttachResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct Answer {
    #[prost(uint64, tag = "1")]
    pub tag: u64,
    #[prost(string, tag = "2")]
    pub agent: String,
    #[prost(oneof = "Told", tags = "3, 5, 6, 7")]
    pub told: Option<Told>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Told {
    #[prost(message, tag = "3")]
    Work(Work),
    #[prost(message, tag = "5")]
    Status(Nothing),
    #[prost(message, tag = "6")]
    Accepted(Accepted),
    #[prost(message, tag = "7")]
    Failure(proto::Failure),
}

/// Of a message of which nothing matters but that it came.
#[derive(Clone, PartialEq, Message)]
pub struct Nothing {}

/// Of a `WorkResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct Work {
    #[prost(oneof = "Event", tags = "2, 4, 5")]
    pub event: Option<Event>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Event {
    #[prost(message, tag = "2")]
    Opened(proto::SessionOpened),
    #[prost(message, tag = "4")]
    Offer(Offer),
    #[prost(message, tag = "5")]
    OfferEnded(OfferEnded),
}

/// Of an `Offer`.
#[derive(Clone, PartialEq, Message)]
pub struct Offer {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub interaction: Option<Seen>,
}

/// Of an `OfferEnded`.
#[derive(Clone, PartialEq, Message)]
pub struct OfferEnded {
    #[prost(enumeration = "proto::offer_ended::Ending", tag = "3")]
    pub ending: i32,
}

/// Of an `AcceptResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct Accepted {
    #[prost(string, tag = "1")]
    pub assignment: String,
}

/// Of a `RouteResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct Routed {
    #[prost(uint64, tag = "1")]
    pub tag: u64,
    #[prost(oneof = "Routing", tags = "3, 4, 5")]
    pub routing: Option<Routing>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Routing {
    #[prost(message, tag = "3")]
    Submitted(RouteSubmitted),
    #[prost(message, tag = "4")]
    Interaction(Seen),
    #[prost(message, tag = "5")]
    Failure(proto::Failure),
}

/// Of a `RouteSubmitted`.
#[derive(Clone, PartialEq, Message)]
pub struct RouteSubmitted {
    #[prost(string, tag = "1")]
    pub name: String,
}

/// The calls a generator makes.
#[derive(Clone)]
pub struct Caller {
    grpc: Grpc<Channel>,
}

impl Caller {
    pub fn new(channel: Channel) -> Caller {
        Caller { grpc: Grpc::new(channel) }
    }

    pub async fn submit(&mut self, request: proto::SubmitRequest) -> Result<Submitted, Status> {
        self.unary(request, "/baton.v1.Interactions/Submit").await
    }

    pub async fn cancel(&mut self, request: proto::CancelRequest) -> Result<Seen, Status> {
        self.unary(request, "/baton.v1.Interactions/Cancel").await
    }

    pub async fn accept(&mut self, request: proto::AcceptRequest) -> Result<Accepted, Status> {
        self.unary(request, "/baton.v1.Agents/Accept").await
    }

    pub async fn complete(&mut self, request: proto::CompleteRequest) -> Result<Nothing, Status> {
        self.unary(request, "/baton.v1.Agents/Complete").await
    }

    pub async fn finish_wrap_up(&mut self, request: proto::FinishWrapUpRequest) -> Result<Nothing, Status> {
        self.unary(request, "/baton.v1.Agents/FinishWrapUp").await
    }

    pub async fn set_presence(&mut self, request: proto::SetPresenceRequest) -> Result<Nothing, Status> {
        self.unary(request, "/baton.v1.Agents/SetPresence").await
    }

    pub async fn heartbeat(&mut self, request: proto::HeartbeatRequest) -> Result<Nothing, Status> {
        self.unary(request, "/baton.v1.Agents/Heartbeat").await
    }

    pub async fn work(&mut self, request: proto::WorkRequest) -> Result<Streaming<Work>, Status> {
        self.ready().await?;
        let path = PathAndQuery::from_static("/baton.v1.Agents/Work");
        let codec = ProstCodec::<proto::WorkRequest, Work>::default();
        self.grpc.server_streaming(request.into_request(), path, codec).await.map(Response::into_inner)
    }

    pub async fn attach(
        &mut self,
        requests: impl IntoStreamingRequest<Message = proto::AttachRequest>,
    ) -> Result<Streaming<Answer>, Status> {
        self.both_ways(requests, "/baton.v1.Agents/Attach").await
    }

    pub async fn route(
        &mut self,
        requests: impl IntoStreamingRequest<Message = proto::RouteRequest>,
    ) -> Result<Streaming<Routed>, Status> {
        self.both_ways(requests, "/baton.v1.Interactions/Route").await
    }

    async fn unary<Q, A>(&mut self, request: Q, path: &'static str) -> Result<A, Status>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        self.ready().await?;
        let (path, codec) = (PathAndQuery::from_static(path), ProstCodec::<Q, A>::default());
        self.grpc.unary(request.into_request(), path, codec).await.map(Response::into_inner)
    }

    async fn both_ways<Q, A>(
        &mut self,
        requests: impl IntoStreamingRequest<Message = Q>,
        path: &'static str,
    ) -> Result<Streaming<A>, Status>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        self.ready().await?;
        let (path, codec) = (PathAndQuery::from_static(path), ProstCodec::<Q, A>::default());
        let requests = requests.into_streaming_request();
        self.grpc.streaming(requests, path, codec).await.map(Response::into_inner)
    }

    async fn ready(&mut self) -> Result<(), Status> {
        // As a generated client says it.
        self.grpc
            .ready()
            .await
            .map_err(|error| Status::unavailable(format!("the service is not ready: {error}")))
    }
}
