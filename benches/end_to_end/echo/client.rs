//! The client: so many requests in flight on so many connections, each answer followed by the next request.

use super::{CONNECTION_WINDOW, STREAM, STREAM_WINDOW, UNARY};
use baton::proto::{Channel as On, Interaction, SubmitRequest, SubmitResponse};
use prost::Message;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

/// Not counted, at the beginning.
const WARM_UP: Duration = Duration::from_millis(500);
/// Bytes of a request.
const REQUEST_BYTES: usize = 300;

/// What to do.
#[derive(Clone, Copy)]
pub struct Load {
    pub address: SocketAddr,
    pub stream: bool,
    pub in_flight: usize,
    pub connections: usize,
    pub length: Duration,
}

type Codec = ProstCodec<SubmitRequest, SubmitResponse>;

/// Asks for as long as it is to last, then prints one line of JSON.
pub async fn load(load: Load) {
    let (done, errors) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..load.connections {
        let channel = connect(load.address).await;
        // Spread evenly, the first ones take what is left over.
        let share =
            load.in_flight / load.connections + usize::from(connection < load.in_flight % load.connections);
        let slots = if load.stream { 1 } else { share };
        for _ in 0..slots {
            let (done, errors, channel) = (done.clone(), errors.clone(), channel.clone());
            tasks.spawn(async move {
                let asked = if load.stream {
                    converse(channel, share, &done).await
                } else {
                    ask(channel, &done).await
                };
                if asked.is_err() {
                    errors.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    }
    tokio::time::sleep(WARM_UP).await;
    let (before, start) = (done.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(load.length).await;
    let (completed, seconds) = (done.load(Ordering::Relaxed) - before, start.elapsed().as_secs_f64());
    let errors = errors.load(Ordering::Relaxed);
    tasks.abort_all();
    println!(
        "{{\"completed\":{completed},\"completed_per_s\":{:.0},\"errors\":{errors}}}",
        completed as f64 / seconds
    );
}

async fn connect(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address makes a URI");
    let endpoint = endpoint
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    endpoint.connect().await.expect("the echo listens")
}

async fn ask(channel: Channel, done: &AtomicU64) -> Result<(), Status> {
    let (mut grpc, request) = (Grpc::new(channel), request());
    loop {
        grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let asked = Request::new(request.clone());
        let answer: SubmitResponse =
            grpc.unary(asked, PathAndQuery::from_static(UNARY), Codec::default()).await?.into_inner();
        assert!(answer.interaction.is_some(), "an echo has what was said");
        done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Keeps so many under way on one stream.
async fn converse(channel: Channel, in_flight: usize, done: &AtomicU64) -> Result<(), Status> {
    let (mut grpc, request) = (Grpc::new(channel), request());
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let (send, requests) = tokio::sync::mpsc::channel(in_flight);
    for _ in 0..in_flight {
        send.try_send(request.clone()).expect("there is room for all in flight");
    }
    let asked = Request::new(ReceiverStream::new(requests));
    let path = PathAndQuery::from_static(STREAM);
    let mut answers = grpc.streaming(asked, path, Codec::default()).await?.into_inner();
    while let Some(answer) = answers.next().await {
        assert!(answer?.interaction.is_some(), "an echo has what was said");
        done.fetch_add(1, Ordering::Relaxed);
        if send.try_send(request.clone()).is_err() {
            break;
        }
    }
    Err(Status::unavailable("the stream ended"))
}

/// One request of 300 bytes, of fields as a switch sends them.
fn request() -> SubmitRequest {
    let mut interaction = Interaction {
        source: "pbx-1".to_owned(),
        external_id: "2f1e7c40-9d1b-4f6e-8f0a-0b6d2c9b7f51".to_owned(),
        channel: On::Voice as i32,
        queue: "tenants/default/queues/q17".to_owned(),
        intent: "card-lost".to_owned(),
        language: "es-MX".to_owned(),
        ..Interaction::default()
    };
    let with = |interaction: &Interaction| SubmitRequest {
        parent: "tenants/default".to_owned(),
        interaction: Some(interaction.clone()),
        ..SubmitRequest::default()
    };
    while with(&interaction).encoded_len() < REQUEST_BYTES {
        interaction.message.push('m');
    }
    with(&interaction)
}

/// As it stands in the body of a call: not compressed, its length, itself.
pub fn print_request() {
    let bytes = request().encode_to_vec();
    let length = u32::try_from(bytes.len()).expect("it is short").to_be_bytes();
    let mut out = std::io::stdout().lock();
    let written =
        out.write_all(&[0]).and_then(|()| out.write_all(&length)).and_then(|()| out.write_all(&bytes));
    written.expect("standard output can be written");
}
