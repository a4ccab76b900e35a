//! A server with one service of the tests' own, reached by connections as callers make them.

use super::*;
use crate::proto::Card;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Service};
use tonic::server::NamedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;

/// Ends a test that would wait for ever. Less than the 30 s after which the transport itself gives up who does not answer
/// its pings: it must not do what is tested here.
const GUARD: Duration = Duration::from_secs(20);
/// What is over soon, and what is never over.
const SOON: Duration = Duration::from_millis(20);
const NEVER: Duration = Duration::from_secs(3_600);

const ASK: &str = "/baton.v1.Desk/Ask";
const TALK: &str = "/baton.v1.Desk/Talk";
const BREAK: &str = "/baton.v1.Desk/Break";

type Answers = Pin<Box<dyn Stream<Item = Result<Card, Status>> + Send>>;

/// `Ask` answers with what was asked, `Talk` with each message that comes, and `Break` breaks an assumption.
#[derive(Clone)]
struct Desk;

impl NamedService for Desk {
    const NAME: &'static str = "baton.v1.Desk";
}

impl Service<Request<Body>> for Desk {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<Card, Card>::default());
            Ok(match request.uri().path() {
                ASK => grpc.unary(Desk, request).await,
                TALK => grpc.streaming(Desk, request).await,
                _ => panic!("a desk is a desk"),
            })
        })
    }
}

impl Service<tonic::Request<Card>> for Desk {
    type Response = tonic::Response<Card>;
    type Error = Status;
    type Future = BoxFuture<tonic::Response<Card>, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: tonic::Request<Card>) -> Self::Future {
        Box::pin(async { Ok(tonic::Response::new(request.into_inner())) })
    }
}

impl Service<tonic::Request<Streaming<Card>>> for Desk {
    type Response = tonic::Response<Answers>;
    type Error = Status;
    type Future = BoxFuture<tonic::Response<Answers>, Status>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: tonic::Request<Streaming<Card>>) -> Self::Future {
        Box::pin(async { Ok(tonic::Response::new(Box::pin(request.into_inner()) as Answers)) })
    }
}

/// A server, until it is dropped.
struct Open {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

async fn open(connections_max: usize, patience: Patience) -> Open {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let routes = Routes::new(Desk).prepare();
    let request_streams = Arc::new(BTreeSet::from([TALK.to_owned()]));
    let house = House { tls: None, routes, request_streams, patience };
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        serve(listener, connections_max, &house, stopped).await;
    });
    Open { address, _stop: stop }
}

/// Nothing is ever over.
fn endless() -> Patience {
    Patience { greeting: NEVER, request: NEVER, idle: NEVER, spared: NEVER, parting: SOON }
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(GUARD, future).await;
    ended.unwrap_or_else(|_| panic!("{what} did not come within {GUARD:?}"))
}

/// A caller who keeps to the protocol.
struct Caller(tonic::client::Grpc<Channel>);

impl Caller {
    async fn come(open: &Open) -> Option<Caller> {
        let endpoint = Endpoint::from_shared(format!("http://{}", open.address)).expect("an address");
        let channel = within("an answer", endpoint.connect()).await.ok()?;
        Some(Caller(tonic::client::Grpc::new(channel)))
    }

    async fn call(&mut self, path: &'static str) -> Result<(), Status> {
        within("the connection", self.0.ready())
            .await
            .map_err(|gone| Status::unavailable(gone.to_string()))?;
        let asked = tonic::Request::new(Card::default());
        let codec = ProstCodec::<Card, Card>::default();
        within("an answer", self.0.unary(asked, path.parse().expect("a path"), codec)).await.map(drop)
    }

    /// Opens a call whose message never comes.
    async fn ask_half(&mut self) -> Status {
        within("the connection", self.0.ready()).await.expect("it is open");
        let never = tonic::Request::new(tokio_stream::pending::<Card>());
        let codec = ProstCodec::<Card, Card>::default();
        let answer = self.0.client_streaming(never, ASK.parse().expect("a path"), codec);
        within("an answer", answer).await.expect_err("nothing was asked")
    }

    /// Opens a stream, on which nothing is said yet. On a slow machine the connection may have been idle for too long
    /// already.
    async fn talk(&mut self) -> Talk {
        let opened = async {
            loop {
                if let Some(talk) = self.try_talk().await {
                    return talk;
                }
            }
        };
        within("a stream", opened).await
    }

    async fn try_talk(&mut self) -> Option<Talk> {
        self.0.ready().await.ok()?;
        let (say, said) = mpsc::channel(1);
        let said = tonic::Request::new(ReceiverStream::new(said));
        let codec = ProstCodec::<Card, Card>::default();
        let heard = self.0.streaming(said, TALK.parse().expect("a path"), codec);
        Some(Talk { say, heard: heard.await.ok()?.into_inner() })
    }
}

struct Talk {
    say: mpsc::Sender<Card>,
    heard: Streaming<Card>,
}

impl Talk {
    async fn assert_goes_on(&mut self) {
        self.say.send(Card::default()).await.expect("the stream is open");
        let heard = within("an answer", self.heard.message()).await;
        assert_eq!(heard.expect("the stream goes on"), Some(Card::default()));
    }
}

