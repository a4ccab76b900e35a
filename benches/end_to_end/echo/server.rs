//! The server: two methods by hand, so that no service of baton's stands between the socket and the answer.

use super::{CONNECTION_WINDOW, STREAM, STREAM_WINDOW, UNARY};
use baton::proto::{SubmitRequest, SubmitResponse};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService, StreamingService, UnaryService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

/// Serves on a free port, whose address it prints, until standard input ends.
pub async fn serve() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = tokio::net::TcpListener::bind(any).await.expect("a port can be had");
    println!("{}", listener.local_addr().expect("it is bound"));
    let (end, ended) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = end.send(());
    });
    let serving = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .add_service(Echo)
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)));
    tokio::select! {
        served = serving => served.expect("the echo serves"),
        _ = ended => {}
    }
}

fn echoed(request: SubmitRequest) -> SubmitResponse {
    SubmitResponse { interaction: request.interaction, ..SubmitResponse::default() }
}

#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "baton.bench.Echo";
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let mut grpc = Grpc::new(ProstCodec::<SubmitResponse, SubmitRequest>::default());
        match request.uri().path() {
            UNARY => Box::pin(async move { Ok(grpc.unary(One, request).await) }),
            STREAM => Box::pin(async move { Ok(grpc.streaming(Each, request).await) }),
            _ => Box::pin(ready(Ok(Status::new(Code::Unimplemented, "no such method").into_http()))),
        }
    }
}

struct One;

impl UnaryService<SubmitRequest> for One {
    type Response = SubmitResponse;
    type Future = Ready<Result<Response<SubmitResponse>, Status>>;

    fn call(&mut self, request: Request<SubmitRequest>) -> Self::Future {
        ready(Ok(Response::new(echoed(request.into_inner()))))
    }
}

struct Each;

type Answers = Pin<Box<dyn Stream<Item = Result<SubmitResponse, Status>> + Send>>;

impl StreamingService<SubmitRequest> for Each {
    type Response = SubmitResponse;
    type ResponseStream = Answers;
    type Future = Ready<Result<Response<Answers>, Status>>;

    fn call(&mut self, request: Request<Streaming<SubmitRequest>>) -> Self::Future {
        let answers = request.into_inner().map(|asked| asked.map(echoed));
        ready(Ok(Response::new(Box::pin(answers))))
    }
}