/// A connection that speaks HTTP/2 and never answers, with these frames after its greeting.
async fn mute(open: &Open, frames: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(open.address).await.expect("it listens");
    let greeting = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[0, 0, 0, 4, 0, 0, 0, 0, 0][..], frames].concat();
    stream.write_all(&greeting).await.expect("it is open");
    let mut settings = [0; 9];
    within("a greeting", stream.read_exact(&mut settings)).await.expect("it is open");
    stream
}

/// Waits until the server ends the connection.
async fn shown_out(mut stream: TcpStream) {
    let mut heard = [0; 4096];
    within("the end", async { while stream.read(&mut heard).await.is_ok_and(|read| read > 0) {} }).await;
}

#[tokio::test]
async fn a_request_that_does_not_become_whole_is_refused_and_a_silent_stream_of_requests_goes_on() {
    let open = open(4, Patience { request: SOON, ..endless() }).await;
    let mut caller = Caller::come(&open).await.expect("there is room");
    let mut talk = caller.talk().await;
    let refused = caller.ask_half().await;
    assert_eq!(refused.code(), Code::DeadlineExceeded);
    let details = refused.get_error_details();
    assert_eq!(details.error_info().expect("a reason").reason, "REQUEST_INCOMPLETE");
    talk.assert_goes_on().await;
    caller.call(ASK).await.expect("a whole one is answered");
}

#[tokio::test]
async fn a_connection_without_a_call_ends_and_one_with_a_stream_goes_on() {
    let open = open(4, Patience { idle: SOON, ..endless() }).await;
    let mut caller = Caller::come(&open).await.expect("there is room");
    let mut talk = caller.talk().await;
    talk.assert_goes_on().await;
    shown_out(mute(&open, &[]).await).await;
    talk.assert_goes_on().await;
    let mut halting = TcpStream::connect(open.address).await.expect("it listens");
    halting.write_all(b"PRI").await.expect("it is open");
    shown_out(halting).await;
    talk.assert_goes_on().await;
}

#[tokio::test]
async fn whoever_was_shown_out_for_having_no_call_is_served_as_soon_as_they_have_one() {
    let open = open(4, Patience { idle: SOON, ..endless() }).await;
    let mut caller = Caller::come(&open).await.expect("there is room");
    for _ in 0..3 {
        // Something that is idle as long, so that the caller is, too.
        shown_out(mute(&open, &[]).await).await;
        // The transport comes back by itself, on a slow machine more than once.
        within("an answer", async { while caller.call(ASK).await.is_err() {} }).await;
    }
}

#[tokio::test]
async fn half_a_request_keeps_nobodys_place() {
    let open = open(4, Patience { idle: SOON, ..endless() }).await;
    // HEADERS of POST over http, without an end: a path of ours, and an authority.
    let mut block = vec![0x83, 0x86];
    for (name, value) in [(0x04, ASK), (0x01, "baton")] {
        block.extend([name, u8::try_from(value.len()).expect("a short value")]);
        block.extend(value.as_bytes());
    }
    let mut frame = vec![0, 0, u8::try_from(block.len()).expect("a short frame"), 1, 4, 0, 0, 0, 1];
    frame.extend(block);
    shown_out(mute(&open, &frame).await).await;
}

#[tokio::test]
async fn when_all_places_are_taken_those_without_a_call_make_room_and_one_with_a_stream_never_does() {
    let open = open(3, Patience { spared: Duration::ZERO, ..endless() }).await;
    let mut caller = Caller::come(&open).await.expect("there is room");
    let mut talk = caller.talk().await;
    talk.assert_goes_on().await;
    let (first, second) = (mute(&open, &[]).await, mute(&open, &[]).await);
    let mut served = Vec::new();
    for idle in [first, second] {
        let mut next = Caller::come(&open).await.expect("somebody makes room");
        next.call(ASK).await.expect("a new caller is served");
        served.push(next);
        shown_out(idle).await;
        talk.assert_goes_on().await;
    }
}

#[tokio::test]
async fn who_has_just_been_served_is_spared_and_whoever_comes_is_turned_away() {
    let open = open(2, endless()).await;
    let mut callers = Vec::new();
    for _ in 0..2 {
        let mut caller = Caller::come(&open).await.expect("there is room");
        caller.call(ASK).await.expect("it is served");
        callers.push(caller);
    }
    let turned_away = TcpStream::connect(open.address).await.expect("it listens");
    shown_out(turned_away).await;
    for caller in &mut callers {
        caller.call(ASK).await.expect("who was there first is served");
    }
}

#[tokio::test]
async fn a_request_that_breaks_an_assumption_ends_alone() {
    let open = open(1, Patience { spared: Duration::ZERO, ..endless() }).await;
    let mut caller = Caller::come(&open).await.expect("there is room");
    let mut talk = caller.talk().await;
    for _ in 0..3 {
        let broken = caller.call(BREAK).await.expect_err("nobody answers");
        assert_ne!(broken.code(), Code::Ok);
        caller.call(ASK).await.expect("the same connection is served");
        talk.assert_goes_on().await;
    }
    drop(talk);
    let served = async {
        loop {
            if let Some(mut next) = Caller::come(&open).await
                && next.call(ASK).await.is_ok()
            {
                return;
            }
        }
    };
    within("a place: calls that broke count no more", served).await;
}
